"""Servers under test: started as a user would, on a free port, stopped at the end."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

from tests.conftest import ROOT, Project

JSON = "application/json"
RAW_TABLES = (
    "bureau", "bureau_balance", "previous_application", "POS_CASH_balance", "installments_payments",
    "credit_card_balance",
)  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def can_listen(address: str) -> bool:
    """Tell whether a server could be started again on the port of an address."""
    try:
        socket.create_server(("127.0.0.1", int(address.rpartition(":")[2]))).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        url: Its address.
        process: The process that was started.
        log: File with what it writes.
    """

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def post(
        self, body: str | bytes, content_type: str | None = JSON, path: str = "/invocations", **headers: str
    ) -> requests.Response:
        given = {"Content-Type": content_type} if content_type else {}
        return requests.post(f"{self.url}{path}", data=body, headers=given | headers, timeout=60)

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=10)

    def is_up(self) -> bool:
        return self.get("/ping").ok

    def holders(self) -> list[int]:
        """Return the processes that hold a model."""
        return children(self.process.pid)

    def workers(self) -> list[int]:
        """Return the processes that score."""
        return [worker for holder in self.holders() for worker in children(holder)]


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, by number."""
    started: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended by now
            started += map(int, (thread / "children").read_text().split())
    return sorted(one for one in started if not is_gone(one))


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended, even if nobody has asked how."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return told.rpartition(")")[2].split()[0] == "Z"


def wait_until(condition: Callable[[], object], seconds: float = 15) -> float:
    """Wait for something to hold, and return for how long; fail after so many seconds."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds
        time.sleep(0.05)
    return time.monotonic() - started


@contextmanager
def running(command: Sequence[str], folder: Path, port: int, **environment: str) -> Iterator[Server]:
    """Start a server, wait for its first answer, stop it."""
    log = folder / f"server_{port}.log"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {"PATH": path} | environment,
        )
    server = Server(f"http://127.0.0.1:{port}", process, log)
    try:
        for _ in range(1200):
            try:
                if server.is_up():
                    break
            except requests.ConnectionError:
                time.sleep(0.05)
            assert process.poll() is None, log.read_text()
        else:
            pytest.fail(f"the server did not answer within a minute: {log.read_text()}")
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        finally:
            # Nothing of it may outlive the test, even one that fails
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def code_of_image(place: Path) -> Path:
    """Lay out what the image gets of the project, by the lines of the Dockerfile; return what to put on the path."""
    for pattern, target in re.findall(r"^COPY (src/\S+) /(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE):
        for found in ROOT.glob(pattern):
            if found.is_dir():
                shutil.copytree(found, place / target, dirs_exist_ok=True)
            else:
                copy = place / target / found.name if target.endswith("/") else place / target
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(found, copy)
    return place / "opt" / "server"


def serving(folder: Path, **environment: str) -> "contextmanager[Server]":
    """Run the server, with nothing of the project but what the image gets, on the `model/` of a folder."""
    port = free_port()
    return running(
        [sys.executable, "-m", "credit_scoring.serving"],
        folder,
        port,
        PYTHONPATH=str(code_of_image(folder)),
        SERVING_PORT=str(port),
        **{"SERVING_DRAIN": "0"} | environment,
    )


def as_split(rows: pd.DataFrame, **payload: object) -> str:
    table = rows.astype(object).where(rows.notna(), None)
    split = {"columns": list(table.columns), "data": table.to_numpy().tolist()}
    return json.dumps({"dataframe_split": split, **payload})


@pytest.fixture(scope="session")
def batch(demo: Project) -> pd.Series:
    predictions = pd.read_parquet(demo.path / "data/07_model_output/synthetic/holdout_predictions.parquet")
    return predictions.set_index("SK_ID_CURR")["PROBABILITY"]


@pytest.fixture(scope="session")
def applicants(demo: Project, holdout: pd.DataFrame) -> list[dict[str, Any]]:
    """Raw tables of the first applicants of the hold-out, as they lie in the raw files."""
    raw = demo.path / "data/01_raw/synthetic"
    wanted = list(holdout.index[:60])
    form = pd.read_csv(raw / "application_train.csv").drop(columns="TARGET")
    owners = pd.read_csv(raw / "bureau.csv").set_index("SK_ID_BUREAU")["SK_ID_CURR"]
    found = {row["SK_ID_CURR"]: {"application": row} for row in _plain(form[form["SK_ID_CURR"].isin(wanted)])}
    for name in RAW_TABLES:
        table = pd.read_csv(raw / f"{name}.csv")
        clients = table["SK_ID_CURR"] if "SK_ID_CURR" in table else table["SK_ID_BUREAU"].map(owners)
        is_wanted = clients.isin(wanted)
        for client, row in zip(clients[is_wanted], _plain(table[is_wanted]), strict=True):
            found[client].setdefault(name.lower(), []).append(row)
    return [found[client] for client in wanted]


def _plain(rows: pd.DataFrame) -> list[dict[str, Any]]:
    # Not `to_json`, which drops the last digit: a number on a cut of a tree would be scored otherwise than in the batch
    return rows.astype(object).where(rows.notna(), None).to_dict(orient="records")
