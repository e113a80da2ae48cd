"""Which machines the project and its model can be installed on: the table of docs/platforms.md, asked of the index."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT
from tests.exports import Export

TABLE = (ROOT / "docs/platforms.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| `([\w-]+)` \| (\w+) \| (\w+) \|", TABLE, re.MULTILINE)
PYTHONS = ("3.11", "3.12", "3.13") if os.environ.get("EVERY_PYTHON") else ("3.11",)
MACHINES = {
    "x86_64-manylinux_2_28": ("linux", "x86_64"),
    "aarch64-manylinux_2_28": ("linux", "aarch64"),
    "aarch64-apple-darwin": ("darwin", "arm64"),
    "x86_64-apple-darwin": ("darwin", "x86_64"),
    "x86_64-pc-windows-msvc": ("win32", "AMD64"),
}
BUILT_FROM_SOURCE = "antlr4-python3-runtime"  # pure Python, without a wheel on the index


def ask(platform: str, python: str, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Look for a wheel of everything in a file, and of what that needs; nothing is installed."""
    wheels = ("--only-binary", ":all:", "--no-binary", BUILT_FROM_SOURCE)
    machine = ("--python-platform", platform, "--python-version", python)
    command = [Path(sys.executable).with_name("uv"), "pip", "compile", "--quiet", *options, *wheels, *machine, file]
    # Bounds that a project declares for its own lock are not those of a model
    done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=False)
    if done.returncode and "No solution found" not in done.stderr:
        pytest.skip(f"the package index does not answer: {done.stderr.strip()[-200:]}")
    return done


def test_the_table_names_every_machine() -> None:
    assert {platform for _, platform, *_ in ROWS} == set(MACHINES)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", MACHINES)
def test_the_lock_and_a_model_can_be_installed_where_the_table_says_so(
    platform: str, python: str, exported: Callable[..., Export]
) -> None:
    ((_, _, project, model),) = [row for row in ROWS if row[1] == platform]
    served = exported("blend", every_library=True).folder / "requirements.txt"
    for says, found in (
        (project, ask(platform, python, ROOT / "requirements.txt", "--no-deps")),
        (model, ask(platform, python, served)),
    ):
        assert says in ("yes", "no")
        assert (found.returncode == 0) == (says == "yes"), found.stderr


def test_pins_of_a_model_name_for_each_system_what_exists_there(exported: Callable[..., Export]) -> None:
    text = (exported("blend", every_library=True).folder / "requirements.txt").read_text()
    pins = [Requirement(line) for line in text.splitlines()]
    chosen = {}
    for platform, (system, machine) in MACHINES.items():
        here = {"sys_platform": system, "platform_machine": machine}
        chosen[platform] = {pin.name for pin in pins if pin.marker is None or pin.marker.evaluate(here)}
    special = {"xgboost", "xgboost-cpu", "uvloop"}
    assert {platform: names & special for platform, names in chosen.items()} == {
        "x86_64-manylinux_2_28": {"xgboost-cpu", "uvloop"},
        "aarch64-manylinux_2_28": {"xgboost", "uvloop"},
        "aarch64-apple-darwin": {"xgboost", "uvloop"},
        "x86_64-apple-darwin": {"xgboost", "uvloop"},
        "x86_64-pc-windows-msvc": {"xgboost"},
    }
    assert len({names - special == chosen["x86_64-manylinux_2_28"] - special for names in chosen.values()}) == 1
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    markers = {pin.name: str(pin.marker) for pin in map(Requirement, declared) if pin.name in special}
    assert {pin.name: str(pin.marker) for pin in pins if pin.name in special} == markers


def test_the_image_gets_the_python_that_the_model_was_made_with(tmp_path: Path) -> None:
    (tmp_path / "python_env.yaml").write_text("python: 3.12.4\nbuild_dependencies:\n- pip==24.0\n")
    command = ["make", "--no-print-directory", "image", "CONTAINER_ENGINE=echo", f"MODEL={tmp_path}"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "--build-arg PYTHON=3.12 ." in said
