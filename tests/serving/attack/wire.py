"""Requests as bytes, the broken ones included, and answers as they come back."""

import json
import socket
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

JSON = "application/json"
PATIENCE = 5.0
"""Seconds after which a server that says nothing hangs."""


@dataclass(frozen=True)
class Reply:
    """One answer.

    Attributes:
        status: Its status.
        headers: Name in lower case -> value.
        body: Its bytes.
        seconds: From the first byte sent to the last one received.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float = field(default=0.0, compare=False)

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        try:
            return str(self.json()["message"])
        except (ValueError, KeyError, TypeError):
            return ""


class Broken(Exception):
    """The server closed the connection, or hung, before it had answered."""


class Connection:
    """A connection to a server on this machine.

    Args:
        port: Its port.
        patience: Seconds to wait for each piece of an answer.
    """

    def __init__(self, port: int, patience: float = PATIENCE) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    @property
    def own_port(self) -> int:
        return self.socket.getsockname()[1]

    def send(self, data: bytes) -> None:
        """Send bytes; a server that has closed the connection is found out when its answer is read."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def ask(self, data: bytes, *, head: bool = False) -> Reply:
        """Send a request and return its answer."""
        started = time.perf_counter()
        self.send(data)
        answer = self.receive(head=head)
        return Reply(answer.status, answer.headers, answer.body, time.perf_counter() - started)

    def receive(self, *, head: bool = False) -> Reply:
        """Return the next answer, which has no body if `head` was asked for.

        Raises:
            Broken: If there is none.
        """
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:-2])}
        if 100 <= status < 200:
            return self.receive(head=head)
        if head or status in {204, 304}:
            return Reply(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            parts = []
            while size := int(self._until(b"\r\n"), 16):
                parts.append(self._exactly(size + 2)[:-2])
            self._until(b"\r\n")
            return Reply(status, headers, b"".join(parts))
        if "content-length" in headers:
            return Reply(status, headers, self._exactly(int(headers["content-length"])))
        return Reply(status, headers, self.rest())

    def rest(self) -> bytes:
        """Return all that comes until the server closes the connection."""
        try:
            while self._more():
                pass
        except Broken as broken:
            if "hangs" in str(broken):
                raise
        left, self._received = self._received, b""
        return left

    def is_closed_within(self, seconds: float) -> bool:
        """Whether the server closes the connection, after an answer or without one."""
        until = time.perf_counter() + seconds
        try:
            while (left := until - time.perf_counter()) > 0:
                self.socket.settimeout(left)
                if not self.socket.recv(65536):
                    return True
        except TimeoutError:
            return False
        except OSError:
            return True
        return False

    def _more(self) -> bool:
        try:
            part = self.socket.recv(1 << 20)
        except TimeoutError:
            raise Broken("the server hangs") from None
        except OSError as error:
            raise Broken(f"the connection broke: {type(error).__name__}") from None
        self._received += part
        return bool(part)

    def _until(self, end: bytes) -> bytes:
        while end not in self._received:
            if not self._more():
                raise Broken("the server closed the connection")
        found, _, self._received = self._received.partition(end)
        return found + end

    def _exactly(self, size: int) -> bytes:
        while len(self._received) < size:
            if not self._more():
                raise Broken("the answer ends early")
        found, self._received = self._received[:size], self._received[size:]
        return found


def request(
    body: bytes | str = b"",
    *,
    method: str = "POST",
    target: str = "/invocations",
    kind: str | None = JSON,
    headers: Iterable[str] = (),
) -> bytes:
    """Write a request with the length of its body."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *headers]
    if kind and data:
        lines.append(f"Content-Type: {kind}")
    if data or method == "POST":
        lines.append(f"Content-Length: {len(data)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + data


def get(target: str, *headers: str) -> bytes:
    """Write a request for a page."""
    return request(method="GET", target=target, headers=headers)


def ask(port: int, data: bytes, patience: float = PATIENCE) -> Reply:
    """Send a request on a connection of its own and return its answer."""
    with Connection(port, patience) as connection:
        return connection.ask(data)
