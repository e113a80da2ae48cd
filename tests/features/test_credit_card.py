"""Cleaning and features of card balances."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.features.credit_card import CLEAN_CREDIT_CARD_BALANCE
from tests.features.conftest import Raw, Row


def month(age: int, **values: Any) -> Row:
    return {
        "SK_ID_CURR": 1,
        "SK_ID_PREV": 10,
        "MONTHS_BALANCE": -age,
        "AMT_BALANCE": 50.0,
        "AMT_CREDIT_LIMIT_ACTUAL": 100,
        "NAME_CONTRACT_STATUS": "Active",
        "SK_DPD": 0,
        "SK_DPD_DEF": 0,
        "CNT_DRAWINGS_CURRENT": 0,
        **values,
    }


def features(raw: Raw, *rows: Row) -> pd.DataFrame:
    return raw.features("credit_card", credit_card_balance=rows)


CLEANED = [
    # column, value, what it becomes
    ("AMT_BALANCE", -420_250.0, 0.0),
    ("AMT_CREDIT_LIMIT_ACTUAL", 0, None),
    ("AMT_DRAWINGS_CURRENT", -6_212.0, None),
    ("AMT_DRAWINGS_ATM_CURRENT", -6_827.0, None),
]


def test_cleaning(raw: Raw) -> None:
    rows = [month(number, **{column: value}) for number, (column, value, _) in enumerate(CLEANED)]
    table = CLEAN_CREDIT_CARD_BALANCE.apply(raw("credit_card_balance", *rows)).to_pandas().set_index("MONTHS_BALANCE")
    found = [table.loc[-number, column] for number, (column, *_) in enumerate(CLEANED)]
    expected = [np.nan if cleaned is None else cleaned for *_, cleaned in CLEANED]
    assert [float("nan" if pd.isna(value) else value) for value in found] == pytest.approx(expected, nan_ok=True)


def test_utilisation_by_window(raw: Raw) -> None:
    computed = features(
        raw,
        month(1, AMT_BALANCE=20.0),
        month(3, AMT_BALANCE=85.0),
        month(4, AMT_BALANCE=110.0),
        month(13, AMT_BALANCE=-30.0),
    ).loc[1]
    expected = {
        "UTILISATION_MEAN": (0.2 + 0.85 + 1.1 + 0) / 4,
        "UTILISATION_MAX_3M": 0.85,
        "UTILISATION_MAX_12M": 1.1,
        "UTILISATION_MAX_LAST_1": 0.2,
        "UTILISATION_MAX_LAST_3": 1.1,
        "OVER_80_PERCENT_RATE": 0.5,
        "OVER_LIMIT_RATE": 0.25,
        "OVER_90_PERCENT_MONTHS_BALANCE_MAX": -4,
        "BALANCE_MEAN_LAST_3": 215 / 3,
        "BALANCE_3M_TO_12M_RATIO": 52.5 / (215 / 3),
        "BALANCE_CHANGE_MEAN": (-65 - 25 + 110) / 3,
        "BALANCE_SLOPE_12M": 12 * np.polyfit([-1, -3, -4], [20, 85, 110], 1)[0],
    }
    assert computed[[f"CREDIT_CARD_{name}" for name in expected]].tolist() == pytest.approx([*expected.values()])


def test_a_balance_that_came_back_to_where_it_was_has_not_changed(raw: Raw) -> None:
    """0.1 + 0.2 - 0.3 is no zero in floating point; the change is one nonetheless, in any order of summing."""
    computed = features(raw, *(month(i, AMT_BALANCE=value) for i, value in enumerate((0.0, 0.3, 0.1, 0.0), start=1)))
    assert computed.loc[1, "CREDIT_CARD_BALANCE_CHANGE_MEAN"] == 0.0


def test_a_month_without_balance_is_bridged(raw: Raw) -> None:
    computed = features(
        raw, *(month(i, AMT_BALANCE=value) for i, value in enumerate((70.0, None, 40.0, None), start=1))
    )
    assert computed.loc[1, "CREDIT_CARD_BALANCE_CHANGE_MEAN"] == 30.0
    assert pd.isna(features(raw, month(1, AMT_BALANCE=5.0)).loc[1, "CREDIT_CARD_BALANCE_CHANGE_MEAN"])


def test_a_card_without_limit_has_no_utilisation(raw: Raw) -> None:
    computed = features(raw, month(1, AMT_CREDIT_LIMIT_ACTUAL=0)).loc[1]
    assert computed[["CREDIT_CARD_UTILISATION_MAX", "CREDIT_CARD_LIMIT_MAX"]].isna().all()
    assert pd.isna(computed["CREDIT_CARD_OVER_LIMIT_RATE"])


def test_cards_of_one_month_are_added_up(raw: Raw) -> None:
    computed = features(raw, month(1), month(1, SK_ID_PREV=11, AMT_BALANCE=150.0, AMT_CREDIT_LIMIT_ACTUAL=300)).loc[1]
    assert computed["CREDIT_CARD_CARDS_MAX"] == 2
    assert computed["CREDIT_CARD_MONTHS_COUNT"] == 1
    assert computed["CREDIT_CARD_UTILISATION_MAX"] == pytest.approx(0.5)


def test_minimum_payments(raw: Raw) -> None:
    computed = features(
        raw,
        month(1, AMT_INST_MIN_REGULARITY=10.0, AMT_PAYMENT_CURRENT=5.0),
        month(2, AMT_INST_MIN_REGULARITY=10.0, AMT_PAYMENT_CURRENT=30.0),
        month(3, AMT_INST_MIN_REGULARITY=0.0, AMT_PAYMENT_CURRENT=0.0),
        month(4, AMT_INST_MIN_REGULARITY=10.0, AMT_PAYMENT_CURRENT=None),
    ).loc[1]
    assert computed["CREDIT_CARD_MINIMUM_MISSED_RATE"] == 0.5
    assert computed["CREDIT_CARD_PAYMENT_TO_MINIMUM_MEAN"] == pytest.approx((0.5 + 3) / 2)
    assert computed["CREDIT_CARD_PAYMENT_MINIMUM_GAP_MEAN"] == pytest.approx((-5 + 20 + 0) / 3)


def test_cash_drawn_from_machines(raw: Raw) -> None:
    computed = features(
        raw,
        month(1, AMT_DRAWINGS_CURRENT=40.0, AMT_DRAWINGS_ATM_CURRENT=10.0),
        month(2, AMT_DRAWINGS_CURRENT=0.0, AMT_DRAWINGS_ATM_CURRENT=0.0),
        month(3, AMT_DRAWINGS_CURRENT=0.0, AMT_DRAWINGS_ATM_CURRENT=None),
    ).loc[1]
    assert computed["CREDIT_CARD_ATM_DRAWINGS_TO_DRAWINGS_RATIO"] == pytest.approx(0.25)
    assert computed["CREDIT_CARD_ATM_USED_RATE"] == 0.5
    assert computed["CREDIT_CARD_DRAWN_RATE"] == pytest.approx(1 / 3)
    assert computed["CREDIT_CARD_DRAWINGS_TO_LIMIT_MAX"] == pytest.approx(0.4)


def test_without_any_drawing_the_share_of_cash_is_unknown(raw: Raw) -> None:
    computed = features(raw, month(1, AMT_DRAWINGS_CURRENT=0.0, AMT_DRAWINGS_ATM_CURRENT=0.0)).loc[1]
    assert pd.isna(computed["CREDIT_CARD_ATM_DRAWINGS_TO_DRAWINGS_RATIO"])


def test_arrears(raw: Raw) -> None:
    computed = features(raw, month(1), month(2, SK_DPD=3), month(5, SK_DPD=40, SK_DPD_DEF=40), month(-1, SK_DPD=9)).loc[
        1
    ]
    expected = {"LATE_RATE": 2 / 3, "LATE_RATE_3M": 0.5, "SERIOUSLY_LATE_RATE": 1 / 3, "DPD_MAX": 40, "DPD_SUM": 43}
    assert computed[[f"CREDIT_CARD_{name}" for name in expected]].tolist() == pytest.approx([*expected.values()])
    assert computed["CREDIT_CARD_LATE_MONTHS_BALANCE_MAX"] == -2


def test_a_window_of_months_holds_that_many(raw: Raw) -> None:
    """The latest month of the table is the one before the application."""
    computed = features(raw, *(month(age, AMT_DRAWINGS_CURRENT=1.0) for age in range(1, 31))).loc[1]
    assert computed[[f"CREDIT_CARD_DRAWINGS_SUM_{months}M" for months in (3, 6, 12)]].tolist() == [3, 6, 12]


def test_payments_that_are_the_minimum_on_all_cards_together_miss_nothing(raw: Raw) -> None:
    """0.1 and 0.2 paid, 0.3 due: floating point alone would leave 5.6e-17, in one order of the cards or the other."""
    cards = ((0.1, 0.3), (0.2, 0.0))
    computed = features(
        raw,
        *(
            month(1, SK_ID_PREV=card, AMT_PAYMENT_CURRENT=paid, AMT_INST_MIN_REGULARITY=due)
            for card, (paid, due) in enumerate(cards, start=10)
        ),
        *(
            month(2, SK_ID_PREV=card, AMT_PAYMENT_CURRENT=due, AMT_INST_MIN_REGULARITY=paid)
            for card, (paid, due) in enumerate(cards, start=10)
        ),
    ).loc[1]
    assert computed["CREDIT_CARD_MINIMUM_MISSED_RATE"] == 0
    assert computed["CREDIT_CARD_PAYMENT_MINIMUM_GAP_MEAN"] == 0


def test_recent_drawings_against_those_of_a_year(raw: Raw) -> None:
    computed = features(raw, *(month(age, AMT_DRAWINGS_CURRENT=40.0) for age in (1, 4, 9, 12, 13))).loc[1]
    assert computed["CREDIT_CARD_DRAWINGS_3M_TO_12M_RATIO"] == 0.25
