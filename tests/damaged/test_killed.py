"""What killed runs leave behind is cleared away by the next one; a run that goes on is left alone."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from kedro_datasets.text import TextDataset

from credit_scoring.errors import RunRefusedError
from credit_scoring.runs import OneAtATimeHooks, ProjectSession
from tests.damaged.killed_runs import KILLED_RUNS, TABLE, KilledRun

ROOT = Path(__file__).parents[2]
PIPELINE = Pipeline([Node(str.upper, "source", "table", name="make_table")])
WAITS = """
import sys, time
from pathlib import Path
from tests.damaged.test_killed import register
hooks = register(Path(sys.argv[1]), sys.argv[2])
print("registered", flush=True)
time.sleep(60)
"""


def register(project: Path, run_id: str) -> OneAtATimeHooks:
    """Register a run that reads `source` and writes a table."""
    catalog = DataCatalog(
        {name: TextDataset(filepath=f"{project}/{path}") for name, path in (("source", "source.txt"), ("table", TABLE))}
    )
    hooks = OneAtATimeHooks()
    hooks._spill = None
    hooks.before_pipeline_run({"project_path": project, "run_id": run_id}, PIPELINE, catalog)
    return hooks


@pytest.fixture
def dead_pid() -> int:
    """Return the number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    """Return a client of a store of runs that MLflow keeps in files, which are quicker to make than a database."""
    before = mlflow.get_tracking_uri()
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    yield mlflow.MlflowClient()
    mlflow.set_tracking_uri(before)


def leave_list(project: Path, pid: int, writes: tuple[str, ...] = (TABLE,)) -> None:
    folder = project / ".runs"
    folder.mkdir(parents=True)
    described = {"pid": pid, "command": "kedro run", "reads": [], "writes": [f"{project}/{path}" for path in writes]}
    (folder / "killed.json").write_text(json.dumps(described))


def files(project: Path) -> dict[str, str]:
    found = {path.relative_to(project).as_posix(): path for path in project.rglob("*") if path.is_file()}
    return {name: path.read_text() for name, path in found.items() if not name.startswith(".runs")}


@pytest.mark.parametrize("case", KILLED_RUNS, ids=lambda case: case.what)
def test_the_next_run_finds_whole_files_and_no_others(
    case: KilledRun, dead_pid: int, store: Any, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    leave_list(project, dead_pid, case.writes)
    for name, text in case.left.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    register(project, "next").sign_off()
    assert files(project) == case.then
    assert [path.name for path in (project / ".runs").iterdir()] == ["registering.lock"]


def test_typed_copies_of_a_killed_run_are_removed_and_those_of_others_kept(
    dead_pid: int, store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", tmp_path.as_posix())
    for pid in (dead_pid, os.getpid()):
        (tmp_path / f"credit_scoring_{pid}_abc").mkdir()
    leave_list(tmp_path / "project", dead_pid)
    register(tmp_path / "project", "next").sign_off()
    assert [path.name for path in tmp_path.glob("credit_scoring_*")] == [f"credit_scoring_{os.getpid()}_abc"]


def test_a_killed_run_and_those_below_it_are_killed_in_mlflow_and_no_others(
    dead_pid: int, store: Any, tmp_path: Path
) -> None:
    killed = store.create_run("0", tags={"run_id": "killed"}).info.run_id
    below = store.create_run("0", tags={"mlflow.parentRunId": killed}).info.run_id
    done = store.create_run("0", tags={"mlflow.parentRunId": killed}).info.run_id
    store.set_terminated(done)
    other = store.create_run("0", tags={"run_id": "other"}).info.run_id
    leave_list(tmp_path / "project", dead_pid)
    register(tmp_path / "project", "next").sign_off()
    states = [store.get_run(run).info.status for run in (killed, below, done, other)]
    assert states == ["KILLED", "KILLED", "FINISHED", "RUNNING"]


@pytest.mark.parametrize("text", ["", '{"pid": 1, "wri'])
def test_a_run_that_was_killed_while_it_registered_is_forgotten(text: str, tmp_path: Path) -> None:
    (tmp_path / ".runs").mkdir(parents=True)
    (tmp_path / ".runs" / "killed.json").write_text(text)
    register(tmp_path, "next").sign_off()
    assert files(tmp_path) == {}


def test_a_run_is_refused_beside_one_that_goes_on_and_not_after_it_was_killed(store: Any, tmp_path: Path) -> None:
    project = tmp_path / "project"
    variables = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    started = [sys.executable, "-c", WAITS, project.as_posix(), "first"]
    with subprocess.Popen(started, env=variables, stdout=subprocess.PIPE, text=True, cwd=ROOT) as first:
        assert first.stdout is not None
        try:
            assert first.stdout.readline() == "registered\n"
            with pytest.raises(RunRefusedError, match=rf"\(process {first.pid}, .*{TABLE} among them") as refused:
                register(project, "second")
        finally:
            first.kill()
    assert "Hint: wait until it has ended" in refused.value.message
    register(project, "third").sign_off()


def test_runs_that_touch_different_files_go_on_side_by_side(tmp_path: Path) -> None:
    first = register(tmp_path, "first")
    reads = DataCatalog({"source": TextDataset(filepath=f"{tmp_path}/source.txt")})
    second = OneAtATimeHooks()
    second._spill = None
    only_reads = Pipeline([Node(str.upper, "source", "in_memory", name="read_source")])
    second.before_pipeline_run({"project_path": tmp_path, "run_id": "second"}, only_reads, reads)
    assert len(list((tmp_path / ".runs").glob("*.json"))) == 2
    second.sign_off()
    first.sign_off()


def test_a_run_that_the_user_ends_is_killed_and_not_finished_in_mlflow(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        mlflow.start_run(experiment_id="0")
        raise KeyboardInterrupt

    monkeypatch.setattr(KedroSession, "run", interrupt)
    bootstrap_project(ROOT)
    with pytest.raises(KeyboardInterrupt), ProjectSession.create(ROOT) as session:
        session.run(pipeline_names=["documentation"])
    (run,) = store.search_runs(["0"])
    assert run.info.status == "KILLED"


def test_a_project_that_cannot_be_written_to_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / ".runs").write_text("a file in its place")
    with pytest.raises(RunRefusedError, match=r"\.runs cannot be made: File exists.\nHint: let the user"):
        register(tmp_path, "next")


def test_the_list_names_no_moment_twice() -> None:
    assert len({case.what for case in KILLED_RUNS}) == len(KILLED_RUNS) >= 15
