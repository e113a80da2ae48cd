"""Defaults are rare: what a model may learn from instead of the rows as they are. Needed for training only.

A strategy is applied to the rows that a model learns from, inside `ScoringModel.fit`, and to no others. All but `none`
make a model believe that defaults are as common as in its altered rows: its probabilities are too high and have to be
calibrated on predictions for rows as they are (`credit_scoring.models.calibration`) before they are read as such.
"""

import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from credit_scoring.models.base import TrainingRows, text_columns
from credit_scoring.models.encoding import CategoryCodes

_NEIGHBOURS = 5
# Neighbours are sought among so many rows at a time. SMOTE takes time by the square of the rows and memory by
# new rows x neighbours x columns: in one go, 2.5 GB for a single array with 20,000 defaults of 250,000 applicants.
_BLOCK_ROWS = 2500


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
        SMOTE (Chawla et al., JAIR 16, 2002), for mixed columns SMOTE-NC: a new row lies on the line from a row to one
        of its 5 nearest neighbours of the same outcome; its categories are the neighbours' most frequent. Distances
        are taken on numbers divided by their standard deviation, null numbers replaced by the median, a null category
        as one more category. Numbers that are whole in all rows are rounded, or a fraction would tell a new row from a
        true one. A new row has its nulls where the true row nearest to it has them: complete rows among gappy ones
        would give the new ones away to trees, and turn every null into a sign of repayment. Neighbours are sought in
        random blocks of up to 2,500 rows, which bounds time and memory.
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
    rows = X[y == rarer]
    texts = text_columns(X)
    codes = CategoryCodes("name").fit(rows)
    values = codes.transform(rows)
    empty = np.isnan(values)
    known = ~empty.all(axis=0)
    is_text = np.array([name in texts for name in X.columns], dtype=bool)
    # A null category is one more category, -1; a null number is replaced, and an empty column takes no part.
    values[:, is_text] = np.where(np.isnan(values[:, is_text]), -1, values[:, is_text])
    numbers, used = ~is_text & known, is_text | known
    values[:, numbers] = np.where(
        np.isnan(values[:, numbers]), np.nanmedian(values[:, numbers], axis=0), values[:, numbers]
    )
    spread = np.ones(X.shape[1])
    spread[numbers] = values[:, numbers].std(axis=0)
    spread[spread == 0] = 1.0
    made = np.full((n_new, X.shape[1]), np.nan)
    scaled, nearest = _make_rows((values / spread)[:, used], is_text[used], n_new, seed)
    made[:, used] = scaled * spread[used]
    made[:, numbers] = np.where(empty[nearest][:, numbers], np.nan, made[:, numbers])
    new = pd.DataFrame({name: _decode(made[:, i], X[name], codes) for i, name in enumerate(X.columns)})
    return TrainingRows(
        pd.concat([X, new], ignore_index=True), np.concatenate([y, np.full(n_new, rarer, dtype=y.dtype)])
    )


def _make_rows(
    values: npt.NDArray[np.float64], is_text: npt.NDArray[np.bool_], n_new: int, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int_]]:
    """Return new rows, and the position of the given row that is nearest to each."""
    from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC  # noqa: PLC0415

    generator = np.random.default_rng(seed)
    n_blocks = -(-len(values) // _BLOCK_ROWS)
    blocks = np.array_split(generator.permutation(len(values)), n_blocks)
    made, nearest = [], []
    for number, block in enumerate(blocks):
        n_of_block = n_new // n_blocks + (number < n_new % n_blocks)
        if not n_of_block:
            continue
        # The sampler wants a second class to balance against: a copy of a row stands in for it.
        rows = np.vstack([values[block], values[block[:1]]])
        outcome = np.append(np.ones(len(block), dtype=int), 0)
        options = {
            "sampling_strategy": {1: len(block) + n_of_block},
            "k_neighbors": min(_NEIGHBOURS, len(block) - 1),
            "random_state": int(generator.integers(2**31)),
        }
        if is_text.all():
            sampler = SMOTEN(**options)
        elif is_text.any():
            sampler = SMOTENC(categorical_features=np.flatnonzero(is_text).tolist(), **options)
        else:
            sampler = SMOTE(**options)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "After over-sampling, the number of samples", UserWarning)
            made.append(sampler.fit_resample(rows, outcome)[0][len(rows) :])
        neighbours = NearestNeighbors(n_neighbors=1).fit(values[block])
        nearest.append(block[neighbours.kneighbors(made[-1], return_distance=False)[:, 0]])
    return np.vstack(made), np.concatenate(nearest)


def _decode(made: npt.NDArray[np.float64], column: pd.Series, codes: CategoryCodes) -> pd.Series:
    if column.name in codes.categories_:
        names = np.array([*codes.categories_[column.name], None], dtype=object)  # position -1: null
        return pd.Series(names[np.round(made).astype(int)], dtype=column.dtype)
    known = column.dropna().to_numpy(dtype=np.float64)
    if known.size and np.array_equal(known, np.round(known)):
        made = np.round(made)
    return pd.Series(made).astype(column.dtype)


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
