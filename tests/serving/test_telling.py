"""What a running server says of itself: ids, lines, counts, keys, a challenger in the shadow, traces."""

import http.server
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import pandas as pd
import pytest
import requests
import yaml

from credit_scoring.exported_model.loading import load_scorer
from credit_scoring.exported_model.manifest import check_manifest, write_manifest
from credit_scoring.serving.keys import digest_key
from tests.conftest import Project
from tests.serving.conftest import JSON, Server, as_split, children, serving, wait_until

pytestmark = pytest.mark.e2e

NAMES = ("web", "app", "greedy", *(f"flood-{number}" for number in range(8)))
HAS_EXPORTER = importlib.util.find_spec("opentelemetry.exporter") is not None
# Nothing of this may be found in a log
SECRET = "Jane-Doe-4711"


@dataclass(frozen=True)
class Told:
    """A server whose every word is looked at, with its file of keys, its challenger and a collector of traces."""

    server: Server
    keys: Path
    spans: list[bytes]
    optional: str

    def ask(
        self, method: str = "POST", path: str = "/invocations", key: str = "web", **given: Any
    ) -> requests.Response:
        headers = {"X-API-Key": f"key-{key}"} | given.pop("headers", {})
        return requests.request(method, self.server.url + path, headers=headers, timeout=60, **given)

    def score(self, body: str | bytes, key: str = "web", **headers: str) -> requests.Response:
        return self.ask(key=key, data=body, headers={"Content-Type": JSON} | headers)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.server.log.read_bytes().splitlines()]

    def line(self, request_id: str) -> dict[str, Any]:
        """Return the only line of a request; it is written once the answer is on its way."""
        wait_until(lambda: request_id.encode() in self.server.log.read_bytes(), 5)
        (line,) = [line for line in self.lines() if line.get("id") == request_id]
        return line

    def counts(self) -> dict[str, float]:
        lines = self.ask("GET", "/metrics").text.splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def make_challenger(demo: Project, folder: Path) -> str:
    """Make a model that refuses everybody and needs a column that the champion does not need; return that column."""
    shutil.copytree(demo.path / "model", folder)
    scorer = load_scorer(check_manifest(folder))
    scorer.decision_policy = {**scorer.decision_policy, "threshold": 0.0}
    (folder / "model.pkl").write_bytes(cloudpickle.dumps(scorer))
    description = yaml.safe_load((folder / "MLmodel").read_text())
    inputs = json.loads(description["signature"]["inputs"])
    column = next(column for column in inputs if not column["required"])
    column["required"] = True
    description["signature"]["inputs"] = json.dumps(inputs)
    (folder / "MLmodel").write_text(yaml.safe_dump(description))
    write_manifest(folder)
    return str(column["name"])


@pytest.fixture(scope="module")
def collector() -> Iterator[tuple[str, list[bytes]]]:
    received: list[bytes] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}", received
        listening.shutdown()


@pytest.fixture(scope="module")
def told(demo: Project, tmp_path_factory: pytest.TempPathFactory, collector: tuple[str, list[bytes]]) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("told")
    optional = make_challenger(demo, folder / "challenger")
    keys = folder / "keys"
    keys.write_text("".join(f"{name}:{digest_key(f'key-{name}'.encode())}\n" for name in NAMES))
    settings = {
        "SERVING_FRONT_END": "lean",
        "SERVING_WORKERS": "1",
        "SERVING_LOG": "json",
        "SERVING_API_KEY": "key-default\n",
        "SERVING_API_KEYS_FILE": str(keys),
        "SERVING_RATE_LIMIT": "200",
        "SERVING_MAX_BODY_MB": "2",
        "SERVING_SHADOW": str(folder / "challenger"),
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector[0],
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    with serving(demo.path, **settings) as server:
        told = Told(server, keys, collector[1], optional)
        wait_until(lambda: any("challenger" in line["message"] for line in told.lines()), 60)
        yield told


def outcomes(holdout: pd.DataFrame) -> dict[str, tuple[Callable[[Told], requests.Response], int]]:
    good = as_split(holdout.head(3))
    return {
        "scored": (lambda told: told.score(good), 200),
        "described": (lambda told: told.ask("GET", "/version"), 200),
        "counted": (lambda told: told.ask("GET", "/metrics"), 200),
        "malformed": (lambda told: told.score("{"), 400),
        "without a key": (lambda told: told.score(good, key="none"), 401),
        "lost": (lambda told: told.ask("GET", f"/{SECRET}?{SECRET}"), 404),
        "wrong method": (lambda told: told.ask("DELETE"), 405),
        "too large": (lambda told: told.score(b"x" * 2_000_001), 413),
        "wrong type": (lambda told: told.ask(data=good, headers={"Content-Type": SECRET}), 415),
    }


def test_every_answer_has_an_id_a_model_and_one_line(told: Told, holdout: pd.DataFrame) -> None:
    model = told.ask("GET", "/version").json()
    for number, (ask, status) in enumerate(outcomes(holdout).values()):
        answer = ask(told)
        assert answer.status_code == status
        assert answer.headers["x-model-id"] == model["model_id"]
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])
        line = told.line(answer.headers["x-request-id"])
        assert line["status"] == status, number
        assert line["bytes_out"] == len(answer.content)
        assert line["manifest_sha256"] == model["manifest_sha256"]


def test_a_line_says_what_was_asked_and_answered(told: Told, holdout: pd.DataFrame) -> None:
    body = as_split(holdout.head(40))
    answer = told.score(body, key="app", **{"X-Request-Id": "order/4711:a"})
    assert answer.headers["x-request-id"] == "order/4711:a"
    line = told.line("order/4711:a")
    refused = sum(row["decision"] == "refused" for row in answer.json()["predictions"])
    assert line["decisions"].get("refused", 0) == refused
    assert sum(line["decisions"].values()) == line["rows"] == 40
    assert (line["method"], line["path"], line["key"], line["front_end"]) == ("POST", "/invocations", "app", "lean")
    assert line["bytes_in"] == len(body)
    assert line["arrival_ms"] > 0
    assert line["scoring_ms"] > 0
    lost = told.line(told.ask("PATCH", "/nowhere").headers["x-request-id"])
    assert (lost["method"], lost["path"], lost["rows"], lost["arrival_ms"]) == ("PATCH", "other", 0, None)


@pytest.mark.parametrize("sent", ["x" * 129, "two words", "é", "", 'a"\t{}'])
def test_an_id_that_is_no_id_is_replaced(told: Told, sent: str) -> None:
    answer = told.ask("GET", "/version", headers={"X-Request-Id": sent.encode()})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


def test_nothing_that_a_client_sends_gets_into_the_log(told: Told, holdout: pd.DataFrame) -> None:
    texts = [name for name in holdout.columns if not pd.api.types.is_numeric_dtype(holdout[name])]
    told.score(as_split(holdout.head(2).assign(**dict.fromkeys(texts, SECRET))))
    told.score(json.dumps({SECRET: SECRET}))
    told.ask("GET", f"/{SECRET}%0A%7B%22level%22%3A%22INFO%22%7D", headers={"User-Agent": SECRET, SECRET: SECRET})
    told.score("{}", key=SECRET)
    host, port = told.server.url.removeprefix("http://").split(":")
    forged = f'{{"level": "INFO", "message": "{SECRET}"}}'
    no_method = f"{SECRET} /ping HTTP/1.1\r\n\r\n"
    no_id = f"GET /x\x0b{forged} HTTP/1.1\r\nX-Request-Id: a\x85{forged}\r\n\r\n"
    for raw in (no_method, no_id):
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(raw.encode("latin-1"))
            assert b"HTTP/1.1 4" in connection.recv(1000)
    assert {line["level"] for line in told.lines()} <= {"INFO", "WARNING", "ERROR"}
    assert SECRET.encode() not in told.server.log.read_bytes()


def test_what_is_refused_is_counted_by_path_status_and_key(told: Told) -> None:
    before = told.counts()
    told.ask(key="none")
    told.ask("GET", "/nowhere", key="app")
    refused = told.ask("GET", key="app")
    assert refused.headers["allow"] == "POST"
    assert told.ask("PUT", "/version").headers["allow"] == "GET, HEAD"
    assert told.ask("POST", "/ping", key="none").headers["allow"] == "GET, HEAD"
    after = told.counts()
    gained = {name: after[name] - before.get(name, 0) for name in after if "_requests_total" in name}
    assert gained['scoring_requests_total{key="",path="/invocations",status="401"}'] == 1
    assert gained['scoring_requests_total{key="app",path="other",status="404"}'] == 1
    assert gained['scoring_requests_total{key="app",path="/invocations",status="405"}'] == 1
    assert gained['scoring_requests_total{key="",path="/ping",status="405"}'] == 1


def test_the_counts_say_what_runs(told: Told) -> None:
    counts = told.counts()
    model = told.ask("GET", "/version").json()
    champion = f'manifest_sha256="{model["manifest_sha256"]}",model_id="{model["model_id"]}",role="champion"'
    assert counts[f"scoring_model_info{{{champion}}}"] == 1
    assert len([name for name in counts if 'role="challenger"' in name]) == 1
    assert counts["scoring_requests_in_flight"] == 0
    assert counts["scoring_worker_starts_total"] == 1


def test_keys_change_while_the_server_runs(told: Told) -> None:
    old = told.keys.read_text()
    assert told.ask("GET", "/version", key="default").status_code == 200
    assert told.ask("GET", "/version", key="new").status_code == 401
    told.keys.write_text(old + f"new:{digest_key(b'key-new')}\n")
    wait_until(lambda: told.ask("GET", "/version", key="new").status_code == 200, 5)
    told.keys.write_text("no key at all\n")
    wait_until(lambda: told.counts().get('scoring_key_file_reads_total{outcome="broken"}') == 1, 5)
    assert told.ask("GET", "/version", key="new").status_code == 200
    said = [line for line in told.lines() if "The keys stay as they were" in line["message"]]
    assert len(said) == 1
    told.keys.write_text(old)
    wait_until(lambda: told.ask("GET", "/version", key="new").status_code == 401, 5)


def test_a_key_that_asks_too_much_waits_and_others_do_not(told: Told, holdout: pd.DataFrame) -> None:
    assert told.score(as_split(holdout.head(390).round(3)), key="greedy").status_code == 200
    limited = told.score(as_split(holdout.head(1)), key="greedy")
    assert (limited.status_code, limited.json()["error_code"]) == (429, "REQUEST_LIMIT_EXCEEDED")
    assert told.score(as_split(holdout.head(1)), key="app").status_code == 200
    assert told.ask("GET", "/version", key="greedy").status_code == 200  # who does not score is not limited
    time.sleep(int(limited.headers["retry-after"]))
    assert told.score(as_split(holdout.head(1)), key="greedy").status_code == 200
    assert told.counts()['scoring_requests_total{key="greedy",path="/invocations",status="429"}'] == 1


def test_a_challenger_scores_what_was_answered_and_is_only_counted(told: Told, holdout: pd.DataFrame) -> None:
    def gained(name: str) -> float:
        return told.counts().get(name, 0) - before.get(name, 0)

    def behind() -> float:
        """Return how many answered requests the challenger has not counted yet: those of tests before."""
        shadow, ours = "scoring_shadow_requests_total", 'scoring_requests_total{key="'
        counts = told.counts().items()
        answered = sum(n for name, n in counts if name.startswith(ours) and "/invocations" in name and '"200"' in name)
        return answered - sum(n for name, n in counts if name.startswith(shadow))

    wait_until(lambda: behind() == 0, 20)
    before = told.counts()
    scored, agreed = 'scoring_shadow_requests_total{outcome="scored"}', "scoring_shadow_decisions_total"
    answered = told.score(as_split(holdout.head(40)), key="flood-0").json()["predictions"]
    told.score(as_split(holdout.head(1).drop(columns=told.optional)), key="flood-0")
    told.score("{", key="flood-0")  # nothing was answered: nothing to compare with
    wait_until(lambda: gained(scored) == 1, 20)
    wait_until(lambda: gained('scoring_shadow_requests_total{outcome="not comparable"}') == 1, 20)
    granted = sum(row["decision"] == "granted" for row in answered)
    assert {row["decision"] for row in answered} == {"granted", "refused"}  # as the champion has it
    assert gained(f'{agreed}{{challenger="refused",champion="granted"}}') == granted
    assert gained(f'{agreed}{{challenger="refused",champion="refused"}}') == 40 - granted
    assert gained('scoring_shadow_gap_bucket{le="0.0"}') == 40  # the same model but for its threshold
    assert gained('scoring_shadow_gap_bucket{le="-0.005"}') == 0


def test_a_challenger_that_is_slow_or_dies_costs_the_champion_nothing(told: Told, holdout: pd.DataFrame) -> None:
    (worker,) = told.server.workers()
    (challenger,) = children(worker)
    body = as_split(holdout.head(100).round(3))
    before = told.counts()

    def dropped() -> float:
        name = 'scoring_shadow_requests_total{outcome="dropped"}'
        return told.counts().get(name, 0) - before.get(name, 0)

    os.kill(challenger, signal.SIGSTOP)
    fitting = 2_000_000 // len(body)
    for number in range(fitting + 5):
        assert told.score(body, key=f"flood-{number % 8}").status_code == 200
        if number == fitting // 2:
            assert dropped() == 0
    assert 1 <= dropped() <= 5
    os.kill(challenger, signal.SIGKILL)
    wait_until(lambda: told.counts().get("scoring_shadow_deaths_total") == 1, 10)
    assert told.score(body, key="app").status_code == 200
    wait_until(lambda: children(worker), 15)
    assert [line["level"] for line in told.lines() if "The challenger has ended" in line["message"]] == ["ERROR"]


def test_traces_are_sent_if_the_packages_are_there(told: Told, holdout: pd.DataFrame) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = told.score(as_split(holdout.head(3)), traceparent=f"00-{trace}-b7ad6b7169203331-01")
    if not HAS_EXPORTER:
        (said,) = [line for line in told.lines() if "there are no traces" in line["message"]]
        assert said["message"].endswith("Hint: pip install 'credit-scoring[traces]'.")
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])
        return
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: PLC0415

    assert answer.headers["x-request-id"] == trace

    def sent() -> list[Any]:
        messages = [ExportTraceServiceRequest.FromString(body) for body in told.spans]
        spans = [s for message in messages for r in message.resource_spans for x in r.scope_spans for s in x.spans]
        return [span for span in spans if span.trace_id.hex() == trace]

    wait_until(sent, 10)
    (span,) = sent()
    assert (span.name, span.parent_span_id.hex()) == ("POST /invocations", "b7ad6b7169203331")
    assert {a.key: a.value.int_value for a in span.attributes if a.value.HasField("int_value")} == {
        "http.response.status_code": 200,
        "scoring.rows": 3,
    }


def test_a_challenger_that_cannot_be_loaded_is_told_and_not_tried_again(demo: Project, holdout: pd.DataFrame) -> None:
    settings = {"SERVING_FRONT_END": "mlflow", "SERVING_WORKERS": "1", "SERVING_LOG": "json"}
    with serving(demo.path, SERVING_SHADOW="nowhere", **settings) as server:
        wait_until(lambda: "The challenger has ended with status 2" in server.log.read_text(), 30)
        time.sleep(3)  # longer than it takes until the next try
        assert server.post(as_split(holdout.head(1))).status_code == 200
        counts = server.get("/metrics").text
        assert "scoring_shadow_deaths_total 1.0" in counts
        assert 'scoring_shadow_requests_total{outcome="dropped"} 1.0' in counts
        errors = [json.loads(line) for line in server.log.read_bytes().splitlines() if b"ERROR" in line]
        assert [error["message"].partition("\n")[0] for error in errors] == [
            "The challenger cannot be loaded. nowhere is not a folder.",
            "The challenger has ended with status 2; the champion goes on.",
        ]
        assert all(json.loads(line)["level"] for line in server.log.read_bytes().splitlines())


def test_without_its_keys_the_server_does_not_start(demo: Project) -> None:
    with pytest.raises(AssertionError, match=r"The keys in nowhere cannot be read"):  # noqa: SIM117
        with serving(demo.path, SERVING_API_KEYS_FILE="nowhere"):
            pass
