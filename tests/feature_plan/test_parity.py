"""The plan gives what the batch gives."""

from collections.abc import Iterator
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from credit_scoring.feature_plan import FeaturePlan, Features
from credit_scoring.schemas.raw import contract_of
from tests.feature_plan.conftest import N_APPLICANTS, Batch, Tables, as_columns, as_requests, differences
from tests.features.conftest import typed


@pytest.fixture(scope="module")
def found(twin: Tables, full_plan: FeaturePlan) -> Features:
    return full_plan.evaluate_typed(as_columns(twin))


def test_all_features_of_a_thousand_applicants_are_those_of_the_batch(found: Features, expected: pd.DataFrame) -> None:
    assert found.numbers.shape == (N_APPLICANTS, expected.shape[1] - 1)
    assert expected.notna().any().mean() > 0.99
    assert differences(found, expected) == []


def test_probability_and_decision_are_those_of_the_batch(twin: Tables, found: Features, expected: pd.DataFrame) -> None:
    """A model fitted on the features of the batch."""
    names = [name for name in found.names if name not in found.texts]
    outcomes = twin["application"]["TARGET"].to_pandas().set_axis(twin["application"]["SK_ID_CURR"].to_pandas())
    rows = expected.set_index("SK_ID_CURR").loc[found.applicants, names].astype(float)
    known = outcomes.loc[rows.index].notna().to_numpy()
    model = lightgbm.LGBMClassifier(n_estimators=60, min_child_samples=5, verbose=-1, n_jobs=1)
    model.fit(rows.to_numpy()[known], outcomes.loc[rows.index][known].astype(int))
    theirs = model.predict_proba(rows.to_numpy())[:, 1]
    ours = model.predict_proba(found.numbers[:, [found.names.index(name) for name in names]])[:, 1]
    assert len(np.unique(theirs)) > 100
    assert ours.tolist() == theirs.tolist()


def test_a_request_of_one_applicant_or_of_all_gives_the_same(
    twin: Tables, found: Features, full_plan: FeaturePlan
) -> None:
    requests = as_requests(twin)
    together = full_plan.evaluate(requests)
    assert together.applicants.tolist() == found.applicants.tolist()
    np.testing.assert_allclose(together.numbers, found.numbers, rtol=1e-12)
    assert together.texts == found.texts
    for place in (0, 1, N_APPLICANTS - 1):
        alone = full_plan.evaluate(requests[place : place + 1])
        np.testing.assert_allclose(alone.numbers[0], found.numbers[place], rtol=1e-12)
        assert {name: text[0] for name, text in alone.texts.items()} == {
            name: text[place] for name, text in found.texts.items()
        }


# -- any tables at all ------------------------------------------------------------------------------------------------

EDGES = (30, 60, 90, 180, 365, 720, 1000)
DAYS = np.array([0, -1, 1, -2, -400, 365_243, *(-edge + step for edge in EDGES for step in (-1, 0, 1))])
# Quarters add up exactly in any order: what is compared is the meaning of null, windows, groups and joins
AMOUNTS = np.array([0, -0.25, 0.25, 1, 1.25, 100, 100.5, 4_500, 45_000.75, 1e6, 2e7])
SMALL = np.array([0, 1, 2, 3, 4, 5, 12, 63, 64, 101])


def fill(table: str, column: str, n_rows: int, nulls: float, rng: np.random.Generator) -> Any:
    """Draw values that decide something: edges of windows, zeros, marks of what is missing, texts of no contract."""
    kind = contract_of(table).columns[column]
    if kind == "string":
        (check,) = contract_of(table).definition[column].checks
        texts = [*check.statistics["values"], "XNA", "", "Zzz", "de l'été", None]
        return [texts[i] for i in rng.integers(0, len(texts), n_rows)]
    pool = DAYS if column.startswith("DAYS") else AMOUNTS if column.startswith("AMT") else SMALL
    if column.startswith(("EXT_SOURCE", "RATE_", "REGION_POPULATION")):
        pool = np.array([0, 0.25, 0.5, 1])
    values = rng.choice(pool, n_rows)
    if kind == "int32":
        return [int(value) for value in values]
    return [None if empty else float(value) for value, empty in zip(values, rng.random(n_rows) < nulls, strict=True)]


def draw_table(table: str, keys: dict[str, list[int]], nulls: float, rng: np.random.Generator) -> pa.Table:
    """Draw a raw table with these keys."""
    n_rows = len(next(iter(keys.values()), []))
    columns = {
        column: keys[column] if column in keys else fill(table, column, n_rows, nulls, rng)
        for column in contract_of(table).columns
    }
    if table == "application":
        columns["TARGET"] = [None] * n_rows
    return typed(table, pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()}))


def draw_tables(seed: int, clients: list[list[int]], nulls: float) -> Tables:
    """Draw raw tables.

    Args:
        seed: Of all that is drawn.
        clients: Of each applicant, the number of rows in each of six histories.
        nulls: Share of nulls.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(clients)) + 1
    tables = {"application": draw_table("application", {"SK_ID_CURR": list(map(int, order))}, nulls, rng)}

    def owned(which: int) -> Iterator[int]:
        for client, sizes in enumerate(clients, start=1):
            yield from [client] * sizes[which]

    for which, (table, key) in enumerate((("bureau", "SK_ID_BUREAU"), ("previous_application", "SK_ID_PREV"))):
        owners = list(owned(which))
        tables[table] = draw_table(table, {"SK_ID_CURR": owners, key: [10 * i for i in range(len(owners))]}, nulls, rng)
    # Months of the loans of a client in turn, those of the application and after it included; of loans without a row,
    # too, and of credits that belong to nobody
    for which, table in ((2, "bureau_balance"), (3, "POS_CASH_balance"), (4, "credit_card_balance")):
        parent, key = ("bureau", "SK_ID_BUREAU") if which == 2 else ("previous_application", "SK_ID_PREV")
        rows = []
        for client, sizes in enumerate(clients, start=1):
            owners = tables[parent]["SK_ID_CURR"].to_pylist()
            mine = [
                loan for loan, owner in zip(tables[parent][key].to_pylist(), owners, strict=True) if owner == client
            ]
            loans = [*mine[:3], 10_000_001 + client]
            rows += [(loans[i % len(loans)], client, 1 - i // len(loans)) for i in range(sizes[which])]
        names = (key, "SK_ID_CURR", "MONTHS_BALANCE")
        keys = {name: [row[i] for row in rows] for i, name in enumerate(names) if name in contract_of(table).columns}
        tables[table] = draw_table(table, keys, nulls, rng)
    owners = list(owned(5))
    loans = [int(loan) for loan in rng.choice([10, 20, 30, 99], len(owners))]
    payments = draw_table("installments_payments", {"SK_ID_CURR": owners, "SK_ID_PREV": loans}, nulls, rng)
    # The one table without a key: a repeated row is a second payment
    tables["installments_payments"] = pa.concat_tables([payments, payments.slice(0, len(payments) // 3)])
    return {name: table.take(rng.permutation(len(table))) for name, table in tables.items()}


history = st.sampled_from([0, 0, 1, 2, 7, 40])
applicants = st.lists(st.lists(history, min_size=6, max_size=6), min_size=1, max_size=6)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32 - 1), clients=applicants, nulls=st.sampled_from([0.0, 0.2, 0.9, 1.0]))
@example(seed=1, clients=[[0] * 6], nulls=0.0)
@example(seed=2, clients=[[1] * 6], nulls=0.0)
@example(seed=3, clients=[[400, 400, 2_000, 900, 400, 3_000], [0] * 6, [40] * 6], nulls=0.2)
def test_features_of_any_tables_are_those_of_the_batch(
    batch: Batch, full_plan: FeaturePlan, seed: int, clients: list[list[int]], nulls: float
) -> None:
    tables = draw_tables(seed, clients, nulls)
    expected = batch.features(tables)
    assert differences(full_plan.evaluate(as_requests(tables)), expected) == []
    assert differences(full_plan.evaluate_typed(as_columns(tables)), expected) == []
