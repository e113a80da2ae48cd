"""What every model family offers to the rest of the project."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split

from credit_scoring.models.complexity import Complexity

if TYPE_CHECKING:
    from credit_scoring.models.encoding import CategoryCodes


class TrainingRows(NamedTuple):
    """Rows to learn from: features, outcomes (0 or 1), and how much each row counts (`None`: all alike)."""

    X: pd.DataFrame
    y: npt.NDArray[np.int_]
    sample_weight: npt.NDArray[np.float64] | None = None


Rebalance = Callable[[pd.DataFrame, npt.NDArray[np.int_]], TrainingRows]


class Trial(Protocol):
    """The part of an Optuna trial that search spaces use."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Suggest a number of [low, high]."""
        ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """Suggest a whole number of [low, high]."""
        ...

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Suggest one of the choices."""
        ...


class ScoringModel(ClassifierMixin, BaseEstimator, ABC):
    """A scikit-learn classifier of default that can say what each feature added to a score.

    A family is one such class, alone in a module of `credit_scoring.models.families`, and all that is known of it: what
    reports call it, what it has to have installed, how it is searched, how it learns, scores and explains. The module's
    name is the family's.

    A family that stops early has the parameters `early_stopping_rounds` (off if `None`) and `validation_share`: that
    share of the rows given to `fit` are validation rows, stratified and by `random_state`; training ends when the log
    loss on them has not fallen for so many rounds, and the best round is kept. They are not learned from afterwards.

    A family that `can_be_monotone` has the parameter `monotone_constraints`: column of numbers -> 1 if the probability
    of default must not fall where the number rises and all else stays, -1 if it must not rise. Every score of the
    fitted model keeps to it; a null is neither lower nor higher than a number.

    Attributes:
        labels: Language -> what reports call the family.
        libraries: What the family imports beside scikit-learn. It does so where it uses it, not at the top of its
            module, so that a family can be named without it; whoever serves a model of the family installs it.
        complexity: How far a person can check a score of the family; a family that does not say so is `unconstrained`.
        test_params: Hyper-parameters with which the family learns from a hundred rows within a second, for tests.
        can_be_monotone: Whether the family takes `monotone_constraints`.
        columns_given_: Columns the model was given to fit on, in order.
        feature_names_in_: Features the model reads, in order: those it was given, unless the family chooses among them.
        fingerprint_: Digest of all that the fitted model follows from: family, parameters, rows, what was done to them.
        classes_: Always `[0, 1]`.
        left_out_: By name of a member of a blend that could not be fitted, why.
    """

    labels: ClassVar[Mapping[str, str]]
    libraries: tuple[str, ...] = ()
    complexity: ClassVar[Complexity] = "unconstrained"
    test_params: ClassVar[Mapping[str, Any]] = {}
    can_be_monotone: ClassVar[bool] = False
    early_stopping_rounds: int | None = None
    validation_share: float = 0.1
    left_out_: Mapping[str, str] = {}
    columns_given_: npt.NDArray[np.str_]
    feature_names_in_: npt.NDArray[np.str_]
    fingerprint_: str
    classes_ = np.array([0, 1])

    @classmethod
    def search_space(cls, trial: Trial, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG003
        """Suggest hyper-parameters, sensible for 10,000 to 300,000 rows; empty if there is nothing to tune.

        Neither seed, threads nor learning rate are among them: a smaller rate is a little better and much slower, so
        it is a matter of budget. `{**params, **search_space(trial, params)}` is a complete set.

        Args:
            trial: What suggests.
            params: Those set by hand, which the search starts from: one that decides whether another is of use, such as
                early stopping, is read here. Each suggested one has to be among them, in the range searched.
        """
        return {}

    @classmethod
    def grid(cls) -> dict[str, list[Any]]:
        """Return a small grid of hyper-parameters, in the form of `sklearn.model_selection.ParameterGrid`."""
        return {}

    @classmethod
    def known_params(cls) -> set[str] | None:
        """Return the names of the hyper-parameters that the family takes; null if its constructor refuses others."""
        return set(cls._get_param_names())

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike, rebalance: Rebalance | None = None) -> Self:
        """Fit on one row per applicant.

        Args:
            X: Features: numbers, text categories, nulls.
            y: Outcomes, 0 repaid, 1 defaulted.
            rebalance: What to do about the rarity of defaults, see `credit_scoring.models.imbalance`. It sees the rows
                to learn from only: those kept for validation for early stopping are neither resampled nor neighbours of
                synthetic rows. They are weighted by outcome to the same balance, as the loss must mean the same there.

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
        self.columns_given_ = self.feature_names_in_ = np.asarray(X.columns, dtype=str)
        self.fingerprint_ = self._fingerprint(X, outcomes, rebalance)
        self._fit_rows(X, outcomes.astype(int), rebalance or TrainingRows)
        return self

    def predict_proba(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the probabilities of repayment and of default, shape (n, 2). A feature missing from `X` is null."""
        if len(X) == 0:
            return np.empty((0, 2))
        default = self._predict_default(self.explained_features(X))
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
        features = self.explained_features(X)
        values, base = self._contributions(features)
        return pd.DataFrame(values, columns=features.columns, index=X.index), base

    def explained_features(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the values that `contributions(X)` speaks of: same rows, same columns."""
        return X if np.array_equal(X.columns, self.feature_names_in_) else X.reindex(columns=self.feature_names_in_)

    @property
    def category_codes(self) -> Mapping[str, Mapping[str | None, float]] | None:
        """By text column, the number that stands for each category; null for a family that needs a table."""
        return None

    def _fingerprint(self, X: pd.DataFrame, y: npt.NDArray[np.float64], rebalance: Rebalance | None) -> str:
        described = [
            type(self).__name__,
            *(f"{name}={value}" for name, value in sorted(self.get_params().items())),
            *(f"{name}={value}" for name, value in sorted(getattr(rebalance, "keywords", {}).items())),
            *self.feature_names_in_,
        ]
        digest = hashlib.sha256("\n".join(described).encode())
        digest.update(pd.util.hash_pandas_object(X, index=False).to_numpy().tobytes())
        digest.update(y.tobytes())
        return digest.hexdigest()[:16]

    def _fit_rows(self, X: pd.DataFrame, y: npt.NDArray[np.int_], rebalance: Rebalance) -> None:
        if self.early_stopping_rounds is None:
            self._fit(rebalance(X, y), None)
            return
        seed = self.get_params().get("random_state")
        try:
            training, validation = train_test_split(
                np.arange(len(y)), test_size=self.validation_share, stratify=y, random_state=0 if seed is None else seed
            )
        except ValueError as error:
            raise ValueError(
                f"{type(self).__name__} cannot keep {self.validation_share:g} of {len(y)} rows with {y.sum()} defaults "
                f"for validation, to stop early: {error}\nHint: use more rows, or early_stopping_rounds: null."
            ) from error
        rows = rebalance(X.iloc[training], y[training])
        share = np.average(rows.y, weights=rows.sample_weight)
        weight = np.where(y[validation] == 1, share / y[validation].mean(), (1 - share) / (1 - y[validation].mean()))
        self._fit(rows, TrainingRows(X.iloc[validation], y[validation], weight))

    def _fit(self, rows: TrainingRows, validation: TrainingRows | None) -> None:
        raise NotImplementedError(f"{type(self).__name__} must define _fit or _fit_rows")

    @abstractmethod
    def _predict_default(self, X: pd.DataFrame) -> npt.NDArray[np.float64]: ...

    @abstractmethod
    def _contributions(self, X: pd.DataFrame) -> tuple[npt.NDArray[np.float64], float]: ...


class LibraryModel(ScoringModel):
    """A family that hands all parameters but its own on to the estimator of a library.

    Attributes:
        params: Those handed on.
    """

    params: dict[str, Any]

    @classmethod
    def library_params(cls) -> Collection[str] | None:
        """Return the names that the estimator takes; null if it refuses others by itself when it is built."""
        return None

    @classmethod
    def known_params(cls) -> set[str] | None:
        """Return the family's own and those of the library."""
        own, handed_on = super().known_params(), cls.library_params()
        return None if own is None or handed_on is None else {*own, *handed_on}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters as given; scikit-learn alone cannot read them off a `**params` signature."""
        return {**super().get_params(deep), **self.params}

    def set_params(self, **params: Any) -> Self:
        """Change some of the parameters."""
        self.__init__(**{**self.get_params(), **params})  # type: ignore[misc]
        return self


class CodedModel(ScoringModel):
    """A family that scores and explains rows of numbers, one column per feature, which a server makes by itself.

    Attributes:
        codes_: Codes of the categories.
    """

    codes_: "CategoryCodes"

    @property
    def category_codes(self) -> Mapping[str, Mapping[str | None, float]] | None:
        """By text column, the number that stands for each category in a coded row; for null if it is one of them."""
        return self.codes_.codes

    @abstractmethod
    def predict_coded(self, encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probabilities of default of rows that `codes_` has encoded."""

    @abstractmethod
    def contributions_coded(self, encoded: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
        """Do as `contributions` does, on rows that `codes_` has encoded."""

    def _predict_default(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        return self.predict_coded(self.codes_.transform(X))

    def _contributions(self, X: pd.DataFrame) -> tuple[npt.NDArray[np.float64], float]:
        return self.contributions_coded(self.codes_.transform(X))


class PointsModel(CodedModel):
    """A family whose score is a sum of whole points, one number per feature."""

    @property
    @abstractmethod
    def factor(self) -> float:
        """Points for one log-odds less of default, before calibration."""

    @abstractmethod
    def attribute_points(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the points of each feature: same rows as `X`, one column per feature. Their sum is the score."""


class BoostedTrees(LibraryModel, CodedModel):
    """A family that hands its parameters on to the estimator of a boosting library, and numbers and codes to its trees.

    Args:
        early_stopping_rounds: Trees without progress on the rows kept for validation, after which training ends.
        validation_share: Share of the rows that is kept for validation for it.
        monotone_constraints: Column -> 1 or -1, see `ScoringModel`; of columns of numbers among those fitted on.
        **params: Parameters of the library's estimator.

    Attributes:
        n_iterations_: Trees of the fitted model.
    """

    can_be_monotone = True
    n_iterations_: int

    def __init__(
        self,
        early_stopping_rounds: int | None = None,
        validation_share: float = 0.1,
        monotone_constraints: Mapping[str, int] | None = None,
        **params: Any,
    ) -> None:
        self.early_stopping_rounds = early_stopping_rounds
        self.validation_share = validation_share
        self.monotone_constraints = monotone_constraints
        self.params = params

    def constraint_params(self) -> dict[str, Any]:
        """Return `monotone_constraints` as the libraries take them, one number per column; nothing without any.

        Raises:
            ValueError: If a constraint is on a column that is not there or holds categories, or is neither 1 nor -1.
        """
        if not self.monotone_constraints:
            return {}
        signs, able = self.monotone_constraints, set(self.feature_names_in_) - set(self.codes_.categories_)
        if wrong := [f"{name}: {sign}" for name, sign in signs.items() if name not in able or sign not in (-1, 1)]:
            raise ValueError(
                f"monotone_constraints of {type(self).__name__} must be 1 or -1, of columns of numbers that it is "
                f"fitted on, found {', '.join(wrong)}.\nHint: a candidate says `monotone: true`, and under "
                "`constraints` what is to differ from the declared directions."
            )
        return {"monotone_constraints": tuple(signs.get(name, 0) for name in self.feature_names_in_)}

    @staticmethod
    def suggest_trees(trial: Trial, params: Mapping[str, Any]) -> dict[str, Any]:
        """Suggest how many trees, unless early stopping finds that by itself."""
        if params.get("early_stopping_rounds") is not None:
            return {}
        return {"n_estimators": trial.suggest_int("n_estimators", 100, 1000, log=True)}


def text_columns(X: pd.DataFrame) -> list[str]:
    """Return the columns that hold categories as text."""
    return list(X.select_dtypes(exclude=["number", "bool"]).columns)
