"""Typed parameters of the explainability pipeline."""

from pydantic import BaseModel, ConfigDict, Field


class ExplanationOptions(BaseModel):
    """How much is explained.

    Attributes:
        n_applicants: Hold-out applicants that the global picture is drawn from, at most.
        n_top_features: Features shown in the global picture.
        n_reasons: Features shown for one client; the others are summed up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_applicants: int = Field(2000, gt=0)
    n_top_features: int = Field(20, gt=0)
    n_reasons: int = Field(10, gt=0)
