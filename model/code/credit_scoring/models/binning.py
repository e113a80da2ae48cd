"""Bins of a variable for a points scorecard, their weight of evidence and information value.

Formulas: N. Siddiqi, Credit Risk Scorecards, Wiley 2006, chapter 6. Which bins are best is the problem of G.
Navas-Palencia, Optimal binning, arXiv:2001.08025, sec. 2, solved here by dynamic programming.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_MAX_FIRST_BINS = 12
_EQUAL = 1e-12
"""Difference of information values up to which they are equal."""
_DIGITS = 2
"""Digits of a boundary behind its first one, or behind the first of the spread of the values if that is smaller."""


@dataclass(frozen=True)
class Bins:
    """Bins of one variable and the training rows in them. The last bin is that of missing values.

    Attributes:
        edges: Values at which another cell begins, ascending, and NaN, which sorts behind every number: a value is in
            the cell whose number is that of the edges up to and including it. Cells of a number are its bins; of a
            category each has one of its own, the whole number that is its code.
        bin_of_cell: Bin of each cell.
        good: Training rows that repaid, one number per bin.
        bad: Those that defaulted, likewise.
        neutral: Whether a bin has too few rows to say anything; its weight of evidence is 0.
    """

    edges: npt.NDArray[np.float64]
    bin_of_cell: npt.NDArray[np.int_]
    good: npt.NDArray[np.int_]
    bad: npt.NDArray[np.int_]
    neutral: npt.NDArray[np.bool_]

    def place(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.int_]:
        """Return the bin of each value; NaN, so also a category that `fit` did not see, is in the last."""
        return self.bin_of_cell[np.searchsorted(self.edges, values, side="right")]

    @property
    def woe(self) -> npt.NDArray[np.float64]:
        """Weight of evidence of each bin, ln(its share of the good / its share of the bad): positive is safer.

        A bin without any good, or without any bad, counts as if it had half a one.
        """
        return np.where(self.neutral, 0.0, np.log(self._share(self.good) / self._share(self.bad)))

    @property
    def information_value(self) -> float:
        """Sum over the bins of (share of the good - share of the bad) x weight of evidence."""
        return float(((self._share(self.good) - self._share(self.bad)) * self.woe).sum())

    @property
    def n_telling(self) -> int:
        """Number of bins that are not neutral: with fewer than two the variable tells no applicant from another."""
        return int((~self.neutral).sum())

    @staticmethod
    def _share(count: npt.NDArray[np.int_]) -> npt.NDArray[np.float64]:
        return np.maximum(count, 0.5) / count.sum()


def find_bins(
    values: npt.NDArray[np.float64], y: npt.NDArray[np.int_], n_categories: int, min_bin_size: float, max_bins: int
) -> Bins:
    """Find the bins of greatest information value whose default rate rises or falls all along.

    Which of the two, the data decide. Categories are put in the order of their default rates, those rarer than a bin
    may be form one of their own. Missing values are a bin of their own. A bin of missing or rare values that is smaller
    than a bin may be is neutral.

    Args:
        values: One value per training row, NaN for missing: numbers, or codes 0, 1, … of categories.
        y: Outcomes, 1 for a default.
        n_categories: How many categories there are; 0 for numbers.
        min_bin_size: Share of the rows that a bin has to hold.
        max_bins: Bins at most, beside those of missing values and rare categories.
    """
    min_rows = math.ceil(min_bin_size * len(values))
    known = ~np.isnan(values)
    # A tree takes categories for numbers, so each has a cell of its own
    edges = np.arange(1.0, n_categories) if n_categories else _first_splits(values[known], y[known], min_rows)
    edges = np.append(edges, np.nan)
    cells = np.searchsorted(edges, values, side="right")
    good, bad = (np.bincount(cells[y == outcome], minlength=len(edges) + 1) for outcome in (0, 1))
    in_order = np.arange(len(edges))
    if n_categories:
        in_order = np.flatnonzero((good + bad)[:-1] >= min_rows)
        in_order = in_order[np.argsort(bad[in_order] / (good + bad)[in_order], kind="stable")]
    bin_of_cell = np.full(len(edges) + 1, -1)
    bin_of_cell[in_order] = _best_bins(good, bad, in_order, min_rows, max_bins)
    is_rare = bin_of_cell[:-1] < 0
    bin_of_cell[:-1][is_rare] = bin_of_cell.max() + 1
    bin_of_cell[-1] = bin_of_cell.max() + 1
    good, bad = (np.bincount(bin_of_cell, rows).astype(int) for rows in (good, bad))
    if not n_categories:
        edges, bin_of_cell = edges[np.diff(bin_of_cell) > 0], np.arange(len(good))
    return Bins(edges, bin_of_cell, good, bad, good + bad < min_bin_size * len(values))


def _best_bins(
    good: npt.NDArray[np.int_], bad: npt.NDArray[np.int_], in_order: npt.NDArray[np.int_], min_rows: int, max_bins: int
) -> npt.NDArray[np.int_]:
    """Return the bin of each cell that is to be binned: 0 for the first in order, and so on.

    Of all ways to join neighbours to at most `max_bins` bins that hold `min_rows` rows and both outcomes, and whose
    default rates rise all along or fall all along, it is the one of greatest information value, and of equal ones one
    of the fewest bins; a single bin if there is none.

    Args:
        good: Rows that repaid, by cell: of these and of others.
        bad: Rows that defaulted, likewise.
        in_order: Cells to be binned.
        min_rows: Rows that a bin has to hold.
        max_bins: Bins at most.
    """
    n_cells = len(in_order)
    # Of the cells from i up to, not including, j: entry [i, j]
    n_good, n_bad = (np.subtract.outer(upto := np.append(0, rows[in_order].cumsum()), upto).T for rows in (good, bad))
    is_bin = (n_good + n_bad >= min_rows) & (n_good > 0) & (n_bad > 0)
    rate = np.where(is_bin, n_bad, 0) / np.where(is_bin, n_good + n_bad, 1)
    good_share, bad_share = np.where(is_bin, n_good, 1) / good.sum(), np.where(is_bin, n_bad, 1) / bad.sum()
    value = np.where(is_bin, (good_share - bad_share) * np.log(good_share / bad_share), -np.inf)
    best, best_starts = -np.inf, [0]
    for sign in (1, -1):
        # [h, i, j]: whether a bin of the cells from i up to j may follow one of those from h up to i
        follows = sign * (rate[None] - rate[:, :, None]) >= 0
        total = np.where(np.arange(n_cells + 1)[:, None] == 0, value, -np.inf)  # of all bins, the last from i up to j
        before: list[npt.NDArray[np.int_]] = []  # the start of the bin before the last, of two bins, of three, …
        for n_bins in range(1, max_bins + 1):
            if n_bins > 1:
                joined = np.where(follows, total[:, :, None], -np.inf)
                before.append(joined.argmax(axis=0))
                total = value + joined.max(axis=0)
            if (gained := total[:, -1].max()) > best + _EQUAL:
                best, starts = gained, [int(total[:, -1].argmax()), n_cells]
                for start in reversed(before):
                    starts.insert(0, int(start[starts[0], starts[1]]))
                best_starts = starts[:-1]
    return np.searchsorted(best_starts, np.arange(n_cells), side="right") - 1


def _first_splits(known: npt.NDArray[np.float64], y: npt.NDArray[np.int_], min_rows: int) -> npt.NDArray[np.float64]:
    """Return where a decision tree of one variable splits it, rounded: a person has to find their value on the card."""
    if len(known) < 2 * min_rows:
        return np.empty(0)
    from sklearn.tree import DecisionTreeClassifier  # noqa: PLC0415 - only fitting needs it

    tree = DecisionTreeClassifier(max_leaf_nodes=_MAX_FIRST_BINS, min_samples_leaf=min_rows, random_state=0)
    tree.fit(known[:, None], y)
    splits = tree.tree_.threshold[tree.tree_.feature == 0]
    if (known == np.floor(known)).all():
        splits = np.ceil(splits)  # "from 3", not "from 2.5"
    spread = float(np.subtract(*np.percentile(known, [95, 5]))) or math.inf
    return np.unique([_round(float(split), min(abs(split), spread)) for split in splits])


def _round(value: float, size: float) -> float:
    return round(value, _DIGITS - math.floor(math.log10(size))) if size > 0 else value
