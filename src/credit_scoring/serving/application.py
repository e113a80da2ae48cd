"""The gate: routes, limits, checks, counts and errors, the same in front of either front end."""

import asyncio
import gc
import hmac
import logging
import sys
import time
import uuid
from collections.abc import Mapping

import orjson
from starlette.types import Receive, Scope, Send
from uvicorn.config import STARTUP_FAILURE

from credit_scoring.exported_model.folder import ModelFolder, open_model_folder
from credit_scoring.exported_model.loading import use_code_of
from credit_scoring.serving import metrics
from credit_scoring.serving.front_ends import FRONT_ENDS, Answer, FrontEnd
from credit_scoring.serving.openapi import describe_api
from credit_scoring.serving.requests import JSON, RequestError, RequestReader
from credit_scoring.serving.settings import Settings, read_settings

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
logger = logging.getLogger("uvicorn.error")


def create_application() -> "Application":
    """Load the model and return the application; every worker calls this once."""
    try:
        settings = read_settings()
        folder = open_model_folder(settings.model)
        use_code_of(folder.path)
        application = Application(settings, folder, FRONT_ENDS[settings.front_end](folder))
    except Exception:
        logger.exception("The model cannot be loaded.")
        sys.exit(STARTUP_FAILURE)  # any other end would make the supervisor try again, for ever
    # What has been loaded stays: the collector need not look at it again with every generation
    gc.collect()
    gc.freeze()
    return application


class Application:
    """An ASGI application.

    Args:
        settings: How it runs.
        folder: The model that is served.
        front_end: What scores.
    """

    def __init__(self, settings: Settings, folder: ModelFolder, front_end: FrontEnd) -> None:
        self._front_end = front_end
        self._timeout = settings.timeout
        self._max_body = settings.max_body_mb * 1_000_000
        self._max_concurrent = settings.max_concurrent
        self._in_hand = 0
        self._key = settings.api_key.get_secret_value().encode()
        self._reader = RequestReader(
            folder.contract,
            max_rows=settings.max_rows,
            refuse_unknown_categories=settings.unknown_category == "refuse",
            refuse_gaps=settings.gaps == "refuse",
        )
        self._trace = [(b"x-model-id", folder.identity["model_id"].encode())]
        self._fixed: Mapping[str, bytes] = {
            "/ping": b"{}",
            "/version": orjson.dumps({"front_end": settings.front_end, **folder.identity}),
            "/openapi.json": orjson.dumps(describe_api(folder, settings)),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path, method = scope["path"], scope["method"]
        try:
            if path != "/ping":
                self._check_key(scope)
            if path == "/invocations":
                if method != "POST":
                    raise RequestError(405, "/invocations takes POST.")
                await self._invoke(scope, receive, send)
            elif path in self._fixed or path == "/metrics":
                if method not in ("GET", "HEAD"):
                    raise RequestError(405, f"{path} takes GET.")
                if path == "/metrics":
                    await _respond(send, 200, metrics.exposition(), [], metrics.CONTENT_TYPE)
                else:
                    await _respond(send, 200, self._fixed[path], self._trace)
            else:
                raise RequestError(404, f"There are /invocations, /metrics, {', '.join(self._fixed)}.")
        except RequestError as error:
            await _refuse(send, error)

    async def _invoke(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        refusal: RequestError | None = None
        self._in_hand += 1
        try:
            if self._in_hand > self._max_concurrent:
                raise RequestError(503, "The server has its hands full. Try again in a second.")
            headers = dict(scope["headers"])
            body = await self._read_body(headers, receive)
            started = time.perf_counter()
            answer = await self._score(body, headers)
        except RequestError as error:
            refusal = error
        except Exception:
            reference = uuid.uuid4().hex[:12]
            logger.exception("Request %s could not be scored.", reference)
            refusal = RequestError(500, f"The request could not be scored. The server's log says why: {reference}.")
        finally:
            self._in_hand -= 1
        metrics.count_request(refusal.status if refusal else 200, time.perf_counter() - started)
        if refusal:
            await _refuse(send, refusal)
        else:
            await _respond(send, 200, answer.body, self._trace)

    async def _score(self, body: bytes, headers: Mapping[bytes, bytes]) -> Answer:
        names = (b"content-type", b"content-encoding")
        rows = self._reader.read(body, *(headers.get(name, b"").decode("latin-1") for name in names))
        unknown = self._reader.unknown_categories(rows)
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._front_end.score(rows)
        except TimeoutError:
            raise RequestError(504, f"The request was not answered within {self._timeout} seconds.") from None
        metrics.count_unknown_categories(unknown)
        metrics.count_gaps(answer.gaps)
        if refused := self._reader.gap_error(answer.gaps):
            raise refused
        metrics.count_scores(answer.probability, answer.decisions)
        return answer

    async def _read_body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        announced = headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced) > self._max_body:
            raise self._too_large()
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._timeout):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RequestError(400, "The request was broken off.")
                    part = message.get("body", b"")
                    size += len(part)
                    if size > self._max_body:
                        raise self._too_large()
                    parts.append(part)
                    if not message.get("more_body"):
                        return b"".join(parts)
        except TimeoutError:
            raise RequestError(408, f"The request did not arrive within {self._timeout} seconds.") from None

    def _too_large(self) -> RequestError:
        return RequestError(
            413, f"The body is larger than {self._max_body // 1_000_000} MB. Send fewer rows at a time."
        )

    def _check_key(self, scope: Scope) -> None:
        if self._key and not hmac.compare_digest(dict(scope["headers"]).get(b"x-api-key", b""), self._key):
            raise RequestError(401, "The header X-API-Key is missing or wrong.")


async def _refuse(send: Send, error: RequestError) -> None:
    body = orjson.dumps({"error_code": _CODES[error.status], "message": error.message})
    headers = {"retry-after": "1"} if error.status == 503 else error.headers
    await _respond(send, error.status, body, [(name.encode(), value.encode()) for name, value in headers.items()])


async def _respond(
    send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]], content_type: str = JSON
) -> None:
    own = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": own + headers})
    await send({"type": "http.response.body", "body": body})
