"""MLflow's pages are pictured where there is a browser, and a run goes on where there is none or it fails."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pytest
from kedro.io import DatasetError
from mlflow import MlflowClient
from PIL import Image

from credit_scoring.datasets.mlflow_pages import _BROWSERS, MlflowScreenshotsDataset, _draw


@pytest.fixture
def run(tmp_path: Path) -> Iterator[mlflow.ActiveRun]:
    """Return an active run with two candidates below it, in a store of its own."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = mlflow.create_experiment("test", artifact_location=(tmp_path / "mlruns").as_uri())
    client = MlflowClient()
    with mlflow.start_run(experiment_id=experiment) as active:
        for name, cost in (("a", 0.5), ("b", 0.6)):
            tags = {"mlflow.parentRunId": active.info.run_id, "family": name}
            child = client.create_run(experiment, run_name=name, tags=tags)
            client.log_metric(child.info.run_id, "business_cost", cost)
        client.create_registered_model("scorer_under_test")
        yield active
    mlflow.set_tracking_uri(before)


def dataset() -> MlflowScreenshotsDataset:
    return MlflowScreenshotsDataset(registered_model_name="scorer_under_test", metrics=["business_cost", "roc_auc"])


def test_nothing_is_pictured_without_a_tracked_run(run: mlflow.ActiveRun) -> None:
    untracked = dataset()
    untracked._logging_activated = False
    assert untracked.load() == {}
    mlflow.end_run()
    assert dataset().load() == {}


def test_without_a_browser_the_log_says_so(
    run: mlflow.ActiveRun, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with caplog.at_level(logging.INFO):
        assert dataset().load() == {}
    (record,) = [record for record in caplog.records if "MLflow" in record.message]
    assert record.levelname == "INFO"
    assert record.message == "No pictures of MLflow: no Chromium on the PATH. The report has a table instead."


def test_a_browser_that_fails_costs_one_warning(
    run: mlflow.ActiveRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "bin" / "chromium"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}:/usr/bin:/bin")
    assert dataset().load() == {}
    (warning,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert "exit status 3" in warning
    assert f"Hint: does `{broken} --headless` work here?" in warning


def test_the_page_of_runs_shows_the_latest_comparison(run: mlflow.ActiveRun) -> None:
    experiment = run.info.experiment_id
    pages, settings = dataset()._pages(experiment)
    assert run.info.run_id in pages["runs"]
    assert "orderByKey=metrics.%60business_cost%60&orderByAsc=true" in pages["runs"]
    assert pages["model"] == "/models/scorer_under_test"
    (state,) = [value for key, value in settings.items() if key.endswith("ReactComponentState")]
    assert '"selectedColumns": ["metrics.`business_cost`", "metrics.`roc_auc`"]' in state
    empty = mlflow.create_experiment("no candidates")
    assert set(dataset()._pages(empty)[0]) == {"model"}


def test_an_empty_page_is_no_picture(tmp_path: Path) -> None:
    Image.new("RGB", (1500, 760), "white").save(tmp_path / "empty.png")
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\ncp {tmp_path}/empty.png {tmp_path}/runs.png\n")
    browser.chmod(0o755)
    with pytest.raises(RuntimeError, match="the page of the runs stayed empty"):
        _draw(str(browser), "http://127.0.0.1:1", "runs", tmp_path)


@pytest.mark.skipif(not any(map(shutil.which, _BROWSERS)), reason="no Chromium here")
def test_both_pages_are_pictured(run: mlflow.ActiveRun) -> None:
    pictures = dataset().load()
    assert {name: picture.size for name, picture in pictures.items()} == {"runs": (1500, 760), "model": (1500, 700)}
    for picture in pictures.values():
        main = np.asarray(picture.convert("L"))[:, 220:]  # right of the menu
        assert (main < 100).mean() > 0.002, "an empty page"


def test_pages_cannot_be_saved() -> None:
    with pytest.raises(DatasetError, match="are taken, not saved"):
        dataset().save({})  # type: ignore[arg-type]
