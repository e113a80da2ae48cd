"""The project in a notebook: `%load_ext credit_scoring.notebook` gives `context`, `catalog`, `session`, `pipelines`."""

import logging
import os
from pathlib import Path
from typing import Any

from kedro.utils import find_kedro_project

from credit_scoring.errors import ProjectNotFoundError


def load_ipython_extension(ipython: Any) -> None:
    """Load Kedro's own extension, with plain tables, a quiet log and errors that also other programs can read.

    A notebook that was started outside a project belongs to the one that the package was installed from.

    Raises:
        ProjectNotFoundError: If there is none either; Kedro would only warn.
    """
    project = find_kedro_project(Path.cwd()) or find_kedro_project(Path(__file__).parent)
    if project is None:
        raise ProjectNotFoundError(f"The notebook runs in {Path.cwd()}, which is in no project")
    os.chdir(project)
    from IPython.core.formatters import PlainTextFormatter  # noqa: PLC0415 - only notebooks have it
    from IPython.utils.capture import capture_output  # noqa: PLC0415 - as above

    try:
        with capture_output():  # what Kedro logs of itself; `%%capture` in the cell would keep back errors as well
            ipython.extension_manager.load_extension("kedro.ipython")
    finally:
        # Rich draws errors itself and leaves none in the notebook: who runs it, such as papermill, shows nothing
        for name in ("_showtraceback", "showtraceback", "showsyntaxerror"):
            vars(ipython).pop(name, None)
    ipython.display_formatter.formatters["text/plain"] = PlainTextFormatter()
    for name in ("credit_scoring", "kedro", "mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
