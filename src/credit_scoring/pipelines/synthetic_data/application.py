"""Columns of the loan applications, from the normal scores of the clients.

Grain: one application. Amounts in the scaled currency of the official files (multiples of 4.5), days relative to the
application (negative = before), `365243` = no employment.
"""

from typing import Any

import numpy as np

from credit_scoring.pipelines.synthetic_data.calibration import calibration, column_quantile, columns_of, table
from credit_scoring.pipelines.synthetic_data.population import Scores, residual
from credit_scoring.pipelines.synthetic_data.sampling import (
    MISSING,
    BoolArray,
    FloatArray,
    IntArray,
    cut,
    cut_values,
    draw,
    draw_from_table,
    draw_rows,
    on_grid,
    quantile,
    text,
    uniform_of,
)

Columns = dict[str, Any]

NOT_EMPLOYED = 365_243
EDUCATION = [
    "Lower secondary",
    "Secondary / secondary special",
    "Incomplete higher",
    "Higher education",
    "Academic degree",
]
EDUCATION_SHARES = [0.0124, 0.7102, 0.0334, 0.2435, 0.0005]
FAMILY = ["Married", "Civil marriage", "Single / not married", "Separated", "Widow", "Unknown"]
INCOME_TYPES = [
    "Working",
    "Commercial associate",
    "State servant",
    "Pensioner",
    "Unemployed",
    "Student",
    "Businessman",
    "Maternity leave",
]
PENSIONER, UNEMPLOYED, STUDENT = 3, 4, 5
DOCUMENTS = [str(number) for number in range(2, 22)]
INQUIRY_WINDOWS = ["HOUR", "DAY", "WEEK", "MON", "QRT", "YEAR"]

RETIRED_SHARE = 0.1801
MALE_SHARE, MALE_SHARE_TEST = 0.3416, 0.330
REVOLVING_SHARE, REVOLVING_SHARE_TEST = 0.0952, 0.0090
EXT_SOURCE_1_MISSING, EXT_SOURCE_1_MISSING_TEST = 0.5638, 0.421
EMAIL_SHARE, EMAIL_SHARE_TEST = 0.0567, 0.163
NO_BUREAU_SHARE = 0.1431
BUILDING_MISSING_SHARE = 0.4740
_EXT_SOURCE_3_CLASSES = 790
"""The third external score takes a limited number of values, the first two are continuous."""


def draw_applications(
    rng: np.random.Generator, scores: Scores, is_test: BoolArray, *, drift: bool
) -> tuple[Columns, dict[str, FloatArray]]:
    """Draw all application columns but the key and the target.

    Args:
        rng: Random generator of the chunk.
        scores: Normal scores of the clients.
        is_test: Whether an applicant belongs to application_test.
        drift: Whether test applicants drift away from train applicants (shares and shifts of the official files).

    Returns:
        The columns, and the facts about the clients that the risk model and the histories need.
    """
    moved = is_test & drift
    u = {name: uniform_of(values) for name, values in scores.items()}
    columns, facts = _person(rng, scores, u, moved)
    columns |= _work(rng, scores, u, facts)
    columns |= _region(rng, scores, u, facts)
    columns |= _loan(rng, scores, u, facts, moved)
    columns |= _external_scores(rng, u, facts, moved)
    columns |= _building(rng, scores, u, facts)
    columns |= _surroundings(rng, scores, u, facts, moved)
    columns |= _inquiries(rng, u, facts, moved)
    columns |= _documents(rng, facts, moved)
    return columns | _records(rng, columns), facts


_RECORDS = [
    {"AMT_INCOME_TOTAL": 117_000_000.0},
    {
        "OBS_30_CNT_SOCIAL_CIRCLE": 348.0,
        "DEF_30_CNT_SOCIAL_CIRCLE": 34.0,
        "OBS_60_CNT_SOCIAL_CIRCLE": 344.0,
        "DEF_60_CNT_SOCIAL_CIRCLE": 24.0,
    },
    {"AMT_REQ_CREDIT_BUREAU_QRT": 261.0},
]
"""Known impossible values of the official files; each is found in one application of a full-size twin, on average."""
_RECORD_RATE = 1 / 356_255


def _records(rng: np.random.Generator, columns: Columns) -> Columns:
    """Return the columns that hold known impossible values, with those values put in."""
    changed: Columns = {}
    for record in _RECORDS:
        struck = rng.random(len(columns["AMT_CREDIT"])) < _RECORD_RATE
        changed |= {name: np.where(struck, value, columns[name]) for name, value in record.items()}
    return changed


def _person(
    rng: np.random.Generator, scores: Scores, u: Scores, moved: BoolArray
) -> tuple[Columns, dict[str, FloatArray]]:
    n = len(moved)
    male = u["MALE"] > 1 - np.where(moved, MALE_SHARE_TEST, MALE_SHARE)
    gender = male.astype(int)
    gender[(rng.random(n) < 1.3e-5) & ~moved] = 2
    days_birth = np.round(column_quantile("DAYS_BIRTH", u["DAYS_BIRTH"])).astype(int)
    age = -days_birth / 365.25
    retired = u["RETIRED"] > 1 - RETIRED_SHARE
    education = cut(u["EDUCATION"], EDUCATION_SHARES)

    band = np.clip(((age - 20) // 5).astype(int), 0, 9)
    single_weights = (
        table("age_family")[band] * (table("gender_family") / table("gender_family").mean(0))[male.astype(int)]
    )
    family = np.where(u["MARRIED"] > 1 - 0.6388, 0, 1 + draw_rows(rng, single_weights))
    by_family = table("family_children") / (table("family_children") * [[0.64], [0.10], [0.14], [0.06], [0.06]]).sum(0)
    children = draw_rows(rng, table("age_children")[band] * by_family[family])
    children = children + np.where(children == 3, np.minimum(rng.geometric(0.87, n) - 1, 8), 0)
    housing = draw_from_table(rng, band, table("age_housing"))
    owner_share = np.array(calibration()["tables"]["housing_realty"]["owner"])[housing]
    owns_car = u["CAR"] > 1 - 0.3401
    car_age = np.round(column_quantile("OWN_CAR_AGE", u["OWN_CAR_AGE"]))
    unknown = rng.random(n) < 6e-6
    owns_realty = u["REALTY"] > 1 - owner_share
    facts = {
        "male": male,
        "age": age,
        "days_birth": days_birth,
        "retired": retired,
        "education": education,
        "family": family,
        "children": children,
        "housing": housing,
        "owns_car": owns_car,
        "owns_realty": owns_realty,
        "no_bureau": u["NO_BUREAU"] > 1 - NO_BUREAU_SHARE,
    }
    columns = {
        "CODE_GENDER": text(gender, ["F", "M", "XNA"]),
        "FLAG_OWN_CAR": text(owns_car.astype(int), ["N", "Y"]),
        "FLAG_OWN_REALTY": text(owns_realty.astype(int), ["N", "Y"]),
        "CNT_CHILDREN": children,
        "NAME_EDUCATION_TYPE": text(education, EDUCATION),
        "NAME_FAMILY_STATUS": text(np.where(unknown, len(FAMILY) - 1, family), FAMILY),
        "NAME_HOUSING_TYPE": text(housing, columns_of("age_housing")),
        "DAYS_BIRTH": days_birth,
        "DAYS_REGISTRATION": np.maximum(
            np.round(column_quantile("DAYS_REGISTRATION", u["DAYS_REGISTRATION"])), days_birth
        ),
        "DAYS_ID_PUBLISH": _passport_days(days_birth, uniform_of(residual(scores, "DAYS_ID_PUBLISH", "DAYS_BIRTH"))),
        "OWN_CAR_AGE": np.where(owns_car, car_age, np.nan),
        "CNT_FAM_MEMBERS": np.where(unknown, np.nan, children + np.where(family <= 1, 2.0, 1.0)),
    }
    return columns, facts


def _passport_days(days_birth: IntArray, u: FloatArray) -> IntArray:
    """Day of issue of the passport, given the age: never before the last birthday at which it must be renewed.

    A passport is renewed soon after these birthdays, once more by everybody when the older model was withdrawn, and
    whenever it is lost or the name changes. The latest of the three counts, so that the probabilities of having had
    none of them within so many days multiply. `u` is their product at the day that is drawn.
    """
    data = calibration()["passport"]
    age = -days_birth / 365.25
    birthday = np.array(data["renewed_at"])[np.searchsorted(data["renewed_at"][1:], age, side="right")]
    since_birthday = np.maximum(np.floor(-days_birth - birthday * 365.25), 1)
    changes = np.array(data["changes_per_year"])[np.searchsorted(data["changes_until_age"], age)] / 365.25
    (prompt, weeks), (slow, late), (withdrawn, spread) = data["prompt"], data["slow"], data["withdrawal"]

    def is_older(days: FloatArray) -> FloatArray:
        delay = np.maximum(since_birthday - days, 0)
        renewed = 1 - prompt * np.exp(-delay / weeks) * (1 + delay / weeks) - slow * np.exp(-delay / late)
        return renewed * np.exp(-changes * days) * uniform_of((withdrawn - days) / spread)

    low, high = np.zeros_like(since_birthday), since_birthday
    level = u * is_older(low)
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        beyond = is_older(middle) >= level
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    return -low.astype(int)


def _work(rng: np.random.Generator, scores: Scores, u: Scores, facts: dict[str, FloatArray]) -> Columns:
    retired, male, education = facts["retired"], facts["male"], facts["education"]
    n = len(retired)
    schooling = np.minimum(education, 3)
    # Commercial associates earn more, state servants less, than the education alone would say.
    income_tilt = np.exp(scores["AMT_INCOME_TOTAL"][:, None] * [-0.05, 0.33, -0.1])
    kind = draw_rows(rng, table("education_income")[schooling] * income_tilt)
    branch = kind.copy()
    kind = np.where(retired, np.where(rng.random(n) < 4e-4, UNEMPLOYED, PENSIONER), kind)
    rare = rng.random(n)
    kind = np.where(~retired & (rare < 1.3e-4), cut(rare / 1.3e-4, [18, 10, 5]) + STUDENT, kind)

    organizations = columns_of("income_organization")
    occupations = columns_of("organization_occupation")
    by_organization = table("organization_occupation")
    male_by_occupation = np.array(calibration()["tables"]["occupation_male"])
    male_by_organization = by_organization @ male_by_occupation / by_organization.sum(1)
    tilt = np.stack([1 - male_by_organization, male_by_organization]) / [[1 - MALE_SHARE], [MALE_SHARE]]
    organization = draw_from_table(
        rng, branch * 2 + male, (table("income_organization")[:, None, :] * tilt[None]).reshape(6, -1)
    )
    by_gender = np.stack([1 - male_by_occupation, male_by_occupation])
    by_schooling = table("occupation_education").T / np.array(EDUCATION_SHARES[:4])[:, None]
    occupation = draw_rows(rng, by_organization[organization] * by_gender[male.astype(int)] * by_schooling[schooling])
    occupation = np.where(retired | (occupation == len(occupations) - 1), MISSING, occupation)

    # The cap on the young below takes four per cent off the mean.
    working_days = 1.04 * column_quantile("DAYS_EMPLOYED", u["DAYS_EMPLOYED"])
    longest = facts["days_birth"] + 16.5 * 365
    working_days = np.where(working_days < longest, longest * rng.uniform(0.5, 1, n), working_days)
    work_phone = (u["FLAG_WORK_PHONE"] > 1 - 0.205) & ~retired
    facts |= {
        "income_type": kind,
        "organization": organization,
        "occupation": occupation,
        "days_employed": working_days,
        "work_phone": work_phone,
    }
    return {
        "NAME_INCOME_TYPE": text(kind, INCOME_TYPES),
        "ORGANIZATION_TYPE": text(np.where(retired, len(organizations), organization), [*organizations, "XNA"]),
        "OCCUPATION_TYPE": text(occupation, occupations[:-1]),
        "DAYS_EMPLOYED": np.where(retired, NOT_EMPLOYED, np.round(working_days)).astype(int),
        "FLAG_EMP_PHONE": (~retired).astype(int),
        "FLAG_WORK_PHONE": work_phone.astype(int),
    }


def _region(rng: np.random.Generator, scores: Scores, u: Scores, facts: dict[str, FloatArray]) -> Columns:
    n = len(facts["retired"])
    regions = np.array(calibration()["regions"])
    rating = cut(u["REGION_RATING_CLIENT"], [0.1047, 0.7381, 0.1572]) + 1
    within = uniform_of(residual(scores, "REGION_POPULATION_RELATIVE", "REGION_RATING_CLIENT"))
    region = np.zeros(n, dtype=int)
    for value in (1, 2, 3):
        members = np.flatnonzero(regions[:, 2] == value)
        chosen = rating == value
        region[chosen] = members[cut(within[chosen], regions[members, 1])]
    city_rating = rating - (rng.random(n) < regions[region, 3])
    retired = facts["retired"]
    works = ~retired
    live_city = u["REG_CITY_NOT_LIVE_CITY"] > 1 - 0.0782
    work_city = (u["REG_CITY_NOT_WORK_CITY"] > 1 - 0.245) & works
    live_region = (u["REG_REGION_NOT_LIVE_REGION"] > 1 - 0.0151) & (live_city | (rng.random(n) < 0.3))
    work_region = (u["REG_REGION_NOT_WORK_REGION"] > 1 - 0.052) & works
    facts |= {"rating": rating, "city_rating": city_rating, "live_city": live_city, "work_city": work_city}
    return {
        "REGION_POPULATION_RELATIVE": regions[region, 0],
        "REGION_RATING_CLIENT": rating,
        "REGION_RATING_CLIENT_W_CITY": city_rating,
        "REG_REGION_NOT_LIVE_REGION": live_region.astype(int),
        "REG_REGION_NOT_WORK_REGION": work_region.astype(int),
        "LIVE_REGION_NOT_WORK_REGION": np.where(live_region, work_region & (rng.random(n) < 0.2), work_region).astype(
            int
        ),
        "REG_CITY_NOT_LIVE_CITY": live_city.astype(int),
        "REG_CITY_NOT_WORK_CITY": work_city.astype(int),
        "LIVE_CITY_NOT_WORK_CITY": np.where(live_city, work_city & (rng.random(n) < 0.2), work_city).astype(int),
    }


def _loan(
    rng: np.random.Generator, scores: Scores, u: Scores, facts: dict[str, FloatArray], moved: BoolArray
) -> Columns:
    n = len(moved)
    data = calibration()
    revolving = u["CASH"] < np.where(moved, REVOLVING_SHARE_TEST, REVOLVING_SHARE)
    lumps = data["lumpy"]
    income = on_grid(
        quantile(u["AMT_INCOME_TOTAL"], lumps["AMT_INCOME_TOTAL"]["u"], lumps["AMT_INCOME_TOTAL"]["x"]), 450
    )

    goods_score = scores["AMT_GOODS_PRICE"] - np.where(moved, 0.32, 0)
    goods = on_grid(
        quantile(uniform_of(goods_score), lumps["AMT_GOODS_PRICE"]["u"], lumps["AMT_GOODS_PRICE"]["x"]), 4500
    )
    factors = np.array(data["credit_to_goods"]["values"])
    factor = factors[cut(u["CREDIT_TO_GOODS"], data["credit_to_goods"]["shares"])]
    credit = on_grid(goods * factor)
    # The ratio credit / annuity stands for the term; its distribution moves with the price of the goods.
    term_score = residual(scores, "CREDIT_TO_ANNUITY", "AMT_GOODS_PRICE") - np.where(moved, 0.50, 0)
    term_u = uniform_of(term_score)
    ratios = data["credit_to_annuity"]
    band = np.searchsorted(ratios["upper"], goods)
    ratio = np.zeros(n)
    for index, values in enumerate(ratios["values"]):
        chosen = band == index
        ratio[chosen] = quantile(term_u[chosen], ratios["levels"], values)
    annuity = on_grid(credit / ratio)

    limit_u = uniform_of(
        0.6 * scores["AMT_INCOME_TOTAL"] + 0.35 * scores["EXT_SOURCE_1"] + 0.72 * rng.standard_normal(n)
    )
    limit = np.array(data["revolving_credit"]["values"])[cut(limit_u, data["revolving_credit"]["shares"])]
    limit_goods = np.where(rng.random(n) < 0.012, limit * rng.choice([0.5, 0.8, 1.25], n), limit)
    limit_goods[rng.random(n) < 0.0092] = np.nan
    credit = np.where(revolving, limit, credit)
    annuity = np.where(revolving, limit / 20, annuity)
    goods = np.where(revolving, limit_goods, goods)
    annuity[rng.random(n) < 4e-5] = np.nan
    suite_levels = list(data["shares"]["NAME_TYPE_SUITE"])
    suite = draw(rng, n, list(data["shares"]["NAME_TYPE_SUITE"].values()))
    suite[rng.random(n) < 0.0042] = MISSING
    weekdays = data["shares"]["WEEKDAY_APPR_PROCESS_START"]
    hours = data["shares"]["HOUR_APPR_PROCESS_START"]
    facts |= {
        "revolving": revolving,
        "income": income,
        "credit": credit,
        "annuity": annuity,
        "factor": np.where(revolving, 1.0, factor),
        "ratio": np.where(revolving, 20.0, ratio),
    }
    return {
        "NAME_CONTRACT_TYPE": text(revolving.astype(int), ["Cash loans", "Revolving loans"]),
        "AMT_INCOME_TOTAL": income,
        "AMT_CREDIT": credit,
        "AMT_ANNUITY": annuity,
        "AMT_GOODS_PRICE": goods,
        "NAME_TYPE_SUITE": text(suite, suite_levels),
        "WEEKDAY_APPR_PROCESS_START": text(draw(rng, n, list(weekdays.values())), list(weekdays)),
        "HOUR_APPR_PROCESS_START": cut_values(u["HOUR_APPR_PROCESS_START"], hours),
    }


def _external_scores(rng: np.random.Generator, u: Scores, facts: dict[str, FloatArray], moved: BoolArray) -> Columns:
    n = len(moved)
    first = column_quantile("EXT_SOURCE_1", u["EXT_SOURCE_1"])
    second = column_quantile("EXT_SOURCE_2", u["EXT_SOURCE_2"])
    third = column_quantile(
        "EXT_SOURCE_3", (np.floor(u["EXT_SOURCE_3"] * _EXT_SOURCE_3_CLASSES) + 0.5) / _EXT_SOURCE_3_CLASSES
    )
    share = np.where(moved, EXT_SOURCE_1_MISSING_TEST, EXT_SOURCE_1_MISSING)
    first[u["EXT_SOURCE_1_MISSING"] > 1 - share] = np.nan
    second[rng.random(n) < 0.0021] = np.nan
    third[rng.random(n) < np.where(facts["no_bureau"], 0.972, 0.0693)] = np.nan
    return {"EXT_SOURCE_1": first, "EXT_SOURCE_2": second, "EXT_SOURCE_3": third}


_BUILDING_GRID = {"ELEVATORS": 25.0, "ENTRANCES": 29.0, "FLOORSMAX": 24.0, "FLOORSMIN": 24.0}
"""Steps per unit of the normalised counts; the other building columns are continuous with four decimals."""


def _building(rng: np.random.Generator, scores: Scores, u: Scores, facts: dict[str, FloatArray]) -> Columns:
    data = calibration()["building"]
    n = len(facts["retired"])
    draws = _building_scores(rng, scores["BUILDING"])
    patterns = np.array([[mark == "1" for mark in pattern] for pattern in data["patterns"]])
    absent = patterns[draw(rng, n, data["shares"])]
    absent[u["BUILDING_MISSING"] > 1 - BUILDING_MISSING_SHARE] = True
    columns: Columns = {}
    group = 0
    for name in data["columns"]:
        level = uniform_of(draws[name])
        if name == "TOTALAREA_MODE":
            columns[name] = np.where(absent[:, 16], np.nan, np.round(column_quantile(name, level), 4))
            continue
        stem = name.removesuffix("_AVG")
        steps = _BUILDING_GRID.get(stem, 10_000.0)
        mode_usual, medi_usual = data["mode"][stem]
        # Most and median value repeat the rank of the average, except in a building with a few untypical flats.
        for suffix, usual, noise in (("AVG", 1.0, 0.0), ("MODE", mode_usual, 0.12), ("MEDI", medi_usual, 0.06)):
            shift = np.where(rng.random(n) < usual, 0, noise * rng.standard_normal(n))
            rank = np.abs(level + shift)
            version = column_quantile(f"{stem}_{suffix}", np.where(rank > 1, 2 - rank, rank))
            version = np.round(np.minimum(np.round(version * steps) / steps, 1), 4)
            columns[f"{stem}_{suffix}"] = np.where(absent[:, group], np.nan, version)
        group += 1
    house = draw(rng, n, list(data["house"].values()))
    walls = draw_from_table(rng, house, np.array(data["walls"]["p"]))
    wall_names = data["walls"]["columns"]
    fund_rows = np.array([data["fond"]["rows"].index(name) for name in wall_names])[walls]
    fund = draw_from_table(rng, fund_rows, np.array(data["fond"]["p"]))
    emergency = rng.random(n) < np.array([data["emergency"].get(name, 0.01) for name in wall_names])[walls]
    facts |= {
        "walls": np.where(absent[:, 17], MISSING, walls),
        "house": np.where(absent[:, 15], MISSING, house),
        "emergency": np.where(absent[:, 18], MISSING, emergency),
        "floors": np.where(absent[:, data["columns"].index("FLOORSMAX_AVG")], 0.0, draws["FLOORSMAX_AVG"]),
    }
    return columns | {
        "FONDKAPREMONT_MODE": text(np.where(absent[:, 14], MISSING, fund), data["fond"]["columns"]),
        "HOUSETYPE_MODE": text(facts["house"], list(data["house"])),
        "WALLSMATERIAL_MODE": text(facts["walls"], wall_names),
        "EMERGENCYSTATE_MODE": text(facts["emergency"], ["No", "Yes"]),
    }


def _building_scores(rng: np.random.Generator, total_area: FloatArray) -> dict[str, FloatArray]:
    """Normal scores of the building columns, given the score of the total area that is shared with the client."""
    data = calibration()["building"]
    names = data["columns"]
    order = [names.index("TOTALAREA_MODE"), *(index for index, name in enumerate(names) if name != "TOTALAREA_MODE")]
    correlation = 2 * np.sin(np.pi / 6 * np.array(data["correlation"])[np.ix_(order, order)])
    values, vectors = np.linalg.eigh(correlation)
    correlation = (vectors * np.maximum(values, 0.01)) @ vectors.T
    scale = np.sqrt(np.diag(correlation))
    root = np.linalg.cholesky(correlation / scale / scale[:, None])
    noise = rng.standard_normal((len(total_area), len(order)))
    noise[:, 0] = total_area
    draws = noise @ root.T
    return {names[index]: draws[:, position] for position, index in enumerate(order)}


def _surroundings(
    rng: np.random.Generator, scores: Scores, u: Scores, facts: dict[str, FloatArray], moved: BoolArray
) -> Columns:
    n = len(moved)
    observed = cut_values(u["OBS_30_CNT_SOCIAL_CIRCLE"], calibration()["shares"]["OBS_30_CNT_SOCIAL_CIRCLE"])
    table_u = uniform_of(residual(scores, "DEF_30_CNT_SOCIAL_CIRCLE", "OBS_30_CNT_SOCIAL_CIRCLE"))
    shares = np.cumsum(np.array(calibration()["tables"]["social_default"]), axis=1)[np.minimum(observed, 6)]
    default = (table_u[:, None] >= shares[:, :3]).sum(1)
    observed_60 = np.maximum(observed - (rng.random(n) < 0.03), 0)
    default_60 = np.minimum(rng.binomial(default, 0.69), observed_60)
    unknown = rng.random(n) < 0.0033
    phone_change = np.round(column_quantile("DAYS_LAST_PHONE_CHANGE", u["DAYS_LAST_PHONE_CHANGE"]))
    phone_change = np.where(moved, np.round(phone_change * 1.12), phone_change)
    email = u["FLAG_EMAIL"] > 1 - np.where(moved, EMAIL_SHARE_TEST, EMAIL_SHARE)
    phone = u["FLAG_PHONE"] > 1 - 0.2811
    facts |= {"circle_defaults": default, "phone": phone}
    circle = {
        "OBS_30_CNT_SOCIAL_CIRCLE": observed,
        "DEF_30_CNT_SOCIAL_CIRCLE": default,
        "OBS_60_CNT_SOCIAL_CIRCLE": observed_60,
        "DEF_60_CNT_SOCIAL_CIRCLE": default_60,
    }
    return {name: np.where(unknown, np.nan, values) for name, values in circle.items()} | {
        "DAYS_LAST_PHONE_CHANGE": phone_change,
        "FLAG_MOBIL": np.ones(n, dtype=int),
        "FLAG_CONT_MOBILE": (rng.random(n) < 0.9981).astype(int),
        "FLAG_PHONE": phone.astype(int),
        "FLAG_EMAIL": email.astype(int),
    }


_INQUIRIES_TEST = {"WEEK": [0.997, 0.003], "MON": [0.991, 0.009], "QRT": [0.60, 0.28, 0.095, 0.02, 0.005]}


def _inquiries(rng: np.random.Generator, u: Scores, facts: dict[str, FloatArray], moved: BoolArray) -> Columns:
    n = len(moved)
    unknown = facts["no_bureau"] & (rng.random(n) < 0.945)
    columns = {}
    for window in INQUIRY_WINDOWS:
        name = f"AMT_REQ_CREDIT_BUREAU_{window}"
        level = u.get(name, rng.random(n))
        counts = cut(level, calibration()["shares"]["AMT_REQ"][window])
        if window in _INQUIRIES_TEST:
            counts = np.where(moved, cut(level, _INQUIRIES_TEST[window]), counts)
        columns[name] = np.where(unknown, np.nan, counts)
    return columns


def _documents(rng: np.random.Generator, facts: dict[str, FloatArray], moved: BoolArray) -> Columns:
    n = len(moved)
    revolving = facts["revolving"]
    kind = facts["income_type"]
    row = np.where(kind == UNEMPLOYED, PENSIONER, np.where(kind > PENSIONER, 0, kind))
    # Revolving loans are granted on the file of an earlier contract, mostly without a document.
    weights = table("documents")[row] * np.where(revolving[:, None], [0.008, 0.0, 0.01, 1.0], [1.0, 1.0, 1.0, 0.27])
    weights = weights * np.where(moved[:, None], [1.0, 1.0, 1.0, 0.6], [1.0, 1.0, 1.0, 1.0])
    main = draw_rows(rng, weights)
    columns = {}
    for document in DOCUMENTS:
        if document in ("3", "6", "8"):
            flags = main == ("3", "6", "8").index(document)
        else:
            shares = np.array(calibration()["tables"]["documents_rare"][document])
            flags = (rng.random(n) < shares[revolving.astype(int)]) & ~moved
        columns[f"FLAG_DOCUMENT_{document}"] = flags.astype(int)
    facts["document_3"] = main == 0
    return columns
