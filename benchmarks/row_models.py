"""Measure what row models gain: candidates with and without them, on the same folds, under several seeds.

Everything is done as the pipelines do it: rows measured by `data_processing`, row models cross-fitted on the folds of
the comparison, columns selected inside the folds, candidates and row models as in `conf/base`, not searched for.
Run by `make bench`, or alone: `python -m benchmarks.row_models --raw /folder/of/the/eight/files`.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.harness import (
    DEFAULT_FOLDER,
    ROOT,
    candidates_of,
    kedro,
    make_twin,
    measure,
    parameters_of,
    scratch_project,
    write_section,
)
from credit_scoring.datasets.history_rows import HistoryFiles
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.metrics.uncertainty import corrected_fold_interval
from credit_scoring.models.labels import ROW_MODELS
from credit_scoring.models.row_options import RowModelOptions
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.pipelines.modelling.comparison import cross_validate_candidates
from credit_scoring.pipelines.modelling.folds import deal_rows
from credit_scoring.pipelines.modelling.options import CrossValidationOptions
from credit_scoring.pipelines.modelling.row_features import cross_fit_row_features
from credit_scoring.protected import ProtectedOptions

REPORT = ROOT / "docs" / "row_models.md"
FEATURES = "data/04_feature/home_credit"
CANDIDATES = ("lightgbm", "xgboost")
MEASURES = {"roc_auc": ("AUC", "+.4f"), "log_loss": ("log loss", "+.5f"), "business_cost": ("cost", "+.4f")}
N_FOLDS = 5


def read_options() -> tuple[dict[str, Any], RowModelOptions]:
    """Return the candidates and the row models of `conf/base`."""
    described, row_models = candidates_of("base"), parameters_of("base")["row_models"]
    candidates = {name: described[name] for name in CANDIDATES}
    return candidates, RowModelOptions(**row_models | {"candidates": CANDIDATES})


def make_input(raw: Path, project: Path) -> tuple[pd.DataFrame, HistoryFiles]:
    """Run the data processing on the raw files; return the applicants whose outcome is known, and the single rows."""
    scratch_project(project)
    asked = f"raw_folder={raw},row_models.candidates=[{CANDIDATES[0]}]"
    measure(kedro("--pipelines", "data_processing", "--env", "kaggle", "--params", asked), project)
    features = pd.read_parquet(project / FEATURES / "applicant_features.parquet", filters=[("TARGET", "in", (0, 1))])
    rows = features.drop(columns=ProtectedOptions().found_in(features.columns))
    return rows.sort_values("SK_ID_CURR", ignore_index=True), HistoryFiles(project / FEATURES / "history_rows")


def measure_seed(rows: pd.DataFrame, histories: HistoryFiles, seed: int) -> dict[str, Any]:
    """Return the metrics of every candidate, fold by fold, and the seconds that the row models took."""
    candidates, row_models = read_options()
    folds = CrossValidationOptions(n_folds=N_FOLDS, seed=seed)
    started = time.perf_counter()
    made = cross_fit_row_features(rows, deal_rows(rows["TARGET"], N_FOLDS, seed), histories, row_models)
    seconds = time.perf_counter() - started
    selection = SelectionOptions(seed=42, threads=1)
    _, results = cross_validate_candidates(
        rows, candidates, selection, folds, MisclassificationCosts(), made, row_models
    )
    kept = {
        result["name"]: [{metric: fold[metric] for metric in MEASURES} for fold in result["folds"]]
        for result in results
    }
    return {"candidates": kept, "seconds": seconds}


def describe(seeds: list[dict[str, Any]], applicants: int, source: str) -> str:
    """Write the table: what each candidate gains by row models, paired by fold, seed by seed."""
    lines = [
        "| candidate | seed | AUC without | AUC, with minus without | log loss, with minus without |"
        " cost, with minus without |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in CANDIDATES:
        for number, of_seed in enumerate(seeds, start=1):
            without, with_them = (of_seed["candidates"][key] for key in (name, f"{name}{ROW_MODELS}"))
            cells = [f"{np.mean([fold['roc_auc'] for fold in without]):.4f}"]
            for metric, (_, form) in MEASURES.items():
                gained = [new[metric] - old[metric] for new, old in zip(with_them, without, strict=True)]
                difference = corrected_fold_interval(gained, confidence=0.95)
                cells.append(f"{difference.estimate:{form}} [{difference.low:{form}}, {difference.high:{form}}]")
            lines.append(f"| {name} | {number} | {' | '.join(cells)} |")
    seconds = np.mean([of_seed["seconds"] for of_seed in seeds])
    return "\n".join(
        [
            f"Data: {source}, {applicants:,} applicants, {N_FOLDS} stratified folds. Differences are paired by fold, "
            f"with their 95 % intervals. The row models of one comparison took {seconds:.0f} s.",
            "",
            *lines,
        ]
    )


def main() -> None:
    """Make the rows, measure every seed, write the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw", type=Path, help="folder of the eight CSV files; generated if not given")
    parser.add_argument("--applicants", type=int, default=10_000, help="size of the generated twin")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="scratch folder")
    parser.add_argument("--resume", action="store_true", help="keep the seeds that were measured before")
    parser.add_argument("--source", default="the synthetic twin", help="what the report calls the data")
    parser.add_argument("--section", default="twin", help="name of the section that is written")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve() / "row_models" / arguments.section
    folder.mkdir(parents=True, exist_ok=True)
    raw = arguments.raw.resolve() if arguments.raw else make_twin(folder, arguments.applicants, 1000)
    rows, histories = make_input(raw, folder / "project")
    measured = []
    for seed in range(42, 42 + arguments.seeds):
        result = folder / f"seed_{seed}_{len(rows)}.json"
        if not (arguments.resume and result.exists()):
            print(f"Seed {seed}.", file=sys.stderr, flush=True)
            result.write_text(json.dumps(measure_seed(rows, histories, seed)))
        measured.append(json.loads(result.read_text()))
    title = f"What row models gain: {arguments.source}"
    body = describe(measured, len(rows), arguments.source)
    write_section(f"row_models_{arguments.section}", title, body, report=REPORT)


if __name__ == "__main__":
    main()
