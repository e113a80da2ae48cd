"""Cleaning and features of the application."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from credit_scoring.features.application import CLEAN_APPLICATION, compute_application_features
from tests.features.conftest import Raw, Row, read

APPLICANT = {
    "SK_ID_CURR": 1,
    "NAME_CONTRACT_TYPE": "Cash loans",
    "AMT_INCOME_TOTAL": 120_000.0,
    "AMT_CREDIT": 100_000.0,
    "AMT_ANNUITY": 10_000.0,
    "AMT_GOODS_PRICE": 80_000.0,
    "DAYS_BIRTH": -14_610,
    "DAYS_EMPLOYED": -1_461,
    "CNT_CHILDREN": 1,
    "CNT_FAM_MEMBERS": 3.0,
}


PLACEHOLDERS = {
    "DAYS_EMPLOYED": 365243,
    "DAYS_LAST_PHONE_CHANGE": 0.0,
    "CODE_GENDER": "XNA",
    "ORGANIZATION_TYPE": "XNA",
    "NAME_FAMILY_STATUS": "Unknown",
    "REGION_RATING_CLIENT_W_CITY": -1,
    "AMT_INCOME_TOTAL": 117_000_000.0,
    "OWN_CAR_AGE": 64.0,
    "OBS_30_CNT_SOCIAL_CIRCLE": 348.0,
    "AMT_REQ_CREDIT_BUREAU_QRT": 261.0,
}
ORDINARY = {"DAYS_EMPLOYED": -10, "DAYS_LAST_PHONE_CHANGE": -1.0, "CODE_GENDER": "F", "OWN_CAR_AGE": 20.0}
WITHOUT_DENOMINATOR = {
    "APPLICATION_CREDIT_TO_ANNUITY_RATIO": {"AMT_ANNUITY": 0.0},
    "APPLICATION_CREDIT_TO_GOODS_RATIO": {"AMT_GOODS_PRICE": 0.0},
    "APPLICATION_CREDIT_TO_INCOME_RATIO": {"AMT_INCOME_TOTAL": 0.0},
    "APPLICATION_INCOME_TO_ADULTS_RATIO": {"CNT_CHILDREN": 3},
    "APPLICATION_CREDIT_TO_EXT_SOURCE_3_RATIO": {"EXT_SOURCE_3": 0.0},
    "APPLICATION_SOCIAL_CIRCLE_RATE_30D": {"OBS_30_CNT_SOCIAL_CIRCLE": 0.0, "DEF_30_CNT_SOCIAL_CIRCLE": 0.0},
}
SCORES = [
    # scores, mean, median, standard deviation, weighted mean
    ((0.1, 0.2, 0.6), 0.3, 0.2, np.std([0.1, 0.2, 0.6], ddof=1), (0.19 + 0.42 + 1.56) / 6.6),
    ((None, 0.2, 0.6), 0.4, 0.4, np.std([0.2, 0.6], ddof=1), (0.42 + 1.56) / 4.7),
    ((0.1, None, None), 0.1, 0.1, np.nan, 0.1),
    ((None, None, None), np.nan, np.nan, np.nan, np.nan),
    ((0.3, 0.3, 0.3), 0.3, 0.3, 0.0, 0.3),
    ((0.5, 0.500001, None), 0.5000005, 0.5000005, 1e-6 / np.sqrt(2), (0.95 + 1.0500021) / 4),
]
FLAGS = {"FLAG_DOCUMENT_3": 1, "FLAG_DOCUMENT_21": 1, "FLAG_EMAIL": 1, "REG_CITY_NOT_WORK_CITY": 1}

# Every applicant of this module, by what is particular about him: one pass computes them all.
APPLICANTS: dict[object, Row] = (
    {"plain": {}, "flags": FLAGS, "revolving": {"NAME_CONTRACT_TYPE": "Revolving loans"}}
    | {"of an unknown kind": {"NAME_CONTRACT_TYPE": "XNA"}}
    | {"no enquiry": {"AMT_REQ_CREDIT_BUREAU_DAY": 0.0}}
    | {("placeholder", column): {column: value} for column, value in PLACEHOLDERS.items()}
    | {("ordinary", column): {column: value} for column, value in ORDINARY.items()}
    | WITHOUT_DENOMINATOR
    | {scores: {f"EXT_SOURCE_{n}": score for n, score in enumerate(scores, 1)} for scores, *_ in SCORES}
)


@pytest.fixture(scope="module")
def computed(raw: Raw) -> Callable[[object], pd.Series]:
    rows = [APPLICANT | changes | {"SK_ID_CURR": n} for n, changes in enumerate(APPLICANTS.values())]
    frame = raw.features("application", application=rows)
    assert len(frame) == len(rows)
    numbers = {name: n for n, name in enumerate(APPLICANTS)}
    return lambda name: frame.loc[numbers[name]]


Computed = Callable[[object], pd.Series]


@pytest.mark.parametrize("column", PLACEHOLDERS)
def test_a_placeholder_or_impossible_value_is_unknown(computed: Computed, column: str) -> None:
    assert pd.isna(computed(("placeholder", column))[column])


@pytest.mark.parametrize("column", ORDINARY)
def test_an_ordinary_value_is_kept(computed: Computed, column: str) -> None:
    assert computed(("ordinary", column))[column] == ORDINARY[column]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("APPLICATION_CREDIT_TO_ANNUITY_RATIO", 10),
        ("APPLICATION_CREDIT_TO_GOODS_RATIO", 1.25),
        ("APPLICATION_CREDIT_TO_INCOME_RATIO", 100 / 120),
        ("APPLICATION_GOODS_CREDIT_DIFF", -20_000),
        ("APPLICATION_INCOME_TO_PERSONS_RATIO", 40_000),
        ("APPLICATION_INCOME_TO_ADULTS_RATIO", 60_000),
        ("APPLICATION_AGE_YEARS", 40),
        ("APPLICATION_EMPLOYED_TO_AGE_RATIO", 0.1),
        ("APPLICATION_AGE_AT_END_YEARS", 40 + 304.375 / 365.25),
        ("APPLICATION_INCOME_AFTER_ANNUITY_DIFF", 0),
    ],
)
def test_ratios_by_hand(computed: Computed, name: str, expected: float) -> None:
    assert computed("plain")[name] == pytest.approx(expected)


@pytest.mark.parametrize("name", WITHOUT_DENOMINATOR)
def test_without_a_denominator_a_ratio_is_unknown(computed: Computed, name: str) -> None:
    assert pd.isna(computed(name)[name])


@pytest.mark.parametrize(("scores", "mean", "median", "std", "weighted"), SCORES)
def test_external_scores_are_combined_over_those_that_are_known(
    computed: Computed, scores: tuple[float | None, ...], mean: float, median: float, std: float, weighted: float
) -> None:
    row = computed(scores)
    measured = row[[f"APPLICATION_EXT_SOURCE_{name}" for name in ("MEAN", "MEDIAN", "STD", "WEIGHTED_MEAN")]]
    assert measured.astype(float).tolist() == pytest.approx(
        [mean, median, std, weighted], rel=1e-9, abs=1e-15, nan_ok=True
    )
    assert row["APPLICATION_EXT_SOURCE_NULL_COUNT"] == scores.count(None)
    assert pd.isna(row["APPLICATION_EXT_SOURCE_PRODUCT"]) == (None in scores)


def test_the_interest_rate_is_sought_over_the_terms_that_the_lender_could_mean(computed: Computed) -> None:
    # 6 payments of 10,000 do not repay 100,000; 12 do, with 20,000 of interest.
    assert computed("plain")["APPLICATION_TERM_MIN"] == 12
    assert computed("plain")["APPLICATION_INTEREST_RATE_MIN"] == pytest.approx(24 * 20_000 / (100_000 * 13))
    assert computed("plain")["APPLICATION_INTEREST_RATE_MAX"] == pytest.approx(24 * 500_000 / (100_000 * 61))


@pytest.mark.parametrize("loan", ["revolving", "of an unknown kind"])
def test_a_loan_that_may_have_no_term_has_none_to_take_a_rate_from(computed: Computed, loan: str) -> None:
    assert computed(loan)[["APPLICATION_TERM_MIN", "APPLICATION_INTEREST_RATE_MIN"]].isna().all()


def test_flags_are_counted_by_group(computed: Computed) -> None:
    counts = [f"APPLICATION_{group}_COUNT" for group in ("DOCUMENTS", "CONTACTS", "ADDRESS_MISMATCHES")]
    assert computed("flags")[counts].tolist() == [2, 1, 1]


def test_enquiries_are_unknown_when_none_was_recorded_and_zero_when_there_were_none(computed: Computed) -> None:
    assert pd.isna(computed("plain")["APPLICATION_ENQUIRIES_SUM"])
    assert computed("no enquiry")["APPLICATION_ENQUIRIES_SUM"] == 0


def test_the_outcome_passes_through_and_reaches_no_feature(raw: Raw) -> None:
    rows = [APPLICANT | {"SK_ID_CURR": number, "TARGET": outcome} for number, outcome in enumerate((0, 1, None))]
    labelled = raw.features("application", application=rows)
    assert labelled["TARGET"].tolist() == pytest.approx([0, 1, np.nan], nan_ok=True)
    assert (labelled.drop(columns="TARGET").nunique(dropna=False) == 1).all()
    unlabelled = raw("application", *rows).drop("TARGET")
    computed = compute_application_features(CLEAN_APPLICATION.apply(unlabelled))
    pd.testing.assert_frame_equal(read(computed), labelled.drop(columns="TARGET"))
