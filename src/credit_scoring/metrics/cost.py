"""The business cost of granting and refusing: the only place where the two wrong decisions are priced.

A client is refused when the probability of default reaches the threshold. Granting a client who defaults (false
negative) and refusing a client who repays (false positive) have a cost each; right decisions cost nothing.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field


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


def refuse(probability: npt.ArrayLike, threshold: float) -> npt.NDArray[np.bool_]:
    """Apply the decision rule: refused (True) when the probability of default is at or above the threshold."""
    return np.asarray(probability, dtype=float) >= threshold


def business_cost_loss(y_true: npt.ArrayLike, refused: npt.ArrayLike, costs: MisclassificationCosts) -> float:
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


def decision_costs(
    y_true: npt.ArrayLike, refused: npt.ArrayLike, costs: MisclassificationCosts
) -> npt.NDArray[np.float64]:
    """Return what each decision costs: C_FN for a defaulter granted, C_FP for a repayer refused, else 0.

    Args:
        y_true: Outcomes, shape (n,), 0 repaid, 1 defaulted.
        refused: Decisions, shape (n,), True for refused.
        costs: Prices of the wrong decisions.

    Raises:
        ValueError: If the inputs are empty, of different lengths, or hold anything but 0 and 1.
    """
    defaulted = _check_outcomes(y_true)
    refused = np.asarray(refused, dtype=bool)
    if refused.shape != defaulted.shape:
        raise ValueError(f"Got {defaulted.size} outcomes and {refused.size} decisions. Hint: one decision per outcome.")
    return np.select([defaulted & ~refused, ~defaulted & refused], [costs.false_negative, costs.false_positive], 0.0)


def cost_curve(y_true: npt.ArrayLike, probability: npt.ArrayLike, costs: MisclassificationCosts) -> pd.DataFrame:
    """Return the exact cost at every threshold that makes a difference, in O(n log n).

    Between two neighbouring scores all thresholds decide alike, so one threshold stands for each gap: halfway between
    the scores. With them come 0 (refuse all) and the first number above the highest score (grant all).

    Args:
        y_true: Outcomes, shape (n,).
        probability: Probabilities of default, shape (n,).
        costs: Prices of the wrong decisions.

    Returns:
        One row per decision that a threshold can make, thresholds ascending: `threshold`, `cost` (mean per applicant),
        `false_negatives`, `false_positives`, `grant_rate`.

    Raises:
        ValueError: If inputs are empty, of different lengths, NaN, or outside [0, 1].
    """
    defaulted = _check_outcomes(y_true)
    scores = _check_probabilities(probability, defaulted.size)
    order = np.argsort(scores, kind="stable")
    distinct, first = np.unique(scores[order], return_index=True)
    defaults_below = np.concatenate(([0], np.cumsum(defaulted[order])))
    # Row i refuses everyone whose score is at least distinct[i]; the last row refuses nobody.
    granted = np.append(first, scores.size)
    false_negatives = defaults_below[granted]
    false_positives = (scores.size - granted) - (defaults_below[-1] - false_negatives)
    between = distinct[:-1] + (distinct[1:] - distinct[:-1]) / 2
    # Halfway between two adjacent floats may round down onto the lower one, which would refuse it too.
    between = np.where(between > distinct[:-1], between, distinct[1:])
    thresholds = np.concatenate(([0.0], between, [np.nextafter(distinct[-1], np.inf)]))
    cost = (costs.false_negative * false_negatives + costs.false_positive * false_positives) / scores.size
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "cost": cost,
            "false_negatives": false_negatives,
            "false_positives": false_positives,
            "grant_rate": granted / scores.size,
        }
    )


def optimal_threshold(y_true: npt.ArrayLike, probability: npt.ArrayLike, costs: MisclassificationCosts) -> float:
    """Return the threshold of least cost on these outcomes; among equals the highest, which refuses the fewest."""
    curve = cost_curve(y_true, probability, costs)
    return float(curve.loc[curve["cost"] == curve["cost"].min(), "threshold"].iloc[-1])


def _check_outcomes(y_true: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    outcomes = np.asarray(y_true)
    if outcomes.ndim != 1 or outcomes.size == 0:
        raise ValueError(f"Outcomes must be a non-empty vector, got shape {outcomes.shape}.")
    if not np.isin(outcomes, (0, 1)).all():
        raise ValueError(f"Outcomes must be 0 or 1, got {sorted(set(outcomes[~np.isin(outcomes, (0, 1))]))[:3]}.")
    return outcomes.astype(bool)


def _check_probabilities(probability: npt.ArrayLike, size: int) -> npt.NDArray[np.float64]:
    scores = np.asarray(probability, dtype=float)
    if scores.shape != (size,):
        raise ValueError(f"Got {size} outcomes and probabilities of shape {scores.shape}. Hint: one per outcome.")
    outside = ~((scores >= 0) & (scores <= 1))
    if outside.any():
        raise ValueError(f"Probabilities must lie in [0, 1], {outside.sum()} do not (first: {scores[outside][0]}).")
    return scores
