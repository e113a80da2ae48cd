"""Forests of independent trees (scikit-learn), with native nulls."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from credit_scoring.models.base import LibraryModel, TrainingRows, Trial
from credit_scoring.models.encoding import CategoryCodes, keep_within_float32
from credit_scoring.models.permutation import PermutationContributions

_KINDS = {"random_forest": RandomForestClassifier, "extra_trees": ExtraTreesClassifier}


class RandomForestModel(LibraryModel, PermutationContributions):
    """A random forest, or extremely randomised trees, on numbers as they are and categories ranked by frequency.

    Nulls stay nulls: the trees learn a side for them. A category that was not seen in training is null. Trees in
    agreement say exactly 0 or 1, whose log-odds are infinite; probabilities are kept between 1 / (n + 2) and
    (n + 1) / (n + 2), since n rows cannot show more (Laplace's rule of succession).

    Args:
        kind: `random_forest`, or `extra_trees`, whose cuts are random (Geurts et al., Machine Learning 63, 2006).
        **params: Parameters of scikit-learn's `RandomForestClassifier` or `ExtraTreesClassifier`.
    """

    labels = {"fr": "forêt aléatoire", "en": "random forest"}
    test_params = {"n_estimators": 10, "min_samples_leaf": 3, "max_features": 0.5, "n_jobs": 2}

    def __init__(self, kind: str = "random_forest", **params: Any) -> None:
        if kind not in _KINDS:
            raise TypeError(f"kind must be one of {', '.join(_KINDS)}, not {kind!r}")
        self.kind = kind
        self.params = params

    @classmethod
    def library_params(cls) -> Collection[str]:
        """Return the names that both estimators know."""
        return RandomForestClassifier().get_params()

    @classmethod
    def search_space(cls, trial: Trial, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG003
        """Suggest how different and how deep 300 trees are."""
        return {
            "n_estimators": 300,
            "kind": trial.suggest_categorical("kind", ["random_forest", "extra_trees"]),
            "min_samples_leaf": trial.suggest_int("min_samples_leaf", 10, 300, log=True),
            "max_features": trial.suggest_float("max_features", 0.03, 0.5, log=True),
        }

    @classmethod
    def grid(cls) -> dict[str, list[Any]]:
        """Return four combinations of the size of leaves and the columns that a cut is chosen from."""
        return {"min_samples_leaf": [20, 100], "max_features": [0.1, 0.3]}

    def _fit(self, rows: TrainingRows, validation: TrainingRows | None) -> None:  # noqa: ARG002
        self.codes_ = CategoryCodes("frequency").fit(rows.X)
        estimator = _KINDS[self.kind](**{"random_state": 0, **self.params})
        estimator.fit(self.codes_.transform(rows.X), rows.y, rows.sample_weight)
        # Threads add up the trees' answers as they finish: the order, hence the last bit, would be left to chance.
        self.estimator_ = estimator.set_params(n_jobs=1)
        self.least_probability_ = 1 / (len(rows.y) + 2)

    def _predict_default(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        encoded = keep_within_float32(self.codes_.transform(X))
        probability = self.estimator_.predict_proba(encoded)[:, 1]
        return np.clip(probability, self.least_probability_, 1 - self.least_probability_)
