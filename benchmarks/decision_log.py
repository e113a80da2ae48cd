"""What recorded decisions cost a server, and what a log of a million decisions can still be asked.

The lean server answers the same requests without a decision log, and with one that is required, in SQLite, every
record on the disk before the answer. Then a log of its own is filled and asked. Run by `make bench`.
"""

import argparse
import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import func, select

from benchmarks.harness import DEFAULT_FOLDER, ROOT
from benchmarks.serving import MODEL, Load, publish, put_under_load, request_body, server
from credit_scoring.decision_log import chain
from credit_scoring.decision_log.chain import ANSWERED, DECIDED, Draft
from credit_scoring.decision_log.log import DecisionLog, Filter
from credit_scoring.decision_log.outcomes import expect_outcomes
from credit_scoring.decision_log.tables import records, writing
from credit_scoring.decision_log.watching import watch
from credit_scoring.metrics.cost import MisclassificationCosts, decision_costs

LOADS = ((1, 1), (8, 1), (32, 1), (8, 100))
"""Clients, rows per call."""
_ROUNDS = 3
_WEEKS = 52
# Of the log of changes, for a decision and the mark of the one before: 12 pages
_BYTES_OF_A_DECISION, _SYNCS = 12 * 4_120, 500
_CHUNK = 5_000
_DRAWS, _DRAWN, _ODDS_RISE = 200, 2_000, 1.5
_PREDICTIONS = ROOT / "data/07_model_output/synthetic/oof_predictions.parquet"


def measure_servers(folder: Path, seconds: float, model: Path) -> list[str]:
    """Load a server without and one with a log, in turns, so that other processes of the machine disturb both alike."""
    log = folder / "serving"
    shutil.rmtree(log, ignore_errors=True)
    modes = {
        "off": {"DECISION_LOG": "off"},
        "required": {"DECISION_LOG_URL": f"sqlite:///{log.absolute()}/decisions.db"},
    }
    lines = [
        "| clients | rows per call | p50 without a log, ms | with | rise | decisions/s without | with | failed |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    with ExitStack() as stack:
        ports = {
            mode: stack.enter_context(server("lean", model=model, **settings))[0] for mode, settings in modes.items()
        }
        for clients, n_rows in LOADS:
            body = request_body(n_rows, model)
            loads: dict[str, list[Load]] = {mode: [] for mode in modes}
            for port in ports.values():
                put_under_load(port, body, 1, 2)  # what is slow the first time only
            for _ in range(_ROUNDS):
                for mode, port in ports.items():
                    loads[mode].append(put_under_load(port, body, seconds, clients))
            # The median of the rounds: one of them may have met with something else that ran
            p50 = {mode: np.median([np.median(one.seconds) * 1000 for one in each]) for mode, each in loads.items()}
            rate = {
                mode: np.median([len(one.seconds) * n_rows / one.lasted for one in each])
                for mode, each in loads.items()
            }
            failed = sum(one.failed for each in loads.values() for one in each)
            lines.append(
                f"| {clients} | {n_rows} | {p50['off']:.2f} | {p50['required']:.2f} | "
                f"{p50['required'] - p50['off']:.2f} | {rate['off']:,.0f} | {rate['required']:,.0f} | {failed} |"
            )
    found = chain.verify(DecisionLog(modes["required"]["DECISION_LOG_URL"]).engine)
    assert not found.problem, found.problem
    return [*lines, "", measure_disk(folder), f"The chain of {found.n_records:,} records that this left is whole."]


def measure_disk(folder: Path) -> str:
    """Tell how long the disk takes for what one decision waits for, which no server can be quicker than."""
    seconds = []
    with (folder / "disk").open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            file.seek(0)
            file.write(bytes(_BYTES_OF_A_DECISION))
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            seconds.append(time.perf_counter() - started)
    low, median, high = np.percentile(seconds[1:], (10, 50, 90)) * 1000
    return (
        f"A transaction of one decision waits for one `fdatasync` of about {_BYTES_OF_A_DECISION / 1000:.0f} kB; "
        f"alone, that takes {median:.2f} ms here (median; from {low:.2f} to {high:.2f} in eight of ten)."
    )


def fill(log: DecisionLog, n_decisions: int) -> None:
    """Append decisions of a year, each with its mark; one in 50 for review, nearly all of those reviewed."""
    rng = random.Random(0)
    start = datetime.now(UTC) - timedelta(weeks=_WEEKS)
    for first in range(0, n_decisions, _CHUNK):
        drafts: list[Draft] = []
        for number in range(first, min(first + _CHUNK, n_decisions)):
            drafts += _make_decision(rng, number, start + timedelta(weeks=_WEEKS) * number / n_decisions)
        people = [draft.seal() for draft in drafts]
        with writing(log.engine, log.timeout) as connection:
            chain.append(connection, drafts, people)


def _count_decisions(file: Path) -> int:
    if not file.exists():
        return 0
    with DecisionLog(f"sqlite:///{file.absolute()}", create=True).engine.connect() as connection:
        chosen = select(func.count()).where(records.c.kind == DECIDED)
        return connection.execute(chosen).scalar_one()


def _make_decision(rng: random.Random, number: int, when: datetime) -> Iterator[Draft]:
    probability = rng.betavariate(1, 11)
    is_review, named = number % 50 == 0, chain.new_id()
    at = {"time": when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
    told = {"reasons": [{"effect": "against", "text": f"You paid {number % 90} % of your instalments late."}]}
    row = {f"COLUMN_{column}": rng.random() for column in range(40)}
    judged = {"probability": probability, "cut_off": 0.09, "model_digest": "ab" * 32, "model_id": "m-0", "run_id": "0"}
    yield Draft(
        {
            **{"id": named, "kind": DECIDED, "channel": "decisions", **at, **judged},
            "decision": "review" if is_review else "granted" if probability < 0.09 else "refused",
        },
        str(100_000 + number % 300_000),
        {"input": {"application": row}, "answer": told},
    )
    yield Draft({"kind": ANSWERED, "decision_id": named, **at})
    if is_review and number % 5_000:
        values = {"kind": "reviewed", "decision_id": named, "actor": "Ann", "role": "officer", "decision": "granted"}
        yield Draft({**values, **at}, content={"reason": "Income was shown."})


def measure_questions(folder: Path, n_decisions: int) -> list[str]:
    """Ask a log of so many decisions, which is filled unless all of them are there."""
    file = folder / f"decisions_{n_decisions}.db"
    if _count_decisions(file) != n_decisions:
        print(f"Filling {file}.", file=sys.stderr)
        for left in folder.glob(f"{file.name}*"):  # of a run that was interrupted
            left.unlink()
        fill(DecisionLog(f"sqlite:///{file.absolute()}", create=True), n_decisions)
    log = DecisionLog(f"sqlite:///{file.absolute()}")
    some = log.find(limit=1).records[0]
    month = (datetime.fromisoformat(some.time) - timedelta(weeks=4)).isoformat()
    questions: dict[str, Callable[[], object]] = {
        "a decision by its id": lambda: log.read(some.id),
        "the decisions on an applicant": lambda: log.find(Filter(applicant="150000")),
        "the first 50 of the queue": log.queue,
        "the declined of the last four weeks, first 50": lambda: log.find(Filter(decision="refused", since=month)),
        "how many wait": log.count_waiting,
        "monitoring of the last eight weeks": lambda: watch(log, 8, MisclassificationCosts()),
        "monitoring of all weeks": lambda: watch(log, _WEEKS + 1, MisclassificationCosts()),
        "verification of all": lambda: chain.verify(log.engine),
    }
    lines = ["| question | seconds |", "|---|---:|"]
    for name, ask in questions.items():
        started = time.perf_counter()
        ask()
        lines.append(f"| {name} | {time.perf_counter() - started:.3f} |")
    found = chain.verify(log.engine)
    assert not found.problem, found.problem
    size = f"{file.stat().st_size / 1e9:.1f} GB"
    return [f"A log of {n_decisions:,} decisions, {found.n_records:,} records, {size}:", "", *lines]


def measure_expectation(predictions: Path) -> list[str]:
    """Compare what probabilities lead to expect with what happens to other draws of the twin's applicants.

    Args:
        predictions: Out-of-fold probabilities of the champion and outcomes of a twin, as `make demo` leaves them.
    """
    rows = pd.read_parquet(predictions)[["TARGET", "PROBABILITY"]]
    costs, rng = MisclassificationCosts(), np.random.default_rng(0)
    threshold, odds = costs.theoretical_threshold, rows["PROBABILITY"] / (1 - rows["PROBABILITY"])
    # Of those who repaid, so many default that the odds of default rise by half
    further = 1 - (1 + odds) / (1 + _ODDS_RISE * odds)
    shifts: dict[str, tuple[Any, bool]] = {
        "applicants like before": (None, False),
        "riskier applicants (drawn by their odds of default)": (odds / odds.sum(), False),
        "the same applicants, odds of default raised by half": (None, True),
    }
    lines = ["| who applies | expected bad rate | realised | within 95 % | expected cost | realised | within 95 % |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|")
    for name, (weights, worse) in shifts.items():
        drawn = []
        for _ in range(_DRAWS):
            chosen = rng.choice(len(rows), _DRAWN, p=weights)
            sample = rows.iloc[chosen]
            outcome = sample["TARGET"].to_numpy(dtype=float)
            if worse:
                outcome = np.maximum(outcome, rng.random(_DRAWN) < further.to_numpy()[chosen])
            final = np.where(sample["PROBABILITY"] >= threshold, "refused", "granted")
            told = {"probability": sample["PROBABILITY"].to_numpy(), "final": final, "outcome": outcome}
            table = pd.DataFrame(told).assign(model="", time=pd.Timestamp("2026-11-02", tz="UTC"))
            expected = expect_outcomes(table, costs).iloc[-1]
            approved = final == "granted"
            happened = {"bad_rate": outcome[approved].mean(), "cost": decision_costs(outcome, ~approved, costs).mean()}
            drawn.append(
                [
                    number
                    for what, value in happened.items()
                    for number in (expected[what], value, expected[f"{what}_low"] <= value <= expected[f"{what}_high"])
                ]
            )
        bad, was_bad, in_bad, cost, was_cost, in_cost = np.mean(drawn, axis=0)
        lines.append(
            f"| {name} | {bad:.4f} | {was_bad:.4f} | {in_bad:.0%} | {cost:.3f} | {was_cost:.3f} | {in_cost:.0%} |"
        )
    return [
        f"Expected before outcomes are known, of {_DRAWN:,} applicants, {_DRAWS} draws with replacement from the "
        f"{len(rows):,} out-of-fold predictions of a synthetic twin (their own chance is in every draw):",
        "",
        *lines,
    ]


def main() -> None:
    """Write what records cost a server, and how long a large log takes to answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of every load")
    parser.add_argument("--decisions", type=int, default=1_000_000, help="of the large log")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER / "decision_log", help="for the logs")
    parser.add_argument("--predictions", type=Path, default=_PREDICTIONS, help="of `make demo`")
    parser.add_argument("--model", type=Path, default=MODEL, help="another folder's section is printed, not written")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    explanation = (
        "The lean server with two workers on the exported model, without a decision log and with one that is required, "
        f"in SQLite (`synchronous=FULL`): the median of {_ROUNDS} loads of {arguments.seconds:g} seconds each, in "
        "turns. Each decision and its mark as answered are two records of the chain."
    )
    servers = measure_servers(arguments.folder, arguments.seconds, arguments.model)
    questions = measure_questions(arguments.folder, arguments.decisions)
    body = [explanation, "", *servers, "", *questions, "", *measure_expectation(arguments.predictions)]
    publish("decision_log", "Decision log", "\n".join(body), arguments.model)


if __name__ == "__main__":
    main()
