"""Whether a probability of default means what it says."""

import numpy as np
import numpy.typing as npt
import pandas as pd

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
        ValueError: If lengths differ, an outcome is neither 0 nor 1, a probability is outside [0, 1], or there is
            no bin.
    """
    y_true, probability = np.asarray(y_true, dtype=float), np.asarray(probability, dtype=float)
    if y_true.ndim != 1 or y_true.shape != probability.shape:
        raise ValueError(
            f"Got outcomes of shape {y_true.shape} and probabilities of shape {probability.shape}.\n"
            "Hint: one probability per outcome."
        )
    if not np.isin(y_true, (0, 1)).all() or not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("Outcomes must be 0 or 1 and probabilities lie in [0, 1].")
    if n_bins < 1:
        raise ValueError(f"The number of bins must be at least 1, got {n_bins}.")
    # A row belongs to the bin of the last row that is as likely to default: what is equal stays together.
    rank_of_last = np.searchsorted(np.sort(probability), probability, side="right")
    bin_of_row = (rank_of_last * n_bins - 1) // max(len(probability), 1)
    bins = pd.DataFrame({"probability": probability, "outcome": y_true}).groupby(bin_of_row)
    curve = bins.agg(
        mean_probability=("probability", "mean"), default_rate=("outcome", "mean"), count=("outcome", "size")
    ).reset_index(drop=True)
    intervals = [
        rate_interval(round(rate * count), count, confidence=confidence)
        for rate, count in zip(curve["default_rate"], curve["count"], strict=True)
    ]
    return curve.assign(rate_low=[i.low for i in intervals], rate_high=[i.high for i in intervals])


def expected_calibration_error(y_true: npt.ArrayLike, probability: npt.ArrayLike, n_bins: int = 10) -> float:
    """Return the mean gap between stated and observed default rates over the bins of `reliability_curve`.

    Each bin weighs by its rows (Naeini et al., AAAI 2015, with bins of equal count). NaN without rows. Noise alone
    makes it positive: perfectly calibrated probabilities around r have about sqrt(2 r (1 - r) n_bins / (pi n)).

    Examples:
        >>> expected_calibration_error([0, 1, 1, 1], [0.25, 0.25, 0.75, 0.75], n_bins=2)
        0.25
    """
    curve = reliability_curve(y_true, probability, n_bins)
    if curve.empty:
        return float("nan")
    return float(np.average((curve["default_rate"] - curve["mean_probability"]).abs(), weights=curve["count"]))
