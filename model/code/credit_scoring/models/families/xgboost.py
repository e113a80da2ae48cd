"""Gradient-boosted trees (XGBoost), with native categories and native nulls."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from credit_scoring.models.base import BoostedTrees, TrainingRows, Trial
from credit_scoring.models.encoding import CategoryCodes, keep_within_float32


class XGBoostModel(BoostedTrees):
    """XGBoost on numbers as they are and categories as codes.

    Codes are fixed at fit and sent as numbers with a declared type: XGBoost would otherwise read them off each batch,
    and fail on a single row whose category is null. A category that was not seen in training is null. Training is
    deterministic for given rows, parameters and number of threads. Parameters are those of `xgboost.XGBClassifier`.
    """

    labels = {"fr": "XGBoost", "en": "XGBoost"}
    libraries = ("xgboost",)
    test_params = {"n_estimators": 30, "max_depth": 3, "n_jobs": 2}

    @classmethod
    def library_params(cls) -> Collection[str]:
        """Return the names that the library knows; of others it would only warn."""
        import xgboost

        return xgboost.XGBClassifier().get_params()

    @classmethod
    def search_space(cls, trial: Trial, params: Mapping[str, Any]) -> dict[str, Any]:
        """Suggest shallow trees that see few columns and are strongly shrunk."""
        return {
            **cls.suggest_trees(trial, params),
            "max_depth": trial.suggest_int("max_depth", 2, 7),
            "min_child_weight": trial.suggest_float("min_child_weight", 5.0, 200.0, log=True),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.05, 0.5, log=True),
            "subsample": trial.suggest_float("subsample", 0.5, 1.0),
            "reg_lambda": trial.suggest_float("reg_lambda", 1.0, 200.0, log=True),
        }

    @classmethod
    def grid(cls) -> dict[str, list[Any]]:
        """Return eight combinations of what matters most: size of the trees, columns they see, shrinkage."""
        return {"max_depth": [3, 5], "colsample_bytree": [0.1, 0.3], "reg_lambda": [10, 100]}

    def _fit(self, rows: TrainingRows, validation: TrainingRows | None) -> None:
        import xgboost

        self.codes_ = CategoryCodes("name").fit(rows.X)
        self.feature_types_ = ["c" if name in self.codes_.categories_ else "q" for name in rows.X.columns]
        fixed = {"tree_method": "hist", "random_state": 0, "verbosity": 0}
        estimator = xgboost.XGBClassifier(
            **{**fixed, **self.params, **self.constraint_params()},
            objective="binary:logistic",
            eval_metric="logloss",
        )

        def as_matrix(part: TrainingRows) -> xgboost.DMatrix:
            # The estimator would make a matrix of quantiles, of the same cuts, at half the time of the trees.
            return xgboost.DMatrix(
                self.codes_.transform(part.X),
                label=part.y,
                weight=part.sample_weight,
                feature_types=self.feature_types_,
                enable_categorical=True,
                nthread=estimator.n_jobs,
            )

        booster = xgboost.train(
            estimator.get_xgb_params(),
            as_matrix(rows),
            estimator.get_num_boosting_rounds(),
            evals=[(as_matrix(validation), "validation")] if validation is not None else [],
            early_stopping_rounds=self.early_stopping_rounds,
            verbose_eval=False,
        )
        self.booster_ = booster if validation is None else booster[: booster.best_iteration + 1]
        self.n_iterations_ = self.booster_.num_boosted_rounds()

    def predict_coded(self, encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probabilities of default of encoded rows."""
        return expit(self._margin(encoded))

    def contributions_coded(self, encoded: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
        """Return exact path-dependent TreeSHAP values (Lundberg et al., Nature Machine Intelligence 2, 2020).

        XGBoost sums in single precision, so that they miss the margin by about 1e-6; that rest is spread over the
        values in proportion to their size.
        """
        import xgboost

        # Without types, which the trees know and which take as long to state as the matrix takes to make.
        matrix = xgboost.DMatrix(keep_within_float32(encoded))
        ask = partial(self.booster_.predict, matrix, validate_features=False)
        values = ask(pred_contribs=True).astype(np.float64)
        contributions, base = values[:, :-1], float(values[0, -1])
        margin = ask(output_margin=True).astype(np.float64)
        rest = margin - base - contributions.sum(axis=1)
        size = np.abs(contributions)
        total = np.maximum(size.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        return contributions + rest[:, None] * size / total, base

    def _margin(self, encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        # In place: to make a DMatrix of one row takes longer than the trees do.
        margin = self.booster_.inplace_predict(encoded, predict_type="margin", validate_features=False)
        return np.asarray(margin, dtype=np.float64)
