"""What people do with decisions: each addition is checked, none overtakes another, those that wait come first."""

from dataclasses import replace

import pytest

from credit_scoring.decision_log.chain import ANSWERED, Draft, verify
from credit_scoring.decision_log.log import (
    AGREED,
    CUSTOMER,
    EXAMINATION_CLOSED,
    EXAMINATION_REQUESTED,
    LETTER_SENT,
    OUTCOME,
    OVERRIDDEN,
    REVIEWED,
    ConflictError,
    DecisionLog,
    Filter,
)
from credit_scoring.decision_log.settings import LogError
from credit_scoring.decision_log.tables import records
from tests.decision_log.conftest import append, decision


def test_a_decision_is_read_with_everything_that_was_added(log: DecisionLog) -> None:
    (one,) = append(log, decision(5, "refused", 0.2, gaps="missing:A out_of_range:B"))
    log.append(one, OVERRIDDEN, actor="Ann", decision="granted", content={"reason": "A guarantor signed."})
    log.append(one, LETTER_SENT, actor="Ann", facts={"letter": "approval", "medium": "post"})
    found = log.read(one)
    assert (found.applicant, found.probability, found.gaps) == ("5", 0.2, ["missing:A", "out_of_range:B"])
    assert found.content == {"input": {"application": {"SK_ID_CURR": 5}}, "answer": {"decision": "refused"}}
    assert (found.decision, found.final_decision) == ("refused", "granted")
    assert [(event.kind, event.actor) for event in found.events] == [(OVERRIDDEN, "Ann"), (LETTER_SENT, "Ann")]
    assert found.events[0].content == {"reason": "A guarantor signed."}
    assert log.read(found.events[1].id).id == one
    with pytest.raises(LogError, match=r"no decision nowhere[^$]*Hint"):
        log.read("nowhere")


def test_a_second_examination_waits_until_it_is_closed(log: DecisionLog) -> None:
    (one,) = append(log, decision(1, "refused"))
    observed = {"observations": "My employer has confirmed the new contract."}
    asked = log.append(one, EXAMINATION_REQUESTED, actor="A. B.", role=CUSTOMER, content=observed)
    assert asked.is_waiting
    assert asked.examination is not None
    assert log.count_waiting() == 1
    with pytest.raises(LogError, match="waits for its outcome already"):
        log.append(one, EXAMINATION_REQUESTED, actor="A. B.", role=CUSTOMER, content=observed)
    closed = log.append(one, EXAMINATION_CLOSED, actor="Ann", decision="granted", content={"reason": "Confirmed."})
    assert (closed.final_decision, closed.is_waiting, log.count_waiting()) == ("granted", False, 0)
    with pytest.raises(LogError, match="no second examination was asked for"):
        log.append(one, EXAMINATION_CLOSED, actor="Ann", decision="refused", content={"reason": "No."})


@pytest.mark.parametrize(
    ("decided", "kind", "said", "expected"),
    [
        ("refused", OVERRIDDEN, {"decision": "granted"}, "expected reason"),
        ("refused", OVERRIDDEN, {"decision": "granted", "content": {"reason": "  "}}, "expected reason"),
        ("refused", OVERRIDDEN, {"content": {"reason": "x"}}, "expected the decision granted or refused, got none"),
        ("refused", OVERRIDDEN, {"decision": "refused", "content": {"reason": "x"}}, "is refused already"),
        ("refused", OVERRIDDEN, {"decision": "granted", "content": {"reason": "x"}, "actor": " "}, "who does it"),
        ("refused", OVERRIDDEN, {"decision": "granted", "content": {"reason": "x"}, "role": "system"}, "role officer"),
        ("refused", AGREED, {"decision": "refused"}, "expected no decision"),
        ("refused", REVIEWED, {"decision": "granted", "content": {"reason": "x"}}, "the model has decided"),
        ("review", AGREED, {}, "waits for a person"),
        ("granted", OUTCOME, {"facts": {"outcome": "gone", "date": "2026-11-30"}}, "repaid or defaulted"),
        ("granted", "praised", {}, "Nothing of the kind praised"),
    ],
)  # fmt: skip
def test_an_addition_says_what_it_has_to(
    log: DecisionLog, decided: str, kind: str, said: dict[str, object], expected: str
) -> None:
    (one,) = append(log, decision(1, decided))
    with pytest.raises(LogError, match=expected):
        log.append(one, kind, **{"actor": "Ann", **said})
    assert not log.read(one).events
    assert not verify(log.engine).problem


def test_nobody_decides_on_what_has_changed_since_they_looked(log: DecisionLog) -> None:
    (one,) = append(log, decision(1, "review"))
    seen = log.read(one).version
    append(log, Draft({"kind": ANSWERED, "decision_id": one}))  # the server's mark is no change
    log.append(one, REVIEWED, actor="Ann", decision="granted", content={"reason": "x"}, expected=seen)
    with pytest.raises(ConflictError, match="has changed since it was looked at: reviewed at"):
        log.append(one, REVIEWED, actor="Bob", decision="refused", content={"reason": "y"}, expected=seen)
    found = log.read(one)
    assert (found.final_decision, len(found.events), found.is_answered) == ("granted", 2, True)


def test_the_queue_has_those_that_wait_first_and_every_decision_once(log: DecisionLog) -> None:
    ids = append(log, *(decision(number, "review" if number % 3 == 0 else "refused") for number in range(10)))
    log.append(ids[3], REVIEWED, actor="Ann", decision="granted", content={"reason": "x"})
    log.append(ids[5], EXAMINATION_REQUESTED, actor="C", role=CUSTOMER, content={"observations": "y"})
    waiting, others = [0, 5, 6, 9], [8, 7, 4, 3, 2, 1]
    expected = [ids[number] for number in waiting + others]
    assert [record.id for record in log.queue().records] == expected
    for limit in (1, 3, 4, 10):
        found, after = [], None
        while True:
            page = log.queue(after=after, limit=limit)
            found += [record.id for record in page.records]
            if page.next is None:
                break
            after = page.next
        assert found == expected, limit
    assert [record.id for record in log.queue(Filter(waiting=False)).records] == expected[4:]
    assert [record.id for record in log.find(Filter(waiting=True)).records] == [ids[i] for i in reversed(waiting)]


def test_decisions_are_found_by_each_of_their_properties(log: DecisionLog) -> None:
    first = decision(1, time="2026-01-01T08:00:00.000000Z", model_digest="cd" * 32)
    ids = append(log, first, decision(2, "refused", channel="batch"), decision(1))

    def found(**asked: str) -> list[str]:
        return [record.id for record in log.find(Filter(**asked)).records]

    assert found(applicant="1") == [ids[2], ids[0]]
    assert found(applicant="1", since="2026-02") == [ids[2]]
    assert found(until="2026-02") == found(model="cdcd") == [ids[0]]
    assert found(decision="refused") == found(channel="batch") == found(request="r2") == [ids[1]]
    assert found(applicant="3") == found(model="%") == []
    for early in ("2026-01-01T08:00", "2026-01", "2026-01-01", "2026-01-01T10:00+02:00", "20260101T080000Z"):
        assert found(applicant="1", since=early) == [ids[2], ids[0]], early
    assert found(until="2026-01-01T10:00+02:00") == []
    for wrong in ("today", "01/01/2026", "2026-13", "", "0001-01-01T00:00+14:00"):
        with pytest.raises(LogError, match=r"Expected a time[^$]*Hint"):
            found(since=wrong)


def test_pages_begin_where_one_ended_and_hold_something(log: DecisionLog) -> None:
    for asked in ({"limit": 0}, {"after": "waiting:x"}, {"after": "others:-1"}):
        with pytest.raises(LogError, match="Hint"):
            log.queue(**asked)
    with pytest.raises(LogError, match="No page begins after 'x'"):
        log.find(after="x")


def test_decisions_of_a_request_are_found_by_its_index(log: DecisionLog) -> None:
    ids = append(log, *(decision(number) for number in range(1_000)))
    asked = Filter(request="r7")
    assert [record.id for record in log.queue(asked).records] == [ids[7]]
    is_sqlite = log.engine.dialect.name == "sqlite"
    with log.engine.connect() as connection:
        if not is_sqlite:
            connection.exec_driver_sql("ANALYZE records")
        for chosen in (asked, replace(asked, waiting=False)):
            query = log._choose(chosen).order_by(records.c.sequence.desc()).limit(50)
            written = str(query.compile(log.engine, compile_kwargs={"literal_binds": True}))
            plan = connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if is_sqlite else ''}{written}").all()
            assert "records_by_request" in str(plan), plan
