"""Features of the earlier applications to this lender, from `previous_application`.

Units: amounts in currency, dates in days relative to the current application (negative = before it).
"""

# ruff: noqa: SIM300 - a column such as _.AMT_CREDIT is not the constant that Ruff takes it for

import ibis
import ibis.expr.types as ir
from ibis import _

from credit_scoring.features.expressions import (
    CLIENT_KEY,
    DAYS_PER_MONTH,
    DAYS_SENTINEL,
    aggregate_by_client,
    clean_missing_markers,
    feature_name,
    null_if,
    ols_slope,
    safe_ratio,
    summarise,
    yearly_interest_rate,
)

_LOAN_KEY = "SK_ID_PREV"

_PAST_DATES = ("DAYS_FIRST_DRAWING", "DAYS_FIRST_DUE", "DAYS_LAST_DUE", "DAYS_TERMINATION")
_POSITIVE_AMOUNTS = ("AMT_APPLICATION", "AMT_CREDIT", "AMT_GOODS_PRICE", "AMT_ANNUITY")

_CONTRACT_TYPES = {"CASH": "Cash loans", "CONSUMER": "Consumer loans", "REVOLVING": "Revolving loans"}
_REJECT_REASONS = ("HC", "LIMIT", "SCO", "SCOFR")

_OVERALL = {
    "APPLICATIONS": ("COUNT",),
    "APPROVED": ("COUNT", "RATE"),
    "REFUSED": ("COUNT", "RATE"),
    "CANCELED": ("COUNT", "RATE"),
    "UNUSED": ("COUNT",),
    "RUNNING": ("COUNT", "RATE"),
    "CREDIT": ("MEAN", "MAX", "MIN"),
    "REQUESTED": ("MEAN", "MAX"),
    "ANNUITY": ("MEAN", "MAX"),
    "DOWN_PAYMENT": ("MAX",),
    "DOWN_PAYMENT_SHARE": ("MEAN", "MAX"),
    "TERM": ("MEAN", "MAX"),
    "DAYS_DECISION": ("MAX", "MIN", "MEAN", "STD"),
    "REQUESTED_TO_CREDIT": ("MIN", "MEAN", "MAX", "STD"),
    "REQUESTED_CREDIT_GAP": ("MEAN", "MAX"),
    "CREDIT_TO_ANNUITY": ("MEAN",),
    "HOUR": ("MEAN",),
    "SELLER_AREA": ("MEAN", "MAX"),
    "INSURED": ("RATE",),
    "CROSS_SELL": ("RATE",),
    "WALK_IN": ("RATE",),
    "MISTAKEN": ("COUNT",),
    "LOW_YIELD": ("RATE",),
    "HIGH_YIELD": ("RATE",),
    **{f"REJECTED_{reason}": ("COUNT",) for reason in _REJECT_REASONS},
}
_OF_APPROVED = {
    "CREDIT": ("SUM", "MEAN", "MAX"),
    "ANNUITY": ("MEAN", "MAX"),
    "TERM": ("MEAN", "MAX"),
    "DAYS_DECISION": ("MAX", "MIN", "MEAN"),
    "REQUESTED_TO_CREDIT": ("MIN", "MEAN", "MAX"),
    "CREDIT_TO_ANNUITY": ("MEAN",),
    "DOWN_PAYMENT_SHARE": ("MEAN",),
    "INTEREST_RATE": ("MIN", "MEAN", "MAX"),
    "INTEREST_SHARE": ("MEAN",),
    "FIRST_DUE_DAYS": ("MAX", "MEAN", "MIN"),
    "LAST_DUE_DAYS": ("MAX", "MEAN"),
    "PLANNED_END_DAYS": ("MAX", "MEAN", "SUM"),
    "TERMINATION_DAYS": ("MAX", "MEAN"),
    "EARLY_END_DAYS": ("MEAN", "MAX"),
}
_OF_REFUSED = {
    "CREDIT": ("MEAN", "MAX"),
    "ANNUITY": ("MEAN",),
    "TERM": ("MEAN",),
    "DAYS_DECISION": ("MAX", "MIN", "MEAN"),
    "REQUESTED_TO_CREDIT": ("MEAN", "MIN"),
}
_OF_RUNNING = {
    "CREDIT": ("SUM",),
    "ANNUITY": ("SUM",),
    "TERM": ("SUM",),
    "REMAINING_MONTHS": ("SUM", "MAX"),
    "REMAINING_PAYMENTS": ("SUM",),
    "NEXT_YEAR_PAYMENTS": ("SUM",),
}
_BY_CONTRACT_TYPE = {
    "APPLICATIONS": ("COUNT",),
    "REFUSED": ("RATE",),
    "CREDIT": ("MEAN",),
    "DAYS_DECISION": ("MAX",),
}
_BY_DAYS = {"REFUSED": ("RATE",), "CREDIT": ("SUM",), "REQUESTED_TO_CREDIT": ("MEAN",)}
_BY_RANK = {
    "APPROVED": ("RATE",),
    "REFUSED": ("RATE",),
    "REQUESTED_TO_CREDIT": ("MEAN",),
    "TERM": ("MEAN",),
    "DAYS_DECISION": ("MEAN",),
}
_LAST_CATEGORIES = {
    "CONTRACT_STATUS": "NAME_CONTRACT_STATUS",
    "CONTRACT_TYPE": "NAME_CONTRACT_TYPE",
    "PRODUCT_COMBINATION": "PRODUCT_COMBINATION",
    "YIELD_GROUP": "NAME_YIELD_GROUP",
    "CHANNEL_TYPE": "CHANNEL_TYPE",
    "GOODS_CATEGORY": "NAME_GOODS_CATEGORY",
    "REJECT_REASON": "CODE_REJECT_REASON",
}


def clean_previous_application(table: ir.Table) -> ir.Table:
    """Turn the 365243 dates, the `XNA`/`XAP` codes and impossible amounts into null.

    Args:
        table: Raw `previous_application`, unique by SK_ID_PREV.

    Returns:
        The same columns and FLAG_RUNNING (boolean: the loan is not over yet). Applications
        dated after the current one are left out.
    """
    cleaned = clean_missing_markers(table).filter(_.DAYS_DECISION <= 0)
    return cleaned.mutate(
        # A last due date of 365243 means that the loan goes on. The fact is kept when the number is removed.
        FLAG_RUNNING=(_.DAYS_LAST_DUE == DAYS_SENTINEL).fill_null(False),
        # Positive dates would be events after the application, whether or not they are the sentinel.
        **{column: null_if(_[column], _[column] > 0) for column in _PAST_DATES},
        # The first version of the schedule is a plan, known on the day: here positive dates are right.
        DAYS_LAST_DUE_1ST_VERSION=_.DAYS_LAST_DUE_1ST_VERSION.nullif(float(DAYS_SENTINEL)),
        # 0 stands for an amount that was never settled (a canceled application).
        **{column: null_if(_[column], _[column] <= 0) for column in _POSITIVE_AMOUNTS},
        AMT_DOWN_PAYMENT=null_if(_.AMT_DOWN_PAYMENT, _.AMT_DOWN_PAYMENT < 0),
        RATE_DOWN_PAYMENT=null_if(_.RATE_DOWN_PAYMENT, _.RATE_DOWN_PAYMENT < 0),
        # -1 is "no shop".
        SELLERPLACE_AREA=null_if(_.SELLERPLACE_AREA, _.SELLERPLACE_AREA < 0),
        # A revolving credit has no number of payments: it is written 0.
        CNT_PAYMENT=null_if(_.CNT_PAYMENT, _.CNT_PAYMENT <= 0),
    )


def compute_previous_application_features(previous_application: ir.Table) -> ir.Table:
    """Summarise how earlier applications ended and on what terms.

    Args:
        previous_application: `clean_previous_application`.

    Returns:
        One row per SK_ID_CURR that applied before: PREVIOUS_* features. Windows in days are by date of decision,
        LAST_<k> are the k latest decisions. The *_LAST features are text: a category of the latest application.
    """
    applications = _with_application_measures(previous_application)
    features = summarise("PREVIOUS", _OVERALL)
    features |= summarise("PREVIOUS", _OF_APPROVED, subset="APPROVED", where=_.APPROVED)
    features |= summarise("PREVIOUS", _OF_REFUSED, subset="REFUSED", where=_.REFUSED)
    features |= summarise("PREVIOUS", _OF_RUNNING, subset="RUNNING", where=_.RUNNING)
    for subset, label in _CONTRACT_TYPES.items():
        features |= summarise("PREVIOUS", _BY_CONTRACT_TYPE, subset=subset, where=_.NAME_CONTRACT_TYPE == label)
    for days in (30, 90, 180, 365, 720):
        features |= summarise(
            "PREVIOUS",
            {"APPLICATIONS": ("COUNT",), "REFUSED": ("COUNT",)},
            window=f"{days}D",
            where=_.DAYS_DECISION >= -days,
        )
    for days in (180, 365, 720):
        features |= summarise("PREVIOUS", _BY_DAYS, window=f"{days}D", where=_.DAYS_DECISION >= -days)
    for last in (1, 3, 5, 10):
        features |= summarise("PREVIOUS", _BY_RANK, window=f"LAST_{last}", where=_.RANK <= last)
    features |= {
        feature_name("PREVIOUS", measure, "LAST"): _[column].max(where=_.RANK == 1)
        for measure, column in _LAST_CATEGORIES.items()
    }
    features |= {
        "PREVIOUS_CREDIT_SLOPE": ols_slope(_.CREDIT, _.DAYS_DECISION, per=365),
        "PREVIOUS_ANNUITY_SLOPE": ols_slope(_.ANNUITY, _.DAYS_DECISION, per=365),
    }
    return aggregate_by_client(applications, features).mutate(
        PREVIOUS_REFUSED_365D_TO_ALL_RATIO=safe_ratio(_.PREVIOUS_REFUSED_RATE_365D, _.PREVIOUS_REFUSED_RATE)
    )


def _with_application_measures(previous_application: ir.Table) -> ir.Table:
    by_client = ibis.window(group_by=CLIENT_KEY, order_by=[_.DAYS_DECISION.desc(), _[_LOAN_KEY].desc()])
    status = _.NAME_CONTRACT_STATUS
    interest = _.CNT_PAYMENT * _.AMT_ANNUITY - _.AMT_CREDIT
    # The payments that the first schedule still plans after the application.
    remaining_months = (_.DAYS_LAST_DUE_1ST_VERSION.clip(lower=0.0) / DAYS_PER_MONTH).ceil().cast("float64")
    return previous_application.mutate(
        APPLICATIONS=True,
        APPROVED=status == "Approved",
        REFUSED=status == "Refused",
        CANCELED=status == "Canceled",
        UNUSED=status == "Unused offer",
        RUNNING=_.FLAG_RUNNING & (status == "Approved"),
        CREDIT=_.AMT_CREDIT,
        REQUESTED=_.AMT_APPLICATION,
        ANNUITY=_.AMT_ANNUITY,
        DOWN_PAYMENT=_.AMT_DOWN_PAYMENT,
        DOWN_PAYMENT_SHARE=_.RATE_DOWN_PAYMENT,
        TERM=_.CNT_PAYMENT,
        REQUESTED_TO_CREDIT=safe_ratio(_.AMT_APPLICATION, _.AMT_CREDIT),
        REQUESTED_CREDIT_GAP=_.AMT_APPLICATION - _.AMT_CREDIT,
        CREDIT_TO_ANNUITY=safe_ratio(_.AMT_CREDIT, _.AMT_ANNUITY),
        INTEREST_RATE=yearly_interest_rate(_.AMT_CREDIT, _.AMT_ANNUITY, _.CNT_PAYMENT),
        INTEREST_SHARE=safe_ratio(interest, _.AMT_CREDIT),
        FIRST_DUE_DAYS=_.DAYS_FIRST_DUE,
        LAST_DUE_DAYS=_.DAYS_LAST_DUE,
        PLANNED_END_DAYS=_.DAYS_LAST_DUE_1ST_VERSION,
        TERMINATION_DAYS=_.DAYS_TERMINATION,
        EARLY_END_DAYS=_.DAYS_LAST_DUE_1ST_VERSION - _.DAYS_LAST_DUE,
        HOUR=_.HOUR_APPR_PROCESS_START,
        SELLER_AREA=_.SELLERPLACE_AREA,
        INSURED=_.NFLAG_INSURED_ON_APPROVAL == 1,
        CROSS_SELL=_.NAME_PRODUCT_TYPE == "x-sell",
        WALK_IN=_.NAME_PRODUCT_TYPE == "walk-in",
        MISTAKEN=(_.NFLAG_LAST_APPL_IN_DAY == 0) | (_.FLAG_LAST_APPL_PER_CONTRACT == "N"),
        LOW_YIELD=_.NAME_YIELD_GROUP.isin(("low_action", "low_normal")),
        HIGH_YIELD=_.NAME_YIELD_GROUP == "high",
        **{f"REJECTED_{reason}": _.CODE_REJECT_REASON == reason for reason in _REJECT_REASONS},
        REMAINING_MONTHS=remaining_months,
        REMAINING_PAYMENTS=remaining_months * _.AMT_ANNUITY,
        NEXT_YEAR_PAYMENTS=remaining_months.clip(upper=12.0) * _.AMT_ANNUITY,
        RANK=ibis.row_number().over(by_client) + 1,
    )
