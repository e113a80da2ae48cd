"""The exported model behind `mlflow models serve` alone: the answers of the API are those of the batch."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from tests.conftest import Project
from tests.serving.conftest import Server, as_split, children, code_of_image, free_port, running

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server(demo: Project) -> Iterator[Server]:
    """Return the server that the setting `mlflow-cli` starts, with nothing of the project but what the image gets."""
    port = free_port()
    settings = {"SERVING_FRONT_END": "mlflow-cli", "SERVING_PORT": str(port), "SERVING_WORKERS": "1"}
    settings |= {"PYTHONPATH": str(code_of_image(demo.path)), "PYTHONDONTWRITEBYTECODE": "1"}
    with running([sys.executable, "-m", "credit_scoring.serving"], demo.path, port, **settings) as started:
        yield started


def test_it_is_mlflow_models_serve_itself(server: Server, demo: Project) -> None:
    (cli,) = children(server.process.pid)
    words = Path(f"/proc/{cli}/cmdline").read_text().split("\0")
    assert words[1:7] == ["-m", "mlflow", "models", "serve", "-m", "model"]
    assert server.get("/version").text == mlflow.__version__
    assert server.get("/metrics").status_code == 404
    assert "AMT_CREDIT" not in server.get("/openapi.json").text


def test_files_that_were_not_exported_are_not_served(demo: Project, tmp_path: Path) -> None:
    shutil.copytree(demo.path / "model", tmp_path / "model")
    (tmp_path / "model" / "added.py").touch()
    settings = {"SERVING_FRONT_END": "mlflow-cli", "SERVING_PORT": str(free_port())}
    command = [sys.executable, "-m", "credit_scoring.serving"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120, env=os.environ | settings
    )
    assert done.returncode == 2
    assert "added.py" in done.stdout + done.stderr


def test_the_exported_example_is_answered(server: Server, demo: Project) -> None:
    answer = server.post((demo.path / "model" / "serving_input_example.json").read_text())
    assert answer.status_code == 200
    assert [set(row) for row in answer.json()["predictions"]] == [
        {"probability_default", "decision", "threshold", "gaps"}
    ] * 5


def test_answers_equal_the_batch_predictions(server: Server, holdout: pd.DataFrame, batch: pd.Series) -> None:
    for part in (holdout, holdout.head(1), holdout.sample(frac=0.3, random_state=0)[holdout.columns[::-1]]):
        answer = server.post(as_split(part, params={"explain": False, "language": "fr"}))
        assert answer.status_code == 200, answer.text[:500]
        assert [row["probability_default"] for row in answer.json()["predictions"]] == batch.loc[part.index].tolist()


@pytest.mark.parametrize("body", ["", "{", "[]", '{"dataframe_split": {"columns": ["X"], "data": [["text"]]}}'])
def test_a_bad_request_is_refused_and_the_server_stays_up(server: Server, body: str) -> None:
    assert 400 <= server.post(body).status_code < 500
    assert server.is_up()
