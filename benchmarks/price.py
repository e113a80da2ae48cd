"""Measure the price of interpretability again, on folds dealt several times.

One comparison of a thousand applicants hardly tells any two models apart. After a run of the pipelines, the best
candidate of each level of complexity, as the run's table names it and with the hyper-parameters of the run, is
cross-validated on folds of other seeds. Nothing is chosen on these folds, but the run chose on the same applicants.
Run by `make bench`, or alone after `make demo`; writes docs/price_of_interpretability.md.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from benchmarks.harness import ROOT, write_section
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.pipelines.modelling.comparison import cross_validate_candidates
from credit_scoring.pipelines.modelling.interpretability import price_interpretability
from credit_scoring.pipelines.modelling.options import CandidateOptions, CrossValidationOptions
from credit_scoring.pipelines.reporting.interpretability import tabulate_interpretability
from credit_scoring.texts import texts_in

REPORT = ROOT / "docs" / "price_of_interpretability.md"
PARAMETERS = yaml.safe_load((ROOT / "conf/base/parameters/modelling.yml").read_text())
COSTS = MisclassificationCosts(**yaml.safe_load((ROOT / "conf/base/parameters/costs.yml").read_text())["costs"])
N_FOLDS: int = PARAMETERS["cross_validation"]["n_folds"]
SELECTION = SelectionOptions(**PARAMETERS["selection"] | {"seed": 42})
FIRST_SEED = 100
"""Of the folds: none that a run uses."""


def read_run(data: Path, source: str) -> tuple[pd.DataFrame, dict[str, dict[str, Any]], str]:
    """Return the training rows of a run, the candidates of its table with what the search found, and its champion.

    Without candidates with row models: their features were made on the folds of the run.
    """
    models, table = data / "06_models" / source, data / "08_reporting" / source / "price_of_interpretability.csv"
    if not table.exists():
        sys.exit(f"{table} does not exist.\nHint: make demo")
    results = {result["name"]: result for result in json.loads((models / "candidate_results.json").read_text())}
    described = {
        name: {field: results[name][field] for field in CandidateOptions.model_fields}
        for name in pd.read_csv(table)["candidate"]
        if not results[name]["row_models"]
    }
    rows = pd.read_parquet(data / "05_model_input" / source / "permitted_training_rows.parquet")
    return rows, described, json.loads((models / "champion.json").read_text())["name"]


def repeat_comparison(rows: pd.DataFrame, candidates: dict[str, Any], champion: str, repeats: int) -> pd.DataFrame:
    """Cross-validate on folds of several seeds; return the table of all folds, as of `price_interpretability`."""
    merged: dict[str, dict[str, Any]] = {}
    for repeat in range(repeats):
        print(f"Folds {repeat + 1} of {repeats}.", file=sys.stderr, flush=True)
        folds = CrossValidationOptions(n_folds=N_FOLDS, seed=FIRST_SEED + repeat)
        _, results = cross_validate_candidates(rows, candidates, SELECTION, folds, COSTS)
        for result in results:
            earlier = merged.setdefault(result["name"], result | {"folds": []})
            earlier["folds"] += result["folds"]
    for result in merged.values():
        result["mean"] = pd.DataFrame(result["folds"]).mean().to_dict()
    return price_interpretability([*merged.values()], {"name": champion}, CrossValidationOptions(n_folds=N_FOLDS))


def describe(price: pd.DataFrame, rows: pd.DataFrame, repeats: int) -> str:
    """Write the table of the report as Markdown, and what it was measured on."""
    table = tabulate_interpretability(price, texts_in("en"))
    header = table["header"]
    lines = [f"| {' | '.join(header)} |", f"|---|---|{'---:|' * (len(header) - 2)}"]
    for place, cells in enumerate(table["rows"]):
        mark = "**" if place == table["strong"] else ""
        lines.append(f"| {' | '.join(f'{mark}{cell}{mark}' if cell else '' for cell in cells)} |")
    explanation = (
        f"{len(rows):,} training rows, {int(rows['TARGET'].sum()):,} of them defaults, {repeats} times {N_FOLDS} "
        "stratified folds; means over all folds. Differences to the candidate of least log loss, paired by fold, with "
        "their 95% intervals (corrected for repeated cross-validation). In bold, the champion of the run."
    )
    return "\n".join([explanation, "", *lines])


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description="Measure the price of interpretability on folds dealt several times.")
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="folder of the data layers of a run")
    parser.add_argument("--source", default="synthetic", help="sub-folder of the layers")
    parser.add_argument("--repeats", type=int, default=5, help="cross-validations")
    parser.add_argument("--section", default="synthetic", help="name of the section that is written")
    parser.add_argument("--title", default="Synthetic twin", help="heading of the section")
    arguments = parser.parse_args()
    rows, candidates, champion = read_run(arguments.data, arguments.source)
    price = repeat_comparison(rows, candidates, champion, arguments.repeats)
    body = describe(price, rows, arguments.repeats)
    write_section(arguments.section, arguments.title, body, report=REPORT)


if __name__ == "__main__":
    main()
