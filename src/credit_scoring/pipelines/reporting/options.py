"""Typed parameters of the reporting pipeline."""

import datetime as dt
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, model_validator

from credit_scoring.texts import Language


class ResponsibilityOptions(BaseModel):
    """Who answers for the model.

    Attributes:
        owner: Who keeps the model; null for nobody yet.
        approver: Who allowed its use; null for nobody yet.
        approved_on: When; null if it is not approved.
        valid_until: Day after which it is to be validated again; null if none was set.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    owner: str | None = None
    approver: str | None = None
    approved_on: dt.date | None = None
    valid_until: dt.date | None = None

    @model_validator(mode="after")
    def _approved_by_somebody_for_a_time(self) -> "ResponsibilityOptions":
        if self.approved_on and not self.approver:
            raise ValueError(f"approved_on is {self.approved_on}, and approver is not set. Hint: name who approved it.")
        if self.approved_on and self.valid_until and self.valid_until <= self.approved_on:
            raise ValueError(
                f"valid_until is {self.valid_until}, expected a day after approved_on, {self.approved_on}."
            )
        return self


class TechnicalFileOptions(BaseModel):
    """What the technical file (AI Act, Annex IV) is told by the provider alone; null or empty is a gap in it.

    Attributes:
        provider: Name and address.
        distribution: Forms in which the system is placed on the market or put into service.
        surroundings: Other hardware, software and AI systems that it works together with.
        data_origin: How and on what legal basis the training data were obtained, from whom, where and when.
        test_reports: Where the test reports are, dated and signed.
        oversight: Who oversees the system, with what training and authority.
        risk_management: Where the risk management system (article 9) is documented.
        standards: Standards and technical specifications applied.
        declaration_of_conformity: Where the signed EU declaration is.
        post_market_plan: Where the plan of article 72 is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str | None = None
    distribution: str | None = None
    surroundings: str | None = None
    data_origin: str | None = None
    test_reports: str | None = None
    oversight: str | None = None
    risk_management: str | None = None
    standards: tuple[str, ...] = ()
    declaration_of_conformity: str | None = None
    post_market_plan: str | None = None


class ReportOptions(BaseModel):
    """What the report says of itself.

    Attributes:
        author: Who signs it, in each language.
        date: Day of the report.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    author: Mapping[Language, str]
    date: dt.date
