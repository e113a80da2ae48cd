"""Tests on PySpark: one session for all of them, sized for a few rows."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ibis
import pytest
import yaml

from credit_scoring.errors import SparkUnavailableError
from credit_scoring.hooks import check_spark_installation, start_spark
from tests.conftest import Project

# Without the second compiler of Java and without generated code, a plan of 700 columns over a few rows takes a tenth
# of the time; neither touches a value.
SETTINGS = {
    "spark.driver.memory": "2g",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": True,
    "spark.sql.shuffle.partitions": 1,
    "spark.sql.adaptive.enabled": False,
    "spark.sql.codegen.wholeStage": False,
    "spark.sql.execution.arrow.pyspark.enabled": True,
    "spark.ui.enabled": False,
    "spark.ui.showConsoleProgress": False,
    "spark.log.level": "ERROR",
}
CONFIGURATION = {"master": "local[2]", "settings": SETTINGS, "answer_within": 60}


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    try:
        check_spark_installation()
    except SparkUnavailableError as error:
        pytest.skip(error.message)


@pytest.fixture(scope="session")
def spark(_installed: None) -> Iterator[Any]:
    """Return an Ibis connection to Spark."""
    session = start_spark(**CONFIGURATION)
    yield ibis.pyspark.connect(session)
    session.stop()


@pytest.fixture(scope="session")
def spark_project(_installed: None, new_project: Callable[[str], Project]) -> Project:
    """Return an empty project whose `spark` environment has the settings above, and compiles no code at all.

    Code that Spark generates for expressions is what the other tests run.
    """
    project = new_project("spark")
    plain = SETTINGS | {"spark.sql.codegen.factoryMode": "NO_CODEGEN"}
    (project.path / "conf" / "spark" / "spark.yml").write_text(yaml.safe_dump(CONFIGURATION | {"settings": plain}))
    return project


def set_aside(project: Project, name: str) -> Path:
    """Keep what a run has written under another name, and return where to find it."""
    kept = project.path / name
    for layer in ("04_feature", "07_model_output", "08_reporting"):
        if (made := project.path / "data" / layer / "synthetic").exists():
            shutil.copytree(made, kept / layer)
    return kept
