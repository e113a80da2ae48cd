"""Every notebook runs from top to bottom, unattended."""

import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tests.conftest import ROOT, Project, make_project

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.e2e
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_on_what_the_demo_made(demo: Project, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEDRO_ENV", "test")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    notebook = nbformat.read(path, as_version=4)
    execute(notebook, demo.path)


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    client = NotebookClient(notebook, timeout=180, resources={"metadata": {"path": folder}})
    client.km = client.create_kernel_manager()
    client.km.kernel_spec.argv[0] = sys.executable  # of this environment, not a kernel installed for the user
    client.execute()


def test_who_runs_a_notebook_is_told_what_went_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rich's drawing of an error is a picture to those who look, and nothing to a program."""
    make_project(tmp_path)
    with pytest.raises(CellExecutionError, match="division by zero"):
        run_cell("catalog['raw_bureau']; 1 / 0", tmp_path, monkeypatch)


def test_a_notebook_started_elsewhere_is_of_the_installed_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_cell(f"assert str(context.project_path) == {str(ROOT)!r}", tmp_path, monkeypatch)


def run_cell(cell: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    monkeypatch.setenv("KEDRO_ENV", "test")
    cells = [nbformat.v4.new_code_cell(source) for source in ("%load_ext credit_scoring.notebook", cell)]
    execute(nbformat.v4.new_notebook(cells=cells), folder)
