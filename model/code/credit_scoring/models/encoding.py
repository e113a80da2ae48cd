"""Features as a matrix: codes for trees, standardised terms for linear models and networks."""

from collections.abc import Callable
from functools import cached_property
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.preprocessing import StandardScaler
from sklearn.utils import resample  # type: ignore[attr-defined]

from credit_scoring.models.base import text_columns

# Of a matrix of terms at a time, so that what is worked out on the way stays small.
_BLOCK_ROWS = 4096
_QUANTILES = 1000
_SAMPLE = 100_000
"""Rows that quantiles are learnt from, if there are more."""
_LARGEST = float(np.finfo(np.float32).max)


class CategoryCodes:
    """Numbers as they are, categories as codes, nulls and categories not seen in `fit` as NaN.

    Args:
        order: `name` numbers the categories alphabetically, for trees that treat codes as categories; `frequency`
            numbers the most frequent 0, for trees that only know larger and smaller.
        with_null: Whether null is a category too, the last one, in columns that hold it in `fit`.

    Attributes:
        categories_: By text column, the categories in the order of their codes; `None` is that of null.
        texts_: Positions of the text columns.
    """

    def __init__(self, order: Literal["name", "frequency"], *, with_null: bool = False) -> None:
        self.order = order
        self.with_null = with_null

    def fit(self, X: pd.DataFrame) -> Self:
        """Learn which columns are text and which categories they hold."""
        self.categories_: dict[str, npt.NDArray[np.object_]] = {}
        for name in text_columns(X):
            names, counts = np.unique(X[name].dropna().to_numpy(dtype=object).astype(str), return_counts=True)
            if self.order == "frequency":
                names = names[np.argsort(-counts, kind="stable")]
            null = [None] if self.with_null and X[name].hasnans else []
            self.categories_[name] = np.array([*names.tolist(), *null], dtype=object)
        self.texts_ = np.flatnonzero(X.columns.isin(list(self.categories_)))
        self.unseen_ = np.array([len(names) for names in self.categories_.values()], dtype=int)
        self.starts_ = np.cumsum(self.unseen_ + 1) - self.unseen_ - 1
        return self

    @cached_property
    def codes(self) -> dict[str, dict[str | None, float]]:
        """By text column, the code of each category."""
        return {
            name: {category: float(code) for code, category in enumerate(categories)}
            for name, categories in self.categories_.items()
        }

    def transform(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return one column per column of `X`, in its order."""
        is_text = X.columns.isin(list(self.categories_))
        encoded = np.empty(X.shape, dtype=np.float64)
        # All numbers in one go, and categories by dictionary: pandas, column by column, takes longer to encode one row
        # than the trees take to score it.
        encoded[:, ~is_text] = X.loc[:, ~is_text].to_numpy(dtype=np.float64, na_value=np.nan)
        codes, texts = self.codes, X.loc[:, is_text].to_numpy(dtype=object, copy=True)
        texts[pd.isna(texts)] = None
        for values, place in zip(texts.T, np.flatnonzero(is_text), strict=True):
            of_column = codes[X.columns[place]]
            encoded[:, place] = [of_column.get(value, np.nan) for value in values]
        return encoded

    def places(self, encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.int_]:
        """Return where each category of encoded rows stands in one list of all, a column per text column.

        The list holds the categories of the first text column, a place for NaN, the categories of the next, and so on.
        """
        codes = encoded[:, self.texts_]
        return self.starts_ + np.where(np.isnan(codes), self.unseen_, codes).astype(int)


class StandardisedTerms:
    """Numbers as standardised ranks with a flag where they are missing, categories as indicators.

    Ranks tame the heavy tails of amounts and make coefficients comparable. Normal scores would too, but send the many
    zeros at the lower end of a count or a debt to minus five standard deviations. Null numbers take the median.

    Ranks are those of scikit-learn's `QuantileTransformer`, to the last bit, worked out here for all columns at once:
    it goes through them one by one, which takes seven times as long to learn and a hundred times for one row.

    Args:
        min_frequency: Categories of a smaller share are pooled; one that was not seen in `fit` counts as pooled.

    Attributes:
        codes_: How rows become numbers, which the terms are made of.
        sources_: For each term, the position of the feature it was made of.
    """

    def __init__(self, min_frequency: float) -> None:
        self.min_frequency = min_frequency

    def fit_transform(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Learn ranks, medians and categories; return the terms of the same rows."""
        self.codes_ = CategoryCodes("name", with_null=True).fit(X)
        encoded = self.codes_.transform(X)
        empty = np.isnan(encoded)
        is_number = np.ones(X.shape[1], dtype=bool)
        is_number[self.codes_.texts_] = False
        # A column without a single value has no quantiles; it tells nothing and takes no part.
        self.numbers_ = np.flatnonzero(is_number & ~empty.all(axis=0))
        ranks = self._learn_ranks(encoded[:, self.numbers_])
        self.flagged_ = np.flatnonzero(empty[:, self.numbers_].any(axis=0))
        self._learn_indicators(encoded[:, self.codes_.texts_])
        return _in_blocks(self._terms, encoded, ranks)

    def transform(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return one column per term; each row depends on itself alone, to the last bit."""
        return self.transform_coded(self.codes_.transform(X))

    def transform_coded(self, encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return what `transform` does, of rows that `codes_` has encoded."""
        return _in_blocks(lambda rows: self._terms(rows, self._rank(rows[:, self.numbers_])), encoded)

    def _learn_ranks(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Learn the quantiles of each column, and mean, scale and median of its ranks; return the ranks."""
        if values.shape[1] == 0:
            self.quantiles_, self.references_ = np.empty((0, 1)), np.zeros(1)
            self.run_starts_ = np.empty((0, 1), dtype=np.int16)
            self.means_ = self.scales_ = self.medians_ = np.empty(0)
            return values
        self.references_ = np.linspace(0, 1, min(_QUANTILES, len(values)))
        quantiles = _quantiles(values, self.references_)
        # Filled up to a width of 2^n - 1, which n halvings search.
        width = (1 << len(self.references_).bit_length()) - 1
        self.quantiles_ = np.full((values.shape[1], width), np.inf)
        self.quantiles_[:, : len(self.references_)] = quantiles
        # Where each run of equal quantiles begins: a value that many rows share ranks in the middle of its run.
        first = np.ones_like(quantiles, dtype=bool)
        first[:, 1:] = np.diff(quantiles) > 0
        self.run_starts_ = np.maximum.accumulate(np.where(first, np.arange(first.shape[1]), 0), axis=1).astype(np.int16)
        ranked = np.asfortranarray(_in_blocks(self._rank, values))  # column by column, sums are more accurate
        scaler = StandardScaler().fit(ranked)
        self.means_, self.scales_ = scaler.mean_, scaler.scale_
        self.medians_ = np.nanmedian((ranked - self.means_) / self.scales_, axis=0)
        return ranked

    def _rank(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the ranks from 0 to 1 of numbers among those of `fit`, as `QuantileTransformer` does."""
        n_columns, width = self.quantiles_.shape
        last = len(self.references_) - 1
        quantiles, row = self.quantiles_.ravel(), np.arange(n_columns)
        # How many quantiles are no greater, found for all values at once by halving.
        before = np.broadcast_to(row * width - 1, values.shape).copy()
        step = (width + 1) // 2
        while step:
            before += (quantiles.take(before + step) <= values) * step
            step //= 2
        at = before - row * width
        left = np.clip(at, 0, max(last - 1, 0))
        right = np.minimum(left + 1, last)
        x_left, x_right = (quantiles.take(row * width + place) for place in (left, right))
        y_left, y_right = self.references_[left], self.references_[right]
        with np.errstate(divide="ignore", invalid="ignore"):  # where there is nothing between, nothing is taken from it
            slope = (y_right - y_left) / (x_right - x_left)
            between = 0.5 * ((slope * (values - x_left) + y_left) - (slope * (x_right - values) - y_right))
        tied = 0.5 * (self.references_[self.run_starts_.ravel().take(row * (last + 1) + np.clip(at, 0, last))] + y_left)
        ranks = np.where(values == x_left, tied, between)
        least, greatest = self.quantiles_[:, 0], self.quantiles_[:, last]
        ranks[values >= greatest] = 1.0
        ranks[values <= least] = 0.0
        ranks[np.isnan(values)] = np.nan
        return ranks

    def _learn_indicators(self, codes: npt.NDArray[np.float64]) -> None:
        """Number the indicators: one per category, the rare ones of a column sharing one, which comes last."""
        numbers: list[int] = []
        sources: list[int] = []
        for place, n_categories, values in zip(self.codes_.texts_, self.codes_.unseen_, codes.T, strict=True):
            rare = np.bincount(values.astype(int), minlength=n_categories) < self.min_frequency * len(values)
            n_common, n_before = int((~rare).sum()), len(sources)
            numbers += (n_before + np.where(rare, n_common, np.cumsum(~rare) - 1)).tolist()
            # A category that was not seen counts as rare; without rare ones it has no indicator, which is number -1.
            numbers.append(n_before + n_common if rare.any() else -1)
            sources += [int(place)] * (n_common + int(rare.any()))
        self.indicators_ = np.array(numbers, dtype=int)
        self.sources_ = np.array([*self.numbers_, *self.numbers_[self.flagged_], *sources], dtype=int)

    def _terms(self, encoded: npt.NDArray[np.float64], ranks: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        empty = np.isnan(ranks)
        scaled = np.where(empty, self.medians_, (ranks - self.means_) / self.scales_)
        n_numbers = len(self.numbers_) + len(self.flagged_)
        # One more column, for those without an indicator.
        indicators = np.zeros((len(encoded), len(self.sources_) - n_numbers + 1))
        indicators[np.arange(len(encoded))[:, None], self.indicators_[self.codes_.places(encoded)]] = 1.0
        return np.hstack([scaled, empty[:, self.flagged_], indicators[:, :-1]])


def keep_within_float32(encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return numbers beyond single precision as its largest, and NaN as it is.

    XGBoost and the trees of scikit-learn compare in single precision and may refuse what is infinite there. No score
    differs, since every cut lies between two values of training.
    """
    return np.clip(encoded, -_LARGEST, _LARGEST)


def _quantiles(values: npt.NDArray[np.float64], shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the quantiles of the numbers of each column, interpolated linearly: one row per column."""
    if len(values) > _SAMPLE:
        values = resample(values, replace=False, n_samples=_SAMPLE, random_state=0)
    ordered = np.sort(values.T)  # NaN last
    last = np.count_nonzero(~np.isnan(ordered), axis=1)[:, None] - 1
    places = shares * 100 / 100 * last  # NumPy's quantiles come by way of percentiles, which rounds
    before = np.floor(places).astype(int)
    low, high = (np.take_along_axis(ordered, place, axis=1) for place in (before, np.minimum(before + 1, last)))
    share, step = places - before, high - low
    between = np.where(share < 0.5, low + step * share, high - step * (1 - share))
    return np.maximum.accumulate(between, axis=1)


def _in_blocks(work: Callable[..., npt.NDArray[np.float64]], *rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    blocks = range(0, max(len(rows[0]), 1), _BLOCK_ROWS)
    return np.concatenate([work(*(each[start : start + _BLOCK_ROWS] for each in rows)) for start in blocks])
