"""The repeated comparison: every level on the same folds, all folds in one table."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import price
from credit_scoring.pipelines.modelling.options import CandidateOptions


def make_run(folder: Path) -> pd.DataFrame:
    """Write what the benchmark reads of a run, and return its training rows."""
    generator = np.random.default_rng(0)
    score = generator.normal(size=300)
    target = (score + generator.normal(size=300) > 1.5).astype(int)
    rows = pd.DataFrame({"SK_ID_CURR": range(300), "TARGET": target, "SCORE": score})
    for layer in ("05_model_input", "06_models", "08_reporting"):
        (folder / layer / "twin").mkdir(parents=True)
    rows.to_parquet(folder / "05_model_input/twin/permitted_training_rows.parquet")
    found = {
        "dummy": CandidateOptions(family="dummy"),
        "regression": CandidateOptions(family="logistic_regression", params={"C": 1.0}),
        "another": CandidateOptions(family="mlp"),
    }
    results = [{"name": name, **candidate.model_dump()} for name, candidate in found.items()]
    (folder / "06_models/twin/candidate_results.json").write_text(json.dumps(results))
    (folder / "06_models/twin/champion.json").write_text(json.dumps({"name": "regression"}))
    table = pd.DataFrame({"candidate": ["dummy", "regression"]})
    table.to_csv(folder / "08_reporting/twin/price_of_interpretability.csv", index=False)
    return rows


def test_the_candidates_of_the_run_are_compared_on_all_folds(tmp_path: Path) -> None:
    written = make_run(tmp_path)
    rows, candidates, champion = price.read_run(tmp_path, "twin")
    pd.testing.assert_frame_equal(rows, written)
    assert candidates.keys() == {"dummy", "regression"}
    assert candidates["regression"]["params"] == {"C": 1.0}
    once, twice = (price.repeat_comparison(rows, candidates, champion, repeats) for repeats in (1, 2))
    assert twice["complexity"].tolist() == ["constant", "equation"]
    assert twice["champion"].tolist() == [False, True]
    assert twice["roc_auc"].tolist() == [0.5, pytest.approx(once["roc_auc"][1], abs=0.05)]
    assert twice["roc_auc"][1] != once["roc_auc"][1]
    text = price.describe(twice, rows, 2)
    assert text.startswith(f"300 training rows, {rows['TARGET'].sum()} of them defaults, 2 times 5 stratified folds")
    assert "| **equation: logistic regression** | **spreadsheet** | **1** |" in text
    assert f"{twice['cost_to_best'][0]:+.4f}" in text


def test_without_a_run_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="Hint: make demo"):
        price.read_run(tmp_path, "twin")
