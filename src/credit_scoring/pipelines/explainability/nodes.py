"""What matters overall, and why this client got this score."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from credit_scoring.explanations import explain_clients, heaviest_causes
from credit_scoring.features.catalogue import FEATURES, find_feature
from credit_scoring.features.records import THEMES, in_language, theme_title
from credit_scoring.figures import PALETTE, Axes, Figure, FigureOptions, new_figure, use_style
from credit_scoring.pipelines.explainability.importance import name_told, tell_values
from credit_scoring.pipelines.explainability.options import ExplanationOptions
from credit_scoring.reasons import add_points
from credit_scoring.scorer import GRANTED, REFUSED, CreditScorer
from credit_scoring.texts import fold

BORDERLINE = "borderline"
_AGAINST, _FOR = PALETTE["second"], PALETTE["main"]


def explain_holdout(
    scorer: CreditScorer, holdout_rows: pd.DataFrame, explanation: ExplanationOptions
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split the scores of hold-out applicants among the features (SHAP values in log-odds).

    Returns:
        One row per explained applicant: `SK_ID_CURR`, `BASE_VALUE`, one column per feature. At most `n_applicants`
        rows, spread evenly over the ids. And the values of these features, same rows and columns.
    """
    rows = spread_rows(holdout_rows, explanation.n_applicants)
    contributions, base = scorer.contributions(rows)
    contributions.insert(0, "SK_ID_CURR", rows["SK_ID_CURR"])
    contributions.insert(1, "BASE_VALUE", base)
    values = scorer.model.explained_features(rows)
    return contributions.reset_index(drop=True), values.reset_index(drop=True)


def rank_features(shap_values: pd.DataFrame) -> pd.DataFrame:
    """Rank the features by their mean absolute contribution.

    Returns:
        One row per feature, most important first: `feature`, `mean_abs_contribution` (log-odds), `share` of the total.
    """
    importance = shap_values.drop(columns=["SK_ID_CURR", "BASE_VALUE"]).abs().mean()
    table = importance.rename("mean_abs_contribution").rename_axis("feature").reset_index()
    total = table["mean_abs_contribution"].sum()
    table["share"] = table["mean_abs_contribution"] / total if total > 0 else np.nan
    return table.sort_values(["mean_abs_contribution", "feature"], ascending=[False, True], ignore_index=True)


def rank_families(shap_values: pd.DataFrame) -> pd.DataFrame:
    """Sum the importance of the features by theme and by source table.

    Returns:
        One row per family, heaviest first within its kind: `kind` (`theme` or `source`), `family`, `share` of the
        total mean absolute contribution, `features`.
    """
    ranked = rank_features(shap_values)
    records = [find_feature(name) for name in ranked["feature"]]
    families = ranked.assign(
        theme=[feature.theme for feature in records],
        source=[feature.origin.table for feature in records],
    )
    tables = [
        families.groupby(kind)["share"]
        .agg(share="sum", features="size")
        .rename_axis("family")
        .reset_index()
        .sort_values(["share", "family"], ascending=[False, True])
        .assign(kind=kind)
        for kind in ("theme", "source")
    ]
    return pd.concat(tables, ignore_index=True)[["kind", "family", "share", "features"]]


def plot_family_importance(family_importance: pd.DataFrame, figures: FigureOptions) -> Figure:
    """Draw what part of the weight each theme and each source table has."""
    themes = {theme: theme_title(theme, figures.language) for theme in THEMES}
    tables = {each.origin.table: in_language(each.origin.title, figures.language) for each in FEATURES.values()}
    figure = new_figure(figsize=(10, 4.8))
    for axes, kind in zip(figure.subplots(1, 2), ("theme", "source"), strict=True):
        rows = family_importance[family_importance["kind"] == kind][::-1]
        told: Mapping[Any, str] = themes if kind == "theme" else tables  # `bureau` is a theme and a table
        counted = rows[["family", "features"]].itertuples(index=False)
        names = [fold(figures.say("themes.family", name=told[name], n=n), 28) for name, n in counted]
        bars = axes.barh(names, rows["share"], color=PALETTE["main"])
        axes.bar_label(bars, [figures.percent(share) for share in rows["share"]], padding=3, fontsize=8.5)
        axes.set_title(figures.say(f"themes.kind.{kind}"))
        axes.tick_params(axis="y", length=0, labelsize=9)
        axes.margins(x=0.2)
        axes.xaxis.set_major_formatter(figures.percent_axis())
        axes.set_xlabel(figures.say("themes.x"))
        axes.spines["left"].set_visible(False)
    return figures.finish(figure, figures.say("themes.title"))


def plot_global_importance(
    shap_values: pd.DataFrame, explained_rows: pd.DataFrame, explanation: ExplanationOptions, figures: FigureOptions
) -> Figure:
    """Draw the beeswarm of the features that weigh most: one point per applicant, colour by the feature's value."""
    import shap  # noqa: PLC0415 - takes seconds to import, and the rest of this module does without

    contributions = shap_values.drop(columns=["SK_ID_CURR", "BASE_VALUE"])
    # Categories have no low and high; as null they are drawn grey, which is what the picture says of them.
    numbers = explained_rows[contributions.columns].apply(lambda column: pd.to_numeric(column, errors="coerce"))
    values = numbers.apply(tell_values).to_numpy()
    shown = min(explanation.n_top_features, contributions.shape[1])
    import matplotlib.pyplot as plt  # noqa: PLC0415 - as in figures.py

    use_style()
    figure = plt.figure(figsize=(9, 0.36 * shown + 1.8))
    axes = figure.add_subplot()
    with _seeded_global_numpy(0), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN", RuntimeWarning)  # the colours of a category or of an empty column
        plotted = shap.plots.beeswarm(
            shap.Explanation(
                values=contributions.to_numpy(),
                data=values,
                feature_names=[fold(name_told(str(name), figures), 42) for name in contributions],
            ),
            max_display=shown,
            group_remaining_features=False,
            ax=axes,
            plot_size=None,
            color_bar_label=figures.say("beeswarm.color"),
            show=False,
        )
    plotted.set_xlabel(figures.say("common.contribution"), fontsize=10)
    plotted.tick_params(axis="y", labelsize=8.5)
    for colour_bar in figure.axes[1:]:
        colour_bar.set_yticklabels([figures.say("common.low"), figures.say("common.high")])
    plotted.xaxis.set_major_formatter(figures.axis())
    title = figures.say("beeswarm.title", n=shown, applications=len(shap_values))
    figures.finish(figure, title, figures.say("beeswarm.note"))
    plt.close(figure)  # shap draws with pyplot, which would keep it, and show it once more in a notebook
    return figure


def explain_examples(scorer: CreditScorer, holdout_rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Explain one granted, one refused and one borderline client of the hold-out.

    The granted and the refused client are the typical ones (the median probability of their group), the borderline
    client is the one nearest to the threshold. A group without clients is left out.

    Returns:
        One entry per client: `kind`, `client_id`, `probability_default`, `decision`, `threshold`, `base_value`, and
        `contributions`: `feature`, `value` (null if missing), `contribution` in log-odds, largest first.
    """
    decided = scorer.predict(holdout_rows)
    probability, threshold = decided["probability_default"], decided["threshold"].iloc[0]
    picked = {}
    for kind in (GRANTED, REFUSED):
        group = probability[decided["decision"] == kind]
        if len(group):
            picked[kind] = (group - group.median()).abs().idxmin()
    picked[BORDERLINE] = (probability - threshold).abs().drop(list(picked.values())).idxmin()
    rows = holdout_rows.loc[list(picked.values())]
    return [{"kind": kind, **explained} for kind, explained in zip(picked, explain_clients(scorer, rows), strict=True)]


def plot_local_explanations(
    local_explanations: list[dict[str, Any]], explanation: ExplanationOptions, figures: FigureOptions
) -> Figure:
    """Draw what weighed for and against each example client: bars in log-odds, the largest on top."""
    n_bars = explanation.n_reasons + 1
    figure = new_figure(figsize=(9, len(local_explanations) * (0.36 * n_bars + 1.0) + 0.8))
    panels = figure.subplots(len(local_explanations), 1, sharex=True, squeeze=False)[:, 0]
    for axes, client in zip(panels, local_explanations, strict=True):
        _draw_client(axes, client, explanation.n_reasons, figures)
    panels[-1].set_xlabel(figures.say("common.related"))
    base = 1 / (1 + np.exp(-local_explanations[0]["base_value"]))
    return figures.finish(figure, figures.say("explanations.title", base=base))


def _draw_client(axes: Axes, client: dict[str, Any], n_reasons: int, figures: FigureOptions) -> None:
    """Draw the heaviest causes of one score as bars, and the sum of the others."""
    top, n_others, rest = heaviest_causes(client["contributions"], n_reasons)
    names = [
        fold(
            figures.say(
                "reasons.sentence", label=entry[f"label_{figures.language}"], value=entry[f"shown_{figures.language}"]
            ),
            62,
        )
        for entry, _ in top
    ]
    values = [weight for _, weight in top]
    if n_others:
        names.append(figures.say("explanations.others", n=n_others))
        values.append(rest)
    position = np.arange(len(values))[::-1]
    bars = axes.barh(position, values, color=[_AGAINST if value > 0 else _FOR for value in values], height=0.72)
    signed, scale = [figures.number(value, "+.2f") for value in values], client["points_per_log_odds"]
    if scale is not None:
        pairs = zip(signed, values, strict=True)
        signed = [add_points(text, -scale * value, figures.language) for text, value in pairs]
    axes.bar_label(bars, signed, padding=3, fontsize=8, color="0.25")
    axes.set_yticks(position, names, fontsize=8.5)
    axes.axvline(0, color="0.3", lw=0.8)
    axes.margins(x=0.12)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    title = figures.say(
        "explanations.customer",
        kind=_name_kind(client, figures),
        id=client["client_id"],
        probability=client["probability_default"],
        threshold=client["threshold"],
    )
    axes.set_title(title)
    axes.xaxis.set_major_formatter(figures.axis())


def _name_kind(client: dict[str, Any], figures: FigureOptions) -> str:
    decision = figures.say(f"common.decided.{client['decision']}")
    if client["kind"] == BORDERLINE:
        return figures.say("explanations.borderline", decision=decision)
    return decision[0].upper() + decision[1:]


@contextmanager
def _seeded_global_numpy(seed: int) -> Iterator[None]:
    """Make the jitter of SHAP's beeswarm, which takes no generator, the same in every run."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)


def spread_rows(rows: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return at most `n` rows, spread evenly over the ids."""
    if len(rows) <= n:
        return rows
    return rows.sort_values("SK_ID_CURR").iloc[np.linspace(0, len(rows) - 1, n).astype(int)]
