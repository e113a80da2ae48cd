"""Scores what was recorded again, by the model of the record, and compares to the last bit."""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select

from credit_scoring.decision_log.chain import DECIDED, read_content, read_time
from credit_scoring.decision_log.log import DecisionLog
from credit_scoring.decision_log.settings import LogError
from credit_scoring.decision_log.tables import personal, records
from credit_scoring.exported_model import MANIFEST

_COMPARED = ("probability_default", "decision", "threshold", "review_band", "gaps", "reasons")
_PAGE = 2_000
_AS_WORKERS = os.environ | {"OMP_NUM_THREADS": "1", "MLFLOW_CONFIGURE_LOGGING": "0"}


@dataclass
class Replayed:
    """What came of scoring recorded decisions again.

    Attributes:
        same: How many are the same to the last bit: probability, decision, cut-off, gaps, reasons; or could be scored
            neither then nor now.
        erased: How many have no input any more.
        different: Decision -> what differs: name -> recorded and now.
        failed: Decision -> why it could not be scored again.
    """

    same: int = 0
    erased: int = 0
    different: dict[str, dict[str, tuple[Any, Any]]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def replay(
    log: DecisionLog,
    decision_id: str | None = None,
    *,
    since: str | None = None,
    find_model: Callable[[str, str], Path],
) -> Replayed:
    """Score recorded decisions again.

    The applicants of one request are scored together, as they were: products of matrices may add up in another order
    for another number of rows.

    Args:
        log: The decision log.
        decision_id: Which decision, with the others of its request; all of them without.
        since: Only those from this time on, as `chain.read_time` takes it.
        find_model: Returns the folder of a model, by the digest of its manifest and its id in MLflow.
    """
    found = Replayed()
    chosen = select(records, personal.c.content).outerjoin(personal, personal.c.record_id == records.c.id)
    chosen = chosen.where(records.c.kind == DECIDED)
    wanted = None
    if decision_id:
        record = log.read(decision_id)
        wanted = record.id
        same_request = records.c.request_id == record.request_id if record.request_id else records.c.id == record.id
        chosen = chosen.where(same_request, records.c.model_digest == record.model_digest)
        # Of one transaction, and so in sequence, but for requests whose client gave them the same id
        chosen = chosen.where(records.c.sequence.between(record.sequence - _PAGE * 5, record.sequence + _PAGE * 5))
    if since is not None:
        chosen = chosen.where(records.c.time >= read_time(since))
    models = _Models(find_model)
    try:
        for request in _requests(log, chosen):
            if wanted is None or any(row["id"] == wanted for row in request):
                _replay_request(request, models, found, wanted)
    finally:
        models.close()
    return found


class _Models:
    """Processes that answer again, one for each model."""

    def __init__(self, find_model: Callable[[str, str], Path]) -> None:
        self._find = find_model
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._missing: dict[str, str] = {}

    def answer(self, digest: str, model_id: str, channel: str, inputs: Sequence[Any]) -> Any:
        """Return what the model tells of the applicants of a request.

        Raises:
            LogError: If there is no such model, or it cannot be started.
        """
        if digest in self._missing:
            raise LogError(self._missing[digest])
        process = self._processes.get(digest)
        if process is None:
            try:
                folder = self._find(digest, model_id)
            except LogError as error:
                self._missing[digest] = str(error)  # looking for it takes seconds, for each request of a log
                raise
            command = [sys.executable, "-m", "credit_scoring.serving.replay", str(folder)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_AS_WORKERS)
            self._processes[digest] = process
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(orjson.dumps({"channel": channel, "inputs": inputs}) + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass  # it has said why
        line = process.stdout.readline()
        if not line:
            raise LogError(f"The model {digest} cannot answer again.\nHint: what its process says stands above.")
        return orjson.loads(line)

    def close(self) -> None:
        """End the processes."""
        for process in self._processes.values():
            process.communicate()


def _requests(log: DecisionLog, chosen: Any) -> Iterator[list[Mapping[str, Any]]]:
    """Return decisions by request: those that follow one another with the same request and model."""
    return (
        list(rows)
        for _, rows in groupby(
            _rows(log, chosen), key=lambda row: (row["request_id"] or row["id"], row["model_digest"], row["channel"])
        )
    )


def _rows(log: DecisionLog, chosen: Any) -> Iterator[Mapping[str, Any]]:
    after = 0
    while True:
        with log.engine.connect() as connection:
            page = chosen.where(records.c.sequence > after).order_by(records.c.sequence).limit(_PAGE)
            rows = connection.execute(page).mappings().all()
        yield from map(dict, rows)
        if len(rows) < _PAGE:
            return
        after = rows[-1]["sequence"]


def _replay_request(request: Iterable[Mapping[str, Any]], models: _Models, found: Replayed, wanted: str | None) -> None:
    kept = [(row, read_content(row["content"])) for row in request if row["content"] is not None]
    found.erased += sum(row["content"] is None and wanted in (None, row["id"]) for row in request)
    if not kept:
        return
    first = kept[0][0]
    inputs = [content["input"] for _, content in kept]
    try:
        told = models.answer(first["model_digest"], first["model_id"], first["channel"], inputs)
        problem = told["error"] if isinstance(told, dict) else ""
        if problem and first["probability"] is None:
            found.same += 1  # it could not be scored when it was recorded either: a person had to decide
            return
    except LogError as error:
        told, problem = (), str(error)
    if problem:
        found.failed |= {row["id"]: problem for row, _ in kept if wanted in (None, row["id"])}
        return
    for (row, content), now in zip(kept, told, strict=True):
        if wanted not in (None, row["id"]):
            continue
        differing = _compare(row, content["answer"], now)
        if differing:
            found.different[row["id"]] = differing
        else:
            found.same += 1


def _compare(row: Mapping[str, Any], then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    differing = {
        name: (then[name], now.get(name)) for name in _COMPARED if name in then and then[name] != now.get(name)
    }
    # What the chain says, too, and not only what lies beside it
    for name, column in (("probability_default", "probability"), ("decision", "decision"), ("threshold", "cut_off")):
        if row[column] != now[name]:
            differing[name] = (row[column], now[name])
    return differing


def finder(folder: Path, env: str | None = None) -> Callable[[str, str], Path]:
    """Return what finds the folder of a model: the exported one, or else one that the registry still has.

    Args:
        folder: Of the exported model.
        env: Environment of the configuration that names the registry.
    """
    fetched: list[tempfile.TemporaryDirectory[str]] = []

    def find(digest: str, model_id: str) -> Path:
        if _digest(folder) == digest:
            return folder
        fetched.append(tempfile.TemporaryDirectory(prefix="replayed_model_"))
        place = Path(fetched[-1].name) / "model"
        hint = "Hint: --model names the folder of the model that decided, --env the configuration that made it."
        try:
            _fetch(model_id, place, env)
        except Exception as error:  # of a registry that is elsewhere, or a model that is gone, anything
            raise LogError(
                f"The model {digest[:12]}… is neither in {folder} nor as {model_id} in the registry: {error}.\n{hint}"
            ) from error
        if _digest(place) != digest:
            raise LogError(f"The registry's {model_id} is not the model {digest[:12]}… of the record.\n{hint}")
        return place

    return find


def _fetch(model_id: str, place: Path, env: str | None) -> None:
    """Export a model of the project's registry, as it was exported when it was the champion."""
    from kedro.framework.session import KedroSession  # noqa: PLC0415 - takes seconds

    from credit_scoring.datasets.mlflow_registry import download_served  # noqa: PLC0415
    from credit_scoring.exported_model.manifest import write_manifest  # noqa: PLC0415
    from credit_scoring.project import enter_project  # noqa: PLC0415

    with KedroSession.create(enter_project(), env=env) as session:
        session.load_context()  # type: ignore[attr-defined]
        download_served(f"models:/{model_id}", place)
    write_manifest(place)


def _digest(folder: Path) -> str:
    manifest = folder / MANIFEST
    return hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else ""
