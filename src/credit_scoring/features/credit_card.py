"""Features of the monthly balances of credit cards held with this lender, from `credit_card_balance`.

Units: amounts in currency, months relative to the application (negative = before it).
"""

import ibis.expr.types as ir
from ibis import _

from credit_scoring.features.expressions import (
    CLIENT_KEY,
    aggregate_by_client,
    null_if,
    ols_slope,
    rank,
    round_amount,
    safe_ratio,
)
from credit_scoring.features.records import (
    Cleaning,
    Feature,
    Measure,
    Origin,
    Rows,
    Source,
    last_months,
    last_rows,
    make_feature,
    values_of,
)

CREDIT_CARD = Origin(
    "CREDIT_CARD",
    "credit_card_balance",
    ("Credit card", "Carte de crédit"),
    "card",
    "CREDIT_CARD_MONTHS_COUNT",
    ("no credit card with this lender", "aucune carte de crédit chez ce prêteur"),
    ("no such use of a credit card with this lender", "aucune utilisation de ce type d'une carte chez ce prêteur"),
)

_DRAWINGS = (
    "AMT_DRAWINGS_ATM_CURRENT",
    "AMT_DRAWINGS_CURRENT",
    "AMT_DRAWINGS_OTHER_CURRENT",
    "AMT_DRAWINGS_POS_CURRENT",
)

CLEAN_CREDIT_CARD_BALANCE = Cleaning(
    "credit_card_balance",
    keep=_.MONTHS_BALANCE <= 0,
    columns={
        # A negative balance is the card holder's own money on the card: nothing is owed.
        "AMT_BALANCE": _.AMT_BALANCE.clip(lower=0.0),
        # No credit can be used on a card without a limit: its utilisation is unknown, not infinite.
        "AMT_CREDIT_LIMIT_ACTUAL": null_if(_.AMT_CREDIT_LIMIT_ACTUAL, _.AMT_CREDIT_LIMIT_ACTUAL <= 0),
        # A negative drawing is a refund booked in the wrong column.
        **{column: null_if(_[column], _[column] < 0) for column in _DRAWINGS},
    },
)

MONTHS = Rows(
    CREDIT_CARD,
    "month",
    # The cards of a client are added up in each month, so that "the last month" is one row.
    keys=(CLIENT_KEY, "MONTHS_BALANCE"),
    parts={
        "CARDS": _.count(),
        "BALANCE": _.AMT_BALANCE.sum(),
        "LIMIT": _.AMT_CREDIT_LIMIT_ACTUAL.cast("float64").sum(),
        "DRAWINGS": _.AMT_DRAWINGS_CURRENT.sum(),
        "ATM_DRAWINGS": _.AMT_DRAWINGS_ATM_CURRENT.sum(),
        "DRAWINGS_NUMBER": _.CNT_DRAWINGS_CURRENT.cast("float64").sum(),
        "ATM_DRAWINGS_NUMBER": _.CNT_DRAWINGS_ATM_CURRENT.sum(),
        "MINIMUM": _.AMT_INST_MIN_REGULARITY.sum(),
        "PAYMENT": _.AMT_PAYMENT_CURRENT.sum(),
        # Both are negative where the bank owes the holder.
        "PRINCIPAL": round_amount(_.AMT_RECEIVABLE_PRINCIPAL.sum()),
        "RECEIVABLE": round_amount(_.AMT_TOTAL_RECEIVABLE.sum()),
        "MATURE_INSTALMENTS": _.CNT_INSTALMENT_MATURE_CUM.max(),
        "ACTIVE": (_.NAME_CONTRACT_STATUS == "Active").max(),
        "DPD": _.SK_DPD.max(),
        "DPD_DEF": _.SK_DPD_DEF.max(),
    },
    measures=(
        Measure("MONTHS", True, "yes_no", "months of history", "mois d'historique"),
        Measure("CARDS", _.CARDS, "count", "cards at once", "cartes simultanées", known=True),
        Measure("MONTHS_BALANCE", _.MONTHS_BALANCE, "date_months", "month reported", "mois déclaré", known=True),
        Measure("BALANCE", _.BALANCE, "amount", "balance owed", "solde dû"),
        Measure("LIMIT", _.LIMIT, "amount", "limit", "plafond"),
        Measure("UTILISATION", safe_ratio(_.BALANCE, _.LIMIT), "ratio", "balance relative to limit",
            "solde par rapport au plafond"),
        Measure("OVER_80_PERCENT", _.UTILISATION > 0.8, "yes_no", "months over 80% of the limit",
            "mois au-delà de 80 % du plafond", derived=True, says="UTILISATION"),
        Measure("OVER_LIMIT", _.UTILISATION > 1, "yes_no", "months over the limit", "mois au-delà du plafond",
            derived=True, says="UTILISATION", direction=1),
        Measure("DRAWINGS", _.DRAWINGS, "amount", "amount drawn", "montant tiré"),
        Measure("ATM_DRAWINGS", _.ATM_DRAWINGS, "amount", "cash drawn", "retraits d'espèces"),
        Measure("DRAWINGS_NUMBER", _.DRAWINGS_NUMBER, "count", "number of drawings by month",
            "nombre mensuel de tirages", known=True),
        Measure("ATM_DRAWINGS_NUMBER", _.ATM_DRAWINGS_NUMBER, "count", "number of cash drawings by month",
            "nombre mensuel de retraits"),
        Measure("ATM_USED", _.ATM_DRAWINGS > 0, "yes_no", "months with cash drawn", "mois avec retrait d'espèces"),
        Measure("DRAWN", _.DRAWINGS > 0, "yes_no", "months with a drawing", "mois avec tirage"),
        Measure("DRAWINGS_TO_LIMIT", safe_ratio(_.DRAWINGS, _.LIMIT), "ratio", "amount drawn relative to limit",
            "montant tiré par rapport au plafond"),
        Measure("PAYMENT", _.PAYMENT, "amount", "payment", "paiement"),
        Measure("PAYMENT_TO_MINIMUM", safe_ratio(_.PAYMENT, _.MINIMUM), "number", "payment relative to the minimum due",
            "paiement rapporté au minimum dû"),
        Measure("PAYMENT_MINIMUM_GAP", round_amount(_.PAYMENT - _.MINIMUM), "amount", "payment less minimum",
            "paiement moins minimum", net=True),
        # Only a month in which something was due can be missed.
        Measure("MINIMUM_MISSED", null_if(_.PAYMENT_MINIMUM_GAP < 0, _.MINIMUM <= 0), "yes_no",
            "months below the minimum payment", "mois sous le paiement minimal", derived=True, direction=1),
        Measure("PRINCIPAL_TO_RECEIVABLE", safe_ratio(_.PRINCIPAL, _.RECEIVABLE), "ratio",
            "principal relative to receivable",
            "principal par rapport à la créance"),
        Measure("MATURE_INSTALMENTS", _.MATURE_INSTALMENTS, "count", "instalments paid", "échéances payées"),
        Measure("ACTIVE", _.ACTIVE, "yes_no", "months active", "mois actifs"),
        Measure("DPD", _.DPD, "days", "days past due", "jours de retard", known=True, direction=1),
        Measure("DPD_DEF", _.DPD_DEF, "days", "days past due, small debts left out",
            "jours de retard, hors petites dettes", known=True, direction=1),
        Measure("LATE", _.DPD > 0, "yes_no", "months past due", "mois en retard", known=True, direction=1),
        Measure("SERIOUSLY_LATE", _.DPD_DEF > 0, "yes_no", "months past due, small debts left out",
            "mois en retard, hors petites dettes", known=True, direction=1),
    ),
    helpers={"RANK": rank("MONTHS_BALANCE")},
)  # fmt: skip

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
    "PAYMENT_MINIMUM_GAP": ("MEAN",),
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

# The latest month reported is the one before the application: it is month -1.
_WINDOWS = tuple(last_months(months, latest=-1) for months in (3, 6, 12))
_LAST_YEAR, _KNOWN = _WINDOWS[-1].where, _.BALANCE.notnull()
# From end to end: the changes in between cancel out.
_CHANGE = _.BALANCE.argmax(_.MONTHS_BALANCE, where=_KNOWN) - _.BALANCE.argmin(_.MONTHS_BALANCE, where=_KNOWN)

_MONTH_FEATURES: tuple[Feature, ...] = (
    *MONTHS.features(_OVERALL),
    *(feature for window in _WINDOWS for feature in MONTHS.features(_BY_MONTHS, window)),
    *(feature for last in (1, 3) for feature in MONTHS.features(_BY_RANK, last_rows(last))),
    MONTHS.feature("BALANCE_CHANGE_MEAN", safe_ratio(round_amount(_CHANGE), _.BALANCE.count() - 1), "amount",
        ("change of balance from one month to the next, mean", "variation mensuelle du solde, moyenne"),
        null="fewer than two months have a known balance"),
    MONTHS.feature("LATE_MONTHS_BALANCE_MAX", _.MONTHS_BALANCE.max(where=_.LATE), "date_months",
        ("most recent month past due", "mois en retard le plus récent"), null="no month was past due",
        absent=("no month past due", "aucun mois en retard")),
    MONTHS.feature("OVER_90_PERCENT_MONTHS_BALANCE_MAX", _.MONTHS_BALANCE.max(where=_.UTILISATION > 0.9), "date_months",
        ("most recent month over 90% of the limit", "mois le plus récent au-delà de 90 % du plafond"),
        null="no month was over 90% of the limit",
        absent=("no month over 90% of a limit", "aucun mois au-delà de 90 % d'un plafond"),
        measure="CREDIT_CARD_UTILISATION"),
    MONTHS.feature("BALANCE_SLOPE_12M", ols_slope(_.BALANCE, _.MONTHS_BALANCE, where=_LAST_YEAR, per=12), "number",
        ("balance owed, trend per year, last 12 months", "solde dû, tendance par an, 12 derniers mois"),
        null="fewer than two of the last 12 months have a known balance", measure="CREDIT_CARD_BALANCE", window="12M",
        abstract=True),
    MONTHS.feature("UTILISATION_SLOPE_12M", ols_slope(_.UTILISATION, _.MONTHS_BALANCE, where=_LAST_YEAR, per=12),
        "number",
        ("balance relative to limit, trend per year, last 12 months",
         "solde par rapport au plafond, tendance par an, 12 derniers mois"),
        null="fewer than two of the last 12 months have a known utilisation", measure="CREDIT_CARD_UTILISATION",
        window="12M", abstract=True),
    MONTHS.feature("ATM_DRAWINGS_TO_DRAWINGS_RATIO", safe_ratio(_.ATM_DRAWINGS.sum(), _.DRAWINGS.sum()), "ratio",
        ("cash drawn relative to all drawings", "retraits d'espèces par rapport au total des tirages"),
        null="cash drawn is known for no month, or nothing was drawn"),
)  # fmt: skip

_DERIVED_FEATURES = (
    make_feature(CREDIT_CARD, "CREDIT_CARD_BALANCE_3M_TO_12M_RATIO",
        safe_ratio(_.CREDIT_CARD_BALANCE_MEAN_3M, _.CREDIT_CARD_BALANCE_MEAN_12M), "number",
        ("balance owed in the last 3 months, relative to the last 12",
            "solde dû des 3 derniers mois par rapport aux 12 derniers"),
        null="no known balance in the last 3 months, or none but 0 in the last 12"),
    make_feature(CREDIT_CARD, "CREDIT_CARD_DRAWINGS_3M_TO_12M_RATIO",
        safe_ratio(_.CREDIT_CARD_DRAWINGS_SUM_3M, _.CREDIT_CARD_DRAWINGS_SUM_12M), "share",
        ("amount drawn in the last 3 months, relative to the last 12",
            "montant tiré des 3 derniers mois par rapport aux 12 derniers"),
        null="drawings are unknown in the last 3 months, or 0 in the last 12"),
)  # fmt: skip


def compute_credit_card_features(credit_card_balance: ir.Table) -> ir.Table:
    """Summarise how much of the card limit was used and how it was paid back.

    Args:
        credit_card_balance: Clean `credit_card_balance`.

    Returns:
        One row per SK_ID_CURR that holds a card: CREDIT_CARD_* features. Windows are in months, LAST_<k> are the k
        latest months reported.
    """
    months = MONTHS.measure(MONTHS.merge(credit_card_balance))
    return aggregate_by_client(months, values_of(_MONTH_FEATURES)).mutate(**values_of(_DERIVED_FEATURES))


SOURCE = Source(
    "credit_card",
    "Monthly balances of credit cards",
    (CLEAN_CREDIT_CARD_BALANCE,),
    compute_credit_card_features,
    (*_MONTH_FEATURES, *_DERIVED_FEATURES),
    (MONTHS,),
)
