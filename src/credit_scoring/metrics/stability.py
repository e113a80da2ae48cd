"""How far a population has moved away from another one, and whether that may be chance."""

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, fisher_exact, kstwobign

from credit_scoring.metrics.inputs import known

_MIN_SHARE = 1e-4
_MIN_EXPECTED = 5
REFERENCE, CURRENT = "reference", "current"


def count_bins(reference: pd.Series, current: pd.Series, n_bins: int = 10) -> pd.DataFrame:
    """Count how often each bin of a variable occurs in two populations.

    A number is cut at the quantiles of the reference, a category is its own bin, and so are the missing values.

    Args:
        reference: Values in the population that a model was built on.
        current: Values in the population it is used on.
        n_bins: Number of quantile bins of a number.

    Returns:
        One row per bin that occurs, in ascending order: `reference` and `current` counts. The index is the upper end of
        the bin of a number, included (the last one is infinity), or the category; null for the missing values.
    """
    if pd.api.types.is_numeric_dtype(reference):
        inner = np.unique(reference.dropna().astype(float).quantile(np.linspace(0, 1, n_bins + 1)[1:-1]))
        bins = pd.Index(np.append(inner[~np.isnan(inner)], [np.inf, np.nan]))
        places = [np.searchsorted(bins, values.astype(float)) for values in (reference, current)]
    else:
        names = pd.concat([reference.astype(object), current.astype(object)]).map(str, na_action="ignore")
        place, categories = pd.factorize(names, sort=True)
        bins = pd.Index([*categories, np.nan])
        places = np.split(np.where(place < 0, len(categories), place), [len(reference)])
    counts = np.array([np.bincount(place, minlength=len(bins)) for place in places])
    occur = counts.any(axis=0)
    return pd.DataFrame(counts[:, occur].T, bins[occur], (REFERENCE, CURRENT))


def stability_index(counts: pd.DataFrame) -> float:
    """Measure how different two columns of counts are, as shares.

    The sum over bins of (current share - reference share) x ln(current share / reference share), the symmetrised
    Kullback-Leibler divergence (N. Siddiqi, Credit Risk Scorecards, Wiley 2006, chap. 9). Credit risk reads less than
    0.1 as stable and more than 0.25 as a shift. Shares count as at least one in ten thousand, so that an empty bin
    weighs much but not infinitely.

    Args:
        counts: What `count_bins` says.

    Returns:
        0 for equal shares; NaN if one of the populations is empty.
    """
    bins = counts[[REFERENCE, CURRENT]].to_numpy()
    totals = bins.sum(axis=0)
    if not totals.all():
        return float("nan")
    old, new = (bins / totals).clip(min=_MIN_SHARE).T
    return float(((new - old) * np.log(new / old)).sum())


def expected_stability_index(counts: pd.DataFrame) -> float:
    """Return the stability index that samples of this size have on average if their populations are the same.

    (bins - 1) x (1 / n + 1 / m): the index over (1 / n + 1 / m) then follows a chi-squared distribution with bins - 1
    degrees of freedom (B. Yurdakul and J. Naranjo, Statistical properties of the population stability index, Journal of
    Risk Model Validation 14(4), 2020). NaN if one of the samples is empty.

    Examples:
        >>> round(expected_stability_index(pd.DataFrame({"reference": [50, 50], "current": [10, 10]})), 3)
        0.06
    """
    totals = counts.to_numpy().sum(axis=0)
    return float((len(counts) - 1) * (1 / totals).sum()) if totals.all() else float("nan")


def homogeneity_p_value(counts: pd.DataFrame) -> float:
    """Return the probability of counts at least as different as these if the populations are the same.

    Pearson's chi-squared test of homogeneity. Bins that would hold fewer than five of either sample are pooled, with
    the smallest of the others if need be, as the approximation is poor for them. Where two bins remain and one of them
    is as rare as that, Fisher's exact test.

    Returns:
        1 if there are fewer than two bins, all of them are rare, or one of the samples is empty: nothing then speaks
        for a difference.
    """
    bins = counts.to_numpy()
    totals = bins.sum(axis=0)
    if not totals.all():
        return 1.0
    share = totals.min() / totals.sum()
    bins = bins[bins.any(axis=1)]
    if len(bins) > 2:
        bins = bins[np.argsort(-bins.sum(axis=1), kind="stable")]
        rare = bins.sum(axis=1) * share < _MIN_EXPECTED
        kept, pooled = bins[~rare], bins[rare].sum(axis=0)
        if len(kept) > 1 and pooled.sum() * share < _MIN_EXPECTED:
            kept[-1] += pooled
        else:
            kept = np.vstack([kept, pooled])
        bins = kept
    if len(bins) < 2:
        return 1.0
    if (bins.sum(axis=1) * share < _MIN_EXPECTED).any():
        return float(fisher_exact(bins).pvalue)
    return float(chi2_contingency(bins, correction=False).pvalue)


def population_stability_index(reference: pd.Series, current: pd.Series, n_bins: int = 10) -> float:
    """Measure how differently a variable is distributed in two populations: `stability_index` of `count_bins`."""
    return stability_index(count_bins(reference, current, n_bins))


def distribution_gap(reference: pd.Series, current: pd.Series) -> float:
    """Return the largest gap between the distribution functions of a number (two-sample Kolmogorov-Smirnov statistic).

    NaN if a side has no value.

    Raises:
        ValueError: If a value is missing: a missing value has no place among the others.
    """
    old, new = np.sort(known(reference, "reference values")), np.sort(known(current, "current values"))
    if not (old.size and new.size):
        return float("nan")
    values = np.concatenate([old, new])
    n_old, n_new = (np.searchsorted(side, values, side="right") for side in (old, new))  # not above each of the values
    return float(np.abs(n_new * old.size - n_old * new.size).max() / (old.size * new.size))


def gap_p_value(gap: float, n_reference: int, n_current: int) -> float:
    """Return the probability of a gap at least this wide between samples of one population, by its limit distribution.

    The true one is smaller where values are tied. 1 if the gap is NaN.
    """
    if np.isnan(gap):
        return 1.0
    return float(kstwobign.sf(gap * np.sqrt(n_reference * n_current / (n_reference + n_current))))
