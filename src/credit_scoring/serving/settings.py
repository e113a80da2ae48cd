"""Configuration of the server: environment variables, all of them optional."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

PREFIX = "SERVING_"


class SettingError(ValueError):
    """An environment variable has a value that the server cannot use."""


def _one_of(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return text

    return read


def _whole_number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return read


@dataclass(frozen=True)
class Settings:
    """How the server runs. A field is set by the variable of its name in capitals, after `SERVING_`.

    Attributes:
        front_end: What scores: `mlflow`, the application behind `mlflow models serve`, or `lean`, the fast one.
        model: Folder of the exported model.
        host: Address to listen on.
        port: Port to listen on.
        workers: Processes that score, each with one thread; one per core is the most that helps.
        timeout: Seconds for a request to arrive, and again for it to be answered.
        grace: Seconds for requests to be finished after the signal to stop.
        max_body_mb: Largest body of a request, in millions of bytes.
        max_rows: Most applicants in a request.
        max_concurrent: Most requests that a worker has in hand; further ones are told to come back.
        unknown_category: `accept` scores a category that training did not hold as batch scoring does, and counts it;
            `refuse` answers 400.
        other_versions: What to do about installed packages that differ in more than the patch from those that the
            model was made with: `refuse` to start, or `warn`.
        api_key: If not empty, what a client has to send in the header `X-API-Key`.
    """

    front_end: str = "mlflow"
    model: Path = Path("model")
    host: str = "127.0.0.1"
    port: int = 1234
    workers: int = 2
    timeout: int = 30
    grace: int = 10
    max_body_mb: int = 20
    max_rows: int = 10_000
    max_concurrent: int = 64
    unknown_category: str = "accept"
    other_versions: str = "refuse"
    api_key: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the variables.

        Raises:
            SettingError: If one has a value that is not allowed, or is not known; with what is expected.
        """
        names = {f"{PREFIX}{field.name.upper()}": field.name for field in fields(cls)}
        given = {key: value for key, value in environment.items() if key.startswith(PREFIX)}
        unknown = sorted(given.keys() - names.keys())
        if unknown:
            raise SettingError(f"Unknown setting {', '.join(unknown)}.\nHint: known are {', '.join(names)}.")
        values: dict[str, Any] = {}
        for key, text in given.items():
            try:
                values[names[key]] = _READERS.get(names[key], str)(text)
            except ValueError as error:
                raise SettingError(f"{key} is {text!r}.\nHint: expected {error}.") from error
        return cls(**values)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "front_end": _one_of("mlflow", "lean"),
    "model": Path,
    "port": _whole_number(1, 65_535),
    "workers": _whole_number(1, 256),
    "timeout": _whole_number(1, 3600),
    "grace": _whole_number(0, 3600),
    "max_body_mb": _whole_number(1, 1000),
    "max_rows": _whole_number(1, 1_000_000),
    "max_concurrent": _whole_number(1, 10_000),
    "unknown_category": _one_of("accept", "refuse"),
    "other_versions": _one_of("refuse", "warn"),
}
