"""Take the pictures of MLflow's pages that the report shows: `make screenshots`, after a run.

It needs Playwright, which the environment has, and a Chromium that the machine has (the package chromium of Debian).
Everything is found as a person would find it, by addresses and by the names of buttons and columns.
"""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import mlflow
from kedro.framework.session import KedroSession
from mlflow import MlflowClient
from mlflow.entities import Run
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Page, TimeoutError, sync_playwright

from credit_scoring.project import enter_project
from credit_scoring.tracking_store import comparison_address

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SHOWN = ("business_cost", "roc_auc", "average_precision", "log_loss")
"""Columns of the comparison of candidates; the first orders it."""
HIDDEN = ("Dataset", "Source", "Models")
"""Columns that MLflow shows unless told otherwise."""
SIZE = {"width": 1300, "height": 860}
SHOT = {"x": 205, "y": 25, "width": 1075, "height": 640}
"""What the pictures show of the page: all but the menu beside it, whose words are no part of the story."""
ASSISTANT_WAS_SHOWN = "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1"
"""Else MLflow opens a panel by itself at the first visit; opened late, it closes the list of columns."""
WIDER = 45
"""Pixels that a column gets beside MLflow's hundred."""
SECONDS_TO_START = 60
MILLISECONDS_TO_ANSWER = 10_000


def main() -> None:
    """Take both pictures of the project's store, and put them where the report looks for them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", help="environment of the configuration, such as kaggle")
    env = parser.parse_args().env
    project = enter_project()
    with KedroSession.create(project, env=env) as session:
        shared = session.load_context().config_loader["globals"]  # this also tells MLflow where the store is
    for path in take_pictures(shared["experiment"], shared["registered_model"], project / shared["screenshots"]):
        sys.stdout.write(f"{path.relative_to(project)}\n")


def take_pictures(experiment: str, registered_model: str, folder: Path) -> list[Path]:
    """Picture the candidates of the latest comparison (`runs.png`) and the versions of the model (`model.png`).

    Each file says in its text `run` of which run it is: name, day, beginning of the identifier.

    Raises:
        RuntimeError: If there is no browser, no comparison, or the interface does not start.
    """
    browser_path = find_browser()
    run = _latest_comparison(experiment)
    day = datetime.fromtimestamp(run.info.start_time / 1000, UTC).date()
    origin = PngInfo()
    origin.add_itxt("run", f"run {run.info.run_name}, {day}, {run.info.run_id[:8]}")
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with _interface(mlflow.get_tracking_uri()) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path)
        page = browser.new_page(viewport=SIZE, locale="en-GB", timezone_id="UTC")
        page.add_init_script(f"localStorage.setItem('{ASSISTANT_WAS_SHOWN}', 'true')")
        for name, show in {
            "runs": lambda: _show_runs(page, address, run),
            "model": lambda: _show_model(page, address, registered_model),
        }.items():
            show()
            paths.append(folder / f"{name}.png")
            save_small(page.screenshot(clip=SHOT), paths[-1], origin)
        browser.close()
    return paths


def save_small(png: bytes, path: Path, told: PngInfo | None = None) -> None:
    """Write a picture with 256 colours, a third of the size, and what its file is to tell."""
    with Image.open(BytesIO(png)) as picture:
        picture.convert("RGB").quantize(256).save(path, pnginfo=told, optimize=True)


def find_browser() -> str:
    """Return the path of the machine's Chromium.

    Raises:
        RuntimeError: If there is none.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise RuntimeError(f"None of {', '.join(BROWSERS)} is on the PATH.\nHint: apt-get install chromium")
    return found


def _latest_comparison(experiment: str) -> Run:
    """Return the run whose candidates were compared last."""
    client = MlflowClient()
    known = client.get_experiment_by_name(experiment)
    filter_string = f"metrics.{SHOWN[0]} > 0 and tags.family != ''"
    candidates = client.search_runs([known.experiment_id], filter_string, max_results=1) if known else []
    if not candidates:
        raise RuntimeError(
            f"Experiment {experiment!r} of {mlflow.get_tracking_uri()} has no compared candidates.\nHint: kedro run"
        )
    return client.get_run(candidates[0].data.tags["mlflow.parentRunId"])


@contextmanager
def _interface(uri: str) -> Iterator[str]:
    """Give the address of MLflow's interface: the server's that keeps the runs, or of one that is started meanwhile."""
    if uri.startswith("http"):
        yield uri.rstrip("/")
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "ui", "--workers", "1", "--port", str(port), "--backend-store-uri", uri],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        start_new_session=True,  # so that its workers end with it
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/health", server)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"MLflow's interface did not start in {SECONDS_TO_START} s.\nHint: does `mlflow ui` work here?")


def _show_runs(page: Page, address: str, run: Run) -> None:
    page.goto(comparison_address(address, run.info.experiment_id, run.info.run_id))
    page.get_by_text("matching runs").wait_for()
    for name in (*HIDDEN, *SHOWN):
        _switch_column(page, name)
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    for name in SHOWN:
        header = page.get_by_role("columnheader", name=name).first
        header.wait_for()
        edge = header.locator(".ag-header-cell-resize")
        edge.hover()
        place = edge.bounding_box()
        assert place is not None
        page.mouse.down()
        for step in range(1, WIDER + 1, 4):  # so wide that the whole name can be read
            page.mouse.move(place["x"] + step, place["y"] + place["height"] / 2)
        page.mouse.up()


def _switch_column(page: Page, name: str) -> None:
    """Show or hide a column, whose list may close, or open too early, while a slow page arrives."""
    columns = page.get_by_role("dialog")
    for tries_left in (2, 1, 0):
        if not columns.is_visible():
            page.get_by_role("button", name="Columns", exact=True).click()
        column = columns.get_by_text(name, exact=True)
        try:
            column.wait_for(timeout=MILLISECONDS_TO_ANSWER)
        except TimeoutError:
            if not tries_left:
                raise
            page.keyboard.press("Escape")
        else:
            column.click()  # once: a second click would take the first back
            return


def _show_model(page: Page, address: str, registered_model: str) -> None:
    page.goto(f"{address}/#/models/{quote(registered_model)}?workflowType=machine_learning")
    page.get_by_role("link", name=re.compile(r"^Version \d+$")).first.wait_for()


if __name__ == "__main__":
    main()
