"""Documents that are written from the code they describe; what they say is in `*_dictionary.md.jinja`."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from credit_scoring.features.catalogue import FEATURES_BY_MODULE, feature_lineages
from credit_scoring.features.expressions import NOT_AVAILABLE, written
from credit_scoring.features.records import UNITS, Cleaning, Feature, Rows
from credit_scoring.features.sources import SOURCES
from credit_scoring.markdown import code, markdown_templates
from credit_scoring.schemas.contract import RawTable
from credit_scoring.schemas.raw import RAW_TABLES, TEXT, contract_of

_TEMPLATES = markdown_templates(__file__)
_DIRECTIONS = {1: "↑", -1: "↓", 0: ""}
_TYPES = {"int32": "whole number", "float64": "real number", "string": "text"}


def write_feature_dictionary() -> str:
    """Write the dictionary of all columns of `applicant_features` as Markdown, one section per module."""
    return _TEMPLATES.get_template("feature_dictionary.md.jinja").render(
        titles={source.name: source.title for source in SOURCES} | {"join": "The application against the history"},
        features=FEATURES_BY_MODULE,
        sources=SOURCES,
        cleaned_first={item.table: source.name for source in reversed(SOURCES) for item in source.cleaning},
        not_available=NOT_AVAILABLE,
        units=UNITS,
        directions=_DIRECTIONS,
        written=written,
        columns_by_rule=_columns_by_rule,
        formulas=_formulas,
        field_unit=_field_unit,
        reads=_reads,
        null_when=_null_when,
    )


def write_data_dictionary() -> str:
    """Write the contracts of the raw tables, their cleaning and their use as Markdown, one section per table."""
    cleaned = {cleaning.table: cleaning for source in SOURCES for cleaning in source.cleaning}

    def cleaning_of(table: RawTable) -> Cleaning:
        return cleaned["application" if table.name.startswith("application") else table.name]

    return _TEMPLATES.get_template("data_dictionary.md.jinja").render(
        tables=list(RAW_TABLES.values()),
        cleaning_of=cleaning_of,
        uses=Counter(
            (table, column)
            for lineage in feature_lineages().values()
            for table, columns in lineage.items()
            for column in columns
        ),
        types=_TYPES,
        written=written,
        rule_of=_rule,
    )


def _rule(cleaning: Cleaning, column: str) -> str:
    """Write what becomes of a column, itself called `it`; nothing where only missing markers are read."""
    if column not in cleaning.columns:
        return ""
    return re.sub(rf"\b{column}\b", "it", written(cleaning.columns[column]))


def _columns_by_rule(cleaning: Cleaning) -> Mapping[str, Sequence[str]]:
    columns = defaultdict(list)
    for column in cleaning.columns:
        columns[_rule(cleaning, column)].append(column)
    return columns


def _formulas(rows: Rows) -> Mapping[str, str]:
    """Write the formulas of what is known of a row, but for columns taken over as they are."""
    measures = {item.name: item.value for item in rows.measures if item.value is not True}
    formulas = {name: written(value) for name, value in {**rows.parts, **rows.helpers, **measures}.items()}
    return {name: formula for name, formula in formulas.items() if formula != name}


def _field_unit(feature: Feature) -> str:
    return "text" if contract_of("application").columns[feature.name] == TEXT else UNITS[feature.unit]


def _reads(feature: Feature, main: str, fields: Sequence[Feature]) -> str:
    """Name the raw columns of a feature, those of the main table of its section without the table."""
    lineage = feature_lineages()[feature.name]
    if fields and set().union(*lineage.values()) == {field.name for field in fields}:
        return f"the {len(fields)} columns above"
    return "<br>".join(
        f"rows of `{table}`" if not columns else ("" if table == main else f"`{table}`: ") + code(sorted(columns))
        for table, columns in lineage.items()
    )


def _null_when(feature: Feature) -> str:
    reasons = [f"`{feature.history}` is 0"] if feature.history else []
    return "; ".join([*reasons, *feature.null_when]) or "never"
