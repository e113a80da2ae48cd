"""The threshold is chosen out of fold and judged on the hold-out."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.pipelines.threshold_tuning.nodes import (
    choose_policy,
    compute_threshold_curve,
    evaluate_policy,
    plot_cost_curve,
)

COSTS = MisclassificationCosts(false_negative=10, false_positive=1)
OOF = pd.DataFrame(
    {"SK_ID_CURR": range(6), "TARGET": [0, 0, 0, 1, 0, 1], "PROBABILITY": [0.01, 0.02, 0.1, 0.2, 0.3, 0.6]}
)
HOLDOUT = pd.DataFrame({"SK_ID_CURR": range(4), "TARGET": [0, 1, 0, 1], "PROBABILITY": [0.05, 0.12, 0.4, 0.7]})
CHAMPION = {"name": "trees", "family": "lightgbm", "params": {}}


def test_policy_is_the_cheapest_threshold_out_of_fold() -> None:
    policy = choose_policy(OOF, CHAMPION, COSTS)
    assert policy["threshold"] == pytest.approx(0.15)  # refuses .2, .3, .6: one good client refused
    assert policy["theoretical_threshold"] == pytest.approx(1 / 11)
    assert policy["costs"] == {"false_negative": 10.0, "false_positive": 1.0}
    curve = compute_threshold_curve(OOF, COSTS)
    assert curve["cost"].min() == pytest.approx(1 / 6)


def test_evaluation_by_hand() -> None:
    evaluation = evaluate_policy(HOLDOUT, choose_policy(OOF, CHAMPION, COSTS), COSTS)
    policies = evaluation["policies"]
    tuned = policies["tuned"]  # at .15: refuses .4 (good) and .7 (bad), grants .05 (good) and .12 (bad)
    assert [tuned[k] for k in ("true_positives", "false_positives", "false_negatives", "true_negatives")] == [
        1,
        1,
        1,
        1,
    ]
    assert tuned["business_cost"] == pytest.approx(11 / 4)
    assert tuned["total_cost"] == pytest.approx(11)
    assert policies["theoretical"]["business_cost"] == pytest.approx(1 / 4)
    assert policies["half"]["business_cost"] == pytest.approx(10 / 4)
    assert policies["grant_all"]["business_cost"] == pytest.approx(20 / 4)
    assert policies["grant_all"]["grant_rate"] == 1
    assert policies["refuse_all"]["business_cost"] == pytest.approx(2 / 4)
    assert policies["refuse_all"]["grant_rate"] == 0
    assert evaluation["score"]["roc_auc"] == 0.75
    assert evaluation["default_rate"] == 0.5


def test_the_holdout_does_not_move_the_threshold() -> None:
    flipped = HOLDOUT.assign(TARGET=1 - HOLDOUT["TARGET"])
    policy = choose_policy(OOF, CHAMPION, COSTS)
    assert evaluate_policy(flipped, policy, COSTS)["policies"]["tuned"]["threshold"] == policy["threshold"]


@pytest.mark.parametrize(("language", "half"), [("fr", "0,5"), ("en", "0.5")])
def test_figure_speaks_its_language_and_marks_synthetic_data(language: str, half: str) -> None:
    policy, curve = choose_policy(OOF, CHAMPION, COSTS), compute_threshold_curve(OOF, COSTS)
    figure = plot_cost_curve(curve, HOLDOUT, policy, COSTS, FigureOptions(language=language, source="synthetic"))
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert any(half in text for text in legend)
    assert any("ynth" in text.get_text() for text in figure.texts)
    drawn = figure.axes[0].get_lines()[0]
    assert np.array_equal(drawn.get_xdata()[:-1], curve["threshold"])
    real = plot_cost_curve(curve, HOLDOUT, policy, COSTS, FigureOptions(language=language, source="home_credit"))
    assert not real.texts
