"""`mlflow models serve` itself, in place of the project's server: without its gate, limits, keys and metrics."""

import logging
import subprocess
import sys

from credit_scoring.exported_model.manifest import ModelFolderError, check_manifest
from credit_scoring.serving.settings import Settings

logger = logging.getLogger(__name__)


def serve_by_mlflow(settings: Settings) -> int:
    """Check the files of the model, then let MLflow serve them until it ends or this process is told to.

    A first process of a container does not hear a signal that it has no handler for, and MLflow has none: so it is a
    child, whose server ends with it.

    Returns:
        What MLflow returned; 2 if the files are not those that were exported.
    """
    try:
        check_manifest(settings.model)
    except ModelFolderError as error:
        logger.error("%s", error)
        return 2
    options = {"-m": settings.model, "-h": settings.host, "-p": settings.port, "-w": settings.workers}
    options |= {"-t": settings.timeout, "--env-manager": "local"}
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "models",
        "serve",
        *(str(part) for pair in options.items() for part in pair),
    ]
    with subprocess.Popen(command) as server:
        try:
            return server.wait()
        finally:
            server.terminate()
