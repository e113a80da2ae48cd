"""Where to cut: at the default rate at which granting and refusing cost the same; how sure that is, whom to review."""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.ndimage import minimum_filter1d
from scipy.special import expit, logit

from credit_scoring.metrics.cost import (
    Costs,
    MisclassificationCosts,
    RankedLosses,
    check_costs,
    check_outcomes,
    check_probabilities,
    decision_costs,
    optimal_threshold,
    rank_losses,
    running_total,
)
from credit_scoring.metrics.uncertainty import Interval

# Log-odds are taken of probabilities within these bounds: those of 0 and 1 are infinite.
_LEAST = 1e-6
# A fit that sees odds beyond these, or their inverse, has run away: the score separates the outcomes.
_RUNAWAY = 1e12
# Lengths of the last step of a fit, in standardised log-odds.
_EXACT, _ROUGH = 1e-4, 0.05


def break_even_threshold(y_true: npt.ArrayLike, probability: npt.ArrayLike, costs: Costs) -> float:
    """Return the threshold at which the default rate reaches the rate where granting costs as much as refusing.

    The default rate is a function of the score: a logistic regression of the outcome on 1, logit and logit² of the
    probability, without penalty. With common costs the break-even rate is C_FP / (C_FP + C_FN) (Elkan, IJCAI 2001,
    equation 2). With each applicant's own, applicants weigh what is at stake on them, C_FN + C_FP, and the break-even
    rates are fitted on the same three terms: the curves cross where E[C_FN Y | score] = E[C_FP (1 - Y) | score].

    The least of the cost curve would be a noisy sum's: it follows the outcomes of the few applicants next to it, and
    costs more on others than it seems to. `docs/cut_off.md` has both measured, beside other rules.

    Where the quadratic does not rise over the whole range of the scores, the term logit² is left out. Where it still
    does not (a constant score, one outcome, a score that is the wrong way round), or where the score separates the
    outcomes and no such regression exists, the threshold is the one of least cost on these applicants.

    Args:
        y_true: Outcomes, shape (n,), 0 repaid, 1 defaulted.
        probability: Probabilities of default, shape (n,).
        costs: Prices of the wrong decisions.

    Returns:
        The threshold; 0 (refuse all) if the default rate is above break-even even at the lowest score, the next number
        above the highest score (grant all) if it is below even there.

    Raises:
        ValueError: If inputs are empty, of different lengths, NaN, or outside [0, 1].
    """
    threshold = _Sample.of(y_true, probability, costs).threshold()
    return optimal_threshold(y_true, probability, costs) if threshold is None else threshold


def fitted_default_rate(
    y_true: npt.ArrayLike, probability: npt.ArrayLike, costs: MisclassificationCosts, at: npt.ArrayLike
) -> npt.NDArray[np.float64] | None:
    """Return the default rate at other scores as `break_even_threshold` fits it; None where it fits none.

    Args:
        y_true: Outcomes, shape (n,).
        probability: Probabilities of default, shape (n,).
        costs: Prices of the wrong decisions.
        at: Probabilities at which it is asked for, of any shape.
    """
    sample = _Sample.of(y_true, probability, costs)
    curves = sample.fit()
    return None if curves is None else expit(sample.terms_of(at) @ curves.default_rate)


def expected_losses(y_true: npt.ArrayLike, probability: npt.ArrayLike, costs: MisclassificationCosts) -> RankedLosses:
    """Return what decisions are expected to cost, each applicant defaulting at the fitted rate of their score.

    Their least total is at the break-even threshold. Where no default rate is fitted, outcomes stand for themselves.
    """
    ranked = rank_losses(y_true, probability, costs)
    rate = fitted_default_rate(y_true, probability, costs, np.sort(np.asarray(probability, dtype=float)))
    if rate is None:
        return ranked
    return ranked._replace(if_granted=costs.false_negative * rate, if_refused=costs.false_positive * (1 - rate))


def plateau(expected: RankedLosses, tolerance: float) -> tuple[float, float]:
    """Return the lowest and the highest threshold around the cheapest one that cost at most `tolerance` more.

    All thresholds between them do too.

    Args:
        expected: What decisions are expected to cost, see `expected_losses`.
        tolerance: Share of the least cost, such as 0.01.
    """
    cost = running_total(expected.if_granted)[expected.granted]
    cost = cost + expected.if_refused.sum() - running_total(expected.if_refused)[expected.granted]
    best = _last_minimum(cost)
    outside = np.flatnonzero(cost > cost[best] * (1 + tolerance))
    first = outside[outside < best].max(initial=-1) + 1
    last = outside[outside > best].min(initial=cost.size) - 1
    return float(expected.thresholds[first]), float(expected.thresholds[last])


class BootstrappedThreshold(NamedTuple):
    """The break-even threshold of a sample and what decisions cost there, each with its interval."""

    threshold: Interval
    cost: Interval


def bootstrap_threshold(
    y_true: npt.ArrayLike,
    probability: npt.ArrayLike,
    costs: Costs,
    *,
    n_resamples: int = 500,
    confidence: float = 0.95,
    seed: int = 0,
) -> BootstrappedThreshold:
    """Say how sure the break-even threshold of a sample is, and what it costs on other applicants.

    The threshold is found again on every resample. What it costs there, less what it costs on the sample that the
    resample was drawn from, is how far the cost of a threshold on its own sample is off: by chance, and because it was
    chosen there (Efron & Tibshirani, 1993, chapters 13 and 17).

    Args:
        y_true: Outcomes, shape (n,).
        probability: Probabilities of default, shape (n,).
        costs: Prices of the wrong decisions.
        n_resamples: Number of resamples.
        confidence: Probability that the intervals are to hold.
        seed: Seed of the resamples.

    Returns:
        The threshold, in an interval for the best threshold of the same score (quantiles of those of the resamples).
        And the cost per applicant at the threshold, without the advantage of having been chosen on these applicants, in
        an interval for what it costs on all applicants like them (quantiles of the errors, taken off).
    """
    sample = _Sample.of(y_true, probability, costs)
    size, start = sample.outcome.size, sample.fit()
    scores = np.asarray(probability, dtype=float)
    order = np.argsort(scores, kind="stable")
    ascending = scores[order]
    ranked = rank_losses(y_true, scores, costs)
    change = ranked.if_granted - ranked.if_refused

    def price(threshold: float, times: npt.NDArray[np.int_] | None = None) -> float:
        n_granted = np.searchsorted(ascending, threshold)
        counted = np.ones(size) if times is None else times[order]
        return float((counted[:n_granted] @ change[:n_granted] + counted @ ranked.if_refused) / size)

    threshold = break_even_threshold(y_true, scores, costs)
    cost = price(threshold)
    generator = np.random.default_rng(seed)
    thresholds, errors, chance = (np.empty(n_resamples) for _ in range(3))
    for i in range(n_resamples):
        times = np.bincount(generator.integers(0, size, size), minlength=size)
        again = sample.threshold(times, start)
        if again is None:
            again = ranked.thresholds[_last_minimum(running_total(times[order] * change)[ranked.granted])]
        thresholds[i] = again
        errors[i] = price(again, times) - price(again)
        chance[i] = price(threshold, times) - cost  # its mean is zero but for the resamples: take that off
    low, high = np.quantile(errors, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return BootstrappedThreshold(
        Interval.of_resamples(threshold, thresholds, confidence),
        Interval(estimate=cost - float(np.mean(errors - chance)), low=cost - float(high), high=cost - float(low)),
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


class _Curves(NamedTuple):
    """Log-odds as polynomials of the standardised logit: coefficients of 1, logit and logit²."""

    default_rate: npt.NDArray[np.float64]
    break_even: npt.NDArray[np.float64]


class _Sample(NamedTuple):
    """Applicants as the regressions see them.

    Attributes:
        terms: 1, logit and logit² of their scores, the logit standardised, shape (n, 3).
        outcome: 0 or 1.
        stake: What granting and refusing each would cost together, in units of its mean.
        break_even: Default rate of each at which both cost the same.
        one_rate: Whether these rates are the same for all.
        ends: The terms of the lowest and the highest score.
        centre: Mean of the logits.
        scale: Their standard deviation; 1 where they are all equal.
        highest: Highest of the scores.
    """

    terms: npt.NDArray[np.float64]
    outcome: npt.NDArray[np.float64]
    stake: npt.NDArray[np.float64]
    break_even: npt.NDArray[np.float64]
    one_rate: bool
    ends: npt.NDArray[np.float64]
    centre: float
    scale: float
    highest: float

    @classmethod
    def of(cls, y_true: npt.ArrayLike, probability: npt.ArrayLike, costs: Costs) -> Self:
        outcome = check_outcomes(y_true)
        scores = check_probabilities(probability, outcome.size)
        check_costs(costs, outcome.size)
        stake = np.broadcast_to(np.asarray(costs.false_negative + costs.false_positive), outcome.shape)
        log_odds = _log_odds(scores)
        centre, scale = float(log_odds.mean()), float(log_odds.std()) or 1.0
        return cls(
            terms=_powers(standard := (log_odds - centre) / scale),
            outcome=outcome.astype(float),
            stake=stake / stake.mean(),
            break_even=costs.false_positive / stake,
            one_rate=bool(np.ptp(costs.false_positive / stake) < 1e-12),
            ends=_powers([standard.min(), standard.max()]),
            centre=centre,
            scale=scale,
            highest=float(scores.max()),
        )

    def terms_of(self, probability: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the terms of other scores, standardised as these are."""
        return _powers((_log_odds(probability) - self.centre) / self.scale)

    def fit(self, times: npt.NDArray[np.int_] | None = None, start: _Curves | None = None) -> _Curves | None:
        """Fit the default rate and the break-even rate, with logit² or without; None if neither way rises.

        Args:
            times: How often each applicant counts; once without.
            start: Curves of the sample that this one is a resample of. From there the last digits of a solution are
                small beside what resampling moves, and not waited for.
        """
        weight = self.stake if times is None else self.stake * times
        tolerance = _ROUGH
        if start is None:  # the score at its word, and a break-even rate that is the same for all
            start = _Curves(
                np.array([self.centre, self.scale, 0.0]), np.array([logit(self.break_even.mean()), 0.0, 0.0])
            )
            tolerance = _EXACT
        for n_terms in (3, 2):
            terms = self.terms[:, :n_terms]
            default_rate = _fit_logistic(terms, self.outcome, weight, start.default_rate, tolerance)
            break_even: npt.NDArray[np.float64] | None = start.break_even
            if not self.one_rate:
                break_even = _fit_logistic(terms, self.break_even, weight, start.break_even, tolerance)
            if default_rate is None or break_even is None:
                continue
            curves = _Curves(default_rate, break_even)
            _, slope, curvature = curves.default_rate - curves.break_even
            if (slope + 2 * curvature * self.ends[:, 1] > 0).all():
                return curves
        return None

    def threshold(self, times: npt.NDArray[np.int_] | None = None, start: _Curves | None = None) -> float | None:
        """Return where the curves of `fit` cross; None if there are none."""
        curves = self.fit(times, start)
        if curves is None:
            return None
        level, slope, curvature = excess = curves.default_rate - curves.break_even
        lowest, highest = self.ends @ excess
        if lowest >= 0:
            return 0.0
        if highest < 0:
            return float(np.nextafter(self.highest, np.inf))
        # Of the two roots the one where the curve rises, written so that no curvature divides by nothing.
        crossing = -2 * level / (slope + np.sqrt(slope**2 - 4 * curvature * level))
        return float(expit(self.centre + self.scale * crossing))


def _fit_logistic(
    terms: npt.NDArray[np.float64],
    response: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
    start: npt.NDArray[np.float64],
    tolerance: float,
) -> npt.NDArray[np.float64] | None:
    """Return the coefficients of a logistic regression without penalty, as many as `start` has; None if none exist.

    Newton's method with steps halved until the likelihood does not fall; the last one is shorter than the tolerance and
    leaves an error of the order of its square. These lines are for the hundreds of weighted fits of a bootstrap: from
    the solution of the whole sample, each takes a step or two.
    """
    n_terms = terms.shape[1]

    def evaluate(coefficients: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
        log_odds = terms @ coefficients
        with np.errstate(over="ignore"):  # a step far too long ends at a likelihood of -inf
            odds = np.exp(log_odds)
            return odds, float(weight @ (response * log_odds - np.log1p(odds)))

    coefficients = start[:n_terms]
    odds, likelihood = evaluate(coefficients)
    for _ in range(50):
        rate = odds / (1 + odds)
        information = (terms.T * (weight * rate * (1 - rate))) @ terms
        if odds.max() > _RUNAWAY or odds.min() < 1 / _RUNAWAY or np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, terms.T @ (weight * (response - rate)))
        odds, reached = evaluate(coefficients + step)
        while reached < likelihood - 1e-12 * abs(likelihood):
            step = step / 2
            odds, reached = evaluate(coefficients + step)
        coefficients, likelihood = coefficients + step, reached
        if np.abs(step).max() < tolerance:
            return np.append(coefficients, np.zeros(start.size - n_terms))
    return None


def _log_odds(probability: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return logit(np.clip(np.asarray(probability, dtype=float), _LEAST, 1 - _LEAST))


def _powers(logits: npt.ArrayLike) -> npt.NDArray[np.float64]:
    values = np.asarray(logits, dtype=float)
    powers = np.stack([np.ones_like(values), values, values**2])
    return np.moveaxis(powers, 0, -1)  # column by column in memory, as the sums over applicants read it


def _least_of_last(values: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    """Return for each place the least of the value there and of the `width` before it."""
    padded = np.concatenate((np.full(width, np.inf), values))
    centred = minimum_filter1d(padded, width + 1, mode="constant", cval=np.inf)  # place i: i - (width + 1) // 2 and on
    return centred[(width + 1) // 2 :][: values.size]


def _last_minimum(values: npt.NDArray[np.float64]) -> int:
    return int(values.size - 1 - np.argmin(values[::-1]))
