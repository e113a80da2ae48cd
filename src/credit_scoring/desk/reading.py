"""Pages to read: the queue, one application, what a change would do."""

import math
import time
from typing import Any, NamedTuple

from starlette.responses import RedirectResponse, Response

from credit_scoring.decision_log.log import Record
from credit_scoring.desk.applicants import PAGE, PROPOSALS, Listed, Wanted
from credit_scoring.desk.facts import gather_facts, name_missing
from credit_scoring.desk.gate import PageError, Visit
from credit_scoring.desk.journal import (
    CLOSING,
    NEW,
    REASON_CODES,
    JournalDownError,
    first_view,
    is_decided,
    open_signature,
)
from credit_scoring.desk.peers import compare_with_approved
from credit_scoring.desk.proposals import Proposal
from credit_scoring.desk.timeline import WIDTH, draw_timeline
from credit_scoring.desk.what_if import WhatIf, overdue_elsewhere

_MOST_DIGITS = 9
# How much of the scale of a gauge lies beyond the cut-off
_GAUGE = 4.0
_PAGES_TO_SEARCH = 40


class Gauge(NamedTuple):
    """Shares of the width of a gauge: the probability, the cut-off, the review band (null without one); and its end."""

    probability: float
    cut_off: float
    band: tuple[float, float] | None
    end: float


def show_queue(visit: Visit) -> Response:
    """List applications: those that wait for a person first."""
    query = visit.request.query_params
    prefix = query.get("client", "").strip()
    is_number = prefix.isascii() and prefix.isdigit() and len(prefix) <= _MOST_DIGITS and not prefix.startswith("0")
    desk = visit.desk
    if is_number and (found := desk.applicants.get(int(prefix))):
        return RedirectResponse(f"/applications/{found.client}", 303)
    hides = asks_first(visit)
    wanted = _read_wanted(visit, prefix if is_number else "", None if hides else query.get("proposal"))
    number = query.get("page", "1")
    at = max(1, int(number)) if number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS else 1
    none = bool(prefix) and not is_number
    total = 0 if none else desk.applicants.count(wanted)
    rows = [] if none else desk.applicants.find(wanted, (at - 1) * PAGE)
    states, waiting, is_down = _ask_journal(visit, rows)
    return visit.render(
        "queue",
        rows=rows,
        states=states,
        waiting=waiting,
        is_down=is_down,
        total=total,
        at=at,
        pages=max(1, -(-total // PAGE)),
        prefix=prefix,
        wanted=wanted,
        chosen={
            "proposal": wanted.proposal or "",
            "product": query.get("product", ""),
            "of": query.get("of", "new"),
        },
        products=desk.applicants.products,
        proposals=() if hides else PROPOSALS,
        closing=CLOSING,
    )


def _read_wanted(visit: Visit, prefix: str, proposal: str | None) -> Wanted:
    query = visit.request.query_params
    product, of = query.get("product"), query.get("of", "new")
    return Wanted(
        prefix,
        proposal if proposal in PROPOSALS else None,
        product if product in visit.desk.applicants.products else None,
        None if prefix or of == "all" else of != "past",
    )


def _ask_journal(visit: Visit, rows: list[Listed]) -> tuple[dict[int, str], list[Any], bool]:
    journal = visit.desk.journal
    try:
        return journal.states([row.client for row in rows]), journal.waiting(), False
    except JournalDownError:
        return {}, [], True


def go_to_next(visit: Visit) -> Response:
    """Go to the first application that nobody has decided on."""
    desk = visit.desk
    for at in range(_PAGES_TO_SEARCH):
        rows = desk.applicants.find(Wanted(is_new=True), at * PAGE)
        states = desk.journal.states([row.client for row in rows])
        if found := next((row for row in rows if row.client not in states), None):
            return RedirectResponse(f"/applications/{found.client}", 303)
    return RedirectResponse("/", 303)


def find_applicant(visit: Visit) -> Listed:
    """Return the applicant that a path names.

    Raises:
        PageError: If there is none.
    """
    found = visit.desk.applicants.get(visit.request.path_params["client"])
    if found is None:
        raise PageError(404, "no_application")
    return found


def show_application(visit: Visit) -> Response:
    """Show one application."""
    done = visit.request.query_params.get("done")
    return render_application(visit, done=done if done in ("decided", "signed", "noted", "requested", "sent") else None)


def render_application(
    visit: Visit,
    status: int = 200,
    *,
    done: str | None = None,
    refused: str | None = None,
    simulated: Any = None,
    change: Any = None,
    kept: Any = None,
) -> Response:
    """Return the page of one application.

    Args:
        visit: Who asks, for which applicant.
        status: Of the answer.
        done: What has just been recorded.
        refused: Why nothing was recorded, in a sentence.
        simulated: What a simulation said.
        change: What the search for a change said.
        kept: What a form brought that was not recorded.
    """
    desk, texts = visit.desk, visit.texts
    found = find_applicant(visit)
    tables = desk.applicants.read(found.client)
    proposal = desk.propose(found.client, texts.language)
    record, is_down = read_record(visit, found.client)
    hidden = is_hidden(visit, record)
    form = tables["application"]
    return visit.render(
        "application",
        status,
        found=found,
        form=form,
        proposal=proposal,
        hidden=hidden,
        gauge=None if hidden or not proposal.answer else make_gauge(proposal),
        facts=gather_facts(tables, texts),
        missing=name_missing(tables, texts),
        timeline=draw_timeline(tables, texts),
        timeline_width=WIDTH,
        peers=compare_with_approved(form, desk.applicants.approved, texts),
        record=record,
        version=record.version if record else NEW,
        is_down=is_down,
        is_decided=is_decided(record),
        signature=open_signature(record),
        own_view=first_view(record, visit.who.name),
        needs_two=desk.journal.needs_two(form.get("AMT_CREDIT")),
        identity=desk.proposer.identity,
        made=desk.proposer.made,
        overdue=overdue_elsewhere(tables),
        reason_codes=REASON_CODES,
        done=done,
        refused=refused,
        simulated=simulated,
        change=change,
        again="reason" in (kept or {}),
        kept={**dict.fromkeys(("decision", "code", "reason", "observations", "view", "remark"), ""), **(kept or {})},
    )


def read_record(visit: Visit, client: int) -> tuple[Record | None, bool]:
    """Return the record of an application, and whether the decision log cannot be reached."""
    try:
        return visit.desk.journal.record(client), False
    except JournalDownError:
        return None, True


def is_hidden(visit: Visit, record: Record | None) -> bool:
    """Whether the proposal is not shown yet."""
    if not asks_first(visit):
        return False
    has_acted = record is not None and any(one.actor == visit.who.name for one in record.events)
    return not has_acted and not is_decided(record)


def asks_first(visit: Visit) -> bool:
    """Whether somebody notes a view of their own before they see a proposal."""
    return visit.desk.settings.first_view and visit.who.may_write


def make_gauge(proposal: Proposal) -> Gauge:
    """Lay out the gauge of a proposal."""
    answer = proposal.answer
    end = max(_GAUGE * answer["threshold"], 1.1 * answer["probability_default"])
    band = answer["review_band"]
    return Gauge(
        answer["probability_default"] / end,
        answer["threshold"] / end,
        (band["low"] / end, band["high"] / end) if band else None,
        end,
    )


def simulate(visit: Visit) -> Response:
    """Say what a change would do: the page, or only what a script puts into it."""
    _refuse_hidden(visit)
    found = find_applicant(visit)
    tables = visit.desk.applicants.read(found.client)
    started = time.perf_counter()
    simulated: dict[str, Any] = {"form": dict(visit.form), "error": None, "answer": None}
    try:
        changes = WhatIf.read(visit.form, visit.texts).changes(tables, visit.texts)
        simulated["answer"] = visit.desk.proposer.simulate(tables, changes, visit.texts.language)
        simulated["changes"] = {"AMT_ANNUITY": math.nan, **changes["application"]}
    except ValueError as error:
        simulated["error"] = str(error)
    simulated["milliseconds"] = 1000 * (time.perf_counter() - started)
    if visit.request.headers.get("x-fragment"):
        return visit.render("simulation", simulated=simulated)
    return render_application(visit, simulated=simulated)


def find_change(visit: Visit) -> Response:
    """Say which change would lead to approval: the page, or only what a script puts into it."""
    _refuse_hidden(visit)
    found = find_applicant(visit)
    proposal = visit.desk.propose(found.client, visit.texts.language)
    change = (
        visit.desk.proposer.find_change(visit.desk.applicants.read(found.client), visit.texts.language)
        if proposal.answer
        else {"text": visit.texts.say("desk.what_if.not_scored"), "found": False}
    )
    if visit.request.headers.get("x-fragment"):
        return visit.render("change", change=change)
    return render_application(visit, change=change)


def _refuse_hidden(visit: Visit) -> None:
    record, _ = read_record(visit, find_applicant(visit).client)
    if is_hidden(visit, record):
        raise PageError(409, "first_view_first")


def show_glossary(visit: Visit) -> Response:
    """Explain the words of the pages."""
    return visit.render("glossary")


def show_nothing(_: Visit) -> Response:
    """Say that there is no such page."""
    raise PageError(404, "no_page")
