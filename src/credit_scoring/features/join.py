"""Join of every source onto the applications: the last step before the model input."""

import ibis.expr.types as ir
from ibis import _

from credit_scoring.features.expressions import Expression, join_on_client, safe_ratio

_PRESENCE = {
    "HAS_BUREAU": "BUREAU_CREDITS_COUNT",
    "HAS_BUREAU_BALANCE": "BUREAU_BALANCE_CREDITS_COUNT",
    "HAS_PREVIOUS": "PREVIOUS_APPLICATIONS_COUNT",
    "HAS_POS_CASH": "POS_CASH_LOANS_COUNT",
    "HAS_INSTALLMENTS": "INSTALLMENTS_INSTALMENTS_COUNT",
    "HAS_CREDIT_CARD": "CREDIT_CARD_MONTHS_COUNT",
}
"""Flag -> a feature that is never null for a client who has that history."""

_RATIOS = {
    # What is owed or due elsewhere, against the income.
    "BUREAU_DEBT_TO_INCOME_RATIO_ACTIVE": ("BUREAU_DEBT_SUM_ACTIVE", "AMT_INCOME_TOTAL"),
    "BUREAU_CREDIT_TO_INCOME_RATIO_ACTIVE": ("BUREAU_CREDIT_SUM_ACTIVE", "AMT_INCOME_TOTAL"),
    "BUREAU_ANNUITY_TO_INCOME_RATIO_ACTIVE": ("BUREAU_ANNUITY_SUM_ACTIVE", "AMT_INCOME_TOTAL"),
    "BUREAU_MAX_OVERDUE_TO_INCOME_RATIO": ("BUREAU_MAX_OVERDUE_MAX", "AMT_INCOME_TOTAL"),
    "PREVIOUS_ANNUITY_TO_INCOME_RATIO_RUNNING": ("PREVIOUS_ANNUITY_SUM_RUNNING", "AMT_INCOME_TOTAL"),
    "PREVIOUS_REMAINING_PAYMENTS_TO_INCOME_RATIO_RUNNING": (
        "PREVIOUS_REMAINING_PAYMENTS_SUM_RUNNING",
        "AMT_INCOME_TOTAL",
    ),
    "INSTALLMENTS_PAYMENT_TO_INCOME_RATIO_365D": ("INSTALLMENTS_PAYMENT_SUM_365D", "AMT_INCOME_TOTAL"),
    "INSTALLMENTS_SHORTFALL_TO_INCOME_RATIO": ("INSTALLMENTS_SHORTFALL_SUM", "AMT_INCOME_TOTAL"),
    "INSTALLMENTS_REMAINING_DEBT_TO_INCOME_RATIO_RUNNING": (
        "INSTALLMENTS_REMAINING_DEBT_SUM_RUNNING",
        "AMT_INCOME_TOTAL",
    ),
    "INSTALLMENTS_LEFT_TO_PAY_TO_INCOME_RATIO_RUNNING": ("INSTALLMENTS_LEFT_TO_PAY_SUM_RUNNING", "AMT_INCOME_TOTAL"),
    "CREDIT_CARD_BALANCE_TO_INCOME_RATIO_LAST_1": ("CREDIT_CARD_BALANCE_MEAN_LAST_1", "AMT_INCOME_TOTAL"),
    "CREDIT_CARD_DRAWINGS_TO_INCOME_RATIO_12M": ("CREDIT_CARD_DRAWINGS_SUM_12M", "AMT_INCOME_TOTAL"),
    # The loan applied for, against those obtained before.
    "APPLICATION_CREDIT_TO_BUREAU_MEAN_CREDIT_RATIO": ("AMT_CREDIT", "BUREAU_CREDIT_MEAN"),
    "APPLICATION_CREDIT_TO_BUREAU_MAX_CREDIT_RATIO": ("AMT_CREDIT", "BUREAU_CREDIT_MAX"),
    "APPLICATION_CREDIT_TO_BUREAU_DEBT_RATIO_ACTIVE": ("AMT_CREDIT", "BUREAU_DEBT_SUM_ACTIVE"),
    "APPLICATION_ANNUITY_TO_BUREAU_MEAN_ANNUITY_RATIO": ("AMT_ANNUITY", "BUREAU_ANNUITY_MEAN"),
    "APPLICATION_CREDIT_TO_PREVIOUS_MAX_CREDIT_RATIO_APPROVED": ("AMT_CREDIT", "PREVIOUS_CREDIT_MAX_APPROVED"),
    "APPLICATION_CREDIT_TO_PREVIOUS_MEAN_CREDIT_RATIO_APPROVED": ("AMT_CREDIT", "PREVIOUS_CREDIT_MEAN_APPROVED"),
    "APPLICATION_CREDIT_TO_PREVIOUS_MAX_CREDIT_RATIO_REFUSED": ("AMT_CREDIT", "PREVIOUS_CREDIT_MAX_REFUSED"),
    "APPLICATION_ANNUITY_TO_PREVIOUS_MAX_ANNUITY_RATIO_APPROVED": ("AMT_ANNUITY", "PREVIOUS_ANNUITY_MAX_APPROVED"),
    "APPLICATION_ANNUITY_TO_PREVIOUS_MEAN_ANNUITY_RATIO_APPROVED": ("AMT_ANNUITY", "PREVIOUS_ANNUITY_MEAN_APPROVED"),
    "APPLICATION_CREDIT_TO_PREVIOUS_REMAINING_PAYMENTS_RATIO_RUNNING": (
        "AMT_CREDIT",
        "PREVIOUS_REMAINING_PAYMENTS_SUM_RUNNING",
    ),
    "APPLICATION_TERM_TO_PREVIOUS_MEAN_TERM_RATIO_APPROVED": (
        "APPLICATION_CREDIT_TO_ANNUITY_RATIO",
        "PREVIOUS_CREDIT_TO_ANNUITY_MEAN_APPROVED",
    ),
    "APPLICATION_ANNUITY_TO_MAX_INSTALMENT_RATIO": ("AMT_ANNUITY", "INSTALLMENTS_INSTALMENT_MAX"),
    "APPLICATION_ANNUITY_TO_MEAN_PAYMENT_RATIO": ("AMT_ANNUITY", "INSTALLMENTS_PAYMENT_MEAN"),
    "APPLICATION_CREDIT_TO_CREDIT_CARD_LIMIT_RATIO": ("AMT_CREDIT", "CREDIT_CARD_LIMIT_MAX"),
    # The length of the credit history, against the life and the job.
    "BUREAU_DAYS_CREDIT_TO_AGE_RATIO": ("BUREAU_DAYS_CREDIT_MIN", "DAYS_BIRTH"),
    "BUREAU_DAYS_CREDIT_TO_EMPLOYED_RATIO": ("BUREAU_DAYS_CREDIT_MEAN", "DAYS_EMPLOYED"),
    "PREVIOUS_DAYS_DECISION_TO_AGE_RATIO": ("PREVIOUS_DAYS_DECISION_MIN", "DAYS_BIRTH"),
}
"""Feature -> numerator and denominator."""


def join_features(
    application_features: ir.Table,
    bureau_features: ir.Table,
    previous_application_features: ir.Table,
    pos_cash_features: ir.Table,
    installments_features: ir.Table,
    credit_card_features: ir.Table,
) -> ir.Table:
    """Put every source beside the application it informs.

    Args:
        application_features: One row per applicant: the spine, whose rows are all kept and none repeated.
        bureau_features: At most one row per SK_ID_CURR, as all that follow.
        previous_application_features: Features of the earlier applications.
        pos_cash_features: Features of the monthly balances of earlier loans.
        installments_features: Features of the repayments.
        credit_card_features: Features of the monthly card balances.

    Returns:
        One row per applicant: the columns of every source, HAS_<SOURCE> flags (int8: 1 if the client has such a
        history), and the ratios between the application and the history. Without a history, its features are null:
        absent is not zero.
    """
    features = application_features
    for history in (
        bureau_features,
        previous_application_features,
        pos_cash_features,
        installments_features,
        credit_card_features,
    ):
        features = join_on_client(features, history)
    return features.mutate(
        **{flag: _[column].notnull().cast("int8") for flag, column in _PRESENCE.items()},
        **{name: safe_ratio(_[numerator], _[denominator]) for name, (numerator, denominator) in _RATIOS.items()},
        **_cross_source_combinations(),
    )


def _cross_source_combinations() -> dict[str, Expression]:
    return {
        # The yearly payments of the new loan and of the running ones; a client without any pays the new one only.
        "APPLICATION_TOTAL_ANNUITY_TO_INCOME_RATIO": safe_ratio(
            _.AMT_ANNUITY + _.BUREAU_ANNUITY_SUM_ACTIVE.fill_null(0.0) + _.PREVIOUS_ANNUITY_SUM_RUNNING.fill_null(0.0),
            _.AMT_INCOME_TOTAL,
        ),
        "APPLICATION_INTEREST_RATE_PREVIOUS_DIFF_APPROVED": (
            _.APPLICATION_INTEREST_RATE_MIN - _.PREVIOUS_INTEREST_RATE_MEAN_APPROVED
        ),
        "APPLICATION_HOUR_PREVIOUS_DIFF": _.HOUR_APPR_PROCESS_START - _.PREVIOUS_HOUR_MEAN,
    }
