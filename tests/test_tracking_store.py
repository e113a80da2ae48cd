"""Where runs and models are kept: one store for every command, in a project that moves and on a server elsewhere."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.parse import parse_qs
from urllib.request import urlopen

import pytest
from mlflow import MlflowClient

from credit_scoring.errors import TrackingStoreError
from credit_scoring.tracking_store import comparison_address, configure, find_tracking_store
from tests.commands import run_command
from tests.conftest import Project, copy_project, make_project

NAME = "credit_scoring_model_test"
OWN = "sqlite:///mlflow.db"


def configured(uri: str | None, location: str | None = None) -> dict:
    experiment = {"name": "mine", "create_experiment_kwargs": {"artifact_location": location}}
    return {"server": {"mlflow_tracking_uri": uri, "credentials": "mine"}, "tracking": {"experiment": experiment}}


@pytest.mark.parametrize("variable", [None, "https://variable"])
@pytest.mark.parametrize("local", [None, "https://local"])
def test_the_variable_wins_then_the_user_then_the_environment(
    variable: str | None, local: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if variable:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", variable)
    if local:
        (tmp_path / "local").mkdir()
        (tmp_path / "local/mlflow.yml").write_text(f"server: {{mlflow_tracking_uri: '{local}'}}")
    store = find_tracking_store(tmp_path, tmp_path.as_posix(), configured("https://environment"))
    assert store.uri == (variable or local or "https://environment")
    assert store.artefacts is None
    by = "MLFLOW_TRACKING_URI" if variable else f"{tmp_path}/local/mlflow.yml" if local else "the configuration"
    assert str(store) == f"{store.uri} (named by {by})"


@pytest.mark.parametrize(
    ("uri", "expected", "artefacts"),
    [
        (OWN, "sqlite:////project one/mlflow.db", "file:///project%20one/mlruns"),
        ("sqlite:///runs/all.db", "sqlite:////project one/runs/all.db", "file:///project%20one/runs/mlruns"),
        ("sqlite:////shared/all.db", "sqlite:////shared/all.db", "file:///shared/mlruns"),
        ("databricks", "databricks", None),
    ],
)
def test_a_file_is_meant_from_the_project_and_its_artefacts_lie_beside_it(
    uri: str, expected: str, artefacts: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    store = find_tracking_store(Path("/project one"), "conf", {})
    assert (store.uri, store.artefacts) == (expected, artefacts)


@pytest.mark.parametrize("uri", ["mlruns", "file:///mlruns", "postgresql://user:secret@host/runs", ""])
def test_what_mlflow_or_others_could_not_use_is_refused(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(TrackingStoreError, match="Runs and models cannot be kept in") as error:
        find_tracking_store(Path("/project"), "conf", configured(uri))
    assert "secret" not in error.value.message


def test_a_database_for_many_has_artefacts_where_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    given = configured("postgresql://user:secret@host/runs", "s3://bucket/runs")
    store = find_tracking_store(Path("/project"), "conf", given)
    assert str(store) == "postgresql://user:***@host/runs (named by the configuration)"
    assert configure(given, store) == given


def paths(project: Path) -> set[str]:
    """Return where the store says that files lie."""
    queries = (
        "SELECT artifact_location FROM experiments WHERE name != 'Default'",
        "SELECT artifact_uri FROM runs",
        "SELECT storage_location FROM model_versions",
        "SELECT artifact_location FROM logged_models",
        "SELECT 'file://' || json_extract(dataset_source, '$.uri') FROM datasets",
    )
    with closing(sqlite3.connect(project / "mlflow.db")) as connection:
        return {place for query in queries for (place,) in connection.execute(query)}


def said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.e2e
def test_a_moved_project_says_so_everywhere_and_goes_on_after_one_command(demo: Project, tmp_path: Path) -> None:
    first = copy_project(demo.path, tmp_path / "first")
    moved = Project(first.path.rename(tmp_path / "moved to (another) place, 2"))
    refused = f"moved or copied: {moved.path}/mlflow.db has its artefacts in {first.path.as_uri()}/mlruns"
    for failed in (
        moved.kedro("run", "--env", "test", "--pipelines", "threshold_tuning"),
        run_command(moved.path, "credit_scoring.export", "--env", "test"),
        run_command(moved.path, "credit_scoring.tracking_store", "mlflow", "ui"),
    ):
        assert failed.returncode != 0
        assert refused in said(failed)
        assert "Hint: make relocate" in said(failed)
        assert "Traceback" not in said(failed)
    assert not first.path.exists()

    before = paths(moved.path)
    assert all(place.startswith(f"{first.path.as_uri()}/") for place in before)
    runs = (moved.path / "mlruns").rename(tmp_path / "mlruns")
    failed = run_command(moved.path, "credit_scoring.tracking_store", "--relocate")
    assert "has no artefacts beside it" in said(failed)
    assert paths(moved.path) == before
    runs.rename(moved.path / "mlruns")
    assert run_command(moved.path, "credit_scoring.tracking_store", "--relocate").returncode == 0
    uri = moved.path.as_uri()
    assert {place.removeprefix(uri).removeprefix(f"file://{moved.path}") for place in paths(moved.path)} == {
        place.removeprefix(first.path.as_uri()) for place in before
    }

    moved.run("--pipelines", "threshold_tuning", "--to-nodes", "decide_promotion")
    decision = json.loads((moved.path / "data/06_models/synthetic/promotion_decision.json").read_text())
    assert decision["obstacle"] == "equal"  # it was compared with the champion, loaded from the new place
    assert not first.path.exists()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Run MLflow's server with a database and artefacts of its own, on a folder that clients do not know."""
    side = tmp_path / "of_the_server"
    side.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    asked = ("--backend-store-uri", "sqlite:///runs.db", "--artifacts-destination", "./kept", "--port", port)
    with (side / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--workers", "1", *asked],
            cwd=side,
            env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        while True:
            assert process.poll() is None, (side / "log").read_text()
            try:
                urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except (URLError, OSError):
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait()


@pytest.mark.e2e
def test_two_clients_of_a_server_have_one_champion(
    demo: Project, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One names it in a file, for every environment, the other in a variable; neither keeps anything itself."""
    clients = []
    for name in ("one", "two"):
        client = make_project(tmp_path / name)
        for layer in ("05_model_input", "06_models", "07_model_output", "08_reporting"):
            shutil.copytree(demo.path / "data" / layer, client.path / "data" / layer)
        clients.append(client)
    one, two = clients
    (one.path / "conf/local").mkdir()
    (one.path / "conf/local/mlflow.yml").write_text(f"server: {{mlflow_tracking_uri: '{server}'}}")
    log = one.run("--pipelines", "threshold_tuning")
    assert f"Runs and models: {server} (named by {one.path}/conf/local/mlflow.yml)" in " ".join(log.split())

    registry = MlflowClient(server)
    experiment = registry.get_experiment_by_name("credit_scoring_test")
    assert experiment.artifact_location == f"mlflow-artifacts:/{experiment.experiment_id}"
    version = registry.get_model_version_by_alias(NAME, "champion")
    assert version.version == "1"
    assert list((tmp_path / "of_the_server/kept").rglob("model.pkl")) != []

    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    exported = run_command(two.path, "credit_scoring.export", "--env", "test")
    assert exported.returncode == 0, said(exported)
    files = ("MANIFEST.sha256", "model.pkl")
    assert [(two.path / "model" / name).read_bytes() for name in files] == [
        (one.path / "model" / name).read_bytes() for name in files
    ]
    two.run("--pipelines", "threshold_tuning", "--to-nodes", "decide_promotion")
    decision = json.loads((two.path / "data/06_models/synthetic/promotion_decision.json").read_text())
    assert (decision["incumbent"], decision["obstacle"]) == ("1", "equal")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    shown = run_command(one.path, "credit_scoring.tracking_store", "mlflow", "ui")
    assert "They are on a server, which shows them itself" in said(shown)
    assert [path for client in clients for path in client.path.rglob("ml[rf][ul]*") if path.name != "mlflow.yml"] == []


def test_the_comparison_of_candidates_has_an_address_that_a_browser_takes_as_it_is() -> None:
    address = comparison_address("http://127.0.0.1:5000/", "3", "0123abcd")
    assert address.startswith("http://127.0.0.1:5000/#/experiments/3/runs?workflowType=machine_learning&")
    assert " " not in address
    asked = parse_qs(address.partition("?")[2])
    assert asked["searchFilter"] == ["tags.`mlflow.parentRunId` = '0123abcd' and metrics.`business_cost` > 0"]
    assert asked["orderByAsc"] == ["true"]
