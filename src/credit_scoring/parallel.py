"""Units of work at once, each in a process of its own, with the results that one process gives.

Between the calls of their libraries fits are Python, so that threads would wait for one another.
"""

import gc
import logging
import os
import pickle
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from logging.handlers import QueueHandler
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

import joblib
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError

Shared = TypeVar("Shared")
Result = TypeVar("Result")
Unit = ParamSpec("Unit")

_PACKAGE = logging.getLogger("credit_scoring")
_Parts = tuple[type[Exception], tuple[Any, ...], dict[str, Any]]
_IDLE = 60
"""Seconds after which a process that has nothing to do ends; until then the next node finds it ready."""
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class WorkerKilledError(MemoryError):
    """A process of `Workers` was killed, as by a system that runs out of memory: none of its other units will end."""

    def __init__(self) -> None:
        super().__init__(
            "a process that fitted models was killed; fewer at once need less: `n_jobs` in conf/*/parameters/run.yml"
        )


class Workers(Generic[Shared]):
    """Processes that compute units of work on what they all read.

    A unit is given its own seed, hence no result depends on how many processes there are; what it logs is logged here.
    With one process, a unit is computed here, when its result is asked for.

    Args:
        shared: What every unit reads and none changes. Where there are several processes, it is written to a temporary
            folder once, and its arrays are mapped into the memory of all, so that none holds a copy.
        n_jobs: Processes; as many as this one may use cores if it is not above 0. Libraries have one thread in each,
            unless a parameter of theirs says otherwise.
    """

    def __init__(self, shared: Shared, n_jobs: int) -> None:
        self.shared = shared
        self.n_jobs = n_jobs if n_jobs > 0 else joblib.cpu_count()
        self._futures: list[Future[Any]] = []
        self._is_over = False

    def __enter__(self) -> Self:
        if self.n_jobs > 1:
            # What a killed run leaves of this name is cleared away by the next one
            self._folder = TemporaryDirectory(prefix=f"credit_scoring_{os.getpid()}_", ignore_cleanup_errors=True)
            self._file = Path(self._folder.name, "shared.joblib")
            joblib.dump(self.shared, self._file)
            _forget_other_code()
            self._executor = get_reusable_executor(
                max_workers=self.n_jobs,
                timeout=_IDLE,
                initializer=_begin,
                initargs=(os.getpid(), gc.get_threshold()),
                env=_ONE_THREAD,
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._is_over = True  # threads that wait for units begin with no others
        for future in self._futures:
            future.cancel()
        if self.n_jobs > 1:
            if isinstance(error, KeyboardInterrupt):
                self._executor.shutdown(kill_workers=True)
            self._folder.cleanup()

    def start(
        self, function: Callable[Concatenate[Shared, Unit], Result], *unit: Unit.args, **options: Unit.kwargs
    ) -> Callable[[], Result]:
        """Begin with a unit, after those begun before, and return what gives its result.

        Args:
            function: A function of a module. It is called with what is shared and the unit.
            *unit: What tells the unit from others, small and picklable.
            **options: Likewise, by name.

        Returns:
            What waits for the result. It raises what the unit raised, and `WorkerKilledError` if its process was
            killed.

        Raises:
            CancelledError: If the block of the workers has ended.
            WorkerKilledError: If a process was killed before.
        """
        if self._is_over:
            raise CancelledError
        if self.n_jobs == 1:
            return partial(function, self.shared, *unit, **options)
        with _telling_the_killed():
            future = self._executor.submit(_compute, self._file, function, unit, options)
        self._futures.append(future)
        return partial(_result_of, future)


@contextmanager
def _telling_the_killed() -> Iterator[None]:
    try:
        yield
    except TerminatedWorkerError as lost:
        raise WorkerKilledError from lost


def _forget_other_code() -> None:
    """Leave out of the places for imports, which the processes inherit, those with another copy of this package.

    MLflow puts the code that came with a model there when it loads one; a process would begin with that.
    """
    package = Path(__file__).parent
    sys.path[:] = [
        place for place in sys.path if Path(place).resolve() == package.parent or not Path(place, package.name).is_dir()
    ]


def _result_of(future: Future[Any]) -> Any:
    with _telling_the_killed():
        result, error, records = future.result()
    for record in records:
        logging.getLogger(record.name).handle(record)
    if error is not None:
        sent, where = error
        raised = sent if isinstance(sent, Exception) else _rebuild(*sent)
        raised.add_note(where)
        raise raised
    return result


def _begin(run: int, garbage: tuple[int, int, int]) -> None:
    """Look for garbage as the run does, and end this process when the run has ended.

    A killed run tells nobody, and results would wait for it for ever.
    """
    gc.set_threshold(*garbage)

    def watch() -> None:
        while os.getppid() == run:
            time.sleep(1)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _compute(file: Path, function: Callable[..., Any], unit: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Return the result of a unit, what it raised, what it logged; in a process of its own."""
    told: SimpleQueue[logging.LogRecord] = SimpleQueue()
    handler = QueueHandler(told)
    _PACKAGE.addHandler(handler)
    _PACKAGE.setLevel(logging.INFO)
    result, error = None, None
    try:
        result = function(_read(file), *unit, **options)
    except Exception as raised:  # of any type: it goes on where the result is asked for
        error = _as_sent(raised), traceback.format_exc()
    finally:
        _PACKAGE.removeHandler(handler)
    return result, error, [told.get() for _ in range(told.qsize())]


@lru_cache(maxsize=1)
def _read(file: Path) -> Any:
    return joblib.load(file, mmap_mode="r")


def _as_sent(error: Exception) -> Exception | _Parts:
    """Return an error, or what it is rebuilt from, or else its words: of these, the first that can be sent."""
    parts = type(error), error.args, error.__dict__
    with suppress(Exception):  # a constructor may want anything
        pickle.loads(pickle.dumps(error))
        return error
    with suppress(Exception):
        if str(_rebuild(*pickle.loads(pickle.dumps(parts)))) == str(error):
            return parts
    return RuntimeError(f"{type(error).__name__}: {error}")


def _rebuild(kind: type[Exception], args: tuple[Any, ...], state: dict[str, Any]) -> Exception:
    """Make an error again without its constructor, which may want other arguments than the error keeps."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error
