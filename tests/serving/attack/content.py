"""What a request may say, and what is answered."""

import gzip
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

from credit_scoring.schemas.raw import contract_of
from tests.serving.attack.registry import attack
from tests.serving.attack.target import HELD_KEY, KEY, Target, wait_until
from tests.serving.attack.wire import Connection, Reply, get, request
from tools.example_applicant import EXAMPLE

REVIEW = "review"


def records(*rows: dict[str, Any], **payload: object) -> str:
    return json.dumps({"dataframe_records": rows, **payload})


def as_csv(row: dict[str, Any]) -> str:
    return ",".join(row) + "\n" + ",".join("" if value is None else str(value) for value in row.values()) + "\n"


def expect(reply: Reply, status: int, what: str, *words: str) -> Iterator[str]:
    """Say if an answer has another status, or a message without some words."""
    if reply.status != status:
        yield f"{what}: {reply.status}, not {status}"
    elif missing := [word for word in words if word not in reply.message]:
        yield f"{what}: the message lacks {' and '.join(missing)}"


def strange_applicants(target: Target) -> dict[str, dict[str, Any]]:
    """Return applicants whom nobody should decide on without a look, by what is strange about them."""
    columns, row = target.place.columns, target.place.row()
    names = {column["name"] for column in columns}
    required = [column["name"] for column in columns if column["required"]]
    strange = {
        "nothing is known": dict.fromkeys(row),
        "thirteen required columns are null": row | dict.fromkeys(required[:13]),
        "optional columns in lower case": {
            name if name in required else name.lower(): value for name, value in row.items()
        },
        "one unknown name": row | {"NO_SUCH_COLUMN": 1},
    }
    impossible = {"DAYS_BIRTH": 5000, "AMT_CREDIT": -1e30, "DAYS_REGISTRATION": 1e6, "EXT_SOURCE_2": 7}
    strange |= {f"{name} of {value:g}": row | {name: value} for name, value in impossible.items() if name in names}
    return strange


@attack("7", "gaps and impossible values are reviewed by a person, with the reason, and counted")
def gaps(target: Target) -> Iterator[str]:
    counted = target.counted("scoring_gaps_total")
    for what, row in strange_applicants(target).items():
        reply = target.ask(target.post(records(row)))
        yield from expect(reply, 200, what)
        if reply.status == 200:
            answer = reply.json()["predictions"][0]
            if answer["decision"] != REVIEW:
                yield f"{what}: {answer['decision']}"
            elif not (answer.get("gaps") and all(gap.get("text") for gap in answer["gaps"])):
                yield f"{what}: reviewed without a reason"
    if target.counted("scoring_gaps_total") <= counted:
        yield "no gap is counted in /metrics"


@attack("7", "strict mode refuses them", needs="own", SERVING_GAPS="refuse", SERVING_WORKERS="1")
def strict_gaps(target: Target) -> Iterator[str]:
    for what, row in strange_applicants(target).items():
        reply = target.ask(target.post(records(row)))
        yield from expect(reply, 400, what)
        if re.search(r"(?<!\d)5000(?!\d)", reply.message) or "1e+30" in reply.message:
            yield f"{what}: the message repeats the value"


@attack("8", "clients that offer an upgrade to HTTP/2 (JDK, curl) are served")
def upgrade(target: Target) -> Iterator[str]:
    offers = {
        "JDK": ["Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"],
        "curl": ["Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"],
        "websocket": [
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ],
    }
    head, _, body = target.good.partition(b"\r\n\r\n")
    for what, lines in offers.items():
        protocol = "websocket" if what == "websocket" else "h2c"
        extra = "".join(f"\r\n{line}" for line in [*lines, f"Upgrade: {protocol}"]).encode()
        with Connection(target.port) as connection:
            reply = connection.ask(head + extra + b"\r\n\r\n" + body)
            if not target.is_right(reply):
                yield f"{what}: {reply.status} {reply.message}"
        with Connection(target.port) as connection:  # the body comes later, as that of the JDK does
            connection.send(head + extra + b"\r\n\r\n")
            if not target.is_right(connection.ask(body)):
                yield f"{what}, body apart: not the answer"
    if curl := shutil.which("curl"):
        url = f"{target.server.url}/invocations"
        words = ["-s", "--http2", "--max-time", "5", "-H", HELD_KEY, "-H", "Content-Type: application/json"]
        done = subprocess.run([curl, *words, "--data-binary", "@-", url], input=body, capture_output=True, check=False)
        if done.stdout != target.expected[0]:
            yield f"curl --http2: {done.stdout[:100]!r}"


@attack("10", "a number that a 32-bit float does not hold is a 400 naming row and column")
def too_large(target: Target) -> Iterator[str]:
    row = target.place.row()
    name = next(column["name"] for column in target.place.columns if column["type"] == "double")
    for number in ("1e308", "-1e308", "3.5e38", "1e400", "9" * 400):
        body = records(row, row | {name: 0}).rpartition(f'"{name}": 0')
        reply = target.ask(target.post(f'{body[0]}"{name}": {number}{body[2]}'))
        words = ("Row 1", name) if len(number) < 7 and number != "1e400" else ()
        yield from expect(reply, 400, f"JSON {number[:6]}", *words)
        line = as_csv(row | {name: number}).splitlines()[1]
        reply = target.ask(target.post(as_csv(row) + line + "\n", kind="text/csv"))
        yield from expect(reply, 400, f"CSV {number[:6]}", "Row 1", name)


@attack("10", "of /decisions, a number of any size is answered with reasons, and reviewed where it is not plausible")
def any_size(target: Target) -> Iterator[str]:
    asked = json.loads(EXAMPLE.read_text()) | {"params": {"explain": True}}
    read = {column["name"] for column in target.place.columns}
    for name, kind in contract_of("application").columns.items():
        if kind != "float64":
            continue
        applicants = [asked | {"application": asked["application"] | {name: number}} for number in (1e39, -1e39, 1e-45)]
        reply = target.ask(request(json.dumps(applicants), target="/decisions", headers=[HELD_KEY]))
        yield from expect(reply, 200, name)
        if reply.status == 200 and name in read and reply.json()[0]["decision"] != REVIEW:
            yield f"{name}: {reply.json()[0]['decision']}"


@attack("small", "errors of every kind are counted, carry the model and say what is allowed")
def errors(target: Target) -> Iterator[str]:
    cases = {
        400: target.post("{"),
        401: request(b"{}"),
        404: target.get("/nothing/here"),
        405: target.get("/invocations"),
        415: target.post("a", kind="text/plain"),
    }
    for status, data in cases.items():
        before = _counted_with(target, status)
        reply = target.ask(data)
        yield from expect(reply, status, str(status))
        if not (reply.json().get("error_code") and reply.message):
            yield f"{status}: no error_code and message"
        if "x-model-id" not in reply.headers:
            yield f"{status}: no X-Model-Id"
        if status == 405 and reply.headers.get("allow") != "POST":
            yield f"405: Allow is {reply.headers.get('allow')}"
        if wait_until(lambda status=status, before=before: _counted_with(target, status) > before, 5) is None:
            yield f"{status} is not counted as such"


@attack("small", "a request id is taken over if it is one, made if not, and on every answer")
def request_ids(target: Target) -> Iterator[str]:
    for what, data in {"200": target.good, "404": target.get("/nothing"), "400": target.post("{")}.items():
        start, _, rest = data.partition(b"\r\n")
        for given, kept in {"abc-1": True, "a" * 129: False, "a b": False, "\xe9": False, "": False}.items():
            own = f"\r\nX-Request-Id: {given}\r\n".encode("latin-1")
            found = target.ask(start + own + rest).headers.get("x-request-id", "")
            if not found:
                yield f"{what}: no X-Request-Id"
            elif (found == given) != kept:
                yield f"{what}: X-Request-Id {given[:6]!r} became {found[:40]!r}"


@attack(
    "small",
    "the log has one line of JSON per request, and nothing that was sent breaks out of it",
    needs="own",
    SERVING_LOG="json",
    SERVING_WORKERS="1",
)
def log_lines(target: Target) -> Iterator[str]:
    before = len(target.server.log.read_bytes())
    mark = "Zq7-mark"
    number = next(column["name"] for column in target.place.columns if column["type"] == "double")
    row = target.place.row(**{number: 918273.645})
    target.ask(target.post(records(row), "X-Request-Id: " + mark))
    target.ask(target.get("/%0a%7b%22forged%22:1%7d"))
    target.ask(target.post("{", 'User-Agent: "}\\n{"forged":1}'))
    target.ask(target.get("/ping"))
    said = target.server.log.read_bytes()[before:].decode()
    lines = []
    for line in said.splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            yield f"a line is no JSON: {line[:60]!r}"
    if not [line for line in lines if mark in line.values() and 200 in line.values()]:
        yield "no line has the id and the status of a request"
    if "918273" in said:
        yield "the log has a value of an applicant"
    if "forged" in said.replace('\\"forged\\"', ""):
        yield "the log has what a client made up"


@attack("small", "CSV refuses what is no plain number; media types are read as such; gzip is a 415")
def spellings(target: Target) -> Iterator[str]:
    row = target.place.row()
    name = next(column["name"] for column in target.place.columns if column["type"] == "double")
    for number in ("５００", "1_000", "0x10", "0x1p3", "inf", "Infinity", "١٢", "1e", "--1", "1,5", "1d5"):
        reply = target.ask(target.post(as_csv(row | {name: f'"{number}"'}), kind="text/csv"))
        yield from expect(reply, 400, f"CSV {number}", "Row 0", name)
    body = target.good.partition(b"\r\n\r\n")[2]
    for kind in ("application/json; charset=UTF-8; x=y", 'Application/JSON;charset="utf-8"', "application/json;x=y"):
        if not target.is_right(target.ask(target.post(body, kind=kind))):
            yield f"{kind}: not the answer"
    for kind in ("application/json; charset=latin-1", "application/jsonx", "text/plain", "multipart/form-data"):
        yield from expect(target.ask(target.post(body, kind=kind)), 415, kind)
    reply = target.ask(target.post(gzip.compress(body), "Content-Encoding: gzip"))
    if not (reply.status == 415 or target.is_right(reply)):
        yield f"gzip: {reply.status}, not 415"


@attack("small", "/openapi.json says what there is: forms, languages, statuses; /ready is there")
def description(target: Target) -> Iterator[str]:
    document = target.ask(target.get("/openapi.json")).json()
    text = json.dumps(document)
    post = document["paths"]["/invocations"]["post"]
    if '"oneOf"' not in text:
        yield "the forms of a body are no oneOf"
    if not re.search(r'"enum": \["(fr", "en|en", "fr)"\]', text):
        yield "no enum of languages"
    wanted = {"200", "400", "401", "408", "413", "415", "429", "431", "500", "503", "504"}
    if missing := sorted(wanted - post["responses"].keys()):
        yield f"statuses {', '.join(missing)} are missing"
    yield from expect(target.ask(get("/ready")), 200, "/ready")


@attack("small", "a key with a newline at its end works", needs="own", SERVING_API_KEY=f"{KEY}\n", SERVING_WORKERS="1")
def newline_key(target: Target) -> Iterator[str]:
    yield from expect(target.ask(get("/version", HELD_KEY)), 200, "the key without its newline")
    yield from expect(target.ask(get("/version", HELD_KEY[:-1])), 401, "another key")


def _counted_with(target: Target, status: int) -> float:
    """Return how many answers with a status are counted; an answer is counted once it is on its way."""
    lines = target.ask(target.get("/metrics")).body.decode().splitlines()
    mine = [line for line in lines if line.startswith("scoring_requests_total") and f'status="{status}"' in line]
    return sum(float(line.rpartition(" ")[2]) for line in mine)
