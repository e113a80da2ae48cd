"""How decisions fall on groups of clients, and what other policies would change; not what the law makes of it."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import comb
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.features.expressions import DAYS_PER_YEAR
from credit_scoring.figures import PALETTE, Figure, FigureOptions, new_figure
from credit_scoring.metrics.cost import MisclassificationCosts, decision_costs, refuse
from credit_scoring.metrics.threshold import break_even_threshold
from credit_scoring.metrics.uncertainty import Interval, bootstrap_mean, rate_difference_interval, rate_interval
from credit_scoring.pipelines.explainability.options import FairnessOptions
from credit_scoring.protected import (
    AGE_BAND,
    UNKNOWN,
    ProtectedOptions,
    group_values,
    grouped_by,
    name_attribute,
    name_group,
)

_RATES = ("approval_rate", "false_decline_rate", "false_negative_rate")
_MEASURES = (*_RATES, "calibration_gap", "cost")
_ATTRIBUTES = ("CODE_GENDER", AGE_BAND, "NAME_FAMILY_STATUS", "NAME_EDUCATION_TYPE")
_CONFIDENCE = 0.95
_NOT_REPORTED = Interval(estimate=np.nan, low=np.nan, high=np.nan)
_GROUP_COLUMNS = ["attribute", "group", "clients", "measure", "concerned", "value", "low", "high"]
_GAP_COLUMNS = ["attribute", "measure", "groups", "lowest", "highest", "gap", "low", "high"]
_EFFECT_COLUMNS = ["attribute", "group", "clients", "approval_with", "approval_without", "change", "low", "high"]

_Values: TypeAlias = npt.NDArray[np.float64]


def measure_fairness(
    training_rows: pd.DataFrame,
    holdout_rows: pd.DataFrame,
    holdout_predictions: pd.DataFrame,
    decision_policy: dict[str, Any],
    costs: MisclassificationCosts,
    fairness: FairnessOptions,
    protected: ProtectedOptions,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure the hold-out decisions by gender, age band, family status, education and what else is protected.

    Every measure is a mean over the clients that it concerns. One of too few clients (`FairnessOptions`) is not
    reported: what is measured on a handful says nothing of the policy. The interval of a rate is Wilson's, which has a
    width even where all clients had the same outcome; that of the two others is the bootstrap's. Numbers are cut into
    groups by the training rows, so that the groups are those of every other table.

    Returns:
        One row per attribute, group and measure: `attribute`, `group` (`?`: unknown), `clients` of the group, `measure`
        (`approval_rate`; `false_decline_rate` among those who repaid; `false_negative_rate` among those who defaulted;
        `calibration_gap`, mean probability less default rate; `cost`), `concerned`, the number of clients that it is
        the mean of, `value`, `low`, `high`; the last three are NaN where too few are concerned.

        And one row per attribute and rate: `attribute`, `measure`, `groups`, the number of those whose rate is
        reported, `lowest` and `highest` of them (clients whose attribute is unknown are no group here), `gap` between
        these two, `low`, `high`. The interval is Newcombe's, at a confidence raised by Bonferroni over all pairs of
        groups, as it is the largest difference that is looked at: if it holds 0, chance alone may have made the gap.
        NaN and null with fewer than two groups. Of `approval_rate` the gap is the demographic parity difference, and
        the larger one of the two error rates is the equalised odds difference.
    """
    target, probability = (holdout_predictions[name].to_numpy() for name in ("TARGET", "PROBABILITY"))
    parts = _concerned(target, probability, decision_policy["threshold"], costs)
    rows, gaps = [], []
    for attribute, groups in _group_clients(
        holdout_rows, holdout_predictions, training_rows, fairness, protected
    ).items():
        for measure, values in parts.items():
            for group in _in_order(groups, fairness):
                inside = groups == group
                concerned = values[inside & ~np.isnan(values)]
                reported = _is_reported(measure, int(inside.sum()), concerned.size, fairness)
                if not reported:
                    interval = _NOT_REPORTED
                elif measure in _RATES:
                    interval = rate_interval(int(concerned.sum()), concerned.size, confidence=_CONFIDENCE)
                else:
                    interval = bootstrap_mean(concerned, n_resamples=fairness.n_resamples, confidence=_CONFIDENCE)
                ends = (interval.estimate, interval.low, interval.high)
                rows.append((attribute, group, int(inside.sum()), measure, concerned.size, *ends))
            if measure in _RATES:
                gaps.append(
                    {"attribute": attribute, "measure": measure, **_largest_gap(measure, values, groups, fairness)}
                )
    return pd.DataFrame(rows, columns=_GROUP_COLUMNS), pd.DataFrame(gaps)[_GAP_COLUMNS]


def compare_mitigations(
    training_rows: pd.DataFrame,
    oof_predictions: pd.DataFrame,
    holdout_rows: pd.DataFrame,
    holdout_predictions: pd.DataFrame,
    decision_policy: dict[str, Any],
    costs: MisclassificationCosts,
    fairness: FairnessOptions,
    protected: ProtectedOptions,
) -> pd.DataFrame:
    """Weigh what would change if each group of a protected attribute had a threshold of its own.

    Such thresholds decide by the attribute, which is what its protection is against: they are measured for information
    and must not be used. They are chosen on training rows out of fold; a group too small there keeps the policy's.
    Every policy is measured on the hold-out.

    Returns:
        One row per protected attribute and policy: `attribute`, `policy` (`as_is`; `equal_approval_rate`, each group's
        threshold grants as large a share as the policy does of all; `own_threshold`, where each group breaks even),
        `approval_rate`, `cost` per applicant with `cost_low` and `cost_high`, `cost_change` against `as_is`, paired,
        with `cost_change_low` and `cost_change_high`, and as of `measure_fairness` the gaps `approval_gap`,
        `false_decline_gap`, `false_negative_gap`, each with `_low` and `_high`. No row if no column is protected.
    """
    target, probability = (holdout_predictions[name].to_numpy() for name in ("TARGET", "PROBABILITY"))
    out_of_fold, outcomes = (oof_predictions[name].to_numpy() for name in ("PROBABILITY", "TARGET"))
    policy_threshold = decision_policy["threshold"]
    refusal_share = float(refuse(out_of_fold, policy_threshold).mean())
    learnt_groups = _group_clients(training_rows, oof_predictions, training_rows, fairness, protected)
    judged_groups = _group_clients(holdout_rows, holdout_predictions, training_rows, fairness, protected)
    as_is = _concerned(target, probability, policy_threshold, costs)
    rows = []
    for attribute in map(grouped_by, protected.columns):
        learnt, judged = learnt_groups[attribute], judged_groups[attribute]
        equal, own = {}, {}
        for group in np.unique(learnt):
            inside = learnt == group
            if inside.sum() < fairness.min_clients:
                continue
            equal[group] = float(np.quantile(out_of_fold[inside], 1 - refusal_share))
            defaults = int(outcomes[inside].sum())
            if fairness.min_defaults <= defaults < inside.sum():
                own[group] = break_even_threshold(outcomes[inside], out_of_fold[inside], costs)
        for policy, thresholds in {"as_is": {}, "equal_approval_rate": equal, "own_threshold": own}.items():
            threshold = np.array([thresholds.get(group, policy_threshold) for group in judged])
            parts = _concerned(target, probability, threshold, costs)
            row = {"attribute": attribute, "policy": policy, "approval_rate": float(parts["approval_rate"].mean())}
            for name, values in (("cost", parts["cost"]), ("cost_change", parts["cost"] - as_is["cost"])):
                interval = bootstrap_mean(values, n_resamples=fairness.n_resamples, confidence=_CONFIDENCE)
                row |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
            for measure in _RATES:
                gap, name = _largest_gap(measure, parts[measure], judged, fairness), measure.replace("_rate", "_gap")
                row |= {name: gap["gap"], f"{name}_low": gap["low"], f"{name}_high": gap["high"]}
            rows.append(row)
    return pd.DataFrame(rows, columns=_MITIGATION_COLUMNS)


_MITIGATION_COLUMNS = [
    "attribute",
    "policy",
    "approval_rate",
    *(f"{name}{end}" for name in ("cost", "cost_change") for end in ("", "_low", "_high")),
    *(f"{name.replace('_rate', '_gap')}{end}" for name in _RATES for end in ("", "_low", "_high")),
]


def measure_protection_effect(
    training_rows: pd.DataFrame,
    protection_predictions: pd.DataFrame,
    fairness: FairnessOptions,
    protected: ProtectedOptions,
) -> pd.DataFrame:
    """Measure for whom decisions change as the protected columns are left out, out of fold on the training rows.

    Returns:
        One row per protected attribute and group of at least `min_clients`: `attribute`, `group`, `clients`,
        `approval_with` and `approval_without` (approval rates of the two models of `price_protection`), `change`
        between them with its 95 % bootstrap interval of paired decisions, `low` and `high`. No row if no column is
        protected.
    """
    rows = []
    if protected.columns:
        all_groups = _group_clients(training_rows, protection_predictions, training_rows, fairness, protected)
        granted = {name: 1.0 - protection_predictions[f"REFUSED_{name}"].to_numpy() for name in ("WITH", "WITHOUT")}
        change = granted["WITHOUT"] - granted["WITH"]
        for attribute in map(grouped_by, protected.columns):
            groups = all_groups[attribute]
            for group in _in_order(groups, fairness):
                inside = groups == group
                if inside.sum() < fairness.min_clients:
                    continue
                interval = bootstrap_mean(change[inside], n_resamples=fairness.n_resamples, confidence=_CONFIDENCE)
                rates = (float(granted[name][inside].mean()) for name in ("WITH", "WITHOUT"))
                ends = (interval.estimate, interval.low, interval.high)
                rows.append((attribute, group, int(inside.sum()), *rates, *ends))
    return pd.DataFrame(rows, columns=_EFFECT_COLUMNS)


def plot_fairness(fairness_by_group: pd.DataFrame, figures: FigureOptions) -> Figure:
    """Draw every measure of every group with its interval and the number of clients that it is of.

    What too few clients are concerned by is not drawn; the picture says so in its place.
    """
    groups = fairness_by_group[["attribute", "group", "clients"]].drop_duplicates()[::-1]
    names = [
        figures.say(
            "fairness.group",
            attribute=name_attribute(attribute, figures.texts),
            group=name_group(group, figures.texts),
            n=n,
        )
        for attribute, group, n in groups.itertuples(index=False)
    ]
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - as in figures.py

    figure = new_figure(figsize=(14, 0.34 * len(groups) + 1.9))
    panels = figure.subplots(1, len(_MEASURES), sharey=True)
    breaks = np.flatnonzero(groups["attribute"].to_numpy()[1:] != groups["attribute"].to_numpy()[:-1]) + 0.5
    position = np.arange(len(groups))
    for axes, measure in zip(panels, _MEASURES, strict=True):
        table = fairness_by_group[fairness_by_group["measure"] == measure].set_index(["attribute", "group"])
        table = table.loc[list(zip(groups["attribute"], groups["group"], strict=True))]
        reported = table["value"].notna().to_numpy()
        axes.hlines(
            position[reported], table["low"][reported], table["high"][reported], color=PALETTE["main"], alpha=0.4, lw=3
        )
        axes.plot(table["value"][reported], position[reported], "o", ms=5, color=PALETTE["main"])
        for row, (concerned, is_reported) in enumerate(zip(table["concerned"], reported, strict=True)):
            place = {"x": 0.01, "y": row, "transform": axes.get_yaxis_transform(), "va": "center"}
            if not is_reported:
                axes.text(s=figures.say("fairness.too_few"), **place, fontsize=7.5, style="italic", color="0.45")
            place |= {"x": 1.01, "ha": "left"}
            axes.text(
                s=figures.number(concerned, ","),
                **place,
                fontsize=7,
                color=PALETTE["muted" if is_reported else "alarm"],
            )
        for between in breaks:
            axes.axhline(between, color="0.85", lw=0.8)
        if measure == "calibration_gap":
            axes.axvline(0, color="0.5", lw=0.8, ls="--")
        axes.set_title(figures.say(f"fairness.measure.{measure}"), fontsize=9.5)
        ticks = {"cost": figures.axis(), "calibration_gap": figures.points_axis()}
        axes.xaxis.set_major_formatter(ticks.get(measure, figures.percent_axis()))
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", labelsize=8)
        axes.spines["left"].set_visible(False)
    panels[0].set_yticks(position, names, fontsize=8.5)
    panels[0].set_ylim(-0.6, len(groups) - 0.4)
    return figures.finish(figure, figures.say("fairness.title"), figures.say("fairness.note"))


def _concerned(
    target: npt.NDArray[np.int_],
    probability: _Values,
    threshold: npt.ArrayLike,
    costs: MisclassificationCosts,
) -> Mapping[str, _Values]:
    """Return for each measure one value per client, whose mean it is; NaN for a client whom it does not concern."""
    refused = refuse(probability, threshold)
    return {
        "approval_rate": (~refused).astype(float),
        "false_decline_rate": np.where(target == 0, refused, np.nan),
        "false_negative_rate": np.where(target == 1, ~refused, np.nan),
        "calibration_gap": probability - target,
        "cost": decision_costs(target, refused, costs),
    }


def _group_clients(
    rows: pd.DataFrame,
    predictions: pd.DataFrame,
    training_rows: pd.DataFrame,
    fairness: FairnessOptions,
    protected: ProtectedOptions,
) -> dict[str, npt.NDArray[np.object_]]:
    """Return the group of each client of the predictions, attribute by attribute; numbers are cut as in training."""
    rows = rows.set_index("SK_ID_CURR").loc[predictions["SK_ID_CURR"]]
    groups = {
        name: _band_ages(rows["DAYS_BIRTH"], fairness.age_bands)
        if name == AGE_BAND
        else group_values(rows[name], training_rows[name])
        for name in dict.fromkeys((*_ATTRIBUTES, *map(grouped_by, protected.columns)))
    }
    return {name: values.fillna(UNKNOWN).to_numpy(dtype=object) for name, values in groups.items()}


def _band_ages(days_birth: pd.Series, bounds: Sequence[int]) -> pd.Series:
    ages = (-days_birth / DAYS_PER_YEAR).to_numpy(dtype=float)
    bands = np.array(_band_names(bounds), dtype=object)[np.searchsorted(bounds, ages, side="right")]
    return pd.Series(bands, index=days_birth.index).where(~np.isnan(ages))


def _in_order(groups: npt.NDArray, fairness: FairnessOptions) -> list[str]:
    """Return all groups in the order in which they are shown: age bands ascending, others by name, unknown last."""
    bands = _band_names(fairness.age_bands)
    return sorted(
        np.unique(groups), key=lambda group: (group == UNKNOWN, bands.index(group) if group in bands else -1, group)
    )


def _is_reported(measure: str, clients: int, concerned: int, fairness: FairnessOptions) -> bool:
    fewest = fairness.min_defaults if measure == "false_negative_rate" else fairness.min_clients
    return clients >= fairness.min_clients and concerned >= fewest


def _band_names(bounds: Sequence[int]) -> list[str]:
    return [f"< {bounds[0]}", *(f"{a}–{b - 1}" for a, b in pairwise(bounds)), f"≥ {bounds[-1]}"]


def _largest_gap(measure: str, values: _Values, groups: npt.NDArray, fairness: FairnessOptions) -> dict[str, Any]:
    """Compare the groups of the lowest and of the highest rate; see `measure_fairness` for what is returned."""
    rates = []
    for group in _in_order(groups, fairness):
        concerned = values[(groups == group) & ~np.isnan(values)]
        if group != UNKNOWN and _is_reported(measure, int((groups == group).sum()), concerned.size, fairness):
            rates.append((float(concerned.mean()), int(concerned.sum()), concerned.size, group))
    if len(rates) < 2:
        nothing = {"lowest": None, "highest": None, "gap": np.nan, "low": np.nan, "high": np.nan}
        return {"groups": len(rates), **nothing}
    lowest, highest = min(rates, key=itemgetter(0)), max(rates, key=itemgetter(0))
    confidence = 1 - (1 - _CONFIDENCE) / comb(len(rates), 2)
    interval = rate_difference_interval(*highest[1:3], *lowest[1:3], confidence=confidence)
    return {
        "groups": len(rates),
        "lowest": lowest[3],
        "highest": highest[3],
        "gap": interval.estimate,
        "low": interval.low,
        "high": interval.high,
    }
