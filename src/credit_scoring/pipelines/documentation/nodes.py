"""Documents that are written from the code they describe."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pandera.ibis as pa

from credit_scoring.features.dictionary import label_feature
from credit_scoring.features.documentation import CleanTable, FeatureEntry, SourceEntry, document_features
from credit_scoring.features.lineage import Lineage
from credit_scoring.schemas.contract import RawTable
from credit_scoring.schemas.raw import RAW_TABLES

_MADE_BY = "Made from the code by `kedro run --pipelines documentation`: change the code, not this file."

_SECTIONS = {
    "application": "The application",
    "bureau": "Credits at other lenders",
    "previous_application": "Earlier applications to this lender",
    "pos_cash": "Monthly balances of earlier loans",
    "installments": "Repayments of earlier loans",
    "credit_card": "Monthly balances of credit cards",
    "join": "The application against the history",
}

_GUIDE = Path(__file__).with_name("reading_guide.md")

_NO_FEATURES = {
    "SK_ID_CURR": ("Number of the application", "Numéro de la demande"),
    "TARGET": (
        "Outcome: 1 if the client fell seriously behind on the first instalments, 0 if not, null if not known yet",
        "Issue : 1 si le client a pris un retard important sur les premières échéances, 0 sinon, nul si inconnue",
    ),
}
"""Columns beside the features, in English and in French."""

_TYPES = {"int32": "whole number", "float64": "real number", "string": "text"}
_MAX_VALUES = 16

_CONTRACT_GUIDE = Path(__file__).with_name("contract_guide.md")


def write_feature_dictionary() -> str:
    """Write the dictionary of all columns of `applicant_features` as Markdown, one section per source."""
    sources = document_features()
    counts = {source.name: len(source.features) for source in sources}
    lines = [
        "# Feature dictionary",
        "",
        _MADE_BY,
        "",
        f"`applicant_features` has one row per application and {sum(counts.values())} columns. None is computed from "
        "`TARGET`, which is there as the outcome to learn. French labels, as in figures and reasons, are in italics.",
        "",
        "| section | columns |",
        "|---|---:|",
        *(f"| [{_SECTIONS[name]}](#{_anchor(_SECTIONS[name])}) | {count} |" for name, count in counts.items()),
        "",
        _GUIDE.read_text(),
    ]
    told: set[str] = set()
    for source in sources:
        lines += _write_source(source, told)
        told |= {table.name for table in source.tables}
    return "\n".join(lines)


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _write_source(source: SourceEntry, told: Collection[str]) -> list[str]:
    lines = [f"## {_SECTIONS[source.name]}", ""]
    if source.tables:
        tables = " and ".join(f"`{table.name}`" for table in source.tables)
        stacked = " (`application_train` and `application_test`, one above the other)"
        lines += [f"From {tables}{stacked if source.name == 'application' else ''}.", ""]
    for table in source.tables:
        lines += [f"`{table.name}` is cleaned as above.", ""] if table.name in told else _write_cleaning(table)
    for rows, definitions in source.definitions.items():
        keys = ", ".join(f"`{key}`" for key in rows.keys)
        lines += [f"**One row per {rows.noun}** ({keys}):", ""]
        lines += [f"- `{name}` is `{formula}`" for name, formula in definitions.items()]
        lines += [""]
    kept = [feature for feature in source.features if not feature.formula]
    computed = [feature for feature in source.features if feature.formula]
    if kept:
        lines += ["### Columns kept as they are", "", "| column and meaning | null when |", "|---|---|"]
        lines += [f"| {_name(feature)} | {_null_when(feature)} |" for feature in kept]
        lines += ["", "### Computed columns", ""]
    main = source.tables[0].name if source.tables else ""
    lines += ["| column and meaning | formula | window | reads | null when |", "|---|---|---|---|---|"]
    known = {column for feature in kept for columns in feature.lineage.values() for column in columns} - {"TARGET"}
    lines += [
        f"| {_name(feature)} | `{feature.formula}` | {_window(feature.window)} "
        f"| {_reads(feature.lineage, main, known)} | {_null_when(feature)} |"
        for feature in computed
    ]
    return [*lines, ""]


def _write_cleaning(table: CleanTable) -> list[str]:
    lines = [f"**Cleaning of `{table.name}`**", ""]
    if table.row_rules:
        lines.append(f"- kept are the rows with {' and '.join(f'`{rule}`' for rule in table.row_rules)}")
    if table.drops_repeats:
        lines.append("- rows that repeat another one in every column are dropped")
    lines.append("- texts `XNA`, `XAP` and empty texts are null")
    columns_of: dict[str, list[str]] = {}
    for column, rule in table.column_rules.items():
        columns_of.setdefault(rule.replace(column, "it"), []).append(f"`{column}`")
    lines += [f"- {', '.join(columns)}: `{rule}`" for rule, columns in columns_of.items()]
    return [*lines, ""]


def _name(feature: FeatureEntry) -> str:
    labels = _NO_FEATURES.get(feature.name)
    english, french = labels or (label_feature(feature.name, "en"), label_feature(feature.name, "fr"))
    return f"`{feature.name}`<br>{english}<br>*{french}*"


def _window(window: str) -> str:
    if window.startswith("LAST_"):
        return window.replace("_", " ").lower()
    return f"{window[:-1]} {({'D': 'days', 'M': 'months'})[window[-1]]}" if window else ""


def _reads(lineage: Lineage, main: str, known: Collection[str]) -> str:
    if known and set().union(*lineage.values()) == known:
        return f"the {len(known)} columns above"
    return "<br>".join(_read_columns(table, sorted(columns), main) for table, columns in lineage.items())


def _read_columns(table: str, columns: Sequence[str], main: str) -> str:
    if not columns:
        return f"rows of `{table}`"
    listed = ", ".join(f"`{column}`" for column in columns)
    return listed if table == main else f"`{table}`: {listed}"


def _null_when(feature: FeatureEntry) -> str:
    reasons = [f"`{flag}` is 0" for flag in feature.histories] + list(feature.null_when)
    return "; ".join(reasons) or "never"


def write_data_dictionary() -> str:
    """Write the contracts of the raw tables, their cleaning and their use as Markdown, one section per table."""
    sources = document_features()
    cleaned = {table.name: table for source in sources for table in source.tables}
    uses = Counter(
        (table, column)
        for source in sources
        for feature in source.features
        for table, columns in feature.lineage.items()
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
            f"| {table.official_rows:,} | {len(table.columns)} |"
            for table in RAW_TABLES.values()
        ),
        "",
    ]
    for table in RAW_TABLES.values():
        name = "application" if table.name.startswith("application") else table.name
        lines += _write_table(table, cleaned[name], {column: uses[name, column] for column in table.columns})
    return "\n".join(lines)


def _write_table(table: RawTable, cleaned: CleanTable, uses: Mapping[str, int]) -> list[str]:
    lines = [f"## {table.name}", "", f"One row is {table.grain}.", ""]
    lines += [f"- **Key**: {_code(table.key) or 'none: equal rows are different events'}"]
    lines += [f"- **Rows of the official file**: {table.official_rows:,}"]
    for pointer, (parent, orphans) in table.parents.items():
        share = f"; {orphans:.1%} of the official rows point to none" if orphans else ""
        lines += [f"- `{pointer}` points to a row of `{parent}`{share}"]
    if cleaned.row_rules:
        lines += [f"- **Rows kept by the cleaning**: {_code(cleaned.row_rules, ' and ')}"]
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
        rule = cleaned.column_rules.get(name, "").replace(name, "it")
        used = (
            "outcome" if name == "TARGET" else "identifier" if name.startswith("SK_ID_") else f"{uses[name] or 'none'}"
        )
        lines.append(
            f"| `{name}` | {_TYPES[table.columns[name]]} | {column.description} | {_values(column)} "
            f"| {_missing(column)} | {f'`{rule}`' if rule else ''} | {used} |"
        )
    derived = {name: rule for name, rule in cleaned.column_rules.items() if name not in table.columns}
    added = [f"The cleaning adds `{name}`: `{rule}`." for name, rule in derived.items()]
    return [*lines, "", *added, *([""] if added else [])]


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


def _code(names: Sequence[str], separator: str = ", ") -> str:
    return separator.join(f"`{name}`" for name in names)
