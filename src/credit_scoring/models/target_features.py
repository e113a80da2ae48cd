"""Features made of other applicants' outcomes, without a look at one's own."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import KDTree
from sklearn.base import clone
from sklearn.model_selection import KFold

from credit_scoring.models.base import Rebalance, ScoringModel

_AXES = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3", "APPLICATION_CREDIT_TO_ANNUITY_RATIO")
_CATEGORIES = ("OCCUPATION_TYPE", "ORGANIZATION_TYPE")
_KNN_MEAN = "TARGET_KNN_MEAN"
_QUERY_ROWS = 5_000

TARGET_FEATURE_SOURCES = (*_AXES, *_CATEGORIES)
TARGET_FEATURES = (_KNN_MEAN, *(f"{name}_TARGET_RATE" for name in _CATEGORIES))


class TargetFeatureModel(ScoringModel):
    """Any family, with the default rates of similar training applicants as additional features.

    `TARGET_KNN_MEAN`: of the nearest training rows by the three external scores and the credit-to-annuity ratio, each
    divided by its standard deviation; rows that miss the same of the four are compared with one another, by those they
    have. `OCCUPATION_TYPE_TARGET_RATE`, `ORGANIZATION_TYPE_TARGET_RATE`: of the training rows of the same category,
    null being one. All rates are shrunk towards the overall default rate, by `smoothing` imaginary rows of it; with
    nobody similar they are it.

    Training rows get their values from the other inner folds only, so that no row's own outcome is in its features;
    folds are drawn without a look at outcomes, or the left-out rows could be told from the rates of the rest. Later
    rows query all training rows, which the fitted model stores (four numbers and an outcome each). Features are made
    before rows are rebalanced: a repeated row in another fold would bring its own outcome back. Compare distributions
    of scored rows with one another, not with those of training rows, whose rates come from fewer rows.

    Args:
        inner: The unfitted model that uses the features, along with all others.
        n_neighbors: Nearest rows; at most a tenth of those that miss the same, or they would not be near.
        n_folds: Inner folds.
        smoothing: Imaginary rows of the overall default rate, more than 0.
        random_state: Seed of the inner folds.

    Attributes:
        inner_: The fitted model, on the features given and `TARGET_FEATURES`.
    """

    def __init__(
        self,
        inner: ScoringModel,
        n_neighbors: int = 500,
        n_folds: int = 5,
        smoothing: float = 50.0,
        random_state: int = 42,
    ) -> None:
        self.inner = inner
        self.n_neighbors = n_neighbors
        self.n_folds = n_folds
        self.smoothing = smoothing
        self.random_state = random_state

    def explained_features(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the features of `X` and, after them, `TARGET_FEATURES`."""
        features = super().explained_features(X)
        return features.assign(**self._rates(features, self.index_))

    def _fit_rows(self, X: pd.DataFrame, y: npt.NDArray[np.int_], rebalance: Rebalance) -> None:
        missing = [name for name in TARGET_FEATURE_SOURCES if name not in X.columns]
        if missing:
            raise ValueError(
                f"Target features are made of columns that are not there: {', '.join(missing)}.\n"
                "Hint: add credit_scoring.models.target_features.TARGET_FEATURE_SOURCES to the selected columns."
            )
        points = X[list(_AXES)].astype(float)
        self.scale_ = points.std(ddof=0).replace(0, 1).fillna(1).to_numpy()
        made = pd.DataFrame(np.nan, index=range(len(X)), columns=list(TARGET_FEATURES))
        folds = KFold(min(self.n_folds, len(X)), shuffle=True, random_state=self.random_state)
        for others, here in folds.split(X):
            index = self._index(X.iloc[others], y[others])
            for name, rates in self._rates(X.iloc[here], index).items():
                made.iloc[here, made.columns.get_loc(name)] = rates
        self.index_ = self._index(X, y)
        self.inner_ = clone(self.inner).fit(X.assign(**{name: made[name].to_numpy() for name in made}), y, rebalance)

    def _index(self, X: pd.DataFrame, y: npt.NDArray[np.int_]) -> "_Index":
        return _Index(X, y, self.scale_)

    def _rates(self, X: pd.DataFrame, index: "_Index") -> dict[str, npt.NDArray[np.float64]]:
        counts = {_KNN_MEAN: index.count_neighbours(X, self.n_neighbors)}
        counts |= {f"{name}_TARGET_RATE": index.count_category(X, name) for name in _CATEGORIES}
        return {
            name: (defaults + self.smoothing * index.default_rate) / (rows + self.smoothing)
            for name, (defaults, rows) in counts.items()
        }

    def _predict_default(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        return self.inner_.predict_proba(X)[:, 1]

    def _contributions(self, X: pd.DataFrame) -> tuple[npt.NDArray[np.float64], float]:
        values, base = self.inner_.contributions(X)
        return values.to_numpy(), base


class _Index:
    """Applicants with known outcomes, to be asked how many of those similar to a row defaulted."""

    def __init__(self, X: pd.DataFrame, y: npt.NDArray[np.int_], scale: npt.NDArray[np.float64]) -> None:
        self.scale = scale
        self.default_rate = float(y.mean())
        points, group = self._points(X)
        self.groups = {}
        for number in np.unique(group):
            inside = group == number
            self.groups[int(number)] = (KDTree(points[inside][:, _axes_of(number)]), y[inside])
        self.categories = {
            name: pd.DataFrame({"y": y, "name": _names(X[name])}).groupby("name")["y"].agg(["sum", "size"])
            for name in _CATEGORIES
        }

    def count_neighbours(self, X: pd.DataFrame, n: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the defaults among each row's nearest, and the number of the nearest."""
        points, group = self._points(X)
        defaults, rows = np.zeros(len(X)), np.zeros(len(X))
        for number in np.unique(group):
            if number not in self.groups:
                continue
            tree, outcomes = self.groups[int(number)]
            axes = _axes_of(number)
            k = min(n, -(-len(outcomes) // 10)) if axes else len(outcomes)
            inside = np.flatnonzero(group == number)
            rows[inside] = k
            if not axes:  # nothing known to be near by: everyone in the group
                defaults[inside] = outcomes.sum()
                continue
            for start in range(0, len(inside), _QUERY_ROWS):
                part = inside[start : start + _QUERY_ROWS]
                nearest = tree.query(points[part][:, axes], k=k)[1]
                defaults[part] = outcomes[nearest].reshape(len(part), -1).sum(axis=1)
        return defaults, rows

    def count_category(self, X: pd.DataFrame, name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the defaults among the rows of each row's category, and their number."""
        found = self.categories[name].reindex(_names(X[name])).fillna(0.0)
        return found["sum"].to_numpy(dtype=float), found["size"].to_numpy(dtype=float)

    def _points(self, X: pd.DataFrame) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int_]]:
        """Return the scaled position of each row, and a number that says which axes it has."""
        points = X[list(_AXES)].astype(float).to_numpy() / self.scale
        return points, (~np.isnan(points)) @ (1 << np.arange(len(_AXES)))


def _axes_of(number: int) -> list[int]:
    return [axis for axis in range(len(_AXES)) if number >> axis & 1]


def _names(column: pd.Series) -> npt.NDArray[np.object_]:
    return column.astype(object).where(column.notna(), "").to_numpy()
