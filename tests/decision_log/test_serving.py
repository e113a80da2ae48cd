"""A server that records before it answers, through deaths and faults; `best_effort` answers without a record, too."""

import os
import resource
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pytest
import requests

from credit_scoring.decision_log.batch import record_batch
from credit_scoring.decision_log.chain import verify
from credit_scoring.decision_log.log import DecisionLog, Filter, Record
from credit_scoring.decision_log.replaying import finder, replay
from credit_scoring.decision_log.settings import LogError
from credit_scoring.exported_model.folder import open_model_folder
from credit_scoring.exported_model.loading import load_scorer
from credit_scoring.exported_model.manifest import check_manifest
from tests.conftest import ROOT, Project
from tests.decision_log.conftest import append, decision
from tests.decision_log.drill import check, decide_while_killing, make_applicants
from tests.decision_log.postgres import Postgres
from tests.serving.conftest import JSON, Server, code_of_image, free_port, running, wait_until

pytestmark = pytest.mark.e2e

EXAMPLE = ROOT / "examples/applicant.json"
DIES = "dies-before-it-answers"
FAILED = 'scoring_decision_records_total{outcome="failed"}'
POISON = f"""
import os
_write = Recorder.write
async def _die(self, drafts, milliseconds):
    await _write(self, drafts, milliseconds)
    if drafts[0].values["request_id"] == "{DIES}":
        os.kill(os.getpid(), 9)
Recorder.write = _die
"""


@contextmanager
def recording(demo: Project, folder: Path, url: str, **settings: str) -> Iterator[Server]:
    """Run a server with what the image has, which dies if a request asks for it."""
    code = code_of_image(folder)
    with (code / "credit_scoring/serving/recording.py").open("a") as module:
        module.write(POISON)
    port = free_port()
    given = {
        "PYTHONPATH": os.pathsep.join([str(code), *(place for place in sys.path if "extra" in place)]),
        "SERVING_PORT": str(port),
        "SERVING_MODEL": str(demo.path / "model"),
        "SERVING_FRONT_END": "lean",
        "SERVING_DRAIN": "0",
        "DECISION_LOG_URL": url,
        "DECISION_LOG_TIMEOUT": "0.5",
    }
    with running([sys.executable, "-m", "credit_scoring.serving"], folder, port, **(given | settings)) as server:
        yield server


@pytest.fixture(scope="module")
def kept(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """Return a server of one worker that has to record, and the file that it records in."""
    folder = tmp_path_factory.mktemp("kept")
    file = folder / "decisions.db"
    with recording(demo, folder, f"sqlite:///{file}", SERVING_WORKERS="1") as server:
        yield server, file


def ask(server: Server, body: Any, path: str = "decisions", **headers: str) -> requests.Response:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return requests.post(f"{server.url}/{path}", data=data, headers={"Content-Type": JSON} | headers, timeout=30)


def count_failed(server: Server) -> float:
    lines = server.get("/metrics").text.splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith(FAILED))


def answered(log: DecisionLog, decision_id: str) -> Record:
    wait_until(lambda: log.read(decision_id).is_answered)
    return log.read(decision_id)


def test_decisions_are_recorded_with_their_input_and_replay_to_the_last_bit(
    demo: Project, tmp_path: Path, url: str
) -> None:
    applicant = orjson.loads(EXAMPLE.read_bytes()) | {"params": {"explain": True, "language": "en"}}
    form = applicant["application"]
    both = [applicant, {"application": form | {"AMT_ANNUITY": -1.0}}]
    table = orjson.loads((demo.path / "model/serving_input_example.json").read_bytes())["dataframe_split"]
    clients = [7_000_001 + number for number in range(len(table["data"]))]
    named = [[*row, client] for row, client in zip(table["data"], clients, strict=True)]
    rows = {"dataframe_split": {"columns": [*table["columns"], "SK_ID_CURR"], "data": named}}
    shadow = str(demo.path / "model")
    settings = {"SERVING_API_KEY": "secret", "SERVING_SHADOW": shadow, "SERVING_WORKERS": "1"}  # one challenger to load
    with recording(demo, tmp_path, url, **settings) as server:
        log = DecisionLog(url)
        key = {"X-API-Key": "secret"}
        told = ask(server, both, **key, **{"X-Request-Id": "order-1"}).json()
        predictions = ask(server, rows, "invocations", **key).json()["predictions"]
        found = answered(log, told[0]["id"])
        answered(log, predictions[-1]["id"])
        assert ask(server, {"application": {}}, **key).status_code == 400  # no decision, no record
        challenged = ask(server, applicant, **key).json()["id"]  # the first ones may come before the challenger listens
        wait_until(lambda: any(event.kind == "shadowed" for event in log.read(challenged).events), 60)
    assert (found.actor, found.channel, found.request_id, found.language) == ("default", "decisions", "order-1", "en")
    assert found.model_digest == check_manifest(demo.path / "model").sha256
    assert (found.probability, found.decision) == (told[0]["probability_default"], told[0]["decision"])
    assert found.content == {"input": applicant, "answer": told[0]}
    assert found.content["answer"]["reasons"]
    assert found.applicant == str(form["SK_ID_CURR"])
    assert "out_of_range:AMT_ANNUITY" in log.read(told[1]["id"]).gaps
    assert [(record.id, record.applicant) for record in log.find(Filter(channel="invocations")).records] == [
        (one["id"], str(client)) for one, client in reversed(list(zip(predictions, clients, strict=True)))
    ]
    shadowed = next(event for event in log.read(challenged).events if event.kind == "shadowed")
    assert shadowed.probability == found.probability  # it is the same model
    assert not verify(log.engine).problem
    replayed = replay(log, find_model=finder(demo.path / "model"))
    assert (replayed.same, replayed.different, replayed.failed) == (3 + len(predictions), {}, {})
    log.erase(applicant=found.applicant, why="test", actor="Ann")
    assert replay(log, told[0]["id"], find_model=finder(demo.path / "model")).erased == 1


def test_a_worker_that_dies_before_it_answers_leaves_a_record_that_says_so(
    demo: Project, kept: tuple[Server, Path]
) -> None:
    server, file = kept
    log = DecisionLog(f"sqlite:///{file}")
    n_before = verify(log.engine).n_records
    with pytest.raises(requests.ConnectionError):
        ask(server, EXAMPLE.read_bytes(), **{"X-Request-Id": DIES})
    wait_until(server.workers)
    told = ask(server, EXAMPLE.read_bytes()).json()
    last = answered(log, told["id"])
    (lost,) = log.find(Filter(request=DIES)).records
    assert not lost.is_answered
    assert (lost.probability, lost.sequence) == (last.probability, n_before + 1)
    assert replay(log, lost.id, find_model=finder(demo.path / "model")).same == 1
    assert not verify(log.engine).problem


def test_required_gives_no_decision_without_its_record_and_recovers(kept: tuple[Server, Path]) -> None:
    server, file = kept
    log = DecisionLog(f"sqlite:///{file}")
    before, failed_before = log.find().records, count_failed(server)
    blocker = sqlite3.connect(file, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    refused = ask(server, EXAMPLE.read_bytes())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert "could not be recorded" in refused.json()["message"]
    assert "probability_default" not in refused.text
    assert server.get("/ping").ok
    blocker.execute("ROLLBACK")
    told = ask(server, EXAMPLE.read_bytes()).json()
    assert [record.id for record in log.find().records] == [told["id"], *(record.id for record in before)]
    assert count_failed(server) == failed_before + 1


def test_a_full_disk_refuses_decisions_until_there_is_room_again(kept: tuple[Server, Path]) -> None:
    server, file = kept
    log = DecisionLog(f"sqlite:///{file}")
    first = ask(server, EXAMPLE.read_bytes()).json()
    answered(log, first["id"])
    n_before, before = verify(log.engine).n_records, log.find().records
    (worker,) = server.workers()
    # No file of the worker may grow beyond what the database has written last
    limits = resource.prlimit(worker, resource.RLIMIT_FSIZE)
    resource.prlimit(worker, resource.RLIMIT_FSIZE, (file.with_name(f"{file.name}-wal").stat().st_size, limits[1]))
    for _ in range(3):
        refused = ask(server, EXAMPLE.read_bytes())
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert "probability_default" not in refused.text
    assert [record.id for record in log.find().records] == [record.id for record in before]
    assert server.get("/ping").ok
    resource.prlimit(worker, resource.RLIMIT_FSIZE, limits)
    last = answered(log, ask(server, EXAMPLE.read_bytes()).json()["id"])
    assert server.workers() == [worker]
    assert last.probability == first["probability_default"]
    found = verify(log.engine)
    assert (found.problem, found.n_records) == ("", n_before + 2)  # a decision and its mark


def test_best_effort_answers_without_waiting_and_writes_when_it_can(demo: Project, tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path}/decisions.db", tmp_path / "decisions.db"
    with recording(demo, tmp_path, url, DECISION_LOG="best_effort") as server:
        blocker = sqlite3.connect(file, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        told = ask(server, EXAMPLE.read_bytes()).json()
        log = DecisionLog(url)
        assert not log.find().records
        blocker.execute("ROLLBACK")
        wait_until(lambda: log.find().records)
        assert answered(log, told["id"]).probability == told["probability_default"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_that_was_answered_is_missing_while_workers_are_killed(
    demo: Project, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/decisions.db"
    if kind == "postgresql":
        server_of_database: Postgres = request.getfixturevalue("postgres")
        url = server_of_database.make_database("killed")
    with recording(demo, tmp_path, url, SERVING_WORKERS="2", DECISION_LOG_TIMEOUT="5") as server:
        answers, killed = decide_while_killing(server, make_applicants(60, EXAMPLE))
    assert killed
    check(DecisionLog(url), answers, demo.path / "model")


def test_without_the_wish_nothing_is_recorded(demo: Project, tmp_path: Path) -> None:
    with recording(demo, tmp_path, "", SERVING_WORKERS="1") as server:
        assert "id" not in ask(server, EXAMPLE.read_bytes()).json()
    assert not (tmp_path / "data").exists()


def test_settings_that_cannot_be_meant_end_the_start(demo: Project, tmp_path: Path) -> None:
    for settings, expected in (
        ({"DECISION_LOG": "always"}, "DECISION_LOG is 'always'"),
        ({"DECISION_LOG_MODE": "required"}, "DECISION_LOG_MODE is not a setting"),
        ({"DECISION_LOG_URL": "oracle://x"}, "cannot be"),
    ):
        with pytest.raises(AssertionError, match=expected), recording(demo, tmp_path, "", **settings):
            pass


def test_a_part_of_a_batch_is_recorded_once_and_replays_to_the_last_bit(
    demo: Project, holdout: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/decisions.db"
    monkeypatch.setenv("DECISION_LOG_URL", url)
    folder, rows = open_model_folder(demo.path / "model"), holdout.head(30).reset_index()
    columns = [column.name for column in folder.contract.columns]
    asked = {"explain": True, "language": "en"}
    scores = load_scorer(folder.manifest).predict(rows, asked)
    for _ in range(2):
        record_batch("000000_part", rows, scores, columns, folder.identity, **asked)
    log = DecisionLog(url)
    found = log.find().records
    assert [record.applicant for record in found] == [str(client) for client in reversed(rows["SK_ID_CURR"])]
    assert [record.probability for record in found] == scores["probability_default"].tolist()[::-1]
    assert {record.channel for record in found} == {"batch"}
    replayed = replay(log, find_model=finder(demo.path / "model"))
    assert (replayed.same, replayed.different, replayed.failed) == (30, {}, {})
    assert verify(log.engine).n_records == 30


def test_a_model_that_is_in_the_folder_no_more_is_replayed_from_the_registry(
    demo: Project, holdout: pd.DataFrame, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/decisions.db"
    folder, rows = open_model_folder(demo.path / "model"), holdout.head(3).reset_index()
    columns = [column.name for column in folder.contract.columns]
    asked = {"explain": True, "language": "en"}
    scores = load_scorer(folder.manifest).predict(rows, asked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DECISION_LOG_URL", url)
        record_batch("000000_part", rows, scores, columns, folder.identity, **asked)

    command = [sys.executable, "-m", "credit_scoring", "decisions", "replay", "--all", "--env", "test"]
    settings = os.environ | {"DECISION_LOG_URL": url}
    replayed = subprocess.run(
        [*command, "--model", "gone"], cwd=demo.path, capture_output=True, text=True, check=False, env=settings
    )
    assert "\n3 decisions are the same to the last bit, 0 differ, 0 could not" in replayed.stdout, replayed
    assert replayed.returncode == 0


def test_what_could_be_scored_neither_then_nor_now_is_the_same(demo: Project, tmp_path: Path) -> None:
    log = DecisionLog(f"sqlite:///{tmp_path}/decisions.db", create=True)
    digest = check_manifest(demo.path / "model").sha256
    of_desk = {"channel": "desk", "request_id": None, "model_digest": digest}
    drafts = [decision(1, "review", None, **of_desk), decision(2, "granted", 0.05, **of_desk)]
    for draft in drafts:
        draft.content["input"] = {"application": {}}  # breaks the contract
    _, scored = append(log, *drafts)
    replayed = replay(log, find_model=finder(demo.path / "model"))
    assert (replayed.same, replayed.different, list(replayed.failed)) == (1, {}, [scored])


def test_a_model_that_is_nowhere_is_looked_for_once(tmp_path: Path) -> None:
    log = DecisionLog(f"sqlite:///{tmp_path}/decisions.db", create=True)
    ids = append(log, *(decision(number) for number in range(3)))
    looked_for = []

    def find(digest: str, model_id: str) -> Path:
        looked_for.append(digest)
        raise LogError("It is nowhere.")

    assert replay(log, find_model=find).failed == dict.fromkeys(ids, "It is nowhere.")
    assert looked_for == ["ab" * 32]


def test_a_model_that_is_nowhere_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # no project, and so no registry
    with pytest.raises(
        LogError, match=r"abababababab… is neither in gone nor as m-7 in the registry[^$]*Hint: --model"
    ):
        finder(Path("gone"))("ab" * 32, "m-7")


def test_the_image_gets_the_packages_of_the_extra() -> None:
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["log"]
    assert f'ARG LOG_PACKAGES="{" ".join(extra)}"' in (ROOT / "Dockerfile").read_text()
