"""What moving the threshold costs, in pictures."""

from typing import Any

import numpy as np
import pandas as pd

from credit_scoring.figures import Axes, Figure, FigureOptions, new_figure
from credit_scoring.metrics.cost import MisclassificationCosts, cost_curve, curve_at

_OOF, _HOLDOUT, _TUNED = "#1f4e79", "#c55a11", "#2e7d32"
_REPAID, _DEFAULTED = "#2471a3", "#c0392b"
_CELLS = (("true_negatives", "false_positives"), ("false_negatives", "true_positives"))
"""Outcomes of a decision: repaid above defaulted, approved before declined."""


def plot_cost_curve(
    threshold_curve: pd.DataFrame,
    holdout_predictions: pd.DataFrame,
    decision_policy: dict[str, Any],
    costs: MisclassificationCosts,
    figures: FigureOptions,
) -> Figure:
    """Draw cost and approval rate over the threshold, out of fold and on the hold-out, with the thresholds that matter.

    The lines are exact at every distinct score; points show the grid from 0.1 to 0.9 that is a view of them.
    """
    holdout_curve = cost_curve(holdout_predictions["TARGET"], holdout_predictions["PROBABILITY"], costs)
    tuned, theory = decision_policy["threshold"], costs.theoretical_threshold
    figure = new_figure(figsize=(9, 6.6))
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3.4, 1])
    for curve, label, style in (
        (threshold_curve, figures.say("cost_curve.oof"), {"color": _OOF, "lw": 2.0}),
        (holdout_curve, figures.say("cost_curve.holdout"), {"color": _HOLDOUT, "lw": 1.3}),
    ):
        # Above the highest score nothing changes any more: everybody is granted.
        x = np.append(curve["threshold"], 1.0)
        axes.step(x, np.append(curve["cost"], curve["cost"].iloc[-1]), where="pre", label=label, **style)
        below.step(x, np.append(curve["approval_rate"], 1.0), where="pre", **style)
    grid = curve_at(threshold_curve, np.round(np.arange(0.1, 0.95, 0.1), 1))
    label = figures.say("cost_curve.grid", low=0.1, high=0.9)
    axes.plot(grid["threshold"], grid["cost"], "o", ms=4.5, color=_OOF, label=label)
    chosen = curve_at(threshold_curve, [tuned])
    axes.plot(chosen["threshold"], chosen["cost"], "D", ms=7, color=_TUNED, mec="white", zorder=5)
    _mark_ends(axes, holdout_predictions, costs, figures)
    interval, flat = decision_policy["threshold_interval"], decision_policy["plateau"]
    for ax in (axes, below):
        ax.axvspan(interval["low"], interval["high"], color=_TUNED, alpha=0.3, lw=0)
        ax.axvline(tuned, color=_TUNED, lw=1.8)
        ax.axvline(theory, color="0.25", lw=1.1, ls="--")
        ax.axvline(0.5, color="0.6", lw=1.1, ls="-.")
        ax.spines[["top", "right"]].set_visible(False)
    top = max(threshold_curve["cost"].max(), holdout_curve["cost"].max()) * 1.08
    for ax in (axes, below):
        ax.axvspan(flat["low"], flat["high"], color=_TUNED, alpha=0.16, lw=0)
    legend = {
        figures.say("cost_curve.tuned", threshold=tuned): {"color": _TUNED, "lw": 1.8},
        figures.say("cost_curve.interval", **interval): {"color": _TUNED, "lw": 7, "alpha": 0.45},
        figures.say("cost_curve.plateau", **flat): {"color": _TUNED, "lw": 7, "alpha": 0.18},
        figures.say("cost_curve.theory", threshold=theory): {"color": "0.25", "lw": 1.1, "ls": "--"},
        figures.say("cost_curve.half", threshold=0.5): {"color": "0.6", "lw": 1.1, "ls": "-."},
    }
    for label, style in legend.items():
        axes.plot([], [], label=label, **style)
    axes.set_title(figures.say("cost_curve.title"), loc="left")
    axes.set_ylabel(figures.say("common.axis_cost"))
    axes.set(xlim=(0, 1), ylim=(0, top))
    axes.yaxis.set_major_formatter(figures.axis())
    axes.legend(loc="lower right", frameon=False, fontsize=9, bbox_to_anchor=(1, 0.04))
    below.set_xlabel(figures.say("cost_curve.x"))
    below.set_ylabel(figures.say("cost_curve.approval_rate"))
    below.set_ylim(0, 1.04)
    below.xaxis.set_major_formatter(figures.axis())
    below.yaxis.set_major_formatter(figures.percent_axis())
    figure.align_ylabels()
    figure.tight_layout(rect=(0, 0.015, 1, 1))
    figures.mark_source(figure)
    return figure


def plot_confusion_matrices(policy_evaluation: dict[str, Any], figures: FigureOptions) -> Figure:
    """Draw the four outcomes of a decision at the tuned, the theoretical and the usual threshold."""
    figure = new_figure(figsize=(10, 4.5))
    panels = figure.subplots(1, 3)
    for axes, name in zip(panels, ("tuned", "theoretical", "half"), strict=True):
        policy = policy_evaluation["policies"][name]
        counts = np.array([[policy[cell] for cell in row] for row in _CELLS])
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        wrong = np.array([[False, True], [True, False]])
        axes.imshow(np.where(wrong, -shares, shares), cmap="RdBu", vmin=-1.6, vmax=1.6)
        for row, column in np.ndindex(2, 2):
            outcome = figures.say(f"confusion.outcome.{_CELLS[row][column]}")
            text = figures.say("confusion.cell", n=counts[row, column], outcome=outcome, share=shares[row, column])
            axes.text(column, row, text, ha="center", va="center", fontsize=8.5, linespacing=1.5)
        axes.set_xticks([0, 1], [figures.say("common.decided.granted"), figures.say("common.decided.refused")])
        axes.set_yticks(
            [0, 1], [figures.say("common.repaid"), figures.say("common.defaulted")], rotation=90, va="center"
        )
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_title(figures.say(f"confusion.policy.{name}", threshold=policy["threshold"]), fontsize=11)
        cost = figures.say(
            "confusion.cost", cost=policy["business_cost"], total=policy["total_cost"], rate=policy["approval_rate"]
        )
        axes.set_xlabel(cost, fontsize=9, labelpad=8)
    title = figures.say("confusion.title", n=policy_evaluation["applicants"])
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    figures.mark_source(figure)
    return figure


def plot_gains(holdout_predictions: pd.DataFrame, decision_policy: dict[str, Any], figures: FigureOptions) -> Figure:
    """Draw what part of the defaults is caught by refusing the riskiest, and the gap between the two outcomes (KS)."""
    target = holdout_predictions["TARGET"].to_numpy()
    probability = holdout_predictions["PROBABILITY"].to_numpy()
    order = np.argsort(-probability, kind="stable")
    caught = np.append(0, np.cumsum(target[order])) / target.sum()
    refused = np.arange(len(target) + 1) / len(target)
    figure = new_figure(figsize=(10, 4.6))
    gains, gap = figure.subplots(1, 2)
    gains.plot(refused, caught, color=_OOF, lw=2, label=figures.say("gains.model"))
    gains.plot([0, target.mean(), 1], [0, 1, 1], color="0.6", lw=1, ls="--", label=figures.say("gains.perfect"))
    gains.plot([0, 1], [0, 1], color="0.6", lw=1, ls=":", label=figures.say("gains.random"))
    at = int((probability >= decision_policy["threshold"]).sum())
    told = figures.say("gains.at_tuned", declined=refused[at], avoided=caught[at])
    gains.plot(refused[at], caught[at], "o", color=_TUNED, ms=7, label=told)
    gains.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=figures.say("gains.gains_x"), ylabel=figures.say("gains.gains_y"))
    gains.set_title(figures.say("gains.gains"), loc="left", fontsize=10)
    gains.legend(frameon=False, fontsize=9, loc="lower right")
    gains.xaxis.set_major_formatter(figures.percent_axis())

    at_scores = np.unique(probability)
    below = {
        outcome: np.searchsorted(np.sort(probability[target == outcome]), at_scores, side="right")
        / max((target == outcome).sum(), 1)
        for outcome in (0, 1)
    }
    for outcome, color, label in (
        (0, _REPAID, figures.say("common.repaid")),
        (1, _DEFAULTED, figures.say("common.defaulted")),
    ):
        gap.step(at_scores, below[outcome], where="post", color=color, lw=2, label=label)
    widest = int(np.argmax(below[0] - below[1]))
    told = figures.say("gains.ks_gap", ks=below[0][widest] - below[1][widest], at=at_scores[widest])
    gap.plot([at_scores[widest]] * 2, [below[1][widest], below[0][widest]], color="0.2", lw=1.6, label=told)
    told = figures.say("cost_curve.tuned", threshold=decision_policy["threshold"])
    gap.axvline(decision_policy["threshold"], color=_TUNED, lw=1.4, label=told)
    gap.set(xlim=(0, np.quantile(probability, 0.995)), ylim=(0, 1.02))
    gap.set(xlabel=figures.say("gains.ks_x"), ylabel=figures.say("gains.ks_y"))
    gap.set_title(figures.say("gains.ks"), loc="left", fontsize=10)
    gap.legend(frameon=False, fontsize=9, loc="lower right")
    gap.xaxis.set_major_formatter(figures.percent_axis())
    for axes in (gains, gap):
        axes.yaxis.set_major_formatter(figures.percent_axis())
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(figures.say("gains.title"), x=0.01, ha="left", fontsize=12)
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figures.mark_source(figure)
    return figure


def plot_score_distributions(
    holdout_predictions: pd.DataFrame, decision_policy: dict[str, Any], figures: FigureOptions
) -> Figure:
    """Draw how the probabilities of those who repaid and of those who defaulted lie about the threshold."""
    threshold = decision_policy["threshold"]
    probability = holdout_predictions["PROBABILITY"].to_numpy()
    edges = np.linspace(0, max(np.quantile(probability, 0.998), threshold * 1.2), 45)
    from matplotlib.ticker import MultipleLocator  # noqa: PLC0415 - as in figures.py

    figure = new_figure(figsize=(9, 4.4))
    axes = figure.add_subplot()
    for outcome, color, name in ((0, _REPAID, "repaid"), (1, _DEFAULTED, "defaulted")):
        scores = probability[holdout_predictions["TARGET"].to_numpy() == outcome]
        declined = np.mean(scores >= threshold) if len(scores) else np.nan
        label = figures.say(f"score_distributions.outcome.{name}", n=len(scores), declined=declined)
        weights = np.full(len(scores), 1 / max(len(scores), 1))
        axes.hist(np.clip(scores, 0, edges[-1]), edges.tolist(), weights=weights, color=color, alpha=0.5, label=label)
    axes.axvline(threshold, color=_TUNED, lw=1.8, label=figures.say("cost_curve.tuned", threshold=threshold))
    axes.set_xlim(0, edges[-1])
    axes.set(xlabel=figures.say("score_distributions.x"), ylabel=figures.say("score_distributions.y"))
    axes.set_title(figures.say("score_distributions.title"), loc="left")
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
    ratio = threshold_sensitivity["ratio"]
    figure = new_figure(figsize=(9, 6))
    cost, threshold = figure.subplots(2, 1, sharex=True, height_ratios=[1.7, 1])
    kept = figures.say("cost_sensitivity.kept", threshold=decision_policy["threshold"])
    for column, label, style in (
        ("approve_all_cost", figures.say("common.approve_all"), {"color": "0.55", "ls": ":"}),
        ("decline_all_cost", figures.say("common.decline_all"), {"color": "0.55", "ls": "--"}),
        ("policy_cost", kept, {"color": _TUNED, "lw": 1.6}),
        ("cost", figures.say("cost_sensitivity.best"), {"color": _HOLDOUT, "marker": "o", "ms": 4, "lw": 1.6}),
    ):
        cost.plot(ratio, threshold_sensitivity[column], label=label, **style)
    cost.set_ylim(0, threshold_sensitivity[["policy_cost", "decline_all_cost"]].max(axis=None) * 1.25)
    cost.set_ylabel(figures.say("common.axis_cost"))
    cost.set_title(figures.say("cost_sensitivity.title"), loc="left")
    for column, label, style in (
        ("threshold", figures.say("cost_sensitivity.chosen"), {"color": _OOF, "marker": "o", "ms": 4, "lw": 1.6}),
        ("theoretical_threshold", figures.say("cost_sensitivity.theory"), {"color": "0.25", "ls": "--", "lw": 1.1}),
    ):
        threshold.plot(ratio, threshold_sensitivity[column], label=label, **style)
    threshold.set(xlabel=figures.say("cost_sensitivity.x"), ylabel=figures.say("cost_sensitivity.threshold"))
    threshold.set_ylim(0)
    for axes in (cost, threshold):
        axes.axvline(costs.false_negative / costs.false_positive, color="0.75", lw=1)
        axes.yaxis.set_major_formatter(figures.axis())
        axes.spines[["top", "right"]].set_visible(False)
    cost.plot([], [], color="0.75", lw=1, label=figures.say("cost_sensitivity.policy"))
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
    default_rate = float(holdout_predictions["TARGET"].mean())
    for level, label in (
        (costs.false_negative * default_rate, figures.say("common.approve_all")),
        (costs.false_positive * (1 - default_rate), figures.say("common.decline_all")),
    ):
        axes.axhline(level, color="0.55", lw=0.9, ls=":")
        axes.text(0.995, level, label, color="0.35", ha="right", va="bottom", fontsize=9)
