"""A missing value among the inputs of a measure is an error that says how many there are."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from credit_scoring.metrics.calibration import (
    calibration_error_by_chance,
    expected_calibration_error,
    reliability_curve,
)
from credit_scoring.metrics.cost import (
    MisclassificationCosts,
    business_cost_loss,
    cost_curve,
    optimal_threshold,
    rank_losses,
    refuse,
)
from credit_scoring.metrics.discrimination import decision_metrics, kolmogorov_smirnov_score, score_metrics
from credit_scoring.metrics.inputs import known
from credit_scoring.metrics.stability import distribution_gap
from credit_scoring.metrics.uncertainty import bootstrap_auc, bootstrap_mean

COSTS = MisclassificationCosts()
OUTCOMES, SCORES = [0.0, 1.0, 0.0, 1.0], [0.1, 0.9, 0.4, 0.6]
MEASURES: dict[str, Callable] = {
    "score_metrics": score_metrics,  # AUC, Gini, KS, average precision, Brier, log loss
    "decision_metrics": lambda y, p: decision_metrics(y, np.where(np.isnan(p), np.nan, np.greater(p, 0.5))),
    "kolmogorov_smirnov_score": kolmogorov_smirnov_score,
    "reliability_curve": reliability_curve,
    "expected_calibration_error": expected_calibration_error,
    "business_cost_loss": lambda y, p: business_cost_loss(y, np.where(np.isnan(p), np.nan, np.greater(p, 0.5)), COSTS),
    "cost_curve": lambda y, p: cost_curve(y, p, COSTS),
    "optimal_threshold": lambda y, p: optimal_threshold(y, p, COSTS),
    "rank_losses": lambda y, p: rank_losses(y, p, COSTS),
    "bootstrap_auc": lambda y, p: bootstrap_auc(y, p, n_resamples=10),
    "distribution_gap": lambda y, p: distribution_gap(pd.Series(y), pd.Series(p)),
}
OF_ONE: dict[str, Callable] = {
    "calibration_error_by_chance": calibration_error_by_chance,
    "bootstrap_mean": bootstrap_mean,
    "refuse": lambda p: refuse(p, 0.5),
    "thresholds": lambda p: refuse(SCORES, p),
}


@pytest.mark.parametrize("place", ["outcome", "score"])
@pytest.mark.parametrize("name", MEASURES)
def test_a_missing_outcome_or_score_is_an_error(name: str, place: str) -> None:
    MEASURES[name](OUTCOMES, SCORES)
    inputs = {"outcome": list(OUTCOMES), "score": list(SCORES)}
    inputs[place][2] = float("nan")
    with pytest.raises(ValueError, match=r"1 of 4 .* are NaN"):
        MEASURES[name](inputs["outcome"], inputs["score"])


@pytest.mark.parametrize("name", OF_ONE)
def test_a_missing_value_is_an_error(name: str) -> None:
    OF_ONE[name](SCORES)
    with pytest.raises(ValueError, match=r"2 of 4 .* are NaN"):
        OF_ONE[name]([0.1, float("nan"), float("nan"), 0.6])


def test_what_is_known_is_returned_as_it_is() -> None:
    assert known(pd.Series([True, False]), "decisions").tolist() == [1.0, 0.0]
    assert known([], "values").size == 0
