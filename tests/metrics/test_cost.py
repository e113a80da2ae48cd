"""The business cost: hand-computed cases, and the fast curve against brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_scoring.metrics.cost import (
    MisclassificationCosts,
    business_cost_loss,
    cost_curve,
    optimal_threshold,
    refuse,
)

COSTS = MisclassificationCosts(false_negative=10, false_positive=1)


def test_a_false_negative_costs_ten_refused_good_clients() -> None:
    assert business_cost_loss([1, 0, 0, 0], [False, False, False, False], COSTS) == 10 / 4
    assert business_cost_loss([1, 0, 0, 0], [True, True, True, True], COSTS) == 3 / 4
    assert business_cost_loss([1, 0, 0, 0], [True, False, False, False], COSTS) == 0


def test_theoretical_threshold_is_one_eleventh_at_ten_to_one() -> None:
    assert COSTS.theoretical_threshold == pytest.approx(1 / 11)
    assert MisclassificationCosts(false_negative=1, false_positive=1).theoretical_threshold == 0.5


def test_refused_when_the_probability_reaches_the_threshold() -> None:
    assert refuse([0.1, 0.2, 0.3], 0.2).tolist() == [False, True, True]


def test_curve_of_four_clients_by_hand() -> None:
    curve = cost_curve([0, 1, 0, 1], [0.1, 0.2, 0.2, 0.8], COSTS)
    assert curve["threshold"].tolist() == pytest.approx([0.0, 0.15, 0.5, 0.8])
    # refuse all: 2 FP; refuse >= .2: 1 FP; refuse .8: 1 FN; grant all: 2 FN
    assert curve["cost"].tolist() == [2 / 4, 1 / 4, 10 / 4, 20 / 4]
    assert curve["approval_rate"].tolist() == [0, 0.25, 0.75, 1]
    assert optimal_threshold([0, 1, 0, 1], [0.1, 0.2, 0.2, 0.8], COSTS) == pytest.approx(0.15)


def test_among_equal_costs_the_threshold_refuses_the_fewest() -> None:
    # Refusing one more good client, or none: cost 0 either way needs no refusal.
    assert optimal_threshold([0, 0], [0.2, 0.4], COSTS) > 0.4


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.05, 0.1, 1 / 11, 0.3, 0.3 + 1e-16, 0.7, 1.0])), min_size=1
    ),
    st.floats(0.1, 30),
)
def test_curve_equals_brute_force_at_each_of_its_thresholds(clients: list[tuple[int, float]], ratio: float) -> None:
    costs = MisclassificationCosts(false_negative=ratio, false_positive=1)
    target, probability = np.array([t for t, _ in clients]), np.array([p for _, p in clients])
    curve = cost_curve(target, probability, costs)
    for row in curve.itertuples():
        assert row.cost == pytest.approx(business_cost_loss(target, refuse(probability, row.threshold), costs))
        assert row.approval_rate == pytest.approx(1 - refuse(probability, row.threshold).mean())
    everywhere = np.concatenate([probability, np.linspace(0, 1.01, 60)])
    best = min(business_cost_loss(target, refuse(probability, t), costs) for t in everywhere)
    assert curve["cost"].min() == pytest.approx(best)


def test_order_of_clients_does_not_matter() -> None:
    generator = np.random.default_rng(0)
    target, probability = generator.integers(0, 2, 200), generator.random(200).round(2)
    shuffled = generator.permutation(200)
    expected = cost_curve(target, probability, COSTS)
    assert cost_curve(target[shuffled], probability[shuffled], COSTS).equals(expected)


@pytest.mark.parametrize(
    ("target", "probability", "message"),
    [
        ([], [], "non-empty"),
        ([0, 2], [0.1, 0.2], "0 or 1"),
        ([0, 1], [0.1, np.nan], "1 of 2 probabilities are NaN"),
        ([0, 1], [0.1, 1.2], r"\[0, 1\]"),
        ([0, 1], [0.1], "one per outcome"),
    ],
)
def test_bad_input_is_refused(target: list[int], probability: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cost_curve(target, probability, COSTS)


@pytest.mark.parametrize("wrong", [0, -1])
def test_costs_must_be_positive(wrong: float) -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        MisclassificationCosts(false_negative=wrong)
