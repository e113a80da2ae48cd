"""Configuration of the decision log: environment variables, all of them optional."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "DECISION_LOG"
DEFAULT_FILE = Path("data/decision_log/decisions.db")
MOST_DAYS = 36_500
Mode = Literal["off", "required", "best_effort"]


class LogError(Exception):
    """The decision log cannot be reached, or not be used as asked; ends in a hint."""


class LogSettingError(LogError):
    """Environment variables have values that the decision log cannot use."""


class LogSettings(BaseSettings):
    """Where decisions are recorded, and what happens if they cannot be.

    Without any variable nothing is recorded: inputs are personal data, and a server that somebody tries a model out
    with must not keep them unasked. Whoever names a database wants records, and then none may be missing: `required`.

    Attributes:
        given: `DECISION_LOG`: `required`, no decision without its record (503); `best_effort`, an answer waits for no
            record and goes out without one; `off`.
        url: `DECISION_LOG_URL`: database, as SQLAlchemy writes it; a SQLite file under `data/` if it is not set.
        timeout: `DECISION_LOG_TIMEOUT`: seconds that a record may take to be written.
        retention_days: `DECISION_LOG_RETENTION_DAYS`: age of personal data that `decisions retain`
            erases; 0 for never.
    """

    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}_", frozen=True, populate_by_name=True)

    given: Annotated[Mode | None, BeforeValidator(lambda text: text or None)] = Field(None, validation_alias=PREFIX)
    url: str = ""
    timeout: float = Field(default=5.0, gt=0, le=3600)
    retention_days: int = Field(default=0, ge=0, le=MOST_DAYS)

    @property
    def mode(self) -> Mode:
        """What applies."""
        return self.given or ("required" if self.url else "off")

    @property
    def address(self) -> str:
        """The database in use."""
        return self.url or f"sqlite:///{DEFAULT_FILE}"


def read_log_settings() -> LogSettings:
    """Read the variables.

    Raises:
        LogSettingError: If one has a value that is not allowed, or is not known; with all of these.
    """
    known = [PREFIX, *(f"{PREFIX}_{name.upper()}" for name in LogSettings.model_fields if name != "given")]
    problems = [
        f"{name} is not a setting" for name in sorted(os.environ) if name.startswith(PREFIX) and name not in known
    ]
    try:
        settings = LogSettings()  # type: ignore[call-arg]
    except ValidationError as error:
        for detail in error.errors():
            place = str(detail["loc"][0])
            name = place if place == PREFIX else f"{PREFIX}_{place.upper()}"
            problems.append(f"{name} is {detail['input']!r}: {detail['msg']}")
    if problems:
        bullets = "".join(f"  - {problem}.\n" for problem in problems)
        raise LogSettingError(
            f"Decisions cannot be recorded with these settings:\n{bullets}Hint: known are {', '.join(known)}."
        )
    return settings
