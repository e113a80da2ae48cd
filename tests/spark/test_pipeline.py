"""The unchanged pipeline on PySpark, from the CSV files to the model input, against DuckDB."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.parity import compare_tables
from credit_scoring.exported_model.loading import load_scorer
from credit_scoring.exported_model.manifest import check_manifest
from tests.conftest import ROOT, Project
from tests.spark.conftest import set_aside

pytestmark = pytest.mark.spark

RUNS = {
    "duckdb": ("test", "synthetic_data,data_processing", "applicant_features@ibis"),
    "pyspark": ("spark", "data_processing,spark_scoring", "applicant_features@ibis,scores@ibis"),
}
"""Engine -> environment, pipelines and last tables of its run."""


@pytest.fixture(scope="module")
def results(spark_project: Project) -> dict[str, Path]:
    """Return the folders of what either engine made of a tiny twin.

    Spark starts from the files of DuckDB's run, and takes over.
    """
    size = ("--params", "synthetic_data.n_train=300,synthetic_data.n_test=40")
    shutil.copytree(ROOT / "model", spark_project.path / "model")
    found = {}
    for engine, (environment, pipelines, outputs) in RUNS.items():
        done = spark_project.kedro(
            "run", "--env", environment, "--pipelines", pipelines, "--to-outputs", outputs, *size
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        found[engine] = set_aside(spark_project, engine)
    return found


def read(results: dict[str, Path], engine: str, table: str) -> pd.DataFrame:
    return pd.read_parquet(results[engine] / f"{table}.parquet")


def test_every_value_is_the_same_on_both_engines(results: dict[str, Path]) -> None:
    ours, theirs = (read(results, engine, "04_feature/applicant_features") for engine in ("duckdb", "pyspark"))
    assert ours.shape[1] > 720
    assert set(ours["SPLIT"].dropna()) == {"train", "holdout"}
    assert [str(difference) for difference in compare_tables(ours, theirs, key="SK_ID_CURR")] == []


def test_the_checks_of_the_raw_files_find_the_same(results: dict[str, Path]) -> None:
    ours, theirs = (
        json.loads((results[engine] / "08_reporting" / "data_quality.json").read_text())
        for engine in ("duckdb", "pyspark")
    )
    assert ours == theirs
    assert sum(ours["rows"].values()) > 30_000


def test_spark_writes_folders_of_part_files(results: dict[str, Path]) -> None:
    written = results["pyspark"] / "04_feature" / "applicant_features.parquet"
    assert (written / "_SUCCESS").exists()
    assert (results["duckdb"] / "04_feature" / "applicant_features.parquet").is_file()


def test_applicants_are_scored_from_what_spark_computed(results: dict[str, Path]) -> None:
    features = read(results, "pyspark", "04_feature/applicant_features")
    waiting = features[features["TARGET"].isna()].sort_values("SK_ID_CURR")
    scores = read(results, "pyspark", "07_model_output/scores")
    assert scores["SK_ID_CURR"].tolist() == waiting["SK_ID_CURR"].tolist()
    expected = load_scorer(check_manifest(ROOT / "model")).predict(waiting)
    assert scores["probability_default"].tolist() == expected["probability_default"].tolist()
    assert scores["decision"].tolist() == expected["decision"].tolist()
