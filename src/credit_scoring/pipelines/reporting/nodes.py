"""What a run has to say for itself, made from its artefacts only."""

from typing import Any

import pandas as pd

_POLICY_NAMES = {
    "tuned": "tuned threshold",
    "theoretical": "theoretical threshold",
    "half": "threshold 0.5",
    "grant_all": "grant all",
    "refuse_all": "refuse all",
}


def summarise_run(
    candidate_results: list[dict[str, Any]],
    policy_evaluation: dict[str, Any],
    global_importance: pd.DataFrame,
    data_quality: dict[str, Any],
    source: str,
    places: dict[str, str],
) -> str:
    """Write the run's summary as Markdown: data, comparison of candidates, decision, what was made, what to do next."""
    synthetic = source == "synthetic"
    rows = data_quality["rows"]
    score, policies = policy_evaluation["score"], policy_evaluation["policies"]
    tuned = policies["tuned"]
    environment = "" if synthetic else " --env kaggle"
    lines = [
        f"# Credit scoring on {source} data",
        "",
        "**Synthetic data: the figures say nothing about real clients.**" if synthetic else "Real data.",
        "",
        f"{rows['application_train']:,} applicants to learn from, {rows['application_test']:,} to score, "
        f"{sum(rows.values()):,} rows in eight files; findings on their quality: {len(data_quality['findings'])}.",
        "",
        "## Candidates (cross-validation, mean over folds; threshold chosen on the other folds)",
        "",
        "| family | AUC | ± | average precision | recall | precision | business cost | ± |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for result in candidate_results:
        mean, std = result["mean"], result["std"]
        lines.append(
            f"| {result['family']} | {mean['roc_auc']:.4f} | {std['roc_auc']:.4f} | {mean['average_precision']:.4f} "
            f"| {_share(mean['recall'])} | {_share(mean['precision'])} "
            f"| {mean['business_cost']:.4f} | {std['business_cost']:.4f} |"
        )
    lines += [
        "",
        f"## Decision (hold-out: {policy_evaluation['applicants']:,} applicants never seen, "
        f"{policy_evaluation['default_rate']:.1%} defaults)",
        "",
        f"AUC **{score['roc_auc']:.4f}**, average precision {score['average_precision']:.4f}, KS {score['ks']:.3f}. "
        f"A client is refused when the probability of default reaches **{tuned['threshold']:.4f}**.",
        "",
        "| policy | threshold | cost per applicant | granted | missed defaults | refused good clients |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, label in _POLICY_NAMES.items():
        policy = policies[name]
        threshold = "" if name in ("grant_all", "refuse_all") else f"{policy['threshold']:.4f}"
        lines.append(
            f"| {label} | {threshold} | {policy['business_cost']:.4f} | {policy['grant_rate']:.1%} "
            f"| {policy['false_negatives']:,} | {policy['false_positives']:,} |"
        )
    top = ", ".join(global_importance["feature"].head(5))
    lines += [
        "",
        f"What weighs most: {top}.",
        "",
        "## Made by this run",
        "",
        f"- `{places['model_folder']}/` the model that is served; in the registry: `{places['registered_model']}` with "
        "alias `champion`",
        f"- `{places['report_folder']}/figures/` cost over the threshold, global and local explanations",
        f"- `data/08_reporting/{source}/data_quality.md` what the raw files hold against their contracts",
        "- `mlflow.db`, `mlruns/` the tracked run, one child run per candidate",
        "",
        "## Next (after `source .venv/bin/activate`)",
        "",
        "- `mlflow ui` compares the runs at http://127.0.0.1:5000",
        "- `kedro viz` draws the pipelines",
        f"- `mlflow models serve -m {places['model_folder']} -p 1234 --env-manager local` serves the model",
        "- `curl http://127.0.0.1:1234/invocations -H 'Content-Type: application/json' "
        f"-d @{places['model_folder']}/serving_input_example.json` asks it for five decisions",
        f"- `kedro run --pipelines scoring{environment}` scores the applicants whose outcome is unknown",
        "",
    ]
    return "\n".join(lines)


def _share(value: float | None) -> str:
    return "–" if value is None or pd.isna(value) else f"{value:.1%}"
