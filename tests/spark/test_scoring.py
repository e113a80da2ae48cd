"""The exported model on Spark's executors gives what the scorer gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.datasets.exported_model import ModelFolderDataset, SparkScorerDataset
from credit_scoring.exported_model.loading import load_scorer
from credit_scoring.pipelines.scoring.nodes import score_applicants_on_spark
from credit_scoring.pipelines.scoring.options import ScoringOptions
from tests.conftest import ROOT

pytestmark = pytest.mark.spark

MODEL = (ROOT / "model").as_posix()


@pytest.fixture
def applicants() -> pd.DataFrame:
    """Return two hundred applicants around those of the input example, a tenth of their values missing."""
    example = pd.read_json(ROOT / "model" / "input_example.json", orient="split")
    rng = np.random.default_rng(5)
    rows = pd.concat([example] * 20, ignore_index=True)
    for column in rows.select_dtypes("number"):
        rows[column] = (rows[column] * rng.uniform(0.5, 1.5, len(rows))).mask(rng.random(len(rows)) < 0.1)
    # Copied into few blocks: pandas warns of one per column
    return rows.copy().assign(SK_ID_CURR=np.arange(len(rows)) + 100_001)


@pytest.mark.parametrize("reasons", [False, True])
def test_spark_scores_to_the_last_bit_like_the_scorer(
    spark: Any, tmp_path: Path, applicants: pd.DataFrame, reasons: bool
) -> None:
    applicants.to_parquet(tmp_path / "applicants.parquet")
    served = ModelFolderDataset(filepath=MODEL).load()
    scorer = load_scorer(served.manifest)
    scored = score_applicants_on_spark(
        spark.read_parquet((tmp_path / "applicants.parquet").as_posix()),
        SparkScorerDataset(filepath=MODEL).load(),
        scorer,
        served,
        ScoringOptions(reasons=reasons, language="en"),
    )
    found = scored.order_by("SK_ID_CURR").to_pandas()
    assert not list(Path(MODEL).rglob("__pycache__"))  # or no server would take the folder any more
    expected = scorer.predict(applicants, {"explain": reasons, "language": "en"})
    assert list(found.columns) == [
        *("SK_ID_CURR", "probability_default", "decision", "threshold", "model_id", "model_digest", "gaps"),
        *["reasons"] * reasons,
    ]
    assert found["SK_ID_CURR"].tolist() == applicants["SK_ID_CURR"].tolist()
    assert found["probability_default"].nunique() > 50
    for column in ("probability_default", "decision", "threshold"):
        assert found[column].tolist() == expected[column].tolist(), column
    assert set(found["model_digest"]) == {scorer.decision_policy["model_digest"]}
    assert set(found["model_id"]) == {served.identity["model_id"]}
    assert [[dict(gap) for gap in of_client] for of_client in found["gaps"]] == expected["gaps"].tolist()
    assert (found["decision"] == "review").any()
    if reasons:
        told = [[dict(reason) for reason in of_client] for of_client in found["reasons"]]
        assert told == expected["reasons"].tolist()
