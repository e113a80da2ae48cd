"""Comparison of model families on identical folds, choice of the champion, its final fit."""

import logging
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from credit_scoring.metrics.cost import MisclassificationCosts, business_cost_loss, optimal_threshold, refuse
from credit_scoring.metrics.discrimination import decision_metrics, score_metrics
from credit_scoring.models import ScoringModel, build_model
from credit_scoring.models.selection import SelectionOptions, select_features
from credit_scoring.pipelines.modelling.options import CrossValidationOptions

logger = logging.getLogger(__name__)

NOT_FEATURES = ["SK_ID_CURR", "TARGET", "SPLIT"]


def select_training_rows(model_input: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that fitting may see, in the order of `SK_ID_CURR`, without `SPLIT`."""
    return _rows_of(model_input, "train")


def select_holdout_rows(model_input: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that no fitting step may see, in the order of `SK_ID_CURR`, without `SPLIT`."""
    return _rows_of(model_input, "holdout")


def cross_validate_candidates(
    training_rows: pd.DataFrame,
    candidates: dict[str, Any],
    selection: SelectionOptions,
    cross_validation: CrossValidationOptions,
    costs: MisclassificationCosts,
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Compare the candidate families on identical stratified folds.

    Everything is fitted inside the fold, the selection of columns included. Decisions are measured at a cross-fitted
    threshold: the one that costs least on the out-of-fold probabilities of the *other* folds.

    Args:
        training_rows: One row per applicant: `SK_ID_CURR`, `TARGET`, features.
        candidates: Family -> hyper-parameters.
        selection: Columns that the models are given.
        cross_validation: Folds.
        costs: Prices of the wrong decisions.

    Returns:
        Out-of-fold probabilities of default, one row per applicant: `SK_ID_CURR`, `TARGET`, `FOLD`, one column per
        candidate. And the results, one entry per candidate, cheapest first: `family`, `params`, `mean` and `std` of the
        fold metrics, `folds` (metrics of each fold, with its `threshold` and `fit_seconds`).

    Raises:
        ValueError: If no candidate is given, or one class has fewer rows than there are folds.
    """
    features, target = _split_columns(training_rows)
    if not candidates:
        raise ValueError("No model family to compare. Hint: name at least one under `candidates`.")
    rarest = int(target.value_counts().reindex([0, 1], fill_value=0).min())
    if rarest < cross_validation.n_folds:
        raise ValueError(
            f"TARGET: {cross_validation.n_folds} stratified folds need as many rows of each outcome, the rarer one has "
            f"{rarest} in the training rows.\nHint: use more applicants or a smaller cross_validation.n_folds."
        )
    folds = StratifiedKFold(cross_validation.n_folds, shuffle=True, random_state=cross_validation.seed)
    splits = list(folds.split(features, target))
    fold_of_row = np.empty(len(target), dtype=int)
    for fold, (_, validation) in enumerate(splits):
        fold_of_row[validation] = fold
    selected = [select_features(features.iloc[rows], target.iloc[rows], selection) for rows, _ in splits]
    logger.info("%d columns, %s kept in the folds", features.shape[1], ", ".join(str(len(names)) for names in selected))

    out_of_fold = training_rows[["SK_ID_CURR", "TARGET"]].assign(FOLD=fold_of_row)
    results = []
    for family, params in candidates.items():
        probability = np.empty(len(target))
        fit_seconds = []
        for (training, validation), names in zip(splits, selected, strict=True):
            started = time.perf_counter()
            model = build_model(family, params).fit(features.iloc[training][names], target.iloc[training])
            fit_seconds.append(time.perf_counter() - started)
            probability[validation] = model.predict_proba(features.iloc[validation])[:, 1]
        out_of_fold[family] = probability
        results.append(_summarise(family, params, target.to_numpy(), probability, fold_of_row, costs, fit_seconds))
        mean = results[-1]["mean"]
        logger.info("%s: AUC %.4f, cost %.4f per applicant", family, mean["roc_auc"], mean["business_cost"])
    return out_of_fold, sorted(results, key=lambda result: result["mean"]["business_cost"])


def select_champion(candidate_results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return `family` and `params` of the candidate of least business cost; AUC decides between equals."""
    best = min(candidate_results, key=lambda result: (result["mean"]["business_cost"], -result["mean"]["roc_auc"]))
    return {"family": best["family"], "params": best["params"]}


def select_champion_predictions(out_of_fold: pd.DataFrame, champion: dict[str, Any]) -> pd.DataFrame:
    """Return the champion's out-of-fold probabilities: `SK_ID_CURR`, `TARGET`, `FOLD`, `PROBABILITY`."""
    return out_of_fold[["SK_ID_CURR", "TARGET", "FOLD"]].assign(PROBABILITY=out_of_fold[champion["family"]])


def fit_champion(training_rows: pd.DataFrame, champion: dict[str, Any], selection: SelectionOptions) -> ScoringModel:
    """Select columns and fit the champion on all training rows."""
    features, target = _split_columns(training_rows)
    names = select_features(features, target, selection)
    return build_model(champion["family"], champion["params"]).fit(features[names], target)


def predict_holdout(champion_model: ScoringModel, holdout_rows: pd.DataFrame) -> pd.DataFrame:
    """Score the hold-out, once: `SK_ID_CURR`, `TARGET`, `PROBABILITY`."""
    features, _ = _split_columns(holdout_rows)
    probability = champion_model.predict_proba(features)[:, 1]
    return holdout_rows[["SK_ID_CURR", "TARGET"]].assign(PROBABILITY=probability)


def _rows_of(model_input: pd.DataFrame, side: str) -> pd.DataFrame:
    rows = model_input.loc[model_input["SPLIT"] == side].drop(columns="SPLIT")
    return rows.sort_values("SK_ID_CURR", ignore_index=True)


def _split_columns(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    return rows.drop(columns=NOT_FEATURES, errors="ignore"), rows["TARGET"]


def _summarise(
    family: str,
    params: Mapping[str, Any],
    target: np.ndarray,
    probability: np.ndarray,
    fold_of_row: np.ndarray,
    costs: MisclassificationCosts,
    fit_seconds: list[float],
) -> dict[str, Any]:
    folds = []
    for fold, seconds in enumerate(fit_seconds):
        inside = fold_of_row == fold
        threshold = optimal_threshold(target[~inside], probability[~inside], costs)
        refused = refuse(probability[inside], threshold)
        folds.append(
            score_metrics(target[inside], probability[inside])
            | decision_metrics(target[inside], refused)
            | {
                "business_cost": business_cost_loss(target[inside], refused, costs),
                "threshold": threshold,
                "fit_seconds": seconds,
            }
        )
    table = pd.DataFrame(folds)
    return {
        "family": family,
        "params": dict(params),
        "mean": table.mean().to_dict(),
        "std": table.std(ddof=1).to_dict(),
        "folds": folds,
    }
