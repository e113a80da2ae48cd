"""Typed parameters of the scoring pipeline."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from credit_scoring.texts import DEFAULT_LANGUAGE, Language


class ScoringOptions(BaseModel):
    """Who is scored, and what is said of them.

    Attributes:
        applicants: `to_score`: those whose outcome is not known; `known_outcome`: the others; `all`.
        reasons: Whether to tell the reasons of each decision.
        language: Language of the reasons.
        decision_log: `required`: each decision is recorded, where `DECISION_LOG_URL` says, before it is written; `off`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    applicants: Literal["to_score", "known_outcome", "all"] = "to_score"
    reasons: bool = False
    language: Language = DEFAULT_LANGUAGE
    decision_log: Literal["off", "required"] = "off"
