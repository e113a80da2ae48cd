"""Features of the earlier applications to this lender, from `previous_application`.

Units: amounts in currency, dates in days relative to the current application (negative = before it).
"""

# ruff: noqa: SIM300 - a column such as _.AMT_CREDIT is not the constant that Ruff takes it for

import ibis.expr.types as ir
from ibis import _

from credit_scoring.features.expressions import (
    DAYS_PER_MONTH,
    aggregate_by_client,
    null_if,
    ols_slope,
    rank,
    safe_ratio,
    yearly_interest_rate,
)
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
    values_of,
)
from credit_scoring.schemas.contract import DATE_CODE

PREVIOUS = Origin(
    "PREVIOUS",
    "previous_application",
    ("Earlier applications", "Demandes antérieures"),
    "previous",
    "PREVIOUS_APPLICATIONS_COUNT",
    ("no earlier application", "aucune demande antérieure"),
    ("no such earlier application", "aucune demande antérieure de ce type"),
    noun=("applications", "demandes"),
    which=("earlier ones", "antérieures"),
)

_LOAN_KEY = "SK_ID_PREV"

_PAST_DATES = ("DAYS_FIRST_DRAWING", "DAYS_FIRST_DUE", "DAYS_LAST_DUE", "DAYS_TERMINATION")
_POSITIVE_AMOUNTS = ("AMT_APPLICATION", "AMT_CREDIT", "AMT_GOODS_PRICE", "AMT_ANNUITY")
_REJECT_REASONS = {
    "HC": ("the rules of the lender", "des règles du prêteur"),
    "LIMIT": ("the credit limit", "du plafond de crédit"),
    "SCO": ("the score", "du score"),
    "SCOFR": ("the score, second check", "du score, second contrôle"),
}
"""Code of a refusal -> what it is understood to mean; the data do not explain them."""

CLEAN_PREVIOUS_APPLICATION = Cleaning(
    "previous_application",
    keep=_.DAYS_DECISION <= 0,
    columns={
        # A last due date of 365243 means that the loan goes on. The fact is kept when the number is removed.
        "FLAG_RUNNING": (_.DAYS_LAST_DUE == DATE_CODE).fill_null(False),
        # Positive dates would be events after the application, whether or not they are the sentinel.
        **{column: null_if(_[column], _[column] > 0) for column in _PAST_DATES},
        # The first version of the schedule is a plan, known on the day: here positive dates are right.
        "DAYS_LAST_DUE_1ST_VERSION": _.DAYS_LAST_DUE_1ST_VERSION.nullif(float(DATE_CODE)),
        # 0 stands for an amount that was never agreed (a cancelled application).
        **{column: null_if(_[column], _[column] <= 0) for column in _POSITIVE_AMOUNTS},
        "AMT_DOWN_PAYMENT": null_if(_.AMT_DOWN_PAYMENT, _.AMT_DOWN_PAYMENT < 0),
        "RATE_DOWN_PAYMENT": null_if(_.RATE_DOWN_PAYMENT, _.RATE_DOWN_PAYMENT < 0),
        # -1 is "no shop".
        "SELLERPLACE_AREA": null_if(_.SELLERPLACE_AREA, _.SELLERPLACE_AREA < 0),
        # A revolving credit has no number of payments: it is written 0.
        "CNT_PAYMENT": null_if(_.CNT_PAYMENT, _.CNT_PAYMENT <= 0),
    },
)

# The payments that the first schedule still plans after the application.
_REMAINING_MONTHS = (_.DAYS_LAST_DUE_1ST_VERSION.clip(lower=0.0) / DAYS_PER_MONTH).ceil().cast("float64")

APPLICATIONS = Rows(
    PREVIOUS,
    "application",
    measures=(
        Measure("APPLICATIONS", True, "yes_no", "applications", "demandes"),
        Measure("APPROVED", _.NAME_CONTRACT_STATUS == "Approved", "yes_no", "approved applications",
            "demandes acceptées", labels={"RATE_LAST_1": ("Latest application approved", "Dernière demande acceptée")}),
        Measure("REFUSED", _.NAME_CONTRACT_STATUS == "Refused", "yes_no", "refused applications",
            "demandes refusées", direction=1,
            labels={"RATE_LAST_1": ("Latest application refused", "Dernière demande refusée")}),
        Measure("CANCELED", _.NAME_CONTRACT_STATUS == "Canceled", "yes_no", "cancelled applications",
            "demandes annulées"),
        Measure("UNUSED", _.NAME_CONTRACT_STATUS == "Unused offer", "yes_no", "offers not used",
            "offres non utilisées"),
        Measure("RUNNING", _.FLAG_RUNNING & (_.NAME_CONTRACT_STATUS == "Approved"), "yes_no", "loans still running",
            "prêts encore en cours"),
        Measure("CREDIT", _.AMT_CREDIT, "amount", "amount of the credit", "montant du crédit"),
        Measure("REQUESTED", _.AMT_APPLICATION, "amount", "amount requested", "montant demandé"),
        Measure("ANNUITY", _.AMT_ANNUITY, "amount", "annuity", "montant de l'échéance"),
        Measure("DOWN_PAYMENT", _.AMT_DOWN_PAYMENT, "amount", "down payment", "apport"),
        Measure("DOWN_PAYMENT_SHARE", _.RATE_DOWN_PAYMENT, "ratio", "down payment relative to price",
            "apport par rapport au prix"),
        Measure("TERM", _.CNT_PAYMENT, "count", "number of payments", "nombre de paiements"),
        Measure("DAYS_DECISION", _.DAYS_DECISION, "date_days", "day of decision", "jour de décision", known=True),
        Measure("REQUESTED_TO_CREDIT", safe_ratio(_.AMT_APPLICATION, _.AMT_CREDIT), "number",
            "amount requested relative to credit", "montant demandé par rapport au crédit"),
        Measure("REQUESTED_CREDIT_GAP", _.AMT_APPLICATION - _.AMT_CREDIT, "amount", "amount requested less credit",
            "montant demandé moins crédit", net=True),
        Measure("CREDIT_TO_ANNUITY", safe_ratio(_.AMT_CREDIT, _.AMT_ANNUITY), "number", "credit relative to annuity",
            "crédit par rapport à l'échéance"),
        Measure("INTEREST_RATE", yearly_interest_rate(_.AMT_CREDIT, _.AMT_ANNUITY, _.CNT_PAYMENT), "ratio",
            "estimated interest rate per year", "taux d'intérêt annuel estimé", says="INTEREST"),
        Measure("INTEREST_SHARE", safe_ratio(_.CNT_PAYMENT * _.AMT_ANNUITY - _.AMT_CREDIT, _.AMT_CREDIT), "ratio",
            "estimated total interest relative to credit",
                "intérêt total estimé par rapport au crédit", says="INTEREST"),
        Measure("FIRST_DUE_DAYS", _.DAYS_FIRST_DUE, "date_days", "day first due", "jour de première échéance"),
        Measure("LAST_DUE_DAYS", _.DAYS_LAST_DUE, "date_days", "day last due", "jour de dernière échéance"),
        Measure("PLANNED_END_DAYS", _.DAYS_LAST_DUE_1ST_VERSION, "date_planned_days", "planned day of the end",
            "jour de fin prévu", labels={"SUM_APPROVED": (
                "Days until the planned end, earlier approved applications added up",
                "Jours jusqu'à la fin prévue, demandes acceptées antérieures additionnées")}),
        Measure("TERMINATION_DAYS", _.DAYS_TERMINATION, "date_days", "day of termination", "jour de clôture"),
        Measure("EARLY_END_DAYS", _.DAYS_LAST_DUE_1ST_VERSION - _.DAYS_LAST_DUE, "day_gap",
            "planned end, counted from the actual end", "fin prévue, comptée depuis la fin réelle"),
        Measure("HOUR", _.HOUR_APPR_PROCESS_START, "hour", "hour of application", "heure de la demande", known=True),
        Measure("SELLER_AREA", _.SELLERPLACE_AREA, "number", "selling area of the shop", "surface de vente du magasin"),
        Measure("INSURED", _.NFLAG_INSURED_ON_APPROVAL == 1, "yes_no", "insured applications", "demandes assurées"),
        Measure("CROSS_SELL", _.NAME_PRODUCT_TYPE == "x-sell", "yes_no", "applications proposed by the lender",
            "demandes proposées par le prêteur"),
        Measure("WALK_IN", _.NAME_PRODUCT_TYPE == "walk-in", "yes_no", "applications by walk-in customers",
            "demandes spontanées"),
        Measure("MISTAKEN", (_.NFLAG_LAST_APPL_IN_DAY == 0) | (_.FLAG_LAST_APPL_PER_CONTRACT == "N"), "yes_no",
            "applications made by mistake", "demandes faites par erreur"),
        Measure("LOW_YIELD", _.NAME_YIELD_GROUP.isin(("low_action", "low_normal")), "yes_no",
            "applications at a low interest rate", "demandes à taux bas", says="INTEREST"),
        Measure("HIGH_YIELD", _.NAME_YIELD_GROUP == "high", "yes_no", "applications at a high interest rate",
            "demandes à taux élevé", says="INTEREST"),
        *(
            Measure(f"REJECTED_{reason}", _.CODE_REJECT_REASON == reason, "yes_no", f"refusals because of {en}",
                f"refus en raison {fr}")
            for reason, (en, fr) in _REJECT_REASONS.items()
        ),
        Measure("REMAINING_MONTHS", _REMAINING_MONTHS, "months", "months still planned, estimated",
            "mois restant prévus, estimation"),
        Measure("REMAINING_PAYMENTS", _REMAINING_MONTHS * _.AMT_ANNUITY, "amount", "payments still planned, estimated",
            "paiements restant prévus, estimation"),
        Measure("NEXT_YEAR_PAYMENTS", _REMAINING_MONTHS.clip(upper=12.0) * _.AMT_ANNUITY, "amount",
            "payments planned in the next year, estimated", "paiements prévus dans l'année, estimation"),
    ),
    helpers={"RANK": rank("DAYS_DECISION", _LOAN_KEY)},
)  # fmt: skip

_APPROVED = Subset("APPROVED", _.APPROVED, ("of approved applications", "des demandes acceptées"))
_REFUSED = Subset("REFUSED", _.REFUSED, ("of refused applications", "des demandes refusées"))
_RUNNING = Subset("RUNNING", _.RUNNING, ("of loans still running", "des prêts encore en cours"))
_CONTRACT_TYPES = (
    Subset("CASH", _.NAME_CONTRACT_TYPE == "Cash loans", ("of cash loans", "des prêts personnels")),
    Subset(
        "CONSUMER", _.NAME_CONTRACT_TYPE == "Consumer loans", ("of consumer loans", "des crédits à la consommation")
    ),
    Subset("REVOLVING", _.NAME_CONTRACT_TYPE == "Revolving loans", ("of revolving loans", "des crédits renouvelables")),
)

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


def _in_last(days: int) -> Subset:
    return last_days(days, _.DAYS_DECISION >= -days)


def _of_the_latest(name: str, column: str, en: str, fr: str) -> Feature:
    words = (f"{en}, latest application", f"{fr}, dernière demande")
    latest = _[column].max(where=_.RANK == 1)
    return APPLICATIONS.feature(f"{name}_LAST", latest, "category", words, null="not given for the latest application")


_APPLICATION_FEATURES: tuple[Feature, ...] = (
    *APPLICATIONS.features(_OVERALL),
    *APPLICATIONS.features(_OF_APPROVED, _APPROVED),
    *APPLICATIONS.features(_OF_REFUSED, _REFUSED),
    *APPLICATIONS.features(_OF_RUNNING, _RUNNING),
    *(feature for kind in _CONTRACT_TYPES for feature in APPLICATIONS.features(_BY_CONTRACT_TYPE, kind)),
    *(
        feature
        for days in (30, 90, 180, 365, 720)
        for feature in APPLICATIONS.features({"APPLICATIONS": ("COUNT",), "REFUSED": ("COUNT",)}, _in_last(days))
    ),
    *(feature for days in (180, 365, 720) for feature in APPLICATIONS.features(_BY_DAYS, _in_last(days))),
    *(feature for last in (1, 3, 5, 10) for feature in APPLICATIONS.features(_BY_RANK, last_rows(last, "demandes"))),
    _of_the_latest("CONTRACT_STATUS", "NAME_CONTRACT_STATUS", "outcome", "issue"),
    _of_the_latest("CONTRACT_TYPE", "NAME_CONTRACT_TYPE", "type of contract", "type de contrat"),
    _of_the_latest("PRODUCT_COMBINATION", "PRODUCT_COMBINATION", "product", "produit"),
    _of_the_latest("YIELD_GROUP", "NAME_YIELD_GROUP", "interest rate group", "groupe de taux"),
    _of_the_latest("CHANNEL_TYPE", "CHANNEL_TYPE", "sales channel", "canal de vente"),
    _of_the_latest("GOODS_CATEGORY", "NAME_GOODS_CATEGORY", "category of goods", "catégorie de bien"),
    _of_the_latest("REJECT_REASON", "CODE_REJECT_REASON", "reason of refusal", "motif de refus"),
    APPLICATIONS.feature("CREDIT_SLOPE", ols_slope(_.CREDIT, _.DAYS_DECISION, per=365), "number",
        ("amount of the credit, trend per year", "montant du crédit, tendance par an"),
        null="fewer than two days have a known credit", measure="PREVIOUS_CREDIT", abstract=True),
    APPLICATIONS.feature("ANNUITY_SLOPE", ols_slope(_.ANNUITY, _.DAYS_DECISION, per=365), "number",
        ("annuity, trend per year", "montant de l'échéance, tendance par an"),
        null="fewer than two days have a known annuity", measure="PREVIOUS_ANNUITY", abstract=True),
)  # fmt: skip

_DERIVED_FEATURES = (
    make_feature(PREVIOUS, "PREVIOUS_REFUSED_365D_TO_ALL_RATIO",
        safe_ratio(_.PREVIOUS_REFUSED_RATE_365D, _.PREVIOUS_REFUSED_RATE), "number",
        ("share of applications refused in the last 365 days, relative to that of all",
            "part des demandes refusées dans les 365 derniers jours, par rapport à celle de toutes"),
        null="no application in the last 365 days, or none ever refused"),
)  # fmt: skip


def compute_previous_application_features(previous_application: ir.Table) -> ir.Table:
    """Summarise how earlier applications ended and on what terms.

    Args:
        previous_application: Clean `previous_application`, with FLAG_RUNNING.

    Returns:
        One row per SK_ID_CURR that applied before: PREVIOUS_* features. Windows in days are by date of decision,
        LAST_<k> are the k latest decisions. The *_LAST features are text: a category of the latest application.
    """
    applications = APPLICATIONS.measure(previous_application)
    return aggregate_by_client(applications, values_of(_APPLICATION_FEATURES)).mutate(**values_of(_DERIVED_FEATURES))


SOURCE = Source(
    "previous_application",
    "Earlier applications to this lender",
    (CLEAN_PREVIOUS_APPLICATION,),
    compute_previous_application_features,
    (*_APPLICATION_FEATURES, *_DERIVED_FEATURES),
    (APPLICATIONS,),
)
