"""What the server counts, for Prometheus. The counts of all processes are added up, those of dead ones included."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.core import CounterMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

# The library reads this variable when it is imported: the process that starts the workers sets it
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
# What the counts of a process that is started anew, not forked, go by
NAME_VARIABLE = "PROMETHEUS_MULTIPROC_NAME"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BANDS = 20
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_GAPS = (-0.5, -0.2, -0.1, -0.05, -0.02, -0.01, -0.005, 0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)

_process = [os.environ.get(NAME_VARIABLE, str(os.getpid()))]
if FOLDER_VARIABLE in os.environ:
    # Files of counts have the name of a worker's place: its successor goes on with them, so that they do not pile up
    values.ValueClass = values.MultiProcessValue(lambda: _process[0])
_requests = Counter("scoring_requests", "Requests by path, status, name of the key.", ["path", "status", "key"])
_seconds = Histogram("scoring_request_seconds", "From the last byte of a request to its answer.", buckets=_SECONDS)
_in_flight = Gauge("scoring_requests_in_flight", "Requests for scores in hand.", multiprocess_mode="livesum")
_decisions = Counter("scoring_decisions", "Applicants by decision.", ["decision"])
_bands = Counter("scoring_probabilities", "Applicants by probability of default, in bands of 0.05.", ["band"])
_unknown = Counter("scoring_unknown_categories", "Values of a column that training did not hold.", ["column"])
_starts = Counter("scoring_worker_starts", "Workers that were started, those that replaced another included.")
_deaths = Counter("scoring_worker_deaths", "Workers that died and were replaced, by cause.", ["cause"])
_model = Gauge(
    "scoring_model_info", "Models in use.", ["role", "model_id", "manifest_sha256"], multiprocess_mode="livemax"
)
_key_files = Counter("scoring_key_file_reads", "Changed files of keys that were read.", ["outcome"])
_shadow_requests = Counter("scoring_shadow_requests", "Requests offered to the challenger.", ["outcome"])
_shadow_deaths = Counter("scoring_shadow_deaths", "Processes of the challenger that ended by themselves.")
_agreement = Counter("scoring_shadow_decisions", "Applicants by both decisions.", ["champion", "challenger"])
_score_gaps = Histogram("scoring_shadow_gap", "Probability of default, challenger's less champion's.", buckets=_GAPS)
_records = Counter("scoring_decision_records", "Records of the decision log, by what became of them.", ["outcome"])
_record_seconds = Histogram("scoring_record_seconds", "How long a decision waited for its record.", buckets=_SECONDS)
_gaps = Counter("scoring_gaps", "Gaps told of applicants, by kind and column.", ["gap", "column"])
# Looking a label up takes longer than counting
_band = [_bands.labels(f"{i / _BANDS:.2f}-{(i + 1) / _BANDS:.2f}") for i in range(_BANDS)]


def show_model(role: str, identity: Mapping[str, str]) -> None:
    """Show which model this process uses, as `champion` or `challenger`."""
    _model.labels(role, identity["model_id"], identity["manifest_sha256"]).set(1)


def count_request(path: str, status: int, key: str) -> None:
    """Count an answered request."""
    _requests.labels(path, str(status), key).inc()


def time_request(seconds: float) -> None:
    """Count how long the answer to a request took."""
    _seconds.observe(seconds)


def count_in_flight(change: int) -> None:
    """Count a request as taken in hand (1) or done with (-1)."""
    _in_flight.inc(change)


def count_scores(probability: npt.NDArray[np.float64], decisions: Mapping[str, int]) -> None:
    """Count scored applicants."""
    for decision, number in decisions.items():
        _decisions.labels(decision).inc(number)
    places = np.minimum((probability * _BANDS).astype(int), _BANDS - 1)
    for place, number in enumerate(np.bincount(places, minlength=_BANDS)):
        if number:
            _band[place].inc(int(number))


def count_unknown_categories(found: Mapping[str, int]) -> None:
    """Count by column the categories that training did not hold."""
    for column, number in found.items():
        _unknown.labels(column).inc(number)


def count_gaps(gaps: Iterable[Iterable[Mapping[str, str | None]]]) -> None:
    """Count the gaps of applicants. Only names of the contract become labels, never one that a client has sent."""
    for found in gaps:
        for gap in found:
            column = "unknown" if gap["gap"] == "unknown_name" else gap["column"] or "several"
            _gaps.labels(gap["gap"], column).inc()


def count_records(outcome: str, number: int) -> None:
    """Count records of the decision log: `written`, `failed` (somebody waited for them), or `lost`."""
    _records.labels(outcome).inc(number)


def time_record(seconds: float) -> None:
    """Count how long a decision waited for its record."""
    _record_seconds.observe(seconds)


def count_key_file(readable: bool) -> None:
    """Count that the file of keys had changed, and whether it could be read."""
    _key_files.labels("read" if readable else "broken").inc()


def count_shadow(outcome: str) -> None:
    """Count what became of a request that was offered to the challenger."""
    _shadow_requests.labels(outcome).inc()


def count_shadow_death() -> None:
    """Count an end of the challenger's process that nobody asked for."""
    _shadow_deaths.inc()


def count_comparison(decisions: Iterable[tuple[str, str]], gaps: Iterable[float]) -> None:
    """Count applicants whom both models have scored: decisions of champion and challenger, gaps of their scores."""
    for champion, challenger in decisions:
        _agreement.labels(champion, challenger).inc()
    for gap in gaps:
        _score_gaps.observe(gap)


def name_process(name: str) -> None:
    """Give the counts of this process to a name that no other running process has.

    Their files get their room on the disk at once: one that fills up later would kill a process that counts.
    """
    _process[0] = name
    _band[0].inc(0)  # this makes the files
    for file in Path(os.environ[FOLDER_VARIABLE]).glob(f"*_{name}.db"):
        with file.open("r+b") as counts:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(counts.fileno(), 0, file.stat().st_size)


def process_name() -> str:
    """Return what the counts of this process go by."""
    return _process[0]


def begin_worker(name: str, identity: Mapping[str, str]) -> None:
    """Count the start of a worker, which has nothing in hand yet, under its name."""
    name_process(name)
    _starts.inc()
    _in_flight.set(0)
    show_model("champion", identity)


def count_worker_death(cause: str) -> None:
    """Count a worker that died without having been told to."""
    _deaths.labels(cause).inc()


def exposition(reloads: Mapping[str, int]) -> bytes:
    """Return all counts in Prometheus' text format.

    Args:
        reloads: Outcome -> how many reloads of the model had it: counted by the server's main process.
    """
    if FOLDER_VARIABLE not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    registry.register(_Reloads(reloads))
    return generate_latest(registry)


class _Reloads:
    def __init__(self, reloads: Mapping[str, int]) -> None:
        self._reloads = reloads

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily("scoring_model_reloads", "Reloads of the model by outcome.", labels=["outcome"])
        for outcome, number in self._reloads.items():
            family.add_metric([outcome], number)
        yield family
