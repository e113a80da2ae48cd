"""Raw columns behind a feature."""

import ibis
import pytest
from ibis import _

from credit_scoring.features.catalogue import feature_lineages
from credit_scoring.features.lineage import Lineage, column_lineage, compose_lineages

CREDITS = ibis.table({"SK_ID_CURR": "int32", "DAYS": "int32", "AMOUNT": "float64", "KIND": "string"}, name="credits")


def columns(*names: str) -> frozenset[str]:
    return frozenset(names)


@pytest.fixture(scope="module")
def lineages() -> dict[str, Lineage]:
    return dict(feature_lineages())


def test_operands_conditions_filters_and_ranks_are_read_and_identifiers_are_not() -> None:
    by_client = ibis.window(group_by="SK_ID_CURR", order_by=_.DAYS.desc())
    ranked = CREDITS.mutate(RANK=ibis.row_number().over(by_client), TWICE=_.AMOUNT * 2)
    summed = ranked.group_by("SK_ID_CURR").agg(
        TOTAL=_.TWICE.sum(), LAST=_.AMOUNT.max(where=_.RANK == 0), ROWS=_.count()
    )
    read = column_lineage(summed)
    assert read["TOTAL"] == {"credits": columns("AMOUNT")}
    assert read["LAST"] == {"credits": columns("AMOUNT", "DAYS")}
    assert read["ROWS"] == read["SK_ID_CURR"] == {"credits": columns()}
    filtered = CREDITS.filter(_.KIND == "car").group_by("SK_ID_CURR").agg(TOTAL=_.AMOUNT.sum())
    assert column_lineage(filtered)["TOTAL"] == {"credits": columns("AMOUNT", "KIND")}


def test_a_filter_without_an_aggregate_selects_rows_and_is_no_origin_of_values() -> None:
    assert column_lineage(CREDITS.filter(_.DAYS <= 0))["AMOUNT"] == {"credits": columns("AMOUNT")}


def test_lineages_are_traced_on_through_the_tables_behind() -> None:
    clean = {"credits": column_lineage(CREDITS.mutate(AMOUNT=_.AMOUNT.nullif(0.0), RUNNING=_.DAYS > 0))}
    outer = {"SUM": {"credits": columns("AMOUNT", "RUNNING")}, "COUNT": {"credits": columns()}}
    assert compose_lineages(outer, clean) == {
        "SUM": {"credits": columns("AMOUNT", "DAYS")},
        "COUNT": {"credits": columns()},
    }


@pytest.mark.parametrize(
    ("feature", "lineage"),
    [
        (
            "BUREAU_DEBT_TO_CREDIT_MEAN_ACTIVE",
            {"bureau": columns("AMT_CREDIT_SUM", "AMT_CREDIT_SUM_DEBT", "CREDIT_ACTIVE")},
        ),
        ("BUREAU_CREDITS_COUNT", {"bureau": columns()}),
        ("BUREAU_BALANCE_CREDITS_COUNT", {"bureau": columns(), "bureau_balance": columns()}),
        ("BUREAU_BALANCE_LATE_COUNT", {"bureau_balance": columns("STATUS")}),
        # Through the cleaning: whether a loan still runs is read off its last due date.
        (
            "PREVIOUS_CREDIT_SUM_RUNNING",
            {"previous_application": columns("AMT_CREDIT", "DAYS_LAST_DUE", "NAME_CONTRACT_STATUS")},
        ),
        # Through two stages of partial aggregates.
        ("INSTALLMENTS_LATE_RATE_365D", {"installments_payments": columns("DAYS_ENTRY_PAYMENT", "DAYS_INSTALMENT")}),
        ("CREDIT_CARD_BALANCE_CHANGE_MEAN", {"credit_card_balance": columns("AMT_BALANCE", "MONTHS_BALANCE")}),
        ("HAS_POS_CASH", {"POS_CASH_balance": columns()}),
        (
            "APPLICATION_TOTAL_ANNUITY_TO_INCOME_RATIO",
            {
                "application": columns("AMT_ANNUITY", "AMT_INCOME_TOTAL"),
                "bureau": columns("AMT_ANNUITY", "CREDIT_ACTIVE"),
                "previous_application": columns("AMT_ANNUITY", "DAYS_LAST_DUE", "NAME_CONTRACT_STATUS"),
            },
        ),
    ],
)
def test_lineage_of_a_feature(lineages: dict[str, Lineage], feature: str, lineage: Lineage) -> None:
    assert lineages[feature] == lineage


def test_no_feature_is_computed_from_the_outcome(lineages: dict[str, Lineage]) -> None:
    readers = [name for name, lineage in lineages.items() if "TARGET" in frozenset().union(*lineage.values())]
    assert readers == ["TARGET"]
