"""HTTP on the wire: uvicorn's protocol, with bounds on all that a stranger could let grow or wait."""

import logging
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from credit_scoring.serving.application import Application
from credit_scoring.serving.requests import RequestError
from credit_scoring.serving.settings import Settings

# Of the first line and the headers of a request together, or of what is between two parts of a body
MAX_HEAD_BYTES = 65_536
MAX_HEADERS = 100
# Requests that a client may send before it has read the answer to the first of them
MAX_PIPELINED = 16
# Seconds in which a client can read why it was refused, before it is cut off; it may go on sending as much meanwhile
_LINGER, _READ_ON_BYTES = 2.0, 1_000_000
# Seconds in which a connection that was idle may still bring the request that is on its way, when the worker stops
_LAST_CALL = 1.0
# Files that a worker opens beside connections: counts, the model's libraries, the log
_SPARE_FILES = 16
_OF_AN_UPGRADE = (b"connection", b"http2-settings", b"upgrade")

logger = logging.getLogger("credit_scoring.serving")


class ConnectionState(ServerState):
    """What the connections of a worker share.

    Args:
        settings: How the server runs.
        application: What answers.
    """

    def __init__(self, settings: Settings, application: Application) -> None:
        super().__init__()
        self.application = application
        self.idle: float = settings.idle
        self.timeout: float = settings.timeout
        self.most = min(settings.max_connections, _free_files())
        self.draining = False
        self._told_at = -float("inf")

    def expire(self, now: float) -> None:
        """Close connections that have kept the worker waiting for too long."""
        for connection in list(self.connections):
            connection.expire(now)  # type: ignore[union-attr]

    def make_room(self, newest: "Connection") -> None:
        """Close the connection that has been idle for longest, or the newest if all others have requests in hand."""
        if time.monotonic() > self._told_at + 60:
            self._told_at = time.monotonic()
            logger.warning("There are more than %d connections: those idle for longest are closed.", self.most)
        idle = [other for other in _connections(self) if other.is_idle and other is not newest]
        if idle:
            min(idle, key=lambda other: other.since).transport.abort()
        else:
            newest.refuse(503, "The server has its hands full. Try again in a second.")


class Connection(HttpToolsProtocol):
    """A client's connection.

    Attributes:
        since: When it began to wait for what it waits for: a request, the rest of its head, the end of its body after
            an early answer, an answer to be taken. In seconds of the event loop.
    """

    server_state: ConnectionState
    since: float
    _unused = 0  # bytes received since the last that were part of a body or ended a message
    _head_bytes = 0
    _is_refused = False

    @property
    def is_idle(self) -> bool:
        """Whether no request is in hand."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: Any) -> None:
        """Take a new connection, if need be instead of an idle one."""
        super().connection_made(transport)
        self.since = self.loop.time()
        if len(self.connections) > self.server_state.most:
            self.server_state.make_room(self)

    def data_received(self, data: bytes) -> None:
        """Read what has arrived."""
        if self._is_refused:
            self._unused += len(data)
            if self._unused > _READ_ON_BYTES:
                self.transport.pause_reading()
            return
        self._unset_keepalive_if_required()
        self._unused += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._go_on_without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, _TooMuchError):
                self.refuse(431, str(error.__context__))
            else:
                self.refuse(400, "This is not HTTP/1.1.")
        else:
            if self._unused > MAX_HEAD_BYTES:
                self.refuse(431, f"The head of the request is larger than {MAX_HEAD_BYTES} bytes.")

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._head_bytes = 0
        if self.is_idle:
            self.since = self.loop.time()

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or what follows the last part of a body."""
        self._count_head(len(name) + len(value) + 4)
        if len(self.headers) >= MAX_HEADERS:
            raise _TooMuchError(f"There are more than {MAX_HEADERS} headers.")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin with the request."""
        if self.parser.should_upgrade():
            return  # it is read again without that wish
        if len(self.pipeline) >= MAX_PIPELINED:
            raise _TooMuchError(f"There are more than {MAX_PIPELINED} requests ahead of their answers.")
        super().on_headers_complete()
        if self.server_state.draining:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._unused = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        self._unused = 0
        if not self.parser.should_upgrade():
            super().on_message_complete()
            self.cycle.more_body = False  # also of a request that was answered before its end

    def on_response_complete(self) -> None:
        """Begin to wait again."""
        self.since = self.loop.time()
        super().on_response_complete()

    def refuse(self, status: int, message: str) -> None:
        """Answer what cannot be made a request of, and close the connection once the client could read why."""
        self._is_refused = True
        if self.cycle is not None and self.cycle.more_body == self.cycle.response_complete:
            if self.cycle.more_body:
                self.transport.close()  # this request has its answer already
            self.cycle.keep_alive = False  # the answers to what came before are still to be given
            return
        headers, body = self.server_state.application.refuse_unread(RequestError(status, message))
        lines = [name + b": " + value + b"\r\n" for name, value in [*headers, (b"connection", b"close")]]
        self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n", body]))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER, self.transport.abort)
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def expire(self, now: float) -> None:
        """Close the connection if it has waited for too long."""
        if not self.is_idle:
            return
        waited = now - self.since
        if self.transport.get_write_buffer_size():
            if waited > self.server_state.timeout:
                self.transport.abort()  # the client does not take its answer
        elif waited > self.server_state.idle:
            self.transport.close()

    def shutdown(self) -> None:
        """Answer what is in hand or on its way, then close."""
        self._unset_keepalive_if_required()
        if self.is_idle:
            self.loop.call_later(_LAST_CALL, self._close_if_idle)
        else:
            self.cycle.keep_alive = False

    def _close_if_idle(self) -> None:
        if self.is_idle and not self.transport.is_closing():
            self.transport.close()

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            raise _TooMuchError(f"The head of the request is larger than {MAX_HEAD_BYTES} bytes.")

    def _go_on_without_upgrade(self, rest: bytes) -> None:
        """Answer in HTTP/1.1 what asked for another protocol, as a server may; the parser would skip the body."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self.refuse(400, "This is no proxy.")
            return
        lines = [method + b" " + self.url + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in self.headers if name not in _OF_AN_UPGRADE]
        self.parser = httptools.HttpRequestParser(self)
        self._unused = 0
        self.data_received(b"\r\n".join(lines) + b"\r\n\r\n" + rest)


class _TooMuchError(Exception):
    """A client sends more than it may before a request can be made of it."""


def _connections(state: ConnectionState) -> Iterator[Connection]:
    yield from state.connections  # type: ignore[misc]


def _free_files() -> int:
    """Return how many connections fit into what is left of the table of open files."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, allowed - sum(1 for _ in Path("/dev/fd").iterdir()) - _SPARE_FILES)
