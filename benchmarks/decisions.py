"""Measure decisions from raw tables: over HTTP by the lean server, in process, by DuckDB in process, and in a batch.

Everything asks about the same applicants of a twin by the exported model. Processor time of a server is that of all its
processes, by the clock of Linux, in steps of 10 ms over all calls. Run by `make bench`.
"""

import argparse
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks.feature_plan import Engine, Request, count_rows, make_requests, measure_calls
from benchmarks.serving import CLIENTS_PER_PROCESS, MODEL, publish, put_under_load, server
from credit_scoring.exported_model.loading import load_decider, load_scorer
from credit_scoring.exported_model.manifest import check_manifest

PATH, LIST = "/decisions", 100
WHY = {"params": {"explain": True}}


class Case(NamedTuple):
    """A request that is measured, under a name."""

    name: str
    asked: list[Request]
    why: bool = False

    @property
    def body(self) -> list[Request]:
        """What is asked, one object per applicant."""
        return [one | WHY if self.why else one for one in self.asked]

    @property
    def encoded(self) -> bytes:
        """The body of the request."""
        return json.dumps(self.body if len(self.asked) > 1 else self.body[0]).encode()


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process and all that it started have taken, in seconds.

    What has ended and was waited for counts as its parent's; what ends meanwhile is left out until it is.
    """
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = dict(tuple(map(int, line.split())) for line in listed.splitlines())
    family = {pid}
    while more := {own for own, parent in parents.items() if parent in family} - family:
        family |= more
    ticks = 0
    for one in family:
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def measure_server(cases: Sequence[Case], model: Path, seconds: float, rounds: int) -> Iterator[str]:
    """Ask a server with one worker for each case in turn, some times over; then one with two workers, eight clients."""
    with server("lean", 1, model) as (port, pid):
        put_under_load(port, cases[0].encoded, 1, 1, PATH)  # what is slow the first time only
        calls: dict[str, list[tuple[np.ndarray, float]]] = {case.name: [] for case in cases}
        for _ in range(rounds):
            for case in cases:
                spent = processor_seconds(pid)
                load = put_under_load(port, case.encoded, seconds, 1, PATH)
                assert not load.failed
                calls[case.name].append((load.seconds, processor_seconds(pid) - spent))
        for case in cases:
            walls = np.concatenate([taken for taken, _ in calls[case.name]])
            medians = [1_000 * float(np.median(taken)) for taken, _ in calls[case.name]]
            cpu = 1_000 * sum(spent for _, spent in calls[case.name]) / len(walls)
            yield describe(case, "server, 1 client", walls, cpu, f" ({min(medians):.2f} to {max(medians):.2f})")
    with server("lean", 2, model) as (port, pid):
        put_under_load(port, cases[0].encoded, 1, CLIENTS_PER_PROCESS, PATH)
        spent = processor_seconds(pid)
        load = put_under_load(port, cases[0].encoded, rounds * seconds, CLIENTS_PER_PROCESS, PATH)
        assert not load.failed
        cpu = 1_000 * (processor_seconds(pid) - spent) / len(load.seconds)
        who = f"server, 2 workers, {CLIENTS_PER_PROCESS} clients"
        yield describe(cases[0], who, load.seconds, cpu, per_second=len(load.seconds) / load.lasted)


def describe(
    case: Case, who: str, walls: np.ndarray, cpu: float, spread: str = "", per_second: float | None = None
) -> str:
    """Return a row of the table: times in seconds, processor time in milliseconds; no percentile of a single call."""
    p50, p99 = 1_000 * np.percentile(walls, [50, 99])
    slow = f"{p99:.2f}" if len(walls) > 1 else "–"
    rate = per_second or len(case.asked) * len(walls) / walls.sum()
    n_rows = sum(map(count_rows, case.asked))
    return f"| {case.name} | {n_rows:,} | {who} | {p50:.2f}{spread} | {slow} | {cpu:.2f} | {rate:,.0f} |"


def measure_process(case: Case, who: str, call: Callable[[], Any], repeats: int) -> str:
    """Time calls in this process."""
    walls, cpus = measure_calls(call, repeats)
    return describe(case, who, walls, 1_000 * float(cpus.mean()))


def main() -> None:
    """Write the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--applicants", type=int, default=2_000, help="applicants of the twin")
    parser.add_argument("--seconds", type=float, default=5, help="of each load, in each round")
    parser.add_argument("--rounds", type=int, default=3, help="of all loads, one after the other")
    parser.add_argument("--model", type=Path, default=MODEL, help="another folder's section is printed, not written")
    arguments = parser.parse_args()
    requests = make_requests(arguments.applicants)
    some = np.random.default_rng(0).choice(len(requests), LIST, replace=False)
    median, longest = [requests[len(requests) // 2]], requests[-1:]
    cases = [
        Case("median history", median),
        Case("median history, with reasons", median, why=True),
        Case("longest history", longest),
        Case("longest history, with reasons", longest, why=True),
        Case(f"{LIST} applicants", [requests[place] for place in some]),
    ]
    manifest = check_manifest(arguments.model)
    scorer = load_scorer(manifest)
    decider = load_decider(manifest, scorer)
    assert decider is not None
    engine = Engine(list(scorer.feature_names_in_))

    def ask_decider(case: Case) -> list[dict[str, Any]]:
        return decider.decide(case.body)

    def ask_engine(case: Case) -> pd.DataFrame:
        table = engine.evaluate(list(case.asked)).to_pandas()
        return scorer.predict(table, {"explain": case.why}).assign(SK_ID_CURR=table["SK_ID_CURR"])

    rows = [*measure_server(cases, arguments.model, arguments.seconds, arguments.rounds)]
    with threadpool_limits(1):  # as a server has it
        for who, answer, repeats in (("in process", ask_decider, 200), ("DuckDB in process", ask_engine, 10)):
            rows += [measure_process(case, who, partial(answer, case), repeats) for case in cases]
    batch = Case(f"{len(requests):,} applicants", requests)
    started, spent = time.perf_counter(), time.process_time()
    scored = ask_engine(batch).set_index("SK_ID_CURR")
    wall, cpu = np.array([time.perf_counter() - started]), 1_000 * (time.process_time() - spent)
    rows.append(describe(batch, "batch: DuckDB, then the scorer", wall, cpu))
    answers = pd.DataFrame(decider.decide(requests)).set_index("SK_ID_CURR").loc[scored.index]
    differing = int((answers["decision"] != scored["decision"]).sum())
    apart = float((answers["probability_default"] / scored["probability_default"] - 1).abs().max())
    body = [
        f"The exported {scorer.model.labels['en']} on {len(scorer.feature_names_in_)} columns; {len(requests):,} "
        f"applicants of a twin. The server's front end is the lean one, with one worker unless it says otherwise, "
        f"{arguments.rounds} rounds of {arguments.seconds:g} seconds of each request in turn (in brackets: the medians "
        "of the rounds), clients on the same machine. Processor time is what a call takes of it, however busy the "
        "machine is, on average; applicants per second are those answered, by the time that this took. Of "
        f"{len(answers):,} decisions {differing} differ from those of the batch, of their probabilities none by more "
        f"than {apart:.0e} of it.",
        "",
        "| request | rows | what answers | p50, ms | p99, ms | processor, ms | applicants per second |",
        "|---|---:|---|---:|---:|---:|---:|",
        *rows,
    ]
    publish("decisions", "From raw tables to a decision", "\n".join(body), arguments.model)


if __name__ == "__main__":
    main()
