"""Measure the comparison of model families at the size of the real files: time, memory, rows per second.

The command is the project's own, `kedro run --env kaggle`, from the features that `benchmarks.features` left: columns
selected inside five stratified folds, every candidate fitted and measured on each. First LightGBM alone, then the other
families, the slow ones on a part of the rows as `conf/kaggle` says.
Run by `make bench`, or alone after `python -m benchmarks.features`.
"""

import argparse
import json
import shlex
import sys
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from omegaconf import OmegaConf

from benchmarks.harness import DEFAULT_FOLDER, ROOT, Cost, kedro, measure, write_section

MODELS = Path("data/06_models/home_credit")
ROWS = Path("data/05_model_input/home_credit")
GROUPS = {"LightGBM": ("lightgbm",), "the others": ("logistic_regression", "random_forest", "xgboost", "mlp", "dummy")}


def candidates(names: tuple[str, ...]) -> dict[str, dict]:
    """Return the candidates of `conf/kaggle`, without strategies against imbalance and search."""
    files = (ROOT / "conf" / environment / "parameters" / "modelling.yml" for environment in ("base", "kaggle"))
    merged = OmegaConf.merge(*map(OmegaConf.load, files))
    described = OmegaConf.to_container(merged.candidates)
    return {name: described[name] | {"imbalance": "none", "tuned": False} for name in names}


def prepare_rows(project: Path) -> None:
    """Split the features of the project into training rows and hold-out, unless it was done."""
    if not (project / ROWS / "permitted_training_rows.parquet").exists():
        outputs = "permitted_training_rows,holdout_rows"
        measure(kedro("--pipelines", "modelling", "--to-outputs", outputs, "--env", "kaggle"), project)


def compare(project: Path, names: tuple[str, ...]) -> tuple[Cost, list[dict]]:
    """Cross-validate some candidates as the project does, and return what the command took and its results."""
    (project / MODELS).mkdir(parents=True, exist_ok=True)
    (project / MODELS / "tuned_candidates.json").write_text(json.dumps(candidates(names)))
    cost = measure(
        kedro("--pipelines", "modelling", "--nodes", "cross_validate_candidates", "--env", "kaggle"), project
    )
    return cost, json.loads((project / MODELS / "candidate_results.json").read_text())


def describe(groups: dict[str, dict], rows: dict[str, int]) -> str:
    """Write one row per family, and what the commands took."""
    lines = [
        "| family | rows learned from | AUC | cost per applicant | fit of a fold, s | memory of a fit, GB | "
        "rows predicted per second |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for group in groups.values():
        for result in group["results"]:
            folds = pd.DataFrame(result["folds"]).astype(float)
            predicted = rows["training"] / len(folds) / folds["predict_seconds"]
            lines.append(
                f"| {result['family']} | {result['training_rows']:,} | {folds['roc_auc'].mean():.4f} | "
                f"{folds['business_cost'].mean():.4f} | {folds['fit_seconds'].mean():.1f} | "
                f"{folds['fit_megabytes'].mean() / 1000:.2f} | {predicted.mean():,.0f} |"
            )
    commands = [
        f"{name}: {group['cost']['wall'] / 60:.1f} minutes ({group['cost']['cpu'] / 60:.1f} of processor time), "
        f"{group['cost']['peak']:.1f} GB at the peak"
        for name, group in groups.items()
    ]
    return "\n".join(
        [
            f"{rows['training']:,} training rows, {rows['columns']} features of which at most 150 are kept in a fold, "
            f"five stratified folds, candidates of `conf/kaggle`. The whole command, from the stored rows to the "
            f"results, selection of columns in every fold included: {'; '.join(commands)}.",
            "",
            *lines,
        ]
    )


def main() -> None:
    """Measure both groups, write the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="scratch folder of benchmarks.features")
    parser.add_argument("--groups", nargs="+", choices=[*GROUPS], default=[*GROUPS])
    parser.add_argument("--resume", action="store_true", help="keep what was measured before on the same rows")
    arguments = parser.parse_args()
    project = arguments.folder.resolve() / "project"
    features = project / "data/04_feature/home_credit/applicant_features.parquet"
    if not features.exists():
        sys.exit(f"{features} does not exist. Hint: run `python -m benchmarks.features` first.")
    prepare_rows(project)
    stored = pq.ParquetFile(project / ROWS / "permitted_training_rows.parquet")
    rows = {"training": stored.metadata.num_rows, "columns": len(stored.schema_arrow.names) - 2}
    groups = {}
    for name in arguments.groups:
        result = arguments.folder.resolve() / f"training_{'_'.join(name.lower().split())}.json"
        measured = json.loads(result.read_text()) if arguments.resume and result.exists() else {}
        if measured.get("rows") != rows:
            print(f"Comparing {name} on {rows['training']:,} rows.", file=sys.stderr, flush=True)
            cost, results = compare(project, GROUPS[name])
            measured = {"rows": rows, "cost": asdict(cost), "results": results}
            result.write_text(json.dumps(measured))
        groups[name] = measured
    command = "python -m benchmarks.training"
    if arguments.groups != [*GROUPS]:
        command += f" --groups {shlex.join(arguments.groups)}"
    write_section("training", "Comparison of model families", command, describe(groups, rows))


if __name__ == "__main__":
    main()
