"""Features of the repayments of earlier loans, from `installments_payments`.

Units: amounts in currency, dates in days relative to the application (negative = before it). DELAY is the days
between due date and payment; DPD its part after the due date and DBD its part before, both 0 otherwise.
"""

# ruff: noqa: SIM300 - a column such as _.AMT_CREDIT is not the constant that Ruff takes it for

import dataclasses

import ibis
import ibis.expr.types as ir
from ibis import _

from credit_scoring.features.expressions import (
    CLIENT_KEY,
    Expression,
    aggregate_by_client,
    as_written,
    join_on_client,
    null_if,
    partial_slope,
    rank,
    round_amount,
    safe_ratio,
    slope_of_partials,
)
from credit_scoring.features.previous_application import APPLICATIONS, CLEAN_PREVIOUS_APPLICATION
from credit_scoring.features.records import (
    Cleaning,
    Feature,
    Measure,
    Origin,
    Rows,
    Source,
    Subset,
    last_days,
    last_rows,
    make_feature,
    unite,
    values_of,
)

INSTALLMENTS = Origin(
    "INSTALLMENTS",
    "installments_payments",
    ("Repayments", "Remboursements"),
    "repayment",
    "INSTALLMENTS_INSTALMENTS_COUNT",
    ("no earlier loan to repay", "aucun prêt antérieur à rembourser"),
    ("no such earlier repayment", "aucun remboursement antérieur de ce type"),
)

_LOAN_KEY = "SK_ID_PREV"

# A difference below one unit is rounding, not an underpayment.
_TOLERANCE = 1.0
_FIRST_INSTALMENTS = 4
# A delay of eight years ago weighs a tenth of today's.
_DECAY_PER_DAY = 0.0003

_DAY_WINDOWS = (60, 90, 180, 365, 1000)
_LAST_WINDOWS = (1, 3, 5, 10)

# A payment after the application has not happened yet.
_IN_THE_FUTURE = _.DAYS_ENTRY_PAYMENT > 0

CLEAN_INSTALLMENTS_PAYMENTS = Cleaning(
    "installments_payments",
    keep=_.DAYS_INSTALMENT <= 0,
    columns={
        "AMT_PAYMENT": null_if(_.AMT_PAYMENT, _IN_THE_FUTURE),
        "DAYS_ENTRY_PAYMENT": null_if(_.DAYS_ENTRY_PAYMENT, _IN_THE_FUTURE),
    },
)
"""A missing payment (amount and date null) stays: it is an unpaid instalment. Equal rows stay: the table has no key,
and two equal part payments on one day are two payments."""

_DELAY = _.ENTRY_DAYS - _.DAYS_INSTALMENT
_LATE = _DELAY > 0
_DPD = _DELAY.clip(lower=0)
_SHORTFALL = round_amount(_.INSTALMENT - _.PAYMENT)
_IS_FIRST = (_.NUM_INSTALMENT_VERSION > 0) & (_.NUM_INSTALMENT_NUMBER <= _FIRST_INSTALMENTS)


def _smallest_window(value: Expression, windows: tuple[int, ...]) -> Expression:
    """Name each row by the narrowest window that holds it; null outside all of them."""
    return ibis.cases(*((value <= window, window) for window in windows), else_=ibis.null("int32"))


INSTALMENTS = Rows(
    INSTALLMENTS,
    "instalment",
    # A card (version 0) restarts its numbering, so the due date belongs to the identity of an instalment. Its part
    # payments are added up: it is settled on the day of the last one. Each repeats the amount due, hence the maximum.
    keys=(CLIENT_KEY, _LOAN_KEY, "NUM_INSTALMENT_VERSION", "NUM_INSTALMENT_NUMBER", "DAYS_INSTALMENT"),
    parts={
        "ENTRY_DAYS": _.DAYS_ENTRY_PAYMENT.max(),
        "PAYMENT": _.AMT_PAYMENT.sum().fill_null(0.0),
        "INSTALMENT": _.AMT_INSTALMENT.max(),
    },
    measures=(
        Measure("INSTALMENTS", True, "yes_no", "instalments", "échéances"),
        Measure("DELAY", _DELAY, "day_gap", "payment, counted from its due date", "paiement, compté depuis l'échéance",
            says="DPD"),
        Measure("LATE", _LATE, "yes_no", "instalments paid late", "échéances payées en retard", direction=1),
        Measure("LATE_OVER_30_DAYS", _DELAY > 30, "yes_no", "instalments paid over 30 days late",
            "échéances payées avec plus de 30 jours de retard", says="LATE", direction=1),
        Measure("FIRST_INSTALMENTS_LATE", null_if(_LATE, ~_IS_FIRST.fill_null(False)), "yes_no",
            "the first four instalments paid late", "quatre premières échéances payées en retard", says="LATE",
            direction=1),
        Measure("DPD", _DPD, "days", "days late", "jours de retard", direction=1),
        Measure("DECAYED_DPD", _DPD * (1 + _DECAY_PER_DAY * _.DAYS_INSTALMENT), "number",
            "days late, recent ones weigh more", "jours de retard, pondérés par récence", direction=1),
        Measure("DBD", (-_DELAY).clip(lower=0), "days", "days paid ahead", "jours d'avance"),
        Measure("UNPAID", _.ENTRY_DAYS.isnull(), "yes_no", "instalments not paid at all", "échéances non payées",
            known=True, direction=1),
        Measure("SHORTFALL", _SHORTFALL, "amount", "amount left unpaid", "montant resté impayé", net=True),
        Measure("UNDERPAID", _SHORTFALL > _TOLERANCE, "yes_no", "instalments paid in part",
            "échéances payées partiellement", direction=1),
        Measure("PAYMENT", _.PAYMENT, "amount", "amount paid", "montant payé", known=True),
        Measure("INSTALMENT", _.INSTALMENT, "amount", "amount of the instalment", "montant de l'échéance"),
        Measure("PAYMENT_TO_INSTALMENT", safe_ratio(_.PAYMENT, _.INSTALMENT), "ratio", "payment relative to instalment",
            "paiement par rapport à l'échéance"),
        Measure("ENTRY_DAYS", _.ENTRY_DAYS, "date_days", "day of payment", "jour de paiement"),
        Measure("LATE_DUE_DAYS", null_if(_.DAYS_INSTALMENT, ~_LATE.fill_null(False)), "date_days",
            "due date of an instalment paid late", "jour d'échéance d'un paiement en retard"),
        Measure("VERSION", _.NUM_INSTALMENT_VERSION, "number", "version of the schedule", "version de l'échéancier"),
    ),
    helpers={
        "AGE": as_written(
            _smallest_window(-_.DAYS_INSTALMENT, _DAY_WINDOWS),
            f"the narrowest of {', '.join(map(str, _DAY_WINDOWS))} days that the due date lies within",
        )
    },
    from_partials=True,
)  # fmt: skip

LAST_INSTALMENTS = Rows(INSTALLMENTS, "instalment", measures=INSTALMENTS.measures)

LOANS = Rows(
    INSTALLMENTS,
    "loan",
    keys=(CLIENT_KEY, _LOAN_KEY),
    parts={
        "LAST_DUE": _.DUE.max(),
        "PAID": _.PAYMENT.sum(),
        "LOAN_LATE_SHARE": _.LATE.cast("float64").mean(),
        "LOAN_FIRST_LATE_SHARE": _.FIRST_INSTALMENTS_LATE.cast("float64").mean(),
        "LOAN_MEAN_DPD": _.DPD.mean(),
        "LOAN_WORST_DPD": _.DPD.max(),
        "LOAN_PAID_SHARE": safe_ratio(_.PAYMENT.sum(), _.INSTALMENT.sum()),
        "LOAN_PAYMENT_TO_INSTALMENT": _.PAYMENT_TO_INSTALMENT.mean(where=_.DUE >= -1000),
    },
    # Averaged over loans, so that a long loan does not hide a short one.
    measures=(
        Measure("LOANS", True, "yes_no", "loans", "prêts"),
        Measure("LOAN_LATE_SHARE", _.LOAN_LATE_SHARE, "share", "share paid late, by loan", "part en retard, par prêt",
            says="LOAN_LATE", direction=1),
        Measure("LOAN_FIRST_LATE_SHARE", _.LOAN_FIRST_LATE_SHARE, "share",
            "share of the first four instalments paid late, by loan",
            "part en retard des quatre premières échéances, par prêt", says="LOAN_LATE", direction=1),
        Measure("LOAN_MEAN_DPD", _.LOAN_MEAN_DPD, "days", "mean days late, by loan",
            "jours de retard moyens, par prêt", says="LOAN_DPD", direction=1),
        Measure("LOAN_WORST_DPD", _.LOAN_WORST_DPD, "days", "worst days late, by loan",
            "pire retard en jours, par prêt", says="LOAN_DPD", direction=1),
        Measure("LOAN_PAID_SHARE", _.LOAN_PAID_SHARE, "ratio", "payments relative to instalments, by loan",
            "paiements par rapport aux échéances, par prêt"),
        Measure("LOAN_PAYMENT_TO_INSTALMENT", _.LOAN_PAYMENT_TO_INSTALMENT, "ratio",
            "payment relative to instalment, by loan",
            "paiement par rapport à l'échéance, par prêt"),
    ),
    helpers={
        "RANK": rank("LAST_DUE", _LOAN_KEY)
    },
)  # fmt: skip

RUNNING_LOANS = Rows(
    INSTALLMENTS,
    "loan",
    measures=(
        Measure("REMAINING_DEBT", round_amount(_.CREDIT - _.PAID).clip(lower=0.0), "amount",
            "estimated debt, credit less payments made", "dette estimée, crédit moins paiements faits"),
        Measure("LEFT_TO_PAY", round_amount(_.ALL_PAYMENTS - _.PAID).clip(lower=0.0), "amount",
            "estimated payments left, planned less made", "paiements restants estimés, prévus moins faits"),
        Measure("LOAN_REPAID_SHARE", safe_ratio(_.PAID, _.CREDIT), "ratio", "payments relative to credit, by loan",
            "paiements par rapport au crédit, par prêt"),
    ),
)  # fmt: skip
"""What was paid on the loans still running against what was borrowed; no instalment yet is nothing paid."""

_OVERALL = {
    "INSTALMENTS": ("COUNT",),
    "LATE": ("COUNT", "RATE"),
    "LATE_OVER_30_DAYS": ("COUNT", "RATE"),
    "FIRST_INSTALMENTS_LATE": ("RATE",),
    "DELAY": ("MEAN",),
    "DPD": ("MEAN", "MAX", "SUM", "STD"),
    "DECAYED_DPD": ("MEAN",),
    "DBD": ("MEAN", "MAX"),
    "UNPAID": ("COUNT",),
    "UNDERPAID": ("COUNT", "RATE"),
    "SHORTFALL": ("MEAN", "SUM", "MAX"),
    "PAYMENT_TO_INSTALMENT": ("MEAN", "MIN"),
    "PAYMENT": ("MIN", "MEAN", "MAX", "SUM"),
    "INSTALMENT": ("MEAN", "MAX"),
    "ENTRY_DAYS": ("MIN", "MAX"),
    "LATE_DUE_DAYS": ("MAX",),
    "VERSION": ("MAX",),
}
_BY_DAYS = {
    "LATE": ("RATE",),
    "DPD": ("MEAN", "MAX"),
    "DBD": ("MEAN",),
    "UNDERPAID": ("RATE",),
    "PAYMENT_TO_INSTALMENT": ("MEAN",),
}
_IN_QUARTER_AND_YEAR = {"INSTALMENTS": ("COUNT",), "PAYMENT": ("SUM",)}
_BY_RANK = {"DELAY": ("MEAN",), "DPD": ("MAX",), "PAYMENT": ("MEAN",), "SHORTFALL": ("MEAN",)}
_OF_LOANS = {
    "LOANS": ("COUNT",),
    "LOAN_LATE_SHARE": ("MEAN", "MAX"),
    "LOAN_WORST_DPD": ("MEAN",),
    "LOAN_PAID_SHARE": ("MEAN", "MIN"),
}
_OF_LAST_LOAN = {
    "LOAN_LATE_SHARE": ("MEAN",),
    "LOAN_FIRST_LATE_SHARE": ("MEAN",),
    "LOAN_MEAN_DPD": ("MEAN",),
    "LOAN_WORST_DPD": ("MEAN",),
    "LOAN_PAID_SHARE": ("MEAN",),
}
_OF_RUNNING = {
    "REMAINING_DEBT": ("SUM", "MAX"),
    "LEFT_TO_PAY": ("SUM",),
    "LOAN_REPAID_SHARE": ("MEAN", "MIN"),
}


def _in_last(days: int) -> Subset:
    return last_days(days, _.AGE <= days)


def _due_in_last(days: int) -> Subset:
    window = _in_last(days)  # by due date, where a reader would take an amount paid by the day of payment
    en, fr = window.words
    return dataclasses.replace(window, words=(f"of instalments due in the {en}", f"des échéances dues dans les {fr}"))


def _slope_feature(name: str, where: Expression | None, words: tuple[str, str], formula: str) -> Feature:
    return INSTALMENTS.feature(
        name, slope_of_partials("DPD", where=where, per=365), "number", words, formula=formula,
        null="fewer than two due dates have an instalment that was paid", measure="INSTALLMENTS_DPD", abstract=True,
        window="" if where is None else "365D",
    )  # fmt: skip


_INSTALMENT_FEATURES: tuple[Feature, ...] = (
    *INSTALMENTS.features(_OVERALL),
    *(feature for days in _DAY_WINDOWS for feature in INSTALMENTS.features(_BY_DAYS, _in_last(days))),
    *(
        feature
        for days in (90, 365)
        for feature in INSTALMENTS.features(_IN_QUARTER_AND_YEAR, _due_in_last(days))
    ),
    _slope_feature("DPD_SLOPE", None, ("days late, trend per year", "jours de retard, tendance par an"),
        "ols_slope(DPD, DAYS_INSTALMENT, per=365) over instalments"),
    _slope_feature("DPD_SLOPE_365D", _.AGE <= 365,
        ("days late, trend per year, last 365 days", "jours de retard, tendance par an, 365 derniers jours"),
        "ols_slope(DPD, DAYS_INSTALMENT, per=365) over instalments where AGE <= 365"),
)  # fmt: skip


_LAST_INSTALMENT_FEATURES = tuple(
    feature for last in _LAST_WINDOWS for feature in LAST_INSTALMENTS.features(_BY_RANK, last_rows(last, "échéances"))
)

_LOAN_FEATURES = (
    *LOANS.features(_OF_LOANS),
    *LOANS.features({"LOAN_PAYMENT_TO_INSTALMENT": ("MEAN",)}, last_days(1000, None)),
    *LOANS.features(_OF_LAST_LOAN, last_rows(1)),
)  # fmt: skip

_RUNNING_LOAN_FEATURES = RUNNING_LOANS.features(
    _OF_RUNNING, Subset("RUNNING", None, ("of loans still running", "des prêts encore en cours"))
)

_DERIVED_FEATURES = (
    make_feature(INSTALLMENTS, "INSTALLMENTS_DPD_60D_TO_365D_RATIO",
        safe_ratio(_.INSTALLMENTS_DPD_MEAN_60D, _.INSTALLMENTS_DPD_MEAN_365D), "number",
        ("days late in the last 60 days, relative to the last 365",
            "jours de retard des 60 derniers jours par rapport aux 365 derniers"),
        null="nothing paid of the last 60 days, or nothing late in the last 365"),
    make_feature(INSTALLMENTS, "INSTALLMENTS_LATE_365D_TO_ALL_RATIO",
        safe_ratio(_.INSTALLMENTS_LATE_RATE_365D, _.INSTALLMENTS_LATE_RATE), "number",
        ("share of instalments paid late in the last 365 days, relative to that of all",
            "part des échéances payées en retard dans les 365 derniers jours, par rapport à celle de toutes"),
        null="nothing paid of the last 365 days, or nothing ever late"),
)  # fmt: skip


def compute_installments_features(installments_payments: ir.Table, previous_application: ir.Table) -> ir.Table:
    """Summarise how punctually and completely earlier instalments were paid, and what is left to pay.

    Args:
        installments_payments: Clean `installments_payments`.
        previous_application: Clean `previous_application`, for the amounts of the loans still running.

    Returns:
        One row per SK_ID_CURR that has an instalment: INSTALLMENTS_* features. An unpaid instalment counts in the
        amounts (nothing was paid) and in UNPAID, and has no delay. Windows in days are by due date, LAST_<k> are the
        k instalments due last, or the loan with the latest due date for a feature of loans. RUNNING are the approved
        loans that are not over; their sums are 0 for a client with instalments and no such loan.
    """
    instalments = rank_instalments(installments_payments)
    loans = _merge_loans(instalments)
    features = join_on_client(
        _summarise_ages(instalments),
        _summarise_last_ones(instalments),
        aggregate_by_client(LOANS.measure(loans), values_of(_LOAN_FEATURES)),
        _summarise_running_loans(loans, previous_application),
    )
    return features.mutate(
        **values_of(_DERIVED_FEATURES),
        **{
            feature.name: _.RUNNING_LOANS.isnull().ifelse(0.0, _[feature.name])
            for feature in _RUNNING_LOAN_FEATURES
            if feature.name.endswith("_SUM_RUNNING")
        },
    ).drop("RUNNING_LOANS")


def rank_instalments(installments_payments: ir.Table) -> ir.Table:
    """Add up the part payments of each instalment, and number the instalments of a client from the one due last.

    Only these few columns are held while every summary reads them; each derives the measures that it needs.
    """
    by = ("DAYS_INSTALMENT", _LOAN_KEY, "NUM_INSTALMENT_NUMBER", "NUM_INSTALMENT_VERSION")
    return INSTALMENTS.merge(installments_payments).mutate(RANK=rank(*by))


def _summarise_ages(instalments: ir.Table) -> ir.Table:
    """Reduce the instalments to one row per client and age, then to one per client."""
    wanted = unite(_OVERALL, _BY_DAYS, _IN_QUARTER_AND_YEAR)
    measured = INSTALMENTS.select(instalments, *wanted, DUE=_.DAYS_INSTALMENT, **INSTALMENTS.helpers)
    ages = measured.group_by(CLIENT_KEY, "AGE").agg(**INSTALMENTS.partials(wanted), **partial_slope("DPD", "DUE"))
    return aggregate_by_client(ages, values_of(_INSTALMENT_FEATURES))


def _summarise_last_ones(instalments: ir.Table) -> ir.Table:
    last_ones = instalments.filter(_.RANK <= max(_LAST_WINDOWS))
    measured = LAST_INSTALMENTS.select(last_ones, *_BY_RANK, RANK=_.RANK)
    return aggregate_by_client(measured, values_of(_LAST_INSTALMENT_FEATURES))


def _merge_loans(instalments: ir.Table) -> ir.Table:
    names = ("LATE", "FIRST_INSTALMENTS_LATE", "DPD", "PAYMENT", "INSTALMENT", "PAYMENT_TO_INSTALMENT")
    loan = {"DUE": _.DAYS_INSTALMENT, _LOAN_KEY: _[_LOAN_KEY]}
    return LOANS.merge(INSTALMENTS.select(instalments, *names, **loan))


def _summarise_running_loans(loans: ir.Table, previous_application: ir.Table) -> ir.Table:
    running = previous_application.filter(APPLICATIONS["RUNNING"].value).select(
        CLIENT_KEY, _LOAN_KEY, CREDIT="AMT_CREDIT", ALL_PAYMENTS=_.AMT_ANNUITY * _.CNT_PAYMENT
    )
    paid = running.left_join(loans.select(CLIENT_KEY, _LOAN_KEY, "PAID"), [CLIENT_KEY, _LOAN_KEY])
    measured = RUNNING_LOANS.measure(paid.mutate(PAID=_.PAID.fill_null(0.0)))
    return aggregate_by_client(measured, values_of(_RUNNING_LOAN_FEATURES) | {"RUNNING_LOANS": _.count()})


SOURCE = Source(
    "installments",
    "Repayments of earlier loans",
    (CLEAN_INSTALLMENTS_PAYMENTS, CLEAN_PREVIOUS_APPLICATION),
    compute_installments_features,
    (*_INSTALMENT_FEATURES, *_LAST_INSTALMENT_FEATURES, *_LOAN_FEATURES, *_RUNNING_LOAN_FEATURES, *_DERIVED_FEATURES),
    (INSTALMENTS, LOANS, RUNNING_LOANS),
)
