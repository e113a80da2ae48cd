"""The drift report: one HTML page that needs nothing but itself. How it looks is in `drift_report.html`."""

import base64
import io
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from credit_scoring.features.catalogue import find_feature
from credit_scoring.features.categories import category_label
from credit_scoring.figures import PALETTE, FigureOptions, new_figure
from credit_scoring.metrics.stability import CURRENT, REFERENCE, count_bins
from credit_scoring.pipelines.monitoring.nodes import (
    DECISION,
    DRIFT,
    MODEL,
    OTHER,
    PROBABILITY,
    SCORE,
    WATCH,
    compared,
)
from credit_scoring.pipelines.monitoring.options import MonitoringOptions
from credit_scoring.scorer import GRANTED, REFUSED, REVIEW

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_N_DRAWN = 12
_MAX_CATEGORIES = 7
_COLOURS = {REFERENCE: PALETTE["neutral"], CURRENT: PALETTE["main"]}


def write_drift_report(
    drift_verdict: dict[str, Any],
    variable_drift: pd.DataFrame,
    monitored_applicants: pd.DataFrame,
    monitored_scores: pd.DataFrame,
    monitoring: MonitoringOptions,
    figures: FigureOptions,
    recorded_decisions: Mapping[str, Sequence[Mapping[str, Any]]] = MappingProxyType({}),
) -> str:
    """Write the page: verdict, key figures, score and decision, the variables that moved most, a table of all.

    With recorded decisions, what these show is a section of its own.
    """
    described = variable_drift.assign(
        label=[_label(name, figures) for name in variable_drift["variable"]],
        in_model=variable_drift["role"] != OTHER,
        has_mean=variable_drift[["reference_mean", "new_mean"]].notna().all(axis=1),
        has_rate=variable_drift["rate"].notna(),
    )
    columns = described[described["role"].isin([MODEL, OTHER])]
    moved = columns[columns["status"].isin((WATCH, DRIFT))]

    def draw(row: Mapping[str, Any]) -> dict[str, str]:
        pair = compared(monitored_applicants, monitored_scores, row["variable"])
        if row["has_rate"]:
            pair = tuple(values.replace({1: "Y", 0: "N"}) for values in pair)
        return _draw(row, count_bins(*pair, monitoring.n_bins), figures)

    return _PAGES.get_template("drift_report.html").render(
        language=figures.language,
        say=figures.say,
        number=figures.number,
        short=lambda value: _short(value, figures),
        draw=draw,
        colours=_COLOURS,
        limits=monitoring,
        verdict=drift_verdict,
        summed_up=described.set_index("role", drop=False).loc[[SCORE, DECISION]].to_dict("records"),
        drawn=moved.head(_N_DRAWN).to_dict("records"),
        not_drawn=len(moved) - _N_DRAWN,
        columns=columns.to_dict("records"),
        recorded=recorded_decisions,
        reasons=_reasons_by_week(recorded_decisions.get("reasons", ())),
    )


def _reasons_by_week(counted: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the weeks, newest first, and for each reason its share in each of them; null where it was not counted."""
    weeks = sorted({row["week"] for row in counted}, reverse=True)
    shares: dict[str, dict[str, float]] = {}
    for row in counted:
        shares.setdefault(row["reason"], {})[row["week"]] = row["share"]
    told = {reason: [found.get(week) for week in weeks] for reason, found in shares.items()}
    # The reason of most applicants lately comes first
    order = sorted(told, key=lambda reason: [share or 0 for share in told[reason]], reverse=True)
    return {"weeks": weeks, "shares": {reason: told[reason] for reason in order if any(told[reason])}}


def _draw(row: Mapping[str, Any], counts: pd.DataFrame, figures: FigureOptions) -> dict[str, str]:
    """Draw the shares of the bins of a variable side by side: address of the picture, and what it shows in words."""
    counts = _name_bins(counts, row["variable"], figures)
    shares = counts / counts.sum()
    import matplotlib as mpl  # noqa: PLC0415 - as in figures.py

    figure = new_figure(figsize=(5, 2.4), layout="constrained")
    axes = figure.subplots()
    position = np.arange(len(shares))
    for side, shift in ((REFERENCE, -0.21), (CURRENT, 0.21)):
        axes.bar(position + shift, shares[side], width=0.42, color=_COLOURS[side])
    names = [textwrap.shorten(str(name), 20, placeholder="…") for name in shares.index]
    axes.set_xticks(position, names, rotation=32, rotation_mode="anchor", ha="right", fontsize=8.5)
    axes.set_ylabel(figures.say("drift_report.share"), fontsize=8.5)
    axes.yaxis.set_major_formatter(figures.percent_axis())
    axes.tick_params(axis="y", labelsize=8.5)
    axes.tick_params(axis="x", length=0)
    axes.spines[["top", "right"]].set_visible(False)
    written = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": row["variable"]}):
        figure.savefig(written, format="svg", metadata={"Date": None}, transparent=True)
    bins = [
        figures.say("drift_report.bin", label=name, reference=reference, new=new)
        for name, reference, new in shares[[REFERENCE, CURRENT]].itertuples()
    ]
    return {
        "address": f"data:image/svg+xml;base64,{base64.b64encode(written.getvalue()).decode()}",
        "text": figures.say("drift_report.chart", variable=row["label"], bins="; ".join(bins)),
    }


def _name_bins(counts: pd.DataFrame, variable: str, figures: FigureOptions) -> pd.DataFrame:
    """Put words in place of the bounds of bins; of categories keep the largest first, and add the other ones up."""
    missing = figures.say("drift_report.no_value")
    if pd.api.types.is_numeric_dtype(counts.index.dtype):

        def written(value: float) -> str:
            return figures.percent(value) if variable == PROBABILITY else _short(value, figures)

        finite = counts.index[np.isfinite(counts.index)]
        names = [
            missing
            if np.isnan(end)
            else figures.say("drift_report.below", end=written(end))
            if np.isfinite(end)
            else figures.say("drift_report.above", end=written(finite[-1]))
            if len(finite)
            else ""
            for end in counts.index
        ]
        return counts.set_axis(names)
    names = [missing if pd.isna(name) else _category(str(name), figures) for name in counts.index]
    ordered = counts.set_axis(names).sort_values([REFERENCE, CURRENT], ascending=False, kind="stable")
    kept, rest = ordered.head(_MAX_CATEGORIES), ordered.iloc[_MAX_CATEGORIES:]
    return pd.concat([kept, rest.sum().to_frame(figures.say("common.others")).T]) if len(rest) else kept


def _label(variable: str, figures: FigureOptions) -> str:
    if variable in (PROBABILITY, DECISION):
        return figures.say(f"drift_report.summed_up.{variable}")
    return find_feature(variable).describe(figures.language)


def _category(name: str, figures: FigureOptions) -> str:
    if name in (GRANTED, REFUSED, REVIEW):
        return figures.say(f"common.decided.{name}")
    return category_label(name, figures.language)


def _short(value: float, figures: FigureOptions) -> str:
    return figures.number(value, "," if abs(value) >= 1000 or value == round(value) else ".3g")
