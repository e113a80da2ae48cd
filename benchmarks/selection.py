"""Measure what the selection of columns costs in AUC: all features against the best 50, 100, 150 and 250 of them.

The selection is fitted inside every fold, on its training rows, as the modelling pipeline does; model and folds are
those of `conf/base`. One thread each, so that the trees are the same on every machine.
Run by `make bench`, or alone: `python -m benchmarks.selection --raw /folder/of/the/eight/files`.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from benchmarks.harness import (
    DEFAULT_FOLDER,
    ROOT,
    kedro,
    make_twin,
    measure,
    scratch_project,
    write_section,
)
from credit_scoring.models import build_model
from credit_scoring.models.selection import SelectionOptions, select_features
from credit_scoring.pipelines.modelling.folds import split_columns

FEATURES = "data/04_feature/home_credit/applicant_features.parquet"
SIZES = (50, 100, 150, 250)
ALL = "all"
SEED = 42


def make_model_input(raw: Path, project: Path) -> pd.DataFrame:
    """Run the data processing of the project on the raw files and return every applicant whose outcome is known."""
    scratch_project(project)
    # The environment for files that the project did not make.
    measure(kedro("--pipelines", "data_processing", "--env", "kaggle", "--params", f"raw_folder={raw}"), project)
    return pd.read_parquet(project / FEATURES, filters=[("TARGET", "in", (0, 1))])


def lightgbm_params() -> dict:
    """Return the hyper-parameters of `conf/base`."""
    parameters = yaml.safe_load((ROOT / "conf/base/parameters/modelling.yml").read_text())
    return parameters["candidates"]["lightgbm"]["params"] | {"random_state": SEED, "n_jobs": 1}


def measure_fold(X: pd.DataFrame, y: pd.Series, training: np.ndarray, validation: np.ndarray) -> dict[str, dict]:
    """Return AUC, number of columns and seconds of fitting (selection included) for every size, on one fold."""
    measured = {}
    for size in (*SIZES, ALL):
        started = time.perf_counter()
        names = list(X.columns)
        if size != ALL:
            options = SelectionOptions(max_features=size, seed=SEED, threads=1)
            names = select_features(X.iloc[training], y.iloc[training], options)
        model = build_model("lightgbm", lightgbm_params()).fit(X.iloc[training][names], y.iloc[training])
        seconds = time.perf_counter() - started
        probability = model.predict_proba(X.iloc[validation][names])[:, 1]
        measured[str(size)] = {
            "auc": float(roc_auc_score(y.iloc[validation], probability)),
            "columns": len(names),
            "seconds": seconds,
        }
    return measured


def describe(folds: list[dict[str, dict]], applicants: int, source: str) -> str:
    """Write the table: AUC of each size, and its difference from all columns on the same fold."""
    lines = [
        "| columns | AUC | difference from all | standard deviation over folds | least | most | fit, s |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for size in (*map(str, SIZES), ALL):
        table = pd.DataFrame([fold[size] for fold in folds])
        difference = table["auc"] - [fold[ALL]["auc"] for fold in folds]
        paired = (difference.mean(), difference.std(ddof=1), difference.min(), difference.max())
        cells = [f"{value:{form}}" for value, form in zip(paired, ("+.4f", ".4f", "+.4f", "+.4f"), strict=True)]
        lines.append(
            f"| {table['columns'].mean():.0f} | {table['auc'].mean():.4f} | "
            f"{' | '.join(cells if size != ALL else [''] * 4)} | {table['seconds'].mean():.0f} |"
        )
    return "\n".join(
        [
            f"Data: {source}, {applicants:,} applicants, {len(folds)} stratified folds, LightGBM as in `conf/base`. "
            "Columns that repeat an earlier one at rank correlation 0.9 are dropped first, the rest are ranked by "
            "gain, on the training rows of each fold. Differences are paired by fold; the folds share training rows, "
            "so that their spread understates that of new samples. Times are of one thread.",
            "",
            *lines,
        ]
    )


def main() -> None:
    """Make the features, measure every fold, write the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw", type=Path, help="folder of the eight CSV files; generated if not given")
    parser.add_argument("--applicants", type=int, default=60_000, help="size of the generated twin")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="scratch folder")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--resume", action="store_true", help="keep the folds that were measured before")
    parser.add_argument("--source", default="the synthetic twin", help="what the report calls the data")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve() / "selection"
    folder.mkdir(parents=True, exist_ok=True)
    raw = arguments.raw.resolve() if arguments.raw else make_twin(folder, arguments.applicants, 1000)
    stored = folder / f"model_input_{raw.name}.parquet"
    if not (arguments.resume and stored.exists()):
        make_model_input(raw, folder / "project").to_parquet(stored)
    X, y = split_columns(pd.read_parquet(stored))
    splitter = StratifiedKFold(arguments.folds, shuffle=True, random_state=SEED)
    folds = []
    for number, (training, validation) in enumerate(splitter.split(X, y)):
        result = folder / f"fold_{number}.json"
        measured = json.loads(result.read_text()) if arguments.resume and result.exists() else {}
        question = [str(raw), len(X), arguments.folds]
        if measured.get("of") != question:
            print(f"Fold {number + 1} of {arguments.folds}.", file=sys.stderr, flush=True)
            measured = {"of": question, "sizes": measure_fold(X, y, training, validation)}
            result.write_text(json.dumps(measured))
        folds.append(measured["sizes"])
    write_section("selection", "What the selection of columns costs", describe(folds, len(X), arguments.source))


if __name__ == "__main__":
    main()
