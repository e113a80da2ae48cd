"""Cleaning and features of repayments."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.features.conftest import Raw, Row


def payment(number: int, due: float, paid_on: float | None, amount: float | None = 100.0, **values: Any) -> Row:
    return {
        "SK_ID_CURR": 1,
        "SK_ID_PREV": 10,
        "NUM_INSTALMENT_VERSION": 1.0,
        "NUM_INSTALMENT_NUMBER": number,
        "DAYS_INSTALMENT": due,
        "DAYS_ENTRY_PAYMENT": paid_on,
        "AMT_INSTALMENT": 100.0,
        "AMT_PAYMENT": amount,
        **values,
    }


def features(raw: Raw, *rows: Row) -> pd.DataFrame:
    return raw.features("installments", installments_payments=rows)


def test_lateness_by_hand(raw: Raw) -> None:
    computed = features(
        raw,
        payment(1, -800.0, -760.0),  # 40 days late
        payment(2, -300.0, -305.0),  # 5 days early
        payment(3, -100.0, -90.0),  # 10 days late
        payment(4, -50.0, -50.0),  # on the day
    ).loc[1]
    expected = {
        "INSTALMENTS_COUNT": 4,
        "LATE_COUNT": 2,
        "LATE_RATE": 0.5,
        "LATE_OVER_30_DAYS_RATE": 0.25,
        "LATE_RATE_60D": 0,
        "LATE_RATE_180D": 0.5,
        "LATE_RATE_365D": 1 / 3,
        "LATE_RATE_1000D": 0.5,
        "DELAY_MEAN": 45 / 4,
        "DPD_MEAN": 12.5,
        "DPD_MAX": 40,
        "DPD_MAX_365D": 10,
        "DPD_SUM": 50,
        "DPD_STD": np.std([40, 0, 10, 0], ddof=1),
        "DBD_MEAN": 1.25,
        "DECAYED_DPD_MEAN": (40 * (1 - 0.24) + 10 * (1 - 0.03)) / 4,
        "LATE_DUE_DAYS_MAX": -100,
        "LATE_365D_TO_ALL_RATIO": (1 / 3) / 0.5,
        "DPD_60D_TO_365D_RATIO": 0,
        "DPD_SLOPE": 365 * np.polyfit([-800, -300, -100, -50], [40, 0, 10, 0], 1)[0],
        "DPD_SLOPE_365D": 365 * np.polyfit([-300, -100, -50], [0, 10, 0], 1)[0],
    }
    assert computed[[f"INSTALLMENTS_{name}" for name in expected]].tolist() == pytest.approx([*expected.values()])


def test_paying_early_is_not_late(raw: Raw) -> None:
    computed = features(raw, payment(1, -10.0, -30.0)).loc[1]
    assert computed["INSTALLMENTS_LATE_RATE"] == 0
    assert computed["INSTALLMENTS_DPD_MAX"] == 0


def test_part_payments_are_one_instalment_settled_by_the_last_of_them(raw: Raw) -> None:
    computed = features(
        raw, payment(1, -100.0, -110.0, 60.0), payment(1, -100.0, -97.0, 30.0), payment(1, -100.0, -97.0, 10.0)
    ).loc[1]
    assert computed["INSTALLMENTS_INSTALMENTS_COUNT"] == 1
    assert computed["INSTALLMENTS_DELAY_MEAN"] == 3
    assert computed["INSTALLMENTS_PAYMENT_SUM"] == 100
    assert computed["INSTALLMENTS_INSTALMENT_MAX"] == 100
    assert computed["INSTALLMENTS_UNDERPAID_COUNT"] == 0


def test_equal_part_payments_on_one_day_both_count(raw: Raw) -> None:
    computed = features(raw, payment(1, -100.0, -101.0, 50.0), payment(1, -100.0, -101.0, 50.0)).loc[1]
    assert computed["INSTALLMENTS_SHORTFALL_SUM"] == 0


def test_a_card_whose_numbering_restarts_has_as_many_instalments_as_due_dates(raw: Raw) -> None:
    card = {"NUM_INSTALMENT_VERSION": 0.0}
    computed = features(raw, payment(1, -100.0, -100.0, **card), payment(1, -70.0, -69.0, **card)).loc[1]
    assert computed["INSTALLMENTS_INSTALMENTS_COUNT"] == 2
    assert computed["INSTALLMENTS_LATE_RATE"] == 0.5
    assert pd.isna(computed["INSTALLMENTS_FIRST_INSTALMENTS_LATE_RATE"])


def test_the_first_four_instalments(raw: Raw) -> None:
    computed = features(
        raw, payment(1, -100.0, -99.0), payment(4, -70.0, -70.0), payment(5, -40.0, -30.0), payment(6, -10.0, -5.0)
    ).loc[1]
    assert computed["INSTALLMENTS_FIRST_INSTALMENTS_LATE_RATE"] == 0.5


def test_an_instalment_of_an_unknown_schedule_is_none_of_the_first(raw: Raw) -> None:
    computed = features(raw, payment(1, -100.0, -99.0, NUM_INSTALMENT_VERSION=None), payment(1, -70.0, -70.0)).loc[1]
    assert computed["INSTALLMENTS_FIRST_INSTALMENTS_LATE_RATE"] == 0
    assert computed["INSTALLMENTS_LATE_RATE"] == 0.5


def test_amounts(raw: Raw) -> None:
    computed = features(
        raw, payment(1, -90.0, -90.0, 100.0), payment(2, -60.0, -60.0, 40.0), payment(3, -30.0, -30.0, 99.5)
    ).loc[1]
    assert computed["INSTALLMENTS_SHORTFALL_SUM"] == 60.5
    assert computed["INSTALLMENTS_UNDERPAID_RATE"] == pytest.approx(1 / 3)
    assert computed["INSTALLMENTS_PAYMENT_TO_INSTALMENT_MIN"] == pytest.approx(0.4)
    assert computed["INSTALLMENTS_PAYMENT_SUM_90D"] == 239.5


def test_an_unpaid_instalment_has_no_delay_and_is_owed_in_full(raw: Raw) -> None:
    computed = features(raw, payment(1, -90.0, None, None), payment(2, -60.0, -60.0)).loc[1]
    assert computed["INSTALLMENTS_UNPAID_COUNT"] == 1
    assert computed["INSTALLMENTS_LATE_RATE"] == 0
    assert computed["INSTALLMENTS_SHORTFALL_MAX"] == 100


def test_nothing_of_an_instalment_of_zero_can_be_compared(raw: Raw) -> None:
    computed = features(raw, payment(1, -90.0, -90.0, 5.0, AMT_INSTALMENT=0.0)).loc[1]
    assert pd.isna(computed["INSTALLMENTS_PAYMENT_TO_INSTALMENT_MEAN"])
    assert computed["INSTALLMENTS_SHORTFALL_SUM"] == -5


def test_what_lies_after_the_application_is_not_known_yet(raw: Raw) -> None:
    computed = features(raw, payment(1, -5.0, 20.0), payment(2, 25.0, None, None)).loc[1]
    assert computed["INSTALLMENTS_INSTALMENTS_COUNT"] == 1
    assert computed["INSTALLMENTS_UNPAID_COUNT"] == 1
    assert computed["INSTALLMENTS_PAYMENT_SUM"] == 0


def test_the_last_instalments_are_those_due_last(raw: Raw) -> None:
    rows = [payment(number, -10.0 * number, -10.0 * number + number) for number in range(1, 13)]
    computed = features(raw, *rows).loc[1]
    means = computed[[f"INSTALLMENTS_DELAY_MEAN_LAST_{last}" for last in (1, 3, 5, 10)]]
    assert means.tolist() == pytest.approx([1, 2, 3, 5.5])
    assert computed["INSTALLMENTS_DPD_MAX_LAST_10"] == 10


def test_of_instalments_due_on_one_day_the_last_is_that_of_the_highest_loan(raw: Raw) -> None:
    computed = features(raw, payment(1, -10.0, -7.0, SK_ID_PREV=11), payment(1, -10.0, -9.0)).loc[1]
    assert computed["INSTALLMENTS_DELAY_MEAN_LAST_1"] == 3


def test_loans_of_any_length_weigh_the_same(raw: Raw) -> None:
    computed = features(
        raw,
        payment(1, -90.0, -80.0, 50.0),
        payment(1, -60.0, -60.0, SK_ID_PREV=11),
        payment(2, -30.0, -30.0, SK_ID_PREV=11),
        payment(1, -1500.0, -1500.0, 10.0, SK_ID_PREV=12),
    ).loc[1]
    assert computed["INSTALLMENTS_LOANS_COUNT"] == 3
    assert computed["INSTALLMENTS_LOAN_LATE_SHARE_MEAN"] == pytest.approx(1 / 3)
    assert computed["INSTALLMENTS_LOAN_LATE_SHARE_MEAN_LAST_1"] == 0
    assert computed["INSTALLMENTS_LOAN_PAID_SHARE_MIN"] == pytest.approx(0.1)
    assert computed["INSTALLMENTS_LOAN_PAYMENT_TO_INSTALMENT_MEAN_1000D"] == pytest.approx((0.5 + 1) / 2)


def test_without_recent_instalments_windows_hold_nothing(raw: Raw) -> None:
    computed = features(raw, payment(1, -2000.0, -2000.0)).loc[1]
    assert computed[["INSTALLMENTS_INSTALMENTS_COUNT_365D", "INSTALLMENTS_PAYMENT_SUM_365D"]].tolist() == [0, 0]
    assert computed[["INSTALLMENTS_LATE_RATE_1000D", "INSTALLMENTS_DPD_SLOPE"]].isna().all()


def test_the_last_loan_is_the_one_due_last(raw: Raw) -> None:
    computed = features(
        raw,
        payment(1, -300.0, -200.0),
        payment(1, -90.0, -84.0, SK_ID_PREV=11),
        payment(2, -60.0, -60.0, SK_ID_PREV=11),
        payment(5, -30.0, -27.0, SK_ID_PREV=11),
    ).loc[1]
    assert computed["INSTALLMENTS_LOAN_FIRST_LATE_SHARE_MEAN_LAST_1"] == 0.5
    assert computed["INSTALLMENTS_LOAN_MEAN_DPD_MEAN_LAST_1"] == 3
    assert computed["INSTALLMENTS_LOAN_WORST_DPD_MEAN_LAST_1"] == 6


def loan(number: int, **values: Any) -> Row:
    return {
        "SK_ID_CURR": 1,
        "SK_ID_PREV": number,
        "NAME_CONTRACT_STATUS": "Approved",
        "DAYS_DECISION": -500,
        "DAYS_LAST_DUE": 365243.0,
        "AMT_CREDIT": 1000.0,
        "AMT_ANNUITY": 100.0,
        "CNT_PAYMENT": 12.0,
        **values,
    }


LEFT = [
    f"INSTALLMENTS_{name}_RUNNING"
    for name in ("REMAINING_DEBT_SUM", "REMAINING_DEBT_MAX", "LEFT_TO_PAY_SUM", "LOAN_REPAID_SHARE_MEAN")
]


def what_is_left(raw: Raw, loans: list[Row], *payments: Row) -> list[float]:
    computed = raw.features("installments", installments_payments=payments, previous_application=loans)
    return computed.loc[1, LEFT].tolist()


def test_what_is_left_of_running_loans_is_net_of_the_payments_made(raw: Raw) -> None:
    loans = [
        loan(10),  # 250 paid
        loan(11, AMT_CREDIT=400.0, AMT_ANNUITY=50.0),  # more than the credit paid, interest left
        loan(12, AMT_CREDIT=300.0, AMT_ANNUITY=30.0),  # nothing due yet
        loan(13, DAYS_LAST_DUE=-10.0),  # over
        loan(14, NAME_CONTRACT_STATUS="Canceled"),
    ]
    payments = [
        payment(1, -90.0, -90.0, 100.0),
        payment(2, -60.0, -60.0, 100.0),
        payment(3, -30.0, -30.0, 50.0),
        payment(1, -90.0, -90.0, 500.0, SK_ID_PREV=11),
        payment(1, -90.0, -90.0, 100.0, SK_ID_PREV=13),
    ]
    expected = [750 + 0 + 300, 750, 950 + 100 + 360, (0.25 + 1.25 + 0) / 3]
    assert what_is_left(raw, loans, *payments) == pytest.approx(expected)


def test_what_is_paid_in_part_payments_to_the_last_cent_is_paid_off(raw: Raw) -> None:
    """In floating point 0.1 + 0.2 is more than 0.3, and 0.7 + 0.1 less than 0.8."""
    parts = [payment(1, -100.0, -101.0, amount, AMT_INSTALMENT=0.3) for amount in (0.1, 0.2)]
    other = [payment(2, -50.0, -51.0, amount, AMT_INSTALMENT=0.8) for amount in (0.7, 0.1)]
    computed = features(raw, *parts, *other).loc[1]
    for name in ("SUM", "MEAN", "MAX", "MEAN_LAST_1", "MEAN_LAST_3"):
        assert computed[f"INSTALLMENTS_SHORTFALL_{name}"] == 0.0, name
    assert what_is_left(raw, [loan(10, AMT_CREDIT=0.8, AMT_ANNUITY=0.4, CNT_PAYMENT=2.0)], *other)[:3] == [0, 0, 0]


def test_without_a_running_loan_nothing_is_left_and_of_an_unknown_credit_it_is_unknown(raw: Raw) -> None:
    assert what_is_left(raw, [loan(10, DAYS_LAST_DUE=-10.0)], payment(1, -90.0, -90.0)) == pytest.approx(
        [0, np.nan, 0, np.nan], nan_ok=True
    )
    assert what_is_left(raw, [loan(10, AMT_CREDIT=0.0)], payment(1, -90.0, -90.0)) == pytest.approx(
        [np.nan, np.nan, 1100, np.nan], nan_ok=True
    )


def test_payments_of_another_client_do_not_repay_a_loan(raw: Raw) -> None:
    rows = [payment(1, -90.0, -90.0), payment(1, -60.0, -60.0, 900.0, SK_ID_CURR=2, SK_ID_PREV=11)]
    assert what_is_left(raw, [loan(11)], *rows)[0] == 1000
