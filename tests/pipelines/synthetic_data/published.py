"""What is published about the Home Credit data, and aggregate profiles of public samples of it. No row, no key.

Default rates with a number of applicants come from the full train file (307,511 applicants). Deciles and quantiles come
from samples of about 11,900 applicants, the histories of 10,000 of them; their own sampling error is part of every
tolerance. Rates are fractions.
"""

DEFAULT_RATE = 0.0807

DEFAULT_RATES = {
    "NAME_CONTRACT_TYPE": {"Cash loans": 0.0835, "Revolving loans": 0.0548},
    "CODE_GENDER": {"M": 0.1014, "F": 0.0700},
    "FLAG_OWN_CAR": {"N": 0.0850, "Y": 0.0724},
    "FLAG_OWN_REALTY": {"N": 0.0832, "Y": 0.0796},
    "NAME_EDUCATION_TYPE": {
        "Lower secondary": 0.1093,
        "Secondary / secondary special": 0.0894,
        "Incomplete higher": 0.0848,
        "Higher education": 0.0536,
    },
    "NAME_INCOME_TYPE": {
        "Working": 0.0959,
        "Commercial associate": 0.0748,
        "Pensioner": 0.0539,
        "State servant": 0.0576,
    },
    "NAME_FAMILY_STATUS": {
        "Civil marriage": 0.0994,
        "Single / not married": 0.0981,
        "Separated": 0.0819,
        "Married": 0.0756,
        "Widow": 0.0582,
    },
    "NAME_HOUSING_TYPE": {
        "Rented apartment": 0.1231,
        "With parents": 0.1170,
        "Municipal apartment": 0.0854,
        "Co-op apartment": 0.0793,
        "House / apartment": 0.0780,
        "Office apartment": 0.0657,
    },
    "OCCUPATION_TYPE": {
        "Low-skill Laborers": 0.1715,
        "Drivers": 0.1133,
        "Waiters/barmen staff": 0.1128,
        "Security staff": 0.1074,
        "Laborers": 0.1058,
        "Cooking staff": 0.1044,
        "Sales staff": 0.0963,
        "Cleaning staff": 0.0961,
        "Accountants": 0.0483,
    },
    "ORGANIZATION_TYPE": {
        "Transport: type 3": 0.1575,
        "Restaurant": 0.1171,
        "Construction": 0.1168,
        "Industry: type 1": 0.1107,
        "Industry: type 3": 0.1062,
        "XNA": 0.0540,
    },
    "REGION_RATING_CLIENT": {1: 0.0482, 2: 0.0789, 3: 0.1110},
    "CNT_CHILDREN": {0: 0.0771, 3: 0.0963, 4: 0.1282},
    "WALLSMATERIAL_MODE": {"Wooden": 0.097, "Panel": 0.063},
    "HOUSETYPE_MODE": {"block of flats": 0.0694, "specific housing": 0.101},
}

# Upper ends of the bands (the last one is open) and the default rate of each.
DEFAULT_RATE_BY_AGE = ([30, 40, 50, 60], [0.1145, 0.0958, 0.0765, 0.0613, 0.0492])
DEFAULT_RATE_BY_YEARS_EMPLOYED = (
    [0.5, 1, 2, 3, 5, 10, 20],
    [0.129, 0.120, 0.117, 0.109, 0.091, 0.065, 0.050, 0.029],
)
DEFAULT_RATE_BY_INCOME = ([100e3, 150e3, 200e3, 300e3], [0.0820, 0.0862, 0.0845, 0.0755, 0.0595])
DEFAULT_RATE_BY_REFUSALS = ([0, 1, 2, 3, 4], [0.0698, 0.0883, 0.1024, 0.1143, 0.1202, 0.1409])

DEFAULT_RATE_BY_DECILE = {
    "EXT_SOURCE_1": [0.180, 0.084, 0.099, 0.073, 0.069, 0.046, 0.034, 0.040, 0.029, 0.025],
    "EXT_SOURCE_2": [0.193, 0.121, 0.100, 0.073, 0.064, 0.066, 0.054, 0.046, 0.038, 0.028],
    "EXT_SOURCE_3": [0.183, 0.129, 0.084, 0.078, 0.056, 0.058, 0.045, 0.037, 0.038, 0.034],
    "mean of the external scores": [0.245, 0.145, 0.097, 0.077, 0.048, 0.045, 0.043, 0.039, 0.023, 0.022],
}
DECILE_APPLICANTS = {
    "EXT_SOURCE_1": 483,
    "EXT_SOURCE_2": 1_095,
    "EXT_SOURCE_3": 880,
    "mean of the external scores": 1_097,
}

CORRELATION_WITH_TARGET = {
    "EXT_SOURCE_1": -0.1553,
    "EXT_SOURCE_2": -0.1605,
    "EXT_SOURCE_3": -0.1789,
    "DAYS_BIRTH": 0.0782,
    "REGION_RATING_CLIENT_W_CITY": 0.0609,
    "REGION_RATING_CLIENT": 0.0589,
    "DAYS_LAST_PHONE_CHANGE": 0.0552,
    "DAYS_ID_PUBLISH": 0.0515,
    "REG_CITY_NOT_WORK_CITY": 0.0510,
    "FLAG_EMP_PHONE": 0.0460,
    "REG_CITY_NOT_LIVE_CITY": 0.0444,
    "FLAG_DOCUMENT_3": 0.0443,
    "FLOORSMAX_AVG": -0.0440,
    "DAYS_REGISTRATION": 0.0420,
    "AMT_GOODS_PRICE": -0.0396,
    "REGION_POPULATION_RELATIVE": -0.0372,
    "TOTALAREA_MODE": -0.0326,
}

MISSING_RATE = {
    "COMMONAREA_AVG": 0.699,
    "NONLIVINGAPARTMENTS_AVG": 0.694,
    "FONDKAPREMONT_MODE": 0.684,
    "LIVINGAPARTMENTS_AVG": 0.684,
    "FLOORSMIN_AVG": 0.679,
    "YEARS_BUILD_AVG": 0.665,
    "OWN_CAR_AGE": 0.660,
    "LANDAREA_AVG": 0.594,
    "BASEMENTAREA_AVG": 0.585,
    "EXT_SOURCE_1": 0.564,
    "ELEVATORS_AVG": 0.533,
    "WALLSMATERIAL_MODE": 0.508,
    "APARTMENTS_AVG": 0.507,
    "TOTALAREA_MODE": 0.483,
    "EMERGENCYSTATE_MODE": 0.474,
    "OCCUPATION_TYPE": 0.3135,
    "EXT_SOURCE_3": 0.198,
    "AMT_REQ_CREDIT_BUREAU_YEAR": 0.135,
    "NAME_TYPE_SUITE": 0.0042,
    "OBS_30_CNT_SOCIAL_CIRCLE": 0.0033,
    "EXT_SOURCE_2": 0.0021,
}

LEVELS = [0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95]

# Table -> column -> values at LEVELS, number of rows they were taken from.
QUANTILES: dict[str, dict[str, tuple[list[float], int]]] = {
    "application_train": {
        "AMT_INCOME_TOTAL": ([67_500, 81_000, 112_500, 144_000, 202_500, 270_000, 337_500], 11_867),
        "AMT_CREDIT": ([142_632, 180_000, 270_000, 519_633, 808_650, 1_164_668, 1_350_000], 11_867),
        "AMT_ANNUITY": ([9_000, 11_228, 16_713, 24_939, 34_988, 46_431, 53_536], 10_968),
        "AMT_GOODS_PRICE": ([135_000, 180_000, 238_500, 450_000, 679_500, 1_125_000, 1_327_500], 10_961),
        "DAYS_BIRTH": ([-23_211, -22_192, -19_698, -15_786, -12_443, -10_308, -9_524], 11_867),
        "DAYS_EMPLOYED": ([-7_426, -5_420, -3_219, -1_660, -781, -338, -205], 9_692),
        "DAYS_REGISTRATION": ([-11_564, -10_015, -7_476, -4_508, -2_009, -693, -334], 11_867),
        "DAYS_ID_PUBLISH": ([-4_947, -4_723, -4_305, -3_267, -1_725, -738, -375], 11_867),
        "DAYS_LAST_PHONE_CHANGE": ([-2_522, -2_182, -1_588, -758, -273, 0, 0], 10_969),
        "OWN_CAR_AGE": ([1, 2, 5, 9, 15, 23, 31], 3_694),
        "EXT_SOURCE_1": ([0.16474, 0.21869, 0.33972, 0.50876, 0.67496, 0.78878, 0.83318], 4_830),
        "EXT_SOURCE_2": ([0.12995, 0.21344, 0.389, 0.5694, 0.66632, 0.72196, 0.7473], 10_945),
        "EXT_SOURCE_3": ([0.15855, 0.23402, 0.37233, 0.53528, 0.67065, 0.74902, 0.78627], 8_799),
        "TOTALAREA_MODE": ([0.0071, 0.0127, 0.0422, 0.0692, 0.1285, 0.2264, 0.2968], 5_700),
        "REGION_POPULATION_RELATIVE": (
            [0.00496, 0.006629, 0.010006, 0.01885, 0.028663, 0.035792, 0.04622],
            11_867,
        ),
    },
    "bureau": {
        "DAYS_CREDIT": ([-2_661, -2_444, -1_674, -989, -469, -214, -124], 48_250),
        "DAYS_ENDDATE_FACT": ([-2_395, -2_173, -1_513, -895, -426, -177, -95], 30_454),
        "AMT_CREDIT_SUM": ([11_250, 22_500, 50_328, 122_278, 306_747, 765_000, 1_350_000], 48_250),
        "AMT_CREDIT_SUM_DEBT": ([0, 0, 0, 0, 36_945, 283_568, 605_678], 40_905),
    },
    "bureau_balance": {"MONTHS_BALANCE": ([-73, -62, -42, -24, -10, -4, -2], 471_340)},
    "POS_CASH_balance": {
        "MONTHS_BALANCE": ([-86, -78, -54, -28, -14, -6, -4], 21_000),
        "CNT_INSTALMENT": ([6, 6, 10, 12, 24, 36, 42], 20_942),
        "CNT_INSTALMENT_FUTURE": ([0, 0, 3, 7, 14, 24, 34], 20_942),
    },
    "credit_card_balance": {
        "AMT_BALANCE": ([0, 0, 0, 0, 90_021, 181_125, 260_614], 102_136),
        "AMT_CREDIT_LIMIT_ACTUAL": ([0, 0, 45_000, 112_500, 180_000, 427_500, 450_000], 102_136),
    },
}

# Largest limit of each card of 2,803 cards, at LEVELS.
CARD_LIMITS = [45_000, 67_500, 112_500, 180_000, 315_000, 450_000, 765_000]

# Table -> share of train applicants with rows, rows per applicant that has any.
ROWS_PER_APPLICANT = {
    "bureau": (0.8569, 5.61),
    "previous_application": (0.9465, 4.93),
    "POS_CASH_balance": (0.9412, 29.7),
    "installments_payments": (0.9484, 40.1),
    "credit_card_balance": (0.2826, 37.1),
}

RANK_CORRELATION = {
    ("EXT_SOURCE_1", "EXT_SOURCE_2"): 0.221,
    ("EXT_SOURCE_1", "EXT_SOURCE_3"): 0.175,
    ("EXT_SOURCE_1", "DAYS_BIRTH"): -0.604,
    ("EXT_SOURCE_3", "DAYS_BIRTH"): -0.220,
    ("EXT_SOURCE_2", "DAYS_LAST_PHONE_CHANGE"): -0.201,
    ("EXT_SOURCE_2", "REGION_RATING_CLIENT"): -0.328,
    ("DAYS_BIRTH", "DAYS_EMPLOYED"): 0.324,
    ("DAYS_BIRTH", "DAYS_REGISTRATION"): 0.307,
    ("DAYS_BIRTH", "DAYS_ID_PUBLISH"): 0.263,
    ("DAYS_BIRTH", "CNT_CHILDREN"): 0.381,
    ("AMT_INCOME_TOTAL", "AMT_CREDIT"): 0.407,
    ("AMT_INCOME_TOTAL", "AMT_ANNUITY"): 0.480,
    ("AMT_CREDIT", "AMT_ANNUITY"): 0.826,
    ("AMT_CREDIT", "AMT_GOODS_PRICE"): 0.985,
    ("AMT_INCOME_TOTAL", "OWN_CAR_AGE"): -0.217,
    ("REGION_POPULATION_RELATIVE", "REGION_RATING_CLIENT"): -0.434,
}

# Status of a month -> probability of the status of the next one; rare targets left out.
STATUS_TRANSITIONS = {
    "0": {"0": 0.862, "1": 0.0208, "C": 0.0506, "X": 0.0658},
    "1": {"0": 0.455, "1": 0.372, "2": 0.0537},
    "2": {"0": 0.212, "1": 0.179, "2": 0.197, "3": 0.290},
    "3": {"0": 0.157, "3": 0.151, "4": 0.522},
    "4": {"5": 0.796},
    "5": {"5": 0.905},
    "C": {"C": 1.0},
    "X": {"0": 0.131, "X": 0.857},
}
STATUS_SHARES = {"C": 0.472, "0": 0.317, "X": 0.196, "1": 0.0112}
# Worst status of a credit; "none" = only C and X.
WORST_STATUS = {"0": 0.741, "none": 0.127, "1": 0.111}

# How well one measure of a history ranks defaulters of those who have it: AUC and its standard error.
HISTORY_AUC = {
    "bureau: mean DAYS_CREDIT": (0.614, 0.012),
    "bureau: newest DAYS_CREDIT": (0.599, 0.012),
    "bureau: credits of the last year": (0.595, 0.012),
    "bureau: active share": (0.596, 0.012),
    "bureau: debt to credit": (0.580, 0.013),
    "bureau_balance: share of months closed": (0.4275, 0.019),
    "bureau_balance: share of months past due": (0.552, 0.0205),
    "bureau_balance: mean month": (0.587, 0.021),
    "previous_application: refused share": (0.596, 0.042),
    "installments_payments: late share": (0.570, 0.014),
    "credit_card_balance: mean utilisation": (0.632, 0.020),
}

# AUC of one boosted model per set of columns, on the full train file: the gain of a table over those before it.
LADDER_GAIN = {
    "bureau": 0.0099,
    "previous_application": 0.0095,
    "installments": 0.0077,
    "credit_card": 0.0018,
    "pos_cash": 0.0019,
}
