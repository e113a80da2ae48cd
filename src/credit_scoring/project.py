"""The project that a command belongs to: the folder that it is started in, or one above it."""

from pathlib import Path

from kedro.framework.project import configure_project
from kedro.framework.startup import bootstrap_project
from kedro.utils import find_kedro_project

from credit_scoring.errors import ProjectNotFoundError


def enter_project() -> Path:
    """Make the project known to Kedro, and return its folder.

    Raises:
        ProjectNotFoundError: If the working directory is in no project.
    """
    project = find_kedro_project(Path.cwd())
    if project is None and Path("conf", "base").is_dir():  # a packaged one: its configuration was unpacked here
        configure_project("credit_scoring")
        return Path.cwd()
    if project is None:
        raise ProjectNotFoundError(f"{Path.cwd()} is in no project")
    bootstrap_project(project)
    return Path(project)
