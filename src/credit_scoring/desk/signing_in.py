"""Pages to sign in and out by, and what became of sign-ins."""

from datetime import UTC, datetime

from starlette.responses import RedirectResponse, Response

from credit_scoring.desk.gate import LANGUAGE, SESSION, PageError, Visit, address_of, safe_path, set_cookie
from credit_scoring.texts import LANGUAGES

_A_YEAR = 31_536_000


def show(visit: Visit) -> Response:
    """Ask for name and password."""
    if visit.session:
        return RedirectResponse("/", 303)
    return visit.render("sign_in", next=safe_path(visit.request.query_params.get("next")), locked_minutes=0)


def sign_in(visit: Visit) -> Response:
    """Begin a session under a token that nobody had before; the answer to a failure does not say what was wrong."""
    request = visit.request
    name, onward = visit.form.get("name", ""), safe_path(visit.form.get("next"))
    former = request.cookies.get(SESSION)
    token = visit.desk.accounts.sign_in(name, visit.form.get("password", ""), address_of(request), former)
    if token is None:
        return visit.render("sign_in", 403, next=onward, locked_minutes=visit.desk.settings.lock_minutes)
    response = RedirectResponse(onward, 303)
    set_cookie(visit.desk, response, SESSION, token)
    return response


def sign_out(visit: Visit) -> Response:
    """End the session."""
    token = visit.request.cookies.get(SESSION, "")
    visit.desk.accounts.sign_out(token, visit.who.name, address_of(visit.request))
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(SESSION)
    return response


def choose_language(visit: Visit) -> Response:
    """Remember a language, and go back."""
    language = visit.request.path_params["language"]
    if language not in LANGUAGES:
        raise PageError(404, "no_page")
    response = RedirectResponse(safe_path(visit.request.query_params.get("next")), 303)
    set_cookie(visit.desk, response, LANGUAGE, language, _A_YEAR)
    return response


def show_sign_ins(visit: Visit) -> Response:
    """List the latest sign-ins."""
    told = [
        (datetime.fromtimestamp(one.time, UTC).isoformat(), one.name, one.what, one.address)
        for one in visit.desk.accounts.sign_ins()
    ]
    return visit.render("sign_ins", sign_ins=told)
