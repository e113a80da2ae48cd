"""What the server writes to its standard output: one line per event."""

import logging.config
from typing import Any

CONFIGURATION: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(process)d %(message)s"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"}},
    "root": {"level": "INFO", "handlers": ["stdout"]},
}


def configure_log() -> None:
    """Write lines with time, level and process."""
    logging.config.dictConfig(CONFIGURATION)
