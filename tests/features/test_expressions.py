"""Safe arithmetic and named aggregates."""

from dataclasses import replace

import ibis
import numpy as np
import pandas as pd
import pytest
from ibis import _

from credit_scoring.features.expressions import (
    aggregate_by_client,
    as_features,
    clean_missing_markers,
    join_on_client,
    net_mean,
    ols_slope,
    partial_slope,
    safe_ratio,
    slope_of_partials,
)
from credit_scoring.features.records import Measure, Origin, Rows, Subset, values_of
from tests.features.conftest import read

MEASURES = {"AMOUNT": ("SUM", "MEAN", "MIN", "MAX", "STD"), "LATE": ("COUNT", "RATE")}
ROWS = Rows(
    Origin("S", "rows", ("Rows", "Lignes"), "bureau", "S_LATE_COUNT"),
    "row",
    measures=(
        Measure("AMOUNT", _.AMOUNT, "amount", "amount", "montant"),
        Measure("LATE", _.LATE, "yes_no", "late", "en retard"),
    ),
)
REDUCED = replace(ROWS, from_partials=True)


def rows(**columns: list) -> ibis.Table:
    return ibis.memtable(pd.DataFrame(columns))


def test_a_ratio_is_real_and_null_without_a_denominator() -> None:
    table = ibis.memtable({"a": [1, 1, 0], "b": [2, 0, 0]}, schema={"a": "int32", "b": "int32"})
    assert table.select(r=safe_ratio(_.a, _.b)).to_pandas()["r"].tolist() == pytest.approx(
        [0.5, np.nan, np.nan], nan_ok=True
    )


def test_slope_is_that_of_least_squares_and_null_on_a_single_date() -> None:
    table = rows(SK_ID_CURR=[1, 1, 1, 2, 2, 3], X=[-30, -20, -5, -7, -7, -1], Y=[1.0, 4.0, 2.0, 3.0, 9.0, 1.0])
    slopes = table.group_by("SK_ID_CURR").agg(slope=ols_slope(_.Y, _.X, per=365)).to_pandas()
    slopes = slopes.set_index("SK_ID_CURR")["slope"]
    assert slopes[1] == pytest.approx(365 * np.polyfit([-30, -20, -5], [1, 4, 2], 1)[0])
    assert slopes[[2, 3]].isna().all()


def test_slope_leaves_out_unknown_values_and_rows_outside_the_subset() -> None:
    table = rows(SK_ID_CURR=[1] * 5, X=[0, 1, 2, 3, 4], Y=[0.0, 2.0, np.nan, 6.0, 100.0])
    table = clean_missing_markers(table)
    slope = table.group_by("SK_ID_CURR").agg(slope=ols_slope(_.Y, _.X, where=_.X < 4)).to_pandas()["slope"]
    assert slope[0] == pytest.approx(2)


def test_over_an_empty_subset_counts_and_sums_are_zero_and_the_rest_is_null() -> None:
    table = rows(SK_ID_CURR=[1], AMOUNT=[5.0], LATE=[True])
    features = read(
        aggregate_by_client(table, values_of(ROWS.features(MEASURES, Subset("30D", _.AMOUNT > 9, ("", "")))))
    )
    assert features.loc[1, ["S_AMOUNT_SUM_30D", "S_LATE_COUNT_30D"]].tolist() == [0, 0]
    assert features.loc[1].drop(["S_AMOUNT_SUM_30D", "S_LATE_COUNT_30D"]).isna().all()


def test_the_sum_of_unknown_amounts_is_unknown() -> None:
    table = ibis.memtable({"SK_ID_CURR": [1], "AMOUNT": [None]}, schema={"SK_ID_CURR": "int32", "AMOUNT": "float64"})
    assert read(aggregate_by_client(table, values_of(ROWS.features({"AMOUNT": ("SUM",)}))))["S_AMOUNT_SUM"].isna().all()


def test_aggregates_of_partial_aggregates_are_the_aggregates_themselves() -> None:
    rng = np.random.default_rng(0)
    n = 300
    amount = pd.Series(rng.integers(0, 9, n), dtype=float).mask(rng.random(n) < 0.3)
    table = clean_missing_markers(
        rows(
            SK_ID_CURR=rng.integers(1, 60, n),
            PART=rng.integers(0, 3, n),
            X=-rng.integers(0, 50, n),
            AMOUNT=amount,
            LATE=rng.random(n) < 0.2,
        )
    )
    parts = table.group_by("SK_ID_CURR", "PART").agg(**REDUCED.partials(MEASURES), **partial_slope("AMOUNT", "X"))
    for where in (None, _.PART > 0):
        of = Subset("OF", where, ("", ""))
        direct = values_of(ROWS.features(MEASURES, of)) | {"S_SLOPE": ols_slope(_.AMOUNT, _.X, where=where)}
        staged = values_of(REDUCED.features(MEASURES, of)) | {"S_SLOPE": slope_of_partials("AMOUNT", where=where)}
        pd.testing.assert_frame_equal(
            read(aggregate_by_client(table, direct)), read(aggregate_by_client(parts, staged))
        )


def test_every_missing_marker_becomes_null() -> None:
    table = rows(T=["XNA", "XAP", "", "Cash"], X=[np.inf, np.nan, -np.inf, 3.0])
    cleaned = clean_missing_markers(table).aggregate(texts=_["T"].count(), numbers=_.X.count(), total=_.X.sum())
    assert cleaned.to_pandas().iloc[0].tolist() == [1, 1, 3]


def test_features_are_float64_for_every_type_counted() -> None:
    table = rows(SK_ID_CURR=[1], TARGET=[1], N=[1], FLAG=[True], X=[0.5], NAME=["a"])
    kinds = {name: str(kind) for name, kind in as_features(table).schema().items()}
    assert kinds == {
        "SK_ID_CURR": "int64",
        "TARGET": "int64",
        "N": "float64",
        "FLAG": "float64",
        "X": "float64",
        "NAME": "string",
    }


def test_a_client_join_keeps_one_key_and_every_left_row() -> None:
    first, second, third = (
        rows(SK_ID_CURR=[1, 2], A=[1, 2]),
        rows(SK_ID_CURR=[2, 3], B=[5, 6]),
        rows(SK_ID_CURR=[1], C=[7]),
    )
    joined = join_on_client(first, second, third)
    assert list(joined.columns) == ["SK_ID_CURR", "A", "B", "C"]
    found = read(joined).sort_values("SK_ID_CURR")
    assert found["B"].tolist() == pytest.approx([np.nan, 5], nan_ok=True)
    assert found["C"].tolist() == pytest.approx([7, np.nan], nan_ok=True)


def test_amounts_that_cancel_out_are_zero_in_any_order() -> None:
    amounts = [0.1, 0.2, -0.3, 1e6, -1e6, 0.07, -0.07]
    assert 0.1 + 0.2 - 0.3 != 0.0
    for order in (amounts, amounts[::-1], sorted(amounts)):
        assert rows(X=order).agg(mean=net_mean(_.X)).to_pandas()["mean"].item() == 0.0
