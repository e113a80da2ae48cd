"""Whether the champion's figures can be believed: gaps between samples, other seeds, intervals."""

import logging
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score

from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.metrics.uncertainty import bootstrap_auc
from credit_scoring.models import ScoringModel
from credit_scoring.models.row_models import HistoryRows
from credit_scoring.models.row_options import OFF, RowModelOptions
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.parallel import Workers
from credit_scoring.pipelines.modelling.comparison import fold_metrics
from credit_scoring.pipelines.modelling.folds import Folds, deal_rows, fit_fold, make_folds, split_columns
from credit_scoring.pipelines.modelling.options import CandidateOptions, CrossValidationOptions, DiagnosisOptions
from credit_scoring.pipelines.modelling.row_features import cross_fit_row_features
from credit_scoring.run_log import tell_progress

logger = logging.getLogger(__name__)


def diagnose_champion(
    champion_model: ScoringModel,
    training_rows: pd.DataFrame,
    oof_predictions: pd.DataFrame,
    holdout_predictions: pd.DataFrame,
    diagnosis: DiagnosisOptions,
) -> dict[str, Any]:
    """Compare the AUC on training rows, out of fold and on the hold-out, and say aloud what cannot be believed.

    Out of fold and on the hold-out it is that of the calibrated score, which decides and is reported everywhere.

    Returns:
        `training`, `out_of_fold`, `holdout` (AUC), `holdout_interval`, `out_of_fold_share` (of the training rows that
        each model of the folds learnt from), `flags`: one sentence per suspicion, none if all
        is well; `suspicious`: whether there is one, as 0 or 1.
    """
    features, target = split_columns(training_rows)
    interval = bootstrap_auc(
        holdout_predictions["TARGET"],
        holdout_predictions["PROBABILITY"],
        n_resamples=diagnosis.n_resamples,
    )
    training = float(roc_auc_score(target, champion_model.predict_proba(features)[:, 1]))
    out_of_fold = float(roc_auc_score(oof_predictions["TARGET"], oof_predictions["PROBABILITY"]))
    flags = []
    for name, auc in (("out of fold", out_of_fold), ("on the hold-out", interval.low)):
        if auc > diagnosis.max_auc:
            flags.append(
                f"AUC {name} is {auc:.4f}, above {diagnosis.max_auc}: a leak until proven otherwise. Look for a column "
                "that knows the outcome."
            )
    outside = out_of_fold < interval.low or out_of_fold > interval.high
    if outside and abs(out_of_fold - interval.estimate) > diagnosis.max_holdout_gap:
        flags.append(
            f"AUC is {out_of_fold:.4f} out of fold and {interval.estimate:.4f} on the hold-out: more apart than "
            f"{diagnosis.max_holdout_gap} and than chance allows."
        )
    if training - out_of_fold > diagnosis.max_training_gap:
        flags.append(
            f"AUC falls from {training:.4f} on training rows to {out_of_fold:.4f} out of fold, by more than "
            f"{diagnosis.max_training_gap}: the model overfits."
        )
    for flag in flags:
        logger.warning("SUSPICIOUS: %s", flag)
    return {
        "training": training,
        "out_of_fold": out_of_fold,
        "holdout": interval.estimate,
        "holdout_interval": {"low": interval.low, "high": interval.high},
        "out_of_fold_share": 1 - 1 / oof_predictions["FOLD"].nunique(),
        "suspicious": int(bool(flags)),
        "flags": flags,
    }


def measure_stability(
    training_rows: pd.DataFrame,
    champion: dict[str, Any],
    candidate_results: list[dict[str, Any]],
    selection: SelectionOptions,
    cross_validation: CrossValidationOptions,
    diagnosis: DiagnosisOptions,
    costs: MisclassificationCosts,
    history_rows: HistoryRows | None = None,
    row_models: RowModelOptions = OFF,
    n_jobs: int = 1,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Cross-validate the champion again with other folds and other seeds inside the models.

    Features from row models, if the champion has them, are made anew on these folds. `n_jobs` folds are fitted at once,
    see `Workers`.

    Returns:
        `roc_auc` and `business_cost`, each as a list by seed, the comparison's own first: too few values for a standard
        deviation; and what the features weighed in each of these models: `seed`, `fold`, `feature`, `share` of the mean
        absolute contributions to the scores of at most `n_explained` applicants that the model never saw. A feature
        that a fold did not select has no row there; without further seeds there is no row at all.
    """
    first = next(result for result in candidate_results if result["name"] == champion["name"])["mean"]
    candidate = CandidateOptions.of_result(champion)
    measured = {metric: [first[metric]] for metric in ("roc_auc", "business_cost")}
    weights = []
    for seed in range(cross_validation.seed + 1, cross_validation.seed + 1 + diagnosis.n_seeds):
        row_features = None
        if candidate.row_models and history_rows is not None:
            dealt = deal_rows(training_rows["TARGET"], cross_validation.n_folds, seed)
            row_features = cross_fit_row_features(training_rows, dealt, history_rows, row_models)
        folds = make_folds(training_rows, cross_validation.n_folds, seed, selection, row_features, n_jobs)
        probability = np.empty(len(folds.target))
        with Workers(folds, n_jobs) as workers:
            fits = [
                workers.start(_weigh_fold, fold, candidate, diagnosis.n_explained, seed) for fold in range(len(folds))
            ]
            for fold, fit in enumerate(tell_progress(fits, "folds")):
                probability[folds.fold_of_row == fold], shares = fit()
                weights.append(shares.assign(seed=seed, fold=fold + 1))
        for metric, values in measured.items():
            values.append(float(np.mean([fold[metric] for fold in fold_metrics(folds, probability, costs)])))
    columns = ["seed", "fold", "feature", "share"]
    return measured, pd.concat(weights, ignore_index=True)[columns] if weights else pd.DataFrame(columns=columns)


def _weigh_fold(
    folds: Folds, fold: int, candidate: CandidateOptions, n_explained: int, seed: int
) -> tuple[npt.NDArray[np.float64], pd.DataFrame]:
    """Return the probabilities of a fold's validation rows, and `feature` and `share` of the contributions to some."""
    model, rows = fit_fold(folds, fold, candidate, seed)
    explained = model.contributions(rows.iloc[:n_explained])[0].abs().mean()
    shares = (explained / explained.sum()).rename_axis("feature").reset_index(name="share")
    return model.predict_proba(rows)[:, 1], shares
