"""Features of the credits at other lenders: `bureau` and its monthly history `bureau_balance`.

Units: amounts in currency, dates in days and months relative to the application (negative = before it).
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
    count_where,
    join_on_client,
    null_if,
    ols_slope,
    safe_ratio,
    summarise,
)

_CREDIT_KEY = "SK_ID_BUREAU"

# Ends written 40,000 days away and more are placeholders: no loan runs a century.
_MAX_DAYS = 40_000
# Above these the amounts are keying errors (one credit of 585 million, one overdue of 116 million).
_MAX_AMOUNTS = {
    "AMT_ANNUITY": 8e7,
    "AMT_CREDIT_SUM": 3e8,
    "AMT_CREDIT_SUM_DEBT": 1e8,
    "AMT_CREDIT_MAX_OVERDUE": 8e7,
    "AMT_CREDIT_SUM_OVERDUE": 8e7,
}

_TYPES = {
    "CONSUMER": ("Consumer credit",),
    "CARD": ("Credit card",),
    "CAR": ("Car loan",),
    "MORTGAGE": ("Mortgage", "Real estate loan"),
    "MICROLOAN": ("Microloan",),
}

_LATE_STATUSES = ("1", "2", "3", "4", "5")
_MONTH_WINDOWS = (6, 12, 24)
_WINDOW_SUFFIXES = ("", *(f"_{window}M" for window in _MONTH_WINDOWS))

_OVERALL = {
    "CREDITS": ("COUNT",),
    "ACTIVE": ("COUNT", "RATE"),
    "CLOSED": ("COUNT",),
    "DISTRESSED": ("COUNT",),
    "CREDIT": ("SUM", "MEAN", "MAX"),
    "DEBT": ("SUM", "MEAN", "MAX"),
    "LIMIT": ("SUM",),
    "OVERDUE": ("SUM",),
    "MAX_OVERDUE": ("MEAN", "MAX"),
    "ANNUITY": ("MEAN", "MAX"),
    "DAYS_CREDIT": ("MIN", "MAX", "MEAN", "STD"),
    "DURATION_DAYS": ("MEAN",),
    "PLANNED_END_DAYS": ("MAX", "MEAN"),
    "CLOSURE_DAYS": ("MAX", "MEAN"),
    "EARLY_CLOSURE_DAYS": ("MEAN", "MAX"),
    "UPDATE_DAYS": ("MAX", "MEAN"),
    "DAYS_OVERDUE": ("MAX",),
    "PROLONGATIONS": ("SUM",),
    "DEBT_TO_CREDIT": ("MEAN", "MAX"),
    "UNUSED_CREDIT": ("MAX", "SUM"),
    "GAP_DAYS": ("MIN", "MEAN"),
    "OVERDRAWN": ("RATE",),
    "EVER_OVERDUE": ("COUNT", "RATE"),
    "STILL_RUNNING": ("COUNT", "RATE"),
}
_OF_ACTIVE = {
    "CREDIT": ("SUM", "MAX"),
    "DEBT": ("SUM", "MEAN", "MAX"),
    "LIMIT": ("SUM",),
    "OVERDUE": ("SUM",),
    "MAX_OVERDUE": ("MAX",),
    "ANNUITY": ("SUM",),
    "DAYS_CREDIT": ("MIN", "MAX", "MEAN"),
    "REMAINING_DAYS": ("MAX", "SUM"),
    "UPDATE_DAYS": ("MAX",),
    "DEBT_TO_CREDIT": ("MEAN", "MAX"),
    "UNUSED_CREDIT": ("SUM",),
}
_OF_CLOSED = {"CREDIT": ("SUM", "MAX"), "DAYS_CREDIT": ("MAX",), "MAX_OVERDUE": ("MAX",)}
_BY_TYPE = {
    "CREDITS": ("COUNT",),
    "DEBT": ("SUM",),
    "DAYS_CREDIT": ("MAX",),
    "MAX_OVERDUE": ("MAX",),
}
_BY_DAYS = {"CREDIT": ("SUM",), "DEBT": ("SUM",), "MAX_OVERDUE": ("MAX",), "DEBT_TO_CREDIT": ("MEAN",)}
_BY_RANK = {"CREDIT": ("MEAN",), "DEBT_TO_CREDIT": ("MEAN",), "MAX_OVERDUE": ("MAX",)}


def clean_bureau(table: ir.Table) -> ir.Table:
    """Turn impossible amounts and dates into null.

    Args:
        table: Raw `bureau`, unique by SK_ID_BUREAU.

    Returns:
        The same columns. Credits dated after the application are left out.
    """
    cleaned = clean_missing_markers(table).filter(_.DAYS_CREDIT <= 0)
    return cleaned.mutate(
        **{column: null_if(_[column], _[column] > limit) for column, limit in _MAX_AMOUNTS.items()}
    ).mutate(
        DAYS_CREDIT_ENDDATE=null_if(_.DAYS_CREDIT_ENDDATE, _.DAYS_CREDIT_ENDDATE.abs() > _MAX_DAYS),
        # What happened after the application is not known on its day.
        DAYS_ENDDATE_FACT=null_if(_.DAYS_ENDDATE_FACT, (_.DAYS_ENDDATE_FACT < -_MAX_DAYS) | (_.DAYS_ENDDATE_FACT > 0)),
        DAYS_CREDIT_UPDATE=null_if(
            _.DAYS_CREDIT_UPDATE, (_.DAYS_CREDIT_UPDATE < -_MAX_DAYS) | (_.DAYS_CREDIT_UPDATE > 0)
        ),
        # A negative debt is an overpaid account. Its owner owes nothing, and it must not offset debts elsewhere.
        AMT_CREDIT_SUM_DEBT=_.AMT_CREDIT_SUM_DEBT.clip(lower=0.0),
        AMT_CREDIT_SUM_LIMIT=null_if(_.AMT_CREDIT_SUM_LIMIT, _.AMT_CREDIT_SUM_LIMIT < 0),
        # A credit of 0 is one whose amount was not reported.
        AMT_CREDIT_SUM=null_if(_.AMT_CREDIT_SUM, _.AMT_CREDIT_SUM <= 0),
        # An annuity of 0 is one the other lender did not give.
        AMT_ANNUITY=null_if(_.AMT_ANNUITY, _.AMT_ANNUITY <= 0),
    )


def clean_bureau_balance(table: ir.Table) -> ir.Table:
    """Keep the months up to the application.

    STATUS stays as it is: `C` closed, `X` unknown, `0` nothing past due, `1` to `5` ever later payments (5 = more
    than 120 days, sold or written off).

    Args:
        table: Raw `bureau_balance`, unique by SK_ID_BUREAU and MONTHS_BALANCE.

    Returns:
        The same columns. Months of credits without a `bureau` row stay; they belong to no client and join to nothing.
    """
    return clean_missing_markers(table).filter(_.MONTHS_BALANCE <= 0)


def compute_bureau_features(bureau: ir.Table, bureau_balance: ir.Table) -> ir.Table:
    """Summarise what other lenders reported about each client.

    Args:
        bureau: `clean_bureau`.
        bureau_balance: `clean_bureau_balance`.

    Returns:
        One row per SK_ID_CURR that has a bureau credit: BUREAU_* features, and BUREAU_BALANCE_* features that are
        null for clients none of whose credits has a monthly history.
    """
    credits = _with_credit_measures(bureau)
    months = _summarise_months(bureau_balance)
    return join_on_client(_summarise_credits(credits), _summarise_histories(credits, months))


def _with_credit_measures(bureau: ir.Table) -> ir.Table:
    by_client = ibis.window(group_by=CLIENT_KEY, order_by=[_.DAYS_CREDIT.desc(), _[_CREDIT_KEY].desc()])
    measured = bureau.mutate(
        CREDITS=True,
        ACTIVE=_.CREDIT_ACTIVE == "Active",
        CLOSED=_.CREDIT_ACTIVE == "Closed",
        DISTRESSED=_.CREDIT_ACTIVE.isin(("Sold", "Bad debt")),
        CREDIT=_.AMT_CREDIT_SUM,
        DEBT=_.AMT_CREDIT_SUM_DEBT,
        LIMIT=_.AMT_CREDIT_SUM_LIMIT,
        OVERDUE=_.AMT_CREDIT_SUM_OVERDUE,
        MAX_OVERDUE=_.AMT_CREDIT_MAX_OVERDUE,
        ANNUITY=_.AMT_ANNUITY,
        DURATION_DAYS=_.DAYS_CREDIT_ENDDATE - _.DAYS_CREDIT,
        REMAINING_DAYS=_.DAYS_CREDIT_ENDDATE.clip(lower=0),
        PLANNED_END_DAYS=_.DAYS_CREDIT_ENDDATE,
        CLOSURE_DAYS=_.DAYS_ENDDATE_FACT,
        EARLY_CLOSURE_DAYS=_.DAYS_CREDIT_ENDDATE - _.DAYS_ENDDATE_FACT,
        UPDATE_DAYS=_.DAYS_CREDIT_UPDATE,
        DAYS_OVERDUE=_.CREDIT_DAY_OVERDUE,
        PROLONGATIONS=_.CNT_CREDIT_PROLONG,
        DEBT_TO_CREDIT=safe_ratio(_.AMT_CREDIT_SUM_DEBT, _.AMT_CREDIT_SUM),
        UNUSED_CREDIT=_.AMT_CREDIT_SUM - _.AMT_CREDIT_SUM_DEBT,
        # Debt and credit where both are known, so that the ratio of their sums compares the same credits.
        DEBT_OF_KNOWN=null_if(_.AMT_CREDIT_SUM_DEBT, _.AMT_CREDIT_SUM.isnull()),
        CREDIT_OF_KNOWN=null_if(_.AMT_CREDIT_SUM, _.AMT_CREDIT_SUM_DEBT.isnull()),
        EVER_OVERDUE=_.AMT_CREDIT_MAX_OVERDUE > 0,
        STILL_RUNNING=_.DAYS_CREDIT_ENDDATE > 0,
        # Days since the client's previous credit.
        GAP_DAYS=_.DAYS_CREDIT - _.DAYS_CREDIT.lead().over(by_client),
        RANK=ibis.row_number().over(by_client) + 1,
    )
    return measured.mutate(OVERDRAWN=_.DEBT_TO_CREDIT > 1)


def _summarise_credits(credits: ir.Table) -> ir.Table:
    features = summarise("BUREAU", _OVERALL)
    features |= summarise("BUREAU", _OF_ACTIVE, subset="ACTIVE", where=_.ACTIVE)
    features |= summarise("BUREAU", _OF_CLOSED, subset="CLOSED", where=_.CLOSED)
    for subset, names in _TYPES.items():
        features |= summarise("BUREAU", _BY_TYPE, subset=subset, where=_.CREDIT_TYPE.isin(names))
    for days in (30, 90, 180, 365, 720):
        features |= summarise("BUREAU", {"CREDITS": ("COUNT",)}, window=f"{days}D", where=_.DAYS_CREDIT >= -days)
    for days in (180, 365, 1000):
        features |= summarise("BUREAU", _BY_DAYS, window=f"{days}D", where=_.DAYS_CREDIT >= -days)
    for last in (1, 3):
        features |= summarise("BUREAU", _BY_RANK, window=f"LAST_{last}", where=_.RANK <= last)
    features |= {
        "BUREAU_TYPES_COUNT": _.CREDIT_TYPE.nunique(),
        "BUREAU_CREDIT_SLOPE": ols_slope(_.CREDIT, _.DAYS_CREDIT, per=365),
        "BUREAU_DEBT_TO_CREDIT_RATIO": safe_ratio(_.DEBT_OF_KNOWN.sum(), _.CREDIT_OF_KNOWN.sum()),
        "BUREAU_DEBT_TO_CREDIT_RATIO_ACTIVE": safe_ratio(
            _.DEBT_OF_KNOWN.sum(where=_.ACTIVE), _.CREDIT_OF_KNOWN.sum(where=_.ACTIVE)
        ),
        "BUREAU_OVERDUE_TO_DEBT_RATIO": safe_ratio(_.OVERDUE.sum(), _.DEBT.sum()),
    }
    return aggregate_by_client(credits, features).mutate(
        BUREAU_CREDITS_365D_TO_ALL_RATIO=safe_ratio(_.BUREAU_CREDITS_COUNT_365D, _.BUREAU_CREDITS_COUNT)
    )


def _summarise_months(bureau_balance: ir.Table) -> ir.Table:
    """Reduce the monthly history to one row per bureau credit: counts and sums that add up to the client's own."""
    known = _.STATUS != "X"
    lengths = bureau_balance.group_by(_CREDIT_KEY).agg(
        MONTHS=_.count(),
        KNOWN=count_where(known),
        CLOSED_MONTHS=count_where(_.STATUS == "C"),
        OLDEST=_.MONTHS_BALANCE.min(),
        NEWEST=_.MONTHS_BALANCE.max(),
        **{f"KNOWN_{window}M": count_where(known & (_.MONTHS_BALANCE >= -window)) for window in _MONTH_WINDOWS},
    )
    # One month in a hundred is late: what concerns only late months is summed on those.
    late = bureau_balance.filter(_.STATUS.isin(_LATE_STATUSES)).mutate(
        SEVERITY=_.STATUS.cast("float64"), AGE=-_.MONTHS_BALANCE
    )
    columns = {
        "LATE": _.count(),
        "SERIOUSLY_LATE": count_where(_.SEVERITY > 1),
        "SEVERITY": _.SEVERITY.sum(),
        "DECAYED_SEVERITY": (_.SEVERITY / (1.0 + _.AGE)).sum(),
        "WORST": _.SEVERITY.max(),
        "LAST_LATE": _.MONTHS_BALANCE.max(),
    }
    for window in _MONTH_WINDOWS:
        columns |= {
            f"LATE_{window}M": count_where(_.AGE <= window),
            f"SEVERITY_{window}M": _.SEVERITY.sum(where=_.AGE <= window),
            f"WORST_{window}M": _.SEVERITY.max(where=_.AGE <= window),
        }
    lateness = late.group_by(_CREDIT_KEY).agg(**columns)
    months = lengths.left_join(lateness, _CREDIT_KEY, rname="{name}_right").drop(f"{_CREDIT_KEY}_right")
    # Known in some month and late in none is on time: severity 0. `X` throughout is unknown.
    return months.mutate(
        **{f"WORST{suffix}": _known_or_zero(f"WORST{suffix}", f"KNOWN{suffix}") for suffix in _WINDOW_SUFFIXES},
    )


def _known_or_zero(column: str, known: str) -> Expression:
    return (_[known] > 0).ifelse(_[column].fill_null(0.0), ibis.null("float64"))


def _summarise_histories(credits: ir.Table, months: ir.Table) -> ir.Table:
    histories = credits.select(CLIENT_KEY, _CREDIT_KEY, "ACTIVE").inner_join(months, _CREDIT_KEY)

    def total(column: str, where: Expression | None = None) -> Expression:
        return _[column].cast("float64").sum(where=where).fill_null(0.0)

    features = {
        "CREDITS_COUNT": _.count(),
        "MONTHS_SUM": total("MONTHS"),
        "MONTHS_MEAN": _.MONTHS.mean(),
        "MONTHS_BALANCE_MIN": _.OLDEST.min(),
        "MONTHS_BALANCE_MAX": _.NEWEST.max(),
        "LATE_MONTHS_BALANCE_MAX": _.LAST_LATE.max(),
        "LATE_COUNT": total("LATE"),
        "SERIOUSLY_LATE_COUNT": total("SERIOUSLY_LATE"),
        "SERIOUSLY_LATE_RATE": safe_ratio(total("SERIOUSLY_LATE"), total("KNOWN")),
        "LATE_RATE_ACTIVE": safe_ratio(total("LATE", _.ACTIVE), total("KNOWN", _.ACTIVE)),
        "SEVERITY_MAX_ACTIVE": _.WORST.max(where=_.ACTIVE),
        "CLOSED_RATE": safe_ratio(total("CLOSED_MONTHS"), total("MONTHS")),
        "UNKNOWN_RATE": safe_ratio(total("MONTHS") - total("KNOWN"), total("MONTHS")),
        "DECAYED_SEVERITY_SUM": total("DECAYED_SEVERITY"),
    }
    for suffix in _WINDOW_SUFFIXES:
        features |= {
            f"LATE_RATE{suffix}": safe_ratio(total(f"LATE{suffix}"), total(f"KNOWN{suffix}")),
            f"SEVERITY_MEAN{suffix}": safe_ratio(total(f"SEVERITY{suffix}"), total(f"KNOWN{suffix}")),
            f"SEVERITY_MAX{suffix}": _[f"WORST{suffix}"].max(),
        }
    return aggregate_by_client(histories, {f"BUREAU_BALANCE_{name}": value for name, value in features.items()})
