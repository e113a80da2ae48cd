"""Formulas, read off expressions."""

import ibis
import ibis.expr.types as ir
import pytest
from ibis import _

from credit_scoring.features.documentation import FeatureEntry, document_features
from credit_scoring.features.expressions import (
    Expression,
    count_where,
    null_if,
    ols_slope,
    partial_aggregates,
    partial_slope,
    safe_ratio,
    slope_of_partials,
    summarise,
    summarise_partials,
)
from credit_scoring.features.formulas import column_formulas, null_reasons, write_cleaning, write_formula

COLUMNS = {
    "SK_ID_CURR": "int32",
    "LOAN": "int32",
    "DAYS_DUE": "int32",
    "A": "float64",
    "B": "float64",
    "KIND": "string",
}
PAYMENTS = ibis.table(
    {name: f"!{kind}" if kind == "int32" else kind for name, kind in COLUMNS.items()}, name="payments"
)
NOUNS = {("payments",): "payment", ("payments", "SK_ID_CURR", "LOAN"): "loan"}


@pytest.fixture(scope="module")
def features() -> dict[str, FeatureEntry]:
    return {feature.name: feature for source in document_features() for feature in source.features}


def formula(table: ir.Table, column: str = "X") -> str:
    return write_formula(column_formulas(table, (), NOUNS, main="payments")[column])


def by_client(**metrics: Expression) -> ir.Table:
    return PAYMENTS.group_by("SK_ID_CURR").agg(**metrics)


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        (safe_ratio(_.A, _.B - 1), "A / (B - 1)"),
        (_.A - (_.B - 1), "A - (B - 1)"),
        (-_.DAYS_DUE.cast("float64") / 365.25, "-DAYS_DUE / 365.25"),
        (null_if(_.A, (_.A > 8e7) | (_.A <= 0)), "A unless A > 80,000,000 or A <= 0"),
        (_.A.clip(lower=0.0, upper=12.0), "min(max(A, 0), 12)"),
        (_.A + _.B.fill_null(0.0), "A + (B else 0)"),
        (_.KIND.isin(("a", "b")) & (_.A > 0), 'KIND in ("a", "b") and A > 0'),
        (_.KIND.isin(("a",)) | ~(_.A > 0), 'KIND = "a" or A <= 0'),
        (_.A.fill_null(0.0) + _.B.fill_null(0.0), "sum of known(A, B)"),
        (
            safe_ratio(
                _.A.fill_null(0.0) + _.B.fill_null(0.0), _.A.notnull().cast("float64") + _.B.notnull().cast("float64")
            ),
            "mean of known(A, B)",
        ),
        (2 - (_.A.notnull().cast("float64") + _.B.notnull().cast("float64")), "count of unknown(A, B)"),
        (
            ibis.greatest(*((_.A * n - _.B) / (n + 1) for n in (6, 12, 18, 24, 30))),
            "max((n * A - B) / (n + 1); n = 6, 12, ..., 30)",
        ),
    ],
)
def test_a_value_of_one_row(expression: Expression, written: str) -> None:
    assert formula(PAYMENTS.mutate(X=expression)) == written


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        (_.count(), "count(payments)"),
        (count_where(_.A > 0), "count(payments) where A > 0"),
        (
            _.A.cast("float64").mean(where=(_.KIND == "a") & (_.DAYS_DUE >= -365)),
            'mean(A) where KIND = "a" and DAYS_DUE >= -365',
        ),
        ((_.A > 0).cast("float64").mean(), "share(A > 0)"),
        (null_if(_.A, _.A > 0).sum(), "sum(A) where A <= 0"),
        # Where B is unknown, A stays.
        (null_if(_.A, _.B > 0).sum(), "sum(A) where not ((B > 0) else false)"),
        (null_if(_.A, (_.B > 0).fill_null(True)).sum(), "sum(A) where not ((B > 0) else true)"),
        (
            safe_ratio(_.A.sum(where=_.DAYS_DUE > 0), _.B.sum(where=_.DAYS_DUE > 0)),
            "sum(A) / sum(B) where DAYS_DUE > 0",
        ),
        (safe_ratio(count_where(_.DAYS_DUE > 0), _.count()), "share(DAYS_DUE > 0)"),
        # The kind may be unknown, and the share of a condition leaves such rows out.
        (safe_ratio(count_where(_.KIND == "a"), _.count()), 'count(payments where KIND = "a") / count(payments)'),
        (ols_slope(_.A, _.DAYS_DUE, where=_.B > 0, per=365), "365 * slope(A on DAYS_DUE) where B > 0"),
    ],
)
def test_an_aggregate_per_client(expression: Expression, written: str) -> None:
    assert formula(by_client(X=expression)) == written


def test_partial_aggregates_are_written_as_the_aggregate_they_compute() -> None:
    wanted = {"A": ("SUM", "MEAN", "STD", "MIN", "MAX"), "LATE": ("COUNT", "RATE")}
    rows = PAYMENTS.mutate(LATE=_.B > 0)
    parts = rows.group_by("SK_ID_CURR", "LOAN").agg(**partial_aggregates(wanted), **partial_slope("A", "DAYS_DUE"))
    merged = summarise_partials("P", wanted) | {"P_A_SLOPE": slope_of_partials("A")}
    whole = summarise("P", wanted) | {"P_A_SLOPE": ols_slope(_.A, _.DAYS_DUE)}
    written = {name: formula(parts.group_by("SK_ID_CURR").agg(**merged), name) for name in merged}
    assert written == {name: formula(rows.group_by("SK_ID_CURR").agg(**whole), name) for name in whole}
    assert written["P_A_STD"] == "std(A)"


def test_what_is_new_per_row_of_an_intermediate_table_is_named() -> None:
    loans = PAYMENTS.group_by("SK_ID_CURR", "LOAN").agg(WORST=_.A.max())
    clients = loans.group_by("SK_ID_CURR").agg(X=_.WORST.mean(), Y=_.WORST.max())
    assert formula(clients) == "mean(WORST) over loans"
    assert formula(clients, "Y") == "max(A)"


def test_latest_rows_are_said_in_words() -> None:
    window = ibis.window(group_by="SK_ID_CURR", order_by=[_.DAYS_DUE.desc(), _.LOAN.desc()])
    ranked = PAYMENTS.mutate(RANK=ibis.row_number().over(window) + 1, GAP=_.DAYS_DUE - _.DAYS_DUE.lead().over(window))
    clients = ranked.group_by("SK_ID_CURR").agg(
        X=_.A.mean(where=_.RANK <= 3), Y=_.KIND.max(where=_.RANK == 1), Z=_.GAP.min()
    )
    assert formula(clients) == "mean(A) over the last 3 payments by DAYS_DUE"
    assert formula(clients, "Y") == "KIND of the last payment by DAYS_DUE"
    assert formula(clients, "Z") == "min(DAYS_DUE - DAYS_DUE of the payment before)"


def test_an_operation_without_notation_is_an_error_rather_than_a_guess() -> None:
    with pytest.raises(NotImplementedError, match="Sin has no notation"):
        formula(PAYMENTS.mutate(X=_.A.sin()))


def test_cleaning_is_told_beyond_the_markers_of_missing_texts() -> None:
    rules = column_formulas(PAYMENTS.mutate(A=null_if(_.A, _.A < 0), KIND=_.KIND.nullif("").nullif("XNA")))
    assert write_cleaning("A", rules["A"], ("", "XNA")) == "null if A < 0"
    assert write_cleaning("KIND", rules["KIND"], ("", "XNA")) == ""
    assert write_cleaning("KIND", rules["KIND"], ("",)) == 'null if KIND = "XNA"'


@pytest.mark.parametrize(
    ("expression", "reasons"),
    [
        (_.count(), []),
        (_.DAYS_DUE.max(), []),
        (_.DAYS_DUE.max(where=_.DAYS_DUE > -30), ["there is no such payment"]),
        (_.A.max(), ["no payment has a known value"]),
        (_.A.sum(where=_.DAYS_DUE > -30), ["no such payment has a known value, though there are some"]),
        (_.A.std(), ["fewer than two payments have a known value"]),
        (safe_ratio(_.DAYS_DUE.sum(), _.count()), []),
        (safe_ratio(_.count(), _.DAYS_DUE.sum()), ["`sum(DAYS_DUE)` is 0"]),
    ],
)
def test_when_an_aggregate_is_null(expression: Expression, reasons: list[str]) -> None:
    assert null_reasons(column_formulas(by_client(X=expression), (), NOUNS, main="payments")["X"]) == reasons


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (
            "BUREAU_DEBT_TO_CREDIT_MEAN_ACTIVE",
            'mean(AMT_CREDIT_SUM_DEBT / AMT_CREDIT_SUM) where CREDIT_ACTIVE = "Active"',
        ),
        (
            "INSTALLMENTS_LATE_RATE_365D",
            "share(ENTRY_DAYS - DAYS_INSTALMENT > 0) over instalments where DAYS_INSTALMENT >= -365",
        ),
        ("PREVIOUS_CONTRACT_STATUS_LAST", "NAME_CONTRACT_STATUS of the last application by DAYS_DECISION"),
        ("POS_CASH_LATE_RATE_12M", "share(SK_DPD > 0) where MONTHS_BALANCE >= -12"),
        ("CREDIT_CARD_UTILISATION_MAX", "max(BALANCE / LIMIT) over months"),
        ("INSTALLMENTS_DPD_60D_TO_365D_RATIO", "INSTALLMENTS_DPD_MEAN_60D / INSTALLMENTS_DPD_MEAN_365D"),
        ("HAS_BUREAU", "BUREAU_CREDITS_COUNT is known"),
        ("AMT_CREDIT", ""),
    ],
)
def test_formula_of_a_feature(features: dict[str, FeatureEntry], name: str, written: str) -> None:
    assert features[name].formula == written
