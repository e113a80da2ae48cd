"""Single rows of histories: measured as the features measure them, and of the history alone."""

import ibis
import numpy as np
import pytest

from credit_scoring.features.application import APPLICATION
from credit_scoring.features.catalogue import find_feature
from credit_scoring.features.history_rows import HISTORIES, History
from credit_scoring.features.lineage import column_lineage, compose_lineages
from credit_scoring.features.sources import SOURCES
from credit_scoring.models.row_models import HISTORY_NAMES, row_feature_names
from credit_scoring.schemas.raw import contract_of
from tests.features.conftest import Raw, Row
from tests.features.test_installments import payment

CLEANING = {cleaning.table: cleaning for source in SOURCES for cleaning in source.cleaning}
BY_NAME = {history.name: history for history in HISTORIES}


def measure(raw: Raw, name: str, *rows: Row) -> dict[str, list]:
    history = BY_NAME[name]
    return history.measure(CLEANING[history.table].apply(raw(history.table, *rows))).to_pandas().to_dict("list")


def test_the_records_are_those_that_models_know() -> None:
    assert tuple(BY_NAME) == HISTORY_NAMES


@pytest.mark.parametrize("name", HISTORY_NAMES)
def test_every_feature_of_a_row_model_has_a_record_in_both_languages(name: str) -> None:
    for feature in map(find_feature, row_feature_names(name)):
        assert feature.origin.table == BY_NAME[name].table
        assert feature.history == feature.origin.flag != ""
        assert feature.unit == "share"
        assert feature.client_label("en") != feature.client_label("fr")
        assert feature.cause == find_feature(row_feature_names(name)[0]).cause


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.name)
def test_rows_know_nothing_but_their_history(history: History) -> None:
    """Hence no protected attribute, all of which are columns of the application form, and no outcome."""
    raw = ibis.table(dict(contract_of(history.table).columns), name=history.table)
    clean = CLEANING[history.table].apply(raw)
    measured = history.measure(ibis.table(clean.schema(), name="clean"))
    lineages = compose_lineages(column_lineage(measured), {"clean": column_lineage(clean)})
    assert {table for lineage in lineages.values() for table in lineage} == {history.table}
    assert history.table != APPLICATION.table
    kinds = measured.drop("SK_ID_CURR").schema().values()
    assert {str(kind) for kind in kinds} <= {"float32", "string"}


def test_earlier_applications_by_hand_the_latest_first(raw: Raw) -> None:
    shared = {"SK_ID_CURR": 1, "AMT_CREDIT": 200.0, "NAME_CONTRACT_TYPE": "Cash loans"}
    rows = measure(
        raw,
        "previous",
        {**shared, "SK_ID_PREV": 10, "DAYS_DECISION": -900, "NAME_CONTRACT_STATUS": "Approved", "AMT_ANNUITY": 20.0},
        {**shared, "SK_ID_PREV": 11, "DAYS_DECISION": -30, "NAME_CONTRACT_STATUS": "Refused", "AMT_APPLICATION": 100.0},
        {**shared, "SK_ID_CURR": 0, "SK_ID_PREV": 12, "DAYS_DECISION": -5, "NAME_CONTRACT_STATUS": "Canceled"},
    )
    assert rows["SK_ID_CURR"] == [0, 1, 1]
    assert rows["RANK"] == [1, 1, 2]
    assert rows["DAYS_DECISION"] == [-5, -30, -900]
    assert rows["REFUSED"] == [0, 1, 0]
    np.testing.assert_allclose(rows["CREDIT_TO_ANNUITY"], [np.nan, np.nan, 10])
    np.testing.assert_allclose(rows["REQUESTED_TO_CREDIT"], [np.nan, 0.5, np.nan])
    assert rows["NAME_CONTRACT_TYPE"] == ["Cash loans"] * 3
    assert "APPLICATIONS" not in rows  # true of every row, it tells none from another


def test_credits_elsewhere_by_hand(raw: Raw) -> None:
    rows = measure(
        raw,
        "bureau",
        {
            "SK_ID_CURR": 1,
            "SK_ID_BUREAU": 5,
            "DAYS_CREDIT": -400,
            "AMT_CREDIT_SUM": 100.0,
            "AMT_CREDIT_SUM_DEBT": 150.0,
        },
        {"SK_ID_CURR": 1, "SK_ID_BUREAU": 6, "DAYS_CREDIT": -100, "CREDIT_ACTIVE": "Active", "CREDIT_TYPE": "Car loan"},
    )
    assert rows["RANK"] == [1, 2]
    np.testing.assert_allclose(rows["GAP_DAYS"], [300, np.nan])
    np.testing.assert_allclose(rows["DEBT_TO_CREDIT"], [np.nan, 1.5])
    np.testing.assert_allclose(rows["OVERDRAWN"], [np.nan, 1])
    assert rows["CREDIT_TYPE"] == ["Car loan", None] or np.isnan(rows["CREDIT_TYPE"][1])


def test_part_payments_are_one_instalment(raw: Raw) -> None:
    rows = measure(
        raw,
        "installments",
        payment(1, -200.0, -190.0, 40.0),
        payment(1, -200.0, -170.0, 60.0),
        payment(2, -100.0, -105.0, 90.0),
    )
    assert rows["RANK"] == [1, 2]
    assert rows["DAYS_INSTALMENT"] == [-100, -200]
    assert rows["DPD"] == [0, 30]
    assert rows["SHORTFALL"] == [10, 0]
