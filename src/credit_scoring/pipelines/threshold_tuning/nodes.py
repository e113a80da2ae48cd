"""Choice of the threshold on out-of-fold probabilities, its evaluation on the hold-out, release of the scorer."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.cost import (
    MisclassificationCosts,
    business_cost_loss,
    cost_curve,
    optimal_threshold,
    refuse,
)
from credit_scoring.metrics.discrimination import decision_metrics, score_metrics
from credit_scoring.models import ScoringModel
from credit_scoring.scorer import CreditScorer, ScorerRelease

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
        `threshold`, `theoretical_threshold`, `costs`, `model_family`, and what it was chosen on.
    """
    threshold = optimal_threshold(oof_predictions["TARGET"], oof_predictions["PROBABILITY"], costs)
    return {
        "threshold": threshold,
        "theoretical_threshold": costs.theoretical_threshold,
        "costs": costs.model_dump(),
        "model_family": champion["family"],
        "chosen_on": {"predictions": "out-of-fold", "applicants": len(oof_predictions)},
    }


def evaluate_policy(
    holdout_predictions: pd.DataFrame, decision_policy: dict[str, Any], costs: MisclassificationCosts
) -> dict[str, Any]:
    """Measure score and decisions on the hold-out, at the tuned threshold and beside the alternatives.

    Returns:
        `score` (threshold-free metrics), and under `policies` for `tuned`, `theoretical`, `half`, `grant_all`,
        `refuse_all`: `threshold`, `business_cost` per applicant, `total_cost`, the confusion matrix, decision metrics.
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
        loss = business_cost_loss(target, refused, costs)
        policies[name] = {
            "threshold": threshold,
            "business_cost": loss,
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


def release_scorer(
    champion_model: ScoringModel,
    decision_policy: dict[str, Any],
    policy_evaluation: dict[str, Any],
    training_rows: pd.DataFrame,
    holdout_rows: pd.DataFrame,
    source: str,
) -> ScorerRelease:
    """Put champion and policy together into what is served, with the first five hold-out applicants as an example."""
    features = list(champion_model.feature_names_in_)
    tuned = policy_evaluation["policies"]["tuned"]
    score = policy_evaluation["score"]
    description = (
        f"Probability of default and decision of the `{decision_policy['model_family']}` champion "
        f"on **{source}** data. Refuses at {tuned['threshold']:.4f}: business cost {tuned['business_cost']:.4f} "
        f"per applicant on the hold-out ({policy_evaluation['applicants']} applicants), ROC AUC {score['roc_auc']:.4f}."
    )
    tags = {
        "source": source,
        "model_family": decision_policy["model_family"],
        "threshold": f"{tuned['threshold']:.6f}",
        "holdout_business_cost": f"{tuned['business_cost']:.6f}",
        "holdout_roc_auc": f"{score['roc_auc']:.6f}",
    }
    return ScorerRelease(
        scorer=CreditScorer(champion_model, decision_policy),
        example_rows=training_rows[features],
        input_example=holdout_rows[features].head(5),
        description=description,
        tags=tags,
    )
