"""Features of the monthly balances of earlier point-of-sale and cash loans, from `POS_CASH_balance`.

Units: months and days relative to the application (negative = before it); SK_DPD is days past due, SK_DPD_DEF the same
leaving out small debts.
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
    null_if,
    ols_slope,
    safe_ratio,
    summarise,
)

_LOAN_KEY = "SK_ID_PREV"
_WINDOWS = (6, 12, 24)

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


def clean_pos_cash_balance(table: ir.Table) -> ir.Table:
    """Keep the months up to the application and turn impossible instalment counts into null.

    Args:
        table: Raw `POS_CASH_balance`, unique by SK_ID_PREV and MONTHS_BALANCE.

    Returns:
        The same columns. Loans missing from `previous_application` stay: SK_ID_CURR places them.
    """
    cleaned = clean_missing_markers(table).filter(_.MONTHS_BALANCE <= 0)
    return cleaned.mutate(
        CNT_INSTALMENT=null_if(_.CNT_INSTALMENT, _.CNT_INSTALMENT <= 0),
        # No more instalments can be left than the loan has.
        CNT_INSTALMENT_FUTURE=null_if(
            _.CNT_INSTALMENT_FUTURE, (_.CNT_INSTALMENT_FUTURE < 0) | (_.CNT_INSTALMENT_FUTURE > _.CNT_INSTALMENT)
        ),
    )


def compute_pos_cash_features(pos_cash_balance: ir.Table) -> ir.Table:
    """Summarise arrears, instalments left and outcomes of earlier loans.

    Args:
        pos_cash_balance: `clean_pos_cash_balance`.

    Returns:
        One row per SK_ID_CURR that has a monthly loan balance: POS_CASH_* features. Windows are in months, LAST_<k>
        are the k loans whose balance was reported last.
    """
    return _summarise_loans(_summarise_months(pos_cash_balance))


def _summarise_months(pos_cash_balance: ir.Table) -> ir.Table:
    """Reduce the months to one row per loan, holding counts and sums that add up to the client's own."""
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
        recent = _.MONTHS_BALANCE >= -window
        columns |= {
            f"MONTHS_{window}M": count_where(recent),
            f"LATE_{window}M": count_where(late & recent),
            f"DPD_SUM_{window}M": _.SK_DPD.cast("float64").sum(where=recent),
            f"DPD_{window}M": _.SK_DPD.max(where=recent),
            f"DPD_DEF_{window}M": _.SK_DPD_DEF.max(where=recent),
        }
    return pos_cash_balance.group_by(CLIENT_KEY, _LOAN_KEY).agg(**columns)


def _summarise_loans(loans: ir.Table) -> ir.Table:
    by_client = ibis.window(group_by=CLIENT_KEY, order_by=[_.NEWEST.desc(), _[_LOAN_KEY].desc()])
    # Completed in its last month, rather than completed once and open again.
    completed = (_.COMPLETED_IN == _.NEWEST).fill_null(False)
    measured = loans.mutate(
        LOANS=True,
        COMPLETED=completed,
        COMPLETED_EARLY=completed & (_.LAST_TERM < _.TERM),
        TERM_CHANGE=_.TERM - _.LAST_TERM,
        REMAINING_TO_TERM=safe_ratio(_.REMAINING, _.LAST_TERM),
        RANK=ibis.row_number().over(by_client) + 1,
    )
    features = summarise("POS_CASH", _OVERALL)
    for last in (1, 3):
        features |= summarise("POS_CASH", _BY_RANK, window=f"LAST_{last}", where=_.RANK <= last)

    def total(column: str) -> Expression:
        return _[column].cast("float64").sum().fill_null(0.0)

    features |= {
        "POS_CASH_MONTHS_BALANCE_MIN": _.OLDEST.min(),
        "POS_CASH_MONTHS_BALANCE_MAX": _.NEWEST.max(),
        "POS_CASH_LATE_MONTHS_BALANCE_MAX": _.LAST_LATE.max(),
        "POS_CASH_LATE_RATE": safe_ratio(total("LATE_MONTHS"), total("MONTHS")),
        "POS_CASH_SERIOUSLY_LATE_RATE": safe_ratio(total("SERIOUSLY_LATE"), total("MONTHS")),
        "POS_CASH_ACTIVE_RATE": safe_ratio(total("ACTIVE_MONTHS"), total("MONTHS")),
        "POS_CASH_SIGNED_RATE": safe_ratio(total("SIGNED_MONTHS"), total("MONTHS")),
        "POS_CASH_TROUBLED_RATE": safe_ratio(total("TROUBLED_MONTHS"), total("MONTHS")),
        "POS_CASH_DPD_SUM": total("DPD_SUM"),
        "POS_CASH_DPD_MEAN": safe_ratio(total("DPD_SUM"), total("MONTHS")),
        "POS_CASH_DPD_DEF_SUM": total("DPD_DEF_SUM"),
        "POS_CASH_DPD_DEF_MEAN": safe_ratio(total("DPD_DEF_SUM"), total("MONTHS")),
        "POS_CASH_REMAINING_TO_TERM_RATIO": safe_ratio(total("REMAINING"), total("LAST_TERM")),
    }
    for window in _WINDOWS:
        suffix = f"{window}M"
        features |= {
            f"POS_CASH_LATE_RATE_{suffix}": safe_ratio(total(f"LATE_{suffix}"), total(f"MONTHS_{suffix}")),
            f"POS_CASH_DPD_MEAN_{suffix}": safe_ratio(total(f"DPD_SUM_{suffix}"), total(f"MONTHS_{suffix}")),
            f"POS_CASH_DPD_MAX_{suffix}": _[f"DPD_{suffix}"].max(),
            f"POS_CASH_DPD_DEF_MAX_{suffix}": _[f"DPD_DEF_{suffix}"].max(),
        }
    features["POS_CASH_MONTHS_SUM_12M"] = total("MONTHS_12M")
    return aggregate_by_client(measured, features).mutate(
        POS_CASH_DPD_6M_TO_24M_RATIO=safe_ratio(_.POS_CASH_DPD_MEAN_6M, _.POS_CASH_DPD_MEAN_24M)
    )
