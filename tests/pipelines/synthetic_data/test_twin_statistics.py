"""The twin beside the published statistics: marginals, missing values, dependence, default rates, histories.

A figure may differ by four standard errors, those of the twin and of the published figure together, plus a slack that
says how closely the generator is meant to follow it.
"""

import numpy as np
import pandas as pd
import pytest

from benchmarks.twin import FIGURES
from tests.pipelines.synthetic_data import published

PUBLISHED_APPLICANTS = 307_511
EXTERNAL = ["EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3"]
NOT_EMPLOYED = 365_243


def share_tolerance(share: float, n_twin: float, n_published: float, slack: float) -> float:
    """Four standard errors of the difference of two shares, and the slack."""
    return 4 * float(np.sqrt(share * (1 - share) * (1 / n_twin + 1 / n_published))) + slack


def assert_rate(target: pd.Series, rate: float, n_published: float, slack: float, what: object) -> None:
    """The default rate of a group of twin applicants is the published one."""
    tolerance = share_tolerance(rate, len(target), n_published, slack)
    assert target.mean() == pytest.approx(rate, abs=tolerance), f"{what}: {len(target)} applicants"


def area_under_curve(target: pd.Series, score: pd.Series) -> float:
    """Probability that a defaulter scores higher than another applicant; missing scores are left out."""
    known = score.notna()
    ranks, bad = score[known].rank(), target[known] == 1
    return float((ranks[bad].mean() - (bad.sum() + 1) / 2) / (~bad).sum())


# -- applications -----------------------------------------------------------------------------------------------------


def test_default_rate(train):
    assert_rate(train["TARGET"], published.DEFAULT_RATE, PUBLISHED_APPLICANTS, 0.001, "all")


@pytest.mark.parametrize("column", published.DEFAULT_RATES)
def test_default_rate_by_category(train, column):
    for level, rate in published.DEFAULT_RATES[column].items():
        group = train.loc[train[column] == level, "TARGET"]
        assert_rate(group, rate, PUBLISHED_APPLICANTS * len(group) / len(train), 0.004, level)


@pytest.mark.parametrize("name", ["age", "years employed", "income", "refusals"])
def test_default_rate_by_band(twin, train, name):
    days_employed = train["DAYS_EMPLOYED"].where(train["DAYS_EMPLOYED"] != NOT_EMPLOYED)
    previous = twin["previous_application"]
    refused = previous["NAME_CONTRACT_STATUS"].eq("Refused").groupby(previous["SK_ID_CURR"]).sum()
    values, (edges, rates), n_published = {
        "age": (train["DAYS_BIRTH"] / -365.25, published.DEFAULT_RATE_BY_AGE, PUBLISHED_APPLICANTS),
        "years employed": (days_employed / -365.25, published.DEFAULT_RATE_BY_YEARS_EMPLOYED, 11_974),
        "income": (train["AMT_INCOME_TOTAL"], published.DEFAULT_RATE_BY_INCOME, PUBLISHED_APPLICANTS),
        "refusals": (
            train["SK_ID_CURR"].map(refused).fillna(0),
            published.DEFAULT_RATE_BY_REFUSALS,
            PUBLISHED_APPLICANTS,
        ),
    }[name]
    band = pd.cut(values, [-np.inf, *edges, np.inf], labels=False)
    for code, rate in enumerate(rates):
        group = train.loc[band == code, "TARGET"]
        assert_rate(group, rate, n_published * len(group) / len(train), 0.006, f"{name} {code}")


@pytest.mark.parametrize("name", published.DEFAULT_RATE_BY_DECILE)
def test_default_rate_by_decile(train, name):
    score = train[name] if name in train else train[EXTERNAL].mean(axis=1)
    decile = pd.qcut(score, 10, labels=False)
    for code, rate in enumerate(published.DEFAULT_RATE_BY_DECILE[name]):
        assert_rate(train.loc[decile == code, "TARGET"], rate, published.DECILE_APPLICANTS[name], 0.01, code)


def test_mean_external_score_ranks_as_published(train):
    """0.708 in the samples; the standard error of this twin is 0.006."""
    assert area_under_curve(train["TARGET"], -train[EXTERNAL].mean(axis=1)) == pytest.approx(0.708, abs=0.025)


@pytest.mark.parametrize("column", published.CORRELATION_WITH_TARGET)
def test_correlation_with_target(train, column):
    known = train[[column, "TARGET"]].dropna()
    tolerance = 4 / np.sqrt(len(known)) + 0.012
    assert known.corr().iloc[0, 1] == pytest.approx(published.CORRELATION_WITH_TARGET[column], abs=tolerance)


@pytest.mark.parametrize("column", published.MISSING_RATE)
def test_missing_rate(train, column):
    rate = published.MISSING_RATE[column]
    assert train[column].isna().mean() == pytest.approx(
        rate, abs=share_tolerance(rate, len(train), PUBLISHED_APPLICANTS, 0.003 if rate < 0.1 else 0.015)
    )


def test_values_are_missing_for_the_same_reason_together(train):
    building = [name for name in train if name.endswith(("_AVG", "_MODE", "_MEDI"))]
    assert len(building) == 47
    missing = train[building].isna()
    assert missing.all(axis=1).mean() == pytest.approx(0.474, abs=0.015)
    for stem in {name.removesuffix("_AVG") for name in building if name.endswith("_AVG")}:
        assert missing[f"{stem}_AVG"].equals(missing[f"{stem}_MODE"])
        assert missing[f"{stem}_AVG"].equals(missing[f"{stem}_MEDI"])
    for names in (["AMT_REQ_CREDIT_BUREAU_"], ["_CNT_SOCIAL_CIRCLE"]):
        columns = [name for name in train if names[0] in name]
        assert len(columns) > 3
        assert train[columns].isna().nunique(axis=1).eq(1).all()
    assert train["OWN_CAR_AGE"].isna().equals(train["FLAG_OWN_CAR"] == "N")


def test_who_is_unknown_to_the_bureau_lacks_its_score_and_inquiries(twin, train):
    unknown = ~train["SK_ID_CURR"].isin(twin["bureau"]["SK_ID_CURR"])
    assert unknown.mean() == pytest.approx(0.143, abs=0.01)
    assert train.loc[unknown, "EXT_SOURCE_3"].isna().mean() == pytest.approx(0.97, abs=0.02)
    assert train.loc[~unknown, "EXT_SOURCE_3"].isna().mean() == pytest.approx(0.069, abs=0.01)
    assert train.loc[unknown, "AMT_REQ_CREDIT_BUREAU_YEAR"].isna().mean() == pytest.approx(0.945, abs=0.02)
    assert train.loc[~unknown, "AMT_REQ_CREDIT_BUREAU_YEAR"].notna().all()
    assert_rate(train.loc[unknown, "TARGET"], 0.1012, 44_020, 0.006, "unknown to the bureau")


@pytest.mark.parametrize(("first", "second"), published.RANK_CORRELATION)
def test_rank_correlation(train, first, second):
    pair = train[[first, second]].replace(NOT_EMPLOYED, np.nan).dropna()
    tolerance = 4 * float(np.sqrt(1 / len(pair) + 1 / 3_700)) if "OWN_CAR_AGE" in (first, second) else 0.05
    expected = published.RANK_CORRELATION[first, second]
    assert pair.corr(method="spearman").iloc[0, 1] == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in published.QUANTILES.items() for column in columns]
)
def test_quantiles(twin, table, column):
    """At every published quantile the distribution function has the published level; ties count either way."""
    values, n_published = published.QUANTILES[table][column]
    data = twin[table][column].replace(NOT_EMPLOYED, np.nan).dropna().sort_values().to_numpy()
    slack = 0.02 if table == "application_train" else 0.06
    # Rows of one applicant resemble each other: only applicants count as independent.
    applicants = twin[table]["SK_ID_CURR"].unique() if "SK_ID_CURR" in twin[table] else twin["application_train"]
    for level, value in zip(published.LEVELS, values, strict=True):
        below, up_to = np.searchsorted(data, value, "left"), np.searchsorted(data, value, "right")
        tolerance = share_tolerance(level, len(applicants), min(n_published, 10_000), slack)
        assert below / len(data) - tolerance <= level <= up_to / len(data) + tolerance, (level, value)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_figure_of_the_population(twin, train, figure):
    assert figure.measure(twin) == pytest.approx(figure.real, abs=figure.tolerance(len(train)))


def test_a_passport_is_of_the_last_birthday_of_renewal_or_newer(twin):
    """Renewed at 20 and 45, mostly within weeks: nobody of 46 has one of before, few of 22 have one of 21."""
    both = pd.concat([twin["application_train"], twin["application_test"]])
    age, held = both["DAYS_BIRTH"] / -365.25, both["DAYS_ID_PUBLISH"] / -365.25
    assert (held <= age - np.where(age >= 45, 45, 20) + 1 / 365.25).all()
    assert (held >= 0).all()
    just_renewed = age.between(45.5, 47)
    assert (held[just_renewed] > age[just_renewed] - 45.25).mean() > 0.75
    # The passports of those between the birthdays go back to the withdrawal of the older model, 12.2 years before.
    assert held[age.between(40, 45) | (age > 62)].median() == pytest.approx(11.7, abs=0.3)


# -- histories --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", published.ROWS_PER_APPLICANT)
def test_rows_per_applicant(twin, train, table):
    covered, rows = published.ROWS_PER_APPLICANT[table]
    counts = train["SK_ID_CURR"].map(twin[table]["SK_ID_CURR"].value_counts()).dropna()
    assert len(counts) / len(train) == pytest.approx(covered, abs=share_tolerance(covered, len(train), 3e5, 0.008))
    error = counts.std() / np.sqrt(len(counts))
    assert counts.mean() == pytest.approx(rows, abs=4 * error + 0.05 * rows)


def test_annuities_at_other_lenders_speak_against_an_applicant(twin, train):
    """Of 650 real applicants whose annuities are all 0, 5.4 % default; of 1,885 with an annuity, 8.4 %."""
    annuities = train["SK_ID_CURR"].map(twin["bureau"].groupby("SK_ID_CURR")["AMT_ANNUITY"].sum(min_count=1))
    assert_rate(train.loc[annuities == 0, "TARGET"], 0.0538, 650, 0.004, "no annuity")
    assert_rate(train.loc[annuities > 0, "TARGET"], 0.0838, 1_885, 0.004, "an annuity")
    assert area_under_curve(train["TARGET"], annuities) > 0.52


def test_a_card_payment_is_no_less_than_what_was_paid_in_all(twin):
    cards = twin["credit_card_balance"].dropna(subset=["AMT_PAYMENT_CURRENT", "AMT_INST_MIN_REGULARITY"])
    assert (cards["AMT_PAYMENT_CURRENT"] >= cards["AMT_PAYMENT_TOTAL_CURRENT"] - 1e-6).all()
    # The minimum falls due on the balance at the beginning of the month.
    assert (cards.loc[cards["AMT_BALANCE"] == 0, "AMT_INST_MIN_REGULARITY"] == 0).mean() > 0.9
    below = cards["AMT_PAYMENT_CURRENT"] < cards["AMT_INST_MIN_REGULARITY"]
    due = cards["AMT_INST_MIN_REGULARITY"] > 0
    missed = below[due].groupby(cards.loc[due, "SK_ID_CURR"]).mean()
    assert missed.median() < 0.1 < missed.quantile(0.9)


def train_balance(twin) -> pd.DataFrame:
    """Return the monthly status of the train applicants' credits, as in the published samples."""
    bureau = twin["bureau"]
    credits_ = bureau.loc[bureau["SK_ID_CURR"].isin(twin["application_train"]["SK_ID_CURR"]), "SK_ID_BUREAU"]
    return twin["bureau_balance"][twin["bureau_balance"]["SK_ID_BUREAU"].isin(credits_)]


def test_status_shares_and_transitions(twin):
    balance = train_balance(twin).sort_values(["SK_ID_BUREAU", "MONTHS_BALANCE"])
    status, credit = balance["STATUS"].to_numpy(), balance["SK_ID_BUREAU"].to_numpy()
    shares = balance["STATUS"].value_counts(normalize=True)
    for name, share in published.STATUS_SHARES.items():
        assert shares[name] == pytest.approx(share, abs=0.004 + 0.06 * share)
    same = credit[1:] == credit[:-1]
    table = pd.crosstab(status[:-1][same], status[1:][same])
    for now, row in published.STATUS_TRANSITIONS.items():
        n = table.loc[now].sum()
        for following, probability in row.items():
            error = 4 * np.sqrt(probability * (1 - probability) / n)
            found = table.loc[now, following] / n
            assert found == pytest.approx(probability, abs=error + 0.006 + 0.07 * probability), (now, following)


def test_worst_status_of_a_credit(twin):
    balance = train_balance(twin)
    grade = pd.to_numeric(balance["STATUS"].where(~balance["STATUS"].isin(["C", "X"])))
    worst = grade.groupby(balance["SK_ID_BUREAU"]).max()
    assert worst.isna().mean() == pytest.approx(published.WORST_STATUS["none"], abs=0.025)
    assert (worst == 0).mean() == pytest.approx(published.WORST_STATUS["0"], abs=0.03)
    assert (worst == 1).mean() == pytest.approx(published.WORST_STATUS["1"], abs=0.02)


def test_largest_limit_of_a_card(twin):
    cards = twin["credit_card_balance"]
    limits = np.sort(cards.groupby("SK_ID_PREV")["AMT_CREDIT_LIMIT_ACTUAL"].max().to_numpy())
    for level, limit in zip(published.LEVELS, published.CARD_LIMITS, strict=True):
        tolerance = share_tolerance(level, len(limits), 2_803, 0.02)
        assert np.mean(limits < limit) - tolerance <= level <= np.mean(limits <= limit) + tolerance


def test_terms_of_the_earlier_loans(twin):
    balance = twin["POS_CASH_balance"]
    assert balance["CNT_INSTALMENT"].mean() == pytest.approx(17.0, abs=0.8)
    assert (balance["SK_DPD"] > 0).mean() == pytest.approx(0.0275, abs=0.006)


@pytest.mark.parametrize("measure", published.HISTORY_AUC)
def test_history_ranks_defaulters_as_published(twin, train, measure):
    value, error = published.HISTORY_AUC[measure]
    values = train["SK_ID_CURR"].map(_history(twin, measure))
    bad = int(train.loc[values.notna(), "TARGET"].sum())
    tolerance = 4 * np.sqrt(error**2 + 1 / (12 * bad)) * 0.75 + 0.01
    assert area_under_curve(train["TARGET"], values) == pytest.approx(value, abs=tolerance)


def _history(twin, measure: str) -> pd.Series:
    """One measure of the history of every client that has one."""
    table = measure.split(":", maxsplit=1)[0]
    rows = twin[table]
    if table == "bureau_balance":
        rows = rows.merge(twin["bureau"][["SK_ID_BUREAU", "SK_ID_CURR"]], on="SK_ID_BUREAU")
    client = rows["SK_ID_CURR"]
    if measure == "bureau: debt to credit":
        sums = rows[rows["CREDIT_ACTIVE"] == "Active"].groupby("SK_ID_CURR")
        return sums["AMT_CREDIT_SUM_DEBT"].sum(min_count=1) / sums["AMT_CREDIT_SUM"].sum().replace(0, np.nan)
    if measure == "bureau: newest DAYS_CREDIT":
        return rows.groupby("SK_ID_CURR")["DAYS_CREDIT"].max()
    if measure == "bureau: credits of the last year":
        return (rows["DAYS_CREDIT"] >= -365).groupby(client).sum().astype(float)
    limit = rows.get("AMT_CREDIT_LIMIT_ACTUAL", pd.Series(dtype=float))
    values = {
        "bureau: mean DAYS_CREDIT": lambda: rows["DAYS_CREDIT"],
        "bureau: active share": lambda: rows["CREDIT_ACTIVE"] == "Active",
        "bureau_balance: share of months closed": lambda: rows["STATUS"] == "C",
        "bureau_balance: share of months past due": lambda: rows["STATUS"].isin(list("12345")),
        "bureau_balance: mean month": lambda: rows["MONTHS_BALANCE"],
        "previous_application: refused share": lambda: rows["NAME_CONTRACT_STATUS"] == "Refused",
        "installments_payments: late share": lambda: rows["DAYS_ENTRY_PAYMENT"] > rows["DAYS_INSTALMENT"],
        "credit_card_balance: mean utilisation": lambda: rows["AMT_BALANCE"] / limit.where(limit > 0),
    }[measure]()
    return values.astype(float).groupby(client).mean()
