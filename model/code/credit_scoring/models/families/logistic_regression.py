"""Logistic regression on ranks: the transparent reference."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from credit_scoring.models.base import CodedModel, TrainingRows, Trial
from credit_scoring.models.encoding import StandardisedTerms


class LogisticRegressionModel(CodedModel):
    """Ridge-penalised logistic regression on `StandardisedTerms`.

    Args:
        C: Inverse strength of the penalty.
        max_iter: Iterations of the solver at most.
        min_frequency: Categories of a smaller share are pooled.
    """

    labels = {"fr": "régression logistique", "en": "logistic regression"}
    complexity = "equation"
    test_params = {"C": 0.1}

    def __init__(self, C: float = 0.01, max_iter: int = 1000, min_frequency: float = 0.005) -> None:
        self.C = C
        self.max_iter = max_iter
        self.min_frequency = min_frequency

    @classmethod
    def search_space(cls, trial: Trial, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG003
        """Suggest the strength of the penalty; a weaker one than 0.1 takes the solver many times as long."""
        return {"C": trial.suggest_float("C", 1e-4, 0.1, log=True)}

    @classmethod
    def grid(cls) -> dict[str, list[Any]]:
        """Return three strengths of the penalty."""
        return {"C": [0.001, 0.01, 0.1]}

    def _fit(self, rows: TrainingRows, validation: TrainingRows | None) -> None:  # noqa: ARG002
        self.terms_ = StandardisedTerms(self.min_frequency)
        self.estimator_ = LogisticRegression(C=self.C, max_iter=self.max_iter)
        Z = self.terms_.fit_transform(rows.X)
        self.codes_ = self.terms_.codes_
        self.estimator_.fit(Z, rows.y, rows.sample_weight)
        self.term_means_ = Z.mean(axis=0)

    def predict_coded(self, encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probabilities of default of encoded rows."""
        Z = self.terms_.transform_coded(encoded)
        # Row by row: a matrix product sums in another order for another number of rows, and the last bit would follow.
        margin = (Z * self.estimator_.coef_[0]).sum(axis=1) + self.estimator_.intercept_[0]
        return expit(margin)

    def contributions_coded(self, encoded: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
        """Return coefficient x (term - its training mean), summed over the terms that one feature became.

        These are the Shapley values of a linear model with independent features (Lundberg & Lee, NeurIPS 2017, sec. 4).
        """
        Z = self.terms_.transform_coded(encoded)
        coefficients = self.estimator_.coef_[0]
        values = np.zeros(encoded.shape)
        np.add.at(values.T, self.terms_.sources_, ((Z - self.term_means_) * coefficients).T)
        return values, float(self.estimator_.intercept_[0] + self.term_means_ @ coefficients)
