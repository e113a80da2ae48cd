"""Measure what keeping to the declared directions costs, and whether outcomes contradict one of them.

Boosted trees with and without `monotone: true` on the same folds, columns picked inside each, hyper-parameters of
`conf/base`, the applicants dealt into folds several times. Nothing is tuned on what is measured here.
Run by `make bench`, or alone after `make demo`; after a run on other files: `--data`, `--source` and `--section`.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import mannwhitneyu

from benchmarks.harness import ROOT, candidates_of, predict_by_folds, write_section
from credit_scoring.features.catalogue import FEATURES
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.metrics.uncertainty import corrected_fold_interval
from credit_scoring.models import family_class
from credit_scoring.models.base import BoostedTrees, ScoringModel
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.pipelines.modelling.comparison import fold_metrics
from credit_scoring.pipelines.modelling.folds import Folds, directions_of, fit_candidate, make_folds
from credit_scoring.pipelines.modelling.options import CandidateOptions
from credit_scoring.pipelines.modelling.protection import leave_out_protected
from credit_scoring.protected import ProtectedOptions

REPORT = ROOT / "docs" / "monotone.md"
FAMILIES = ("xgboost", "lightgbm")
METRICS = {"roc_auc": "AUC", "business_cost": "cost per applicant", "log_loss": "log loss"}
N_FOLDS, N_STEPS, N_RAISED = 5, 10, 300
LARGE_STEP = 0.001
"""Step of the probability of default the wrong way that is counted: a tenth of a percentage point."""


def read_rows(data: Path, source: str) -> pd.DataFrame:
    """Return every applicant whose outcome is known, with the columns that models may learn from."""
    path = data / "04_feature" / source / "applicant_features.parquet"
    if not path.exists():
        sys.exit(f"No features in {path}.\nHint: make demo")
    rows = pd.read_parquet(path, filters=[("TARGET", "in", (0, 1))]).sort_values("SK_ID_CURR", ignore_index=True)
    return leave_out_protected(rows.astype({"TARGET": int}), ProtectedOptions())


def read_candidate(family: str, **changes: Any) -> CandidateOptions:
    """Return the candidate of `conf/base`, without search and treatment of imbalance."""
    return CandidateOptions.model_validate(candidates_of("base")[family] | changes)


def check_directions(rows: pd.DataFrame) -> str:
    """Say how many declared directions the outcomes contradict, each column alone, and whether by more than chance."""
    default = rows["TARGET"] == 1
    p_values: dict[str, float] = {}
    contrary = 0
    for name, feature in FEATURES.items():
        if not feature.direction or name not in rows:
            continue
        numbers = feature.direction * rows[name].astype(float)
        bad, good = numbers[default].dropna(), numbers[~default].dropna()
        if min(len(bad), len(good)) < 5 or pd.concat([bad, good]).nunique() < 2:
            continue
        p_values[name] = float(mannwhitneyu(bad, good, alternative="less").pvalue)
        contrary += mannwhitneyu(bad, good).statistic < len(bad) * len(good) / 2
    worst = min(p_values, key=p_values.__getitem__)
    n, adjusted = len(p_values), min(1.0, len(p_values) * p_values[worst])
    return (
        f"{sum(bool(feature.direction) for feature in FEATURES.values())} features have a direction, {n} of them five "
        f"known values or more of either outcome. Ranked by each alone, defaulters stand on the wrong side of the "
        f"others for {contrary} of the {n}. The one furthest on it is `{worst}`: p = {p_values[worst]:.2g} one-sided "
        f"(Mann-Whitney), {adjusted:.2g} with regard to {n} looks (Bonferroni)."
    )


def wrong_steps(model: ScoringModel, directions: Mapping[str, int], rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return the largest step the wrong way of each applicant and directed column, from one decile to the next.

    Each of the applicants is given ever higher values of a column, all else as it is: shape (applicants, columns).
    """
    steps = []
    for name, direction in directions.items():
        values = np.unique(rows[name].astype(float).quantile(np.linspace(0, 1, N_STEPS + 1)).dropna())
        scores = np.stack([model.predict_proba(rows.head(N_RAISED).assign(**{name: value}))[:, 1] for value in values])
        steps.append(np.maximum(-direction * np.diff(scores, axis=0), 0).max(axis=0, initial=0))
    return np.stack(steps, axis=1)


def compare(folds: Folds, candidates: Mapping[str, CandidateOptions], seed: int) -> dict[str, list[dict[str, float]]]:
    """Return the metrics of each candidate, fold by fold."""
    costs = MisclassificationCosts()
    return {
        name: fold_metrics(folds, predict_by_folds(candidate, folds, seed), costs)
        for name, candidate in candidates.items()
    }


def main() -> None:
    """Write the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="folder of the data layers of a run")
    parser.add_argument("--source", default="synthetic", help="sub-folder of the layers")
    parser.add_argument("--repeats", type=int, default=5, help="how often the applicants are dealt into folds")
    parser.add_argument("--section", default="synthetic", help="name of the section that is written")
    parser.add_argument("--title", default="Synthetic twin", help="heading of the section")
    arguments = parser.parse_args()

    rows = read_rows(arguments.data, arguments.source)
    candidates = {family: read_candidate(family) for family in FAMILIES}
    candidates |= {f"{family}_monotone": read_candidate(family, monotone=True) for family in FAMILIES}
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in candidates}
    for seed in range(arguments.repeats):
        folds = make_folds(rows, N_FOLDS, seed, SelectionOptions(seed=seed, threads=1))
        for name, metrics in compare(folds, candidates, seed).items():
            measured[name] += metrics
    features, training, validation, columns = next(iter(folds))
    directions = directions_of(candidates["xgboost_monotone"], columns)

    lines = [
        "| family | measure | free | monotone | difference | steps the wrong way, free | monotone |",
        "|---|---|---:|---:|---|---:|---:|",
    ]
    for family in FAMILIES:
        shares = []
        for name in (family, f"{family}_monotone"):
            model = fit_candidate(
                candidates[name], features.iloc[training], folds.target.iloc[training], columns, seed=0
            )
            assert isinstance(model, BoostedTrees)
            steps = wrong_steps(model, directions, features.iloc[validation])
            shares.append(f"{(steps > LARGE_STEP).mean():.1%}, largest {100 * steps.max():.1f} points")
        for metric, label in METRICS.items():
            free, monotone = (
                np.array([fold[metric] for fold in measured[name]]) for name in (family, f"{family}_monotone")
            )
            found = corrected_fold_interval((monotone - free).tolist(), n_folds=N_FOLDS)
            lines.append(
                f"| {family_class(family).labels['en']} | {label} | {free.mean():.4f} | {monotone.mean():.4f} "
                f"| {found.estimate:+.4f} [{found.low:+.4f}, {found.high:+.4f}] | {shares[0]} | {shares[1]} |"
            )
            shares = ["", ""]
    body = [
        f"{len(rows):,} applicants, {rows['TARGET'].mean():.1%} defaulted, {arguments.repeats} times five folds; "
        f"{len(columns)} columns, of which {len(directions)} with a direction (in the first fold of the last time).",
        "",
        check_directions(rows),
        "",
        *lines,
        "",
        "Differences: monotone less free, paired by fold, with 95% intervals. Steps: of all pairs of a validation "
        "applicant and a column with a direction, those in which the probability of default moves by more than 0.1 "
        "points against the direction from one decile of the column to the next, all else as it is.",
    ]
    write_section(arguments.section, arguments.title, "\n".join(body), report=REPORT)


if __name__ == "__main__":
    main()
