"""What people do with the decision log: find decisions, read them, add to them, erase what is personal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import CompoundSelect, Connection, Select, delete, func, select
from sqlalchemy.exc import DBAPIError

from credit_scoring.decision_log import chain
from credit_scoring.decision_log.chain import ANSWERED, DECIDED, ERASED, SHADOWED, Draft
from credit_scoring.decision_log.settings import LogError, read_log_settings
from credit_scoring.decision_log.tables import connect, personal, prepare, records, writing

AGREED, OVERRIDDEN, REVIEWED = "agreed", "overridden", "reviewed"
EXAMINATION_REQUESTED, EXAMINATION_CLOSED = "examination_requested", "examination_closed"
LETTER_SENT, OUTCOME = "letter_sent", "outcome"
# What precedes a decision of a person: their view before they knew the model's, the first of two signatures
FIRST_VIEW, SIGNED = "first_view", "signed"
GRANTED, REFUSED, REVIEW = "granted", "refused", "review"
REPAID, DEFAULTED = "repaid", "defaulted"
OFFICER, CUSTOMER, SYSTEM = "officer", "customer", "system"
# Kinds that the server writes by itself; whoever looks at a decision need not know of them to add to it
_MARKS = (ANSWERED, SHADOWED)
_CHUNK, _TRIES = 500, 3


class ConflictError(LogError):
    """Somebody has added to a decision since it was looked at."""


@dataclass(frozen=True)
class _Rule:
    """What a record of a kind has to say, beside who adds it.

    Attributes:
        roles: Who may add it.
        decides: Whether it says `granted` or `refused`.
        needs: What has to be said, in `facts` or `content`.
    """

    roles: Sequence[str]
    decides: bool = False
    needs: Sequence[str] = ()


EVENTS: Mapping[str, _Rule] = {
    AGREED: _Rule((OFFICER,)),
    OVERRIDDEN: _Rule((OFFICER,), decides=True, needs=("reason",)),
    REVIEWED: _Rule((OFFICER,), decides=True, needs=("reason",)),
    EXAMINATION_REQUESTED: _Rule((OFFICER, CUSTOMER), needs=("observations",)),
    EXAMINATION_CLOSED: _Rule((OFFICER,), decides=True, needs=("reason",)),
    FIRST_VIEW: _Rule((OFFICER,), needs=("view",)),
    SIGNED: _Rule((OFFICER,), needs=("decision",)),
    LETTER_SENT: _Rule((OFFICER, SYSTEM), needs=("letter",)),
    OUTCOME: _Rule((OFFICER, SYSTEM), needs=("outcome", "date")),
}
"""Kind of record that may be added to a decision -> what it has to say."""


@dataclass(frozen=True)
class Record:
    """A decision, or what was added to one.

    Attributes:
        values: Columns of `tables.records`; `facts` as an object, `gaps` as a list of codes.
        applicant: Whom it is about; null if that is not known, or was erased.
        content: What is personal: of a decision `input` and `answer` (reasons as worded), of others what people wrote;
            null if there is nothing, or it was erased.
        events: Of a decision, all records that were added to it, oldest first.
    """

    values: Mapping[str, Any]
    applicant: str | None = None
    content: Mapping[str, Any] | None = None
    events: Sequence["Record"] = field(default=())

    def __getattr__(self, name: str) -> Any:
        """Return a column."""
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def version(self) -> str:
        """What has to be expected by whoever adds to the decision: the id of its last record that people know of."""
        return next((event.id for event in reversed(self.events) if event.kind not in _MARKS), self.id)

    @property
    def is_answered(self) -> bool:
        """Whether the answer is known to have gone out; a batch has nobody to answer to."""
        return any(event.kind == ANSWERED for event in self.events)

    @property
    def is_erased(self) -> bool:
        """Whether its personal data were erased."""
        return any(event.kind == ERASED for event in self.events)

    @property
    def examination(self) -> "Record | None":
        """The second examination that waits for its outcome, if there is one."""
        asked = [event for event in self.events if event.kind in (EXAMINATION_REQUESTED, EXAMINATION_CLOSED)]
        return asked[-1] if asked and asked[-1].kind == EXAMINATION_REQUESTED else None

    @property
    def final_decision(self) -> str:
        """What holds: the last decision of a person, else the model's."""
        decided = [event.decision for event in self.events if event.kind in EVENTS and EVENTS[event.kind].decides]
        return str(decided[-1] if decided else self.decision)

    @property
    def is_waiting(self) -> bool:
        """Whether a person has to decide."""
        return self.final_decision == REVIEW or self.examination is not None


@dataclass(frozen=True)
class Filter:
    """Which decisions are asked for; what is null does not matter.

    Attributes:
        applicant: About whom.
        decision: The model's.
        model: Digest of the model's manifest, or its beginning.
        channel: How it was asked for: `decisions`, `desk`, `invocations`, `batch`.
        request: Id of the request.
        since: Earliest time, as `chain.read_time` takes it.
        until: First time after these.
        waiting: Whether a person has to decide.
    """

    applicant: str | None = None
    decision: str | None = None
    model: str | None = None
    channel: str | None = None
    request: str | None = None
    since: str | None = None
    until: str | None = None
    waiting: bool | None = None


@dataclass(frozen=True)
class Page:
    """Some of the decisions that were asked for.

    Attributes:
        records: Decisions with their events; `content` is left out.
        next: What to ask for to get the next ones; null after the last.
    """

    records: Sequence[Record]
    next: str | None = None


class DecisionLog:
    """A decision log.

    Args:
        url: Of the database; as the environment says (`DECISION_LOG_URL`) without.
        timeout: Seconds that the database may take.
        create: Whether to make one that is not there.

    Raises:
        LogError: If it cannot be reached.
    """

    def __init__(self, url: str | None = None, timeout: float | None = None, *, create: bool = False) -> None:
        settings = read_log_settings()
        self.timeout = timeout or settings.timeout
        self.engine = connect(url or settings.address, self.timeout)
        try:
            prepare(self.engine, self.timeout, create=create)
        except (DBAPIError, OSError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise LogError(
                f"The decision log at {self.engine.url!r} cannot be reached: {cause}\n"
                "Hint: DECISION_LOG_URL names another one; is its server running, or its folder yours to write to?"
            ) from error

    def find(self, asked: Filter = Filter(), after: str | None = None, limit: int = 50) -> Page:
        """Return decisions, newest first.

        Args:
            asked: Which.
            after: `next` of the page before.
            limit: Most of them.

        Raises:
            LogError: If a time, the place or the limit is none.
        """
        chosen, place = self._choose(asked), _read_place(after or "", limit)
        if place is not None:
            chosen = chosen.where(records.c.sequence < place)
        with self.engine.connect() as connection:
            found = self._fill(connection, chosen.order_by(records.c.sequence.desc()).limit(limit))
        return Page(found, str(found[-1].sequence) if len(found) == limit else None)

    def queue(self, asked: Filter = Filter(), after: str | None = None, limit: int = 50) -> Page:
        """Return decisions as an officer takes them: first those that wait for a person, oldest first, then the others.

        Args:
            asked: Which; with `waiting` only one of the two parts.
            after: `next` of the page before.
            limit: Most of them.

        Raises:
            LogError: If a time, the place or the limit is none.
        """
        part, _, told = (after or "waiting:").partition(":")
        place = _read_place(told if part in ("waiting", "others") else str(after), limit)
        found: list[Record] = []
        with self.engine.connect() as connection:
            if part == "waiting" and asked.waiting is not False:
                chosen = self._choose(replace(asked, waiting=True))
                if place is not None:
                    chosen = chosen.where(records.c.sequence > place)
                found = self._fill(connection, chosen.order_by(records.c.sequence).limit(limit))
                if len(found) == limit:
                    return Page(found, f"waiting:{found[-1].sequence}")
                place = None
            if asked.waiting:
                return Page(found)
            chosen = self._choose(replace(asked, waiting=False))
            if place is not None:
                chosen = chosen.where(records.c.sequence < place)
            room = limit - len(found)
            others = self._fill(connection, chosen.order_by(records.c.sequence.desc()).limit(room))
        is_full = len(others) == room
        return Page([*found, *others], f"others:{others[-1].sequence}" if is_full else None)

    def count_waiting(self) -> int:
        """Return how many decisions wait for a person."""
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(_waiting().subquery())).scalar_one()

    def read(self, decision_id: str) -> Record:
        """Return a decision with its events and everything that is known of them; ids of events lead to it as well.

        Raises:
            LogError: If there is none.
        """
        with self.engine.connect() as connection:
            return self._read(connection, decision_id)

    def append(
        self,
        decision_id: str,
        kind: str,
        *,
        actor: str,
        role: str = OFFICER,
        expected: str | None = None,
        decision: str | None = None,
        facts: Mapping[str, Any] | None = None,
        content: Mapping[str, Any] | None = None,
    ) -> Record:
        """Add a record to a decision; what was recorded before stays as it is.

        Args:
            decision_id: The decision.
            kind: One of `EVENTS`.
            actor: Who adds it.
            role: In which role: `officer`, `customer`, `system`.
            expected: `Record.version` of the decision as it was looked at; null to add to any version.
            decision: What a person decides.
            facts: What is said that is not personal, such as `letter`, `outcome` and `date`; it can never be erased.
            content: What is said that may be personal, such as `reason` and `observations`.

        Returns:
            The decision, with the new record as its last event.

        Raises:
            ConflictError: If somebody has added to the decision since.
            LogError: If there is no such decision, or the record does not say what it has to.
        """
        with writing(self.engine, self.timeout) as connection:
            found = self._read(connection, decision_id)
            if expected is not None and expected != found.version:
                last = found.events[-1] if found.events else found
                raise ConflictError(
                    f"Decision {found.id} has changed since it was looked at: {last.kind} at {last.time}.\n"
                    "Hint: look at it again, then decide."
                )
            _check(found, kind, actor, role, decision, {**(facts or {}), **(content or {})})
            values = {
                "kind": kind,
                "decision_id": found.id,
                "actor": actor.strip(),
                "role": role,
                "decision": decision,
                "facts": _json(facts),
            }
            draft = Draft(values, found.applicant, dict(content) if content else None)
            chain.append(connection, [draft], [draft.seal()])
            return self._read(connection, found.id)

    def erase(
        self, *, why: str, actor: str, role: str = OFFICER, applicant: str | None = None, before: str | None = None
    ) -> list[str]:
        """Erase what is personal of decisions and of what was added to them; that, when and why stays on record.

        Args:
            why: Why; must not be personal, as it stays.
            actor: Who erases.
            role: In which role.
            applicant: Of whom.
            before: Of decisions before this time, as `chain.read_time` takes it; for retention.

        Returns:
            Ids of the decisions.

        Raises:
            LogError: If neither is given, or no reason, or `before` is no time or in the future; if others who read a
                SQLite log keep what was erased in its log of changes.
        """
        if not why.strip() or not actor.strip() or (applicant is None) == (before is None):
            raise LogError(
                "An erasure was asked for without a reason, or not for whom.\n"
                "Hint: say why, and either the applicant or the date before which."
            )
        chosen = select(personal.c.decision_id).distinct()
        if applicant is not None:
            chosen = chosen.where(personal.c.applicant == applicant)
        else:
            time = chain.read_time(before or "")
            if time > chain.now():
                raise LogError(
                    f"Expected a time in the past, before which to erase, got {time}.\nHint: an earlier day."
                )
            chosen = chosen.join(records, records.c.id == personal.c.decision_id).where(records.c.time < time)
        erased: list[str] = []
        while True:
            with writing(self.engine, self.timeout) as connection:
                ids = list(connection.execute(chosen.order_by(personal.c.decision_id).limit(_CHUNK)).scalars())
                if not ids:
                    break
                facts = _json({"why": why.strip(), "what": "input, answer, reasons, what people wrote, applicant id"})
                values = {"kind": ERASED, "actor": actor.strip(), "role": role, "facts": facts}
                drafts = [Draft({**values, "decision_id": one}) for one in ids]
                chain.append(connection, drafts, [draft.seal() for draft in drafts])
                connection.execute(delete(personal).where(personal.c.decision_id.in_(ids)))
            erased += ids
        if self.engine.dialect.name == "sqlite" and not self._empty_log_of_changes():
            done = f"Personal data of {len(erased):,} decisions were erased, but old" if erased else "Old"
            raise LogError(
                f"{done} pages are left in the log of changes: others are reading.\n"
                "Hint: run the same again when they are done."
            )
        return erased

    def _empty_log_of_changes(self) -> bool:
        """Empty the log of changes of a SQLite file, which has the old pages still; return whether it could be."""
        with self.engine.connect() as connection:
            for _ in range(_TRIES):  # each waits for others as long as the database may take
                (is_busy, *_) = connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if not is_busy:
                    return True
        return False

    def retain(self, days: int, actor: str) -> list[str]:
        """Erase what is personal of decisions older than so many days; return their ids."""
        before = datetime.now(UTC) - timedelta(days=days)
        return self.erase(why=f"retention of {days} days", actor=actor, role=SYSTEM, before=before.isoformat())

    def _choose(self, asked: Filter) -> Select[Any]:
        chosen = select(records).where(records.c.kind == DECIDED)
        if asked.applicant is not None:
            of_applicant = select(personal.c.decision_id).where(personal.c.applicant == asked.applicant).distinct()
            chosen = _among(chosen, of_applicant)
        for column, value in (
            (records.c.decision, asked.decision),
            (records.c.channel, asked.channel),
            (records.c.request_id, asked.request),
        ):
            if value is not None:
                chosen = chosen.where(column == value)
        if asked.model is not None:
            chosen = chosen.where(records.c.model_digest.startswith(asked.model, autoescape=True))
        if asked.since is not None:
            chosen = chosen.where(records.c.time >= chain.read_time(asked.since))
        if asked.until is not None:
            chosen = chosen.where(records.c.time < chain.read_time(asked.until))
        if asked.waiting:
            chosen = _among(chosen, _waiting())
        elif asked.waiting is not None:
            chosen = chosen.where(records.c.id.not_in(_waiting()))
        return chosen

    def _fill(self, connection: Connection, chosen: Select[Any]) -> list[Record]:
        """Return the decisions that were chosen, with applicants and events."""
        rows = connection.execute(chosen).mappings().all()
        ids = [row["id"] for row in rows]
        people = select(personal.c.record_id, personal.c.applicant).where(personal.c.record_id.in_(ids))
        applicants = {row.record_id: row.applicant for row in connection.execute(people)}
        added = select(records).where(records.c.decision_id.in_(ids), records.c.kind != DECIDED)
        events: dict[str, list[Record]] = {}
        for row in connection.execute(added.order_by(records.c.sequence)).mappings():
            events.setdefault(row["decision_id"], []).append(_record(row))
        return [_record(row, applicants.get(row["id"]), None, events.get(row["id"], ())) for row in rows]

    def _read(self, connection: Connection, record_id: str) -> Record:
        of_any = select(records.c.decision_id).where(records.c.id == record_id)
        beside = [personal.c.applicant, personal.c.content]
        asked = select(records, *beside).outerjoin(personal, personal.c.record_id == records.c.id)
        asked = asked.where(records.c.decision_id.in_(of_any)).order_by(records.c.sequence)
        found = [
            _record(row, row["applicant"], chain.read_content(row["content"]) if row["content"] else None)
            for row in connection.execute(asked).mappings()
        ]
        if not found:
            raise LogError(
                f"The decision log has no decision {record_id}.\nHint: `credit-scoring decisions find` lists them."
            )
        return replace(found[0], events=found[1:])


def _among(chosen: Select[Any], ids: Select[Any] | CompoundSelect[Any]) -> Select[Any]:
    """Choose records with some ids, by joining: SQLite would read all decisions to look which are in a list."""
    (found,) = (wanted := ids.subquery()).c
    return chosen.join(wanted, found == records.c.id)


def _waiting() -> CompoundSelect[Any]:
    """Choose the ids of decisions that a person has to decide: reviews without a decision, open examinations."""
    event, later = records.alias("event"), records.alias("later")
    closed = select(1).where(
        event.c.decision_id == records.c.id, event.c.kind.in_([kind for kind, rule in EVENTS.items() if rule.decides])
    )
    reviews = select(records.c.id).where(records.c.kind == DECIDED, records.c.decision == REVIEW, ~closed.exists())
    answered = select(1).where(
        later.c.decision_id == event.c.decision_id,
        later.c.kind == EXAMINATION_CLOSED,
        later.c.sequence > event.c.sequence,
    )
    opened = select(event.c.decision_id).where(event.c.kind == EXAMINATION_REQUESTED, ~answered.exists())
    return reviews.union(opened)


def _check(found: Record, kind: str, actor: str, role: str, decision: str | None, said: Mapping[str, Any]) -> None:
    rule = EVENTS.get(kind)
    problems = []
    if rule is None:
        raise LogError(f"Nothing of the kind {kind} can be added to a decision.\nHint: known are {', '.join(EVENTS)}.")
    if not actor.strip():
        problems.append("expected who does it")
    if role not in rule.roles:
        problems.append(f"expected the role {' or '.join(rule.roles)}, got {role}")
    if rule.decides and decision not in (GRANTED, REFUSED):
        problems.append(f"expected the decision {GRANTED} or {REFUSED}, got {decision or 'none'}")
    if not rule.decides and decision is not None:
        problems.append(f"expected no decision, got {decision}")
    problems += [f"expected {name}" for name in rule.needs if not str(said.get(name) or "").strip()]
    if kind in (AGREED, OVERRIDDEN) and found.final_decision == REVIEW:
        problems.append(f"the decision waits for a person, whose record is {REVIEWED}")
    if kind == REVIEWED and found.decision != REVIEW:
        problems.append(f"the model has decided ({found.decision}); to decide otherwise is {OVERRIDDEN}")
    if kind == OVERRIDDEN and decision == found.final_decision:
        problems.append(f"the decision is {decision} already; to say so is {AGREED}")
    if kind == EXAMINATION_REQUESTED and found.examination:
        problems.append("a second examination waits for its outcome already")
    if kind == EXAMINATION_CLOSED and not found.examination:
        problems.append("no second examination was asked for")
    if kind == OUTCOME and said.get("outcome") not in (REPAID, DEFAULTED):
        problems.append(f"expected the outcome {REPAID} or {DEFAULTED}")
    if problems:
        told = "".join(f"  - {problem}.\n" for problem in problems)
        raise LogError(f"{kind} cannot be added to decision {found.id}:\n{told}Hint: see docs/decision_log.md.")


def _record(row: Mapping[Any, Any], applicant: str | None = None, content: Any = None, events: Any = ()) -> Record:
    values = {str(column.name): row[column.name] for column in records.columns}
    values["facts"] = orjson.loads(row["facts"]) if row["facts"] else {}
    values["gaps"] = (row["gaps"] or "").split()
    return Record(values, applicant, content, events)


def _json(facts: Mapping[str, Any] | None) -> str | None:
    return orjson.dumps(dict(facts), option=orjson.OPT_SORT_KEYS).decode() if facts else None


def _read_place(text: str, limit: int) -> int | None:
    """Read after which record a page of so many begins; null at the beginning."""
    if limit < 1:
        raise LogError(f"Expected at least one decision on a page, got {limit}.\nHint: a limit such as 50.")
    if text and not (text.isascii() and text.isdecimal()):
        raise LogError(f"No page begins after {text!r}.\nHint: take what the page before names as the next.")
    return int(text) if text else None
