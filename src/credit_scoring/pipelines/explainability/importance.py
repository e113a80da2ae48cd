"""Importance seen twice, by contributions and by cost, and how the heaviest features act."""

import textwrap
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.explanations import rank_correlation
from credit_scoring.features.catalogue import find_feature
from credit_scoring.features.expressions import DAYS_PER_YEAR
from credit_scoring.figures import Figure, FigureOptions, new_figure
from credit_scoring.metrics.cost import MisclassificationCosts, decision_costs
from credit_scoring.pipelines.explainability.nodes import spread_rows
from credit_scoring.pipelines.explainability.options import ExplanationOptions
from credit_scoring.scorer import REFUSED, CreditScorer


def measure_permutation_cost(
    scorer: CreditScorer,
    holdout_rows: pd.DataFrame,
    global_importance: pd.DataFrame,
    costs: MisclassificationCosts,
    explanation: ExplanationOptions,
) -> pd.DataFrame:
    """Shuffle the heaviest features among hold-out applicants, one at a time, and see what the decisions then cost.

    Decisions are those of the scorer, at its threshold, with and without the shuffle.

    Returns:
        One row per feature, in the order of its contributions: `feature`, `cost_increase` per applicant (mean of the
        shuffles) and its 95 % interval, `low` and `high` (normal, of the paired differences between applicants).
        Correlated features stand in for one another: each alone may seem worth nothing.
    """
    rows = spread_rows(holdout_rows, explanation.n_shuffled_applicants)

    def cost_of(changed: pd.DataFrame) -> npt.NDArray[np.float64]:
        refused = scorer.decide(scorer.predict_proba(changed)[:, 1]) == REFUSED
        return decision_costs(rows["TARGET"], refused, costs)

    before = cost_of(rows)
    generator = np.random.default_rng(0)
    measured = []
    for feature in global_importance["feature"].head(explanation.n_permuted_features):
        rises = [
            cost_of(rows.assign(**{feature: rows[feature].array.take(generator.permutation(len(rows)))})) - before
            for _ in range(explanation.n_permutations)
        ]
        rise = np.mean(rises, axis=0)
        reach = 1.96 * rise.std() / np.sqrt(len(rows))
        increase = float(rise.mean())
        measured.append(
            {"feature": feature, "cost_increase": increase, "low": increase - reach, "high": increase + reach}
        )
    return pd.DataFrame(measured)


def measure_ranking_stability(
    global_importance: pd.DataFrame, importance_by_fold: pd.DataFrame, explanation: ExplanationOptions
) -> dict[str, Any]:
    """Say whether the features that weigh most would also weigh most had the model learnt from other applicants.

    Args:
        global_importance: Ranking of the champion.
        importance_by_fold: `seed`, `fold`, `feature`, `share` in the same model fitted to other rows; may be empty.
        explanation: How many features are compared: `n_top_features`.

    Returns:
        `models` that were fitted to other rows; `top`, the number of heaviest features compared; `overlap`, the mean
        share of them that is among as many heaviest of another model; `rank_correlation`, the mean of Spearman's
        coefficient between the champion's shares of them and another model's. Without other models, and where a
        correlation is not defined, null.
    """
    ranking = global_importance.head(explanation.n_top_features).set_index("feature")["share"]
    overlaps, correlations = [], []
    for _, rows in importance_by_fold.groupby(["seed", "fold"]):
        shares = rows.set_index("feature")["share"]
        heaviest = shares.sort_values(ascending=False, kind="stable").head(len(ranking)).index
        overlaps.append(ranking.index.isin(heaviest).mean())
        correlations.append(rank_correlation(ranking, shares.reindex(ranking.index, fill_value=0.0)))
    known = [value for value in correlations if not np.isnan(value)]
    return {
        "models": len(overlaps),
        "top": len(ranking),
        "overlap": float(np.mean(overlaps)) if overlaps else None,
        "rank_correlation": float(np.mean(known)) if known else None,
    }


def plot_importance(
    global_importance: pd.DataFrame,
    permutation_importance: pd.DataFrame,
    importance_by_fold: pd.DataFrame,
    figures: FigureOptions,
) -> Figure:
    """Draw the heaviest features by contribution and, beside them, by what shuffling them costs.

    Each contribution comes with its range over the same model fitted to other samples, if there are any.
    """
    table = permutation_importance.merge(global_importance, on="feature")[::-1]
    names = [textwrap.fill(find_feature(name).client_label(figures.language), 48) for name in table["feature"]]
    figure = new_figure(figsize=(11, 0.46 * len(table) + 1.6))
    left, right = figure.subplots(1, 2, sharey=True)
    left.barh(names, table["share"], color="#1f4e79")
    by_model = importance_by_fold.pivot(index=["seed", "fold"], columns="feature", values="share")
    if len(by_model):
        by_model = by_model.reindex(columns=table["feature"]).fillna(0.0)
        label = figures.say("importance.spread", n=len(by_model))
        left.hlines(names, by_model.min(), by_model.max(), color="#7f9fbf", lw=2.5, label=label)
        left.legend(fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 0.97))
    right.barh(names, table["cost_increase"], color="#c55a11")
    right.hlines(names, table["low"], table["high"], color="0.4", lw=1.5, label=figures.say("common.interval"))
    right.legend(fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 0.97))
    right.axvline(0, color="0.3", lw=0.8)
    for axes, label in (
        (left, figures.say("importance.contributions")),
        (right, figures.say("importance.cost")),
    ):
        axes.set_xlabel(label, fontsize=9)
        axes.xaxis.set_major_formatter(figures.axis())
        axes.tick_params(axis="y", length=0, labelsize=8.5)
        axes.spines[["top", "right", "left"]].set_visible(False)
    figure.suptitle(figures.say("importance.title"), x=0.01, ha="left", fontsize=12)
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figures.mark_source(figure)
    return figure


def plot_dependence(
    shap_values: pd.DataFrame, explained_rows: pd.DataFrame, global_importance: pd.DataFrame, figures: FigureOptions
) -> Figure:
    """Draw value against contribution for the six heaviest numbers, coloured by the number that most bends each."""
    numbers = [
        name
        for name in global_importance["feature"]
        if pd.api.types.is_numeric_dtype(explained_rows[name]) and explained_rows[name].nunique() > 2
    ]
    figure = new_figure(figsize=(12, 7.4))
    panels = figure.subplots(2, 3).ravel()
    for axes, name in zip(panels, numbers[: len(panels)], strict=False):
        values = _told(explained_rows[name])
        partner = _strongest_partner(name, numbers[:20], shap_values, explained_rows)
        ranks = explained_rows[partner].astype(float).rank(pct=True)
        colours = {"c": ranks, "cmap": "coolwarm", "vmin": 0, "vmax": 1}  # of many equal values none has rank 0 or 1
        drawn = axes.scatter(values, shap_values[name], **colours, s=7, alpha=0.7, plotnonfinite=False)
        axes.axhline(0, color="0.6", lw=0.7)
        axes.set_xlabel(_name_axis(name, figures), fontsize=8.5)
        axes.tick_params(labelsize=8)
        axes.xaxis.set_major_formatter(figures.axis())
        axes.yaxis.set_major_formatter(figures.axis())
        axes.spines[["top", "right"]].set_visible(False)
        bar = figure.colorbar(drawn, ax=axes, ticks=[0.03, 0.97], pad=0.02)
        bar.ax.set_yticklabels([figures.say("common.low"), figures.say("common.high")], fontsize=7.5)
        bar.set_label(
            textwrap.fill(find_feature(partner).client_label(figures.language), 36), fontsize=7.5, labelpad=-12
        )
        bar.outline.set_visible(False)
    for axes in panels[len(numbers) :]:
        axes.set_visible(False)
    panels[0].set_ylabel(figures.say("dependence.y"), fontsize=9)
    panels[3].set_ylabel(figures.say("dependence.y"), fontsize=9)
    figure.suptitle(figures.say("dependence.title"), x=0.01, ha="left", fontsize=12)
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figures.mark_source(figure)
    return figure


def _strongest_partner(
    name: str, candidates: list[str], shap_values: pd.DataFrame, explained_rows: pd.DataFrame
) -> str:
    """Return the feature that goes most with what of the contribution the feature's own value leaves unexplained."""
    bins = explained_rows[name].astype(float).rank(pct=True).mul(20).round().fillna(-1)
    residual = shap_values[name] - shap_values.groupby(bins.to_numpy())[name].transform("mean")
    others = [other for other in candidates if other != name] or [name]
    strength = [abs(rank_correlation(residual, explained_rows[other])) for other in others]
    return others[int(np.nanargmax([0.0 if np.isnan(value) else value for value in strength]))]


def _told(values: pd.Series) -> npt.NDArray[np.float64]:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return -numbers / DAYS_PER_YEAR if find_feature(str(values.name)).unit == "elapsed_days" else numbers


def _name_axis(name: str, figures: FigureOptions) -> str:
    feature = find_feature(name)
    label = feature.client_label(figures.language)
    in_years = feature.unit == "elapsed_days"
    return textwrap.fill(figures.say("dependence.years", label=label) if in_years else label, 44)
