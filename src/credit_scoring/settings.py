"""Kedro settings of the project (https://docs.kedro.org/en/stable/configure/configuration_basics/)."""

import datetime as dt
import os
import re
import warnings
from pathlib import Path

import numpy  # noqa: F401, ICN001 - limits reach what is loaded: its matrix products
import scipy.linalg  # noqa: F401 - and those of SciPy
from kedro.utils import find_kedro_project
from threadpoolctl import threadpool_limits

import credit_scoring.garbage  # noqa: F401 - this starts a process
from credit_scoring.configuration import LOCAL, ConfigurationHooks, ProjectConfigLoader
from credit_scoring.datasets.whole_files import write_files_whole
from credit_scoring.hooks import (
    EnvironmentFaultHooks,
    FolderNameHooks,
    RunSummaryHooks,
    RunTagsHooks,
    SparkHooks,
    TrackingStoreHooks,
    import_kedro_mlflow,
)
from credit_scoring.mistakes import show_errors
from credit_scoring.provenance import ProvenanceHooks
from credit_scoring.run_log import RunLogHooks
from credit_scoring.runs import OneAtATimeHooks, ProjectSession


def _project_path() -> str:
    """Return the folder of the running project.

    SQLite and DuckDB resolve relative paths against the working directory, which is `notebooks/` for a notebook; the
    configuration therefore says `${project_path:}` where one of them is given a path.
    """
    return Path(find_kedro_project(Path.cwd()) or Path.cwd()).as_posix()


def name_population_folder(batch: str | int | None, source: str) -> str:
    """Return the sub-folder of the applicants at hand: that of the source, or one below it for a batch of new ones.

    Raises:
        ValueError: If the name of the batch is not a plain word, which could lead out of the source's folder.
    """
    if batch is None:
        return source
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", str(batch)):
        raise ValueError(
            f"A batch is named by letters, digits, - and _; found {batch!r}.\nHint: --params batch=2026-11"
        )
    return f"{source}/{batch}"


def _today() -> str:
    """Return the day where the user is, as ISO 8601."""
    return dt.date.today().isoformat()


# Threads that have nothing to do sleep instead of asking for work in a loop, which on busy cores keeps back those that
# have (docs/adr/0026-threads-that-wait-sleep.md). OpenMP reads this when it is loaded; the threads of matrix products
# cannot be told so, and do without: one thread is as fast on matrices of this size, and sums have one order
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
threadpool_limits(1, user_api="blas")

show_errors()
write_files_whole()
import_kedro_mlflow()
# Kedro-Viz imports a class that FastAPI has deprecated, and says so at every start
warnings.filterwarnings("ignore", "ORJSONResponse is deprecated")

# Kedro calls the last ones first
HOOKS = (
    RunTagsHooks(),
    RunSummaryHooks(),
    RunLogHooks(),
    TrackingStoreHooks(),
    SparkHooks(),
    EnvironmentFaultHooks(),
    ProvenanceHooks(),
    OneAtATimeHooks(),
    FolderNameHooks(),
    ConfigurationHooks(),
)
SESSION_CLASS = ProjectSession

CONFIG_LOADER_CLASS = ProjectConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": LOCAL,
    "custom_resolvers": {"project_path": _project_path, "population": name_population_folder, "today": _today},
    "config_patterns": {
        "catalog": ["catalog*", "catalog/**"],
        "parameters": ["parameters*", "parameters/**"],
        "mlflow": ["mlflow*"],
        "spark": ["spark.yml"],
    },
    "merge_strategy": {"parameters": "soft"},
}
