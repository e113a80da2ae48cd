"""The exported model behind MLflow's server: the answers of the API are those of the batch."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import requests

from tests.conftest import Project

pytestmark = pytest.mark.e2e


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def url(demo: Project) -> Iterator[str]:
    """Return the address of a server started as the README says, without the project on its path."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("mlflow")), "models", "serve", "-m", "model", "-p", str(port)]
    server = subprocess.Popen(
        [*command, "--env-manager", "local"],
        cwd=demo.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                if requests.get(f"{address}/ping", timeout=2).ok:
                    break
            except requests.ConnectionError:
                time.sleep(0.5)
            assert server.poll() is None, server.stdout.read()  # type: ignore[union-attr]
        else:
            pytest.fail("the server did not answer within a minute")
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=20)


def ask(url: str, body: str) -> requests.Response:
    return requests.post(f"{url}/invocations", data=body, headers={"Content-Type": "application/json"}, timeout=60)


def as_split(rows: pd.DataFrame) -> str:
    table = rows.astype(object).where(rows.notna(), None)
    return json.dumps({"dataframe_split": {"columns": list(table.columns), "data": table.to_numpy().tolist()}})


@pytest.fixture(scope="module")
def holdout(demo: Project) -> pd.DataFrame:
    return pd.read_parquet(demo.path / "data/05_model_input/synthetic/holdout_rows.parquet").set_index("SK_ID_CURR")


@pytest.fixture(scope="module")
def batch(demo: Project) -> pd.Series:
    predictions = pd.read_parquet(demo.path / "data/07_model_output/synthetic/holdout_predictions.parquet")
    return predictions.set_index("SK_ID_CURR")["PROBABILITY"]


def test_the_exported_example_is_answered(url: str, demo: Project) -> None:
    answer = ask(url, (demo.path / "model" / "serving_input_example.json").read_text())
    assert answer.status_code == 200
    predictions = answer.json()["predictions"]
    assert len(predictions) == 5
    threshold = json.loads((demo.path / "data/06_models/synthetic/decision_policy.json").read_text())["threshold"]
    for row in predictions:
        assert set(row) == {"probability_default", "decision", "threshold"}
        assert row["threshold"] == threshold
        assert row["decision"] == ("refused" if row["probability_default"] >= threshold else "granted")


def test_answers_equal_the_batch_predictions(url: str, holdout: pd.DataFrame, batch: pd.Series) -> None:
    rows = holdout.drop(columns="TARGET")
    for part in (rows, rows.head(1), rows.sample(frac=0.3, random_state=0)[rows.columns[::-1]]):
        answer = ask(url, as_split(part))
        assert answer.status_code == 200, answer.text[:500]
        served = [row["probability_default"] for row in answer.json()["predictions"]]
        assert served == batch.loc[part.index].tolist()


@pytest.mark.parametrize("body", ["", "{", "[]", '{"dataframe_split": {"columns": ["X"], "data": [["text"]]}}'])
def test_a_bad_request_is_refused_and_the_server_stays_up(url: str, body: str) -> None:
    assert 400 <= ask(url, body).status_code < 500
    assert requests.get(f"{url}/ping", timeout=5).ok
