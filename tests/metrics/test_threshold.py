"""What surrounds the cheapest threshold: hand-computed cases, and the fast ways against brute force."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_scoring.metrics.cost import (
    ApplicantCosts,
    MisclassificationCosts,
    cost_curve,
    curve_at,
    optimal_threshold,
    rank_losses,
)
from credit_scoring.metrics.threshold import (
    ReviewBand,
    bootstrap_threshold,
    optimal_review_band,
    plateau,
    review_costs,
)

COSTS = MisclassificationCosts(false_negative=10, false_positive=1)
CLIENTS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.05, 0.1, 0.3, 0.31, 0.7])), min_size=1, max_size=12)


def sample(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    probability = generator.beta(1.2, 13, n)
    return (generator.random(n) < probability).astype(int), probability


def test_the_plateau_holds_all_thresholds_about_as_cheap_on_both_sides() -> None:
    curve = cost_curve([0] * 50 + [1, 0, 1, 1], [0.1] * 50 + [0.2, 0.3, 0.4, 0.5], COSTS)
    # Refusing from 0.2 on costs 1; from 0.3 on 11.
    assert curve["cost"].to_numpy() * 54 == pytest.approx([51, 1, 11, 10, 20, 30])
    assert plateau(curve, 0.5) == pytest.approx((0.15, 0.15))
    assert plateau(curve, 9.0) == pytest.approx((0.15, 0.15))
    assert plateau(curve, 10.0) == pytest.approx((0.15, 0.35))


def test_the_curve_is_read_exactly_at_any_threshold() -> None:
    target, probability = sample(300)
    curve = cost_curve(target, probability, COSTS)
    asked = np.concatenate(([0.0, 1.0], probability[:20], np.linspace(0.1, 0.9, 81)))
    read = curve_at(curve, asked)
    expected = [np.mean(np.where(target == 1, 10 * (probability < t), probability >= t)) for t in asked]
    assert read["cost"].to_numpy() == pytest.approx(expected)
    assert read["threshold"].tolist() == asked.tolist()


def test_costs_of_each_applicant_equal_the_common_ones_when_all_are_alike() -> None:
    target, probability = sample(500)
    own = ApplicantCosts(np.full(500, 10.0), np.ones(500))
    assert cost_curve(target, probability, own)["cost"].to_numpy() == pytest.approx(
        cost_curve(target, probability, COSTS)["cost"].to_numpy()
    )


def test_a_dear_applicant_counts_for_what_he_costs() -> None:
    costs = ApplicantCosts(np.array([1.0, 100.0, 1.0]), np.array([1.0, 1.0, 500.0]))
    # Refusing the defaulter at 0.2 would refuse the one at 0.3, who is dear to lose.
    assert optimal_threshold([0, 1, 0], [0.1, 0.2, 0.3], costs) > 0.3
    assert cost_curve([0, 1, 0], [0.1, 0.2, 0.3], costs)["cost"].to_numpy() * 3 == pytest.approx([501, 500, 600, 100])


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_a_cost_must_be_positive_and_finite(wrong: float) -> None:
    with pytest.raises(ValueError, match="1 of 2 are not"):
        ApplicantCosts(np.array([1.0, wrong]), np.ones(2))


def test_costs_of_other_applicants_are_refused() -> None:
    with pytest.raises(ValueError, match="Got 3 outcomes and 2 costs"):
        cost_curve([0, 1, 0], [0.1, 0.2, 0.3], ApplicantCosts(np.ones(2), np.ones(2)))


def test_the_bootstrap_is_that_of_whole_samples() -> None:
    target, probability = sample(400)
    ranked, cheapest = rank_losses(target, probability, COSTS), optimal_threshold(target, probability, COSTS)
    fast = bootstrap_threshold(ranked, cheapest, n_resamples=100, seed=3)
    assert fast.threshold.estimate == cheapest
    assert fast.cost.estimate == pytest.approx(cost_curve(target, probability, COSTS)["cost"].min())
    # The slow way: draw the same rows of the sorted sample. A resample lacks some scores, so that its own gaps are
    # wider: what must agree is the decision on the rows that it has.
    order = np.argsort(probability, kind="stable")
    generator = np.random.default_rng(3)
    slow = []
    for _ in range(100):
        rows = order[generator.integers(0, 400, 400)]
        slow.append(cost_curve(target[rows], probability[rows], COSTS)["cost"].min())
    assert fast.cost.low <= np.median(slow) * 1.2
    assert fast.threshold.low < fast.threshold.estimate < fast.threshold.high
    assert bootstrap_threshold(ranked, cheapest, n_resamples=100, seed=3) == fast


def test_more_applicants_make_the_threshold_surer() -> None:
    widths = []
    for n in (500, 50_000):
        clients = (*sample(n, 5), COSTS)
        interval = bootstrap_threshold(rank_losses(*clients), optimal_threshold(*clients), n_resamples=200).threshold
        widths.append(interval.high - interval.low)
    assert widths[1] < widths[0] / 2


@given(CLIENTS, st.sampled_from([0.0, 0.2, 0.5, 1.0]), st.sampled_from([0.0, 0.3, 2.0]), st.sampled_from([0.0, 0.25]))
def test_the_review_band_equals_brute_force(
    clients: list[tuple[int, float]], budget: float, price: float, error_rate: float
) -> None:
    target, probability = np.array([t for t, _ in clients]), np.array([p for _, p in clients])
    options = {"review_cost": price, "error_rate": error_rate}
    best = optimal_review_band(rank_losses(target, probability, COSTS), budget=budget, **options)
    cuts = [0.0, *(a + (b - a) / 2 for a, b in pairwise(np.unique(probability))), 1.1]
    bands = [ReviewBand(low, high) for low in cuts for high in cuts if low <= high]
    allowed = [band for band in bands if (band.decide(probability) == 1).mean() <= budget + 1e-9]
    least = min(review_costs(target, probability, band, COSTS, **options).sum() for band in allowed)
    assert review_costs(target, probability, best, COSTS, **options).sum() == pytest.approx(least)
    assert (best.decide(probability) == 1).mean() <= budget + 1e-9


def test_nobody_is_reviewed_where_it_does_not_pay() -> None:
    target, probability = sample(300)
    ranked = rank_losses(target, probability, COSTS)
    band = optimal_review_band(ranked, budget=0.2, review_cost=20, error_rate=0)
    assert band.low == band.high == optimal_threshold(target, probability, COSTS)
    with pytest.raises(ValueError, match="budget and an error rate between 0 and 1"):
        optimal_review_band(ranked, budget=1.2, review_cost=1, error_rate=0)
