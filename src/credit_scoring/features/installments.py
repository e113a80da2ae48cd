"""Features of the repayments of earlier loans, from `installments_payments`.

Units: amounts in currency, dates in days relative to the application (negative = before it). DELAY is the days
between due date and payment; DPD its part after the due date and DBD its part before, both 0 otherwise.
"""

# ruff: noqa: SIM300 - a column such as _.AMT_CREDIT is not the constant that Ruff takes it for

import ibis
import ibis.expr.types as ir
from ibis import _

from credit_scoring.features.expressions import (
    CLIENT_KEY,
    Expression,
    aggregate_by_client,
    clean_missing_markers,
    join_on_client,
    merge_partials,
    null_if,
    partial_aggregates,
    partial_slope,
    safe_ratio,
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
_BY_RANK = {"DELAY": ("MEAN",), "DPD": ("MAX",), "SHORTFALL": ("MEAN",), "PAYMENT": ("MEAN",)}


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


def compute_installments_features(installments_payments: ir.Table) -> ir.Table:
    """Summarise how punctually and completely earlier instalments were paid.

    Args:
        installments_payments: `clean_installments_payments`.

    Returns:
        One row per SK_ID_CURR that has an instalment: INSTALLMENTS_* features. An unpaid instalment counts in the
        amounts (nothing was paid) and in UNPAID, and has no delay. Windows in days are by due date, LAST_<k> are the
        k instalments due last.
    """
    instalments = _with_instalment_measures(_merge_split_payments(installments_payments))
    parts = _summarise_parts(instalments)
    features = join_on_client(
        join_on_client(_summarise_ages(parts), _summarise_last_ones(parts)), _summarise_loans(parts)
    )
    return features.mutate(
        INSTALLMENTS_DPD_60D_TO_365D_RATIO=safe_ratio(_.INSTALLMENTS_DPD_MEAN_60D, _.INSTALLMENTS_DPD_MEAN_365D),
        INSTALLMENTS_LATE_365D_TO_ALL_RATIO=safe_ratio(_.INSTALLMENTS_LATE_RATE_365D, _.INSTALLMENTS_LATE_RATE),
    )


def _merge_split_payments(installments_payments: ir.Table) -> ir.Table:
    """Add up the payments of one instalment: it is settled on the day of the last one.

    Each of its rows repeats the amount due, hence the maximum.
    """
    return installments_payments.group_by(*_INSTALMENT_KEY).agg(
        ENTRY_DAYS=_.DAYS_ENTRY_PAYMENT.max(),
        PAYMENT=_.AMT_PAYMENT.sum().fill_null(0.0),
        INSTALMENT=_.AMT_INSTALMENT.max(),
    )


def _with_instalment_measures(instalments: ir.Table) -> ir.Table:
    by_client = ibis.window(
        group_by=CLIENT_KEY,
        order_by=[
            _.DAYS_INSTALMENT.desc(),
            _[_LOAN_KEY].desc(),
            _.NUM_INSTALMENT_NUMBER.desc(),
            _.NUM_INSTALMENT_VERSION.desc(),
        ],
    )
    measured = instalments.mutate(
        DELAY=_.ENTRY_DAYS - _.DAYS_INSTALMENT,
        SHORTFALL=_.INSTALMENT - _.PAYMENT,
        PAYMENT_TO_INSTALMENT=safe_ratio(_.PAYMENT, _.INSTALMENT),
        RANK=ibis.row_number().over(by_client) + 1,
    )
    late = _.DELAY > 0
    first = (_.NUM_INSTALMENT_VERSION > 0) & (_.NUM_INSTALMENT_NUMBER <= _FIRST_INSTALMENTS)
    return measured.mutate(
        INSTALMENTS=True,
        LATE=late,
        LATE_OVER_30_DAYS=_.DELAY > 30,
        FIRST_INSTALMENTS_LATE=null_if(late, ~first.fill_null(False)),
        DPD=_.DELAY.clip(lower=0),
        DECAYED_DPD=_.DELAY.clip(lower=0) * (1 + _DECAY_PER_DAY * _.DAYS_INSTALMENT),
        DBD=(-_.DELAY).clip(lower=0),
        UNPAID=_.ENTRY_DAYS.isnull(),
        UNDERPAID=_.SHORTFALL > _TOLERANCE,
        LATE_DUE_DAYS=null_if(_.DAYS_INSTALMENT, ~late.fill_null(False)),
        VERSION=_.NUM_INSTALMENT_VERSION,
        AGE=_smallest_window(-_.DAYS_INSTALMENT, _DAY_WINDOWS),
        RECENCY=_smallest_window(_.RANK, _LAST_WINDOWS),
    )


def _smallest_window(value: Expression, windows: tuple[int, ...]) -> Expression:
    """Name each row by the narrowest window that holds it; null outside all of them."""
    return ibis.cases(*((value <= window, window) for window in windows), else_=ibis.null("int32"))


def _summarise_parts(instalments: ir.Table) -> ir.Table:
    """Reduce the instalments to one row per client, loan, age and recency."""
    return instalments.group_by(CLIENT_KEY, _LOAN_KEY, "AGE", "RECENCY").agg(
        **partial_aggregates(_OVERALL), **partial_slope("DPD", "DAYS_INSTALMENT"), LAST_DUE=_.DAYS_INSTALMENT.max()
    )


def _summarise_ages(parts: ir.Table) -> ir.Table:
    keys = (CLIENT_KEY, _LOAN_KEY, "AGE", "RECENCY", "LAST_DUE")
    ages = parts.group_by(CLIENT_KEY, "AGE").agg(
        **merge_partials([column for column in parts.columns if column not in keys])
    )
    features = summarise_partials("INSTALLMENTS", _OVERALL)
    for days in _DAY_WINDOWS:
        features |= summarise_partials("INSTALLMENTS", _BY_DAYS, window=f"{days}D", where=_.AGE <= days)
    for days in (90, 365):
        features |= summarise_partials(
            "INSTALLMENTS", {"INSTALMENTS": ("COUNT",), "PAYMENT": ("SUM",)}, window=f"{days}D", where=_.AGE <= days
        )
    features |= {
        "INSTALLMENTS_DPD_SLOPE": slope_of_partials("DPD", per=365),
        "INSTALLMENTS_DPD_SLOPE_365D": slope_of_partials("DPD", where=_.AGE <= 365, per=365),
    }
    return aggregate_by_client(ages, features)


def _summarise_last_ones(parts: ir.Table) -> ir.Table:
    features: dict[str, Expression] = {}
    for last in _LAST_WINDOWS:
        features |= summarise_partials("INSTALLMENTS", _BY_RANK, window=f"LAST_{last}", where=_.RECENCY <= last)
    return aggregate_by_client(parts.filter(_.RECENCY.notnull()), features)


def _summarise_loans(parts: ir.Table) -> ir.Table:
    """Average over loans, so that a long loan does not hide a short one."""
    recent = _.AGE <= 1000
    loans = parts.group_by(CLIENT_KEY, _LOAN_KEY).agg(
        LAST_DUE=_.LAST_DUE.max(),
        LOAN_LATE_SHARE=safe_ratio(_.LATE_SUM.sum(), _.LATE_N.sum()),
        LOAN_WORST_DPD=_.DPD_MAX.max(),
        LOAN_PAID_SHARE=safe_ratio(_.PAYMENT_SUM.sum(), _.INSTALMENT_SUM.sum()),
        LOAN_PAYMENT_TO_INSTALMENT=safe_ratio(
            _.PAYMENT_TO_INSTALMENT_SUM.sum(where=recent), _.PAYMENT_TO_INSTALMENT_N.sum(where=recent)
        ),
    )
    by_client = ibis.window(group_by=CLIENT_KEY, order_by=[_.LAST_DUE.desc(), _[_LOAN_KEY].desc()])
    ranked = loans.mutate(LOANS=True, RANK=ibis.row_number().over(by_client) + 1)
    features = summarise(
        "INSTALLMENTS",
        {
            "LOANS": ("COUNT",),
            "LOAN_LATE_SHARE": ("MEAN", "MAX"),
            "LOAN_WORST_DPD": ("MEAN",),
            "LOAN_PAID_SHARE": ("MEAN", "MIN"),
        },
    )
    features |= summarise("INSTALLMENTS", {"LOAN_PAYMENT_TO_INSTALMENT": ("MEAN",)}, window="1000D")
    features |= summarise(
        "INSTALLMENTS",
        {"LOAN_LATE_SHARE": ("MEAN",), "LOAN_WORST_DPD": ("MEAN",), "LOAN_PAID_SHARE": ("MEAN",)},
        window="LAST_1",
        where=_.RANK == 1,
    )
    return aggregate_by_client(ranked, features)
