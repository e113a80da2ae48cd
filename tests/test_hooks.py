"""Side effects of a run: what is checked before anything is computed."""

import importlib.util
import os
import socket
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace

import pytest
from kedro.pipeline import Node, Pipeline
from mlflow import MlflowClient

from credit_scoring import hooks
from credit_scoring.errors import SparkUnavailableError, TrackingServerError
from credit_scoring.hooks import (
    RunSummaryHooks,
    RunTagsHooks,
    SparkHooks,
    TrackingStoreHooks,
    check_spark_installation,
    start_spark,
)
from credit_scoring.pipeline_registry import register_pipelines
from tests.conftest import ROOT
from tests.datasets.conftest import run_in


class Configuration(dict):
    """As much of Kedro's loader as the hook asks for."""

    def __init__(self, **read: object) -> None:
        super().__init__(read)
        self.conf_source = (ROOT / "conf").as_posix()


def begin(uri: str | None, **context: object) -> Generator[None, None, None]:
    """Do what comes before kedro-mlflow."""
    loader = Configuration(mlflow={"server": {"mlflow_tracking_uri": uri}})
    context |= {"project_path": "/nowhere", "config_loader": loader}
    hook = TrackingStoreHooks().after_context_created(SimpleNamespace(**context))
    next(hook)
    return hook


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what MLflow leaves behind in the environment of a test before, and keep the same from the next."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_server_that_does_not_answer_is_one_error_at_the_start(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrackingServerError, match=f"http://127.0.0.1:{port} does not answer: Connection refused"):
        begin(f"http://127.0.0.1:{port}")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    with pytest.raises(TrackingServerError, match="Hint: start it"):
        begin("sqlite:///mlflow.db")


def test_a_server_that_answers_and_a_file_need_nothing(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        begin(f"http://127.0.0.1:{port}")
    begin("sqlite:////tmp/mlflow.db")


def test_what_mlflow_sets_for_its_children_is_not_taken_for_what_the_user_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for given in ("sqlite:////tmp/named.db", None):
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        if given:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", given)
        hook = begin("sqlite:///mlflow.db")
        os.environ["MLFLOW_TRACKING_URI"] = "sqlite:////nowhere/mlflow.db"
        with pytest.raises(StopIteration):
            hook.send(None)
        assert os.environ.get("MLFLOW_TRACKING_URI") == given


@pytest.mark.parametrize(("place", "warnings"), [("file:///home/one/mlruns", 1), ("mlflow-artifacts:/1", 0)])
def test_an_experiment_of_a_server_that_is_kept_in_a_folder_of_one_client_is_told(
    port: int, place: str, warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    experiment = SimpleNamespace(name="credit_scoring", artifact_location=place)
    mlflow = SimpleNamespace(tracking=SimpleNamespace(experiment=SimpleNamespace(_experiment=experiment)))
    with socket.create_server(("127.0.0.1", port)):
        hook = begin(f"http://127.0.0.1:{port}", mlflow=mlflow)
    with caplog.at_level("WARNING"), pytest.raises(StopIteration):
        hook.send(None)
    assert [record.levelname for record in caplog.records].count("WARNING") == warnings
    assert ("credit_scoring are in file:///home/one/mlruns, not on the server" in caplog.text) == bool(warnings)


def test_an_experiment_is_described_until_somebody_describes_it(tmp_path: Path) -> None:
    tags = RunTagsHooks()
    globals_ = {"source": "synthetic", "registered_model": "scorer"}
    tags.after_context_created(SimpleNamespace(project_path=tmp_path, config_loader={"globals": globals_}))
    with run_in(tmp_path) as run:
        client, experiment = MlflowClient(), run.info.experiment_id
        tags.before_pipeline_run({})
        assert client.get_experiment(experiment).tags["mlflow.note.content"].endswith("promotions: the model scorer.\n")
        client.set_experiment_tag(experiment, "mlflow.note.content", "What we tried in May.")
        tags.before_pipeline_run({})
        assert client.get_experiment(experiment).tags["mlflow.note.content"] == "What we tried in May."


def java(folder: Path, banner: str) -> str:
    """Make a Java of which nothing exists but what it says of itself, and return its home."""
    program = folder / "bin" / "java"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{banner}' >&2\n")
    program.chmod(0o755)
    return folder.as_posix()


@pytest.mark.parametrize(
    ("banner", "found"),
    [
        ('openjdk version "11.0.25" 2024-10-15', "Java 11"),
        ('java version "1.8.0_392"', "Java 8"),
        ('openjdk version "24" 2025-03-18', "Java 24"),
        ("The operation couldn’t be completed.", "The operation couldn’t be completed."),
    ],
)
def test_a_java_that_does_not_fit_is_named(
    banner: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setenv("JAVA_HOME", java(tmp_path, banner))
    with pytest.raises(SparkUnavailableError, match="Java 17 to 23 is needed") as error:
        check_spark_installation()
    assert f"{tmp_path}/bin/java is {found}.\nHint: install Java 17" in error.value.message


@pytest.mark.parametrize("version", ["17.0.15", "21", "23.0.1"])
def test_a_java_that_fits_needs_nothing(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setenv("JAVA_HOME", java(tmp_path, f'openjdk version "{version}" 2025-04-15'))
    check_spark_installation()


def test_without_java_or_pyspark_spark_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", tmp_path.as_posix())
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    with pytest.raises(SparkUnavailableError, match=f"none was found as {tmp_path}/bin/java.\nHint: install Java 17"):
        check_spark_installation()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SparkUnavailableError, match="PySpark is not installed"):
        check_spark_installation()


def test_a_master_that_does_not_answer_is_an_error_before_anything_starts(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "check_spark_installation", lambda: None)
    address = f"127.0.0.1:{port}"
    with pytest.raises(SparkUnavailableError, match=rf"{address} does not answer \(Connection refused\)") as error:
        start_spark(master=f"spark://{address}", settings={}, answer_within=1)
    assert "Hint: start it, name another one" in error.value.message
    with pytest.raises(SparkUnavailableError, match="spark://nowhere cannot be reached"):
        start_spark(master="spark://nowhere", settings={}, answer_within=1)


def test_spark_is_started_only_where_it_is_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[dict] = []
    monkeypatch.setattr(hooks, "start_spark", lambda **configuration: started.append(configuration))
    for backend in ("duckdb", "pyspark"):
        spark = SparkHooks()
        configuration = Configuration(globals={"relational": {"backend": backend}}, spark={"master": "local[2]"})
        spark.after_context_created(SimpleNamespace(config_loader=configuration))
        spark.before_pipeline_run(Pipeline([Node(len, "rows", "n")]))
    assert started == [{"master": "local[2]"}]


def test_what_needs_spark_does_not_begin_on_another_engine() -> None:
    spark = SparkHooks()
    configuration = Configuration(globals={"relational": {"backend": "duckdb"}})
    spark.after_context_created(SimpleNamespace(config_loader=configuration))
    with pytest.raises(SparkUnavailableError, match="score_applicants_on_spark cannot run on another engine") as error:
        spark.before_pipeline_run(register_pipelines()["spark_scoring"])
    assert "Hint: kedro run --env spark" in error.value.message


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("sqlite:///mlflow.db", "The candidates compared, while `mlflow ui` runs: http://127.0.0.1:5000/#/"),
        ("http://mlflow.lender:80", "The candidates compared: http://mlflow.lender:80/#/"),
    ],
)
def test_the_end_of_a_run_says_where_and_when_the_candidates_can_be_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], uri: str, said: str
) -> None:
    run = SimpleNamespace(info=SimpleNamespace(experiment_id="1", run_id="0123abcd"))
    for name, value in (("active_run", run), ("set_tag", None), ("get_tracking_uri", uri)):
        monkeypatch.setattr(f"mlflow.{name}", lambda *_, value=value: value)
    summary = hooks.SUMMARY_DATASET
    pipeline, catalog = SimpleNamespace(all_outputs=lambda: {summary}), SimpleNamespace(load=str.upper)
    RunSummaryHooks().after_pipeline_run(pipeline, catalog)
    assert said in capsys.readouterr().out
