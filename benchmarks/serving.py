"""Load both front ends on loopback, bounded, beside the bare booster in process.

Each front end gets the same exported model, the same requests and two workers. Eight clients at a time are threads of
one process, each with a connection of its own, so that they cost as little as Python allows; they share the processors
with the server all the same. Run by `make bench`.
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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.harness import ROOT, write_section
from credit_scoring.datasets.mlflow import MlflowScorerDataset
from credit_scoring.models import build_model
from credit_scoring.models.base import text_columns
from credit_scoring.models.calibration import Calibration
from credit_scoring.scorer import CreditScorer, ScorerRelease, digest_model

CLIENTS, ROWS = (1, 8, 32), (1, 100, 1000)
CLIENTS_PER_PROCESS = 8
FRONT_ENDS = ("mlflow", "lean")
N_COLUMNS, N_TREES, TRAINING_ROWS = 150, 400, 5_000


@dataclass(frozen=True)
class Load:
    """What one front end did under one load: seconds per call, calls that failed, seconds it lasted."""

    seconds: np.ndarray
    failed: int
    lasted: float


def make_release() -> ScorerRelease:
    """Make a scorer of the real one's size: 150 columns, four of text, 400 trees."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(TRAINING_ROWS, N_COLUMNS))
    values[generator.random(values.shape) < 0.2] = np.nan
    rows = pd.DataFrame(values, columns=[f"FEATURE_{i:03d}" for i in range(N_COLUMNS)])
    for name in rows.columns[:4]:
        rows[name] = generator.choice([f"Category {i}" for i in range(20)], TRAINING_ROWS)
    target = (generator.random(TRAINING_ROWS) < 1 / (1 + np.exp(2 - rows.iloc[:, 4:20].sum(axis=1)))).astype(int)
    params = {"n_estimators": N_TREES, "num_leaves": 31, "colsample_bytree": 0.2, "random_state": 0, "n_jobs": 1}
    model = build_model("lightgbm", params).fit(rows, target)
    calibration = Calibration("sigmoid", 1.0, 0.0)
    policy = {"threshold": 0.1, "model_digest": digest_model(model, calibration)}
    scorer = CreditScorer(model, calibration, policy)
    return ScorerRelease(scorer, rows, rows.head(5), "A scorer to load.", tags={"source": "benchmark"})


def export(release: ScorerRelease, folder: Path) -> None:
    """Export the scorer as a run without tracking does."""
    dataset = MlflowScorerDataset(filepath=(folder / "model").as_posix(), registered_model_name="benchmark")
    dataset._logging_activated = False
    dataset.save(release)


def request_body(rows: pd.DataFrame, n_rows: int) -> bytes:
    """Return a request for so many rows."""
    table = rows.head(n_rows).astype(object)
    split = {"columns": list(table.columns), "data": table.where(table.notna(), None).to_numpy().tolist()}
    return json.dumps({"dataframe_split": split}).encode()


@contextmanager
def server(front_end: str, folder: Path) -> Iterator[tuple[int, int]]:
    """Run the server with two workers; yield its port and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"SERVING_FRONT_END": front_end, "SERVING_PORT": str(port), "SERVING_WORKERS": "2"}
    process = subprocess.Popen(
        [sys.executable, "-m", "credit_scoring.serving"],
        cwd=folder,
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


def put_under_load(port: int, body: bytes, seconds: float, clients: int) -> Load:
    """Call from so many clients at once."""
    groups = [min(CLIENTS_PER_PROCESS, clients - first) for first in range(0, clients, CLIENTS_PER_PROCESS)]
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        command = [sys.executable, "-m", "benchmarks.serving_client", str(port), f"{seconds:g}"]
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


def floor(release: ScorerRelease, n_rows: int) -> list[str]:
    """Time the booster alone on an encoded matrix, one thread."""
    model: Any = release.scorer.model
    encoded = model.codes_.transform(release.example_rows.head(n_rows))
    model.booster_.predict(encoded, num_threads=1)
    seconds = []
    for _ in range(200 if n_rows < 1000 else 50):
        started = time.perf_counter()
        model.booster_.predict(encoded, num_threads=1)
        seconds.append(time.perf_counter() - started)
    return describe("booster in process", 1, n_rows, np.array(seconds), sum(seconds), 0)


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


def main() -> None:
    """Write one row per front end, number of clients and rows per call, and what a long load does to memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of every load")
    parser.add_argument("--soak", type=float, default=600, help="seconds of the last, long load of the lean front end")
    arguments = parser.parse_args()
    release = make_release()
    table = [floor(release, n_rows) for n_rows in ROWS]
    memory = []
    with tempfile.TemporaryDirectory(prefix="serving_benchmark_") as name:
        folder = Path(name)
        export(release, folder)
        for front_end in FRONT_ENDS:
            with server(front_end, folder) as (port, pid):
                for n_rows in ROWS:
                    body = request_body(release.example_rows, n_rows)
                    put_under_load(port, body, 1, 2)  # what is slow the first time only
                    for clients in CLIENTS:
                        load = put_under_load(port, body, arguments.seconds, clients)
                        table.append(describe(front_end, clients, n_rows, load.seconds, load.lasted, load.failed))
                before = resident_mb(pid)
                if front_end == "lean":
                    body = request_body(release.example_rows, 1)
                    load = put_under_load(port, body, arguments.soak, CLIENTS_PER_PROCESS)
                    memory.append(
                        f"After {arguments.soak:,.0f} seconds more of {CLIENTS_PER_PROCESS} clients "
                        f"({len(load.seconds):,} requests, {load.failed} failed) the lean one held "
                        f"{resident_mb(pid):.0f} MB, {before:.0f} MB before."
                    )
                else:
                    memory.append(f"With two workers MLflow's front end held {before:.0f} MB.")
    lines = [
        "| what scores | clients | rows per call | p50, ms | p99, ms | calls/s | rows/s | failed |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(f"| {' | '.join(row)} |" for row in table),
    ]
    texts = len(text_columns(release.example_rows))
    explanation = (
        "Both front ends of the server with two workers, clients on the same machine, "
        f"{arguments.seconds:g} seconds per load; and the booster alone on a matrix in memory. LightGBM of {N_TREES} "
        f"trees on {N_COLUMNS} columns, {texts} of them text. Every client waits for its answer before it asks again."
    )
    command = f"python -m benchmarks.serving --seconds {arguments.seconds:g} --soak {arguments.soak:g}"
    write_section("serving", "Serving", command, "\n".join([explanation, "", *lines, "", *memory]))


if __name__ == "__main__":
    main()
