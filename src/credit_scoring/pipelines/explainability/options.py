"""Typed parameters of the explainability pipeline."""

from pydantic import BaseModel, ConfigDict, Field


class ExplanationOptions(BaseModel):
    """How much is explained.

    Attributes:
        n_applicants: Hold-out applicants that the global picture is drawn from, at most.
        n_top_features: Features shown in the global picture.
        n_reasons: Causes shown for one client; the others are summed up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_applicants: int = Field(2000, gt=0)
    n_top_features: int = Field(20, gt=0)
    n_reasons: int = Field(10, gt=0)


class ReliabilityOptions(BaseModel):
    """How it is measured whether reasons would be the same, had the model learnt from other applicants.

    Attributes:
        n_refits: Bootstrap samples of the training rows that the champion is fitted to anew; 0 for none.
        n_applicants: Declined hold-out applicants whose reasons are compared, at most.
        n_reference: Approved training applicants whose mean contributions a refit is held against, at most.
        top: Heaviest causes against an applicant that are compared.
        seed: Of the samples.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_refits: int = Field(2, ge=0)
    n_applicants: int = Field(200, gt=0)
    n_reference: int = Field(500, gt=0)
    top: int = Field(4, gt=0)
    seed: int = Field(0, ge=0)


class FairnessOptions(BaseModel):
    """How groups of clients are compared.

    Attributes:
        age_bands: Ages at which the next band begins.
        min_clients: Fewest clients that a measure needs: of a group, and of those of the group that it concerns. Below,
            the group is shown, but too few to tell the measure, and in no gap.
        min_defaults: The same for the false-negative rate, which concerns the defaults of a group.
        n_resamples: Bootstrap resamples behind each interval that is not a rate's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    age_bands: tuple[int, ...] = Field((25, 35, 45, 55, 65), min_length=1)
    min_clients: int = Field(50, ge=1)
    min_defaults: int = Field(10, ge=1)
    n_resamples: int = Field(1000, ge=100)
