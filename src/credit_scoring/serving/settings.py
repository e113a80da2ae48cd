"""Configuration of the server: environment variables, all of them optional."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "SERVING_"

# Empty is no path, as in `SERVING_SHADOW=`
_Path = Annotated[Path | None, BeforeValidator(lambda text: text or None)]


MLFLOW_CLI = "mlflow-cli"
_OF_MLFLOW_CLI = {"front_end", "model", "host", "port", "workers", "timeout", "log"}
"""Settings that it may be given; its log is MLflow's own."""


class SettingError(ValueError):
    """Environment variables have values that the server cannot use."""


class Settings(BaseSettings):
    """How the server runs. A field is set by the variable of its name in capitals, after `SERVING_`.

    Attributes:
        front_end: What scores: `mlflow`, as `mlflow models serve` does, or `lean`, the fast one, both behind the gate
            of this server; or `mlflow-cli`: `mlflow models serve` itself, which knows model, host, port, workers and
            timeout only.
        model: Folder of the exported model.
        host: Address to listen on; `0.0.0.0` is every one of the machine.
        port: Port to listen on.
        workers: Processes that score, each with one thread; one per core is the most that helps.
        timeout: Seconds for a request to arrive, and again for it to be answered; a worker that gives no sign of life
            for as long is replaced.
        idle: Seconds without a byte that a client may take between two requests, before the head of one is complete,
            and between two parts of a body.
        grace: Seconds for requests to be finished after the signal to stop.
        drain: Seconds of these in which requests are still taken, while `/ready` already says no.
        max_body_mb: Largest body of a request, in millions of bytes.
        max_rows: Most applicants in a request.
        max_history: Most rows of a raw table that an applicant of `/decisions` may have.
        max_concurrent: Most requests that a worker has in hand; further ones are told to come back.
        max_arriving: Most bodies that a worker waits for; the slowest is given up for one more.
        max_connections: Most connections of a worker; the one that has been idle for longest is closed for one more.
        unknown_category: `accept` scores a category that training did not hold as batch scoring does, and counts it;
            `refuse` answers 400.
        gaps: What to do about applicants of whom too little is known, or of whom impossible things are said: `review`
            answers that a person has to decide, and why; `refuse` answers 400.
        other_versions: What to do about packages that the model was made with and that are missing, or that scores
            depend on and that differ in more than the patch: `refuse` to start, or `warn`.
        api_key: If not empty, what a client may send in the header `X-API-Key`; its name is `default`.
        api_keys_file: File of further keys, each with a name (`python -m credit_scoring.serving.keys NAME` makes one);
            it is read again when it changes.
        rate_limit: Applicants a second that each key may ask about, shared out among the workers; 0 for no limit.
        shadow: Folder of a challenger, which scores the same requests after they are answered, and is only counted.
        desk: Whether the officer's desk is opened beside the server; its own settings are the variables of `DESK_`.
        log: Form of the log: lines of `text` for a person, or of `json`.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    front_end: Literal["mlflow", "lean", "mlflow-cli"] = "mlflow"
    model: Path = Path("model")
    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=1234, ge=1, le=65_535)
    workers: int = Field(default=2, ge=1, le=256)
    timeout: int = Field(default=30, ge=1, le=3600)
    idle: int = Field(default=10, ge=1, le=3600)
    grace: int = Field(default=10, ge=0, le=3600)
    drain: int = Field(default=1, ge=0, le=3600)
    max_body_mb: int = Field(default=20, ge=1, le=1000)
    max_rows: int = Field(default=10_000, ge=1, le=1_000_000)
    max_history: int = Field(default=20_000, ge=1, le=1_000_000)
    max_concurrent: int = Field(default=64, ge=1, le=10_000)
    max_arriving: int = Field(default=16, ge=1, le=10_000)
    max_connections: int = Field(default=1000, ge=1, le=100_000)
    unknown_category: Literal["accept", "refuse"] = "accept"
    gaps: Literal["review", "refuse"] = "review"
    other_versions: Literal["refuse", "warn"] = "refuse"
    api_key: SecretStr = SecretStr("")
    api_keys_file: _Path = None
    rate_limit: int = Field(default=0, ge=0, le=1_000_000)
    shadow: _Path = None
    desk: bool = False
    log: Literal["text", "json"] = "text"

    @property
    def asks_for_key(self) -> bool:
        """Whether a client needs a key."""
        return bool(self.api_key.get_secret_value() or self.api_keys_file)


def read_settings() -> Settings:
    """Read the variables.

    Raises:
        SettingError: If one has a value that is not allowed, or is not known; with all of these and what is expected.
    """
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    given = sorted(name for name in os.environ if name.upper().startswith(PREFIX))
    problems = [f"{name} is not a setting" for name in given if name not in known]
    try:
        settings = Settings()
        if settings.front_end == MLFLOW_CLI:  # a key that nobody asks for would be worse than none
            served_without = sorted(settings.model_fields_set - _OF_MLFLOW_CLI)
            unread = [name for name in served_without if os.environ.get(f"{PREFIX}{name.upper()}")]
            problems += [f"{PREFIX}{name.upper()} is not for `mlflow models serve`" for name in unread]
    except ValidationError as error:
        wrong = [(str(detail["loc"][0]), detail["input"]) for detail in error.errors()]
        problems += [f"{PREFIX}{name.upper()} is {value!r}, expected {_expected(name)}" for name, value in wrong]
    if problems:
        bullets = "".join(f"  - {problem}.\n" for problem in problems)
        raise SettingError(f"The server cannot run with these settings:\n{bullets}Hint: known are {', '.join(known)}.")
    return settings


def _expected(name: str) -> str:
    allowed = Settings.model_json_schema()["properties"][name]
    if "enum" in allowed:
        return f"one of {', '.join(allowed['enum'])}"
    if allowed.get("type") == "boolean":
        return "on or off"
    if "minimum" not in allowed:
        return "the address of a network interface"
    return f"a whole number from {allowed['minimum']} to {allowed['maximum']}"
