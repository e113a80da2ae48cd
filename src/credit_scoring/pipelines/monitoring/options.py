"""Typed parameters of the monitoring pipeline."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Limits(BaseModel):
    """From where on a measure of drift is worth a look, and from where on it is a shift.

    Attributes:
        watch: Least value that is worth a look.
        drift: Least value of a shift.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    watch: float = Field(gt=0)
    drift: float = Field(gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.watch >= self.drift:
            raise ValueError(f"watch ({self.watch}) must be less than drift ({self.drift})")
        return self


class MonitoringOptions(BaseModel):
    """What counts as drift: what is large enough to matter and too large for chance.

    Attributes:
        n_bins: Quantile bins of a number.
        least_applicants: With fewer, what does not look different is not called stable: it cannot be told.
        false_alarms: Share of false alarms among all alarms, at most, on average.
        psi: Limits of the stability index, less what samples of this size have by chance.
        ks: Limits of the largest gap between the distribution functions of a number.
        rate: Limits of the change of a rate, 0.03 being three percentage points: the share declined, the share of yes
            of a yes-or-no variable. It stands in for the stability index and the gap, whose limits a rate hardly ever
            reaches: a share declined of 23 % would have to become 38 % for an index of 0.1.
        missing: Limits of the change of the share of missing values.
        new_categories: Limits of the share of applicants in categories that training did not have.
        decision_log_weeks: How many weeks of the decision log the report shows, this one included; with 0 it is not
            read, and its packages are not needed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_bins: int = Field(10, ge=2)
    least_applicants: int = Field(100, ge=1)
    false_alarms: float = Field(0.01, gt=0, lt=1)
    psi: Limits = Limits(watch=0.1, drift=0.25)
    ks: Limits = Limits(watch=0.1, drift=0.2)
    rate: Limits = Limits(watch=0.03, drift=0.06)
    missing: Limits = Limits(watch=0.05, drift=0.1)
    new_categories: Limits = Limits(watch=0.001, drift=0.01)
    decision_log_weeks: int = Field(0, ge=0, le=520)
