"""Contributions for families whose own structure offers no exact and fast ones."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit

from credit_scoring.models.base import Rebalance, ScoringModel, text_columns

_BACKGROUND_ROWS = 10
_PERMUTATIONS = 2


class PermutationContributions(ScoringModel):
    """Shapley values of the log-odds against ten training rows, estimated by permutations.

    Features are taken from the applicant one after another in a random order and in the reverse of it, twice; what the
    log-odds gain at each step, averaged over the background rows, is the feature's contribution (Strumbelj & Kononenko,
    Knowledge and Information Systems 41, 2014; antithetic as in SHAP's permutation explainer). So they sum to the
    log-odds exactly, are exact where features interact in pairs at most, and else estimates. The same applicant gets
    the same contributions in any batch. One row costs 40 x (features + 1) predictions: at 150 features 6,040 of them.

    Attributes:
        background_: The rows that stand for "value unknown".
    """

    def _fit_rows(self, X: pd.DataFrame, y: npt.NDArray[np.int_], rebalance: Rebalance) -> None:
        rows = X.sample(min(len(X), _BACKGROUND_ROWS), random_state=0).reset_index(drop=True)
        # Text, names of columns included, as plain objects: pandas keeps it with pyarrow, which no server has
        rows = rows.astype(dict.fromkeys(text_columns(rows), object))
        self.background_ = rows.set_axis(rows.columns.astype(object), axis=1)
        super()._fit_rows(X, y, rebalance)

    def _contributions(self, X: pd.DataFrame) -> tuple[npt.NDArray[np.float64], float]:
        generator = np.random.default_rng(0)
        orders = [generator.permutation(X.shape[1]) for _ in range(_PERMUTATIONS)]
        orders += [order[::-1] for order in orders]
        values = [self._gains(X.iloc[[i]], orders) for i in range(len(X))]
        return np.array(values).reshape(X.shape), float(self._log_odds(self.background_).mean())

    def _gains(self, row: pd.DataFrame, orders: Sequence[npt.NDArray[np.int_]]) -> npt.NDArray[np.float64]:
        """Return what the log-odds gain as features are taken from the applicant, in the mean of these orders."""
        n_steps, n_others = row.shape[1] + 1, len(self.background_)
        taken_at = np.argsort(orders, axis=1)
        # Row 0 of the pool is the applicant: text and nulls need no encoding to be taken from one row or another.
        pool = pd.concat([row.astype(self.background_.dtypes), self.background_], ignore_index=True)
        number, step, other = np.indices((len(orders), n_steps, n_others)).reshape(3, -1)
        mixed = {
            name: pool[name].array.take(np.where(taken_at[number, i] < step, 0, other + 1))
            for i, name in enumerate(pool)
        }
        log_odds = self._log_odds(pd.DataFrame(mixed)).reshape(len(orders), n_steps, n_others).mean(axis=2)
        return np.take_along_axis(np.diff(log_odds), taken_at, axis=1).mean(axis=0)

    def _log_odds(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        return logit(self._predict_default(X))
