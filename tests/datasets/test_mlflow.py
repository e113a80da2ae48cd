"""What is written to MLflow and to the exported model folder."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from credit_scoring.datasets.mlflow import MlflowChildRunsDataset, MlflowMetricsJsonDataset, MlflowScorerDataset
from credit_scoring.models import build_model
from credit_scoring.scorer import CreditScorer, ScorerRelease

NAME = "scorer_under_test"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[mlflow.ActiveRun]:
    """Return an active run in a store of its own."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = mlflow.create_experiment("test", artifact_location=(tmp_path / "mlruns").as_uri())
    with mlflow.start_run(experiment_id=experiment, tags={"source": "synthetic", "git_commit": "abc"}) as active:
        yield active
    mlflow.set_tracking_uri(before)


@pytest.fixture(scope="module")
def release() -> ScorerRelease:
    X = pd.DataFrame(
        {
            "EXT_SOURCE_2": [0.1, 0.9, 0.2, 0.8, np.nan] * 8,
            "CNT_CHILDREN": pd.array([0, 1, 2, 0, 0] * 8, dtype="int32"),
            "OCCUPATION_TYPE": ["Drivers", None, "Managers", "Managers", "Drivers"] * 8,
        }
    )
    model = build_model("lightgbm", {"n_estimators": 5, "min_child_samples": 2}).fit(X, [1, 0, 1, 0, 1] * 8)
    return ScorerRelease(
        scorer=CreditScorer(model, {"threshold": 0.4}),
        example_rows=X,
        input_example=X.head(3),
        description="A scorer.",
        tags={"source": "synthetic", "threshold": "0.4"},
    )


def dataset(tmp_path: Path) -> MlflowScorerDataset:
    return MlflowScorerDataset(filepath=(tmp_path / "model").as_posix(), registered_model_name=NAME)


def test_a_saved_scorer_is_registered_as_champion_and_exported(
    run: mlflow.ActiveRun, tmp_path: Path, release: ScorerRelease
) -> None:
    dataset(tmp_path).save(release)
    version = MlflowClient().get_model_version_by_alias(NAME, "champion")
    assert (str(version.version), version.run_id, version.description) == ("1", run.info.run_id, "A scorer.")
    assert version.tags == {"source": "synthetic", "threshold": "0.4", "git_commit": "abc"}
    files = {path.name for path in (tmp_path / "model").iterdir()}
    assert {"MLmodel", "conda.yaml", "requirements.txt", "model.pkl", "serving_input_example.json"} <= files
    assert str(tmp_path) not in (tmp_path / "model" / "MLmodel").read_text()
    registered = mlflow.pyfunc.load_model(f"models:/{NAME}@champion").predict(
        release.input_example.astype({"CNT_CHILDREN": float})
    )
    expected = release.scorer.predict(release.input_example)
    pd.testing.assert_frame_equal(registered, expected)
    pd.testing.assert_frame_equal(dataset(tmp_path).load().predict(release.input_example), expected)


def test_the_next_version_takes_the_alias(run: mlflow.ActiveRun, tmp_path: Path, release: ScorerRelease) -> None:
    dataset(tmp_path).save(release)
    dataset(tmp_path).save(release)
    assert str(MlflowClient().get_model_version_by_alias(NAME, "champion").version) == "2"


def test_the_exported_model_needs_no_installed_project(tmp_path: Path, release: ScorerRelease) -> None:
    dataset(tmp_path).save(release)
    code = (
        "import sys, mlflow\n"
        "sys.meta_path = [f for f in sys.meta_path if 'credit_scoring' not in getattr(f, '__module__', '')]\n"
        "sys.path = [p for p in sys.path if not p.rstrip('/').endswith('/src')]\n"
        "import pandas as pd\n"
        "model = mlflow.pyfunc.load_model('model')\n"
        "import credit_scoring\n"
        "print(credit_scoring.__file__)\n"
        "print(model.predict(pd.DataFrame({'EXT_SOURCE_2': [0.1], 'CNT_CHILDREN': [0.0], "
        "'OCCUPATION_TYPE': ['Drivers']})).to_json(orient='records', double_precision=15))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    place, answer = done.stdout.strip().splitlines()
    assert "model/code" in place
    expected = release.scorer.predict(release.example_rows.head(1))
    assert json.loads(answer)[0]["probability_default"] == pytest.approx(
        expected["probability_default"].item(), rel=1e-12
    )


def test_without_tracking_the_folder_alone_is_written(tmp_path: Path, release: ScorerRelease) -> None:
    untracked = dataset(tmp_path)
    untracked._logging_activated = False
    untracked.save(release)
    assert (tmp_path / "model" / "model.pkl").is_file()
    assert not (tmp_path / "mlflow.db").exists()


def test_a_failed_export_leaves_the_previous_model(
    tmp_path: Path, release: ScorerRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset(tmp_path).save(release)
    before = (tmp_path / "model" / "model.pkl").read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(mlflow.sklearn, "save_model", fail)
    with pytest.raises(Exception, match="No space left"):
        dataset(tmp_path).save(release)
    assert (tmp_path / "model" / "model.pkl").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_each_candidate_is_a_child_run_with_its_folds_as_steps(run: mlflow.ActiveRun, tmp_path: Path) -> None:
    results = [
        {
            "family": "lightgbm",
            "params": {"n_estimators": 5},
            "mean": {"roc_auc": 0.75, "precision": float("nan")},
            "std": {"roc_auc": 0.05, "precision": float("nan")},
            "folds": [{"roc_auc": 0.7, "precision": float("nan")}, {"roc_auc": 0.8, "precision": 0.2}],
        }
    ]
    dataset = MlflowChildRunsDataset(filepath=(tmp_path / "results.json").as_posix())
    dataset.save(results)
    (child,) = MlflowClient().search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    assert child.info.run_name == "candidate lightgbm"
    assert child.info.status == "FINISHED"
    assert child.data.params == {"n_estimators": "5"}
    assert child.data.tags["source"] == "synthetic"
    assert child.data.metrics["roc_auc"] == 0.75
    assert child.data.metrics["roc_auc_std"] == 0.05
    folds = MlflowClient().get_metric_history(child.info.run_id, "fold_roc_auc")
    assert [(metric.step, metric.value) for metric in folds] == [(0, 0.7), (1, 0.8)]
    assert dataset.load()[0]["mean"] == {"roc_auc": 0.75, "precision": None}


def test_numbers_of_a_nested_result_become_metrics(run: mlflow.ActiveRun, tmp_path: Path) -> None:
    dataset = MlflowMetricsJsonDataset(filepath=(tmp_path / "evaluation.json").as_posix())
    dataset.save({"score": {"roc_auc": 0.7}, "policies": {"tuned": {"recall": 0.6, "name": "x"}}, "none": float("nan")})
    assert MlflowClient().get_run(run.info.run_id).data.metrics == {"score.roc_auc": 0.7, "policies.tuned.recall": 0.6}
    assert json.loads((tmp_path / "evaluation.json").read_text())["none"] is None
