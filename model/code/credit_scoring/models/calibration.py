"""From a model's probability to one that means what it says.

A calibration is a few numbers that can be written as JSON, and applying it takes no library but NumPy and SciPy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

Method = Literal["none", "sigmoid", "isotonic"]
_NUMBERS: Mapping[Method, tuple[str, ...]] = {
    "none": (),
    "sigmoid": ("slope", "intercept"),
    "isotonic": ("probabilities", "calibrated"),
}
METHODS = tuple(_NUMBERS)

# Log-odds are taken of probabilities within these bounds: those of 0 and 1 are infinite.
_LEAST = 1e-6


class CalibrationError(ValueError):
    """A calibration cannot be fitted to these probabilities and outcomes."""


@dataclass(frozen=True)
class Calibration:
    """A non-decreasing map of probabilities, fitted by `Calibration.fit`.

    Attributes:
        method: `none`: probabilities as they are. `sigmoid`: log-odds times `slope` plus `intercept` (Platt 1999),
            which never ties two scores (but beyond 1e-6 from 0 and 1) and leaves contributions in log-odds additive:
            they scale by `slope`. `isotonic`: straight lines between knots, `probabilities` to `calibrated`, flat
            beyond the first and last.
        slope: Of `sigmoid`, positive; 1 for the other methods.
        intercept: Of `sigmoid`; 0 for the other methods.
        probabilities: Of `isotonic`, strictly ascending.
        calibrated: Of `isotonic`, non-decreasing.
    """

    method: Method = "none"
    slope: float = 1.0
    intercept: float = 0.0
    probabilities: tuple[float, ...] = ()
    calibrated: tuple[float, ...] = ()

    @classmethod
    def fit(cls, method: Method, probability: npt.ArrayLike, outcome: npt.ArrayLike) -> Self:
        """Learn a calibration from predictions for rows that the model was not fitted on.

        `sigmoid` is a logistic regression on the log-odds with Platt's targets (n1 + 1) / (n1 + 2) for a default and
        1 / (n0 + 2) otherwise, which keep it finite on outcomes that the score separates. `isotonic` is the
        non-decreasing function of least squares (pool adjacent violators), kept between 1 / (n + 2) and
        (n + 1) / (n + 2): n rows cannot show that nobody, or everybody, defaults.

        Args:
            method: One of `METHODS`.
            probability: Probabilities of default, shape (n,).
            outcome: 0 or 1, shape (n,), both present.

        Raises:
            CalibrationError: If `sigmoid` finds no increasing relation, as for a constant score or one that is the
                wrong way round.
            ValueError: If the method is unknown or the inputs are not as described.
        """
        p, y = _check(probability, outcome)
        if method == "none":
            return cls()
        if method == "sigmoid":
            return cls("sigmoid", *_fit_sigmoid(p, y))
        if method == "isotonic":
            from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415 - applying does not need it

            least = 1 / (len(y) + 2)
            curve = IsotonicRegression(y_min=least, y_max=1 - least).fit(p, y)
            knots, values = curve.X_thresholds_.tolist(), curve.y_thresholds_.tolist()
            return cls("isotonic", probabilities=tuple(knots), calibrated=tuple(values))
        raise ValueError(f"Unknown calibration '{method}', expected one of {', '.join(METHODS)}.")

    def apply(self, probability: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Calibrate probabilities, each by itself: the result does not depend, to the last bit, on its neighbours.

        Raises:
            ValueError: If a probability is NaN or outside [0, 1].
        """
        p = np.asarray(probability, dtype=np.float64)
        if not ((p >= 0) & (p <= 1)).all():
            raise ValueError("Probabilities to calibrate must lie in [0, 1].")
        if self.method == "none":
            return p.copy()
        if self.method == "sigmoid":
            return expit(self.slope * _log_odds(p) + self.intercept)
        x, y = np.array(self.probabilities), np.array(self.calibrated)
        right = np.searchsorted(x, p, side="right")
        left = np.maximum(right - 1, 0)
        right = np.minimum(right, len(x) - 1)
        width = np.where(right > left, x[right] - x[left], 1.0)
        between = y[left] + np.clip((p - x[left]) / width, 0.0, 1.0) * (y[right] - y[left])
        return np.clip(between, y[left], y[right])  # rounding must not step over the next knot

    def to_dict(self) -> dict[str, Any]:
        """Return the method and its numbers, ready for JSON."""
        return {"method": self.method, **{name: getattr(self, name) for name in _NUMBERS[self.method]}}

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Self:
        """Return the calibration that `to_dict` described.

        Raises:
            ValueError: If it is none.
        """
        try:
            method = description["method"]
            read = tuple if method == "isotonic" else float
            numbers: dict[str, Any] = {name: read(description[name]) for name in _NUMBERS[method]}
            if method == "isotonic" and not numbers["probabilities"]:
                raise ValueError("no knots")
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"Not a calibration: {description}.") from error
        return cls(method, **numbers)


def choose_calibration(
    probability: npt.ArrayLike, outcome: npt.ArrayLike, fold: npt.ArrayLike
) -> tuple[Calibration, dict[str, Any]]:
    """Choose the method of least cross-fitted log loss and fit it on all rows.

    Each fold is calibrated by what was learned on the other folds; measured on the rows it was fitted on, isotonic
    regression would always win. Among equals the earlier of `METHODS` stays.

    Args:
        probability: Out-of-fold probabilities of default, shape (n,).
        outcome: Outcomes, shape (n,).
        fold: Fold of each row, shape (n,).

    Returns:
        The calibration, and a report: `chosen`, and under `methods` for each method `log_loss`, `brier`, `ece` and
        `roc_auc`, all cross-fitted, with `ece_by_chance` and `ece_by_chance_high`, what the error would be on average
        and in 95 % of the samples if these probabilities were exactly right; or `unavailable` with the reason if the
        method could not be fitted on some folds.

    Raises:
        ValueError: If there are fewer than two folds or the inputs are not as described.
    """
    # The served model carries this package without the metrics.
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score  # noqa: PLC0415

    from credit_scoring.metrics.calibration import (  # noqa: PLC0415
        calibration_error_by_chance,
        expected_calibration_error,
    )

    p, y = _check(probability, outcome)
    folds = np.asarray(fold)
    if folds.shape != y.shape or np.unique(folds).size < 2:
        raise ValueError(f"Calibrations are compared across at least two folds, got {np.unique(folds).size}.")
    report: dict[str, dict[str, Any]] = {}
    fitted: dict[Method, Calibration] = {}
    for method in METHODS:
        calibrated = np.empty_like(p)
        try:
            for here in np.unique(folds):
                inside = folds == here
                calibrated[inside] = Calibration.fit(method, p[~inside], y[~inside]).apply(p[inside])
            fitted[method] = Calibration.fit(method, p, y)
        except CalibrationError as error:
            report[method] = {"unavailable": str(error)}
            continue
        by_chance = calibration_error_by_chance(calibrated)
        report[method] = {
            "log_loss": float(log_loss(y, calibrated)),
            "brier": float(brier_score_loss(y, calibrated)),
            "ece": expected_calibration_error(y, calibrated),
            "ece_by_chance": by_chance.mean,
            "ece_by_chance_high": by_chance.high,
            "roc_auc": float(roc_auc_score(y, calibrated)),
        }
    chosen = min(fitted, key=lambda method: report[method]["log_loss"])
    return fitted[chosen], {"chosen": chosen, "methods": report}


def _fit_sigmoid(p: npt.NDArray[np.float64], y: npt.NDArray[np.int_]) -> tuple[float, float]:
    """Return slope and intercept of the logistic regression of Platt's targets on the log-odds."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - applying does not need it

    x = _log_odds(p)
    if np.ptp(x) == 0:
        raise CalibrationError("All probabilities are equal: a sigmoid has no slope to fit.")
    n_defaults = int(y.sum())
    target = np.where(y == 1, (n_defaults + 1) / (n_defaults + 2), 1 / (len(y) - n_defaults + 2))
    # A target between 0 and 1 is a default of that weight and a repayment of the rest.
    line = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12)
    line.fit(np.tile(x, 2)[:, None], np.repeat([1, 0], len(y)), np.concatenate([target, 1 - target]))
    slope, intercept = float(line.coef_[0, 0]), float(line.intercept_[0])
    if slope <= 0:
        raise CalibrationError(
            f"The sigmoid's slope is {slope:.3g}: higher probabilities go with fewer defaults.\n"
            "Hint: check that probabilities are those of default and out of fold."
        )
    return slope, intercept


def _log_odds(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return logit(np.clip(p, _LEAST, 1 - _LEAST))


def _check(probability: npt.ArrayLike, outcome: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int_]]:
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    if p.ndim != 1 or p.shape != y.shape:
        raise ValueError(f"Got probabilities of shape {p.shape} and outcomes of shape {y.shape}. Hint: one per row.")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("Probabilities must lie in [0, 1].")
    if not np.array_equal(np.unique(y), [0.0, 1.0]):
        raise ValueError("Outcomes must hold both 0 and 1 and nothing else to calibrate on.")
    return p, y.astype(int)
