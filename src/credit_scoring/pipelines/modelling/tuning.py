"""Search for hyper-parameters with Optuna, resumable, on folds of its own; and what it gained on the comparison's."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna
import pandas as pd
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from credit_scoring.figures import PALETTE, Figure, FigureOptions, new_figure
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.metrics.discrimination import score_metrics
from credit_scoring.metrics.uncertainty import corrected_fold_interval
from credit_scoring.models import family_class
from credit_scoring.models.labels import HAND_SET, label_candidates
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.parallel import Workers
from credit_scoring.pipelines.modelling.comparison import compare_folds, fold_metrics
from credit_scoring.pipelines.modelling.folds import (
    Folds,
    fit_fold,
    make_folds,
    stratified_part,
)
from credit_scoring.pipelines.modelling.options import (
    CandidateOptions,
    CrossValidationOptions,
    TuningOptions,
    list_variants,
)
from credit_scoring.run_log import Progress

logger = logging.getLogger(__name__)

_FORMAT = 4
"""Of what is stored with a trial, and of the search spaces: a study of another one is not resumed."""

_COMPARED = ("log_loss", "business_cost", "roc_auc")


def tune_candidates(
    training_rows: pd.DataFrame,
    candidates: dict[str, Any],
    selection: SelectionOptions,
    tuning: TuningOptions,
    costs: MisclassificationCosts,
    tuning_storage: BaseStorage,
    n_jobs: int = 1,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Replace the hyper-parameters of the candidates marked `tuned` by the best ones found.

    Every trial is cross-validated on folds dealt with a seed of its own, so that the folds of the comparison do not
    reward what was fitted to them. The candidate as set by hand is the first trial by either method, and
    stays if nothing beats it. Where something does, it competes on as `<name>_hand_set`: the comparison then says on
    its own folds what the search gained. The rows are the same, so that the search is not nested in the comparison.
    Treatments of class imbalance and constraints are tried with the hand-set values: what is best without one, such as
    large leaves, may be out of place on the few rows that under-sampling leaves.

    Args:
        training_rows: One row per applicant: `SK_ID_CURR`, `TARGET`, features.
        candidates: Name -> description of a candidate.
        selection: Columns that the models are given.
        tuning: Budget and measure.
        costs: Prices of the wrong decisions.
        tuning_storage: Where the studies are kept. A study of the same rows, candidate and measure is resumed: its
            finished trials count. Anything else starts a study of its own.
        n_jobs: Fits at once, see `Workers`: with more than one, the candidates are searched for side by side, each
            trial by trial.

    Returns:
        The candidates, and one entry per trial: `candidate`, its `labels`, `number`, `state`, `metric`, `value` of it
        (of a pruned trial, over the folds that it reached), `folds` that it reached, `hand_set`, `params` (those drawn:
        none where `hand_set`), `chosen`, `seconds`.

    Raises:
        ValueError: If a candidate cannot be read or searched for; names every problem.
    """
    tuned = {name: _without_treatment(described) for name, described in candidates.items() if described.get("tuned")}
    _check_searchable(tuned, candidates, tuning)
    labels = label_candidates({name: candidate.model_dump() for name, candidate in tuned.items()})
    found, trials = {}, []
    if tuned:
        part = stratified_part(training_rows["TARGET"], tuning.max_rows, tuning.seed)
        rows = training_rows.iloc[part].reset_index(drop=True)
        folds = make_folds(rows, tuning.n_folds, tuning.seed, selection, n_jobs=n_jobs)
        data = _fingerprint(folds)
        studies = {
            name: _open_study(name, candidate, selection, tuning, costs, data, tuning_storage)
            for name, candidate in tuned.items()
        }
        workers = Workers(folds, n_jobs)
        with ThreadPoolExecutor(len(tuned) if workers.n_jobs > 1 else 1) as threads, workers:
            # A thread waits for the trials of each study, and the workers, which end first, do the work of all
            searches = [
                threads.submit(_search, name, studies[name], tuned[name], workers, tuning, costs) for name in tuned
            ]
            for search in as_completed(searches):
                search.result()
    for name, described in candidates.items():
        found[name] = described
        if name not in tuned:
            continue
        candidate = tuned[name]
        study = studies[name]
        best = _choose_trial(study, tuning)
        params = {**candidate.params, **best.user_attrs["params"]}
        found_by = "by the values set by hand" if best.user_attrs.get("hand_set") else f"by number {best.number + 1}"
        logger.info(
            "%9s %s: best %s %.4f, %s", f"{len(study.trials)} trials", name, tuning.metric, best.value, found_by
        )
        trials += [_describe(name, labels[name], trial, best, tuning) for trial in study.trials]
        if params != candidate.params:
            by_hand = {variant: {**single, "tuned": False} for variant, single in list_variants(name, described)}
            found[name] = {**by_hand[name], "params": params, "tuned": True}
            found[f"{name}{HAND_SET}"] = by_hand.pop(name)
            found |= by_hand
    return found, trials


def measure_tuning(
    tuning_trials: list[dict[str, Any]],
    candidate_results: list[dict[str, Any]],
    cross_validation: CrossValidationOptions,
) -> dict[str, Any]:
    """Say of every tuned candidate what the search changed, and what that gained out of fold.

    Returns:
        By name of the tuned candidate: `family`, `metric`, `trials` (complete or pruned), `pruned` of them, `params`
        (of those that changed, the value set by hand and the chosen one, `before` and `after`), and for `log_loss`,
        `business_cost` and `roc_auc` on the folds of the comparison `before`, `after` and `difference` (paired by fold,
        with its interval; zero if nothing changed). A candidate that could not be fitted is left out.
    """
    results = {result["name"]: result for result in candidate_results if not result["error"]}
    gained = {}
    for name in dict.fromkeys(trial["candidate"] for trial in tuning_trials):
        if name not in results:
            continue
        trials = [trial for trial in tuning_trials if trial["candidate"] == name]
        after, before = results[name], results.get(f"{name}{HAND_SET}", results[name])
        gained[name] = {
            "labels": after["labels"],
            "metric": trials[0]["metric"],
            "trials": sum(trial["state"] in ("complete", "pruned") for trial in trials),
            "pruned": sum(trial["state"] == "pruned" for trial in trials),
            "params": {
                key: {"before": before["params"].get(key), "after": value}
                for key, value in after["params"].items()
                if value != before["params"].get(key)
            },
            **{
                metric: {
                    "before": before["mean"][metric],
                    "after": after["mean"][metric],
                    "difference": compare_folds(after, before, metric, cross_validation),
                }
                for metric in _COMPARED
            },
        }
    return gained


def plot_tuning(tuning_trials: list[dict[str, Any]], figures: FigureOptions) -> Figure:
    """Draw what every trial of the search reached, one panel per tuned candidate; a note if none was searched for."""
    names = list(dict.fromkeys(trial["candidate"] for trial in tuning_trials))
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - as in figures.py

    figure = new_figure(figsize=(9, 3.7))
    panels = figure.subplots(1, max(len(names), 1), squeeze=False)[0]
    if not names:
        panels[0].set_axis_off()
        panels[0].text(0.5, 0.5, figures.say("tuning.nothing"), ha="center", va="center")
    for axes, name in zip(panels, names, strict=False):
        trials = [trial for trial in tuning_trials if trial["candidate"] == name]
        complete = [trial for trial in trials if trial["state"] == "complete"]
        pruned = [trial for trial in trials if trial["state"] == "pruned"]
        for shown, marker, color in ((pruned, "x", PALETTE["neutral"]), (complete, "o", PALETTE["main"])):
            # Counted from 1, as in the log
            numbers, values = [trial["number"] + 1 for trial in shown], [trial["value"] for trial in shown]
            axes.scatter(numbers, values, s=22, marker=marker, color=color)
        for chosen in (trial for trial in complete if trial["chosen"]):
            axes.scatter(chosen["number"] + 1, chosen["value"], s=150, marker="*", color=PALETTE["chosen"], zorder=3)
        for by_hand in (trial for trial in complete if trial["hand_set"]):
            axes.axhline(by_hand["value"], ls="--", lw=1, color=PALETTE["second"], zorder=0)
        axes.set_title(trials[0]["labels"][figures.language], fontsize=10)
        axes.set_xlabel(figures.say("tuning.trial"))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter(figures.axis(".4f"))
        axes.tick_params(labelsize=8)
    if names:
        panels[0].set_ylabel(figures.say(f"tuning.metric.{tuning_trials[0]['metric']}"))
    return figures.finish(figure, figures.say("tuning.title"), figures.say("tuning.note"))


class HandSet:
    """Stands for the trial whose values were set by hand: gives them back, and notes what keeps a search from them.

    Attributes:
        problems: One sentence for every suggestion that is not set, or that a search could not have made.
    """

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.params = params
        self.problems: list[str] = []

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:  # noqa: ARG002
        """Return the value set by hand."""
        return self._take(name, low, f"between {low:g} and {high:g}", lambda value: low <= value <= high)

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:  # noqa: ARG002
        """Return the value set by hand."""
        return self._take(name, low, f"between {low} and {high}", lambda value: low <= value <= high)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return the value set by hand."""
        expected = f"one of {', '.join(map(str, choices))}"
        return self._take(name, choices[0], expected, lambda value: value in choices)

    def _take(self, name: str, otherwise: Any, expected: str, is_within: Callable[[Any], bool]) -> Any:
        if name not in self.params:
            self.problems.append(f"params.{name}: not set, expected {expected}")
        elif not is_within(self.params[name]):
            self.problems.append(f"params.{name}: {self.params[name]}, expected {expected}")
        return self.params.get(name, otherwise)


def _without_treatment(described: Mapping[str, Any]) -> CandidateOptions:
    free = {"monotone": False, "constraints": {}} if isinstance(described.get("monotone"), list) else {}
    return CandidateOptions.model_validate({**described, "imbalance": "none", **free})


def _check_searchable(
    tuned: Mapping[str, CandidateOptions], candidates: Mapping[str, Any], tuning: TuningOptions
) -> None:
    """Look at every search before the first one begins, which may take hours."""
    problems = []
    for name, candidate in tuned.items():
        family, start = family_class(candidate.family), HandSet(candidate.params)
        space = family.grid() if tuning.method == "grid" else family.search_space(start, candidate.params)
        if not space:
            problems.append(f"  - candidates.{name}: family {candidate.family} has nothing to search for")
        plain = dict(list_variants(name, candidates[name])).get(name)
        if plain is None or plain.get("imbalance", "none") != "none":
            problems.append(
                f"  - candidates.{name}: its lists leave out imbalance none or monotone false, which the search needs"
            )
        problems += [f"  - candidates.{name}.{problem}" for problem in start.problems]
    if problems:
        raise ValueError(
            "Candidates marked `tuned` that cannot be searched for:\n" + "\n".join(problems) + "\nHint: a search "
            "starts from values set by hand; set them under `params` in conf/*/parameters/modelling.yml, or take "
            "`tuned` away."
        )


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
        # From the fourth trial on: one whose best mean so far is worse than the median of the complete ones after as
        # many folds is given up.
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3),
    )


def _search(
    name: str,
    study: optuna.Study,
    candidate: CandidateOptions,
    workers: Workers[Folds],
    tuning: TuningOptions,
    costs: MisclassificationCosts,
) -> None:
    family = family_class(candidate.family)

    def objective(trial: optuna.Trial) -> float:
        by_hand, drawn = trial.user_attrs.get("hand_set", False), {}
        if tuning.method == "optuna":
            drawn = family.search_space(trial, candidate.params)
        elif not by_hand:
            drawn = {key: trial.suggest_categorical(key, values) for key, values in family.grid().items()}
        if by_hand:  # what was suggested is for the sampler to learn from: a space may hold other constants as well
            drawn = {}
        trial.set_user_attr("params", dict(drawn))
        return _evaluate(
            trial, candidate.model_copy(update={"params": {**candidate.params, **drawn}}), workers, tuning, costs
        )

    finished = sum(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in study.trials)
    if finished >= tuning.n_trials:
        return
    if finished == 0:
        start = family.search_space(HandSet(candidate.params), candidate.params) if tuning.method == "optuna" else {}
        study.enqueue_trial(start, user_attrs={"hand_set": True})
    progress = Progress(tuning.n_trials, f"trials of {name}")
    study.optimize(
        objective,
        n_trials=tuning.n_trials - finished,
        timeout=tuning.timeout,
        callbacks=[lambda _, trial: progress.tell(trial.number + 1)],
    )


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
    trial: optuna.Trial,
    candidate: CandidateOptions,
    workers: Workers[Folds],
    tuning: TuningOptions,
    costs: MisclassificationCosts,
) -> float:
    folds = workers.shared
    probability = np.full(len(folds.target), np.nan)
    value = np.nan
    for fold in range(len(folds)):
        probability[folds.fold_of_row == fold] = workers.start(_predict_fold, fold, candidate, tuning.seed)()
        if fold == 0 and tuning.metric == "business_cost":
            continue  # a threshold for one fold comes from another
        measured = _measure(folds, probability, fold + 1, costs)
        value = float(np.mean([metrics[tuning.metric] for metrics in measured]))
        trial.set_user_attr("folds", measured)
        trial.report(value, fold)
        if fold + 1 < len(folds) and trial.should_prune():
            raise optuna.TrialPruned
    return value


def _predict_fold(folds: Folds, fold: int, candidate: CandidateOptions, seed: int) -> npt.NDArray[np.float64]:
    model, rows = fit_fold(folds, fold, candidate, seed)
    return model.predict_proba(rows)[:, 1]


def _measure(
    folds: Folds, probability: np.ndarray, n_done: int, costs: MisclassificationCosts
) -> list[dict[str, float]]:
    if n_done == 1:
        first = folds.fold_of_row == 0
        metrics = score_metrics(folds.target[first].to_numpy(), probability[first])
        return [{name: metrics[name] for name in ("log_loss", "roc_auc")}]
    done = folds.fold_of_row < n_done
    part = Folds(folds.features[done], folds.target[done], folds.fold_of_row[done], folds.columns[:n_done])
    return [{name: metrics[name] for name in _COMPARED} for metrics in fold_metrics(part, probability[done], costs)]


def _fingerprint(folds: Folds) -> str:
    """Digest the rows of a search: other applicants, outcomes or values make another study."""
    rows = folds.features.assign(_target=folds.target, _fold=folds.fold_of_row)
    return hashlib.sha256(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes()).hexdigest()[:16]


def _describe(
    name: str, labels: Mapping[str, str], trial: FrozenTrial, best: FrozenTrial, tuning: TuningOptions
) -> dict[str, Any]:
    started, ended = trial.datetime_start, trial.datetime_complete
    return {
        "candidate": name,
        "labels": labels,
        "number": trial.number,
        "state": trial.state.name.lower(),
        "metric": tuning.metric,
        "value": trial.value
        if trial.state == TrialState.COMPLETE
        else trial.intermediate_values.get(max(trial.intermediate_values, default=0)),
        "folds": len(trial.user_attrs.get("folds", [])),
        "hand_set": trial.user_attrs.get("hand_set", False),
        "params": trial.user_attrs.get("params", {}),
        "chosen": trial.number == best.number,
        "seconds": (ended - started).total_seconds() if started and ended else None,
    }
