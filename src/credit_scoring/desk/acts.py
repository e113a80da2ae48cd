"""What people do about an application: note a view, decide, ask for a second examination."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from credit_scoring.decision_log.log import (
    EXAMINATION_REQUESTED,
    FIRST_VIEW,
    GRANTED,
    REFUSED,
    ConflictError,
    Record,
)
from credit_scoring.decision_log.settings import LogError
from credit_scoring.desk.gate import PageError, Visit
from credit_scoring.desk.journal import (
    NEW,
    REASON_CODES,
    Case,
    Ruling,
    SecondSignatureError,
    is_decided,
    open_signature,
)
from credit_scoring.desk.reading import find_applicant, is_hidden, read_record, render_application

_LEAST_REASON, _MOST_TEXT = 10, 4_000
_VIEWS = (GRANTED, REFUSED, "unsure")


class _IncompleteError(Exception):
    """A form does not say what it has to; which of the sentences under `desk.refused` says so."""


def note_first_view(visit: Visit) -> Response:
    """Record what an officer thinks before they see the proposal."""
    view = visit.form.get("view")
    if view not in _VIEWS:
        return _refuse(visit, 422, "view")
    return _add(visit, FIRST_VIEW, "noted", {"view": view}, _optional(visit, "remark"))


def request_examination(visit: Visit) -> Response:
    """Record that the customer asks for a second examination, and what they say."""
    observations = _text(visit, "observations")
    if len(observations) < _LEAST_REASON:
        return _refuse(visit, 422, "observations")
    return _add(visit, EXAMINATION_REQUESTED, "requested", {}, {"observations": observations})


def decide(visit: Visit) -> Response:
    """Record a decision: agreement, an override with its reason, the outcome of a review or a second examination."""
    client = find_applicant(visit).client
    case = visit.desk.case(client, visit.texts.language)
    record, _ = read_record(visit, client)
    version = visit.form.get("version", "")
    if is_hidden(visit, record):
        raise PageError(409, "first_view_first")
    if version != (record.version if record else NEW):
        return _tell_conflict(visit)
    try:
        after = visit.desk.journal.rule(case, _read_ruling(visit, case, record), visit.who, version)
    except _IncompleteError as error:
        return _refuse(visit, 422, str(error))
    except SecondSignatureError:
        return _refuse(visit, 409, "second_signature")
    except ConflictError:
        return _tell_conflict(visit)
    except LogError:
        return _refuse(visit, 409, "not_recorded")
    return _go_back(client, "signed" if open_signature(after) else "decided")


def _read_ruling(visit: Visit, case: Case, record: Record | None) -> Ruling:
    """Read a decision from a form.

    Raises:
        _IncompleteError: If it has no decision, or has to give reasons and does not.
    """
    decision, code, reason = visit.form.get("decision"), visit.form.get("code", ""), _text(visit, "reason")
    if decision not in (GRANTED, REFUSED):
        raise _IncompleteError("decision")
    code = code if code in REASON_CODES[decision] else ""
    signature = open_signature(record)
    if signature and signature.facts["decision"] == decision:
        # Who signs second agrees with what was said by who signed first
        said = signature.content or {}
        return Ruling(decision, reason or said.get("reason", ""), code or signature.facts.get("reason_code", ""))
    is_return = record is not None and (is_decided(record) or record.examination is not None)
    # The log may hold another decision than is proposed today, as of another model
    is_other = decision != case.proposal.kind or (record is not None and decision != record.final_decision)
    if is_return or is_other:
        if not code:
            raise _IncompleteError("code")
        if len(reason) < _LEAST_REASON:
            raise _IncompleteError("reason")
    return Ruling(decision, reason, code)


def _add(visit: Visit, kind: str, done: str, facts: Mapping[str, Any], content: Mapping[str, Any]) -> Response:
    found = find_applicant(visit)
    case = visit.desk.case(found.client, visit.texts.language)
    try:
        visit.desk.journal.add(case, kind, visit.who, visit.form.get("version", ""), facts=facts, content=content)
    except ConflictError:
        return _tell_conflict(visit)
    except LogError:
        return _refuse(visit, 409, "not_recorded")
    return _go_back(found.client, done)


def _tell_conflict(visit: Visit) -> Response:
    """Say that somebody was faster: another person, or the same one with a second click."""
    record, _ = read_record(visit, find_applicant(visit).client)
    return _refuse(visit, 409, "twice" if record and _latest_actor(record) == visit.who.name else "stale")


def _latest_actor(record: Record) -> str | None:
    """Return who has added to a record last, or else made it."""
    return next((one.actor for one in reversed(record.events) if one.role != "system"), record.actor)


def _refuse(visit: Visit, status: int, key: str) -> Response:
    return render_application(visit, status, refused=visit.texts.say(f"desk.refused.{key}"), kept=visit.form)


def _go_back(client: int, done: str) -> Response:
    return RedirectResponse(f"/applications/{client}?done={done}", 303)


def _text(visit: Visit, name: str) -> str:
    return visit.form.get(name, "").strip()[:_MOST_TEXT]


def _optional(visit: Visit, name: str) -> dict[str, str]:
    text = _text(visit, name)
    return {name: text} if text else {}
