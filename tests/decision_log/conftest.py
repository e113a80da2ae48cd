"""Decision logs under test, in SQLite and in PostgreSQL."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from credit_scoring.decision_log import chain
from credit_scoring.decision_log.chain import DECIDED, Draft
from credit_scoring.decision_log.log import DecisionLog
from credit_scoring.decision_log.tables import writing
from tests.decision_log.postgres import Postgres, running_postgres, why_not

_names = count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if reason := why_not():
        pytest.skip(reason)
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/log/decisions.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.make_database(f"log_{next(_names)}")


@pytest.fixture
def log(url: str) -> DecisionLog:
    return DecisionLog(url, create=True)


def decision(number: int = 0, decided: str = "granted", probability: float = 0.05, **values: Any) -> Draft:
    """Return a decision on an applicant of that number."""
    given = {"kind": DECIDED, "channel": "decisions", "request_id": f"r{number}", "model_digest": "ab" * 32}
    content = {"input": {"application": {"SK_ID_CURR": number}}, "answer": {"decision": decided}}
    judged = {"probability": probability, "cut_off": 0.1, "decision": decided}
    return Draft({**given, **judged, **values}, str(number), content)


def append(log: DecisionLog, *drafts: Draft) -> list[str]:
    """Append records in one transaction; return their ids."""
    people = [draft.seal() for draft in drafts]
    with writing(log.engine, log.timeout) as connection:
        chain.append(connection, drafts, people)
    return [draft.values["id"] for draft in drafts]
