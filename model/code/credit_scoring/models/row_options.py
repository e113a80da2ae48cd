"""Typed parameters of row models; what serves them has no need of these."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.models.row_models import HISTORY_NAMES, HistoryName


class RowModelOptions(BaseModel):
    """Which candidates also compete with features of row models, and how these are fitted.

    Attributes:
        candidates: Names of candidates; each then also competes as `<name>_row_models`. None: no row model is made.
        histories: Those whose rows models are fitted to.
        family: A module of `credit_scoring.models.families`.
        params: Its hyper-parameters.
        max_rows: Rows of one history that a model is fitted on, at most; null for all.
        seed: Of the draw of these rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidates: tuple[str, ...] = ()
    histories: tuple[HistoryName, ...] = Field(HISTORY_NAMES, min_length=1)
    family: str = "lightgbm"
    params: dict[str, Any] = {}
    max_rows: int | None = Field(1_000_000, gt=0)
    seed: int = Field(42, ge=0)

    @property
    def wanted(self) -> tuple[HistoryName, ...]:
        """The histories whose rows are needed: none without a candidate."""
        return self.histories if self.candidates else ()


OFF = RowModelOptions.model_validate({})
"""No candidate asks for row models."""
