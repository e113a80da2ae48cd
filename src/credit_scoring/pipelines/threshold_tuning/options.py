"""Typed parameters of the threshold tuning pipeline."""

from pydantic import BaseModel, ConfigDict, Field


class PromotionOptions(BaseModel):
    """When a new scorer replaces the champion of the registry.

    Attributes:
        force: Replace it whatever the comparison says.
        confidence: Of the interval of the cost difference, all of which must be below zero.
        n_resamples: Bootstrap resamples of the hold-out.
        seed: Seed of the resamples.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    force: bool = False
    confidence: float = Field(0.95, gt=0, lt=1)
    n_resamples: int = Field(2000, ge=100)
    seed: int = Field(0, ge=0)
