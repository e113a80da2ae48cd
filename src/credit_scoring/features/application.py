"""Features of the current application: one row per applicant, from `application_train` and `application_test`.

Units: amounts in the lender's currency, dates in days relative to the application (negative = before it).
"""

# ruff: noqa: SIM300 - a column such as _.AMT_CREDIT is not the constant that Ruff takes it for

from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis import _

from credit_scoring.features.expressions import (
    CLIENT_KEY,
    DAYS_PER_MONTH,
    DAYS_PER_YEAR,
    OUTCOME,
    Expression,
    as_features,
    as_written,
    null_if,
    safe_ratio,
    written,
    yearly_interest_rate,
)
from credit_scoring.features.records import (
    UNKNOWN,
    Cleaning,
    Direction,
    Feature,
    Origin,
    Rows,
    Source,
    Theme,
    Unit,
    Words,
    make_feature,
    values_of,
)
from credit_scoring.schemas.contract import INTEGER
from credit_scoring.schemas.raw.application import APPLICATION_TRAIN

APPLICATION = Origin("APPLICATION", "application_train", ("Application", "Demande"))

_EXT_SOURCES = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")
_CONTACT_FLAGS = ("FLAG_EMP_PHONE", "FLAG_WORK_PHONE", "FLAG_CONT_MOBILE", "FLAG_PHONE", "FLAG_EMAIL")
_CONTACT = ("that of the contact address", "celle de l'adresse de contact")
_WORK = ("that of the work address", "celle du travail")
_ADDRESSES = (
    ("REG", "LIVE", ("registered", "enregistré"), _CONTACT),
    ("REG", "WORK", ("registered", "enregistré"), _WORK),
    ("LIVE", "WORK", ("contact address", "adresse de contact"), _WORK),
)
_ADDRESS_FLAGS = tuple(
    f"{one}_{area}_NOT_{other}_{area}" for area in ("REGION", "CITY") for one, other, *_words in _ADDRESSES
)
_BUILDING = {
    "APARTMENTS_AVG": ("size of the flats", "taille des appartements"),
    "BASEMENTAREA_AVG": ("area of the basement", "surface du sous-sol"),
    "YEARS_BEGINEXPLUATATION_AVG": ("time since it is in use", "ancienneté de mise en service"),
    "YEARS_BUILD_AVG": ("time since it was built", "ancienneté de construction"),
    "COMMONAREA_AVG": ("common area", "parties communes"),
    "ELEVATORS_AVG": ("lifts", "ascenseurs"),
    "ENTRANCES_AVG": ("entrances", "entrées"),
    "FLOORSMAX_AVG": ("highest number of floors", "nombre maximal d'étages"),
    "FLOORSMIN_AVG": ("lowest number of floors", "nombre minimal d'étages"),
    "LANDAREA_AVG": ("area of the plot", "surface du terrain"),
    "LIVINGAPARTMENTS_AVG": ("flats lived in", "appartements habités"),
    "LIVINGAREA_AVG": ("area lived in", "surface habitée"),
    "NONLIVINGAPARTMENTS_AVG": ("flats not lived in", "appartements non habités"),
    "NONLIVINGAREA_AVG": ("area not lived in", "surface non habitée"),
    "TOTALAREA_MODE": ("total area", "surface totale"),
}
_HOUSING = tuple(name for name in _BUILDING if name.endswith("_AVG"))
_PERIODS = {
    "HOUR": ("hour before", "heure précédente"),
    "DAY": ("day before", "jour précédent"),
    "WEEK": ("week before", "semaine précédente"),
    "MON": ("month before", "mois précédent"),
    "QRT": ("quarter before", "trimestre précédent"),
    "YEAR": ("year before", "année précédente"),
}
_ENQUIRIES = tuple(f"AMT_REQ_CREDIT_BUREAU_{period}" for period in _PERIODS)
_SOCIAL_CIRCLE = tuple(f"{seen}_{days}_CNT_SOCIAL_CIRCLE" for days in (30, 60) for seen in ("OBS", "DEF"))
_DOCUMENT_FLAGS = tuple(f"FLAG_DOCUMENT_{number}" for number in range(2, 22))
# Documents 2, 4, 7, 10, 12, 17, 19, 20 and 21 are handed in by fewer than one applicant in a thousand: alone each is
# noise, so they count only in APPLICATION_DOCUMENTS_COUNT.
_KEPT_DOCUMENTS = (3, 5, 6, 8, 9, 11, 13, 14, 15, 16, 18)

_PAST_DATES = ("DAYS_BIRTH", "DAYS_EMPLOYED", "DAYS_REGISTRATION", "DAYS_ID_PUBLISH")

_SAME_MEASURE: Mapping[str, tuple[str, ...]] = {
    "AGE": ("DAYS_BIRTH", "APPLICATION_AGE_YEARS", "APPLICATION_AGE_AT_END_YEARS"),
    "FAMILY": ("CNT_CHILDREN", "CNT_FAM_MEMBERS", "APPLICATION_CHILDREN_TO_FAMILY_RATIO"),
    "JOB": (
        "DAYS_EMPLOYED", "APPLICATION_EMPLOYED_NULL_FLAG", "APPLICATION_EMPLOYED_TO_AGE_RATIO",
        "APPLICATION_EMPLOYED_BIRTH_DIFF", "APPLICATION_INCOME_TO_EMPLOYED_RATIO",
        "APPLICATION_CREDIT_TO_EMPLOYED_RATIO",
    ),
    "JOB_AND_DOCUMENTS": ("APPLICATION_EMPLOYED_ID_PUBLISH_DIFF", "APPLICATION_EMPLOYED_REGISTRATION_DIFF"),
    "INCOME": (
        "AMT_INCOME_TOTAL", "APPLICATION_INCOME_LOG", "APPLICATION_INCOME_TO_PERSONS_RATIO",
        "APPLICATION_INCOME_TO_CHILDREN_RATIO", "APPLICATION_INCOME_TO_ADULTS_RATIO", "APPLICATION_INCOME_TO_AGE_RATIO",
    ),
    "CREDIT": (
        "AMT_CREDIT", "AMT_GOODS_PRICE", "APPLICATION_CREDIT_TO_PERSONS_RATIO", "APPLICATION_CREDIT_TO_AGE_RATIO",
    ),
    "CREDIT_BEYOND_GOODS": (
        "APPLICATION_CREDIT_TO_GOODS_RATIO", "APPLICATION_GOODS_CREDIT_DIFF",
        "APPLICATION_GOODS_CREDIT_DIFF_TO_INCOME_RATIO",
    ),
    "TERM_AND_RATE": (
        "APPLICATION_CREDIT_TO_ANNUITY_RATIO", "APPLICATION_GOODS_TO_ANNUITY_RATIO", "APPLICATION_TERM_MIN",
        "APPLICATION_INTEREST_RATE_MIN", "APPLICATION_INTEREST_RATE_MAX",
    ),
    "BURDEN": (
        "APPLICATION_CREDIT_TO_INCOME_RATIO", "APPLICATION_ANNUITY_TO_INCOME_RATIO",
        "APPLICATION_GOODS_TO_INCOME_RATIO", "APPLICATION_INCOME_AFTER_ANNUITY_DIFF",
        "APPLICATION_TOTAL_ANNUITY_TO_INCOME_RATIO",
    ),
    "CREDIT_TO_BUREAU": (
        "APPLICATION_CREDIT_TO_BUREAU_MEAN_CREDIT_RATIO", "APPLICATION_CREDIT_TO_BUREAU_MAX_CREDIT_RATIO",
    ),
    "CREDIT_TO_PREVIOUS": (
        "APPLICATION_CREDIT_TO_PREVIOUS_MAX_CREDIT_RATIO_APPROVED",
        "APPLICATION_CREDIT_TO_PREVIOUS_MEAN_CREDIT_RATIO_APPROVED",
    ),
    "ANNUITY_TO_EARLIER": (
        "APPLICATION_ANNUITY_TO_PREVIOUS_MAX_ANNUITY_RATIO_APPROVED",
        "APPLICATION_ANNUITY_TO_PREVIOUS_MEAN_ANNUITY_RATIO_APPROVED", "APPLICATION_ANNUITY_TO_MAX_INSTALMENT_RATIO",
        "APPLICATION_ANNUITY_TO_MEAN_PAYMENT_RATIO",
    ),
    "IDENTITY_DOCUMENT": (
        "DAYS_ID_PUBLISH", "APPLICATION_ID_PUBLISH_TO_AGE_RATIO", "APPLICATION_ID_PUBLISH_BIRTH_DIFF",
    ),
    "REGISTRATION": (
        "DAYS_REGISTRATION", "APPLICATION_REGISTRATION_TO_AGE_RATIO", "APPLICATION_REGISTRATION_ID_PUBLISH_DIFF",
    ),
    "TELEPHONE": (
        "DAYS_LAST_PHONE_CHANGE", "APPLICATION_PHONE_TO_AGE_RATIO", "APPLICATION_PHONE_TO_EMPLOYED_RATIO",
        "APPLICATION_PHONE_ID_PUBLISH_DIFF",
    ),
    "CAR": ("FLAG_OWN_CAR", "OWN_CAR_AGE", "APPLICATION_CAR_TO_AGE_RATIO", "APPLICATION_CAR_TO_EMPLOYED_RATIO"),
    "REGION_RATING": ("REGION_RATING_CLIENT", "REGION_RATING_CLIENT_W_CITY"),
    "REGIONS_DIFFER": ("REG_REGION_NOT_LIVE_REGION", "REG_REGION_NOT_WORK_REGION", "LIVE_REGION_NOT_WORK_REGION"),
    "CITIES_DIFFER": (
        "REG_CITY_NOT_LIVE_CITY", "REG_CITY_NOT_WORK_CITY", "LIVE_CITY_NOT_WORK_CITY",
        "APPLICATION_ADDRESS_MISMATCHES_COUNT",
    ),
    "SOCIAL_CIRCLE": (
        *_SOCIAL_CIRCLE, "APPLICATION_SOCIAL_CIRCLE_RATE_30D", "APPLICATION_SOCIAL_CIRCLE_RATE_60D",
    ),
    "LATEST_ENQUIRIES": _ENQUIRIES[:3],
    "ENQUIRIES": (*_ENQUIRIES[3:], "APPLICATION_ENQUIRIES_SUM"),
    "HOUR": ("HOUR_APPR_PROCESS_START", "APPLICATION_HOUR_PREVIOUS_DIFF"),
}  # fmt: skip
"""What is measured -> fields and features that say it, each in its own way."""

MEASURE_OF: Mapping[str, str] = {name: measure for measure, names in _SAME_MEASURE.items() for name in names}
"""Feature of the form -> what it measures, for those that share it with others."""

_NO_DATE = ("no such date known", "aucune date connue")
_NO_AMOUNT = ("amount unknown", "montant inconnu")
_ABSENT: Mapping[str, Words] = {
    "DAYS_EMPLOYED": ("no job now", "pas d'emploi actuellement"),
    "OWN_CAR_AGE": ("no car of known age", "pas de voiture d'âge connu"),
    "EXT_": ("not enough external scores known", "trop peu de scores externes connus"),
    "EXT_SOURCE_1": ("external score unknown", "score externe inconnu"),
    "EXT_SOURCE_2": ("external score unknown", "score externe inconnu"),
    "EXT_SOURCE_3": ("external score unknown", "score externe inconnu"),
    "HOUSING_": ("nothing known of the building", "immeuble inconnu"),
    "_AVG": ("nothing known of it", "rien n'en est connu"),
    "_MODE": ("nothing known of it", "rien n'en est connu"),
    "SOCIAL_CIRCLE": ("no acquaintances known", "aucune relation connue"),
    "AMT_REQ_CREDIT_BUREAU": ("no record of enquiries", "aucun relevé de consultations"),
    "OCCUPATION_TYPE": ("none declared", "aucune déclarée"),
    "ORGANIZATION_TYPE": ("no employer", "pas d'employeur"),
    "NAME_TYPE_SUITE": ("nobody on record", "personne d'enregistré"),
    "AMT_GOODS_PRICE": ("no goods to be financed", "aucun bien à financer"),
    "RATE_": ("no loan of fixed term", "pas de prêt à durée fixe"),
    "AMT_": _NO_AMOUNT,
    "DAYS_": _NO_DATE,
}
"""Part of the name of what is read -> what a client reads where it is missing; the first that fits."""


def _absent(*read: str) -> Words:
    return next((words for part, words in _ABSENT.items() if any(part in name for name in read)), UNKNOWN)


_MAX_INCOME = 20_000_000
_MAX_CAR_AGE = 63
_MAX_SOCIAL_CIRCLE = 100
_MAX_ENQUIRIES = 100

_TERMS = tuple(range(6, 61, 6))
_MIN_PLAUSIBLE_RATE = 0.085

CLEAN_APPLICATION = Cleaning(
    "application",
    columns={
        # Pensioners and the unemployed have no employment date: it is written 365243. No date can follow the
        # application.
        **{column: null_if(_[column], _[column] > 0) for column in _PAST_DATES},
        # 0 is what the phone column holds when no change is known.
        "DAYS_LAST_PHONE_CHANGE": null_if(_.DAYS_LAST_PHONE_CHANGE, _.DAYS_LAST_PHONE_CHANGE >= 0),
        "NAME_FAMILY_STATUS": _.NAME_FAMILY_STATUS.nullif("Unknown"),
        # The rating runs from 1 to 3.
        "REGION_RATING_CLIENT_W_CITY": null_if(_.REGION_RATING_CLIENT_W_CITY, _.REGION_RATING_CLIENT_W_CITY < 1),
        # A handful of incomes are typing errors (a labourer earning 117 million).
        "AMT_INCOME_TOTAL": null_if(_.AMT_INCOME_TOTAL, (_.AMT_INCOME_TOTAL > _MAX_INCOME) | (_.AMT_INCOME_TOTAL <= 0)),
        # Ages 64 and 65 pile up by the thousand: a code for "unknown", not cars of the nineteen-fifties.
        "OWN_CAR_AGE": null_if(_.OWN_CAR_AGE, (_.OWN_CAR_AGE > _MAX_CAR_AGE) | (_.OWN_CAR_AGE < 0)),
        # Nobody has 348 late-paying acquaintances, nor 261 enquiries in one quarter.
        **{column: null_if(_[column], _[column] > _MAX_SOCIAL_CIRCLE) for column in _SOCIAL_CIRCLE},
        **{column: null_if(_[column], _[column] > _MAX_ENQUIRIES) for column in _ENQUIRIES},
    },
)
"""No applicant is dropped. The applications to learn from and those to score are stacked before they are cleaned."""


def _field(
    name: str,
    unit: Unit,
    theme: Theme,
    en: str,
    fr: str,
    *,
    label: Words | None = None,
    null: str = "not given",
    direction: Direction = 0,
) -> Feature:
    """Record a field of the form that is a feature as it is; what cleaning changes in it is told, too."""
    never_null = APPLICATION_TRAIN.columns[name] == INTEGER
    rule = CLEAN_APPLICATION.columns.get(name)
    reasons = (*(() if never_null else (null,)), *(() if rule is None else (f"cleaned by `{written(rule)}`",)))
    return Feature(
        name, APPLICATION, theme, None, unit, (en, fr), reasons, "", MEASURE_OF.get(name, name), label, 1.0,
        absent=_ABSENT.get(name) or _absent(name), direction=direction,
    )  # fmt: skip


# The *_MODE and *_MEDI copies of the housing block repeat the *_AVG ones almost exactly; FLAG_MOBIL is constant.
_FIELDS = (
    _field("NAME_CONTRACT_TYPE", "category", "loan", "type of loan, cash or revolving",
        "type de prêt, personnel ou renouvelable", label=("Type of loan", "Type de prêt")),
    _field("CODE_GENDER", "category", "person", "gender", "sexe"),
    _field("FLAG_OWN_CAR", "yes_no", "home", "owns a car", "possède une voiture"),
    _field("FLAG_OWN_REALTY", "yes_no", "home", "owns a house or a flat", "possède une maison ou un appartement"),
    _field("NAME_TYPE_SUITE", "category", "contact", "who came along to apply", "personne qui accompagnait le client"),
    _field("NAME_INCOME_TYPE", "category", "income", "kind of income", "type de revenu"),
    _field("NAME_EDUCATION_TYPE", "category", "person", "highest education", "niveau d'études"),
    _field("NAME_FAMILY_STATUS", "category", "person", "family status", "situation de famille"),
    _field("NAME_HOUSING_TYPE", "category", "home", "housing, such as tenant or with parents",
        "logement, par exemple locataire ou chez ses parents", label=("Housing", "Logement")),
    _field("OCCUPATION_TYPE", "category", "income", "occupation", "profession"),
    _field("WEEKDAY_APPR_PROCESS_START", "category", "contact", "day of the week of the application",
        "jour de la semaine de la demande"),
    _field("ORGANIZATION_TYPE", "category", "income", "type of employer", "type d'employeur"),
    _field("FONDKAPREMONT_MODE", "category", "home", "fund that pays for repairs of the building",
        "fonds qui finance les travaux de l'immeuble"),
    _field("HOUSETYPE_MODE", "category", "home", "type of building", "type d'immeuble"),
    _field("WALLSMATERIAL_MODE", "category", "home", "material of the walls", "matériau des murs"),
    _field("EMERGENCYSTATE_MODE", "yes_no", "home", "building in a state of emergency", "immeuble déclaré en péril"),
    _field("CNT_CHILDREN", "count", "person", "number of children", "nombre d'enfants"),
    _field("AMT_INCOME_TOTAL", "amount", "income", "declared income", "revenu déclaré"),
    _field("AMT_CREDIT", "amount", "loan", "amount of the credit applied for", "montant du crédit demandé"),
    _field("AMT_ANNUITY", "amount", "loan", "annuity of the loan, one regular repayment",
        "échéance du prêt, un remboursement régulier", label=("Regular repayment of the loan", "Échéance du prêt")),
    _field("AMT_GOODS_PRICE", "amount", "loan", "price of the goods to be financed", "prix du bien à financer"),
    _field("REGION_POPULATION_RELATIVE", "score", "home", "population of the region of residence, relative",
        "population de la région de résidence, en valeur relative",
        label=("Population of the region of residence", "Population de la région de résidence")),
    _field("DAYS_BIRTH", "elapsed_days", "person", "date of birth, in days before the application",
        "date de naissance, en jours avant la demande", label=("Age", "Âge")),
    _field("DAYS_EMPLOYED", "elapsed_days", "income", "start of the present job, in days before the application",
        "début de l'emploi actuel, en jours avant la demande",
        label=("Time in the present job", "Ancienneté dans l'emploi actuel")),
    _field(
        "DAYS_REGISTRATION", "elapsed_days", "contact",
        "last change of registration, in days before the application",
        "dernier changement d'enregistrement, en jours avant la demande",
        label=(
            "Time since the last change of registration",
            "Temps écoulé depuis le dernier changement d'enregistrement",
        ),
    ),
    _field("DAYS_ID_PUBLISH", "elapsed_days", "contact",
        "last change of the identity document, in days before the application",
        "dernier changement de pièce d'identité, en jours avant la demande",
        label=("Age of the identity document", "Ancienneté de la pièce d'identité")),
    _field("OWN_CAR_AGE", "years", "home", "age of the car, in years", "âge de la voiture, en années",
        label=("Age of the car", "Âge de la voiture")),
    _field("FLAG_EMP_PHONE", "yes_no", "income", "gave a telephone number of the employer",
        "a fourni le téléphone de l'employeur"),
    _field("FLAG_WORK_PHONE", "yes_no", "contact", "gave a telephone number at work",
        "a fourni un téléphone professionnel"),
    _field("FLAG_CONT_MOBILE", "yes_no", "contact", "could be reached by mobile telephone",
        "joignable sur son téléphone mobile"),
    _field("FLAG_PHONE", "yes_no", "contact", "gave a telephone number at home", "a fourni un téléphone fixe"),
    _field("FLAG_EMAIL", "yes_no", "contact", "gave an e-mail address", "a fourni une adresse électronique"),
    _field("CNT_FAM_MEMBERS", "count", "person", "number of family members", "nombre de membres du foyer"),
    _field("REGION_RATING_CLIENT", "number", "home", "lender's rating of the region, 1 best to 3 worst",
        "note de la région par le prêteur, de 1 (meilleure) à 3"),
    _field("REGION_RATING_CLIENT_W_CITY", "number", "home", "lender's rating of the region and city, 1 best to 3 worst",
        "note de la région et de la ville par le prêteur, de 1 (meilleure) à 3"),
    _field("HOUR_APPR_PROCESS_START", "hour", "contact", "hour of the application", "heure de la demande"),
    *(
        _field(f"{home}_{area}_NOT_{other}_{area}", "yes_no", "home", f"{start[0]} in another {words[0]} than {end[0]}",
            f"{start[1]} dans une autre {words[1]} que {end[1]}")
        for area, words in (("REGION", ("region", "région")), ("CITY", ("city", "ville")))
        for home, other, start, end in _ADDRESSES
    ),
    _field("EXT_SOURCE_1", "score", "external_scores", "external score 1", "score externe 1", direction=-1),
    _field("EXT_SOURCE_2", "score", "external_scores", "external score 2", "score externe 2", direction=-1),
    _field("EXT_SOURCE_3", "score", "external_scores", "external score 3", "score externe 3", direction=-1),
    *(
        _field(name, "score", "home", f"building: {en}, from 0 to 1", f"immeuble : {fr}, de 0 à 1",
            label=(f"Building, {en}, from 0 to 1", f"Immeuble, {fr}, de 0 à 1"))
        for name, (en, fr) in _BUILDING.items()
    ),
    _field("OBS_30_CNT_SOCIAL_CIRCLE", "count", "enquiries", "acquaintances who could be observed past due by 30 days",
        "relations dont un retard de 30 jours était observable"),
    _field("DEF_30_CNT_SOCIAL_CIRCLE", "count", "enquiries", "acquaintances who defaulted, past due by 30 days",
        "relations en défaut, avec 30 jours de retard"),
    _field("OBS_60_CNT_SOCIAL_CIRCLE", "count", "enquiries", "acquaintances who could be observed past due by 60 days",
        "relations dont un retard de 60 jours était observable"),
    _field("DEF_60_CNT_SOCIAL_CIRCLE", "count", "enquiries", "acquaintances who defaulted, past due by 60 days",
        "relations en défaut, avec 60 jours de retard"),
    _field("DAYS_LAST_PHONE_CHANGE", "elapsed_days", "contact",
        "last change of telephone, in days before the application",
        "dernier changement de téléphone, en jours avant la demande",
        label=("Time since the last change of telephone", "Temps écoulé depuis le dernier changement de téléphone")),
    *(
        _field(f"FLAG_DOCUMENT_{number}", "yes_no", "contact", f"document {number} handed in",
            f"document {number} fourni")
        for number in _KEPT_DOCUMENTS
    ),
    *(
        _field(f"AMT_REQ_CREDIT_BUREAU_{period}", "count", "enquiries", f"enquiries at the credit bureau, {en}",
            f"consultations du fichier de crédit, {fr}")
        for period, (en, fr) in _PERIODS.items()
    ),
)  # fmt: skip

_FIELD_NAMES = tuple(field.name for field in _FIELDS)


def _row_sum(columns: Sequence[str]) -> Expression:
    return sum(_[column].cast("float64").fill_null(0.0) for column in columns)


def _known_count(columns: Sequence[str]) -> Expression:
    return sum(_[column].notnull().cast("float64") for column in columns)


def _row_std(columns: Sequence[str], mean: Expression, count: Expression) -> Expression:
    # From the deviations themselves: the difference of sums of squares has no digit left for scores that almost agree.
    deviations = sum(((_[column] - mean) * (_[column] - mean)).fill_null(0.0) for column in columns)
    return null_if(safe_ratio(deviations, count - 1), count < 2).sqrt()


def _rate(term: int) -> Expression:
    """Build the yearly rate that the amounts imply for a term, null where the lender never charges so little.

    The term is not in the application. Revolving loans have no term, of others the kind is unknown: null.
    """
    cash = (_.NAME_CONTRACT_TYPE == "Cash loans").fill_null(False)
    yearly = yearly_interest_rate(_.AMT_CREDIT, _.AMT_ANNUITY, term)
    return as_written(
        null_if(yearly, ~cash | (yearly < _MIN_PLAUSIBLE_RATE)),
        f"yearly_interest_rate(AMT_CREDIT, AMT_ANNUITY, {term}) of a cash loan, null below {_MIN_PLAUSIBLE_RATE}",
    )


APPLICANTS = Rows(
    APPLICATION,
    "applicant",
    parts={
        "EXT_COUNT": as_written(_known_count(_EXT_SOURCES), "number of known scores"),
        "EXT_SUM": as_written(_row_sum(_EXT_SOURCES), "sum of the known scores"),
        "EXT_MIN": ibis.least(*(_[column] for column in _EXT_SOURCES)),
        "EXT_MAX": ibis.greatest(*(_[column] for column in _EXT_SOURCES)),
        "HOUSING_COUNT": as_written(_known_count(_HOUSING), f"number of known ones of {', '.join(_HOUSING)}"),
        "HOUSING_SUM": as_written(_row_sum(_HOUSING), "sum of the known ones of them"),
        **{f"RATE_{term}": _rate(term) for term in _TERMS},
    },
    helpers={
        "EXT_MEAN": safe_ratio(_.EXT_SUM, _.EXT_COUNT),
        "HOUSING_MEAN": safe_ratio(_.HOUSING_SUM, _.HOUSING_COUNT),
    },
)


def _feature(name: str, value: Expression, unit: Unit, theme: Theme, en: str, fr: str, **told: Any) -> Feature:
    shared = {"measure": MEASURE_OF.get(name, ""), "absent": _absent(written(value))}
    return make_feature(APPLICATION, name, value, unit, (en, fr), theme=theme, **{**shared, **told})


def _ratio(
    name: str,
    numerator: Expression,
    denominator: Expression,
    unit: Unit,
    theme: Theme,
    en: str,
    fr: str,
    label: Words | None = None,
) -> Feature:
    value = safe_ratio(numerator, denominator)
    null = (f"`{written(numerator)}` is null", f"`{written(denominator)}` is null or 0")
    return _feature(name, value, unit, theme, en, fr, null=null, label=label)


def _of_two(
    name: str,
    first: str,
    second: str,
    build: str,
    unit: Unit,
    theme: Theme,
    en: str,
    fr: str,
    label: Words | None = None,
    direction: Direction = 0,
) -> Feature:
    """Record the product or the difference of two fields."""
    value = _[first] * _[second] if build == "product" else _[first] - _[second]
    null = (f"`{first}` is null", f"`{second}` is null")
    return _feature(name, value, unit, theme, en, fr, null=null, label=label, abstract=True, direction=direction)


# The three external scores, the strongest columns of the application; the weights are of their relative strength, and a
# missing score leaves its weight out.
_WEIGHTS = {"EXT_SOURCE_1": 1.9, "EXT_SOURCE_2": 2.1, "EXT_SOURCE_3": 2.6}
_WEIGHTED_SUM = sum((_[column] * weight).fill_null(0.0) for column, weight in _WEIGHTS.items())
_WEIGHT_SUM = sum(_[column].notnull().cast("float64") * weight for column, weight in _WEIGHTS.items())
_NO_SCORE = "all three scores are null"
_AGE_DAYS, _EMPLOYED_DAYS = -_.DAYS_BIRTH.cast("float64"), -_.DAYS_EMPLOYED.cast("float64")
# Real numbers from the start: Spark would divide a whole number by 365.25 as a short decimal.
_AGE_YEARS, _EMPLOYED_YEARS = _AGE_DAYS / DAYS_PER_YEAR, _EMPLOYED_DAYS / DAYS_PER_YEAR
_RATES = tuple(_[f"RATE_{term}"] for term in _TERMS)
_NO_TERM = "not a cash loan, or no usual term gives a plausible rate"

_COMPUTED: tuple[Feature, ...] = (
    _feature("APPLICATION_EXT_SOURCE_MEAN", _.EXT_MEAN, "score", "external_scores", "external scores, mean",
        "scores externes, moyenne", null=_NO_SCORE, measure="APPLICATION_EXT_SOURCE", direction=-1,
        label=("Average of the external scores", "Moyenne des scores externes")),
    _feature("APPLICATION_EXT_SOURCE_MIN", _.EXT_MIN, "score", "external_scores", "external scores, minimum",
        "scores externes, minimum", null=_NO_SCORE, measure="APPLICATION_EXT_SOURCE", direction=-1,
        label=("Lowest of the external scores", "Score externe le plus bas")),
    _feature("APPLICATION_EXT_SOURCE_MAX", _.EXT_MAX, "score", "external_scores", "external scores, maximum",
        "scores externes, maximum", null=_NO_SCORE, measure="APPLICATION_EXT_SOURCE", direction=-1,
        label=("Highest of the external scores", "Score externe le plus élevé")),
    # The middle one of three, the mean of two, or the only one.
    _feature("APPLICATION_EXT_SOURCE_MEDIAN",
        (_.EXT_COUNT == len(_EXT_SOURCES)).ifelse(_.EXT_SUM - _.EXT_MIN - _.EXT_MAX, _.EXT_MEAN), "score",
        "external_scores", "external scores, median", "scores externes, médiane", null=_NO_SCORE,
        measure="APPLICATION_EXT_SOURCE", direction=-1),
    _feature("APPLICATION_EXT_SOURCE_STD", _row_std(_EXT_SOURCES, _.EXT_MEAN, _.EXT_COUNT), "score", "external_scores",
        "external scores, standard deviation", "scores externes, écart-type", null="fewer than two scores are known",
        measure="APPLICATION_EXT_SOURCE", abstract=True, formula="standard deviation of the known scores"),
    _feature("APPLICATION_EXT_SOURCE_RANGE", null_if(_.EXT_MAX - _.EXT_MIN, _.EXT_COUNT < 2), "score",
        "external_scores", "external scores, range", "scores externes, étendue", null="fewer than two scores are known",
        measure="APPLICATION_EXT_SOURCE", abstract=True),
    _feature("APPLICATION_EXT_SOURCE_NULL_COUNT", len(_EXT_SOURCES) - _.EXT_COUNT, "count", "external_scores",
        "external scores unknown, number", "scores externes inconnus, nombre"),
    _feature("APPLICATION_HOUSING_MEAN", _.HOUSING_MEAN, "score", "home", "indicators of the building, mean",
        "indicateurs du logement, moyenne", null="all indicators are null", measure="APPLICATION_HOUSING"),
    _feature("APPLICATION_HOUSING_STD", _row_std(_HOUSING, _.HOUSING_MEAN, _.HOUSING_COUNT), "score", "home",
        "indicators of the building, standard deviation", "indicateurs du logement, écart-type",
        null="fewer than two indicators are known", measure="APPLICATION_HOUSING", abstract=True,
        formula="standard deviation of the known indicators"),
    _feature("APPLICATION_HOUSING_NULL_COUNT", len(_HOUSING) - _.HOUSING_COUNT, "count", "home",
        "indicators of the building unknown, number", "indicateurs du logement inconnus, nombre"),
    _feature("APPLICATION_DOCUMENTS_COUNT", _row_sum(_DOCUMENT_FLAGS), "count", "contact",
        "documents handed in, number", "documents fournis, nombre", formula="sum of the 20 FLAG_DOCUMENT_*"),
    _feature("APPLICATION_CONTACTS_COUNT", _row_sum(_CONTACT_FLAGS), "count", "contact",
        "means of contact given, number", "moyens de contact fournis, nombre",
        formula=f"sum of {', '.join(_CONTACT_FLAGS)}"),
    _feature("APPLICATION_ADDRESS_MISMATCHES_COUNT", _row_sum(_ADDRESS_FLAGS), "count", "home",
        "addresses that differ from one another, number", "adresses qui diffèrent entre elles, nombre",
        formula=f"sum of {', '.join(_ADDRESS_FLAGS)}"),
    _feature("APPLICATION_ENQUIRIES_SUM", null_if(_row_sum(_ENQUIRIES), _known_count(_ENQUIRIES) == 0), "count",
        "enquiries", "enquiries at the credit bureau, total", "consultations du fichier de crédit, total",
        null="all six counts are null", formula="sum of the known AMT_REQ_CREDIT_BUREAU_*"),
    _feature("APPLICATION_FIELDS_NULL_COUNT", len(_FIELDS) - _known_count(_FIELD_NAMES), "count", "contact",
        "fields left empty, number", "champs non renseignés, nombre",
        formula=f"number of null ones among the {len(_FIELDS)} fields above"),
    _feature("APPLICATION_EXT_SOURCE_WEIGHTED_MEAN", safe_ratio(_WEIGHTED_SUM, _WEIGHT_SUM), "score", "external_scores",
        "external scores, weighted, mean", "scores externes, pondérés, moyenne", null=_NO_SCORE,
        formula="mean of the known scores, weighted 1.9, 2.1 and 2.6", direction=-1),
    _feature("APPLICATION_EXT_SOURCE_PRODUCT", _.EXT_SOURCE_1 * _.EXT_SOURCE_2 * _.EXT_SOURCE_3, "score",
        "external_scores", "external scores, product", "scores externes, produit",
        null="one of the three scores is null", measure="APPLICATION_EXT_SOURCE", abstract=True, direction=-1),
    _of_two("APPLICATION_EXT_SOURCE_1_2_PRODUCT", "EXT_SOURCE_1", "EXT_SOURCE_2", "product", "score", "external_scores",
        "external scores 1 and 2, product", "scores externes 1 et 2, produit", direction=-1),
    _of_two("APPLICATION_EXT_SOURCE_1_3_PRODUCT", "EXT_SOURCE_1", "EXT_SOURCE_3", "product", "score", "external_scores",
        "external scores 1 and 3, product", "scores externes 1 et 3, produit", direction=-1),
    _of_two("APPLICATION_EXT_SOURCE_2_3_PRODUCT", "EXT_SOURCE_2", "EXT_SOURCE_3", "product", "score", "external_scores",
        "external scores 2 and 3, product", "scores externes 2 et 3, produit", direction=-1),
    _of_two("APPLICATION_EXT_SOURCE_1_2_DIFF", "EXT_SOURCE_1", "EXT_SOURCE_2", "difference", "score", "external_scores",
        "external score 1 less score 2", "score externe 1 moins score 2"),
    _of_two("APPLICATION_EXT_SOURCE_1_3_DIFF", "EXT_SOURCE_1", "EXT_SOURCE_3", "difference", "score", "external_scores",
        "external score 1 less score 3", "score externe 1 moins score 3"),
    _of_two("APPLICATION_EXT_SOURCE_2_3_DIFF", "EXT_SOURCE_2", "EXT_SOURCE_3", "difference", "score", "external_scores",
        "external score 2 less score 3", "score externe 2 moins score 3"),
    _ratio("APPLICATION_CREDIT_TO_EXT_SOURCE_3_RATIO", _.AMT_CREDIT, _.EXT_SOURCE_3, "number", "external_scores",
        "credit relative to external score 3", "crédit par rapport au score externe 3"),
    _ratio("APPLICATION_ANNUITY_TO_EXT_SOURCE_3_RATIO", _.AMT_ANNUITY, _.EXT_SOURCE_3, "number", "external_scores",
        "annuity relative to external score 3", "échéance par rapport au score externe 3"),
    _ratio("APPLICATION_INCOME_TO_EXT_SOURCE_3_RATIO", _.AMT_INCOME_TOTAL, _.EXT_SOURCE_3, "number", "external_scores",
        "income relative to external score 3", "revenu par rapport au score externe 3"),
    _ratio("APPLICATION_AGE_TO_EXT_SOURCE_3_RATIO", -_.DAYS_BIRTH, _.EXT_SOURCE_3, "number", "external_scores",
        "age relative to external score 3", "âge par rapport au score externe 3"),
    _feature("APPLICATION_EXT_SOURCE_1_NULL_FLAG", _.EXT_SOURCE_1.isnull(), "yes_no", "external_scores",
        "external score 1 unknown", "score externe 1 inconnu"),
    _feature("APPLICATION_EXT_SOURCE_3_NULL_FLAG", _.EXT_SOURCE_3.isnull(), "yes_no", "external_scores",
        "external score 3 unknown", "score externe 3 inconnu"),
    _ratio("APPLICATION_CREDIT_TO_ANNUITY_RATIO", _.AMT_CREDIT, _.AMT_ANNUITY, "number", "loan",
        "credit relative to annuity, about the term", "crédit par rapport à l'échéance, proche de la durée",
        label=("Estimated number of payments", "Nombre de paiements estimé")),
    _ratio("APPLICATION_CREDIT_TO_GOODS_RATIO", _.AMT_CREDIT, _.AMT_GOODS_PRICE, "ratio", "loan",
        "credit relative to the price of the goods", "crédit par rapport au prix du bien"),
    _ratio("APPLICATION_CREDIT_TO_INCOME_RATIO", _.AMT_CREDIT, _.AMT_INCOME_TOTAL, "ratio", "income",
        "credit relative to income", "crédit par rapport au revenu"),
    _ratio("APPLICATION_ANNUITY_TO_INCOME_RATIO", _.AMT_ANNUITY, _.AMT_INCOME_TOTAL, "ratio", "income",
        "annuity relative to income", "échéance par rapport au revenu"),
    _ratio("APPLICATION_GOODS_TO_INCOME_RATIO", _.AMT_GOODS_PRICE, _.AMT_INCOME_TOTAL, "ratio", "income",
        "price of the goods relative to income", "prix du bien par rapport au revenu"),
    _ratio("APPLICATION_GOODS_TO_ANNUITY_RATIO", _.AMT_GOODS_PRICE, _.AMT_ANNUITY, "number", "loan",
        "price of the goods relative to annuity", "prix du bien par rapport à l'échéance"),
    _of_two("APPLICATION_GOODS_CREDIT_DIFF", "AMT_GOODS_PRICE", "AMT_CREDIT", "difference", "amount", "loan",
        "price of the goods less credit", "prix du bien moins crédit"),
    _ratio("APPLICATION_GOODS_CREDIT_DIFF_TO_INCOME_RATIO", _.AMT_GOODS_PRICE - _.AMT_CREDIT, _.AMT_INCOME_TOTAL,
        "ratio", "income", "price of the goods less credit, relative to income",
        "écart entre prix du bien et crédit, par rapport au revenu"),
    _ratio("APPLICATION_INCOME_TO_PERSONS_RATIO", _.AMT_INCOME_TOTAL, _.CNT_FAM_MEMBERS, "amount", "income",
        "income per family member", "revenu par membre du foyer"),
    _ratio("APPLICATION_INCOME_TO_CHILDREN_RATIO", _.AMT_INCOME_TOTAL, 1 + _.CNT_CHILDREN, "amount", "income",
        "income divided by one plus the number of children",
        "revenu divisé par un plus le nombre d'enfants"),
    _ratio("APPLICATION_INCOME_TO_ADULTS_RATIO", _.AMT_INCOME_TOTAL, _.CNT_FAM_MEMBERS - _.CNT_CHILDREN, "amount",
        "income", "income per adult", "revenu par adulte"),
    _ratio("APPLICATION_CREDIT_TO_PERSONS_RATIO", _.AMT_CREDIT, _.CNT_FAM_MEMBERS, "amount", "loan",
        "credit per family member", "crédit par membre du foyer"),
    _ratio("APPLICATION_CHILDREN_TO_FAMILY_RATIO", _.CNT_CHILDREN, _.CNT_FAM_MEMBERS, "share", "person",
        "children relative to family members", "enfants par rapport au nombre de membres du foyer"),
    _feature("APPLICATION_INCOME_AFTER_ANNUITY_DIFF", _.AMT_INCOME_TOTAL - 12 * _.AMT_ANNUITY, "amount", "income",
        "income less a year of annuities", "revenu moins un an d'échéances",
        null=("`AMT_INCOME_TOTAL` is null", "`AMT_ANNUITY` is null"), abstract=True),
    _feature("APPLICATION_INCOME_LOG", (_.AMT_INCOME_TOTAL + 1).ln(), "number", "income", "income, logarithm",
        "revenu, logarithme", null="`AMT_INCOME_TOTAL` is null", abstract=True),
    _feature("APPLICATION_AGE_YEARS", _AGE_YEARS, "years", "person", "age", "âge", null="`DAYS_BIRTH` is null"),
    _feature("APPLICATION_EMPLOYED_NULL_FLAG", _.DAYS_EMPLOYED.isnull(), "yes_no", "income", "job date unknown",
        "date d'emploi inconnue", label=("Without a job now", "Sans emploi actuellement")),
    _ratio("APPLICATION_EMPLOYED_TO_AGE_RATIO", _.DAYS_EMPLOYED, _.DAYS_BIRTH, "share", "income",
        "time in the job relative to age", "ancienneté d'emploi par rapport à l'âge"),
    _of_two("APPLICATION_EMPLOYED_BIRTH_DIFF", "DAYS_EMPLOYED", "DAYS_BIRTH", "difference", "days_as_years", "income",
        "age when the job began, in days", "âge au début de l'emploi, en jours",
        label=("Age when the job began", "Âge au début de l'emploi")),
    _ratio("APPLICATION_INCOME_TO_EMPLOYED_RATIO", _.AMT_INCOME_TOTAL, _EMPLOYED_DAYS, "number", "income",
        "income relative to time in the job", "revenu par rapport à l'ancienneté d'emploi"),
    _ratio("APPLICATION_INCOME_TO_AGE_RATIO", _.AMT_INCOME_TOTAL, _AGE_DAYS, "number", "income",
        "income relative to age",
        "revenu par rapport à l'âge"),
    _ratio("APPLICATION_CREDIT_TO_EMPLOYED_RATIO", _.AMT_CREDIT, _EMPLOYED_DAYS, "number", "income",
        "credit relative to time in the job", "crédit par rapport à l'ancienneté d'emploi"),
    _ratio("APPLICATION_CREDIT_TO_AGE_RATIO", _.AMT_CREDIT, _AGE_DAYS, "number", "loan", "credit relative to age",
        "crédit par rapport à l'âge"),
    # CREDIT / ANNUITY is close to the number of monthly payments.
    _feature("APPLICATION_AGE_AT_END_YEARS",
        (DAYS_PER_MONTH * safe_ratio(_.AMT_CREDIT, _.AMT_ANNUITY) + _AGE_DAYS) / DAYS_PER_YEAR, "years", "person",
        "age when the loan ends, estimated", "âge à la fin du prêt, estimation",
        null=("`AMT_CREDIT` is null", "`AMT_ANNUITY` is null or 0", "`DAYS_BIRTH` is null")),
    _ratio("APPLICATION_ID_PUBLISH_TO_AGE_RATIO", _.DAYS_ID_PUBLISH, _.DAYS_BIRTH, "number", "contact",
        "age of the identity document relative to age", "ancienneté de la pièce d'identité par rapport à l'âge"),
    _of_two("APPLICATION_ID_PUBLISH_BIRTH_DIFF", "DAYS_ID_PUBLISH", "DAYS_BIRTH", "difference", "days_as_years",
        "contact", "age at the identity document, in days", "âge à la pièce d'identité, en jours",
        label=("Age at the identity document", "Âge à la pièce d'identité")),
    _ratio("APPLICATION_REGISTRATION_TO_AGE_RATIO", _.DAYS_REGISTRATION, _.DAYS_BIRTH, "number", "contact",
        "time since registration relative to age", "ancienneté de l'enregistrement par rapport à l'âge"),
    _of_two("APPLICATION_REGISTRATION_ID_PUBLISH_DIFF", "DAYS_REGISTRATION", "DAYS_ID_PUBLISH", "difference",
        "day_gap", "contact", "from identity document to registration, in days",
        "de la pièce d'identité à l'enregistrement, en jours",
        label=("Registration, counted from the identity document",
            "Enregistrement, compté depuis la pièce d'identité")),
    _ratio("APPLICATION_PHONE_TO_AGE_RATIO", _.DAYS_LAST_PHONE_CHANGE, _.DAYS_BIRTH, "number", "contact",
        "time since the change of telephone relative to age", "ancienneté du téléphone par rapport à l'âge"),
    _ratio("APPLICATION_PHONE_TO_EMPLOYED_RATIO", _.DAYS_LAST_PHONE_CHANGE, _.DAYS_EMPLOYED, "number", "income",
        "time since the change of telephone relative to time in the job",
        "ancienneté du téléphone par rapport à l'ancienneté d'emploi"),
    _of_two("APPLICATION_PHONE_ID_PUBLISH_DIFF", "DAYS_LAST_PHONE_CHANGE", "DAYS_ID_PUBLISH", "difference",
        "day_gap", "contact", "from identity document to change of telephone, in days",
        "de la pièce d'identité au changement de téléphone, en jours",
        label=("Change of telephone, counted from the identity document",
            "Changement de téléphone, compté depuis la pièce d'identité")),
    _of_two("APPLICATION_EMPLOYED_ID_PUBLISH_DIFF", "DAYS_EMPLOYED", "DAYS_ID_PUBLISH", "difference", "day_gap",
        "income", "from identity document to job, in days", "de la pièce d'identité à l'emploi, en jours",
        label=("Start of the job, counted from the identity document",
            "Début de l'emploi, compté depuis la pièce d'identité")),
    _of_two("APPLICATION_EMPLOYED_REGISTRATION_DIFF", "DAYS_EMPLOYED", "DAYS_REGISTRATION", "difference",
        "day_gap", "income", "from registration to job, in days", "de l'enregistrement à l'emploi, en jours",
        label=("Start of the job, counted from the registration",
            "Début de l'emploi, compté depuis l'enregistrement")),
    _ratio("APPLICATION_CAR_TO_AGE_RATIO", _.OWN_CAR_AGE, _AGE_YEARS, "number", "home",
        "age of the car relative to age of the client", "âge de la voiture par rapport à l'âge du client"),
    _ratio("APPLICATION_CAR_TO_EMPLOYED_RATIO", _.OWN_CAR_AGE, _EMPLOYED_YEARS, "number", "income",
        "age of the car relative to time in the job", "âge de la voiture par rapport à l'ancienneté d'emploi"),
    *(
        _ratio(f"APPLICATION_SOCIAL_CIRCLE_RATE_{days}D", _[f"DEF_{days}_CNT_SOCIAL_CIRCLE"],
            _[f"OBS_{days}_CNT_SOCIAL_CIRCLE"], "share", "enquiries",
            f"acquaintances in default among those observed, share, {days} days past due",
            f"relations en défaut parmi celles observées, part, {days} jours de retard")
        for days in (30, 60)
    ),
    _feature("APPLICATION_INTEREST_RATE_MIN", ibis.least(*_RATES), "ratio", "loan",
        "interest rate that the amounts imply, minimum", "taux d'intérêt impliqué par les montants, minimum",
        null=_NO_TERM,
        label=("Interest rate, lowest estimate", "Taux d'intérêt, estimation basse"), absent=_ABSENT["RATE_"]),
    _feature("APPLICATION_INTEREST_RATE_MAX", ibis.greatest(*_RATES), "ratio", "loan",
        "interest rate that the amounts imply, maximum", "taux d'intérêt impliqué par les montants, maximum",
        null=_NO_TERM,
        label=("Interest rate, highest estimate", "Taux d'intérêt, estimation haute"), absent=_ABSENT["RATE_"]),
    # The rate grows with the term, so the shortest plausible term is the first one whose rate was kept.
    _feature(
        "APPLICATION_TERM_MIN",
        ibis.coalesce(
            *(
                rate.notnull().ifelse(float(term), ibis.null("float64"))
                for rate, term in zip(_RATES, _TERMS, strict=True)
            )
        ),
        "count", "loan", "shortest plausible number of payments", "plus petit nombre plausible de paiements",
        null=_NO_TERM, formula="the first of 6, 12, ..., 60 whose RATE is known",
        label=("Number of payments, lowest estimate", "Nombre de paiements, estimation basse"),
        absent=_ABSENT["RATE_"],
    ),
)  # fmt: skip


def compute_application_features(application: ir.Table) -> ir.Table:
    """Compute the features known from the application form itself.

    Args:
        application: The clean applications, with or without TARGET.

    Returns:
        One row per SK_ID_CURR: the key, TARGET if it was there (no feature reads it), the useful raw columns under
        their own names (text kept as text) and the APPLICATION_* features. A feature is null where one of its inputs
        is.
    """
    outcome = [column for column in (OUTCOME,) if column in application.columns]
    kept = [CLIENT_KEY, *outcome, *_FIELD_NAMES]
    unkept = [name for name in _DOCUMENT_FLAGS if name not in kept]
    applicants = application.select(*kept, *unkept).mutate(**APPLICANTS.parts).mutate(**APPLICANTS.helpers)
    computed = applicants.mutate(**values_of(_COMPUTED))
    return as_features(computed.select(*kept, *values_of(_COMPUTED)))


SOURCE = Source(
    "application",
    "The application",
    (CLEAN_APPLICATION,),
    compute_application_features,
    (*_FIELDS, *_COMPUTED),
    (APPLICANTS,),
)
