"""How decisions fall on groups of clients, and what other policies would change; not what the law makes of it."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from credit_scoring.features.categories import category_label
from credit_scoring.features.expressions import DAYS_PER_YEAR
from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.cost import MisclassificationCosts, decision_costs, refuse
from credit_scoring.metrics.discrimination import score_metrics
from credit_scoring.metrics.threshold import break_even_threshold
from credit_scoring.metrics.uncertainty import Interval, bootstrap_mean, rate_interval
from credit_scoring.pipelines.explainability.options import FairnessOptions

_RATES = ("approval_rate", "false_decline_rate", "false_negative_rate")
_MEASURES = (*_RATES, "calibration_gap", "cost")
_ATTRIBUTES = ("CODE_GENDER", "AGE_BAND", "NAME_FAMILY_STATUS", "NAME_EDUCATION_TYPE")
_UNKNOWN = "?"
_NOBODY = Interval(estimate=np.nan, low=np.nan, high=np.nan)


def measure_fairness(
    holdout_rows: pd.DataFrame,
    holdout_predictions: pd.DataFrame,
    decision_policy: dict[str, Any],
    costs: MisclassificationCosts,
    fairness: FairnessOptions,
) -> pd.DataFrame:
    """Measure the hold-out decisions by gender, age band, family status and education.

    Groups of fewer than `min_clients` are left out: what is measured on a handful says nothing of the policy. Every
    measure is a mean over the clients that it concerns. The interval of a rate is Wilson's, which has a width even
    where all clients had the same outcome; that of the two others is the bootstrap's.

    Returns:
        One row per attribute, group and measure: `attribute`, `group`, `clients`, `measure` (`approval_rate`;
        `false_decline_rate` among those who repaid; `false_negative_rate` among those who defaulted;
        `calibration_gap`, mean probability less default rate; `cost`), `value`, `low`, `high`, and `gap`, the largest
        difference between groups of the attribute: of `approval_rate` the demographic parity difference, and the larger
        one of the two error rates is the equalised odds difference. A measure that concerns nobody in a group is NaN.
    """
    target, probability = (holdout_predictions[name].to_numpy() for name in ("TARGET", "PROBABILITY"))
    parts = _concerned(target, probability, decision_policy["threshold"], costs)
    rows = []
    for attribute, groups in _group_clients(holdout_rows, holdout_predictions, fairness).items():
        clients = pd.Series(groups).value_counts()
        large = _large_groups(groups, fairness)
        for measure, values in parts.items():
            intervals = []
            for group in large:
                concerned = values[(groups == group) & ~np.isnan(values)]
                if concerned.size == 0:
                    intervals.append(_NOBODY)
                elif measure in _RATES:
                    intervals.append(rate_interval(int(concerned.sum()), concerned.size))
                else:
                    intervals.append(bootstrap_mean(concerned, n_resamples=fairness.n_resamples))
            gap = _largest_gap(values, groups, large)
            for group, interval in zip(large, intervals, strict=True):
                rows.append(
                    {
                        "attribute": attribute,
                        "group": group,
                        "clients": int(clients[group]),
                        "measure": measure,
                        "value": interval.estimate,
                        "low": interval.low,
                        "high": interval.high,
                        "gap": gap,
                    }
                )
    return pd.DataFrame(rows)


def compare_mitigations(
    training_rows: pd.DataFrame,
    oof_predictions: pd.DataFrame,
    holdout_rows: pd.DataFrame,
    holdout_predictions: pd.DataFrame,
    without_protected_predictions: pd.DataFrame,
    decision_policy: dict[str, Any],
    costs: MisclassificationCosts,
    fairness: FairnessOptions,
) -> pd.DataFrame:
    """Weigh what would change if the model did not know the attribute, or if each group had a threshold of its own.

    Thresholds are chosen on training rows out of fold; every row is measured on the hold-out. Gaps leave out the groups
    of fewer than `min_clients` there.

    Returns:
        One row per policy, with its `attribute`: `as_is`, `without_attribute` (the same model, fitted without the
        column), `equal_approval_rate` (each group's threshold grants as large a share as the policy does of all),
        `own_threshold` (each group breaks even on its own). With `roc_auc`, `cost` per applicant, `cost_low`,
        `cost_high`, `approval_rate`, and the largest gaps between groups of the attribute: `approval_gap`,
        `false_decline_gap`, `false_negative_gap`.
    """
    target, probability = (holdout_predictions[name].to_numpy() for name in ("TARGET", "PROBABILITY"))
    policy_threshold = decision_policy["threshold"]
    without = without_protected_predictions.set_index("SK_ID_CURR")
    out_of_fold_without = without.loc[oof_predictions["SK_ID_CURR"], "PROBABILITY"].to_numpy()
    holdout_without = without.loc[holdout_predictions["SK_ID_CURR"], "PROBABILITY"].to_numpy()
    threshold_without = break_even_threshold(oof_predictions["TARGET"], out_of_fold_without, costs)
    by_id = [
        rows.set_index("SK_ID_CURR")[fairness.attribute].fillna(_UNKNOWN) for rows in (training_rows, holdout_rows)
    ]
    learnt, judged = (
        groups.loc[predictions["SK_ID_CURR"]].to_numpy()
        for groups, predictions in zip(by_id, (oof_predictions, holdout_predictions), strict=True)
    )
    out_of_fold, outcomes = oof_predictions["PROBABILITY"].to_numpy(), oof_predictions["TARGET"].to_numpy()
    refusal_share = float(refuse(out_of_fold, policy_threshold).mean())
    equal, own = {}, {}
    for group in np.unique(learnt):
        inside = learnt == group
        equal[group] = float(np.quantile(out_of_fold[inside], 1 - refusal_share))
        both = np.unique(outcomes[inside]).size == 2
        own[group] = break_even_threshold(outcomes[inside], out_of_fold[inside], costs) if both else policy_threshold
    large = _large_groups(judged, fairness)
    policies: dict[str, tuple[npt.NDArray[np.float64], npt.ArrayLike]] = {
        "as_is": (probability, policy_threshold),
        "without_attribute": (holdout_without, threshold_without),
        "equal_approval_rate": (probability, [equal.get(group, policy_threshold) for group in judged]),
        "own_threshold": (probability, [own.get(group, policy_threshold) for group in judged]),
    }
    rows = []
    for name, (scores, threshold) in policies.items():
        parts = _concerned(target, scores, threshold, costs)
        cost = bootstrap_mean(parts["cost"], n_resamples=fairness.n_resamples)
        rows.append(
            {
                "attribute": fairness.attribute,
                "policy": name,
                "roc_auc": score_metrics(target, scores)["roc_auc"],
                "cost": cost.estimate,
                "cost_low": cost.low,
                "cost_high": cost.high,
                "approval_rate": float(parts["approval_rate"].mean()),
                **{measure.replace("_rate", "_gap"): _largest_gap(parts[measure], judged, large) for measure in _RATES},
            }
        )
    return pd.DataFrame(rows)


def plot_fairness(fairness_by_group: pd.DataFrame, figures: FigureOptions) -> Figure:
    """Draw every measure of every group with its interval."""
    groups = fairness_by_group[["attribute", "group", "clients"]].drop_duplicates()[::-1]
    names = [
        figures.say(
            "fairness.group",
            attribute=figures.say(f"fairness.attribute.{attribute}"),
            group=figures.say("common.missing") if group == _UNKNOWN else category_label(group, figures.language),
            n=n,
        )
        for attribute, group, n in groups.itertuples(index=False)
    ]
    figure = Figure(figsize=(13, 0.34 * len(groups) + 1.6))
    panels = figure.subplots(1, len(_MEASURES), sharey=True)
    breaks = np.flatnonzero(groups["attribute"].to_numpy()[1:] != groups["attribute"].to_numpy()[:-1]) + 0.5
    for axes, measure in zip(panels, _MEASURES, strict=True):
        table = fairness_by_group[fairness_by_group["measure"] == measure].set_index(["attribute", "group"])
        table = table.loc[list(zip(groups["attribute"], groups["group"], strict=True))]
        position = np.arange(len(groups))
        axes.hlines(position, table["low"], table["high"], color="#9db8d2", lw=3)
        axes.plot(table["value"], position, "o", ms=5, color="#1f4e79")
        for between in breaks:
            axes.axhline(between, color="0.85", lw=0.8)
        if measure == "calibration_gap":
            axes.axvline(0, color="0.5", lw=0.8, ls="--")
        axes.set_title(figures.say(f"fairness.measure.{measure}"), fontsize=9.5, loc="left")
        axes.xaxis.set_major_formatter(figures.axis() if measure == "cost" else figures.percent_axis())
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", labelsize=8)
        axes.spines[["top", "right", "left"]].set_visible(False)
    panels[0].set_yticks(np.arange(len(groups)), names, fontsize=8.5)
    figure.suptitle(figures.say("fairness.title"), x=0.01, ha="left", fontsize=12)
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figures.mark_source(figure)
    return figure


def _concerned(
    target: npt.NDArray[np.int_],
    probability: npt.NDArray[np.float64],
    threshold: npt.ArrayLike,
    costs: MisclassificationCosts,
) -> Mapping[str, npt.NDArray[np.float64]]:
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
    rows: pd.DataFrame, predictions: pd.DataFrame, fairness: FairnessOptions
) -> dict[str, npt.NDArray[np.object_]]:
    rows = rows.set_index("SK_ID_CURR").loc[predictions["SK_ID_CURR"]]
    ages = (-rows["DAYS_BIRTH"] / DAYS_PER_YEAR).to_numpy(dtype=float)
    names = _band_names(fairness.age_bands)
    bands = np.array([names[i] for i in np.searchsorted(fairness.age_bands, ages, side="right")], dtype=object)
    known = rows.assign(AGE_BAND=pd.Series(bands, index=rows.index).where(~np.isnan(ages)))
    return {name: known[name].fillna(_UNKNOWN).to_numpy(dtype=object) for name in _ATTRIBUTES}


def _large_groups(groups: npt.NDArray, fairness: FairnessOptions) -> list[str]:
    """Return the groups of at least `min_clients`, in the order in which they are shown."""
    clients = pd.Series(groups).value_counts()
    bands = _band_names(fairness.age_bands)
    large = clients.index[clients >= fairness.min_clients]
    return sorted(large, key=lambda group: (bands.index(group) if group in bands else -1, group))


def _band_names(bounds: Sequence[int]) -> list[str]:
    return [f"< {bounds[0]}", *(f"{a}–{b - 1}" for a, b in pairwise(bounds)), f"≥ {bounds[-1]}"]


def _largest_gap(values: npt.NDArray[np.float64], groups: npt.NDArray, compared: Sequence[str]) -> float:
    means = pd.Series(values).groupby(groups).mean().reindex(compared)
    return float(means.max() - means.min())
