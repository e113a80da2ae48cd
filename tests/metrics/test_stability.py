"""Shift of a population."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.metrics.stability import distribution_gap, population_stability_index


def test_stability_index_of_categories_by_hand() -> None:
    old = pd.Series(["cash"] * 9 + ["card"])
    new = pd.Series(["cash"] * 8 + ["card"] * 2)
    assert population_stability_index(old, new) == pytest.approx(-0.1 * np.log(8 / 9) + 0.1 * np.log(2))


def test_missing_values_are_a_bin_of_their_own() -> None:
    old = pd.Series([1.0, 2.0, 3.0, 4.0, np.nan])
    new = pd.Series([1.0, 2.0, 3.0, np.nan, np.nan])
    expected = (1e-4 - 0.2) * np.log(1e-4 / 0.2) + 0.2 * np.log(2)
    assert population_stability_index(old, new, n_bins=4) == pytest.approx(expected)


@pytest.mark.parametrize(
    "values", [[1.0, 2.0, 2.0, 5.0], ["a", "b", None], [True, False], [7.0, 7.0], [np.nan, np.nan]]
)
def test_a_population_has_not_shifted_from_itself(values: list[object]) -> None:
    assert population_stability_index(pd.Series(values), pd.Series(values)) == pytest.approx(0)


def test_stability_index_does_not_change_when_the_scale_does() -> None:
    rng = np.random.default_rng(0)
    old, new = pd.Series(rng.normal(size=500)), pd.Series(rng.normal(0.5, size=300))
    assert population_stability_index(old, new) == pytest.approx(population_stability_index(np.exp(old), np.exp(new)))
    assert population_stability_index(old, new) > 0.1


def test_gap_of_distributions_leaves_missing_values_out() -> None:
    assert distribution_gap(pd.Series([1, 2, 3, 4, np.nan]), pd.Series([3, 4, 5, 6])) == pytest.approx(0.5)


def test_without_a_population_there_is_nothing_to_measure() -> None:
    some, none = pd.Series([1.0, 2.0]), pd.Series([], dtype=float)
    assert np.isnan(population_stability_index(some, none))
    assert np.isnan(distribution_gap(some, pd.Series([np.nan])))
