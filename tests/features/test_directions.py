"""Directions are declared once per measure, and an aggregate has one only where it holds for it as well."""

import ibis
import numpy as np
import pandas as pd
import pytest
from ibis import _

from credit_scoring.features.catalogue import FEATURES
from credit_scoring.features.expressions import AGGREGATES
from credit_scoring.features.records import Measure, Origin, Rows, Subset

LATE = Rows(
    Origin("LOAN", "loans", ("Loans", "Prêts"), "previous", "LOAN_LOANS_COUNT"),
    "loan",
    measures=(
        Measure("LOANS", True, "yes_no", "loans", "prêts"),
        Measure("DPD", _.DPD, "days", "days late", "jours de retard", direction=1),
        Measure("LATE", _.DPD > 0, "yes_no", "late", "en retard", direction=1),
        Measure("PAID", _.PAID, "share", "share paid", "part payée", direction=-1),
    ),
)


def test_every_aggregate_has_the_direction_of_its_measure_but_the_standard_deviation() -> None:
    wanted = {"DPD": ("MEAN", "MAX", "STD"), "LATE": ("COUNT", "RATE"), "PAID": ("MIN", "SUM"), "LOANS": ("COUNT",)}
    recent = Subset("90D", _.DAYS >= -90, ("last 90 days", "90 derniers jours"))
    for of in (None, recent):
        found = {feature.name.split("_90D")[0]: feature.direction for feature in LATE.features(wanted, of)}
        assert found == {
            "LOAN_DPD_MEAN": 1, "LOAN_DPD_MAX": 1, "LOAN_DPD_STD": 0, "LOAN_LATE_COUNT": 1, "LOAN_LATE_RATE": 1,
            "LOAN_PAID_MIN": -1, "LOAN_PAID_SUM": -1, "LOAN_LOANS_COUNT": 0,
        }  # fmt: skip


@pytest.mark.parametrize("aggregate", sorted(set(AGGREGATES) - {"STD"}))
def test_an_aggregate_with_a_direction_never_falls_when_a_row_rises(aggregate: str) -> None:
    generator = np.random.default_rng(2)
    name = "LATE" if aggregate in ("COUNT", "RATE") else "DPD"
    (feature,) = LATE.features({name: (aggregate,)})
    before = pd.DataFrame({"SK_ID_CURR": np.repeat(range(200), 4), "DPD": generator.integers(0, 3, 800) * 10.0})
    raised = before.assign(DPD=before["DPD"] + generator.integers(0, 2, 800) * 10.0)

    def values(rows: pd.DataFrame) -> pd.Series:
        measured = LATE.measure(ibis.memtable(rows.assign(PAID=1.0)))
        return measured.group_by("SK_ID_CURR").agg(X=feature.value).to_pandas().set_index("SK_ID_CURR")["X"]

    change = (values(raised) - values(before)).astype(float)
    assert change.min() >= 0
    assert change.max() > 0


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("INSTALLMENTS_LATE_RATE_365D", 1),
        ("INSTALLMENTS_LATE_COUNT", 1),
        ("INSTALLMENTS_DPD_STD", 0),
        ("INSTALLMENTS_DPD_SLOPE", 0),
        ("INSTALLMENTS_DPD_60D_TO_365D_RATIO", 0),
        ("INSTALLMENTS_INSTALMENTS_COUNT", 0),
        ("INSTALLMENTS_LATE_DUE_DAYS_MAX", 0),
        ("INSTALLMENTS_DBD_MEAN", 0),
        ("POS_CASH_DPD_MEAN_12M", 1),
        ("POS_CASH_TROUBLED_RATE", 0),
        ("CREDIT_CARD_MINIMUM_MISSED_RATE_3M", 1),
        ("CREDIT_CARD_UTILISATION_MEAN", 0),
        ("BUREAU_OVERDUE_SUM_ACTIVE", 1),
        ("BUREAU_DEBT_SUM", 0),
        ("BUREAU_MAX_OVERDUE_TO_INCOME_RATIO", 0),
        ("BUREAU_BALANCE_SEVERITY_MAX_ACTIVE", 1),
        ("PREVIOUS_REFUSED_COUNT_365D", 1),
        ("PREVIOUS_APPROVED_RATE", 0),
        ("EXT_SOURCE_2", -1),
        ("APPLICATION_EXT_SOURCE_1_3_PRODUCT", -1),
        ("APPLICATION_EXT_SOURCE_1_3_DIFF", 0),
        ("APPLICATION_CREDIT_TO_EXT_SOURCE_3_RATIO", 0),
        ("AMT_INCOME_TOTAL", 0),
        ("DAYS_BIRTH", 0),
    ],
)
def test_what_has_a_direction(name: str, direction: int) -> None:
    assert FEATURES[name].direction == direction


def test_only_numbers_have_a_direction() -> None:
    directed = [feature for feature in FEATURES.values() if feature.direction]
    assert len(directed) > 100
    assert "category" not in {feature.unit for feature in directed}
