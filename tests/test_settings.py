"""What the configuration asks the settings."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from credit_scoring.settings import name_population_folder


def test_a_batch_has_a_folder_below_that_of_its_source() -> None:
    assert name_population_folder(None, "synthetic") == "synthetic"
    assert name_population_folder("november", "home_credit") == "home_credit/november"
    assert name_population_folder(2026, "home_credit") == "home_credit/2026"


@pytest.mark.parametrize("batch", ["../home_credit", "/tmp", "a/b", "", ".hidden", "-x"])
def test_a_batch_never_leaves_the_folder_of_its_source(batch: str) -> None:
    with pytest.raises(ValueError, match="Hint: --params batch=2026-11"):
        name_population_folder(batch, "synthetic")


def test_a_start_does_without_what_only_some_nodes_need() -> None:
    told = (
        "import json, sys; from kedro.framework.startup import bootstrap_project; bootstrap_project(sys.argv[1]); "
        "from kedro.framework.project import pipelines; list(pipelines); print(json.dumps(list(sys.modules)))"
    )
    root = Path(__file__).parents[1].as_posix()
    found = subprocess.run([sys.executable, "-c", told, root], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(found.stdout.splitlines()[-1])}
    assert "ibis" in loaded
    late = {"matplotlib", "lightgbm", "xgboost", "shap", "imblearn", "missingno", "typst"}
    assert loaded & late == set()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux tells what a process has loaded")
@pytest.mark.parametrize(("given", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_are_told_to_sleep_before_any_of_their_libraries_is_loaded(given: str | None, expected: str) -> None:
    told = (
        "from pathlib import Path; import os, credit_scoring.settings; "
        "print(os.environ['OMP_WAIT_POLICY'], 'libgomp' in Path('/proc/self/maps').read_text())"
    )
    variables = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    if given:
        variables["OMP_WAIT_POLICY"] = given
    found = subprocess.run([sys.executable, "-c", told], env=variables, capture_output=True, text=True, check=True)
    assert found.stdout.split()[-2:] == [expected, "False"]


def test_matrix_products_have_one_thread() -> None:
    told = (
        "import numpy, scipy.linalg, credit_scoring.settings; from threadpoolctl import threadpool_info; "
        "print([library['num_threads'] for library in threadpool_info() if library['user_api'] == 'blas'])"
    )
    variables = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    found = subprocess.run([sys.executable, "-c", told], env=variables, capture_output=True, text=True, check=True)
    assert set(json.loads(found.stdout.splitlines()[-1])) == {1}
