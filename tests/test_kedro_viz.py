"""Kedro-Viz opens: it reads the catalog, and draws one box per pipeline."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytest.importorskip("kedro_viz")

_LOAD = """
import json
from pathlib import Path
from kedro_viz.data_access import data_access_manager
from kedro_viz.server import load_and_populate_data
load_and_populate_data(Path("."))
root = data_access_manager.create_modular_pipelines_tree_for_registered_pipeline("demo")["__root__"]
print(json.dumps([[child.id, child.type] for child in root.children]))
"""


def test_the_first_view_of_the_demo_has_a_box_per_pipeline_and_no_node_of_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", _LOAD], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    children = json.loads(done.stdout.splitlines()[-1])
    boxes = {name for name, kind in children if kind == "modularPipeline"}
    default = {"data_processing", "modelling", "threshold_tuning", "explainability", "reporting"}
    assert boxes == default | {"synthetic_data"}
    assert not [name for name, kind in children if kind == "task"]
