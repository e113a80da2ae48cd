"""How a process ends with the one that started it."""

import ctypes
import signal
import sys


def die_with_parent(wanted: bool) -> None:
    """Ask Linux to kill this process when its parent dies, or no longer; elsewhere, it ends when it notices."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL if wanted else 0)  # PR_SET_PDEATHSIG
