"""How a feature is told to people: in what unit, under what name, within what theme, with what words for a category."""

from collections.abc import Mapping
from typing import Literal

from credit_scoring.features.dictionary import Language, Words, describe_subject
from credit_scoring.features.naming import FeatureName, parse_feature_name

Unit = Literal[
    "amount", "share", "elapsed_days", "date_days", "date_months", "days", "days_as_years", "months", "years", "hour",
    "score", "yes_no", "number", "category",
]  # fmt: skip
"""`elapsed_days`: negative days since something began, told as years. `date_days`, `date_months`: when something
happened, relative to the application. `days_as_years`: a stretch of days that is told in years."""

_AMOUNTS = frozenset(
    {
        "ANNUITY", "CREDIT", "DEBT", "LIMIT", "MAX_OVERDUE", "OVERDUE", "UNUSED_CREDIT", "DOWN_PAYMENT",
        "NEXT_YEAR_PAYMENTS", "REMAINING_PAYMENTS", "REQUESTED", "REQUESTED_CREDIT_GAP", "INSTALMENT", "PAYMENT",
        "LEFT_TO_PAY", "REMAINING_DEBT", "SHORTFALL", "ATM_DRAWINGS", "BALANCE", "BALANCE_CHANGE", "DRAWINGS",
        "PAYMENT_MINIMUM_GAP", "GOODS_CREDIT", "INCOME_AFTER_ANNUITY", "INCOME_TO_ADULTS", "INCOME_TO_CHILDREN",
        "INCOME_TO_PERSONS", "CREDIT_TO_PERSONS",
    }
)  # fmt: skip
_SHARES = frozenset(
    {
        "DEBT_TO_CREDIT", "DOWN_PAYMENT_SHARE", "INTEREST_RATE", "INTEREST_SHARE", "LOAN_FIRST_LATE_SHARE",
        "LOAN_LATE_SHARE", "LOAN_PAID_SHARE", "LOAN_REPAID_SHARE", "LOAN_PAYMENT_TO_INSTALMENT",
        "PAYMENT_TO_INSTALMENT", "REMAINING_TO_TERM", "UTILISATION", "DRAWINGS_TO_LIMIT", "INTEREST_RATE_PREVIOUS",
        "CHILDREN_TO_FAMILY", "EMPLOYED_TO_AGE", "ATM_DRAWINGS_TO_DRAWINGS", "PRINCIPAL_TO_RECEIVABLE",
    }
)  # fmt: skip
_DATES = frozenset(
    {
        "DAYS_CREDIT", "CLOSURE_DAYS", "PLANNED_END_DAYS", "UPDATE_DAYS", "DAYS_DECISION", "FIRST_DUE_DAYS",
        "LAST_DUE_DAYS", "TERMINATION_DAYS", "ENTRY_DAYS", "LATE_DUE_DAYS",
    }
)  # fmt: skip
_DAYS = frozenset(
    {
        "DURATION_DAYS", "EARLY_CLOSURE_DAYS", "GAP_DAYS", "REMAINING_DAYS", "DAYS_OVERDUE", "EARLY_END_DAYS", "DPD",
        "DPD_DEF", "DBD", "DELAY", "DECAYED_DPD", "LOAN_MEAN_DPD", "LOAN_WORST_DPD",
    }
)  # fmt: skip
_SPANS = frozenset(
    {
        "EMPLOYED_BIRTH", "EMPLOYED_ID_PUBLISH", "EMPLOYED_REGISTRATION", "ID_PUBLISH_BIRTH", "PHONE_ID_PUBLISH",
        "REGISTRATION_ID_PUBLISH",
    }
)  # fmt: skip
# Aggregates that keep the unit of what they aggregate.
_OF_THE_SAME_UNIT = frozenset({"MEAN", "MEDIAN", "MIN", "MAX", "STD", "RANGE", "SUM", "LAST", "DIFF", "RATIO"})
_POINTS_IN_TIME = frozenset({"MEAN", "MEDIAN", "MIN", "MAX", "LAST"})

_TEXTS = (
    "NAME_",
    "CODE_",
    "OCCUPATION_",
    "ORGANIZATION_",
    "WEEKDAY_",
    "FONDKAPREMONT_",
    "HOUSETYPE_",
    "WALLSMATERIAL_",
)
_YES_NO = ("FLAG_", "REG_", "LIVE_", "HAS_", "EMERGENCYSTATE_")

_CLIENT_LABELS: Mapping[str, Words] = {
    "DAYS_BIRTH": ("Age", "Âge"),
    "DAYS_EMPLOYED": ("Time in the present job", "Ancienneté dans l'emploi actuel"),
    "DAYS_REGISTRATION": (
        "Time since the last change of registration",
        "Temps écoulé depuis le dernier changement d'enregistrement",
    ),
    "DAYS_ID_PUBLISH": ("Age of the identity document", "Ancienneté de la pièce d'identité"),
    "DAYS_LAST_PHONE_CHANGE": (
        "Time since the last change of telephone",
        "Temps écoulé depuis le dernier changement de téléphone",
    ),
    "APPLICATION_EXT_SOURCE_1_2_DIFF": ("External score 1 less score 2", "Score externe 1 moins score 2"),
    "APPLICATION_EXT_SOURCE_1_3_DIFF": ("External score 1 less score 3", "Score externe 1 moins score 3"),
    "APPLICATION_EXT_SOURCE_2_3_DIFF": ("External score 2 less score 3", "Score externe 2 moins score 3"),
    "OWN_CAR_AGE": ("Age of the car", "Âge de la voiture"),
    "NAME_HOUSING_TYPE": ("Housing", "Logement"),
    "NAME_CONTRACT_TYPE": ("Type of loan", "Type de prêt"),
    "AMT_ANNUITY": ("Regular repayment of the loan", "Échéance du prêt"),
}
"""Where the words of the feature dictionary explain how a column is stored, which a client need not know."""

Theme = Literal[
    "external_scores", "loan", "income", "person", "home", "contact", "enquiries", "bureau", "previous", "repayment",
    "card",
]  # fmt: skip

THEMES: Mapping[Theme, Words] = {
    "external_scores": ("External scores", "Scores externes"),
    "loan": ("The loan applied for", "Le prêt demandé"),
    "income": ("Income and job", "Revenus et emploi"),
    "person": ("Age, education, family", "Âge, études, famille"),
    "home": ("Home, region, car", "Logement, région, voiture"),
    "contact": ("Contact, documents, moment", "Contact, documents, moment"),
    "enquiries": ("Enquiries and acquaintances", "Consultations et entourage"),
    "bureau": ("Credits at other lenders", "Crédits chez d'autres prêteurs"),
    "previous": ("Earlier applications", "Demandes antérieures"),
    "repayment": ("Repayment of earlier loans", "Remboursement des prêts passés"),
    "card": ("Credit card", "Carte de crédit"),
}

_HISTORY_THEMES: Mapping[str, Theme] = {
    "BUREAU": "bureau",
    "BUREAU_BALANCE": "bureau",
    "PREVIOUS": "previous",
    "POS_CASH": "repayment",
    "INSTALLMENTS": "repayment",
    "CREDIT_CARD": "card",
}

# The first words found in a name of the application decide.
_APPLICATION_THEMES: tuple[tuple[Theme, tuple[str, ...]], ...] = (
    ("external_scores", ("EXT_SOURCE", "TARGET_KNN")),
    ("enquiries", ("AMT_REQ_CREDIT_BUREAU", "SOCIAL_CIRCLE", "ENQUIRIES")),
    ("income", ("INCOME", "EMPLOYED", "OCCUPATION", "ORGANIZATION", "EMP_PHONE")),
    ("contact", (
        "PHONE", "EMAIL", "MOBIL", "DOCUMENT", "CONTACTS", "ID_PUBLISH", "REGISTRATION", "HOUR", "WEEKDAY", "SUITE",
        "FIELDS_NULL",
    )),
    ("loan", ("CREDIT", "ANNUITY", "GOODS", "CONTRACT", "TERM", "INTEREST")),
    ("home", ("OWN_CAR", "CAR_TO")),
    ("person", ("BIRTH", "AGE", "GENDER", "FAMILY", "FAM_MEMBERS", "CHILDREN", "EDUCATION")),
    ("home", ("",)),
)  # fmt: skip

_CATEGORIES: Mapping[str, str] = {
    "Y": "oui", "N": "non", "Yes": "oui", "No": "non", "F": "femme", "M": "homme",
    "Cash loans": "prêt personnel", "Revolving loans": "crédit renouvelable",
    "Consumer loans": "crédit à la consommation",
    "Children": "enfants", "Family": "famille", "Group of people": "groupe de personnes", "Other_A": "autre (A)",
    "Other_B": "autre (B)", "Spouse, partner": "conjoint", "Unaccompanied": "personne",
    "Working": "salarié", "Commercial associate": "associé commercial", "Pensioner": "retraité",
    "State servant": "fonctionnaire", "Student": "étudiant", "Unemployed": "sans emploi", "Businessman": "entrepreneur",
    "Maternity leave": "congé de maternité",
    "Academic degree": "doctorat", "Higher education": "supérieur", "Incomplete higher": "supérieur inachevé",
    "Lower secondary": "collège", "Secondary / secondary special": "secondaire",
    "Civil marriage": "union civile", "Married": "marié(e)", "Separated": "séparé(e)",
    "Single / not married": "célibataire", "Widow": "veuf ou veuve",
    "Co-op apartment": "appartement en coopérative", "House / apartment": "maison ou appartement",
    "Municipal apartment": "logement municipal", "Office apartment": "logement de fonction",
    "Rented apartment": "locataire", "With parents": "chez ses parents",
    "Accountants": "comptables", "Cleaning staff": "agents d'entretien", "Cooking staff": "personnel de cuisine",
    "Core staff": "employés", "Drivers": "conducteurs", "HR staff": "ressources humaines",
    "High skill tech staff": "techniciens qualifiés", "IT staff": "informaticiens", "Laborers": "ouvriers",
    "Low-skill Laborers": "ouvriers peu qualifiés", "Managers": "cadres", "Medicine staff": "personnel de santé",
    "Private service staff": "services aux particuliers", "Realty agents": "agents immobiliers",
    "Sales staff": "vendeurs", "Secretaries": "secrétaires", "Security staff": "agents de sécurité",
    "Waiters/barmen staff": "serveurs et barmans",
    "MONDAY": "lundi", "TUESDAY": "mardi", "WEDNESDAY": "mercredi", "THURSDAY": "jeudi", "FRIDAY": "vendredi",
    "SATURDAY": "samedi", "SUNDAY": "dimanche",
    "Advertising": "publicité", "Agriculture": "agriculture", "Bank": "banque", "Cleaning": "nettoyage",
    "Construction": "construction", "Culture": "culture", "Electricity": "électricité", "Emergency": "secours",
    "Government": "administration", "Hotel": "hôtellerie", "Housing": "logement", "Insurance": "assurance",
    "Kindergarten": "école maternelle", "Legal Services": "services juridiques", "Medicine": "santé",
    "Military": "armée", "Mobile": "téléphonie mobile", "Other": "autre", "Police": "police", "Postal": "poste",
    "Realtor": "immobilier", "Religion": "religion", "Restaurant": "restauration", "School": "école",
    "Security": "sécurité", "Security Ministries": "ministères de la sécurité", "Self-employed": "indépendant",
    "Services": "services", "Telecom": "télécommunications", "University": "université",
    "Business Entity Type": "entreprise, type", "Industry: type": "industrie, type", "Trade: type": "commerce, type",
    "Transport: type": "transport, type",
    "not specified": "non précisé", "org spec account": "compte spécial d'un organisme",
    "reg oper account": "compte de l'opérateur régional",
    "reg oper spec account": "compte spécial de l'opérateur régional",
    "block of flats": "immeuble collectif", "specific housing": "logement spécifique",
    "terraced house": "maison mitoyenne",
    "Block": "parpaing", "Mixed": "mixte", "Monolithic": "béton coulé", "Others": "autres", "Panel": "panneaux",
    "Stone, brick": "pierre ou brique", "Wooden": "bois",
    "Approved": "acceptée", "Canceled": "annulée", "Refused": "refusée", "Unused offer": "offre non utilisée",
    "Card Street": "carte, démarche du client", "Card X-Sell": "carte, vente croisée", "Cash": "prêt personnel",
    "Cash Street": "prêt personnel, démarche du client, taux", "Cash X-Sell": "prêt personnel, vente croisée, taux",
    "POS household with interest": "équipement du foyer, avec intérêts",
    "POS household without interest": "équipement du foyer, sans intérêts",
    "POS industry with interest": "équipement, avec intérêts",
    "POS industry without interest": "équipement, sans intérêts",
    "POS mobile with interest": "téléphone, avec intérêts", "POS mobile without interest": "téléphone, sans intérêts",
    "POS other with interest": "autre achat, avec intérêts",
    "POS others without interest": "autre achat, sans intérêts",
    "high": "élevé", "middle": "moyen", "low": "bas", "low_action": "bas (promotion)", "low_normal": "bas (normal)",
    "AP+ (Cash loan)": "partenaire (prêt personnel)", "Car dealer": "concessionnaire automobile",
    "Channel of corporate sales": "vente aux entreprises", "Contact center": "centre d'appels",
    "Country-wide": "réseau national", "Credit and cash offices": "agences", "Regional / Local": "réseau régional",
    "Stone": "point de vente fixe",
    "Audio/Video": "audio et vidéo", "Auto Accessories": "accessoires automobiles",
    "Clothing and Accessories": "vêtements et accessoires", "Computers": "ordinateurs",
    "Construction Materials": "matériaux de construction", "Consumer Electronics": "électronique grand public",
    "Direct Sales": "vente directe", "Furniture": "meubles", "Gardening": "jardinage",
    "Homewares": "articles de maison",
    "Jewelry": "bijoux", "Medical Supplies": "matériel médical", "Office Appliances": "matériel de bureau",
    "Photo / Cinema Equipment": "photo et cinéma", "Sport and Leisure": "sport et loisirs", "Tourism": "voyages",
    "Vehicles": "véhicules",
    "CLIENT": "du fait du client", "SYSTEM": "motif du système", "VERIF": "vérification",
}  # fmt: skip
"""Categories of the data, in English, in French. One that ends in a number or after a colon is found without it."""

_ENGLISH: Mapping[str, str] = {"Y": "yes", "N": "no", "F": "female", "M": "male", "Unaccompanied": "nobody"}


def unit_of_feature(name: str, is_text: bool = False) -> Unit:
    """Say in what unit a feature is told.

    Args:
        name: Name of a column of `applicant_features`, or of a feature that a model learns from outcomes.
        is_text: Whether it holds categories.
    """
    if name.startswith(_YES_NO):
        return "yes_no"
    if is_text or name.startswith(_TEXTS):
        return "category"
    try:
        return _engineered_unit(parse_feature_name(name))
    except ValueError:
        return _raw_unit(name)


def _engineered_unit(parts: FeatureName) -> Unit:  # noqa: PLR0911 - a decision table
    measure, aggregate = parts.measure, parts.aggregate
    same = aggregate in _OF_THE_SAME_UNIT
    if aggregate == "FLAG":
        return "yes_no"
    if aggregate == "RATE" or measure.endswith("_TO_INCOME") or (same and measure in _SHARES):
        return "share"
    if aggregate == "YEARS":
        return "years"
    if measure in _DATES:
        return "date_days" if aggregate in _POINTS_IN_TIME else "days" if same else "number"
    if measure.endswith("MONTHS_BALANCE"):
        return "date_months" if aggregate in _POINTS_IN_TIME else "number"
    if same and measure in _DAYS:
        return "days"
    if measure in _SPANS:
        return "days_as_years"
    if same and (measure in _AMOUNTS or measure == "REMAINING_MONTHS"):
        return "months" if measure == "REMAINING_MONTHS" else "amount"
    return "score" if measure.startswith(("EXT_SOURCE", "HOUSING")) and not measure.endswith("NULL") else "number"


def _raw_unit(name: str) -> Unit:
    if name.startswith("DAYS_"):
        return "elapsed_days"
    if name.startswith("AMT_") and not name.startswith("AMT_REQ_"):
        return "amount"
    if name.startswith("TARGET_") or name.endswith("_TARGET_RATE"):
        return "share"
    if name == "OWN_CAR_AGE":
        return "years"
    if name == "HOUR_APPR_PROCESS_START":
        return "hour"
    return "score" if name.startswith("EXT_SOURCE") or name.endswith(("_AVG", "_MODE", "_RELATIVE")) else "number"


def client_label(name: str, language: Language) -> str:
    """Name a feature the way a client can understand: no word on how it is stored, and where it comes from."""
    if name in _CLIENT_LABELS:
        return _CLIENT_LABELS[name][("en", "fr").index(language)]
    source, subject = describe_subject(name, language)
    for stored in (", in days", ", en jours", ", from 0 to 1", ", de 0 à 1", ", relative", ", en valeur relative"):
        subject = subject.removesuffix(stored)
    subject = subject[0].upper() + subject[1:]
    return subject if theme_of_feature(name) not in _HISTORY_THEMES.values() else f"{subject} ({_lower(source)})"


def category_label(value: str, language: Language) -> str:
    """Say a category of the data in words; one without words of its own stays as it is."""
    if language == "en":
        return _ENGLISH.get(value, value.lower() if value.isupper() and value.endswith("DAY") else value)
    if value in _CATEGORIES:
        return _CATEGORIES[value]
    head, colon, tail = value.rpartition(": ")
    if colon and head in _CATEGORIES:  # "Cash Street: high"
        return f"{_CATEGORIES[head]} {_CATEGORIES.get(tail, tail)}"
    head, _, tail = value.rpartition(" ")
    return f"{_CATEGORIES[head]} {tail}" if head in _CATEGORIES else value  # "Industry: type 3"


def theme_of_feature(name: str) -> Theme:
    """Return the theme that a feature belongs to."""
    for source in sorted(_HISTORY_THEMES, key=len, reverse=True):
        if name.removeprefix("HAS_").startswith(source):
            return _HISTORY_THEMES[source]
    return next(theme for theme, words in _APPLICATION_THEMES if any(word in _own_name(name) for word in words))


def _own_name(name: str) -> str:
    return name.removeprefix("APPLICATION_")


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]
