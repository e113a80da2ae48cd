"""The load tests: of which model they are, and whose figures are published."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import decision_log, decisions, harness, serving
from benchmarks.serving import Load
from credit_scoring.decision_log import chain


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A folder with the example of another model."""
    example = {"dataframe_split": {"columns": ["X"], "data": [[1.5], [2.5]]}}
    (tmp_path / "serving_input_example.json").write_text(json.dumps(example))
    return tmp_path


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(harness, "REPORT", tmp_path / "benchmarks.md")
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", SimpleNamespace(name="benchmarks.serving"))
    return tmp_path / "benchmarks.md"


def test_the_figures_of_another_model_are_printed_and_not_published(
    other: Path, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serving.publish("serving", "Serving", "of another", other)
    assert not report.exists()
    assert "of another" in capsys.readouterr().out
    serving.publish("serving", "Serving", "of the exported one", serving.MODEL)
    assert "of the exported one" in report.read_text()


def test_requests_are_rows_of_the_example_of_the_model_served(other: Path) -> None:
    request = json.loads(serving.request_body(3, other, explain=True))
    assert request["dataframe_split"] == {"columns": ["X"], "data": [[1.5], [2.5], [1.5]]}
    assert request["params"] == {"explain": True}


@pytest.mark.parametrize("benchmark", [serving, decision_log, decisions])
def test_the_model_is_a_flag(
    benchmark: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["benchmark", "--help"])
    with pytest.raises(SystemExit):
        benchmark.main()
    assert "--model" in capsys.readouterr().out


def test_servers_without_and_with_a_log_serve_the_model_given(
    other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, sent = [], set()

    @contextmanager
    def server(front_end: str, *, model: Path, **settings: str) -> Iterator[tuple[int, int]]:
        served.append(model)
        yield 0, 0

    def load(port: int, body: bytes, *_: object) -> Load:
        sent.update(json.loads(body)["dataframe_split"]["columns"])
        return Load(np.array([0.002]), 0, 0.1)

    monkeypatch.setattr(decision_log, "server", server)
    monkeypatch.setattr(decision_log, "put_under_load", load)
    monkeypatch.setattr(decision_log, "DecisionLog", lambda url: SimpleNamespace(engine=None))
    monkeypatch.setattr(chain, "verify", lambda engine: SimpleNamespace(problem=None, n_records=0))
    lines = decision_log.measure_servers(tmp_path, 0.1, other)
    assert served == [other, other]
    assert sent == {"X"}
    assert "| 1 | 1 | 2.00 | 2.00 | 0.00 | 10 | 10 | 0 |" in lines
