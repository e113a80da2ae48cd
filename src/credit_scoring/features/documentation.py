"""What every column of `applicant_features` is: meaning, formula, origin and nulls, from the code that computes it."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from credit_scoring.features import SOURCES, FeatureSource, join_features
from credit_scoring.features.dictionary import ARREARS_MEASURES
from credit_scoring.features.expressions import CLIENT_KEY, NOT_AVAILABLE, OUTCOME
from credit_scoring.features.formulas import (
    Call,
    Column,
    Nouns,
    Rows,
    Term,
    column_formulas,
    definitions,
    drops_repeats,
    null_reasons,
    row_conditions,
    write_cleaning,
    write_formula,
    write_term,
)
from credit_scoring.features.lineage import Lineage, column_lineage, compose_lineages
from credit_scoring.features.naming import parse_feature_name
from credit_scoring.schemas.raw import INTEGER, RAW_TABLES

# The applications to learn from and those to score are stacked before they are cleaned.
_CONTRACTS = {"application": "application_train"}

_NOUNS: Nouns = {
    ("bureau",): "credit",
    ("bureau_balance",): "month",
    ("bureau_balance", "SK_ID_BUREAU"): "credit with monthly history",
    ("previous_application",): "application",
    ("POS_CASH_balance",): "month",
    ("POS_CASH_balance", CLIENT_KEY, "SK_ID_PREV"): "loan",
    ("installments_payments",): "payment",
    (
        "installments_payments",
        CLIENT_KEY,
        "SK_ID_PREV",
        "NUM_INSTALMENT_VERSION",
        "NUM_INSTALMENT_NUMBER",
        "DAYS_INSTALMENT",
    ): "instalment",
    ("installments_payments", CLIENT_KEY, "SK_ID_PREV"): "loan",
    ("credit_card_balance",): "card",
    ("credit_card_balance", CLIENT_KEY, "MONTHS_BALANCE"): "month",
}


@dataclass(frozen=True)
class FeatureEntry:
    """One column of `applicant_features`.

    Attributes:
        name: Name of the column.
        formula: How it is computed from the columns of the clean tables; empty for a column kept as it is.
        window: Window of the name, such as `365D` or `LAST_3`; empty where all rows count.
        lineage: Raw tables and columns that it is computed from.
        null_when: Reasons why it is null, for a client who has the history it comes from.
        histories: Presence flags that must all be 1 for it to be known.
    """

    name: str
    formula: str
    window: str
    lineage: Lineage
    null_when: tuple[str, ...]
    histories: tuple[str, ...] = ()


@dataclass(frozen=True)
class CleanTable:
    """What cleaning does to one raw table.

    Attributes:
        name: Name of the raw table.
        row_rules: Conditions that a row must meet to be kept.
        drops_repeats: Whether rows that are equal in every column are kept once only.
        column_rules: Column -> what changes in it, for the columns in which anything does.
    """

    name: str
    row_rules: tuple[str, ...]
    drops_repeats: bool
    column_rules: Mapping[str, str]


@dataclass(frozen=True)
class SourceEntry:
    """One source of features.

    Attributes:
        name: Name of the source; `join` for what is computed from several sources.
        tables: Raw tables it reads.
        definitions: Rows of an intermediate table -> name and formula of its columns that formulas use.
        features: Its columns of `applicant_features`, in their order.
    """

    name: str
    tables: tuple[CleanTable, ...]
    definitions: Mapping[Rows, Mapping[str, str]]
    features: tuple[FeatureEntry, ...]


@functools.cache
def document_features() -> tuple[SourceEntry, ...]:
    """Read every column of `applicant_features` off the expressions that compute it.

    Returns:
        One entry per source in the order of `SOURCES`, then one for the join. Every column is in exactly one of them.
    """
    read = [_read_source(source) for source in SOURCES]
    joined = join_features(*(ibis.table(_feature_schema(item), name=item.source.name) for item in read))
    lineages = compose_lineages(column_lineage(joined), {item.source.name: item.lineage for item in read})
    presence = {
        column: flag for flag, (column,) in _single_columns(column_lineage(joined)).items() if flag.startswith("HAS_")
    }
    entries = [_source_entry(item, presence) for item in read]
    documented = {feature.name for entry in entries for feature in entry.features}
    terms = {name: term for name, term in column_formulas(joined).items() if name not in documented}
    features = tuple(
        FeatureEntry(name, write_formula(term), _window(name), lineages[name], tuple(null_reasons(term)))
        for name, term in terms.items()
    )
    return (*entries, SourceEntry("join", (), {}, features))


@dataclass(frozen=True)
class _ReadSource:
    source: FeatureSource
    tables: tuple[CleanTable, ...]
    features: ir.Table
    terms: Mapping[str, Term]
    lineage: Mapping[str, Lineage]


def _read_source(source: FeatureSource) -> _ReadSource:
    raw = {name: _raw_table(name) for name in source.clean}
    clean = {name: clean(raw[name]) for name, clean in source.clean.items()}
    rules = {name: column_formulas(table) for name, table in clean.items()}
    stored = {name: ibis.table(_clean_schema(table, rules[name]), name=name) for name, table in clean.items()}
    features = source.compute(*stored.values())
    engineered = [name for name in features.columns if name.startswith(source.prefixes)]
    return _ReadSource(
        source,
        tuple(_clean_table(name, table, rules[name]) for name, table in clean.items()),
        features,
        column_formulas(features, engineered, _NOUNS, main=next(iter(source.clean))),
        compose_lineages(column_lineage(features), {name: column_lineage(table) for name, table in clean.items()}),
    )


def _raw_table(name: str) -> ir.Table:
    return ibis.table(dict(RAW_TABLES[_CONTRACTS.get(name, name)].columns), name=name)


def _clean_schema(table: ir.Table, rules: Mapping[str, Term]) -> ibis.Schema:
    """Tell the columns that are never null: whole numbers, which no raw table may lack, and what rows are kept by."""
    kept_by = {term.arguments[0] for term in row_conditions(table) if isinstance(term, Call)}

    def is_nullable(name: str, kind: dt.DataType) -> bool:
        untouched = isinstance(rules[name], Column)
        return not (kind.is_boolean() or (kind.is_integer() and untouched) or rules[name] in kept_by)

    return ibis.schema({name: kind.copy(nullable=is_nullable(name, kind)) for name, kind in table.schema().items()})


def _feature_schema(item: _ReadSource) -> ibis.Schema:
    """Tell the columns that are never null: only the application's, as any client may lack a history."""
    known = {name for name, term in item.terms.items() if item.source is SOURCES[0] and not null_reasons(term)}
    return ibis.schema({name: kind.copy(nullable=name not in known) for name, kind in item.features.schema().items()})


def _clean_table(name: str, table: ir.Table, rules: Mapping[str, Term]) -> CleanTable:
    written = {column: write_cleaning(column, term, ("", *NOT_AVAILABLE)) for column, term in rules.items()}
    changed = {column: rule for column, rule in written.items() if rule}
    conditions = tuple(write_term(condition) for condition in row_conditions(table))
    return CleanTable(name, conditions, drops_repeats(table), changed)


def _source_entry(item: _ReadSource, presence: Mapping[str, str]) -> SourceEntry:
    named: dict[Rows, dict[str, str]] = {}
    for defined in definitions(item.terms.values()):
        named.setdefault(defined.rows, {})[defined.name] = write_formula(defined.term)
    rules = {column: rule for table in item.tables for column, rule in table.column_rules.items()}
    features = tuple(
        _kept_entry(name, rules.get(name, ""), item.lineage[name])
        if isinstance(term, Column) and term.name == name
        else FeatureEntry(
            name,
            write_formula(term),
            _window(name),
            item.lineage[name],
            tuple(null_reasons(term)),
            tuple(flag for flag in presence.values() if name.startswith(flag.removeprefix("HAS_") + "_"))[-1:],
        )
        for name, term in item.terms.items()
        if name != CLIENT_KEY or item.source is SOURCES[0]
    )
    return SourceEntry(item.source.name, item.tables, named, features)


def _kept_entry(name: str, rule: str, lineage: Lineage) -> FeatureEntry:
    given = RAW_TABLES[_CONTRACTS["application"]].columns[name] == INTEGER
    reasons = [] if given else ["not given"]
    if name == OUTCOME:
        reasons = ["the application is one to be scored"]
    if rule:
        reasons.append(f"`{rule.removeprefix('null if ')}` as given")
    return FeatureEntry(name, "", "", lineage, tuple(reasons))


def _single_columns(lineages: Mapping[str, Lineage]) -> dict[str, frozenset[str]]:
    merged = {name: frozenset().union(*lineage.values()) for name, lineage in lineages.items()}
    return {name: columns for name, columns in merged.items() if len(columns) == 1}


def _window(name: str) -> str:
    try:
        parts = parse_feature_name(name)
    except ValueError:  # a column kept under its own name
        return ""
    return "" if parts.measure in ARREARS_MEASURES else parts.window
