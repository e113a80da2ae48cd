"""Memory of a block: what it took at its highest, apart from what the process held before or holds after."""

import time

import numpy as np
import pytest

from credit_scoring.pipelines.modelling import memory
from credit_scoring.pipelines.modelling.memory import PeakMemory


@pytest.mark.skipif(not memory._RESIDENT.exists(), reason="only Linux tells a process how much memory it holds")
def test_the_peak_of_a_block_is_seen_though_it_is_given_back() -> None:
    before = np.ones(20_000_000)
    with PeakMemory() as watched:
        inside = np.ones(25_000_000)  # 200 MB
        time.sleep(0.1)
        del inside
    assert watched.megabytes == pytest.approx(200, abs=40)
    with PeakMemory() as idle:
        time.sleep(0.03)
    assert idle.megabytes < 40
    assert before.sum() == 20_000_000


def test_a_system_that_does_not_tell_gives_nan(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(memory, "_RESIDENT", tmp_path / "missing")
    with PeakMemory() as watched:
        pass
    assert np.isnan(watched.megabytes)
