"""Side effects of a run that belong to no dataset: its engine, its tags and the summary shown at its end."""

import importlib.util
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from credit_scoring.errors import (
    FolderNameError,
    ProjectNotFoundError,
    SparkUnavailableError,
    TrackingServerError,
    find_fault,
)
from credit_scoring.tracking_store import (
    VARIABLE,
    TrackingStore,
    comparison_address,
    configure,
    find_tracking_store,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

logger = logging.getLogger(__name__)

SUMMARY_DATASET = "run_summary"
_LONGEST_TAG = 8_000
"""Characters that MLflow stores of a tag."""
_INTERFACE = "http://127.0.0.1:5000"
"""Where `mlflow ui` shows runs that no server keeps."""
_EXPERIMENT = """Every run prepares data, compares candidates by cross-validation and chooses a champion and its \
threshold; its description sums it up.

- Compare runs by `holdout_auc`, `holdout_cost` (average cost of a decision, 1 = one good customer declined) and \
`threshold`; all other results are in the artefact `results.json`, pictures in `figures`, the report beside them.
- Below a run is one child run per candidate, with its folds as steps of the metrics, its own pictures and how long it \
took, and one per search for hyper-parameters with its trials below.
- The tag `SUSPICIOUS` says why figures are not to be believed. Versions and promotions: the model {model}.
"""

_JAVA_VERSIONS = range(17, 24)
"""What Spark 4.0 runs on; Java 24 took out what its file systems still call."""
_CONNECT_WITHIN = 5
"""Seconds that a server has to accept a connection."""


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


class TrackingStoreHooks:
    """Settle which store keeps runs and models, and say so, before anything is loaded or computed."""

    @hook_impl(wrapper=True)  # around kedro-mlflow, which would try again and again for minutes to reach a server
    def after_context_created(self, context: Any) -> Generator[None, Any, Any]:
        """Give kedro-mlflow the store.

        Raises:
            ProjectNotFoundError: If there is no configuration.
            TrackingStoreError: If there is no such store, or its artefacts are those of another place.
            TrackingServerError: If nothing accepts a connection at the address of a server.
        """
        loader = context.config_loader
        if not Path(loader.conf_source).exists():
            raise ProjectNotFoundError(f"There is no configuration in {loader.conf_source}")
        store = find_tracking_store(Path(context.project_path), loader.conf_source, loader["mlflow"])
        store.check_place()
        _await_server(store)
        logger.info("Runs and models: %s", store)
        loader["mlflow"] = configure(loader["mlflow"], store)
        given = os.environ.get(VARIABLE)
        try:
            done = yield
            _warn_of_folders_of_clients(store, context)
            return done
        finally:  # MLflow sets the variable, and the next project of this process would take it for the user's
            os.environ.pop(VARIABLE, None)
            if given is not None:
                os.environ[VARIABLE] = given


def _warn_of_folders_of_clients(store: TrackingStore, context: Any) -> None:
    """Say so if a server keeps no artefacts of the experiment: each client then has those of its own runs alone."""
    experiment = None if store.database else context.mlflow.tracking.experiment._experiment
    if experiment is not None and urlsplit(experiment.artifact_location).scheme in ("", "file"):
        logger.warning(
            "Artefacts of the experiment %s are in %s, not on the server: whoever does not see this folder cannot load "
            "its models. Another name (`experiment` in conf/local/globals.yml) begins one on the server.",
            experiment.name,
            experiment.artifact_location,
        )


def _await_server(store: TrackingStore) -> None:
    address = urlsplit(store.uri)
    if address.scheme not in ("http", "https") or not address.hostname:
        return
    try:
        port = address.port or {"http": 80, "https": 443}[address.scheme]
        socket.create_connection((address.hostname, port), timeout=_CONNECT_WITHIN).close()
    except OSError as error:
        raise TrackingServerError(store.shown, error.strerror or str(error)) from error


class RunTagsHooks:
    """Tag the tracked run with where its data and its code came from."""

    @hook_impl
    def after_context_created(self, context: Any) -> None:
        """Remember what the tags say; the context is not at hand later."""
        shared = context.config_loader["globals"]
        self._source, self._model = shared["source"], shared["registered_model"]
        self._commit = git_commit(Path(context.project_path))

    @hook_impl(trylast=True)  # the run exists once the hooks of kedro-mlflow have started it
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Write the tags, unless tracking is off for this pipeline."""
        import mlflow  # noqa: PLC0415  (takes seconds to import, and kedro-mlflow has done so when tracking is on)

        run = mlflow.active_run()
        if run is None:
            return
        # Kedro gives several in no order
        pipelines = run_params.get("pipeline_names") or [run_params.get("pipeline_name") or "__default__"]
        name = "+".join(sorted(pipelines)).replace("__default__", "default")
        client, experiment = mlflow.MlflowClient(), run.info.experiment_id
        if not client.get_experiment(experiment).tags.get("mlflow.note.content"):  # what somebody wrote stays
            client.set_experiment_tag(experiment, "mlflow.note.content", _EXPERIMENT.format(model=self._model))
        mlflow.set_tags(
            {
                "mlflow.runName": f"{name} · {self._source}",
                "source": self._source,
                "git_commit": self._commit,
            }
        )


class FolderNameHooks:
    """Refuse, before anything is read, a folder that would be taken for a pattern or be misspelt on the way."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: Any) -> None:
        """Raise if Kedro, which looks for patterns, SQL or an address could not name the folder of either.

        Raises:
            FolderNameError: If the path of the project has a wildcard, a brace, a character that is not printable, a
                backslash, quotes of both kinds, or what an address would decode; or that of the raw files a brace.
        """
        project = Path(context.project_path).as_posix()
        odd = {repr(one) for one in project if one in "*?[{}\\" or not one.isprintable()}
        odd |= {repr(code) for code in re.findall("%[0-9A-Fa-f]{2}", project)}
        odd |= {"quotes of both kinds"} if {"'", '"'} <= set(project) else set()
        raw = str(context.config_loader.runtime_params.get("raw_folder", ""))
        for folder, found in ((project, odd), (raw, {repr(one) for one in raw if one in "{}"})):
            if found:
                raise FolderNameError(folder, sorted(found))


class EnvironmentFaultHooks:
    """Tell a full disk or memory, a missing right and a lock as what they are, whichever library met them."""

    @hook_impl(trylast=True)  # after kedro-mlflow has marked the run as failed
    def on_pipeline_error(self, error: Exception) -> None:
        """Raise the fault of the environment in place of the error that goes back to it."""
        if fault := find_fault(error):
            raise fault from error


class RunSummaryHooks:
    """Show the summary that the reporting pipeline wrote, when a run that includes it has ended."""

    @hook_impl(tryfirst=True)  # before kedro-mlflow closes the run
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Print the summary, and make it the description of the tracked run."""
        if SUMMARY_DATASET not in pipeline.all_outputs():
            return
        summary = catalog.load(SUMMARY_DATASET)
        import mlflow  # noqa: PLC0415 - as above

        run = mlflow.active_run()
        if run is not None:
            mlflow.set_tag("mlflow.note.content", summary[:_LONGEST_TAG])
        from rich.console import Console  # noqa: PLC0415
        from rich.markdown import Markdown  # noqa: PLC0415

        console = Console()
        if not console.is_terminal:
            console = Console(width=120)  # a log file has no width of its own, and 80 columns would break the tables
        console.print(Markdown(summary))
        if run is not None:
            uri = mlflow.get_tracking_uri()
            interface, when = (uri, "") if uri.startswith("http") else (_INTERFACE, ", while `mlflow ui` runs")
            address = comparison_address(interface, run.info.experiment_id, run.info.run_id)
            console.print(f"\nThe candidates compared{when}: {address}", soft_wrap=True)


class SparkHooks:
    """Start the Spark session of the configuration before a run, where the relational engine is Spark.

    Looks for Java and the cluster first, so that a run without Java or without its cluster ends at once.
    """

    @hook_impl
    def after_context_created(self, context: Any) -> None:
        """Remember the session's configuration; the context is not at hand later."""
        engine = context.config_loader["globals"]["relational"]["backend"]
        self._configuration = context.config_loader["spark"] if engine == "pyspark" else None

    @hook_impl(tryfirst=True)  # before a run is tracked
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Start the session, which every relational dataset then takes.

        Raises:
            SparkUnavailableError: If the session cannot be started, or nodes tagged `spark` run without it.
        """
        if self._configuration is not None:
            start_spark(**self._configuration)
        elif nodes := pipeline.only_nodes_with_tags("spark").nodes:
            names = ", ".join(node.name for node in nodes)
            raise SparkUnavailableError(f"{names} cannot run on another engine", "kedro run --env spark --pipelines …")


def start_spark(master: str, settings: dict[str, Any], answer_within: float) -> "SparkSession":
    """Start the Spark session of this process, or return the one that runs.

    Args:
        master: `local[*]`, `spark://host:7077`, `yarn`, …
        settings: Spark's own, by their own names.
        answer_within: Seconds that a cluster has for a first, trivial job: its master may answer and have no worker.

    Raises:
        SparkUnavailableError: If PySpark or a fitting Java is missing, or the cluster does not answer.
    """
    check_spark_installation()
    if is_local := master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # nobody else has to find this process
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # not another python3 of the machine
    else:
        _check_master(master)
    from pyspark.sql import SparkSession  # noqa: PLC0415

    builder = SparkSession.builder.master(master).appName("credit-scoring")
    for name, value in settings.items():
        builder = builder.config(name, str(value).lower() if isinstance(value, bool) else value)
    try:
        session = builder.getOrCreate()
        if not is_local:
            _await_answer(session, answer_within)
    except SparkUnavailableError:
        raise
    except Exception as error:  # of Java, of the bridge to it or of Spark, each with a type of its own
        raise SparkUnavailableError(
            f"no session on {master}: {str(error).splitlines()[0]}", "see `master` and `settings` in conf/*/spark.yml"
        ) from error
    return session


def check_spark_installation() -> None:
    """Look for PySpark and for a Java that it runs on.

    Raises:
        SparkUnavailableError: If either is missing, or Java is of another version.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise SparkUnavailableError("PySpark is not installed", "pip install -e '.[spark]'")
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else "java"
    needed = f"Java {_JAVA_VERSIONS[0]} to {_JAVA_VERSIONS[-1]} is needed"
    hint = (
        f"install Java {_JAVA_VERSIONS[0]} (Debian and Ubuntu: apt-get install openjdk-17-jre-headless) "
        "and let JAVA_HOME name its folder, if it is not the first on the PATH."
    )
    if shutil.which(java) is None:
        raise SparkUnavailableError(f"{needed}, none was found as {java}", hint)
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', told)
    if version is None or int(version[1]) not in _JAVA_VERSIONS:
        found = f"Java {version[1]}" if version else (told.splitlines() or ["nothing"])[0]
        raise SparkUnavailableError(f"{needed}, {java} is {found}", hint)


def _check_master(master: str) -> None:
    """Connect to the first of the master's addresses that accepts; a master by name alone (`yarn`) has none."""
    if "://" not in master:
        return
    reasons = []
    for address in master.removeprefix("k8s://").split("://", 1)[-1].split(","):
        host, _, port = address.rstrip("/").rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=_CONNECT_WITHIN).close()
        except (OSError, ValueError) as error:
            reasons.append(f"{address} does not answer ({getattr(error, 'strerror', None) or error})")
        else:
            return
    raise SparkUnavailableError(
        f"the master {master} cannot be reached: {', '.join(reasons)}",
        "start it, name another one (`--params spark_master=spark://host:7077`), or run on this machine "
        "(`--params spark_master='local[*]'`).",
    )


def _await_answer(session: "SparkSession", seconds: float) -> None:
    """Run a trivial job; cancel it, and raise, if it has not ended in time."""
    context = session.sparkContext
    ended, late = threading.Event(), threading.Event()

    def watch() -> None:
        if ended.wait(seconds):
            return
        late.set()
        while not ended.wait(1):  # a job that is still being planned cannot be cancelled yet
            context.cancelAllJobs()

    threading.Thread(target=watch, daemon=True).start()
    try:
        session.range(1).count()
    except Exception as error:
        if not late.is_set():
            raise
        raise SparkUnavailableError(
            f"{context.master} had no worker free for a first job within {seconds:g} s",
            "start workers, free their cores and memory, or raise `answer_within` in conf/*/spark.yml.",
        ) from error
    finally:
        ended.set()
