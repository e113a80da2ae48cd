"""The gate before every page: who asks, whether they may, whether a form is one of ours; and the headers of answers."""

import hmac
import logging
import re
import secrets
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from credit_scoring.desk.accounts import Session
from credit_scoring.desk.journal import JournalDownError
from credit_scoring.texts import LANGUAGES, Texts, texts_in

if TYPE_CHECKING:
    from credit_scoring.desk.application import Desk

SESSION, LANGUAGE, FORM = "desk_session", "desk_language", "desk_form"
TOKEN_FIELD = "form_token"
_MOST_BYTES, _MOST_FIELDS = 65_536, 50
logger = logging.getLogger("credit_scoring.desk")

_PATH = re.compile(r"/(?!/)[\w/.-]*(\?[\w=&.%+/-]*)?")
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class PageError(Exception):
    """A page cannot be shown, or a form not be taken.

    Args:
        status: Of the answer.
        key: Which of the sentences under `desk.error` says why.
    """

    def __init__(self, status: int, key: str) -> None:
        super().__init__(key)
        self.status = status
        self.key = key


@dataclass(frozen=True)
class Visit:
    """A request that has passed the gate.

    Attributes:
        desk: What the pages are made of.
        request: The request.
        session: Who asks; null before they sign in.
        texts: The catalogue of their language.
        form_token: What forms of the answer have to send along.
        form: What a form brings, by field.
    """

    desk: "Desk"
    request: Request
    session: Session | None
    texts: Texts
    form_token: str
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def who(self) -> Session:
        """Who has signed in, where the gate has seen to it that somebody has."""
        if self.session is None:
            raise PageError(403, "not_allowed")
        return self.session

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page."""
        return self.desk.pages.render(self, template, status, **values)


Handler = Callable[[Visit], Response]


def page(
    handler: Handler, *, public: bool = False, writes: bool = False, policy: bool = False
) -> Callable[[Request], Any]:
    """Return an endpoint that lets a handler answer whoever may ask, in a thread of its own.

    Args:
        handler: Makes the page.
        public: Whether it is for people who have not signed in, too.
        writes: Whether it is only for roles that may write.
        policy: Whether it is only for roles that see the portfolio.
    """

    async def endpoint(request: Request) -> Response:
        desk: Desk = request.app.state.desk
        body = await _read_form(request) if request.method == "POST" else {}
        return await run_in_threadpool(answer, desk, request, body)

    def answer(desk: "Desk", request: Request, form: Mapping[str, str] | None) -> Response:
        session, fresh = _find_session(desk, request)
        given = request.cookies.get(FORM, "")
        form_token = session.form_token if session else given or secrets.token_urlsafe(24)
        visit = Visit(desk, request, session, _choose_texts(desk, request), form_token, form or {})
        try:
            if form is None:
                raise PageError(413, "too_large")
            if request.method == "POST":
                _check_form(visit, session.form_token if session else given)
            if not public and session is None:
                return _send_to_sign_in(request)
            if (writes and not visit.who.may_write) or (policy and not visit.who.may_see_policy):
                raise PageError(403, "not_allowed")
            response = handler(visit)
        except PageError as error:
            response = visit.render("error", error.status, key=error.key)
        except JournalDownError:
            response = visit.render("error", 503, key="log_down")
        except Exception as error:
            # What an error says may repeat what is personal; where it happened does not
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("A page could not be made: %s\n%s", type(error).__name__, where)
            response = visit.render("error", 500, key="defect")
        if fresh:
            set_cookie(desk, response, SESSION, fresh)
        elif session is None and not given:
            set_cookie(desk, response, FORM, form_token)
        return response

    return endpoint


def set_cookie(desk: "Desk", response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Set a cookie that scripts cannot read and other sites' pages do not send."""
    response.set_cookie(
        name, value, max_age=seconds, httponly=True, samesite="strict", secure=desk.settings.https, path="/"
    )


def safe_path(given: str | None) -> str:
    """Return a path of this desk to go on to; the first page if what is given is none."""
    return given if given and _PATH.fullmatch(given) else "/"


def address_of(request: Request) -> str:
    """Return where a request comes from."""
    return request.client.host if request.client else "unknown"


class SecurityHeaders:
    """Puts the headers on every answer that keep browsers from doing what no page of the desk needs.

    Args:
        app: What answers.
        https: Whether browsers have to come back by HTTPS.
    """

    def __init__(self, app: ASGIApp, https: bool) -> None:
        self._app = app
        self._headers = {**_HEADERS, **({"Strict-Transport-Security": "max-age=31536000"} if https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _find_session(desk: "Desk", request: Request) -> tuple[Session | None, str | None]:
    """Return who asks, and the token of their session if it has only just begun: behind a proxy that says who it is."""
    token = request.cookies.get(SESSION)
    session = desk.accounts.session(token)
    header = desk.settings.proxy_header
    if not header or address_of(request) != desk.settings.proxy_address:
        return session, None
    name = request.headers.get(header, "")
    if session and session.name == name:
        return session, None
    if not desk.accounts.has(name):
        return None, None
    fresh = desk.accounts.begin(name, address_of(request), token)
    return desk.accounts.session(fresh), fresh


def _choose_texts(desk: "Desk", request: Request) -> Texts:
    wanted = request.cookies.get(LANGUAGE)
    return texts_in(wanted if wanted in LANGUAGES else desk.settings.language)


async def _read_form(request: Request) -> dict[str, str] | None:
    """Return the fields of a form; null if it is too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            return None
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"))
    except ValueError:
        return {}


def _check_form(visit: Visit, expected: str) -> None:
    """Refuse a form that is not from a page of this desk.

    Raises:
        PageError: If its token is missing or wrong, or the browser says that it comes from elsewhere.
    """
    origin = visit.request.headers.get("origin")
    is_foreign = origin is not None and urlsplit(origin).netloc != visit.request.headers.get("host")
    given = visit.form.get(TOKEN_FIELD, "")
    if is_foreign or not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise PageError(403, "expired_form" if visit.session is None else "foreign_form")


def _send_to_sign_in(request: Request) -> Response:
    there = request.url.path if request.method == "GET" else "/"
    return RedirectResponse(f"/sign-in?next={quote(there)}", 303)
