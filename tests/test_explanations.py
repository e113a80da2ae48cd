"""A value works in one direction if its ranks go with those of its contribution."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.explanations import rank_correlation, sum_by_cause, usual_direction

NOTHING = float("nan")


def test_rank_correlation_by_hand() -> None:
    one, other = pd.Series([10.0, 20.0, 30.0, 900.0]), pd.Series([1, 3, 2, 4])
    assert rank_correlation(one, other) == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert rank_correlation(one, -np.exp(one / 100)) == pytest.approx(-1)


@pytest.mark.parametrize("dtype", ["float64", "Float64"])
def test_nulls_of_either_side_are_left_out_of_the_ranks(dtype: str) -> None:
    one = pd.Series([1, 2, None, 4, 3, 9], dtype=dtype)
    other = pd.Series([2, 1, 7, None, 3, 4], dtype=dtype)
    assert rank_correlation(one, other) == pytest.approx(rank_correlation(one[[0, 1, 4, 5]], other[[0, 1, 4, 5]]))
    assert rank_correlation(one, other) == pytest.approx(1 - 6 * 2 / (4 * 15))


@pytest.mark.parametrize(
    ("one", "other"),
    [([1.0, 2.0, 3.0], [5.0, 5.0, 5.0]), ([1.0, 2.0, NOTHING], [1.0, 2.0, 3.0]), ([NOTHING] * 3, [1.0, 2.0, 3.0])],
)
def test_what_does_not_vary_and_two_pairs_have_no_correlation_and_no_direction(
    one: list[float], other: list[float]
) -> None:
    assert np.isnan(rank_correlation(pd.Series(one), pd.Series(other)))
    assert usual_direction(pd.Series(one), pd.Series(other)) == 0


@pytest.mark.parametrize(
    ("contributions", "direction"),
    [([1, 2, 3, 4], 1), ([4, 3, 2, 1], -1), ([2, 4, 1, 3], 0), ([2, 3, 1, 4], 1), ([1, 4, 3, 2], 0)],
)
def test_a_direction_takes_a_clear_correlation(contributions: list[float], direction: int) -> None:
    """Correlations of 1, -1, 0, 0.4 and 0.2."""
    assert usual_direction(pd.Series([1, 2, 3, 4]), pd.Series(contributions)) == direction


def test_causes_sum_to_the_score_and_the_clearest_column_speaks() -> None:
    entries = [
        {"cause": 0, "contribution": 0.5, "clarity": 0.1, "feature": "PRODUCT", "contradicts": False},
        {"cause": 1, "contribution": -0.3, "clarity": 1.0, "feature": "AGE", "contradicts": False},
        {"cause": 0, "contribution": 0.2, "clarity": 1.0, "feature": "SCORE", "contradicts": False},
        {"cause": 0, "contribution": -0.1, "clarity": 1.0, "feature": "OTHER", "contradicts": False},
    ]
    causes = [(entry["feature"], weight) for entry, weight in sum_by_cause(entries)]
    assert causes == [("SCORE", pytest.approx(0.6)), ("AGE", pytest.approx(-0.3))]
