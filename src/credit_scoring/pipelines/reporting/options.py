"""Typed parameters of the reporting pipeline."""

import datetime as dt
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from credit_scoring.texts import Language


class ReportOptions(BaseModel):
    """What the report says of itself.

    Attributes:
        author: Who signs it, in each language.
        date: Day of the report.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    author: Mapping[Language, str]
    date: dt.date
