"""What goes wrong in production: workers that die, models that are not whole, a stop in the middle of the work."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
import requests

from tests.conftest import Project
from tests.serving.conftest import as_split, code_of_image, free_port, serving, wait_until

pytestmark = pytest.mark.e2e


def start(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the server until it ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "credit_scoring.serving"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(code_of_image(folder))} | environment,
    )


def test_a_killed_worker_is_replaced_under_load_and_a_stop_lets_requests_finish(
    demo: Project, holdout: pd.DataFrame
) -> None:
    body = as_split(holdout.head(1))
    with serving(demo.path, SERVING_FRONT_END="lean", SERVING_WORKERS="2") as server:
        statuses: list[int] = []
        enough = threading.Event()

        def load() -> None:
            while not enough.is_set():
                try:
                    statuses.append(server.post(body).status_code)
                except requests.ConnectionError:
                    statuses.append(0)
                time.sleep(0.01)

        loader = threading.Thread(target=load)
        loader.start()
        wait_until(lambda: len(statuses) >= 30)
        before = server.workers()
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: len(set(server.workers()) - {before[0]}) == 2, 2)
        n_before = len(statuses)
        wait_until(lambda: len(statuses) >= n_before + 30)
        enough.set()
        loader.join()
        assert before[1] in server.workers()
        assert set(statuses) <= {0, 200}
        assert statuses.count(0) <= 1  # what the killed worker had in hand
        assert statuses[-5:] == [200] * 5

        large = as_split(pd.concat([holdout] * 3))
        answers: list[int] = []
        last = threading.Thread(target=lambda: answers.append(server.post(large).status_code))
        last.start()
        time.sleep(0.15)
        server.process.send_signal(signal.SIGTERM)
        last.join()
        assert answers == [200]
        assert server.process.wait(timeout=15) == 0


@pytest.mark.parametrize("name", ["model.pkl", "MLmodel", "code/credit_scoring/scorer.py"])
def test_a_model_that_is_not_whole_is_not_served(demo: Project, tmp_path: Path, name: str) -> None:
    shutil.copytree(demo.path / "model", tmp_path / "model")
    (tmp_path / "model" / name).write_bytes((tmp_path / "model" / name).read_bytes()[:-10])
    done = start(tmp_path)
    assert done.returncode == 2
    assert f"{name}: altered" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_child_that_ends_after_the_server_is_no_error(tmp_path: Path) -> None:
    code = """
import os, signal
from pathlib import Path
from credit_scoring.serving.desk import DeskProcess
from credit_scoring.serving.processes import Server
from credit_scoring.serving.settings import read_settings

status = Server(read_settings(), Path(), DeskProcess(None)).run()
os.kill(os.getpid(), signal.SIGCHLD)
print("status", status)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=os.environ | {"SERVING_PORT": str(free_port()), "SERVING_FRONT_END": "lean"},
    )
    assert "status 2" in done.stdout  # there is no model
    assert "descriptor" not in done.stderr


def test_a_model_of_another_version_is_not_served_unless_told_to(demo: Project, tmp_path: Path) -> None:
    from credit_scoring.exported_model.manifest import write_manifest  # noqa: PLC0415

    shutil.copytree(demo.path / "model", tmp_path / "model")
    requirements = tmp_path / "model" / "requirements.txt"
    requirements.write_text(
        "".join(
            "scikit-learn==1.5.0\n" if line.startswith("scikit-learn") else line
            for line in requirements.read_text().splitlines(keepends=True)
        )
    )
    write_manifest(tmp_path / "model")
    done = start(tmp_path)
    assert done.returncode == 2
    assert "the model was made with 1.5.0" in done.stdout
    with serving(tmp_path, SERVING_OTHER_VERSIONS="warn", SERVING_FRONT_END="lean", SERVING_WORKERS="1") as server:
        assert "WARNING" in server.log.read_text()


def test_a_scorer_that_cannot_be_loaded_stops_the_server(demo: Project, tmp_path: Path) -> None:
    from credit_scoring.exported_model.manifest import write_manifest  # noqa: PLC0415

    shutil.copytree(demo.path / "model", tmp_path / "model")
    (tmp_path / "model" / "model.pkl").write_bytes(b"no pickle")
    write_manifest(tmp_path / "model")
    done = start(tmp_path, SERVING_FRONT_END="lean")
    assert done.returncode == 1
    assert "The scorer in model cannot be read" in done.stdout
