"""Features of the repayments of earlier loans, from `installments_payments`.

Units: amounts in currency, dates in days relative to the application (negative = before it). DELAY is the days
between due date and payment; DPD its part after the due date and DBD its part before, both 0 otherwise.
"""

# ruff: noqa: SIM300 - a column such as _.AMT_CREDIT is not the constant that Ruff takes it for

import functools

import ibis
import ibis.expr.types as ir
from ibis import _

from credit_scoring.features.expressions import (
    CLIENT_KEY,
    Expression,
    aggregate_by_client,
    clean_missing_markers,
    join_on_client,
    net_mean,
    null_if,
    partial_aggregates,
    partial_slope,
    safe_ratio,
    settle,
    slope_of_partials,
    summarise,
    summarise_partials,
)

_LOAN_KEY = "SK_ID_PREV"
# A card (version 0) restarts its numbering, so the due date belongs to the identity of an instalment.
_INSTALMENT_KEY = (CLIENT_KEY, _LOAN_KEY, "NUM_INSTALMENT_VERSION", "NUM_INSTALMENT_NUMBER", "DAYS_INSTALMENT")

# A difference below one unit is rounding, not an underpayment.
_TOLERANCE = 1.0
_FIRST_INSTALMENTS = 4
# A delay of eight years ago weighs a tenth of today's.
_DECAY_PER_DAY = 0.0003

_DAY_WINDOWS = (60, 90, 180, 365, 1000)
_LAST_WINDOWS = (1, 3, 5, 10)

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
_BY_RANK = {"DELAY": ("MEAN",), "DPD": ("MAX",), "PAYMENT": ("MEAN",)}
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
_SUMS_OF_RUNNING = tuple(f"INSTALLMENTS_{measure}_SUM_RUNNING" for measure in ("REMAINING_DEBT", "LEFT_TO_PAY"))


def clean_installments_payments(table: ir.Table) -> ir.Table:
    """Keep what was due and paid up to the application.

    Args:
        table: Raw `installments_payments`.

    Returns:
        The same columns. A missing payment (amount and date null) stays: it is an unpaid instalment. Equal rows stay:
        the table has no key, and two equal part payments on one day are two payments.
    """
    cleaned = clean_missing_markers(table).filter(_.DAYS_INSTALMENT <= 0)
    # A payment after the application has not happened yet.
    future = _.DAYS_ENTRY_PAYMENT > 0
    return cleaned.mutate(
        AMT_PAYMENT=null_if(_.AMT_PAYMENT, future), DAYS_ENTRY_PAYMENT=null_if(_.DAYS_ENTRY_PAYMENT, future)
    )


def compute_installments_features(installments_payments: ir.Table, previous_application: ir.Table) -> ir.Table:
    """Summarise how punctually and completely earlier instalments were paid, and what is left to pay.

    Args:
        installments_payments: `clean_installments_payments`.
        previous_application: `clean_previous_application`, for the amounts of the loans still running.

    Returns:
        One row per SK_ID_CURR that has an instalment: INSTALLMENTS_* features. An unpaid instalment counts in the
        amounts (nothing was paid) and in UNPAID, and has no delay. Windows in days are by due date, LAST_<k> are the
        k instalments due last, or the loan with the latest due date for a feature of loans. RUNNING are the approved
        loans that are not over; their sums are 0 for a client with instalments and no such loan.
    """
    instalments = _rank_instalments(_merge_split_payments(installments_payments))
    loans = _summarise_instalments_of_loans(instalments)
    features = functools.reduce(
        join_on_client,
        (
            _summarise_ages(instalments),
            _summarise_last_ones(instalments),
            _summarise_loans(loans),
            _summarise_running_loans(loans, previous_application),
        ),
    )
    return features.mutate(
        INSTALLMENTS_DPD_60D_TO_365D_RATIO=safe_ratio(_.INSTALLMENTS_DPD_MEAN_60D, _.INSTALLMENTS_DPD_MEAN_365D),
        INSTALLMENTS_LATE_365D_TO_ALL_RATIO=safe_ratio(_.INSTALLMENTS_LATE_RATE_365D, _.INSTALLMENTS_LATE_RATE),
        **{name: _.RUNNING_LOANS.isnull().ifelse(0.0, _[name]) for name in _SUMS_OF_RUNNING},
    ).drop("RUNNING_LOANS")


def _merge_split_payments(installments_payments: ir.Table) -> ir.Table:
    """Add up the payments of one instalment: it is settled on the day of the last one.

    Each of its rows repeats the amount due, hence the maximum.
    """
    return installments_payments.group_by(*_INSTALMENT_KEY).agg(
        ENTRY_DAYS=_.DAYS_ENTRY_PAYMENT.max(),
        PAYMENT=_.AMT_PAYMENT.sum().fill_null(0.0),
        INSTALMENT=_.AMT_INSTALMENT.max(),
    )


def _rank_instalments(instalments: ir.Table) -> ir.Table:
    """Number the instalments of a client from the one due last.

    Only these few columns are held while every summary reads them; each derives the measures that it needs.
    """
    by_client = ibis.window(
        group_by=CLIENT_KEY,
        order_by=[
            _.DAYS_INSTALMENT.desc(),
            _[_LOAN_KEY].desc(),
            _.NUM_INSTALMENT_NUMBER.desc(),
            _.NUM_INSTALMENT_VERSION.desc(),
        ],
    )
    return instalments.mutate(RANK=ibis.row_number().over(by_client) + 1)


def _measures() -> dict[str, Expression]:
    delay = _.ENTRY_DAYS - _.DAYS_INSTALMENT
    late, dpd, shortfall = delay > 0, delay.clip(lower=0), settle(_.INSTALMENT - _.PAYMENT)
    first = (_.NUM_INSTALMENT_VERSION > 0) & (_.NUM_INSTALMENT_NUMBER <= _FIRST_INSTALMENTS)
    return {
        "INSTALMENTS": ibis.literal(True),
        "DELAY": delay,
        "LATE": late,
        "LATE_OVER_30_DAYS": delay > 30,
        "FIRST_INSTALMENTS_LATE": null_if(late, ~first.fill_null(False)),
        "DPD": dpd,
        "DECAYED_DPD": dpd * (1 + _DECAY_PER_DAY * _.DAYS_INSTALMENT),
        "DBD": (-delay).clip(lower=0),
        "UNPAID": _.ENTRY_DAYS.isnull(),
        "SHORTFALL": shortfall,
        "UNDERPAID": shortfall > _TOLERANCE,
        "PAYMENT": _.PAYMENT,
        "INSTALMENT": _.INSTALMENT,
        "PAYMENT_TO_INSTALMENT": safe_ratio(_.PAYMENT, _.INSTALMENT),
        "ENTRY_DAYS": _.ENTRY_DAYS,
        "LATE_DUE_DAYS": null_if(_.DAYS_INSTALMENT, ~late.fill_null(False)),
        "VERSION": _.NUM_INSTALMENT_VERSION,
    }


def _with_measures(instalments: ir.Table, *names: str, **columns: Expression) -> ir.Table:
    measures = _measures()
    return instalments.select(CLIENT_KEY, **{name: measures[name] for name in names}, **columns)


def _smallest_window(value: Expression, windows: tuple[int, ...]) -> Expression:
    """Name each row by the narrowest window that holds it; null outside all of them."""
    return ibis.cases(*((value <= window, window) for window in windows), else_=ibis.null("int32"))


def _summarise_ages(instalments: ir.Table) -> ir.Table:
    """Reduce the instalments to one row per client and age, then to one per client."""
    due = _.DAYS_INSTALMENT
    measured = _with_measures(instalments, *_OVERALL, DUE=due, AGE=_smallest_window(-due, _DAY_WINDOWS))
    ages = measured.group_by(CLIENT_KEY, "AGE").agg(**partial_aggregates(_OVERALL), **partial_slope("DPD", "DUE"))
    features = summarise_partials("INSTALLMENTS", _OVERALL)
    for days in _DAY_WINDOWS:
        features |= summarise_partials("INSTALLMENTS", _BY_DAYS, window=f"{days}D", where=_.AGE <= days)
    for days in (90, 365):
        features |= summarise_partials(
            "INSTALLMENTS", {"INSTALMENTS": ("COUNT",), "PAYMENT": ("SUM",)}, window=f"{days}D", where=_.AGE <= days
        )
    shortfall = settle(_.SHORTFALL_SUM.sum())  # as of `net_mean`: what one payment lacks another may exceed
    features |= {
        "INSTALLMENTS_SHORTFALL_SUM": shortfall,
        "INSTALLMENTS_SHORTFALL_MEAN": safe_ratio(shortfall, _.SHORTFALL_N.sum()),
        "INSTALLMENTS_DPD_SLOPE": slope_of_partials("DPD", per=365),
        "INSTALLMENTS_DPD_SLOPE_365D": slope_of_partials("DPD", where=_.AGE <= 365, per=365),
    }
    return aggregate_by_client(ages, features)


def _summarise_last_ones(instalments: ir.Table) -> ir.Table:
    last_ones = instalments.filter(_.RANK <= max(_LAST_WINDOWS))
    features: dict[str, Expression] = {}
    for last in _LAST_WINDOWS:
        features |= summarise("INSTALLMENTS", _BY_RANK, window=f"LAST_{last}", where=_.RANK <= last)
        features[f"INSTALLMENTS_SHORTFALL_MEAN_LAST_{last}"] = net_mean(_.SHORTFALL, where=_.RANK <= last)
    return aggregate_by_client(_with_measures(last_ones, *_BY_RANK, "SHORTFALL", RANK=_.RANK), features)


def _summarise_instalments_of_loans(instalments: ir.Table) -> ir.Table:
    measured = _with_measures(
        instalments,
        "LATE",
        "FIRST_INSTALMENTS_LATE",
        "DPD",
        "PAYMENT",
        "INSTALMENT",
        "PAYMENT_TO_INSTALMENT",
        DUE=_.DAYS_INSTALMENT,
        **{_LOAN_KEY: _[_LOAN_KEY]},
    )
    return measured.group_by(CLIENT_KEY, _LOAN_KEY).agg(
        LAST_DUE=_.DUE.max(),
        PAID=_.PAYMENT.sum(),
        LOAN_LATE_SHARE=_.LATE.cast("float64").mean(),
        LOAN_FIRST_LATE_SHARE=_.FIRST_INSTALMENTS_LATE.cast("float64").mean(),
        LOAN_MEAN_DPD=_.DPD.mean(),
        LOAN_WORST_DPD=_.DPD.max(),
        LOAN_PAID_SHARE=safe_ratio(_.PAYMENT.sum(), _.INSTALMENT.sum()),
        LOAN_PAYMENT_TO_INSTALMENT=_.PAYMENT_TO_INSTALMENT.mean(where=_.DUE >= -1000),
    )


def _summarise_loans(loans: ir.Table) -> ir.Table:
    """Average over loans, so that a long loan does not hide a short one."""
    by_client = ibis.window(group_by=CLIENT_KEY, order_by=[_.LAST_DUE.desc(), _[_LOAN_KEY].desc()])
    ranked = loans.mutate(LOANS=True, RANK=ibis.row_number().over(by_client) + 1)
    features = summarise("INSTALLMENTS", _OF_LOANS)
    features |= summarise("INSTALLMENTS", {"LOAN_PAYMENT_TO_INSTALMENT": ("MEAN",)}, window="1000D")
    features |= summarise("INSTALLMENTS", _OF_LAST_LOAN, window="LAST_1", where=_.RANK == 1)
    return aggregate_by_client(ranked, features)


def _summarise_running_loans(loans: ir.Table, previous_application: ir.Table) -> ir.Table:
    """Set what was paid on the loans still running against what was borrowed; no instalment yet is nothing paid."""
    running = previous_application.filter(_.FLAG_RUNNING & (_.NAME_CONTRACT_STATUS == "Approved")).select(
        CLIENT_KEY, _LOAN_KEY, CREDIT="AMT_CREDIT", ALL_PAYMENTS=_.AMT_ANNUITY * _.CNT_PAYMENT
    )
    paid = running.left_join(loans.select(CLIENT_KEY, _LOAN_KEY, "PAID"), [CLIENT_KEY, _LOAN_KEY])
    measured = paid.mutate(PAID=_.PAID.fill_null(0.0)).mutate(
        REMAINING_DEBT=settle(_.CREDIT - _.PAID).clip(lower=0.0),
        LEFT_TO_PAY=settle(_.ALL_PAYMENTS - _.PAID).clip(lower=0.0),
        LOAN_REPAID_SHARE=safe_ratio(_.PAID, _.CREDIT),
    )
    features = summarise("INSTALLMENTS", _OF_RUNNING, subset="RUNNING")
    return aggregate_by_client(measured, features | {"RUNNING_LOANS": _.count()})
