"""What the server counts, for Prometheus. The counts of all workers are added up, those of dead ones included."""

import os
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

# The library reads this variable when it is imported: the process that starts the workers sets it
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BANDS = 20
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

_requests = Counter("scoring_requests", "Requests to /invocations by status of the answer.", ["status"])
_seconds = Histogram("scoring_request_seconds", "From the last byte of a request to its answer.", buckets=_SECONDS)
_decisions = Counter("scoring_decisions", "Applicants by decision.", ["decision"])
_bands = Counter("scoring_probabilities", "Applicants by probability of default, in bands of 0.05.", ["band"])
_unknown = Counter("scoring_unknown_categories", "Values of a column that training did not hold.", ["column"])
_gaps = Counter("scoring_gaps", "Gaps told of applicants, by kind and column.", ["gap", "column"])
# Looking a label up takes longer than counting
_band = [_bands.labels(f"{i / _BANDS:.2f}-{(i + 1) / _BANDS:.2f}") for i in range(_BANDS)]


def count_request(status: int, seconds: float) -> None:
    """Count an answered request."""
    _requests.labels(str(status)).inc()
    _seconds.observe(seconds)


def count_scores(probability: npt.NDArray[np.float64], decisions: npt.NDArray[np.str_]) -> None:
    """Count scored applicants."""
    for decision, number in zip(*np.unique(decisions, return_counts=True), strict=True):
        _decisions.labels(str(decision)).inc(int(number))
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


def exposition() -> bytes:
    """Return all counts in Prometheus' text format."""
    if FOLDER_VARIABLE not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)
