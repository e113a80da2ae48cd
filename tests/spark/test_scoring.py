"""The exported model on Spark's executors, as docs/spark.md shows it."""

from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.spark

RESULT = "probability_default double, decision string, threshold double"


def test_spark_scores_to_the_last_bit_like_the_scorer(spark: Any) -> None:
    from pyspark.sql.functions import struct  # noqa: PLC0415 - skipped without it

    model = mlflow.pyfunc.load_model((ROOT / "model").as_posix())
    columns = model.metadata.get_input_schema().input_names()
    example = pd.read_json(ROOT / "model" / "input_example.json", orient="split")
    rng = np.random.default_rng(5)
    rows = pd.concat([example] * 20, ignore_index=True)[columns]
    for column in rows.select_dtypes("number"):
        rows[column] = (rows[column] * rng.uniform(0.5, 1.5, len(rows))).mask(rng.random(len(rows)) < 0.1)
    rows = rows.astype(dict.fromkeys(rows.select_dtypes("number"), "float64"))
    session = spark._session
    score = mlflow.pyfunc.spark_udf(session, (ROOT / "model").as_posix(), env_manager="local", result_type=RESULT)
    table = session.createDataFrame(rows.assign(row=range(len(rows))))
    scored = table.select("row", score(struct(*columns)).alias("score")).select("row", "score.*")
    found = scored.toPandas().sort_values("row").drop(columns="row")
    expected = model.predict(rows)
    assert found.probability_default.nunique() > 50
    for column in expected:
        assert found[column].tolist() == expected[column].tolist(), column
