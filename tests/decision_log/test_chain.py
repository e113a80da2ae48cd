"""The chain is whole after all that is allowed; `verify` names the first record of any other change."""

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from credit_scoring.decision_log import chain
from credit_scoring.decision_log.chain import START, daily_anchors, digest_record, verify
from credit_scoring.decision_log.commands import main
from credit_scoring.decision_log.log import AGREED, DecisionLog, Filter
from credit_scoring.decision_log.settings import LogError
from credit_scoring.decision_log.tables import metadata, records
from tests.decision_log.conftest import append, decision

WRITER = """
import sys
from concurrent.futures import ThreadPoolExecutor
import credit_scoring.garbage
from credit_scoring.decision_log.writer import RecordWriter
from tests.decision_log.conftest import decision
url, first, clients, each = sys.argv[1], *map(int, sys.argv[2:])
writer = RecordWriter(url, 30)
def client(number):
    for i in range(each):
        one = first + number * each + i
        writer.write([decision(one, id=f"{one:032d}")]).result()
with ThreadPoolExecutor(clients) as pool:
    list(pool.map(client, range(clients)))
writer.close(10)
"""


def tamper(log: DecisionLog, *statements: str) -> None:
    """Change what must not be changed, as somebody with every right could: without the triggers."""
    with log.engine.connect() as connection:
        if log.engine.dialect.name == "sqlite":
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            for name in names:
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))
        connection.commit()


def rows(connection: Connection) -> list[dict[str, object]]:
    return [dict(row) for row in connection.execute(select(records).order_by(records.c.sequence)).mappings()]


def test_a_record_holds_the_digest_of_its_columns_and_of_the_record_before(log: DecisionLog) -> None:
    append(log, decision(1), decision(2))
    with log.engine.connect() as connection:
        first, second = rows(connection)
    told = {name: value for name, value in first.items() if value is not None and name != "digest"}
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    assert first["digest"] == hashlib.sha256(canonical).hexdigest()
    assert (first["sequence"], first["previous"]) == (1, START)
    assert (second["sequence"], second["previous"]) == (2, first["digest"])
    assert verify(log.engine) == chain.Verification(2, str(second["digest"]))


def test_a_column_that_a_later_version_adds_leaves_old_digests_as_they_are() -> None:
    row = dict.fromkeys(records.columns.keys()) | {"sequence": 1, "id": "a"}
    told = {name: value for name, value in row.items() if name != "gaps"} | {"gaps": None}
    assert digest_record(row) == digest_record(told)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE records SET decision = 'granted' WHERE sequence = 3", "Record 3 (decided, id {2}"),
        ("UPDATE records SET time = '2020' WHERE sequence = 4", "Record 4 (decided, id {3}"),
        ("DELETE FROM records WHERE sequence = 2", "Record 2 was removed: 1 is followed by 3"),
        ("DELETE FROM records WHERE sequence IN (1, 2)", "Record 1 to 2 was removed: 0 is followed by 3"),
        ("UPDATE personal SET applicant = '9' WHERE record_id = '{1}'", "Record 2 (decided, id {1}"),
        ("UPDATE personal SET content = (SELECT content FROM personal WHERE record_id = '{0}') WHERE record_id = '{4}'",
         "Record 5 (decided, id {4}"),
        ("DELETE FROM personal WHERE record_id = '{2}'", "no record says that they were erased"),
        ("INSERT INTO personal SELECT 'x', decision_id, applicant, salt, content FROM personal WHERE record_id = '{0}'",
         "Personal data of a record x were inserted"),
        ("INSERT INTO records SELECT 6, 'x', time, kind, 'x', actor, role, channel, request_id, language, "
         "model_digest, model_id, run_id, code_version, probability, cut_off, review_low, review_high, decision, "
         "gaps, milliseconds, "
         "facts, NULL, previous, digest FROM records WHERE sequence = 5", "Record 6 (decided, id x"),
    ],
)  # fmt: skip
def test_what_was_altered_removed_or_inserted_is_named(log: DecisionLog, statement: str, expected: str) -> None:
    ids = append(log, *(decision(number, "refused") for number in range(5)))
    assert not verify(log.engine).problem
    tamper(log, statement.format(*ids))
    assert expected.format(*ids) in verify(log.engine).problem


def test_a_record_that_was_altered_with_its_digest_is_found_by_the_one_behind_it(log: DecisionLog) -> None:
    append(log, *(decision(number) for number in range(3)))
    with log.engine.connect() as connection:
        second = rows(connection)[1] | {"decision": "refused"}
    tamper(log, f"UPDATE records SET decision = 'refused', digest = '{digest_record(second)}' WHERE sequence = 2")
    found = verify(log.engine)
    assert found.n_records == 2
    assert "does not follow from record 2" in found.problem


def test_an_end_cut_off_and_a_chain_made_anew_differ_from_anchors_kept_elsewhere(log: DecisionLog) -> None:
    append(log, *(decision(number, time=f"2026-11-2{number}T10:00:00.000000Z") for number in range(3)))
    anchors = daily_anchors(log.engine)
    assert [(day, sequence) for day, sequence, _ in anchors] == [
        ("2026-11-20", 1),
        ("2026-11-21", 2),
        ("2026-11-22", 3),
    ]
    kept = {sequence: digest for _, sequence, digest in anchors}
    assert not verify(log.engine, kept).problem
    assert "Record 2 " in verify(log.engine, kept | {2: "f" * 64}).problem
    tamper(
        log,
        "DELETE FROM records WHERE sequence = 3",
        "DELETE FROM personal WHERE decision_id NOT IN (SELECT id FROM records)",
    )
    assert not verify(log.engine).problem
    assert verify(log.engine, kept).problem.startswith("Record 3 was removed")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records SET decision = 'granted'",
        "DELETE FROM records",
        "UPDATE personal SET applicant = '1'",
        "DELETE FROM personal",
    ],
)
def test_the_database_itself_refuses_changes(log: DecisionLog, statement: str) -> None:
    append(log, decision(1))
    with log.engine.connect() as connection, pytest.raises(DBAPIError, match=r"never changed|with a record of it"):
        connection.execute(text(statement))
    assert not verify(log.engine).problem


def test_what_is_erased_is_gone_and_the_chain_says_what_when_and_why(log: DecisionLog, tmp_path: Path) -> None:
    secret = "Anna-Lena Beispiel"
    first, second, _ = append(log, decision(7), decision(7), decision(8))
    log.append(first, AGREED, actor="Ann", content={"reason": secret * 50})
    digest = log.read(first).content_digest
    assert log.erase(applicant="7", why="asked by the customer", actor="Bob") == sorted([first, second])
    found = log.read(first)
    assert found.content is found.applicant is found.events[0].content is None
    assert found.content_digest == digest
    erased = found.events[-1]
    assert (erased.kind, erased.actor, erased.facts["why"]) == ("erased", "Bob", "asked by the customer")
    assert found.is_erased
    verified = verify(log.engine)
    assert (verified.problem, verified.n_erased) == ("", 3)
    assert log.read(log.find().records[0].id).content is not None
    if log.engine.dialect.name == "sqlite":
        left = b"".join(path.read_bytes() for path in (tmp_path / "log").iterdir())
        assert bytes.fromhex(digest) not in left
    with pytest.raises(LogError, match="without a reason"):
        log.erase(why=" ", actor="Bob", applicant="8")
    for before in ("today", "01/01/2020", "9999-01-01"):
        with pytest.raises(LogError, match=r"Expected a time[^$]*Hint"):
            log.erase(why="x", actor="Bob", before=before)
    assert log.read(log.find().records[0].id).content is not None


def test_an_erasure_while_the_chain_is_verified_is_no_false_alarm(
    log: DecisionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(log, *(decision(number) for number in range(3)))
    writer, check = DecisionLog(log.engine.url.render_as_string(False), 0.1), chain._problem_of_record
    told, head = [], verify(log.engine).head

    def erase_first(row: dict[str, object], *others: object) -> str:
        if row["sequence"] == 1:
            try:
                writer.erase(applicant="2", why="asked by the customer", actor="Bob")
            except LogError as error:
                told.append(str(error))
        return check(row, *others)

    monkeypatch.setattr(chain, "_PAGE", 1)
    monkeypatch.setattr(chain, "_problem_of_record", erase_first)
    assert verify(log.engine) == chain.Verification(3, head)
    monkeypatch.undo()
    assert verify(log.engine).n_erased == 1
    if log.engine.dialect.name == "sqlite":  # who verified kept what was erased in the log of changes
        assert "1 decisions were erased, but old pages are left" in told[0]
        assert writer.erase(applicant="2", why="asked by the customer", actor="Bob") == []
        monkeypatch.setattr(DecisionLog, "_empty_log_of_changes", lambda _: False)  # others still read
        with pytest.raises(LogError, match=r"^Old pages are left in the log of changes: "):
            writer.erase(applicant="2", why="asked by the customer", actor="Bob")


def test_retention_erases_what_is_old(log: DecisionLog) -> None:
    old, new = append(log, decision(1, time="2020-01-01T00:00:00.000000Z"), decision(2))
    assert log.retain(365, "retention") == [old]
    assert log.read(old).events[-1].facts["why"] == "retention of 365 days"
    assert log.read(new).content is not None
    assert log.retain(365, "retention") == []
    assert not verify(log.engine).problem


def test_a_clock_that_is_set_back_changes_times_and_not_the_chain(
    log: DecisionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(log, decision(1))
    before = time.time_ns()
    monkeypatch.setattr(chain.time, "time_ns", lambda: before - 86_400 * 10**9)
    append(log, decision(2))
    found = log.find().records
    assert [record.sequence for record in found] == [2, 1]
    assert found[0].time < found[1].time
    assert not verify(log.engine).problem


def test_two_processes_with_many_clients_write_one_chain(url: str) -> None:
    clients, each = 16, 12
    begun = [
        subprocess.Popen([sys.executable, "-c", WRITER, url, str(first), str(clients), str(each)])
        for first in (0, clients * each)
    ]
    assert [process.wait(120) for process in begun] == [0, 0]
    log = DecisionLog(url)
    found = verify(log.engine)
    assert (found.problem, found.n_records) == ("", 2 * clients * each)
    with log.engine.connect() as connection:
        assert sorted(connection.execute(select(records.c.id)).scalars()) == [
            f"{i:032d}" for i in range(2 * clients * each)
        ]


def differences(log: DecisionLog) -> list[object]:
    """Compare the tables of a log with those that the code reads."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.migration import MigrationContext  # noqa: PLC0415

    with log.engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def test_the_migrations_make_the_tables_that_the_code_reads(log: DecisionLog) -> None:
    assert differences(log) == []


def test_a_log_of_the_first_version_is_brought_to_this_one_with_its_records(
    log: DecisionLog, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = append(log, decision(7))
    tamper(log, "DROP INDEX records_by_request", "UPDATE alembic_version SET version_num = '0001'")
    assert differences(log)
    log.engine.dispose()
    with pytest.raises(LogError, match=r"tables of version 0001, expected 0002[^$]*decisions upgrade"):
        DecisionLog(url)
    monkeypatch.setenv("DECISION_LOG_URL", url)
    assert main(["upgrade"]) == 0
    upgraded = DecisionLog(url)
    assert differences(upgraded) == []
    assert [record.id for record in upgraded.find(Filter(request="r7")).records] == [one]
    assert not verify(upgraded.engine).problem


def test_tables_of_another_version_are_not_touched(log: DecisionLog, url: str) -> None:
    tamper(log, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LogError, match=r"tables of version 9999, expected 0002[^$]*Hint"):
        DecisionLog(url)
