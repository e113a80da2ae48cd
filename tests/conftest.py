"""Fixtures shared by all tests."""

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import pandas as pd
import pytest
from filelock import FileLock
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

import credit_scoring.garbage  # noqa: F401 - as where the project starts a process
import tests.disk  # noqa: F401
from credit_scoring.tracking_store import find_tracking_store
from tests.commands import run_kedro, start_server

if TYPE_CHECKING:
    from tests.exports import Export

ROOT = Path(__file__).parents[1]

LONGEST = (
    "test_end_to_end.py",  # makes the demo, on one worker; what follows up to the monitoring's tests needs none
    "spark/test_pipeline.py",
    "spark/test_engines.py",
    "spark/test_scoring.py",
    "features/test_new_source.py",
    "damaged/test_files.py",
    "pipelines/synthetic_data/test_twin_signal.py",
    "pipelines/modelling/test_tuning.py",
    "models/test_new_family.py",
    "pipelines/monitoring/test_nodes.py",
    "desk/test_browser.py",
    "serving/test_attack.py",
    "serving/test_container.py",
    "test_notebooks.py",
    "decision_log/test_serving.py",
    "serving/test_life_cycle.py",
    "serving/test_desk.py",
    "test_tracking_store.py",
    "feature_plan/test_parity.py",
    "datasets/test_killed_exports.py",
    "serving/test_connections.py",
    "serving/test_decisions.py",
    "serving/test_telling.py",
    "tools/test_screenshots.py",  # it would be the last
)
"""Files of tests that take long, in the order in which they begin, and the ones on Spark."""
TOGETHER = ("desk", "feature_plan", "features", "pipelines/modelling", "pipelines/synthetic_data")
"""Folders whose files share what takes seconds to make, and so a worker."""

CONNECTION = {"backend": "duckdb", "database": ":memory:", "threads": 1}
"""Of relational datasets. One thread, as in a run: on a few rows, more would only wait for one another."""

ibis.set_backend(ibis.duckdb.connect(threads=1))  # likewise

# Relative if the PATH is, and tests run it in other folders. Not resolved: a link leads out of the environment.
sys.executable = os.path.abspath(sys.executable)  # noqa: PTH100
os.environ["DO_NOT_TRACK"] = "1"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
# Kedro's settings have no second module for an environment. Dynaconf would look for one by asking of every frame of the
# stack in which module it is: among as many modules as tests import, for a third of a second each time
os.environ["MAIN_ENV_FOR_DYNACONF"] = ""


@dataclass(frozen=True)
class Project:
    """A copy of the project's configuration in an empty folder, to run pipelines in as a user would."""

    path: Path

    def kedro(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a kedro command in the project's folder."""
        return run_kedro(self.path, *arguments)

    def run(self, *arguments: str) -> str:
        """Run pipelines in the `test` environment and return the log; fail with it if the run fails."""
        done = self.kedro("run", "--env", "test", *arguments)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr


def make_project(path: Path) -> Project:
    """Make an empty project in a new folder."""
    shutil.copytree(ROOT / "conf", path / "conf", ignore=shutil.ignore_patterns("local"))
    shutil.copy(ROOT / "pyproject.toml", path)
    shutil.copy(ROOT / ".telemetry", path)
    (path / "src").mkdir()
    return Project(path)


def copy_project(original: Path, copy: Path) -> Project:
    """Copy a project with its runs and models, which are then found in the copy."""
    shutil.copytree(original, copy)
    find_tracking_store(copy, "no configuration", {"server": {"mlflow_tracking_uri": "sqlite:///mlflow.db"}}).relocate()
    return Project(copy)


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Project]:
    """Return a maker of empty projects."""
    return lambda name: make_project(tmp_path_factory.mktemp(name))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Project:
    """Return a project in which the demo pipeline has run, at test size: once for all workers, a copy for each."""
    own = tmp_path_factory.getbasetemp()
    common = (own if worker_id == "master" else own.parent) / "demo"
    with FileLock(f"{common}.lock"):
        if not (common / "run.log").exists():
            shutil.rmtree(common, ignore_errors=True)  # of a worker whose run failed
            log = make_project(common).run("--pipelines", "demo")
            (common / "run.log").write_text(log)
    return copy_project(common, own / "demo_of_worker")


@pytest.fixture(scope="session")
def holdout(demo: Project) -> pd.DataFrame:
    """Return the features of the demo's hold-out, by SK_ID_CURR."""
    rows = pd.read_parquet(demo.path / "data/05_model_input/synthetic/holdout_rows.parquet").set_index("SK_ID_CURR")
    return rows.drop(columns="TARGET")


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> "Callable[..., Export]":
    """Return what exports a small model of a family, each once: see `tests.exports.export_family`."""
    from tests.exports import export_family  # noqa: PLC0415 - few tests need a model

    return cache(lambda family, **options: export_family(family, tmp_path_factory.mktemp(family), **options))


class _FilesOrFolders(LoadFileScheduling):
    """Gives workers the files of tests one by one, those of some folders at once."""

    def _split_scope(self, nodeid: str) -> str:
        file = Path(super()._split_scope(nodeid))
        folder = next((folder for folder in file.parents if folder.as_posix().endswith(TOGETHER)), None)
        return (folder or file).as_posix()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Schedule as `--dist loadfile` does, but for what belongs together."""
    return _FilesOrFolders(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_configure(config: pytest.Config) -> None:
    """Start the server of commands once: workers find its address in the environment that they inherit."""
    if not hasattr(config, "workerinput"):
        config.add_cleanup(start_server())


def pytest_sessionfinish() -> None:
    """Look for garbage once among all that tests have imported, where pytest would do so five times."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files begin first, so that no worker is left with one while the other has nothing to do."""

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(ROOT / "tests").as_posix()
        return LONGEST.index(path) if path in LONGEST else len(LONGEST)

    items.sort(key=place)
