"""Join of every source onto the applications: the last step before the model input."""

import ibis.expr.types as ir
from ibis import _

from credit_scoring.features.application import APPLICATION, MEASURE_OF
from credit_scoring.features.bureau import BUREAU
from credit_scoring.features.credit_card import CREDIT_CARD
from credit_scoring.features.expressions import join_on_client, safe_ratio
from credit_scoring.features.installments import INSTALLMENTS
from credit_scoring.features.previous_application import PREVIOUS
from credit_scoring.features.records import Feature, Origin, Theme, Unit, make_feature, values_of
from credit_scoring.features.sources import SOURCES

_HISTORIES = (BUREAU, PREVIOUS, INSTALLMENTS, CREDIT_CARD)


def _ratio(
    origin: Origin,
    name: str,
    numerator: str,
    denominator: str,
    unit: Unit,
    en: str,
    fr: str,
    theme: Theme | None = None,
) -> Feature:
    null = (f"`{numerator}` is null", f"`{denominator}` is null or 0")
    value = safe_ratio(_[numerator], _[denominator])
    # What is set against a history is missing where the history is; a client without a job has no time in it.
    history = next((source for source in _HISTORIES if source.prefix in f"{numerator} {denominator}"), origin)
    absent = ("no job now", "pas d'emploi actuellement") if denominator == "DAYS_EMPLOYED" else history.absent_part
    return make_feature(
        origin, name, value, unit, (en, fr), null=null, theme=theme, measure=MEASURE_OF.get(name, ""), absent=absent
    )


def _to_income(origin: Origin, name: str, numerator: str, en: str, fr: str) -> Feature:
    """Set what is owed or due elsewhere against the income."""
    return _ratio(
        origin, name, numerator, "AMT_INCOME_TOTAL", "ratio", f"{en} relative to income", f"{fr} par rapport au revenu"
    )


def _to_loans(name: str, numerator: str, denominator: str, en: str, fr: str) -> Feature:
    """Set the loan applied for against those obtained before."""
    return _ratio(APPLICATION, name, numerator, denominator, "number", en, fr, theme="loan")


RATIOS: tuple[Feature, ...] = (
    _to_income(BUREAU, "BUREAU_DEBT_TO_INCOME_RATIO_ACTIVE", "BUREAU_DEBT_SUM_ACTIVE", "debt on active credits",
        "dette des crédits actifs"),
    _to_income(BUREAU, "BUREAU_CREDIT_TO_INCOME_RATIO_ACTIVE", "BUREAU_CREDIT_SUM_ACTIVE", "amount of active credits",
        "montant des crédits actifs"),
    _to_income(BUREAU, "BUREAU_ANNUITY_TO_INCOME_RATIO_ACTIVE", "BUREAU_ANNUITY_SUM_ACTIVE",
        "annuities of active credits", "échéances des crédits actifs"),
    _to_income(BUREAU, "BUREAU_MAX_OVERDUE_TO_INCOME_RATIO", "BUREAU_MAX_OVERDUE_MAX", "largest amount ever overdue",
        "plus fort impayé"),
    _to_income(PREVIOUS, "PREVIOUS_ANNUITY_TO_INCOME_RATIO_RUNNING", "PREVIOUS_ANNUITY_SUM_RUNNING",
        "annuities of loans still running", "échéances des prêts encore en cours"),
    _to_income(PREVIOUS, "PREVIOUS_REMAINING_PAYMENTS_TO_INCOME_RATIO_RUNNING",
        "PREVIOUS_REMAINING_PAYMENTS_SUM_RUNNING", "payments still planned on running loans",
        "paiements restant prévus des prêts en cours"),
    _to_income(INSTALLMENTS, "INSTALLMENTS_PAYMENT_TO_INCOME_RATIO_365D", "INSTALLMENTS_PAYMENT_SUM_365D",
        "amount paid of instalments due in the last 365 days,",
        "montant payé des échéances dues dans les 365 derniers jours,"),
    _to_income(INSTALLMENTS, "INSTALLMENTS_SHORTFALL_TO_INCOME_RATIO", "INSTALLMENTS_SHORTFALL_SUM",
        "amount left unpaid", "montant resté impayé"),
    _to_income(INSTALLMENTS, "INSTALLMENTS_REMAINING_DEBT_TO_INCOME_RATIO_RUNNING",
        "INSTALLMENTS_REMAINING_DEBT_SUM_RUNNING", "credit less payments made on running loans,",
        "crédit moins paiements faits des prêts en cours,"),
    _to_income(INSTALLMENTS, "INSTALLMENTS_LEFT_TO_PAY_TO_INCOME_RATIO_RUNNING", "INSTALLMENTS_LEFT_TO_PAY_SUM_RUNNING",
        "payments planned less payments made on running loans,",
        "paiements prévus moins paiements faits des prêts en cours,"),
    _to_income(CREDIT_CARD, "CREDIT_CARD_BALANCE_TO_INCOME_RATIO_LAST_1", "CREDIT_CARD_BALANCE_MEAN_LAST_1",
        "last balance owed", "dernier solde dû"),
    _to_income(CREDIT_CARD, "CREDIT_CARD_DRAWINGS_TO_INCOME_RATIO_12M", "CREDIT_CARD_DRAWINGS_SUM_12M",
        "amount drawn in the last 12 months", "montant tiré dans les 12 derniers mois"),
    _to_loans("APPLICATION_CREDIT_TO_BUREAU_MEAN_CREDIT_RATIO", "AMT_CREDIT", "BUREAU_CREDIT_MEAN",
        "credit relative to the mean credit at other lenders",
        "crédit par rapport au crédit moyen chez d'autres prêteurs"),
    _to_loans("APPLICATION_CREDIT_TO_BUREAU_MAX_CREDIT_RATIO", "AMT_CREDIT", "BUREAU_CREDIT_MAX",
        "credit relative to the largest credit at other lenders",
        "crédit par rapport au plus fort crédit chez d'autres prêteurs"),
    _to_loans("APPLICATION_CREDIT_TO_BUREAU_DEBT_RATIO_ACTIVE", "AMT_CREDIT", "BUREAU_DEBT_SUM_ACTIVE",
        "credit relative to debt on active credits at other lenders",
        "crédit par rapport à la dette des crédits actifs chez d'autres prêteurs"),
    _to_loans("APPLICATION_ANNUITY_TO_BUREAU_MEAN_ANNUITY_RATIO", "AMT_ANNUITY", "BUREAU_ANNUITY_MEAN",
        "annuity relative to the mean annuity at other lenders",
        "échéance par rapport à l'échéance moyenne chez d'autres prêteurs"),
    _to_loans("APPLICATION_CREDIT_TO_PREVIOUS_MAX_CREDIT_RATIO_APPROVED", "AMT_CREDIT", "PREVIOUS_CREDIT_MAX_APPROVED",
        "credit relative to the largest earlier credit", "crédit par rapport au plus fort crédit antérieur"),
    _to_loans("APPLICATION_CREDIT_TO_PREVIOUS_MEAN_CREDIT_RATIO_APPROVED", "AMT_CREDIT",
        "PREVIOUS_CREDIT_MEAN_APPROVED", "credit relative to the mean earlier credit",
        "crédit par rapport au crédit antérieur moyen"),
    _to_loans("APPLICATION_CREDIT_TO_PREVIOUS_MAX_CREDIT_RATIO_REFUSED", "AMT_CREDIT", "PREVIOUS_CREDIT_MAX_REFUSED",
        "credit relative to the largest refused credit", "crédit par rapport au plus fort crédit refusé"),
    _to_loans("APPLICATION_ANNUITY_TO_PREVIOUS_MAX_ANNUITY_RATIO_APPROVED", "AMT_ANNUITY",
        "PREVIOUS_ANNUITY_MAX_APPROVED", "annuity relative to the largest earlier annuity",
        "échéance par rapport à la plus forte échéance des prêts antérieurs"),
    _to_loans("APPLICATION_ANNUITY_TO_PREVIOUS_MEAN_ANNUITY_RATIO_APPROVED", "AMT_ANNUITY",
        "PREVIOUS_ANNUITY_MEAN_APPROVED", "annuity relative to the mean earlier annuity",
        "échéance par rapport à l'échéance moyenne des prêts antérieurs"),
    _to_loans("APPLICATION_CREDIT_TO_PREVIOUS_REMAINING_PAYMENTS_RATIO_RUNNING", "AMT_CREDIT",
        "PREVIOUS_REMAINING_PAYMENTS_SUM_RUNNING", "credit relative to the payments still planned on running loans",
        "crédit par rapport aux paiements restants des prêts en cours"),
    _to_loans("APPLICATION_TERM_TO_PREVIOUS_MEAN_TERM_RATIO_APPROVED", "APPLICATION_CREDIT_TO_ANNUITY_RATIO",
        "PREVIOUS_CREDIT_TO_ANNUITY_MEAN_APPROVED", "estimated term relative to the mean earlier term",
        "durée estimée par rapport à la durée antérieure moyenne"),
    _to_loans("APPLICATION_ANNUITY_TO_MAX_INSTALMENT_RATIO", "AMT_ANNUITY", "INSTALLMENTS_INSTALMENT_MAX",
        "annuity relative to the largest instalment so far", "échéance par rapport à la plus forte échéance passée"),
    _to_loans("APPLICATION_ANNUITY_TO_MEAN_PAYMENT_RATIO", "AMT_ANNUITY", "INSTALLMENTS_PAYMENT_MEAN",
        "annuity relative to the mean payment so far", "échéance par rapport au paiement passé moyen"),
    _to_loans("APPLICATION_CREDIT_TO_CREDIT_CARD_LIMIT_RATIO", "AMT_CREDIT", "CREDIT_CARD_LIMIT_MAX",
        "credit relative to the limit of the card", "crédit par rapport au plafond de la carte"),
    # The length of the credit history, against the life and the job.
    _ratio(BUREAU, "BUREAU_DAYS_CREDIT_TO_AGE_RATIO", "BUREAU_DAYS_CREDIT_MIN", "DAYS_BIRTH", "number",
        "length of the credit history relative to age", "ancienneté de crédit par rapport à l'âge"),
    _ratio(BUREAU, "BUREAU_DAYS_CREDIT_TO_EMPLOYED_RATIO", "BUREAU_DAYS_CREDIT_MEAN", "DAYS_EMPLOYED", "number",
        "length of the credit history relative to time in the job",
        "ancienneté de crédit par rapport à l'ancienneté d'emploi"),
    _ratio(PREVIOUS, "PREVIOUS_DAYS_DECISION_TO_AGE_RATIO", "PREVIOUS_DAYS_DECISION_MIN", "DAYS_BIRTH", "number",
        "time since the first application relative to age", "ancienneté de client par rapport à l'âge"),
    # The yearly payments of the new loan and of the running ones; a client without any pays the new one only.
    make_feature(
        APPLICATION, "APPLICATION_TOTAL_ANNUITY_TO_INCOME_RATIO",
        safe_ratio(
            _.AMT_ANNUITY + _.BUREAU_ANNUITY_SUM_ACTIVE.fill_null(0.0) + _.PREVIOUS_ANNUITY_SUM_RUNNING.fill_null(0.0),
            _.AMT_INCOME_TOTAL,
        ),
        "ratio",
        (
            "annuities of all loans, this one included, relative to income",
            "échéances de tous les prêts, celui-ci compris, par rapport au revenu",
        ),
        null=("`AMT_ANNUITY` is null", "`AMT_INCOME_TOTAL` is null or 0"), theme="income",
        measure=MEASURE_OF["APPLICATION_TOTAL_ANNUITY_TO_INCOME_RATIO"],
        absent=("amount unknown", "montant inconnu"),
    ),
    make_feature(
        APPLICATION, "APPLICATION_INTEREST_RATE_PREVIOUS_DIFF_APPROVED",
        _.APPLICATION_INTEREST_RATE_MIN - _.PREVIOUS_INTEREST_RATE_MEAN_APPROVED, "ratio",
        (
            "estimated interest rate less the estimated mean rate of earlier loans",
            "taux d'intérêt estimé moins taux moyen estimé des prêts antérieurs",
        ),
        null=("`APPLICATION_INTEREST_RATE_MIN` is null", "`PREVIOUS_INTEREST_RATE_MEAN_APPROVED` is null"),
        theme="loan", abstract=True, absent=PREVIOUS.absent_part,
    ),
    make_feature(APPLICATION, "APPLICATION_HOUR_PREVIOUS_DIFF", _.HOUR_APPR_PROCESS_START - _.PREVIOUS_HOUR_MEAN,
        "number", ("hour of the application, difference from earlier ones",
        "heure de la demande, écart avec les précédentes"),
        null="`PREVIOUS_HOUR_MEAN` is null", theme="contact", abstract=True,
        measure=MEASURE_OF["APPLICATION_HOUR_PREVIOUS_DIFF"], absent=PREVIOUS.absent),
)  # fmt: skip


def make_presence(origin: Origin) -> Feature:
    """Record the flag that tells whether a client has a history of a kind: 1 or 0, never null."""
    assert origin.theme is not None
    return Feature(
        name=origin.flag,
        origin=origin,
        theme=origin.theme,
        value=_[origin.presence].notnull().cast("int8"),
        unit="yes_no",
        words=("has a history", "possède un historique"),
        label=(f"{origin.title[0]} on record", f"{origin.title[1]} au dossier"),
        null_when=(),
        formula=f"{origin.presence}.notnull()",
        measure=origin.flag,
    )


PRESENCE = tuple(make_presence(origin) for source in SOURCES for origin in source.origins if origin.presence)


def join_features(application_features: ir.Table, *history_features: ir.Table) -> ir.Table:
    """Put every source beside the application it informs.

    Args:
        application_features: One row per applicant: the spine, whose rows are all kept and none repeated.
        *history_features: At most one row per SK_ID_CURR, one table per history source.

    Returns:
        One row per applicant: the columns of every source, HAS_<SOURCE> flags (int8: 1 if the client has such a
        history), and the ratios between the application and the history. Without a history, its features are null:
        absent is not zero.
    """
    features = join_on_client(application_features, *history_features)
    return features.mutate(**values_of(PRESENCE), **values_of(RATIOS))
