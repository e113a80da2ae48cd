"""What the server writes to its standard output: one line per event and per request, JSON or text.

A line holds nothing personal and nothing that a client made up: paths and methods are known ones or `other`, ids are
checked, keys appear by their names.
"""

import logging
import logging.config
import os
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

# Id of the request that is being answered: every line that is written meanwhile has it
request_id: ContextVar[str] = ContextVar("request_id", default="")
CONFIGURATION: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "credit_scoring.serving.log.LineFormatter"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"}},
    "root": {"level": "INFO", "handlers": ["stdout"]},
}
# Beyond these a line is cut: characters of a text, calls of a traceback
_LONGEST, _DEEPEST = 10_000, 20

logger = logging.getLogger("credit_scoring.serving")


def configure_log() -> None:
    """Write lines in the form that `SERVING_LOG` asks for; warnings of libraries too."""
    logging.config.dictConfig(CONFIGURATION)
    logging.captureWarnings(True)
    # A full disk below the log must not make every line two, on a standard error that is as full
    logging.raiseExceptions = False


class LineFormatter(logging.Formatter):
    """Makes a line of a record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON object, or one line of text, of a record and of its `extra={"facts": …}`."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "process": record.process,
            "message": record.getMessage()[:_LONGEST],
        }
        if request_id.get():
            said["id"] = request_id.get()
        said |= getattr(record, "facts", {})
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)[-_LONGEST:]
        return _line(said)


def _line(said: dict[str, Any]) -> str:
    # Before the settings are read, too: that they cannot be is then said in the right form
    if os.environ.get("SERVING_LOG") == "json":
        return orjson.dumps(said, default=str, option=orjson.OPT_UTC_Z).decode()
    head = f"{said.pop('time'):%Y-%m-%d %H:%M:%S} {said.pop('level')} {said.pop('process')} {said.pop('message')}"
    below = said.pop("traceback", "")
    facts = "".join(f" {name}={value}" for name, value in said.items() if value not in ("", None, {}))
    # Every line but the first is indented, so that no text can look like a line of its own
    return "\n    ".join(map(_printable, f"{head}{facts}\n{below}".rstrip().splitlines()))


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@dataclass
class RequestFacts:
    """What is told of a request: its log line, its counts, its span.

    Attributes:
        id: Its id.
        method: Its method, or `other`.
        path: Its path, or `other`.
        key: Name of the key it came with; empty without one.
        status: Status of the answer; 499 if the request was broken off before there was one.
        rows: Applicants in it.
        arrival_ms: Milliseconds until its body was there; null if it was not read.
        scoring_ms: Milliseconds from then to the answer.
        decisions: Applicants by decision.
        bytes_in: Size of the body that was read.
        bytes_out: Size of the answer's body.
    """

    id: str
    method: str
    path: str
    key: str = ""
    status: int = 499
    rows: int = 0
    arrival_ms: float | None = None
    scoring_ms: float | None = None
    decisions: Mapping[str, int] = field(default_factory=dict)
    bytes_in: int = 0
    bytes_out: int = 0


def log_request(facts: RequestFacts, model: Mapping[str, str]) -> None:
    """Write the line of a request, with what answers it (front end, digest of the model).

    Written in one piece and past `logging`, whose records take longer to make than the line itself.
    """
    said = {"time": datetime.now(UTC), "level": "INFO", "process": os.getpid(), "message": "request"}
    with suppress(OSError):  # a full disk below the log costs no answer
        sys.stdout.write(_line({**said, **facts.__dict__, **model}) + "\n")
        sys.stdout.flush()


def log_defect(error: Exception) -> None:
    """Write where the request at hand came to grief.

    What the error says is left out: it may repeat a value that was sent, which is personal.
    """
    frames = traceback.extract_tb(error.__traceback__)[-_DEEPEST:]
    calls = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    facts = {"error": type(error).__name__, "calls": calls}
    logger.error("The request could not be answered.", extra={"facts": facts})
