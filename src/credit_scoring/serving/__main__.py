"""Start the server: `python -m credit_scoring.serving`, configured by environment variables (see `settings`)."""

import logging
import logging.config
import os
import sys
import tempfile
from pathlib import Path

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from credit_scoring.exported_model.folder import open_model_folder
from credit_scoring.exported_model.loading import differing_versions
from credit_scoring.exported_model.manifest import ModelFolderError
from credit_scoring.serving.settings import SettingError, read_settings

_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# A container's memory disk can be written to even where its file system cannot
_MEMORY_DISK = Path("/dev/shm")
_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(process)d %(message)s"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"}},
    "root": {"level": "INFO", "handlers": ["stdout"]},
}

logger = logging.getLogger("credit_scoring.serving")


def main() -> int:
    """Check settings and model, then run the workers until told to stop.

    Returns:
        0 after a stop that was asked for, 1 if a worker could not load the model, 2 if the settings or the files of the
        model are not in order.
    """
    logging.config.dictConfig(_LOGGING)
    try:
        settings = read_settings()
        open_model_folder(settings.model)
        grave, slight = differing_versions(settings.model)
        if grave and settings.other_versions == "refuse":
            raise ModelFolderError(
                "The model may not score here as it did where it was made:\n"
                + "".join(f"  - {difference}\n" for difference in grave)
                + f"Hint: pip install -r {settings.model}/requirements.txt, or set SERVING_OTHER_VERSIONS=warn."
            )
    except (SettingError, ModelFolderError) as error:
        logger.error("%s", error)
        return 2
    for difference in (*grave, *slight):
        logger.warning("%s", difference)
    # More threads than one per worker would only wait for one another; libraries read this when a worker loads them
    os.environ["OMP_NUM_THREADS"] = "1"
    place = _MEMORY_DISK if os.access(_MEMORY_DISK, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="scoring_metrics_", dir=place) as counts:
        os.environ[_METRICS_FOLDER] = counts
        config = uvicorn.Config(
            "credit_scoring.serving.application:create_application",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=settings.grace,
            timeout_worker_healthcheck=settings.timeout + 5,
            log_config=_LOGGING,
        )
        # Also a single worker is supervised: one that dies is replaced
        supervisor = Multiprocess(config, sockets=[config.bind_socket()])
        supervisor.run()
    return int(any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes))


if __name__ == "__main__":
    sys.exit(main())
