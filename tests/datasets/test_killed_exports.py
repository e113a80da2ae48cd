"""After an export or a promotion was killed at any step, the next command makes registry and folder agree.

A kill leaves what lies on the disk at that moment. So the walk runs each command once, copies the disk after every
operation on a file or the database that changed it, and then lets the next command start from each of the copies.
"""

import dataclasses
import multiprocessing
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from credit_scoring.datasets.mlflow_registry import MlflowIncumbentDataset
from credit_scoring.exported_model.folder import open_model_folder
from credit_scoring.exported_model.manifest import ModelFolderError
from credit_scoring.exported_model.writing import replacement
from credit_scoring.exported_model.writing.replacement import workspace_beside
from credit_scoring.scorer import ScorerRelease
from tests import disk
from tests.datasets.conftest import run_in
from tests.datasets.test_mlflow_registry import NAME, aliases, dataset
from tests.exported_model.conftest import make_release

# What a process asks of the disk or the database; `renameat2` shows at the next of these
_OPERATIONS = frozenset(
    {"close", "commit", "flock", "mkdir", "open", "remove", "rename", "replace", "rmdir", "sendfile", "unlink", "write"}
)
_TABLES = ("model_versions", "model_version_tags", "registered_model_aliases", "registered_models")
_DATABASE = "mlflow.db"


@pytest.fixture(scope="module")
def release() -> ScorerRelease:
    return make_release()


def registered(place: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return what the tables of the registry hold."""
    with closing(sqlite3.connect(f"file:{place / _DATABASE}?mode=ro", uri=True)) as database:
        return {table: sorted(map(tuple, database.execute(f"SELECT * FROM {table}"))) for table in _TABLES}


def model_in(place: Path) -> str:
    """Return what the folder holds, whole; empty if there is no folder."""
    folder = place / "model"
    try:
        return open_model_folder(folder).identity["model_id"] if folder.exists() else ""
    except ModelFolderError as error:
        return str(error)


def on_disk(place: str | Path) -> dict[str, tuple[int, int, int]]:
    """Return what a command can find: paths, places and sizes of all but the store of files, which only grows."""
    found = {}
    for entry in os.scandir(place):  # thousands of times: `Path.rglob` takes five times as long
        if entry.name != "mlruns":
            now = entry.stat(follow_symlinks=False)
            found[entry.path] = (now.st_ino, now.st_size, now.st_mtime_ns)
            if entry.is_dir():
                found |= on_disk(entry.path)
    return found


@dataclasses.dataclass
class Walk:
    """Copies of a place, one for each state that a kill could have left it in."""

    place: Path
    copies: Path
    states: list[Path] = dataclasses.field(default_factory=list)
    last: dict[str, tuple[int, int, int]] = dataclasses.field(default_factory=dict)

    def look(self) -> None:
        now = on_disk(self.place)
        if now == self.last:
            return
        state = self.copies / f"{len(self.states):04d}"
        state.mkdir()
        for path, seen in now.items():
            name = Path(path).relative_to(self.place)
            if Path(path).is_dir():
                (state / name).mkdir()
            elif name.name.startswith(_DATABASE) or seen != self.last.get(path):
                shutil.copy2(path, state / name)
            else:  # one file stands for what has not changed since the copy before
                (state / name).hardlink_to(self.states[-1] / name)
        self.last = now
        self.states.append(state)

    def restore(self, state: Path) -> None:
        for path in self.place.iterdir():
            if path.name != "mlruns":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(state, self.place, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, release: ScorerRelease) -> Iterator[Walk]:
    """Return a place with a champion, version 1, in registry and folder, as its only state."""
    place = tmp_path_factory.mktemp("place")
    with disk.waiting(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")  # a connection would outlive its database
        with run_in(place):
            dataset(place).save(release)
            first = Walk(place, tmp_path_factory.mktemp("start"))
            first.look()
            yield first
            first.restore(first.states[0])


@pytest.fixture
def place(start: Walk) -> Path:
    """Return the place in its first state."""
    start.restore(start.states[0])
    return start.place


def walk(place: Path, copies: Path, command: Callable[[], object]) -> Walk:
    """Run a command, and copy the place whenever an operation has changed it."""
    walked = Walk(place, copies)

    def profile(_: object, event: str, operation: object) -> None:
        if event == "c_return" and getattr(operation, "__name__", "") in _OPERATIONS:
            sys.setprofile(None)
            walked.look()
            sys.setprofile(profile)

    walked.look()
    sys.setprofile(profile)
    try:
        command()
    finally:
        sys.setprofile(None)
    walked.look()
    return walked


def one_of_each(states: list[Path]) -> list[Path]:
    """Leave out states that differ from another in single files of a workspace alone, unless told to take all."""
    if os.environ.get("EVERY_KILL"):
        return states
    kinds = {}
    for state in states:
        found = [path.relative_to(state).parts[1:] for path in (*state.glob("*"), *state.glob(".export_*/*"))]
        kinds[str(registered(state)), model_in(state), str(sorted(found)), len(found)] = state
    return list(kinds.values())


def assert_agreed(place: Path, expected: dict[str, str]) -> None:
    """Compare aliases with those expected, the folder with the champion, and look for what should not be left."""
    assert aliases() == expected
    champion = MlflowClient().get_model_version_by_alias(NAME, "champion")
    assert champion.source == f"models:/{model_in(place)}"
    assert "alias_due" not in str(registered(place))
    names = {path.name for path in place.iterdir()} - {f"{_DATABASE}-journal"}  # SQLite's own, until it writes again
    assert names == {"model", "mlruns", _DATABASE}


def expected_aliases(state: Path, alias: str) -> dict[str, str]:
    """Return whose the aliases have to be: version 2 is what it was registered as, if it got that far."""
    if len(registered(state)["model_versions"]) == 1:
        return {"champion": "1"}
    return {"champion": "2", "previous_champion": "1"} if alias == "champion" else {"champion": "1", alias: "2"}


@pytest.mark.parametrize("alias", ["champion", "challenger"])
def test_after_a_run_was_killed_an_export_makes_all_agree(
    place: Path, tmp_path_factory: pytest.TempPathFactory, release: ScorerRelease, alias: str
) -> None:
    second = dataclasses.replace(release, promoted=alias == "champion")
    walked = walk(place, tmp_path_factory.mktemp("states"), lambda: dataset(place).save(second))
    assert {model_in(state)[:2] for state in walked.states} == {"m-"}  # a whole model at any time
    for state in one_of_each(walked.states):
        walked.restore(state)
        dataset(place).export_champion()
        assert_agreed(place, expected_aliases(state, alias))


@pytest.mark.parametrize("exchange", [True, False])
def test_after_an_export_was_killed_another_makes_all_agree(
    place: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    if not exchange:
        monkeypatch.setattr(replacement, "_exchange", lambda *_: False)  # as on a disk that cannot
    walked = walk(place, tmp_path_factory.mktemp("states"), dataset(place).export_champion)
    assert any(not (state / "model").exists() for state in walked.states) is not exchange
    for state in one_of_each(walked.states):
        walked.restore(state)
        dataset(place).export_champion()
        assert_agreed(place, {"champion": "1"})


def test_a_model_that_was_aside_when_an_export_was_killed_is_put_back(place: Path) -> None:
    """Even if nothing can be exported any more."""
    left = place / ".export_killed"
    left.mkdir()
    (place / "model").rename(left / "replaced")
    with workspace_beside(place / "model"):
        assert model_in(place)
    assert_agreed(place, {"champion": "1"})


def test_after_a_promotion_was_killed_the_next_run_compares_with_the_new_champion_and_makes_all_agree(
    place: Path, tmp_path_factory: pytest.TempPathFactory, release: ScorerRelease
) -> None:
    walked = walk(place, tmp_path_factory.mktemp("states"), lambda: dataset(place).save(release))
    of_each_registry = {str(registered(state)): state for state in walked.states}
    assert len(of_each_registry) == 6  # one after each of: start, registration, either alias, removal of the tag, story
    for state in list(of_each_registry.values())[1:-1]:
        walked.restore(state)
        expected = expected_aliases(state, "champion")
        incumbent = MlflowIncumbentDataset(registered_model_name=NAME).load()
        assert incumbent is not None
        assert incumbent.version == expected["champion"]
        dataset(place).save(dataclasses.replace(release, promoted=False))
        assert_agreed(place, {**expected, "challenger": str(len(registered(place)["model_versions"]))})


def test_a_process_that_is_killed_between_two_aliases_leaves_what_the_walk_says(
    place: Path, release: ScorerRelease
) -> None:
    """The walk copies the disk instead of killing; here is a kill."""
    active = mlflow.active_run()
    assert active is not None

    def save_until_the_champion() -> None:
        set_alias = MlflowClient.set_registered_model_alias

        def kill(self: MlflowClient, name: str, alias: str, version: str) -> None:
            if alias == "champion":
                os.kill(os.getpid(), signal.SIGKILL)
            set_alias(self, name, alias, version)

        MlflowClient.set_registered_model_alias = kill  # type: ignore[method-assign]
        with mlflow.start_run(run_id=active.info.run_id):
            dataset(place).save(release)

    killed = multiprocessing.get_context("fork").Process(target=save_until_the_champion)  # which has it all imported
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    assert aliases() == {"champion": "1", "previous_champion": "1"}
    assert len(list(place.glob(".export_*/model"))) == 1
    assert dataset(place).export_champion() == "2"
    assert_agreed(place, {"champion": "2", "previous_champion": "1"})
