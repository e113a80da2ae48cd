"""The histories: orphans, dates, countdowns, consistency with their loan and with one another."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.pipelines.synthetic_data.previous_application import NO_DATE

MONTHLY = ["POS_CASH_balance", "installments_payments", "credit_card_balance"]


@pytest.fixture(scope="module")
def previous(twin) -> pd.DataFrame:
    return twin["previous_application"]


def test_monthly_status_is_reported_for_a_third_of_the_clients(twin):
    reported = twin["bureau"]["SK_ID_BUREAU"].isin(twin["bureau_balance"]["SK_ID_BUREAU"])
    clients = twin["bureau"].loc[reported, "SK_ID_CURR"].unique()
    assert twin["application_train"]["SK_ID_CURR"].isin(clients).mean() == pytest.approx(0.30, abs=0.02)
    assert twin["bureau"].loc[~reported, "AMT_ANNUITY"].isna().all()


@pytest.mark.parametrize("table", ["bureau", "previous_application", *MONTHLY])
def test_every_row_belongs_to_an_applicant(twin, table):
    applicants = pd.concat([twin["application_train"]["SK_ID_CURR"], twin["application_test"]["SK_ID_CURR"]])
    assert twin[table]["SK_ID_CURR"].isin(applicants).all()


@pytest.mark.parametrize(("table", "share"), [("POS_CASH_balance", 0.04), ("credit_card_balance", 0.109)])
def test_some_loans_have_no_application_row(twin, previous, table, share):
    loans = twin[table]["SK_ID_PREV"].drop_duplicates()
    assert 1 - loans.isin(previous["SK_ID_PREV"]).mean() == pytest.approx(share, abs=0.02)


def test_some_reported_credits_are_not_in_bureau(twin):
    credits_ = twin["bureau_balance"]["SK_ID_BUREAU"].drop_duplicates()
    assert 1 - credits_.isin(twin["bureau"]["SK_ID_BUREAU"]).mean() == pytest.approx(0.053, abs=0.02)


@pytest.mark.parametrize("table", MONTHLY)
def test_history_belongs_to_the_client_and_the_type_of_its_application(twin, previous, table):
    rows = twin[table][["SK_ID_PREV", "SK_ID_CURR"]].drop_duplicates().merge(previous, on="SK_ID_PREV")
    assert (rows["SK_ID_CURR_x"] == rows["SK_ID_CURR_y"]).all()
    assert (rows["NAME_CONTRACT_STATUS"] == "Approved").all()
    revolving = rows["NAME_CONTRACT_TYPE"] == "Revolving loans"
    if table == "POS_CASH_balance":
        assert not revolving.any()
    if table == "credit_card_balance":
        assert revolving.all()


def test_nothing_happens_after_the_application(twin):
    assert twin["bureau"]["DAYS_CREDIT"].between(-2922, -1).all()
    assert twin["bureau"]["DAYS_CREDIT_UPDATE"].max() <= 0
    assert twin["bureau"]["DAYS_ENDDATE_FACT"].max() <= 0
    assert twin["bureau_balance"]["MONTHS_BALANCE"].between(-97, 0).all()
    assert twin["previous_application"]["DAYS_DECISION"].between(-2922, -1).all()
    for table in ("POS_CASH_balance", "credit_card_balance"):
        assert twin[table]["MONTHS_BALANCE"].between(-96, -1).all()
    payments = twin["installments_payments"]
    assert payments["DAYS_INSTALMENT"].between(-2922, -1).all()
    assert payments["DAYS_ENTRY_PAYMENT"].max() <= -1


def test_bureau_keeps_its_oddities(twin):
    bureau = twin["bureau"]
    assert (bureau["DAYS_CREDIT_ENDDATE"] > 10_000).mean() == pytest.approx(0.033, abs=0.012)
    assert (bureau["DAYS_CREDIT_ENDDATE"] < -40_000).any()
    assert 0 < (bureau["AMT_CREDIT_SUM_DEBT"] < 0).mean() < 0.02
    active = bureau["CREDIT_ACTIVE"] == "Active"
    assert active.mean() == pytest.approx(0.367, abs=0.025)
    assert bureau.loc[active, "DAYS_ENDDATE_FACT"].isna().mean() > 0.99
    assert bureau.loc[bureau["CREDIT_ACTIVE"] == "Closed", "DAYS_ENDDATE_FACT"].notna().all()


def test_bureau_status_unfolds_without_gaps_and_stays_closed(twin):
    balance = twin["bureau_balance"].sort_values(["SK_ID_BUREAU", "MONTHS_BALANCE"])
    same = balance["SK_ID_BUREAU"].eq(balance["SK_ID_BUREAU"].shift())
    assert (balance["MONTHS_BALANCE"].diff()[same] == 1).all()
    was_closed = balance["STATUS"].shift().eq("C") & same
    assert (balance.loc[was_closed, "STATUS"] == "C").all()
    assert set(balance["STATUS"]) == {*"012345", "C", "X"}


def test_previous_applications_use_the_codes_of_absent_values(previous):
    assert previous["NAME_CONTRACT_STATUS"].value_counts(normalize=True)[
        ["Approved", "Canceled", "Refused", "Unused offer"]
    ].to_numpy() == pytest.approx([0.62, 0.19, 0.174, 0.016], abs=0.02)
    cash = previous["NAME_CONTRACT_TYPE"] == "Cash loans"
    assert (previous.loc[~cash, "NAME_CASH_LOAN_PURPOSE"].isin(["XAP", "XNA"])).all()
    refused = previous["NAME_CONTRACT_STATUS"] == "Refused"
    approved = previous["NAME_CONTRACT_STATUS"] == "Approved"
    assert (previous.loc[approved, "CODE_REJECT_REASON"] == "XAP").all()
    assert (previous.loc[refused, "CODE_REJECT_REASON"] != "XAP").all()
    assert previous["AMT_ANNUITY"].isna().equals(previous["CNT_PAYMENT"].isna())
    assert previous.loc[~approved, "DAYS_FIRST_DUE"].isna().all()
    assert (previous["RATE_INTEREST_PRIMARY"].isna()).mean() > 0.99


def test_dates_that_do_not_exist_are_coded(previous):
    dated = previous[previous["DAYS_FIRST_DUE"].notna()]
    instalment = dated["NAME_CONTRACT_TYPE"] != "Revolving loans"
    assert (dated.loc[instalment, "DAYS_FIRST_DRAWING"] == NO_DATE).all()
    running = dated["DAYS_LAST_DUE"] == NO_DATE
    assert running.mean() == pytest.approx(0.20, abs=0.04)
    assert (dated.loc[~running, "DAYS_LAST_DUE"] < 0).all()
    assert ((dated["DAYS_LAST_DUE_1ST_VERSION"] > 0) & (dated["DAYS_LAST_DUE_1ST_VERSION"] < NO_DATE)).any()


def test_instalments_left_count_down_to_zero(twin):
    balance = twin["POS_CASH_balance"].sort_values(["SK_ID_PREV", "MONTHS_BALANCE"])
    same = balance["SK_ID_PREV"].eq(balance["SK_ID_PREV"].shift())
    assert (balance["MONTHS_BALANCE"].diff()[same] == 1).all()
    steps = balance["CNT_INSTALMENT_FUTURE"].diff()[same].dropna()
    assert (steps == -1).mean() > 0.75
    assert (steps <= 0).mean() > 0.99
    completed = balance["NAME_CONTRACT_STATUS"] == "Completed"
    assert (balance.loc[completed, "CNT_INSTALMENT_FUTURE"] == 0).all()


def test_instalments_agree_with_the_loan(twin, previous):
    payments = twin["installments_payments"].merge(previous, on="SK_ID_PREV")
    loans = payments[payments["NAME_CONTRACT_TYPE"] != "Revolving loans"]
    assert np.isclose(loans["AMT_INSTALMENT"], loans["AMT_ANNUITY"], rtol=1e-6).mean() == pytest.approx(0.85, abs=0.08)
    planned = loans["DAYS_FIRST_DUE"] + 30 * (loans["NUM_INSTALMENT_NUMBER"] - 1)
    assert (planned == loans["DAYS_INSTALMENT"]).mean() > 0.99
    assert (loans["NUM_INSTALMENT_NUMBER"] <= loans["CNT_PAYMENT"]).all()
    cards = payments["NAME_CONTRACT_TYPE"] == "Revolving loans"
    assert payments["NUM_INSTALMENT_VERSION"].eq(0).equals(cards)


def test_instalments_are_paid_early_late_and_in_parts(twin):
    payments = twin["installments_payments"]
    delay = payments["DAYS_ENTRY_PAYMENT"] - payments["DAYS_INSTALMENT"]
    assert (delay > 0).mean() == pytest.approx(0.084, abs=0.02)
    assert delay.median() == pytest.approx(-6, abs=2)
    parts = payments.duplicated(["SK_ID_PREV", "NUM_INSTALMENT_VERSION", "NUM_INSTALMENT_NUMBER"])
    assert parts.mean() == pytest.approx(0.048, abs=0.02)
    assert payments["AMT_PAYMENT"].isna().equals(payments["DAYS_ENTRY_PAYMENT"].isna())
    assert 0 < payments["AMT_PAYMENT"].isna().mean() < 0.002


def test_cards_add_up(twin):
    cards = twin["credit_card_balance"]
    kinds = [f"AMT_DRAWINGS_{kind}_CURRENT" for kind in ("ATM", "POS", "OTHER")]
    drawn = cards[kinds].notna().all(axis=1)
    assert np.allclose(cards.loc[drawn, kinds].sum(axis=1), cards.loc[drawn, "AMT_DRAWINGS_CURRENT"], atol=0.01)
    assert (cards.loc[~drawn, "AMT_DRAWINGS_CURRENT"] == 0).all()
    assert drawn.mean() == pytest.approx(0.80, abs=0.06)
    assert (cards["AMT_CREDIT_LIMIT_ACTUAL"] == 0).mean() == pytest.approx(0.20, abs=0.06)
    assert (cards["SK_DPD_DEF"] <= cards["SK_DPD"]).all()
    used = cards["AMT_CREDIT_LIMIT_ACTUAL"] > 0
    use = cards.loc[used, "AMT_BALANCE"] / cards.loc[used, "AMT_CREDIT_LIMIT_ACTUAL"]
    assert use.mean() == pytest.approx(0.38, abs=0.10)
