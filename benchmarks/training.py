"""Measure the comparison of model families at the size of the real files: time, memory, rows per second.

The command is the project's own, `kedro run --env kaggle`, from the features that `benchmarks.features` left: columns
selected inside five stratified folds, one candidate fitted and measured on each. Every candidate that the parameters
name has its turn, in a command of its own, and its result is kept: after an interruption, or with a family more,
`--resume` measures only what is missing. Slow families learn from a part of the rows, as `conf/kaggle` says.
Run by `make bench`, or alone after `python -m benchmarks.features`.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from benchmarks.harness import (
    DEFAULT_FOLDER,
    Cost,
    candidates_of,
    kedro,
    measure,
    parameters_of,
    split_rows,
    write_section,
)

MODELS = Path("data/06_models/home_credit")
ENVIRONMENT = "kaggle"


def compare(project: Path, name: str, candidate: dict[str, Any]) -> tuple[Cost, dict[str, Any]]:
    """Cross-validate a candidate as the project does, and return what the command took and its result."""
    (project / MODELS).mkdir(parents=True, exist_ok=True)
    (project / MODELS / "tuned_candidates.json").write_text(json.dumps({name: candidate}))
    cost = measure(
        kedro("--pipelines", "modelling", "--nodes", "cross_validate_candidates", "--env", ENVIRONMENT), project
    )
    (result,) = json.loads((project / MODELS / "candidate_results.json").read_text())
    return cost, result


def describe(measured: dict[str, dict[str, Any]], rows: dict[str, int]) -> str:
    """Write one row per candidate, those that were not measured left out, and what all of them took together."""
    lines = [
        "| candidate | training rows | AUC | cost per applicant | fit of a fold, s | memory of a fit, GB | "
        "rows predicted per second | command, min | of processor time | its peak, GB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, of_candidate in measured.items():
        cost, result = of_candidate["cost"], of_candidate["result"]
        folds = pd.DataFrame(result["folds"]).astype(float)
        predicted = rows["training"] / len(folds) / folds["predict_seconds"]
        lines.append(
            f"| {name} | {result['training_rows']:,} | {folds['roc_auc'].mean():.4f} | "
            f"{folds['business_cost'].mean():.4f} | {folds['fit_seconds'].mean():.1f} | "
            f"{folds['fit_megabytes'].mean() / 1000:.2f} | {predicted.mean():,.0f} | "
            f"{cost['wall'] / 60:.1f} | {cost['cpu'] / 60:.1f} | {cost['peak']:.1f} |"
        )
    wall, cpu = (sum(one["cost"][kind] for one in measured.values()) / 60 for kind in ("wall", "cpu"))
    parameters = parameters_of(ENVIRONMENT)
    n_columns, n_folds = parameters["selection"]["max_features"], parameters["cross_validation"]["n_folds"]
    return "\n".join(
        [
            f"{rows['training']:,} training rows, {rows['columns']} features of which at most {n_columns} are kept in "
            f"a fold, {n_folds} stratified folds, candidates of `conf/{ENVIRONMENT}` as set by hand. Every candidate "
            "is a command of its own, from the stored rows to the results, selection of columns in every fold "
            f"included; all of them took {wall:.0f} minutes, {cpu:.0f} of processor time. "
            "The machine had other work: compare processor time, not wall time.",
            "",
            *lines,
        ]
    )


def main() -> None:
    """Measure every candidate, write the section."""
    candidates = candidates_of(ENVIRONMENT)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="scratch folder of benchmarks.features")
    parser.add_argument("--candidates", nargs="+", choices=[*candidates], default=[*candidates])
    parser.add_argument("--resume", action="store_true", help="keep what was measured before, of the same rows")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    training, _ = split_rows(folder / "project")
    stored = pq.ParquetFile(training)
    rows = {"training": stored.metadata.num_rows, "columns": len(stored.schema_arrow.names) - 2}
    found, failed = {}, []
    for name in arguments.candidates:
        stored_result = folder / f"training_{name}.json"
        question = {"rows": rows, "candidate": candidates[name]}
        measured = json.loads(stored_result.read_text()) if arguments.resume and stored_result.exists() else {}
        if measured.get("of") != question:
            print(f"Cross-validating {name} on {rows['training']:,} rows.", file=sys.stderr, flush=True)
            try:
                cost, result = compare(folder / "project", name, candidates[name])
            except RuntimeError as error:  # the others can be measured all the same
                print(f"{name} is left out: {error}", file=sys.stderr, flush=True)
                failed.append(name)
                continue
            measured = {"of": question, "cost": asdict(cost), "result": result}
            stored_result.write_text(json.dumps(measured))
        found[name] = measured
    if found:
        write_section("training", "Comparison of model families", describe(found, rows))
    if failed:
        sys.exit(f"Not measured: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
