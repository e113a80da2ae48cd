"""Measure how far reasons of a decline can be relied on: across seeds and samples, and against exact Shapley values.

After a run of the pipelines: the champion's family, parameters and columns are fitted anew, and the causes that weigh
most against declined applicants of the hold-out compared. Nothing is tuned on what is measured here.
Run by `make bench`, or alone after `make demo`.
"""

import argparse
import json
import pickle
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.harness import ROOT, write_section
from credit_scoring.explanations import compare_reasons, weigh
from credit_scoring.metrics.uncertainty import Interval, rate_interval
from credit_scoring.models import ScoringModel, refit_model
from credit_scoring.models.base import BoostedTrees
from credit_scoring.pipelines.explainability.nodes import spread_rows
from credit_scoring.reasons import ReasonBook
from credit_scoring.scorer import REFUSED, CreditScorer

REPORT = ROOT / "docs" / "reasons.md"
TOP = 4


class Run:
    """The artefacts of a run of the pipelines.

    Args:
        data: Folder of the data layers.
        source: Sub-folder of each, one per source of the data.
        n_applicants: Declined applicants of the hold-out that are compared, at most.
        n_reference: Approved training applicants that are the reference, at most.
    """

    def __init__(self, data: Path, source: str, n_applicants: int, n_reference: int) -> None:
        models, rows = data / "06_models" / source, data / "05_model_input" / source
        if not (models / "scorer.pkl").exists():
            sys.exit(f"No scorer in {models}.\nHint: make demo")
        self.scorer: CreditScorer = pickle.loads((models / "scorer.pkl").read_bytes())
        self.champion: dict[str, Any] = json.loads((models / "champion.json").read_text())
        self.training = pd.read_parquet(rows / "training_rows.parquet")
        holdout = pd.read_parquet(rows / "holdout_rows.parquet")
        out_of_fold = pd.read_parquet(data / "07_model_output" / source / "oof_predictions.parquet")
        probability = out_of_fold.set_index("SK_ID_CURR")["PROBABILITY"].loc[self.training["SK_ID_CURR"]].to_numpy()
        approved = self.training[self.scorer.decide(probability) != REFUSED]
        self.approved = approved.sample(min(len(approved), n_reference), random_state=0)
        declined = holdout[self.scorer.decide(self.scorer.predict_proba(holdout)[:, 1]) == REFUSED]
        self.declined = spread_rows(declined, n_applicants)

    def fit(self, rows: pd.DataFrame, **params: Any) -> ScoringModel:
        """Fit the champion anew."""
        return refit_model(self.scorer.model, rows, imbalance=self.champion["imbalance"], **params)

    def weigh(self, model: ScoringModel) -> npt.NDArray[np.float64]:
        """Weigh the causes of the declined applicants."""
        return weigh(model, self.declined, self.approved, self.scorer.reasons())


def interval(values: npt.NDArray[np.float64]) -> str:
    """Write the mean over applicants with its 95 % interval: Wilson's of yes and no, else the normal one."""
    reach = 1.96 * values.std() / np.sqrt(len(values))
    found = Interval(estimate=float(values.mean()), low=values.mean() - reach, high=values.mean() + reach)
    if np.isin(values, [0, 1]).all():
        found = rate_interval(int(values.sum()), len(values))
    return f"{found.estimate:.3f} [{max(found.low, 0):.3f}, {min(found.high, 1):.3f}]"


def line(name: str, comparisons: list[tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]]) -> str:
    """Write a table row: each applicant counts with the mean over the comparisons."""
    first = np.mean([same for same, _ in comparisons], axis=0)
    overlap = np.mean([shared for _, shared in comparisons], axis=0)
    return f"| {name} | {len(comparisons)} | {interval(first)} | {interval(overlap)} |"


def compare_refits(run: Run, n_refits: int) -> Iterator[str]:
    """Compare the champion with itself of other seeds, and of other samples of the training rows."""
    own = run.weigh(run.scorer.model)
    if isinstance(run.scorer.model, BoostedTrees) and run.scorer.model.get_params().get("subsample", 1) < 1:
        seeds = [run.weigh(run.fit(run.training, random_state=seed)) for seed in range(1, n_refits + 1)]
        yield line(
            "the champion, with other seeds on the same training rows",
            [compare_reasons(own, other, TOP) for other in seeds],
        )
    halves = []
    for seed in range(n_refits):
        part = run.training.sample(frac=0.8, random_state=seed).reset_index(drop=True)
        halves.append(compare_reasons(own, run.weigh(run.fit(part)), TOP))
    yield line("the champion, with fits to 80% of the training rows", halves)
    drawn = []
    for seed in range(n_refits):
        sample = run.training.sample(frac=1, replace=True, random_state=seed).reset_index(drop=True)
        drawn.append(compare_reasons(own, run.weigh(run.fit(sample)), TOP))
    yield line("the champion, with fits to bootstrap samples of the training rows", drawn)


def as_numbers(run: Run, rows: pd.DataFrame) -> pd.DataFrame:
    """Write categories as ordered codes: the package shap computes no interventional values of splits of categories."""
    model = run.scorer.model
    assert isinstance(model, BoostedTrees)
    codes = model.codes_.transform(model.explained_features(rows))
    return pd.DataFrame(codes, columns=model.feature_names_in_, index=rows.index)


def compare_exact(run: Run, n_background: int) -> Iterator[str]:
    """Compare TreeSHAP, with and without the reference, with exact interventional Shapley values."""
    import shap  # noqa: PLC0415 - takes seconds to import

    numbers = as_numbers(run, run.training).assign(TARGET=run.training["TARGET"])
    model = run.fit(numbers)
    assert isinstance(model, BoostedTrees)
    book: ReasonBook = replace(run.scorer.reasons(), reference=np.zeros(len(model.feature_names_in_)))
    declined, approved = as_numbers(run, run.declined), as_numbers(run, run.approved)
    background = approved.sample(min(len(approved), n_background), random_state=0).to_numpy()
    explainer = shap.TreeExplainer(model.booster_, data=background, feature_perturbation="interventional")  # type: ignore[attr-defined]
    values = pd.DataFrame(explainer.shap_values(declined.to_numpy()), columns=declined.columns, index=declined.index)
    exact = book.weigh_causes(values)
    raw = book.weigh_causes(model.contributions(declined)[0])
    related = weigh(model, declined, approved, book)
    yield line("exact interventional Shapley values, to TreeSHAP as it is", [compare_reasons(exact, raw, TOP)])
    yield line(
        "exact interventional Shapley values, to TreeSHAP less the reference", [compare_reasons(exact, related, TOP)]
    )


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="folder of the data layers of a run")
    parser.add_argument("--source", default="synthetic", help="sub-folder of the layers")
    parser.add_argument("--applicants", type=int, default=300, help="declined applicants compared, at most")
    parser.add_argument("--refits", type=int, default=5, help="of each kind")
    parser.add_argument("--background", type=int, default=200, help="approved applicants behind the exact values")
    parser.add_argument("--section", default="synthetic", help="name of the section that is written")
    parser.add_argument("--title", default="Synthetic twin", help="heading of the section")
    arguments = parser.parse_args()
    run = Run(arguments.data, arguments.source, arguments.applicants, n_reference=1_000)
    lines = [
        f"| what is compared | comparisons | same first reason | share of the {TOP} heaviest that stay |",
        "|---|---:|---:|---:|",
        *compare_refits(run, arguments.refits),
    ]
    if isinstance(run.scorer.model, BoostedTrees):
        lines += compare_exact(run, arguments.background)
    explanation = (
        f"{len(run.declined)} declined applicants of the hold-out; champion `{run.champion['name']}` on "
        f"{len(run.training):,} training rows, {len(run.scorer.feature_names_in_)} columns, "
        f"{run.scorer.reasons().n_causes} causes. Means over applicants with 95% intervals."
    )
    write_section(arguments.section, arguments.title, "\n".join([explanation, "", *lines]), report=REPORT)


if __name__ == "__main__":
    main()
