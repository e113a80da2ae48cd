"""Typed parameters of the modelling pipeline."""

from pydantic import BaseModel, ConfigDict, Field


class CrossValidationOptions(BaseModel):
    """How candidates are compared.

    Attributes:
        n_folds: Number of stratified folds; every candidate sees the same ones.
        seed: Seed of the shuffle before the rows are dealt into folds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_folds: int = Field(5, ge=2)
    seed: int = Field(42, ge=0)
