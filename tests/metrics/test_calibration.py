"""Stated against observed default rates, by hand."""

import numpy as np
import pytest

from credit_scoring.metrics.calibration import (
    calibration_error_by_chance,
    expected_calibration_error,
    reliability_curve,
)


def test_bins_by_hand() -> None:
    probability = [0.4, 0.1, 0.2, 0.3, 0.6, 0.5]
    outcome = [0, 0, 1, 0, 1, 1]
    curve = reliability_curve(outcome, probability, n_bins=3)
    assert curve["mean_probability"].to_numpy() == pytest.approx([0.15, 0.35, 0.55])
    assert curve["default_rate"].tolist() == [0.5, 0.0, 1.0]
    assert curve["count"].tolist() == [2, 2, 2]
    # |0.5 - 0.15|, |0 - 0.35|, |1 - 0.55|, each a third
    assert expected_calibration_error(outcome, probability, n_bins=3) == pytest.approx((0.35 + 0.35 + 0.45) / 3)


def test_wilson_interval_by_hand() -> None:
    """Wilson's interval of 1 in 10 and of 0 in 10, at 95 %: published examples are 0.0179-0.4042 and 0-0.2775."""
    curve = reliability_curve([1, *[0] * 9], np.full(10, 0.1))
    assert curve.loc[0, ["rate_low", "rate_high"]].tolist() == pytest.approx([0.0179, 0.4042], abs=1e-4)
    nobody = reliability_curve([0] * 10, np.full(10, 0.1))
    assert nobody.loc[0, "rate_low"] == 0
    assert nobody.loc[0, "rate_high"] == pytest.approx(0.2775, abs=1e-4)
    everybody = reliability_curve([1] * 10, np.full(10, 0.1))
    assert everybody.loc[0, "rate_high"] == 1


def test_equal_probabilities_share_a_bin_in_any_order_of_rows() -> None:
    probability = np.array([0.1] * 7 + [0.2, 0.3, 0.4])
    outcome = np.array([1, 0, 0, 0, 0, 0, 0, 0, 1, 1])
    curve = reliability_curve(outcome, probability, n_bins=5)
    assert curve["count"].tolist() == [8, 2]  # the first three quintiles end among the 0.1, the fourth ends with 0.2
    shuffled = np.random.default_rng(0).permutation(10)
    again = reliability_curve(outcome[shuffled], probability[shuffled], n_bins=5)
    np.testing.assert_allclose(again, curve)


def test_a_constant_score_is_as_wrong_as_its_mean() -> None:
    assert expected_calibration_error([0, 0, 0, 1], [0.5] * 4) == pytest.approx(0.25)


def test_noise_alone_costs_what_the_docstring_says() -> None:
    generator = np.random.default_rng(4)
    n, rate = 2000, 0.1
    errors = []
    for _ in range(100):
        probability = rate + generator.uniform(-1e-3, 1e-3, n)
        errors.append(expected_calibration_error(generator.random(n) < probability, probability))
    assert np.mean(errors) == pytest.approx(np.sqrt(2 * rate * (1 - rate) * 10 / (np.pi * n)), rel=0.08)


def test_no_rows_no_bins() -> None:
    assert reliability_curve([], []).empty
    assert np.isnan(expected_calibration_error([], []))


@pytest.mark.parametrize(
    ("outcome", "probability", "n_bins"),
    [
        ([0, 1], [0.5], 10),
        ([0, 2], [0.5, 0.5], 10),
        ([0, 1], [0.5, 1.5], 10),
        ([0, 1], [0.5, np.nan], 10),
        ([0], [0.5], 0),
    ],
)
def test_wrong_input_is_refused(outcome: list, probability: list, n_bins: int) -> None:
    with pytest.raises(ValueError, match=r"Hint|must"):
        reliability_curve(outcome, probability, n_bins)


def test_chance_by_hand() -> None:
    """Two of probability one half in one bin: no or two defaults, each one time in four, are 0.5 off, one is right."""
    chance = calibration_error_by_chance([0.5, 0.5], n_bins=1, n_draws=4000)
    assert chance.mean == pytest.approx(0.25, abs=0.02)
    assert chance.high == 0.5
    assert calibration_error_by_chance([0.0, 1.0, 1.0]) == (0, 0)  # what is certain is never off


@pytest.mark.parametrize("n", [2000, 8000])
def test_chance_is_what_the_error_is_of_outcomes_drawn_from_the_probabilities(n: int) -> None:
    generator = np.random.default_rng(7)
    probability = np.round(generator.beta(1, 11, n), 3)  # some are equal
    errors = [expected_calibration_error(generator.random(n) < probability, probability) for _ in range(200)]
    chance = calibration_error_by_chance(probability)
    assert chance.mean == pytest.approx(np.mean(errors), rel=0.06)
    assert chance.high == pytest.approx(np.quantile(errors, 0.95), rel=0.08)
    assert calibration_error_by_chance(probability) == chance  # seeded


def test_chance_of_no_rows_is_unknown_and_of_no_probability_an_error() -> None:
    assert np.isnan(calibration_error_by_chance([])).all()
    with pytest.raises(ValueError, match=r"Probabilities must lie in \[0, 1\], got 0\.5 to 1\.5"):
        calibration_error_by_chance([0.5, 1.5])
