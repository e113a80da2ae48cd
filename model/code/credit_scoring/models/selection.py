"""Which columns a model is given: first what says something new, then what helps most to tell defaulters."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field
from scipy.stats import rankdata

from credit_scoring.models.base import text_columns
from credit_scoring.models.encoding import CategoryCodes


class SelectionOptions(BaseModel):
    """How many columns a person would have to send to the served model, and how they are picked.

    Attributes:
        max_features: Columns kept at most.
        max_correlation: Of two numbers whose absolute rank correlation is above this, the later column goes.
        max_rows: Rows that correlations are measured on, at most.
        seed: Seed of the sample of rows and of the trees that rank the columns.
        threads: Threads of the trees; 0 leaves it to OpenMP.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_features: int = Field(150, gt=0)
    max_correlation: float = Field(0.9, gt=0, le=1)
    max_rows: int = Field(20_000, gt=1)
    seed: int = Field(42, ge=0)
    threads: int = Field(0, ge=0)


def select_features(X: pd.DataFrame, y: pd.Series, options: SelectionOptions) -> list[str]:
    """Pick the columns to fit on. Give it training rows only: the ranking looks at the outcome.

    Columns that are constant, or that repeat an earlier column up to rank correlation `max_correlation`, go first,
    without a look at the outcome. The rest is ranked by the total gain of a small boosted forest.

    Args:
        X: Features of the training rows.
        y: Outcomes of the training rows.
        options: Bounds.

    Returns:
        Names of the picked columns, in the order of `X`.
    """
    kept = _drop_redundant(X, options)
    if len(kept) <= options.max_features:
        return kept
    gain = _gain_of(X[kept], y, options)
    # Stable sort: among columns of equal gain the earlier one stays, on any machine.
    ranked = np.argsort(-gain, kind="stable")[: options.max_features]
    return [kept[i] for i in sorted(ranked)]


def _drop_redundant(X: pd.DataFrame, options: SelectionOptions) -> list[str]:
    texts = text_columns(X)
    numbers = [name for name in X.columns if name not in texts]
    rows = X[numbers].sample(min(len(X), options.max_rows), random_state=options.seed).astype(float)
    # Where a number is missing is part of what it says: two columns repeat each other only if both agree.
    correlation = np.abs(rank_correlation(rows))
    same_nulls = _share_of_same_nulls(rows) > options.max_correlation
    repeats = (correlation > options.max_correlation) & same_nulls
    kept: list[int] = []
    for i in np.flatnonzero(rows.min() < rows.max()):
        if not repeats[i, kept].any():
            kept.append(int(i))
    names = {numbers[i] for i in kept} | {name for name in texts if len(X[name].unique()) > 1}
    return [name for name in X.columns if name in names]


def _share_of_same_nulls(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return, for each two columns, the share of the rows in which both are null or neither is."""
    missing = rows.isna().to_numpy(dtype=np.float32)  # in which counts of less than 2^24 rows are exact
    both, each = (missing.T @ missing).astype(np.float64), missing.sum(axis=0, dtype=np.float64)
    return (len(rows) - each[:, None] - each + 2 * both) / len(rows)


def rank_correlation(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return the rank correlation of each two columns; nulls rank in the middle, constants correlate with none."""
    values = rows.to_numpy(dtype=np.float64, na_value=np.nan)
    empty = np.isnan(values)
    # Behind every number they leave its rank as it is; SciPy ranks all columns at once, pandas one by one
    ranks = rankdata(np.where(empty, np.inf, values), axis=0)
    n_known = np.maximum((~empty).sum(axis=0), 1)
    filled = np.where(empty, np.where(empty, 0.0, ranks).sum(axis=0) / n_known, ranks)
    centred = filled - filled.mean(axis=0)
    norm = np.sqrt((centred**2).sum(axis=0))
    return (centred.T @ centred) / np.maximum(np.outer(norm, norm), np.finfo(float).tiny)


def _gain_of(X: pd.DataFrame, y: pd.Series, options: SelectionOptions) -> npt.NDArray[np.float64]:
    import lightgbm  # noqa: PLC0415 - where it is missing, the other families can still be compared

    codes = CategoryCodes("name").fit(X)
    data = lightgbm.Dataset(
        codes.transform(X),
        label=np.asarray(y),
        categorical_feature=codes.texts_.tolist(),
        params={"verbosity": -1, "max_bin": 63},
    )
    forest = lightgbm.train(
        {
            "objective": "binary",
            "learning_rate": 0.05,
            "num_leaves": 16,
            "min_data_in_leaf": 50,
            "feature_fraction": 0.1,
            "lambda_l2": 10.0,
            "max_bin": 63,
            "seed": options.seed,
            "num_threads": options.threads,
            "deterministic": True,
            "force_col_wise": True,
            "verbosity": -1,
        },
        data,
        num_boost_round=150,
    )
    return forest.feature_importance("gain")
