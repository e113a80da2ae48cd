"""The image: small, closed, and its answers are those of the batch, for a model of any family.

It is built once, from a model that needs every library that a family may need; other models take the place of that one.

Needs docker, or else podman, and a base image that is there or can be pulled. Flags that an engine needs on some
machine go into `CONTAINER_ENGINE` ("podman --runtime runc"), `CONTAINER_BUILD_FLAGS` and `CONTAINER_RUN_FLAGS`.
"""

import json
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

from credit_scoring.decide import decide
from credit_scoring.models import FAMILIES
from tests.conftest import ROOT, Project
from tests.exports import Export
from tests.serving.conftest import as_split, free_port
from tools.example_applicant import EXAMPLE

pytestmark = [pytest.mark.e2e, pytest.mark.container]

IMAGE = "credit-scoring-test"
BASE = "docker.io/library/python:3.11-slim"
START_SECONDS = 60  # however busy the machine is


def flags(name: str) -> list[str]:
    return shlex.split(os.environ.get(name, ""))


@cache
def engine_command() -> list[str]:
    """Return the first engine that answers; a docker without its daemon does not."""
    for command in filter(None, [flags("CONTAINER_ENGINE"), ["docker"], ["podman"]]):
        if (
            shutil.which(command[0])
            and not subprocess.run([*command, "info"], capture_output=True, check=False).returncode
        ):
            return command
    return []


def engine(*arguments: str) -> subprocess.CompletedProcess[str]:
    if not engine_command():
        pytest.skip("neither docker nor podman is there, or neither works")
    return subprocess.run([*engine_command(), *arguments], capture_output=True, text=True, check=False)


def skip_unless_the_engine_works(folder: Path) -> None:
    """Skip where not even an image of one line can be built and run: that says nothing about ours."""
    (folder / "Dockerfile").write_text(f"FROM {BASE}\nRUN true\n")
    for name, command in (
        ("CONTAINER_BUILD_FLAGS", ["build", *flags("CONTAINER_BUILD_FLAGS"), "-t", f"{IMAGE}-probe", str(folder)]),
        ("CONTAINER_RUN_FLAGS", ["run", "--rm", *flags("CONTAINER_RUN_FLAGS"), f"{IMAGE}-probe", "true"]),
    ):
        if (tried := engine(*command)).returncode:
            said = tried.stderr.strip()[-200:]
            pytest.skip(f"{engine_command()[0]} needs other {name} than '{' '.join(flags(name))}' here: {said}")


@pytest.fixture(scope="module")
def image(exported: Callable[..., Export], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the image of a blend of all families that need a library, from nothing but what the image may hold."""
    if engine("image", "inspect", BASE).returncode and (pulled := engine("pull", BASE)).returncode:
        pytest.skip(f"no base image: {pulled.stderr.strip()[-200:]}")
    skip_unless_the_engine_works(tmp_path_factory.mktemp("probe"))
    context = tmp_path_factory.mktemp("image")
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy(ROOT / name, context)
    shutil.copytree(ROOT / "src", context / "src")
    shutil.copytree(exported("blend", every_library=True).folder, context / "model")
    built = engine("build", *flags("CONTAINER_BUILD_FLAGS"), "-t", IMAGE, str(context))
    assert built.returncode == 0, built.stdout[-1500:] + built.stderr[-1500:]
    return IMAGE


def mounted(model: Path) -> list[str]:
    return ["-v", f"{model}:/opt/model:ro"]


@contextmanager
def container(image: str, front_end: str, model: Path) -> Iterator[tuple[str, str]]:
    """Run the image with a model and nothing it could write to; yield container and address once it answers."""
    port = free_port()
    settings = ["-e", f"SERVING_PORT={port}", "-e", f"SERVING_FRONT_END={front_end}", "-p", f"127.0.0.1:{port}:{port}"]
    closed = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    started = time.monotonic()
    run = engine("run", "-d", *flags("CONTAINER_RUN_FLAGS"), *closed, *settings, *mounted(model), image)
    assert run.returncode == 0, run.stderr
    name = run.stdout.strip().splitlines()[-1]
    try:
        while True:
            try:
                if requests.get(f"http://127.0.0.1:{port}/ping", timeout=2).ok:
                    break
            except (requests.ConnectionError, requests.Timeout):
                time.sleep(0.1)
            assert time.monotonic() - started < START_SECONDS, engine("logs", name).stdout
        yield name, f"http://127.0.0.1:{port}"
    finally:
        engine("rm", "-f", name)


def test_the_image_is_small_and_holds_nothing_that_trains_or_compiles(image: str) -> None:
    size = int(engine("image", "inspect", "--format", "{{.Size}}", image).stdout)
    assert size < 800e6, f"{size / 1e6:.0f} MB"  # 40 of them are the decision log, with the drivers of its databases
    look = (
        "import importlib.util as u, shutil;"
        "print([m for m in ('kedro', 'ibis', 'shap', 'optuna', 'matplotlib', 'pip') if u.find_spec(m)],"
        "[c for c in ('gcc', 'cc', 'make') if shutil.which(c)])"
    )
    run = engine("run", "--rm", *flags("CONTAINER_RUN_FLAGS"), image, "python", "-c", look)
    assert run.stdout.strip() == "[] []", run.stdout + run.stderr


def test_a_model_of_another_python_is_refused_with_the_argument_to_give(image: str, tmp_path: Path) -> None:
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model/requirements.txt").touch()
    (tmp_path / "model/python_env.yaml").write_text("python: 3.12.4\n")
    built = engine("build", *flags("CONTAINER_BUILD_FLAGS"), "--target", "packages", str(tmp_path))
    assert built.returncode != 0
    said = "The model was made with Python 3.12, this image has 3.11. Hint: --build-arg PYTHON=3.12"
    assert said in built.stdout + built.stderr


def test_no_python_of_the_image_can_install_anything(image: str) -> None:
    look = (
        "find / -xdev \\( -name pip -o -name 'pip-*' -o -path '*/bin/pip*' -o -name 'pip*.whl' -o -name ensurepip \\);"
        "for python in $(find / -xdev -name 'python3*' \\( -type f -o -type l \\) -path '*/bin/*' -perm -u+x); do"
        '  echo "$($python -c "print(42)") $python";'
        '  for tool in pip ensurepip; do $python -m $tool --version 2>/dev/null && echo "$python has $tool"; done;'
        "done"
    )
    run = engine("run", "--rm", *flags("CONTAINER_RUN_FLAGS"), image, "sh", "-c", look)
    pythons = run.stdout.splitlines()
    assert pythons, run.stderr
    assert [line for line in pythons if not line.startswith("42 /")] == [], run.stdout


@pytest.mark.parametrize("front_end", ["mlflow", "lean"])
def test_a_closed_container_starts_answers_like_the_batch_and_stops(
    image: str, front_end: str, demo: Project, holdout: pd.DataFrame, batch: pd.Series, applicants: list[dict[str, Any]]
) -> None:
    with container(image, front_end, demo.path / "model") as (name, url):
        answer = requests.post(
            f"{url}/invocations", data=as_split(holdout), headers={"Content-Type": "application/json"}, timeout=60
        )
        assert [row["probability_default"] for row in answer.json()["predictions"]] == batch.loc[holdout.index].tolist()
        decided = requests.post(f"{url}/decisions", json=applicants, timeout=60).json()
        expected = batch.loc[[one["SK_ID_CURR"] for one in decided]].tolist()
        assert [one["probability_default"] for one in decided] == pytest.approx(expected, rel=1e-13)
        example = json.loads(EXAMPLE.read_text())  # that of the README
        shown = requests.post(f"{url}/decisions", json=example, timeout=60).json()
        assert decide(example, demo.path / "model").items() <= shown.items()
        assert requests.get(f"{url}/version", timeout=5).json()["front_end"] == front_end
        assert engine("exec", name, "id", "-u").stdout.strip() == "10001"
        stopping = time.monotonic()
        engine("stop", "-t", "20", name)
        assert time.monotonic() - stopping < 15
        state = json.loads(engine("inspect", name).stdout)[0]["State"]
        assert state["ExitCode"] == 0
        assert "SIGTERM: the server stops" in engine("logs", name).stdout


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_answers_in_the_container_as_in_the_batch(
    image: str, family: str, exported: Callable[..., Export]
) -> None:
    export = exported(family)
    asked = {"explain": True, "language": "en"}
    expected = export.scorer.predict(export.example, asked).to_dict("records")
    with (
        container(image, "mlflow", export.folder) as (_, mlflow),
        container(image, "lean", export.folder) as (_, lean),
    ):
        for url in (mlflow, lean):
            body, headers = as_split(export.example, params=asked), {"Content-Type": "application/json"}
            answer = requests.post(f"{url}/invocations", data=body, headers=headers, timeout=60)
            assert answer.json()["predictions"] == expected


def test_a_broken_model_is_named_in_the_log_and_not_served(image: str, demo: Project, tmp_path: Path) -> None:
    shutil.copytree(demo.path / "model", tmp_path / "model")
    (tmp_path / "model" / "model.pkl").write_bytes(b"broken")
    run = engine("run", "--rm", *flags("CONTAINER_RUN_FLAGS"), *mounted(tmp_path / "model"), image)
    assert run.returncode == 2
    assert "model.pkl: altered" in run.stdout
