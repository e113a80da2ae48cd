"""A named subset of the applicant features in plain pandas: what a careful Kaggle script would do.

It is the peer of the Ibis features twice over: the tests compare the two value by value, and the benchmark compares
their cost. It is therefore written from the definitions of the features and shares no code with them. Whole columns at
a time, no `apply`; only the columns in use are read, text as categories, whole numbers that may be missing as float64.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

CLIENT, LOAN, CREDIT = "SK_ID_CURR", "SK_ID_PREV", "SK_ID_BUREAU"
SENTINEL = 365243
SCORES = ["EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3"]
ENQUIRIES = [f"AMT_REQ_CREDIT_BUREAU_{period}" for period in ("HOUR", "DAY", "WEEK", "MON", "QRT", "YEAR")]
DOCUMENTS = [f"FLAG_DOCUMENT_{number}" for number in range(2, 22)]

# fmt: off
COLUMNS: dict[str, dict[str, str]] = {
    "application": {
        CLIENT: "int32", "NAME_CONTRACT_TYPE": "category", "CNT_CHILDREN": "int32", "AMT_INCOME_TOTAL": "float64",
        "AMT_CREDIT": "float64", "AMT_ANNUITY": "float64", "AMT_GOODS_PRICE": "float64", "DAYS_BIRTH": "int32",
        "DAYS_EMPLOYED": "int32", "OWN_CAR_AGE": "float64", "CNT_FAM_MEMBERS": "float64",
        "DAYS_LAST_PHONE_CHANGE": "float64", "OBS_30_CNT_SOCIAL_CIRCLE": "float64",
        "DEF_30_CNT_SOCIAL_CIRCLE": "float64",
        **dict.fromkeys(SCORES + ENQUIRIES, "float64"), **dict.fromkeys(DOCUMENTS, "int8"),
    },
    "bureau": {
        CLIENT: "int32", CREDIT: "int32", "CREDIT_ACTIVE": "category", "CREDIT_CURRENCY": "category",
        "DAYS_CREDIT": "int32", "CREDIT_DAY_OVERDUE": "int32", "DAYS_CREDIT_ENDDATE": "float64",
        "DAYS_ENDDATE_FACT": "float64", "AMT_CREDIT_MAX_OVERDUE": "float64", "CNT_CREDIT_PROLONG": "int32",
        "AMT_CREDIT_SUM": "float64", "AMT_CREDIT_SUM_DEBT": "float64", "AMT_CREDIT_SUM_LIMIT": "float64",
        "AMT_CREDIT_SUM_OVERDUE": "float64", "CREDIT_TYPE": "category", "DAYS_CREDIT_UPDATE": "int32",
        "AMT_ANNUITY": "float64",
    },
    "bureau_balance": {CREDIT: "int32", "MONTHS_BALANCE": "int32", "STATUS": "category"},
    "previous_application": {
        CLIENT: "int32", LOAN: "int32", "NAME_CONTRACT_STATUS": "category", "NAME_YIELD_GROUP": "category",
        "FLAG_LAST_APPL_PER_CONTRACT": "category", "NFLAG_LAST_APPL_IN_DAY": "int32",
        "NFLAG_INSURED_ON_APPROVAL": "float64", "AMT_ANNUITY": "float64", "AMT_APPLICATION": "float64",
        "AMT_CREDIT": "float64", "RATE_DOWN_PAYMENT": "float64", "DAYS_DECISION": "int32", "CNT_PAYMENT": "float64",
        "DAYS_LAST_DUE_1ST_VERSION": "float64", "DAYS_LAST_DUE": "float64",
    },
    "POS_CASH_balance": {
        CLIENT: "int32", LOAN: "int32", "MONTHS_BALANCE": "int32", "CNT_INSTALMENT": "float64",
        "CNT_INSTALMENT_FUTURE": "float64", "NAME_CONTRACT_STATUS": "category", "SK_DPD": "int32",
        "SK_DPD_DEF": "int32",
    },
    "installments_payments": {
        CLIENT: "int32", LOAN: "int32", "NUM_INSTALMENT_VERSION": "float64", "NUM_INSTALMENT_NUMBER": "int32",
        "DAYS_INSTALMENT": "float64", "DAYS_ENTRY_PAYMENT": "float64", "AMT_INSTALMENT": "float64",
        "AMT_PAYMENT": "float64",
    },
    "credit_card_balance": {
        CLIENT: "int32", "MONTHS_BALANCE": "int32", "AMT_BALANCE": "float64", "AMT_CREDIT_LIMIT_ACTUAL": "int32",
        "AMT_DRAWINGS_ATM_CURRENT": "float64", "AMT_DRAWINGS_CURRENT": "float64", "AMT_INST_MIN_REGULARITY": "float64",
        "AMT_PAYMENT_CURRENT": "float64", "CNT_INSTALMENT_MATURE_CUM": "float64", "SK_DPD": "int32",
    },
}
# fmt: on
"""Table -> columns in use and their types. The two application files are one table."""

Reader = Callable[[str], pd.DataFrame]


def csv_reader(folder: Path) -> Reader:
    """Return a function that reads one table from the official CSV files, the columns in use only."""

    def read_file(name: str, types: dict[str, str]) -> pd.DataFrame:
        return pd.read_csv(folder / f"{name}.csv", usecols=list(types), dtype=types)

    def read(table: str) -> pd.DataFrame:
        types = COLUMNS[table]
        if table != "application":
            return read_file(table, types)
        text = {column: kind if kind != "category" else "str" for column, kind in types.items()}
        files = (read_file(f"application_{part}", text) for part in ("train", "test"))
        return pd.concat(files, ignore_index=True)

    return read


def compute_features(read: Reader) -> pd.DataFrame:
    """Compute the subset of features: one row per applicant, in the order of SK_ID_CURR.

    Tables are read one after the other, so that only one source is in memory at a time.
    """
    features = application_features(read("application"))
    for source in (
        bureau_features(read("bureau"), read("bureau_balance")),
        previous_application_features(read("previous_application")),
        pos_cash_features(read("POS_CASH_balance")),
        installments_features(read("installments_payments")),
        credit_card_features(read("credit_card_balance")),
    ):
        features = features.join(source)
    return cross_features(features)


def ratio(numerator: pd.Series, denominator: pd.Series) -> pd.Series:
    """Divide; nothing can be said where the denominator is 0."""
    return numerator / denominator.where(denominator != 0)


def when_known(condition: pd.Series, *inputs: pd.Series) -> pd.Series:
    """Return a condition as 0 and 1, unknown where one of its inputs is."""
    known = np.logical_and.reduce([column.notna() for column in inputs])
    return condition.astype("float64").where(known)


def amount_where(rows: pd.Series, amount: pd.Series, client: pd.Series) -> pd.Series:
    """Add up an amount over some rows of each client: 0 if there is no such row, null if no amount is known."""
    totals = amount.where(rows).groupby(client).sum(min_count=1)
    return totals.mask(rows.groupby(client).sum() == 0, 0.0)


def slope(y: pd.Series, x: pd.Series, client: pd.Series) -> pd.Series:
    """Return the slope of the least-squares line of y on x for each client; null if x takes one value only."""
    known = y.notna() & x.notna()
    y, x, client = y[known].astype("float64"), x[known].astype("float64"), client[known]
    x = x - x.groupby(client).transform("mean")
    y = y - y.groupby(client).transform("mean")
    several = x.abs().groupby(client).max() > 0
    return ratio((x * y).groupby(client).sum(), (x * x).groupby(client).sum()).where(several)


def application_features(table: pd.DataFrame) -> pd.DataFrame:
    """Return features of the application, and the columns that `cross_features` compares with the histories."""
    table = table.set_index(CLIENT).sort_index()
    income = table["AMT_INCOME_TOTAL"].where(table["AMT_INCOME_TOTAL"].between(0, 20e6, inclusive="right"))
    credit, annuity, goods = table["AMT_CREDIT"], table["AMT_ANNUITY"], table["AMT_GOODS_PRICE"]
    birth = table["DAYS_BIRTH"].where(table["DAYS_BIRTH"] <= 0)
    employed = table["DAYS_EMPLOYED"].where(table["DAYS_EMPLOYED"] <= 0)
    phone = table["DAYS_LAST_PHONE_CHANGE"].where(table["DAYS_LAST_PHONE_CHANGE"] < 0)
    car_age = table["OWN_CAR_AGE"].where(table["OWN_CAR_AGE"].between(0, 63))
    circle = table[["OBS_30_CNT_SOCIAL_CIRCLE", "DEF_30_CNT_SOCIAL_CIRCLE"]]
    circle = circle.where(circle <= 100)
    enquiries = table[ENQUIRIES].where(table[ENQUIRIES] <= 100)
    scores = table[SCORES]
    weights = pd.Series([1.9, 2.1, 2.6], SCORES)
    # The yearly rate of interest, to the first order, for each usual number of monthly payments; the lender asks
    # for 8.5 % at least.
    is_cash = table["NAME_CONTRACT_TYPE"] == "Cash loans"
    rates = pd.DataFrame({n: ratio(24 * (n * annuity - credit), credit * (n + 1)) for n in range(6, 61, 6)})
    rates = rates.where(rates >= 0.085).where(is_cash)
    return pd.DataFrame(
        {
            "AMT_INCOME_TOTAL": income,
            "AMT_CREDIT": credit,
            "AMT_ANNUITY": annuity,
            "DAYS_BIRTH": birth,
            "APPLICATION_EXT_SOURCE_MEAN": scores.mean(axis=1),
            "APPLICATION_EXT_SOURCE_MEDIAN": scores.median(axis=1),
            "APPLICATION_EXT_SOURCE_MIN": scores.min(axis=1),
            "APPLICATION_EXT_SOURCE_STD": scores.std(axis=1),
            "APPLICATION_EXT_SOURCE_NULL_COUNT": scores.isna().sum(axis=1),
            "APPLICATION_EXT_SOURCE_WEIGHTED_MEAN": ratio((scores * weights).sum(axis=1), scores.notna() @ weights),
            "APPLICATION_EXT_SOURCE_2_3_PRODUCT": scores["EXT_SOURCE_2"] * scores["EXT_SOURCE_3"],
            "APPLICATION_CREDIT_TO_EXT_SOURCE_3_RATIO": ratio(credit, scores["EXT_SOURCE_3"]),
            "APPLICATION_CREDIT_TO_ANNUITY_RATIO": ratio(credit, annuity),
            "APPLICATION_CREDIT_TO_GOODS_RATIO": ratio(credit, goods),
            "APPLICATION_CREDIT_TO_INCOME_RATIO": ratio(credit, income),
            "APPLICATION_ANNUITY_TO_INCOME_RATIO": ratio(annuity, income),
            "APPLICATION_INCOME_TO_PERSONS_RATIO": ratio(income, table["CNT_FAM_MEMBERS"]),
            "APPLICATION_GOODS_CREDIT_DIFF": goods - credit,
            "APPLICATION_AGE_YEARS": -birth / 365.25,
            "APPLICATION_EMPLOYED_TO_AGE_RATIO": ratio(employed, birth),
            "APPLICATION_PHONE_TO_AGE_RATIO": ratio(phone, birth),
            "APPLICATION_CAR_TO_AGE_RATIO": ratio(car_age, -birth / 365.25),
            "APPLICATION_DOCUMENTS_COUNT": table[DOCUMENTS].sum(axis=1),
            "APPLICATION_ENQUIRIES_SUM": enquiries.sum(axis=1, min_count=1),
            "APPLICATION_SOCIAL_CIRCLE_RATE_30D": ratio(
                circle["DEF_30_CNT_SOCIAL_CIRCLE"], circle["OBS_30_CNT_SOCIAL_CIRCLE"]
            ),
            "APPLICATION_INTEREST_RATE_MIN": rates.min(axis=1),
            "APPLICATION_INTEREST_RATE_MAX": rates.max(axis=1),
            "APPLICATION_TERM_MIN": (rates.notna() * rates.columns).where(rates.notna()).min(axis=1),
        }
    )


def bureau_features(bureau: pd.DataFrame, bureau_balance: pd.DataFrame) -> pd.DataFrame:
    """Return features of the credits at other lenders and of their monthly history."""
    bureau = bureau.drop_duplicates()
    bureau = bureau[bureau["DAYS_CREDIT"] <= 0].sort_values([CLIENT, "DAYS_CREDIT", CREDIT], ascending=False)
    client, days, active = bureau[CLIENT], bureau["DAYS_CREDIT"], bureau["CREDIT_ACTIVE"] == "Active"
    amounts = bureau["AMT_CREDIT_SUM"]
    bureau["amount"] = amounts.where((amounts > 0) & (amounts <= 3e8))
    debts = bureau["AMT_CREDIT_SUM_DEBT"]
    bureau["debt"] = debts.where(debts <= 1e8).clip(lower=0)
    bureau["overdue"] = bureau["AMT_CREDIT_MAX_OVERDUE"].where(bureau["AMT_CREDIT_MAX_OVERDUE"] <= 8e7)
    annuities = bureau["AMT_ANNUITY"]
    bureau["annuity"] = annuities.where((annuities > 0) & (annuities <= 8e7))
    planned_end = bureau["DAYS_CREDIT_ENDDATE"].where(bureau["DAYS_CREDIT_ENDDATE"].abs() <= 40_000)
    bureau["remaining"] = planned_end.clip(lower=0)
    bureau["closure"] = bureau["DAYS_ENDDATE_FACT"].where(bureau["DAYS_ENDDATE_FACT"].between(-40_000, 0))
    bureau["update"] = bureau["DAYS_CREDIT_UPDATE"].where(bureau["DAYS_CREDIT_UPDATE"].between(-40_000, 0))
    bureau["debt_share"] = ratio(bureau["debt"], bureau["amount"])
    bureau["gap"] = days - days.groupby(client).shift(-1)
    bureau["is_active"] = when_known(active, bureau["CREDIT_ACTIVE"])
    known = bureau[bureau["debt"].notna() & bureau["amount"].notna()]
    known_sums = known.groupby(CLIENT)[["debt", "amount"]].sum()
    known_active_sums = known[known["CREDIT_ACTIVE"] == "Active"].groupby(CLIENT)[["debt", "amount"]].sum()
    types = bureau["CREDIT_TYPE"].mask(bureau["CREDIT_TYPE"].isin(["XNA", "XAP"]))
    clients, actives, last_year = bureau.groupby(CLIENT), bureau[active].groupby(CLIENT), days >= -365
    features = pd.DataFrame(
        {
            "BUREAU_CREDITS_COUNT": clients.size(),
            "BUREAU_CREDITS_COUNT_365D": last_year.groupby(client).sum(),
            "BUREAU_CREDITS_COUNT_CONSUMER": (types == "Consumer credit").groupby(client).sum(),
            "BUREAU_TYPES_COUNT": types.groupby(client).nunique(),
            "BUREAU_ACTIVE_COUNT": active.groupby(client).sum(),
            "BUREAU_ACTIVE_RATE": clients["is_active"].mean(),
            "BUREAU_CREDIT_SUM": clients["amount"].sum(min_count=1),
            "BUREAU_CREDIT_MEAN": clients["amount"].mean(),
            "BUREAU_CREDIT_SUM_365D": amount_where(last_year, bureau["amount"], client),
            "BUREAU_DEBT_SUM": clients["debt"].sum(min_count=1),
            "BUREAU_DEBT_SUM_ACTIVE": amount_where(active, bureau["debt"], client),
            "BUREAU_DEBT_TO_CREDIT_RATIO": ratio(known_sums["debt"], known_sums["amount"]),
            "BUREAU_DEBT_TO_CREDIT_RATIO_ACTIVE": ratio(known_active_sums["debt"], known_active_sums["amount"]),
            "BUREAU_DEBT_TO_CREDIT_MEAN": clients["debt_share"].mean(),
            "BUREAU_DEBT_TO_CREDIT_MEAN_LAST_3": clients.head(3).groupby(CLIENT)["debt_share"].mean(),
            "BUREAU_MAX_OVERDUE_MAX": clients["overdue"].max(),
            "BUREAU_MAX_OVERDUE_MAX_365D": bureau[last_year].groupby(CLIENT)["overdue"].max(),
            "BUREAU_ANNUITY_SUM_ACTIVE": amount_where(active, bureau["annuity"], client),
            "BUREAU_DAYS_CREDIT_MAX": clients["DAYS_CREDIT"].max(),
            "BUREAU_DAYS_CREDIT_MIN": clients["DAYS_CREDIT"].min(),
            "BUREAU_DAYS_CREDIT_MEAN": clients["DAYS_CREDIT"].mean(),
            "BUREAU_DAYS_CREDIT_STD": clients["DAYS_CREDIT"].std(),
            "BUREAU_DAYS_CREDIT_MAX_CARD": bureau[types == "Credit card"].groupby(CLIENT)["DAYS_CREDIT"].max(),
            "BUREAU_REMAINING_DAYS_MAX_ACTIVE": actives["remaining"].max(),
            "BUREAU_CLOSURE_DAYS_MAX": clients["closure"].max(),
            "BUREAU_UPDATE_DAYS_MEAN": clients["update"].mean(),
            "BUREAU_GAP_DAYS_MEAN": clients["gap"].mean(),
            "BUREAU_CREDIT_SLOPE": 365 * slope(bureau["amount"], days, client),
        }
    )
    return features.join(bureau_balance_features(bureau[[CREDIT, CLIENT]], bureau_balance))


def bureau_balance_features(owners: pd.DataFrame, months: pd.DataFrame) -> pd.DataFrame:
    """Return features of the monthly history; months of credits without an owner belong to nobody."""
    months = months[months["MONTHS_BALANCE"] <= 0].merge(owners, on=CREDIT)
    client, status, month = months[CLIENT], months["STATUS"], months["MONTHS_BALANCE"]
    # X is an unknown status; closed and on time are no arrears.
    severity = status.astype("str").map({"C": 0.0, **{str(level): float(level) for level in range(6)}})
    months["severity"] = severity
    # The month of the application, 0, is the last of the twelve.
    known, late, last_year = severity.notna(), severity > 0, month > -12
    months["late"] = when_known(late, severity)
    clients, recent = months.groupby(CLIENT), months[last_year].groupby(CLIENT)
    return pd.DataFrame(
        {
            "BUREAU_BALANCE_CREDITS_COUNT": clients[CREDIT].nunique(),
            "BUREAU_BALANCE_MONTHS_SUM": clients.size(),
            "BUREAU_BALANCE_MONTHS_BALANCE_MIN": clients["MONTHS_BALANCE"].min(),
            "BUREAU_BALANCE_LATE_COUNT": late.groupby(client).sum(),
            "BUREAU_BALANCE_LATE_RATE": clients["late"].mean(),
            "BUREAU_BALANCE_LATE_RATE_12M": recent["late"].mean(),
            "BUREAU_BALANCE_LATE_MONTHS_BALANCE_MAX": months[late].groupby(CLIENT)["MONTHS_BALANCE"].max(),
            "BUREAU_BALANCE_SEVERITY_MEAN": clients["severity"].mean(),
            "BUREAU_BALANCE_SEVERITY_MAX": clients["severity"].max(),
            "BUREAU_BALANCE_SEVERITY_MAX_12M": recent["severity"].max(),
            "BUREAU_BALANCE_DECAYED_SEVERITY_SUM": (severity / (1 - month)).groupby(client).sum(),
            "BUREAU_BALANCE_CLOSED_RATE": (status == "C").groupby(client).mean(),
            "BUREAU_BALANCE_UNKNOWN_RATE": (~known).groupby(client).mean(),
        }
    )


def previous_application_features(table: pd.DataFrame) -> pd.DataFrame:
    """Return features of the earlier applications to this lender."""
    table = table.drop_duplicates()
    table = table[table["DAYS_DECISION"] <= 0].sort_values([CLIENT, "DAYS_DECISION", LOAN], ascending=False)
    client, status = table[CLIENT], table["NAME_CONTRACT_STATUS"]
    approved, refused = status == "Approved", status == "Refused"
    running = approved & (table["DAYS_LAST_DUE"] == SENTINEL)
    for column in ("AMT_CREDIT", "AMT_APPLICATION", "AMT_ANNUITY", "CNT_PAYMENT"):
        table[column] = table[column].where(table[column] > 0)
    credit, annuity, term = table["AMT_CREDIT"], table["AMT_ANNUITY"], table["CNT_PAYMENT"]
    planned_end = table["DAYS_LAST_DUE_1ST_VERSION"].where(table["DAYS_LAST_DUE_1ST_VERSION"] != SENTINEL)
    yields = table["NAME_YIELD_GROUP"].mask(table["NAME_YIELD_GROUP"].isin(["XNA", "XAP"]))
    table["planned_end"] = planned_end
    table["early_end"] = planned_end - table["DAYS_LAST_DUE"].where(table["DAYS_LAST_DUE"] <= 0)
    table["requested_share"] = ratio(table["AMT_APPLICATION"], credit)
    table["credit_to_annuity"] = ratio(credit, annuity)
    table["interest"] = ratio(24 * (term * annuity - credit), credit * (term + 1))
    table["down_payment"] = table["RATE_DOWN_PAYMENT"].where(table["RATE_DOWN_PAYMENT"] >= 0)
    table["to_pay"] = np.ceil(planned_end.clip(lower=0) / (365.25 / 12)) * annuity
    table["approved"], table["refused"] = when_known(approved, status), when_known(refused, status)
    table["insured"] = when_known(table["NFLAG_INSURED_ON_APPROVAL"] == 1, table["NFLAG_INSURED_ON_APPROVAL"])
    table["high_yield"] = when_known(yields == "high", yields)
    mistaken = (table["NFLAG_LAST_APPL_IN_DAY"] == 0) | (table["FLAG_LAST_APPL_PER_CONTRACT"] == "N")
    last_year = table["DAYS_DECISION"] >= -365
    clients = table.groupby(CLIENT)
    approvals, refusals = table[approved].groupby(CLIENT), table[refused].groupby(CLIENT)
    last_three, last = clients.head(3).groupby(CLIENT), clients.head(1).set_index(CLIENT)
    return pd.DataFrame(
        {
            "PREVIOUS_APPLICATIONS_COUNT": clients.size(),
            "PREVIOUS_APPLICATIONS_COUNT_365D": last_year.groupby(client).sum(),
            "PREVIOUS_APPROVED_RATE": clients["approved"].mean(),
            "PREVIOUS_APPROVED_RATE_LAST_3": last_three["approved"].mean(),
            "PREVIOUS_REFUSED_COUNT": refused.groupby(client).sum(),
            "PREVIOUS_REFUSED_RATE": clients["refused"].mean(),
            "PREVIOUS_REFUSED_RATE_365D": table[last_year].groupby(CLIENT)["refused"].mean(),
            "PREVIOUS_REFUSED_RATE_LAST_3": last_three["refused"].mean(),
            "PREVIOUS_INSURED_RATE": clients["insured"].mean(),
            "PREVIOUS_HIGH_YIELD_RATE": clients["high_yield"].mean(),
            "PREVIOUS_MISTAKEN_COUNT": mistaken.groupby(client).sum(),
            "PREVIOUS_CREDIT_MEAN": clients["AMT_CREDIT"].mean(),
            "PREVIOUS_CREDIT_MAX_APPROVED": approvals["AMT_CREDIT"].max(),
            "PREVIOUS_CREDIT_SUM_365D": amount_where(last_year, credit, client),
            "PREVIOUS_ANNUITY_MEAN_APPROVED": approvals["AMT_ANNUITY"].mean(),
            "PREVIOUS_ANNUITY_SUM_RUNNING": amount_where(running, annuity, client),
            "PREVIOUS_REMAINING_PAYMENTS_SUM_RUNNING": amount_where(running, table["to_pay"], client),
            "PREVIOUS_TERM_MEAN": clients["CNT_PAYMENT"].mean(),
            "PREVIOUS_DAYS_DECISION_MAX": clients["DAYS_DECISION"].max(),
            "PREVIOUS_DAYS_DECISION_MIN": clients["DAYS_DECISION"].min(),
            "PREVIOUS_DAYS_DECISION_MAX_REFUSED": refusals["DAYS_DECISION"].max(),
            "PREVIOUS_REQUESTED_TO_CREDIT_MEAN": clients["requested_share"].mean(),
            "PREVIOUS_REQUESTED_TO_CREDIT_STD": clients["requested_share"].std(),
            "PREVIOUS_CREDIT_TO_ANNUITY_MEAN_APPROVED": approvals["credit_to_annuity"].mean(),
            "PREVIOUS_INTEREST_RATE_MEAN_APPROVED": approvals["interest"].mean(),
            "PREVIOUS_DOWN_PAYMENT_SHARE_MEAN": clients["down_payment"].mean(),
            "PREVIOUS_PLANNED_END_DAYS_MAX_APPROVED": approvals["planned_end"].max(),
            "PREVIOUS_EARLY_END_DAYS_MEAN_APPROVED": approvals["early_end"].mean(),
            "PREVIOUS_CONTRACT_STATUS_LAST": last["NAME_CONTRACT_STATUS"].astype("str"),
        }
    )


def pos_cash_features(table: pd.DataFrame) -> pd.DataFrame:
    """Return features of the monthly balances of earlier loans: months to loans, loans to clients."""
    table = table[table["MONTHS_BALANCE"] <= 0].sort_values([CLIENT, LOAN, "MONTHS_BALANCE"])
    term, left = table["CNT_INSTALMENT"], table["CNT_INSTALMENT_FUTURE"]
    # No more instalments can be left than the loan has.
    table["term"], table["left"] = term.where(term > 0), left.where((left >= 0) & ~(left > term))
    table["late"], last_year = table["SK_DPD"] > 0, table["MONTHS_BALANCE"] >= -12
    table["late_month"] = table["MONTHS_BALANCE"].where(table["late"])
    table["completed_month"] = table["MONTHS_BALANCE"].where(table["NAME_CONTRACT_STATUS"] == "Completed")
    loans = table.groupby([CLIENT, LOAN]).agg(
        newest=("MONTHS_BALANCE", "max"),
        late_months=("late", "sum"),
        longest=("term", "max"),
        completed_month=("completed_month", "max"),
    )
    latest = table.drop_duplicates([CLIENT, LOAN], keep="last").set_index([CLIENT, LOAN])[["term", "left"]]
    loans = loans.join(latest).reset_index()
    loans["completed"] = loans["completed_month"] == loans["newest"]
    loans["completed_early"] = loans["completed"] & (loans["term"] < loans["longest"])
    loans["left_share"] = ratio(loans["left"], loans["term"])
    loans = loans.sort_values([CLIENT, "newest", LOAN], ascending=False)
    clients, months, recent = loans.groupby(CLIENT), table.groupby(CLIENT), table[last_year].groupby(CLIENT)
    return pd.DataFrame(
        {
            "POS_CASH_LOANS_COUNT": clients.size(),
            "POS_CASH_COMPLETED_RATE": clients["completed"].mean(),
            "POS_CASH_COMPLETED_EARLY_COUNT": clients["completed_early"].sum(),
            "POS_CASH_TERM_MEAN": clients["longest"].mean(),
            "POS_CASH_REMAINING_SUM": clients["left"].sum(min_count=1),
            "POS_CASH_REMAINING_TO_TERM_MEAN": clients["left_share"].mean(),
            "POS_CASH_REMAINING_TO_TERM_RATIO": ratio(clients["left"].sum(), clients["term"].sum()),
            "POS_CASH_LATE_MONTHS_SUM_LAST_3": clients.head(3).groupby(CLIENT)["late_months"].sum(),
            "POS_CASH_MONTHS_SUM": months.size(),
            "POS_CASH_MONTHS_BALANCE_MAX": months["MONTHS_BALANCE"].max(),
            "POS_CASH_LATE_RATE": months["late"].mean(),
            "POS_CASH_LATE_RATE_12M": recent["late"].mean(),
            "POS_CASH_LATE_MONTHS_BALANCE_MAX": months["late_month"].max(),
            "POS_CASH_DPD_MAX": months["SK_DPD"].max(),
            "POS_CASH_DPD_MEAN": months["SK_DPD"].mean(),
            "POS_CASH_DPD_DEF_MAX_12M": recent["SK_DPD_DEF"].max(),
        }
    )


def installments_features(table: pd.DataFrame) -> pd.DataFrame:
    """Return features of the repayments: payments to instalments, instalments to clients."""
    table = table[table["DAYS_INSTALMENT"] <= 0]
    has_happened = ~(table["DAYS_ENTRY_PAYMENT"] > 0)
    table = table.assign(
        entry=table["DAYS_ENTRY_PAYMENT"].where(has_happened), paid=table["AMT_PAYMENT"].where(has_happened)
    )
    due_date = [CLIENT, LOAN, "NUM_INSTALMENT_VERSION", "NUM_INSTALMENT_NUMBER", "DAYS_INSTALMENT"]
    dues = table.groupby(due_date, as_index=False, dropna=False).agg(
        entry=("entry", "max"), paid=("paid", "sum"), amount=("AMT_INSTALMENT", "max")
    )
    dues = dues.sort_values(
        [CLIENT, "DAYS_INSTALMENT", LOAN, "NUM_INSTALMENT_NUMBER", "NUM_INSTALMENT_VERSION"], ascending=False
    )
    client, due = dues[CLIENT], dues["DAYS_INSTALMENT"]
    delay = dues["entry"] - due
    late, last_year = delay > 0, due >= -365
    first = (dues["NUM_INSTALMENT_VERSION"] > 0) & (dues["NUM_INSTALMENT_NUMBER"] <= 4)
    dues["delay"], dues["dpd"], dues["dbd"] = delay, delay.clip(lower=0), (-delay).clip(lower=0)
    dues["late"], dues["very_late"] = when_known(late, delay), when_known(delay > 30, delay)
    dues["late_due"] = due.where(late)
    dues["shortfall"] = dues["amount"] - dues["paid"]
    dues["underpaid"] = when_known(dues["shortfall"] > 1, dues["shortfall"])
    dues["paid_share"] = ratio(dues["paid"], dues["amount"])
    clients, recent = dues.groupby(CLIENT), dues[last_year].groupby(CLIENT)
    loans = dues.groupby([CLIENT, LOAN])
    late_shares, paid_shares = loans["late"].mean(), ratio(loans["paid"].sum(), loans["amount"].sum())
    return pd.DataFrame(
        {
            "INSTALLMENTS_INSTALMENTS_COUNT": clients.size(),
            "INSTALLMENTS_LATE_COUNT": late.groupby(client).sum(),
            "INSTALLMENTS_LATE_RATE": clients["late"].mean(),
            "INSTALLMENTS_LATE_RATE_365D": recent["late"].mean(),
            "INSTALLMENTS_LATE_OVER_30_DAYS_RATE": clients["very_late"].mean(),
            "INSTALLMENTS_LATE_DUE_DAYS_MAX": clients["late_due"].max(),
            "INSTALLMENTS_FIRST_INSTALMENTS_LATE_RATE": dues[first].groupby(CLIENT)["late"].mean(),
            "INSTALLMENTS_DPD_MEAN": clients["dpd"].mean(),
            "INSTALLMENTS_DPD_MAX": clients["dpd"].max(),
            "INSTALLMENTS_DPD_STD": clients["dpd"].std(),
            "INSTALLMENTS_DPD_MAX_365D": recent["dpd"].max(),
            "INSTALLMENTS_DPD_SLOPE": 365 * slope(dues["dpd"], due, client),
            "INSTALLMENTS_DBD_MEAN": clients["dbd"].mean(),
            "INSTALLMENTS_DELAY_MEAN_LAST_5": clients.head(5).groupby(CLIENT)["delay"].mean(),
            "INSTALLMENTS_UNPAID_COUNT": dues["entry"].isna().groupby(client).sum(),
            "INSTALLMENTS_UNDERPAID_RATE": clients["underpaid"].mean(),
            "INSTALLMENTS_SHORTFALL_SUM": clients["shortfall"].sum(min_count=1),
            "INSTALLMENTS_SHORTFALL_MEAN": clients["shortfall"].mean(),
            "INSTALLMENTS_PAYMENT_TO_INSTALMENT_MEAN": clients["paid_share"].mean(),
            "INSTALLMENTS_PAYMENT_SUM": clients["paid"].sum(),
            "INSTALLMENTS_PAYMENT_SUM_365D": amount_where(last_year, dues["paid"], client),
            "INSTALLMENTS_INSTALMENT_MAX": clients["amount"].max(),
            "INSTALLMENTS_ENTRY_DAYS_MAX": clients["entry"].max(),
            "INSTALLMENTS_LOANS_COUNT": clients[LOAN].nunique(),
            "INSTALLMENTS_LOAN_LATE_SHARE_MEAN": late_shares.groupby(CLIENT).mean(),
            "INSTALLMENTS_LOAN_PAID_SHARE_MIN": paid_shares.groupby(CLIENT).min(),
        }
    )


def credit_card_features(table: pd.DataFrame) -> pd.DataFrame:
    """Return features of the cards: the cards of a client are added up in each month."""
    table = table[table["MONTHS_BALANCE"] <= 0].copy()
    limit = table["AMT_CREDIT_LIMIT_ACTUAL"]
    table["balance"], table["limit"] = table["AMT_BALANCE"].clip(lower=0), limit.where(limit > 0)
    for column in ("AMT_DRAWINGS_CURRENT", "AMT_DRAWINGS_ATM_CURRENT"):
        table[column] = table[column].where(table[column] >= 0)
    by_month = table.groupby([CLIENT, "MONTHS_BALANCE"])
    added = ["balance", "limit", "AMT_DRAWINGS_CURRENT", "AMT_DRAWINGS_ATM_CURRENT"]
    added += ["AMT_INST_MIN_REGULARITY", "AMT_PAYMENT_CURRENT"]
    months = by_month[added].sum(min_count=1).join(by_month[["CNT_INSTALMENT_MATURE_CUM", "SK_DPD"]].max())
    months = months.reset_index().sort_values([CLIENT, "MONTHS_BALANCE"], ascending=False)
    months = months.rename(columns={"AMT_DRAWINGS_CURRENT": "drawn", "AMT_DRAWINGS_ATM_CURRENT": "cash"})
    minimum, payment = months["AMT_INST_MIN_REGULARITY"], months["AMT_PAYMENT_CURRENT"]
    client, month, balance = months[CLIENT], months["MONTHS_BALANCE"], months["balance"]
    months["used"] = ratio(balance, months["limit"])
    months["over_limit"] = when_known(months["used"] > 1, months["used"])
    months["cash_drawn"] = when_known(months["cash"] > 0, months["cash"])
    months["paid_share"] = ratio(payment, minimum)
    months["missed"] = when_known(payment < minimum, payment, minimum).where(~(minimum <= 0))
    known = balance.dropna()  # a change bridges the months without a balance
    months["change"] = known - known.groupby(client.loc[known.index]).shift(-1)
    months["late"] = months["SK_DPD"] > 0
    last_year = month >= -12
    clients, recent = months.groupby(CLIENT), months[last_year].groupby(CLIENT)
    last_three = clients.head(3).groupby(CLIENT)
    return pd.DataFrame(
        {
            "CREDIT_CARD_MONTHS_COUNT": clients.size(),
            "CREDIT_CARD_BALANCE_MEAN": clients["balance"].mean(),
            "CREDIT_CARD_BALANCE_MAX": clients["balance"].max(),
            "CREDIT_CARD_BALANCE_MEAN_LAST_1": clients.head(1).set_index(CLIENT)["balance"],
            "CREDIT_CARD_BALANCE_CHANGE_MEAN": clients["change"].mean(),
            "CREDIT_CARD_LIMIT_MAX": clients["limit"].max(),
            "CREDIT_CARD_UTILISATION_MEAN": clients["used"].mean(),
            "CREDIT_CARD_UTILISATION_MAX": clients["used"].max(),
            "CREDIT_CARD_UTILISATION_MAX_LAST_3": last_three["used"].max(),
            "CREDIT_CARD_UTILISATION_SLOPE_12M": 12 * slope(months["used"].where(last_year), month, client),
            "CREDIT_CARD_OVER_LIMIT_RATE": clients["over_limit"].mean(),
            "CREDIT_CARD_DRAWINGS_SUM_12M": amount_where(last_year, months["drawn"], client),
            "CREDIT_CARD_ATM_DRAWINGS_MEAN": clients["cash"].mean(),
            "CREDIT_CARD_ATM_USED_RATE": clients["cash_drawn"].mean(),
            "CREDIT_CARD_ATM_DRAWINGS_TO_DRAWINGS_RATIO": ratio(
                clients["cash"].sum(min_count=1), clients["drawn"].sum()
            ),
            "CREDIT_CARD_PAYMENT_TO_MINIMUM_MEAN": clients["paid_share"].mean(),
            "CREDIT_CARD_MINIMUM_MISSED_RATE": clients["missed"].mean(),
            "CREDIT_CARD_MATURE_INSTALMENTS_MAX": clients["CNT_INSTALMENT_MATURE_CUM"].max(),
            "CREDIT_CARD_DPD_MAX": clients["SK_DPD"].max(),
            "CREDIT_CARD_LATE_RATE_12M": recent["late"].mean(),
        }
    )


def cross_features(features: pd.DataFrame) -> pd.DataFrame:
    """Add what compares the application with the histories, and whether there is a history at all."""
    income, credit, annuity = (features[column] for column in ("AMT_INCOME_TOTAL", "AMT_CREDIT", "AMT_ANNUITY"))
    other_annuities = features[["BUREAU_ANNUITY_SUM_ACTIVE", "PREVIOUS_ANNUITY_SUM_RUNNING"]].sum(axis=1)
    return features.assign(
        HAS_BUREAU=features["BUREAU_CREDITS_COUNT"].notna(),
        HAS_BUREAU_BALANCE=features["BUREAU_BALANCE_CREDITS_COUNT"].notna(),
        HAS_PREVIOUS=features["PREVIOUS_APPLICATIONS_COUNT"].notna(),
        HAS_POS_CASH=features["POS_CASH_LOANS_COUNT"].notna(),
        HAS_INSTALLMENTS=features["INSTALLMENTS_INSTALMENTS_COUNT"].notna(),
        HAS_CREDIT_CARD=features["CREDIT_CARD_MONTHS_COUNT"].notna(),
        BUREAU_DEBT_TO_INCOME_RATIO_ACTIVE=ratio(features["BUREAU_DEBT_SUM_ACTIVE"], income),
        APPLICATION_TOTAL_ANNUITY_TO_INCOME_RATIO=ratio(annuity + other_annuities, income),
        APPLICATION_CREDIT_TO_PREVIOUS_MAX_CREDIT_RATIO_APPROVED=ratio(
            credit, features["PREVIOUS_CREDIT_MAX_APPROVED"]
        ),
        APPLICATION_ANNUITY_TO_MAX_INSTALMENT_RATIO=ratio(annuity, features["INSTALLMENTS_INSTALMENT_MAX"]),
        PREVIOUS_DAYS_DECISION_TO_AGE_RATIO=ratio(features["PREVIOUS_DAYS_DECISION_MIN"], features["DAYS_BIRTH"]),
    ).drop(columns=["AMT_INCOME_TOTAL", "AMT_CREDIT", "AMT_ANNUITY", "DAYS_BIRTH"])


def main() -> None:
    """Read the CSV files of a folder and write the features to a Parquet file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raw", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    compute_features(csv_reader(arguments.raw)).to_parquet(arguments.target)


if __name__ == "__main__":
    main()
