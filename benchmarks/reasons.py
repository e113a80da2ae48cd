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
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.harness import ROOT, write_section
from credit_scoring.explanations import compare_reasons, weigh, weigh_causes
from credit_scoring.metrics.uncertainty import Interval, rate_interval
from credit_scoring.models import ScoringModel, refit_model
from credit_scoring.models.base import BoostedTrees, LibraryModel
from credit_scoring.models.complexity import by_hand
from credit_scoring.models.encoding import CategoryCodes
from credit_scoring.models.families.blend import BlendModel
from credit_scoring.pipelines.explainability.nodes import spread_rows
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
    if seeded(run.scorer.model, 0):
        seeds = [run.weigh(run.fit(run.training, **seeded(run.scorer.model, seed))) for seed in range(1, n_refits + 1)]
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


def seeded(model: ScoringModel, seed: int) -> dict[str, Any]:
    """Return the parameters that give a model, or the members of a blend that draw, another seed; none if none do."""
    if isinstance(model, BlendModel):
        seeds = {name: seeded(fits[0], seed) for name, fits in model.fits_.items()}
        members = {
            name: {**member, "params": {**member.get("params", {}), **seeds.get(name, {})}}
            for name, member in model.members.items()
        }
        return {"members": members} if any(seeds.values()) else {}
    draws = isinstance(model, LibraryModel) or "random_state" in model.get_params()
    return {"random_state": 1_000 * seed} if draws else {}  # far apart: a blend has fits of consecutive seeds


def exact_contributions(model: ScoringModel, rows: pd.DataFrame, background: pd.DataFrame) -> pd.DataFrame | None:
    """Return exact interventional Shapley values in log-odds against a background; nothing where there are none.

    Boosted trees: by the package shap. A sum of independent terms, such as a scorecard or a regression: the terms less
    their means over the background (Lundberg & Lee, NeurIPS 2017, sec. 4). A blend: the mean of its members' values, as
    Shapley values are linear in the model. Other families have none that are exact.
    """
    if isinstance(model, BlendModel):
        members = []
        for fits in model.fits_.values():
            of_fits = [exact_contributions(fit, rows, background) for fit in fits]
            if any(found is None for found in of_fits):
                return None
            members.append(sum(found.reindex(columns=rows.columns, fill_value=0.0) for found in of_fits) / len(fits))
        return sum(members) / len(members)
    if by_hand(model.complexity) != "no":
        return model.contributions(rows)[0] - model.contributions(background)[0].mean()
    if not isinstance(model, BoostedTrees):
        return None
    import shap  # noqa: PLC0415 - takes seconds to import

    names = list(model.feature_names_in_)
    explainer = shap.TreeExplainer(
        model.booster_,  # type: ignore[attr-defined]
        data=background[names].to_numpy(),
        feature_perturbation="interventional",
    )
    return pd.DataFrame(explainer.shap_values(rows[names].to_numpy()), columns=names, index=rows.index)


def compare_exact(run: Run, n_background: int) -> Iterator[str]:
    """Compare the contributions that are served, with and without the reference, with exact interventional ones.

    Categories are ordered codes: the package shap computes no interventional values of splits of categories.
    """
    names = list(run.scorer.model.columns_given_)
    codes = CategoryCodes("name").fit(run.training[names])
    training, declined, approved = (
        pd.DataFrame(codes.transform(rows[names]), columns=names, index=rows.index)
        for rows in (run.training, run.declined, run.approved)
    )
    model = run.fit(training.assign(TARGET=run.training["TARGET"]))
    background = approved.sample(min(len(approved), n_background), random_state=0)
    values = exact_contributions(model, declined, background)
    if values is None:
        return
    book = run.scorer.reasons()
    exact, raw = weigh_causes(values, book), weigh_causes(model.contributions(declined)[0], book)
    related = weigh(model, declined, approved, book)
    yield line("exact interventional Shapley values, to contributions as they are", [compare_reasons(exact, raw, TOP)])
    yield line(
        "exact interventional Shapley values, to contributions less the reference",
        [compare_reasons(exact, related, TOP)],
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
        *compare_exact(run, arguments.background),
    ]
    explanation = (
        f"{len(run.declined)} declined applicants of the hold-out; champion `{run.champion['name']}` on "
        f"{len(run.training):,} training rows, {len(run.scorer.feature_names_in_)} columns, "
        f"{run.scorer.reasons().n_causes} causes. Means over applicants with 95% intervals."
    )
    write_section(arguments.section, arguments.title, "\n".join([explanation, "", *lines]), report=REPORT)


if __name__ == "__main__":
    main()
