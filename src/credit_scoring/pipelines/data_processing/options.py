"""Typed parameters of the data processing pipeline."""

from pydantic import BaseModel, ConfigDict, Field


class SplitOptions(BaseModel):
    """How the hold-out is cut.

    Attributes:
        holdout_share: Share of applicants, within each class of TARGET, that no fitting step may see.
        seed: Another seed gives another hold-out of the same size.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    holdout_share: float = Field(0.2, gt=0, lt=1)
    seed: int = Field(42, ge=0, lt=2**31)
