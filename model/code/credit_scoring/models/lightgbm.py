"""Gradient-boosted trees (LightGBM), with native categories and native nulls."""

from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.models.base import ScoringModel, text_columns


class LightGBMModel(ScoringModel):
    """LightGBM on numbers as they are and categories as codes.

    Nulls stay nulls: the trees learn a side for them. A category that was not seen in training is null. Training is
    deterministic for given rows, parameters and number of threads.

    Args:
        **params: Parameters of `lightgbm.LGBMClassifier`.
    """

    def __init__(self, **params: Any) -> None:
        self.params = params

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return the parameters as given; scikit-learn cannot read them off a `**params` signature."""
        return dict(self.params)

    def set_params(self, **params: Any) -> "LightGBMModel":
        """Change some of the parameters."""
        self.params = {**self.params, **params}
        return self

    def _fit(self, X: pd.DataFrame, y: npt.NDArray[np.int_]) -> None:
        self.categories_ = {name: np.sort(X[name].dropna().unique().astype(str)) for name in text_columns(X)}
        fixed = {"objective": "binary", "deterministic": True, "force_row_wise": True, "verbosity": -1}
        estimator = lightgbm.LGBMClassifier(**{**fixed, **self.params})
        estimator.fit(
            self._encode(X),
            y,
            feature_name=list(self.feature_names_in_),
            categorical_feature=[i for i, name in enumerate(self.feature_names_in_) if name in self.categories_],
        )
        self.booster_ = estimator.booster_

    def _predict_default(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        if X.empty:
            return np.empty(0)
        return np.asarray(self.booster_.predict(self._encode(X)))

    def _contributions(self, X: pd.DataFrame) -> tuple[npt.NDArray[np.float64], float]:
        """Return exact path-dependent TreeSHAP values (Lundberg et al., Nature Machine Intelligence 2, 2020)."""
        values = np.asarray(self.booster_.predict(self._encode(X), pred_contrib=True))
        return values[:, :-1], float(values[0, -1])

    def _encode(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        encoded = np.empty(X.shape, dtype=np.float64)
        for i, name in enumerate(X.columns):
            if name in self.categories_:
                codes = pd.Index(self.categories_[name]).get_indexer(X[name])  # -1: null, or not seen in training
                encoded[:, i] = np.where(codes < 0, np.nan, codes)
            else:
                encoded[:, i] = X[name].to_numpy(dtype=np.float64, na_value=np.nan)
        return encoded
