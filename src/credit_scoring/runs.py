"""How runs share a folder: one at a time where they touch the same files, and none keeps what a killed one left.

A run is registered in `.runs` while it goes on: a list of what it reads and writes, beside a lock that its process
holds. The system takes the lock back when the process ends, however it ends; a list whose lock is free is that of a run
that was killed, on this machine.
"""

import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.runner import AbstractRunner, ParallelRunner, ThreadRunner

from credit_scoring.configuration import check_asked
from credit_scoring.errors import RunRefusedError
from credit_scoring.mistakes import OWN_FOLDER

logger = logging.getLogger(__name__)


class ProjectSession(KedroSession):
    """Kedro's session, which runs node by node in one thread: the engine has one connection, and MLflow one run."""

    def run(  # type: ignore[override]
        self,
        pipeline_name: str | None = None,
        pipeline_names: list[str] | None = None,
        tags: Iterable[str] | None = None,
        runner: AbstractRunner | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Run pipelines, see `KedroSession.run`.

        Raises:
            RunRefusedError: If the runner uses threads or processes.
            ConfigurationError: If a pipeline, node, tag or dataset is named that is not there.
        """
        asynchronous = getattr(runner, "_is_async", False)
        if asynchronous or isinstance(runner, ThreadRunner | ParallelRunner):
            asked = "--async" if asynchronous else type(runner).__name__
            raise RunRefusedError(
                f"{asked} cannot run these pipelines: all relational tables share one connection, which is not for "
                "several threads or processes at once.",
                "leave out --async and --runner: fits use all cores as it is (`n_jobs` in conf/*/parameters/run.yml).",
            )
        names = pipeline_names or ([pipeline_name] if pipeline_name else None)
        pipelines.set_requested(names)  # as Kedro does, which would otherwise load them again
        check_asked(names or (), {"tags": tags, **options})
        try:
            return super().run(pipeline_name, pipeline_names, tags, runner, **options)
        except KeyboardInterrupt:
            if mlflow := sys.modules.get("mlflow"):
                mlflow.end_run("KILLED")  # which MLflow, at the end of the process, would call finished
            raise
        finally:
            for plugin in self._hook_manager.get_plugins():
                if isinstance(plugin, OneAtATimeHooks):
                    plugin.sign_off()


class OneAtATimeHooks:
    """Refuse a run that would get into the way of another one, and clear away what killed ones left."""

    def __init__(self) -> None:
        self._lock: FileLock | None = None
        self._list: Path | None = None

    @hook_impl
    def after_context_created(self, context: Any) -> None:
        """Remember where the engine puts aside what does not fit into memory."""
        self._spill = context.config_loader["globals"]["relational"].get("temp_directory")

    @hook_impl(tryfirst=True)  # before a run is tracked
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Register the run.

        Raises:
            RunRefusedError: If another run writes what this one reads or writes, or reads what it writes.
        """
        self.sign_off()  # a run of this process whose start failed, in a session that is not the project's
        folder = Path(run_params["project_path"], OWN_FOLDER)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"A run writes into the project's folder, and {folder} cannot be made: {error.strerror}."
            raise RunRefusedError(reason, "let the user who runs this write there, or make room.") from error
        reads = sorted(_paths(pipeline.inputs(), catalog))
        writes = sorted(_paths(pipeline.all_outputs(), catalog))
        with FileLock(folder / "registering.lock"):
            lists = {path: _read_if_alive(path) for path in sorted(folder.glob("*.json"))}
            going_on = [other for other in lists.values() if other is not None]
            for path in (path for path, other in lists.items() if other is None):
                self._clear_away(path, {other["pid"] for other in going_on})
            for other in going_on:
                theirs = {*other["writes"]} & {*reads, *writes} or {*other["reads"]} & {*writes}
                if theirs:
                    raise RunRefusedError(
                        f"Another run goes on in this folder (process {other['pid']}, `{other['command']}`), and the "
                        f"two would get into one another's way: {len(theirs)} files in common, {min(theirs)} among "
                        "them.",
                        "wait until it has ended, or end it.",
                    )
            self._list = folder / f"{run_params['run_id']}.json"
            self._lock = FileLock(self._list.with_suffix(".lock"))
            self._lock.acquire()
            command = " ".join(["kedro", *sys.argv[1:]])
            described = {"pid": os.getpid(), "command": command, "reads": reads, "writes": writes}
            self._list.write_text(json.dumps(described, indent=1), encoding="utf-8")

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Sign off."""
        self.sign_off()

    @hook_impl(trylast=True)
    def on_pipeline_error(self) -> None:
        """Sign off."""
        self.sign_off()

    def sign_off(self) -> None:
        """Say that the run has ended, if it was registered."""
        if self._list is not None and self._lock is not None:
            self._list.unlink(missing_ok=True)
            self._lock.release()
            self._list.with_suffix(".lock").unlink(missing_ok=True)
        self._list = self._lock = None

    def _clear_away(self, path: Path, alive: set[int]) -> None:
        """Remove what a killed run left unfinished, give back what it had put aside, and end its run in MLflow."""
        killed = _read(path)
        if killed:
            for written in killed["writes"]:
                _tidy(Path(written))
            if killed["pid"] not in alive:  # the number may have come again
                for place in filter(None, (tempfile.gettempdir(), self._spill)):
                    for copies in Path(place).glob(f"credit_scoring_{killed['pid']}_*"):
                        shutil.rmtree(copies, ignore_errors=True)
            n_ended = _end_tracked_runs(path.stem)
            logger.warning(
                "`%s` (process %s) was killed: what it left unfinished is removed%s.",
                killed["command"],
                killed["pid"],
                ", and MLflow says so" if n_ended else "",
            )
        for file in (path, path.with_suffix(".lock")):
            file.unlink(missing_ok=True)


def _paths(names: Iterable[str], catalog: DataCatalog) -> Iterator[str]:
    for name in names:
        dataset = None if name.startswith("params:") or name == "parameters" else catalog.get(name)
        if dataset is not None and (path := dataset._describe().get("filepath")):
            yield str(path)


def _read(path: Path) -> dict[str, Any] | None:
    """Return what a run wrote of itself; nothing if it was killed while it wrote."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _read_if_alive(path: Path) -> dict[str, Any] | None:
    lock = FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return _read(path)
    lock.release()
    return None


def _tidy(target: Path) -> None:
    """Remove unfinished files beside and in a target; put back what was moved aside and not replaced."""
    for aside in (*target.parent.glob(f".{target.name}.*"), *target.glob(".*")):
        whole = aside.with_name(aside.name.removeprefix(".").removesuffix(aside.suffix))
        if aside.suffix == ".old" and not whole.exists():
            aside.rename(whole)
        elif aside.suffix in (".old", ".part"):
            shutil.rmtree(aside) if aside.is_dir() else aside.unlink()
    # A folder without a suffix may be that of a model, whose replacement has a workspace beside it
    for workspace in target.parent.glob(".export_*") if not target.suffix else ():
        if (workspace / "replaced").is_dir() and not target.exists():
            (workspace / "replaced").rename(target)
        shutil.rmtree(workspace)


def _end_tracked_runs(run_id: str) -> int:
    """Mark the tracked run of a killed one, and the runs below it, as killed; return how many were still running."""
    from mlflow import MlflowClient  # noqa: PLC0415 - takes seconds to import; kedro-mlflow has done so for tracking

    client = MlflowClient()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    running = "attributes.status = 'RUNNING' and tags.`{}` = '{}'"
    found = client.search_runs(experiments, running.format("run_id", run_id))
    for run in found:
        below = client.search_runs(experiments, running.format("mlflow.parentRunId", run.info.run_id))
        for one in (*below, run):
            client.set_terminated(one.info.run_id, "KILLED")
    return len(found)
