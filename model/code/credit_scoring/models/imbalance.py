"""Defaults are rare: what a model may learn from instead of the rows as they are. Needed for training only.

A strategy is applied to the rows that a model learns from, inside `ScoringModel.fit`, and to no others. All but `none`
make a model believe that defaults are as common as in its altered rows: its probabilities are too high and have to be
calibrated on predictions for rows as they are (`credit_scoring.models.calibration`) before they are read as such.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer

from credit_scoring.models.base import TrainingRows, text_columns

_NEIGHBOURS = 5
# Neighbours are sought among so many rows at a time, since that takes time by the square of the rows.
_BLOCK_ROWS = 2500
_QUANTILES = 1000
_SPREAD = 1 / np.sqrt(12)
"""Standard deviation of ranks from 0 to 1."""


def rebalance(
    X: pd.DataFrame, y: npt.NDArray[np.int_], strategy: str = "none", seed: int = 42, ratio: float = 1.0
) -> TrainingRows:
    """Return what to learn from. A function of its arguments alone.

    Args:
        X: Features of the rows to learn from.
        y: Their outcomes, 0 or 1, both present.
        strategy: `none`: the rows as they are. `class_weight`: the same rows, the rarer outcome weighing more; weights
            sum to the number of rows, so that penalties keep their meaning. `random_over`: rows of the rarer outcome
            are repeated, drawn with replacement. `random_under`: rows of the commoner outcome are left out.
            `smote`: new rows of the rarer outcome are made between neighbours, see Notes.
        seed: Seed of what is drawn.
        ratio: Rarer : commoner outcome afterwards, by weight or by number. The same for every strategy, so that they
            differ in the way and not in the amount; 1 is what "balanced" class weights do. Rows that are at the ratio
            already stay as they are.

    Returns:
        Rows: for `random_over` and `smote` those given come first and unchanged, for `random_under` those kept are in
        their order. Sample weights with `class_weight` only.

    Raises:
        ValueError: If the strategy is unknown, `ratio` is not in (0, 1], or SMOTE has a single row to start from.

    Notes:
        SMOTE (Chawla et al., JAIR 16, 2002): a new row lies on the line from a row to one of its 5 nearest neighbours
        of the same outcome. The line runs through ranks, from 0 to 1 among all rows, and is read back by the empirical
        quantiles: amounts have tails so heavy that distance and mean of raw ones are those of a few rich applicants.
        What cannot lie between, categories and nulls, is that of the nearer of the two rows: a whole pattern that
        occurs, since complete rows among gappy ones would give the new ones away to trees, and turn every null into a
        sign of repayment. In the search a null lies at the median, and a null beside a value, or another category,
        counts as one standard deviation of the ranks. Numbers that are whole in all rows are rounded, or a fraction
        would tell a new row from a true one. Neighbours are sought in random blocks of up to 2,500 rows, which bounds
        time and memory.

        `SMOTENC` of imbalanced-learn would need the nulls filled, takes the most frequent category of all neighbours,
        and does not say which of them it drew, so that no new row could have the nulls and categories of one.
    """
    if strategy not in _STRATEGIES:
        raise ValueError(f"Unknown imbalance strategy '{strategy}', expected one of {', '.join(STRATEGIES)}.")
    if not 0 < ratio <= 1:
        raise ValueError(f"The ratio of rarer to commoner outcome must be in (0, 1], not {ratio:g}.")
    y = np.asarray(y, dtype=int)
    counts = np.bincount(y, minlength=2)
    if counts.min() / counts.max() >= ratio:
        return TrainingRows(X, y)
    return _STRATEGIES[strategy](X, y, ratio, seed)


def _as_it_is(X: pd.DataFrame, y: npt.NDArray[np.int_], ratio: float, seed: int) -> TrainingRows:  # noqa: ARG001
    return TrainingRows(X, y)


def _weigh(X: pd.DataFrame, y: npt.NDArray[np.int_], ratio: float, seed: int) -> TrainingRows:  # noqa: ARG001
    counts = np.bincount(y)
    totals = np.where(counts == counts.min(), ratio, 1.0)
    weights = totals / totals.sum() * len(y) / counts
    return TrainingRows(X, y, weights[y])


def _repeat(X: pd.DataFrame, y: npt.NDArray[np.int_], ratio: float, seed: int) -> TrainingRows:
    from imblearn.over_sampling import RandomOverSampler  # noqa: PLC0415

    return _take(X, y, RandomOverSampler(sampling_strategy=ratio, random_state=seed))


def _leave_out(X: pd.DataFrame, y: npt.NDArray[np.int_], ratio: float, seed: int) -> TrainingRows:
    from imblearn.under_sampling import RandomUnderSampler  # noqa: PLC0415

    return _take(X, y, RandomUnderSampler(sampling_strategy=ratio, random_state=seed))


def _interpolate(X: pd.DataFrame, y: npt.NDArray[np.int_], ratio: float, seed: int) -> TrainingRows:
    counts = np.bincount(y)
    rarer = int(counts.argmin())
    n_new = round(ratio * counts.max()) - int(counts.min())
    if counts.min() < 2:
        raise ValueError("SMOTE needs two rows of the rarer outcome, got one. Hint: use more rows or another strategy.")
    rows = X[y == rarer].reset_index(drop=True)
    texts = text_columns(X)
    numbers = [name for name in X.columns if name not in texts and X[name].notna().any()]
    scale = QuantileTransformer(n_quantiles=min(_QUANTILES, len(X)), subsample=None)
    ranks = scale.fit(_floats(X, numbers)).transform(_floats(rows, numbers)) if numbers else np.empty((len(rows), 0))
    pairs = list(_draw_pairs(_places(ranks, rows[texts]), n_new, np.random.default_rng(seed)))
    nearer = np.concatenate([np.where(step < 0.5, one, other) for one, other, step in pairs])
    new = rows.iloc[nearer].reset_index(drop=True)
    if numbers:
        values = np.vstack([scale.inverse_transform(_between(ranks, *pair)) for pair in pairs])
        for name, made in zip(numbers, values.T, strict=True):
            known = X[name].dropna().to_numpy(dtype=np.float64)
            whole = np.array_equal(known, np.round(known))
            new[name] = pd.Series(np.round(made) if whole else made).astype(X[name].dtype)
    return TrainingRows(
        pd.concat([X, new], ignore_index=True), np.concatenate([y, np.full(n_new, rarer, dtype=y.dtype)])
    )


def _floats(X: pd.DataFrame, numbers: list[str]) -> npt.NDArray[np.float64]:
    return X[numbers].to_numpy(dtype=np.float64, na_value=np.nan)


def _places(ranks: npt.NDArray[np.float64], texts: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return rows as points: a null lies at the median, and as far from a value as another category from one."""
    empty = np.isnan(ranks)
    places = [np.where(empty, 0.5, ranks), empty * _SPREAD]
    if texts.shape[1]:
        named = texts.astype(object).where(texts.notna(), None)
        # Two indicators differ where one category differs.
        places.append(OneHotEncoder(sparse_output=False).fit_transform(named) * _SPREAD / np.sqrt(2))
    return np.hstack(places)


_Pairs = tuple[npt.NDArray[np.int_], npt.NDArray[np.int_], npt.NDArray[np.float64]]


def _draw_pairs(places: npt.NDArray[np.float64], n_new: int, generator: np.random.Generator) -> Iterator[_Pairs]:
    """Yield, block by block, a row, one of its nearest neighbours, and how far between them the new row is to lie."""
    n_blocks = -(-len(places) // _BLOCK_ROWS)
    for number, block in enumerate(np.array_split(generator.permutation(len(places)), n_blocks)):
        n_of_block = n_new // n_blocks + (number < n_new % n_blocks)
        neighbours = NearestNeighbors(n_neighbors=min(_NEIGHBOURS, len(block) - 1)).fit(places[block])
        nearest = neighbours.kneighbors(return_distance=False)
        one = generator.integers(0, len(block), n_of_block)
        other = nearest[one, generator.integers(0, nearest.shape[1], n_of_block)]
        yield block[one], block[other], generator.random(n_of_block)


def _between(
    ranks: npt.NDArray[np.float64],
    one: npt.NDArray[np.int_],
    other: npt.NDArray[np.int_],
    step: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return ranks on the way from one row to the other; where either has none, what the nearer of them has."""
    away = step[:, None]
    between = ranks[one] + away * (ranks[other] - ranks[one])
    return np.where(np.isnan(between), np.where(away < 0.5, ranks[one], ranks[other]), between)


def _take(X: pd.DataFrame, y: npt.NDArray[np.int_], sampler: object) -> TrainingRows:
    """Sample positions rather than rows: neither nulls nor text then concern the sampler."""
    positions = sampler.fit_resample(np.arange(len(y))[:, None], y)[0][:, 0]  # type: ignore[attr-defined]
    positions = np.sort(positions) if len(positions) < len(y) else positions
    return TrainingRows(X.iloc[positions].reset_index(drop=True), y[positions])


_STRATEGIES: dict[str, Callable[[pd.DataFrame, npt.NDArray[np.int_], float, int], TrainingRows]] = {
    "none": _as_it_is,
    "class_weight": _weigh,
    "smote": _interpolate,
    "random_over": _repeat,
    "random_under": _leave_out,
}
STRATEGIES = tuple(_STRATEGIES)
