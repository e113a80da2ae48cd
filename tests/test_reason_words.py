"""Every reason that could be told, read as a customer reads it: all columns, values, directions and languages."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.features.catalogue import FEATURES, find_feature
from credit_scoring.features.categories import category_label
from credit_scoring.features.learnt import LEARNT_FEATURES
from credit_scoring.features.records import Feature, Unit
from credit_scoring.reasons import ExplainedColumn, Peers, ReasonBook
from credit_scoring.schemas.raw import RAW_TABLES
from credit_scoring.texts import LANGUAGES, Language
from tests.features.conftest import make_twin_tables

# Unit -> the lowest value, that of the typical approved customer, the highest
RANGES: dict[Unit, tuple[float, float, float]] = {
    "amount": (-250_000.0, 135_000.0, 4_050_000.0), "share": (0.0, 0.3, 1.0), "ratio": (-0.5, 0.8, 25.0),
    "score": (0.0, 0.5, 1.0), "count": (0.0, 4.0, 372.0), "number": (-40.0, 2.5, 12_345.6), "yes_no": (0.0, 0.4, 1.0),
    "hour": (0.0, 12.0, 23.0), "years": (0.0, 8.0, 63.0), "months": (0.0, 14.0, 96.0), "days": (0.0, 30.0, 2_922.0),
    "day_gap": (-1_500.0, -5.0, 3_000.0), "days_as_years": (6_000.0, 11_000.0, 20_000.0),
    "elapsed_days": (-25_000.0, -1_153.0, 0.0), "date_days": (-2_922.0, -600.0, 0.0),
    "date_planned_days": (-2_000.0, 90.0, 10_000.0), "date_months": (-96.0, -18.0, 0.0),
}  # fmt: skip

NOT_WORDS = {
    "a code": r"_|\b[A-Z]{3,}\b|X-Sell|\bPOS\b|\bXN?AP?\b|AP\+|\bstaff\b.*/",
    "no number": r"(?i)\bnan\b|\bnone\b(?! declared)|\binf\b|∞|–",
    "raw missing": r"(?i)not given|missing|no information|manquant|non renseigné[^s]|aucune information|null",
    "days before": r"[−-]\s?\d[\d,.\s]*(days?|jours?|years?|ans?|months?|mois)\b",
    "doubled": r"(?i)\b(\w{3,})[ ,(]+\1\b|, ,|  | ,|\(\)|: :",
}
ONLY = {
    "fr": r"(?i)\b(the|of|with|and|than|approved|credits?\b(?= a)|years?|days?|months?|higher|lower|unknown)\b",
    "en": r"(?i)\b(les?|des|avec|est|clients|acceptés|jours?|ans|mois|inconnue?|aucune?|crédits?)\b",
}
PLACES = {
    "en": {"lower than": -1, "higher than": 1, "earlier than": -1, "later than": 1},
    "fr": {"en dessous de": -1, "au-dessus de": 1, "plus tôt que": -1, "plus tard que": 1},
}
COMPARED = {"en": "approved customer", "fr": "clients acceptés"}
COMBINED = {"en": "in combination with the rest", "fr": "en combinaison avec le reste"}


@pytest.fixture(scope="module")
def categories() -> dict[str, list[str]]:
    """Return the categories of each column of text, as the twin has them."""
    twin = make_twin_tables(n_train=3_000, n_test=300, seed=5)
    found = {}
    for name, feature in FEATURES.items():
        column, table = (
            (name, "application_train")
            if not feature.formula
            else (feature.formula.split(".")[0], "previous_application")
        )
        if feature.unit in ("category", "yes_no") and RAW_TABLES[table].columns.get(column) == "string":
            raw = set(map(str, twin[table][column].dropna().unique()))
            found[name] = sorted(raw - {"XNA", "XAP", "Unknown"})  # what the data write for a missing value
    return found


def column_of(feature: Feature, number: int, direction: int, texts: list[str]) -> ExplainedColumn:
    return ExplainedColumn(
        feature.name,
        {language: feature.client_label(language) for language in LANGUAGES},
        feature.unit,
        number,
        categories={language: {text: category_label(text, language) for text in texts} for language in LANGUAGES},
        absent={language: feature.client_absent(language) for language in LANGUAGES},
        direction=0 if texts else direction,
        effects=dict.fromkeys([None, *texts], direction),
    )


def values_of(feature: Feature, texts: list[str]) -> list[Any]:
    if texts:
        return [*texts, "a category nobody had", None]
    low, typical, high = RANGES[feature.unit]
    zero = [0.0] if low <= 0 <= high else []
    return [low, typical, *zero, high, None] if feature.unit != "yes_no" else [0.0, 1.0, None]


def peers_of(feature: Feature, texts: list[str]) -> pd.Series:
    if texts:
        return pd.Series([*(texts * 100)[:99], None], dtype=object)
    low, typical, high = RANGES[feature.unit]
    if feature.unit == "yes_no":
        return pd.Series([1.0] * 40 + [0.0] * 60)
    spread = np.concatenate([np.linspace(low, typical, 50, endpoint=False), np.linspace(typical, high, 50)])
    return pd.Series(np.where(np.arange(100) % 20 == 7, np.nan, spread))


@pytest.fixture(scope="module")
def told(categories: dict[str, list[str]]) -> list[tuple[Feature, Any, int, int, Language, str]]:
    """Return each column, value, usual direction, effect, language and the sentence."""
    return list(all_sentences(categories))


def all_sentences(categories: dict[str, list[str]]) -> Iterator[tuple[Feature, Any, int, int, Language, str]]:
    features = [find_feature(name) for name in (*FEATURES, *LEARNT_FEATURES)]
    texts = {feature.name: categories.get(feature.name, []) for feature in features}
    peers = Peers.describe(pd.DataFrame({item.name: peers_of(item, texts[item.name]) for item in features}))
    for direction in (-1, 0, 1):
        columns = tuple(column_of(item, i, direction, texts[item.name]) for i, item in enumerate(features))
        book = ReasonBook(columns, np.zeros(len(columns)), peers, peers)
        for number, feature in enumerate(features):
            values = values_of(feature, texts[feature.name])
            for sign in (-1, 1):
                for language in LANGUAGES:
                    for value in values:
                        text = book.describe(number, value, sign, language)
                        yield feature, value, direction, sign, language, text


def test_all_is_words_in_the_language_asked_for(told: list[tuple[Feature, Any, int, int, Language, str]]) -> None:
    assert len(told) > 30_000
    wrong: dict[str, set[str]] = {}
    for _, _, _, _, language, text in told:
        for what, pattern in {**NOT_WORDS, "the other language": ONLY[language]}.items():
            if re.search(pattern, text):
                wrong.setdefault(what, set()).add(text)
    assert {what: sorted(texts)[:20] for what, texts in wrong.items()} == {}


def test_no_comparison_contradicts_the_effect(told: list[tuple[Feature, Any, int, int, Language, str]]) -> None:
    compared = 0
    for feature, value, direction, sign, language, text in told:
        side = next((side for words, side in PLACES[language].items() if f", {words}" in text), 0)
        if side and feature.unit == "elapsed_days":  # told as the time since, stored as days before
            side = -side
        if side:
            compared += 1
            assert side * direction == sign, text
            assert (value > RANGES[feature.unit][1]) == (side > 0), text
        if COMBINED[language] in text:
            assert COMPARED[language] not in text
        missing_or_text = value is None or isinstance(value, str)
        if missing_or_text and direction * sign < 0 and value != "a category nobody had":
            assert COMPARED[language] not in text, text
    assert compared > 5_000


def test_a_missing_value_says_what_it_means() -> None:
    for name, words in {
        "DAYS_EMPLOYED": ("no job now", "pas d'emploi actuellement"),
        "BUREAU_DAYS_CREDIT_MIN": ("no credit known at other lenders", "aucun crédit connu chez d'autres prêteurs"),
        "BUREAU_DEBT_SUM_ACTIVE": (
            "no such credit known at other lenders",
            "aucun crédit de ce type connu chez d'autres prêteurs",
        ),
        "CREDIT_CARD_UTILISATION_MEAN": (
            "no such use of a credit card with this lender",
            "aucune utilisation de ce type d'une carte chez ce prêteur",
        ),
        "APPLICATION_CREDIT_TO_BUREAU_MEAN_CREDIT_RATIO": (
            "no such credit known at other lenders",
            "aucun crédit de ce type connu chez d'autres prêteurs",
        ),
        "BUREAU_DAYS_CREDIT_TO_EMPLOYED_RATIO": ("no job now", "pas d'emploi actuellement"),
        "POS_CASH_LATE_MONTHS_BALANCE_MAX": ("no month past due", "aucun mois en retard"),
    }.items():
        assert (find_feature(name).client_absent("en"), find_feature(name).client_absent("fr")) == words


def test_a_refused_application_has_no_credit_granted_and_an_estimate_says_so() -> None:
    refused = find_feature("PREVIOUS_CREDIT_MAX_REFUSED")
    assert refused.client_label("en") == "Amount of the credit of refused applications, at the highest (earlier ones)"
    assert refused.client_label("fr") == "Montant du crédit des demandes refusées, au plus haut (antérieures)"
    for name in (
        "APPLICATION_INTEREST_RATE_MIN", "APPLICATION_TERM_MIN", "APPLICATION_AGE_AT_END_YEARS", "TARGET_KNN_MEAN",
        "APPLICATION_CREDIT_TO_ANNUITY_RATIO", "PREVIOUS_INTEREST_RATE_MEAN_APPROVED",
        "PREVIOUS_REMAINING_PAYMENTS_SUM_RUNNING", "INSTALLMENTS_REMAINING_DEBT_SUM_RUNNING",
    ):  # fmt: skip
        assert re.search(r"(?i)estimate", find_feature(name).client_label("en"))
        assert re.search(r"(?i)estim", find_feature(name).client_label("fr"))


def test_which_rows_a_feature_is_of_is_named_by_what_they_are() -> None:
    """Of "months past due, share, of active ones" it is not the months that are active."""
    assert [name for name, feature in FEATURES.items() if re.search(r"\bof \w+ ones\b", feature.words[0])] == []
    assert find_feature("BUREAU_BALANCE_LATE_RATE_ACTIVE").words[0] == "months past due, share, of credits still active"
    for french, english in {
        "des crédits à la consommation": "of consumer loans",
        "des crédits clos": "of credits already closed",
    }.items():
        of_them = [feature.words[0] for feature in FEATURES.values() if french in feature.words[1]]
        assert len(of_them) >= 4
        assert [words for words in of_them if not words.endswith(english)] == []
