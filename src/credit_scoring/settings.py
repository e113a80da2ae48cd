"""Kedro settings of the project (https://docs.kedro.org/en/stable/configure/configuration_basics/)."""

from pathlib import Path

from kedro.config import OmegaConfigLoader
from kedro.utils import find_kedro_project

from credit_scoring.hooks import RunSummaryHooks, RunTagsHooks, SparkHooks, TrackingServerHooks, import_kedro_mlflow


def _project_path() -> str:
    """Return the folder of the running project.

    SQLite and DuckDB resolve relative paths against the working directory, which is `notebooks/` for a notebook; the
    configuration therefore says `${project_path:}` where one of them is given a path.
    """
    return Path(find_kedro_project(Path.cwd()) or Path(__file__).parents[2]).as_posix()


import_kedro_mlflow()

HOOKS = (RunTagsHooks(), RunSummaryHooks(), TrackingServerHooks(), SparkHooks())

CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "custom_resolvers": {"project_path": _project_path},
    "config_patterns": {"catalog": ["catalog/**"], "parameters": ["parameters/**"], "spark": ["spark.yml"]},
    "merge_strategy": {"parameters": "soft"},
}
