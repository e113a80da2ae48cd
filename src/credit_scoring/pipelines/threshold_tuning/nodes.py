"""Choice of the threshold on out-of-fold probabilities, its evaluation on the hold-out, release of the scorer."""

import hashlib
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.cost import (
    MisclassificationCosts,
    cost_curve,
    decision_costs,
    optimal_threshold,
    refuse,
)
from credit_scoring.metrics.discrimination import decision_metrics, score_metrics
from credit_scoring.metrics.uncertainty import bootstrap_mean
from credit_scoring.models import ScoringModel
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.threshold_tuning.options import PromotionOptions
from credit_scoring.scorer import REFUSED, CreditScorer, Incumbent, ScorerRelease

_LABELS = {
    "fr": {
        "title": "Coût métier selon le seuil de refus",
        "x": "Seuil : un client est refusé si sa probabilité de défaut l'atteint",
        "y": "Coût moyen par demande (1 = un bon client refusé)",
        "oof": "hors-pli (choix du seuil)",
        "holdout": "échantillon témoin (jamais vu)",
        "tuned": "seuil retenu {}",
        "theory": "seuil théorique {}",
        "half": "seuil usuel 0,5",
        "grant_all": "tout accorder",
        "refuse_all": "tout refuser",
        "grant_rate": "Part accordée",
    },
    "en": {
        "title": "Business cost over the refusal threshold",
        "x": "Threshold: a client is refused when the probability of default reaches it",
        "y": "Mean cost per application (1 = one refused good client)",
        "oof": "out-of-fold (threshold chosen here)",
        "holdout": "hold-out (never seen)",
        "tuned": "chosen threshold {}",
        "theory": "theoretical threshold {}",
        "half": "usual threshold 0.5",
        "grant_all": "grant all",
        "refuse_all": "refuse all",
        "grant_rate": "Share granted",
    },
}


def compute_threshold_curve(oof_predictions: pd.DataFrame, costs: MisclassificationCosts) -> pd.DataFrame:
    """Return the exact cost curve of the champion's out-of-fold probabilities (see `metrics.cost.cost_curve`)."""
    return cost_curve(oof_predictions["TARGET"], oof_predictions["PROBABILITY"], costs)


def choose_policy(
    oof_predictions: pd.DataFrame, champion: dict[str, Any], costs: MisclassificationCosts
) -> dict[str, Any]:
    """Choose the threshold of least cost on out-of-fold probabilities; the hold-out takes no part.

    Returns:
        `threshold`, `theoretical_threshold`, `costs`, `model`, `model_family`, and what it was chosen on.
    """
    threshold = optimal_threshold(oof_predictions["TARGET"], oof_predictions["PROBABILITY"], costs)
    return {
        "threshold": threshold,
        "theoretical_threshold": costs.theoretical_threshold,
        "costs": costs.model_dump(),
        "model": champion["name"],
        "model_family": champion["family"],
        "chosen_on": {"predictions": "out-of-fold", "applicants": len(oof_predictions)},
    }


def evaluate_policy(
    holdout_predictions: pd.DataFrame, decision_policy: dict[str, Any], costs: MisclassificationCosts
) -> dict[str, Any]:
    """Measure score and decisions on the hold-out, at the tuned threshold and beside the alternatives.

    Returns:
        `score` (threshold-free metrics), and under `policies` for `tuned`, `theoretical`, `half`, `grant_all`,
        `refuse_all`: `threshold`, `business_cost` per applicant with its 95 % bootstrap interval, `total_cost`, the
        confusion matrix, decision metrics.
    """
    target = holdout_predictions["TARGET"].to_numpy()
    probability = holdout_predictions["PROBABILITY"].to_numpy()
    thresholds = {
        "tuned": decision_policy["threshold"],
        "theoretical": costs.theoretical_threshold,
        "half": 0.5,
        "grant_all": float(np.nextafter(1.0, 2.0)),
        "refuse_all": 0.0,
    }
    policies = {}
    for name, threshold in thresholds.items():
        refused = refuse(probability, threshold)
        interval = bootstrap_mean(decision_costs(target, refused, costs))
        loss = interval.estimate
        policies[name] = {
            "threshold": threshold,
            "business_cost": loss,
            "business_cost_interval": {"low": interval.low, "high": interval.high},
            "total_cost": loss * len(target),
            "true_positives": int(np.sum(refused & (target == 1))),
            "false_positives": int(np.sum(refused & (target == 0))),
            "false_negatives": int(np.sum(~refused & (target == 1))),
            "true_negatives": int(np.sum(~refused & (target == 0))),
            **decision_metrics(target, refused),
        }
    return {
        "applicants": len(target),
        "default_rate": float(target.mean()),
        "score": score_metrics(target, probability),
        "policies": policies,
    }


def plot_cost_curve(
    threshold_curve: pd.DataFrame,
    holdout_predictions: pd.DataFrame,
    decision_policy: dict[str, Any],
    costs: MisclassificationCosts,
    figures: FigureOptions,
) -> Figure:
    """Draw cost and grant rate over the threshold, out of fold and on the hold-out, with the thresholds that matter."""
    labels = _LABELS[figures.language]
    holdout_curve = cost_curve(holdout_predictions["TARGET"], holdout_predictions["PROBABILITY"], costs)
    tuned, theory = decision_policy["threshold"], costs.theoretical_threshold
    default_rate = float(holdout_predictions["TARGET"].mean())
    figure = Figure(figsize=(9, 6.2))
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
    for curve, label, style in (
        (threshold_curve, labels["oof"], {"color": "#1f4e79", "lw": 2.0}),
        (holdout_curve, labels["holdout"], {"color": "#c55a11", "lw": 1.3}),
    ):
        # Above the highest score nothing changes any more: everybody is granted.
        x = np.append(curve["threshold"], 1.0)
        axes.step(x, np.append(curve["cost"], curve["cost"].iloc[-1]), where="pre", label=label, **style)
        below.step(x, np.append(curve["grant_rate"], 1.0), where="pre", **style)
    for level, label in (
        (costs.false_negative * default_rate, labels["grant_all"]),
        (costs.false_positive * (1 - default_rate), labels["refuse_all"]),
    ):
        axes.axhline(level, color="0.55", lw=0.9, ls=":")
        axes.text(0.995, level, label, color="0.35", ha="right", va="bottom", fontsize=9)
    for at, label, style in (
        (tuned, labels["tuned"].format(figures.number(f"{tuned:.3f}")), {"color": "#2e7d32", "lw": 1.8}),
        (theory, labels["theory"].format(figures.number(f"{theory:.3f}")), {"color": "0.25", "lw": 1.1, "ls": "--"}),
        (0.5, labels["half"], {"color": "0.6", "lw": 1.1, "ls": "-."}),
    ):
        axes.axvline(at, label=label, **style)
        below.axvline(at, **style)
    axes.set_title(labels["title"], loc="left")
    axes.set_ylabel(labels["y"])
    axes.set(xlim=(0, 1), ylim=(0, max(threshold_curve["cost"].max(), holdout_curve["cost"].max()) * 1.08))
    axes.yaxis.set_major_formatter(figures.axis())
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    below.set_xlabel(labels["x"])
    below.set_ylabel(labels["grant_rate"])
    below.set_ylim(0, 1.04)
    below.xaxis.set_major_formatter(figures.axis())
    below.yaxis.set_major_formatter(figures.percent_axis())
    for ax in (axes, below):
        ax.spines[["top", "right"]].set_visible(False)
    figure.align_ylabels()
    figure.tight_layout(rect=(0, 0.015, 1, 1))
    figures.mark_source(figure)
    return figure


def build_scorer(
    champion_model: ScoringModel, calibration: dict[str, Any], decision_policy: dict[str, Any]
) -> CreditScorer:
    """Put model, calibration and policy together into what is served."""
    return CreditScorer(champion_model, Calibration.from_dict(calibration), decision_policy)


def decide_promotion(
    scorer: CreditScorer,
    incumbent: Incumbent | None,
    training_rows: pd.DataFrame,
    holdout_rows: pd.DataFrame,
    costs: MisclassificationCosts,
    promotion: PromotionOptions,
) -> dict[str, Any]:
    """Decide whether this run's scorer replaces the champion of the registry.

    It does if its decisions on the same hold-out cost less by more than chance allows (paired bootstrap of the
    difference per applicant), if there is nobody to replace, or if it is told to. A champion that learnt from other
    rows may have seen this hold-out: it cannot be compared with, and is replaced.

    Returns:
        `promoted`, `reason`, `incumbent` (its version, or null), `cost_difference` per applicant with its interval
        (null where there was nothing to compare), `training_data` (digest of the rows learnt from).
    """
    data = _digest(training_rows)
    decision: dict[str, Any] = {
        "promoted": True,
        "reason": "",
        "incumbent": incumbent.version if incumbent else None,
        "cost_difference": None,
        "training_data": data,
    }
    if incumbent is None:
        return decision | {"reason": "there is no champion yet"}
    if incumbent.scorer is None:
        return decision | {"reason": f"version {incumbent.version} cannot be compared with: {incumbent.problem}"}
    if incumbent.tags.get("training_data") != data:
        reason = f"version {incumbent.version} learnt from other rows and may have seen this hold-out"
        return decision | {"reason": reason}
    mine, its = (
        decision_costs(holdout_rows["TARGET"], (judge.predict(holdout_rows)["decision"] == REFUSED), costs)
        for judge in (scorer, incumbent.scorer)
    )
    difference = bootstrap_mean(
        mine - its, n_resamples=promotion.n_resamples, confidence=promotion.confidence, seed=promotion.seed
    )
    better = difference.high < 0
    reason = (
        f"cost per applicant {difference.estimate:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}] against "
        f"version {incumbent.version} on {len(mine)} hold-out applicants: "
        f"{'better by more than chance' if better else 'no better than chance allows'}"
    )
    if promotion.force and not better:
        reason += "; promoted because promotion.force is set"
    return decision | {
        "promoted": better or promotion.force,
        "reason": reason,
        "cost_difference": difference.model_dump(),
    }


def release_scorer(
    scorer: CreditScorer,
    policy_evaluation: dict[str, Any],
    promotion_decision: dict[str, Any],
    training_rows: pd.DataFrame,
    holdout_rows: pd.DataFrame,
    source: str,
) -> ScorerRelease:
    """Describe the scorer for registry and server, with the first five hold-out applicants as an example."""
    features = list(scorer.feature_names_in_)
    policy, tuned, score = scorer.decision_policy, policy_evaluation["policies"]["tuned"], policy_evaluation["score"]
    interval = tuned["business_cost_interval"]
    description = (
        f"Probability of default and decision of the `{policy['model']}` champion on **{source}** data. Refuses at "
        f"{tuned['threshold']:.4f}: business cost {tuned['business_cost']:.4f} per applicant "
        f"[{interval['low']:.4f}, {interval['high']:.4f}] on the hold-out "
        f"({policy_evaluation['applicants']} applicants), ROC AUC {score['roc_auc']:.4f}.\n\n"
        f"{'Promoted' if promotion_decision['promoted'] else 'Not promoted'}: {promotion_decision['reason']}."
    )
    tags = {
        "source": source,
        "model": policy["model"],
        "model_family": policy["model_family"],
        "threshold": f"{tuned['threshold']:.6f}",
        "holdout_business_cost": f"{tuned['business_cost']:.6f}",
        "holdout_roc_auc": f"{score['roc_auc']:.6f}",
        "training_data": promotion_decision["training_data"],
        "promotion": promotion_decision["reason"],
    }
    return ScorerRelease(
        scorer=scorer,
        example_rows=training_rows[features],
        input_example=holdout_rows[features].head(5),
        description=description,
        promoted=promotion_decision["promoted"],
        tags=tags,
    )


def _digest(training_rows: pd.DataFrame) -> str:
    """Name a set of training rows: whose they are and how they turned out."""
    hashed = pd.util.hash_pandas_object(training_rows[["SK_ID_CURR", "TARGET"]].astype("int64"), index=False)
    return hashlib.sha256(np.sort(hashed.to_numpy()).tobytes()).hexdigest()[:16]
