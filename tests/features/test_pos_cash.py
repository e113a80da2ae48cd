"""Cleaning and features of the monthly balances of earlier loans."""

from typing import Any

import ibis
import pandas as pd
import pytest

from credit_scoring.features.pos_cash import CLEAN_POS_CASH_BALANCE
from tests.features.conftest import Raw, Row


def month(loan: int, age: int, **values: Any) -> Row:
    return {
        "SK_ID_CURR": 1,
        "SK_ID_PREV": loan,
        "MONTHS_BALANCE": -age,
        "CNT_INSTALMENT": 12.0,
        "CNT_INSTALMENT_FUTURE": 6.0,
        "NAME_CONTRACT_STATUS": "Active",
        "SK_DPD": 0,
        "SK_DPD_DEF": 0,
        **values,
    }


def features(raw: Raw, *rows: Row) -> pd.DataFrame:
    return raw.features("pos_cash", POS_CASH_balance=rows)


def test_more_instalments_left_than_the_loan_has_and_a_loan_of_none_are_unknown(raw: Raw) -> None:
    cleaned = (
        CLEAN_POS_CASH_BALANCE.apply(
            raw(
                "POS_CASH_balance",
                month(1, 1, CNT_INSTALMENT_FUTURE=13.0),
                month(1, 2, CNT_INSTALMENT=0.0),
                month(1, 3),
            )
        )
        .order_by(ibis.desc("MONTHS_BALANCE"))
        .to_pandas()
    )
    assert cleaned["CNT_INSTALMENT_FUTURE"].isna().tolist() == [True, True, False]
    assert cleaned["CNT_INSTALMENT"].isna().tolist() == [False, True, False]


def test_arrears_by_window(raw: Raw) -> None:
    computed = features(
        raw,
        month(1, 1),
        month(1, 6, SK_DPD=4),
        month(1, 12, SK_DPD=8, SK_DPD_DEF=8),
        month(1, 25, SK_DPD=60),
        month(1, -1, SK_DPD=999),
    ).loc[1]
    expected = {
        "MONTHS_SUM": 4,
        "MONTHS_SUM_12M": 3,
        "LATE_RATE": 0.75,
        "LATE_RATE_6M": 0.5,
        "LATE_RATE_24M": 2 / 3,
        "SERIOUSLY_LATE_RATE": 0.25,
        "DPD_SUM": 72,
        "DPD_MEAN_12M": 4,
        "DPD_6M_TO_24M_RATIO": 2 / 4,
        "DPD_MAX_6M": 4,
        "DPD_MAX": 60,
        "DPD_DEF_MAX_12M": 8,
        "LATE_MONTHS_BALANCE_MAX": -6,
        "MONTHS_BALANCE_MIN": -25,
    }
    assert computed[[f"POS_CASH_{name}" for name in expected]].tolist() == pytest.approx([*expected.values()])


@pytest.mark.parametrize("window", [6, 12, 24])
def test_a_window_of_months_holds_that_many(raw: Raw, window: int) -> None:
    """The latest month of the table is the one before the application."""
    last, after = (
        features(raw, *(month(1, age, SK_DPD=window * (age == late)) for age in range(1, 31))).loc[1]
        for late in (window, window + 1)
    )
    assert last["POS_CASH_MONTHS_SUM_12M"] == 12
    assert last[f"POS_CASH_LATE_RATE_{window}M"] == pytest.approx(1 / window)
    assert last[f"POS_CASH_DPD_MEAN_{window}M"] == 1
    assert last[f"POS_CASH_DPD_MAX_{window}M"] == window
    assert after[[f"POS_CASH_{name}_{window}M" for name in ("LATE_RATE", "DPD_MEAN", "DPD_MAX")]].tolist() == [0, 0, 0]


def test_instalments_left_are_those_of_the_last_month_of_each_loan(raw: Raw) -> None:
    computed = features(
        raw,
        month(1, 3, CNT_INSTALMENT_FUTURE=9.0),
        month(1, 2, CNT_INSTALMENT_FUTURE=8.0),
        month(2, 1, CNT_INSTALMENT=24.0, CNT_INSTALMENT_FUTURE=24.0),
    ).loc[1]
    assert computed["POS_CASH_REMAINING_SUM"] == 32
    assert computed["POS_CASH_REMAINING_TO_TERM_RATIO"] == pytest.approx(32 / 36)
    assert computed["POS_CASH_REMAINING_TO_TERM_MEAN"] == pytest.approx((8 / 12 + 1) / 2)
    assert computed["POS_CASH_REMAINING_SUM_LAST_1"] == 24


def test_completed_loans_and_those_completed_on_a_shortened_term(raw: Raw) -> None:
    done = {"NAME_CONTRACT_STATUS": "Completed", "CNT_INSTALMENT_FUTURE": 0.0}
    computed = features(
        raw,
        month(1, 5),
        month(1, 4, CNT_INSTALMENT=8.0, **done),
        month(2, 4, **done),
        month(3, 4, **done),
        month(3, 3),  # open again
    ).loc[1]
    assert computed["POS_CASH_COMPLETED_COUNT"] == 2
    assert computed["POS_CASH_COMPLETED_EARLY_COUNT"] == 1
    assert computed["POS_CASH_TERM_CHANGE_MAX"] == 4
    assert computed["POS_CASH_COMPLETED_RATE_LAST_1"] == 0


def test_a_single_month_has_no_trend(raw: Raw) -> None:
    assert features(raw, month(1, 1, SK_DPD=5))["POS_CASH_DPD_TREND_MEAN"].isna().all()


def test_a_growing_arrear_has_a_positive_trend(raw: Raw) -> None:
    computed = features(raw, month(1, 3), month(1, 2, SK_DPD=30), month(1, 1, SK_DPD=60))
    assert computed.loc[1, "POS_CASH_DPD_TREND_MAX"] == pytest.approx(12 * 30)  # days per year


def test_unknown_statuses_are_neither_active_nor_completed(raw: Raw) -> None:
    computed = features(raw, month(1, 1, NAME_CONTRACT_STATUS="XNA")).loc[1]
    assert computed[["POS_CASH_ACTIVE_RATE", "POS_CASH_COMPLETED_RATE"]].tolist() == [0, 0]
