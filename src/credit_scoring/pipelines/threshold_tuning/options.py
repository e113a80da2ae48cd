"""Typed parameters of the threshold tuning pipeline."""

from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from credit_scoring.counterfactual import USUAL_LEVERS


class AmountOptions(BaseModel):
    """What the two wrong decisions cost in monetary terms, as shares of the amount of the credit.

    Attributes:
        loss_given_default: Share lost when a granted client defaults.
        margin: Share not earned when a client who repays is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    loss_given_default: float = Field(0.45, gt=0, le=1)
    margin: float = Field(0.045, gt=0, le=1)


class GridOptions(BaseModel):
    """Thresholds at which the exact cost curve is read for a table.

    Attributes:
        low: The lowest.
        high: The highest.
        step: From one to the next.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float = Field(default=0.1, ge=0, le=1)
    high: float = Field(default=0.9, ge=0, le=1)
    step: float = Field(default=0.01, gt=0, le=1)

    @model_validator(mode="after")
    def _ascends(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"The grid of thresholds goes from {self.low:g} up to {self.high:g}: nowhere.")
        return self

    @property
    def thresholds(self) -> npt.NDArray[np.float64]:
        """All thresholds, ascending; the decimals that 0.1 + 0.01 + ... would gather are rounded away."""
        steps = round((self.high - self.low) / self.step)
        return np.round(self.low + np.arange(steps + 1) * self.step, 10)


class PolicyOptions(BaseModel):
    """What is told about the threshold beside its value.

    Attributes:
        n_resamples: Bootstrap resamples behind its interval.
        confidence: Of this interval and of those of the costs.
        seed: Seed of the resamples.
        plateau_tolerance: Share by which a threshold may be expected to cost more and still be as good.
        grid: View of the cost curve.
        ratios: Costs of a bad loan approved, in units of a good customer declined, for which the threshold is found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_resamples: int = Field(500, ge=100)
    confidence: float = Field(0.95, gt=0, lt=1)
    seed: int = Field(0, ge=0)
    plateau_tolerance: float = Field(0.01, ge=0)
    grid: GridOptions = GridOptions()
    ratios: tuple[float, ...] = Field((2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30), min_length=1)

    @model_validator(mode="after")
    def _ratios_ascend(self) -> Self:
        if min(self.ratios) <= 0 or list(self.ratios) != sorted(set(self.ratios)):
            raise ValueError(f"Cost ratios must be positive and ascend, got {', '.join(map(str, self.ratios))}.")
        return self


class ReviewOptions(BaseModel):
    """A person who looks at the applications between granted and refused.

    Attributes:
        budget: Largest share of the applications that can be looked at; 0 for nobody.
        cost: Of one manual review, in units of one good customer declined.
        error_rate: Share of the person's decisions that are wrong, for either outcome.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget: float = Field(0.1, ge=0, le=1)
    cost: float = Field(0.1, ge=0)
    error_rate: float = Field(0.2, ge=0, le=0.5)


class ReasonOptions(BaseModel):
    """Which causes a client is told.

    Attributes:
        n_against: Causes told against a client, at most.
        n_for: Causes told for a client, at most.
        least_weight: Contribution in log-odds below which a cause is not worth telling.
        max_columns: Most columns of one cause; a measure of more is told apart by window. The external scores are one
            cause, however many.
        n_reference: Training rows on which the usual effects and the approved customers' mean contributions are
            measured, at most.
        seed: Seed of the sample of these rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_against: int = Field(3, ge=1)
    n_for: int = Field(2, ge=0)
    least_weight: float = Field(0.02, gt=0)
    max_columns: int = Field(6, ge=1)
    n_reference: int = Field(1_000, gt=1)
    seed: int = Field(0, ge=0)


class GapOptions(BaseModel):
    """When too little is known of an applicant, or what is said cannot be true, for an automatic decision.

    Attributes:
        widen: How far beyond the least and greatest value of training a number is still plausible, in units of the
            range of training or of its greatest magnitude, if that is more; for columns without bounds of their own.
        missing_quantile: Of the training applicants, how many must have had no more missing of a source.
        missing_margin: Share of the source's columns that may be missing beyond that.
        n_told: Gaps told of an applicant, at most.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    widen: float = Field(50, ge=0)
    missing_quantile: float = Field(0.9995, gt=0.5, le=1)
    missing_margin: float = Field(0.05, ge=0, le=1)
    n_told: int = Field(10, ge=1)


class CounterfactualOptions(BaseModel):
    """What an applicant can change, when a change that leads to approval is looked for, and how far: see `Levers`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least_amount: float = Field(default=USUAL_LEVERS.least_amount, gt=0, le=1)
    least_annuity: float = Field(default=USUAL_LEVERS.least_annuity, gt=0, le=1)
    greatest_annuity: float = Field(default=USUAL_LEVERS.greatest_annuity, ge=1)
    most_down_payment: float = Field(default=USUAL_LEVERS.most_down_payment, ge=0, lt=1)
    settle_overdue: bool = USUAL_LEVERS.settle_overdue
    round_to: float = Field(default=USUAL_LEVERS.round_to, gt=0)
    milliseconds: float = Field(default=USUAL_LEVERS.milliseconds, gt=0, le=10_000)


class PromotionOptions(BaseModel):
    """When a new scorer replaces the champion of the registry.

    Attributes:
        force: Replace it regardless of the comparison.
        confidence: Probability that no challenger replaces a champion that is as good, however many are compared
            with it one after the other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    force: bool = False
    confidence: float = Field(0.95, gt=0, lt=1)
