"""Calibrations by hand, and the choice among them by what they do to rows they have not seen."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from credit_scoring.models.calibration import METHODS, Calibration, CalibrationError, choose_calibration


def sample(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return true probabilities, outcomes drawn from them, and folds."""
    generator = np.random.default_rng(seed)
    probability = expit(generator.normal(-2, 1, n))
    return probability, (generator.random(n) < probability).astype(int), np.arange(n) % 5


def test_sigmoid_by_hand() -> None:
    """Two levels of the score, two parameters: the fit meets the mean of Platt's targets at both levels."""
    probability = np.array([0.2] * 4 + [0.6] * 4)
    outcome = np.array([1, 0, 0, 0, 1, 1, 1, 0])
    high, low = 5 / 6, 1 / 6  # (n1 + 1) / (n1 + 2) and 1 / (n0 + 2) with 4 of each
    expected = [(high + 3 * low) / 4, (3 * high + low) / 4]
    calibration = Calibration.fit("sigmoid", probability, outcome)
    assert calibration.apply([0.2, 0.6]) == pytest.approx(expected)
    slope = (logit(expected[1]) - logit(expected[0])) / (logit(0.6) - logit(0.2))
    assert calibration.slope == pytest.approx(slope)
    assert calibration.intercept == pytest.approx(logit(expected[0]) - slope * logit(0.2))


def solve_in_high_precision(probability: np.ndarray, outcome: np.ndarray) -> tuple[float, float]:
    """Return slope and intercept of Platt's problem by Newton's method in extended precision."""
    x = logit(probability).astype(np.longdouble)
    n_defaults = outcome.sum()
    target = np.where(outcome == 1, (n_defaults + 1) / (n_defaults + 2), 1 / (len(x) - n_defaults + 2))
    slope, intercept = np.longdouble(0), logit(target.mean().astype(np.longdouble))
    for _ in range(30):
        fitted = 1 / (1 + np.exp(-(slope * x + intercept)))
        weight, rest = fitted * (1 - fitted), fitted - target
        a, b, c = (weight * x * x).sum(), (weight * x).sum(), weight.sum()
        u, v = (rest * x).sum(), rest.sum()
        slope, intercept = slope - (c * u - b * v) / (a * c - b * b), intercept - (a * v - b * u) / (a * c - b * b)
    return float(slope), float(intercept)


@pytest.mark.parametrize("n", [50, 500, 10_000])
@pytest.mark.parametrize(
    "distort",
    [
        lambda p: p,
        lambda p: expit(logit(p) + np.log(11)),  # as class weights do
        lambda p: expit(8 * logit(p)),
        lambda p: p / 50,
        lambda p: 0.1 + p / 100,  # hardly any spread: a steep slope
    ],
)
def test_the_sigmoid_is_the_exact_one(distort, n: int) -> None:
    probability, outcome, _ = sample(n, seed=1)
    distorted = distort(probability).clip(1e-6, 1 - 1e-6)
    calibration = Calibration.fit("sigmoid", distorted, outcome)
    assert (calibration.slope, calibration.intercept) == pytest.approx(
        solve_in_high_precision(distorted, outcome), rel=1e-9, abs=1e-9
    )


def test_isotonic_by_hand() -> None:
    """Levels 0.1, 0.2, 0.3, 0.4 with rates 1/2, 0, 1/2, 1: the first two are pooled to 1/4, then lines."""
    probability = np.repeat([0.1, 0.2, 0.3, 0.4], 2)
    outcome = np.array([1, 0, 0, 0, 1, 0, 1, 1])
    calibration = Calibration.fit("isotonic", probability, outcome)
    given, expected = [0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.9], [0.25, 0.25, 0.25, 0.25, 0.375, 0.5, 0.9, 0.9]
    assert calibration.apply(given) == pytest.approx(expected)  # 0.9 = 9 / 10: eight rows cannot show certainty


def test_none_leaves_probabilities_alone() -> None:
    probability, outcome, _ = sample(50)
    assert np.array_equal(Calibration.fit("none", probability, outcome).apply(probability), probability)


def test_sigmoid_undoes_a_change_of_prior() -> None:
    """Odds times 11, as class weights make them: slope 1 and intercept -log 11 bring them back."""
    probability, outcome, _ = sample(40_000)
    inflated = expit(logit(probability) + np.log(11))
    calibration = Calibration.fit("sigmoid", inflated, outcome)
    assert calibration.slope == pytest.approx(1, abs=0.05)
    assert calibration.intercept == pytest.approx(-np.log(11), abs=0.08)


def test_sigmoid_is_finite_on_outcomes_that_the_score_separates() -> None:
    calibration = Calibration.fit("sigmoid", [0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    assert 0 < calibration.slope < 100


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_scores_of_0_and_1_are_finite(method: str) -> None:
    probability, outcome = np.array([0.0, 0.0, 0.3, 0.6, 1.0, 1.0]), np.array([0, 1, 0, 1, 0, 1])
    calibrated = Calibration.fit(method, probability, outcome).apply(probability)
    assert ((calibrated > 0) & (calibrated < 1)).all()


@pytest.mark.parametrize("method", METHODS)
@given(points=st.lists(st.floats(0, 1), min_size=2, max_size=40), seed=st.integers(0, 20))
@settings(max_examples=50, deadline=None)
def test_calibrated_probabilities_keep_the_order_and_the_bounds(method: str, points: list[float], seed: int) -> None:
    probability, outcome, _ = sample(200, seed)
    calibration = Calibration.fit(method, probability, outcome)
    ordered = np.sort(np.concatenate([points, np.nextafter(calibration.probabilities or points, 1)]).clip(0, 1))
    calibrated = calibration.apply(ordered)
    assert (np.diff(calibrated) >= 0).all()
    assert ((calibrated >= 0) & (calibrated <= 1)).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_row_is_calibrated_by_itself(method: str) -> None:
    probability, outcome, _ = sample(2000)
    calibration = Calibration.fit(method, probability, outcome)
    together = calibration.apply(probability)
    assert np.array_equal(np.concatenate([calibration.apply(probability[[i]]) for i in range(200)]), together[:200])
    assert np.array_equal(calibration.apply(probability[::-1])[::-1], together)


@pytest.mark.parametrize("method", METHODS)
def test_json_and_back(method: str) -> None:
    probability, outcome, _ = sample(300)
    calibration = Calibration.fit(method, probability, outcome)
    again = Calibration.from_dict(json.loads(json.dumps(calibration.to_dict())))
    assert again == calibration
    assert np.array_equal(again.apply(probability), calibration.apply(probability))


@pytest.mark.parametrize(
    "description",
    [{}, {"method": "beta"}, {"method": "sigmoid"}, {"method": "isotonic", "probabilities": [], "calibrated": []}],
)
def test_what_is_no_calibration_is_refused(description: dict) -> None:
    with pytest.raises(ValueError, match="Not a calibration"):
        Calibration.from_dict(description)


def test_a_score_the_wrong_way_round_is_not_turned_silently() -> None:
    probability, outcome, _ = sample(500)
    with pytest.raises(CalibrationError, match=r"slope is -.*higher probabilities go with fewer defaults"):
        Calibration.fit("sigmoid", 1 - probability, outcome)
    with pytest.raises(CalibrationError, match="All probabilities are equal"):
        Calibration.fit("sigmoid", np.full(500, 0.1), outcome)


@pytest.mark.parametrize(
    ("probability", "outcome"), [([0.5], [0, 1]), ([0.5, 1.2], [0, 1]), ([0.5, np.nan], [0, 1]), ([0.5, 0.6], [0, 0])]
)
def test_wrong_input_is_refused(probability: list, outcome: list) -> None:
    with pytest.raises(ValueError, match=r"probabilities of shape|must"):
        Calibration.fit("sigmoid", probability, outcome)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="Unknown calibration 'beta', expected one of none, sigmoid, isotonic"):
        Calibration.fit("beta", [0.1, 0.2], [0, 1])
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        Calibration().apply([1.5])


def test_each_fold_is_measured_by_what_the_others_taught() -> None:
    """Two folds, one level of score: the cross-fitted loss of isotonic is that of the other fold's rate."""
    probability = np.full(8, 0.5)
    outcome = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    fold = np.repeat([1, 2], 4)
    calibration, report = choose_calibration(probability, outcome, fold)
    # Fold 1 (rate 1/4) is told 3/4 and fold 2 the reverse: each row loses -log(1/4) three times and -log(3/4) once.
    expected = -(3 * np.log(1 / 4) + np.log(3 / 4)) / 4
    assert report["methods"]["isotonic"]["log_loss"] == pytest.approx(expected)
    assert report["methods"]["isotonic"]["brier"] == pytest.approx((3 * (3 / 4) ** 2 + (1 / 4) ** 2) / 4)
    none = report["methods"]["none"]
    # Eight drawn with a probability of one half: the mean of |k - 4| is 35/32, and it is 2 at most in 93 % of draws.
    assert none.pop("ece_by_chance") == pytest.approx(35 / 32 / 8, abs=0.01)
    assert none.pop("ece_by_chance_high") in (2 / 8, 3 / 8)
    assert none == pytest.approx({"log_loss": np.log(2), "brier": 0.25, "ece": 0.0, "roc_auc": 0.5})
    assert "All probabilities are equal" in report["methods"]["sigmoid"]["unavailable"]
    assert report["chosen"] == "none"
    assert calibration == Calibration()


def test_calibrated_scores_are_left_alone_or_nearly() -> None:
    probability, outcome, fold = sample(20_000)
    _, report = choose_calibration(probability, outcome, fold)
    losses = {method: measures["log_loss"] for method, measures in report["methods"].items()}
    assert losses["none"] < losses["isotonic"]
    assert losses["sigmoid"] == pytest.approx(losses["none"], abs=1e-4)


@pytest.mark.parametrize(
    ("distort", "chosen"),
    [
        (lambda p: expit(0.5 * logit(p) + 2), "sigmoid"),
        (lambda p: np.where(p < 0.12, 0.2 + p / 10, 0.7 + p / 10), "isotonic"),
    ],
)
def test_the_method_that_fits_the_distortion_is_chosen(distort, chosen: str) -> None:
    probability, outcome, fold = sample(20_000)
    distorted = distort(probability)
    calibration, report = choose_calibration(distorted, outcome, fold)
    assert report["chosen"] == calibration.method == chosen
    assert report["methods"][chosen]["ece"] < 0.01 < report["methods"]["none"]["ece"]
    assert calibration == Calibration.fit(chosen, distorted, outcome)  # in the end on all rows
    json.dumps(report)


def test_one_fold_is_not_enough() -> None:
    probability, outcome, _ = sample(50)
    with pytest.raises(ValueError, match="at least two folds, got 1"):
        choose_calibration(probability, outcome, np.zeros(50))
