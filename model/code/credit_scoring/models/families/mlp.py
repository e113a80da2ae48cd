"""A small neural network (scikit-learn) on the terms of the logistic regression."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from credit_scoring.models.base import TrainingRows, Trial
from credit_scoring.models.encoding import StandardisedTerms
from credit_scoring.models.permutation import PermutationContributions

# Beyond, 1 - p is 0 in double precision and the log-odds of the probability are lost.
_LARGEST_MARGIN = 30.0


class MLPModel(PermutationContributions):
    """Layers of rectified units on `StandardisedTerms`, trained by Adam until the log loss on validation rows is least.

    scikit-learn's own early stopping watches accuracy, which says nothing where 92 in 100 repay: hence the loop here.

    Args:
        hidden_units: Units of each hidden layer.
        n_layers: Hidden layers.
        alpha: Strength of the squared penalty.
        learning_rate_init: First step size of Adam.
        batch_size: Rows per step, at most.
        max_iter: Epochs at most.
        early_stopping_rounds: Epochs without progress on the rows kept for validation, after which training ends.
        validation_share: Share of the rows that is kept for validation for it.
        min_frequency: Categories of a smaller share are pooled.
        random_state: Seed of the first weights, of the order of rows and of the rows kept for validation.

    Attributes:
        n_iterations_: Epochs of the fitted model.
    """

    labels = {"fr": "réseau de neurones", "en": "neural network"}
    test_params = {"hidden_units": 4, "max_iter": 30, "batch_size": 32, "learning_rate_init": 0.01}

    def __init__(
        self,
        hidden_units: int = 32,
        n_layers: int = 1,
        alpha: float = 0.01,
        learning_rate_init: float = 0.001,
        batch_size: int = 256,
        max_iter: int = 100,
        early_stopping_rounds: int | None = 5,
        validation_share: float = 0.1,
        min_frequency: float = 0.005,
        random_state: int = 0,
    ) -> None:
        self.hidden_units = hidden_units
        self.n_layers = n_layers
        self.alpha = alpha
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.early_stopping_rounds = early_stopping_rounds
        self.validation_share = validation_share
        self.min_frequency = min_frequency
        self.random_state = random_state

    @classmethod
    def search_space(cls, trial: Trial, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG003
        """Suggest the size of the network, its penalty and its step size."""
        return {
            "hidden_units": trial.suggest_categorical("hidden_units", [8, 16, 32, 64]),
            "n_layers": trial.suggest_int("n_layers", 1, 2),
            "alpha": trial.suggest_float("alpha", 1e-4, 10.0, log=True),
            "learning_rate_init": trial.suggest_float("learning_rate_init", 1e-4, 3e-3, log=True),
            "batch_size": trial.suggest_categorical("batch_size", [256, 1024]),
        }

    @classmethod
    def grid(cls) -> dict[str, list[Any]]:
        """Return four combinations of size and penalty."""
        return {"hidden_units": [16, 64], "alpha": [0.01, 1.0]}

    def _fit(self, rows: TrainingRows, validation: TrainingRows | None) -> None:
        self.terms_ = StandardisedTerms(self.min_frequency)
        Z = self.terms_.fit_transform(rows.X)
        network = MLPClassifier(
            hidden_layer_sizes=(self.hidden_units,) * self.n_layers,
            alpha=self.alpha,
            learning_rate_init=self.learning_rate_init,
            batch_size=min(self.batch_size, len(Z)),
            random_state=self.random_state,
        )
        Z_validation = None if validation is None else self.terms_.transform(validation.X)
        least, best = np.inf, 0
        for epoch in range(1, self.max_iter + 1):
            network.partial_fit(Z, rows.y, sample_weight=rows.sample_weight, classes=self.classes_)
            if validation is not None:
                loss = log_loss(
                    validation.y, network.predict_proba(Z_validation)[:, 1], sample_weight=validation.sample_weight
                )
                if loss >= least:
                    if epoch - best >= (self.early_stopping_rounds or 0):
                        break
                    continue
                least = loss
            best = epoch
            self.weights_ = [weights.copy() for weights in network.coefs_]
            self.biases_ = [biases.copy() for biases in network.intercepts_]
        self.n_iterations_ = best

    def _predict_default(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        return expit(self._log_odds(X))

    def _log_odds(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        layer = self.terms_.transform(X)
        for depth, (weights, biases) in enumerate(zip(self.weights_, self.biases_, strict=True)):
            if depth:
                layer = np.maximum(layer, 0.0)
            # Term by term: a matrix product sums in another order for another number of rows, and the last bit would
            # follow.
            total = np.tile(biases, (len(layer), 1))
            for term in range(len(weights)):
                total += layer[:, term, None] * weights[term]
            layer = total
        return np.clip(layer[:, 0], -_LARGEST_MARGIN, _LARGEST_MARGIN)
