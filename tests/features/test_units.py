"""The unit and the direction of every column, against its values, by rules that know neither names nor records."""

from collections.abc import Callable, Mapping

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from credit_scoring.features.catalogue import FEATURES
from credit_scoring.features.join import join_features
from credit_scoring.features.records import Unit
from credit_scoring.features.sources import SOURCES
from tests.features.conftest import Raw, make_twin_tables, typed

Tables = Mapping[str, pd.DataFrame]


@pytest.fixture(scope="module")
def twin() -> Tables:
    tables = make_twin_tables(n_train=1_500, n_test=300, seed=5)
    return tables | {"application": tables["application_train"]}


def compute(raw: Raw, tables: Tables) -> pd.DataFrame:
    features = [
        raw.compute(source.name, {name: typed(name, tables[name]) for name in source.clean}) for source in SOURCES
    ]
    return join_features(*map(ibis.memtable, features)).order_by("SK_ID_CURR").to_pandas()


@pytest.fixture(scope="module")
def values(raw: Raw, twin: Tables) -> pd.DataFrame:
    return compute(raw, twin)


@pytest.fixture(scope="module")
def with_doubled_amounts(raw: Raw, twin: Tables) -> pd.DataFrame:
    def double(table: pd.DataFrame) -> pd.DataFrame:
        amounts = [name for name in table if name.startswith("AMT_") and not name.startswith("AMT_REQ_")]
        return table.assign(**{name: 2 * table[name] for name in amounts})

    return compute(raw, {name: double(table) for name, table in twin.items()})


def _whole(numbers: np.ndarray) -> bool:
    return bool((numbers == np.round(numbers)).all() and (numbers >= 0).all())


RULES: Mapping[Unit, Callable[[np.ndarray], bool]] = {
    "share": lambda x: bool((x >= 0).all() and (x <= 1 + 1e-12).all()),
    "score": lambda x: bool((np.abs(x) <= 1).all()),
    "count": _whole,
    "yes_no": lambda x: set(np.unique(x)) <= {0.0, 1.0},
    "hour": lambda x: bool((x >= 0).all() and (x < 24).all()),
    "years": lambda x: bool((x >= 0).all() and (x < 150).all()),
    "months": lambda x: bool((x >= 0).all() and (x < 12 * 100).all()),
    "days": lambda x: bool((x >= 0).all()),
    "elapsed_days": lambda x: bool((x <= 0).all() and (x > -100 * 366).all()),
    "date_days": lambda x: bool((x <= 0).all() and (x > -100 * 366).all()),
    "date_months": lambda x: bool((x <= 0).all() and (x > -100 * 12).all()),
}


@pytest.mark.parametrize("unit", RULES)
def test_values_are_what_their_unit_claims(unit: Unit, values: pd.DataFrame) -> None:
    names = [name for name, feature in FEATURES.items() if feature.unit == unit]
    assert names
    numeric = values[names].select_dtypes("number")
    broken = [name for name in numeric if not RULES[unit](numeric[name].dropna().to_numpy(dtype=float))]
    assert broken == []


def test_dates_that_may_lie_ahead_and_differences_do_take_both_signs(values: pd.DataFrame) -> None:
    for unit in ("date_planned_days", "day_gap"):
        numbers = values[[name for name, feature in FEATURES.items() if feature.unit == unit]].to_numpy(dtype=float)
        assert np.nanmin(numbers) < 0 < np.nanmax(numbers)


def test_amounts_double_when_every_amount_does_and_nothing_that_has_no_currency_moves(
    values: pd.DataFrame, with_doubled_amounts: pd.DataFrame
) -> None:
    """A threshold in the currency (a tolerance, a bound of cleaning) may move a single value, never a column."""
    wrong = {}
    for name, feature in FEATURES.items():
        if feature.unit in ("category", "number") or not pd.api.types.is_numeric_dtype(values[name]):
            continue
        before, after = values[name].to_numpy(dtype=float), with_doubled_amounts[name].to_numpy(dtype=float)
        expected = before * (2 if feature.unit == "amount" else 1)
        same = np.isclose(after, expected, rtol=1e-6, atol=2e-3, equal_nan=True)
        if same.mean() < 0.97:
            wrong[name] = (feature.unit, float(same.mean()))
    assert wrong == {}


def test_amounts_of_either_sign_are_marked_so_that_sums_which_cancel_out_are_rounded(values: pd.DataFrame) -> None:
    measures = {
        f"{rows.origin.prefix}_{item.name}": item
        for source in SOURCES
        for rows in source.rows
        for item in rows.measures
        if item.unit == "amount"
    }
    negative = {
        feature.measure
        for name, feature in FEATURES.items()
        if feature.unit == "amount" and feature.measure in measures and values[name].min() < 0
    }
    assert {name for name, item in measures.items() if item.net} == negative
    assert len(negative) >= 4


def test_texts_are_told_as_texts_or_yes_and_no(values: pd.DataFrame) -> None:
    texts = values.select_dtypes(exclude="number").columns
    assert {FEATURES[name].unit for name in texts} == {"category", "yes_no"}
    assert {name for name, feature in FEATURES.items() if feature.unit == "category"} <= set(texts)


def test_outcomes_contradict_no_declared_direction_by_more_than_chance(values: pd.DataFrame) -> None:
    default = values["TARGET"] == 1
    worst, compared = 1.0, 0
    for feature in FEATURES.values():
        known = values[feature.name].notna()
        if not feature.direction or values.loc[known & default, feature.name].nunique() < 2:
            continue
        compared += 1
        numbers = feature.direction * values[feature.name].astype(float)
        worst = min(worst, mannwhitneyu(numbers[known & default], numbers[known & ~default], alternative="less").pvalue)
    assert compared > 100
    assert worst > 0.01 / compared
