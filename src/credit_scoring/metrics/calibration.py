"""Whether a probability of default means what it says."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.metrics.inputs import known
from credit_scoring.metrics.uncertainty import rate_interval


def reliability_curve(
    y_true: npt.ArrayLike, probability: npt.ArrayLike, n_bins: int = 10, confidence: float = 0.95
) -> pd.DataFrame:
    """Compare stated and observed default rates in bins of about as many rows.

    Bins end at quantiles of the probability. Equal probabilities share a bin, so that there may be fewer bins than
    asked for, down to one for a constant score.

    Args:
        y_true: Outcomes, shape (n,), 0 or 1.
        probability: Probabilities of default, shape (n,).
        n_bins: Bins at most.
        confidence: Level of the interval of each default rate.

    Returns:
        One row per bin, lowest probabilities first: `mean_probability`, `default_rate`, `count`, `rate_low` and
        `rate_high` (Wilson's score interval, JASA 22, 1927). Without rows, no bins.

    Raises:
        ValueError: If lengths differ, an outcome is neither 0 nor 1, a probability is outside [0, 1], one of them is
            NaN, or there is no bin.
    """
    y_true, probability = known(y_true, "outcomes"), known(probability, "probabilities")
    if y_true.ndim != 1 or y_true.shape != probability.shape:
        raise ValueError(
            f"Got outcomes of shape {y_true.shape} and probabilities of shape {probability.shape}.\n"
            "Hint: one probability per outcome."
        )
    if not np.isin(y_true, (0, 1)).all() or not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("Outcomes must be 0 or 1 and probabilities lie in [0, 1].")
    if n_bins < 1:
        raise ValueError(f"The number of bins must be at least 1, got {n_bins}.")
    bins = pd.DataFrame({"probability": probability, "outcome": y_true}).groupby(_bin_of_row(probability, n_bins))
    curve = bins.agg(
        mean_probability=("probability", "mean"), default_rate=("outcome", "mean"), count=("outcome", "size")
    ).reset_index(drop=True)
    intervals = [
        rate_interval(round(rate * count), count, confidence=confidence)
        for rate, count in zip(curve["default_rate"], curve["count"], strict=True)
    ]
    return curve.assign(rate_low=[i.low for i in intervals], rate_high=[i.high for i in intervals])


def _bin_of_row(probability: npt.NDArray[np.float64], n_bins: int) -> npt.NDArray[np.int_]:
    """Number the bin of each row: that of the last row that is as likely to default; what is equal stays together."""
    rank_of_last = np.searchsorted(np.sort(probability), probability, side="right")
    return (rank_of_last * n_bins - 1) // max(len(probability), 1)


def expected_calibration_error(y_true: npt.ArrayLike, probability: npt.ArrayLike, n_bins: int = 10) -> float:
    """Return the mean gap between stated and observed default rates over the bins of `reliability_curve`.

    Each bin weighs by its rows (Naeini et al., AAAI 2015, with bins of equal count). NaN without rows. Noise alone
    makes it positive, see `calibration_error_by_chance`.

    Examples:
        >>> expected_calibration_error([0, 1, 1, 1], [0.25, 0.25, 0.75, 0.75], n_bins=2)
        0.25
    """
    curve = reliability_curve(y_true, probability, n_bins)
    if curve.empty:
        return float("nan")
    return float(np.average((curve["default_rate"] - curve["mean_probability"]).abs(), weights=curve["count"]))


class ChanceError(NamedTuple):
    """Calibration error of probabilities that are exactly right, on samples of one size.

    Attributes:
        mean: What it is on average.
        high: What it is at most in 95 % of the samples.
    """

    mean: float
    high: float


def calibration_error_by_chance(
    probability: npt.ArrayLike, n_bins: int = 10, *, n_draws: int = 500, seed: int = 0
) -> ChanceError:
    """Return the calibration error that these probabilities would show if they were exactly right.

    Outcomes are drawn from the probabilities themselves, again and again, and `expected_calibration_error` measured on
    each draw. It is about sqrt(2 r (1 - r) n_bins / (pi n)) for n probabilities around r. An error no larger than that
    speaks for no miscalibration; it is not an error that could be calibrated away.

    Args:
        probability: Probabilities of default, shape (n,).
        n_bins: Bins at most, as of the error it is compared with.
        n_draws: Number of draws.
        seed: Seed of the draws.

    Returns:
        Mean and 95 % quantile over the draws; NaN without rows.

    Raises:
        ValueError: If a probability is NaN or outside [0, 1].
    """
    ascending = np.sort(known(probability, "probabilities"))
    if ascending.size == 0:
        return ChanceError(float("nan"), float("nan"))
    if ascending[0] < 0 or ascending[-1] > 1:
        raise ValueError(f"Probabilities must lie in [0, 1], got {ascending[0]:g} to {ascending[-1]:g}.")
    start_of_bin = np.flatnonzero(np.diff(_bin_of_row(ascending, n_bins), prepend=-1))
    stated = np.add.reduceat(ascending, start_of_bin)
    generator = np.random.default_rng(seed)
    errors = np.empty(n_draws)
    for i in range(n_draws):
        observed = np.add.reduceat((generator.random(ascending.size) < ascending).astype(float), start_of_bin)
        errors[i] = np.abs(observed - stated).sum() / ascending.size
    return ChanceError(float(errors.mean()), float(np.quantile(errors, 0.95)))
