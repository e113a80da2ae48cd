"""Start the server: `python -m credit_scoring.serving`, configured by environment variables (see `settings`)."""

import logging
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

# A container's first process does not hear a signal that it has no handler for, and the imports take their time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

import credit_scoring.garbage  # noqa: F401 - this starts a process
from credit_scoring.decision_log.settings import LogSettingError
from credit_scoring.serving.desk import DeskProcess, find_desk
from credit_scoring.serving.keys import Keys
from credit_scoring.serving.log import configure_log
from credit_scoring.serving.mlflow_cli import serve_by_mlflow
from credit_scoring.serving.processes import Server
from credit_scoring.serving.recorders import check_log_settings
from credit_scoring.serving.settings import MLFLOW_CLI, SettingError, read_settings

_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# A container's memory disk can be written to even where its file system cannot
_MEMORY_DISK = "/dev/shm"
# What the counts of a process take at most
_COUNTS_BYTES = 262_144

logger = logging.getLogger("credit_scoring.serving")


def main() -> int:
    """Check the settings, then serve until told to stop.

    Returns:
        0 after a stop that was asked for, 2 if the settings or the files of the model are not in order, 1 if it cannot
        be served for another reason: it cannot be loaded, its example is not answered as stored, no worker becomes
        ready, the port is taken, there is no room for the counts.
    """
    configure_log()
    try:
        settings = read_settings()
        Keys(settings)
        log = check_log_settings()
        desk = DeskProcess(find_desk() if settings.desk else None)
        if settings.front_end == MLFLOW_CLI and log.mode != "off":
            raise SettingError(
                "`mlflow models serve` records no decision, and the variables of DECISION_LOG ask for records.\n"
                "Hint: SERVING_FRONT_END=mlflow or lean records them; DECISION_LOG=off does without."
            )
    except (SettingError, LogSettingError) as error:
        logger.error("%s", error)
        return 2
    if settings.front_end == MLFLOW_CLI:
        return serve_by_mlflow(settings)
    processes = 2 + settings.workers * (2 if settings.shadow else 1)
    place = _find_room(processes * _COUNTS_BYTES)
    if place is None:
        return 1
    with tempfile.TemporaryDirectory(prefix="scoring_metrics_", dir=place) as folder:
        os.environ[_METRICS_FOLDER] = folder
        try:
            server = Server(settings, Path(folder), desk)
        except OSError as error:
            logger.error("%s port %d cannot be listened to: %s.", settings.host, settings.port, error)
            return 1
        return server.run()


def _find_room(needed: int) -> str | None:
    """Return a folder with room for the counts of all processes, in memory if possible; say so if there is none."""
    places = [_MEMORY_DISK, os.environ.get("TMPDIR", "/tmp")]
    found = []
    for place in places:
        if not os.access(place, os.W_OK):
            found.append(f"{place} cannot be written to")
        elif (free := shutil.disk_usage(place).free) < needed:
            found.append(f"{place} has {free / 1e6:.1f} MB free")
        else:
            return place
    logger.error(
        "The counts of the workers need %.1f MB of disk, best in memory: %s.\n"
        "Hint: docker run --shm-size=64m, or --tmpfs /tmp; or fewer workers.",
        needed / 1e6,
        ", ".join(found),
    )
    return None


if __name__ == "__main__":
    sys.exit(main())
