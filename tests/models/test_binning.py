"""Bins, weight of evidence and information value, against values computed by hand."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit_scoring.models.binning import Bins, _best_bins, find_bins


def make_bins(good: list[int], bad: list[int], neutral: list[bool] | None = None) -> Bins:
    n = len(good)
    edges = np.append(np.arange(1.0, n - 1), np.nan)
    return Bins(edges, np.arange(n), np.array(good), np.array(bad), np.array(neutral or [False] * n))


def test_weight_of_evidence_and_information_value_are_siddiqis() -> None:
    """80 good and 20 bad: ln(.5/.25), ln(.375/.25), ln(.125/.5); the safer bin is the positive one."""
    bins = make_bins([40, 30, 10], [5, 5, 10])
    expected = [np.log(2), np.log(1.5), np.log(0.25)]
    assert bins.woe == pytest.approx(expected)
    assert bins.information_value == pytest.approx(0.25 * expected[0] + 0.125 * expected[1] - 0.375 * expected[2])


def test_a_bin_without_a_default_counts_as_if_it_had_half_a_one() -> None:
    bins = make_bins([40, 60, 0], [0, 9, 1])
    assert bins.woe == pytest.approx([np.log(0.4 / 0.05), np.log(0.6 / 0.9), np.log(0.005 / 0.1)])


def test_a_neutral_bin_weighs_nothing_and_adds_no_information() -> None:
    bins = make_bins([50, 49, 1], [5, 4, 1], [False, False, True])
    assert bins.woe[2] == 0
    assert bins.n_telling == 2
    assert bins.information_value == pytest.approx(0.0 * np.log(1) + (0.49 - 0.4) * np.log(0.49 / 0.4))


def test_values_are_placed_by_boundaries_that_belong_to_the_bin_above() -> None:
    bins = make_bins([1, 1, 1, 1], [1, 1, 1, 1])
    assert bins.place(np.array([-np.inf, 0.99, 1.0, 1.5, 2.0, np.inf, np.nan])).tolist() == [0, 0, 1, 1, 2, 2, 3]


def test_categories_go_by_default_rate_rare_ones_together_and_what_is_unknown_with_the_missing() -> None:
    """Codes 0 to 4: 10 %, 30 %, 10 %, 50 % of defaults, and one of 2 % of the rows; 18 % are missing."""
    rows = [(0, 20, 2), (1, 20, 6), (2, 20, 2), (3, 20, 10), (4, 2, 1), (np.nan, 18, 1)]
    values = np.concatenate([np.full(10 * n, code) for code, n, _ in rows])
    y = np.concatenate([np.repeat([1, 0], [10 * bad, 10 * (n - bad)]) for _, n, bad in rows])
    bins = find_bins(values, y, n_categories=5, min_bin_size=0.05, max_bins=6)
    safest, second, third, worst, rare, missing, unknown = bins.place(np.array([0, 2, 1, 3, 4, np.nan, np.nan]))
    assert [safest, third, worst, rare, missing] == sorted({safest, third, worst, rare, missing})
    assert bins.woe[safest] == pytest.approx(bins.woe[second])
    assert bins.woe[third] > bins.woe[worst]
    assert bins.neutral.tolist() == [place == rare for place in range(len(bins.good))]
    assert bins.good[missing] == 170
    assert bins.bad[missing] == 10
    assert unknown == missing == len(bins.good) - 1


def test_a_missing_bin_that_is_too_small_is_neutral() -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(size=1000)
    y = (generator.random(1000) < 1 / (1 + np.exp(1 + values))).astype(int)
    values[:30] = np.nan
    bins = find_bins(values, y, 0, min_bin_size=0.05, max_bins=4)
    assert bins.neutral.tolist() == [False] * (len(bins.good) - 1) + [True]
    assert bins.good[-1] + bins.bad[-1] == 30


def test_boundaries_are_few_digits_and_whole_where_values_are() -> None:
    generator = np.random.default_rng(1)
    score, count, amount = generator.random(2000), generator.poisson(4, 2000), generator.lognormal(12, 1, 2000)
    y = (generator.random(2000) < 1 / (1 + np.exp(2 * score + 0.4 * count - amount / 3e5))).astype(int)
    for values in (score, count.astype(float), amount):
        edges = find_bins(values, y, 0, 0.05, 6).edges[:-1]
        assert len(edges) >= 2
        assert all(float(f"{edge:.3g}") == edge for edge in edges)
        if values is not score and values is not amount:
            assert (edges == np.floor(edges)).all()


@pytest.mark.parametrize("values", [np.full(100, np.nan), np.full(100, 7.0), np.arange(100) % 2.0 * 0])
def test_what_does_not_vary_has_one_bin(values: np.ndarray) -> None:
    bins = find_bins(values, np.arange(100) % 2, 0, 0.05, 6)
    assert bins.n_telling == 1
    assert bins.information_value == pytest.approx(0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.sampled_from([0.05, 0.1, 0.2]), st.booleans())
def test_default_rates_of_numbers_rise_or_fall_all_along_and_bins_are_large_enough(
    seed: int, max_bins: int, min_bin_size: float, bent: bool
) -> None:
    generator = np.random.default_rng(seed)
    values = np.round(generator.normal(size=600), 1)
    risk = np.abs(values) if bent else values
    y = (generator.random(600) < 1 / (1 + np.exp(1.5 - risk))).astype(int)
    values[generator.random(600) < 0.2] = np.nan
    bins = find_bins(values, y, 0, min_bin_size, max_bins)
    rates = (bins.bad / np.maximum(bins.good + bins.bad, 1))[:-1]
    assert len(rates) <= max_bins
    assert (np.diff(rates) >= 0).all() or (np.diff(rates) <= 0).all()
    assert ((bins.good + bins.bad)[:-1] >= min_bin_size * 600).all()
    assert (bins.good.sum(), bins.bad.sum()) == ((y == 0).sum(), (y == 1).sum())
    assert np.array_equal(bins.bad, np.bincount(bins.place(values[y == 1]), minlength=len(bins.bad)))


def value_of(good: np.ndarray, bad: np.ndarray, starts: list[int], min_rows: int) -> float:
    """Return the information value of cells joined to bins, by its formula; minus infinity for what is no solution."""
    bins_good, bins_bad = np.add.reduceat(good[:-1], starts), np.add.reduceat(bad[:-1], starts)
    slopes = np.diff(bins_bad / np.maximum(bins_good + bins_bad, 1))
    wrong = (bins_good + bins_bad < min_rows).any() or (bins_good == 0).any() or (bins_bad == 0).any()
    if wrong or ((slopes < 0).any() and (slopes > 0).any()):
        return -np.inf
    good_share, bad_share = bins_good / good.sum(), bins_bad / bad.sum()
    return float(((good_share - bad_share) * np.log(good_share / bad_share)).sum())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6)), min_size=1, max_size=8),
    st.integers(1, 6),
    st.integers(1, 12),
)
def test_no_other_bins_say_more_and_none_that_say_as_much_are_fewer(
    cells: list[tuple[int, int]], max_bins: int, min_rows: int
) -> None:
    """Against all ways to join neighbours, one by one; behind the cells are the missing."""
    good, bad = np.array([*cells, (5, 5)]).T
    n = len(cells)
    found = _best_bins(good, bad, np.arange(n), min_rows, max_bins)
    starts = [int(np.argmax(found == place)) for place in range(found[-1] + 1)]
    assert found.tolist() == sorted(found.tolist())
    ways = [[0, *cuts] for k in range(min(max_bins, n)) for cuts in combinations(range(1, n), k)]
    values = {tuple(way): value_of(good, bad, way, min_rows) for way in ways}
    best = max(values.values())
    if best == -np.inf:
        assert starts == [0]
        return
    assert values[tuple(starts)] == pytest.approx(best)
    assert len(starts) == min(len(way) for way, value in values.items() if value > best - 1e-13)


def test_categories_are_joined_in_the_order_of_their_default_rates() -> None:
    """Of codes 0 to 3, with 40, 10, 30 and 20 % of defaults, two bins say most if neighbours by rate are together."""
    values = np.repeat(np.arange(4.0), 100)
    y = np.concatenate([np.repeat([1, 0], [bad, 100 - bad]) for bad in (40, 10, 30, 20)])
    bins = find_bins(values, y, n_categories=4, min_bin_size=0.1, max_bins=2)
    assert bins.bin_of_cell.tolist() == [1, 0, 1, 0, 2]
    assert bins.bad.tolist() == [30, 70, 0]
