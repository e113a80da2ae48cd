"""What a page is made of: facts, timeline, comparison, what-if; by hand."""

from typing import Any

import numpy as np
import pytest

from credit_scoring.desk.applicants import COLUMNS
from credit_scoring.desk.facts import gather_facts, name_missing
from credit_scoring.desk.peers import compare_with_approved
from credit_scoring.desk.proposals import Proposal
from credit_scoring.desk.reading import make_gauge
from credit_scoring.desk.timeline import WIDTH, draw_timeline
from credit_scoring.desk.what_if import WhatIf, WhatIfError, overdue_elsewhere
from credit_scoring.texts import texts_in

EN, FR = texts_in("en"), texts_in("fr")
FORM: dict[str, Any] = {
    "SK_ID_CURR": 1, "CODE_GENDER": "F", "NAME_FAMILY_STATUS": "Widow", "NAME_CONTRACT_TYPE": "Cash loans",
    "AMT_CREDIT": 200_000.0, "AMT_ANNUITY": 10_000.0, "AMT_GOODS_PRICE": None, "AMT_INCOME_TOTAL": 100_000.0,
    "NAME_INCOME_TYPE": "Working", "OCCUPATION_TYPE": None, "ORGANIZATION_TYPE": "XNA", "DAYS_EMPLOYED": -731,
    "DAYS_BIRTH": -int(42.5 * 365.25), "CNT_FAM_MEMBERS": 3.0, "CNT_CHILDREN": 1, "EXT_SOURCE_1": None,
    "EXT_SOURCE_2": 0.5, "EXT_SOURCE_3": None, "FLAG_OWN_CAR": "N",
}  # fmt: skip
CREDIT = {
    "CREDIT_ACTIVE": "Active", "DAYS_CREDIT": -365, "DAYS_CREDIT_ENDDATE": 100, "DAYS_ENDDATE_FACT": None,
    "AMT_CREDIT_SUM": 5_000.0, "AMT_CREDIT_SUM_DEBT": 3_000.0, "AMT_CREDIT_SUM_OVERDUE": 700.0, "CREDIT_DAY_OVERDUE": 9,
}  # fmt: skip
CLOSED = CREDIT | {
    "CREDIT_ACTIVE": "Closed", "DAYS_CREDIT": -700, "DAYS_ENDDATE_FACT": -400.0, "AMT_CREDIT_SUM_OVERDUE": 0.0,
    "CREDIT_DAY_OVERDUE": 0,
}  # fmt: skip
PAYMENTS = [
    {"DAYS_INSTALMENT": -30.0, "DAYS_ENTRY_PAYMENT": -31.0},
    {"DAYS_INSTALMENT": -61.0, "DAYS_ENTRY_PAYMENT": -51.0},
    {"DAYS_INSTALMENT": -62.0, "DAYS_ENTRY_PAYMENT": -60.0},
    {"DAYS_INSTALMENT": -99.0, "DAYS_ENTRY_PAYMENT": None},
]
EARLIER = [
    {"NAME_CONTRACT_STATUS": status, "DAYS_DECISION": -200, "AMT_APPLICATION": 1.0}
    for status in ("Approved", "Refused", "Canceled")
]
CARD = [
    {"MONTHS_BALANCE": -1, "AMT_BALANCE": 50.0, "AMT_CREDIT_LIMIT_ACTUAL": 100},
    {"MONTHS_BALANCE": -2, "AMT_BALANCE": 150.0, "AMT_CREDIT_LIMIT_ACTUAL": 100},
    {"MONTHS_BALANCE": -3, "AMT_BALANCE": 150.0, "AMT_CREDIT_LIMIT_ACTUAL": 0},
]
TABLES: dict[str, Any] = {
    "application": FORM, "bureau": [CREDIT, CLOSED], "previous_application": EARLIER,
    "installments_payments": PAYMENTS, "credit_card_balance": CARD,
}  # fmt: skip


def test_facts_are_told_in_words() -> None:
    told = {fact.label: fact.value for group in gather_facts(TABLES, EN) for fact in group.facts}
    assert told["Loan"] == "200,000"
    assert told["Loan in annuities"] == "20 annuities"
    assert told["Annuity relative to income"] == "10%"
    assert told["In this job for"] == "2 years"
    assert told["Age"] == "40 to 44 years"
    assert told["Household"] == "3 persons, 1 of them a child"
    assert told["External score 2"] == "0.50"
    assert told["Credits elsewhere"] == "2, of which 1 running"
    assert told["Debt elsewhere"] == "3,000"
    assert told["Overdue elsewhere"] == "700"
    assert told["Earlier applications"] == "3: 1 approved, 1 declined"
    assert told["Payments made late"] == "67% of 3"
    assert "Price of the goods" not in told
    assert "Employer" not in told


@pytest.mark.parametrize("texts", [EN, FR])
def test_facts_name_no_protected_attribute(texts: Any) -> None:
    told = str(gather_facts(TABLES, texts)).lower()
    assert not any(word in told for word in ("widow", "veuf", "female", "femme", "gender", "sexe", "famil"))


def test_what_is_missing_is_told_with_what_it_means() -> None:
    assert name_missing(TABLES, EN) == [
        "External scores without a value: 1 and 3.",
        "The occupation is not stated.",
        "The price of the goods is not stated.",
    ]
    nothing = {"application": FORM | {"DAYS_EMPLOYED": 365243}}
    assert "The occupation is not stated." not in name_missing(nothing, EN)  # a pensioner has none
    assert "No credit at other lenders is known." in name_missing(nothing, EN)
    told = {fact.label: fact.value for group in gather_facts(nothing, EN) for fact in group.facts}
    assert told["In this job for"] == "no job now"


def test_the_timeline_draws_what_there_was() -> None:
    credits, applications, payments, cards = draw_timeline(TABLES, EN).lanes
    assert [shape.kind for shape in credits.shapes] == ["closed", "overdue"]
    closed, running = credits.shapes
    assert running.x + running.width == pytest.approx(WIDTH - 8, abs=0.2)  # it runs until now
    month = (WIDTH - 16) / 24
    assert closed.width == pytest.approx(300 / 30.4375 * month, abs=0.2)
    assert credits.told == "2 credits, of which 1 running, 1 overdue"
    assert [shape.kind for shape in applications.shapes] == ["approved", "declined", "other"]
    assert [(shape.kind, shape.title) for shape in payments.shapes] == [
        ("on_time", "month 4 before: 0 days late"),  # not paid yet, as far as is known
        ("late", "month 3 before: 10 days late"),
        ("on_time", "month 1 before: 0 days late"),
    ]
    assert payments.told == "late in 1 of 3 months, by 10 days at most"
    assert [(shape.kind, shape.height) for shape in cards.shapes] == [("over", 34.0), ("used", 17.0)]
    assert cards.told == "50% of the limit in the latest month, 150% at most"


def test_an_empty_timeline_says_so() -> None:
    timeline = draw_timeline({"application": FORM}, EN)
    assert [lane.told for lane in timeline.lanes] == ["none known", "none", "no payments known", "no card"]
    assert all(not lane.shapes for lane in timeline.lanes)


def approved(n: int, **columns: Any) -> dict[str, Any]:
    usual = {"amount": 200_000.0, "annuity": 10_000.0, "income": 100_000.0, "age": 42.0, "employed": 5.0, "score": 0.6}
    rows = [np.broadcast_to(np.asarray(columns.get(name, usual[name]), dtype=float), n) for name in COLUMNS]
    return {"Cash loans": np.column_stack(rows)}


def test_an_applicant_is_compared_with_approved_ones_alike() -> None:
    others = approved(
        200, age=np.r_[np.full(150, 40.0), np.full(50, 60.0)], score=np.r_[np.linspace(0, 1, 150), np.ones(50)]
    )
    comparison = compare_with_approved(FORM, others, EN)
    assert comparison
    assert comparison.told.startswith("150 approved applications for the same product, a similar amount, at most ten")
    score = comparison.distributions[0]
    assert score.told == "0.50: more than 50% of them"
    assert score.place == pytest.approx(0.5, abs=0.01)
    assert max(score.bars) == 1
    assert not any("100%" in one.told for one in comparison.distributions)


def test_fewer_alike_widen_who_is_compared_with_and_too_few_are_not_shown() -> None:
    near = compare_with_approved(FORM, approved(120, age=70.0), EN)
    assert near
    assert near.told.startswith("120 approved applications for the same product and a similar amount.")
    all_of_product = compare_with_approved(FORM, approved(120, amount=900_000.0), EN)
    assert all_of_product
    assert all_of_product.told.startswith("120 approved applications for the same product. ")
    assert compare_with_approved(FORM, approved(99), EN) is None
    assert compare_with_approved(FORM | {"NAME_CONTRACT_TYPE": "Revolving loans"}, approved(200), EN) is None


def test_of_many_only_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credit_scoring.desk.peers._MOST", 150)
    comparison = compare_with_approved(FORM, approved(600, score=np.arange(600) % 2), EN)
    assert comparison
    assert comparison.told.startswith("600 ")  # all of them, of whom every fourth is looked at: score 0
    assert comparison.distributions[0].told == "0.50: more than 99% of them"


def test_a_smaller_loan_takes_price_and_annuity_along() -> None:
    tables = TABLES | {"application": FORM | {"AMT_GOODS_PRICE": 180_000.0}}
    asked = WhatIf.read({"amount": "100,000", "down_payment": " 20 000 "}, EN)
    changed = asked.changes(tables, EN)
    assert changed == {"application": {"AMT_CREDIT": 80_000.0, "AMT_GOODS_PRICE": 90_000.0, "AMT_ANNUITY": 4_000.0}}
    assert WhatIf.read({"amount": "1\u202f234,5"}, FR).amount == 1234.5


def test_settling_pays_what_is_overdue_and_nothing_else() -> None:
    assert overdue_elsewhere(TABLES) == 700.0
    changed = WhatIf(settle=True).changes(TABLES, EN)["bureau"]
    paid = {"AMT_CREDIT_SUM_OVERDUE": 0.0, "CREDIT_DAY_OVERDUE": 0, "AMT_CREDIT_SUM_DEBT": 2_300.0}
    assert changed == [CREDIT | paid, CLOSED]


@pytest.mark.parametrize("text", ["abc", "-5", "1e99", "nan", "inf", "1_000", "٣", "<b>", "1" * 400])
def test_what_is_no_amount_is_told(text: str) -> None:
    with pytest.raises(WhatIfError, match="Annuity: expected an amount, such as 250,000"):
        WhatIf.read({"annuity": text}, EN)


def test_a_down_payment_of_all_leaves_no_loan() -> None:
    with pytest.raises(WhatIfError, match="more than the down payment"):
        WhatIf(down_payment=200_000.0).changes(TABLES, EN)


def test_reasons_are_four_at_most_and_those_against_come_first() -> None:
    sides = ["for", "against", "for", "against", "against", "for"]
    answer = {"reasons": [{"effect": side, "text": str(place)} for place, side in enumerate(sides)]}
    assert [one["text"] for one in Proposal("granted", answer).reasons] == ["1", "3", "4", "0"]


def test_the_gauge_always_shows_the_probability() -> None:
    answer = {"probability_default": 0.9, "threshold": 0.1, "review_band": {"low": 0.08, "high": 0.12}}
    gauge = make_gauge(Proposal("refused", answer))
    assert gauge.end == pytest.approx(0.99)
    assert gauge.probability == pytest.approx(0.9 / 0.99)
    usual = make_gauge(Proposal("granted", answer | {"probability_default": 0.02, "review_band": None}))
    assert (usual.cut_off, usual.probability, usual.band) == (pytest.approx(0.25), pytest.approx(0.05), None)
