"""Time scores, exact SHAP values and reasons of the exported scorer: one client, a batch, a portfolio.

The peer is the package shap, which explains the same trees with its own TreeExplainer; ours is the library's C++ path.
Run by `make bench`, or alone on fewer rows: `python -m benchmarks.explanations --sizes 1 100`.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.harness import ROOT, write_section
from credit_scoring.datasets.mlflow_registry import MlflowScorerDataset
from credit_scoring.scorer import CreditScorer

ROWS = ROOT / "data/05_model_input/synthetic/holdout_rows.parquet"
SIZES = (1, 1_000, 100_000)
FEW = 100
"""Rows up to which a timing is the median of thirty; beyond, one run lasts long enough."""


def median_seconds(function: Callable[[], object], repeats: int) -> float:
    """Return the median time of some calls, after one that does not count."""
    if repeats > 1:
        function()
    timings = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        timings.append(time.perf_counter() - started)
    return statistics.median(timings)


def shap_values(scorer: CreditScorer, rows: pd.DataFrame) -> Callable[[], object] | None:
    """Return the peer for LightGBM models: the trees' SHAP values by the package shap."""
    booster = getattr(scorer.model, "booster_", None)
    if booster is None or not hasattr(booster, "num_trees"):
        return None
    import shap  # noqa: PLC0415 - only the peer needs it

    explainer = shap.TreeExplainer(booster)
    codes = scorer.model.codes_.transform(scorer.model.explained_features(rows))  # type: ignore[attr-defined]
    return lambda: explainer.shap_values(codes)


def measure(scorer: CreditScorer, rows: pd.DataFrame, peer_limit: int) -> list[str]:
    """Return the table row of one sample size."""
    repeats = 30 if len(rows) <= FEW else 1
    seconds = [
        median_seconds(function, repeats)
        for function in (
            lambda: scorer.predict(rows),
            lambda: scorer.contributions(rows),
            lambda: scorer.predict(rows, {"explain": True}),
        )
    ]
    peer = shap_values(scorer, rows) if len(rows) <= peer_limit else None
    timed = [*seconds, median_seconds(peer, repeats) if peer else np.nan]
    cells = ["" if np.isnan(value) else f"{len(rows) / value:,.0f} ({value * 1000:,.1f} ms)" for value in timed]
    return [f"{len(rows):,}", *cells]


def main() -> None:
    """Write one row per sample size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=ROOT / "model", help="folder of the exported model")
    parser.add_argument("--rows", type=Path, default=ROWS, help="applicants; repeated up to the sizes asked for")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--peer-limit", type=int, default=1_000, help="rows up to which the peer is timed too")
    arguments = parser.parse_args()
    if not arguments.rows.exists():
        sys.exit(f"No applicants in {arguments.rows}.\nHint: make demo")
    scorer = MlflowScorerDataset(filepath=arguments.model.as_posix(), registered_model_name="benchmark").load()
    applicants = pd.read_parquet(arguments.rows)[list(scorer.feature_names_in_)]
    lines = [
        "| rows | score and decide, rows/s | SHAP values, rows/s | decide and tell the reasons, rows/s "
        "| SHAP values by the package shap, rows/s |",
        "|---:|---:|---:|---:|---:|",
    ]
    for size in arguments.sizes:
        rows = applicants.iloc[np.arange(size) % len(applicants)].reset_index(drop=True)
        lines.append(f"| {' | '.join(measure(scorer, rows, arguments.peer_limit))} |")
    trees = getattr(scorer.model, "n_iterations_", 0)
    explanation = (
        f"The exported scorer ({scorer.decision_policy['model']}{f', {trees:,} trees' if trees else ''}, "
        f"{len(scorer.feature_names_in_)} columns), in process. TreeSHAP is exact, and takes time by the number of "
        "trees and leaves; reasons take the score, these values and the sentences together."
    )
    write_section("explanations", "Explanations", "\n".join([explanation, "", *lines]))


if __name__ == "__main__":
    main()
