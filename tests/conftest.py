"""Fixtures shared by all tests."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

os.environ["DO_NOT_TRACK"] = "1"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"


@dataclass(frozen=True)
class Project:
    """A copy of the project's configuration in an empty folder, to run pipelines in as a user would."""

    path: Path

    def kedro(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a kedro command in the project's folder."""
        return subprocess.run(
            [sys.executable, "-m", "kedro", *arguments],
            cwd=self.path,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"COLUMNS": "200"},
        )

    def run(self, *arguments: str) -> str:
        """Run pipelines in the `test` environment and return the log; fail with it if the run fails."""
        done = self.kedro("run", "--env", "test", *arguments)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Project]:
    """Return a maker of empty projects."""

    def make(name: str) -> Project:
        path = tmp_path_factory.mktemp(name)
        shutil.copytree(ROOT / "conf", path / "conf", ignore=shutil.ignore_patterns("local"))
        shutil.copy(ROOT / "pyproject.toml", path)
        shutil.copy(ROOT / ".telemetry", path)
        (path / "src").mkdir()
        return Project(path)

    return make


@pytest.fixture(scope="session")
def demo(new_project: Callable[[str], Project]) -> Project:
    """Return a project in which the demo pipeline has run, at test size."""
    project = new_project("demo")
    log = project.run("--pipelines", "demo")
    (project.path / "run.log").write_text(log)
    return project
