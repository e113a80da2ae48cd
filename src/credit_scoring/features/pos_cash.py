"""Features of the monthly balances of earlier point-of-sale and cash loans, from `POS_CASH_balance`.

Units: months and days relative to the application (negative = before it); SK_DPD is days past due, SK_DPD_DEF the same
leaving out small debts.
"""

import ibis.expr.types as ir
from ibis import _

from credit_scoring.features.expressions import (
    CLIENT_KEY,
    Expression,
    aggregate_by_client,
    count_where,
    null_if,
    ols_slope,
    rank,
    safe_ratio,
    total,
)
from credit_scoring.features.records import (
    Cleaning,
    Direction,
    Feature,
    Measure,
    Origin,
    Rows,
    Source,
    Subset,
    Words,
    last_months,
    last_rows,
    make_feature,
    values_of,
)

POS_CASH = Origin(
    "POS_CASH",
    "POS_CASH_balance",
    ("Monthly balances of earlier loans", "Relevés mensuels des prêts antérieurs"),
    "repayment",
    "POS_CASH_LOANS_COUNT",
    ("no earlier loan", "aucun prêt antérieur"),
    ("no such month of an earlier loan", "aucun mois de ce type d'un prêt antérieur"),
)

_LOAN_KEY = "SK_ID_PREV"
# The latest month reported is the one before the application: it is month -1.
_WINDOWS = tuple(last_months(months, latest=-1) for months in (6, 12, 24))

CLEAN_POS_CASH_BALANCE = Cleaning(
    "POS_CASH_balance",
    keep=_.MONTHS_BALANCE <= 0,
    columns={
        "CNT_INSTALMENT": null_if(_.CNT_INSTALMENT, _.CNT_INSTALMENT <= 0),
        # No more instalments can be left than the loan has.
        "CNT_INSTALMENT_FUTURE": null_if(
            _.CNT_INSTALMENT_FUTURE, (_.CNT_INSTALMENT_FUTURE < 0) | (_.CNT_INSTALMENT_FUTURE > _.CNT_INSTALMENT)
        ),
    },
)
"""Loans missing from `previous_application` stay: SK_ID_CURR places them."""


def _parts() -> dict[str, Expression]:
    """Build counts and sums per loan that add up to the client's own."""
    late, seriously_late, status = _.SK_DPD > 0, _.SK_DPD_DEF > 0, _.NAME_CONTRACT_STATUS
    columns = {
        "MONTHS": _.count(),
        "OLDEST": _.MONTHS_BALANCE.min(),
        "NEWEST": _.MONTHS_BALANCE.max(),
        "LATE_MONTHS": count_where(late),
        "SERIOUSLY_LATE": count_where(seriously_late),
        "LAST_LATE": _.MONTHS_BALANCE.max(where=late),
        "DPD_SUM": _.SK_DPD.cast("float64").sum(),
        "DPD": _.SK_DPD.max(),
        "DPD_DEF_SUM": _.SK_DPD_DEF.cast("float64").sum(),
        "DPD_DEF": _.SK_DPD_DEF.max(),
        "ACTIVE_MONTHS": count_where(status == "Active"),
        "SIGNED_MONTHS": count_where(status == "Signed"),
        "TROUBLED_MONTHS": count_where(status.isin(("Demand", "Returned to the store"))),
        "COMPLETED_IN": _.MONTHS_BALANCE.max(where=status == "Completed"),
        "TERM": _.CNT_INSTALMENT.max(),
        "LAST_TERM": _.CNT_INSTALMENT.argmax(_.MONTHS_BALANCE),
        "REMAINING": _.CNT_INSTALMENT_FUTURE.argmax(_.MONTHS_BALANCE),
        "DPD_TREND": ols_slope(_.SK_DPD, _.MONTHS_BALANCE, per=12),
    }
    for window in _WINDOWS:
        columns |= {
            f"MONTHS_{window.name}": count_where(window.where),
            f"LATE_{window.name}": count_where(late & window.where),
            f"DPD_SUM_{window.name}": _.SK_DPD.cast("float64").sum(where=window.where),
            f"DPD_{window.name}": _.SK_DPD.max(where=window.where),
            f"DPD_DEF_{window.name}": _.SK_DPD_DEF.max(where=window.where),
        }
    return columns


# Completed in its last month, rather than completed once and open again.
_COMPLETED = (_.COMPLETED_IN == _.NEWEST).fill_null(False)

LOANS = Rows(
    POS_CASH,
    "loan",
    keys=(CLIENT_KEY, _LOAN_KEY),
    parts=_parts(),
    measures=(
        Measure("LOANS", True, "yes_no", "loans", "prêts"),
        Measure("COMPLETED", _COMPLETED, "yes_no", "loans completed", "prêts terminés", known=True,
            labels={"RATE_LAST_1": ("Latest loan completed", "Dernier prêt terminé")}),
        Measure("COMPLETED_EARLY", _COMPLETED & (_.LAST_TERM < _.TERM), "yes_no", "loans completed on a shortened term",
            "prêts terminés par anticipation"),
        Measure("MONTHS", _.MONTHS, "count", "months of history", "mois d'historique", known=True),
        Measure("LATE_MONTHS", _.LATE_MONTHS, "count", "months past due", "mois en retard", known=True, direction=1),
        Measure("TERM", _.TERM, "count", "number of instalments", "nombre d'échéances"),
        Measure("TERM_CHANGE", _.TERM - _.LAST_TERM, "count", "instalments that the term was shortened by",
            "échéances dont la durée du prêt a été raccourcie"),
        Measure("REMAINING", _.REMAINING, "count", "instalments left", "échéances restantes"),
        Measure("REMAINING_TO_TERM", safe_ratio(_.REMAINING, _.LAST_TERM), "ratio", "instalments left relative to term",
            "échéances restantes par rapport à la durée"),
        Measure("DPD", _.DPD, "days", "days past due", "jours de retard", known=True, direction=1),
        Measure("DPD_DEF", _.DPD_DEF, "days", "days past due, small debts left out",
            "jours de retard, hors petites dettes", known=True, direction=1),
        Measure("DPD_TREND", _.DPD_TREND, "number", "trend of days past due by loan",
            "tendance des jours de retard par prêt"),
    ),
    helpers={"RANK": rank("NEWEST", _LOAN_KEY)},
)  # fmt: skip

_OVERALL = {
    "LOANS": ("COUNT",),
    "COMPLETED": ("COUNT", "RATE"),
    "COMPLETED_EARLY": ("COUNT", "RATE"),
    "MONTHS": ("SUM", "MEAN"),
    "TERM": ("MEAN", "MAX", "MIN"),
    "TERM_CHANGE": ("MEAN", "MAX"),
    "REMAINING": ("SUM", "MEAN", "MAX"),
    "REMAINING_TO_TERM": ("MEAN", "MAX"),
    "DPD": ("MAX",),
    "DPD_DEF": ("MAX",),
    "DPD_TREND": ("MEAN", "MAX"),
}
_BY_RANK = {
    "LATE_MONTHS": ("SUM",),
    "DPD": ("MAX",),
    "DPD_DEF": ("MAX",),
    "REMAINING": ("SUM",),
    "REMAINING_TO_TERM": ("MEAN",),
    "TERM": ("MEAN",),
    "COMPLETED": ("RATE",),
}


def _share_of_months(name: str, part: Expression, en: str, fr: str, direction: Direction = 0) -> Feature:
    value, words = safe_ratio(total(part), total(_.MONTHS)), (f"{en}, share", f"{fr}, part")
    return LOANS.feature(name, value, "share", words, direction=direction)


def _in_last(window: Subset) -> tuple[Feature, ...]:
    none = f"there is no month among the {window.words[0]}"

    def words(en: str, fr: str) -> Words:
        return f"{en}, {window.words[0]}", f"{fr}, {window.words[1]}"

    late, dpd, all_months = (total(_[f"{name}_{window.name}"]) for name in ("LATE", "DPD_SUM", "MONTHS"))
    return (
        LOANS.feature(f"LATE_RATE_{window.name}", safe_ratio(late, all_months), "share",
            words("months past due, share", "mois en retard, part"), null=none, measure="POS_CASH_LATE",
            window=window.name, direction=1),
        LOANS.feature(f"DPD_MEAN_{window.name}", safe_ratio(dpd, all_months), "days",
            words("days past due, mean", "jours de retard, moyenne"), null=none, measure="POS_CASH_DPD",
            window=window.name, direction=1),
        LOANS.feature(f"DPD_MAX_{window.name}", _[f"DPD_{window.name}"].max(), "days",
            words("days past due, maximum", "jours de retard, maximum"), null=none, measure="POS_CASH_DPD",
            window=window.name, direction=1),
        LOANS.feature(f"DPD_DEF_MAX_{window.name}", _[f"DPD_DEF_{window.name}"].max(), "days",
            words("days past due, small debts left out, maximum", "jours de retard, hors petites dettes, maximum"),
            null=none, measure="POS_CASH_DPD_DEF", window=window.name, direction=1),
    )  # fmt: skip


_LOAN_FEATURES: tuple[Feature, ...] = (
    *LOANS.features(_OVERALL),
    *(feature for last in (1, 3) for feature in LOANS.features(_BY_RANK, last_rows(last))),
    LOANS.feature("MONTHS_BALANCE_MIN", _.OLDEST.min(), "date_months",
        ("oldest month reported", "mois déclaré le plus ancien"), measure="POS_CASH_MONTHS_BALANCE"),
    LOANS.feature("MONTHS_BALANCE_MAX", _.NEWEST.max(), "date_months",
        ("most recent month reported", "mois déclaré le plus récent"), measure="POS_CASH_MONTHS_BALANCE"),
    LOANS.feature("LATE_MONTHS_BALANCE_MAX", _.LAST_LATE.max(), "date_months",
        ("most recent month past due", "mois en retard le plus récent"), null="no month was past due",
        absent=("no month past due", "aucun mois en retard")),
    LOANS.feature("LATE_RATE", safe_ratio(total(_.LATE_MONTHS), total(_.MONTHS)), "share",
        ("months past due, share", "mois en retard, part"), measure="POS_CASH_LATE", direction=1),
    _share_of_months("SERIOUSLY_LATE_RATE", _.SERIOUSLY_LATE, "months past due, small debts left out",
        "mois en retard, hors petites dettes", direction=1),
    _share_of_months("ACTIVE_RATE", _.ACTIVE_MONTHS, "months active", "mois actifs"),
    _share_of_months("SIGNED_RATE", _.SIGNED_MONTHS, "months signed and not begun", "mois signés non commencés"),
    _share_of_months("TROUBLED_RATE", _.TROUBLED_MONTHS, "months with a demand for payment or a return of the goods",
        "mois de mise en demeure ou de retour du bien"),
    LOANS.feature("DPD_SUM", total(_.DPD_SUM), "days", ("days past due, total", "jours de retard, total"),
        measure="POS_CASH_DPD", direction=1),
    LOANS.feature("DPD_MEAN", safe_ratio(total(_.DPD_SUM), total(_.MONTHS)), "days",
        ("days past due, mean", "jours de retard, moyenne"), measure="POS_CASH_DPD", direction=1),
    LOANS.feature("DPD_DEF_SUM", total(_.DPD_DEF_SUM), "days",
        ("days past due, small debts left out, total", "jours de retard, hors petites dettes, total"),
        measure="POS_CASH_DPD_DEF", direction=1),
    LOANS.feature("DPD_DEF_MEAN", safe_ratio(total(_.DPD_DEF_SUM), total(_.MONTHS)), "days",
        ("days past due, small debts left out, mean", "jours de retard, hors petites dettes, moyenne"),
        measure="POS_CASH_DPD_DEF", direction=1),
    LOANS.feature("REMAINING_TO_TERM_RATIO", safe_ratio(total(_.REMAINING), total(_.LAST_TERM)), "ratio",
        ("all instalments left relative to all terms", "total des échéances restantes par rapport au total des durées"),
        null="the last term is unknown for every loan", measure="POS_CASH_REMAINING_TO_TERM"),
    *(feature for window in _WINDOWS for feature in _in_last(window)),
    LOANS.feature("MONTHS_SUM_12M", total(_.MONTHS_12M), "count",
        ("months of history, total, last 12 months", "mois d'historique, total, 12 derniers mois"),
        measure="POS_CASH_MONTHS", window="12M"),
)  # fmt: skip

_DERIVED_FEATURES = (
    make_feature(POS_CASH, "POS_CASH_DPD_6M_TO_24M_RATIO", safe_ratio(_.POS_CASH_DPD_MEAN_6M, _.POS_CASH_DPD_MEAN_24M),
        "number", ("days past due in the last 6 months, relative to the last 24",
            "jours de retard des 6 derniers mois par rapport aux 24 derniers"),
        null="no month of the last 6, or no day past due in the last 24"),
)  # fmt: skip


def compute_pos_cash_features(pos_cash_balance: ir.Table) -> ir.Table:
    """Summarise arrears, instalments left and outcomes of earlier loans.

    Args:
        pos_cash_balance: Clean `POS_CASH_balance`.

    Returns:
        One row per SK_ID_CURR that has a monthly loan balance: POS_CASH_* features. Windows are in months, LAST_<k>
        are the k loans whose balance was reported last.
    """
    loans = LOANS.measure(LOANS.merge(pos_cash_balance))
    return aggregate_by_client(loans, values_of(_LOAN_FEATURES)).mutate(**values_of(_DERIVED_FEATURES))


SOURCE = Source(
    "pos_cash",
    "Monthly balances of earlier loans",
    (CLEAN_POS_CASH_BALANCE,),
    compute_pos_cash_features,
    (*_LOAN_FEATURES, *_DERIVED_FEATURES),
    (LOANS,),
)
