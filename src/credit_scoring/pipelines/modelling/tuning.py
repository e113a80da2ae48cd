"""Search for hyper-parameters by cross-validated cost, resumable, on other folds than those of the comparison."""

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.metrics.uncertainty import corrected_fold_interval
from credit_scoring.models import family_class
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.pipelines.modelling.comparison import fold_metrics
from credit_scoring.pipelines.modelling.folds import Folds, fit_candidate, make_folds, stratified_part
from credit_scoring.pipelines.modelling.options import CandidateOptions, TuningOptions, read_candidates

logger = logging.getLogger(__name__)

_FORMAT = 3
"""Of what is stored with a trial, and of the search spaces: a study of another one is not resumed."""


def tune_candidates(
    training_rows: pd.DataFrame,
    candidates: dict[str, Any],
    selection: SelectionOptions,
    tuning: TuningOptions,
    costs: MisclassificationCosts,
    tuning_storage: BaseStorage,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Replace the hyper-parameters of the candidates marked `tuned` by the best ones found.

    Every trial is cross-validated on folds dealt with a seed of its own, so that the folds of the comparison do not
    reward what was fitted to them. The starting parameters are measured like any trial, and stay if nothing beats them.
    By cost, trials within the noise of the cheapest count as level, and the best log loss among them wins.

    Args:
        training_rows: One row per applicant: `SK_ID_CURR`, `TARGET`, features.
        candidates: Name -> description of a candidate.
        selection: Columns that the models are given.
        tuning: Budget and measure.
        costs: Prices of the wrong decisions.
        tuning_storage: Where the studies are kept. A study of the same rows, candidate and measure is resumed: its
            finished trials count. Anything else starts a study of its own.

    Returns:
        The candidates, and one entry per trial: `candidate`, `number`, `state`, `value` of the measure, `params`,
        `seconds`.
    """
    tuned = {name for name, candidate in read_candidates(candidates).items() if candidate.tuned} & set(candidates)
    if not tuned or tuning.n_trials == 0:
        return candidates, []
    part = stratified_part(training_rows["TARGET"], tuning.max_rows, tuning.seed)
    folds = make_folds(training_rows.iloc[part].reset_index(drop=True), tuning.n_folds, tuning.seed, selection)
    data = _fingerprint(folds)
    found, trials = dict(candidates), []
    for name, described in candidates.items():
        if name not in tuned:
            continue
        candidate = CandidateOptions.model_validate({**described, "imbalance": "none"})
        study = _open_study(name, candidate, selection, tuning, costs, data, tuning_storage)
        _search(study, candidate, folds, tuning, costs)
        best = _choose_trial(study, tuning)
        found[name] = {**described, "params": {**candidate.params, **best.user_attrs["params"]}}
        logger.info("%s: trial %d of %d, %s %.4f", name, best.number, len(study.trials), tuning.metric, best.value)
        trials += [_describe(name, trial) for trial in study.trials]
    return found, trials


def _open_study(
    name: str,
    candidate: CandidateOptions,
    selection: SelectionOptions,
    tuning: TuningOptions,
    costs: MisclassificationCosts,
    data: str,
    storage: BaseStorage,
) -> optuna.Study:
    setting = {
        "format": _FORMAT,
        "candidate": candidate.model_dump(),
        "selection": selection.model_dump(),
        "tuning": tuning.model_dump(exclude={"n_trials", "timeout"}),
        "costs": costs.model_dump(),
        "data": data,
    }
    digest = hashlib.sha256(json.dumps(setting, sort_keys=True, default=str).encode()).hexdigest()[:12]
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler: optuna.samplers.BaseSampler = optuna.samplers.TPESampler(seed=tuning.seed, n_startup_trials=5)
    if tuning.method == "grid":
        sampler = optuna.samplers.GridSampler(family_class(candidate.family).grid(), seed=tuning.seed)
    return optuna.create_study(
        study_name=f"{name}-{digest}",
        storage=storage,
        load_if_exists=True,
        direction="maximize" if tuning.metric == "roc_auc" else "minimize",
        sampler=sampler,
        # A trial is given up when, after the same number of folds, most earlier ones were better.
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
    )


def _search(
    study: optuna.Study, candidate: CandidateOptions, folds: Folds, tuning: TuningOptions, costs: MisclassificationCosts
) -> None:
    family = family_class(candidate.family)

    def objective(trial: optuna.Trial) -> float:
        if trial.number == 0 and tuning.method == "optuna":
            drawn: Mapping[str, Any] = {}
        elif tuning.method == "grid":
            drawn = {key: trial.suggest_categorical(key, values) for key, values in family.grid().items()}
        else:
            drawn = family.search_space(trial)
        trial.set_user_attr("params", dict(drawn))
        return _evaluate(
            trial, candidate.model_copy(update={"params": {**candidate.params, **drawn}}), folds, tuning, costs
        )

    finished = sum(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in study.trials)
    if finished < tuning.n_trials:
        study.optimize(objective, n_trials=tuning.n_trials - finished, timeout=tuning.timeout)


def _choose_trial(study: optuna.Study, tuning: TuningOptions) -> FrozenTrial:
    """Return the best trial; by cost, that of the best log loss among those within the noise of the cheapest.

    The cost of some hundred wrong decisions is a noisy measure: the cheapest of many trials is mostly the luckiest.
    """
    best = study.best_trial
    if tuning.metric != "business_cost":
        return best

    def measured(trial: FrozenTrial, metric: str) -> np.ndarray:
        return np.array([fold[metric] for fold in trial.user_attrs["folds"]])

    def is_level(trial: FrozenTrial) -> bool:
        differences = measured(trial, "business_cost") - measured(best, "business_cost")
        return corrected_fold_interval(differences).low <= 0

    complete = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    return min(filter(is_level, complete), key=lambda trial: (measured(trial, "log_loss").mean(), trial.number))


def _evaluate(
    trial: optuna.Trial, candidate: CandidateOptions, folds: Folds, tuning: TuningOptions, costs: MisclassificationCosts
) -> float:
    probability = np.full(len(folds.target), np.nan)
    value = np.nan
    for fold, (training, validation, columns) in enumerate(folds):
        model = fit_candidate(
            candidate, folds.features.iloc[training], folds.target.iloc[training], columns, tuning.seed
        )
        probability[validation] = model.predict_proba(folds.features.iloc[validation])[:, 1]
        if fold == 0:
            continue  # a threshold for one fold comes from another
        measured = _measure(folds, probability, fold + 1, costs)
        value = float(np.mean([metrics[tuning.metric] for metrics in measured]))
        trial.set_user_attr("folds", measured)
        trial.report(value, fold)
        if fold + 1 < len(folds) and trial.should_prune():
            raise optuna.TrialPruned
    return value


def _measure(
    folds: Folds, probability: np.ndarray, n_done: int, costs: MisclassificationCosts
) -> list[dict[str, float]]:
    done = folds.fold_of_row < n_done
    part = Folds(folds.features[done], folds.target[done], folds.fold_of_row[done], folds.columns[:n_done])
    kept = ("business_cost", "log_loss", "roc_auc")
    return [{name: metrics[name] for name in kept} for metrics in fold_metrics(part, probability[done], costs)]


def _fingerprint(folds: Folds) -> str:
    """Digest the rows of a search: other applicants, outcomes or values make another study."""
    rows = folds.features.assign(_target=folds.target, _fold=folds.fold_of_row)
    return hashlib.sha256(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes()).hexdigest()[:16]


def _describe(name: str, trial: FrozenTrial) -> dict[str, Any]:
    started, ended = trial.datetime_start, trial.datetime_complete
    return {
        "candidate": name,
        "number": trial.number,
        "state": trial.state.name.lower(),
        "value": trial.value
        if trial.state == TrialState.COMPLETE
        else trial.intermediate_values.get(max(trial.intermediate_values, default=0)),
        "params": trial.user_attrs.get("params", {}),
        "seconds": (ended - started).total_seconds() if started and ended else None,
    }
