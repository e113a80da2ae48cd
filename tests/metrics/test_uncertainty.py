"""Intervals: what they must be on samples where it is known."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from credit_scoring.metrics.uncertainty import (
    bootstrap_auc,
    bootstrap_mean,
    corrected_fold_interval,
    mean_interval,
    rate_difference_interval,
    rate_interval,
)


@pytest.mark.parametrize("few_values", [True, False])
def test_bootstrap_of_a_mean_is_as_wide_as_theory_says(few_values: bool) -> None:
    generator = np.random.default_rng(0)
    sample = (
        generator.choice([0.0, 1.0, 10.0], 3000, p=[0.8, 0.15, 0.05]) if few_values else generator.normal(size=3000)
    )
    interval = bootstrap_mean(sample, n_resamples=4000, seed=1)
    half = norm.ppf(0.975) * sample.std() / np.sqrt(sample.size)
    assert interval.estimate == pytest.approx(sample.mean())
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.06)


def test_a_t_interval_of_a_mean_is_that_of_the_textbook() -> None:
    # Mean 2, standard deviation sqrt(5/3), standard error 0.6455; t(0.975; 3) = 3.1824.
    interval = mean_interval([0.5, 1.5, 2.5, 3.5])
    assert interval.model_dump() == pytest.approx({"estimate": 2.0, "low": 2 - 2.0542, "high": 2 + 2.0542}, abs=1e-4)
    assert mean_interval([0.5, 1.5, 2.5, 3.5], confidence=0.999).high > interval.high
    assert mean_interval([2.0] * 10).model_dump() == {"estimate": 2.0, "low": 2.0, "high": 2.0}


@pytest.mark.parametrize("values", [[], [1.0], [1.0, np.nan], [[1.0, 2.0]]])
def test_a_t_interval_needs_two_finite_values(values: list) -> None:
    with pytest.raises(ValueError, match="at least two finite values"):
        mean_interval(values)


def test_equal_values_leave_no_doubt() -> None:
    assert bootstrap_mean([2.0] * 10).model_dump() == {"estimate": 2.0, "low": 2.0, "high": 2.0}


@pytest.mark.parametrize("values", [[], [1.0, np.inf], [[1.0, 2.0]]])
def test_a_bootstrap_of_nothing_is_refused(values: list) -> None:
    with pytest.raises(ValueError, match="finite values"):
        bootstrap_mean(values)


def test_bootstrap_of_the_auc_agrees_with_the_variance_of_delong() -> None:
    generator = np.random.default_rng(3)
    y = np.repeat([0, 1], [900, 100])
    p = 1 / (1 + np.exp(-generator.normal(size=1000) - y))
    interval = bootstrap_auc(y, p, n_resamples=800, seed=2)
    wins = p[y == 1][:, None] > p[y == 0][None, :]
    error = np.sqrt(wins.mean(axis=1).var(ddof=1) / 100 + wins.mean(axis=0).var(ddof=1) / 900)
    assert interval.estimate == roc_auc_score(y, p)
    assert (interval.high - interval.low) / (2 * norm.ppf(0.975)) == pytest.approx(error, rel=0.1)


def test_the_area_of_a_resample_is_that_of_its_rows() -> None:
    """With ties, within and between the outcomes, and one of few defaulters."""
    y, p = np.array([0, 1, 0, 0, 1, 0, 1, 0]), np.array([0.1, 0.3, 0.3, 0.2, 0.9, 0.3, 0.3, 0.9])
    drawn, areas = np.random.default_rng(5), []
    for _ in range(40):
        rows = [np.flatnonzero(y == outcome)[drawn.integers(0, n, n)] for outcome, n in ((0, 5), (1, 3))]
        areas.append(roc_auc_score(y[np.concatenate(rows)], p[np.concatenate(rows)]))
    interval = bootstrap_auc(y, p, n_resamples=40, seed=5)
    assert [interval.low, interval.high] == pytest.approx(np.quantile(areas, [0.025, 0.975]), rel=1e-12)
    with pytest.raises(ValueError, match="both outcomes, got 0 good customers and 8 defaulters"):
        bootstrap_auc(np.ones(8), p)


def test_interval_over_folds_by_hand() -> None:
    interval = corrected_fold_interval([0.1, 0.2, 0.3, 0.2, 0.2])
    # mean .2, variance .005, factor 1/5 + 1/4, t(.975; 4) = 2.776445
    assert interval.estimate == pytest.approx(0.2)
    assert interval.high - 0.2 == pytest.approx(2.776445 * np.sqrt(0.45 * 0.005), rel=1e-6)
    assert corrected_fold_interval([0.0] * 5).low == 0
    # Twice the five folds: variance .04 / 9, factor 1/10 + 1/4, t(.975; 9) = 2.262157
    repeated = corrected_fold_interval([0.1, 0.2, 0.3, 0.2, 0.2] * 2, n_folds=5)
    assert repeated.high - 0.2 == pytest.approx(2.262157 * np.sqrt(0.35 * 0.04 / 9), rel=1e-6)


def test_folds_dealt_again_share_their_rows_as_much() -> None:
    """Ten differences of two cross-validations of five folds: factor 1/10 + 1/4, t(.975; 9) = 2.262157."""
    differences = [0.1, 0.2, 0.3, 0.2, 0.2] * 2
    interval = corrected_fold_interval(differences, n_folds=5)
    assert interval.high - 0.2 == pytest.approx(2.262157 * np.sqrt(0.35 * 0.04 / 9), rel=1e-6)
    assert corrected_fold_interval(differences[:5], n_folds=5) == corrected_fold_interval(differences[:5])


def test_one_fold_has_no_interval() -> None:
    with pytest.raises(ValueError, match="at least two"):
        corrected_fold_interval([0.1])


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0000),
    ],
)
def test_difference_of_rates_as_published(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table II, method 10."""
    interval = rate_difference_interval(*counts)
    assert interval.estimate == pytest.approx(counts[0] / counts[1] - counts[2] / counts[3])
    assert (interval.low, interval.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@pytest.mark.parametrize(
    ("events", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_rates_as_published(events: int, count: int, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, Wilson's method."""
    interval = rate_interval(events, count)
    assert interval.estimate == events / count
    assert (interval.low, interval.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_the_difference_of_rates_covers_the_true_one() -> None:
    generator = np.random.default_rng(3)
    first, other = generator.binomial(60, 0.8, 2000), generator.binomial(300, 0.7, 2000)
    intervals = [rate_difference_interval(int(a), 60, int(b), 300) for a, b in zip(first, other, strict=True)]
    covered = np.mean([interval.low <= 0.1 <= interval.high for interval in intervals])
    assert 0.93 < covered < 0.975
