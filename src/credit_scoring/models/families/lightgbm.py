"""Gradient-boosted trees (LightGBM), with native categories and native nulls."""

import zlib
from collections.abc import Collection, Mapping
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from credit_scoring.models.base import BoostedTrees, TrainingRows, Trial
from credit_scoring.models.encoding import CategoryCodes

_FEW_ROWS = 64


class LightGBMModel(BoostedTrees):
    """LightGBM on numbers as they are and categories as codes.

    Nulls stay nulls: the trees learn a side for them. A category that was not seen in training is null. Training is
    deterministic for given rows and parameters, with any number of threads. Parameters are those of
    `lightgbm.LGBMClassifier`.
    """

    labels = {"fr": "LightGBM", "en": "LightGBM"}
    libraries = ("lightgbm",)
    test_params = {"n_estimators": 30, "min_child_samples": 5, "random_state": 0, "n_jobs": 1}

    @classmethod
    def library_params(cls) -> Collection[str]:
        """Return the names that the library knows, aliases included; it would take others without a word."""
        import lightgbm

        aliases = lightgbm.basic._ConfigAliases._get_all_param_aliases()  # listed nowhere else
        return {*lightgbm.LGBMClassifier().get_params(), *chain.from_iterable(aliases.values())}

    @classmethod
    def search_space(cls, trial: Trial, params: Mapping[str, Any]) -> dict[str, Any]:
        """Suggest small trees that see few columns and are strongly shrunk."""
        return {
            **cls.suggest_trees(trial, params),
            "num_leaves": trial.suggest_int("num_leaves", 4, 64, log=True),
            "min_child_samples": trial.suggest_int("min_child_samples", 20, 500, log=True),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.03, 0.5, log=True),
            "subsample": trial.suggest_float("subsample", 0.5, 1.0),
            "subsample_freq": 1,  # without it LightGBM does not look at subsample
            "reg_lambda": trial.suggest_float("reg_lambda", 1.0, 200.0, log=True),
            "cat_smooth": trial.suggest_float("cat_smooth", 10.0, 200.0, log=True),
        }

    @classmethod
    def grid(cls) -> dict[str, list[Any]]:
        """Return eight combinations of what matters most: size of the trees, columns they see, shrinkage."""
        return {"num_leaves": [8, 32], "colsample_bytree": [0.1, 0.3], "reg_lambda": [10, 100]}

    def _fit(self, rows: TrainingRows, validation: TrainingRows | None) -> None:
        import lightgbm

        self.codes_ = CategoryCodes("name").fit(rows.X)
        # Column by column, a tree that sees a tenth of the columns reads no others.
        fixed = {"objective": "binary", "deterministic": True, "force_col_wise": True, "verbosity": -1}
        estimator = lightgbm.LGBMClassifier(**{**fixed, **self.params, **self.constraint_params()})
        stopping: dict[str, Any] = {}
        if validation is not None and self.early_stopping_rounds is not None:
            stopping = {
                "eval_X": self.codes_.transform(validation.X),
                "eval_y": validation.y,
                "eval_sample_weight": [validation.sample_weight],
                "eval_metric": "binary_logloss",
                "callbacks": [lightgbm.early_stopping(self.early_stopping_rounds, verbose=False)],
            }
        estimator.fit(
            self.codes_.transform(rows.X),
            rows.y,
            sample_weight=rows.sample_weight,
            feature_name=list(self.feature_names_in_),
            categorical_feature=[i for i, name in enumerate(rows.X.columns) if name in self.codes_.categories_],
            **stopping,
        )
        self.booster_ = estimator.booster_  # predicts with its best iteration
        self.n_iterations_ = (
            self.booster_.best_iteration if validation is not None else self.booster_.current_iteration()
        )

    def __getstate__(self) -> dict[str, Any]:
        """Give the trees as compressed text: a quarter of the size, without those after the best iteration."""
        state = dict(super().__getstate__())
        if "booster_" in state:
            state["booster_"] = zlib.compress(self.booster_.model_to_string().encode(), 9)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Read the trees back; they predict the same to the last bit."""
        if "booster_" in state:
            import lightgbm

            state = {**state, "booster_": lightgbm.Booster(model_str=zlib.decompress(state["booster_"]).decode())}
        super().__setstate__(state)

    def predict_coded(self, encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probabilities of default of encoded rows."""
        return self._ask_booster(encoded)

    def contributions_coded(self, encoded: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
        """Return exact path-dependent TreeSHAP values (Lundberg et al., Nature Machine Intelligence 2, 2020)."""
        values = self._ask_booster(encoded, pred_contrib=True)
        return values[:, :-1], float(values[0, -1])

    def _ask_booster(self, encoded: npt.NDArray[np.float64], **options: Any) -> npt.NDArray[np.float64]:
        # Waking threads takes longer than a few rows do, much longer where other programs keep the cores busy.
        threads: dict[str, Any] = {"num_threads": 1} if len(encoded) <= _FEW_ROWS else {}
        return np.asarray(self.booster_.predict(encoded, **options, **threads))
