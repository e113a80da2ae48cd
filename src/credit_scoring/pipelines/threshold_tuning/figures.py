"""What moving the threshold costs, in pictures."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.cost import MisclassificationCosts, cost_curve, curve_at

_OOF, _HOLDOUT, _TUNED = "#1f4e79", "#c55a11", "#2e7d32"
_REPAID, _DEFAULTED = "#2471a3", "#c0392b"

_LABELS = {
    "fr": {
        "curve_title": "Coût métier selon le seuil de refus",
        "x": "Seuil : un client est refusé si sa probabilité de défaut l'atteint",
        "y": "Coût moyen par demande (1 = un bon client refusé)",
        "oof": "hors-pli (choix du seuil)",
        "holdout": "échantillon témoin (jamais vu)",
        "tuned": "seuil retenu {}",
        "interval": "son intervalle à 95 % : {} à {}",
        "plateau": "coût à moins de {} du minimum : {} à {}",
        "theory": "seuil théorique {}",
        "half": "seuil usuel 0,5",
        "grid": "grille de 0,1 à 0,9",
        "grant_all": "tout accorder",
        "refuse_all": "tout refuser",
        "grant_rate": "Part accordée",
        "confusion_title": "Ce que décide chaque seuil sur l'échantillon témoin ({} demandes)",
        "confusion_tuned": "Seuil retenu {}",
        "confusion_theoretical": "Seuil théorique {}",
        "confusion_half": "Seuil usuel {}",
        "confusion_cost": "coût {} par demande, {} au total\n{} des demandes accordées",
        "granted": "accordé",
        "refused": "refusé",
        "repaid": "a remboursé",
        "defaulted": "en défaut",
        "cell_00": "bon client accordé",
        "cell_01": "bon client refusé",
        "cell_10": "défaut accordé",
        "cell_11": "défaut évité",
        "gains_title": "Le score trie-t-il les clients ? (échantillon témoin)",
        "gains": "Gains : défauts captés en refusant les plus risqués",
        "gains_x": "Part des demandes refusées, les plus risquées d'abord",
        "gains_y": "Part des défauts évités",
        "random": "au hasard",
        "perfect": "tri parfait",
        "model": "modèle",
        "at_tuned": "seuil retenu : {} refusées,\n{} des défauts évités",
        "ks": "KS : écart entre les deux populations",
        "ks_x": "Probabilité de défaut",
        "ks_y": "Part des clients sous cette probabilité",
        "ks_gap": "KS = {}, à {}",
        "distribution_title": "Probabilités de défaut selon l'issue (échantillon témoin)",
        "distribution_x": "Probabilité de défaut annoncée",
        "distribution_y": "Part des clients de même issue",
        "distribution_repaid": "ont remboursé ({}, dont {} refusés)",
        "distribution_defaulted": "en défaut ({}, dont {} refusés)",
        "ratio_title": "Si un défaut coûtait plus, ou moins, cher",
        "ratio_x": "Coût d'un défaut accordé, en bons clients refusés",
        "ratio_y": "Coût moyen par demande",
        "ratio_best": "seuil rechoisi pour ce rapport",
        "ratio_kept": "seuil retenu {}, gardé",
        "ratio_threshold": "Meilleur seuil",
        "ratio_chosen": "choisi hors-pli",
        "ratio_theory": "théorique",
        "ratio_policy": "rapport retenu",
    },
    "en": {
        "curve_title": "Business cost over the refusal threshold",
        "x": "Threshold: a client is refused when the probability of default reaches it",
        "y": "Mean cost per application (1 = one refused good client)",
        "oof": "out-of-fold (threshold chosen here)",
        "holdout": "hold-out (never seen)",
        "tuned": "chosen threshold {}",
        "interval": "its 95% interval: {} to {}",
        "plateau": "cost within {} of the least: {} to {}",
        "theory": "theoretical threshold {}",
        "half": "usual threshold 0.5",
        "grid": "grid from 0.1 to 0.9",
        "grant_all": "grant all",
        "refuse_all": "refuse all",
        "grant_rate": "Share granted",
        "confusion_title": "What each threshold decides on the hold-out ({} applications)",
        "confusion_tuned": "Chosen threshold {}",
        "confusion_theoretical": "Theoretical threshold {}",
        "confusion_half": "Usual threshold {}",
        "confusion_cost": "cost {} per application, {} in total\n{} of applications granted",
        "granted": "granted",
        "refused": "refused",
        "repaid": "repaid",
        "defaulted": "defaulted",
        "cell_00": "good client granted",
        "cell_01": "good client refused",
        "cell_10": "default granted",
        "cell_11": "default avoided",
        "gains_title": "Does the score sort the clients? (hold-out)",
        "gains": "Gains: defaults caught by refusing the riskiest",
        "gains_x": "Share of applications refused, riskiest first",
        "gains_y": "Share of defaults avoided",
        "random": "at random",
        "perfect": "perfect order",
        "model": "model",
        "at_tuned": "chosen threshold: {} refused,\n{} of defaults avoided",
        "ks": "KS: gap between the two populations",
        "ks_x": "Probability of default",
        "ks_y": "Share of clients below it",
        "ks_gap": "KS = {}, at {}",
        "distribution_title": "Probabilities of default by outcome (hold-out)",
        "distribution_x": "Announced probability of default",
        "distribution_y": "Share of the clients of that outcome",
        "distribution_repaid": "repaid ({}, of which {} refused)",
        "distribution_defaulted": "defaulted ({}, of which {} refused)",
        "ratio_title": "If a default cost more, or less",
        "ratio_x": "Cost of a default granted, in refused good clients",
        "ratio_y": "Mean cost per application",
        "ratio_best": "threshold chosen anew for the ratio",
        "ratio_kept": "chosen threshold {}, kept",
        "ratio_threshold": "Best threshold",
        "ratio_chosen": "chosen out of fold",
        "ratio_theory": "theoretical",
        "ratio_policy": "ratio of the policy",
    },
}


def plot_cost_curve(
    threshold_curve: pd.DataFrame,
    holdout_predictions: pd.DataFrame,
    decision_policy: dict[str, Any],
    costs: MisclassificationCosts,
    figures: FigureOptions,
) -> Figure:
    """Draw cost and grant rate over the threshold, out of fold and on the hold-out, with the thresholds that matter.

    The lines are exact at every distinct score; points show the grid from 0.1 to 0.9 that is a view of them.
    """
    labels = _LABELS[figures.language]
    holdout_curve = cost_curve(holdout_predictions["TARGET"], holdout_predictions["PROBABILITY"], costs)
    tuned, theory = decision_policy["threshold"], costs.theoretical_threshold
    figure = Figure(figsize=(9, 6.6))
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3.4, 1])
    for curve, label, style in (
        (threshold_curve, labels["oof"], {"color": _OOF, "lw": 2.0}),
        (holdout_curve, labels["holdout"], {"color": _HOLDOUT, "lw": 1.3}),
    ):
        # Above the highest score nothing changes any more: everybody is granted.
        x = np.append(curve["threshold"], 1.0)
        axes.step(x, np.append(curve["cost"], curve["cost"].iloc[-1]), where="pre", label=label, **style)
        below.step(x, np.append(curve["grant_rate"], 1.0), where="pre", **style)
    grid = curve_at(threshold_curve, np.round(np.arange(0.1, 0.95, 0.1), 1))
    axes.plot(grid["threshold"], grid["cost"], "o", ms=4.5, color=_OOF, label=labels["grid"])
    _mark_ends(axes, holdout_predictions, costs, figures)
    interval, flat = decision_policy["threshold_interval"], decision_policy["plateau"]
    for ax in (axes, below):
        ax.axvspan(interval["low"], interval["high"], color=_TUNED, alpha=0.16, lw=0)
        ax.axvline(tuned, color=_TUNED, lw=1.8)
        ax.axvline(theory, color="0.25", lw=1.1, ls="--")
        ax.axvline(0.5, color="0.6", lw=1.1, ls="-.")
        ax.spines[["top", "right"]].set_visible(False)
    top = max(threshold_curve["cost"].max(), holdout_curve["cost"].max()) * 1.08
    for ax in (axes, below):
        ax.axvspan(flat["low"], flat["high"], color=_TUNED, alpha=0.3, lw=0)
    legend = {
        labels["tuned"].format(_decimals(tuned, figures)): {"color": _TUNED, "lw": 1.8},
        labels["interval"].format(*(_decimals(interval[side], figures) for side in ("low", "high"))): {
            "color": _TUNED,
            "lw": 7,
            "alpha": 0.25,
        },
        labels["plateau"].format(
            figures.percent(flat["tolerance"], 0), *(_decimals(flat[side], figures) for side in ("low", "high"))
        ): {"color": _TUNED, "lw": 7, "alpha": 0.55},
        labels["theory"].format(_decimals(theory, figures)): {"color": "0.25", "lw": 1.1, "ls": "--"},
        labels["half"]: {"color": "0.6", "lw": 1.1, "ls": "-."},
    }
    for label, style in legend.items():
        axes.plot([], [], label=label, **style)
    axes.set_title(labels["curve_title"], loc="left")
    axes.set_ylabel(labels["y"])
    axes.set(xlim=(0, 1), ylim=(0, top))
    axes.yaxis.set_major_formatter(figures.axis())
    axes.legend(loc="lower right", frameon=False, fontsize=9, bbox_to_anchor=(1, 0.04))
    below.set_xlabel(labels["x"])
    below.set_ylabel(labels["grant_rate"])
    below.set_ylim(0, 1.04)
    below.xaxis.set_major_formatter(figures.axis())
    below.yaxis.set_major_formatter(figures.percent_axis())
    figure.align_ylabels()
    figure.tight_layout(rect=(0, 0.015, 1, 1))
    figures.mark_source(figure)
    return figure


def plot_confusion_matrices(policy_evaluation: dict[str, Any], figures: FigureOptions) -> Figure:
    """Draw the four outcomes of a decision at the tuned, the theoretical and the usual threshold."""
    labels = _LABELS[figures.language]
    figure = Figure(figsize=(10, 4.5))
    panels = figure.subplots(1, 3)
    for axes, name in zip(panels, ("tuned", "theoretical", "half"), strict=True):
        policy = policy_evaluation["policies"][name]
        counts = np.array(
            [
                [policy["true_negatives"], policy["false_positives"]],
                [policy["false_negatives"], policy["true_positives"]],
            ]
        )
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        wrong = np.array([[False, True], [True, False]])
        axes.imshow(np.where(wrong, -shares, shares), cmap="RdBu", vmin=-1.6, vmax=1.6)
        for row, column in np.ndindex(2, 2):
            text = (
                f"{figures.number(f'{counts[row, column]:,}')}\n{labels[f'cell_{row}{column}']}\n"
                f"{figures.percent(shares[row, column])}"
            )
            axes.text(column, row, text, ha="center", va="center", fontsize=8.5, linespacing=1.5)
        axes.set_xticks([0, 1], [labels["granted"], labels["refused"]])
        axes.set_yticks([0, 1], [labels["repaid"], labels["defaulted"]], rotation=90, va="center")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_title(labels[f"confusion_{name}"].format(_decimals(policy["threshold"], figures)), fontsize=11)
        cost = labels["confusion_cost"].format(
            _decimals(policy["business_cost"], figures),
            figures.number(f"{policy['total_cost']:,.0f}"),
            figures.percent(policy["grant_rate"]),
        )
        axes.set_xlabel(cost, fontsize=9, labelpad=8)
    title = labels["confusion_title"].format(figures.number(f"{policy_evaluation['applicants']:,}"))
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    figures.mark_source(figure)
    return figure


def plot_gains(holdout_predictions: pd.DataFrame, decision_policy: dict[str, Any], figures: FigureOptions) -> Figure:
    """Draw what part of the defaults is caught by refusing the riskiest, and the gap between the two outcomes (KS)."""
    labels = _LABELS[figures.language]
    target = holdout_predictions["TARGET"].to_numpy()
    probability = holdout_predictions["PROBABILITY"].to_numpy()
    order = np.argsort(-probability, kind="stable")
    caught = np.append(0, np.cumsum(target[order])) / target.sum()
    refused = np.arange(len(target) + 1) / len(target)
    figure = Figure(figsize=(10, 4.6))
    gains, gap = figure.subplots(1, 2)
    gains.plot(refused, caught, color=_OOF, lw=2, label=labels["model"])
    gains.plot([0, target.mean(), 1], [0, 1, 1], color="0.6", lw=1, ls="--", label=labels["perfect"])
    gains.plot([0, 1], [0, 1], color="0.6", lw=1, ls=":", label=labels["random"])
    at = int((probability >= decision_policy["threshold"]).sum())
    told = labels["at_tuned"].format(figures.percent(refused[at]), figures.percent(caught[at]))
    gains.plot(refused[at], caught[at], "o", color=_TUNED, ms=7, label=told)
    gains.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=labels["gains_x"], ylabel=labels["gains_y"])
    gains.set_title(labels["gains"], loc="left", fontsize=10)
    gains.legend(frameon=False, fontsize=9, loc="lower right")
    gains.xaxis.set_major_formatter(figures.percent_axis())

    at_scores = np.unique(probability)
    below = {
        outcome: np.searchsorted(np.sort(probability[target == outcome]), at_scores, side="right")
        / max((target == outcome).sum(), 1)
        for outcome in (0, 1)
    }
    for outcome, color, label in ((0, _REPAID, labels["repaid"]), (1, _DEFAULTED, labels["defaulted"])):
        gap.step(at_scores, below[outcome], where="post", color=color, lw=2, label=label)
    widest = int(np.argmax(below[0] - below[1]))
    told = labels["ks_gap"].format(
        figures.number(f"{below[0][widest] - below[1][widest]:.3f}"), figures.percent(at_scores[widest])
    )
    gap.plot([at_scores[widest]] * 2, [below[1][widest], below[0][widest]], color="0.2", lw=1.6, label=told)
    told = labels["tuned"].format(_decimals(decision_policy["threshold"], figures))
    gap.axvline(decision_policy["threshold"], color=_TUNED, lw=1.4, label=told)
    gap.set(xlim=(0, np.quantile(probability, 0.995)), ylim=(0, 1.02), xlabel=labels["ks_x"], ylabel=labels["ks_y"])
    gap.set_title(labels["ks"], loc="left", fontsize=10)
    gap.legend(frameon=False, fontsize=9, loc="lower right")
    gap.xaxis.set_major_formatter(figures.percent_axis())
    for axes in (gains, gap):
        axes.yaxis.set_major_formatter(figures.percent_axis())
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(labels["gains_title"], x=0.01, ha="left", fontsize=12)
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figures.mark_source(figure)
    return figure


def plot_score_distributions(
    holdout_predictions: pd.DataFrame, decision_policy: dict[str, Any], figures: FigureOptions
) -> Figure:
    """Draw how the probabilities of those who repaid and of those who defaulted lie about the threshold."""
    labels = _LABELS[figures.language]
    threshold = decision_policy["threshold"]
    probability = holdout_predictions["PROBABILITY"].to_numpy()
    edges = np.linspace(0, max(np.quantile(probability, 0.998), threshold * 1.2), 45)
    figure = Figure(figsize=(9, 4.4))
    axes = figure.add_subplot()
    for outcome, color, name in ((0, _REPAID, "distribution_repaid"), (1, _DEFAULTED, "distribution_defaulted")):
        scores = probability[holdout_predictions["TARGET"].to_numpy() == outcome]
        label = labels[name].format(
            figures.number(f"{len(scores):,}"), figures.percent(np.mean(scores >= threshold) if len(scores) else np.nan)
        )
        weights = np.full(len(scores), 1 / max(len(scores), 1))
        axes.hist(np.clip(scores, 0, edges[-1]), edges.tolist(), weights=weights, color=color, alpha=0.5, label=label)
    axes.axvline(threshold, color=_TUNED, lw=1.8, label=labels["tuned"].format(_decimals(threshold, figures)))
    axes.set(xlim=(0, edges[-1]), xlabel=labels["distribution_x"], ylabel=labels["distribution_y"])
    axes.set_title(labels["distribution_title"], loc="left")
    axes.yaxis.set_major_locator(MultipleLocator(0.05))
    axes.xaxis.set_major_formatter(figures.percent_axis())
    axes.yaxis.set_major_formatter(figures.percent_axis())
    axes.legend(frameon=False, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout(rect=(0, 0.015, 1, 1))
    figures.mark_source(figure)
    return figure


def plot_sensitivity(
    threshold_sensitivity: pd.DataFrame,
    decision_policy: dict[str, Any],
    costs: MisclassificationCosts,
    figures: FigureOptions,
) -> Figure:
    """Draw cost and best threshold over the price of a default."""
    labels = _LABELS[figures.language]
    ratio = threshold_sensitivity["ratio"]
    figure = Figure(figsize=(9, 6))
    cost, threshold = figure.subplots(2, 1, sharex=True, height_ratios=[1.7, 1])
    kept = labels["ratio_kept"].format(_decimals(decision_policy["threshold"], figures))
    for column, label, style in (
        ("grant_all_cost", labels["grant_all"], {"color": "0.55", "ls": ":"}),
        ("refuse_all_cost", labels["refuse_all"], {"color": "0.55", "ls": "--"}),
        ("policy_cost", kept, {"color": _TUNED, "lw": 1.6}),
        ("cost", labels["ratio_best"], {"color": _HOLDOUT, "marker": "o", "ms": 4, "lw": 1.6}),
    ):
        cost.plot(ratio, threshold_sensitivity[column], label=label, **style)
    cost.set_ylim(0, threshold_sensitivity[["policy_cost", "refuse_all_cost"]].max(axis=None) * 1.25)
    cost.set_ylabel(labels["ratio_y"])
    cost.set_title(labels["ratio_title"], loc="left")
    threshold.plot(
        ratio, threshold_sensitivity["threshold"], "o-", ms=4, color=_OOF, lw=1.6, label=labels["ratio_chosen"]
    )
    threshold.plot(
        ratio, threshold_sensitivity["theoretical_threshold"], "--", color="0.25", lw=1.1, label=labels["ratio_theory"]
    )
    threshold.set(xlabel=labels["ratio_x"], ylabel=labels["ratio_threshold"])
    threshold.set_ylim(0)
    for axes in (cost, threshold):
        axes.axvline(costs.false_negative / costs.false_positive, color="0.75", lw=1)
        axes.yaxis.set_major_formatter(figures.axis())
        axes.spines[["top", "right"]].set_visible(False)
    cost.plot([], [], color="0.75", lw=1, label=labels["ratio_policy"])
    cost.legend(frameon=False, fontsize=9, loc="lower right", ncols=2)
    threshold.legend(frameon=False, fontsize=9, loc="upper right")
    threshold.xaxis.set_major_formatter(figures.axis())
    figure.align_ylabels()
    figure.tight_layout(rect=(0, 0.015, 1, 1))
    figures.mark_source(figure)
    return figure


def _mark_ends(
    axes: Axes, holdout_predictions: pd.DataFrame, costs: MisclassificationCosts, figures: FigureOptions
) -> None:
    labels = _LABELS[figures.language]
    default_rate = float(holdout_predictions["TARGET"].mean())
    for level, label in (
        (costs.false_negative * default_rate, labels["grant_all"]),
        (costs.false_positive * (1 - default_rate), labels["refuse_all"]),
    ):
        axes.axhline(level, color="0.55", lw=0.9, ls=":")
        axes.text(0.995, level, label, color="0.35", ha="right", va="bottom", fontsize=9)


def _decimals(value: float, figures: FigureOptions) -> str:
    return figures.number(f"{value:.3f}")
