"""What the image gets of the project, and what a model brings along."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from credit_scoring.exported_model.writing.mlflow_model import SERVED_CODE
from tests.conftest import ROOT
from tests.serving.conftest import code_of_image

# Prints what the modules of the project import that the desk and its commands load
IMPORTS_OF_DESK = """
import ast, pathlib, sys
import credit_scoring.desk.__main__, credit_scoring.desk.explain, credit_scoring.desk.source_tables
for name in [name for name in sys.modules if name.startswith("credit_scoring")]:
    for node in ast.parse(pathlib.Path(sys.modules[name].__file__).read_text()).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            print(*([one.name for one in node.names] if isinstance(node, ast.Import) else [node.module]), sep="\\n")
"""


def test_no_module_comes_from_both_the_image_and_the_model(tmp_path: Path) -> None:
    """Python would take the image's, and another code than the model's own would score."""
    in_image = {path.name for path in (code_of_image(tmp_path) / "credit_scoring").iterdir()}
    assert in_image & set(SERVED_CODE) == {"__init__.py"}


def test_the_image_holds_what_reads_a_model_and_not_what_writes_one(tmp_path: Path) -> None:
    place = code_of_image(tmp_path) / "credit_scoring"
    held = {path.relative_to(place).as_posix() for path in place.rglob("*.py")}
    assert {"exported_model/manifest.py", "serving/__main__.py"} <= held
    assert not [name for name in held if "writing" in name]


def test_the_desk_gets_packages_as_the_project_bounds_them() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bounded = {*project["dependencies"], *project["optional-dependencies"]["desk"]}
    packages = {*argument_of_image("DESK_PACKAGES")}
    assert packages <= bounded
    assert {"argon2-cffi>=23.1,<26", "starlette>=1.0,<2"} <= packages


def test_the_image_with_the_desk_has_all_packages_that_the_desk_imports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    ours = names_of([*project["dependencies"], *extras["desk"], *extras["log"]]) - {"credit-scoring"}
    listed = (ROOT / "model/requirements.txt").read_text().splitlines()
    named = names_of([*argument_of_image("DESK_PACKAGES"), *argument_of_image("LOG_PACKAGES"), *listed])
    # What a named package needs itself is there as well
    there = named | {one for name in named & ours for one in names_of(requires(name) or [])}
    shown = subprocess.run([sys.executable, "-c", IMPORTS_OF_DESK], capture_output=True, text=True, check=True).stdout
    known = packages_distributions()
    needed = {top: names_of(known.get(top, [])) & ours for top in {line.partition(".")[0] for line in shown.split()}}
    assert {"argon2", "ibis", "kedro", "pandera", "pyarrow", "starlette", "typst"} <= needed.keys()
    assert not {top for top, names in needed.items() if names and not names & there}


def argument_of_image(name: str) -> list[str]:
    found = re.search(rf'^ARG {name}="([^"]*)"', (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert found
    return found[1].replace("\\\n", " ").split()


def names_of(requirements: list[str]) -> set[str]:
    """Return the packages that requirements name, those of extras left out."""
    wanted = [Requirement(text) for text in requirements]
    return {canonicalize_name(one.name) for one in wanted if not one.marker or one.marker.evaluate({"extra": ""})}
