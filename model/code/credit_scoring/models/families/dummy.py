"""The baseline that any model must beat: the default rate, for everyone."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.models.base import ScoringModel, TrainingRows


class DummyModel(ScoringModel):
    """Predict the default rate of the training rows. With any threshold it grants all or refuses all."""

    labels = {"fr": "modèle de référence", "en": "baseline model"}
    complexity = "constant"

    def _fit(self, rows: TrainingRows, validation: TrainingRows | None) -> None:  # noqa: ARG002
        self.default_rate_ = float(np.average(rows.y, weights=rows.sample_weight))

    def _predict_default(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        return np.full(len(X), self.default_rate_)

    def _contributions(self, X: pd.DataFrame) -> tuple[npt.NDArray[np.float64], float]:
        odds = self.default_rate_ / (1 - self.default_rate_)
        return np.zeros(X.shape), float(np.log(odds))
