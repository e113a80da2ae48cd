"""One loaded model and its workers: loads, tests, forks, and forks again what dies. Started by `processes`.

The workers are copies of a process that has checked, loaded and tested the model. So all of them answer with what was
checked, even if the folder changes; a worker that dies is replaced at once; and they share the model's memory.
"""

import logging
import mmap
import os
import shutil
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import orjson

from credit_scoring import garbage
from credit_scoring.decision_log.settings import LogError
from credit_scoring.exported_model.folder import ModelFolder
from credit_scoring.exported_model.loading import load_decider, use_code_of
from credit_scoring.exported_model.manifest import ModelFolderError
from credit_scoring.serving import metrics
from credit_scoring.serving.application import Application
from credit_scoring.serving.checking import check_model
from credit_scoring.serving.front_ends import FRONT_ENDS, FrontEnd
from credit_scoring.serving.log import configure_log
from credit_scoring.serving.parent import die_with_parent
from credit_scoring.serving.pause import pause_after
from credit_scoring.serving.processes import FAILED, HAND_OVER, NOT_IN_ORDER, STOP
from credit_scoring.serving.recorders import make_recorder
from credit_scoring.serving.self_test import run_self_test
from credit_scoring.serving.settings import Settings, read_settings
from credit_scoring.serving.worker import work

_BACKLOG = 2048
_TICK = 0.1
# A worker that lives for less has died early, as has one that was never ready; so many may before the next has to
# wait, each twice as long as the last
_EARLY_SECONDS, _EARLY_DEATHS, _LONGEST_WAIT = 1.0, 4, 2.0

logger = logging.getLogger("credit_scoring.serving")


@dataclass
class _Worker:
    pid: int
    started: float


class Generation:
    """Keeps workers running.

    Args:
        settings: How the server runs.
        name: What tells its counts from those of other generations.
        listener: Socket that the workers take connections from.
        channel: To the server's main process; ends when that has died.
    """

    def __init__(self, settings: Settings, name: str, listener: socket.socket, channel: socket.socket) -> None:
        self._settings = settings
        self._name = name
        self._listener = listener
        self._channel = channel
        self._workers: list[_Worker | None] = [None] * settings.workers
        self._beats = mmap.mmap(-1, 8 * settings.workers)
        self._early_deaths = 0
        self._next_start = 0.0
        self._stop_by: float | None = None
        self._was_ready = False

    def run(self, application: Application) -> int:
        """Run workers until told to stop, or until none has ever become ready."""
        for number in (STOP, HAND_OVER):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._channel.setblocking(False)
        last = time.monotonic()
        while True:
            now = time.monotonic()
            if now - last > 10 * _TICK:  # this process was asleep, and so may have been the workers
                for worker in filter(None, self._workers):
                    worker.started = now
            last = now
            self._look_after_workers(now)
            if self._stop_by is None:
                if self._early_deaths > _EARLY_DEATHS and not self._was_ready:
                    self._kill_all()
                    return _fail(self._channel, FAILED, "No worker becomes ready.")
                self._start_workers(now, application)
                if self._server_is_gone():
                    os.killpg(0, STOP)
                    # Nobody else is left to do it; the workers do without
                    shutil.rmtree(os.environ[metrics.FOLDER_VARIABLE], ignore_errors=True)
            elif not any(self._workers):
                return 0
            elif now > self._stop_by:
                self._kill_all()
            time.sleep(_TICK)

    def _start_workers(self, now: float, application: Application) -> None:
        for slot, worker in enumerate(self._workers):
            if worker is not None or now < self._next_start:
                continue
            self._set_beat(slot, 0.0)
            # A signal to stop must find either no worker, or one that listens
            signal.pthread_sigmask(signal.SIG_BLOCK, (STOP, HAND_OVER))
            try:
                if self._stop_by is None:
                    pid = os.fork()
                    if pid == 0:
                        self._be_worker(slot, application)
                    self._workers[slot] = _Worker(pid, now)
            except OSError as error:  # no memory, or too many processes
                logger.error("A worker cannot be started: %s.", error)
                self._next_start = now + _LONGEST_WAIT
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (STOP, HAND_OVER))

    def _be_worker(self, slot: int, application: Application) -> None:
        status = FAILED
        try:
            metrics.begin_worker(f"{self._name}-{slot}", application.identity)
            logger.info("Worker %d answers.", os.getpid())
            work(
                self._settings,
                application,
                self._listener,
                self._channel,
                lambda: self._set_beat(slot, time.monotonic()),
            )
            status = 0
        except BaseException:
            logger.exception("Worker %d ends.", os.getpid())
        finally:
            os._exit(status)

    def _look_after_workers(self, now: float) -> None:
        for slot, worker in enumerate(self._workers):
            if worker is None:
                continue
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            beat = self._beat(slot)
            if pid:
                self._workers[slot] = None
                if self._stop_by is None:
                    self._count_death(worker, os.waitstatus_to_exitcode(status), now)
            elif now - max(beat, worker.started) > self._settings.timeout:
                logger.error("Worker %d has given no sign of life for %d s.", worker.pid, self._settings.timeout)
                os.kill(worker.pid, signal.SIGKILL)
        if not self._was_ready and all(self._beat(slot) for slot in range(len(self._workers))):
            self._was_ready = True
            self._channel.send(b"ready\n")

    def _count_death(self, worker: _Worker, code: int, now: float) -> None:
        cause = signal.Signals(-code).name if code < 0 else f"status {code}"
        metrics.count_worker_death(cause)
        is_early = not self._was_ready or now - worker.started < _EARLY_SECONDS
        self._early_deaths = self._early_deaths + 1 if is_early else 0
        wait = pause_after(self._early_deaths - _EARLY_DEATHS, _LONGEST_WAIT)
        self._next_start = now + wait
        logger.error("Worker %d has died (%s). Another starts in %d s.", worker.pid, cause, wait)

    def _server_is_gone(self) -> bool:
        try:
            return self._channel.recv(1) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as signal handlers are called
        if self._stop_by is None:
            self._listener.close()
            self._stop_by = time.monotonic() + self._settings.grace + 0.2

    def _kill_all(self) -> None:
        for worker in filter(None, self._workers):
            logger.error("Worker %d has not ended in time and is killed.", worker.pid)
            os.kill(worker.pid, signal.SIGKILL)

    def _beat(self, slot: int) -> float:
        return float(struct.unpack_from("d", self._beats, 8 * slot)[0])

    def _set_beat(self, slot: int, value: float) -> None:
        struct.pack_into("d", self._beats, 8 * slot, value)


def load_front_end(folder: ModelFolder, settings: Settings) -> FrontEnd:
    """Load and test a model that has been checked.

    Raises:
        ModelFolderError: If it cannot be served.
    """
    use_code_of(folder.manifest)
    front_end = FRONT_ENDS[settings.front_end](folder)
    run_self_test(folder, front_end, settings.other_versions)
    return front_end


def main() -> int:
    """Check, load and test the model, say so, and run its workers.

    Arguments: what tells the counts of this generation from those of others; the digest that the model's manifest must
    have, or nothing; the file with what has happened to the server; the numbers of the two sockets of `Generation`.

    Returns:
        0 after a stop that was asked for, 2 if the files of the model are not in order, 1 if it cannot be served for
        another reason.
    """
    name, expected, life = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    listener, channel = (socket.socket(fileno=int(number)) for number in sys.argv[4:6])
    die_with_parent(True)  # nobody else could end it in the middle of loading
    configure_log()
    settings = read_settings()
    try:
        folder = check_model(settings.model, settings.other_versions)
        if expected not in ("", folder.identity["manifest_sha256"]):
            raise ModelFolderError(
                f"{settings.model} holds another model than the one that is served, whose manifest is {expected}.\n"
                "Hint: send the server SIGHUP to serve the new one, or put the old one back."
            )
    except ModelFolderError as error:
        return _fail(channel, NOT_IN_ORDER, str(error))
    try:
        front_end = load_front_end(folder, settings)
        decider = load_decider(folder.manifest, front_end.scorer)
        recorder = make_recorder(folder)
        metrics.name_process(name)
        listener.listen(_BACKLOG)
    except LogError as error:
        return _fail(channel, NOT_IN_ORDER, str(error))
    except ModelFolderError as error:
        return _fail(channel, FAILED, str(error))
    except Exception as error:
        logger.exception("The model cannot be loaded.")
        return _fail(channel, FAILED, f"The model cannot be loaded: {type(error).__name__}: {error}")
    since = {"model_since": datetime.now(UTC).isoformat(timespec="seconds")}
    application = Application(
        settings, folder, front_end, decider, lambda: since | orjson.loads(life.read_bytes()), recorder
    )
    garbage.settle()
    channel.sendall(f"loaded {folder.identity['manifest_sha256']}\n".encode())
    die_with_parent(False)  # from here on it ends its workers first
    return Generation(settings, name, listener, channel).run(application)


def _fail(channel: socket.socket, status: int, message: str) -> int:
    logger.error("%s", message)
    channel.sendall(f"failed {status} {' '.join(message.split())[:1000]}\n".encode())
    return status


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    os._exit(status)  # to take the model apart would only take time
