"""The gate: routes, limits, checks, counts and errors, the same in front of either front end."""

import asyncio
import hmac
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from credit_scoring.exported_model.folder import ModelFolder
from credit_scoring.serving import metrics
from credit_scoring.serving.arrivals import Arrivals
from credit_scoring.serving.front_ends import Answer, FrontEnd
from credit_scoring.serving.openapi import describe_api
from credit_scoring.serving.requests import JSON, RequestError, RequestReader
from credit_scoring.serving.settings import Settings

_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    413: "REQUEST_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_OPEN_PATHS = ("/ping", "/ready")
_GET_PATHS = (*_OPEN_PATHS, "/version", "/metrics", "/openapi.json")
# Above this, a body may take more than a few milliseconds to read and score, in which nobody else would be answered
_INLINE_BYTES = 16_384
# Readers and scorers of large bodies; each computes in one thread, so that more of them only take turns
SCORING_THREADS = 4

logger = logging.getLogger("credit_scoring.serving")


class Application:
    """An ASGI application.

    Args:
        settings: How it runs.
        folder: The model that is served.
        front_end: What scores.
        life: Returns what has happened to the server, for `/version`.

    Attributes:
        draining: Whether the worker is about to stop.
    """

    draining = False

    def __init__(
        self, settings: Settings, folder: ModelFolder, front_end: FrontEnd, life: Callable[[], Mapping[str, Any]] = dict
    ) -> None:
        self._front_end = front_end
        self._timeout = settings.timeout
        self._arrivals = Arrivals(settings)
        self._max_concurrent = settings.max_concurrent
        self._in_hand = 0
        self._overdue = 0
        self._life = life
        self._key = settings.api_key.get_secret_value().encode()
        self._reader = RequestReader(
            folder.contract,
            max_rows=settings.max_rows,
            refuse_unknown_categories=settings.unknown_category == "refuse",
        )
        self._trace = [(b"x-model-id", folder.identity["model_id"].encode())]
        self._fixed: Mapping[str, bytes] = {
            "/ping": b"{}",
            "/openapi.json": orjson.dumps(describe_api(folder, settings)),
        }
        self.identity = {"front_end": settings.front_end, **folder.identity}

    @property
    def is_stuck(self) -> bool:
        """Whether every scoring thread is busy with a request that has been given up."""
        return self._overdue >= SCORING_THREADS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path, method = scope["path"], scope["method"]
        try:
            if path not in _OPEN_PATHS:
                self._check_key(scope)
            if path == "/invocations":
                if method != "POST":
                    raise RequestError(405, "/invocations takes POST.")
                await self._invoke(scope, receive, send)
            elif path in _GET_PATHS:
                if method not in ("GET", "HEAD"):
                    raise RequestError(405, f"{path} takes GET.")
                await self._tell(path, send)
            else:
                raise RequestError(404, f"There are /invocations, {', '.join(_GET_PATHS)}.")
        except RequestError as error:
            await _refuse(send, error)

    async def _tell(self, path: str, send: Send) -> None:
        if path == "/metrics":
            await _respond(send, 200, metrics.exposition(self._life().get("reloads", {})), [], metrics.CONTENT_TYPE)
        elif path == "/ready":
            state = "draining" if self.draining else "saturated" if self._is_saturated else "ready"
            await _respond(send, 200 if state == "ready" else 503, orjson.dumps({"status": state}), self._trace)
        elif path == "/version":
            await _respond(send, 200, orjson.dumps({**self.identity, **self._life()}), self._trace)
        else:
            await _respond(send, 200, self._fixed[path], self._trace)

    @property
    def _is_saturated(self) -> bool:
        return self._in_hand >= self._max_concurrent

    async def _invoke(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        refusal: RequestError | None = None
        try:
            headers = dict(scope["headers"])
            body = await self._arrivals.read(headers, receive)
            started = time.perf_counter()
            if self._is_saturated:
                raise RequestError(503, "The server has its hands full. Try again in a second.")
            answer = await self._score(body, headers.get(b"content-type", b"").decode("latin-1"))
        except RequestError as error:
            refusal = error
        except Exception:
            reference = uuid.uuid4().hex[:12]
            logger.exception("Request %s could not be scored.", reference)
            refusal = RequestError(500, f"The request could not be scored. The server's log says why: {reference}.")
        metrics.count_request(refusal.status if refusal else 200, time.perf_counter() - started)
        if refusal:
            await _refuse(send, refusal)
        else:
            await _respond(send, 200, answer.body, self._trace)

    async def _score(self, body: bytes, content_type: str) -> Answer:
        """Read and score, in a thread of its own if that may take long; a request is in hand until the thread ends."""
        self._in_hand += 1
        if self._front_end.is_quick and len(body) <= _INLINE_BYTES:
            try:
                answer, unknown = self._read_and_score(body, content_type)
            finally:
                self._in_hand -= 1
        else:
            work = asyncio.get_running_loop().run_in_executor(None, self._read_and_score, body, content_type)
            work.add_done_callback(self._put_down)
            done, _ = await asyncio.wait({work}, timeout=self._timeout)
            if not done:
                self._overdue += 1
                work.add_done_callback(self._forget_overdue)
                raise RequestError(504, f"The request was not answered within {self._timeout} seconds.")
            answer, unknown = work.result()
        metrics.count_unknown_categories(unknown)
        metrics.count_scores(answer.probability, answer.decisions)
        return answer

    def _read_and_score(self, body: bytes, content_type: str) -> tuple[Answer, Mapping[str, int]]:
        rows = self._reader.read(body, content_type)
        unknown = self._reader.unknown_categories(rows)
        return self._front_end.answer(rows), unknown

    def _put_down(self, _: object) -> None:
        self._in_hand -= 1

    def _forget_overdue(self, work: "asyncio.Future[Any]") -> None:
        self._overdue -= 1
        work.exception()  # nobody waits for it any more

    def _check_key(self, scope: Scope) -> None:
        if self._key and not hmac.compare_digest(dict(scope["headers"]).get(b"x-api-key", b""), self._key):
            raise RequestError(401, "The header X-API-Key is missing or wrong.")


async def _refuse(send: Send, error: RequestError) -> None:
    body = orjson.dumps({"error_code": _CODES[error.status], "message": error.message})
    await _respond(send, error.status, body, [(b"retry-after", b"1")] if error.status == 503 else [])


async def _respond(
    send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]], content_type: str = JSON
) -> None:
    own = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": own + headers})
    await send({"type": "http.response.body", "body": body})
