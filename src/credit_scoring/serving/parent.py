"""How a process ends with the one that started it."""

import ctypes
import signal
import sys


def signal_with_parent(number: int) -> None:
    """Ask Linux for a signal to this process when its parent dies, 0 for none; elsewhere, nothing is sent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, number)  # PR_SET_PDEATHSIG


def die_with_parent(wanted: bool) -> None:
    """Ask Linux to kill this process when its parent dies, or no longer; elsewhere, it ends when it notices."""
    signal_with_parent(signal.SIGKILL if wanted else 0)
