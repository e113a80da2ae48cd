"""The simulation of the cut-off knows the truth that it measures rules against."""

import numpy as np
import pytest

from benchmarks.cut_off import (
    ADVERSE,
    COSTS,
    CURVES,
    REVIEW,
    RULES,
    Population,
    Task,
    band_costs,
    compare_on_predictions,
    excess_costs,
    interval_hits,
)
from credit_scoring.metrics.cost import business_cost_loss, refuse
from credit_scoring.metrics.threshold import ReviewBand, review_costs


@pytest.mark.parametrize("curve", [*CURVES, *ADVERSE])
def test_no_cut_off_is_cheaper_than_the_best(curve: str) -> None:
    population = Population({**CURVES, **ADVERSE}[curve])
    grid = np.linspace(0.03, 0.3, 400)
    costs = [population.cost(threshold) for threshold in grid]
    assert min(costs) >= population.cost(population.best) - 1e-9
    assert grid[np.argmin(costs)] == pytest.approx(population.best, abs=0.001)


def test_a_calibrated_score_is_best_cut_at_one_eleventh() -> None:
    assert Population(CURVES["calibrated"]).best == pytest.approx(1 / 11)
    assert Population(CURVES["odds 15 % higher"]).best == pytest.approx(1 / 12.5)  # odds of 1 to 11.5


def test_true_costs_are_those_of_a_large_sample() -> None:
    population = Population(CURVES["S-shaped"])
    target, probability = population.draw(1_000_000, np.random.default_rng(0))
    for threshold in (0.0, 0.05, 0.2, 1.0):
        sampled = business_cost_loss(target, refuse(probability, threshold), COSTS)
        assert population.cost(threshold) == pytest.approx(sampled, abs=0.01)
    band = ReviewBand(0.06, 0.13)
    options = {name: REVIEW[name] for name in ("review_cost", "error_rate")}
    sampled = review_costs(target, probability, band, COSTS, **options).mean()
    assert population.review_cost(band) == pytest.approx(sampled, abs=0.01)


def test_every_rule_is_measured_on_the_same_samples() -> None:
    task = Task("slope 0.85", 2_000, 0, 100)
    first = excess_costs(task)
    assert first == excess_costs(task)
    assert len(first) == len(RULES)
    assert min(first) >= 0
    hits = interval_hits(task)
    assert set(hits[:2] + hits[4:6]) <= {0.0, 1.0}
    best = Population(CURVES["slope 0.85"])
    assert min(band_costs(task)) < best.cost(best.best)  # a review pays, even with a band that was estimated


def test_rules_are_compared_on_predictions_split_by_split() -> None:
    target, probability = Population(CURVES["calibrated"]).draw(1_000, np.random.default_rng(0))
    table = compare_on_predictions(target, probability, 3).splitlines()
    assert len(table) == 2 + len(RULES)
    fixed = next(line for line in table if line.startswith("| 1/11 on the score"))
    assert "| 0.0909 | 0.0000 |" in fixed
