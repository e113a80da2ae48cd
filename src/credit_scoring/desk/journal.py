"""The decision log as the desk uses it: the record of an application, and what people add to it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import orjson
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from credit_scoring.decision_log import chain
from credit_scoring.decision_log.chain import DECIDED, SHADOWED, Draft
from credit_scoring.decision_log.log import (
    AGREED,
    EXAMINATION_CLOSED,
    EXAMINATION_REQUESTED,
    FIRST_VIEW,
    GRANTED,
    OVERRIDDEN,
    REFUSED,
    REVIEW,
    REVIEWED,
    SIGNED,
    ConflictError,
    DecisionLog,
    Record,
)
from credit_scoring.decision_log.settings import LogError, LogSettingError
from credit_scoring.decision_log.tables import personal, records, writing
from credit_scoring.desk.accounts import Session
from credit_scoring.desk.proposals import Proposal, Proposer
from credit_scoring.texts import Language

CHANNEL = "desk"
CLOSING = (AGREED, OVERRIDDEN, REVIEWED, EXAMINATION_CLOSED)
"""Kinds of record by which a person has decided."""
_STEPS = (*CLOSING, EXAMINATION_REQUESTED, SIGNED)
_BY_PEOPLE = (*_STEPS, FIRST_VIEW)
NEW = "new"
"""Version of an application that has no record yet."""

logger = logging.getLogger("credit_scoring.desk")
_Answer = TypeVar("_Answer")


class SecondSignatureError(Exception):
    """The second signature has to be that of another person, one of the two a supervisor."""


class JournalDownError(Exception):
    """The decision log cannot be reached: nothing can be decided."""


REASON_CODES: Mapping[str, Sequence[str]] = {
    GRANTED: ("stable_income", "savings", "incident_explained", "guarantee", "facts_corrected"),
    REFUSED: ("income_unconfirmed", "facts_inconsistent", "over_indebted", "recent_incident", "purpose_unclear"),
}
"""What an officer decides -> why they may decide otherwise than proposed, as a letter can say it."""


@dataclass(frozen=True)
class Case:
    """An application as it is decided on.

    Attributes:
        client: SK_ID_CURR.
        tables: Raw tables.
        asked: The request of `/decisions` that is answered by the proposal.
        proposal: What the model proposes, in the language of who decides.
        reasons: Language -> what the model says against the applicant.
    """

    client: int
    tables: Mapping[str, Any]
    asked: Mapping[str, Any]
    proposal: Proposal
    reasons: Mapping[Language, Sequence[str]]


class Waiting(NamedTuple):
    """What waits for somebody: for which applicant, the kind of record, since when, who began it."""

    client: int
    kind: str
    time: str
    actor: str


class Ruled(NamedTuple):
    """What a person did about a decision: which, the kind of record, who, what they decided, why, what was proposed."""

    decision_id: str
    kind: str
    actor: str
    decision: str | None
    facts: Mapping[str, Any]
    proposed: str


@dataclass(frozen=True)
class Ruling:
    """A person's decision on an application.

    Attributes:
        decision: `granted` or `refused`.
        reason: Why, in the officer's words; for colleagues.
        code: Why, as one of `REASON_CODES`: for the customer, and to be counted; empty if it is as proposed.
    """

    decision: str
    reason: str = ""
    code: str = ""

    @property
    def facts(self) -> dict[str, str]:
        """What is said that is not personal."""
        return {"reason_code": self.code} if self.code else {}


class Journal:
    """The decision log.

    Args:
        url: Of the database; as the environment says without.
        proposer: What proposes.
        two_person_amount: Loan from which on two persons have to sign; 0 for never.

    Raises:
        LogSettingError: If a variable of the decision log has a value that cannot be meant.
    """

    def __init__(self, proposer: Proposer, two_person_amount: float, url: str | None = None) -> None:
        self._model = chain.name_model(proposer.identity)
        self._two_person_amount = two_person_amount
        self._url = url
        self._log: DecisionLog | None = None
        try:
            self._log = DecisionLog(url, create=True)  # never later: one that is gone must not come back empty
        except LogSettingError:
            raise
        except (LogError, SQLAlchemyError) as error:
            logger.error("The decision log cannot be reached, so that nothing can be decided: %s", error)

    def record(self, client: int) -> Record | None:
        """Return the record of an application with its events and what people wrote; null without one.

        An application that is decided on again, by a batch or a request, has several: see `_find`.

        Raises:
            JournalDownError: If the log cannot be reached.
        """

        def read(log: DecisionLog) -> Record | None:
            with log.engine.connect() as connection:
                found = _find(connection, client)
            return log.read(found) if found else None

        return self._ask(read)

    def states(self, clients: Sequence[int]) -> dict[int, str]:
        """Return the kind of the last event of applications that people have begun to work on.

        Raises:
            JournalDownError: If the log cannot be reached.
        """

        def read(log: DecisionLog) -> dict[int, str]:
            names = [str(client) for client in clients]
            chosen = (
                select(personal.c.applicant, records.c.kind)
                .join(records, records.c.decision_id == personal.c.record_id)
                .where(personal.c.applicant.in_(names), records.c.kind.in_(_STEPS))
                .order_by(records.c.sequence)
            )
            with log.engine.connect() as connection:
                return {int(applicant): kind for applicant, kind in connection.execute(chosen)}

        return self._ask(read)

    def waiting(self, limit: int = 50) -> list[Waiting]:
        """Return what was begun and waits for somebody else, oldest first: second examinations, second signatures.

        Raises:
            JournalDownError: If the log cannot be reached.
        """
        later = records.alias("later")
        answered = select(1).where(
            later.c.decision_id == records.c.decision_id,
            later.c.kind.in_(_STEPS),
            later.c.sequence > records.c.sequence,
        )
        chosen = (
            select(personal.c.applicant, records.c.kind, records.c.time, records.c.actor)
            .join(personal, personal.c.record_id == records.c.decision_id)
            .where(records.c.kind.in_((EXAMINATION_REQUESTED, SIGNED)), ~answered.exists())
            .order_by(records.c.sequence)
            .limit(limit)
        )

        def read(log: DecisionLog) -> list[Waiting]:
            with log.engine.connect() as connection:
                rows = connection.execute(chosen).all()
            # Requests need not say on whom they decide
            return [Waiting(int(row[0]), *row[1:]) for row in rows if (row[0] or "").isdecimal()]

        return self._ask(read)

    def rulings(self, since: str) -> list[Ruled]:
        """Return all that people decided on what somebody has decided on since a time, oldest first.

        Raises:
            JournalDownError: If the log cannot be reached.
        """
        decided = records.alias("decided")
        columns = (records.c.decision_id, records.c.kind, records.c.actor, records.c.decision, records.c.facts)
        ruled = select(records.c.decision_id).where(records.c.kind.in_(CLOSING), records.c.time >= since)
        chosen = (
            select(*columns, decided.c.decision.label("proposed"))
            .join(decided, decided.c.id == records.c.decision_id)
            .where(records.c.kind.in_(CLOSING), records.c.decision_id.in_(ruled))
            .order_by(records.c.sequence)
        )

        def read(log: DecisionLog) -> list[Ruled]:
            with log.engine.connect() as connection:
                rows = connection.execute(chosen).all()
            return [Ruled(*row)._replace(facts=orjson.loads(row.facts or "{}")) for row in rows]

        return self._ask(read)

    def shadowed(self, since: str) -> tuple[int, int]:
        """Return how many decisions a challenger has scored as well since a time, and in how many it decides alike.

        Raises:
            JournalDownError: If the log cannot be reached.
        """
        decided = records.alias("decided")
        alike = func.count().filter(records.c.decision == decided.c.decision)
        joined = select(func.count(), alike).join(decided, decided.c.id == records.c.decision_id)
        chosen = joined.where(records.c.kind == SHADOWED, records.c.time >= since)

        def read(log: DecisionLog) -> tuple[int, int]:
            with log.engine.connect() as connection:
                n, agreeing = connection.execute(chosen).one()
            return n, agreeing

        return self._ask(read)

    def needs_two(self, amount: float | None) -> bool:
        """Whether two persons have to sign for a loan."""
        return bool(self._two_person_amount) and (amount or 0) >= self._two_person_amount

    def rule(self, case: Case, ruling: Ruling, who: Session, version: str) -> Record:
        """Record a person's decision; above the amount, that of the first is a signature that waits for a second.

        Raises:
            ConflictError: If somebody has added to the record since it was looked at.
            SecondSignatureError: If who signs may not sign second.
            LogError: If the record does not say what it has to.
            JournalDownError: If the log cannot be reached.
        """

        def write(log: DecisionLog) -> Record:
            record = self._current(log, case, who, version)
            if self.needs_two(case.tables["application"].get("AMT_CREDIT")):
                first = open_signature(record)
                if first is None or first.facts["decision"] != ruling.decision:
                    facts = {"decision": ruling.decision, **ruling.facts}
                    return self._add(log, record, SIGNED, who, facts, _say(ruling.reason))
                if first.actor == who.name or "supervisor" not in (who.role, first.facts["signed_as"]):
                    raise SecondSignatureError
            return self._close(log, record, ruling, who)

        return self._ask(write)

    def add(
        self,
        case: Case,
        kind: str,
        who: Session,
        version: str,
        *,
        facts: Mapping[str, Any] | None = None,
        content: Mapping[str, Any] | None = None,
    ) -> Record:
        """Add an event to the record of an application, which is made if there is none; raises as `rule`."""

        def write(log: DecisionLog) -> Record:
            record = self._current(log, case, who, version)
            return self._add(log, record, kind, who, facts or {}, content or {})

        return self._ask(write)

    def _close(self, log: DecisionLog, record: Record, ruling: Ruling, who: Session) -> Record:
        """Record what holds, as the kind of record that it is."""
        content, facts, decision = _say(ruling.reason), ruling.facts, ruling.decision
        if record.examination:
            return self._add(log, record, EXAMINATION_CLOSED, who, facts, content, decision)
        if record.final_decision == REVIEW:
            return self._add(log, record, REVIEWED, who, facts, content, decision)
        if decision == record.final_decision:
            return self._add(log, record, AGREED, who, facts, content)
        return self._add(log, record, OVERRIDDEN, who, facts, content, decision)

    def _add(
        self,
        log: DecisionLog,
        record: Record,
        kind: str,
        who: Session,
        facts: Mapping[str, Any],
        content: Mapping[str, Any],
        decision: str | None = None,
    ) -> Record:
        return log.append(
            record.id,
            kind,
            actor=who.name,
            expected=record.version,
            decision=decision,
            facts={**facts, "signed_as": who.role},
            content=content or None,
        )

    def _current(self, log: DecisionLog, case: Case, who: Session, version: str) -> Record:
        """Return the record of an application as it was looked at; make it if there was none.

        Raises:
            ConflictError: If it is another by now.
        """
        with writing(log.engine, log.timeout) as connection:
            found = _find(connection, case.client)
            if found is None and version == NEW:
                draft = self._draft(case, who)
                chain.append(connection, [draft], [draft.seal()])
                found = draft.values["id"]
                version = found
        record = log.read(found) if found else None
        if record is None or record.version != version:
            raise ConflictError("Somebody has worked on this application since it was looked at.")
        return record

    def _draft(self, case: Case, who: Session) -> Draft:
        answer = case.proposal.answer
        values = {
            "kind": DECIDED,
            "actor": who.name,
            "role": "system",
            "channel": CHANNEL,
            "language": case.asked["params"]["language"],
            **self._model,
            **(chain.judge(answer) if answer else {"decision": REVIEW}),
            "milliseconds": case.proposal.milliseconds,
        }
        told = {**answer, "problems": list(case.proposal.problems)}
        return Draft(values, str(case.client), {"input": case.asked, "answer": told, "reasons": case.reasons})

    def _ask(self, question: Callable[[DecisionLog], _Answer]) -> _Answer:
        try:
            if self._log is None:
                self._log = DecisionLog(self._url)
            return question(self._log)
        except ConflictError:
            raise
        except SQLAlchemyError as error:
            self._log = None
            # What SQLAlchemy says repeats what was to be written, which is personal
            logger.error("The decision log cannot be reached: %s", type(error).__name__)
            raise JournalDownError from None
        except LogError as error:
            if self._log is None:
                logger.error("%s", error)
                raise JournalDownError from None
            raise


def _find(connection: Connection, client: int) -> str | None:
    """Return the id of the decision on an applicant that people have worked on last, else of the newest; null without.

    What people have decided is so not hidden by a batch or a request that decides on the applicant later.
    """
    event = records.alias("event")
    last = select(func.coalesce(func.max(event.c.sequence), 0))
    last = last.where(event.c.decision_id == records.c.id, event.c.kind.in_(_BY_PEOPLE))
    of_client = select(records.c.id).join(personal, personal.c.record_id == records.c.id)
    chosen = of_client.where(personal.c.applicant == str(client), records.c.kind == DECIDED)
    newest_first = chosen.order_by(last.scalar_subquery().desc(), records.c.sequence.desc())
    return connection.execute(newest_first.limit(1)).scalar()


def _say(reason: str) -> dict[str, str]:
    return {"reason": reason} if reason else {}


def open_signature(record: Record | None) -> Record | None:
    """Return the first signature that waits for a second one, if there is one."""
    events = [event for event in record.events if event.kind in _STEPS] if record else []
    return events[-1] if events and events[-1].kind == SIGNED else None


def first_view(record: Record | None, name: str) -> Record | None:
    """Return the view that a person noted before they saw the proposal, if they did."""
    return (
        next((one for one in record.events if one.kind == FIRST_VIEW and one.actor == name), None) if record else None
    )


def is_decided(record: Record | None) -> bool:
    """Whether a person has decided, and nothing waits."""
    return bool(record) and any(event.kind in CLOSING for event in record.events) and not record.is_waiting  # type: ignore[union-attr]
