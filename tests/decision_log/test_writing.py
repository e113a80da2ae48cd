"""The writer under faults: what it says was written was, what it says was not was not, and it recovers."""

import resource
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import CancelledError, wait
from pathlib import Path

import pytest

from credit_scoring.decision_log.chain import ANSWERED, Draft, verify
from credit_scoring.decision_log.log import DecisionLog
from credit_scoring.decision_log.settings import LogError
from credit_scoring.decision_log.writer import RecordWriter
from tests.decision_log.conftest import decision
from tests.decision_log.postgres import Postgres
from tests.serving.conftest import wait_until

TIMEOUT = 0.5


@pytest.fixture
def counted() -> Counter[str]:
    return Counter()


@pytest.fixture
def writer(url: str, counted: Counter[str]) -> Iterator[RecordWriter]:
    writer = RecordWriter(url, TIMEOUT, lambda outcome, number: counted.update({outcome: number}))
    writer.write([decision(0)]).result(30)
    yield writer
    writer.close(5)


def test_many_wait_for_one_transaction_and_all_is_written(writer: RecordWriter, url: str) -> None:
    futures = [writer.write([decision(number)]) for number in range(500)]
    writer.note([Draft({"kind": ANSWERED, "decision_id": "x"})])
    wait(futures, 60)
    writer.close(10)
    assert all(future.result() is None for future in futures)
    found = verify(DecisionLog(url).engine)
    assert (found.problem, found.n_records) == ("", 502)


def test_what_is_taken_back_in_time_is_not_written(writer: RecordWriter, url: str) -> None:
    with writer._change:  # its thread cannot take anything meanwhile
        future = writer.write([decision(1)])
        assert future.cancel()
    with pytest.raises(CancelledError):
        future.result()
    writer.write([decision(2)]).result(10)
    assert [record.applicant for record in DecisionLog(url).find().records] == ["2", "0"]


def test_whoever_comes_while_another_process_writes_needs_no_transaction_of_their_own(tmp_path: Path) -> None:
    groups: list[int] = []
    writer = RecordWriter(f"sqlite:///{tmp_path}/decisions.db", 30, lambda _, number: groups.append(number))
    writer.write([decision(0)]).result(30)
    other = sqlite3.connect(tmp_path / "decisions.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    first = writer.write([decision(1)])
    wait_until(first.running)
    second = writer.write([decision(2)])
    other.execute("ROLLBACK")
    wait([first, second], 30)
    writer.close(5)
    assert groups == [1, 2]


def test_what_cannot_be_written_down_harms_nobody_else(writer: RecordWriter) -> None:
    nested: list[object] = []
    for _ in range(2000):
        nested = [nested]
    with writer._change:
        bad = writer.write([Draft({"kind": "decided"}, "1", {"input": nested})])
        good = writer.write([decision(1)])
    with pytest.raises((TypeError, RecursionError)):
        bad.result(10)
    assert good.result(10) is None


def test_what_nobody_waits_for_and_cannot_be_written_down_is_lost_alone(
    writer: RecordWriter, counted: Counter[str]
) -> None:
    with writer._change:
        writer.note(
            [Draft({"kind": "decided"}, "1", {"input": object()}), Draft({"kind": ANSWERED, "decision_id": "x"})]
        )
        good = writer.write([decision(1)])
    assert good.result(10) is None
    writer.note([Draft({"kind": "decided"}, "1", {"input": object()})])  # with nothing beside it
    wait_until(lambda: counted["lost"] == 2)
    assert counted == {"written": 3, "lost": 2}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_locked_database_is_waited_for_and_then_given_up(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, counted: Counter[str]
) -> None:
    if kind == "sqlite":
        address = f"sqlite:///{tmp_path}/decisions.db"
        log = DecisionLog(address, create=True)
        blocker = sqlite3.connect(tmp_path / "decisions.db", isolation_level=None, check_same_thread=False)
        block, release = "BEGIN IMMEDIATE", "ROLLBACK"
    else:
        import psycopg  # noqa: PLC0415

        server: Postgres = request.getfixturevalue("postgres")
        address = server.make_database("locked")
        log = DecisionLog(address, create=True)
        blocker = psycopg.connect(address, autocommit=True)
        block, release = "SELECT pg_advisory_lock(7364520181)", "SELECT pg_advisory_unlock(7364520181)"
    writer = RecordWriter(address, TIMEOUT, lambda outcome, number: counted.update({outcome: number}))
    blocker.execute(block)
    started = time.monotonic()
    writer.note([Draft({"kind": ANSWERED, "decision_id": "kept"})])
    with pytest.raises(LogError, match="could not be written"):
        writer.write([decision(1)]).result(10)
    assert time.monotonic() - started >= TIMEOUT
    future = writer.write([decision(2)])
    threading.Timer(TIMEOUT / 4, blocker.execute, [release]).start()
    assert future.result(10) is None
    wait_until(lambda: counted["written"] == 2)  # the mark was kept
    writer.close(5)
    assert counted["failed"] == 1
    assert [record.applicant for record in log.find().records] == ["2"]
    found = verify(log.engine)
    assert (found.problem, found.n_records) == ("", 2)


def test_a_full_disk_refuses_whole_records_and_is_recovered_from(tmp_path: Path) -> None:
    file = tmp_path / "decisions.db"
    writer = RecordWriter(f"sqlite:///{file}", TIMEOUT)
    writer.write([decision(0)]).result(30)
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = decision(1)
    large.content["input"] = [f"{number:x}" for number in range(200_000)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 50_000, hard))
    try:
        with pytest.raises(LogError, match="could not be written"):
            writer.write([large]).result(30)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))
    log = DecisionLog(f"sqlite:///{file}")
    assert (verify(log.engine).problem, len(log.find().records)) == ("", 1)
    writer.write([decision(2)]).result(30)
    assert (verify(log.engine).problem, len(log.find().records)) == ("", 2)
    writer.close(5)


def test_a_server_of_the_database_that_is_gone_is_recovered_from(postgres: Postgres) -> None:
    url = postgres.make_database("gone")
    writer = RecordWriter(url, TIMEOUT)
    writer.write([decision(0)]).result(30)
    postgres.stop()
    try:
        with pytest.raises(LogError):
            writer.write([decision(1)]).result(30)
    finally:
        postgres.start()
    writer.write([decision(2)]).result(30)  # at once, by a new connection
    writer.close(5)
    log = DecisionLog(url)
    assert [record.applicant for record in log.find().records] == ["2", "0"]
    assert not verify(log.engine).problem
