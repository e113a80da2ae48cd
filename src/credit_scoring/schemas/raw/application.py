"""Contracts of `application_train.csv` and `application_test.csv`."""

import pandera.ibis as pa

from credit_scoring.schemas.contract import DATE_CODE, RawTable, flag, key, outcome, real, text, whole

WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
COMPANIONS = ("Unaccompanied", "Family", "Spouse, partner", "Children", "Other_A", "Other_B", "Group of people")

_ORGANIZATIONS = (
    "Advertising",
    "Agriculture",
    "Bank",
    *(f"Business Entity Type {number}" for number in range(1, 4)),
    "Cleaning",
    "Construction",
    "Culture",
    "Electricity",
    "Emergency",
    "Government",
    "Hotel",
    "Housing",
    *(f"Industry: type {number}" for number in range(1, 14)),
    "Insurance",
    "Kindergarten",
    "Legal Services",
    "Medicine",
    "Military",
    "Mobile",
    "Other",
    "Police",
    "Postal",
    "Realtor",
    "Religion",
    "Restaurant",
    "School",
    "Security",
    "Security Ministries",
    "Self-employed",
    "Services",
    "Telecom",
    *(f"Trade: type {number}" for number in range(1, 8)),
    *(f"Transport: type {number}" for number in range(1, 5)),
    "University",
    "XNA",
)

# What is known of the building the applicant lives in -> (meaning, share of nulls).
_BUILDING = {
    "APARTMENTS": ("number of flats", 0.507),
    "BASEMENTAREA": ("area of the basement", 0.585),
    "YEARS_BEGINEXPLUATATION": ("year it was put to use", 0.488),
    "YEARS_BUILD": ("year it was built", 0.665),
    "COMMONAREA": ("area used in common", 0.699),
    "ELEVATORS": ("number of lifts", 0.533),
    "ENTRANCES": ("number of entrances", 0.503),
    "FLOORSMAX": ("highest number of floors", 0.498),
    "FLOORSMIN": ("lowest number of floors", 0.678),
    "LANDAREA": ("area of the plot", 0.594),
    "LIVINGAPARTMENTS": ("number of flats lived in", 0.684),
    "LIVINGAREA": ("area lived in", 0.502),
    "NONLIVINGAPARTMENTS": ("number of flats not lived in", 0.694),
    "NONLIVINGAREA": ("area not lived in", 0.552),
}


def _building(suffix: str, statistic: str) -> dict[str, pa.Column]:
    return {
        f"{name}_{suffix}": real(f"Building, {meaning}: {statistic}, scaled to 0-1", 0, 1, missing=missing)
        for name, (meaning, missing) in _BUILDING.items()
    }


def _enquiries(period: str, high: int) -> pa.Column:
    return real(f"Enquiries about the client at the credit bureau {period}", 0, high, missing=0.135)


_COLUMNS = {
    "NAME_CONTRACT_TYPE": text("Product applied for", ("Cash loans", "Revolving loans")),
    "CODE_GENDER": text("Gender; XNA where it is unknown", ("F", "M", "XNA")),
    "FLAG_OWN_CAR": text("Owns a car", ("N", "Y")),
    "FLAG_OWN_REALTY": text("Owns a house or a flat", ("N", "Y")),
    "CNT_CHILDREN": whole("Number of children", 0, 25),
    "AMT_INCOME_TOTAL": real("Yearly income declared by the client", 10_000, 20_000_000),
    "AMT_CREDIT": real("Amount of the loan: price of the goods and what is financed with it", 40_000, 5_000_000),
    "AMT_ANNUITY": real("Regular payment of the loan", 1_000, 300_000, missing=0.00004),
    "AMT_GOODS_PRICE": real(
        "Price of the goods, or cash asked for; the loan is for them", 30_000, 5_000_000, missing=0.001
    ),
    "NAME_TYPE_SUITE": text("Who came along to apply", COMPANIONS, missing=0.004),
    "NAME_INCOME_TYPE": text(
        "Source of income",
        (
            "Working",
            "Commercial associate",
            "Pensioner",
            "State servant",
            "Unemployed",
            "Student",
            "Businessman",
            "Maternity leave",
        ),
    ),
    "NAME_EDUCATION_TYPE": text(
        "Highest education, an ordered scale",
        (
            "Lower secondary",
            "Secondary / secondary special",
            "Incomplete higher",
            "Higher education",
            "Academic degree",
        ),
    ),
    "NAME_FAMILY_STATUS": text(
        "Family status", ("Married", "Single / not married", "Civil marriage", "Separated", "Widow", "Unknown")
    ),
    "NAME_HOUSING_TYPE": text(
        "How the client lives",
        (
            "House / apartment",
            "With parents",
            "Municipal apartment",
            "Rented apartment",
            "Office apartment",
            "Co-op apartment",
        ),
    ),
    "REGION_POPULATION_RELATIVE": real("Population of the region of residence, scaled", 0, 0.1),
    "DAYS_BIRTH": whole("Date of birth, in days before the application", -26_000, -7_300),
    "DAYS_EMPLOYED": whole(
        "Start of the present job, in days before the application; 365243 without a job", -20_000, 0, (DATE_CODE,)
    ),
    "DAYS_REGISTRATION": real("Latest change of registration, in days before the application", -26_000, 0),
    "DAYS_ID_PUBLISH": whole("Latest change of the identity document, in days before the application", -8_000, 0),
    "OWN_CAR_AGE": real("Age of the car in years; null without a car", 0, 63, missing=0.66, codes=(64, 65)),
    "FLAG_MOBIL": flag("Gave a mobile number"),
    "FLAG_EMP_PHONE": flag("Gave the employer's number"),
    "FLAG_WORK_PHONE": flag("Gave a work number"),
    "FLAG_CONT_MOBILE": flag("Could be reached on the mobile number"),
    "FLAG_PHONE": flag("Gave a home number"),
    "FLAG_EMAIL": flag("Gave an e-mail address"),
    "OCCUPATION_TYPE": text(
        "Occupation",
        (
            "Laborers",
            "Sales staff",
            "Core staff",
            "Managers",
            "Drivers",
            "High skill tech staff",
            "Accountants",
            "Medicine staff",
            "Security staff",
            "Cooking staff",
            "Cleaning staff",
            "Private service staff",
            "Low-skill Laborers",
            "Waiters/barmen staff",
            "Secretaries",
            "Realty agents",
            "HR staff",
            "IT staff",
        ),
        missing=0.3135,
    ),
    "CNT_FAM_MEMBERS": real("Number of family members", 1, 25, missing=0.00001),
    "REGION_RATING_CLIENT": whole("The lender's rating of the region, from 1 (best) to 3", 1, 3),
    "REGION_RATING_CLIENT_W_CITY": whole("The same rating with the city taken into account", 1, 3),
    "WEEKDAY_APPR_PROCESS_START": text("Weekday of the application", WEEKDAYS),
    "HOUR_APPR_PROCESS_START": whole("Hour of the application", 0, 23),
    "REG_REGION_NOT_LIVE_REGION": flag("Registered in another region than living"),
    "REG_REGION_NOT_WORK_REGION": flag("Registered in another region than working"),
    "LIVE_REGION_NOT_WORK_REGION": flag("Living in another region than working"),
    "REG_CITY_NOT_LIVE_CITY": flag("Registered in another city than living"),
    "REG_CITY_NOT_WORK_CITY": flag("Registered in another city than working"),
    "LIVE_CITY_NOT_WORK_CITY": flag("Living in another city than working"),
    "ORGANIZATION_TYPE": text("Kind of employer; XNA without a job", _ORGANIZATIONS),
    "EXT_SOURCE_1": real("Score 1 of an external source, scaled to 0-1, high is safe", 0, 1, missing=0.564),
    "EXT_SOURCE_2": real("Score 2 of an external source, scaled to 0-1, high is safe", 0, 1, missing=0.002),
    "EXT_SOURCE_3": real("Score 3 of an external source, scaled to 0-1, high is safe", 0, 1, missing=0.198),
    **_building("AVG", "mean"),
    **_building("MODE", "mode"),
    **_building("MEDI", "median"),
    "FONDKAPREMONT_MODE": text(
        "Building, how its major repairs are funded",
        ("reg oper account", "reg oper spec account", "not specified", "org spec account"),
        missing=0.684,
    ),
    "HOUSETYPE_MODE": text("Building, kind", ("block of flats", "specific housing", "terraced house"), missing=0.502),
    "TOTALAREA_MODE": real("Building, total area: mode, scaled to 0-1", 0, 1, missing=0.483),
    "WALLSMATERIAL_MODE": text(
        "Building, material of the walls",
        ("Panel", "Stone, brick", "Block", "Wooden", "Mixed", "Monolithic", "Others"),
        missing=0.508,
    ),
    # Copies of the files that went through other tools have it as a truth value; the model takes it as it comes
    "EMERGENCYSTATE_MODE": text("Building, declared unfit", ("No", "Yes", "false", "true"), missing=0.474),
    "OBS_30_CNT_SOCIAL_CIRCLE": real("Acquaintances observed for arrears of 30 days", 0, 100, missing=0.003),
    "DEF_30_CNT_SOCIAL_CIRCLE": real("Of them, in arrears of 30 days", 0, 40, missing=0.003),
    "OBS_60_CNT_SOCIAL_CIRCLE": real("Acquaintances observed for arrears of 60 days", 0, 100, missing=0.003),
    "DEF_60_CNT_SOCIAL_CIRCLE": real("Of them, in arrears of 60 days", 0, 40, missing=0.003),
    "DAYS_LAST_PHONE_CHANGE": real(
        "Latest change of the phone, in days before the application; 0 where none is known",
        -4_500,
        0,
        missing=0.000003,
    ),
    **{
        f"FLAG_DOCUMENT_{number}": flag(f"Handed in document {number}; what it is was not published")
        for number in range(2, 22)
    },
    "AMT_REQ_CREDIT_BUREAU_HOUR": _enquiries("in the last hour", 10),
    "AMT_REQ_CREDIT_BUREAU_DAY": _enquiries("in the day before that hour", 15),
    "AMT_REQ_CREDIT_BUREAU_WEEK": _enquiries("in the week before that day", 15),
    "AMT_REQ_CREDIT_BUREAU_MON": _enquiries("in the month before that week", 35),
    "AMT_REQ_CREDIT_BUREAU_QRT": _enquiries("in the quarter before that month", 100),
    "AMT_REQ_CREDIT_BUREAU_YEAR": _enquiries("in the year before that quarter", 30),
}

_APPLICANT = {"SK_ID_CURR": key("The application, and its applicant")}

APPLICATION_TRAIN = RawTable(
    name="application_train",
    grain="one loan application whose outcome is known",
    definition=_APPLICANT
    | {"TARGET": outcome("1: the client was late on one of the first payments of this loan; 0: was not")}
    | _COLUMNS,
    official_rows=307_511,
    official_bytes=166_133_370,
    key=("SK_ID_CURR",),
    may_be_empty=False,
)

APPLICATION_TEST = RawTable(
    name="application_test",
    grain="one loan application to be scored",
    definition=_APPLICANT | _COLUMNS,
    official_rows=48_744,
    official_bytes=26_567_651,
    key=("SK_ID_CURR",),
    apart_from="application_train",
    may_be_missing=True,
)
