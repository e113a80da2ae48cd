"""What a client without any right can do: make the server work, remember or wait."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

from tests.serving.attack.registry import attack
from tests.serving.attack.target import IDLE, TIMEOUT, Place, Target, answers, started, wait_until
from tests.serving.attack.wire import Broken, Connection, Reply, request


def at_once(target: Target, requests: list[bytes]) -> list[Reply | str]:
    """Send requests at the same time; return the answers, or why there is none."""

    def one(data: bytes) -> Reply | str:
        try:
            return target.ask(data, 30)
        except (Broken, OSError) as error:
            return str(error) or type(error).__name__

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(one, requests))


def refused(
    replies: list[Reply | str], what: str, within: float = 1.0, statuses: tuple[int, ...] = (400,)
) -> Iterator[str]:
    """Say which answers are no refusals, or late."""
    for reply in replies:
        if isinstance(reply, str):
            yield f"{what}: {reply}"
        elif reply.status not in statuses:
            yield f"{what}: {reply.status}, not {' or '.join(map(str, statuses))}"
        elif reply.seconds > within:
            yield f"{what}: refused only after {reply.seconds:.1f} s"


@attack("1", "a CSV header of 250,000 empty names, six at a time, is a 400 at once")
def empty_names(target: Target) -> Iterator[str]:
    body = b"," * 249_999 + b"\n1"
    yield from refused(at_once(target, [target.post(body, kind="text/csv")] * 6), "CSV header")


@attack("1", "its brothers: names, keys, digits and nesting without end are refused at once")
def brothers(target: Target) -> Iterator[str]:
    names = [f"n{number}" for number in range(100_000)]
    row = target.place.row()
    number = next(column["name"] for column in target.place.columns if column["type"] == "double")
    digits = "9" * 1_000_000
    bodies = {
        "names in split": json.dumps({"dataframe_split": {"columns": names, "data": [names]}}),
        "one name, repeated": json.dumps({"dataframe_split": {"columns": ["a"] * 100_000, "data": []}}),
        "required names, repeated": json.dumps({"dataframe_split": {"columns": list(row) * 1000, "data": []}}),
        "unknown keys": json.dumps({"dataframe_records": [dict.fromkeys(names)]}),
        "columns of inputs": json.dumps({"inputs": {name: [] for name in names}}),
        "params": json.dumps({"dataframe_records": [row], "params": dict.fromkeys(names)}),
        "nesting": '{"dataframe_records":' + "[" * 100_000 + "]" * 100_000 + "}",
        "digits": json.dumps({"dataframe_records": [row | {number: 0}]}).replace(
            f'"{number}": 0', f'"{number}": {digits}'
        ),
        "not JSON": "[" * 1_000_000,
    }
    for what, body in bodies.items():
        yield from refused(at_once(target, [target.post(body)] * 2), what)
    csv = {
        "digits in CSV": f"{','.join(row)}\n{','.join([digits, *['1'] * (len(row) - 1)])}",
        "quotes in CSV": '"' * 1_000_001,
        "lines of CSV": ",".join(row) + "\n" * 500_000,
        "fields of CSV": ",".join(row) + "\n" + "," * 1_000_000,
    }
    for what, body in csv.items():
        yield from refused(at_once(target, [target.post(body, kind="text/csv")] * 2), what)


@attack("1", "large bodies that are in order are answered, and so is everyone else in time", patience=TIMEOUT)
def large_bodies(target: Target) -> Iterator[str]:
    example = target.place.example
    data = [example["data"][number % len(example["data"])] for number in range(3000)]
    body = target.post({"dataframe_split": {"columns": example["columns"], "data": data}})
    for reply in at_once(target, [body] * 4):
        if not (isinstance(reply, Reply) and reply.status in {200, 503, 504}):
            yield f"{reply if isinstance(reply, str) else reply.status}, not 200 (nor 503 or 504)"


@attack("2", "300 MB of headers that never end are a 431 near 64 kB")
def endless_headers(target: Target) -> Iterator[str]:
    line = b"X-Filler: " + b"a" * 1000 + b"\r\n"
    for what, piece in {"lines": line * 64, "one line": b"a" * 65_000}.items():
        with Connection(target.port) as connection:
            connection.send(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nX-Begin: ")
            sent, refusal = _send_until_refused(connection, piece, 300_000_000)
        if sent > 20_000_000:  # what the system holds for both ends is less
            yield f"{what}: {sent / 1e6:.0f} MB were taken in"
        if refusal and refusal.status not in {400, 431}:
            yield f"{what}: {refusal.status}, not 431"
    size = request(method="GET", target="/ping", headers=["X-Filler: " + "a" * 80_000])
    yield from refused(at_once(target, [size]), "80 kB of headers", statuses=(431,))


def _send_until_refused(connection: Connection, piece: bytes, most: int) -> tuple[int, Reply | None]:
    connection.socket.settimeout(0.2)
    sent = 0
    while sent < most:
        try:
            sent += connection.socket.send(piece)
        except TimeoutError:
            break  # nobody reads what is sent
        except OSError:
            break
    connection.socket.settimeout(TIMEOUT + 5)
    with suppress(Broken):
        return sent, connection.receive()
    return sent, None


@attack("2", "10,000 headers are a 431, a target of 1 MB a 414 or 431, endless trailers are cut off")
def many_headers(target: Target) -> Iterator[str]:
    many = request(method="GET", target="/ping", headers=[f"X-{number}: a" for number in range(10_000)])
    yield from refused(at_once(target, [many]), "10,000 headers", statuses=(431,))
    long = request(method="GET", target="/" + "a" * 1_000_000)
    yield from refused(at_once(target, [long]), "target of 1 MB", statuses=(400, 414, 431))
    with Connection(target.port) as connection:
        head = target.post(b"{}", "Transfer-Encoding: chunked").partition(b"\r\n\r\n")[0]
        head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length"))
        connection.send(head + b"\r\n\r\n2\r\n{}\r\n0\r\n")
        sent, _ = _send_until_refused(connection, b"X-Trailer: a\r\n" * 4000, 100_000_000)
        if sent > 20_000_000:
            yield f"{sent / 1e6:.0f} MB of trailers were taken in"


@attack("2", "headers that are half sent and connections that idle are closed in time")
def half_headers(target: Target) -> Iterator[str]:
    with Connection(target.port) as half, Connection(target.port) as silent, Connection(target.port) as idle:
        half.send(b"GET /ping HTTP/1.1\r\nHost: local")
        idle.ask(target.get("/ping"))
        if not half.is_closed_within(IDLE + 3):
            yield "half a header is waited for longer than SERVING_IDLE"
        if not silent.is_closed_within(IDLE + 3):
            yield "a connection that never says anything stays"
        if not idle.is_closed_within(IDLE + 3):
            yield "an idle connection stays"


@attack("3", "half a million unknown names with `data: []`, twelve times, are refused and forgotten")
def remembered(target: Target) -> Iterator[str]:
    required = [column["name"] for column in target.place.columns if column["required"]]
    names = json.dumps([*required, *(f"u#_{place}" for place in range(500_000))])
    held = []
    for number in range(12):
        body = f'{{"dataframe_split": {{"columns": {names.replace("#", str(number))}, "data": []}}}}'
        yield from refused([target.ask(target.post(body), 30)], "unknown names", within=5, statuses=(400, 413))
        held.append(target.megabytes())
    # What the allocator keeps for the next such request is there after the first ones, and does not grow
    if held[-1] - held[3] > 100:
        yield f"it holds {held[3]:.0f} MB after four and {held[-1]:.0f} MB after twelve"


@attack("3", "1,000 layouts, names and paths that a client invents are forgotten, and become no labels")
def invented(target: Target) -> Iterator[str]:
    row = target.place.row()
    held = []
    with Connection(target.port) as connection:
        for number in range(500):
            if number % 100 == 0:
                held.append(target.megabytes())
            odd = {f"invented_{number}_{place}": 1 for place in range(20)}
            body = json.dumps({"dataframe_records": [row | odd]})
            reply = connection.ask(target.post(body))
            if reply.status != 200:
                yield f"unknown names: {reply.status}, not 200"
            connection.ask(target.get(f"/invented/{number}"))
    if held[-1] - held[1] > 10:  # the first hundred load what the others need
        yield f"it holds {held[1]:.0f} MB after 100 layouts and {held[-1]:.0f} MB after 400"
    if "invented" in target.ask(target.get("/metrics")).body.decode():
        yield "/metrics repeats what a client invented"


@attack("4", "200 bodies that trickle take nobody's place")
def trickle(target: Target) -> Iterator[str]:
    head = target.post(b"x" * 1000)[:-1000]
    with ExitStack() as stack:
        slow = []
        for _ in range(200):
            with suppress(OSError):
                slow.append(stack.enter_context(Connection(target.port)))
                slow[-1].send(head + b"[")
        until = time.perf_counter() + TIMEOUT + 1
        good = wrong = 0
        while time.perf_counter() < until:
            good += 1
            wrong += not answers(target)
            for connection in slow[:: max(1, len(slow) // 20)]:
                connection.send(b"1")
            time.sleep(0.05)
        if wrong:
            yield f"{wrong} of {good} good requests were not answered"
        for connection in slow[:3]:
            with suppress(Broken):
                if (status := connection.receive().status) not in {408, 503}:
                    yield f"a body that trickles: {status}, not 408 or 503"


@attack("4", "the key is asked for before the body")
def key_first(target: Target) -> Iterator[str]:
    for what, header in {"no key": [], "a wrong key": ["X-API-Key: wrong"]}.items():
        with Connection(target.port) as connection:
            connection.send(request(b"x" * 1000, headers=header)[:-999])
            reply = connection.receive()
            if reply.status != 401:
                yield f"{what}: {reply.status}, not 401"


@attack("4", "of bodies that say their length and never come, only the sender's connection is lost")
def never_come(target: Target) -> Iterator[str]:
    with Connection(target.port, TIMEOUT + 4) as connection:
        reply = connection.ask(target.post(b"x" * 1000)[:-999])
        if reply.status != 408:
            yield f"{reply.status}, not 408"


@attack("4", "a full file table (64 files, 80 idle connections) is survived, and logged", needs="place")
def full_file_table(place: Place) -> Iterator[str]:
    with started(place, "ulimit -n 64", SERVING_WORKERS="1") as target:
        before = len(target.server.log.read_bytes())
        with ExitStack() as stack:
            for _ in range(80):
                with suppress(OSError):
                    stack.enter_context(Connection(target.port))
            time.sleep(2)
            if not target.processes():
                yield "it ends"
        if wait_until(lambda: answers(target), TIMEOUT + 5) is None:
            yield "no good request is answered after the connections are gone"
        said = target.server.log.read_bytes()[before:]
        if not said:
            yield "the log says nothing of it"
        if len(said) > 1_000_000:
            yield f"the log grew by {len(said) / 1e6:.0f} MB"
