"""Bins of a variable for a points scorecard, their weight of evidence and information value.

Formulas: N. Siddiqi, Credit Risk Scorecards, Wiley 2006, chapter 6. Finding the bins needs optbinning, which solves for
those of greatest information value (G. Navas-Palencia, Optimal binning, arXiv:2001.08025); using them NumPy alone.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_MAX_FIRST_BINS = 12
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
    known = ~np.isnan(values)
    groups: list[npt.NDArray[np.float64]] = []
    # What a tree would not split, the solver need not look at; a tree takes categories for numbers.
    splits = None if n_categories else _first_splits(values[known], y[known], math.ceil(min_bin_size * len(values)))
    if known.any() and (splits is None or len(splits)):
        from optbinning import OptimalBinning  # noqa: PLC0415 - takes over a second, and only fitting needs it

        solver = OptimalBinning(
            dtype="categorical" if n_categories else "numerical",
            monotonic_trend="auto_asc_desc",
            min_prebin_size=min_bin_size,
            min_bin_size=min_bin_size,
            max_n_bins=max_bins,
            cat_cutoff=min_bin_size if n_categories else None,
            user_splits=splits,
        )
        groups = list(solver.fit(values, y).splits)
    if n_categories:
        # Categories in no group are as rare as those of optbinning's last, its others.
        cells = np.full(n_categories + 1, max(len(groups) - 1, 0))
        for number, codes in enumerate(groups):
            cells[np.asarray(codes, dtype=int)] = number
        edges, n_bins = np.arange(1.0, n_categories), max(len(groups), 1)
    else:
        edges = np.asarray(groups, dtype=np.float64)
        n_bins = len(edges) + 1
        cells = np.arange(n_bins + 1)
    cells[-1] = n_bins
    edges = np.append(edges, np.nan)
    placed = cells[np.searchsorted(edges, values, side="right")]
    good, bad = (np.bincount(placed[y == outcome], minlength=n_bins + 1) for outcome in (0, 1))
    return Bins(edges, cells, good, bad, good + bad < min_bin_size * len(values))


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
