"""Units of work in processes of their own: the results, errors and log lines of one process."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor
from pydantic import BaseModel

from credit_scoring import parallel
from credit_scoring.models import FamilyUnavailableError
from credit_scoring.parallel import WorkerKilledError, Workers

ROWS = np.arange(300_000.0)


def describe(rows: np.ndarray, unit: int) -> tuple[int, float, bool, str | None]:
    logging.getLogger("credit_scoring.models").info("unit %d of %d rows", unit, len(rows))
    return os.getpid(), float(rows[unit]), isinstance(rows, np.memmap), os.environ.get("OMP_NUM_THREADS")


class OddError(Exception):
    """An error that can neither be sent nor rebuilt."""

    def __init__(self, one: str, *, other: object) -> None:
        super().__init__(one)
        self.other = other


class Whole(BaseModel):
    number: int


def fail(rows: np.ndarray, error: str) -> int:
    if error == "file":
        Path("nowhere.csv").read_text()
    if error == "bytes":
        b"\xff".decode()
    if error == "model":
        Whole.model_validate({"number": "none"})
    if error == "odd":
        raise OddError("it is odd", other=lambda: None)
    if error == "library":
        raise FamilyUnavailableError("xgboost", "xgboost 2", "no file")
    if error == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return len(rows)


@pytest.fixture
def workers() -> Iterator[Workers[np.ndarray]]:
    with Workers(ROWS, 2) as workers:
        yield workers


def test_units_run_in_other_processes_that_map_what_they_share_and_results_have_the_order_of_the_units(
    workers: Workers[np.ndarray], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="credit_scoring"):
        made = [result() for result in [workers.start(describe, unit) for unit in range(20)]]
    processes, values, mapped, threads = zip(*made, strict=True)
    assert values == tuple(range(20))
    assert os.getpid() not in processes
    assert len(set(processes)) <= 2
    assert set(mapped) == {True}
    assert set(threads) == {"1"}
    assert caplog.messages == [f"unit {unit} of 300000 rows" for unit in range(20)]
    assert {record.name for record in caplog.records} == {"credit_scoring.models"}


def test_with_one_process_a_unit_is_computed_here_when_its_result_is_asked_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Workers(ROWS, 1) as workers, caplog.at_level(logging.INFO, logger="credit_scoring"):
        result = workers.start(describe, 7)
        assert caplog.messages == []
        assert result()[:3] == (os.getpid(), 7.0, False)
        assert caplog.messages == ["unit 7 of 300000 rows"]


def test_an_error_is_the_one_that_the_unit_raised_and_the_others_go_on(workers: Workers[np.ndarray]) -> None:
    bad, good = workers.start(fail, error="library"), workers.start(fail, error="none")
    with pytest.raises(FamilyUnavailableError) as raised:
        bad()
    assert str(raised.value) == str(FamilyUnavailableError("xgboost", "xgboost 2", "no file"))
    assert (raised.value.family, raised.value.library) == ("xgboost", "xgboost 2")
    assert "in fail" in raised.value.__notes__[0]  # where in the other process
    assert good() == 300_000


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        ("file", FileNotFoundError, "[Errno 2] No such file or directory: 'nowhere.csv'"),
        ("bytes", UnicodeDecodeError, "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        ("model", Exception, "number\n  Input should be a valid integer"),
        ("odd", RuntimeError, "OddError: it is odd"),
    ],
)
def test_an_error_of_any_type_comes_back_with_its_words(
    workers: Workers[np.ndarray], error: str, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind) as raised:
        workers.start(fail, error)()
    assert said in str(raised.value)
    assert "in fail" in raised.value.__notes__[0]


def test_after_its_block_no_unit_begins() -> None:
    with Workers(ROWS, 2) as workers:
        pass
    with pytest.raises(CancelledError):
        workers.start(describe, 1)


def test_a_killed_process_is_told_as_memory_and_what_was_shared_is_gone() -> None:
    with Workers(ROWS, 2) as workers:
        file = Path(workers._file)
        assert file.parent.name.startswith(f"credit_scoring_{os.getpid()}_")
        with pytest.raises(WorkerKilledError, match="was killed"):
            workers.start(fail, "killed")()
        with pytest.raises(WorkerKilledError):  # and so is every other unit
            workers.start(describe, 1)()
    assert not file.parent.exists()


def test_processes_have_this_code_though_a_model_brought_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "credit_scoring").mkdir()
    (tmp_path / "credit_scoring" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)  # as MLflow does with the code of a model that it loads
    get_reusable_executor().shutdown()  # processes that were there before would not meet with it
    with Workers(ROWS, 2) as workers:
        assert workers.start(describe, 7)()[1] == 7.0


_KILLED = """
import os
from credit_scoring.parallel import Workers
from tests.test_parallel import ROWS, describe
with Workers(ROWS, 2) as workers:
    print(workers.start(describe, 1)()[0], flush=True)
    os.kill(os.getpid(), 9)
"""


def test_processes_end_with_a_run_that_was_killed(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", _KILLED],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,  # which the processes hold as well: it ends with the last of them
        timeout=75,
        check=False,
    )
    assert told.returncode == -signal.SIGKILL
    worker, end = int(told.stdout), time.monotonic() + 30
    while is_running(worker):
        assert time.monotonic() < end
        time.sleep(0.2)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not (stat.exists() and stat.read_text().rpartition(") ")[2].startswith("Z"))  # dead, and nobody has asked


def test_0_is_as_many_as_there_are_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel.joblib, "cpu_count", lambda: 3)
    assert Workers(ROWS, 0).n_jobs == 3
