"""Both pages of MLflow are pictured as a person sees them, and each picture says of which run it is."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient
from PIL import Image

pytest.importorskip("playwright", reason="needs `make install`")

from playwright.sync_api import TimeoutError, sync_playwright

from tests.stores import make_store
from tools import screenshots
from tools.screenshots import BROWSERS, SHOT, SHOWN, find_browser, take_pictures

SLOW_PAGE = """
<button onclick="open_list()">Columns</button>
<script>
    let times = 0
    function open_list() {
        const list = document.body.appendChild(document.createElement("div"))
        list.role = "dialog"
        list.innerHTML = times++ ? "<label><input type=checkbox>roc_auc</label>" : "nothing yet"
    }
    document.onkeydown = () => document.querySelector("[role=dialog]").remove()
</script>
"""
"""Its list of columns is incomplete the first time."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[str]:
    """Point MLflow at an empty store and return its experiment."""
    before = mlflow.get_tracking_uri()
    make_store(tmp_path)
    yield "test"
    mlflow.set_tracking_uri(before)


@pytest.fixture
def parent(store: str) -> str:
    """Return the identifier of a run with two candidates below it and a version of the model."""
    client = MlflowClient()
    experiment = client.get_experiment_by_name(store).experiment_id
    parent = client.create_run(experiment, run_name="demo · synthetic").info.run_id
    for name, value in (("a", 0.5), ("b", 0.6)):
        child = client.create_run(experiment, run_name=name, tags={"mlflow.parentRunId": parent, "family": name})
        for metric in SHOWN:
            client.log_metric(child.info.run_id, metric, value)
    client.create_registered_model("scorer_under_test")
    client.create_model_version("scorer_under_test", "file:///nowhere", run_id=parent)
    return parent


@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="no Chromium here")
def test_both_pages_are_pictured(store: str, parent: str, tmp_path: Path) -> None:
    paths = take_pictures(store, "scorer_under_test", tmp_path / "pictures")
    assert [path.name for path in paths] == ["runs.png", "model.png"]
    for path in paths:
        with Image.open(path) as picture:
            assert picture.size == (SHOT["width"], SHOT["height"])
            assert picture.info["run"].startswith("run demo · synthetic, 20")
            assert picture.info["run"].endswith(f", {parent[:8]}")
            main = np.asarray(picture.convert("L"))
        assert (main < 100).mean() > 0.002, "an empty page"
        assert path.stat().st_size < 150_000


@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="no Chromium here")
def test_a_list_of_columns_that_came_too_early_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screenshots, "MILLISECONDS_TO_ANSWER", 1000)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=find_browser()) as browser:
        page = browser.new_page()
        page.set_content(SLOW_PAGE)
        screenshots._switch_column(page, "roc_auc")
        assert page.get_by_role("checkbox").is_checked()
        with pytest.raises(TimeoutError, match="no_such_metric"):
            screenshots._switch_column(page, "no_such_metric")


@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="no Chromium here")
def test_without_a_comparison_there_is_nothing_to_picture(store: str, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"'test' of sqlite:.* has no compared candidates\.\nHint: kedro run"):
        take_pictures(store, "scorer_under_test", tmp_path)


def test_without_a_browser_the_error_says_what_to_install(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(RuntimeError, match=r"chromium, .* is on the PATH\.\nHint: apt-get install chromium"):
        take_pictures(store, "scorer_under_test", tmp_path)
