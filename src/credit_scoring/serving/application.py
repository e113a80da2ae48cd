"""The gate: routes, limits, checks and errors, the same in front of either front end, and what is told of them."""

import asyncio
import math
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import orjson
from starlette.types import Receive, Scope, Send

from credit_scoring.exported_model.folder import ModelFolder
from credit_scoring.exported_model.loading import ServedDecider
from credit_scoring.serving import log, metrics
from credit_scoring.serving.arrivals import Arrivals
from credit_scoring.serving.decisions import Decisions
from credit_scoring.serving.front_ends import Answer, FrontEnd
from credit_scoring.serving.keys import Keys, RateLimit
from credit_scoring.serving.log import RequestFacts
from credit_scoring.serving.openapi import describe_api
from credit_scoring.serving.requests import JSON, RequestError, RequestReader
from credit_scoring.serving.settings import Settings
from credit_scoring.serving.shadow import Shadow
from credit_scoring.serving.traces import make_tracer, trace_id

if TYPE_CHECKING:
    from credit_scoring.decision_log.chain import Draft
    from credit_scoring.serving.recording import Recorder

_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    413: "REQUEST_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "REQUEST_LIMIT_EXCEEDED",
    431: "HEADERS_TOO_LARGE",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
# Signs of life neither ask for a key nor leave a line while all is well
_PROBES = ("/ping", "/ready")
_GET_PATHS = (*_PROBES, "/version", "/metrics", "/openapi.json")
_INVOCATIONS, _DECISIONS = "/invocations", "/decisions"
_ALLOWED = dict.fromkeys((_INVOCATIONS, _DECISIONS), "POST") | dict.fromkeys(_GET_PATHS, "GET, HEAD")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
_ID = re.compile(rb"[!-~]{1,128}")
# Above this, a body may take more than a few milliseconds to read and score, in which nobody else would be answered
_INLINE_BYTES = 16_384
# Readers and scorers of large bodies; each computes in one thread, so that more of them only take turns
SCORING_THREADS = 4


class Reply(NamedTuple):
    """What is sent back.

    Attributes:
        status: Its status.
        body: Its body.
        content_type: What the body is.
        headers: Others than those of every answer.
        scored: The request's path, body, content type and the scores, if there are any.
        recorded: Ids of the decisions that were recorded.
    """

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = MappingProxyType({})
    scored: tuple[str, bytes, str, Answer] | None = None
    recorded: Sequence[str] = ()


# An answer, the values of a column that training did not hold, and what is recorded
_Scored: TypeAlias = "tuple[Answer, Mapping[str, int], list[Draft]]"


class Application:
    """An ASGI application.

    Args:
        settings: How it runs.
        folder: The model that is served.
        front_end: What scores.
        decider: What decides from raw tables, if the model brings it along.
        life: Returns what has happened to the server, for `/version`.
        recorder: Records decisions, if that is wished for.

    Attributes:
        draining: Whether the worker is about to stop.
        identity: Front end and origin of the model.
    """

    draining = False

    def __init__(
        self,
        settings: Settings,
        folder: ModelFolder,
        front_end: FrontEnd,
        decider: ServedDecider | None,
        life: Callable[[], Mapping[str, Any]] = dict,
        recorder: "Recorder | None" = None,
    ) -> None:
        self._front_end = front_end
        self._timeout = settings.timeout
        self._arrivals = Arrivals(settings)
        self._max_concurrent = settings.max_concurrent
        self._in_hand = 0
        self._overdue = 0
        self._life = life
        self._recorder = recorder
        self._keys = Keys(settings, metrics.count_key_file)
        self._rate_limit = RateLimit(settings.rate_limit / settings.workers)
        self._tracer = make_tracer()
        self._shadow = Shadow(settings.shadow, settings.max_body_mb * 1_000_000) if settings.shadow else None
        self._reader = RequestReader(
            folder.contract,
            max_rows=settings.max_rows,
            refuse_unknown_categories=settings.unknown_category == "refuse",
            refuse_gaps=settings.gaps == "refuse",
        )
        self._decisions = Decisions(decider, settings, folder.identity["manifest_sha256"])
        self._fixed: Mapping[str, bytes] = {
            "/ping": b"{}",
            "/openapi.json": orjson.dumps(describe_api(folder, settings, decider)),
        }
        self.identity = {"front_end": settings.front_end, **folder.identity}
        self._model_id = folder.identity["model_id"].encode()
        self._model = {name: self.identity[name] for name in ("front_end", "manifest_sha256")}

    @property
    def is_stuck(self) -> bool:
        """Whether every scoring thread is busy with a request that has been given up."""
        return self._overdue >= SCORING_THREADS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, then tell of it: to the counts, the log, the collector of traces, the challenger."""
        headers = dict(scope["headers"])
        span = self._tracer.start(headers) if self._tracer else None
        facts = RequestFacts(
            id=_request_id(headers, span),
            method=scope["method"] if scope["method"] in _METHODS else "other",
            path=scope["path"] if scope["path"] in _ALLOWED else "other",
        )
        log.request_id.set(facts.id)
        if self._shadow:
            self._shadow.start()
        try:
            reply = await self._answer(facts, headers, receive)
            facts.status, facts.bytes_out = reply.status, len(reply.body)
            await send({"type": "http.response.start", "status": reply.status, "headers": self._headers(reply, facts)})
            await send({"type": "http.response.body", "body": reply.body})
            await asyncio.sleep(0)  # it is on its way before it is told of
        finally:
            self._tell(facts)
            if self._tracer:
                self._tracer.end(span, facts, self._model)
        if self._recorder and reply.recorded:
            self._recorder.mark_answered(reply.recorded)
        if self._shadow and reply.scored:
            self._shadow.offer(facts.id, reply.recorded, *reply.scored)

    def refuse_unread(self, error: RequestError) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Tell of what could not be made a request of; return the headers and the body of what to say to it."""
        facts = RequestFacts(id=_new_id(), method="other", path="other")
        reply = _refusal(error)
        facts.status, facts.bytes_out = reply.status, len(reply.body)
        self._tell(facts)
        return self._headers(reply, facts), reply.body

    def finish(self) -> None:
        """Send what waits for the collector of traces, and write what waits for the decision log."""
        if self._recorder:
            self._recorder.close()
        if self._tracer:
            self._tracer.finish()

    async def _answer(self, facts: RequestFacts, headers: Mapping[bytes, bytes], receive: Receive) -> Reply:
        """Return the answer to a request, or what to say instead of one."""
        try:
            if facts.path not in _PROBES:
                self._check_key(facts, headers)
            if facts.path not in _ALLOWED:
                raise RequestError(404, f"There are {', '.join(_ALLOWED)}.")
            allowed = _ALLOWED[facts.path]
            if facts.method not in allowed.split(", "):
                raise RequestError(405, f"{facts.path} takes {allowed.partition(',')[0]}.", {"allow": allowed})
            if allowed == "POST":
                return await self._score_request(facts, headers, receive)
            return self._describe(facts.path)
        except RequestError as error:
            return _refusal(error)
        except Exception as error:
            log.log_defect(error)
            message = f"The request could not be answered. The server's log says why: {facts.id}."
            return _refusal(RequestError(500, message))

    def _describe(self, path: str) -> Reply:
        if path == "/metrics":
            return Reply(200, metrics.exposition(self._life().get("reloads", {})), metrics.CONTENT_TYPE)
        if path == "/ready":
            state = "draining" if self.draining else "saturated" if self._is_saturated else "ready"
            return Reply(200 if state == "ready" else 503, orjson.dumps({"status": state}))
        if path == "/version":
            return Reply(200, orjson.dumps({**self.identity, **self._life()}))
        return Reply(200, self._fixed[path])

    @property
    def _is_saturated(self) -> bool:
        return self._in_hand >= self._max_concurrent

    async def _score_request(self, facts: RequestFacts, headers: Mapping[bytes, bytes], receive: Receive) -> Reply:
        arriving = started = time.perf_counter()
        try:
            self._check_rate(facts)
            body = await self._arrivals.read(headers, receive)
            started = time.perf_counter()
            facts.arrival_ms, facts.bytes_in = _milliseconds(arriving, started), len(body)
            if self._is_saturated:
                raise RequestError(503, "The server has its hands full. Try again in a second.")
            kinds = tuple(headers.get(name, b"").decode("latin-1") for name in (b"content-type", b"content-encoding"))
            answer, unknown, drafts = await self._score(facts, body, *kinds)
            facts.scoring_ms = _milliseconds(started, time.perf_counter())
        finally:
            metrics.time_request(time.perf_counter() - started)
        facts.rows, facts.decisions = len(answer.probability), dict(Counter(answer.decisions.tolist()))
        self._rate_limit.take(facts.key, facts.rows - 1)
        metrics.count_unknown_categories(unknown)
        metrics.count_gaps(answer.gaps)
        asked = self._reader if facts.path == _INVOCATIONS else self._decisions
        if refused := asked.gap_error(answer.gaps):
            raise refused
        if self._recorder:
            self._take_in_hand(1)
            try:
                await self._recorder.write(drafts, facts.scoring_ms)
            finally:
                self._take_in_hand(-1)
        metrics.count_scores(answer.probability, facts.decisions)
        recorded = [draft.values["id"] for draft in drafts]
        return Reply(200, answer.body, scored=(facts.path, body, kinds[0], answer), recorded=recorded)

    async def _score(self, facts: RequestFacts, body: bytes, *kinds: str) -> _Scored:
        """Read and score, in a thread of its own if that may take long; a request is in hand until the thread ends."""
        self._take_in_hand(1)
        if facts.path == _INVOCATIONS and self._front_end.is_quick and len(body) <= _INLINE_BYTES:
            try:
                return self._read_and_score(facts, body, *kinds)
            finally:
                self._take_in_hand(-1)
        run = copy_context().run  # what a library says in the thread has the request's id, too
        work = asyncio.get_running_loop().run_in_executor(None, run, self._read_and_score, facts, body, *kinds)
        work.add_done_callback(lambda _: self._take_in_hand(-1))
        await asyncio.wait({work}, timeout=self._timeout)
        if not work.done():
            self._overdue += 1
            work.add_done_callback(self._forget_overdue)
            raise RequestError(504, f"The request was not answered within {self._timeout} seconds.")
        try:
            return work.result()
        finally:
            del work  # with an error it would keep itself, and all that was sent, until the next collection

    def _read_and_score(self, facts: RequestFacts, body: bytes, *kinds: str) -> _Scored:
        if facts.path == _DECISIONS:
            answer, unknown = self._decisions.answer(body, *kinds, request_id=facts.id), {}
        else:
            rows = self._reader.read(body, *kinds)
            unknown = self._reader.unknown_categories(rows)
            answer = self._front_end.answer(rows)
        if not self._recorder:
            return answer, unknown, []
        inputs = answer.asked if facts.path == _DECISIONS else self._reader.describe(answer.asked)
        answer, drafts = self._recorder.draft(facts, answer, inputs)
        return answer, unknown, drafts

    def _take_in_hand(self, change: int) -> None:
        self._in_hand += change
        metrics.count_in_flight(change)

    def _forget_overdue(self, work: "asyncio.Future[Any]") -> None:
        self._overdue -= 1
        work.exception()  # nobody waits for it any more

    def _check_key(self, facts: RequestFacts, headers: Mapping[bytes, bytes]) -> None:
        if self._keys:
            name = self._keys.name(headers.get(b"x-api-key", b""))
            if name is None:
                raise RequestError(401, "The header X-API-Key is missing or wrong.")
            facts.key = name

    def _check_rate(self, facts: RequestFacts) -> None:
        seconds = self._rate_limit.wait(facts.key)
        if seconds:
            wait = str(math.ceil(seconds))
            raise RequestError(429, f"Too many applicants. Try again in {wait} s.", {"retry-after": wait})

    def _headers(self, reply: Reply, facts: RequestFacts) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-type", reply.content_type.encode()),
            (b"content-length", str(len(reply.body)).encode()),
            (b"x-model-id", self._model_id),
            (b"x-request-id", facts.id.encode()),
            *((name.encode(), value.encode()) for name, value in reply.headers.items()),
        ]

    def _tell(self, facts: RequestFacts) -> None:
        metrics.count_request(facts.path, facts.status, facts.key)
        if facts.path not in _PROBES or facts.status != 200:
            log.log_request(facts, self._model)


def _refusal(error: RequestError) -> Reply:
    body = orjson.dumps({"error_code": _CODES[error.status], "message": error.message, **error.told})
    retry = {"retry-after": "1"} if error.status == 503 else {}
    return Reply(error.status, body, headers={**retry, **error.headers})


def _request_id(headers: Mapping[bytes, bytes], span: Any) -> str:
    """Return the id that the client gave if it is a decent one, or else one that nobody has."""
    given = headers.get(b"x-request-id", b"")
    if _ID.fullmatch(given):
        return given.decode()
    return trace_id(span) if span else _new_id()


def _new_id() -> str:
    # It need be unique, not secret: the system's own randomness takes ten times as long
    return f"{random.getrandbits(128):032x}"


def _milliseconds(since: float, until: float) -> float:
    return round((until - since) * 1000, 3)
