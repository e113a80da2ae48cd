"""The comparison at full size: every candidate of the parameters has its turn, and keeps its result."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from benchmarks import harness, training
from benchmarks.harness import Cost

RESULT = {
    "training_rows": 800,
    "folds": [
        {
            "roc_auc": auc,
            "business_cost": 0.5,
            "fit_seconds": 2.0,
            "predict_seconds": 0.25,
            "fit_megabytes": 100.0,
        }
        for auc in (0.7, 0.8)
    ],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scratch folder with two files of rows, and two candidates of which one cannot be fitted."""
    rows = tmp_path / "project/data/05_model_input/home_credit"
    features = tmp_path / "project/data/04_feature/home_credit"
    for path in (rows, features):
        path.mkdir(parents=True)
    table = pd.DataFrame({"SK_ID_CURR": range(1000), "TARGET": 0, "X": 0.0, "Y": 0.0})
    for file in (rows / "permitted_training_rows", rows / "holdout_rows", features / "applicant_features"):
        table.to_parquet(f"{file}.parquet")
    monkeypatch.setattr(training, "candidates_of", lambda environment: {"good": {"family": "a"}, "bad": {}})
    monkeypatch.setattr(harness, "REPORT", tmp_path / "benchmarks.md")
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", SimpleNamespace(name="benchmarks.training"))
    return tmp_path


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    """Run the benchmark and return the candidates that were measured, as those that cannot be fitted fail."""
    measured = []

    def compare(project: Path, name: str, candidate: dict[str, Any]) -> tuple[Cost, dict[str, Any]]:
        measured.append(name)
        if name == "bad":
            raise RuntimeError("no such library")
        return Cost(wall=120, cpu=60, peak=1.5), RESULT

    monkeypatch.setattr(training, "compare", compare)
    monkeypatch.setattr("sys.argv", ["training", "--folder", str(folder), *words])
    training.main()
    return measured


def test_one_that_cannot_be_fitted_takes_no_other_down_and_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"Not measured: bad\."):
        run(folder, monkeypatch)
    assert "bad is left out: no such library" in capsys.readouterr().err
    text = (folder / "benchmarks.md").read_text()
    # 1,000 rows in two folds, 500 of them predicted in a quarter of a second
    assert "| good | 800 | 0.7500 | 0.5000 | 2.0 | 0.10 | 2,000 | 2.0 | 1.0 | 1.5 |" in text
    assert "1,000 training rows, 2 features" in text
    assert "The machine had other work: compare processor time, not wall time." in text
    assert "`python -m benchmarks.training --folder …`" in text
    assert "| bad" not in text


def test_what_was_measured_stands_only_for_the_same_candidate_and_rows(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(folder, monkeypatch, "--candidates", "good") == ["good"]
    assert run(folder, monkeypatch, "--candidates", "good", "--resume") == []
    assert run(folder, monkeypatch, "--candidates", "good") == ["good"]
    monkeypatch.setattr(training, "candidates_of", lambda environment: {"good": {"family": "b"}, "bad": {}})
    assert run(folder, monkeypatch, "--candidates", "good", "--resume") == ["good"]
    assert "`python -m benchmarks.training --folder … --candidates good`" in (folder / "benchmarks.md").read_text()
    stored = json.loads((folder / "training_good.json").read_text())
    assert stored["of"]["rows"] == {"training": 1000, "columns": 2}


def test_candidates_are_those_that_the_parameters_name() -> None:
    candidates = harness.candidates_of("kaggle")
    assert {*harness.parameters_of("base")["candidates"], "lightgbm_monotone"} <= set(candidates)
    assert candidates["random_forest"]["max_rows"] == 100_000
    assert candidates["lightgbm"]["imbalance"] == "none"


def test_without_features_the_hint_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"Hint: run `python -m benchmarks\.features` first\."):
        harness.split_rows(tmp_path / "project")
