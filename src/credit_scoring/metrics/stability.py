"""How far a population has moved away from another one."""

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp

_MIN_SHARE = 1e-4


def population_stability_index(reference: pd.Series, current: pd.Series, n_bins: int = 10) -> float:
    """Measure how differently a variable is distributed in two populations.

    The sum over bins of (current share - reference share) x ln(current share / reference share), the symmetrised
    Kullback-Leibler divergence of the binned variable (N. Siddiqi, Credit Risk Scorecards, Wiley 2006, chap. 9). Credit
    risk reads less than 0.1 as stable and more than 0.25 as a shift. A number is cut at the quantiles of the reference,
    a category is its own bin, and so are the missing values. Shares count as at least one in ten thousand, so that an
    empty bin weighs much but not infinitely.

    Args:
        reference: Values in the population that a model was built on.
        current: Values in the population it is used on.
        n_bins: Number of quantile bins of a number.

    Returns:
        0 for equal distributions; NaN if one of the populations is empty.
    """
    if reference.empty or current.empty:
        return float("nan")
    binned = [_bin(values, reference, n_bins) for values in (reference, current)]
    shares = pd.concat([values.value_counts(normalize=True) for values in binned], axis=1, keys=("old", "new"))
    old, new = (shares[side].fillna(0.0).clip(lower=_MIN_SHARE) for side in ("old", "new"))
    return float(((new - old) * np.log(new / old)).sum())


def distribution_gap(reference: pd.Series, current: pd.Series) -> float:
    """Return the largest gap between the distribution functions of a number (two-sample Kolmogorov-Smirnov statistic).

    Missing values are left out; NaN if a side has no others.
    """
    known = [values.dropna().astype(float) for values in (reference, current)]
    return float("nan") if any(values.empty for values in known) else float(ks_2samp(*known).statistic)


def _bin(values: pd.Series, reference: pd.Series, n_bins: int) -> pd.Series:
    """Name each value by its bin; null is a bin of its own."""
    if not pd.api.types.is_numeric_dtype(reference):
        return values.astype(object).where(values.notna(), "").astype(str)
    inner = np.unique(reference.dropna().astype(float).quantile(np.linspace(0, 1, n_bins + 1)[1:-1]))
    positions = np.searchsorted(inner, values.astype(float), side="left").astype(float)
    return pd.Series(positions, index=values.index).where(values.notna(), -1.0)
