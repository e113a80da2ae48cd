"""An applicant's facts in plain words, and what is not known of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from credit_scoring.features.categories import category_label
from credit_scoring.schemas.contract import DATE_CODE
from credit_scoring.texts import Texts

_AGE_BAND = 5
_DAYS_PER_YEAR = 365.25
_UNKNOWN = ("XNA", "XAP")
_HISTORIES = ("bureau", "previous_application", "installments_payments", "credit_card_balance")
_EXTERNAL = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")


class Fact(NamedTuple):
    """One fact: what it is, and what is known of it."""

    label: str
    value: str


class FactGroup(NamedTuple):
    """Facts that belong together: `loan`, `means`, `person`, `history`."""

    name: str
    title: str
    facts: Sequence[Fact]


def gather_facts(tables: Mapping[str, Any], texts: Texts) -> list[FactGroup]:
    """Return what is known of an applicant, without protected attributes; what is not known is left out."""
    groups = (("loan", _loan), ("means", _means), ("person", _person), ("history", _history))
    told = []
    for name, facts_of in groups:
        known = [Fact(label, value) for label, value in facts_of(tables, texts) if value is not None]
        told.append(FactGroup(name, texts.say(f"desk.group.{name}"), known))
    return told


def name_missing(tables: Mapping[str, Any], texts: Texts) -> list[str]:
    """Return what is not known of an applicant, and what that means, in sentences."""
    form = tables["application"]
    missing = []
    numbers = [str(place) for place, name in enumerate(_EXTERNAL, 1) if form.get(name) is None]
    if numbers:
        missing.append(texts.say("desk.missing.external", numbers=texts.join(numbers)))
    if form.get("OCCUPATION_TYPE") is None and form.get("DAYS_EMPLOYED") != DATE_CODE:
        missing.append(texts.say("desk.missing.occupation"))
    if form.get("AMT_GOODS_PRICE") is None:
        missing.append(texts.say("desk.missing.price"))
    missing += [texts.say(f"desk.missing.no.{name}") for name in _HISTORIES if not tables.get(name)]
    return missing


def _loan(tables: Mapping[str, Any], texts: Texts) -> Iterator[tuple[str, str | None]]:
    form = tables["application"]
    credit, annuity = form.get("AMT_CREDIT"), form.get("AMT_ANNUITY")
    yield texts.say("desk.fact.product"), _category(form, "NAME_CONTRACT_TYPE", texts)
    yield texts.say("desk.fact.amount"), _amount(credit, texts)
    yield texts.say("desk.fact.price"), _amount(form.get("AMT_GOODS_PRICE"), texts)
    yield texts.say("desk.fact.annuity"), _amount(annuity, texts)
    if credit and annuity:
        yield texts.say("desk.fact.parts"), texts.say("desk.fact.parts_are", n=round(credit / annuity))


def _means(tables: Mapping[str, Any], texts: Texts) -> Iterator[tuple[str, str | None]]:
    form = tables["application"]
    income, annuity = form.get("AMT_INCOME_TOTAL"), form.get("AMT_ANNUITY")
    yield texts.say("desk.fact.income"), _amount(income, texts)
    yield texts.say("desk.fact.income_type"), _category(form, "NAME_INCOME_TYPE", texts)
    if income and annuity:
        yield texts.say("desk.fact.burden"), texts.percent(annuity / income, 0)
    yield texts.say("desk.fact.occupation"), _category(form, "OCCUPATION_TYPE", texts)
    yield texts.say("desk.fact.employer"), _category(form, "ORGANIZATION_TYPE", texts)
    days = form.get("DAYS_EMPLOYED")
    if days == DATE_CODE:
        yield texts.say("desk.fact.employed"), texts.say("desk.fact.no_job")
    elif days is not None:
        yield texts.say("desk.fact.employed"), texts.span(-days / _DAYS_PER_YEAR, "year")


def _person(tables: Mapping[str, Any], texts: Texts) -> Iterator[tuple[str, str | None]]:
    form = tables["application"]
    if form.get("DAYS_BIRTH") is not None:
        low = int(-form["DAYS_BIRTH"] / _DAYS_PER_YEAR) // _AGE_BAND * _AGE_BAND
        yield texts.say("desk.fact.age"), texts.say("desk.fact.age_is", low=low, high=low + _AGE_BAND - 1)
    yield texts.say("desk.fact.education"), _category(form, "NAME_EDUCATION_TYPE", texts)
    yield texts.say("desk.fact.housing"), _category(form, "NAME_HOUSING_TYPE", texts)
    if form.get("CNT_FAM_MEMBERS") is not None:
        n, children = int(form["CNT_FAM_MEMBERS"]), int(form.get("CNT_CHILDREN") or 0)
        told = texts.say("desk.fact.members", n=n)
        yield (
            texts.say("desk.fact.household"),
            f"{told}, {texts.say('desk.fact.children', n=children)}" if children else told,
        )
    yield texts.say("desk.fact.realty"), _category(form, "FLAG_OWN_REALTY", texts)
    yield texts.say("desk.fact.car"), _category(form, "FLAG_OWN_CAR", texts)


def _history(tables: Mapping[str, Any], texts: Texts) -> Iterator[tuple[str, str | None]]:
    form, credits = tables["application"], tables.get("bureau") or ()
    for place, name in enumerate(_EXTERNAL, 1):
        if form.get(name) is not None:
            yield texts.say("desk.fact.external", number=place), texts.number(form[name], ".2f")
    if credits:
        active = [row for row in credits if row.get("CREDIT_ACTIVE") != "Closed"]
        yield texts.say("desk.fact.credits"), texts.say("desk.fact.credits_are", n=len(credits), active=len(active))
        yield texts.say("desk.fact.debt"), _amount(sum(row.get("AMT_CREDIT_SUM_DEBT") or 0 for row in active), texts)
        overdue = sum(row.get("AMT_CREDIT_SUM_OVERDUE") or 0 for row in credits)
        yield texts.say("desk.fact.overdue"), _amount(overdue, texts)
    if earlier := tables.get("previous_application"):
        states = [row.get("NAME_CONTRACT_STATUS") for row in earlier]
        yield (
            texts.say("desk.fact.applications"),
            texts.say(
                "desk.fact.applications_are",
                n=len(earlier),
                approved=states.count("Approved"),
                declined=states.count("Refused"),
            ),
        )
    paid = [row for row in tables.get("installments_payments") or () if row.get("DAYS_ENTRY_PAYMENT") is not None]
    if paid:
        late = sum(row["DAYS_ENTRY_PAYMENT"] > row["DAYS_INSTALMENT"] for row in paid)
        yield texts.say("desk.fact.late"), texts.say("desk.fact.late_is", n=len(paid), share=late / len(paid))


def _amount(value: float | None, texts: Texts) -> str | None:
    return None if value is None else texts.number(value, ",.0f")


def _category(form: Mapping[str, Any], column: str, texts: Texts) -> str | None:
    value = form.get(column)
    return None if value is None or value in _UNKNOWN else category_label(value, texts.language)
