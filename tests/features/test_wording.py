"""Every column that a model may be given has a unit, a theme and words for a client, in both languages."""

import pytest

from credit_scoring.features.documentation import document_features
from credit_scoring.features.origins import columns_derived_from
from credit_scoring.features.wording import (
    THEMES,
    category_label,
    client_label,
    theme_of_feature,
    unit_of_feature,
)
from credit_scoring.models.target_features import TARGET_FEATURES
from credit_scoring.schemas.raw import RAW_TABLES

COLUMNS = [
    feature.name
    for source in document_features()
    for feature in source.features
    if feature.name not in ("SK_ID_CURR", "TARGET")
]


def test_every_column_can_be_told() -> None:
    for name in (*COLUMNS, *TARGET_FEATURES):
        assert theme_of_feature(name) in THEMES
        labels = [client_label(name, language) for language in ("en", "fr")]
        assert all(label and label[0].isupper() for label in labels), labels


def test_two_columns_of_the_form_or_its_history_are_never_called_the_same() -> None:
    for language in ("en", "fr"):
        # Age stands in the data twice, as days on the form and as years.
        labels = [client_label(name, language) for name in COLUMNS if name != "APPLICATION_AGE_YEARS"]
        assert len(labels) == len(set(labels)), sorted({label for label in labels if labels.count(label) > 1})


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("DAYS_BIRTH", "elapsed_days"),
        ("AMT_CREDIT", "amount"),
        ("AMT_REQ_CREDIT_BUREAU_YEAR", "number"),
        ("EXT_SOURCE_2", "score"),
        ("FLAG_OWN_CAR", "yes_no"),
        ("NAME_INCOME_TYPE", "category"),
        ("INSTALLMENTS_LATE_RATE_365D", "share"),
        ("BUREAU_DAYS_CREDIT_MAX", "date_days"),
        ("BUREAU_DAYS_CREDIT_STD", "days"),
        ("BUREAU_DEBT_SUM", "amount"),
        ("BUREAU_DEBT_TO_INCOME_RATIO", "share"),
        ("POS_CASH_MONTHS_BALANCE_MAX", "date_months"),
        ("INSTALLMENTS_DPD_MEAN", "days"),
        ("APPLICATION_EMPLOYED_BIRTH_DIFF", "days_as_years"),
        ("BUREAU_ACTIVE_COUNT", "number"),
        ("TARGET_KNN_MEAN", "share"),
    ],
)
def test_units(name: str, unit: str) -> None:
    assert unit_of_feature(name) == unit


def test_categories_of_the_form_have_french_words() -> None:
    assert category_label("Industry: type 3", "fr") == "industrie, type 3"
    assert category_label("Cash Street: high", "fr") == "prêt personnel, démarche du client, taux élevé"
    assert category_label("MONDAY", "en") == "monday"
    assert category_label("something new", "fr") == "something new"


def test_what_is_derived_from_a_column_is_found_through_the_code() -> None:
    derived = columns_derived_from(["DAYS_BIRTH"])
    assert {"DAYS_BIRTH", "APPLICATION_AGE_YEARS", "BUREAU_DAYS_CREDIT_TO_AGE_RATIO"} <= derived
    assert "APPLICATION_CREDIT_TO_INCOME_RATIO" not in derived
    assert "CODE_GENDER" in columns_derived_from(["CODE_GENDER"])
    assert set(RAW_TABLES["application_train"].columns) >= {"CODE_GENDER"}
