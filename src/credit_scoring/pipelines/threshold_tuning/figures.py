"""What moving the threshold costs, in pictures."""

from typing import Any

import numpy as np
import pandas as pd

from credit_scoring.figures import PALETTE, Axes, Figure, FigureOptions, new_figure
from credit_scoring.metrics.cost import MisclassificationCosts, cost_curve, curve_at

_OOF, _HOLDOUT, _TUNED = PALETTE["main"], PALETTE["second"], PALETTE["chosen"]
_REPAID, _DEFAULTED = PALETTE["main"], PALETTE["second"]
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
        ax.axvspan(interval["low"], interval["high"], color=_TUNED, alpha=0.2, lw=0)
        ax.axvline(tuned, color=_TUNED, lw=1.8)
        ax.axvline(theory, color=_OOF, lw=1.1, ls="--")
        ax.axvline(0.5, color="0.6", lw=1.1, ls="-.")
    top = max(threshold_curve["cost"].max(), holdout_curve["cost"].max()) * 1.08
    for ax in (axes, below):
        ax.axvspan(flat["low"], flat["high"], color=_TUNED, alpha=0.1, lw=0)
    legend = {
        figures.say("cost_curve.tuned", threshold=tuned): {"color": _TUNED, "lw": 1.8},
        figures.say("cost_curve.interval", **interval): {"color": _TUNED, "lw": 7, "alpha": 0.3},
        figures.say("cost_curve.plateau", **flat): {"color": _TUNED, "lw": 7, "alpha": 0.12},
        figures.say("cost_curve.theory", threshold=theory): {"color": _OOF, "lw": 1.1, "ls": "--"},
        figures.say("cost_curve.half", threshold=0.5): {"color": "0.6", "lw": 1.1, "ls": "-."},
    }
    for label, style in legend.items():
        axes.plot([], [], label=label, **style)
    axes.set_ylabel(figures.say("common.axis_cost"))
    axes.set(xlim=(0, 1), ylim=(0, top))
    axes.yaxis.set_major_formatter(figures.axis())
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.04))
    below.set_xlabel(figures.say("cost_curve.x"))
    below.set_ylabel(figures.say("cost_curve.approval_rate"))
    below.set_ylim(0, 1.04)
    below.xaxis.set_major_formatter(figures.axis())
    below.yaxis.set_major_formatter(figures.percent_axis())
    figure.align_ylabels()
    return figures.finish(figure, figures.say("cost_curve.title"))


def plot_confusion_matrices(policy_evaluation: dict[str, Any], figures: FigureOptions) -> Figure:
    """Draw the four outcomes of a decision at the tuned, the theoretical and the usual threshold."""
    import seaborn as sns  # noqa: PLC0415 - as in figures.py

    figure = new_figure(figsize=(10, 4.5))
    wrong = np.array([[False, True], [True, False]])
    shades = sns.diverging_palette(25, 245, s=85, l=55, as_cmap=True)  # orange to blue
    for axes, name in zip(figure.subplots(1, 3), ("tuned", "theoretical", "half"), strict=True):
        policy = policy_evaluation["policies"][name]
        counts = np.array([[policy[cell] for cell in row] for row in _CELLS])
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        told = [
            figures.say("confusion.cell", n=n, outcome=figures.say(f"confusion.outcome.{outcome}"), share=share)
            for n, outcome, share in zip(counts.ravel(), np.ravel(_CELLS), shares.ravel(), strict=True)
        ]
        sns.heatmap(
            np.where(wrong, -shares, shares), vmin=-1.4, vmax=1.4, cmap=shades, cbar=False, linewidths=3, ax=axes,
            annot=np.reshape(told, (2, 2)), fmt="", annot_kws={"fontsize": 8.5, "linespacing": 1.5, "color": "black"},
            xticklabels=[figures.say("common.decided.granted"), figures.say("common.decided.refused")],
            yticklabels=[figures.say("common.repaid"), figures.say("common.defaulted")],
        )  # fmt: skip
        axes.tick_params(length=0)
        axes.set_title(figures.say(f"confusion.policy.{name}", threshold=policy["threshold"]), loc="center")
        axes.set_xlabel(
            figures.say(
                "confusion.cost", cost=policy["business_cost"], total=policy["total_cost"], rate=policy["approval_rate"]
            ),
            labelpad=8,
        )
    return figures.finish(figure, figures.say("confusion.title", n=policy_evaluation["applicants"]))


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
    gains.set_title(figures.say("gains.gains"))
    gains.legend(loc="lower right")
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
    gap.axvline(decision_policy["threshold"], color=_TUNED, lw=1.4, ls="--", label=told)
    gap.set(xlim=(0, np.quantile(probability, 0.995)), ylim=(0, 1.02))
    gap.set(xlabel=figures.say("gains.ks_x"), ylabel=figures.say("gains.ks_y"))
    gap.set_title(figures.say("gains.ks"))
    gap.legend(loc="lower right")
    gap.xaxis.set_major_formatter(figures.percent_axis())
    for axes in (gains, gap):
        axes.yaxis.set_major_formatter(figures.percent_axis())
    return figures.finish(figure, figures.say("gains.title"))


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
    cost.plot([], [], color="0.75", lw=1, label=figures.say("cost_sensitivity.policy"))
    cost.legend(loc="lower right", ncols=2)
    threshold.legend(loc="upper right")
    threshold.xaxis.set_major_formatter(figures.axis())
    figure.align_ylabels()
    return figures.finish(figure, figures.say("cost_sensitivity.title"))


def _mark_ends(
    axes: Axes, holdout_predictions: pd.DataFrame, costs: MisclassificationCosts, figures: FigureOptions
) -> None:
    """Mark what deciding all alike costs; the curves, which end there, are above neither label."""
    default_rate = float(holdout_predictions["TARGET"].mean())
    for level, label, side in (
        (costs.false_negative * default_rate, figures.say("common.approve_all"), "top"),
        (costs.false_positive * (1 - default_rate), figures.say("common.decline_all"), "bottom"),
    ):
        axes.axhline(level, color=PALETTE["neutral"], lw=0.9, ls=":")
        away = (0, 3 if side == "bottom" else -6)
        axes.annotate(
            label, (0.995, level), away, textcoords="offset points",
            color=PALETTE["muted"], ha="right", va=side, fontsize=9,
        )  # fmt: skip
