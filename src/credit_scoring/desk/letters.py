"""The letter that tells a customer of the decision: PDF by Typst, preview, record."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

import typst
from babel.dates import format_date
from starlette.responses import RedirectResponse, Response

from credit_scoring.decision_log.log import LETTER_SENT, REFUSED, ConflictError, Record
from credit_scoring.decision_log.settings import LogError
from credit_scoring.desk import reading
from credit_scoring.desk.gate import PageError, Visit
from credit_scoring.desk.journal import CLOSING, REASON_CODES, is_decided
from credit_scoring.reasons import AGAINST, join_reasons
from credit_scoring.texts import LANGUAGES, Language, texts_in

MEDIA = ("post", "mail", "hand")
_TEMPLATE = Path(__file__).with_name("letter.typ")
_MOST_REASONS = 4
_SOURCES = {
    "bureau": "bureau",
    "previous_application": "earlier",
    "installments_payments": "payments",
    "credit_card_balance": "cards",
}
_EXTERNAL = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")


def show(visit: Visit) -> Response:
    """Show the letter as it would be printed."""
    language = _language(visit)
    record = _decided(visit)
    client = reading.find_applicant(visit).client
    text = " ".join(_paragraphs(visit, record, language))
    return visit.render(
        "letter",
        client=client,
        version=record.version,
        letter_language=language,
        languages=LANGUAGES,
        media=MEDIA,
        text=text,
    )


def pdf(visit: Visit) -> Response:
    """Return the letter as a PDF."""
    name = f"{'lettre' if _language(visit) == 'fr' else 'letter'}_{reading.find_applicant(visit).client}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(_typeset(visit, "pdf"), media_type="application/pdf", headers=headers)


def png(visit: Visit) -> Response:
    """Return the letter as a picture."""
    return Response(_typeset(visit, "png"), media_type="image/png")


def record(visit: Visit) -> Response:
    """Record that the letter was sent, and which one."""
    language, medium = _language(visit), visit.form.get("medium")
    if medium not in MEDIA:
        raise PageError(422, "no_medium")
    found = reading.find_applicant(visit)
    record = _decided(visit)
    facts = {
        "letter": record.final_decision,
        "medium": medium,
        "language": language,
        "sha256": hashlib.sha256(_typeset(visit, "pdf")).hexdigest(),
    }
    case = visit.desk.case(found.client, visit.texts.language)
    try:
        visit.desk.journal.add(case, LETTER_SENT, visit.who, visit.form.get("version", ""), facts=facts)
    except ConflictError:
        return reading.render_application(visit, 409, refused=visit.texts.say("desk.refused.stale"))
    except LogError:
        return reading.render_application(visit, 409, refused=visit.texts.say("desk.refused.not_recorded"))
    return RedirectResponse(f"/applications/{found.client}?done=sent", 303)


def _decided(visit: Visit) -> Record:
    """Return the record that the letter tells of.

    Raises:
        PageError: If nobody has decided yet.
    """
    record = visit.desk.journal.record(reading.find_applicant(visit).client)
    if record is None or not is_decided(record):
        raise PageError(409, "no_decision")
    return record


def _language(visit: Visit) -> Language:
    asked = visit.form.get("language") or visit.request.query_params.get("language")
    return next((one for one in LANGUAGES if one == asked), visit.texts.language)


def principal_reasons(visit: Visit, record: Record, language: Language) -> list[str]:
    """Return the sentences that say why an application was declined: the officer's reason, then what the model found.

    What the model found is told only where it spoke for declining as well.

    Raises:
        PageError: If there is none: a decline without its reasons is not sent.
    """
    texts = texts_in(language)
    ruled = next(event for event in reversed(record.events) if event.kind in CLOSING)
    code = ruled.facts.get("reason_code")
    told = [texts.say(f"desk.letter.reason.{code}")] if code in REASON_CODES[REFUSED] else []
    found = _find_reasons(visit, record, language) if record.decision == REFUSED else []
    told += found or []
    if not told:
        raise PageError(409, "other_reasons" if found is None else "no_reasons")
    return told[:_MOST_REASONS]


def _find_reasons(visit: Visit, record: Record, language: Language) -> Sequence[str] | None:
    """Return what the model that decided said against the applicant; null if that is not known in this language.

    The desk records it in every language, a request in its own if it asks for reasons; it can be worked out if the desk
    has the same model.
    """
    content = record.content or {}
    if told := content.get("reasons"):
        return cast(Sequence[str], told[language])
    if (told := content.get("answer", {}).get("reasons")) and record.language == language:
        return join_reasons(told, AGAINST)
    if record.model_digest == visit.desk.proposer.manifest:
        return visit.desk.case(reading.find_applicant(visit).client, language).reasons[language]
    return None


def _content(visit: Visit, record: Record, language: Language) -> dict[str, Any]:
    """Return what the letter says, part by part."""
    texts, settings = texts_in(language), visit.desk.settings
    found = reading.find_applicant(visit)
    tables = visit.desk.applicants.read(found.client)
    ruled = next(event for event in reversed(record.events) if event.kind in CLOSING)
    day = datetime.fromisoformat(ruled.time).astimezone().date()  # as pages show it: of this machine's zone
    decision = record.final_decision
    sources = [texts.say("desk.letter.source.form")]
    sources += [texts.say(f"desk.letter.source.{name}") for table, name in _SOURCES.items() if tables.get(table)]
    if any(tables["application"].get(name) is not None for name in _EXTERNAL):
        sources.append(texts.say("desk.letter.source.external"))
    amount = tables["application"].get("AMT_CREDIT") or 0.0
    is_declined = decision == REFUSED
    return {
        "language": language,
        "lender": settings.lender,
        "contact": settings.contact.split("|"),
        "date": texts.say("desk.letter.date", place=settings.place, day=format_date(day, "long", locale=language)),
        "subject": texts.say("desk.letter.subject", client=found.client, amount=amount),
        "greeting": texts.say("desk.letter.greeting"),
        "decision": texts.say(f"desk.letter.decision.{decision}", amount=amount),
        "reasons_title": texts.say("desk.letter.reasons") if is_declined else "",
        "reasons": principal_reasons(visit, record, language) if is_declined else [],
        "then": texts.say(f"desk.letter.then.{decision}"),
        "sources_title": texts.say("desk.letter.sources"),
        "how": texts.say("desk.letter.how_decided"),
        "sources": sources,
        "rights_title": texts.say("desk.letter.rights"),
        "rights": [texts.say(f"desk.letter.right.{name}") for name in ("explanation", "view", "review", "data")],
        "closing": texts.say("desk.letter.closing"),
        "signature": texts.say("desk.letter.signature", lender=settings.lender),
        "record": texts.say("desk.letter.record", id=record.id),
        "synthetic": texts.say("figure.synthetic") if settings.source == "synthetic" else "",
    }


def _paragraphs(visit: Visit, record: Record, language: Language) -> list[str]:
    """Return the letter as text, for who cannot see the picture."""
    told = _content(visit, record, language)
    flat = [part for name in told if name not in ("language",) for part in _as_list(told[name])]
    return [part for part in flat if part]


def _as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _typeset(visit: Visit, kind: Literal["pdf", "png"]) -> bytes:
    content = _content(visit, _decided(visit), _language(visit))
    return _compile(json.dumps(content, ensure_ascii=False, sort_keys=True), kind)


@lru_cache(64)
def _compile(content: str, kind: Literal["pdf", "png"]) -> bytes:
    """Typeset a letter; the same content gives the same bytes. Nothing is written to a file."""
    made = typst.compile(
        _TEMPLATE, format=kind, ppi=110.0, ignore_system_fonts=True, timestamp=0, sys_inputs={"content": content}
    )
    return made[0] if isinstance(made, list) else made
