"""How far a measure could be off: bootstrap intervals on one sample, corrected intervals over folds."""

from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from scipy.special import ndtri
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from credit_scoring.metrics.inputs import known

_BLOCK = 2**22


class Interval(BaseModel):
    """An estimate with the bounds that hold it with the given confidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    estimate: float
    low: float
    high: float

    @classmethod
    def of_resamples(cls, estimate: float, resampled: npt.NDArray[np.float64], confidence: float) -> Self:
        """Return an estimate between the quantiles of what the resamples gave (percentile bootstrap)."""
        low, high = np.quantile(resampled, [0.5 - confidence / 2, 0.5 + confidence / 2])
        return cls(estimate=estimate, low=float(low), high=float(high))


def bootstrap_mean(
    values: npt.ArrayLike, *, n_resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Return the mean of a sample and its percentile bootstrap interval (Efron & Tibshirani, 1993, chapter 13).

    For a paired comparison of two models, give it the differences of their losses on the same applicants.

    Args:
        values: One value per applicant, such as the cost of its decision.
        n_resamples: Number of resamples.
        confidence: Probability that the interval is to hold.
        seed: Seed of the resamples.

    Raises:
        ValueError: If there is no value, or one is not finite.
    """
    sample = known(values, "values")
    if sample.ndim != 1 or sample.size == 0 or not np.isfinite(sample).all():
        raise ValueError(f"A bootstrap needs a vector of finite values, got shape {sample.shape}.")
    # Costs take few distinct values: how often each is drawn is multinomial, for any number of applicants.
    distinct, counts = np.unique(sample, return_counts=True)
    generator = np.random.default_rng(seed)
    if distinct.size <= 1000:
        drawn = generator.multinomial(sample.size, counts / sample.size, size=n_resamples)
        means = drawn @ distinct / sample.size
    else:
        means = np.array([sample[rows].mean() for rows in _resamples(sample.size, n_resamples, generator)])
    return Interval.of_resamples(float(sample.mean()), means, confidence)


def mean_interval(values: npt.ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Return the mean of a sample and its interval by Student's t; of paired differences, that of the paired t-test.

    For bounds far out in the tail, as in the last of many comparisons: a bootstrap would have to draw tens of thousands
    of resamples to see them.

    Args:
        values: One value per applicant, at least two.
        confidence: Probability that the interval is to hold.

    Raises:
        ValueError: If there are fewer than two values, or one is not finite.
    """
    sample = np.asarray(values, dtype=float)
    if sample.ndim != 1 or sample.size < 2 or not np.isfinite(sample).all():
        raise ValueError(f"A t interval needs a vector of at least two finite values, got shape {sample.shape}.")
    mean, error = float(sample.mean()), float(sample.std(ddof=1)) / np.sqrt(sample.size)
    half = float(student.ppf(0.5 + confidence / 2, sample.size - 1)) * error
    return Interval(estimate=mean, low=mean - half, high=mean + half)


def rate_interval(events: int, count: int, *, confidence: float = 0.95) -> Interval:
    """Return the share of events among independent trials and its score interval (Wilson, JASA 22, 1927).

    It has a width even where all trials end the same way.

    Args:
        events: Number of events.
        count: Number of trials, at least one.
        confidence: Probability that the interval is to hold.
    """
    share, z = events / count, float(ndtri(0.5 + 0.5 * confidence))
    spread = 2 * (count + z**2)
    middle = (2 * count * share + z**2) / spread
    half = z / spread * np.sqrt(4 * count * share * (1 - share) + z**2)
    low = 0.0 if events == 0 else float(middle - half)  # exact at the ends
    high = 1.0 if events == count else float(middle + half)
    return Interval(estimate=share, low=low, high=high)


def rate_difference_interval(
    events: int, count: int, other_events: int, other_count: int, *, confidence: float = 0.95
) -> Interval:
    """Return the difference of two independent rates, the first less the other, and its hybrid score interval.

    Wilson's bounds of both rates, combined as in Newcombe, *Interval estimation for the difference between independent
    proportions*, Statistics in Medicine 17 (1998), method 10.

    Args:
        events: Number of events among the first trials.
        count: Number of the first trials, at least one.
        other_events: Number of events among the other trials.
        other_count: Number of the other trials, at least one.
        confidence: Probability that the interval is to hold.
    """
    first = rate_interval(events, count, confidence=confidence)
    other = rate_interval(other_events, other_count, confidence=confidence)
    difference = first.estimate - other.estimate
    below = np.hypot(first.estimate - first.low, other.high - other.estimate)
    above = np.hypot(first.high - first.estimate, other.estimate - other.low)
    return Interval(estimate=difference, low=float(difference - below), high=float(difference + above))


def bootstrap_auc(
    y_true: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    n_resamples: int = 500,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return the area under the ROC curve and its percentile bootstrap interval, resampled within each outcome.

    Keeping the number of defaults leaves out a variation that is not the model's. The area of a resample is the share
    of pairs in which the defaulter has the higher score, half a pair for a tie (Mann-Whitney), counted over the ranks
    of the sample, so that nothing is sorted again.

    Args:
        y_true: Outcomes, shape (n,), both of them.
        score: Probabilities of default or another score that rises with them, shape (n,).
        n_resamples: Number of resamples.
        confidence: Probability that the interval is to hold.
        seed: Seed of the resamples.

    Raises:
        ValueError: If an outcome or a score is NaN, or one outcome does not occur.
    """
    outcomes, scores = known(y_true, "outcomes").astype(int), known(score, "scores")
    distinct, ranks = np.unique(scores, return_inverse=True)
    good, bad = ranks[outcomes == 0], ranks[outcomes == 1]
    if not (good.size and bad.size):
        raise ValueError(f"An AUC needs both outcomes, got {good.size} good customers and {bad.size} defaulters.")
    generator = np.random.default_rng(seed)

    def draw(group: npt.NDArray[np.int_]) -> npt.NDArray[np.int_]:
        return np.bincount(group[generator.integers(0, group.size, group.size)], minlength=distinct.size)

    areas = np.empty(n_resamples)
    for i in range(n_resamples):
        goods, bads = draw(good), draw(bad)
        areas[i] = bads @ (2 * np.cumsum(goods) - goods) / (2 * good.size * bad.size)
    return Interval.of_resamples(float(roc_auc_score(outcomes, scores)), areas, confidence)


def corrected_fold_interval(
    differences: Sequence[float], *, confidence: float = 0.95, n_folds: int | None = None
) -> Interval:
    """Return the mean of paired differences over the folds of cross-validation, with its interval.

    Folds share most of their training rows, so their differences vary less than those of independent samples would.
    The variance is corrected by 1/n + 1/(k-1) for n differences and k folds, the second term being validation over
    training rows (Nadeau & Bengio, *Inference for the Generalization Error*, Machine Learning 52, 2003).

    Args:
        differences: Difference of a measure between two models, fold by fold; at least two folds.
        confidence: Probability that the interval is to hold.
        n_folds: Folds of each cross-validation, where the same rows were dealt into folds several times.
    """
    values = np.asarray(differences, dtype=float)
    if values.size < 2:
        raise ValueError(f"An interval over folds needs at least two of them, got {values.size}.")
    mean, count = float(values.mean()), values.size
    error = np.sqrt((1 / count + 1 / ((n_folds or count) - 1)) * values.var(ddof=1))
    half = float(student.ppf(0.5 + confidence / 2, count - 1) * error)
    return Interval(estimate=mean, low=mean - half, high=mean + half)


def _resamples(size: int, n_resamples: int, generator: np.random.Generator) -> Iterator[npt.NDArray[np.int_]]:
    block = max(1, _BLOCK // size)
    for start in range(0, n_resamples, block):
        yield from generator.integers(0, size, (min(block, n_resamples - start), size))
