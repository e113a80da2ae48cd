"""Decides on applicants by the API while workers are killed; then checks, replays and learns from what was recorded.

    python -m tests.decision_log.drill [--applicants 1000] [--crowd 60 [--locked 30]] [--url postgresql://…]

Without a URL it does so in SQLite, and in a PostgreSQL server of its own where that is installed. The applicants are
invented, their outcomes drawn from their probabilities. With `--crowd` nobody is killed: 32 clients ask two workers for
so many seconds, after which each answer has to have its one record; with `--locked` somebody else holds the database
for a part of them, in which the crowd is refused. It ends with status 1 at the first thing that is
wrong.
"""

import argparse
import csv
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

from credit_scoring.decision_log import chain
from credit_scoring.decision_log.commands import main as decisions
from credit_scoring.decision_log.log import DecisionLog, Record
from credit_scoring.decision_log.replaying import finder, replay
from credit_scoring.decision_log.tables import writing
from tests.conftest import ROOT
from tests.decision_log.postgres import running_postgres, why_not
from tests.serving.conftest import JSON, Server, free_port, running

CLIENTS, CROWD = 8, 32
SECONDS_BETWEEN_KILLS = 1.0
_ATTEMPTS = 50


def make_applicants(number: int, example: Path) -> list[dict[str, Any]]:
    """Return raw tables of invented applicants: the example's, its amounts and external scores changed at random."""
    rng = random.Random(0)
    one = json.loads(example.read_text(encoding="utf-8"))
    applicants = []
    for place in range(number):
        form = dict(one["application"])
        for name, value in form.items():
            if name.startswith(("AMT_", "EXT_SOURCE_")) and isinstance(value, int | float):
                form[name] = value * rng.uniform(0.05, 1.0)
        client = 900_000 + place
        tables = {name: [row | {"SK_ID_CURR": client} if "SK_ID_CURR" in row else row for row in rows]
                  for name, rows in one.items() if isinstance(rows, list)}  # fmt: skip
        params = {"explain": place % 2 == 0, "language": ("fr", "en")[place % 3 == 0]}
        applicants.append({"application": form | {"SK_ID_CURR": client}, **tables, "params": params})
    return applicants


def decide_while_killing(server: Server, applicants: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """Have applicants decided on by several clients, who ask again if they lose their answer.

    Returns:
        The answers, in order, and how many workers were killed meanwhile.
    """

    def ask(numbered: tuple[int, dict[str, Any]]) -> dict[str, Any]:
        number, applicant = numbered
        for attempt in range(_ATTEMPTS):
            with suppress(requests.RequestException):
                named = {"Content-Type": JSON, "X-Request-Id": f"drill-{number}-{attempt}"}
                answer = requests.post(f"{server.url}/decisions", json.dumps(applicant), headers=named, timeout=30)
                if answer.ok:
                    told: dict[str, Any] = answer.json()
                    return told
                assert answer.status_code == 503, answer.text
            time.sleep(0.1)
        raise AssertionError(f"applicant {number} got no answer")

    killed = 0
    with ThreadPoolExecutor(CLIENTS) as pool:
        asked = [pool.submit(ask, numbered) for numbered in enumerate(applicants)]
        while not all(future.done() for future in asked):
            time.sleep(SECONDS_BETWEEN_KILLS)
            for worker in server.workers()[:1]:
                os.kill(worker, signal.SIGKILL)
                killed += 1
        return [future.result() for future in asked], killed


def decide_for(
    server: Server, applicants: Sequence[dict[str, Any]], seconds: float
) -> tuple[list[dict[str, Any]], int]:
    """Have many clients ask two workers at the same time, one request after the other.

    Returns:
        The answers, and how many requests were refused as they could not be recorded.
    """
    until = time.monotonic() + seconds

    def ask(client: int) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        with requests.Session() as session:
            while time.monotonic() < until:
                applicant = applicants[(client + CROWD * len(told)) % len(applicants)]
                answer = session.post(f"{server.url}/decisions", json=applicant, timeout=30)
                assert answer.status_code in (200, 503), answer.text
                told.append(answer.json())
        return told

    with ThreadPoolExecutor(CROWD) as pool:
        told = [one for told in pool.map(ask, range(CROWD)) for one in told]
    answers = [one for one in told if "id" in one]
    return answers, len(told) - len(answers)


def check_crowd(log: DecisionLog, answers: Sequence[dict[str, Any]], n_refused: int) -> None:
    """Hold the log against what a crowd was told: no fork, and of no answer no record or two."""
    found = chain.verify(log.engine)
    assert not found.problem, found.problem
    ids = Counter(record.id for record in _all(log))
    answered = Counter(answer["id"] for answer in answers)
    assert not answered - ids
    late = ids - answered  # written when the database was free again, for somebody who had been refused by then
    assert late.total() <= n_refused
    assert {record.id for record in _all(log) if record.is_answered} == set(answered)
    # Decisions and marks are all there is, so that none was written twice under another id
    assert found.n_records == ids.total() + len(answers)


def check(log: DecisionLog, answers: Sequence[dict[str, Any]], model: Path) -> None:
    """Hold the log against what clients were told, walk its chain, replay it."""
    found = chain.verify(log.engine)
    assert not found.problem, found.problem
    recorded = {record.id: record for record in _all(log)}
    for answer in answers:
        record = recorded.get(answer["id"])
        assert record is not None, f"{answer['id']} was answered and not recorded"
        assert record.probability == answer["probability_default"]
        assert record.decision == answer["decision"]
    unanswered = [record for record in recorded.values() if not record.is_answered]
    asked_again = {record.applicant for record in recorded.values()}
    assert len(asked_again) == len(answers)
    print(
        f"  {found.n_records:,} records are whole: {len(recorded):,} decisions for {len(answers):,} applicants, "
        f"{len(unanswered)} of them without the mark that they were answered"
    )
    replayed = replay(log, find_model=finder(model))
    assert not replayed.different, replayed.different
    assert not replayed.failed, replayed.failed
    assert replayed.same == len(recorded)
    print(f"  {replayed.same:,} replayed, all the same to the last bit")


def learn(log: DecisionLog, url: str, folder: Path) -> None:
    """Load outcomes, drawn from the probabilities of the champion, and print what they cost."""
    rng = random.Random(1)
    file = folder / "outcomes.csv"
    with file.open("w", newline="") as opened:
        lines = csv.writer(opened)
        lines.writerow(("id", "outcome", "date"))
        for record in _all(log):
            lines.writerow((record.id, "defaulted" if rng.random() < record.probability else "repaid", "2027-12-01"))
    os.environ["DECISION_LOG_URL"] = url
    try:
        assert decisions(["outcomes", str(file), "--by", "drill"]) == 0
        assert decisions(["report"]) == 0
        assert decisions(["verify"]) == 0
    finally:
        del os.environ["DECISION_LOG_URL"]


@contextmanager
def two_workers(url: str, model: Path, folder: Path) -> Iterator[Server]:
    """Run a server of two workers that records in a database."""
    settings = {"SERVING_MODEL": str(model.absolute()), "SERVING_FRONT_END": "lean", "SERVING_WORKERS": "2"}
    port = free_port()
    command = [sys.executable, "-m", "credit_scoring.serving"]
    with running(command, folder, port, SERVING_PORT=str(port), DECISION_LOG_URL=url, **settings) as server:
        yield server


def crowd(url: str, seconds: float, locked: float, n_applicants: int, model: Path, folder: Path) -> None:
    """Have a crowd decided on, in a database of its own, which somebody else holds meanwhile for so long."""
    applicants = make_applicants(n_applicants, ROOT / "examples/applicant.json")
    with two_workers(url, model, folder) as server, ThreadPoolExecutor(1) as pool:
        deciding = pool.submit(decide_for, server, applicants, seconds)
        if locked:
            time.sleep((seconds - locked) / 2)
            with writing(DecisionLog(url).engine, seconds):
                time.sleep(locked)
        answers, n_refused = deciding.result()
    assert bool(n_refused) == bool(locked)
    check_crowd(DecisionLog(url), answers, n_refused)
    print(
        f"  {len(answers):,} decisions for {CROWD} clients of two workers in {seconds:g} seconds, {n_refused} refused: "
        "one chain, each once"
    )


def drill(url: str, n_applicants: int, model: Path, folder: Path) -> None:
    """Kill workers, check, replay and learn, in one database."""
    with two_workers(url, model, folder) as server:
        answers, killed = decide_while_killing(server, make_applicants(n_applicants, ROOT / "examples/applicant.json"))
    print(f"  {len(answers):,} applicants were decided on while {killed} workers were killed")
    log = DecisionLog(url)
    check(log, answers, model)
    learn(log, url, folder)


def _all(log: DecisionLog) -> Iterator[Record]:
    after = None
    while True:
        page = log.find(after=after, limit=500)
        yield from page.records
        if page.next is None:
            return
        after = page.next


def main() -> int:
    """Drill on the database that is named, or on one of each kind."""
    parser = argparse.ArgumentParser(description="Decide while killing workers, then verify, replay, learn.")
    parser.add_argument("--applicants", type=int, default=1000)
    parser.add_argument(
        "--crowd", type=float, metavar="SECONDS", help="two workers and 32 clients for so long, instead"
    )
    parser.add_argument(
        "--locked", type=float, default=0, metavar="SECONDS", help="of a crowd's, in which the database is held"
    )
    parser.add_argument("--url", help="of an empty database; without, SQLite and PostgreSQL of its own")
    parser.add_argument("--model", type=Path, default=ROOT / "model", help="folder of an exported model")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="drill_") as place:
        folder = Path(place)

        def do(url: str) -> None:
            print(url.partition(":")[0])
            if given.crowd:
                crowd(url, given.crowd, given.locked, given.applicants, given.model, folder)
            else:
                drill(url, given.applicants, given.model, folder)

        do(given.url or f"sqlite:///{folder}/decisions.db")
        if not given.url and (reason := why_not()):
            print(f"PostgreSQL: skipped, {reason}")
        elif not given.url:
            with running_postgres() as server:
                do(server.make_database("drill"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
