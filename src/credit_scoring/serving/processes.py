"""The server's main process: starts a generation of workers, replaces it on request, ends it in time.

It imports nothing that computes, and so nothing that could keep it from hearing a signal.
"""

import contextlib
import itertools
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from credit_scoring.serving.desk import DeskProcess
from credit_scoring.serving.pause import pause_after
from credit_scoring.serving.settings import Settings

# To a generation. Stop: not ready at once, then finish, then close. Hand over: the next one takes requests already.
STOP, HAND_OVER = signal.SIGTERM, signal.SIGUSR1
FAILED, NOT_IN_ORDER = 1, 2
_LIFE_FILE = "life.json"
_TICK = 0.1
_LONGEST_WAIT = 30.0

logger = logging.getLogger("credit_scoring.serving")


@dataclass
class _Generation:
    """A generation as it is seen from outside: a process that holds the model, its workers, a channel to all of them.

    Attributes:
        name: What its files of counts begin with.
        pid: Of the process that holds the model, and of the process group.
        channel: Ends when the process and all workers have ended.
        is_reload: Whether it was asked for, and so may bring another model.
        digest: Of the model's manifest, once it is loaded.
        has_holder: Whether the process that holds the model lives.
        said: What it has said, as far as that is no whole line.
        failure: Why the model cannot be served.
        status: What the server ends with in that case, if it is the first.
        kill_by: When it is to be killed.
    """

    name: str
    pid: int
    channel: socket.socket
    is_reload: bool
    digest: str = ""
    has_holder: bool = True
    said: bytes = b""
    failure: str = ""
    status: int = FAILED
    kill_by: float = field(default=float("inf"))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and its workers."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing of it is left
            os.killpg(self.pid, number)


class Server:
    """Runs generations of workers, one at a time but for the switch.

    Args:
        settings: How the server runs.
        folder: For what the workers tell of the server.
        desk: The officer's desk, opened once the model is served.

    Raises:
        OSError: If the address or port cannot be had.
    """

    def __init__(self, settings: Settings, folder: Path, desk: DeskProcess) -> None:
        self._settings = settings
        self._desk = desk
        self._life = folder / _LIFE_FILE
        self._told: dict[str, Any] = {"reloads": {"switched": 0, "kept": 0}, "last_reload": None}
        self._names = itertools.count()
        self._listener = _bind(settings.host, settings.port)
        self._digest = ""  # of the manifest of the model that is served
        self._serving: _Generation | None = None
        self._coming: _Generation | None = None
        self._leaving: list[_Generation] = []
        self._signals: list[signal.Signals] = []
        self._stopping = False
        self._reload_asked = False
        self._status = 0
        self._failures = 0
        self._start_at = 0.0

    def run(self) -> int:
        """Serve until told to stop.

        Returns:
            0 after a stop that was asked for; if no model was ever served, 2 if its files are not in order, else 1.
        """
        wake, woken = socket.socketpair()
        with wake, woken:
            for end in (wake, woken):
                end.setblocking(False)
            signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
            try:
                return self._run_until_stopped(wake)
            finally:
                signal.set_wakeup_fd(-1)  # before the socket closes: a child may end after the last look

    def _run_until_stopped(self, wake: socket.socket) -> int:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda number, _: self._signals.append(signal.Signals(number)))
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._tell()
        while True:
            self._heed_signals()
            self._start_what_is_missing()
            open_channels = {generation.channel: generation for generation in self._all()}
            if self._digest:
                self._desk.keep()
            if self._stopping and not open_channels and not self._desk.lives:
                return self._status
            readable, _, _ = select.select([wake, *open_channels], [], [], _TICK)
            if wake in readable:
                wake.recv(4096)
            for channel in readable:
                if channel is not wake:
                    self._listen_to(open_channels[channel])
            self._reap()
            for generation in self._all():
                if time.monotonic() > generation.kill_by:
                    generation.signal(signal.SIGKILL)

    def _all(self) -> list[_Generation]:
        return [generation for generation in (self._serving, self._coming, *self._leaving) if generation]

    def _heed_signals(self) -> None:
        while self._signals:
            number = self._signals.pop(0)
            if number == signal.SIGHUP:
                self._reload_asked = not self._stopping
            elif self._stopping:
                logger.warning("%s again: the server ends at once.", number.name)
                for generation in self._all():
                    generation.kill_by = 0.0
                self._desk.end(0.0, for_good=True)
            else:
                logger.info("%s: the server stops within %d s.", number.name, self._settings.grace)
                self._stop(0)

    def _stop(self, status: int) -> None:
        self._stopping, self._status = True, status
        self._listener.close()
        for generation in self._all():
            self._end(generation, STOP)
        self._desk.end(self._settings.grace, for_good=True)

    def _end(self, generation: _Generation, number: signal.Signals) -> None:
        generation.signal(number)
        generation.kill_by = time.monotonic() + self._settings.grace + 0.5

    def _start_what_is_missing(self) -> None:
        """Start a generation if a reload is asked for, or if the process that holds the model has died."""
        if self._stopping or self._coming or time.monotonic() < self._start_at:
            return
        try:
            self._start_next()
        except OSError as error:  # no memory, too many processes or files
            self._wait_before_next(f"no process can be started: {error}")

    def _start_next(self) -> None:
        if self._reload_asked:
            logger.info("Reload: the model in %s is checked, loaded and tested.", self._settings.model)
            self._coming = self._start("", is_reload=True)
            self._reload_asked = False
        elif self._serving is None or not self._serving.has_holder:
            self._coming = self._start(self._digest, is_reload=False)

    def _start(self, expected: str, *, is_reload: bool) -> _Generation:
        ours, theirs = socket.socketpair()
        name, sockets = str(next(self._names)), (self._listener.fileno(), theirs.fileno())
        # A process group, so that a signal reaches the workers too, even if their parent is gone
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "credit_scoring.serving.generation"),
                *(name, expected, str(self._life), *map(str, sockets)),
            ],
            pass_fds=sockets,
            process_group=0,
            # More threads than one per worker would only wait for one another; and macOS ends forked processes that
            # its libraries have not prepared for it, if not told to let them be; and MLflow's lines are the server's
            env=os.environ
            | {"OMP_NUM_THREADS": "1", "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES", "MLFLOW_CONFIGURE_LOGGING": "0"},
        )
        process.returncode = 0  # it is waited for here, with all other processes that a first process inherits
        theirs.close()
        ours.setblocking(False)
        return _Generation(name, process.pid, ours, is_reload)

    def _listen_to(self, generation: _Generation) -> None:
        try:
            said = generation.channel.recv(4096)
        except OSError:
            said = b""
        if not said:
            self._forget(generation)
            return
        *lines, generation.said = (generation.said + said).split(b"\n")
        for line in lines:
            word, _, rest = line.decode().partition(" ")
            if word == "loaded":
                generation.digest = rest
            elif word == "failed":
                status, _, generation.failure = rest.partition(" ")
                generation.status = int(status)
            elif generation is self._coming:
                self._switch(generation)

    def _switch(self, generation: _Generation) -> None:
        """Let a generation whose workers answer take the place of the one before."""
        if self._serving:
            self._end(self._serving, HAND_OVER)
            self._leaving.append(self._serving)
        self._serving, self._coming, self._failures = generation, None, 0
        self._digest = generation.digest
        logger.info("The model with the manifest %s is served.", generation.digest)
        if generation.is_reload:
            self._tell_reload("switched", "")
            self._desk.end(self._settings.grace, for_good=False)  # it has the model that it read when it was started

    def _forget(self, generation: _Generation) -> None:
        """Close the books of a generation of which nothing is left."""
        generation.channel.close()
        # What it says of the present, such as requests in hand, is over; what it has counted stays
        for gauges in self._life.parent.glob(f"gauge_live*_{generation.name}-*.db"):
            gauges.unlink(missing_ok=True)
        if generation in self._leaving:
            self._leaving.remove(generation)
        elif generation is self._serving:
            self._serving = None
        elif generation is self._coming:
            self._coming = None
            self._bear_failure(generation)

    def _bear_failure(self, generation: _Generation) -> None:
        reason = generation.failure or "its process died"
        if self._stopping:
            return
        if generation.is_reload:
            logger.error("Reload: the model that was served goes on being served. %s", reason)
            self._tell_reload("kept", reason)
        elif not self._digest:
            logger.error("The server ends: no worker has become ready.")
            self._stop(generation.status)
        else:
            self._wait_before_next(reason)

    def _wait_before_next(self, reason: str) -> None:
        self._failures += 1
        wait = pause_after(self._failures, _LONGEST_WAIT)
        self._start_at = time.monotonic() + wait
        logger.error("The model cannot be loaded again; another try in %d s: %s", wait, reason)

    def _reap(self) -> None:
        """Wait for processes that have ended, also for those that came to a container's first process."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._desk.notice(pid, status)
            for generation in self._all():
                if generation.pid == pid:
                    generation.has_holder = False
                    if generation is self._serving and not self._stopping:
                        logger.error("The process that holds the model has died (status %d).", status)

    def _tell_reload(self, outcome: str, reason: str) -> None:
        self._told["reloads"][outcome] += 1
        self._told["last_reload"] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "outcome": outcome}
        if reason:
            self._told["last_reload"]["reason"] = reason
        self._tell()

    def _tell(self) -> None:
        new = self._life.with_suffix(".new")
        try:
            new.write_bytes(orjson.dumps(self._told))
            new.replace(self._life)
        except OSError as error:
            logger.error("What has happened cannot be told by /version: %s.", error)


def _bind(host: str, port: int) -> socket.socket:
    """Reserve an address; the first generation listens to it once it can answer."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    return listener
