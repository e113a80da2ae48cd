"""Points scorecard: what a person adds up by hand is the score."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from credit_scoring.models.base import PointsModel, TrainingRows, Trial
from credit_scoring.models.binning import Bins, find_bins
from credit_scoring.models.encoding import CategoryCodes

logger = logging.getLogger(__name__)

_ORDER: Literal["name"] = "name"
"""Of the codes of categories, which the bins are numbered by as well."""

_MOST_VARIABLES = 25
"""As many as the card holds on one page."""


class ScorecardModel(PointsModel):
    """Whole points for the bins of a few variables, by logistic regression on their weights of evidence.

    Variables are ranked by information value. Each next one is taken unless its weight of evidence is correlated too
    closely with that of one taken before, until there are enough. Then, while a coefficient has the wrong sign (a
    safer bin would lose points) or is so small that all bins get the same whole points, the variable of the worst one
    is dropped and the regression fitted anew.

    The score is the sum of the points. With Factor = pdo / ln 2 and Offset = base_points - Factor ln(base_odds), a
    bin's points are -(WoE x coefficient + intercept / n) x Factor + Offset / n, rounded to whole ones (N. Siddiqi,
    Credit Risk Scorecards, Wiley 2006, chapter 6). The odds of repayment are exp((score - Offset) / Factor): the
    probability of default follows from the very points that a person adds up, not from the unrounded ones.

    A missing value has a bin of its own, and so has a category that was not seen in training: the same one. It weighs
    as the average applicant if too few training rows were in it, see `find_bins`. Weights of rows, which depend on the
    outcome alone, change no weight of evidence; the regression takes them.

    Args:
        max_variables: Variables at most, 1 to 25: the card is one page.
        min_bin_size: Share of the training rows that a bin has to hold.
        max_bins: Bins of a variable at most, beside those of missing values and of rare categories.
        max_correlation: Of two variables whose weights of evidence are correlated above this, in size, the one with
            less information value goes.
        C: Inverse strength of the ridge penalty on the coefficients.
        pdo: Points that double the odds of repayment.
        base_points: Score at which the odds of repayment are `base_odds` to 1.
        base_odds: Those odds.

    Attributes:
        feature_names_in_: Variables of the card, by information value: all that the fitted model reads.
        bins_: Bins of each variable.
        coefficients_: Of each variable's weight of evidence, on the log-odds of default; all negative.
        intercept_: Log-odds of default at weights of evidence of 0.
        points_: Points of each bin, variable by variable.
        mean_points_: Mean points of each variable over the training rows.
    """

    labels = {"fr": "grille de score", "en": "scorecard"}
    complexity = "points"
    test_params = {"min_bin_size": 0.1}
    bins_: tuple[Bins, ...]
    points_: tuple[npt.NDArray[np.int_], ...]

    def __init__(
        self,
        max_variables: int = _MOST_VARIABLES,
        min_bin_size: float = 0.05,
        max_bins: int = 6,
        max_correlation: float = 0.6,
        C: float = 0.03,
        pdo: float = 20,
        base_points: float = 600,
        base_odds: float = 50,
    ) -> None:
        if not 1 <= max_variables <= _MOST_VARIABLES:
            raise TypeError(f"max_variables must be 1 to {_MOST_VARIABLES}, as a card holds, not {max_variables}")
        self.max_variables = max_variables
        self.min_bin_size = min_bin_size
        self.max_bins = max_bins
        self.max_correlation = max_correlation
        self.C = C
        self.pdo = pdo
        self.base_points = base_points
        self.base_odds = base_odds

    @classmethod
    def search_space(cls, trial: Trial, params: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG003
        """Suggest what decides how much the card says: variables, bins, how alike they may be, the penalty."""
        return {
            "max_variables": trial.suggest_int("max_variables", 8, _MOST_VARIABLES),
            "min_bin_size": trial.suggest_float("min_bin_size", 0.03, 0.12, log=True),
            "max_correlation": trial.suggest_float("max_correlation", 0.3, 0.8),
            "C": trial.suggest_float("C", 1e-3, 10.0, log=True),
        }

    @classmethod
    def grid(cls) -> dict[str, list[Any]]:
        """Return eight combinations of variables, size of the bins and how alike the variables may be."""
        return {"max_variables": [15, 25], "min_bin_size": [0.04, 0.08], "max_correlation": [0.5, 0.7]}

    @property
    def factor(self) -> float:
        """Points that multiply the odds of repayment by e."""
        return self.pdo / np.log(2)

    @property
    def offset(self) -> float:
        """Score at which the odds of repayment are 1 to 1."""
        return self.base_points - self.factor * np.log(self.base_odds)

    def attribute_points(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the points of each applicant: same rows as `X`, one column per variable. Their sum is the score."""
        features = self.explained_features(X)
        points = self._look_up(self.codes_.transform(features)).astype(int)
        return pd.DataFrame(points, columns=features.columns, index=X.index)

    def card(self) -> pd.DataFrame:
        """Return the card: one row per attribute (bin), those of a variable together, missing values last.

        Returns:
            `variable`, its `information_value` and `coefficient`; the attribute: `low` (from it on) and `high` (below
            it), NaN where there is no such bound, or the `categories`, null for numbers, both empty for `missing`
            (values, and categories that are not on the card); of the training rows `applicants` and `default_rate`
            (NaN without any); `woe` and `points`.
        """
        rows = []
        for name, bins, points, coefficient in zip(
            self.feature_names_in_.tolist(), self.bins_, self.points_, self.coefficients_, strict=True
        ):
            categories = self.codes_.categories_.get(name)
            bounds = np.full(len(points) + 1, np.nan)
            if categories is None:
                bounds[1:-2] = bins.edges[:-1]
            for place, (good, bad) in enumerate(zip(bins.good, bins.bad, strict=True)):
                inside = bins.bin_of_cell[:-1] == place
                rows.append(
                    {
                        "variable": name,
                        "information_value": bins.information_value,
                        "coefficient": coefficient,
                        "low": bounds[place],
                        "high": bounds[place + 1],
                        "categories": None if categories is None else categories[inside].tolist(),
                        "missing": place == len(points) - 1,
                        "applicants": good + bad,
                        "default_rate": bad / (good + bad) if good + bad else np.nan,
                        "woe": bins.woe[place],
                        "points": points[place],
                    }
                )
        return pd.DataFrame(rows)

    def default_probability(self, score: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the probability of default of scores."""
        return expit((self.offset - np.asarray(score, dtype=np.float64)) / self.factor)

    def predict_coded(self, encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probabilities of default of encoded rows."""
        return self.default_probability(self._look_up(encoded).sum(axis=1))

    def contributions_coded(self, encoded: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
        """Return the points short of the mean of the training rows, in log-odds.

        These are the Shapley values of a sum of independent terms (Lundberg & Lee, NeurIPS 2017, sec. 4).
        """
        values = (self.mean_points_ - self._look_up(encoded)) / self.factor
        return values, float((self.offset - self.mean_points_.sum()) / self.factor)

    def _fit(self, rows: TrainingRows, validation: TrainingRows | None) -> None:  # noqa: ARG002
        chosen = self._choose_variables(rows.X, rows.y)
        names = list(chosen)
        woe = np.column_stack([values for _, values in chosen.values()]) if chosen else np.empty((len(rows.y), 0))
        points: list[npt.NDArray[np.int_]] = []
        regression = LogisticRegression(C=self.C, solver="newton-cholesky")
        while names:
            regression.fit(woe, rows.y, rows.sample_weight)
            points = self._scale(regression, [chosen[name][0] for name in names])
            gain = np.array([np.ptp(of_bin) for of_bin in points]) * (regression.coef_[0] < 0)
            if gain.all():
                break
            worst = int(np.argmax(regression.coef_[0]))
            logger.info("Left out of the scorecard, as its safer bins would not gain points: %s", names.pop(worst))
            woe = np.delete(woe, worst, axis=1)
        if not names:
            raise ValueError(
                f"No variable is left for a scorecard: of {rows.X.shape[1]} columns of {len(rows.y)} rows none has two "
                f"bins of {self.min_bin_size:.0%} of the rows whose default rates differ.\n"
                "Hint: use more rows or columns, a smaller min_bin_size or a larger C."
            )
        self.feature_names_in_ = np.asarray(names, dtype=str)
        self.codes_ = CategoryCodes(_ORDER).fit(rows.X[names])
        self.bins_ = tuple(chosen[name][0] for name in names)
        self.coefficients_, self.intercept_ = regression.coef_[0], float(regression.intercept_[0])
        self.points_ = tuple(points)
        self.mean_points_ = self._look_up(self.codes_.transform(rows.X[names])).mean(axis=0)

    def _scale(self, regression: LogisticRegression, binned: Sequence[Bins]) -> list[npt.NDArray[np.int_]]:
        """Return the whole points of each bin, variable by variable."""
        share = (self.offset - self.factor * regression.intercept_[0]) / len(binned)
        return [
            np.rint(share - self.factor * coefficient * bins.woe).astype(int)
            for coefficient, bins in zip(regression.coef_[0], binned, strict=True)
        ]

    def _choose_variables(
        self, X: pd.DataFrame, y: npt.NDArray[np.int_]
    ) -> dict[str, tuple[Bins, npt.NDArray[np.float64]]]:
        """Return the bins of each variable that the regression is given, and its weights of evidence, row by row."""
        codes = CategoryCodes(_ORDER).fit(X)
        encoded = codes.transform(X)
        n_categories = {name: len(known) for name, known in codes.codes.items()}
        bins = {
            name: find_bins(values, y, n_categories.get(name, 0), self.min_bin_size, self.max_bins)
            for name, values in zip(X.columns, encoded.T, strict=True)
        }
        if silent := [name for name, found in bins.items() if found.n_telling < 2]:
            logger.info("Left out of the scorecard, having one bin only: %s", ", ".join(silent))
            bins = {name: found for name, found in bins.items() if found.n_telling >= 2}
        chosen: dict[str, tuple[Bins, npt.NDArray[np.float64]]] = {}
        standardised = np.empty((len(X), 0))
        # Stable: among equals the earlier column.
        for name in sorted(bins, key=lambda name: -bins[name].information_value):
            if len(chosen) == self.max_variables:
                break
            woe = bins[name].woe[bins[name].place(encoded[:, X.columns.get_loc(name)])]
            if np.ptp(woe) == 0:
                continue
            candidate = (woe - woe.mean()) / woe.std()
            if (np.abs(candidate @ standardised) > self.max_correlation * len(X)).any():
                continue
            standardised = np.column_stack([standardised, candidate])
            chosen[name] = bins[name], woe
        return chosen

    def _look_up(self, encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the points of encoded rows, one column per variable."""
        points = np.empty(encoded.shape)
        for place, (bins, of_bin) in enumerate(zip(self.bins_, self.points_, strict=True)):
            points[:, place] = of_bin[bins.place(encoded[:, place])]
        return points
