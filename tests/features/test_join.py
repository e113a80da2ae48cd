"""Every source beside the application it informs."""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest

from credit_scoring.features.join import join_features
from credit_scoring.features.sources import SOURCES
from tests.features.conftest import Raw, Tables, arrow, read

HISTORIES = ("bureau", "previous_application", "pos_cash", "installments", "credit_card")
FLAGS = ("HAS_BUREAU", "HAS_BUREAU_BALANCE", "HAS_PREVIOUS", "HAS_POS_CASH", "HAS_INSTALLMENTS", "HAS_CREDIT_CARD")


def compute_all(raw: Raw, tables: Tables) -> dict[str, ir.Table]:
    return {source.name: ibis.memtable(raw.compute(source.name, tables)) for source in SOURCES}


def join(features: Mapping[str, ir.Table]) -> ir.Table:
    return join_features(*(features[source.name] for source in SOURCES))


@pytest.fixture(scope="module")
def tables(raw: Raw) -> dict[str, ir.Table]:
    """Three applicants: one known to every source, one with bureau credits only, one without any history."""
    rows = {
        "application": [
            {"SK_ID_CURR": 1, "AMT_INCOME_TOTAL": 1000.0, "AMT_CREDIT": 600.0, "AMT_ANNUITY": 60.0},
            {"SK_ID_CURR": 2, "AMT_INCOME_TOTAL": 0.0, "AMT_CREDIT": 600.0},
            {"SK_ID_CURR": 3, "AMT_INCOME_TOTAL": 1000.0, "AMT_CREDIT": 600.0, "AMT_ANNUITY": 60.0},
        ],
        "bureau": [
            {"SK_ID_CURR": client, "SK_ID_BUREAU": client, "CREDIT_ACTIVE": "Active", "DAYS_CREDIT": -10}
            | {"AMT_CREDIT_SUM": 400.0, "AMT_CREDIT_SUM_DEBT": 250.0, "AMT_ANNUITY": 40.0}
            for client in (1, 2, 99)
        ],
        "bureau_balance": [{"SK_ID_BUREAU": 1, "MONTHS_BALANCE": -1, "STATUS": "0"}],
        "previous_application": [
            {"SK_ID_CURR": 1, "SK_ID_PREV": 5, "NAME_CONTRACT_STATUS": "Approved", "AMT_CREDIT": 300.0}
            | {"DAYS_DECISION": -400}
        ],
        "POS_CASH_balance": [{"SK_ID_CURR": 1, "SK_ID_PREV": 5, "MONTHS_BALANCE": -1}],
        "installments_payments": [
            {"SK_ID_CURR": 1, "SK_ID_PREV": 77, "DAYS_INSTALMENT": -9.0, "AMT_INSTALMENT": 30.0},
        ],
        "credit_card_balance": [{"SK_ID_CURR": 1, "SK_ID_PREV": 6, "MONTHS_BALANCE": -1, "AMT_BALANCE": 500.0}],
    }
    return compute_all(raw, {name: arrow(name, values) for name, values in rows.items()})


@pytest.fixture(scope="module")
def joined(tables: dict[str, ir.Table]) -> pd.DataFrame:
    return read(join(tables))


def test_no_applicant_is_lost_repeated_or_added(joined: pd.DataFrame) -> None:
    assert joined.index.tolist() == [1, 2, 3]


def test_flags_say_which_history_exists(joined: pd.DataFrame) -> None:
    assert joined[[*FLAGS]].to_numpy().tolist() == [[1] * 6, [1, 0, 0, 0, 0, 0], [0] * 6]
    assert set(joined[[*FLAGS]].dtypes.astype(str)) == {"int8"}


def test_an_absent_history_is_null_and_not_zero(joined: pd.DataFrame, tables: dict[str, ir.Table]) -> None:
    histories = [c for name in HISTORIES for c in tables[name].columns if c != "SK_ID_CURR"]
    assert joined.loc[3, histories].isna().all()
    assert joined.loc[2, "BUREAU_BALANCE_MONTHS_SUM":"BUREAU_BALANCE_SEVERITY_MAX_24M"].isna().all()


def test_ratios_across_sources(joined: pd.DataFrame) -> None:
    expected = {
        "BUREAU_DEBT_TO_INCOME_RATIO_ACTIVE": 0.25,
        "APPLICATION_CREDIT_TO_PREVIOUS_MAX_CREDIT_RATIO_APPROVED": 2,
        "APPLICATION_ANNUITY_TO_MAX_INSTALMENT_RATIO": 2,
        "CREDIT_CARD_BALANCE_TO_INCOME_RATIO_LAST_1": 0.5,
        "APPLICATION_TOTAL_ANNUITY_TO_INCOME_RATIO": 0.1,
        "APPLICATION_CREDIT_TO_BUREAU_DEBT_RATIO_ACTIVE": 2.4,
    }
    assert joined.loc[1, [*expected]].tolist() == pytest.approx([*expected.values()])


def test_without_income_or_history_a_ratio_is_unknown(joined: pd.DataFrame) -> None:
    assert joined.loc[2:3, "BUREAU_DEBT_TO_INCOME_RATIO_ACTIVE"].isna().all()


def test_the_new_loan_alone_is_the_whole_debt_service_of_a_client_without_history(joined: pd.DataFrame) -> None:
    assert joined.loc[3, "APPLICATION_TOTAL_ANNUITY_TO_INCOME_RATIO"] == pytest.approx(0.06)


def test_no_second_key_is_left_over(tables: dict[str, ir.Table]) -> None:
    columns = join(tables).columns
    assert [column for column in columns if column.endswith("_right")] == []
    assert len(columns) == len(set(columns))


def test_without_any_history_at_all_every_applicant_stays(raw: Raw) -> None:
    applicants = {"application": arrow("application", [{"SK_ID_CURR": 1}, {"SK_ID_CURR": 2}])}
    joined = read(join(compute_all(raw, applicants)).select("SK_ID_CURR", *FLAGS))
    assert joined.to_numpy().tolist() == [[0] * 6] * 2
