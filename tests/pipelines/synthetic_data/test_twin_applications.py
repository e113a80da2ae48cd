"""The applications: sentinels, identities, missing values, marginals, default rates, drift."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.pipelines.synthetic_data.application import NOT_EMPLOYED

EXTERNAL = ["EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3"]


def default_rate(train: pd.DataFrame, mask: pd.Series) -> float:
    return float(train.loc[mask, "TARGET"].mean())


def area_under_curve(train: pd.DataFrame, score: pd.Series) -> float:
    """Probability that a defaulter scores higher than another applicant; missing scores are left out."""
    known = score.notna()
    ranks, bad = score[known].rank(), train.loc[known, "TARGET"] == 1
    return float((ranks[bad].mean() - (bad.sum() + 1) / 2) / (~bad).sum())


def test_default_rate_is_the_published_one(train):
    assert train["TARGET"].mean() == pytest.approx(0.0807, abs=0.007)


def test_no_employment_has_its_sentinel_in_all_columns_at_once(train):
    idle = train["DAYS_EMPLOYED"] == NOT_EMPLOYED
    assert idle.mean() == pytest.approx(0.180, abs=0.01)
    assert (train["ORGANIZATION_TYPE"] == "XNA").equals(idle)
    assert train.loc[idle, "OCCUPATION_TYPE"].isna().all()
    assert set(train.loc[idle, "NAME_INCOME_TYPE"]) <= {"Pensioner", "Unemployed"}
    assert (train["FLAG_EMP_PHONE"] == 0).equals(idle)
    assert (train.loc[~idle, "DAYS_EMPLOYED"] <= 0).all()


def test_car_age_is_missing_exactly_without_a_car(train):
    assert train["OWN_CAR_AGE"].isna().equals(train["FLAG_OWN_CAR"] == "N")


def test_building_columns_are_missing_together(train):
    building = [name for name in train if name.endswith(("_AVG", "_MODE", "_MEDI"))]
    assert len(building) == 47
    missing = train[building].isna()
    assert missing.all(axis=1).mean() == pytest.approx(0.474, abs=0.015)
    for stem in ("COMMONAREA", "ELEVATORS", "LANDAREA"):
        assert missing[f"{stem}_AVG"].equals(missing[f"{stem}_MODE"])
        assert missing[f"{stem}_AVG"].equals(missing[f"{stem}_MEDI"])


@pytest.mark.parametrize(
    ("column", "share"),
    [
        ("EXT_SOURCE_1", 0.564),
        ("EXT_SOURCE_2", 0.002),
        ("EXT_SOURCE_3", 0.198),
        ("OCCUPATION_TYPE", 0.3135),
        ("OWN_CAR_AGE", 0.660),
        ("COMMONAREA_AVG", 0.699),
        ("TOTALAREA_MODE", 0.483),
        ("AMT_REQ_CREDIT_BUREAU_YEAR", 0.135),
    ],
)
def test_missing_rate_is_the_published_one(train, column, share):
    assert train[column].isna().mean() == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(
    ("column", "quantiles"),
    [
        ("AMT_INCOME_TOTAL", {0.25: 112_500, 0.5: 147_150, 0.75: 202_500}),
        ("AMT_CREDIT", {0.1: 180_000, 0.5: 513_531, 0.9: 1_133_748}),
        ("AMT_ANNUITY", {0.1: 11_074, 0.5: 24_903, 0.9: 45_954}),
        ("DAYS_BIRTH", {0.1: -22_192, 0.5: -15_750, 0.9: -10_284}),
        ("EXT_SOURCE_2", {0.1: 0.2158, 0.5: 0.566, 0.9: 0.719}),
    ],
)
def test_quantiles_are_near_the_published_ones(train, column, quantiles):
    for level, value in quantiles.items():
        assert train[column].quantile(level) == pytest.approx(value, rel=0.09)


def test_amounts_lie_on_the_currency_grid(train):
    for column, step in (
        ("AMT_INCOME_TOTAL", 450),
        ("AMT_CREDIT", 4.5),
        ("AMT_GOODS_PRICE", 4.5),
        ("AMT_ANNUITY", 4.5),
    ):
        units = train[column].dropna() / step
        assert np.isclose(units, units.round()).mean() > 0.985


def test_revolving_loans_are_twenty_annuities(train):
    revolving = train["NAME_CONTRACT_TYPE"] == "Revolving loans"
    assert revolving.mean() == pytest.approx(0.095, abs=0.01)
    loans = train[revolving].dropna(subset="AMT_ANNUITY")
    assert np.allclose(loans["AMT_CREDIT"], 20 * loans["AMT_ANNUITY"])


def test_family_counts_the_partner(train):
    couples = train["NAME_FAMILY_STATUS"].isin(["Married", "Civil marriage"])
    others = train["CNT_FAM_MEMBERS"] - train["CNT_CHILDREN"]
    known = others.notna()
    assert (others[known] == couples[known] + 1).all()


def test_social_circle_and_city_rating_are_consistent(train):
    known = train.dropna(subset="OBS_30_CNT_SOCIAL_CIRCLE")
    assert (known["DEF_30_CNT_SOCIAL_CIRCLE"] <= known["OBS_30_CNT_SOCIAL_CIRCLE"]).all()
    assert (known["DEF_60_CNT_SOCIAL_CIRCLE"] <= known["DEF_30_CNT_SOCIAL_CIRCLE"]).all()
    assert (train["REGION_RATING_CLIENT_W_CITY"] <= train["REGION_RATING_CLIENT"]).all()


@pytest.mark.parametrize("column", EXTERNAL)
def test_default_rate_falls_with_the_external_score(train, column):
    quintile = pd.qcut(train[column], 5, labels=False)
    rates = train["TARGET"].groupby(quintile).mean()
    assert rates.is_monotonic_decreasing
    assert rates[0] > 2.8 * rates[4]


def test_mean_external_score_ranks_as_published(train):
    mean = -train[EXTERNAL].mean(axis=1)
    assert 0.70 < area_under_curve(train, mean) < 0.74


@pytest.mark.parametrize(
    ("column", "worse", "better"),
    [
        ("CODE_GENDER", "M", "F"),
        ("NAME_EDUCATION_TYPE", "Secondary / secondary special", "Higher education"),
        ("NAME_INCOME_TYPE", "Working", "Pensioner"),
        ("NAME_CONTRACT_TYPE", "Cash loans", "Revolving loans"),
        ("NAME_FAMILY_STATUS", "Single / not married", "Married"),
        ("REGION_RATING_CLIENT", 3, 1),
        ("OCCUPATION_TYPE", "Laborers", "Core staff"),
    ],
)
def test_default_rates_are_ordered_as_published(train, column, worse, better):
    assert default_rate(train, train[column] == worse) > 1.15 * default_rate(train, train[column] == better)


def test_young_clients_default_more_often(train):
    age = train["DAYS_BIRTH"] / -365.25
    assert default_rate(train, age < 30) == pytest.approx(0.1145, abs=0.02)
    assert default_rate(train, age > 60) == pytest.approx(0.049, abs=0.015)


def test_correlations_between_columns_are_the_published_ones(train):
    cash = train[train["NAME_CONTRACT_TYPE"] == "Cash loans"]
    assert cash["AMT_CREDIT"].corr(cash["AMT_GOODS_PRICE"]) > 0.97
    assert train["EXT_SOURCE_1"].corr(train["DAYS_BIRTH"]) == pytest.approx(-0.60, abs=0.05)
    income_credit = cash[["AMT_INCOME_TOTAL", "AMT_CREDIT"]].corr(method="spearman").iloc[0, 1]
    assert income_credit == pytest.approx(0.40, abs=0.05)


def test_test_applicants_drift_like_the_official_ones(twin):
    train, test = twin["application_train"], twin["application_test"]
    assert (test["NAME_CONTRACT_TYPE"] == "Revolving loans").mean() < 0.02
    assert test["EXT_SOURCE_1"].isna().mean() == pytest.approx(0.421, abs=0.03)
    assert test["FLAG_EMAIL"].mean() > 2 * train["FLAG_EMAIL"].mean()
    assert test["AMT_CREDIT"].mean() == pytest.approx(516_740, rel=0.06)
    assert test["AMT_REQ_CREDIT_BUREAU_QRT"].mean() > 1.6 * train["AMT_REQ_CREDIT_BUREAU_QRT"].mean()
    assert test["FLAG_DOCUMENT_16"].sum() == 0


def test_drift_can_be_switched_off(make_twin):
    test = make_twin(n_train=10, n_test=4_000, test_drift=False)["application_test"]
    assert (test["NAME_CONTRACT_TYPE"] == "Revolving loans").mean() == pytest.approx(0.095, abs=0.02)
    assert test["EXT_SOURCE_1"].isna().mean() == pytest.approx(0.564, abs=0.03)
