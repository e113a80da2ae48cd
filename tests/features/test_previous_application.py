"""Cleaning and features of earlier applications."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.features.previous_application import CLEAN_PREVIOUS_APPLICATION
from tests.features.conftest import Raw, Row


def application(number: int, **values: Any) -> Row:
    return {
        "SK_ID_CURR": 1,
        "SK_ID_PREV": number,
        "NAME_CONTRACT_STATUS": "Approved",
        "NAME_CONTRACT_TYPE": "Cash loans",
        "DAYS_DECISION": -100,
        **values,
    }


def features(raw: Raw, *rows: Row) -> pd.DataFrame:
    return raw.features("previous_application", previous_application=rows)


CLEANED = [
    # column, value, what it becomes
    ("DAYS_FIRST_DRAWING", 365243.0, None),
    ("DAYS_FIRST_DUE", 365243.0, None),
    ("DAYS_LAST_DUE", 200.0, None),
    ("DAYS_TERMINATION", -200.0, -200.0),
    ("DAYS_LAST_DUE_1ST_VERSION", 365243.0, None),
    ("DAYS_LAST_DUE_1ST_VERSION", 200.0, 200.0),
    ("AMT_APPLICATION", 0.0, None),
    ("CNT_PAYMENT", 0.0, None),
    ("SELLERPLACE_AREA", -1, None),
    ("AMT_DOWN_PAYMENT", -0.9, None),
    ("AMT_DOWN_PAYMENT", 0.0, 0.0),
]


def test_cleaning(raw: Raw) -> None:
    rows = [application(number, **{column: value}) for number, (column, value, _) in enumerate(CLEANED)]
    table = CLEAN_PREVIOUS_APPLICATION.apply(raw("previous_application", *rows)).to_pandas().set_index("SK_ID_PREV")
    found = [table.loc[number, column] for number, (column, *_) in enumerate(CLEANED)]
    expected = [np.nan if cleaned is None else cleaned for *_, cleaned in CLEANED]
    assert [float("nan" if pd.isna(value) else value) for value in found] == pytest.approx(expected, nan_ok=True)


def test_codes_of_the_lender_for_missing_become_null(raw: Raw) -> None:
    table = CLEAN_PREVIOUS_APPLICATION.apply(
        raw("previous_application", application(1, CODE_REJECT_REASON="XAP", NAME_YIELD_GROUP="XNA"))
    )
    assert table.to_pandas()[["CODE_REJECT_REASON", "NAME_YIELD_GROUP"]].isna().all(axis=None)


def test_outcomes_by_window(raw: Raw) -> None:
    computed = features(
        raw,
        application(1, DAYS_DECISION=-10, NAME_CONTRACT_STATUS="Refused", CODE_REJECT_REASON="HC"),
        application(2, DAYS_DECISION=-200),
        application(3, DAYS_DECISION=-400, NAME_CONTRACT_STATUS="Refused", CODE_REJECT_REASON="LIMIT"),
        application(4, DAYS_DECISION=-900, NAME_CONTRACT_STATUS="Canceled"),
        application(5, DAYS_DECISION=5),
    ).loc[1]
    expected = {
        "APPLICATIONS_COUNT": 4,
        "REFUSED_RATE": 0.5,
        "CANCELED_RATE": 0.25,
        "REFUSED_COUNT_30D": 1,
        "REFUSED_RATE_365D": 0.5,
        "REFUSED_365D_TO_ALL_RATIO": 1,
        "REFUSED_RATE_720D": 2 / 3,
        "REJECTED_HC_COUNT": 1,
        "REJECTED_SCO_COUNT": 0,
        "REFUSED_RATE_LAST_1": 1,
        "REFUSED_RATE_LAST_3": 2 / 3,
        "REFUSED_RATE_LAST_10": 0.5,
        "DAYS_DECISION_MAX_REFUSED": -10,
        "DAYS_DECISION_MAX_APPROVED": -200,
    }
    assert computed[[f"PREVIOUS_{name}" for name in expected]].tolist() == pytest.approx([*expected.values()])


def test_the_latest_application_on_a_shared_day_is_the_one_with_the_highest_id(raw: Raw) -> None:
    computed = features(
        raw,
        application(8, PRODUCT_COMBINATION="Cash"),
        application(9, PRODUCT_COMBINATION="POS mobile with interest"),
        application(7, PRODUCT_COMBINATION="Zzz", DAYS_DECISION=-101),
    ).loc[1]
    assert computed["PREVIOUS_PRODUCT_COMBINATION_LAST"] == "POS mobile with interest"


def test_interest_of_approved_loans_with_a_known_term(raw: Raw) -> None:
    terms = {"AMT_CREDIT": 1000.0, "AMT_ANNUITY": 100.0}
    computed = features(
        raw,
        application(1, CNT_PAYMENT=12.0, **terms),
        application(2, CNT_PAYMENT=0.0, **terms),
        application(3, CNT_PAYMENT=24.0, NAME_CONTRACT_STATUS="Refused", **terms),
    ).loc[1]
    assert computed["PREVIOUS_INTEREST_RATE_MEAN_APPROVED"] == pytest.approx(24 * 200 / (1000 * 13))
    assert computed["PREVIOUS_INTEREST_SHARE_MEAN_APPROVED"] == pytest.approx(0.2)


def test_payments_still_planned_on_running_loans(raw: Raw) -> None:
    computed = features(
        raw,
        # 61 days ahead are three payments at most (one month is 30.4 days); 400 days are 14.
        application(1, DAYS_LAST_DUE=365243.0, DAYS_LAST_DUE_1ST_VERSION=61.0, AMT_ANNUITY=10.0),
        application(2, DAYS_LAST_DUE=365243.0, DAYS_LAST_DUE_1ST_VERSION=400.0, AMT_ANNUITY=1.0),
        application(3, DAYS_LAST_DUE=-5.0, DAYS_LAST_DUE_1ST_VERSION=400.0, AMT_ANNUITY=1000.0),
        application(4, DAYS_LAST_DUE=365243.0, NAME_CONTRACT_STATUS="Canceled", AMT_ANNUITY=1000.0),
    ).loc[1]
    assert computed["PREVIOUS_RUNNING_COUNT"] == 2
    assert computed["PREVIOUS_ANNUITY_SUM_RUNNING"] == 11
    assert computed["PREVIOUS_REMAINING_MONTHS_SUM_RUNNING"] == 3 + 14
    assert computed["PREVIOUS_REMAINING_PAYMENTS_SUM_RUNNING"] == 30 + 14
    assert computed["PREVIOUS_NEXT_YEAR_PAYMENTS_SUM_RUNNING"] == 30 + 12


def test_without_a_running_loan_nothing_is_due_and_the_longest_is_unknown(raw: Raw) -> None:
    computed = features(raw, application(1, DAYS_LAST_DUE=-5.0)).loc[1]
    assert computed["PREVIOUS_REMAINING_PAYMENTS_SUM_RUNNING"] == 0
    assert pd.isna(computed["PREVIOUS_REMAINING_MONTHS_MAX_RUNNING"])


def test_requested_against_granted(raw: Raw) -> None:
    computed = features(
        raw,
        application(1, AMT_APPLICATION=100.0, AMT_CREDIT=200.0),
        application(2, AMT_APPLICATION=300.0, AMT_CREDIT=300.0),
        application(3, AMT_APPLICATION=0.0, AMT_CREDIT=0.0, NAME_CONTRACT_STATUS="Canceled"),
    ).loc[1]
    assert computed["PREVIOUS_REQUESTED_TO_CREDIT_MEAN"] == pytest.approx(0.75)
    assert computed["PREVIOUS_REQUESTED_TO_CREDIT_MIN"] == pytest.approx(0.5)
    assert computed["PREVIOUS_CREDIT_SUM_APPROVED"] == 500


def test_amounts_that_rise_have_a_positive_slope(raw: Raw) -> None:
    computed = features(
        raw,
        application(1, DAYS_DECISION=-730, AMT_CREDIT=100.0),
        application(2, DAYS_DECISION=-365, AMT_CREDIT=150.0),
    ).loc[1]
    assert computed["PREVIOUS_CREDIT_SLOPE"] == pytest.approx(50)  # per year


def test_an_unseen_contract_type_belongs_to_none_of_the_known_ones(raw: Raw) -> None:
    computed = features(raw, application(1, NAME_CONTRACT_TYPE="Loans of the future")).loc[1]
    kinds = [f"PREVIOUS_APPLICATIONS_COUNT_{kind}" for kind in ("CASH", "CONSUMER", "REVOLVING")]
    assert computed[kinds].tolist() == [0, 0, 0]
    assert computed["PREVIOUS_CONTRACT_TYPE_LAST"] == "Loans of the future"


def test_amounts_requested_that_were_granted_in_all_are_no_gap(raw: Raw) -> None:
    """0.1 and 0.2 more requested, 0.3 less: floating point alone would leave a rest."""
    requested = ((1.1, 1.0), (1.2, 1.0), (1.0, 1.3))
    rows = [application(n, AMT_APPLICATION=asked, AMT_CREDIT=credit) for n, (asked, credit) in enumerate(requested)]
    assert features(raw, *rows).loc[1, "PREVIOUS_REQUESTED_CREDIT_GAP_MEAN"] == 0
