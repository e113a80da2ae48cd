"""Every notebook runs from top to bottom, unattended."""

import json
import os
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Project

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.e2e
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_on_what_the_demo_made(demo: Project, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEDRO_ENV", "test")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}/src{os.pathsep}{ROOT}")
    execute(path.read_text(encoding="utf-8"), demo.path)


def execute(content: str, folder: Path) -> None:
    import nbformat  # noqa: PLC0415 - takes two seconds, of every worker, if this file asks for it where others do
    from nbclient import NotebookClient  # noqa: PLC0415

    notebook = nbformat.reads(content, as_version=4)
    client = NotebookClient(notebook, timeout=180, resources={"metadata": {"path": folder}})
    client.km = client.create_kernel_manager()
    # Of this environment, not a kernel installed for the user; with the libraries imported, which takes it longest
    client.km.kernel_spec.argv[:] = [sys.executable, "-m", "tests.kernel", "-f", "{connection_file}"]
    client.execute()


def test_a_notebook_started_elsewhere_is_of_the_installed_project_and_tells_what_went_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rich's drawing of an error is a picture to those who look, and nothing to a program."""
    from nbclient.exceptions import CellExecutionError  # noqa: PLC0415 - as above

    monkeypatch.setenv("PYTHONPATH", f"{ROOT}/src{os.pathsep}{ROOT}")
    monkeypatch.setenv("KEDRO_ENV", "test")
    sources = (
        "%load_ext credit_scoring.notebook",
        f"assert str(context.project_path) == {str(ROOT)!r}, context.project_path",
        "catalog['raw_bureau']; 1 / 0",
    )
    code = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    cells = [code | {"source": source} for source in sources]
    with pytest.raises(CellExecutionError, match="division by zero"):
        execute(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}), tmp_path)
