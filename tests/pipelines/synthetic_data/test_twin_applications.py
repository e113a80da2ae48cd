"""The applications: sentinels, identities between columns, drift of the test applicants."""

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.metrics import roc_auc_score

from credit_scoring.pipelines.synthetic_data.application import NOT_EMPLOYED


def test_no_employment_has_its_sentinel_in_all_columns_at_once(train):
    idle = train["DAYS_EMPLOYED"] == NOT_EMPLOYED
    assert idle.mean() == pytest.approx(0.180, abs=0.01)
    assert (train["ORGANIZATION_TYPE"] == "XNA").equals(idle)
    assert train.loc[idle, "OCCUPATION_TYPE"].isna().all()
    assert set(train.loc[idle, "NAME_INCOME_TYPE"]) <= {"Pensioner", "Unemployed"}
    assert (train["FLAG_EMP_PHONE"] == 0).equals(idle)
    assert (train.loc[~idle, "DAYS_EMPLOYED"] <= 0).all()


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


def test_test_applicants_drift_like_the_official_ones(twin):
    train, test = twin["application_train"], twin["application_test"]
    assert (test["NAME_CONTRACT_TYPE"] == "Revolving loans").mean() < 0.02
    assert test["EXT_SOURCE_1"].isna().mean() == pytest.approx(0.421, abs=0.03)
    assert test["FLAG_EMAIL"].mean() > 2 * train["FLAG_EMAIL"].mean()
    assert test["AMT_CREDIT"].mean() == pytest.approx(516_740, rel=0.06)
    assert test["AMT_REQ_CREDIT_BUREAU_QRT"].mean() > 1.6 * train["AMT_REQ_CREDIT_BUREAU_QRT"].mean()
    assert test["FLAG_DOCUMENT_16"].sum() == 0
    assert test["FLAG_DOCUMENT_3"].mean() == pytest.approx(0.787, abs=0.03)
    assert test["AMT_ANNUITY"].mean() > train["AMT_ANNUITY"].mean()
    assert test["DAYS_LAST_PHONE_CHANGE"].mean() == pytest.approx(-1_078, rel=0.07)
    assert test["AMT_REQ_CREDIT_BUREAU_MON"].mean() < 0.03


def test_without_drift_a_model_cannot_tell_test_from_train(make_twin):
    """Adversarial validation on the applications and the reported months; standard error of the AUC 0.01."""

    def adversarial_auc(*, drift: bool) -> float:
        n = 3_000
        twin = make_twin(n_train=n, n_test=n, test_drift=drift)
        bureau, balance = twin["bureau"], twin["bureau_balance"]
        months = bureau["SK_ID_BUREAU"].map(balance["SK_ID_BUREAU"].value_counts())
        both = pd.concat([twin["application_train"].drop(columns="TARGET"), twin["application_test"]])
        months = both["SK_ID_CURR"].map(months.groupby(bureau["SK_ID_CURR"]).sum()).rename("MONTHS")
        columns = pd.concat([both.drop(columns="SK_ID_CURR"), months], axis=1)
        columns = columns.astype(dict.fromkeys(columns.select_dtypes(exclude="number"), "category"))
        is_test, seen = np.arange(2 * n) >= n, np.arange(2 * n) % 2 == 0
        model = LGBMClassifier(
            n_estimators=60, num_leaves=8, colsample_bytree=0.5, n_jobs=1, random_state=0, verbose=-1
        )
        model.fit(columns[seen], is_test[seen])
        return float(roc_auc_score(is_test[~seen], model.predict_proba(columns[~seen])[:, 1]))

    assert adversarial_auc(drift=False) == pytest.approx(0.5, abs=0.04)
    assert adversarial_auc(drift=True) > 0.85
