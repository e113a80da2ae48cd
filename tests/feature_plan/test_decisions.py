"""Decisions from raw tables are those of batch scoring; what is told beside them, and what is refused."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.counterfactual import LEVERS, Levers
from credit_scoring.decisions import Decider, InputError
from credit_scoring.feature_plan import FeaturePlan
from credit_scoring.features.plan import compile_plan
from credit_scoring.models import fit_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.threshold_tuning.gap_rules import learn_gap_rules
from credit_scoring.pipelines.threshold_tuning.options import GapOptions, ReasonOptions
from credit_scoring.pipelines.threshold_tuning.reason_book import write_reason_book
from credit_scoring.scorer import CreditScorer, digest_model
from tests.feature_plan.conftest import N_APPLICANTS, Tables, as_requests

COLUMNS = (
    "EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3", "AMT_CREDIT", "AMT_ANNUITY", "AMT_GOODS_PRICE", "DAYS_BIRTH",
    "NAME_EDUCATION_TYPE", "OCCUPATION_TYPE", "APPLICATION_CREDIT_TO_INCOME_RATIO", "BUREAU_CREDITS_COUNT",
    "BUREAU_DEBT_TO_CREDIT_RATIO_ACTIVE", "BUREAU_OVERDUE_SUM", "INSTALLMENTS_PAYMENT_SUM", "HAS_BUREAU",
    "PREVIOUS_CHANNEL_TYPE_LAST",
)  # fmt: skip
FAMILIES = {
    "lightgbm": {"n_estimators": 60, "min_child_samples": 5},
    "logistic_regression": {},
    "random_forest": {"n_estimators": 20},
}


@pytest.fixture(scope="module")
def applicants(twin: Tables) -> list[dict[str, Any]]:
    return as_requests(twin)


@pytest.fixture(scope="module")
def rows(twin: Tables, expected: pd.DataFrame) -> pd.DataFrame:
    """The batch's features, with outcomes where they are known, in the order of the applicants."""
    form = twin["application"].select(["SK_ID_CURR", "TARGET"]).to_pandas()
    names = [name for name in COLUMNS if name in expected]
    assert len(names) > 12
    return form.merge(expected[["SK_ID_CURR", *names]], on="SK_ID_CURR", validate="1:1")


@pytest.fixture(scope="module")
def scorers(rows: pd.DataFrame) -> dict[str, CreditScorer]:
    known = rows[rows["TARGET"].notna()].astype({"TARGET": int}).reset_index(drop=True)
    features = known.drop(columns=["SK_ID_CURR", "TARGET"])
    made = {}
    for family, params in FAMILIES.items():
        model, calibration = fit_model(family, params, features, known["TARGET"]), Calibration("none")
        probability = model.predict_proba(features)[:, 1]
        band = {"low": 0.1, "high": 0.2}
        policy = {
            "threshold": float(np.quantile(probability, 0.7)), "model_digest": digest_model(model, calibration),
            "review": band,
        }  # fmt: skip
        predictions = known[["SK_ID_CURR"]].assign(PROBABILITY=probability)
        options = ReasonOptions(n_reference=100)  # one row of a forest takes 10 ms
        book = write_reason_book(model, calibration.to_dict(), known, predictions, policy, options)
        rules = learn_gap_rules(model, known, GapOptions())
        levers = Levers(milliseconds=60_000)
        made[family] = CreditScorer(model, calibration, policy, book, gap_rules=rules, levers=levers)
    return made


def decider_of(scorer: CreditScorer) -> Decider:
    return Decider(scorer, FeaturePlan(compile_plan(list(scorer.feature_names_in_))))


@pytest.fixture(scope="module")
def decider(scorers: Mapping[str, CreditScorer]) -> Decider:
    return decider_of(scorers["lightgbm"])


@pytest.fixture(scope="module")
def refused(decider: Decider, applicants: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Raw tables of those who are declined."""
    return [
        one for one, told in zip(applicants, decider.decide(applicants), strict=True) if told["decision"] == "refused"
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_thousand_applicants_are_decided_on_as_in_batch_scoring(
    family: str, scorers: Mapping[str, CreditScorer], applicants: list[dict[str, Any]], rows: pd.DataFrame
) -> None:
    """With and without codes: of a random forest the table is asked."""
    batch, decider = scorers[family].predict(rows, {"language": "en"}), decider_of(scorers[family])
    found = decider.decide([one | {"params": {"language": "en"}} for one in applicants])
    assert len(found) == N_APPLICANTS
    assert [one["SK_ID_CURR"] for one in found] == rows["SK_ID_CURR"].tolist()
    assert [one["decision"] for one in found] == batch["decision"].tolist()
    assert {"granted", "refused"} <= {one["decision"] for one in found}
    probability = [one["probability_default"] for one in found]
    np.testing.assert_allclose(probability, batch["probability_default"], rtol=1e-13)
    assert [one["gaps"] for one in found] == batch["gaps"].tolist()
    explained = decider.decide([one | {"params": {"explain": True, "language": "en"}} for one in applicants[:20]])
    explained_reasons = [one["reasons"] for one in explained]
    reasons = scorers[family].predict(rows.head(20), {"explain": True, "language": "en"})["reasons"]
    # A sum of which the last bit differs may be written as 135,454 or 135,455
    found_words, words = ([re.sub(r"\d", "", str(one)) for one in told] for told in (explained_reasons, reasons))
    assert found_words == words
    written, expected = (re.findall(r"\d[\d,]*(?:\.\d+)?", str([*told])) for told in (explained_reasons, reasons))
    assert len(written) == len(expected) > 20
    for one, other in zip(written, expected, strict=True):
        last_digit = 10.0 ** -len(other.partition(".")[2])
        assert float(one.replace(",", "")) == pytest.approx(float(other.replace(",", "")), abs=1.01 * last_digit)


def test_an_answer_says_what_it_rests_on(
    decider: Decider, applicants: list[dict[str, Any]], rows: pd.DataFrame
) -> None:
    (plain,) = decider.decide(applicants[:1])
    assert set(plain) == {
        "SK_ID_CURR", "probability_default", "decision", "threshold", "review_band", "gaps", "rows_dropped",
    }  # fmt: skip
    assert plain["review_band"] == {"low": 0.1, "high": 0.2}
    (asked,) = decider.decide([applicants[0] | {"params": {"features": True}}])
    row = rows.iloc[0].drop(["SK_ID_CURR", "TARGET"])
    assert list(asked["features"]) == list(row.index)
    for name, value in asked["features"].items():
        known = row[name] if isinstance(value, str) else pytest.approx(row[name], rel=1e-9)
        assert value == (None if pd.isna(row[name]) else known), name


def test_every_applicant_is_answered_in_their_language(decider: Decider, applicants: list[dict[str, Any]]) -> None:
    in_both = [applicants[0] | {"params": {"explain": True, "language": language}} for language in ("fr", "en", "fr")]
    told = [one["reasons"] for one in decider.decide([*in_both, applicants[1]])[:3]]
    assert told[0] == told[2] != told[1]
    assert told[1] == decider.decide(in_both[1:2])[0]["reasons"]


def test_a_simulation_is_the_decision_on_the_changed_tables(decider: Decider, refused: list[dict[str, Any]]) -> None:
    applicant = next(one for one in refused if one.get("bureau"))
    form = {"EXT_SOURCE_1": 0.99, "EXT_SOURCE_2": 0.99, "EXT_SOURCE_3": 0.99}
    changed = applicant | {"application": applicant["application"] | form, "bureau": [], "bureau_balance": []}
    asked = {"simulate": {"application": form, "bureau": [], "bureau_balance": []}, "params": {"language": "en"}}
    told, other = decider.decide([applicant | asked, refused[-1]])
    explained = {"params": {"explain": True, "language": "en"}}
    before, after = decider.decide([applicant | explained, changed | explained])
    simulation = told["simulation"]
    assert "simulation" not in other
    assert "reasons" not in told
    assert told["probability_default"] == before["probability_default"]
    assert simulation["probability_default"] == after["probability_default"]
    assert simulation["decision"] == after["decision"] == "granted"
    assert simulation["difference"] == after["probability_default"] - before["probability_default"] < 0
    assert simulation["reasons"]["new"] == [one for one in after["reasons"] if one not in before["reasons"]] != []
    assert simulation["reasons"]["gone"] == [one for one in before["reasons"] if one not in after["reasons"]] != []
    assert simulation["text"].startswith("Simulation, not a promise: the estimated probability of default would be")
    assert simulation["text"].endswith("and the application would be approved.")


def settle(credit: Mapping[str, Any]) -> dict[str, Any]:
    debt, overdue = credit["AMT_CREDIT_SUM_DEBT"], credit["AMT_CREDIT_SUM_OVERDUE"]
    paid = {"AMT_CREDIT_SUM_OVERDUE": 0.0, "CREDIT_DAY_OVERDUE": 0}
    return {**credit, **paid, "AMT_CREDIT_SUM_DEBT": None if debt is None else max(debt - overdue, 0.0)}


def test_a_counterfactual_leads_to_approval_when_it_is_done(decider: Decider, refused: list[dict[str, Any]]) -> None:
    asked = {"counterfactual": True, "params": {"language": "en"}}
    found = [(one, decider.decide([one | asked])[0]["counterfactual"]) for one in refused[:20]]
    turned = [(one, told) for one, told in found if told["found"]]
    assert 0 < len(turned) < len(found)
    for one, told in turned:
        form = dict(one["application"])
        simulated: dict[str, Any] = {}
        for change in told["changes"]:
            if change["lever"] == "annuity":
                form["AMT_ANNUITY"] = change["new"]
            elif change["lever"] == "settlement":
                simulated["bureau"] = [settle(row) if row["AMT_CREDIT_SUM_OVERDUE"] else row for row in one["bureau"]]
            else:
                at_once = change["lever"] == "down_payment"
                left = change["old"] - change["new"] if at_once else change["new"]
                scaled = ("AMT_ANNUITY",) if at_once else ("AMT_ANNUITY", "AMT_GOODS_PRICE")
                form |= {name: round(form[name] * left / change["old"], 2) for name in scaled if form[name] is not None}
                form["AMT_CREDIT"] = left
        (after,) = decider.decide([one | {"application": form} | simulated])
        assert (after["decision"], after["probability_default"]) == ("granted", told["probability_default"])
        assert told["text"].startswith("Simulation, not a promise: with ")
    for _, told in found:
        assert set(told["searched"]["levers"]) == set(LEVERS)
        assert told["searched"]["complete"]
        if not told["found"]:
            assert "Tried: a loan down to 50% of the amount, an annuity from 60% to 150%" in told["text"]


def test_a_change_is_looked_for_only_where_the_model_has_declined(
    decider: Decider, applicants: list[dict[str, Any]], refused: list[dict[str, Any]]
) -> None:
    granted = next(one for one in applicants if one not in refused)
    odd = refused[0] | {"application": refused[0]["application"] | {"AMT_CREDIT": -5.0}}
    told = decider.decide([one | {"counterfactual": True, "params": {"language": "en"}} for one in (granted, odd)])
    assert told[0]["counterfactual"] == {"found": False, "text": "The application is approved as it is."}
    assert told[1]["decision"] == "review"
    assert told[1]["counterfactual"]["text"].startswith("The application is for manual review")
    paid = refused[0] | {"bureau": [], "bureau_balance": [], "counterfactual": {"levers": ["settlement"]}}
    (none,) = decider.decide([paid | {"params": {"language": "en"}}])
    assert none["decision"] == "refused"
    assert none["counterfactual"]["searched"]["levers"] == {"settlement": {}}
    assert none["counterfactual"]["text"] == (
        "Simulation: none of the changes that could be tried is possible for this application."
    )


def test_what_the_contract_calls_implausible_is_reviewed_with_table_and_row(
    decider: Decider, applicants: list[dict[str, Any]]
) -> None:
    one = next(one for one in applicants if len(one.get("bureau", ())) > 1)
    late = [*one["bureau"][:1], one["bureau"][1] | {"DAYS_CREDIT": 30}, *one["bureau"][2:]]
    form = one["application"] | {"OCCUPATION_TYPE": "Pirate", "DAYS_BIRTH": 99}
    (told,) = decider.decide([one | {"application": form, "bureau": late, "params": {"language": "en"}}])
    assert told["decision"] == "review"
    assert told["rows_dropped"] == {"bureau": 1}
    assert {(gap["table"], gap["row"], gap["column"], gap["gap"]) for gap in told["gaps"] if "table" in gap} == {
        ("application", None, "OCCUPATION_TYPE", "unknown_category"),
        ("application", None, "DAYS_BIRTH", "out_of_range"),
        ("bureau", 1, "DAYS_CREDIT", "out_of_range"),
    }
    texts = [gap["text"] for gap in told["gaps"]]
    assert "bureau, row 1, DAYS_CREDIT: implausible, expected between −2,922 and 0" in texts
    assert "OCCUPATION_TYPE: a category that does not exist" in texts
    assert not any("Pirate" in text or "99" in text for text in texts)
    assert [gap["column"] for gap in told["gaps"]].count("DAYS_BIRTH") == 1


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_problem_is_told_at_once_in_the_language_asked_for_and_without_what_was_sent(
    decider: Decider, applicants: list[dict[str, Any]], language: str
) -> None:
    one = next(one for one in applicants if len(one.get("bureau", ())) > 1)
    first, second = one["bureau"][:2]
    sent = [
        one | {"params": {"language": language, "secret0": 1, "explain": "secret1"}, "simulate": 3},
        {"application": one["application"] | {"AMT_CREDIT": "secret2"}, "secret3": [], "counterfactual": {"levers": 1}},
        {"bureau": [first | {"secret4": 0}]},
        "secret5",
        one | {"bureau": [first, second | {"SK_ID_BUREAU": first["SK_ID_BUREAU"]}], "bureau_balance": []},
    ]
    with pytest.raises(InputError) as error:
        decider.decide(sent)
    message, problems = decider.describe_problems(error.value, sent)
    assert "secret" not in message + str(problems)
    assert error.value.n_problems == len(problems) == 10
    assert [(told["applicant"], told["table"], told["row"], told["column"]) for told in problems] == [
        (0, "params", None, None),
        (0, "params", None, "explain"),
        (0, "simulate", None, None),
        (1, "counterfactual", None, None),
        (1, None, None, None),
        (2, "application", None, None),
        (3, "application", None, None),
        (1, "application", None, "AMT_CREDIT"),
        (2, "bureau", 0, None),
        (4, "bureau", 1, "SK_ID_BUREAU"),
    ]
    expected = {
        "en": "applicant 0, params, column explain: expected true or false",
        "fr": "demandeur 0, params, colonne explain : true ou false est attendu",
    }
    assert problems[1]["text"] == expected[language]
    assert message.startswith({"en": "There are 10 problems.", "fr": "La requête contient 10 erreurs."}[language])


def test_problems_of_a_simulation_are_told_of_it(decider: Decider, applicants: list[dict[str, Any]]) -> None:
    sent = [applicants[1], applicants[0] | {"simulate": {"application": {"AMT_CREDIT": "x"}}}]
    with pytest.raises(InputError, match=r"applicant 1, simulate\.application, AMT_CREDIT: expected number"):
        decider.decide(sent)
    for wrong in ({"levers": ["amount"], "other": 1}, {"other": 1}, {"levers": "amount"}, {"levers": []}, 1):
        with pytest.raises(InputError, match=r"applicant 0, counterfactual: expected levers"):
            decider.decide([applicants[0] | {"counterfactual": wrong}])
    with pytest.raises(InputError, match=r"applicant 20, counterfactual: expected fewer_searches \(20\)"):
        decider.decide([applicants[0] | {"counterfactual": True}] * 21)
