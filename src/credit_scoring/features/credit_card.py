"""Features of the monthly balances of credit cards held with this lender, from `credit_card_balance`.

Units: amounts in currency, months relative to the application (negative = before it).
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
    net_mean,
    null_if,
    ols_slope,
    safe_ratio,
    settle,
    summarise,
)

_DRAWINGS = (
    "AMT_DRAWINGS_ATM_CURRENT",
    "AMT_DRAWINGS_CURRENT",
    "AMT_DRAWINGS_OTHER_CURRENT",
    "AMT_DRAWINGS_POS_CURRENT",
)

_OVERALL = {
    "MONTHS": ("COUNT",),
    "CARDS": ("MAX",),
    "MONTHS_BALANCE": ("MIN", "MAX"),
    "BALANCE": ("MEAN", "MAX"),
    "LIMIT": ("MEAN", "MAX", "MIN"),
    "UTILISATION": ("MEAN", "MAX"),
    "OVER_80_PERCENT": ("RATE",),
    "OVER_LIMIT": ("RATE",),
    "DRAWINGS": ("SUM", "MEAN", "MAX"),
    "ATM_DRAWINGS": ("SUM", "MEAN"),
    "DRAWINGS_NUMBER": ("MEAN", "MAX"),
    "ATM_DRAWINGS_NUMBER": ("MEAN",),
    "ATM_USED": ("RATE",),
    "DRAWN": ("RATE",),
    "DRAWINGS_TO_LIMIT": ("MEAN", "MAX"),
    "PAYMENT": ("MEAN",),
    "PAYMENT_TO_MINIMUM": ("MEAN", "MIN"),
    "MINIMUM_MISSED": ("RATE",),
    "PRINCIPAL_TO_RECEIVABLE": ("MEAN",),
    "MATURE_INSTALMENTS": ("MAX",),
    "ACTIVE": ("RATE",),
    "DPD": ("MAX", "SUM"),
    "DPD_DEF": ("MAX", "SUM"),
    "LATE": ("RATE",),
    "SERIOUSLY_LATE": ("RATE",),
}
_BY_MONTHS = {
    "BALANCE": ("MEAN",),
    "UTILISATION": ("MEAN", "MAX"),
    "DRAWINGS": ("SUM",),
    "ATM_USED": ("RATE",),
    "MINIMUM_MISSED": ("RATE",),
    "LATE": ("RATE",),
}
_BY_RANK = {
    "BALANCE": ("MEAN",),
    "UTILISATION": ("MAX",),
    "DRAWINGS": ("MEAN",),
    "PAYMENT": ("MEAN",),
    "LIMIT": ("MEAN",),
}


def clean_credit_card_balance(table: ir.Table) -> ir.Table:
    """Keep the months up to the application and turn impossible limits and drawings into null.

    Args:
        table: Raw `credit_card_balance`, unique by SK_ID_PREV and MONTHS_BALANCE.

    Returns:
        The same columns.
    """
    cleaned = clean_missing_markers(table).filter(_.MONTHS_BALANCE <= 0)
    return cleaned.mutate(
        # A negative balance is the card holder's own money on the card: nothing is owed.
        AMT_BALANCE=_.AMT_BALANCE.clip(lower=0.0),
        # No credit can be used on a card without a limit: its utilisation is unknown, not infinite.
        AMT_CREDIT_LIMIT_ACTUAL=null_if(_.AMT_CREDIT_LIMIT_ACTUAL, _.AMT_CREDIT_LIMIT_ACTUAL <= 0),
        # A negative drawing is a refund booked in the wrong column.
        **{column: null_if(_[column], _[column] < 0) for column in _DRAWINGS},
    )


def compute_credit_card_features(credit_card_balance: ir.Table) -> ir.Table:
    """Summarise how much of the card limit was used and how it was paid back.

    Args:
        credit_card_balance: `clean_credit_card_balance`.

    Returns:
        One row per SK_ID_CURR that holds a card: CREDIT_CARD_* features. Windows are in months, LAST_<k> are the k
        latest months reported.
    """
    months = _with_month_measures(_merge_cards(credit_card_balance))
    return aggregate_by_client(months, _client_features()).mutate(
        CREDIT_CARD_BALANCE_3M_TO_12M_RATIO=safe_ratio(_.CREDIT_CARD_BALANCE_MEAN_3M, _.CREDIT_CARD_BALANCE_MEAN_12M),
        CREDIT_CARD_DRAWINGS_3M_TO_12M_RATIO=safe_ratio(_.CREDIT_CARD_DRAWINGS_SUM_3M, _.CREDIT_CARD_DRAWINGS_SUM_12M),
    )


def _merge_cards(credit_card_balance: ir.Table) -> ir.Table:
    """Add up the cards of a client in each month, so that "the last month" is one row."""
    return credit_card_balance.group_by(CLIENT_KEY, "MONTHS_BALANCE").agg(
        CARDS=_.count(),
        BALANCE=_.AMT_BALANCE.sum(),
        LIMIT=_.AMT_CREDIT_LIMIT_ACTUAL.cast("float64").sum(),
        DRAWINGS=_.AMT_DRAWINGS_CURRENT.sum(),
        ATM_DRAWINGS=_.AMT_DRAWINGS_ATM_CURRENT.sum(),
        DRAWINGS_NUMBER=_.CNT_DRAWINGS_CURRENT.cast("float64").sum(),
        ATM_DRAWINGS_NUMBER=_.CNT_DRAWINGS_ATM_CURRENT.sum(),
        MINIMUM=_.AMT_INST_MIN_REGULARITY.sum(),
        PAYMENT=_.AMT_PAYMENT_CURRENT.sum(),
        PRINCIPAL=_.AMT_RECEIVABLE_PRINCIPAL.sum(),
        RECEIVABLE=_.AMT_TOTAL_RECEIVABLE.sum(),
        MATURE_INSTALMENTS=_.CNT_INSTALMENT_MATURE_CUM.max(),
        ACTIVE=(_.NAME_CONTRACT_STATUS == "Active").max(),
        DPD=_.SK_DPD.max(),
        DPD_DEF=_.SK_DPD_DEF.max(),
    )


def _with_month_measures(months: ir.Table) -> ir.Table:
    by_client = ibis.window(group_by=CLIENT_KEY, order_by=_.MONTHS_BALANCE.desc())
    measured = months.mutate(
        UTILISATION=safe_ratio(_.BALANCE, _.LIMIT),
        DRAWINGS_TO_LIMIT=safe_ratio(_.DRAWINGS, _.LIMIT),
        PAYMENT_TO_MINIMUM=safe_ratio(_.PAYMENT, _.MINIMUM),
        PAYMENT_MINIMUM_GAP=_.PAYMENT - _.MINIMUM,
        PRINCIPAL_TO_RECEIVABLE=safe_ratio(_.PRINCIPAL, _.RECEIVABLE),
        RANK=ibis.row_number().over(by_client) + 1,
    )
    return measured.mutate(
        MONTHS=True,
        OVER_80_PERCENT=_.UTILISATION > 0.8,
        OVER_LIMIT=_.UTILISATION > 1,
        ATM_USED=_.ATM_DRAWINGS > 0,
        DRAWN=_.DRAWINGS > 0,
        # Only a month in which something was due can be missed.
        MINIMUM_MISSED=null_if(_.PAYMENT_MINIMUM_GAP < 0, _.MINIMUM <= 0),
        LATE=_.DPD > 0,
        SERIOUSLY_LATE=_.DPD_DEF > 0,
    )


def _client_features() -> dict[str, Expression]:
    features = summarise("CREDIT_CARD", _OVERALL)
    for months in (3, 6, 12):
        features |= summarise("CREDIT_CARD", _BY_MONTHS, window=f"{months}M", where=_.MONTHS_BALANCE >= -months)
    for last in (1, 3):
        features |= summarise("CREDIT_CARD", _BY_RANK, window=f"LAST_{last}", where=_.RANK <= last)
    last_year, known = _.MONTHS_BALANCE >= -12, _.BALANCE.notnull()
    # From end to end: the changes in between cancel out.
    change = _.BALANCE.argmax(_.MONTHS_BALANCE, where=known) - _.BALANCE.argmin(_.MONTHS_BALANCE, where=known)
    return features | {
        "CREDIT_CARD_BALANCE_CHANGE_MEAN": safe_ratio(settle(change), _.BALANCE.count() - 1),
        "CREDIT_CARD_PAYMENT_MINIMUM_GAP_MEAN": net_mean(_.PAYMENT_MINIMUM_GAP),
        "CREDIT_CARD_LATE_MONTHS_BALANCE_MAX": _.MONTHS_BALANCE.max(where=_.LATE),
        "CREDIT_CARD_OVER_90_PERCENT_MONTHS_BALANCE_MAX": _.MONTHS_BALANCE.max(where=_.UTILISATION > 0.9),
        "CREDIT_CARD_BALANCE_SLOPE_12M": ols_slope(_.BALANCE, _.MONTHS_BALANCE, where=last_year, per=12),
        "CREDIT_CARD_UTILISATION_SLOPE_12M": ols_slope(_.UTILISATION, _.MONTHS_BALANCE, where=last_year, per=12),
        "CREDIT_CARD_ATM_DRAWINGS_TO_DRAWINGS_RATIO": safe_ratio(_.ATM_DRAWINGS.sum(), _.DRAWINGS.sum()),
    }
