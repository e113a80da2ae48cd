"""What the fuzz sends: requests in order, requests with a few things wrong, and bytes that are hardly HTTP."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.serving.attack.target import HELD_KEY
from tests.serving.attack.wire import JSON, request

MARK, MARKED_NUMBER = "Zq7Marked", "918273645"
"""What no refusal may repeat."""
BIG_HEADER = 70_000


@dataclass(frozen=True)
class Case:
    """What is sent on one connection.

    Attributes:
        data: The bytes.
        rows: If it is in order, the rows of the example that have to be answered; nothing otherwise.
        times: Requests in it; a server that gives more answers has been led to see one that is none.
        framed: Whether it is sound as HTTP, so that there has to be an answer.
    """

    data: bytes
    rows: tuple[int, ...] | None = None
    times: int = 1
    framed: bool = True


# As text, since most of them are what no writer of JSON would write
SCALARS = st.one_of(
    st.sampled_from(
        [
            *("null", "true", "false", '""', "[]", "{}", "[[]]", '{"a":1}', "0", "-0", "-0.0", "1e308", "-1e308"),
            *(
                "1e400",
                "3.5e38",
                "5e-324",
                "1e-400",
                "9" * 25,
                "9" * 5000,
                "01",
                "1.",
                ".5",
                "+1",
                "0x10",
                "1_0",
                "--1",
            ),
            *("NaN", "Infinity", "-Infinity", "nan", "None", "undefined", "'a'", f'"{MARKED_NUMBER}"', MARKED_NUMBER),
            *(
                '"\\ud800"',
                '"\\udc00\\ud800"',
                '"\\u0000"',
                '"\\x"',
                '"\ufeff"',
                '"\u202e"',
                '"５００"',
                '"12"',
                '" 5"',
            ),
            *(f"{MARKED_NUMBER}.5e300", f'"{MARK}"', f'"{MARK * 2000}"', "[" * 2000, "[" * 900 + "]" * 900),
        ]
    ),
    st.floats().map(repr),
    st.integers().map(str),
    st.text(max_size=20).map(json.dumps),
)
NAMES = st.one_of(
    st.sampled_from(["", " ", "index", "AMT_CREDIT ", "amt_credit", "ＡMT", MARK, "a" * 5000, "\x00", "TARGET"]),
    st.text(max_size=10).map(lambda text: MARK + text),
)
CSV_FIELDS = st.sampled_from(
    [
        *(
            "",
            "NA",
            "nan",
            "NULL",
            "inf",
            "-inf",
            "1e308",
            "1e400",
            "５００",
            "1_0",
            " 5",
            "5 ",
            "0x1p3",
            "1,5",
            "true",
        ),
        *('"', '""', '"a', 'a"', '"a\nb"', '"a\r\nb"', "a\rb", "\x00", "\ufeff", f"{MARKED_NUMBER}x", MARK, "9" * 5000),
    ]
)
PARAMS = st.sampled_from(
    [
        *(
            '{"explain": true}',
            '{"explain": false, "language": "en"}',
            '{"language": "de"}',
            '{"explain": 1}',
            "[]",
            "1",
        ),
        *("null", "{}", f'{{"{MARK}": 1}}', f'{{"language": "{MARK}"}}', '{"explain": true, "explain": false}'),
    ]
)
KINDS = st.sampled_from(
    [
        *(
            JSON,
            "text/csv",
            "Application/JSON; charset=UTF-8",
            "application/json; charset=utf-8; x=y",
            "text/plain",
            "",
        ),
        *("application/json; charset=latin-1", "application/json;;;", ";", f"{MARK}/{MARK}", "text/csv; header=absent"),
    ]
)
HEADERS = st.sampled_from(
    [
        *("Content-Encoding: gzip", "Content-Encoding: identity", "Accept: image/png", "Accept-Encoding: gzip"),
        *("Expect: 100-continue", "X-API-Key: wrong", f"User-Agent: {MARK}", "Connection: close", "Cookie: a=b"),
        *("Range: bytes=0-1", "If-None-Match: *", "Upgrade: h2c", "X-Forwarded-For: 1.2.3.4", "Content-Language: fr"),
    ]
)


def make_requests(example: dict[str, Any], required: Sequence[str]) -> st.SearchStrategy[Case]:
    """Return a strategy of all there is, from an example of rows that are in order."""

    @st.composite
    def contents(draw: Callable[..., Any]) -> Case:
        """Write rows in one of the forms; then, mostly, do something wrong to them."""
        names = draw(st.sampled_from([list(required), list(example["columns"])]))
        if draw(st.booleans()):
            names = draw(st.permutations(names))
        rows = draw(st.lists(st.integers(0, len(example["data"]) - 1), min_size=1, max_size=3))
        place = {name: number for number, name in enumerate(example["columns"])}
        table = [[json.dumps(example["data"][row][place[name]]) for name in names] for row in rows]
        form = draw(st.sampled_from(["split", "records", "columns", "inputs", "csv"]))
        wrong, headers, kind = draw(st.integers(0, 3)), [], "text/csv" if form == "csv" else JSON
        params = None
        whole = example["columns"] == sorted(names, key=place.__getitem__)
        for _ in range(wrong):
            what = draw(st.sampled_from(["value", "name", "drop", "add", "params", "kind", "header", "rows", "ragged"]))
            spot = draw(st.integers(0, len(names) - 1)) if names else 0
            if what == "value" and table and names:
                fields = CSV_FIELDS if form == "csv" else SCALARS
                line = draw(st.integers(0, len(table) - 1))
                table[line][spot : spot + 1] = [draw(fields)]
            elif what == "name" and names:
                names[spot] = draw(st.one_of(NAMES, st.sampled_from([*names, names[spot].lower()])))
            elif what == "drop" and len(names) > 1:
                del names[spot]
                for row in table:
                    del row[spot : spot + 1]
            elif what == "add":
                names.append(draw(NAMES))
                for row in table:
                    row.append(f'"{MARK}"')
            elif what == "params":
                params = draw(PARAMS)
            elif what == "kind":
                kind = draw(KINDS)
            elif what == "header":
                headers.append(draw(HEADERS))
            elif what == "rows":
                table = draw(st.sampled_from([[], table * 2, table[:1]]))
            elif table:
                table[-1] = table[-1][: len(table[-1]) // 2]
        body = WRITERS[form](names, table, params).encode("utf-8", "surrogatepass")
        if wrong:
            body = draw(st.one_of(st.just(body), spoilt(body)))
        in_order = tuple(rows) if not wrong and whole else None
        data = with_body(body, kind, headers, draw(st.sampled_from([0, 0, 1, 7, 1000])) if len(body) < 20_000 else 0)
        if in_order is not None and draw(st.integers(0, 9)) == 0:
            return Case(data * 3, in_order, times=3)
        return Case(data, in_order)

    def spoilt(body: bytes) -> st.SearchStrategy[bytes]:
        spot = st.integers(0, len(body))
        junk = st.one_of(
            st.binary(max_size=4), st.sampled_from([b"\xef\xbb\xbf", b"\x00", b"\xff", b"\r", b'"', b"{" * 500])
        )
        return st.one_of(
            st.builds(lambda end: body[:end], spot),
            st.builds(lambda at, more: body[:at] + more + body[at:], spot, junk),
            st.sampled_from([body + body, b"\xef\xbb\xbf" + body, b" \n" + body, body.replace(b":", b"=", 1), b""]),
            st.just(body.decode("utf-8", "replace").encode("utf-16")),
            st.binary(max_size=100),
        )

    first = json.dumps({"dataframe_split": {"columns": example["columns"], "data": example["data"][:1]}}).encode()
    return st.one_of(contents(), contents(), contents(), pages(), framings(first))


def with_body(body: bytes, kind: str, headers: Sequence[str], chunk: int) -> bytes:
    """Write a request with its length, or in chunks of so many bytes."""
    lines = [HELD_KEY, "X-Request-Id: of-the-fuzz", *headers]
    if not chunk:
        return request(body, kind=kind or None, headers=lines)
    if kind:
        lines.append(f"Content-Type: {kind}")
    head = request(headers=[*lines, "Transfer-Encoding: chunked"]).replace(b"Content-Length: 0\r\n", b"")
    step = max(chunk, len(body) // 200)
    pieces = [body[start : start + step] for start in range(0, len(body), step)]
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def _object(names: Sequence[str], row: Sequence[str]) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in zip(names, row, strict=False)) + "}"


def _with(params: str | None) -> str:
    return "}" if params is None else f',"params":{params}}}'


def _list(values: Sequence[str]) -> str:
    return f"[{','.join(values)}]"


def _csv(names: Sequence[str], table: Sequence[Sequence[str]], _: str | None) -> str:
    lines = [",".join(names), *(",".join("" if value == "null" else value for value in row) for row in table)]
    return "\n".join(lines) + "\n"


def _split(names: Sequence[str], table: Sequence[Sequence[str]], params: str | None) -> str:
    rows = _list([_list(row) for row in table])
    return f'{{"dataframe_split":{{"columns":{json.dumps(names)},"data":{rows}}}{_with(params)}'


def _columns(names: Sequence[str], table: Sequence[Sequence[str]], params: str | None) -> str:
    columns = [_list([row[number] for row in table if number < len(row)]) for number in range(len(names))]
    return f'{{"inputs":{_object(names, columns)}{_with(params)}'


WRITERS: dict[str, Callable[[Sequence[str], Sequence[Sequence[str]], str | None], str]] = {
    "split": _split,
    "records": lambda names, table, params: (
        f'{{"dataframe_records":{_list([_object(names, row) for row in table])}{_with(params)}'
    ),
    "inputs": lambda names, table, params: f'{{"inputs":{_list([_object(names, row) for row in table])}{_with(params)}',
    "columns": _columns,
    "csv": _csv,
}


def pages() -> st.SearchStrategy[Case]:
    """Other paths and methods, sound as HTTP."""
    targets = ["/ping", "/ready", "/version", "/metrics", "/openapi.json", "/invocations", "/", f"/{MARK}", "/ping/"]
    targets += [
        "/invocations/",
        "/%00",
        "/..%2f..%2fetc/passwd",
        f"/ping?{MARK}={MARK}",
        "/PING",
        "//ping",
        "/%ff",
        "/a" * 500,
    ]
    methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
    keys = [HELD_KEY, f"X-API-Key: {MARK}", "X-API-Key: ", "X-None: 1"]

    def page(target: str, method: str, key: str) -> Case:
        return Case(request(method=method, target=target, headers=[key, "X-Request-Id: of-the-fuzz"]))

    return st.builds(page, st.sampled_from(targets), st.sampled_from(methods), st.sampled_from(keys))


def framings(body: bytes) -> st.SearchStrategy[Case]:
    """Bytes that are hardly HTTP: first line, headers, lengths and chunks with something wrong."""
    first_lines = [
        *(
            "POST /invocations HTTP/1.1",
            "POST /invocations HTTP/1.0",
            "POST /invocations HTTP/2.0",
            "POST /invocations",
        ),
        *(
            "POST  /invocations  HTTP/1.1",
            "POST /invocations HTTP/1.1 ",
            "POST\t/invocations\tHTTP/1.1",
            "",
            " ",
            "POST",
        ),
        *("get /ping HTTP/1.1", "FOO /ping HTTP/1.1", "HEAD /ping HTTP/1.1"),
        *("GET http://localhost/ping HTTP/1.1", "GET * HTTP/1.1", "CONNECT localhost:1 HTTP/1.1", "TRACE / HTTP/1.1"),
        *("PRI * HTTP/2.0", "G\x00T /ping HTTP/1.1", "GET /pi ng HTTP/1.1", "GET /é HTTP/1.1", "HTTP/1.1 200 OK"),
        *(f"GET /{'a' * BIG_HEADER} HTTP/1.1", f"{'A' * BIG_HEADER} / HTTP/1.1", "\x16\x03\x01\x02\x00\x01\x00"),
    ]
    size = len(body)
    lengths = [
        *(f"Content-Length: {size}", f"Content-Length: {size - 1}", f"Content-Length: +{size}", "Content-Length: -1"),
        *(f"Content-Length: {size}\r\nContent-Length: {size}", f"Content-Length: {size}, {size}", "Content-Length: a"),
        *(f"Content-Length: {size}\r\nContent-Length: 3", "Content-Length: 99999999999999999999", "Content-Length:"),
        *(f"Content-Length : {size}", f"Content-Length: {size}\x00", f"Content-Length:\r\n {size}", "X-None: 1"),
        *("Transfer-Encoding: chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked, identity"),
        *(
            f"Transfer-Encoding: chunked\r\nContent-Length: {size}",
            "Transfer-Encoding : chunked",
            "transfer-encoding:\tchunked",
        ),
        *("Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
    ]
    extra = [
        *(
            "X: 1",
            ": 1",
            "no colon",
            "X: \x00",
            "X: a\rb",
            "X\n: a",
            " folded",
            "É: é",
            "X: " + "a" * BIG_HEADER,
            "Host: b",
        ),
        *(
            "Connection: close, keep-alive",
            "Expect: 200-maybe",
            "Upgrade: websocket\r\nConnection: Upgrade",
            "TE: trailers",
        ),
        *("\r\n".join(f"X-{number}: a" for number in range(300)), "X-Request-Id: a\r\nX-Request-Id: b"),
    ]
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    bodies = [
        *(body, body[:-1], b"", body + smuggled, b"0\r\n\r\n" + smuggled, b"%x\r\n%s\r\n0\r\n\r\n" % (size, body)),
        *(b"%x;a=b\r\n%s\r\n0\r\nX: trailer\r\n\r\n" % (size, body), b"0x%x\r\n%s\r\n0\r\n\r\n" % (size, body)),
        *(b"%x\n%s\n0\n\n" % (size, body), b"-1\r\n%s\r\n0\r\n\r\n" % body, b"ffffffffffffffffff\r\n" + body),
        *(b"%x\r\n%s0\r\n\r\n" % (size, body), b"%x\r\n%s\r\n" % (size, body), b"1;" + b"a" * BIG_HEADER + b"\r\n"),
    ]

    def build(first: str, length: str, more: list[str], sent: bytes, end: str, flips: list[tuple[int, int]]) -> Case:
        lines = [first, "Host: localhost", HELD_KEY, f"Content-Type: {JSON}", length, *more]
        head = bytearray((end.join(lines) + end + end).encode("latin-1"))
        for place, byte in flips:
            head[place % len(head)] = byte
        # More than one request may be in it where the length says that the body ends early
        return Case(bytes(head) + sent, framed=False, times=2)

    ends = st.sampled_from(["\r\n", "\r\n", "\r\n", "\n", "\r", "\n\r"])
    flips = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=2)
    some = st.lists(st.sampled_from(extra), max_size=2)
    first = st.one_of(st.just(first_lines[0]), st.sampled_from(first_lines))
    return st.builds(build, first, st.sampled_from(lengths), some, st.sampled_from(bodies), ends, flips)
