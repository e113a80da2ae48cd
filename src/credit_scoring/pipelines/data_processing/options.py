"""Typed parameters of the data processing pipeline."""

from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field, field_validator

from credit_scoring.schemas.quality import DIFFERENT, UNIQUE, Finding
from credit_scoring.schemas.raw import RAW_TABLES


class SplitOptions(BaseModel):
    """How the hold-out is cut.

    Attributes:
        holdout_share: Share of applicants, within each class of TARGET, that no fitting step may see.
        seed: Another seed gives another hold-out of the same size.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    holdout_share: float = Field(0.2, gt=0, lt=1)
    seed: int = Field(42, ge=0, lt=2**31)


class DamageOptions(BaseModel):
    """When what is merely unusual in a few rows is so frequent that the files must be damaged.

    Attributes:
        broken: Share of the rows of a column that break one and the same rule, or that are empty; null never stops.
        copied: Share of the rows of a table that are copies of others: half of them in a file appended to itself; null
            never stops.
        least_rows: Smaller tables are not judged by shares, and fewer applicants may be without a history.
        may_be_empty: Histories that need not have a row of any applicant.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    broken: float | None = Field(0.9, gt=0, le=1)
    copied: float | None = Field(0.25, gt=0, le=1)
    least_rows: int = Field(50, ge=1)
    may_be_empty: tuple[str, ...] = ()

    @field_validator("may_be_empty")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in names if name not in RAW_TABLES]:
            raise ValueError(f"expected tables among {', '.join(RAW_TABLES)}; found {', '.join(unknown)}")
        return names

    def judge(self, finding: Finding) -> Finding:
        """Return the finding, as an error if it is wholesale."""
        limit = self.copied if finding.expected in (UNIQUE, DIFFERENT) else self.broken
        if finding.severity == "error" or limit is None or finding.share < limit:
            return finding
        if finding.rows < limit * self.least_rows:
            return finding
        hint = f"rows are unusual one by one; {finding.share:.0%} of them are a damaged file (bounds: `damage.…`)."
        return replace(finding, severity="error", hint=hint)
