"""Side effects of a run that belong to no dataset: the run's tags and the summary shown at its end."""

import logging
import os
import socket
import subprocess
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from credit_scoring.errors import TrackingServerError

logger = logging.getLogger(__name__)

SUMMARY_DATASET = "run_summary"
_LONGEST_TAG = 8_000
"""Characters that MLflow stores of a tag."""


def import_kedro_mlflow() -> None:
    """Import kedro-mlflow before Kedro does, without the warning it always raises: MLflow chides its model class.

    Recording is the only way to keep it back: on import, MLflow puts a filter of its own before any other.
    """
    with warnings.catch_warnings(record=True):
        import kedro_mlflow.framework.hooks.mlflow_hook  # noqa: F401, PLC0415


def git_commit(project_path: Path) -> str:
    """Return the checked-out commit, with `-dirty` if files differ from it, or `unknown` outside a git checkout."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            cwd=project_path,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()


class TrackingServerHooks:
    """Ask the MLflow server for a connection before anything is loaded or computed."""

    @hook_impl(tryfirst=True)  # before kedro-mlflow, which would try again and again for minutes
    def after_context_created(self, context: Any) -> None:
        """Raise if the server of the configuration cannot be reached; a local file needs no server.

        Raises:
            TrackingServerError: If nothing accepts a connection at the address.
        """
        context.config_loader.config_patterns.setdefault("mlflow", ["mlflow*", "mlflow*/**", "**/mlflow*"])
        server = context.config_loader["mlflow"].get("server") or {}
        uri = str(server.get("mlflow_tracking_uri") or os.environ.get("MLFLOW_TRACKING_URI", ""))
        address = urlsplit(uri)
        if address.scheme not in ("http", "https") or not address.hostname:
            return
        try:
            port = address.port or {"http": 80, "https": 443}[address.scheme]
            socket.create_connection((address.hostname, port), timeout=5).close()
        except OSError as error:
            raise TrackingServerError(uri, error.strerror or str(error)) from error


class RunTagsHooks:
    """Tag the tracked run with where its data and its code came from."""

    @hook_impl
    def after_context_created(self, context: Any) -> None:
        """Remember what the tags say; the context is not at hand later."""
        self._source = context.config_loader["globals"]["source"]
        self._commit = git_commit(Path(context.project_path))

    @hook_impl(trylast=True)  # the run exists once the hooks of kedro-mlflow have started it
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Write the tags, unless tracking is off for this pipeline."""
        import mlflow  # noqa: PLC0415  (takes seconds to import, and kedro-mlflow has done so when tracking is on)

        if mlflow.active_run() is None:
            return
        pipelines = run_params.get("pipeline_names") or [run_params.get("pipeline_name") or "__default__"]
        name = "+".join(pipelines).replace("__default__", "default")
        mlflow.set_tags(
            {
                "mlflow.runName": f"{name} · {self._source}",
                "source": self._source,
                "git_commit": self._commit,
            }
        )


class RunSummaryHooks:
    """Show the summary that the reporting pipeline wrote, when a run that includes it has ended."""

    @hook_impl(tryfirst=True)  # before kedro-mlflow closes the run
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Print the summary, and make it the description of the tracked run."""
        if SUMMARY_DATASET not in pipeline.all_outputs():
            return
        summary = catalog.load(SUMMARY_DATASET)
        import mlflow  # noqa: PLC0415 - as above

        if mlflow.active_run() is not None:
            mlflow.set_tag("mlflow.note.content", summary[:_LONGEST_TAG])
        from rich.console import Console  # noqa: PLC0415
        from rich.markdown import Markdown  # noqa: PLC0415

        console = Console()
        if not console.is_terminal:
            console = Console(width=120)  # a log file has no width of its own, and 80 columns would break the tables
        console.print(Markdown(summary))
