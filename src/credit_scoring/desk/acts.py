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
from credit_scoring.decision_log.tables import LogError
from credit_scoring.desk.gate import PageError, Visit
from credit_scoring.desk.journal import REASON_CODES, Ruling, SecondSignatureError, is_decided, open_signature
from credit_scoring.desk.reading import find_applicant, is_hidden, read_record, render_application

_LEAST_REASON, _MOST_TEXT = 10, 4_000
_VIEWS = (GRANTED, REFUSED, "unsure")


def note_first_view(visit: Visit) -> Response:
    """Record what an officer thinks before they see the proposal."""
    view = visit.form.get("view")
    if view not in _VIEWS:
        return render_application(visit, 422, refused=visit.texts.say("desk.refused.view"))
    return _add(visit, FIRST_VIEW, "noted", {"view": view}, _optional(visit, "remark"))


def request_examination(visit: Visit) -> Response:
    """Record that the customer asks for a second examination, and what they say."""
    observations = _text(visit, "observations")
    if len(observations) < _LEAST_REASON:
        return _refuse(visit, 422, "observations")
    return _add(visit, EXAMINATION_REQUESTED, "requested", {}, {"observations": observations})


def decide(visit: Visit) -> Response:
    """Record a decision: agreement, an override with its reason, the outcome of a review or a second examination."""
    found = find_applicant(visit)
    desk = visit.desk
    case = desk.case(found.client, visit.texts.language)
    record, _ = read_record(visit, found.client)
    decision, code, reason = visit.form.get("decision"), visit.form.get("code", ""), _text(visit, "reason")
    if is_hidden(visit, record):
        raise PageError(409, "first_view_first")
    if decision not in (GRANTED, REFUSED):
        return _refuse(visit, 422, "decision")
    signature = open_signature(record)
    proposed = case.proposal.kind
    if record and (is_decided(record) or record.examination):
        proposed = "review"  # whoever comes back to a decision has to say why
    if signature and signature.facts["decision"] == decision:
        proposed = decision  # who signs second agrees with what was said by who signed first
    if decision != proposed:
        if code not in REASON_CODES[decision]:
            return _refuse(visit, 422, "code")
        if len(reason) < _LEAST_REASON:
            return _refuse(visit, 422, "reason")
    elif signature:
        code, reason = signature.facts.get("reason_code", ""), reason or (signature.content or {}).get("reason", "")
    ruling = Ruling(decision, reason, code if code in REASON_CODES[decision] else "")
    try:
        after = desk.journal.rule(case, ruling, visit.who, visit.form.get("version", ""))
    except SecondSignatureError:
        return _refuse(visit, 409, "second_signature")
    except ConflictError:
        return _tell_conflict(visit)
    except LogError:
        return _refuse(visit, 409, "not_recorded")
    return _go_back(found.client, "signed" if open_signature(after) else "decided")


def _add(visit: Visit, kind: str, done: str, facts: Mapping[str, Any], content: Mapping[str, Any]) -> Response:
    found = find_applicant(visit)
    case = visit.desk.case(found.client, visit.texts.language)
    try:
        visit.desk.journal.add(
            case, kind, visit.who, visit.form.get("version", ""), facts=facts, content=content
        )
    except ConflictError:
        return _tell_conflict(visit)
    except LogError:
        return _refuse(visit, 409, "not_recorded")
    return _go_back(found.client, done)


def _tell_conflict(visit: Visit) -> Response:
    """Say that somebody was faster: another person, or the same one with a second click."""
    record, _ = read_record(visit, find_applicant(visit).client)
    last = _last_of_people(record)
    key = "twice" if last and last.actor == visit.who.name else "stale"
    return _refuse(visit, 409, key)


def _last_of_people(record: Record | None) -> Record | None:
    return next((one for one in reversed(record.events) if one.role != "system"), None) if record else None


def _refuse(visit: Visit, status: int, key: str) -> Response:
    return render_application(visit, status, refused=visit.texts.say(f"desk.refused.{key}"), kept=visit.form)


def _go_back(client: int, done: str) -> Response:
    return RedirectResponse(f"/applications/{client}?done={done}", 303)


def _text(visit: Visit, name: str) -> str:
    return visit.form.get(name, "").strip()[:_MOST_TEXT]


def _optional(visit: Visit, name: str) -> dict[str, str]:
    text = _text(visit, name)
    return {name: text} if text else {}
