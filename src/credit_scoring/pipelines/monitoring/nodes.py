"""Whether new applicants still are like those that the model learnt from.

Each measure has a limit, for what is large enough to matter, and a test, for what may be chance. With many applicants
everything passes a test, with few of them everything passes a limit; only what passes both is told.
"""

from collections.abc import Iterator
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from credit_scoring.errors import DataContractError
from credit_scoring.exported_model.folder import ModelFolder
from credit_scoring.features.catalogue import FEATURES
from credit_scoring.gaps import GAPS
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.metrics.stability import (
    CURRENT,
    REFERENCE,
    count_bins,
    distribution_gap,
    expected_stability_index,
    gap_p_value,
    homogeneity_p_value,
    stability_index,
)
from credit_scoring.models.row_models import HistoryRows
from credit_scoring.pipelines.monitoring.options import MonitoringOptions
from credit_scoring.schemas.raw import RAW_TABLES
from credit_scoring.scorer import REFUSED, REVIEW, CreditScorer

STABLE, TOO_FEW, WATCH, DRIFT = "stable", "too_few", "watch", "drift"
SCORE, DECISION, MODEL, OTHER = "score", "decision", "model", "other"
TRAIN, HOLDOUT, NEW = "train", "holdout", "new"
PROBABILITY = "probability_default"
MEASURES = ("psi", "ks", "rate", "missing", "new_categories")
_SEVERITY = (STABLE, TOO_FEW, WATCH, DRIFT)
_YES = (1, REFUSED, "Y", "Yes")


def select_monitored(reference_rows: ir.Table, applicant_features: ir.Table, served_model: ModelFolder) -> ir.Table:
    """Put applicants of known outcome and new ones into one table.

    Returns:
        One row per applicant, in the order of SK_ID_CURR: the id, `SAMPLE` (`train` and `holdout` of the applicants
        that the model was made with, `new` for applicants without an outcome), the columns of the model and those of
        the application form, as far as both tables have them.
    """
    wanted = [column.name for column in served_model.contract.columns]
    wanted += [name for name in RAW_TABLES["application_test"].columns if name != "SK_ID_CURR"]
    both = [
        name for name in dict.fromkeys(wanted) if name in reference_rows.columns and name in applicant_features.columns
    ]
    labelled = reference_rows.drop_null("SPLIT")
    known = labelled.select("SK_ID_CURR", *both, SAMPLE=labelled.SPLIT)
    new = applicant_features.filter(applicant_features.TARGET.isnull())
    columns = new.select("SK_ID_CURR", *both, SAMPLE=ibis.literal(NEW)).cast(known.schema())
    return known.union(columns).order_by("SK_ID_CURR", "SAMPLE")


def score_monitored(
    monitored_applicants: pd.DataFrame,
    credit_scorer: CreditScorer,
    reference_history_rows: HistoryRows,
    history_rows: HistoryRows,
) -> pd.DataFrame:
    """Score the hold-out, whose outcomes the model has not learnt from, and the new applicants with the served model.

    Features from row models are made of the single rows of either, where the model has some.

    Returns:
        One row per applicant: `SK_ID_CURR`, `SAMPLE`, `probability_default`, `decision`, `gaps` (the kinds of gap that
        call for a manual review, separated by spaces; empty for none).

    Raises:
        DataContractError: If there are no new applicants, or none of training or of the hold-out to compare with.
    """
    sizes = monitored_applicants["SAMPLE"].value_counts()
    empty = [sample for sample in (TRAIN, HOLDOUT, NEW) if not sizes.get(sample, 0)]
    if empty:
        raise DataContractError(
            "Monitoring",
            [f"expected {sample} applicants; found none." for sample in empty],
            "`kedro run --pipelines data_processing` makes the features of both; new applicants are those without "
            "TARGET, or those of a batch (`--params batch=...`).",
        )
    rows = pd.concat(
        [
            credit_scorer.row_models.complete(monitored_applicants[monitored_applicants["SAMPLE"] == sample], histories)
            for sample, histories in ((HOLDOUT, reference_history_rows), (NEW, history_rows))
        ]
    ).sort_index()
    scored = credit_scorer.predict(rows)[[PROBABILITY, "decision", "gaps"]]
    kinds = [" ".join(dict.fromkeys(str(gap["gap"]) for gap in found)) for found in scored["gaps"]]
    return pd.concat([rows[["SK_ID_CURR", "SAMPLE"]], scored.assign(gaps=kinds)], axis=1).reset_index(drop=True)


def measure_drift(
    monitored_applicants: pd.DataFrame,
    monitored_scores: pd.DataFrame,
    served_model: ModelFolder,
    monitoring: MonitoringOptions,
) -> pd.DataFrame:
    """Measure score, decision and every column: new applicants against training, scores against the hold-out.

    Returns:
        One row per variable: `variable`, `role` (`score`, `decision`, `model` for a column that the model uses,
        `other`), for each of `MEASURES` its value (NaN where it does not apply) and `<measure>_p`, the probability of
        so large a value by chance (NaN where the measure does not count, as the index of a rate does not), as well as
        `psi_expected` (of two samples of one population), `unseen` (categories that training did not have),
        `reference_mean` and `new_mean` of a number, `reference_rate` and `new_rate` of the decision (refusals) and of a
        yes-or-no variable (yes, among known values), `reference_missing`, `new_missing`, `n_new` (applicants).
    """
    used = {column.name for column in served_model.contract.columns}
    pairs = _pairs(monitored_applicants, monitored_scores, used)
    return pd.DataFrame(
        [
            {"variable": name, "role": role, **_measure(*values, monitoring, is_rate=_is_rate(name))}
            for name, role, values in pairs
        ]
    )


def judge_variables(drift_measures: pd.DataFrame, monitoring: MonitoringOptions) -> pd.DataFrame:
    """Tell for every variable whether it is stable.

    A measure counts where it reaches its limit (for the stability index, after what is expected by chance is taken off)
    and is no chance. The tests of all variables are judged together: among the alarms, `false_alarms` are expected to
    be none, for any dependence between the variables (Y. Benjamini and D. Yekutieli, Annals of Statistics 29,
    2001). Score and decision, which everybody looks at, have half of that for themselves, and the columns the other
    half: among hundreds of columns a change of the share declined would have to be larger to be believed.

    Returns:
        The measures, and `status` (`stable`, `watch`, `drift`; `too_few` in place of `stable` where there are fewer
        new applicants than `least_applicants`) and `why` (names of the measures that count, joined by a space), the
        worst first, then by stability index.
    """
    p_values = drift_measures[[f"{measure}_p" for measure in MEASURES]].to_numpy(dtype=float)
    summed_up = drift_measures["role"].isin((SCORE, DECISION)).to_numpy()[:, None]
    no_chance = np.zeros(p_values.shape, dtype=bool)
    for group in (summed_up, ~summed_up):
        tested = group & ~np.isnan(p_values)
        no_chance[tested] = false_discovery_control(p_values[tested], method="by") <= monitoring.false_alarms / 2
    sizes = drift_measures[list(MEASURES)].to_numpy(dtype=float).copy()
    sizes[:, MEASURES.index("psi")] -= drift_measures["psi_expected"]
    levels = np.zeros(sizes.shape, dtype=int)
    for i, measure in enumerate(MEASURES):
        limits = getattr(monitoring, measure)
        levels[:, i] = (np.abs(sizes[:, i]) >= limits.watch) * 1 + (np.abs(sizes[:, i]) >= limits.drift)
    levels *= no_chance
    worst = levels.max(axis=1)
    quiet = np.where(drift_measures["n_new"] < monitoring.least_applicants, TOO_FEW, STABLE)
    judged = drift_measures.assign(
        status=np.choose(worst, [quiet, np.full(len(worst), WATCH), np.full(len(worst), DRIFT)]),
        why=[" ".join(np.array(MEASURES)[(row == row.max()) & (row > 0)]) for row in levels],
    )
    order = np.lexsort((judged["variable"], -judged["psi"].fillna(0), -worst))
    return judged.iloc[order].reset_index(drop=True)


def judge_drift(
    variable_drift: pd.DataFrame,
    monitored_scores: pd.DataFrame,
    monitored_applicants: pd.DataFrame,
    served_model: ModelFolder,
    monitoring: MonitoringOptions,
    source: str,
    batch: object = None,  # a name, of which the command line makes a number where it looks like one
) -> dict[str, Any]:
    """Sum the variables up.

    Returns:
        `verdict`: the worst status of score, decision and columns of the model; a column that the model does not use
        is worth a look at most, and few applicants who are like those of training prove nothing (`too_few`). With
        `source`, `batch` (its name, or null), `model_id`, `applicants` by sample, `variables` (number by status),
        `score` (stability index, mean probability), `refused_share`, `review_share`, `gaps` (new applicants by kind of
        gap), `limits` of each measure, `flags` (a sentence if
        there is drift), and `reasons`: for each variable that is not stable its `variable`, `role`, `status`, and the
        `measures` that say so.
    """
    telling = variable_drift[variable_drift["status"].isin((WATCH, DRIFT))]
    within = variable_drift["status"].where(
        (variable_drift["role"] != OTHER) | (variable_drift["status"] != DRIFT), WATCH
    )
    score = variable_drift.set_index("role").loc[SCORE]
    shares = pd.crosstab(monitored_scores["SAMPLE"], monitored_scores["decision"], normalize="index")
    refused, reviewed = (shares.get(decision, shares.iloc[:, 0] * 0) for decision in (REFUSED, REVIEW))
    kinds = monitored_scores.loc[monitored_scores["SAMPLE"] == NEW, "gaps"].str.split()
    verdict = max(within, key=_SEVERITY.index)
    return {
        "verdict": verdict,
        "source": source,
        "batch": None if batch is None else str(batch),
        "model_id": served_model.identity["model_id"],
        "applicants": {str(key): int(n) for key, n in monitored_applicants["SAMPLE"].value_counts().items()},
        "variables": {status: int((variable_drift["status"] == status).sum()) for status in _SEVERITY},
        "score": {
            "psi": float(score["psi"]),
            "reference_mean": float(score["reference_mean"]),
            "new_mean": float(score["new_mean"]),
        },
        "refused_share": {REFERENCE: float(refused[HOLDOUT]), NEW: float(refused[NEW])},
        "review_share": {REFERENCE: float(reviewed[HOLDOUT]), NEW: float(reviewed[NEW])},
        "gaps": {gap: int(kinds.map(lambda found, gap=gap: gap in found).sum()) for gap in GAPS},
        "limits": [{"measure": measure, **getattr(monitoring, measure).model_dump()} for measure in MEASURES],
        "flags": [f"Drift: {', '.join(variable_drift.loc[within == DRIFT, 'variable'])}"] if verdict == DRIFT else [],
        "reasons": [
            {
                "variable": row["variable"],
                "role": row["role"],
                "status": row["status"],
                "measures": {measure: float(row[measure]) for measure in row["why"].split()},
                **({"unseen": row["unseen"]} if row["unseen"] else {}),
            }
            for row in telling.to_dict("records")
        ],
    }


def read_recorded_decisions(
    monitoring: MonitoringOptions, costs: MisclassificationCosts
) -> dict[str, list[dict[str, Any]]]:
    """Return what the last weeks of the decision log show, see `decision_log.watching.watch`; nothing if not asked for.

    Raises:
        LogError: If the log cannot be reached.
    """
    if not monitoring.decision_log_weeks:
        return {}
    from credit_scoring.decision_log.log import DecisionLog  # noqa: PLC0415 - its packages are an extra
    from credit_scoring.decision_log.watching import watch  # noqa: PLC0415

    return watch(DecisionLog(), monitoring.decision_log_weeks, costs)


def _pairs(
    applicants: pd.DataFrame, scores: pd.DataFrame, used: set[str]
) -> Iterator[tuple[str, str, tuple[pd.Series, pd.Series]]]:
    for name, role in ((PROBABILITY, SCORE), ("decision", DECISION)):
        yield name, role, compared(applicants, scores, name)
    for name in applicants.columns.drop(["SK_ID_CURR", "SAMPLE"]):
        yield str(name), MODEL if name in used else OTHER, compared(applicants, scores, str(name))


def compared(applicants: pd.DataFrame, scores: pd.DataFrame, variable: str) -> tuple[pd.Series, pd.Series]:
    """Return the values of a variable that are compared: of the reference and of the new applicants.

    Scores and decisions of training rows would look surer than they are, since the model has seen the outcomes.
    """
    table, reference = (scores, HOLDOUT) if variable in (PROBABILITY, "decision") else (applicants, TRAIN)
    return table.loc[table["SAMPLE"] == reference, variable], table.loc[table["SAMPLE"] == NEW, variable]


def _is_rate(variable: str) -> bool:
    """Say whether a variable is told by one share: the decision, and what is yes or no."""
    return variable == DECISION or (variable in FEATURES and FEATURES[variable].unit == "yes_no")


def _measure(reference: pd.Series, new: pd.Series, monitoring: MonitoringOptions, *, is_rate: bool) -> dict[str, Any]:
    counts = count_bins(reference, new, monitoring.n_bins)
    bins = counts[[REFERENCE, CURRENT]].to_numpy()
    missing = bins[counts.index.isna()].sum(axis=0)
    known = bins.sum(axis=0) - missing
    reference_missing, new_missing = missing / (len(reference), len(new))
    is_number = pd.api.types.is_numeric_dtype(reference)
    measured: dict[str, Any] = {
        "psi": stability_index(counts),
        "psi_expected": expected_stability_index(counts),
        "psi_p": homogeneity_p_value(counts),
        "ks": np.nan,
        "ks_p": np.nan,
        **dict.fromkeys(("rate", "rate_p", "reference_rate", "new_rate"), np.nan),
        "missing": new_missing - reference_missing,
        "missing_p": homogeneity_p_value(pd.DataFrame([missing, known])),
        "reference_missing": reference_missing,
        "new_missing": new_missing,
        "new_categories": np.nan,
        "new_categories_p": np.nan,
        "unseen": "",
        "reference_mean": reference.mean() if is_number else np.nan,
        "new_mean": new.mean() if is_number else np.nan,
        "n_new": len(new),
    }
    if is_rate:
        measured |= _measure_rate(reference, new)
    if is_rate or not is_number:
        return measured | _measure_unseen(reference.dropna(), new.dropna(), len(reference), len(new))
    gap = distribution_gap(reference.dropna(), new.dropna())
    return measured | {"ks": gap, "ks_p": gap_p_value(gap, *known)}


def _measure_unseen(known: pd.Series, new: pd.Series, n_known: int, n_new: int) -> dict[str, Any]:
    """Measure how many new applicants have a category, or a code in place of yes and no, that training did not have."""
    unseen = new[~new.isin(known.unique())]
    counts = pd.DataFrame({REFERENCE: [0, n_known], CURRENT: [len(unseen), n_new - len(unseen)]})
    return {
        "new_categories": len(unseen) / n_new,
        "new_categories_p": homogeneity_p_value(counts),
        "unseen": ", ".join(sorted(map(str, unseen.unique()))),
    }


def _measure_rate(reference: pd.Series, new: pd.Series) -> dict[str, float]:
    """Measure how far the share of yes among the known values has moved; the stability index then counts no more."""
    counts = pd.DataFrame(
        {
            side: {"yes": values.isin(_YES).sum(), "no": values.notna().sum() - values.isin(_YES).sum()}
            for side, values in ((REFERENCE, reference), (CURRENT, new))
        }
    )
    rates = counts.loc["yes"] / counts.sum()
    return {
        "psi_p": np.nan,
        "rate": rates[CURRENT] - rates[REFERENCE],
        "rate_p": homogeneity_p_value(counts),
        "reference_rate": rates[REFERENCE],
        "new_rate": rates[CURRENT],
    }
