"""A run says in one line per node what it did, and what it is doing where that takes long."""

import re

import pytest
from kedro.pipeline import Node, Pipeline

from credit_scoring import run_log
from credit_scoring.run_log import RunLogHooks, tell_progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time, in a list that a test may change."""
    now = [0.0]
    monkeypatch.setattr(run_log.time, "monotonic", lambda: now[0])
    return now


def test_a_line_per_node_has_its_number_name_and_seconds(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    first, second = Node(abs, "a", "b", name="first"), Node(abs, "b", ["c", "d"], name="second")
    hooks = RunLogHooks()
    with caplog.at_level("INFO", logger=run_log.__name__):
        hooks.before_pipeline_run(Pipeline([first, second]))
        hooks.before_dataset_loaded(first)
        hooks.before_node_run(first)
        clock[0] = 1.25
        hooks.before_dataset_loaded(second)
        clock[0] = 3.5
        hooks.after_pipeline_run()
    lines = [re.sub(" +", " ", message.strip()) for message in caplog.messages]
    assert lines == ["1/2 first 1.2 s", "2/2 second 2.2 s"]
    assert all(len(message) <= 60 for message in caplog.messages)


def test_a_run_after_a_failed_one_tells_nothing_of_it(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    failed, other = Node(abs, "a", "b", name="failed"), Node(abs, "a", "b", name="other")
    hooks = RunLogHooks()
    with caplog.at_level("INFO", logger=run_log.__name__):
        hooks.before_pipeline_run(Pipeline([failed]))
        hooks.before_dataset_loaded(failed)
        hooks.on_pipeline_error()
        hooks.before_pipeline_run(Pipeline([other]))
        hooks.before_dataset_loaded(other)
        hooks.after_pipeline_run()
    assert [message.split()[:2] for message in caplog.messages] == [["1/1", "other"]]


def test_a_node_that_takes_long_is_named_before_it_has_ended(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(run_log, "PATIENCE", 0.0)
    hooks, node = RunLogHooks(), Node(abs, "a", "b", name="slow")
    with caplog.at_level("INFO", logger=run_log.__name__):
        hooks.before_pipeline_run(Pipeline([node]))
        hooks.before_dataset_loaded(node)
        hooks._waiting.join(10)
        assert caplog.messages[0].split() == ["1/1", "slow", "…"]
        hooks.on_pipeline_error()


def test_progress_is_told_only_when_some_seconds_have_passed(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger=run_log.__name__):
        seen = []
        for item in tell_progress("abcdef", "letters"):
            seen.append(item)
            clock[0] += 1.5
    assert seen == list("abcdef")
    assert [message.strip() for message in caplog.messages] == ["2 of 6 letters", "4 of 6 letters"]
