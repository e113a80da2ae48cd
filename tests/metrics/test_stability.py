"""Shift of a population."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from credit_scoring.metrics.stability import (
    count_bins,
    distribution_gap,
    expected_stability_index,
    gap_p_value,
    homogeneity_p_value,
    population_stability_index,
    stability_index,
)


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


def test_gap_of_distributions_by_hand() -> None:
    assert distribution_gap(pd.Series([1, 2, 3, 4]), pd.Series([3, 4, 5, 6])) == pytest.approx(0.5)


@pytest.mark.parametrize("digits", [0, 1, 12])
def test_the_gap_is_the_statistic_of_kolmogorov_and_smirnov_with_and_without_ties(digits: int) -> None:
    generator = np.random.default_rng(digits)
    one, other = (pd.Series(generator.normal(mean, 2, n).round(digits)) for mean, n in ((0, 173), (0.4, 90)))
    assert distribution_gap(one, other) == pytest.approx(ks_2samp(one, other).statistic, rel=1e-14)


def test_without_a_population_there_is_nothing_to_measure() -> None:
    some, none = pd.Series([1.0, 2.0]), pd.Series([], dtype=float)
    assert np.isnan(population_stability_index(some, none))
    assert np.isnan(distribution_gap(some, none))


def test_bins_are_the_quantiles_of_the_reference_and_null_is_one_of_them() -> None:
    counts = count_bins(pd.Series([1.0, 2.0, 3.0, 4.0, np.nan]), pd.Series([0.0, 2.5, 9.0, np.nan, np.nan]), n_bins=2)
    assert counts["reference"].tolist() == [2, 2, 1]
    assert counts["current"].tolist() == [2, 1, 2]
    assert counts.index[:2].tolist() == [2.5, np.inf]
    assert np.isnan(counts.index[2])


@pytest.mark.parametrize("dtype", ["object", "string", "category", "str"])
@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (["a", "b", None, None], ["a", None, None, None], {"a": (1, 1), "b": (1, 0), None: (2, 3)}),
        (["a", None], [None, None], {"a": (1, 0), None: (1, 2)}),
        (["a", "b"], [None, None], {"a": (1, 0), "b": (1, 0), None: (0, 2)}),
        ([None, None], ["a", "b"], {"a": (0, 1), "b": (0, 1), None: (2, 0)}),
        (["a", "b"], ["b", "b"], {"a": (1, 0), "b": (1, 2)}),
    ],
)
def test_missing_texts_are_one_bin_whichever_side_has_them(
    dtype: str, old: list[str | None], new: list[str | None], expected: dict[str | None, tuple[int, int]]
) -> None:
    counts = count_bins(pd.Series(old, dtype=dtype), pd.Series(new, dtype=dtype))
    found = {None if pd.isna(label) else label: tuple(row) for label, *row in counts.itertuples()}
    assert len(counts) == len(expected)
    assert found == expected
    assert np.isfinite(stability_index(counts))


def test_stability_index_of_two_samples_of_one_population_is_what_theory_expects() -> None:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(400):
        old, new = pd.Series(rng.normal(size=1000)), pd.Series(rng.normal(size=500))
        counts = count_bins(old, new)
        found.append(stability_index(counts))
        assert expected_stability_index(counts) == pytest.approx(9 * (1 / 1000 + 1 / 500))
    assert np.mean(found) == pytest.approx(9 * (1 / 1000 + 1 / 500), rel=0.1)


def test_homogeneity_by_hand() -> None:
    even = pd.DataFrame({"reference": [50, 50], "current": [50, 50]})
    assert homogeneity_p_value(even) == 1.0
    # every count is 10 away from 50 expected: the statistic is 4 x 10² / 50 = 8
    uneven = pd.DataFrame({"reference": [60, 40], "current": [40, 60]})
    assert homogeneity_p_value(uneven) == pytest.approx(0.004678, abs=1e-6)


def test_a_few_rare_values_prove_nothing() -> None:
    rare = pd.DataFrame({"reference": [100, 0, 0], "current": [98, 1, 1]})
    # both on one side: 2 x C(100, 2) / C(200, 2)
    assert homogeneity_p_value(rare) == pytest.approx(2 * 4950 / 19900)
    assert homogeneity_p_value(pd.DataFrame({"reference": [10], "current": [0]})) == 1.0


def test_small_tables_are_tested_exactly() -> None:
    all_empty = pd.DataFrame({"reference": [2000, 0], "current": [0, 50]})
    assert homogeneity_p_value(all_empty) == pytest.approx(1 / math.comb(2050, 50))
    three = pd.DataFrame({"reference": [3, 0], "current": [0, 3]})
    assert homogeneity_p_value(three) == pytest.approx(2 / math.comb(6, 3))


def test_rare_bins_are_pooled_with_the_smallest_of_the_others() -> None:
    emptied = pd.DataFrame({"reference": [700, 700, 600, 0], "current": [0, 0, 0, 20]})
    pooled = pd.DataFrame({"reference": [700, 700, 600], "current": [0, 0, 20]})
    assert homogeneity_p_value(emptied) == homogeneity_p_value(pooled) < 1e-9
    assert homogeneity_p_value(pd.DataFrame({"reference": [1] * 10, "current": [1] * 10})) == 1.0


@pytest.mark.parametrize("n", [20, 50])
@pytest.mark.parametrize("shares", [(0.9, 0.1), (0.25,) * 4, (0.5, 0.3, 0.1, 0.05, 0.05)])
def test_small_samples_of_one_population_hardly_ever_look_different(n: int, shares: tuple[float, ...]) -> None:
    rng = np.random.default_rng(0)
    p_values = [
        homogeneity_p_value(
            pd.DataFrame({"reference": rng.multinomial(2000, shares), "current": rng.multinomial(n, shares)})
        )
        for _ in range(400)
    ]
    assert np.mean(np.array(p_values) < 0.05) < 0.085  # four standard errors above 5 %


def test_chance_of_a_gap() -> None:
    assert gap_p_value(1.3581 / np.sqrt(500), 1000, 1000) == pytest.approx(0.05, abs=1e-4)
    assert gap_p_value(float("nan"), 0, 10) == 1.0
