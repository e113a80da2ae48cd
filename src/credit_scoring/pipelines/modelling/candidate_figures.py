"""A picture of each candidate's out-of-fold scores, for its run: what they cost by threshold, how they rank."""

from typing import Any

import pandas as pd
from sklearn.metrics import roc_curve

from credit_scoring.figures import PALETTE, Figure, FigureOptions, new_figure
from credit_scoring.metrics.cost import MisclassificationCosts, cost_curve


def plot_candidates(
    candidate_predictions: pd.DataFrame,
    candidate_results: list[dict[str, Any]],
    costs: MisclassificationCosts,
    figures: FigureOptions,
) -> dict[str, Figure]:
    """Draw cost over the threshold and the ROC curve of every candidate that could be fitted.

    Returns:
        By name of the candidate.
    """
    target = candidate_predictions["TARGET"]
    drawn: dict[str, Figure] = {}
    for result in candidate_results:
        if result["error"]:
            continue
        probability, mean = candidate_predictions[result["name"]], result["mean"]
        figure = new_figure(figsize=(9, 3.8))
        cost, roc = figure.subplots(1, 2)
        curve = cost_curve(target, probability, costs)
        cost.step(curve["threshold"], curve["cost"], where="pre", color=PALETTE["main"], lw=1.8)
        label = figures.say("candidate.threshold", threshold=mean["threshold"])
        cost.axvline(mean["threshold"], color=PALETTE["chosen"], lw=1.4, label=label)
        cost.set(xlim=(0, 0.5), ylim=(0, None), xlabel=figures.say("candidate.x"))
        cost.set_ylabel(figures.say("common.axis_cost"))
        cost.legend(loc="lower right" if mean["threshold"] < 0.25 else "lower left")  # off the line of the threshold
        false_positives, true_positives, _ = roc_curve(target, probability)
        label = figures.say("candidate.auc", auc=mean["roc_auc"])
        roc.plot(false_positives, true_positives, color=PALETTE["main"], lw=1.8, label=label)
        roc.plot([0, 1], [0, 1], color=PALETTE["neutral"], lw=1, ls=":")
        roc.set(xlim=(0, 1), ylim=(0, 1.01), xlabel=figures.say("candidate.declined"))
        roc.set_ylabel(figures.say("gains.gains_y"))
        roc.legend(loc="lower right")
        for axes in (cost, roc):
            axes.xaxis.set_major_formatter(figures.axis())
            axes.yaxis.set_major_formatter(figures.axis())
        drawn[result["name"]] = figures.finish(
            figure,
            figures.say("candidate.title", name=result["labels"][figures.language]),
            like=next(iter(drawn.values()), None),
        )
    return drawn
