"""Documents that are written from the code they describe."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pandera.ibis as pa

from credit_scoring.features.catalogue import FEATURES_BY_MODULE, feature_lineages
from credit_scoring.features.expressions import NOT_AVAILABLE, written
from credit_scoring.features.lineage import Lineage
from credit_scoring.features.records import UNITS, Cleaning, Feature, Rows, Source
from credit_scoring.features.sources import SOURCES
from credit_scoring.schemas.contract import RawTable
from credit_scoring.schemas.raw import RAW_TABLES, TEXT

_MADE_BY = "Made from the code by `kedro run --pipelines documentation`: change the code, not this file."

_ACROSS = "The application against the history"

_GUIDE = Path(__file__).with_name("reading_guide.md")

_TYPES = {"int32": "whole number", "float64": "real number", "string": "text"}
_MAX_VALUES = 16

_CONTRACT_GUIDE = Path(__file__).with_name("contract_guide.md")


def write_feature_dictionary() -> str:
    """Write the dictionary of all columns of `applicant_features` as Markdown, one section per module."""
    titles = {source.name: source.title for source in SOURCES} | {"join": _ACROSS}
    counts = {name: len(features) for name, features in FEATURES_BY_MODULE.items()}
    lines = [
        "# Feature dictionary",
        "",
        _MADE_BY,
        "",
        f"`applicant_features` has one row per application, `SK_ID_CURR` and `TARGET`, and {sum(counts.values())} "
        "features. None is computed from `TARGET`, which is there as the outcome to learn. French labels, as in "
        "figures and reasons, are in italics.",
        "",
        "| section | module | features |",
        "|---|---|---:|",
        *(
            f"| [{titles[name]}](#{_anchor(titles[name])}) | `features/{name}.py` | {count} |"
            for name, count in counts.items()
        ),
        "",
        _GUIDE.read_text(),
    ]
    told: set[str] = set()
    for source in SOURCES:
        lines += [f"## {source.title}", "", *_write_origin(source, told)]
        lines += _write_features(source.name, source.cleaning[0].table)
        told |= set(source.clean)
    return "\n".join([*lines, f"## {_ACROSS}", "", *_write_features("join")])


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _write_origin(source: Source, told: Collection[str]) -> list[str]:
    """Write what is done to the raw tables of a source, and the rows in between."""
    tables = " and ".join(f"`{name}`" for name in source.clean)
    stacked = " (`application_train` and `application_test`, one above the other)" if source is SOURCES[0] else ""
    lines = [f"From {tables}{stacked}, by `features/{source.name}.py`.", ""]
    for cleaning in source.cleaning:
        known = cleaning.table in told
        lines += [f"`{cleaning.table}` is cleaned as above.", ""] if known else _write_cleaning(cleaning)
    for rows in source.rows:
        lines += _write_rows(rows)
    return lines


def _write_cleaning(cleaning: Cleaning) -> list[str]:
    lines = [f"**Cleaning of `{cleaning.table}`**", ""]
    if cleaning.keep is not None:
        lines.append(f"- kept are the rows with `{written(cleaning.keep)}`")
    lines.append(f"- texts {', '.join(f'`{code}`' for code in NOT_AVAILABLE)} and empty texts are null")
    columns_of: dict[str, list[str]] = {}
    for column in cleaning.columns:
        columns_of.setdefault(_rule(cleaning, column), []).append(f"`{column}`")
    lines += [f"- {', '.join(columns)}: `{rule}`" for rule, columns in columns_of.items()]
    return [*lines, ""]


def _rule(cleaning: Cleaning, column: str) -> str:
    """Write what becomes of a column, itself called `it`; nothing where only missing markers are read."""
    if column not in cleaning.columns:
        return ""
    return re.sub(rf"\b{column}\b", "it", written(cleaning.columns[column]))


def _write_rows(rows: Rows) -> list[str]:
    keys = f" ({', '.join(f'`{key}`' for key in rows.keys)})" if rows.keys else ""
    measures = {item.name: item.value for item in rows.measures if item.value is not True}
    formulas = {name: written(value) for name, value in {**rows.parts, **rows.helpers, **measures}.items()}
    listed = [f"- `{name}` is `{formula}`" for name, formula in formulas.items() if formula != name]
    return [f"**One row per {rows.noun}**{keys}", "", *listed, ""]


def _write_features(module: str, main: str = "") -> list[str]:
    features, lineages = FEATURES_BY_MODULE[module], feature_lineages()
    fields = [feature for feature in features if not feature.formula]
    known = {feature.name for feature in fields}
    lines = []
    if fields:
        lines += [
            "### Fields of the form",
            "",
            "| column and meaning | unit | null when | module |",
            "|---|---|---|---|",
        ]
        kinds = RAW_TABLES["application_train"].columns
        units = {item.name: "text" if kinds[item.name] == TEXT else UNITS[item.unit] for item in fields}
        lines += [f"| {_name(item)} | {units[item.name]} | {_null_when(item)} | `{module}` |" for item in fields]
        lines += ["", "### Computed columns", ""]
    lines += ["| column and meaning | unit | formula | reads | null when | module |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {_name(item)} | {UNITS[item.unit]} | `{item.formula}` | {_reads(lineages[item.name], main, known)} "
        f"| {_null_when(item)} | `{module}` |"
        for item in features
        if item.formula
    ]
    return [*lines, ""]


def _name(feature: Feature) -> str:
    return f"`{feature.name}`<br>{feature.title('en')}<br>*{feature.title('fr')}*"


def _reads(lineage: Lineage, main: str, known: Collection[str]) -> str:
    if known and set().union(*lineage.values()) == known:
        return f"the {len(known)} columns above"
    return "<br>".join(_read_columns(table, sorted(columns), main) for table, columns in lineage.items())


def _read_columns(table: str, columns: Sequence[str], main: str) -> str:
    if not columns:
        return f"rows of `{table}`"
    listed = ", ".join(f"`{column}`" for column in columns)
    return listed if table == main else f"`{table}`: {listed}"


def _null_when(feature: Feature) -> str:
    reasons = [f"`{feature.history}` is 0"] if feature.history else []
    return "; ".join([*reasons, *feature.null_when]) or "never"


def write_data_dictionary() -> str:
    """Write the contracts of the raw tables, their cleaning and their use as Markdown, one section per table."""
    cleaned = {cleaning.table: cleaning for source in SOURCES for cleaning in source.cleaning}
    uses = Counter(
        (table, column)
        for lineage in feature_lineages().values()
        for table, columns in lineage.items()
        for column in columns
    )
    lines = [
        "# Data dictionary",
        "",
        _MADE_BY,
        "",
        _CONTRACT_GUIDE.read_text(),
        "| table | one row is | key | rows of the official file | columns |",
        "|---|---|---|---:|---:|",
        *(
            f"| [{table.name}](#{table.name.lower()}) | {table.grain} | {_code(table.key) or 'none'} "
            f"| {_official_rows(table)} | {len(table.columns)} |"
            for table in RAW_TABLES.values()
        ),
        "",
    ]
    for table in RAW_TABLES.values():
        name = "application" if table.name.startswith("application") else table.name
        lines += _write_table(table, cleaned[name], {column: uses[name, column] for column in table.columns})
    return "\n".join(lines)


def _write_table(table: RawTable, cleaned: Cleaning, uses: Mapping[str, int]) -> list[str]:
    lines = [f"## {table.name}", "", f"One row is {table.grain}.", ""]
    lines += [f"- **Key**: {_code(table.key) or 'none: equal rows are different events'}"]
    lines += [f"- **Rows of the official file**: {_official_rows(table)}"]
    for pointer, (parent, orphans) in table.parents.items():
        share = f"; {orphans:.1%} of the official rows point to none" if orphans else ""
        lines += [f"- `{pointer}` points to a row of `{parent}`{share}"]
    if cleaned.keep is not None:
        lines += [f"- **Rows kept by the cleaning**: `{written(cleaned.keep)}`"]
    if table.may_be_missing:
        lines += ["- The project can do without this file: nothing is scored then."]
    lines += [""]
    if table.name == "application_test":
        return [*lines, "Columns, values, cleaning and use are those of `application_train`, without `TARGET`.", ""]
    lines += [
        "| column | type | meaning | values | missing | cleaning | features |",
        "|---|---|---|---|---:|---|---:|",
    ]
    for name, column in table.definition.items():
        rule = _rule(cleaned, name)
        used = (
            "outcome" if name == "TARGET" else "identifier" if name.startswith("SK_ID_") else f"{uses[name] or 'none'}"
        )
        lines.append(
            f"| `{name}` | {_TYPES[table.columns[name]]} | {column.description} | {_values(column)} "
            f"| {_missing(column)} | {f'`{rule}`' if rule else ''} | {used} |"
        )
    added = [
        f"The cleaning adds `{name}`: `{written(value)}`."
        for name, value in cleaned.columns.items()
        if name not in table.columns
    ]
    return [*lines, "", *added, *([""] if added else [])]


def _official_rows(table: RawTable) -> str:
    return f"{table.official_rows:,}" if table.official_rows else "none, the table is not of the competition"


def _values(column: pa.Column) -> str:
    told = []
    for check in column.checks:
        statistics = check.statistics
        if "values" in statistics:
            values = [str(value) for value in statistics["values"]]
            shown = (
                values if len(values) <= _MAX_VALUES else [*values[: _MAX_VALUES // 2], f"... ({len(values)} in all)"]
            )
            told.append("; ".join(shown))
        else:
            codes = "".join(f"; code {code:g}" for code in statistics["codes"])
            told.append(f"{statistics['low']:,.10g} to {statistics['high']:,.10g}{codes}")
    return "; ".join(told)


def _missing(column: pa.Column) -> str:
    share = column.metadata["missing"]
    if share == 0:
        return "0"
    return f"{share:.1%}" if share >= 0.001 else "< 0.1%"


def _code(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
