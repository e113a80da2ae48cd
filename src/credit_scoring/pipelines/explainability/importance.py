"""How steady the weights of the features are, and how the heaviest of them act."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.explanations import rank_correlation
from credit_scoring.features.catalogue import find_feature
from credit_scoring.features.expressions import DAYS_PER_YEAR
from credit_scoring.features.records import Unit
from credit_scoring.figures import PALETTE, Figure, FigureOptions, new_figure
from credit_scoring.pipelines.explainability.options import ExplanationOptions
from credit_scoring.texts import fold

_YEARS_BEFORE: Mapping[Unit, float] = {
    "elapsed_days": -1 / DAYS_PER_YEAR,
    "date_days": -1 / DAYS_PER_YEAR,
    "date_months": -1 / 12,
}
"""Unit of a date -> factor that turns it into the years from it to the application."""


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
    importance_by_fold: pd.DataFrame,
    explanation: ExplanationOptions,
    figures: FigureOptions,
) -> Figure:
    """Draw the heaviest features, each with its range over the same model fitted to other samples, if there are any."""
    table = global_importance.head(explanation.n_top_features)[::-1]
    names = [fold(name_told(name, figures), 60) for name in table["feature"]]
    figure = new_figure(figsize=(9, 0.34 * len(table) + 1.4))
    axes = figure.subplots()
    axes.barh(names, table["share"], color=PALETTE["main"])
    by_model = importance_by_fold.pivot(index=["seed", "fold"], columns="feature", values="share")
    if len(by_model):
        by_model = by_model.reindex(columns=table["feature"]).fillna(0.0)
        label = figures.say("importance.spread", n=len(by_model))
        axes.hlines(names, by_model.min(), by_model.max(), color=PALETTE["second"], lw=2.5, label=label)
        axes.legend(loc="lower right")
    axes.set_xlabel(figures.say("importance.contributions"))
    axes.xaxis.set_major_formatter(figures.axis(".1%"))
    axes.tick_params(axis="y", length=0, labelsize=8.5)
    axes.spines["left"].set_visible(False)
    return figures.finish(figure, figures.say("importance.title"))


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
        values = tell_values(explained_rows[name])
        partner = _strongest_partner(name, numbers[:20], shap_values, explained_rows)
        ranks = pd.Series(tell_values(explained_rows[partner])).rank(pct=True)
        colours = {"c": ranks, "cmap": "coolwarm", "vmin": 0, "vmax": 1}  # of many equal values none has rank 0 or 1
        drawn = axes.scatter(values, shap_values[name], **colours, s=7, alpha=0.7, plotnonfinite=False)
        axes.axhline(0, color=PALETTE["neutral"], lw=0.7)
        axes.set_xlabel(fold(_name_axis(name, figures), 44), fontsize=8.5)
        axes.tick_params(labelsize=8)
        axes.xaxis.set_major_formatter(figures.axis())
        axes.yaxis.set_major_formatter(figures.axis())
        bar = figure.colorbar(drawn, ax=axes, ticks=[0.03, 0.97], pad=0.02)
        bar.ax.set_yticklabels([figures.say("common.low"), figures.say("common.high")], fontsize=7.5)
        bar.set_label(fold(name_told(partner, figures), 36), fontsize=7.5, labelpad=-12)
        bar.outline.set_visible(False)
    for axes in panels[len(numbers) :]:
        axes.set_visible(False)
    panels[0].set_ylabel(figures.say("dependence.y"), fontsize=9)
    panels[3].set_ylabel(figures.say("dependence.y"), fontsize=9)
    return figures.finish(figure, figures.say("dependence.title"), figures.say("dependence.note"))


def _strongest_partner(
    name: str, candidates: list[str], shap_values: pd.DataFrame, explained_rows: pd.DataFrame
) -> str:
    """Return the feature that goes most with what of the contribution the feature's own value leaves unexplained."""
    bins = explained_rows[name].astype(float).rank(pct=True).mul(20).round().fillna(-1)
    residual = shap_values[name] - shap_values.groupby(bins.to_numpy())[name].transform("mean")
    others = [other for other in candidates if other != name] or [name]
    strength = [abs(rank_correlation(residual, explained_rows[other])) for other in others]
    return others[int(np.nanargmax([0.0 if np.isnan(value) else value for value in strength]))]


def tell_values(values: pd.Series) -> npt.NDArray[np.float64]:
    """Return a feature's numbers as a person says them: dates, stored as days before the application, as years."""
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers * _YEARS_BEFORE.get(find_feature(str(values.name)).unit, 1.0)


def name_told(name: str, figures: FigureOptions) -> str:
    """Name what `tell_values` returns: a date is named as the time since then."""
    feature = find_feature(name)
    label = feature.client_label(figures.language)
    return figures.say("common.since", label=label) if feature.unit in ("date_days", "date_months") else label


def _name_axis(name: str, figures: FigureOptions) -> str:
    """Name a feature with its unit, where that is not in its name."""
    label, unit = name_told(name, figures), find_feature(name).unit
    if unit in _YEARS_BEFORE:
        return figures.say("dependence.years", label=label)
    return figures.say("common.in_amount", label=label) if unit == "amount" else label
