"""The business cost of granting and refusing: the only place where the two wrong decisions are priced.

A client is refused when the probability of default reaches the threshold. Granting a client who defaults (false
negative) and refusing a client who repays (false positive) have a cost each; right decisions cost nothing. The costs
are the same for all applicants (`MisclassificationCosts`) or each applicant's own (`ApplicantCosts`); everything here
takes either.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.metrics.inputs import known


class MisclassificationCosts(BaseModel):
    """Costs of the two wrong decisions, in one common unit.

    Attributes:
        false_negative: Cost of granting a client who defaults.
        false_positive: Cost of refusing a client who repays.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    false_negative: float = Field(10.0, gt=0)
    false_positive: float = Field(1.0, gt=0)

    @property
    def theoretical_threshold(self) -> float:
        """Threshold that minimises the expected cost if probabilities are calibrated.

        Refusing costs (1 - p) * C_FP, granting costs p * C_FN; the two are equal at C_FP / (C_FP + C_FN)
        (Elkan, *The Foundations of Cost-Sensitive Learning*, IJCAI 2001, equation 2).
        """
        return self.false_positive / (self.false_positive + self.false_negative)


@dataclass(frozen=True)
class ApplicantCosts:
    """Costs of the two wrong decisions for each applicant, such as what would be lost of the amount asked for.

    Attributes:
        false_negative: Cost of granting each applicant, should he default.
        false_positive: Cost of refusing each applicant, should he repay.

    Raises:
        ValueError: If a cost is zero, negative, infinite or missing, or there are not as many of one as of the other.
    """

    false_negative: npt.NDArray[np.float64]
    false_positive: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("false_negative", "false_positive"):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            wrong = ~(np.isfinite(values) & (values > 0))
            if values.ndim != 1 or wrong.any():
                found = f"{wrong.sum()} of {values.size} are not (first: {values[wrong][0]})" if wrong.any() else "none"
                raise ValueError(
                    f"Costs `{name}` must be one positive, finite number per applicant: {found}.\n"
                    "Hint: check the amounts they are computed from, and the rates in conf/*/parameters/costs.yml."
                )
            object.__setattr__(self, name, values)
        if self.false_negative.shape != self.false_positive.shape:
            raise ValueError(
                f"Got {self.false_negative.size} costs of granting and {self.false_positive.size} of refusing.\n"
                "Hint: one of each per applicant."
            )


Costs: TypeAlias = MisclassificationCosts | ApplicantCosts


def refuse(probability: npt.ArrayLike, threshold: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Apply the decision rule: refused (True) when the probability of default is at or above the threshold.

    Args:
        probability: Probabilities of default, shape (n,).
        threshold: One for all applicants, or each one's own, shape (n,).

    Raises:
        ValueError: If a probability or a threshold is NaN: nobody is granted a loan for want of a score.
    """
    return known(probability, "probabilities") >= known(threshold, "thresholds")


def business_cost_loss(y_true: npt.ArrayLike, refused: npt.ArrayLike, costs: Costs) -> float:
    """Return the mean cost per applicant of a set of decisions.

    Args:
        y_true: Outcomes, shape (n,), 0 repaid, 1 defaulted.
        refused: Decisions, shape (n,), True for refused.
        costs: Prices of the wrong decisions.

    Returns:
        (C_FN * FN + C_FP * FP) / n, in the unit of the costs.

    Raises:
        ValueError: If the inputs are empty, of different lengths, or hold anything but 0 and 1.

    Examples:
        >>> business_cost_loss([0, 0, 1, 1], [False, True, False, True], MisclassificationCosts())
        2.75
    """
    return float(decision_costs(y_true, refused, costs).mean())


def decision_costs(y_true: npt.ArrayLike, refused: npt.ArrayLike, costs: Costs) -> npt.NDArray[np.float64]:
    """Return what each decision costs: C_FN for a defaulter granted, C_FP for a repayer refused, else 0.

    Args:
        y_true: Outcomes, shape (n,), 0 repaid, 1 defaulted.
        refused: Decisions, shape (n,), True for refused.
        costs: Prices of the wrong decisions.

    Raises:
        ValueError: If the inputs are empty, of different lengths, or hold anything but 0 and 1.
    """
    defaulted = check_outcomes(y_true)
    refused = known(refused, "decisions").astype(bool)
    if refused.shape != defaulted.shape:
        raise ValueError(f"Got {defaulted.size} outcomes and {refused.size} decisions. Hint: one decision per outcome.")
    check_costs(costs, defaulted.size)
    return np.select([defaulted & ~refused, ~defaulted & refused], [costs.false_negative, costs.false_positive], 0.0)


def cost_curve(y_true: npt.ArrayLike, probability: npt.ArrayLike, costs: Costs) -> pd.DataFrame:
    """Return the exact cost at every threshold that makes a difference, in O(n log n).

    Between two neighbouring scores all thresholds decide alike, so one threshold stands for each gap: halfway between
    the scores. With them come 0 (refuse all) and the first number above the highest score (grant all).

    Args:
        y_true: Outcomes, shape (n,).
        probability: Probabilities of default, shape (n,).
        costs: Prices of the wrong decisions.

    Returns:
        One row per decision that a threshold can make, thresholds ascending: `threshold`, `up_to` (the highest
        threshold that decides the same), `cost` (mean per applicant), `false_negatives`, `false_positives`,
        `approval_rate`.

    Raises:
        ValueError: If inputs are empty, of different lengths, NaN, or outside [0, 1].
    """
    ranked = rank_losses(y_true, probability, costs)
    granted, size = ranked.granted, ranked.defaulted.size
    false_negatives = running_total(ranked.defaulted)[granted]
    false_positives = (size - granted) - (ranked.defaulted.sum() - false_negatives)
    if isinstance(costs, ApplicantCosts):
        refusals = running_total(ranked.if_refused)
        total = running_total(ranked.if_granted)[granted] + refusals[-1] - refusals[granted]
    else:  # whole numbers of errors keep equal costs equal, which sums of decimals would not
        total = costs.false_negative * false_negatives + costs.false_positive * false_positives
    return pd.DataFrame(
        {
            "threshold": ranked.thresholds,
            "up_to": ranked.up_to,
            "cost": total / size,
            "false_negatives": false_negatives,
            "false_positives": false_positives,
            "approval_rate": granted / size,
        }
    )


def optimal_threshold(y_true: npt.ArrayLike, probability: npt.ArrayLike, costs: Costs) -> float:
    """Return the threshold of least cost on these very outcomes; among equals the highest, which refuses the fewest.

    On other applicants it costs more than here: `metrics.threshold.break_even_threshold` chooses better.
    """
    curve = cost_curve(y_true, probability, costs)
    return float(curve.loc[curve["cost"] == curve["cost"].min(), "threshold"].iloc[-1])


def curve_at(curve: pd.DataFrame, thresholds: npt.ArrayLike) -> pd.DataFrame:
    """Read a `cost_curve` at any thresholds, such as the grid 0.1, 0.11, ..., 0.9.

    Returns:
        One row per threshold: those asked for, and what the curve says of the decision that each stands for.
    """
    asked = np.asarray(thresholds, dtype=float)
    decision = np.searchsorted(curve["up_to"].to_numpy(), asked, side="left")
    return curve.iloc[decision].assign(threshold=asked).reset_index(drop=True)


class RankedLosses(NamedTuple):
    """Applicants in the order of their scores, with what each decision on them costs.

    Attributes:
        defaulted: Their outcomes.
        if_granted: Cost of granting each: nothing for those who repay.
        if_refused: Cost of refusing each: nothing for those who default.
        granted: For every decision that a threshold can make, the number of applicants granted, ascending from none.
        thresholds: A threshold for each of these decisions.
        up_to: The highest threshold that decides the same.
    """

    defaulted: npt.NDArray[np.bool_]
    if_granted: npt.NDArray[np.float64]
    if_refused: npt.NDArray[np.float64]
    granted: npt.NDArray[np.int_]
    thresholds: npt.NDArray[np.float64]
    up_to: npt.NDArray[np.float64]


def rank_losses(y_true: npt.ArrayLike, probability: npt.ArrayLike, costs: Costs) -> RankedLosses:
    """Sort applicants by their scores, once, for all that is asked of thresholds.

    Raises:
        ValueError: If inputs are empty, of different lengths, NaN, or outside [0, 1].
    """
    outcomes = check_outcomes(y_true)
    scores = check_probabilities(probability, outcomes.size)
    check_costs(costs, outcomes.size)
    order = np.argsort(scores, kind="stable")
    ascending = scores[order]
    first = np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1]))
    distinct = ascending[first]
    between = distinct[:-1] + (distinct[1:] - distinct[:-1]) / 2
    # Halfway between two adjacent floats may round down onto the lower one, which would refuse it too.
    between = np.where(between > distinct[:-1], between, distinct[1:])
    return RankedLosses(
        defaulted=outcomes[order],
        if_granted=np.where(outcomes, costs.false_negative, 0.0)[order],
        if_refused=np.where(outcomes, 0.0, costs.false_positive)[order],
        # Decision i refuses everyone whose score is at least distinct[i]; the last one refuses nobody.
        granted=np.append(first, scores.size),
        thresholds=np.concatenate(([0.0], between, [np.nextafter(distinct[-1], np.inf)])),
        up_to=np.append(distinct, np.inf),
    )


def running_total(values: npt.NDArray) -> npt.NDArray:
    """Return the sums of the first 0, 1, ..., n values."""
    return np.concatenate(([0], np.cumsum(values)))


def check_costs(costs: Costs, size: int) -> None:
    """Check that there is one cost per applicant, where each has their own."""
    if isinstance(costs, ApplicantCosts) and costs.false_negative.size != size:
        raise ValueError(f"Got {size} outcomes and {costs.false_negative.size} costs. Hint: one per applicant.")


def check_outcomes(y_true: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return outcomes as booleans, True for a default.

    Raises:
        ValueError: If there are none, or one is neither 0 nor 1.
    """
    outcomes = known(y_true, "outcomes")
    if outcomes.ndim != 1 or outcomes.size == 0:
        raise ValueError(f"Outcomes must be a non-empty vector, got shape {outcomes.shape}.")
    if not np.isin(outcomes, (0, 1)).all():
        raise ValueError(f"Outcomes must be 0 or 1, got {sorted(set(outcomes[~np.isin(outcomes, (0, 1))]))[:3]}.")
    return outcomes.astype(bool)


def check_probabilities(probability: npt.ArrayLike, size: int) -> npt.NDArray[np.float64]:
    """Return probabilities as an array.

    Raises:
        ValueError: If there is not one per applicant, or one is NaN or outside [0, 1].
    """
    scores = known(probability, "probabilities")
    if scores.shape != (size,):
        raise ValueError(f"Got {size} outcomes and probabilities of shape {scores.shape}. Hint: one per outcome.")
    outside = ~((scores >= 0) & (scores <= 1))
    if outside.any():
        raise ValueError(f"Probabilities must lie in [0, 1], {outside.sum()} do not (first: {scores[outside][0]}).")
    return scores
