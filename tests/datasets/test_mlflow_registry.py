"""What is registered in MLflow, and the folder that follows the champion."""

import dataclasses
import shutil
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from kedro.io import DatasetError
from mlflow import MlflowClient

from credit_scoring.datasets.mlflow_registry import MlflowIncumbentDataset, MlflowScorerDataset
from credit_scoring.exported_model.folder import open_model_folder
from credit_scoring.exported_model.manifest import check_manifest
from credit_scoring.scorer import ScorerRelease
from tests.exported_model.conftest import decide_at, make_release

NAME = "scorer_under_test"


@pytest.fixture(scope="module")
def release() -> ScorerRelease:
    return make_release()


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


def test_the_registered_model_tells_the_story_of_its_versions(
    run: mlflow.ActiveRun, tmp_path: Path, release: ScorerRelease
) -> None:
    facts = {**release.tags, "model": "trees", "holdout_business_cost": "0.51", "holdout_roc_auc": "0.77"}
    first = dataclasses.replace(release, tags=facts, description="Trees.\n\nPromoted: there is no champion yet.")
    dataset(tmp_path).save(first)
    later = "Trees again.\n\nNot promoted: no better than chance allows."
    dataset(tmp_path).save(dataclasses.replace(first, promoted=False, description=later))
    told = MlflowClient().get_registered_model(NAME).description.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in told if line.startswith("|")]
    assert [row[0] for row in rows[2:]] == ["2", "1"]
    assert rows[2][2:] == ["trees", "0.51", "0.77", "Not promoted: no better than chance allows."]
    assert rows[3][2:] == ["trees", "0.51", "0.77", "Promoted: there is no champion yet."]


def test_the_story_of_many_versions_fits_into_the_column_of_a_server_and_keeps_the_latest(
    run: mlflow.ActiveRun, tmp_path: Path, release: ScorerRelease
) -> None:
    client, reason = MlflowClient(), "Scorer.\n\nNot promoted: | as\ncostly, " + "and so on, " * 15
    client.create_registered_model(NAME)
    for _ in range(60):
        client.create_model_version(NAME, (tmp_path / "model").as_uri(), description=reason)
    dataset(tmp_path).save(dataclasses.replace(release, promoted=False))
    told = client.get_registered_model(NAME).description
    assert 4_500 < len(told) <= 5_000
    header, _, latest, *rows = [line for line in told.splitlines() if line.startswith("|")]
    assert latest.startswith("| 61 |")
    assert [row.split(" | ")[0] for row in rows] == [f"| {version}" for version in range(60, 60 - len(rows), -1)]
    assert {row.replace(r"\|", "").count("|") for row in rows} == {header.count("|")}
    assert all(r"Not promoted: \| as costly, and so on" in row for row in rows)
    assert told.endswith(f"\n\nEarlier versions, not listed: {60 - len(rows)}.")


def test_an_alias_that_is_still_due_is_given_unless_somebody_has_decided_otherwise(
    run: mlflow.ActiveRun, tmp_path: Path, release: ScorerRelease
) -> None:
    dataset(tmp_path).save(release)
    dataset(tmp_path).save(release)
    client = MlflowClient()
    for due, expected in (
        ("champion after none", {"champion": "2", "previous_champion": "1"}),
        ("champion after 7", {"champion": "2", "previous_champion": "1"}),
        ("champion after 2", {"champion": "1", "previous_champion": "2"}),
        ("challenger", {"champion": "1", "previous_champion": "2", "challenger": "1"}),
    ):
        client.set_model_version_tag(NAME, "1", "alias_due", due)
        assert dataset(tmp_path).export_champion() == expected["champion"]
        assert aliases() == expected
        assert "alias_due" not in client.get_model_version(NAME, "1").tags


def test_a_run_that_does_not_promote_brings_back_the_champion_if_the_folder_is_another_and_says_so(
    run: mlflow.ActiveRun, tmp_path: Path, release: ScorerRelease, caplog: pytest.LogCaptureFixture
) -> None:
    dataset(tmp_path).save(release)
    exported = check_manifest(tmp_path / "model")
    assert not caplog.records
    untracked = dataset(tmp_path)
    untracked._logging_activated = False
    untracked.save(release)
    other = open_model_folder(tmp_path / "model").identity["model_id"]
    dataset(tmp_path).save(dataclasses.replace(release, promoted=False))
    assert check_manifest(tmp_path / "model") == exported
    assert f"is not the registry's champion, version 1 of {NAME}" in caplog.text
    assert f"Found: model {other}." in caplog.text


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
    decided = pd.DataFrame({"SK_ID_CURR": [3, 1], "FOLD": [0, 1], "PROBABILITY": [0.25, 0.5], "REFUSED": [False, True]})
    dataset(tmp_path).save(dataclasses.replace(release, out_of_fold=decided))
    challenger = dataclasses.replace(release, promoted=False, tags={"compared_with": "1"}, out_of_fold=decided[:1])
    dataset(tmp_path).save(challenger)
    found = incumbent.load()
    assert (found.version, found.tags["threshold"], found.problem) == ("1", "0.4", "")
    pd.testing.assert_frame_equal(found.out_of_fold, decided)
    assert sorted(tags.get("compared_with", "") for tags in found.history) == ["", "1"]
    shutil.rmtree(tmp_path / "mlruns")
    broken = incumbent.load()
    assert broken.out_of_fold.empty
    assert broken.problem


def test_a_version_without_out_of_fold_decisions_is_no_broken_one(
    run: mlflow.ActiveRun, tmp_path: Path, release: ScorerRelease
) -> None:
    dataset(tmp_path).save(release)
    found = MlflowIncumbentDataset(registered_model_name=NAME).load()
    assert (found.out_of_fold.empty, found.problem) == (True, "")


def test_no_applicant_is_named_in_the_exported_folder(
    run: mlflow.ActiveRun, tmp_path: Path, release: ScorerRelease
) -> None:
    dataset(tmp_path).save(release)
    files = {path.name for path in (tmp_path / "model").iterdir()}
    dataset(tmp_path).save(dataclasses.replace(release, out_of_fold=pd.DataFrame({"SK_ID_CURR": [1]})))
    assert {path.name for path in (tmp_path / "model").iterdir()} == files
    assert dataset(tmp_path).export_champion() == "2"
    assert {path.name for path in (tmp_path / "model").iterdir()} == files


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
