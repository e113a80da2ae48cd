"""What the image gets of the project, and what a model brings along."""

import re
import tomllib
from pathlib import Path

from credit_scoring.exported_model.writing.mlflow_model import SERVED_CODE
from tests.conftest import ROOT
from tests.serving.conftest import code_of_image


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
    listed = re.search(r'^ARG DESK_PACKAGES="([^"]*)"', (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert listed
    packages = set(listed[1].replace("\\\n", " ").split())
    assert packages <= bounded
    assert {"argon2-cffi>=23.1,<26", "starlette>=1.0,<2"} <= packages
