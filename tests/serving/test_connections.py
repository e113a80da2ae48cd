"""What a stranger does to a connection: heads without end, bodies that trickle, wishes for another protocol."""

import json
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import Project
from tests.serving.conftest import Server, as_split, code_of_image, free_port, running, serving

pytestmark = pytest.mark.e2e

IDLE = 1
KEY = "s3cret"
HEAD = b"POST /invocations HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nX-API-Key: s3cret\r\n"


@pytest.fixture(scope="module")
def server(demo: Project) -> Iterator[Server]:
    settings = {"IDLE": str(IDLE), "MAX_ARRIVING": "4", "WORKERS": "1", "API_KEY": KEY, "FRONT_END": "lean"}
    with serving(demo.path, **{f"SERVING_{name}": value for name, value in settings.items()}) as started:
        yield started


@pytest.fixture(scope="module")
def example(demo: Project) -> tuple[bytes, list[object]]:
    """Return the exported example and its answer."""
    stored = json.loads((demo.path / "model" / "serving_output_example.json").read_text())
    return (demo.path / "model" / "serving_input_example.json").read_bytes(), stored["predictions"]


def connect(server: Server) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])))
    connection.settimeout(15)
    return connection


def read_all(connection: socket.socket) -> bytes:
    """Return what is sent until the other side closes."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    return received


def read_answer(connection: socket.socket) -> tuple[int, bytes]:
    """Return status and body of one answer."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        assert part, received
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return int(head.split()[1]), body


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def seconds_until_closed(connection: socket.socket) -> float:
    started = time.monotonic()
    read_all(connection)
    return time.monotonic() - started


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET /ping HTTP/1.1\r\nX-Long: ",
        b"GET /",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nX-Trailer: ",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;",
    ],
)
def test_a_head_without_end_is_refused_and_not_kept(server: Server, beginning: bytes) -> None:
    (worker,) = server.workers()
    before = resident_mb(worker)
    with connect(server) as connection:
        connection.sendall(beginning)
        sent, answer = 0, b""
        with suppress(ConnectionError):
            while sent < 300_000_000:
                sent += connection.send(b"a" * 65536)
                if not answer and select.select([connection], [], [], 0)[0]:
                    answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert sent < 20_000_000
    assert resident_mb(worker) - before < 5


def test_heads_are_limited_in_size_and_number_of_headers(server: Server) -> None:
    def ask(headers: bytes) -> int:
        with connect(server) as connection:
            connection.sendall(b"GET /ping HTTP/1.1\r\n" + headers + b"\r\n")
            return read_answer(connection)[0]

    assert ask(b"X: " + b"a" * 60_000 + b"\r\n") == 200
    assert ask(b"X: " + b"a" * 70_000 + b"\r\n") == 431
    assert ask(b"X: y\r\n" * 100) == 200
    assert ask(b"X: y\r\n" * 101) == 431
    with connect(server) as connection:
        connection.sendall(b"GET /ping HTTP/1.1\r\n" + b"X: y\r\n" * 101 + b"\r\n")
        answer = read_all(connection)
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {
        "error_code": "HEADERS_TOO_LARGE",
        "message": "There are more than 100 headers.",
    }


def test_what_is_no_http_is_refused_in_the_words_of_all_errors(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00 hello\r\n\r\n")
        assert read_answer(connection) == (400, b'{"error_code":"BAD_REQUEST","message":"This is not HTTP/1.1."}')
    with connect(server) as connection:
        connection.sendall(b"CONNECT there:80 HTTP/1.1\r\nHost: there:80\r\n\r\n")
        assert read_answer(connection)[0] == 400


def test_idle_connections_and_half_sent_heads_expire(server: Server) -> None:
    with ExitStack() as stack:
        idle, half, used, trickling = (stack.enter_context(connect(server)) for _ in range(4))
        half.sendall(b"GET /ping HTTP/1.1\r\nHost: ")
        used.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
        assert read_answer(used)[0] == 200
        started = time.monotonic()
        while time.monotonic() - started < IDLE + 3:
            try:
                trickling.sendall(b"G" if time.monotonic() - started < 0.1 else b"E")
                time.sleep(0.2)
            except ConnectionError:
                break
        assert time.monotonic() - started < IDLE + 3
        for connection in (idle, half, used):
            assert read_all(connection) == b""
        assert time.monotonic() - started < IDLE + 3


@pytest.mark.parametrize("in_parts", [False, True])
def test_a_wish_for_http_2_is_answered_in_http_1(
    server: Server, example: tuple[bytes, list[object]], in_parts: bool
) -> None:
    body, stored = example
    head = HEAD + (
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    with connect(server) as connection:
        for _ in range(2):  # the connection stays usable
            connection.sendall(head if in_parts else head + body)
            if in_parts:
                for start in range(0, len(body), 5000):
                    time.sleep(0.02)
                    connection.sendall(body[start : start + 5000])
            status, answer = read_answer(connection)
            assert (status, json.loads(answer)["predictions"]) == (200, stored)


def test_slow_bodies_take_no_place_of_a_good_request(server: Server, example: tuple[bytes, list[object]]) -> None:
    body, stored = example
    enough = threading.Event()
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(server)) for _ in range(200)]

        def trickle() -> None:
            for connection in slow:
                connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
            while not enough.is_set():
                for connection in slow:
                    with suppress(OSError):  # it is given up, or has expired
                        connection.sendall(b" ")
                enough.wait(0.1)

        trickling = threading.Thread(target=trickle)
        trickling.start()
        time.sleep(0.5)
        good = [server.post(body, **{"X-API-Key": KEY}) for _ in range(100)]
        large = json.loads(body)["dataframe_split"]
        for _ in range(5):
            many = json.dumps({"dataframe_split": large | {"data": large["data"] * 100}})
            good.append(server.post(many, **{"X-API-Key": KEY}))
        enough.set()
        trickling.join()
        assert {answer.status_code for answer in good} == {200}
        assert good[0].json()["predictions"] == stored
        refused = {received.split()[1] for connection in slow if (received := read_all(connection))}
        assert refused == {b"503", b"408"}


def test_a_body_that_pauses_or_comes_too_slowly_is_given_up(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(HEAD + b"Content-Length: 10\r\n\r\n{")
        started = time.monotonic()
        status, answer = read_answer(connection)
        assert status == 408
        assert IDLE - 0.1 < time.monotonic() - started < IDLE + 2
        assert b"within 30 seconds, with no more than %d between two parts" % IDLE in answer


def test_an_api_key_is_asked_for(server: Server, example: tuple[bytes, list[object]]) -> None:
    body, _ = example
    assert server.is_up()
    assert server.post(body).status_code == 401
    assert server.post(body, **{"X-API-Key": KEY.upper()}).status_code == 401
    assert server.post(body, **{"X-API-Key": KEY}).status_code == 200
    assert server.get("/version").status_code == 401


def test_the_key_is_asked_for_before_the_body(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(HEAD.replace(b"s3cret", b"wrong") + b"Content-Length: 1000000\r\n\r\n")
        assert read_answer(connection)[0] == 401
        assert seconds_until_closed(connection) < IDLE + 2  # and nobody waits for it afterwards
    with connect(server) as connection:
        connection.sendall(HEAD.replace(b"s3cret", b"wrong") + b"Transfer-Encoding: chunked\r\n\r\n")
        assert read_answer(connection)[0] == 401
        connection.sendall(b"no chunk\r\n")
        assert read_all(connection) == b""  # one request, one answer
    with connect(server) as connection:
        connection.sendall(HEAD.replace(b"s3cret", b"wrong") + b"Content-Length: 2\r\n\r\n{}no HTTP\r\n\r\n")
        answers = read_all(connection).split(b"HTTP/1.1 ")[1:]
        assert [answer[:3] for answer in answers] in ([b"401"], [b"401", b"400"])


def test_requests_ahead_of_their_answers_are_answered_in_order_and_limited(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(b"GET /ping HTTP/1.1\r\n\r\nGET /nowhere HTTP/1.1\r\nX-API-Key: s3cret\r\n\r\n" * 5)
        received = b""
        while received.count(b"HTTP/1.1") < 10:
            received += connection.recv(65536)
        assert [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404"] * 5
    with connect(server) as connection:
        connection.sendall(b"GET /ping HTTP/1.1\r\n\r\n" * 2000)
        assert read_all(connection).count(b"HTTP/1.1 200") == 17
    assert server.is_up()


def test_a_full_table_of_files_is_survived_and_told(demo: Project, holdout: pd.DataFrame) -> None:
    port = free_port()
    command = ["bash", "-c", f"ulimit -n 64; exec {sys.executable} -m credit_scoring.serving"]
    settings = {"SERVING_PORT": str(port), "SERVING_FRONT_END": "lean", "SERVING_WORKERS": "1", "SERVING_IDLE": "60"}
    with running(command, demo.path, port, PYTHONPATH=str(code_of_image(demo.path)), **settings) as server:
        with ExitStack() as stack:
            idle = [stack.enter_context(connect(server)) for _ in range(80)]
            assert [server.post(as_split(holdout.head(1))).status_code for _ in range(20)] == [200] * 20
            closed = [connection for connection in idle if select.select([connection], [], [], 0)[0]]
            assert 40 < len(closed) < 80
        assert "connections: those idle for longest are closed" in server.log.read_text()
        assert server.is_up()
