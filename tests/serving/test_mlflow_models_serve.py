"""The exported model behind `mlflow models serve` alone: the answers of the API are those of the batch."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import Project
from tests.serving.conftest import Server, as_split, free_port, running

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server(demo: Project) -> Iterator[Server]:
    """Return a server that has nothing of the project but the exported folder."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("mlflow")), "models", "serve", "-m", "model", "-p", str(port)]
    with running([*command, "--env-manager", "local"], demo.path, port, PYTHONDONTWRITEBYTECODE="1") as started:
        yield started


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
