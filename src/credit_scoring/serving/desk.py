"""The officer's desk beside the server: a process of its own, started again when it ends, ended with the server."""

import contextlib
import importlib.util
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from credit_scoring.serving.parent import signal_with_parent
from credit_scoring.serving.pause import pause_after
from credit_scoring.serving.settings import SettingError

# What `credit-scoring desk` ends with if its settings are not in order: they would be the same the next time
_NOT_IN_ORDER = 2
_LONGEST_WAIT = 30.0
# Of those that come with the extra `desk`, the one that nothing else brings
_PACKAGE = "argon2"

logger = logging.getLogger("credit_scoring.serving")


def find_desk() -> Path:
    """Return the command that opens the desk, installed beside this Python.

    Raises:
        SettingError: If there is none, as in an image without the desk, or its packages are not installed.
    """
    command = Path(sys.executable).with_name("credit-scoring")
    missing = "" if command.exists() else str(command)
    if not missing and importlib.util.find_spec(_PACKAGE) is None:
        missing = f"the package {_PACKAGE}"
    if missing:
        raise SettingError(
            f"SERVING_DESK is on, and there is no desk here: {missing} is missing.\n"
            "Hint: docker build --build-arg DESK=1 makes an image with the desk, pip install 'credit-scoring[desk]' "
            "adds it to an environment; SERVING_DESK=off does without."
        )
    return command


class DeskProcess:
    """The desk as the server's main process sees it. The server goes on without it.

    Args:
        command: What opens it; null if there is to be none.
    """

    def __init__(self, command: Path | None) -> None:
        self._command = command
        self._pid: int | None = None
        self._started = self._start_at = 0.0
        self._failures = 0
        self._is_wanted = command is not None
        self._kill_by = float("inf")

    @property
    def lives(self) -> bool:
        """Whether there is a process."""
        return self._pid is not None

    def keep(self) -> None:
        """Start it if it is not there, and kill it if it does not end in time."""
        now = time.monotonic()
        if self.lives and now > self._kill_by:
            self._signal(signal.SIGKILL)
        if self.lives or not self._is_wanted or now < self._start_at or not self._command:
            return
        self._started, self._kill_by = now, float("inf")
        try:
            process = subprocess.Popen(
                [self._command, "desk"],
                process_group=0,  # so that a signal reaches its own processes too
                preexec_fn=lambda: signal_with_parent(signal.SIGTERM),  # noqa: PLW1509 - the main process has one thread
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
        except OSError as error:  # no memory, too many processes or files
            self._wait(f"cannot be started: {error}")
            return
        process.returncode = 0  # it is waited for with all other processes
        self._pid = process.pid

    def end(self, grace: float, *, for_good: bool) -> None:
        """Ask it to stop within so many seconds; for good, or to be started anew."""
        self._is_wanted = self._is_wanted and not for_good
        self._kill_by = time.monotonic() + grace
        self._signal(signal.SIGTERM)

    def notice(self, pid: int, status: int) -> None:
        """Take note of a process that has ended."""
        if pid != self._pid:
            return
        self._signal(signal.SIGKILL)  # its own processes, if it was killed
        self._pid = None
        if not self._is_wanted or self._kill_by < float("inf"):
            return
        if os.waitstatus_to_exitcode(status) == _NOT_IN_ORDER:
            self._is_wanted = False
            logger.error("The desk stays closed: its settings are not in order. The server goes on.")
        else:
            self._wait(f"has ended (status {os.waitstatus_to_exitcode(status)})")

    def _wait(self, what: str) -> None:
        self._failures = 0 if time.monotonic() - self._started > _LONGEST_WAIT else self._failures + 1
        wait = pause_after(self._failures, _LONGEST_WAIT)
        self._start_at = time.monotonic() + wait
        logger.error("The desk %s; it is started again in %d s. The server goes on.", what, wait)

    def _signal(self, number: signal.Signals) -> None:
        if self._pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing of it is left
                os.killpg(self._pid, number)
