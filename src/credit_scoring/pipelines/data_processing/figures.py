"""Figures of the prepared data: balance of the outcomes, missing values, distributions, shift between the two files.

What involves the outcome is drawn from the training side of the split only: the hold-out stays unseen.
"""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.features.catalogue import find_feature
from credit_scoring.features.categories import category_label
from credit_scoring.features.expressions import DAYS_PER_YEAR
from credit_scoring.figures import PALETTE, Axes, Figure, FigureOptions, new_figure
from credit_scoring.metrics.discrimination import kolmogorov_smirnov_score
from credit_scoring.metrics.stability import distribution_gap, population_stability_index
from credit_scoring.texts import fold

TRAIN, TO_SCORE = "train", "to score"
_REPAID, _DEFAULT, _NEUTRAL = PALETTE["main"], PALETTE["second"], PALETTE["neutral"]

DRAWN_BY_OUTCOME = (
    "EXT_SOURCE_1",
    "EXT_SOURCE_2",
    "EXT_SOURCE_3",
    "APPLICATION_AGE_YEARS",
    "DAYS_EMPLOYED",
    "AMT_INCOME_TOTAL",
    "AMT_CREDIT",
    "APPLICATION_CREDIT_TO_ANNUITY_RATIO",
    "INSTALLMENTS_LATE_RATE_365D",
)
COMPARED = (
    *DRAWN_BY_OUTCOME,
    "AMT_ANNUITY",
    "DAYS_LAST_PHONE_CHANGE",
    "AMT_REQ_CREDIT_BUREAU_MON",
    "AMT_REQ_CREDIT_BUREAU_QRT",
    "BUREAU_DEBT_TO_CREDIT_RATIO",
    "PREVIOUS_REFUSED_RATE",
    "FLAG_EMAIL",
    "NAME_CONTRACT_TYPE",
    "CODE_GENDER",
    "NAME_INCOME_TYPE",
    "NAME_EDUCATION_TYPE",
)
"""Numbers and categories whose distribution is compared between the applications learnt from and those to score."""

_GROUPS: Mapping[str, tuple[str, ...]] = {
    "KNOWN_EXT_SOURCE_1": ("EXT_SOURCE_1",),
    "KNOWN_EXT_SOURCE_2": ("EXT_SOURCE_2",),
    "KNOWN_EXT_SOURCE_3": ("EXT_SOURCE_3",),
    "KNOWN_INCOME": ("AMT_INCOME_TOTAL",),
    "KNOWN_EMPLOYMENT": ("DAYS_EMPLOYED",),
    "KNOWN_OCCUPATION": ("OCCUPATION_TYPE",),
    "KNOWN_CAR": ("OWN_CAR_AGE",),
    "KNOWN_BUILDING": ("*_AVG", "*_MODE"),
    "KNOWN_PHONE": ("DAYS_LAST_PHONE_CHANGE",),
    "KNOWN_SOCIAL_CIRCLE": ("*_SOCIAL_CIRCLE",),
    "KNOWN_ENQUIRIES": ("AMT_REQ_CREDIT_BUREAU_*",),
    "HAS_BUREAU": ("HAS_BUREAU",),
    "HAS_BUREAU_BALANCE": ("HAS_BUREAU_BALANCE",),
    "HAS_PREVIOUS": ("HAS_PREVIOUS",),
    "HAS_POS_CASH": ("HAS_POS_CASH",),
    "HAS_INSTALLMENTS": ("HAS_INSTALLMENTS",),
    "HAS_CREDIT_CARD": ("HAS_CREDIT_CARD",),
}
"""Name of a group -> columns, or beginnings or endings of columns beside a `*`."""

_MATRIX_ROWS = 300
_MIN_FOR_RATE = 30
_N_BINS = 20
_DETAILED = 4
_MAX_CATEGORIES = 6
_PSI_STABLE, _PSI_SHIFTED = 0.1, 0.25

# -- values -----------------------------------------------------------------------------------------------------------


def select_figure_columns(applicant_features: ir.Table) -> ir.Table:
    """Keep what the figures of the prepared data are drawn from.

    Returns:
        One row per applicant in the order of SK_ID_CURR: SK_ID_CURR, TARGET (null for the hold-out and for applicants
        to score), SPLIT (`train`, `holdout`, `to score`), the columns of `COMPARED`, and for each group of columns
        whether any of them is known (boolean).
    """
    rows, split = applicant_features, applicant_features.SPLIT.fill_null(TO_SCORE)
    return rows.select(
        "SK_ID_CURR",
        *COMPARED,
        TARGET=(split == TRAIN).ifelse(rows.TARGET, ibis.null("int32")),
        SPLIT=split,
        **{name: _any_known(rows, columns) for name, columns in _GROUPS.items()},
    ).order_by("SK_ID_CURR")


def _any_known(rows: ir.Table, patterns: tuple[str, ...]) -> ir.BooleanValue:
    matching = [column for column in rows.columns if any(_matches(column, pattern) for pattern in patterns)]
    if matching[0].startswith("HAS_"):
        return rows[matching[0]] == 1
    return ibis.or_(*(~rows[column].isnull() for column in matching))


def _matches(column: str, pattern: str) -> bool:
    if pattern.startswith("*"):
        return column.endswith(pattern[1:])
    return column.startswith(pattern[:-1]) if pattern.endswith("*") else column == pattern


def count_outcomes(figure_columns: pd.DataFrame) -> pd.Series:
    """Return the number of training applications by outcome, 0 and 1."""
    return figure_columns["TARGET"].dropna().astype(int).value_counts().reindex([0, 1], fill_value=0)


def measure_missing(figure_columns: pd.DataFrame) -> pd.DataFrame:
    """Measure for each group of columns how often all of it is missing, and what that says of the outcome.

    Returns:
        One row per group, on training applications: `missing` (share without any value), `default_missing` and
        `default_known` (default rates; NaN under 30 applications).
    """
    train = figure_columns[figure_columns["SPLIT"] == TRAIN]

    def default_rate(rows: pd.Series) -> float:
        return float(train.loc[rows, "TARGET"].mean()) if rows.sum() >= _MIN_FOR_RATE else np.nan

    known = train[list(_GROUPS)].astype(bool)
    return pd.DataFrame(
        {
            "missing": 1 - known.astype(float).mean(),
            "default_missing": {name: default_rate(~known[name]) for name in known},
            "default_known": {name: default_rate(known[name]) for name in known},
        }
    ).reindex(list(_GROUPS))


def measure_shift(figure_columns: pd.DataFrame) -> pd.DataFrame:
    """Compare the applications to score with the training applications, variable by variable.

    Returns:
        One row per variable, the largest shift first: `variable`, `psi`, and for numbers `ks` (NaN for categories).
        No row if there is nothing to score.
    """
    train, to_score = (figure_columns[figure_columns["SPLIT"] == side] for side in (TRAIN, TO_SCORE))
    if to_score.empty:
        return pd.DataFrame({"variable": [], "psi": [], "ks": []})
    shifts = [
        {
            "variable": name,
            "psi": population_stability_index(train[name], to_score[name]),
            "ks": distribution_gap(train[name].dropna(), to_score[name].dropna())
            if _is_number(train[name])
            else np.nan,
        }
        for name in COMPARED
    ]
    return pd.DataFrame(shifts).sort_values(["psi", "variable"], ascending=[False, True], ignore_index=True)


def category_shares(values: pd.Series, categories: list[str], missing: str, others: str) -> pd.Series:
    """Return the share of each category, of the other ones together and of missing values."""
    named = values.astype(object).where(values.isin(categories) | values.isna(), others)
    return (
        named.where(values.notna(), missing)
        .value_counts(normalize=True)
        .reindex([*categories, others, missing])
        .fillna(0.0)
    )


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values)


# -- pictures ---------------------------------------------------------------------------------------------------------


def plot_class_balance(figure_columns: pd.DataFrame, figures: FigureOptions) -> Figure:
    """Draw how many training applications were repaid and how many defaulted."""
    counts = count_outcomes(figure_columns)
    total = max(int(counts.sum()), 1)
    figure = new_figure(figsize=(9, 3.1))
    axes = figure.subplots()
    bars = axes.barh([1, 0], counts, color=[_REPAID, _DEFAULT], height=0.62)
    axes.bar_label(
        bars,
        [figures.say("class_balance.bar", count=count, share=count / total) for count in counts],
        padding=5,
        fontsize=11,
    )
    axes.set_yticks([1, 0], [figures.say("common.repaid"), figures.say("common.defaulted")], fontsize=11)
    axes.set_xlim(0, max(int(counts.max()), 1) * 1.2)
    axes.set_xlabel(figures.say("class_balance.x"))
    axes.xaxis.set_major_formatter(figures.axis(","))
    title = (
        figures.say("class_balance.title", ratio=counts[0] / counts[1])
        if counts[1]
        else figures.say("class_balance.title_no_default")
    )
    axes.text(
        0.99, 0.41, figures.say("class_balance.note", accuracy=counts[0] / total),
        transform=axes.transAxes, ha="right", fontsize=9.5, color="0.3",
    )  # fmt: skip
    axes.tick_params(axis="y", length=0)
    return figures.finish(figure, title)


def plot_missing_values(figure_columns: pd.DataFrame, figures: FigureOptions) -> Figure:
    """Draw which groups of columns are missing together, and how often."""
    import missingno  # noqa: PLC0415 - as in figures.py
    from matplotlib.colors import to_rgb  # noqa: PLC0415 - as in figures.py

    train = figure_columns.loc[figure_columns["SPLIT"] == TRAIN, list(_GROUPS)]
    sample = train.iloc[np.linspace(0, len(train) - 1, min(_MATRIX_ROWS, len(train))).astype(int)]
    names = [figures.say(f"missing_values.group.{name}") for name in _GROUPS]
    figure = new_figure(figsize=(9, 7.8))
    above, middle, below = figure.subplots(3, 1, height_ratios=[2.2, 0.8, 0.8])
    shown = sample.astype(bool).astype(object).where(sample.astype(bool), None)
    missingno.matrix(
        shown.set_axis(names, axis=1).sort_values(names, key=lambda column: column.isna(), kind="stable"),
        ax=above, sparkline=False, fontsize=9.5, color=to_rgb(_REPAID), label_rotation=40,
    )  # fmt: skip
    above.set_yticks([])
    above.set_ylabel(figures.say("missing_values.rows", n=len(sample)))
    measured = measure_missing(figure_columns)
    position = np.arange(len(measured))
    bars = middle.bar(position, measured["missing"], color=_NEUTRAL, width=0.8)
    middle.bar_label(bars, [figures.percent(share, 0) for share in measured["missing"]], fontsize=8.5, padding=2)
    middle.set(ylim=(0, 1.2), ylabel=figures.say("missing_values.share"))
    below.vlines(position, measured["default_known"], measured["default_missing"], color="0.75", lw=2)
    for column, label, color in (
        ("default_known", figures.say("missing_values.if_known"), _REPAID),
        ("default_missing", figures.say("missing_values.if_missing"), _DEFAULT),
    ):
        below.plot(position, measured[column], "o", ms=6, color=color, label=label)
    below.set(ylabel=figures.say("missing_values.default_rate"))
    below.set_ylim(0, below.get_ylim()[1] * 1.35)
    below.legend(loc="upper right", ncols=2)
    for axes in (middle, below):
        axes.set(xlim=above.get_xlim(), xticks=[])
        axes.yaxis.set_major_formatter(figures.percent_axis())
    figure.align_ylabels()
    return figures.finish(figure, figures.say("missing_values.title"))


def plot_distributions_by_outcome(figure_columns: pd.DataFrame, figures: FigureOptions) -> Figure:
    """Draw the distribution of key variables among those who repaid and those who defaulted."""
    train = figure_columns[figure_columns["SPLIT"] == TRAIN]
    from matplotlib.colors import to_rgb  # noqa: PLC0415 - as in figures.py
    from matplotlib.patches import Patch  # noqa: PLC0415 - as in figures.py

    figure = new_figure(figsize=(9, 7.6))
    panels = figure.subplots(3, 3)
    outcomes = ((0, figures.say("common.repaid"), _REPAID), (1, figures.say("common.defaulted"), _DEFAULT))
    for axes, name in zip(panels.flat, DRAWN_BY_OUTCOME, strict=True):
        values, title = _readable(name, train[name].astype(float), figures)
        known = values.notna()
        separation = kolmogorov_smirnov_score(train.loc[known, "TARGET"], values[known])
        if np.isfinite(separation):
            title = figures.say("distributions.panel", label=title, ks=separation)
        axes.set_title(fold(title, 36), fontsize=9.5, loc="center")
        sides = [(values[train["TARGET"] == outcome], label, color) for outcome, label, color in outcomes]
        _draw_densities(axes, sides, figures)
    for axes in panels[:, 0]:
        axes.set_ylabel(figures.say("distributions.density"), fontsize=9)
    handles = [
        Patch(edgecolor=color, facecolor=(*to_rgb(color), 0.25), label=label, lw=1.6) for _, label, color in outcomes
    ]
    figure.legend(handles=handles, loc="upper right", ncols=2, fontsize=10)
    return figures.finish(figure, figures.say("distributions.title", n=len(train)))


def plot_population_shift(figure_columns: pd.DataFrame, figures: FigureOptions) -> Figure:
    """Draw how far the applications to score are from the training rows: stability index, and the largest shifts."""
    shift = measure_shift(figure_columns)
    train, to_score = (figure_columns[figure_columns["SPLIT"] == side] for side in (TRAIN, TO_SCORE))
    figure = new_figure(figsize=(9, 7.4))
    title = figures.say("population_shift.title", train=len(train), to_score=len(to_score))
    if shift.empty:
        nothing = figures.say("population_shift.nothing")
        figure.text(0.5, 0.5, nothing, ha="center", va="center", fontsize=13, color=_NEUTRAL)
        return figures.finish(figure, title)
    grid = figure.add_gridspec(_DETAILED, 2, width_ratios=[1, 1.05])
    _draw_stability(figure.add_subplot(grid[:, 0]), shift, figures)
    for row, name in enumerate(shift["variable"].head(_DETAILED)):
        axes = figure.add_subplot(grid[row, 1])
        _draw_pair(axes, name, train[name], to_score[name], figures)
        if row == 0:
            axes.legend(fontsize=8.5, loc="upper right")
    return figures.finish(figure, title)


def _draw_stability(axes: Axes, shift: pd.DataFrame, figures: FigureOptions) -> None:
    ordered = shift.iloc[::-1]
    colours = [_DEFAULT if psi > _PSI_SHIFTED else _NEUTRAL if psi > _PSI_STABLE else _REPAID for psi in ordered["psi"]]
    axes.barh(np.arange(len(ordered)), ordered["psi"], color=colours, height=0.7)
    texts = [
        figures.say("population_shift.bar", psi=psi)
        if np.isnan(ks)
        else figures.say("population_shift.bar_ks", psi=psi, ks=ks)
        for psi, ks in zip(ordered["psi"], ordered["ks"], strict=True)
    ]
    for row, text in enumerate(texts):  # in a column of their own, beside the lines of the limits
        axes.text(1.0, row, text, fontsize=8, ha="right", va="center", transform=axes.get_yaxis_transform())
    names = [fold(find_feature(name).client_label(figures.language), 32) for name in ordered["variable"]]
    axes.set_yticks(np.arange(len(ordered)), names, fontsize=8)
    for bound, label, side in (
        (_PSI_STABLE, figures.say("population_shift.stable", limit=_PSI_STABLE), "right"),
        (_PSI_SHIFTED, figures.say("population_shift.shifted", limit=_PSI_SHIFTED), "left"),
    ):
        axes.axvline(bound, color="0.6", lw=0.9, ls="--", zorder=0)
        axes.text(
            bound, 1.0, label, fontsize=8, color="0.3", ha=side, va="bottom", transform=axes.get_xaxis_transform()
        )
    axes.set_xlim(0, max(float(shift["psi"].max()), _PSI_SHIFTED) * 1.6)
    axes.margins(y=0.01)
    axes.set_xlabel(figures.say("population_shift.psi"), fontsize=9)
    axes.xaxis.set_major_formatter(figures.axis())
    axes.tick_params(axis="y", length=0)


def _draw_pair(axes: Axes, name: str, train: pd.Series, to_score: pd.Series, figures: FigureOptions) -> None:
    sides = (
        (train, figures.say("population_shift.train"), _REPAID),
        (to_score, figures.say("population_shift.to_score"), _DEFAULT),
    )
    axes.tick_params(labelsize=8)
    if not _is_number(train) or train.nunique() <= _MAX_CATEGORIES:
        axes.set_title(fold(find_feature(name).client_label(figures.language), 46), fontsize=9)
        _draw_categories(axes, sides, figures)
        return
    drawn = [(_readable(name, values.astype(float), figures)[0], label, color) for values, label, color in sides]
    title = _readable(name, train.astype(float), figures)[1]
    axes.set_title(fold(title, 46), fontsize=9)
    _draw_densities(axes, drawn, figures)


def _draw_categories(axes: Axes, sides: tuple[tuple[pd.Series, str, str], ...], figures: FigureOptions) -> None:
    as_text = [
        values.map(lambda value: f"{value:g}", na_action="ignore") if _is_number(values) else values
        for values, *_ in sides
    ]
    categories = list(as_text[0].value_counts().index[:_MAX_CATEGORIES].astype(str))
    missing, others = figures.say("population_shift.missing"), figures.say("common.others")
    shares = [category_shares(values, categories, missing, others) for values in as_text]
    shown = (shares[0] + shares[1]) > 0
    for offset, values, (_, label, color) in zip((-0.2, 0.2), shares, sides, strict=True):
        axes.bar(np.arange(shown.sum()) + offset, values[shown], width=0.38, color=color, label=label)
    names = [
        figures.number(float(name), "g")
        if name.replace(".", "").isdigit()
        else fold(category_label(name, figures.language), 14)
        for name in shares[0].index[shown]
    ]
    axes.set_xticks(np.arange(shown.sum()), names, fontsize=8)
    axes.yaxis.set_major_formatter(figures.percent_axis())


def _draw_densities(axes: Axes, sides: Sequence[tuple[pd.Series, str, str]], figures: FigureOptions) -> None:
    """Draw the distribution of one number in each of two groups, cut at the same places."""
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    known = [values.dropna() for values, *_ in sides]
    bins = _bins(pd.concat(known))
    if bins is None:
        axes.text(0.5, 0.5, figures.say("distributions.empty"), transform=axes.transAxes, ha="center", color=_NEUTRAL)
        return
    for values, (_, label, color) in zip(known, sides, strict=True):
        heights = np.histogram(values, bins)[0] / max(len(values), 1)
        axes.stairs(heights, bins, fill=True, alpha=0.22, color=color)
        axes.stairs(heights, bins, lw=1.6, color=color, label=label)
    large = bool(bins[-1] >= 1000)
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - as in figures.py

    axes.xaxis.set_major_locator(MaxNLocator(3 if large else 5, steps=[1, 2, 5, 10], integer=bool(bins[-1] > 4)))
    axes.xaxis.set_major_formatter(figures.axis("," if large else "g"))
    axes.tick_params(labelsize=8.5)


def _readable(name: str, values: pd.Series, figures: FigureOptions) -> tuple[pd.Series, str]:
    """Turn days before the application into years and shares into %, and name the variable with its unit."""
    feature = find_feature(name)
    title = feature.client_label(figures.language)
    if name == "DAYS_EMPLOYED":
        return -values / DAYS_PER_YEAR, figures.say("distributions.years")
    if feature.unit == "share":
        return 100 * values, figures.say("common.in_percent", label=title)
    return values, figures.say("common.in_amount", label=title) if feature.unit == "amount" else title


def _bins(values: pd.Series) -> npt.NDArray[np.float64] | None:
    """Cut between the ends of the middle 99 percent; few whole numbers get a bin each."""
    if values.empty:
        return None
    low, high = values.quantile([0.005, 0.995])
    if high - low <= _N_BINS / 2 and (values == values.round()).all():
        return np.arange(low - 0.5, high + 1)
    return np.linspace(low, high if high > low else low + 1, _N_BINS + 1)
