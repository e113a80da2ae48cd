"""What surrounds the cheapest threshold: how sure it is, how flat the cost is there, whom to look at twice."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.ndimage import minimum_filter1d

from credit_scoring.metrics.cost import Costs, RankedLosses, cheapest_threshold, decision_costs, running_total
from credit_scoring.metrics.uncertainty import Interval


def plateau(curve: pd.DataFrame, tolerance: float) -> tuple[float, float]:
    """Return the lowest and the highest threshold around the cheapest one that cost at most `tolerance` more.

    All thresholds between them do too. The cost moves in steps, so there may be others beyond.

    Args:
        curve: A `metrics.cost.cost_curve`.
        tolerance: Share of the least cost, such as 0.01.
    """
    near = (curve["cost"] <= curve["cost"].min() * (1 + tolerance)).to_numpy()
    best = int(np.flatnonzero(curve["threshold"] == cheapest_threshold(curve))[0])
    outside = np.flatnonzero(~near)
    first = outside[outside < best].max(initial=-1) + 1
    last = outside[outside > best].min(initial=len(curve)) - 1
    thresholds = curve["threshold"].to_numpy()
    return float(thresholds[first]), float(thresholds[last])


class BootstrappedThreshold(NamedTuple):
    """The cheapest threshold of a sample and its cost there, each with its interval."""

    threshold: Interval
    cost: Interval


def bootstrap_threshold(
    ranked: RankedLosses, threshold: float, *, n_resamples: int = 500, confidence: float = 0.95, seed: int = 0
) -> BootstrappedThreshold:
    """Say how far another sample of applicants could have moved the cheapest threshold (percentile bootstrap).

    A resample only changes how often each of the sorted applicants counts, so it costs one draw and one running total:
    1,000 resamples of 10,000 applicants take a third of a second.

    Args:
        ranked: Applicants in the order of their scores.
        threshold: The one that is cheapest for them.
        n_resamples: Number of resamples.
        confidence: Probability that the intervals are to hold.
        seed: Seed of the resamples.

    Returns:
        The threshold, between quantiles of the thresholds that are cheapest on the
        resamples; and what it costs per applicant, between quantiles of its own cost there.
    """
    size = ranked.defaulted.size
    # Granting one applicant more changes the total by what granting him costs less what refusing him does.
    change = ranked.if_granted - ranked.if_refused
    n_granted = ranked.granted[np.searchsorted(ranked.up_to, threshold)]
    of_chosen = np.where(np.arange(size) < n_granted, ranked.if_granted, ranked.if_refused)
    generator = np.random.default_rng(seed)
    thresholds, cost = np.empty(n_resamples), np.empty(n_resamples)
    for i in range(n_resamples):
        times = np.bincount(generator.integers(0, size, size), minlength=size)
        thresholds[i] = ranked.thresholds[_last_minimum(running_total(times * change)[ranked.granted])]
        cost[i] = times @ of_chosen / size
    return BootstrappedThreshold(
        Interval.of_resamples(threshold, thresholds, confidence),
        Interval.of_resamples(float(of_chosen.mean()), cost, confidence),
    )


class ReviewBand(NamedTuple):
    """Grant below `low`, refuse from `high` on, let a person look at those between."""

    low: float
    high: float

    def decide(self, probability: npt.ArrayLike) -> npt.NDArray[np.int_]:
        """Return 0 for granted, 1 for reviewed, 2 for refused."""
        scores = np.asarray(probability, dtype=float)
        return (scores >= self.low).astype(int) + (scores >= self.high)


def review_costs(
    y_true: npt.ArrayLike,
    probability: npt.ArrayLike,
    band: ReviewBand,
    costs: Costs,
    *,
    review_cost: float,
    error_rate: float,
) -> npt.NDArray[np.float64]:
    """Return the expected cost of each applicant's decision when a person decides those in the band.

    Args:
        y_true: Outcomes, shape (n,).
        probability: Probabilities of default, shape (n,).
        band: Who is reviewed.
        costs: Prices of the wrong decisions.
        review_cost: Price of one review, in the unit of the costs.
        error_rate: How often the reviewer decides wrongly, for either outcome.
    """
    decision = band.decide(probability)
    if_granted, if_refused = (decision_costs(y_true, np.full(decision.size, refused), costs) for refused in (0, 1))
    return np.choose(decision, [if_granted, review_cost + error_rate * (if_granted + if_refused), if_refused])


def optimal_review_band(ranked: RankedLosses, *, budget: float, review_cost: float, error_rate: float) -> ReviewBand:
    """Return the cheapest band of scores to review, exact over all pairs of thresholds.

    Args:
        ranked: Applicants in the order of their scores.
        budget: Largest share of the applicants that can be reviewed.
        review_cost: Price of one review, in the unit of the costs.
        error_rate: How often the reviewer decides wrongly, for either outcome.

    Returns:
        The band; empty (`low` equal to `high`, the cheapest threshold) where no review pays.

    Raises:
        ValueError: If budget or error rate are no shares, or the price is negative.
    """
    if not (0 <= budget <= 1 and 0 <= error_rate <= 1 and review_cost >= 0):
        raise ValueError(
            f"A review needs a budget and an error rate between 0 and 1 and a price of at least 0, got {budget:g}, "
            f"{error_rate:g} and {review_cost:g}."
        )
    size = ranked.defaulted.size
    reviewed = running_total(review_cost + error_rate * (ranked.if_granted + ranked.if_refused))
    # With the first i granted and those from j on refused, the total is start[i] + end[j]. Only places between two
    # different scores count, and i is at most j and at least j - width: a sliding minimum.
    start = np.full(size + 1, np.inf)
    start[ranked.granted] = (running_total(ranked.if_granted) - reviewed)[ranked.granted]
    end = (reviewed - running_total(ranked.if_refused))[ranked.granted]
    width = int(budget * size)
    least = _least_of_last(start, width)
    high = _last_minimum(end + least[ranked.granted])
    j = ranked.granted[high]
    window = start[max(0, j - width) : j + 1]
    low = int(np.searchsorted(ranked.granted, max(0, j - width) + _last_minimum(window)))
    return ReviewBand(float(ranked.thresholds[low]), float(ranked.thresholds[high]))


def _least_of_last(values: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    """Return for each place the least of the value there and of the `width` before it."""
    padded = np.concatenate((np.full(width, np.inf), values))
    centred = minimum_filter1d(padded, width + 1, mode="constant", cval=np.inf)  # place i: i - (width + 1) // 2 and on
    return centred[(width + 1) // 2 :][: values.size]


def _last_minimum(values: npt.NDArray[np.float64]) -> int:
    return int(values.size - 1 - np.argmin(values[::-1]))
