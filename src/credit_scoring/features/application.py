"""Features of the current application: one row per applicant, from `application_train` and `application_test`.

Units: amounts in the lender's currency, dates in days relative to the application (negative = before it).
"""

# ruff: noqa: SIM300 - a column such as _.AMT_CREDIT is not the constant that Ruff takes it for

import ibis
import ibis.expr.types as ir
from ibis import _

from credit_scoring.features.expressions import (
    CLIENT_KEY,
    DAYS_PER_YEAR,
    OUTCOME,
    Expression,
    as_features,
    clean_missing_markers,
    null_if,
    safe_ratio,
    yearly_interest_rate,
)

_EXT_SOURCES = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")

_HOUSING = (
    "APARTMENTS_AVG",
    "BASEMENTAREA_AVG",
    "YEARS_BEGINEXPLUATATION_AVG",
    "YEARS_BUILD_AVG",
    "COMMONAREA_AVG",
    "ELEVATORS_AVG",
    "ENTRANCES_AVG",
    "FLOORSMAX_AVG",
    "FLOORSMIN_AVG",
    "LANDAREA_AVG",
    "LIVINGAPARTMENTS_AVG",
    "LIVINGAREA_AVG",
    "NONLIVINGAPARTMENTS_AVG",
    "NONLIVINGAREA_AVG",
)

_CATEGORIES = (
    "NAME_CONTRACT_TYPE",
    "CODE_GENDER",
    "FLAG_OWN_CAR",
    "FLAG_OWN_REALTY",
    "NAME_TYPE_SUITE",
    "NAME_INCOME_TYPE",
    "NAME_EDUCATION_TYPE",
    "NAME_FAMILY_STATUS",
    "NAME_HOUSING_TYPE",
    "OCCUPATION_TYPE",
    "WEEKDAY_APPR_PROCESS_START",
    "ORGANIZATION_TYPE",
    "FONDKAPREMONT_MODE",
    "HOUSETYPE_MODE",
    "WALLSMATERIAL_MODE",
    "EMERGENCYSTATE_MODE",
)

_CONTACT_FLAGS = ("FLAG_EMP_PHONE", "FLAG_WORK_PHONE", "FLAG_CONT_MOBILE", "FLAG_PHONE", "FLAG_EMAIL")

_ADDRESS_FLAGS = (
    "REG_REGION_NOT_LIVE_REGION",
    "REG_REGION_NOT_WORK_REGION",
    "LIVE_REGION_NOT_WORK_REGION",
    "REG_CITY_NOT_LIVE_CITY",
    "REG_CITY_NOT_WORK_CITY",
    "LIVE_CITY_NOT_WORK_CITY",
)

_DOCUMENT_FLAGS = tuple(f"FLAG_DOCUMENT_{number}" for number in range(2, 22))

# Documents 2, 4, 7, 10, 12, 17, 19, 20 and 21 are handed in by fewer than one applicant in a thousand: alone each is
# noise, so they count only in APPLICATION_DOCUMENTS_COUNT.
_KEPT_DOCUMENT_FLAGS = tuple(f"FLAG_DOCUMENT_{number}" for number in (3, 5, 6, 8, 9, 11, 13, 14, 15, 16, 18))

_BUREAU_ENQUIRIES = tuple(f"AMT_REQ_CREDIT_BUREAU_{period}" for period in ("HOUR", "DAY", "WEEK", "MON", "QRT", "YEAR"))

# The *_MODE and *_MEDI copies of the housing block repeat the *_AVG ones almost exactly; FLAG_MOBIL is constant.
_KEPT_NUMBERS = (
    "CNT_CHILDREN",
    "AMT_INCOME_TOTAL",
    "AMT_CREDIT",
    "AMT_ANNUITY",
    "AMT_GOODS_PRICE",
    "REGION_POPULATION_RELATIVE",
    "DAYS_BIRTH",
    "DAYS_EMPLOYED",
    "DAYS_REGISTRATION",
    "DAYS_ID_PUBLISH",
    "OWN_CAR_AGE",
    *_CONTACT_FLAGS,
    "CNT_FAM_MEMBERS",
    "REGION_RATING_CLIENT",
    "REGION_RATING_CLIENT_W_CITY",
    "HOUR_APPR_PROCESS_START",
    *_ADDRESS_FLAGS,
    *_EXT_SOURCES,
    *_HOUSING,
    "TOTALAREA_MODE",
    "OBS_30_CNT_SOCIAL_CIRCLE",
    "DEF_30_CNT_SOCIAL_CIRCLE",
    "OBS_60_CNT_SOCIAL_CIRCLE",
    "DEF_60_CNT_SOCIAL_CIRCLE",
    "DAYS_LAST_PHONE_CHANGE",
    *_KEPT_DOCUMENT_FLAGS,
    *_BUREAU_ENQUIRIES,
)

_PAST_DATES = ("DAYS_BIRTH", "DAYS_EMPLOYED", "DAYS_REGISTRATION", "DAYS_ID_PUBLISH", "DAYS_LAST_PHONE_CHANGE")

_MAX_INCOME = 20_000_000
_MAX_CAR_AGE = 63
_MAX_SOCIAL_CIRCLE = 100
_MAX_ENQUIRIES = 100

_TERMS = tuple(range(6, 61, 6))
_MIN_PLAUSIBLE_RATE = 0.085


def clean_application(table: ir.Table) -> ir.Table:
    """Turn placeholders and impossible values of the application into null; no applicant is dropped.

    Args:
        table: `application_train` (with TARGET) or `application_test`, or the two one above the other.

    Returns:
        The same rows and columns.
    """
    cleaned = clean_missing_markers(table)
    social_circle = [column for column in _KEPT_NUMBERS if column.endswith("SOCIAL_CIRCLE")]
    return cleaned.mutate(
        # Pensioners and the unemployed have no employment date: it is written 365243. No date can follow the
        # application.
        **{column: null_if(_[column], _[column] > 0) for column in _PAST_DATES if column != "DAYS_LAST_PHONE_CHANGE"},
        # 0 is what the phone column holds when no change is known.
        DAYS_LAST_PHONE_CHANGE=null_if(_.DAYS_LAST_PHONE_CHANGE, _.DAYS_LAST_PHONE_CHANGE >= 0),
        NAME_FAMILY_STATUS=_.NAME_FAMILY_STATUS.nullif("Unknown"),
        # The rating runs from 1 to 3.
        REGION_RATING_CLIENT_W_CITY=null_if(_.REGION_RATING_CLIENT_W_CITY, _.REGION_RATING_CLIENT_W_CITY < 1),
        # A handful of incomes are typing errors (a labourer earning 117 million).
        AMT_INCOME_TOTAL=null_if(_.AMT_INCOME_TOTAL, (_.AMT_INCOME_TOTAL > _MAX_INCOME) | (_.AMT_INCOME_TOTAL <= 0)),
        # Ages 64 and 65 pile up by the thousand: a code for "unknown", not cars of the nineteen-fifties.
        OWN_CAR_AGE=null_if(_.OWN_CAR_AGE, (_.OWN_CAR_AGE > _MAX_CAR_AGE) | (_.OWN_CAR_AGE < 0)),
        # Nobody has 348 late-paying acquaintances, nor 261 enquiries in one quarter.
        **{column: null_if(_[column], _[column] > _MAX_SOCIAL_CIRCLE) for column in social_circle},
        **{column: null_if(_[column], _[column] > _MAX_ENQUIRIES) for column in _BUREAU_ENQUIRIES},
    )


def _row_sum(columns: tuple[str, ...]) -> Expression:
    return sum(_[column].cast("float64").fill_null(0.0) for column in columns)


def _known_count(columns: tuple[str, ...]) -> Expression:
    return sum(_[column].notnull().cast("float64") for column in columns)


def _with_row_statistics(table: ir.Table) -> ir.Table:
    """Add the per-applicant means, extremes and sums over groups of columns."""
    known = table.mutate(
        EXT_COUNT=_known_count(_EXT_SOURCES),
        EXT_SUM=_row_sum(_EXT_SOURCES),
        EXT_MIN=ibis.least(*(table[column] for column in _EXT_SOURCES)),
        EXT_MAX=ibis.greatest(*(table[column] for column in _EXT_SOURCES)),
        HOUSING_COUNT=_known_count(_HOUSING),
        HOUSING_SUM=_row_sum(_HOUSING),
    ).mutate(EXT_MEAN=safe_ratio(_.EXT_SUM, _.EXT_COUNT), HOUSING_MEAN=safe_ratio(_.HOUSING_SUM, _.HOUSING_COUNT))
    return known.mutate(
        APPLICATION_EXT_SOURCE_MEAN=_.EXT_MEAN,
        APPLICATION_EXT_SOURCE_MIN=_.EXT_MIN,
        APPLICATION_EXT_SOURCE_MAX=_.EXT_MAX,
        # The middle one of three, the mean of two, or the only one.
        APPLICATION_EXT_SOURCE_MEDIAN=(_.EXT_COUNT == len(_EXT_SOURCES)).ifelse(
            _.EXT_SUM - _.EXT_MIN - _.EXT_MAX, _.EXT_MEAN
        ),
        APPLICATION_EXT_SOURCE_STD=_row_std(_EXT_SOURCES, _.EXT_MEAN, _.EXT_COUNT),
        APPLICATION_EXT_SOURCE_RANGE=null_if(_.EXT_MAX - _.EXT_MIN, _.EXT_COUNT < 2),
        APPLICATION_EXT_SOURCE_NULL_COUNT=len(_EXT_SOURCES) - _.EXT_COUNT,
        APPLICATION_HOUSING_MEAN=_.HOUSING_MEAN,
        APPLICATION_HOUSING_STD=_row_std(_HOUSING, _.HOUSING_MEAN, _.HOUSING_COUNT),
        APPLICATION_HOUSING_NULL_COUNT=len(_HOUSING) - _.HOUSING_COUNT,
        APPLICATION_DOCUMENTS_COUNT=_row_sum(_DOCUMENT_FLAGS),
        APPLICATION_CONTACTS_COUNT=_row_sum(_CONTACT_FLAGS),
        APPLICATION_ADDRESS_MISMATCHES_COUNT=_row_sum(_ADDRESS_FLAGS),
        APPLICATION_ENQUIRIES_SUM=null_if(_row_sum(_BUREAU_ENQUIRIES), _known_count(_BUREAU_ENQUIRIES) == 0),
        APPLICATION_FIELDS_NULL_COUNT=len(_KEPT_NUMBERS + _CATEGORIES) - _known_count(_KEPT_NUMBERS + _CATEGORIES),
    ).drop("EXT_COUNT", "EXT_SUM", "EXT_MEAN", "EXT_MIN", "EXT_MAX", "HOUSING_COUNT", "HOUSING_SUM", "HOUSING_MEAN")


def _row_std(columns: tuple[str, ...], mean: Expression, count: Expression) -> Expression:
    # From the deviations themselves: the difference of sums of squares has no digit left for scores that almost agree.
    deviations = sum(((_[column] - mean) * (_[column] - mean)).fill_null(0.0) for column in columns)
    return null_if(safe_ratio(deviations, count - 1), count < 2).sqrt()


def _with_score_combinations(table: ir.Table) -> ir.Table:
    """Add products, differences and divisions of the external scores, the strongest columns of the application."""
    first, second, third = (_[column] for column in _EXT_SOURCES)
    # Weights of the relative strength of each score; a missing one leaves its weight out.
    weights = {"EXT_SOURCE_1": 1.9, "EXT_SOURCE_2": 2.1, "EXT_SOURCE_3": 2.6}
    weighted_sum = sum((_[column] * weight).fill_null(0.0) for column, weight in weights.items())
    weight_sum = sum(_[column].notnull().cast("float64") * weight for column, weight in weights.items())
    return table.mutate(
        APPLICATION_EXT_SOURCE_WEIGHTED_MEAN=safe_ratio(weighted_sum, weight_sum),
        APPLICATION_EXT_SOURCE_PRODUCT=first * second * third,
        APPLICATION_EXT_SOURCE_1_2_PRODUCT=first * second,
        APPLICATION_EXT_SOURCE_1_3_PRODUCT=first * third,
        APPLICATION_EXT_SOURCE_2_3_PRODUCT=second * third,
        APPLICATION_EXT_SOURCE_1_2_DIFF=first - second,
        APPLICATION_EXT_SOURCE_1_3_DIFF=first - third,
        APPLICATION_EXT_SOURCE_2_3_DIFF=second - third,
        APPLICATION_CREDIT_TO_EXT_SOURCE_3_RATIO=safe_ratio(_.AMT_CREDIT, third),
        APPLICATION_ANNUITY_TO_EXT_SOURCE_3_RATIO=safe_ratio(_.AMT_ANNUITY, third),
        APPLICATION_INCOME_TO_EXT_SOURCE_3_RATIO=safe_ratio(_.AMT_INCOME_TOTAL, third),
        APPLICATION_AGE_TO_EXT_SOURCE_3_RATIO=safe_ratio(-_.DAYS_BIRTH, third),
        APPLICATION_EXT_SOURCE_1_NULL_FLAG=first.isnull(),
        APPLICATION_EXT_SOURCE_3_NULL_FLAG=third.isnull(),
    )


def _with_amount_ratios(table: ir.Table) -> ir.Table:
    """Add the ratios between credit, annuity, goods price, income and household."""
    adults = _.CNT_FAM_MEMBERS - _.CNT_CHILDREN
    return table.mutate(
        APPLICATION_CREDIT_TO_ANNUITY_RATIO=safe_ratio(_.AMT_CREDIT, _.AMT_ANNUITY),
        APPLICATION_CREDIT_TO_GOODS_RATIO=safe_ratio(_.AMT_CREDIT, _.AMT_GOODS_PRICE),
        APPLICATION_CREDIT_TO_INCOME_RATIO=safe_ratio(_.AMT_CREDIT, _.AMT_INCOME_TOTAL),
        APPLICATION_ANNUITY_TO_INCOME_RATIO=safe_ratio(_.AMT_ANNUITY, _.AMT_INCOME_TOTAL),
        APPLICATION_GOODS_TO_INCOME_RATIO=safe_ratio(_.AMT_GOODS_PRICE, _.AMT_INCOME_TOTAL),
        APPLICATION_GOODS_TO_ANNUITY_RATIO=safe_ratio(_.AMT_GOODS_PRICE, _.AMT_ANNUITY),
        APPLICATION_GOODS_CREDIT_DIFF=_.AMT_GOODS_PRICE - _.AMT_CREDIT,
        APPLICATION_GOODS_CREDIT_DIFF_TO_INCOME_RATIO=safe_ratio(_.AMT_GOODS_PRICE - _.AMT_CREDIT, _.AMT_INCOME_TOTAL),
        APPLICATION_INCOME_TO_PERSONS_RATIO=safe_ratio(_.AMT_INCOME_TOTAL, _.CNT_FAM_MEMBERS),
        APPLICATION_INCOME_TO_CHILDREN_RATIO=safe_ratio(_.AMT_INCOME_TOTAL, 1 + _.CNT_CHILDREN),
        APPLICATION_INCOME_TO_ADULTS_RATIO=safe_ratio(_.AMT_INCOME_TOTAL, adults),
        APPLICATION_CREDIT_TO_PERSONS_RATIO=safe_ratio(_.AMT_CREDIT, _.CNT_FAM_MEMBERS),
        APPLICATION_CHILDREN_TO_FAMILY_RATIO=safe_ratio(_.CNT_CHILDREN, _.CNT_FAM_MEMBERS),
        APPLICATION_INCOME_AFTER_ANNUITY_DIFF=_.AMT_INCOME_TOTAL - 12 * _.AMT_ANNUITY,
        APPLICATION_INCOME_LOG=(_.AMT_INCOME_TOTAL + 1).ln(),
    )


def _with_time_ratios(table: ir.Table) -> ir.Table:
    """Add ages, durations and the ratios between them."""
    # Real numbers from the start: Spark would divide a whole number by 365.25 as a short decimal.
    age_days, employed_days = -_.DAYS_BIRTH.cast("float64"), -_.DAYS_EMPLOYED.cast("float64")
    return table.mutate(
        APPLICATION_AGE_YEARS=age_days / DAYS_PER_YEAR,
        APPLICATION_EMPLOYED_NULL_FLAG=_.DAYS_EMPLOYED.isnull(),
        APPLICATION_EMPLOYED_TO_AGE_RATIO=safe_ratio(_.DAYS_EMPLOYED, _.DAYS_BIRTH),
        APPLICATION_EMPLOYED_BIRTH_DIFF=_.DAYS_EMPLOYED - _.DAYS_BIRTH,
        APPLICATION_INCOME_TO_EMPLOYED_RATIO=safe_ratio(_.AMT_INCOME_TOTAL, employed_days),
        APPLICATION_INCOME_TO_AGE_RATIO=safe_ratio(_.AMT_INCOME_TOTAL, age_days),
        APPLICATION_CREDIT_TO_EMPLOYED_RATIO=safe_ratio(_.AMT_CREDIT, employed_days),
        APPLICATION_CREDIT_TO_AGE_RATIO=safe_ratio(_.AMT_CREDIT, age_days),
        # CREDIT / ANNUITY is close to the number of monthly payments.
        APPLICATION_AGE_AT_END_YEARS=(30 * safe_ratio(_.AMT_CREDIT, _.AMT_ANNUITY) + age_days) / DAYS_PER_YEAR,
        APPLICATION_ID_PUBLISH_TO_AGE_RATIO=safe_ratio(_.DAYS_ID_PUBLISH, _.DAYS_BIRTH),
        APPLICATION_ID_PUBLISH_BIRTH_DIFF=_.DAYS_ID_PUBLISH - _.DAYS_BIRTH,
        APPLICATION_REGISTRATION_TO_AGE_RATIO=safe_ratio(_.DAYS_REGISTRATION, _.DAYS_BIRTH),
        APPLICATION_REGISTRATION_ID_PUBLISH_DIFF=_.DAYS_REGISTRATION - _.DAYS_ID_PUBLISH,
        APPLICATION_PHONE_TO_AGE_RATIO=safe_ratio(_.DAYS_LAST_PHONE_CHANGE, _.DAYS_BIRTH),
        APPLICATION_PHONE_TO_EMPLOYED_RATIO=safe_ratio(_.DAYS_LAST_PHONE_CHANGE, _.DAYS_EMPLOYED),
        APPLICATION_PHONE_ID_PUBLISH_DIFF=_.DAYS_LAST_PHONE_CHANGE - _.DAYS_ID_PUBLISH,
        APPLICATION_EMPLOYED_ID_PUBLISH_DIFF=_.DAYS_EMPLOYED - _.DAYS_ID_PUBLISH,
        APPLICATION_EMPLOYED_REGISTRATION_DIFF=_.DAYS_EMPLOYED - _.DAYS_REGISTRATION,
        APPLICATION_CAR_TO_AGE_RATIO=safe_ratio(_.OWN_CAR_AGE, age_days / DAYS_PER_YEAR),
        APPLICATION_CAR_TO_EMPLOYED_RATIO=safe_ratio(_.OWN_CAR_AGE, employed_days / DAYS_PER_YEAR),
        APPLICATION_SOCIAL_CIRCLE_RATE_30D=safe_ratio(_.DEF_30_CNT_SOCIAL_CIRCLE, _.OBS_30_CNT_SOCIAL_CIRCLE),
        APPLICATION_SOCIAL_CIRCLE_RATE_60D=safe_ratio(_.DEF_60_CNT_SOCIAL_CIRCLE, _.OBS_60_CNT_SOCIAL_CIRCLE),
    )


def _with_interest(table: ir.Table) -> ir.Table:
    """Add the interest rate of the loan applied for, over the terms that make it plausible.

    The term is not in the application. For each usual term the amounts imply a yearly rate, and the terms whose rate is
    below what the lender ever charges are ruled out. Revolving loans have no term, of others the kind is unknown: null.
    """
    cash = (_.NAME_CONTRACT_TYPE == "Cash loans").fill_null(False)

    def rate(term: int) -> Expression:
        yearly = yearly_interest_rate(_.AMT_CREDIT, _.AMT_ANNUITY, term)
        return null_if(yearly, ~cash | (yearly < _MIN_PLAUSIBLE_RATE))

    rates = table.mutate(**{f"RATE_{term}": rate(term) for term in _TERMS})
    columns = [rates[f"RATE_{term}"] for term in _TERMS]
    # The rate grows with the term, so the shortest plausible term is the first one that was kept.
    shortest = ibis.coalesce(
        *(
            column.notnull().ifelse(float(term), ibis.null("float64"))
            for column, term in zip(columns, _TERMS, strict=True)
        )
    )
    return rates.mutate(
        APPLICATION_INTEREST_RATE_MIN=ibis.least(*columns),
        APPLICATION_INTEREST_RATE_MAX=ibis.greatest(*columns),
        APPLICATION_TERM_MIN=shortest,
    ).drop(*(f"RATE_{term}" for term in _TERMS))


def compute_application_features(application: ir.Table) -> ir.Table:
    """Compute the features known from the application form itself.

    Args:
        application: `clean_application`, with or without TARGET.

    Returns:
        One row per SK_ID_CURR: the key, TARGET if it was there (no feature reads it), the useful raw columns under
        their own names (text kept as text) and the APPLICATION_* features. A feature is null where one of its inputs
        is.
    """
    outcome = [column for column in (OUTCOME,) if column in application.columns]
    features = application.select(CLIENT_KEY, *outcome, *_CATEGORIES, *_KEPT_NUMBERS, *_unkept_documents())
    for step in (
        _with_row_statistics,
        _with_score_combinations,
        _with_amount_ratios,
        _with_time_ratios,
        _with_interest,
    ):
        features = step(features)
    return as_features(features.drop(*_unkept_documents()))


def _unkept_documents() -> list[str]:
    return [column for column in _DOCUMENT_FLAGS if column not in _KEPT_DOCUMENT_FLAGS]
