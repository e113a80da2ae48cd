"""Each candidate's picture shows its own cost, threshold and AUC."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.pipelines.modelling.candidate_figures import plot_candidates

PREDICTIONS = pd.DataFrame({"TARGET": [0, 0, 1, 1], "FOLD": 0, "trees": [0.1, 0.3, 0.2, 0.4]})


def result(name: str, error: str | None = None) -> dict[str, Any]:
    labels = {"fr": "Arbres", "en": "Trees"}
    return {"name": name, "labels": labels, "error": error, "mean": {"threshold": 0.15, "roc_auc": 0.75}}


@pytest.mark.parametrize(
    ("language", "title", "auc"),
    [
        ("fr", "Candidat : Arbres (validation croisée)", "AUC 0,750"),
        ("en", "Candidate: Trees (out of fold)", "AUC 0.750"),
    ],
)
def test_cost_and_ranking_of_each_candidate_that_was_fitted(language: str, title: str, auc: str) -> None:
    results = [result("trees"), result("broken", "No such library")]
    figures = FigureOptions(language=language, source="home_credit")
    drawn = plot_candidates(PREDICTIONS, results, MisclassificationCosts(), figures)
    assert list(drawn) == ["trees"]
    assert title in [text.get_text() for text in drawn["trees"].texts]
    cost, roc = drawn["trees"].axes
    # Refusing from 0.1, 0.2, 0.3, 0.4 or nobody costs: two good customers, one, one and a bad loan, a bad loan, or two
    assert np.unique(cost.lines[0].get_ydata()).tolist() == [0.25, 0.5, 2.5, 2.75, 5.0]
    assert set(cost.lines[1].get_xdata()) == {0.15}
    assert roc.get_legend().get_texts()[0].get_text() == auc
    false_positives, true_positives = roc.lines[0].get_data()
    assert np.trapezoid(true_positives, false_positives) == 0.75


def test_pictures_are_laid_out_alike_and_none_of_their_words_is_cut_off() -> None:
    chance = np.random.default_rng(0).random(200)
    predictions = pd.DataFrame({"TARGET": np.tile([0, 0, 0, 1], 50), "first": chance, "second": chance**2})
    figures = FigureOptions(language="fr", source="synthetic")
    first, second = plot_candidates(
        predictions, [result("first"), result("second")], MisclassificationCosts(), figures
    ).values()
    assert [axes.get_position().bounds for axes in second.axes] == [axes.get_position().bounds for axes in first.axes]
    drawn, whole = second.get_tightbbox(), second.bbox_inches
    assert whole.x0 <= drawn.x0 < drawn.x1 <= whole.x1
    assert whole.y0 <= drawn.y0 < drawn.y1 <= whole.y1


@pytest.mark.parametrize("threshold", [0.09, 0.48])
def test_the_threshold_is_not_drawn_through_its_label(threshold: float) -> None:
    told = result("trees")
    told["mean"]["threshold"] = threshold
    figures = FigureOptions(language="fr", source="synthetic")
    drawn = plot_candidates(PREDICTIONS, [told], MisclassificationCosts(), figures)["trees"]
    drawn.canvas.draw()
    cost = drawn.axes[0]
    label = cost.get_legend().get_window_extent()
    at, _ = cost.transData.transform((threshold, 0))
    assert not label.x0 <= at <= label.x1
