"""How often a process collects garbage, and that every module that starts one sets it first."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import credit_scoring

SOURCE = Path(credit_scoring.__file__).parent
STARTS = [
    SOURCE / "settings.py",
    *(path for path in SOURCE.rglob("*.py") if '__name__ == "__main__"' in path.read_text()),
]


@pytest.mark.parametrize("path", STARTS, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_what_starts_a_process_imports_it_before_all_else_of_the_project(path: Path) -> None:
    first = re.search(r"^(?:import|from) credit_scoring\S*(?: import \w+)?", path.read_text(), re.MULTILINE)
    assert first
    assert first[0] in ("import credit_scoring.garbage", "from credit_scoring import garbage")


def test_it_is_looked_for_seldom_until_all_is_loaded_and_then_as_usual() -> None:
    told = """
import gc
usual = gc.get_threshold()
from credit_scoring.garbage import settle
assert gc.get_threshold()[0] == 100_000 > usual[0]
kept = [[number] for number in range(1000)]
assert gc.is_tracked(kept) and any(one is kept for one in gc.get_objects())
settle()
assert gc.get_threshold() == usual
assert gc.get_freeze_count() > 1000 and not any(one is kept for one in gc.get_objects())

class Loop:
    def __init__(self):
        self.itself = self
    def __del__(self):
        print("collected")

Loop()
made = [[number] for number in range(usual[0] * 2)]
print("end")
"""
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (["collected", "end"], "")
