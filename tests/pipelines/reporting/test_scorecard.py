"""The scorecard on paper: what it says adds up, fits on a page, and is there for a challenger too."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pypdfium2 import PdfDocument, PdfTextObj
from scipy.special import expit

from credit_scoring.features.catalogue import FEATURES, find_feature
from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.models import build_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.models.families.scorecard import ScorecardModel
from credit_scoring.pipelines.reporting.scorecard import describe_scorecard, set_scorecard, write_scorecard
from tests.pdf import read_pages

COSTS = MisclassificationCosts(false_negative=10, false_positive=1)
LATE = "INSTALLMENTS_LATE_RATE"


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(8)
    n = 3000
    frame = pd.DataFrame(
        {
            "EXT_SOURCE_3": np.where(generator.random(n) < 0.2, np.nan, generator.random(n)),
            "DAYS_EMPLOYED": -generator.integers(10, 9000, n).astype(float),
            "OCCUPATION_TYPE": generator.choice(["Drivers", "Managers", "Laborers"], n),
            LATE: generator.beta(1, 6, n),
            "FLAG_EMP_PHONE": generator.integers(0, 2, n).astype(float),
        }
    )
    risk = (
        -3 * frame["EXT_SOURCE_3"].fillna(0.5)
        + frame["DAYS_EMPLOYED"] / 5000
        + (frame["OCCUPATION_TYPE"] == "Drivers")
        + 3 * frame[LATE]
        + 0.8 * frame["FLAG_EMP_PHONE"]
        - 0.8
    )
    return frame.assign(TARGET=(generator.random(n) < expit(risk)).astype(int))


@pytest.fixture(scope="module")
def model(rows: pd.DataFrame) -> ScorecardModel:
    fitted = build_model("scorecard", {"C": 1.0}).fit(rows.drop(columns="TARGET"), rows["TARGET"])
    assert isinstance(fitted, ScorecardModel)
    assert set(fitted.feature_names_in_) == set(rows.columns) - {"TARGET"}
    return fitted


def describe(rows: pd.DataFrame, model: ScorecardModel, *, champion: str, calibration: Calibration) -> dict[str, Any]:
    folds = [{"roc_auc": 0.7 + i / 100, "business_cost": 0.5, "log_loss": 0.25} for i in range(5)]
    rival = [{"roc_auc": 0.72 + i / 100, "business_cost": 0.5, "log_loss": 0.25} for i in range(5)]
    means = {"roc_auc": 0.72, "business_cost": 0.5, "log_loss": 0.25}
    results = [
        {"name": "scorecard", "labels": {"fr": "grille de score", "en": "scorecard"}, "mean": means, "folds": folds},
        {
            "name": "xgboost",
            "labels": {"fr": "XGBoost, réglage manuel", "en": "XGBoost, hand-set values"},
            "mean": means | {"roc_auc": 0.74},
            "folds": rival,
        },
    ]
    predictions = pd.DataFrame(
        {
            "TARGET": rows["TARGET"],
            "FOLD": np.arange(len(rows)) % 5,
            "scorecard": model.predict_proba(rows)[:, 1],
        }
    )
    policy = {"threshold": 0.25}
    given = {"name": "scorecard", "model": model}
    return describe_scorecard(
        given, predictions, results, {"name": champion}, calibration.to_dict(), policy, COSTS, 0.95
    )


@pytest.fixture(scope="module")
def champion(rows: pd.DataFrame, model: ScorecardModel) -> dict[str, Any]:
    return describe(rows, model, champion="scorecard", calibration=Calibration("sigmoid", slope=1.1, intercept=0.2))


@pytest.fixture(scope="module")
def challenger(rows: pd.DataFrame, model: ScorecardModel) -> dict[str, Any]:
    return describe(rows, model, champion="xgboost", calibration=Calibration("sigmoid", slope=9.0, intercept=9.0))


def probability(description: dict[str, Any], score: float) -> float:
    return float(expit(description["line"]["intercept"] - description["line"]["slope"] * score))


def test_the_line_the_table_and_the_cut_off_are_those_that_decide(
    champion: dict[str, Any], rows: pd.DataFrame, model: ScorecardModel
) -> None:
    scores = model.attribute_points(rows).sum(axis=1)
    served = Calibration("sigmoid", slope=1.1, intercept=0.2).apply(model.predict_proba(rows)[:, 1])
    assert [probability(champion, score) for score in scores.head(40)] == pytest.approx(served[:40])
    cut_off = champion["cut_off"]
    assert cut_off["threshold"] == 0.25
    assert probability(champion, cut_off["points"]) < 0.25 <= probability(champion, cut_off["points"] - 1)
    assert np.array_equal(served < 0.25, scores >= cut_off["points"])
    for told in champion["scores"]:
        assert told["probability"] == pytest.approx(probability(champion, told["points"]))
        assert told["share"] == pytest.approx((scores >= told["points"] - 1e-6).mean(), abs=1e-9)


def test_the_example_adds_up(champion: dict[str, Any], rows: pd.DataFrame) -> None:
    typical = [
        next(attribute for attribute in variable["attributes"] if attribute["typical"])
        for variable in champion["variables"]
    ]
    example = champion["example"]
    assert example["points"] == sum(attribute["points"] for attribute in typical)
    assert example["probability"] == pytest.approx(probability(champion, example["points"]))
    assert example["approved"] == (example["points"] >= champion["cut_off"]["points"])
    for variable, attribute in zip(champion["variables"], typical, strict=True):
        assert attribute["applicants"] == max(one["applicants"] for one in variable["attributes"])
        assert sum(one["applicants"] for one in variable["attributes"]) == len(rows) == champion["applicants"]


def test_a_challenger_has_its_own_calibration_and_cut_off_and_its_distance_to_the_champion(
    challenger: dict[str, Any], champion: dict[str, Any], rows: pd.DataFrame
) -> None:
    assert (champion["is_champion"], challenger["is_champion"]) == (True, False)
    assert challenger["line"]["slope"] < 2 * champion["line"]["slope"]  # not the champion's calibration, nine times
    assert challenger["cut_off"]["threshold"] == pytest.approx(1 / 11, abs=0.05)
    difference = challenger["metrics"]["roc_auc"]["difference"]
    assert difference["estimate"] == pytest.approx(-0.02)
    assert difference["low"] <= difference["estimate"] <= difference["high"]
    assert "difference" not in champion["metrics"]["roc_auc"]


def test_attributes_are_told_in_words_and_exactly(champion: dict[str, Any]) -> None:
    text = write_scorecard(champion, FigureOptions(language="fr", source="synthetic"))
    assert "Synthetic data" in text
    assert "Synthetic data" not in write_scorecard(champion, FigureOptions(language="fr", source="home_credit"))
    for variable in champion["variables"]:
        assert f"`{variable['variable']}`" in text
    employed = next(one for one in champion["variables"] if one["variable"] == "DAYS_EMPLOYED")["attributes"]
    longest, edge = employed[0], employed[0]["high"]
    assert re.search(rf"\| > {-edge / 365.25:.2f}0* \| < {edge:.0f} \| {longest['applicants']:,} \|", text) or (
        f"< {edge:.0f} | {longest['applicants']:,}" in text
    )
    score = next(one for one in champion["variables"] if one["variable"] == "EXT_SOURCE_3")["attributes"][1]
    assert f"| {score['low']:.10g} to < {score['high']:.10g} | >= {score['low']:.10g} and < " in text
    assert re.search(r"\| > [\d.]+ to [\d.]+ \| >= -\d+ and < -\d+ \|", text)  # years: the other end is in
    assert "| drivers |" in text
    assert "| yes | >= 1 |" in text
    assert "| no | < 1 |" in text
    assert "external score unknown" in text
    assert f"**{champion['example']['points']}**" in text


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_page_has_every_attribute_and_its_points(champion: dict[str, Any], language: str) -> None:
    figures = FigureOptions(language=language, source="synthetic")
    page = set_scorecard(champion, figures)
    assert page == set_scorecard(champion, figures)
    (text,) = read_pages(page)
    text = re.sub(r"\s+", " ", text.replace("\u202f", " ").replace("\xa0", " "))
    assert figures.say("scorecard.synthetic").replace(" :", " :").split(":")[0].strip() in text.replace("’", "'")
    for variable in champion["variables"]:
        for attribute in variable["attributes"]:
            assert re.search(rf"\b{attribute['points']}\b", text)
    assert str(champion["cut_off"]["points"]) in text
    assert str(champion["example"]["points"]) in text


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_card_of_25_variables_of_the_longest_names_fits_on_a_page(champion: dict[str, Any], language: str) -> None:
    full = max(
        champion["variables"], key=lambda one: len(one["attributes"]) if one["variable"] == "EXT_SOURCE_3" else 0
    )
    middle = full["attributes"][1]
    attributes = [full["attributes"][0], *[middle] * 4, full["attributes"][-2], full["attributes"][-1]]
    attributes = [attribute | {"categories": None} for attribute in attributes]
    names = sorted(FEATURES, key=lambda name: -len(find_feature(name).client_label(language)))[:25]
    variables = [{**full, "variable": str(name), "attributes": attributes} for name in names]
    page = set_scorecard({**champion, "variables": variables}, FigureOptions(language=language, source="synthetic"))
    (only,) = PdfDocument(page)
    assert min(part.get_font_size() for part in only.get_objects() if isinstance(part, PdfTextObj)) >= 6


@pytest.mark.parametrize(
    ("language", "told"), [("fr", "champion : XGBoost, réglage manuel)"), ("en", "champion: XGBoost, hand-set values)")]
)
def test_the_page_of_a_challenger_calls_the_champion_by_its_label(
    challenger: dict[str, Any], language: str, told: str
) -> None:
    figures = FigureOptions(language=language, source="synthetic")
    (text,) = read_pages(set_scorecard(challenger, figures))
    assert told in re.sub(r"\s+", " ", text)
    assert "is another candidate (XGBoost, hand-set values)." in write_scorecard(challenger, figures)


def test_many_categories_are_the_others_on_the_page_and_named_in_the_document(champion: dict[str, Any]) -> None:
    variables = [dict(variable) for variable in champion["variables"]]
    place = next(i for i, variable in enumerate(variables) if variable["variable"] == "OCCUPATION_TYPE")
    rare = ["Secretaries", "Cleaning staff", "IT staff", "HR staff", "Cooking staff"]
    first, *others = variables[place]["attributes"]
    variables[place]["attributes"] = [first | {"categories": rare}, *others]
    changed, figures = {**champion, "variables": variables}, FigureOptions(language="en", source="synthetic")
    (page,) = read_pages(set_scorecard(changed, figures))
    assert "others" in page
    assert "IT staff" not in page
    assert "secretaries; cleaning staff; IT staff; HR staff; cooking staff" in write_scorecard(changed, figures)


def test_without_a_scorecard_among_the_candidates_both_say_so(write: Callable[..., Any]) -> None:
    names = ("candidate_predictions", "candidate_results", "champion", "calibration", "decision_policy")
    datasets = {name: {} for name in names} | {
        "scorecard": {},
        "params:costs": COSTS,
        "params:cross_validation.confidence": 0.95,
        "params:figures": FigureOptions(language="en", source="synthetic"),
    }
    assert "No scorecard was among the candidates" in write("scorecard_document", datasets)
    assert "No scorecard was among the candidates" in read_pages(write("scorecard_page", datasets))[0]


def test_where_no_score_is_approved_it_is_said(rows: pd.DataFrame, model: ScorecardModel) -> None:
    hopeless = describe(rows, model, champion="scorecard", calibration=Calibration("sigmoid", slope=0.01, intercept=3))
    assert hopeless["cut_off"]["points"] is None
    assert "At no score does the probability of default fall" in write_scorecard(
        hopeless, FigureOptions(language="en", source="synthetic")
    )


def test_an_isotonic_calibration_has_a_table_and_no_line(rows: pd.DataFrame, model: ScorecardModel) -> None:
    steps = Calibration("isotonic", probabilities=(0.0, 0.2, 1.0), calibrated=(0.01, 0.3, 0.9))
    described = describe(rows, model, champion="scorecard", calibration=steps)
    assert described["line"] is None
    raw = model.default_probability([told["points"] for told in described["scores"]])
    assert [told["probability"] for told in described["scores"]] == pytest.approx(steps.apply(raw))
    assert "staircase" in write_scorecard(described, FigureOptions(language="en", source="synthetic"))
