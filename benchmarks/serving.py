"""Load both front ends on loopback, bounded, beside what bounds them in process.

Both serve the same model with two workers and get the same requests. Eight clients at a time are threads of one
process, each with a connection of its own, so that they cost as little as Python allows; they share the processors with
the server all the same. Run by `make bench`.
"""

import argparse
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from benchmarks.harness import ROOT, write_section
from credit_scoring.exported_model.folder import open_model_folder
from credit_scoring.exported_model.loading import load_scorer
from credit_scoring.exported_model.manifest import check_manifest
from credit_scoring.serving.front_ends import Mlflow
from credit_scoring.serving.requests import RequestReader

CLIENTS, ROWS = (1, 8, 32), (1, 100, 1000)
CLIENTS_PER_PROCESS = 8
FRONT_ENDS = ("mlflow", "lean")
MODEL = ROOT / "model"
"""The exported folder, whose figures are published."""


@dataclass(frozen=True)
class Load:
    """What one front end did under one load: seconds per call, calls that failed, seconds it lasted."""

    seconds: np.ndarray
    failed: int
    lasted: float


def request_body(n_rows: int, model: Path = MODEL, **params: Any) -> bytes:
    """Return a request for so many rows: those of the model's example, over and over."""
    split = json.loads((model / "serving_input_example.json").read_text())["dataframe_split"]
    data = [split["data"][number % len(split["data"])] for number in range(n_rows)]
    return json.dumps({"dataframe_split": {"columns": split["columns"], "data": data}, "params": params}).encode()


@contextmanager
def server(front_end: str, workers: int = 2, model: Path = MODEL, **settings: str) -> Iterator[tuple[int, int]]:
    """Run the server, with further settings; yield its port and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"SERVING_FRONT_END": front_end, "SERVING_PORT": str(port)}
    own |= {"SERVING_WORKERS": str(workers), "SERVING_MODEL": str(model), **settings}
    process = subprocess.Popen(
        [sys.executable, "-m", "credit_scoring.serving"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        env=os.environ | own | {"PYTHONPATH": str(ROOT / "src"), "MLFLOW_DISABLE_TELEMETRY": "true"},
    )
    try:
        for _ in range(240):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
                connection.request("GET", "/ping")
                connection.getresponse().read()
                break
            except OSError:
                time.sleep(0.25)
        else:
            raise RuntimeError(f"The {front_end} front end did not start.")
        time.sleep(5)  # the other worker loads the model too
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def put_under_load(port: int, body: bytes, seconds: float, clients: int, path: str = "/invocations") -> Load:
    """Call from so many clients at once."""
    groups = [min(CLIENTS_PER_PROCESS, clients - first) for first in range(0, clients, CLIENTS_PER_PROCESS)]
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        command = [sys.executable, "-m", "benchmarks.serving_client", str(port), path, f"{seconds:g}"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
        processes = [subprocess.Popen([*command, str(group), file.name], **pipes) for group in groups]
        for process in processes:
            process.stdout.readline()  # it is ready
        started = time.perf_counter()
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        results = [json.loads(process.communicate()[0]) for process in processes]
        lasted = time.perf_counter() - started
    return Load(np.concatenate([taken for taken, _ in results]), sum(failed for _, failed in results), lasted)


def resident_mb(pid: int) -> float:
    """Return the memory of a process and its children; pages that they share count for each."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
    rows = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return sum(rss for own, parent, rss in rows if pid in (own, parent)) / 1000


def time_in_process(name: str, n_rows: int, call: Callable[[], object]) -> list[str]:
    """Time something that bounds a server, in this process."""
    call()
    seconds = []
    for _ in range(200 if n_rows < 1000 else 50):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return describe(name, 1, n_rows, np.array(seconds), sum(seconds), 0)


def measure_bounds(n_rows: int, model: Path) -> list[list[str]]:
    """Time the model alone on an encoded matrix, and MLflow's scoring around a model that does nothing."""
    folder = open_model_folder(model)
    scorer = load_scorer(folder.manifest)
    rows = RequestReader(folder.contract, max_rows=n_rows).read(request_body(n_rows, model), "application/json")
    names = [column.name for column in folder.contract.columns]
    table = pd.DataFrame(rows.numbers, columns=names).assign(**rows.texts)
    encoded = scorer.model.codes_.transform(scorer.model.explained_features(table))
    application = Mlflow.load(folder)
    nothing = pd.DataFrame({"probability_default": [0.5] * n_rows, "decision": "refused", "threshold": 0.1})
    nothing["gaps"] = [[]] * n_rows
    with mock.patch.object(type(scorer), "predict", return_value=nothing):
        return [
            time_in_process("model in process", n_rows, lambda: scorer.model.predict_coded(encoded)),
            time_in_process("MLflow in process, no model", n_rows, lambda: application.answer(rows)),
        ]


def describe(name: str, clients: int, n_rows: int, seconds: np.ndarray, lasted: float, failed: int) -> list[str]:
    """Return a row of the table."""
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    per_second = len(seconds) / lasted
    return [
        name,
        f"{clients}",
        f"{n_rows:,}",
        f"{p50:.2f}",
        f"{p99:.2f}",
        f"{per_second:,.0f}",
        f"{per_second * n_rows:,.0f}",
        f"{failed}",
    ]


def publish(name: str, title: str, body: str, model: Path) -> None:
    """Write a section of the report if the exported model was measured, else only print it."""
    if model.resolve() == MODEL.resolve():
        write_section(name, title, body)
    else:
        print(f"## {title}\n\n{body}", flush=True)


def main() -> None:
    """Write one row per front end, number of clients and rows per call, and what a long load does to memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of every load")
    parser.add_argument("--soak", type=float, default=600, help="seconds of the last, long load of each")
    parser.add_argument("--model", type=Path, default=MODEL, help="another folder's section is printed, not written")
    arguments = parser.parse_args()
    model = arguments.model
    table = [row for n_rows in ROWS for row in measure_bounds(n_rows, model)]
    memory = []
    for front_end in FRONT_ENDS:
        with server(front_end, model=model) as (port, pid):
            for n_rows in ROWS:
                body = request_body(n_rows, model)
                put_under_load(port, body, 1, 2)  # what is slow the first time only
                for clients in CLIENTS:
                    load = put_under_load(port, body, arguments.seconds, clients)
                    table.append(describe(front_end, clients, n_rows, load.seconds, load.lasted, load.failed))
            body = request_body(1, model, explain=True)
            load = put_under_load(port, body, arguments.seconds, 1)
            table.append(describe(f"{front_end}, with reasons", 1, 1, load.seconds, load.lasted, load.failed))
            before = resident_mb(pid)
            load = put_under_load(port, request_body(1, model), arguments.soak, CLIENTS_PER_PROCESS)
            memory.append(
                f"After {arguments.soak:,.0f} seconds more of {CLIENTS_PER_PROCESS} clients ({len(load.seconds):,} "
                f"requests, {load.failed} failed) {front_end} held {resident_mb(pid):.0f} MB, {before:.0f} MB before."
            )
    lines = [
        "| what scores | clients | rows per call | p50, ms | p99, ms | calls/s | rows/s | failed |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(f"| {' | '.join(row)} |" for row in table),
    ]
    scorer = load_scorer(check_manifest(model))
    explanation = (
        "Both front ends of the server with two workers, clients on the same machine, "
        f"{arguments.seconds:g} seconds per load; and what bounds them: the model alone on a matrix in memory, and "
        "MLflow's scoring around a model that does nothing. The exported model: "
        f"{scorer.model.labels['en']} on {len(scorer.feature_names_in_)} columns, "
        f"{len(scorer.category_codes)} of them text. Every client waits for its answer before it asks again."
    )
    publish("serving", "Serving", "\n".join([explanation, "", *lines, "", *memory]), model)


if __name__ == "__main__":
    main()
