"""Explanations add up, rank by weight, and pick the clients they say they pick."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.features.catalogue import find_feature
from credit_scoring.figures import FigureOptions
from credit_scoring.models import build_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.explainability.nodes import (
    explain_examples,
    explain_holdout,
    plot_family_importance,
    plot_global_importance,
    plot_local_explanations,
    rank_families,
    rank_features,
)
from credit_scoring.pipelines.explainability.options import ExplanationOptions
from credit_scoring.pipelines.threshold_tuning.options import ReasonOptions
from credit_scoring.pipelines.threshold_tuning.reason_book import write_reason_book
from credit_scoring.scorer import CreditScorer, digest_model

OPTIONS = ExplanationOptions(n_applicants=50, n_top_features=2, n_reasons=2)
FIGURES = FigureOptions(language="fr", source="synthetic")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(2)
    n = 200
    frame = pd.DataFrame(
        {
            "SK_ID_CURR": np.arange(n) + 100_000,
            "EXT_SOURCE_2": generator.random(n),
            "NAME_HOUSING_TYPE": generator.choice(["Rented apartment", "House / apartment"], n),
            "AMT_CREDIT": generator.choice([np.nan, 450_000.0, 1_350_000.0], n),
        }
    )
    return frame.assign(TARGET=(frame["EXT_SOURCE_2"] + generator.normal(0, 0.3, n) < 0.2).astype(int))


@pytest.fixture(scope="module", params=["logistic_regression", "lightgbm"])
def scorer(request: pytest.FixtureRequest, rows: pd.DataFrame) -> CreditScorer:
    params = {"n_estimators": 20, "min_child_samples": 5} if request.param == "lightgbm" else {"C": 1.0}
    model = build_model(request.param, params).fit(rows.drop(columns=["SK_ID_CURR", "TARGET"]), rows["TARGET"])
    policy = {"threshold": 0.2, "model_digest": digest_model(model, Calibration("none"))}
    predictions = rows[["SK_ID_CURR"]].assign(PROBABILITY=model.predict_proba(rows)[:, 1])
    book = write_reason_book(model, {"method": "none"}, rows, predictions, policy, ReasonOptions())
    return CreditScorer(model, Calibration("none"), policy, book)


def test_contributions_and_base_add_up_to_the_score(scorer: CreditScorer, rows: pd.DataFrame) -> None:
    values, explained = explain_holdout(scorer, rows, OPTIONS)
    assert explained["EXT_SOURCE_2"].tolist() == (
        rows.set_index("SK_ID_CURR").loc[values["SK_ID_CURR"], "EXT_SOURCE_2"].tolist()
    )
    assert len(values) == 50
    probability = scorer.predict_proba(rows.set_index("SK_ID_CURR").loc[values["SK_ID_CURR"]])[:, 1]
    margin = values.drop(columns="SK_ID_CURR").sum(axis=1)
    assert margin.to_numpy() == pytest.approx(np.log(probability / (1 - probability)))


def test_features_rank_by_mean_absolute_contribution() -> None:
    values = pd.DataFrame({"SK_ID_CURR": [1, 2], "BASE_VALUE": [-2.0, -2.0], "A": [0.1, -0.1], "B": [-0.5, 0.1]})
    ranked = rank_features(values)
    assert ranked["feature"].tolist() == ["B", "A"]
    assert ranked["mean_abs_contribution"].tolist() == pytest.approx([0.3, 0.1])
    assert ranked["share"].tolist() == pytest.approx([0.75, 0.25])


def test_examples_are_typical_granted_typical_refused_and_nearest_to_the_threshold(
    scorer: CreditScorer, rows: pd.DataFrame
) -> None:
    examples = {example["kind"]: example for example in explain_examples(scorer, rows)}
    decided = scorer.predict(rows).assign(SK_ID_CURR=rows["SK_ID_CURR"])
    assert examples["granted"]["decision"] == "granted"
    assert examples["refused"]["decision"] == "refused"
    others = decided[~decided["SK_ID_CURR"].isin([examples["granted"]["client_id"], examples["refused"]["client_id"]])]
    distance = (others["probability_default"] - 0.2).abs()
    assert abs(examples["borderline"]["probability_default"] - 0.2) == distance.min()
    for example in examples.values():
        margin = example["base_value"] + sum(entry["contribution"] for entry in example["contributions"])
        assert 1 / (1 + np.exp(-margin)) == pytest.approx(example["probability_default"])
        approved = scorer.contributions(rows[(decided["decision"] == "granted").to_numpy()])
        assert example["base_value"] == pytest.approx(approved[1] + approved[0].mean().sum())
        weights = [abs(entry["contribution"]) for entry in example["contributions"]]
        assert weights == sorted(weights, reverse=True)
        row = rows.set_index("SK_ID_CURR").loc[example["client_id"]]
        shown = {entry["feature"]: entry["value"] for entry in example["contributions"]}
        assert shown["EXT_SOURCE_2"] == row["EXT_SOURCE_2"]
        assert shown["NAME_HOUSING_TYPE"] == row["NAME_HOUSING_TYPE"]
        assert shown["AMT_CREDIT"] == (None if pd.isna(row["AMT_CREDIT"]) else row["AMT_CREDIT"])


def test_a_policy_that_grants_everybody_is_explained_without_a_refused_client(
    scorer: CreditScorer, rows: pd.DataFrame
) -> None:
    policy = {**scorer.decision_policy, "threshold": 1.01}
    lenient = CreditScorer(scorer.model, scorer.calibration, policy, scorer.reason_book)
    assert [example["kind"] for example in explain_examples(lenient, rows)] == ["granted", "borderline"]


def test_figures_show_the_heaviest_features_and_the_client(scorer: CreditScorer, rows: pd.DataFrame) -> None:
    values, explained = explain_holdout(scorer, rows, OPTIONS)
    figure = plot_global_importance(values, explained, OPTIONS, FIGURES)
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    heaviest = [find_feature(name).client_label("fr") for name in rank_features(values)["feature"].head(2)]
    assert shown[::-1][:2] == heaviest
    examples = explain_examples(scorer, rows)
    figure = plot_local_explanations(examples, OPTIONS, FIGURES)
    panels = figure.axes
    titled = [
        str(example["client_id"]) in panel.get_title("left") for example, panel in zip(examples, panels, strict=True)
    ]
    assert titled == [True, True, True]
    assert panels[0].get_yticklabels()[-1].get_text() == "l'autre cause"
    figure.draw_without_rendering()
    heading, first = (text.get_window_extent() for text in (figure.texts[0], panels[0]._left_title))
    assert heading.y1 <= figure.bbox.y1
    assert heading.y0 - first.y1 > heading.height / 4  # half a line: the heading is of all panels, not of the first


def test_a_theme_and_a_source_are_named_in_words() -> None:
    weights = pd.DataFrame(
        {"kind": ["theme", "theme", "source"], "family": ["loan", "bureau", "bureau"], "share": 0.5, "features": 3}
    )
    by_theme, by_source = plot_family_importance(weights, FIGURES).axes
    assert [label.get_text() for label in by_theme.get_yticklabels()] == [
        "Crédits chez d'autres\nprêteurs (3)",
        "Le prêt demandé (3)",
    ]
    assert [label.get_text() for label in by_source.get_yticklabels()] == ["Crédits chez d'autres\nprêteurs (3)"]


def test_the_same_run_draws_the_same_picture(scorer: CreditScorer, rows: pd.DataFrame) -> None:
    values, explained = explain_holdout(scorer, rows, OPTIONS)
    points = [
        plot_global_importance(values, explained, OPTIONS, FIGURES).axes[0].collections[0].get_offsets()
        for _ in range(2)
    ]
    assert np.array_equal(*points)


def test_families_share_out_the_whole_weight() -> None:
    values = pd.DataFrame(
        {
            "SK_ID_CURR": [1, 2],
            "BASE_VALUE": [-2.0, -2.0],
            "EXT_SOURCE_2": [0.3, -0.3],
            "APPLICATION_EXT_SOURCE_MEAN": [0.2, 0.2],
            "BUREAU_DEBT_SUM": [0.1, -0.1],
            "HAS_CREDIT_CARD": [0.4, 0.4],
        }
    )
    families = rank_families(values).set_index(["kind", "family"])
    assert families.loc[("theme", "external_scores")].tolist() == [pytest.approx(0.5), 2]
    assert families.loc[("theme", "card"), "share"] == pytest.approx(0.4)
    assert families.loc[("source", "bureau"), "share"] == pytest.approx(0.1)
    assert families.loc[("source", "application_train"), "features"] == 2
    assert families["share"].groupby("kind").sum().tolist() == pytest.approx([1, 1])
