"""Pictures of MLflow's pages, taken with a browser that needs no window."""

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import mlflow
from kedro.io import AbstractDataset, DatasetError
from mlflow import MlflowClient
from PIL import Image

logger = logging.getLogger(__name__)

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_WIDTH, _HEIGHTS = 1500, {"runs": 760, "model": 700}
_SECONDS_TO_START, _SECONDS_TO_DRAW = 60, 60
_FEWEST_COLOURS = 64
"""A page with text on it has more colours, one that stayed empty has a few."""
_VIRTUAL_MILLISECONDS = 15_000
"""Time that the page believes to have had, requests to the server not counted, before it is drawn."""


class MlflowScreenshotsDataset(AbstractDataset[None, dict[str, Image.Image]]):
    """Pictures of the pages `runs` (the candidates of the latest comparison) and `model` (versions and aliases).

    Loading serves the tracking store on this machine for the seconds it takes, and has Chromium draw the pages. Nothing
    is returned, with a line in the log that says why, if there is no browser, if the store is a server's, if no run
    is tracked, or if anything fails: a picture is never worth a run.

    Args:
        registered_model_name: Name in the registry.
        metrics: Columns of the comparison, the first of which orders it.
    """

    def __init__(
        self, *, registered_model_name: str, metrics: list[str], metadata: dict[str, Any] | None = None
    ) -> None:
        self._registered_model_name = registered_model_name
        self._metrics = metrics
        self._logging_activated = True
        self.metadata = metadata

    def load(self) -> dict[str, Image.Image]:
        """Take the pictures."""
        run = mlflow.active_run() if self._logging_activated else None
        if run is None:
            return {}
        browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
        uri = mlflow.get_tracking_uri()
        if browser is None or uri.startswith("http"):
            reason = "no Chromium on the PATH" if browser is None else "the runs are on another server"
            logger.info("No pictures of MLflow: %s. The report has a table instead.", reason)
            return {}
        try:
            return self._take(browser, uri, run.info.experiment_id)
        except Exception as error:
            logger.warning("No pictures of MLflow: %s. Hint: does `%s --headless` work here?", error, browser)
            return {}

    def _take(self, browser: str, uri: str, experiment: str) -> dict[str, Image.Image]:
        with tempfile.TemporaryDirectory() as folder:
            pages, settings = self._pages(experiment)
            Path(folder, "settings.json").write_text(json.dumps(settings), encoding="utf-8")
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            with Path(folder, "server.log").open("wb") as log:
                server = subprocess.Popen(
                    [sys.executable, "-m", "credit_scoring.datasets.mlflow_ui", str(port), f"{folder}/settings.json"],
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=os.environ | {"_MLFLOW_SERVER_FILE_STORE": uri, "_MLFLOW_SERVER_REGISTRY_STORE": uri},
                )
            try:
                _wait_for(f"http://127.0.0.1:{port}/health", server)
                return {
                    name: _draw(browser, f"http://127.0.0.1:{port}/start?page={quote(page)}", name, Path(folder))
                    for name, page in pages.items()
                }
            finally:
                server.kill()
                server.wait()

    def _pages(self, experiment: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return the pages' addresses within the interface, and what the browser has to remember before it sees them.

        The keys are those of MLflow 3's interface: unknown ones do no harm, the picture then has its first-time look.
        """
        settings = {
            "mlflow.workflowType_v1": json.dumps("machine_learning"),
            "mlflow.assistant.panelOpen_v1": "false",
            "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
        }
        pages = {"model": f"/models/{self._registered_model_name}"}
        columns = [f"metrics.`{metric}`" for metric in self._metrics]
        latest = MlflowClient().search_runs([experiment], f"{columns[0]} > 0 and tags.family != ''", max_results=1)
        if not latest:
            return pages, settings
        comparison = latest[0].data.tags["mlflow.parentRunId"]
        wanted = {
            "searchFilter": f"tags.`mlflow.parentRunId` = '{comparison}' and {columns[0]} > 0",
            "orderByKey": columns[0],
            "orderByAsc": True,
        }
        state = {
            "startTime": "ALL",
            "lifecycleFilter": "Active",
            "datasetsFilter": [],
            "modelVersionFilter": "All Runs",
            "selectedColumns": columns,
            "columnOrder": [],
            "columnWidths": {},
            "runsExpanded": {},
            "runsPinned": [],
            "runsHidden": [],
            "runsVisibilityMap": {},
            "runsHiddenMode": "FIRST_10_RUNS",
            "viewMaximized": False,
            "runListHidden": False,
            "groupBy": None,
            "groupsExpanded": {},
            "autoRefreshEnabled": False,
        }
        settings[f'MLflowLocalStorage-1.1-ExperimentPage-["{experiment}"]-ReactComponentState'] = json.dumps(
            wanted | state
        )
        query = "&".join(
            f"{key}={quote(str(value).lower() if value is True else str(value))}" for key, value in wanted.items()
        )
        return {"runs": f"/experiments/{experiment}/runs?{query}&compareRunsMode=TABLE"} | pages, settings

    def save(self, data: None) -> None:  # noqa: ARG002
        """Refuse: pages are only looked at."""
        raise DatasetError("Pictures of MLflow's pages are taken, not saved.")

    def _describe(self) -> dict[str, Any]:
        return {"registered_model_name": self._registered_model_name, "metrics": self._metrics}


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the interface stopped with code {server.returncode}")
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError(f"the interface did not start within {_SECONDS_TO_START} s")


def _draw(browser: str, address: str, name: str, folder: Path) -> Image.Image:
    picture = folder / f"{name}.png"
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    subprocess.run(
        [
            browser,
            "--headless",
            *as_root,
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={folder / name}",
            f"--window-size={_WIDTH},{_HEIGHTS[name]}",
            f"--virtual-time-budget={_VIRTUAL_MILLISECONDS}",
            f"--screenshot={picture}",
            address,
        ],
        check=True,
        capture_output=True,
        timeout=_SECONDS_TO_DRAW,
    )
    with Image.open(picture) as drawn:
        page = drawn.convert("RGB")
    if page.getcolors(_FEWEST_COLOURS) is not None:
        raise RuntimeError(f"the page of the {name} stayed empty")
    return page
