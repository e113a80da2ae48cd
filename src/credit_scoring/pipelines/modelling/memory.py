"""How much memory a block of code takes."""

import os
import threading
from pathlib import Path
from typing import Self

_RESIDENT = Path("/proc/self/statm")
_SECONDS = 0.01


class PeakMemory:
    """Watch the resident memory of this process while a block runs.

    The kernel keeps a high-water mark, but of the whole process: what ran before could hide the block. So a thread
    looks every ten milliseconds, which costs nothing to code that computes outside Python. Memory that is taken over
    from an earlier block without growing is not seen.

    Attributes:
        megabytes: The largest growth seen since the block began; NaN where the system does not tell (only Linux does).
    """

    def __init__(self) -> None:
        self.megabytes = float("nan")
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        if _RESIDENT.exists():
            self._before = _resident_megabytes()
            self.megabytes = 0.0
            self._watcher = threading.Thread(target=self._watch, daemon=True)
            self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        if _RESIDENT.exists():
            self._ended.set()
            self._watcher.join()
            self._look()

    def _watch(self) -> None:
        while not self._ended.wait(_SECONDS):
            self._look()

    def _look(self) -> None:
        self.megabytes = max(self.megabytes, _resident_megabytes() - self._before)


def _resident_megabytes() -> float:
    return int(_RESIDENT.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
