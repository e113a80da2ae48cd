"""What a run has to say for itself, made from its artefacts only."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from credit_scoring.models import family_class

_POLICY_NAMES = {
    "tuned": "tuned threshold",
    "theoretical": "theoretical threshold",
    "half": "threshold 0.5",
    "approve_all": "grant all",
    "decline_all": "refuse all",
}


_MITIGATIONS = {
    "as_is": "as it is",
    "without_attribute": "model without the attribute",
    "equal_approval_rate": "thresholds of equal approval rate",
    "own_threshold": "each group's cheapest threshold",
}


def summarise_comparison(
    leaderboard: pd.DataFrame,
    imbalance_comparison: pd.DataFrame,
    champion: dict[str, Any],
    calibration_evaluation: dict[str, Any],
    champion_diagnosis: dict[str, Any],
) -> str:
    """Write the section on the candidates, the champion and class imbalance as Markdown."""
    lines = [
        "## Candidates (cross-validation, mean over folds; threshold chosen on the other folds)",
        "",
        "| candidate | AUC | ± | average precision | recall | precision | business cost | ± | to the cheapest |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in leaderboard.to_dict("records"):
        difference = f"{row['cost_to_best']:+.4f} [{row['cost_to_best_low']:+.4f}, {row['cost_to_best_high']:+.4f}]"
        lines.append(
            f"| {row['candidate']} | {row['roc_auc']:.4f} | {row['roc_auc_std']:.4f} | {row['average_precision']:.4f} "
            f"| {_share(row['recall'])} | {_share(row['precision'])} | {row['business_cost']:.4f} "
            f"| {row['business_cost_std']:.4f} | {difference if row['cost_to_best'] else ''} |"
        )
    before, after = (calibration_evaluation["methods"][name] for name in ("none", calibration_evaluation["chosen"]))
    lines += [
        "",
        f"Champion: **{champion['name']}**, {champion['reason']}. "
        f"Calibration: {calibration_evaluation['chosen']}, log loss "
        f"{before['log_loss']:.4f} before and {after['log_loss']:.4f} after, calibration error {before['ece']:.4f} and "
        f"{after['ece']:.4f}.",
        *(f"\n**SUSPICIOUS: {flag}**" for flag in champion_diagnosis["flags"]),
    ]
    return "\n".join([*lines, *_describe_imbalance(imbalance_comparison)])


def summarise_decision(
    policy_evaluation: dict[str, Any],
    champion_diagnosis: dict[str, Any],
    decision_policy: dict[str, Any],
    amount_evaluation: dict[str, Any],
) -> str:
    """Write the section on the threshold and its cost as Markdown."""
    score, interval = policy_evaluation["score"], champion_diagnosis["holdout_interval"]
    lines = [
        f"## Decision (hold-out: {policy_evaluation['applicants']:,} applicants never seen, "
        f"{policy_evaluation['default_rate']:.1%} defaults)",
        "",
        f"AUC **{score['roc_auc']:.4f}** [{interval['low']:.4f}, {interval['high']:.4f}], average precision "
        f"{score['average_precision']:.4f}, KS {score['ks']:.3f}.",
        "",
        *describe_policies(decision_policy, policy_evaluation["policies"]),
        "",
    ]
    if "three_way" in policy_evaluation:
        lines.append(_describe_review(policy_evaluation["three_way"], policy_evaluation["policies"]["tuned"]))
    money = amount_evaluation["policies"]
    lines.append(
        f"In monetary terms, losing {amount_evaluation['rates']['loss_given_default']:.1%} of the credit at a default "
        "and "
        f"{amount_evaluation['rates']['margin']:.1%} at a refusal: {money['tuned']['business_cost']:,.0f} per "
        f"applicant at this threshold, {money['by_amount']['business_cost']:,.0f} at "
        f"{money['by_amount']['threshold']:.4f}, the one chosen by amounts, "
        f"{money['approve_all']['business_cost']:,.0f} if all were granted."
    )
    return "\n".join(lines)


def describe_policies(policy: Mapping[str, Any], policies: Mapping[str, Any]) -> list[str]:
    """Say where the threshold is and how certain it is, and tabulate on the hold-out what each policy costs."""
    interval, plateau = policy["threshold_interval"], policy["plateau"]
    lines = [
        f"A client is refused when the probability of default reaches **{policies['tuned']['threshold']:.4f}**. "
        f"Another sample could have put it between {interval['low']:.4f} and {interval['high']:.4f}; from "
        f"{plateau['low']:.4f} to {plateau['high']:.4f} the cost is within {plateau['tolerance']:.0%} of the least.",
        "",
        "| policy | threshold | cost per application | 95 % interval | granted | defaults granted | good refused |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, label in _POLICY_NAMES.items():
        one = policies[name]
        threshold = "" if name in ("approve_all", "decline_all") else f"{one['threshold']:.4f}"
        ends = one["business_cost_interval"]
        lines.append(
            f"| {label} | {threshold} | {one['business_cost']:.4f} | {ends['low']:.4f} – {ends['high']:.4f} "
            f"| {one['approval_rate']:.1%} | {one['false_negatives']:,} | {one['false_positives']:,} |"
        )
    return lines


def summarise_explanations(
    global_importance: pd.DataFrame,
    importance_stability: dict[str, Any],
    reason_audit: dict[str, Any],
    fairness_mitigations: pd.DataFrame,
) -> str:
    """Write the section on what weighs, on what reasons withhold and on groups of clients as Markdown."""
    top = ", ".join(global_importance["feature"].head(5))
    return "\n".join(
        [
            f"What weighs most: {top}. {_describe_stability(importance_stability)}".rstrip(),
            _describe_withheld(reason_audit),
            *_describe_mitigations(fairness_mitigations),
        ]
    )


def summarise_run(
    comparison: str,
    decision: str,
    explanations: str,
    data_quality: dict[str, Any],
    promotion_decision: dict[str, Any],
    source: str,
    places: dict[str, str],
) -> str:
    """Write the run's summary as Markdown: data, its sections, what was made, what to do next."""
    rows = data_quality["rows"]
    environment = "" if source == "synthetic" else " --env kaggle"
    lines = [
        f"# Credit scoring on {source} data",
        "",
        "**Synthetic data: the figures say nothing about real clients.**" if source == "synthetic" else "Real data.",
        "",
        f"{rows['application_train']:,} applicants to learn from, {rows['application_test']:,} to score, "
        f"{sum(rows.values()):,} rows in eight files; findings on their quality: {len(data_quality['findings'])}.",
        "",
        comparison,
        "",
        decision,
        "",
        explanations,
        "",
        "## Made by this run",
        "",
        f"- `{places['model_folder']}/` the model that is served; in the registry: `{places['registered_model']}` with "
        "alias `champion`",
        f"- this run's model is {'the new champion' if promotion_decision['promoted'] else 'kept as challenger'}: "
        f"{promotion_decision['reason']}",
        f"- `{places['report_folder']}/figures/` comparison, calibration, cost over the threshold, explanations",
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
        f"- `kedro run --pipelines monitoring{environment}` compares them with those the model learnt from",
        f"- `kedro run --pipelines explain_client{environment} --params client_id=…` writes the dossier of one client",
        "",
    ]
    return "\n".join(lines)


def _describe_imbalance(imbalance_comparison: pd.DataFrame) -> list[str]:
    """Say, family by family, what a treatment of class imbalance gains, and at what price."""
    if imbalance_comparison.empty:
        return []
    lines = [
        "",
        "## Class imbalance (probabilities before calibration)",
        "",
        "| family | strategy | AUC | business cost | to doing nothing | log loss | mean probability | error |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in imbalance_comparison.to_dict("records"):
        difference = f"{row['cost_to_none']:+.4f} [{row['cost_to_none_low']:+.4f}, {row['cost_to_none_high']:+.4f}]"
        compared = row["imbalance"] != "none" and not pd.isna(row["cost_to_none"])
        family = family_class(row["family"]).labels["en"]
        lines.append(
            f"| {family} | {row['imbalance']} | {row['roc_auc']:.4f} | {row['business_cost']:.4f} "
            f"| {difference if compared else ''} | {row['log_loss']:.4f} | {row['mean_probability']:.1%} "
            f"| {row['ece']:.4f} |"
        )
    rate = imbalance_comparison["default_rate"].iloc[0]
    lines += ["", f"{rate:.1%} of the applicants defaulted. " + " ".join(_judge_imbalance(imbalance_comparison))]
    return lines


def _judge_imbalance(imbalance_comparison: pd.DataFrame) -> list[str]:
    said = []
    for family, rivals in imbalance_comparison.groupby("family", sort=False):
        treated = rivals[rivals["imbalance"] != "none"]
        better = treated.loc[treated["cost_to_none_high"] < 0, "imbalance"].tolist()
        worse = treated.loc[treated["cost_to_none_low"] > 0, "imbalance"].tolist()
        verdict = (
            f"lowers the cost by more than noise: {', '.join(better)}"
            if better
            else ("no strategy lowers the cost by more than noise: the threshold already weighs the two errors")
        )
        if worse:
            verdict += f"; raises it: {', '.join(worse)}"
        said.append(f"{family_class(str(family)).labels['en']}: {verdict}.")
    return said


def _describe_review(three_way: dict[str, Any], tuned: dict[str, Any]) -> str:
    return (
        f"With a person to look at probabilities from {three_way['low']:.4f} to {three_way['high']:.4f} "
        f"({three_way['review_rate']:.1%} of applications) the cost is {three_way['business_cost']:.4f} instead of "
        f"{tuned['business_cost']:.4f}, if a look costs {three_way['reviewer']['cost']:g} and "
        f"{three_way['reviewer']['error_rate']:.0%} of them go wrong."
    )


def _describe_stability(stability: dict[str, Any]) -> str:
    if not stability["models"]:
        return ""
    return (
        f"Of the {stability['top']} heaviest, {stability['overlap']:.0%} are so too when the model is fitted to other "
        f"samples (mean of {stability['models']})."
    )


def _describe_withheld(audit: dict[str, Any]) -> str:
    attributes = audit["withheld_attributes"]
    if not attributes:
        return "The model uses no attribute that a reason may not name."
    return (
        f"Attributes that no reason may name ({', '.join(attributes)}) have {audit['forbidden_share']:.1%} of the "
        f"weight; for {audit['withheld_share']:.1%} of {audit['applicants']:,} hold-out applicants one weighed enough "
        "to be a reason, and was withheld."
    )


def _describe_mitigations(mitigations: pd.DataFrame) -> list[str]:
    lines = [
        "",
        f"## Groups of {mitigations['attribute'].iloc[0]} (hold-out; what was measured, not what the law requires)",
        "",
        "| policy | AUC | cost | 95 % interval | approved | gap approved | gap false declines | gap false negatives |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in mitigations.to_dict("records"):
        lines.append(
            f"| {_MITIGATIONS[row['policy']]} | {row['roc_auc']:.4f} | {row['cost']:.4f} "
            f"| {row['cost_low']:.4f} – {row['cost_high']:.4f} | {row['approval_rate']:.1%} "
            f"| {row['approval_gap']:.1%} | {_share(row['false_decline_gap'])} | {_share(row['false_negative_gap'])} |"
        )
    return lines


def _share(value: float | None) -> str:
    return "–" if value is None or pd.isna(value) else f"{value:.1%}"
