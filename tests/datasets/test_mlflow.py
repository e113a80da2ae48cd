"""What is written to MLflow and to the exported model folder."""

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError
from mlflow import MlflowClient

from credit_scoring.datasets.exported_model import describe_columns
from credit_scoring.datasets.mlflow import (
    MlflowChildRunsDataset,
    MlflowIncumbentDataset,
    MlflowMetricsJsonDataset,
    MlflowRowsDataset,
    MlflowScorerDataset,
    MlflowTrialRunsDataset,
)
from credit_scoring.models import build_model
from credit_scoring.models.base import ScoringModel
from credit_scoring.models.calibration import Calibration
from credit_scoring.scorer import CreditScorer, ScorerRelease, digest_model
from credit_scoring.serving.manifest import check_manifest
from credit_scoring.serving.model_folder import open_model_folder

NAME = "scorer_under_test"


def decide_at(model: ScoringModel, threshold: float) -> CreditScorer:
    calibration = Calibration("none")
    return CreditScorer(model, calibration, {"threshold": threshold, "model_digest": digest_model(model, calibration)})


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
        scorer=decide_at(model, 0.4),
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


def aliases() -> dict[str, str]:
    return {alias: str(version) for alias, version in MlflowClient().get_registered_model(NAME).aliases.items()}


def test_a_promoted_version_takes_the_alias_and_the_one_before_keeps_another(
    run: mlflow.ActiveRun, tmp_path: Path, release: ScorerRelease
) -> None:
    dataset(tmp_path).save(release)
    dataset(tmp_path).save(release)
    assert aliases() == {"champion": "2", "previous_champion": "1"}


def test_a_version_that_is_not_promoted_is_registered_but_not_served(
    run: mlflow.ActiveRun, tmp_path: Path, release: ScorerRelease
) -> None:
    dataset(tmp_path).save(release)
    other = decide_at(release.scorer.model, 0.9)
    dataset(tmp_path).save(dataclasses.replace(release, scorer=other, promoted=False))
    assert aliases() == {"champion": "1", "challenger": "2"}
    assert dataset(tmp_path).load().decision_policy["threshold"] == 0.4


def test_the_incumbent_is_the_champion_with_its_tags(
    run: mlflow.ActiveRun, tmp_path: Path, release: ScorerRelease
) -> None:
    incumbent = MlflowIncumbentDataset(registered_model_name=NAME)
    assert incumbent.load() is None
    dataset(tmp_path).save(release)
    dataset(tmp_path).save(dataclasses.replace(release, promoted=False))
    found = incumbent.load()
    assert (found.version, found.tags["threshold"], found.problem) == ("1", "0.4", "")
    pd.testing.assert_frame_equal(
        found.scorer.predict(release.example_rows), release.scorer.predict(release.example_rows)
    )
    shutil.rmtree(tmp_path / "mlruns")
    broken = incumbent.load()
    assert broken.scorer is None
    assert broken.problem


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
            "name": "trees",
            "family": "lightgbm",
            "imbalance": "none",
            "target_features": False,
            "training_rows": 80,
            "to_best": {"roc_auc": {"estimate": -0.01, "low": -0.02, "high": 0.0}},
            "error": None,
            "params": {"n_estimators": 5},
            "mean": {"roc_auc": 0.75, "precision": float("nan")},
            "std": {"roc_auc": 0.05, "precision": float("nan")},
            "folds": [{"roc_auc": 0.7, "precision": float("nan")}, {"roc_auc": 0.8, "precision": 0.2}],
        }
    ]
    dataset = MlflowChildRunsDataset(filepath=(tmp_path / "results.json").as_posix())
    dataset.save(results)
    (child,) = MlflowClient().search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    assert child.info.run_name == "01 trees"
    assert child.data.tags["family"] == "lightgbm"
    assert child.data.metrics["roc_auc_to_best"] == -0.01
    assert child.info.status == "FINISHED"
    assert child.data.params == {"n_estimators": "5"}
    assert child.data.tags["source"] == "synthetic"
    assert child.data.metrics["roc_auc"] == 0.75
    assert child.data.metrics["roc_auc_std"] == 0.05
    folds = MlflowClient().get_metric_history(child.info.run_id, "fold_roc_auc")
    assert [(metric.step, metric.value) for metric in folds] == [(0, 0.7), (1, 0.8)]
    assert dataset.load()[0]["mean"] == {"roc_auc": 0.75, "precision": None}


def test_a_candidate_that_failed_is_a_failed_run_with_the_reason(run: mlflow.ActiveRun, tmp_path: Path) -> None:
    failed = {"name": "broken", "family": "xgboost", "imbalance": "none", "target_features": False, "training_rows": 0}
    failed |= {"params": {}, "mean": {}, "std": {}, "folds": [], "to_best": {}, "error": "No such library"}
    MlflowChildRunsDataset(filepath=(tmp_path / "results.json").as_posix()).save([failed])
    (child,) = MlflowClient().search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    assert child.info.status == "FAILED"
    assert child.data.tags["mlflow.note.content"] == "No such library"


def test_each_trial_is_a_run_below_its_search(run: mlflow.ActiveRun, tmp_path: Path) -> None:
    trials = [
        {"candidate": "trees", "number": 0, "state": "complete", "value": 0.5, "params": {}, "seconds": 1.0},
        {"candidate": "trees", "number": 1, "state": "pruned", "value": 0.6, "params": {"depth": 3}, "seconds": 1.0},
    ]
    MlflowTrialRunsDataset(filepath=(tmp_path / "trials.json").as_posix()).save(trials)
    client = MlflowClient()
    runs = client.search_runs([run.info.experiment_id])
    (search,) = [item for item in runs if item.data.tags.get("mlflow.parentRunId") == run.info.run_id]
    assert search.info.run_name == "search trees"
    assert [metric.step for metric in client.get_metric_history(search.info.run_id, "value")] == [0]
    below = [item for item in runs if item.data.tags.get("mlflow.parentRunId") == search.info.run_id]
    assert {item.info.run_name: item.data.params for item in below} == {
        "trees trial 00": {},
        "trees trial 01": {"depth": "3"},
    }


def test_a_suspicion_is_a_tag_of_the_run(run: mlflow.ActiveRun, tmp_path: Path) -> None:
    dataset = MlflowMetricsJsonDataset(filepath=(tmp_path / "diagnosis.json").as_posix(), prefix="diagnosis")
    dataset.save({"training": 0.9, "flags": ["AUC is 0.9, above 0.82"]})
    data = MlflowClient().get_run(run.info.run_id).data
    assert data.metrics == {"diagnosis.training": 0.9}
    assert data.tags["SUSPICIOUS"] == "AUC is 0.9, above 0.82"


def test_numbers_of_a_nested_result_become_metrics(run: mlflow.ActiveRun, tmp_path: Path) -> None:
    dataset = MlflowMetricsJsonDataset(filepath=(tmp_path / "evaluation.json").as_posix())
    dataset.save({"score": {"roc_auc": 0.7}, "policies": {"tuned": {"recall": 0.6, "name": "x"}}, "none": float("nan")})
    assert MlflowClient().get_run(run.info.run_id).data.metrics == {"score.roc_auc": 0.7, "policies.tuned.recall": 0.6}
    assert json.loads((tmp_path / "evaluation.json").read_text())["none"] is None


def test_the_folder_is_refreshed_from_the_registry(
    run: mlflow.ActiveRun, tmp_path: Path, release: ScorerRelease
) -> None:
    with pytest.raises(DatasetError, match="no champion of scorer_under_test"):
        dataset(tmp_path).export_champion()
    dataset(tmp_path).save(release)
    exported = check_manifest(tmp_path / "model")
    description = (tmp_path / "model" / "MLmodel").read_text()
    (tmp_path / "model" / "model.pkl").write_bytes(b"spoilt")
    assert dataset(tmp_path).export_champion() == "1"
    assert check_manifest(tmp_path / "model")
    assert (tmp_path / "model" / "MLmodel").read_text() == description
    assert check_manifest(tmp_path / "model") == exported
    assert dataset(tmp_path).load().decision_policy["threshold"] == 0.4


def test_an_exported_model_says_where_it_comes_from_and_what_it_takes(
    run: mlflow.ActiveRun, tmp_path: Path, release: ScorerRelease
) -> None:
    dataset(tmp_path).save(release)
    folder = open_model_folder(tmp_path / "model")
    assert folder.identity["run_id"] == run.info.run_id
    assert folder.identity["git_commit"] == "abc"
    assert folder.contract.parameters == {"explain": False, "language": "fr"}
    columns = {column.name: column for column in folder.contract.columns}
    assert {name: (column.is_text, column.required) for name, column in columns.items()} == {
        "EXT_SOURCE_2": (False, False),
        "CNT_CHILDREN": (False, True),
        "OCCUPATION_TYPE": (True, False),
    }
    assert columns["CNT_CHILDREN"].facts["unit"] == "count"
    assert columns["OCCUPATION_TYPE"].facts["categories"] == ["Drivers", "Managers"]
    assert columns["EXT_SOURCE_2"].facts["null_when"] == ["not given"]


def test_parameters_of_a_request_reach_the_scorer(
    tmp_path: Path, release: ScorerRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    untracked = dataset(tmp_path)
    untracked._logging_activated = False
    untracked.save(release)
    asked = []

    def predict(self: CreditScorer, X: pd.DataFrame, params: Mapping[str, Any]) -> pd.DataFrame:
        asked.append(params)
        return X

    served = mlflow.pyfunc.load_model((tmp_path / "model").as_posix())
    monkeypatch.setattr(type(served._model_impl), "predict", predict)
    rows = release.input_example.astype({"CNT_CHILDREN": float})
    mlflow.pyfunc.load_model((tmp_path / "model").as_posix()).predict(rows, params={"explain": True})
    assert asked == [{"explain": True, "language": "fr"}]


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("AMT_CREDIT", "currency of the data"),
        ("DAYS_BIRTH", "days, negative before the application"),
        ("HAS_BUREAU", "1 for yes, 0 for no"),
        ("INSTALLMENTS_PAYMENT_SUM_90D", ""),
        ("INSTALLMENTS_LATE_RATE_365D", "share, 0 to 1"),
        ("BUREAU_CLOSED_COUNT", "count"),
        ("APPLICATION_CREDIT_TO_ANNUITY_RATIO", "ratio"),
    ],
)
def test_a_unit_is_told_where_the_name_and_the_raw_columns_leave_no_doubt(name: str, unit: str) -> None:
    (column,) = describe_columns(pd.DataFrame({name: [1.0]}))
    assert column["unit"] == unit


def noted_rows(run_id: str) -> list[tuple[str, str, str]]:
    inputs = MlflowClient().get_run(run_id).inputs.dataset_inputs
    return [(noted.dataset.name, noted.dataset.digest, noted.tags[0].value) for noted in inputs]


def test_rows_are_inputs_of_the_run_and_the_training_rows_of_its_children(
    run: mlflow.ActiveRun, tmp_path: Path
) -> None:
    rows = pd.DataFrame({"SK_ID_CURR": [1, 2], "TEXT": ["a", None], "NUMBER": [0.5, np.nan]})
    for context in ("training", "holdout"):
        dataset = MlflowRowsDataset(context=context, filepath=(tmp_path / f"{context}_rows.parquet").as_posix())
        dataset.save(rows)
        pd.testing.assert_frame_equal(dataset.load(), rows)
    (name, digest, context), other = sorted(noted_rows(run.info.run_id), reverse=True)
    assert (name, context) == ("training_rows", "training")
    assert other == ("holdout_rows", digest, "holdout")
    trial = {"candidate": "a", "number": 0, "state": "complete", "value": 0.5, "params": {}, "seconds": 1.0}
    MlflowTrialRunsDataset(filepath=(tmp_path / "trials.json").as_posix()).save([trial])
    children = MlflowClient().search_runs([run.info.experiment_id], filter_string="attributes.run_name LIKE '%a%'")
    below = [child for child in children if child.info.run_id != run.info.run_id]
    assert {child.info.run_name for child in below} == {"search a", "a trial 00"}
    assert all(noted_rows(child.info.run_id) == [("training_rows", digest, "training")] for child in below)
    changed = MlflowRowsDataset(context="training", filepath=(tmp_path / "training_rows.parquet").as_posix())
    changed.save(rows.assign(NUMBER=[0.5, 1.0]))
    assert len({found[1] for found in noted_rows(run.info.run_id)}) == 2


def test_rows_are_only_written_where_nothing_is_tracked(run: mlflow.ActiveRun, tmp_path: Path) -> None:
    dataset = MlflowRowsDataset(context="training", filepath=(tmp_path / "rows.parquet").as_posix())
    dataset._logging_activated = False
    dataset.save(pd.DataFrame({"SK_ID_CURR": [1]}))
    assert len(dataset.load()) == 1
    assert noted_rows(run.info.run_id) == []
