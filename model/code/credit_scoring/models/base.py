"""What every model family offers to the rest of the project."""

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin


class ScoringModel(ClassifierMixin, BaseEstimator, ABC):
    """A scikit-learn classifier of default that can say what each feature added to a score.

    Attributes:
        feature_names_in_: Features the model was fitted on, in order.
        classes_: Always `[0, 1]`.
    """

    feature_names_in_: npt.NDArray[np.str_]
    classes_ = np.array([0, 1])

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Fit on one row per applicant.

        Args:
            X: Features: numbers, text categories, nulls.
            y: Outcomes, 0 repaid, 1 defaulted.

        Raises:
            ValueError: If `y` holds anything but 0 and 1, or only one of them.
        """
        outcomes = np.asarray(y, dtype=float)
        if not np.array_equal(np.unique(outcomes), [0.0, 1.0]):
            found = ", ".join(f"{value:g}" for value in np.unique(outcomes)[:5])
            raise ValueError(
                f"TARGET must hold both 0 and 1 and nothing else to fit {type(self).__name__}, found {found}.\n"
                "Hint: use more rows, fewer folds, or check how TARGET was made."
            )
        self.feature_names_in_ = np.asarray(X.columns, dtype=str)
        self._fit(X, outcomes.astype(int))
        return self

    def predict_proba(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the probabilities of repayment and of default, shape (n, 2). A feature missing from `X` is null."""
        default = self._predict_default(self._features_of(X))
        return np.column_stack([1 - default, default])

    def predict(self, X: pd.DataFrame) -> npt.NDArray[np.int_]:
        """Return the likelier outcome; only for scikit-learn's sake, decisions are taken by a threshold on the cost."""
        return (self.predict_proba(X)[:, 1] >= 0.5).astype(int)

    def contributions(self, X: pd.DataFrame) -> tuple[pd.DataFrame, float]:
        """Split each score among the features (SHAP values on the margin).

        Returns:
            Contributions in log-odds, same rows as `X` and one column per feature, and the base value; a row's
            contributions and the base value sum to the log-odds of that row's probability of default.
        """
        values, base = self._contributions(self._features_of(X))
        return pd.DataFrame(values, columns=self.feature_names_in_, index=X.index), base

    def _features_of(self, X: pd.DataFrame) -> pd.DataFrame:
        return X.reindex(columns=self.feature_names_in_)

    @abstractmethod
    def _fit(self, X: pd.DataFrame, y: npt.NDArray[np.int_]) -> Any: ...

    @abstractmethod
    def _predict_default(self, X: pd.DataFrame) -> npt.NDArray[np.float64]: ...

    @abstractmethod
    def _contributions(self, X: pd.DataFrame) -> tuple[npt.NDArray[np.float64], float]: ...


def text_columns(X: pd.DataFrame) -> list[str]:
    """Return the columns that hold categories as text."""
    return list(X.select_dtypes(exclude=["number", "bool"]).columns)
