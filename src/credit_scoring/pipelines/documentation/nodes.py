"""Documents that are written from the code they describe."""

from collections.abc import Collection, Sequence
from pathlib import Path

from credit_scoring.features.dictionary import label_feature
from credit_scoring.features.documentation import CleanTable, FeatureEntry, SourceEntry, document_features
from credit_scoring.features.lineage import Lineage

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
    english, french = label_feature(feature.name, "en"), label_feature(feature.name, "fr")
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
