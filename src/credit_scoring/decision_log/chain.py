"""Records in a chain: each holds the digest of the one before, so that none can be altered, removed or inserted unseen.

What is personal lies beside the chain. A record holds a digest of it that is salted, so that what was erased cannot be
guessed from the digest; the salt is erased with it.
"""

import hashlib
import os
import re
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, func, insert, select

from credit_scoring.decision_log.settings import LogError
from credit_scoring.decision_log.tables import personal, records

DECIDED, ANSWERED, SHADOWED, ERASED = "decided", "answered", "shadowed", "erased"
START = "0" * 64
"""What the first record holds in place of the digest of the one before."""
_PAGE = 10_000
# Made once: whoever writes one record at a time would spend more on making them than on writing
_HEAD = select(records.c.sequence, records.c.digest).order_by(records.c.sequence.desc()).limit(1)
_ADD_RECORDS, _ADD_PERSONAL = insert(records), insert(personal)
_COLUMNS = [str(column.name) for column in records.columns if column.name != "digest"]


def new_id() -> str:
    """Return an id that nobody has, 32 hexadecimal digits; ids of later records sort behind, as indexes like it."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"


def now() -> str:
    """Return the time in UTC, as records have it."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanoseconds // 1000:06d}Z"


def read_time(text: str) -> str:
    """Return a time that somebody gave, as records have it.

    Args:
        text: ISO 8601, or a day or month, which stand for their beginning; UTC if it names no offset.

    Raises:
        LogError: If it is none.
    """
    try:
        given = datetime.fromisoformat(f"{text}-01" if re.fullmatch(r"\d{4}-\d\d", text) else text)
        told = given.replace(tzinfo=given.tzinfo or UTC).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise LogError(
            f"Expected a time, got {text!r}.\nHint: ISO 8601, such as 2026-11, 2026-11-30 or 2026-11-30T08:00+01:00."
        ) from None
    return f"{told.isoformat(timespec='microseconds')}Z"


def name_model(identity: Mapping[str, str]) -> dict[str, str | None]:
    """Return the columns that name a model, from the identity of its folder."""
    return {
        "model_digest": identity["manifest_sha256"],
        "model_id": identity["model_id"],
        "run_id": identity["run_id"],
        "code_version": identity.get("git_commit"),
    }


def judge(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that say what was decided, from what a model tells of an applicant."""
    band = told.get("review_band") or {}
    codes = sorted({f"{gap['gap']}:{gap['column'] or '-'}" for gap in told["gaps"]})
    return {
        "probability": told["probability_default"],
        "cut_off": told["threshold"],
        "review_low": band.get("low"),
        "review_high": band.get("high"),
        "decision": told["decision"],
        "gaps": " ".join(codes) or None,
    }


@dataclass
class Draft:
    """A record before it has its place in the chain.

    Attributes:
        values: Columns of `records`; `id`, `time`, `sequence` and the digests are added.
        applicant: Whom it is about; null if that is not known.
        content: What is personal, as JSON; null if nothing is.
    """

    values: dict[str, Any]
    applicant: str | None = None
    content: Any = None

    def seal(self) -> dict[str, Any] | None:
        """Digest and compress what is personal; return its row, or null."""
        self.values.setdefault("id", new_id())
        self.values.setdefault("time", now())
        self.values.setdefault("decision_id", self.values["id"])
        self.values.setdefault("role", "system")
        if self.content is None:
            return None
        salt, content = os.urandom(16), orjson.dumps(self.content, option=orjson.OPT_SORT_KEYS)
        self.values["content_digest"] = _digest_content(salt, self.applicant, content)
        return {
            "record_id": self.values["id"],
            "decision_id": self.values["decision_id"],
            "applicant": self.applicant,
            "salt": salt,
            "content": zlib.compress(content, 1),
        }


def append(connection: Connection, drafts: Sequence[Draft], people: Sequence[dict[str, Any] | None]) -> None:
    """Append sealed drafts to the chain, in a transaction of `tables.writing`, which keeps it from forking.

    Args:
        connection: The transaction.
        drafts: What is appended; each gets its sequence and digests.
        people: What `Draft.seal` returned for each.
    """
    sequence, previous = connection.execute(_HEAD).first() or (0, START)
    rows = []
    for draft in drafts:
        sequence += 1
        row = dict.fromkeys(_COLUMNS) | draft.values | {"sequence": sequence, "previous": previous}
        previous = row["digest"] = digest_record(row)
        draft.values = row
        rows.append(row)
    connection.execute(_ADD_RECORDS, rows)
    found = [row for row in people if row]
    if found:
        connection.execute(_ADD_PERSONAL, found)


def digest_record(row: Mapping[str, Any]) -> str:
    """Return the digest of a record: SHA-256 of its columns that are not null, by name.

    Columns that later versions add are null in old records, whose digests so stay what they were.
    """
    told = {name: row[name] for name in _COLUMNS if row[name] is not None}
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _digest_content(salt: bytes, applicant: str | None, content: bytes) -> str:
    return hashlib.sha256(salt + (applicant or "").encode() + b"\0" + content).hexdigest()


def read_content(compressed: bytes) -> Any:
    """Return what is personal of a record."""
    return orjson.loads(zlib.decompress(compressed))


@dataclass(frozen=True)
class Verification:
    """What a walk along the chain found.

    Attributes:
        n_records: Records that are in order, up to the first that is not.
        head: Digest of the last of these.
        n_erased: Records whose personal data were erased, with a record of it.
        problem: What is wrong with the first record that is not in order; empty if all are.
    """

    n_records: int
    head: str
    n_erased: int = 0
    problem: str = ""


def verify(engine: Engine, anchors: Mapping[int, str] | None = None) -> Verification:
    """Walk the chain from its first record, and the personal data beside it, up to the first that is not in order.

    Args:
        engine: The decision log.
        anchors: Sequence -> digest, as `anchors` gave them and somebody kept them elsewhere. A chain that was
            made anew from some record on, or cut off at its end, is in order by itself and differs from these.
    """
    expected, kept, n_erased = START, dict(anchors or {}), 0
    sequence, problem = 0, ""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":  # all pages as of the first, as in SQLite
            connection.execution_options(isolation_level="REPEATABLE READ")
        erased = set(connection.execute(select(records.c.decision_id).where(records.c.kind == ERASED)).scalars())
        for row, content in _walk(connection):
            problem = _problem_of_record(row, sequence, expected) or _problem_of_content(row, content, erased)
            known = kept.pop(row["sequence"], row["digest"])
            if not problem and known != row["digest"]:
                problem = (
                    f"{_name(row)} has another digest than its anchor: the chain was made anew up to here or earlier."
                )
            if problem:
                return Verification(sequence, expected, n_erased, problem)
            n_erased += row["content_digest"] is not None and content is None
            sequence, expected = row["sequence"], row["digest"]
        orphan = connection.execute(
            select(personal.c.record_id).where(personal.c.record_id.not_in(select(records.c.id))).limit(1)
        ).scalar()
    if kept:
        problem = f"Record {min(kept)} was removed: it has an anchor, and the chain ends with record {sequence}."
    elif orphan:
        problem = f"Personal data of a record {orphan} were inserted: no such record is in the chain."
    return Verification(sequence, expected, n_erased, problem)


def daily_anchors(engine: Engine) -> list[tuple[str, int, str]]:
    """Return of each day (UTC) its last record: day, sequence, digest; oldest first. To be kept elsewhere."""
    day = func.substr(records.c.time, 1, 10)
    last = select(func.max(records.c.sequence).label("sequence")).group_by(day).subquery()
    asked = select(day, records.c.sequence, records.c.digest).join(last, records.c.sequence == last.c.sequence)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(asked.order_by(records.c.sequence))]


def _walk(connection: Connection) -> Iterator[tuple[dict[str, Any], Any]]:
    """Return every record with its row of personal data, or null, in the order of the chain."""
    after, beside = 0, [personal.c.record_id, personal.c.applicant, personal.c.salt, personal.c.content.label("body")]
    asked = select(records, *beside).outerjoin(personal, personal.c.record_id == records.c.id)
    while True:
        page = connection.execute(
            asked.where(records.c.sequence > after).order_by(records.c.sequence).limit(_PAGE)
        ).mappings()
        rows = page.all()
        for row in rows:
            yield dict(row), row if row["record_id"] else None
        if len(rows) < _PAGE:
            return
        after = rows[-1]["sequence"]


def _name(row: Mapping[str, Any]) -> str:
    return f"Record {row['sequence']} ({row['kind']}, id {row['id']}, {row['time']})"


def _problem_of_record(row: Mapping[str, Any], sequence: int, expected: str) -> str:
    if row["sequence"] != sequence + 1:
        missing = f"{sequence + 1}" if row["sequence"] == sequence + 2 else f"{sequence + 1} to {row['sequence'] - 1}"
        return f"Record {missing} was removed: {sequence} is followed by {row['sequence']}."
    if digest_record(row) != row["digest"]:
        return f"{_name(row)} was altered: its contents do not have its digest."
    if row["previous"] != expected:
        return (
            f"{_name(row)} does not follow from record {sequence}: it was inserted, or the one before it was "
            "altered or removed, and digests were made anew."
        )
    return ""


def _problem_of_content(row: Mapping[str, Any], content: Mapping[str, Any] | None, erased: set[str]) -> str:
    if content is None:
        if row["content_digest"] is None or row["decision_id"] in erased:
            return ""
        return f"{_name(row)}: its personal data were removed, and no record says that they were erased."
    try:
        whole = zlib.decompress(content["body"])
    except zlib.error:
        return f"{_name(row)}: its personal data were altered: they cannot be read."
    if _digest_content(content["salt"], content["applicant"], whole) != row["content_digest"]:
        return f"{_name(row)}: its personal data were altered."
    return ""
