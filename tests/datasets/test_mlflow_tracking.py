"""What is noted in a run."""

import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient

from credit_scoring.datasets.mlflow_tracking import (
    MlflowChildFiguresDataset,
    MlflowChildRunsDataset,
    MlflowResultsDataset,
    MlflowRowsDataset,
    MlflowTrialRunsDataset,
)
from credit_scoring.figures import new_figure


def test_each_candidate_is_a_child_run_with_its_folds_as_steps(run: mlflow.ActiveRun, tmp_path: Path) -> None:
    results = [
        {
            "name": "trees",
            "family": "lightgbm",
            "imbalance": "none",
            "complexity": "monotone",
            "target_features": False,
            "training_rows": 80,
            "to_best": {"roc_auc": {"estimate": -0.01, "low": -0.02, "high": 0.0}},
            "left_out": {},
            "error": None,
            "params": {"n_estimators": 5},
            "mean": {"roc_auc": 0.75, "precision": float("nan"), "columns_needed": 25.0, "ms_per_row": 0.5},
            "std": {"roc_auc": 0.05, "precision": float("nan")},
            "folds": [
                {"roc_auc": 0.7, "precision": float("nan"), "fit_seconds": 40.0, "predict_seconds": 1.5},
                {"roc_auc": 0.8, "precision": 0.2, "fit_seconds": 30.0, "predict_seconds": 0.5},
            ],
        }
    ]
    dataset = MlflowChildRunsDataset(filepath=(tmp_path / "results.json").as_posix())
    dataset.save(results)
    (child,) = MlflowClient().search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    assert child.info.run_name == "01 trees"
    assert child.data.tags["family"] == "lightgbm"
    assert (child.data.tags["complexity"], child.data.tags["by_hand"]) == ("monotone", "no")
    assert (child.data.metrics["columns_needed"], child.data.metrics["ms_per_row"]) == (25.0, 0.5)
    assert child.data.metrics["roc_auc_to_best"] == -0.01
    assert child.info.status == "FINISHED"
    assert child.info.end_time - child.info.start_time == 72_000  # what the folds took
    assert child.data.params == {"n_estimators": "5"}
    assert child.data.tags["source"] == "synthetic"
    assert "left_out" not in child.data.tags
    assert child.data.metrics["roc_auc"] == 0.75
    assert child.data.metrics["roc_auc_std"] == 0.05
    folds = MlflowClient().get_metric_history(child.info.run_id, "fold_roc_auc")
    assert [(metric.step, metric.value) for metric in folds] == [(0, 0.7), (1, 0.8)]
    assert dataset.load()[0]["mean"] == {"roc_auc": 0.75, "precision": None, "columns_needed": 25.0, "ms_per_row": 0.5}


def test_members_of_a_blend_are_parameters_by_their_path(run: mlflow.ActiveRun, tmp_path: Path) -> None:
    members = {"trees": {"family": "lightgbm", "params": {"num_leaves": 7}, "n_seeds": 3}}
    result = {"name": "blend", "family": "blend", "imbalance": "none", "target_features": False, "training_rows": 80}
    result |= {
        "complexity": "blend",
        "params": {"members": members},
        "mean": {},
        "std": {},
        "folds": [],
        "to_best": {},
        "left_out": {"linear": "ValueError: C must be positive"},
        "error": None,
    }
    MlflowChildRunsDataset(filepath=(tmp_path / "results.json").as_posix()).save([result])
    (child,) = MlflowClient().search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    assert child.data.params == {
        "members.trees.family": "lightgbm",
        "members.trees.params.num_leaves": "7",
        "members.trees.n_seeds": "3",
    }
    assert child.data.tags["left_out"] == "linear"
    note = "Rank 1 of 1 by business cost.\n\nWithout member linear: ValueError: C must be positive"
    assert child.data.tags["mlflow.note.content"] == note


def test_a_candidate_that_failed_is_a_failed_run_with_the_reason(run: mlflow.ActiveRun, tmp_path: Path) -> None:
    failed = {"name": "broken", "family": "xgboost", "imbalance": "none", "target_features": False, "training_rows": 0}
    failed |= {
        "complexity": None,
        "params": {},
        "mean": {},
        "std": {},
        "folds": [],
        "to_best": {},
        "left_out": {},
        "error": "No such library",
    }
    MlflowChildRunsDataset(filepath=(tmp_path / "results.json").as_posix()).save([failed])
    (child,) = MlflowClient().search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    assert child.info.status == "FAILED"
    assert child.data.tags["mlflow.note.content"] == "No such library"
    assert "complexity" not in child.data.tags


def test_each_trial_is_a_run_below_its_search(run: mlflow.ActiveRun, tmp_path: Path) -> None:
    trials = [
        {"candidate": "trees", "number": 0, "state": "complete", "value": 0.5, "params": {"depth": 2}, "seconds": 1.0},
        {"candidate": "trees", "number": 1, "state": "pruned", "value": 0.6, "params": {"depth": 3}, "seconds": 1.0},
    ]
    trials = [{**trial, "metric": "log_loss", "hand_set": trial["number"] == 0} for trial in trials]
    MlflowTrialRunsDataset(filepath=(tmp_path / "trials.json").as_posix()).save(trials)
    client = MlflowClient()
    runs = client.search_runs([run.info.experiment_id])
    (search,) = [item for item in runs if item.data.tags.get("mlflow.parentRunId") == run.info.run_id]
    assert search.info.run_name == "search trees"
    assert [metric.step for metric in client.get_metric_history(search.info.run_id, "value")] == [0]
    below = [item for item in runs if item.data.tags.get("mlflow.parentRunId") == search.info.run_id]
    assert {item.info.run_name: item.data.params for item in below} == {
        "trees trial 00": {"depth": "2"},
        "trees trial 01": {"depth": "3"},
    }
    assert {item.data.metrics["value"] for item in below} == {0.5, 0.6}
    assert {item.info.end_time - item.info.start_time for item in below} == {1000}
    assert search.info.end_time - search.info.start_time == 2000
    assert {item.data.tags["metric"] for item in below} == {"log_loss"}
    assert {item.info.run_name: item.data.tags["hand_set"] for item in below} == {
        "trees trial 00": "True",
        "trees trial 01": "False",
    }


def test_a_suspicion_is_a_tag_of_the_run(run: mlflow.ActiveRun, tmp_path: Path) -> None:
    dataset = MlflowResultsDataset(filepath=(tmp_path / "diagnosis.json").as_posix())
    dataset.save({"training": 0.9, "flags": ["AUC is 0.9, above 0.82"]})
    data = MlflowClient().get_run(run.info.run_id).data
    assert data.metrics == {}
    assert data.tags["SUSPICIOUS"] == "AUC is 0.9, above 0.82"


def test_the_headline_of_a_result_becomes_metrics_and_all_results_are_one_artefact(
    run: mlflow.ActiveRun, tmp_path: Path
) -> None:
    headline = {"holdout_auc": "score.roc_auc", "holdout_cost": "policies.tuned.cost", "absent": "policies.half.cost"}
    evaluation = MlflowResultsDataset(filepath=(tmp_path / "evaluation.json").as_posix(), headline=headline)
    measured = {"score": {"roc_auc": 0.7}, "policies": {"tuned": {"cost": 0.5, "name": "x"}}, "none": float("nan")}
    evaluation.save(measured)
    MlflowResultsDataset(filepath=(tmp_path / "amounts.json").as_posix()).save({"margin": 0.045})
    assert MlflowClient().get_run(run.info.run_id).data.metrics == {"holdout_auc": 0.7, "holdout_cost": 0.5}
    kept = mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/results.json")
    assert kept == {"evaluation": measured | {"none": None}, "amounts": {"margin": 0.045}}
    assert json.loads((tmp_path / "evaluation.json").read_text())["none"] is None


def test_a_figure_of_each_candidate_is_in_its_child_run(run: mlflow.ActiveRun, tmp_path: Path) -> None:
    bare = {"family": "lightgbm", "imbalance": "none", "target_features": False, "training_rows": 80, "params": {}}
    bare |= {"complexity": None, "std": {}, "folds": [], "to_best": {}, "left_out": {}, "mean": {}}
    fitted, broken = ("trees", "linear"), ("broken", "broken too", "broken as well")
    results = [{"name": name, "error": None, **bare} for name in fitted]
    results += [{"name": name, "error": "No such library", **bare} for name in broken]
    MlflowChildRunsDataset(filepath=(tmp_path / "results.json").as_posix()).save(results)
    figures = {name: new_figure(figsize=(2, 1)) for name in fitted}
    MlflowChildFiguresDataset(name="out_of_fold").save(figures)
    client = MlflowClient()
    children = client.search_runs([run.info.experiment_id], "tags.candidate != ''")
    found = {
        child.data.tags["candidate"]: [file.path for file in client.list_artifacts(child.info.run_id, "figures")]
        for child in children
    }
    assert found == {name: ["figures/out_of_fold.png"] for name in fitted} | {name: [] for name in broken}
    untracked = MlflowChildFiguresDataset(name="other")
    untracked._logging_activated = False
    untracked.save(figures)
    (trees,) = [child.info.run_id for child in children if child.data.tags["candidate"] == "trees"]
    assert [file.path for file in client.list_artifacts(trees, "figures")] == ["figures/out_of_fold.png"]


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
    trial = {
        "candidate": "a",
        "number": 0,
        "hand_set": True,
        "state": "complete",
        "metric": "log_loss",
        "value": 0.5,
        "params": {},
        "seconds": 1.0,
    }
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
