"""Cleaning and features of the credits at other lenders."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.features.bureau import CLEAN_BUREAU
from tests.features.conftest import Raw, Row


def credit(number: int, **values: Any) -> Row:
    return {
        "SK_ID_CURR": 1,
        "SK_ID_BUREAU": number,
        "CREDIT_ACTIVE": "Active",
        "CREDIT_TYPE": "Consumer credit",
        "DAYS_CREDIT": -100,
        **values,
    }


def month(number: int, age: int, status: str) -> Row:
    return {"SK_ID_BUREAU": number, "MONTHS_BALANCE": -age, "STATUS": status}


def features(raw: Raw, credits: list[Row], months: list[Row] | None = None) -> pd.DataFrame:
    return raw.features("bureau", bureau=credits, bureau_balance=months or [])


CLEANED = [
    # column, value, what it becomes
    ("AMT_CREDIT_SUM_DEBT", -4_700_000.0, 0.0),
    ("AMT_CREDIT_SUM_LIMIT", -5.0, None),
    ("AMT_CREDIT_SUM", 0.0, None),
    ("AMT_CREDIT_SUM", 585_000_000.0, None),
    ("AMT_ANNUITY", 0.0, None),
    ("AMT_CREDIT_MAX_OVERDUE", 116_000_000.0, None),
    ("DAYS_CREDIT_ENDDATE", -42_060.0, None),
    ("DAYS_CREDIT_ENDDATE", 1_200.0, 1_200.0),
    ("DAYS_ENDDATE_FACT", -42_023.0, None),
    ("DAYS_ENDDATE_FACT", 3.0, None),
    ("DAYS_CREDIT_UPDATE", 372, None),
    ("DAYS_CREDIT_UPDATE", -7, -7),
]


def test_cleaning(raw: Raw) -> None:
    rows = [credit(number, **{column: value}) for number, (column, value, _) in enumerate(CLEANED)]
    table = CLEAN_BUREAU.apply(raw("bureau", *rows)).to_pandas().set_index("SK_ID_BUREAU")
    found = [table.loc[number, column] for number, (column, *_) in enumerate(CLEANED)]
    expected = [np.nan if cleaned is None else cleaned for *_, cleaned in CLEANED]
    assert [float("nan" if pd.isna(value) else value) for value in found] == pytest.approx(expected, nan_ok=True)


def test_a_credit_after_the_application_does_not_count(raw: Raw) -> None:
    computed = features(raw, [credit(1), credit(2, DAYS_CREDIT=1)])
    assert computed["BUREAU_CREDITS_COUNT"].tolist() == [1]


def test_recent_credits_against_all(raw: Raw) -> None:
    computed = features(raw, [credit(1, DAYS_CREDIT=-365), *(credit(n, DAYS_CREDIT=-366) for n in (2, 3, 4))])
    assert computed["BUREAU_CREDITS_365D_TO_ALL_RATIO"].tolist() == [0.25]


def test_debt_ratio_compares_the_credits_whose_debt_and_amount_are_both_known(raw: Raw) -> None:
    computed = features(
        raw,
        [
            credit(1, AMT_CREDIT_SUM=100.0, AMT_CREDIT_SUM_DEBT=40.0),
            credit(2, AMT_CREDIT_SUM=300.0, AMT_CREDIT_SUM_DEBT=-50.0, CREDIT_ACTIVE="Closed"),
            credit(3, AMT_CREDIT_SUM=None, AMT_CREDIT_SUM_DEBT=1000.0),
            credit(4, AMT_CREDIT_SUM=1000.0, AMT_CREDIT_SUM_DEBT=None),
        ],
    ).loc[1]
    assert computed["BUREAU_DEBT_TO_CREDIT_RATIO"] == pytest.approx(40 / 400)
    assert computed["BUREAU_DEBT_TO_CREDIT_RATIO_ACTIVE"] == pytest.approx(40 / 100)
    assert computed["BUREAU_DEBT_TO_CREDIT_MEAN"] == pytest.approx((0.4 + 0) / 2)
    assert computed["BUREAU_DEBT_SUM"] == 1040
    assert computed["BUREAU_ACTIVE_RATE"] == 0.75


def test_a_debt_ratio_of_unknown_amounts_is_unknown(raw: Raw) -> None:
    computed = features(raw, [credit(1, AMT_CREDIT_SUM=0.0, AMT_CREDIT_SUM_DEBT=10.0)]).loc[1]
    assert computed[["BUREAU_DEBT_TO_CREDIT_RATIO", "BUREAU_DEBT_TO_CREDIT_MAX"]].isna().all()


def test_windows_include_their_last_day(raw: Raw) -> None:
    credits = [credit(n, DAYS_CREDIT=day, AMT_CREDIT_SUM=10.0) for n, day in enumerate([-30, -31, -365, -366, -1001])]
    computed = features(raw, credits).loc[1]
    assert computed[[f"BUREAU_CREDITS_COUNT_{days}D" for days in (30, 90, 365, 720)]].tolist() == [1, 2, 3, 4]
    assert computed["BUREAU_CREDIT_SUM_1000D"] == 40


def test_the_latest_credits_are_those_granted_last_and_ties_go_to_the_highest_id(raw: Raw) -> None:
    credits = [
        credit(1, DAYS_CREDIT=-10, AMT_CREDIT_SUM=1.0),
        credit(2, DAYS_CREDIT=-10, AMT_CREDIT_SUM=2.0),
        credit(3, DAYS_CREDIT=-50, AMT_CREDIT_SUM=6.0),
        credit(4, DAYS_CREDIT=-90, AMT_CREDIT_SUM=100.0),
    ]
    computed = features(raw, credits).loc[1]
    assert computed["BUREAU_CREDIT_MEAN_LAST_1"] == 2
    assert computed["BUREAU_CREDIT_MEAN_LAST_3"] == 3
    assert computed["BUREAU_GAP_DAYS_MEAN"] == pytest.approx((0 + 40 + 40) / 3)


def test_the_gap_to_the_previous_credit_stays_within_the_client(raw: Raw) -> None:
    computed = features(raw, [credit(1, DAYS_CREDIT=-10), credit(2, DAYS_CREDIT=-500, SK_ID_CURR=2)])
    assert computed["BUREAU_GAP_DAYS_MEAN"].isna().all()


def test_types_of_credit(raw: Raw) -> None:
    credits = [
        credit(1, CREDIT_TYPE="Credit card", AMT_CREDIT_SUM_DEBT=5.0),
        credit(2, CREDIT_TYPE="Real estate loan", AMT_CREDIT_SUM_DEBT=70.0),
        credit(3, CREDIT_TYPE="Mortgage", AMT_CREDIT_SUM_DEBT=7.0),
        credit(4, CREDIT_TYPE="A type nobody has seen"),
    ]
    computed = features(raw, credits).loc[1]
    assert computed["BUREAU_TYPES_COUNT"] == 4
    assert computed["BUREAU_CREDITS_COUNT_CARD"] == 1
    assert computed["BUREAU_DEBT_SUM_MORTGAGE"] == 77
    assert computed["BUREAU_CREDITS_COUNT_MICROLOAN"] == 0
    assert pd.isna(computed["BUREAU_DAYS_CREDIT_MAX_MICROLOAN"])


def test_remaining_duration_of_active_credits(raw: Raw) -> None:
    credits = [
        credit(1, DAYS_CREDIT_ENDDATE=60.0),
        credit(2, DAYS_CREDIT_ENDDATE=-20.0),
        credit(3, DAYS_CREDIT_ENDDATE=500.0, CREDIT_ACTIVE="Closed"),
    ]
    computed = features(raw, credits).loc[1]
    assert computed["BUREAU_REMAINING_DAYS_SUM_ACTIVE"] == 60
    assert computed["BUREAU_STILL_RUNNING_COUNT"] == 2


def test_monthly_history_by_hand(raw: Raw) -> None:
    months = [
        month(1, 0, "0"),
        month(1, 1, "2"),
        month(1, 2, "X"),
        month(1, 3, "C"),
        month(2, 11, "1"),
        month(2, 12, "5"),
    ]
    computed = features(raw, [credit(1), credit(2, CREDIT_ACTIVE="Closed")], months).loc[1]
    expected = {
        "CREDITS_COUNT": 2,
        "MONTHS_SUM": 6,
        "MONTHS_MEAN": 3,
        "MONTHS_BALANCE_MIN": -12,
        "LATE_COUNT": 3,
        "LATE_RATE": 3 / 5,
        "LATE_RATE_ACTIVE": 1 / 3,
        "LATE_RATE_12M": 2 / 4,
        "LATE_RATE_6M": 1 / 3,
        "SERIOUSLY_LATE_RATE": 2 / 5,
        "SEVERITY_MEAN": 8 / 5,
        "SEVERITY_MAX": 5,
        "SEVERITY_MAX_12M": 2,
        "SEVERITY_MAX_ACTIVE": 2,
        "LATE_MONTHS_BALANCE_MAX": -1,
        "CLOSED_RATE": 1 / 6,
        "UNKNOWN_RATE": 1 / 6,
        "DECAYED_SEVERITY_SUM": 2 / 2 + 1 / 12 + 5 / 13,
    }
    assert computed[[f"BUREAU_BALANCE_{name}" for name in expected]].tolist() == pytest.approx([*expected.values()])


@pytest.mark.parametrize("window", [6, 12, 24])
def test_a_window_of_months_holds_that_many_the_one_of_the_application_included(raw: Raw, window: int) -> None:
    def history(late: int) -> list[Row]:
        return [month(1, age, "3" if age == late else "0") for age in range(30)]

    last, after = (features(raw, [credit(1)], history(late)).loc[1] for late in (window - 1, window))
    assert last[f"BUREAU_BALANCE_LATE_RATE_{window}M"] == pytest.approx(1 / window)
    assert last[f"BUREAU_BALANCE_SEVERITY_MEAN_{window}M"] == pytest.approx(3 / window)
    assert last[f"BUREAU_BALANCE_SEVERITY_MAX_{window}M"] == 3
    assert after.filter(like=f"_{window}M").tolist() == [0, 0, 0]


def test_unused_credit_that_cancels_out_is_zero_and_without_an_active_credit_nothing_is_unused(raw: Raw) -> None:
    """0.1 and 0.2 left, 0.3 overdrawn: floating point alone would leave 5.6e-17."""
    amounts = ((0.1, 0.0), (0.2, 0.0), (0.7, 1.0))
    credits = [credit(n, AMT_CREDIT_SUM=amount, AMT_CREDIT_SUM_DEBT=debt) for n, (amount, debt) in enumerate(amounts)]
    assert features(raw, credits).loc[1, ["BUREAU_UNUSED_CREDIT_SUM", "BUREAU_UNUSED_CREDIT_SUM_ACTIVE"]].tolist() == [
        0,
        0,
    ]
    closed = features(raw, [credit(1, CREDIT_ACTIVE="Closed", AMT_CREDIT_SUM=5.0, AMT_CREDIT_SUM_DEBT=2.0)]).loc[1]
    assert closed[["BUREAU_UNUSED_CREDIT_SUM", "BUREAU_UNUSED_CREDIT_SUM_ACTIVE"]].tolist() == [3, 0]
    unknown = features(raw, [credit(1, AMT_CREDIT_SUM=5.0)]).loc[1]
    assert unknown[["BUREAU_UNUSED_CREDIT_SUM", "BUREAU_UNUSED_CREDIT_SUM_ACTIVE"]].isna().all()


def test_never_late_is_severity_zero_and_never_known_is_unknown(raw: Raw) -> None:
    months = [month(1, 1, "0"), month(1, 2, "C"), month(2, 1, "X")]
    computed = features(raw, [credit(1), credit(2, SK_ID_CURR=2)], months)
    assert computed["BUREAU_BALANCE_SEVERITY_MAX"].tolist() == pytest.approx([0, float("nan")], nan_ok=True)
    assert computed["BUREAU_BALANCE_LATE_RATE"].tolist() == pytest.approx([0, float("nan")], nan_ok=True)
    assert computed["BUREAU_BALANCE_LATE_COUNT"].tolist() == [0, 0]


def test_a_client_without_monthly_history_and_a_history_without_client(raw: Raw) -> None:
    computed = features(raw, [credit(1)], [month(99, 1, "5")])
    assert computed.index.tolist() == [1]
    assert computed.filter(like="BUREAU_BALANCE_").isna().all(axis=None)


def test_months_after_the_application_are_left_out(raw: Raw) -> None:
    computed = features(raw, [credit(1)], [month(1, -1, "5"), month(1, 1, "0")]).loc[1]
    assert computed["BUREAU_BALANCE_SEVERITY_MAX"] == 0
