"""Every rule of every data contract can fail: each is broken once, by what the contract itself says.

A rule that is added to a contract is broken by these tests without a line more, and a rule that has no effect fails.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pandera.ibis as pa_ibis
import pandera.pandas as pa
import pytest
from pandera.errors import SchemaErrors

from credit_scoring.datasets.raw_csv import RawFile
from credit_scoring.pipelines.data_processing.nodes import inspect_raw_tables
from credit_scoring.pipelines.data_processing.options import DamageOptions
from credit_scoring.schemas.applicants import ApplicantFeatures, ModelInput
from credit_scoring.schemas.quality import FINITE, UNIQUE, find_breaches, find_orphans
from credit_scoring.schemas.raw import INTEGER, RAW_TABLES, REAL, TEXT
from credit_scoring.schemas.scores import ScoredApplicants, Scores
from tests.schemas.conftest import RULES_OF_THEIR_OWN

N_ROWS = 120
Row = dict[str, Any]


def sound_rows(table: str, n_rows: int = N_ROWS) -> list[Row]:
    """Return rows that keep every rule: keys that differ, the first allowed value, as many nulls as usual."""
    contract = RAW_TABLES[table]
    rows = []
    for number in range(1, n_rows + 1):
        row: Row = {}
        for name, column in contract.definition.items():
            (check,) = column.checks or [None]
            usual = column.metadata["missing"]
            if number <= usual * n_rows:
                row[name] = None
            elif check is None:
                row[name] = number
            else:
                row[name] = check.statistics["values"][0] if check.name == "allowed" else check.statistics["low"]
        rows.append(row | {contract.key[0]: number} if contract.key else row)
    return rows


def as_table(table: str, rows: list[Row]) -> ibis.Table:
    """Return rows with the types of the contract."""
    return store(rows, RAW_TABLES[table].columns)


def as_parsed(table: str, rows: list[Row]) -> ibis.Table:
    """Return rows as a file is parsed that does not keep its contract: whole numbers are still real ones."""
    return store(rows, {name: TEXT if kind == TEXT else REAL for name, kind in RAW_TABLES[table].columns.items()})


def store(rows: list[Row], kinds: Mapping[str, str]) -> ibis.Table:
    return ibis.memtable([{name: row[name] for name in kinds} for row in rows], schema=kinds).cache()


def raw_rules(table: str) -> Iterator[tuple[str, str, str, Row]]:
    """Give every rule of a raw contract on single cells and the key: column, what is expected, severity, a breach."""
    contract = RAW_TABLES[table]
    for name, column in contract.definition.items():
        kind = contract.columns[name]
        if column.metadata["missing"] == 0:
            yield name, "no empty value", "warning" if column.nullable else "error", {name: None}
        if kind == INTEGER:
            yield name, "whole numbers", "error", {name: 0.5}
            yield name, "whole numbers from -2,147,483,648 to 2,147,483,647", "error", {name: 3e9}
        if kind == REAL:
            yield name, FINITE, "warning", {name: float("inf")}
        for check in column.checks:
            severity = "warning" if check.raise_warning else "error"
            if check.name == "plausible":
                yield name, str(check.error), severity, {name: check.statistics["low"] - 1}
                yield name, str(check.error), severity, {name: check.statistics["high"] + 1}
            else:
                yield name, str(check.error), severity, {name: "?" if kind == TEXT else 77}


@pytest.mark.parametrize("table", RULES_OF_THEIR_OWN)
def test_every_rule_of_a_raw_contract_can_be_broken(table: str) -> None:
    """Each in a row of its own; all that is found is among them."""
    contract, rules = RAW_TABLES[table], list(raw_rules(table))
    rows = sound_rows(table, N_ROWS + len(rules))
    assert find_breaches(as_parsed(table, rows), contract) == (len(rows), [])
    for row, (_, _, _, breach) in zip(rows[N_ROWS:], rules, strict=True):
        row.update(breach)
    _, findings = find_breaches(as_parsed(table, rows), contract)
    broken = {(name, expected, severity) for name, expected, severity, _ in rules}
    assert {(f.column, f.expected, f.severity) for f in findings if "empty values" not in f.expected} == broken


@pytest.mark.parametrize("table", RULES_OF_THEIR_OWN)
def test_every_usual_share_of_nulls_can_be_missed(table: str) -> None:
    usual = {name: column.metadata["missing"] for name, column in RAW_TABLES[table].definition.items()}
    for emptied, concerned in ((True, [name for name, share in usual.items() if 0 < share < 0.8]),
                               (False, [name for name, share in usual.items() if share > 0.2])):  # fmt: skip
        rows = sound_rows(table)
        full = rows[-1]
        rows = [row | {name: None if emptied else full[name] or 0 for name in concerned} for row in rows]
        _, findings = find_breaches(as_table(table, rows), RAW_TABLES[table])
        assert {f.column for f in findings if "empty values" in f.expected} >= set(concerned)


@pytest.mark.parametrize("table", [name for name, contract in RAW_TABLES.items() if contract.key])
def test_every_key_can_be_repeated(table: str) -> None:
    contract, rows = RAW_TABLES[table], sound_rows(table)
    other = next(name for name, kind in contract.columns.items() if kind == TEXT)
    for copy, severity in ((rows[-1], "warning"), (rows[-1] | {other: "?"}, "error")):
        _, findings = find_breaches(as_table(table, [*rows, copy]), contract)
        repeated = [(f.column, f.severity) for f in findings if f.expected == UNIQUE]
        assert repeated == [(" and ".join(contract.key), severity)]


def inspect(**changed: list[Row]) -> list[tuple[str, str, str]]:
    """Return what is found across the raw tables, one of which is not as it should be."""
    rows = {name: sound_rows(name) for name in RAW_TABLES}
    for row in rows["application_test"]:
        row["SK_ID_CURR"] += 1000
    rows |= changed
    files = {}
    for name, contract in RAW_TABLES.items():
        files[name.lower()] = RawFile(contract, f"raw/{name}.csv", as_table(name, rows[name]), len(rows[name]))
    quality = inspect_raw_tables(DamageOptions(), **files)["data_quality"]
    return [(finding["table"], finding["column"], finding["severity"]) for finding in quality["findings"]]


def test_sound_tables_have_nothing_across_them() -> None:
    assert inspect() == []


@pytest.mark.parametrize(
    ("table", "column"), [(name, column) for name, contract in RAW_TABLES.items() for column in contract.parents]
)
def test_every_parent_can_be_missed(table: str, column: str) -> None:
    rows = sound_rows(table)
    parent = as_table(table, rows).select(column)
    assert find_orphans(as_table(table, rows), column, parent, RAW_TABLES[table]) == []
    for row in rows[: len(rows) // 2]:
        row[column] += 900_000
    (finding,) = find_orphans(as_table(table, rows), column, parent, RAW_TABLES[table])
    assert (finding.column, finding.severity, finding.rows) == (column, "warning", len(rows) // 2)


@pytest.mark.parametrize("table", [name for name, contract in RAW_TABLES.items() if contract.apart_from])
def test_every_table_that_shares_no_key_with_another_can_share_one(table: str) -> None:
    rows = [row | {"SK_ID_CURR": row["SK_ID_CURR"] + 1000} for row in sound_rows(table)]
    rows[0]["SK_ID_CURR"] = 7
    assert inspect(**{table: rows}) == [(table, "SK_ID_CURR", "error")]


@pytest.mark.parametrize("table", [name for name, contract in RAW_TABLES.items() if not contract.may_be_empty])
def test_every_table_that_needs_rows_can_have_none(table: str) -> None:
    _, findings = find_breaches(as_table(table, []), RAW_TABLES[table])
    assert [(f.column, f.severity, f.expected) for f in findings] == [("", "error", "at least one row")]


SCORES = pd.DataFrame(
    {
        "SK_ID_CURR": [1, 2, 3],
        "probability_default": [0.05, 0.2, 0.01],
        "decision": ["granted", "refused", "granted"],
        "threshold": 0.1,
        "model_id": "m-1",
        "model_digest": "0" * 64,
        "gaps": [[], [], []],
        "reasons": [[], [], []],
    }
)
INPUT = pd.DataFrame({"SK_ID_CURR": [1, 2, 3], "TARGET": [0, 1, 0], "SPLIT": "train", "AMT_CREDIT": 1.0})
IDS = pd.DataFrame({"SK_ID_CURR": [1, 2, 3]})
SOUND = {
    Scores: SCORES,
    ModelInput: INPUT,
    ApplicantFeatures: ibis.memtable(IDS).cast({"SK_ID_CURR": "int32"}),
    ScoredApplicants: ibis.memtable(IDS).cast({"SK_ID_CURR": "int64"}),
}
# Rules on more than one column say nothing of how they are broken: one entry each
ACROSS_COLUMNS = {
    "decides_by_gaps_and_threshold": SCORES.assign(decision="refused"),
    "has_finite_numbers": INPUT.assign(AMT_CREDIT=[1.0, np.inf, 2.0]),
}


def pandera_rules() -> Iterator[tuple[Any, str, Any]]:
    """Give every rule of the Pandera models, with a table that breaks it and no other."""
    for model, sound in SOUND.items():
        schema = model.to_schema()
        is_pandas = isinstance(sound, pd.DataFrame)
        assert schema.columns
        assert not [name for name, column in schema.columns.items() if column.unique and not is_pandas], (
            f"{model.__name__}: Pandera's Ibis back end ignores unique=True on a field; say Config.unique"
        )
        for name, column in schema.columns.items():
            yield model, f"{name} is there", sound.rename(columns={name: "X"}) if is_pandas else sound.rename(X=name)
            odd = pd.Series([None, *list(sound[name].execute() if not is_pandas else sound[name])[1:]], dtype=object)
            if not column.nullable and is_pandas:
                yield model, f"{name} is not null", sound.assign(**{name: odd})
            if not is_pandas:
                yield model, f"{name} is of its type", sound.cast({name: "string"})
                yield model, f"{name} is not null", sound.mutate(**{name: sound[name].nullif(1)})
            if column.unique or name in (schema.unique or ()):
                twice = pd.concat([sound, sound.tail(1)], ignore_index=True) if is_pandas else sound.union(sound)
                yield model, f"{name} is unique", twice
            for check in column.checks:
                beyond = {"isin": "?" if sound[name].dtype == "str" else 7, "in_range": 1.5}[str(check.name)]
                yield model, f"{name}: {check.name}", sound.assign(**{name: beyond})
        for check in schema.checks:
            yield model, str(check.name), ACROSS_COLUMNS[str(check.name)]
        if schema.strict:
            yield model, "no other column", sound.assign(OTHER=1)


def holds(model: Any, table: Any) -> bool:
    try:
        model.validate(table, lazy=True)
    except SchemaErrors:
        return False
    return True


def test_every_rule_of_a_pandera_model_can_be_broken() -> None:
    for model, sound in SOUND.items():
        assert holds(model, sound), model
    broken = [(model, rule, holds(model, table)) for model, rule, table in pandera_rules()]
    assert [f"{model.__name__}: {rule}" for model, rule, passes in broken if passes] == []
    assert len(broken) > 25


def test_every_pandera_model_of_the_schemas_is_among_them() -> None:
    models = {*pa.DataFrameModel.__subclasses__(), *pa_ibis.DataFrameModel.__subclasses__()}
    assert {model for model in models if model.__module__.startswith("credit_scoring.schemas")} == set(SOUND)
