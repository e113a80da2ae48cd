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
