"""The life of a server: one model at a time, even if processes die or hang; an end in time from every state."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests

from credit_scoring.exported_model.manifest import write_manifest
from credit_scoring.serving import __main__ as command
from tests.conftest import Project
from tests.serving.conftest import Server, as_split, can_listen, free_port, is_gone, serving, wait_until

pytestmark = pytest.mark.e2e

GRACE = 2
HOLDS_THE_GIL, SLEEPS = 666.0, 667.0
# What hangs in the middle of scoring: an extension that never returns, and a computation that lets others run
POISON = f"""
import ctypes, time
_score_coded = CreditScorer.score_coded
def _poisoned(self, encoded):
    if (encoded == {HOLDS_THE_GIL}).any():
        ctypes.PyDLL(None).sleep(600)
    if (encoded == {SLEEPS}).any():
        time.sleep(600)
    return _score_coded(self, encoded)
CreditScorer.score_coded = _poisoned
"""


@pytest.fixture
def folder(demo: Project, tmp_path: Path) -> Path:
    shutil.copytree(demo.path / "model", tmp_path / "model")
    return tmp_path


def make_other_model(folder: Path, name: str) -> None:
    """Let the folder hold another model, by its id."""
    description = folder / "model" / "MLmodel"
    text = "".join(
        f"model_id: {name}\n" if line.startswith("model_id:") else line
        for line in description.read_text().splitlines(keepends=True)
    )
    description.unlink()
    description.write_text(text)
    write_manifest(folder / "model")


def break_self_test(folder: Path) -> None:
    stored = folder / "model" / "serving_output_example.json"
    answer = json.loads(stored.read_text())
    probability = answer["predictions"][3]["probability_default"]
    answer["predictions"][3]["probability_default"] = float(np.nextafter(probability, 1))
    stored.write_text(json.dumps(answer))
    write_manifest(folder / "model")


def append_to_scorer(folder: Path, code: str) -> None:
    """Let the model's own code do something more, under a manifest that is in order."""
    with (folder / "model/code/credit_scoring/scorer.py").open("a") as scorer:
        scorer.write(f"{code}\n")
    write_manifest(folder / "model")


def poison(rows: pd.DataFrame, value: float) -> pd.DataFrame:
    return rows.assign(**dict.fromkeys(rows.select_dtypes("float").columns, value))


@contextmanager
def lean(folder: Path, **environment: str) -> Iterator[Server]:
    usual = {"SERVING_FRONT_END": "lean", "SERVING_GRACE": str(GRACE)}
    with serving(folder, **usual | environment) as server:
        wait_until(lambda: "is served" in server.log.read_text())
        yield server


def end(server: Server, number: signal.Signals = signal.SIGTERM) -> float:
    """Send a signal, wait for the end, and return the seconds it took."""
    started = time.monotonic()
    server.process.send_signal(number)
    server.process.wait(timeout=30)
    return time.monotonic() - started


def post_in_background(server: Server, body: str) -> None:
    def post() -> None:
        with suppress(requests.RequestException):
            server.post(body)

    threading.Thread(target=post, daemon=True).start()


def test_the_model_is_changed_by_a_reload_only_and_by_none_that_fails(folder: Path, holdout: pd.DataFrame) -> None:
    body = as_split(holdout.head(1))
    with lean(folder) as server:
        old = server.get("/version").json()
        answered: list[tuple[int, str]] = []
        enough = threading.Event()

        def load() -> None:
            session = requests.Session()
            while not enough.is_set():
                answer = session.post(
                    f"{server.url}/invocations", body, headers={"Content-Type": "application/json"}, timeout=30
                )
                answered.append((answer.status_code, answer.headers["X-Model-Id"]))

        loader = threading.Thread(target=load)
        make_other_model(folder, "m-second")
        before = server.workers()
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: len(set(server.workers()) - {before[0]}) == 2, 2)
        assert {server.post(body).headers["X-Model-Id"] for _ in range(20)} == {old["model_id"]}

        loader.start()
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: server.get("/version").json()["last_reload"], 30)
        wait_until(lambda: len(server.holders()) == 1)
        new = server.get("/version").json()
        assert (new["model_id"], new["last_reload"]["outcome"]) == ("m-second", "switched")
        assert new["manifest_sha256"] != old["manifest_sha256"]
        enough.set()
        loader.join()
        assert {status for status, _ in answered} == {200}
        assert {server.post(body).headers["X-Model-Id"] for _ in range(20)} == {"m-second"}

        break_self_test(folder)
        serving_now = server.workers()
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: server.get("/version").json()["last_reload"]["outcome"] == "kept", 30)
        assert "1 of 5 rows differ" in server.get("/version").json()["last_reload"]["reason"]
        shutil.rmtree(folder / "model")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: server.get("/version").json()["reloads"]["kept"] == 2, 30)
        assert "is not a folder" in server.get("/version").json()["last_reload"]["reason"]
        assert server.workers() == serving_now
        assert server.post(body).headers["X-Model-Id"] == "m-second"
        counts = server.get("/metrics").text
        assert 'scoring_model_reloads_total{outcome="switched"} 1.0' in counts
        assert 'scoring_model_reloads_total{outcome="kept"} 2.0' in counts
        assert 'scoring_worker_deaths_total{cause="SIGKILL"} 1.0' in counts
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        assert end(server) < GRACE + 2
        assert server.process.returncode == 0


def test_workers_outlive_the_holder_of_the_model_and_not_the_main_process(folder: Path, holdout: pd.DataFrame) -> None:
    body = as_split(holdout.head(1))
    with lean(folder) as server:
        workers, (holder,) = server.workers(), server.holders()
        make_other_model(folder, "m-second")
        os.kill(holder, signal.SIGKILL)
        wait_until(lambda: "another try in 1 s" in server.log.read_text())
        assert "holds another model than the one that is served" in server.log.read_text()
        assert not any(map(is_gone, workers))
        assert {server.post(body).status_code for _ in range(10)} == {200}
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: server.get("/version").json()["model_id"] == "m-second", 30)
        wait_until(lambda: all(map(is_gone, workers)))
        assert {server.post(body).headers["X-Model-Id"] for _ in range(10)} == {"m-second"}

        processes = [*server.holders(), *server.workers()]
        os.kill(processes[-1], signal.SIGSTOP)
        os.kill(server.process.pid, signal.SIGKILL)
        wait_until(lambda: all(map(is_gone, processes)), GRACE + 2)
        wait_until(lambda: can_listen(server.url), 2)


def test_a_worker_that_hangs_is_replaced_and_no_signal_has_to_wait_for_it(folder: Path, holdout: pd.DataFrame) -> None:
    append_to_scorer(folder, POISON)
    row = holdout.head(1)
    with lean(folder, SERVING_TIMEOUT="2", SERVING_WORKERS="1") as server:
        (first,) = server.workers()
        post_in_background(server, as_split(poison(row, HOLDS_THE_GIL)))
        wait_until(lambda: is_gone(first), 5)
        wait_until(server.workers, 2)
        assert server.post(as_split(row)).status_code == 200
        assert f"Worker {first} has given no sign of life for 2 s" in server.log.read_text()

        # One scoring thread after the other is lost to a request that never ends
        (second,) = server.workers()
        many = as_split(poison(pd.concat([row] * 20), SLEEPS))
        for _ in range(3):
            post_in_background(server, many)
        assert server.post(many).status_code == 504
        wait_until(lambda: is_gone(second), 8)
        wait_until(server.workers, 2)
        assert server.post(as_split(row)).status_code == 200

        post_in_background(server, as_split(poison(row, HOLDS_THE_GIL)))
        time.sleep(0.3)
        assert end(server) < GRACE + 2
        assert server.process.returncode == 0


def test_a_worker_with_its_hands_full_says_that_it_is_not_ready(folder: Path, holdout: pd.DataFrame) -> None:
    append_to_scorer(folder, POISON)
    row = holdout.head(1)
    with lean(folder, SERVING_WORKERS="1", SERVING_MAX_CONCURRENT="1", SERVING_DRAIN="1") as server:
        assert (server.get("/ready").status_code, server.get("/ready").json()) == (200, {"status": "ready"})
        post_in_background(server, as_split(poison(pd.concat([row] * 20), SLEEPS)))
        wait_until(lambda: server.get("/ready").status_code == 503)
        assert server.get("/ready").json() == {"status": "saturated"}
        assert server.post(as_split(row)).status_code == 503
        assert server.is_up()
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: server.get("/ready").json() == {"status": "draining"}, 1)
        assert server.get("/ready").headers["Connection"] == "close"
        started = time.monotonic()
        assert end(server) < 1  # a second signal ends it at once, with requests in hand
        assert time.monotonic() - started < 1


def test_what_is_in_hand_is_answered_while_no_more_is_taken(folder: Path, holdout: pd.DataFrame) -> None:
    body = as_split(holdout.head(1))
    with lean(folder, SERVING_DRAIN="1", SERVING_WORKERS="1") as server:
        with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as slow:
            slow.settimeout(5)
            head = (
                f"POST /invocations HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            slow.sendall(head.encode() + body[:100].encode())
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: server.get("/ready").json() == {"status": "draining"}, 1)
            assert server.post(body).status_code == 200
            time.sleep(1.2)
            with pytest.raises(requests.ConnectionError):
                server.get("/ping")
            slow.sendall(body[100:].encode())
            answer = slow.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"connection: close" in answer
        assert server.process.wait(timeout=3) == 0


@pytest.mark.parametrize("front_end", ["mlflow", "lean"])
def test_a_stop_while_loading_ends_at_once(demo: Project, front_end: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "credit_scoring.serving"],
        cwd=demo.path,
        env=os.environ | {"SERVING_PORT": str(free_port()), "SERVING_FRONT_END": front_end},
    )
    wait_until(lambda: Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())
    time.sleep(0.3)
    started = time.monotonic()
    process.terminate()
    assert process.wait(timeout=10) == 0
    assert time.monotonic() - started < 2


def test_workers_that_die_time_and_again_are_replaced_more_slowly_and_a_stopped_one_ends(demo: Project) -> None:
    with lean(demo.path, SERVING_WORKERS="1") as server:
        for _ in range(5):
            (worker,) = server.workers()
            os.kill(worker, signal.SIGKILL)
            wait_until(lambda worker=worker: is_gone(worker) and server.workers())
        wait_until(server.is_up)
        log = server.log.read_text()
        assert log.count("Another starts in 0 s") == 4
        assert log.count("Another starts in 1 s") == 1
        os.kill(server.workers()[0], signal.SIGSTOP)
        assert end(server) < GRACE + 2
        assert server.process.returncode == 0


def start(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the server until it ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "credit_scoring.serving"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"SERVING_PORT": str(free_port()), "SERVING_FRONT_END": "lean"} | environment,
    )


def test_a_model_that_does_not_answer_its_example_as_stored_is_not_served(folder: Path) -> None:
    break_self_test(folder)
    done = start(folder)
    assert done.returncode == 1
    assert "1 of 5 rows differ. Row 3: expected" in done.stdout


def test_a_model_that_decides_and_gives_no_reasons_is_not_served(folder: Path) -> None:
    append_to_scorer(folder, "CreditScorer.explain_coded = lambda scorer, encoded: []")
    done = start(folder)
    assert done.returncode == 1
    assert "gives no reasons for its decisions: TypeError" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_server_none_of_whose_workers_becomes_ready_ends(folder: Path) -> None:
    append_to_scorer(folder, "import os\nos.register_at_fork(after_in_child=lambda: os._exit(3))")
    done = start(folder)
    assert done.returncode == 1
    assert "has died (status 3)" in done.stdout
    assert "No worker becomes ready" in done.stdout


def test_an_address_that_cannot_be_had_is_told(demo: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = start(demo.path, SERVING_PORT=port)
    assert done.returncode == 1
    assert f"127.0.0.1 port {port} cannot be listened to" in done.stdout
    done = start(demo.path, SERVING_HOST="")
    assert done.returncode == 2
    assert "SERVING_HOST is '', expected the address of a network interface." in done.stdout


def test_a_full_memory_disk_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    full = {"/dev/shm": 1000, str(tmp_path): 2000}
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(command.os, "access", lambda *_: True)
    monkeypatch.setattr(command.shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(0, 0, full[place]))
    assert command._find_room(1500) == str(tmp_path)
    assert command._find_room(3_000_000) is None
    assert f"need 3.0 MB of disk, best in memory: /dev/shm has 0.0 MB free, {tmp_path} has 0.0 MB free" in caplog.text
