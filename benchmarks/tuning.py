"""Measure what the search for hyper-parameters is worth, by which measure to search, and what not nesting it flatters.

Several samples of the size of the demo, and as many applicants as are left to say what is true. On each sample, the
hyper-parameters of LightGBM are searched for as the project does it, by log loss and by business cost, and compared
with those set by hand

- out of fold, on the folds of the comparison, which is what a run reports;
- nested, where the search sees the training rows of each of these folds only;
- fitted on the whole sample, on the applicants that no search has seen.

Run by `make bench`, or alone: `python -m benchmarks.tuning --raw /folder/of/the/eight/files`.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import yaml

from benchmarks.harness import DEFAULT_FOLDER, ROOT, make_twin, predict_by_folds, write_section
from benchmarks.promotion import REPORT
from benchmarks.selection import make_model_input
from credit_scoring.metrics.cost import MisclassificationCosts, business_cost_loss, refuse
from credit_scoring.metrics.discrimination import score_metrics
from credit_scoring.metrics.threshold import break_even_threshold
from credit_scoring.models.selection import SelectionOptions, select_features
from credit_scoring.pipelines.modelling.comparison import fold_metrics
from credit_scoring.pipelines.modelling.folds import fit_candidate, make_folds, split_columns
from credit_scoring.pipelines.modelling.options import CandidateOptions, TuningOptions
from credit_scoring.pipelines.modelling.tuning import tune_candidates

FAMILY, SEED = "lightgbm", 42
SEARCHES = ("log_loss", "business_cost")
MEASURES = {"log_loss": "log loss", "business_cost": "cost per applicant", "roc_auc": "AUC"}
COSTS = MisclassificationCosts()
SELECTION = SelectionOptions(max_features=150, max_correlation=0.9, seed=SEED, threads=1)
PARAMETERS = yaml.safe_load((ROOT / "conf/base/parameters/modelling.yml").read_text())


def hand_set() -> dict[str, Any]:
    """Return the family's block of `conf/base`, without treatments of class imbalance."""
    return PARAMETERS["candidates"][FAMILY] | {"imbalance": "none", "tuned": True}


def search(rows: pd.DataFrame, metric: str) -> CandidateOptions:
    """Search on some rows, and return the candidate with the parameters found."""
    tuning = TuningOptions(**PARAMETERS["tuning"] | {"metric": metric})
    storage = optuna.storages.InMemoryStorage()
    found, _ = tune_candidates(rows, {FAMILY: hand_set()}, SELECTION, tuning, COSTS, storage)
    return CandidateOptions.model_validate(found[FAMILY])


def measure_sample(sample: pd.DataFrame, unseen: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return log loss, cost and AUC of the hand-set parameters and of every search, seen in every way."""
    folds = make_folds(sample, PARAMETERS["cross_validation"]["n_folds"], SEED, SELECTION)
    by_hand = CandidateOptions.model_validate(hand_set())
    candidates = {"hand": by_hand} | {metric: search(sample, metric) for metric in SEARCHES}
    measured = {}
    for name, candidate in candidates.items():
        out_of_fold = predict_by_folds(candidate, folds, SEED)
        measured[f"{name}, out of fold"] = _mean(fold_metrics(folds, out_of_fold, COSTS))
        cut_off = break_even_threshold(folds.target, out_of_fold, COSTS)
        measured[f"{name}, unseen"] = _measure_unseen(candidate, sample, unseen, cut_off)
    searched = [search(sample.iloc[training].reset_index(drop=True), SEARCHES[0]) for _, training, _, _ in folds]
    of_each = [predict_by_folds(candidate, folds, SEED) for candidate in searched]
    nested = np.choose(folds.fold_of_row, of_each)  # of what each search found, its own fold alone
    measured[f"{SEARCHES[0]}, nested"] = _mean(fold_metrics(folds, nested, COSTS))
    return measured


def _measure_unseen(
    candidate: CandidateOptions, sample: pd.DataFrame, unseen: pd.DataFrame, cut_off: float
) -> dict[str, float]:
    X, y = split_columns(sample)
    model = fit_candidate(candidate, X, y, select_features(X, y, SELECTION), SEED)
    X, y = split_columns(unseen)
    probability = model.predict_proba(X)[:, 1]
    cost = business_cost_loss(y, refuse(probability, cut_off), COSTS)
    return _kept(score_metrics(y.to_numpy(), probability) | {"business_cost": cost})


def _mean(by_fold: list[dict[str, float]]) -> dict[str, float]:
    return _kept(pd.DataFrame(by_fold).mean().to_dict())


def _kept(metrics: dict[str, float]) -> dict[str, float]:
    return {name: float(metrics[name]) for name in MEASURES}


def describe(samples: list[dict[str, dict[str, float]]], size: int, n_unseen: int, source: str) -> str:
    """Write what the searches gained, and the difference between what is reported and what is true."""

    def differences(one: str, other: str, measure: str) -> np.ndarray:
        return np.array([sample[one][measure] - sample[other][measure] for sample in samples])

    def row(label: str, one: str, other: str) -> str:
        cells = []
        for measure in MEASURES:
            values = differences(one, other, measure)
            cells.append(f"{values.mean():+.4f} ± {values.std(ddof=1) / np.sqrt(len(values)):.4f}")
        return f"| {label} | {' | '.join(cells)} |"

    first = SEARCHES[0]
    trials, inner = PARAMETERS["tuning"]["n_trials"], PARAMETERS["tuning"]["n_folds"]
    return "\n".join(
        [
            f"Data: {source}, {len(samples)} samples of {size:,} applicants, {n_unseen:,} others that no search has "
            f"seen. LightGBM, {trials} trials on {inner} folds, the hand-set values of `conf/base` the first of them. "
            "Differences to the hand-set values: mean over the samples ± its standard error.",
            "",
            f"| searched by | seen | {' | '.join(MEASURES.values())} |",
            "|---|---|" + "---:|" * len(MEASURES),
            *(row(f"{MEASURES[by]} | unseen applicants", f"{by}, unseen", "hand, unseen") for by in SEARCHES),
            *(row(f"{MEASURES[by]} | out of fold", f"{by}, out of fold", "hand, out of fold") for by in SEARCHES),
            row(f"{MEASURES[first]} | out of fold, nested", f"{first}, nested", "hand, out of fold"),
            "",
            "What a run reports less what a nested search would (negative log loss and cost: flattered by so much):",
            "",
            f"| | | {' | '.join(MEASURES.values())} |",
            "|---|---|" + "---:|" * len(MEASURES),
            row("not nested less nested | out of fold", f"{first}, out of fold", f"{first}, nested"),
        ]
    )


def main() -> None:
    """Make the features, measure every sample, write the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw", type=Path, help="folder of the eight CSV files; generated if not given")
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--size", type=int, default=8_000, help="applicants of a sample")
    parser.add_argument("--unseen", type=int, default=20_000, help="applicants of the twin beside the samples")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="scratch folder")
    parser.add_argument("--resume", action="store_true", help="keep the samples that were measured before")
    parser.add_argument("--source", default="the synthetic twin", help="what the report calls the data")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve() / "tuning"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = arguments.samples * arguments.size
    raw = arguments.raw.resolve() if arguments.raw else make_twin(folder, wanted + arguments.unseen, 1000)
    stored = folder / "model_input.parquet"
    if not (arguments.resume and stored.exists()):
        make_model_input(raw, folder / "project").to_parquet(stored)
    rows = pd.read_parquet(stored).sample(frac=1, random_state=SEED, ignore_index=True)
    if len(rows) <= wanted:
        sys.exit(f"{len(rows)} applicants leave none unseen by {wanted}. Hint: smaller --samples or --size.")
    unseen, samples = rows.iloc[wanted:], []
    for number in range(arguments.samples):
        result = folder / f"sample_{number}.json"
        question = [str(raw), len(rows), arguments.size, PARAMETERS["tuning"], hand_set()]
        measured = json.loads(result.read_text()) if arguments.resume and result.exists() else {}
        if measured.get("of") != question:
            print(f"Sample {number + 1} of {arguments.samples}.", file=sys.stderr, flush=True)
            sample = rows.iloc[number * arguments.size : (number + 1) * arguments.size].reset_index(drop=True)
            measured = {"of": question, "measured": measure_sample(sample, unseen)}
            result.write_text(json.dumps(measured))
        samples.append(measured["measured"])
    body = describe(samples, arguments.size, len(unseen), arguments.source)
    write_section("tuning", "What tuning is worth", body, report=REPORT)


if __name__ == "__main__":
    main()
