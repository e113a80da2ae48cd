"""The break-even threshold and what surrounds it: closed forms, hand-computed cases, fast ways against brute force."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from credit_scoring.metrics.cost import (
    ApplicantCosts,
    MisclassificationCosts,
    business_cost_loss,
    cost_curve,
    curve_at,
    optimal_threshold,
    rank_losses,
    refuse,
)
from credit_scoring.metrics.threshold import (
    ReviewBand,
    bootstrap_threshold,
    break_even_threshold,
    expected_losses,
    fitted_default_rate,
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


RATES = np.array([0.08, 0.1, 0.125, 0.2, 0.4])
DEFAULTED = np.concatenate([np.repeat([1, 0], [round(1000 * rate), 1000 - round(1000 * rate)]) for rate in RATES])
"""Five groups of 1,000 applicants, of whom exactly these shares default."""


def scored(log_odds: np.ndarray) -> np.ndarray:
    """Return the score of every applicant from that of each group."""
    return np.repeat(expit(log_odds), 1000)


@pytest.mark.parametrize("ratio", [3, 8, 10])
def test_calibrated_probabilities_are_cut_at_the_break_even_rate(ratio: float) -> None:
    costs = MisclassificationCosts(false_negative=ratio, false_positive=1)
    assert break_even_threshold(DEFAULTED, scored(logit(RATES)), costs) == pytest.approx(1 / (1 + ratio), abs=1e-8)
    in_cents = MisclassificationCosts(false_negative=100 * ratio, false_positive=100)
    assert break_even_threshold(DEFAULTED, scored(logit(RATES)), in_cents) == pytest.approx(1 / (1 + ratio), abs=1e-8)


@pytest.mark.parametrize(("slope", "level"), [(0.8, 0.0), (1.25, 0.0), (1.0, 0.4), (0.7, -0.5), (3.0, 2.0)])
def test_a_score_off_in_slope_and_level_is_cut_where_it_stands_for_the_break_even_rate(
    slope: float, level: float
) -> None:
    probability = scored(level + slope * logit(RATES))  # the true log-odds are (score - level) / slope
    expected = expit(level + slope * logit(1 / 11))
    assert break_even_threshold(DEFAULTED, probability, COSTS) == pytest.approx(expected, abs=1e-8)
    rates = fitted_default_rate(DEFAULTED, probability, COSTS, expit(level + slope * logit(RATES)))
    assert rates == pytest.approx(RATES, abs=1e-8)


def test_a_bent_score_is_cut_where_its_square_says() -> None:
    def score_of(rate: np.ndarray | float) -> np.ndarray:  # log-odds of default = u + u² / 10, rising from u = -5 on
        return 5 * (np.sqrt(1 + 0.4 * logit(rate)) - 1)

    found = break_even_threshold(DEFAULTED, scored(score_of(RATES)), COSTS)
    assert found == pytest.approx(expit(score_of(1 / 11)), abs=1e-8)


def test_a_dearer_default_lowers_the_threshold() -> None:
    target, probability = sample(8_000)
    ratios = [2, 3, 5, 8, 10, 12, 20, 30]
    cuts = [break_even_threshold(target, probability, MisclassificationCosts(false_negative=r)) for r in ratios]
    assert all(dear < cheap for cheap, dear in pairwise(cuts))


def test_the_rule_costs_less_than_the_least_of_the_noisy_curve_on_other_applicants() -> None:
    def excess(threshold: float, probability: np.ndarray) -> float:  # scores are true: the best cut-off is 1/11
        between = refuse(probability, min(threshold, 1 / 11)) & ~refuse(probability, max(threshold, 1 / 11))
        return float(np.abs(11 * probability - 1)[between].sum() / probability.size)

    everyone = sample(200_000, 99)[1]
    clients = [sample(4_000, seed) for seed in range(30)]
    smooth, raw = (
        np.mean([excess(rule(target, probability, COSTS), everyone) for target, probability in clients])
        for rule in (break_even_threshold, optimal_threshold)
    )
    assert smooth < raw / 2


def test_without_a_rise_over_all_scores_the_square_is_left_out() -> None:
    # The rate falls from the second group to the third and is flat after: the parabola turns before the last score.
    rates = [0.02, 0.2, 0.16, 0.16, 0.16]
    target = np.concatenate([np.repeat([1, 0], [round(1000 * rate), 1000 - round(1000 * rate)]) for rate in rates])
    log_odds = np.arange(-4.0, 1.0)
    line = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(np.repeat(log_odds, 1000)[:, None], target)
    expected = expit((logit(1 / 8) - line.intercept_[0]) / line.coef_[0, 0])
    costs = MisclassificationCosts(false_negative=7, false_positive=1)
    assert break_even_threshold(target, scored(log_odds), costs) == pytest.approx(expected, abs=1e-6)


def test_beyond_the_observed_scores_all_are_granted_or_all_refused() -> None:
    probability = scored(logit(RATES))
    never = MisclassificationCosts(false_negative=1, false_positive=1)  # nobody's rate reaches a half
    assert break_even_threshold(DEFAULTED, probability, never) == np.nextafter(0.4, 1)
    always = MisclassificationCosts(false_negative=100, false_positive=1)
    assert break_even_threshold(DEFAULTED, probability, always) == 0


@pytest.mark.parametrize(
    ("target", "probability", "threshold"),
    [
        ([0, 1, 0, 1, 1, 0], [0.2] * 6, 0.0),  # a constant score: refusing all costs 3, granting all 30
        ([0, 0, 0, 0], [0.1, 0.2, 0.3, 0.4], np.nextafter(0.4, 1)),  # one outcome
        ([0, 0, 0, 1, 1, 1], [0.01, 0.02, 0.1, 0.2, 0.3, 0.6], 0.15),  # the score separates the outcomes
    ],
)
def test_where_no_curve_can_be_fitted_the_least_cost_decides(
    target: list[int], probability: list[float], threshold: float
) -> None:
    assert break_even_threshold(target, probability, COSTS) == pytest.approx(threshold, abs=1e-12)
    assert fitted_default_rate(target, probability, COSTS, 0.1) is None


def test_a_score_that_is_the_wrong_way_round_is_not_cut_by_a_falling_curve() -> None:
    target, probability = sample(2_000)
    assert break_even_threshold(target, 1 - probability, COSTS) == optimal_threshold(target, 1 - probability, COSTS)


def test_impossible_and_certain_scores_are_taken() -> None:
    target, probability = sample(2_000)
    at_the_ends = np.where(probability < 0.01, 0.0, probability)
    at_the_ends[:3] = 1.0
    assert 0 < break_even_threshold(target, at_the_ends, COSTS) < 1


def test_the_plateau_holds_all_thresholds_about_as_cheap_on_both_sides() -> None:
    losses = rank_losses([0] * 50 + [1, 0, 1, 1], [0.1] * 50 + [0.2, 0.3, 0.4, 0.5], COSTS)
    # Refusing all costs 51; from 0.2 on 1; from 0.3 on 11.
    assert plateau(losses, 0.5) == pytest.approx((0.15, 0.15))
    assert plateau(losses, 9.0) == pytest.approx((0.15, 0.15))
    assert plateau(losses, 10.0) == pytest.approx((0.15, 0.35))


def test_the_plateau_lies_around_the_break_even_threshold() -> None:
    target, probability = sample(8_000)
    low, high = plateau(expected_losses(target, probability, COSTS), 0.01)
    assert low < break_even_threshold(target, probability, COSTS) < high


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


def test_the_rule_is_the_same_for_own_costs_that_are_all_alike() -> None:
    target, probability = sample(500)
    own = ApplicantCosts(np.full(500, 10.0), np.ones(500))
    common = break_even_threshold(target, probability, COSTS)
    assert break_even_threshold(target, probability, own) == pytest.approx(common, abs=1e-12)


def test_own_costs_move_the_threshold_to_where_the_amounts_break_even() -> None:
    # Those who default asked for twice as much, so odds of 1 to 6 lose what odds of 1 to 3 would at equal amounts.
    amount = np.where(DEFAULTED == 1, 2.0, 1.0)
    found = break_even_threshold(DEFAULTED, scored(logit(RATES)), ApplicantCosts(3 * amount, amount))
    assert found == pytest.approx(1 / 7, abs=1e-8)


def test_break_even_rates_may_differ_between_applicants() -> None:
    # Riskier applicants leave more margin: break-even odds are the root of a tenth of the score's; both are 1/10 there.
    margin = np.sqrt(np.repeat(RATES / (1 - RATES), 1000) / 10)
    own = ApplicantCosts(np.ones(5000), margin)
    assert break_even_threshold(DEFAULTED, scored(logit(RATES)), own) == pytest.approx(1 / 11, abs=1e-8)


def test_the_bootstrap_finds_the_threshold_again_on_every_resample() -> None:
    target, probability = sample(2_000)
    fast = bootstrap_threshold(target, probability, COSTS, n_resamples=100, seed=3)
    threshold = break_even_threshold(target, probability, COSTS)
    assert fast.threshold.estimate == threshold
    generator = np.random.default_rng(3)
    again, errors = [], []
    for _ in range(100):
        rows = generator.integers(0, 2_000, 2_000)
        again.append(break_even_threshold(target[rows], probability[rows], COSTS))
        there, here = (
            business_cost_loss(target[some], refuse(probability[some], again[-1]), COSTS) for some in (rows, ...)
        )
        errors.append(there - here)
    assert [fast.threshold.low, fast.threshold.high] == pytest.approx(np.quantile(again, [0.025, 0.975]), rel=0.01)
    own = business_cost_loss(target, refuse(probability, threshold), COSTS)
    assert [fast.cost.low, fast.cost.high] == pytest.approx(own - np.quantile(errors, [0.975, 0.025]), rel=0.01)
    assert own < fast.cost.estimate < own + 0.02
    assert bootstrap_threshold(target, probability, COSTS, n_resamples=100, seed=3) == fast


def test_a_constant_score_has_a_bootstrap_too() -> None:
    chosen = bootstrap_threshold([0, 0, 0, 1] * 50, [0.3] * 200, COSTS, n_resamples=100)
    assert chosen.threshold.low == chosen.threshold.high == 0
    assert chosen.cost.low < 0.75 < chosen.cost.high


def test_more_applicants_make_the_threshold_surer() -> None:
    widths = []
    for n in (500, 50_000):
        interval = bootstrap_threshold(*sample(n, 5), COSTS, n_resamples=100).threshold
        widths.append(interval.high - interval.low)
    assert widths[1] < widths[0] / 2


def test_the_intervals_hold_the_best_threshold_and_the_true_cost_as_often_as_they_say() -> None:
    everyone = sample(400_000, 77)[1]
    held = []
    for seed in range(60):
        cut, cost = bootstrap_threshold(*sample(3_000, 1_000 + seed), COSTS, n_resamples=100, seed=seed)
        refused = refuse(everyone, cut.estimate)  # scores are true: this is what is expected of the outcomes
        true = float(np.where(refused, 1 - everyone, 10 * everyone).mean())
        held.append((cut.low <= 1 / 11 <= cut.high, cost.low <= true <= cost.high))
    # 57 of 60 are expected; fewer than 51 has a chance of 1 %.
    assert (np.sum(held, axis=0) >= 51).all()


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


def test_with_budget_for_all_a_review_starts_and_ends_where_it_pays() -> None:
    # Granting at rate p costs 10 p, refusing 1 - p, a review 0.1 + 0.2 (1 + 9 p): it pays from 0.3 / 8.2 to 0.7 / 2.8.
    target, probability = sample(20_000)
    expected = expected_losses(target, probability, COSTS)
    band = optimal_review_band(expected, budget=1, review_cost=0.1, error_rate=0.2)
    rates = fitted_default_rate(target, probability, COSTS, [band.low, band.high])
    assert rates == pytest.approx([0.3 / 8.2, 0.7 / 2.8], rel=0.01)


def test_nobody_is_reviewed_where_it_does_not_pay() -> None:
    target, probability = sample(300)
    ranked = rank_losses(target, probability, COSTS)
    band = optimal_review_band(ranked, budget=0.2, review_cost=20, error_rate=0)
    assert band.low == band.high == optimal_threshold(target, probability, COSTS)
    fitted = optimal_review_band(expected_losses(target, probability, COSTS), budget=1, review_cost=20, error_rate=0)
    cut = break_even_threshold(target, probability, COSTS)
    assert (refuse(probability, fitted.low) == refuse(probability, cut)).all()
    with pytest.raises(ValueError, match="budget and an error rate between 0 and 1"):
        optimal_review_band(ranked, budget=1.2, review_cost=1, error_rate=0)
