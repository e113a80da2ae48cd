"""The search for hyper-parameters: never worse than its start, repeatable, resumable."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from pydantic import ValidationError

from credit_scoring.datasets.optuna import OptunaStorageDataset
from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.metrics.uncertainty import corrected_fold_interval
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.pipelines.modelling import folds as module
from credit_scoring.pipelines.modelling import tuning
from credit_scoring.pipelines.modelling.comparison import compare_imbalance_strategies, cross_validate_candidates
from credit_scoring.pipelines.modelling.options import CandidateOptions, CrossValidationOptions, TuningOptions
from credit_scoring.pipelines.modelling.tuning import measure_tuning, plot_tuning, tune_candidates

COSTS, SELECTION = MisclassificationCosts(), SelectionOptions(threads=1)
CANDIDATES = {
    "dummy": {"family": "dummy"},
    "lr": {
        "family": "logistic_regression",
        "params": {"C": 1e-4},
        "imbalance": ["none", "class_weight"],
        "tuned": True,
    },
}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(5)
    score = generator.normal(size=(400, 3))
    target = (score.sum(axis=1) + generator.normal(size=400) > 1.8).astype(int)
    return pd.DataFrame(score, columns=["A", "B", "C"]).assign(SK_ID_CURR=range(400), TARGET=target)


def tune(rows: pd.DataFrame, storage: optuna.storages.BaseStorage, **options: object) -> tuple[dict, list[dict]]:
    return tune_candidates(rows, CANDIDATES, SELECTION, TuningOptions(**{"n_trials": 4, **options}), COSTS, storage)


@pytest.mark.parametrize("metric", ["log_loss", "roc_auc"])
def test_the_best_trial_wins_and_the_start_is_one_of_them(rows: pd.DataFrame, metric: str) -> None:
    found, trials = tune(rows, optuna.storages.InMemoryStorage(), metric=metric)
    assert trials[0]["hand_set"]
    assert trials[0]["params"] == {}
    done = [trial for trial in trials if trial["state"] == "complete"]
    pick = max if metric == "roc_auc" else min
    best = pick(done, key=lambda trial: trial["value"])
    assert [trial["number"] for trial in trials if trial["chosen"]] == [best["number"]]
    assert found["lr"]["params"] == CANDIDATES["lr"]["params"] | best["params"]
    assert found["dummy"] == CANDIDATES["dummy"]


def test_what_was_set_by_hand_competes_on_beside_what_was_found(rows: pd.DataFrame) -> None:
    found, trials = tune(rows, optuna.storages.InMemoryStorage(), n_trials=6)
    assert not trials[0]["chosen"]
    by_hand = {"family": "logistic_regression", "params": {"C": 1e-4}, "tuned": False}
    assert list(found) == ["dummy", "lr", "lr_hand_set", "lr_class_weight"]
    assert found["lr"]["imbalance"] == "none"
    assert found["lr_hand_set"] == by_hand | {"imbalance": "none"}
    assert found["lr_class_weight"] == by_hand | {"imbalance": "class_weight"}


def test_a_member_of_a_blend_has_what_was_found_for_the_candidate_that_it_names(rows: pd.DataFrame) -> None:
    members = {"a": {"candidate": "lr"}, "b": {"family": "dummy"}}
    candidates = {**CANDIDATES, "blend": {"family": "blend", "params": {"members": members}}}
    options = TuningOptions(n_trials=6)
    found, _ = tune_candidates(rows, candidates, SELECTION, options, COSTS, optuna.storages.InMemoryStorage())
    assert found["lr"]["params"] != CANDIDATES["lr"]["params"]
    _, results = cross_validate_candidates(rows, found, SELECTION, CrossValidationOptions(n_folds=2), COSTS)
    given = next(result["params"]["members"] for result in results if result["name"] == "blend")
    assert given == {
        "a": {"family": "logistic_regression", "params": found["lr"]["params"]},
        "b": {"family": "dummy"},
    }


def test_treatments_are_judged_beside_the_hand_set_self(rows: pd.DataFrame) -> None:
    found, _ = tune(rows, optuna.storages.InMemoryStorage(), n_trials=6)
    folds = CrossValidationOptions(n_folds=2)
    predictions, results = cross_validate_candidates(rows, found, SELECTION, folds, COSTS)
    table = compare_imbalance_strategies(predictions, results, folds).set_index("imbalance")
    assert list(table.index) == ["none", "class_weight"]
    by_hand = next(each for each in results if each["name"] == "lr_hand_set")
    assert table.loc["none", "log_loss"] == by_hand["mean"]["log_loss"]


def test_nothing_is_doubled_where_nothing_beats_what_was_set_by_hand(rows: pd.DataFrame) -> None:
    found, trials = tune(rows, optuna.storages.InMemoryStorage(), n_trials=1)
    assert trials[0]["chosen"]
    assert found == CANDIDATES


def test_every_candidate_marked_is_searched_for_and_no_other(rows: pd.DataFrame) -> None:
    boosted = {"n_estimators": 100, "subsample": 0.8, "colsample_bytree": 0.5, "reg_lambda": 10, "n_jobs": 1}
    candidates = CANDIDATES | {
        "xgb": {"family": "xgboost", "params": boosted | {"max_depth": 2, "min_child_weight": 5}, "tuned": True},
        "lgb": {
            "family": "lightgbm",
            "params": boosted | {"num_leaves": 4, "min_child_samples": 20, "cat_smooth": 10},
            "tuned": True,
        },
        "forest": {"family": "random_forest", "params": {"n_estimators": 5}},
    }
    options = TuningOptions(n_trials=2, n_folds=2)
    found, trials = tune_candidates(rows, candidates, SELECTION, options, COSTS, optuna.storages.InMemoryStorage())
    assert [(trial["candidate"], trial["number"]) for trial in trials] == [
        (name, number) for name in ("lr", "xgb", "lgb") for number in (0, 1)
    ]
    assert found["forest"] == candidates["forest"]
    for name in ("lr", "xgb", "lgb"):
        first = next(trial for trial in trials if trial["candidate"] == name)
        assert first["hand_set"]
        assert first["params"] == {}


def test_a_hopeless_trial_is_given_up_after_the_folds_it_has_seen(
    rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = module.fit_candidate
    fitted: list[float] = []

    def worse_and_worse(candidate: CandidateOptions, *arguments: Any) -> Any:
        if candidate.params["C"] not in fitted:
            fitted.append(candidate.params["C"])
        # From the first trial to the last the penalty grows, until nothing is learnt.
        weaker = candidate.model_copy(
            update={"params": {"C": 0.1 * 10.0 ** -(2 * fitted.index(candidate.params["C"]))}}
        )
        return fit(weaker, *arguments)

    monkeypatch.setattr(module, "fit_candidate", worse_and_worse)
    _, trials = tune(rows, optuna.storages.InMemoryStorage(), n_trials=6)
    assert [trial["state"] for trial in trials] == ["complete"] * 3 + ["pruned"] * 3
    assert [trial["folds"] for trial in trials] == [3, 3, 3, 1, 1, 1]
    assert trials[0]["chosen"]


def result(name: str, params: dict[str, Any], log_loss: list[float], error: str | None = None) -> dict[str, Any]:
    folds = [{"log_loss": value, "business_cost": 2 * value, "roc_auc": 0.75} for value in log_loss]
    mean = pd.DataFrame(folds).mean().to_dict()
    labels = {"en": "LightGBM"}
    return {"name": name, "labels": labels, "params": params, "folds": folds, "mean": mean, "error": error}


def trial(number: int, value: float, chosen: bool, state: str = "complete", name: str = "lgb") -> dict[str, Any]:
    return {
        "candidate": name,
        "labels": {"en": f"LightGBM ({name})", "fr": "LightGBM"},
        "number": number,
        "state": state,
        "hand_set": number == 0,
        "metric": "log_loss",
        "value": value,
        "folds": 3,
        "params": {},
        "chosen": chosen,
        "seconds": 1.0,
    }


def test_the_gain_is_paired_by_fold_with_the_hand_set_self() -> None:
    trials = [trial(0, 0.26, False), trial(1, 0.24, True), trial(2, 0.3, False, "pruned")]
    results = [
        result("lgb", {"num_leaves": 4, "n_jobs": 1, "subsample_freq": 1}, [0.24, 0.25, 0.26]),
        result("lgb_hand_set", {"num_leaves": 8, "n_jobs": 1}, [0.25, 0.25, 0.29]),
    ]
    gain = measure_tuning(trials, results, CrossValidationOptions(n_folds=3))["lgb"]
    expected = corrected_fold_interval([-0.01, 0.0, -0.03])
    assert (gain["trials"], gain["pruned"]) == (3, 1)
    assert gain["params"] == {"num_leaves": {"before": 8, "after": 4}, "subsample_freq": {"before": None, "after": 1}}
    assert "search" not in gain
    assert gain["log_loss"]["difference"] == pytest.approx(expected.model_dump())
    assert gain["log_loss"]["after"] - gain["log_loss"]["before"] == pytest.approx(expected.estimate)
    assert gain["business_cost"]["difference"]["estimate"] == pytest.approx(2 * expected.estimate)


def test_a_search_that_changes_nothing_gains_nothing() -> None:
    trials = [trial(0, 0.25, True), trial(1, 0.26, False), trial(0, 0.25, True, name="broken")]
    results = [result("lgb", {"num_leaves": 8}, [0.25, 0.26]), result("broken", {}, [0.3, 0.3], "No such library")]
    gain = measure_tuning(trials, results, CrossValidationOptions())
    assert list(gain) == ["lgb"]
    assert gain["lgb"]["params"] == {}
    assert gain["lgb"]["log_loss"]["difference"] == {"estimate": 0.0, "low": 0.0, "high": 0.0}
    assert measure_tuning([], results, CrossValidationOptions()) == {}


@pytest.mark.parametrize("trials", [[], [trial(0, 0.25, True), trial(1, 0.3, False, "pruned")]])
def test_the_search_is_drawn(trials: list[dict[str, Any]]) -> None:
    figure = plot_tuning(trials, FigureOptions(language="en", source="synthetic"))
    figure.savefig(io.BytesIO())
    drawn = [[tuple(map(float, offset)) for offset in dots.get_offsets()] for dots in figure.axes[0].collections]
    assert drawn == ([[(2.0, 0.3)], [(1.0, 0.25)], [(1.0, 0.25)]] if trials else [])
    assert figure.axes[0].get_ylabel() == ("Log loss" if trials else "")


@pytest.mark.parametrize("options", [{"metric": "accuracy"}, {"n_trials": 0}, {"method": "random"}, {"n_folds": 1}])
def test_a_search_that_makes_no_sense_is_refused_before_the_run(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(options))):
        TuningOptions(**options)


def test_every_candidate_that_cannot_be_searched_for_is_named_before_the_first_search(
    rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidates = CANDIDATES | {
        "dummy": {"family": "dummy", "tuned": True},
        "wide": {"family": "logistic_regression", "params": {"C": 5}, "tuned": True},
        "treated": {**CANDIDATES["lr"], "imbalance": ["smote"]},
        "smoted": {**CANDIDATES["lr"], "imbalance": "smote"},
        "bare": {"family": "random_forest", "params": {"kind": "oak"}, "tuned": True},
    }
    monkeypatch.setattr(module, "fit_candidate", lambda *_: pytest.fail("fitted"))
    with pytest.raises(ValueError, match="cannot be searched for") as caught:
        tune_candidates(rows, candidates, SELECTION, TuningOptions(), COSTS, optuna.storages.InMemoryStorage())
    for problem in (
        "candidates.dummy: family dummy has nothing to search for",
        "candidates.treated: its lists leave out imbalance none",
        "candidates.smoted: its lists leave out imbalance none",
        "candidates.wide.params.C: 5, expected between 0.0001 and 0.1",
        "candidates.bare.params.kind: oak, expected one of random_forest, extra_trees",
        "candidates.bare.params.min_samples_leaf: not set, expected between 10 and 300",
        "Hint: a search starts from values set by hand",
    ):
        assert problem in str(caught.value), problem
    assert "candidates.lr" not in str(caught.value)


def make_trial(value: float, costs: list[float], log_loss: float) -> optuna.trial.FrozenTrial:
    folds = [{"business_cost": cost, "log_loss": log_loss} for cost in costs]
    return optuna.trial.create_trial(value=value, user_attrs={"folds": folds})


def test_by_cost_the_best_log_loss_among_those_level_with_the_cheapest_wins() -> None:
    study = optuna.create_study()
    study.add_trial(make_trial(0.50, [0.49, 0.50, 0.51], 0.26))
    study.add_trial(make_trial(0.51, [0.52, 0.49, 0.52], 0.25))  # dearer by no more than noise
    study.add_trial(make_trial(0.60, [0.59, 0.60, 0.61], 0.24))  # dearer in every fold
    assert tuning._choose_trial(study, TuningOptions(metric="business_cost")).number == 1
    assert tuning._choose_trial(study, TuningOptions(metric="log_loss")).number == 0


def test_the_same_seed_makes_the_same_search(rows: pd.DataFrame) -> None:
    one, two = (tune(rows, optuna.storages.InMemoryStorage())[0] for _ in range(2))
    assert one == two


def test_an_interrupted_search_goes_on_where_it_stopped(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = OptunaStorageDataset(filepath=(tmp_path / "new" / "tuning.db").as_posix())
    fitted = []
    fit = module.fit_candidate

    def break_down(*arguments: object) -> object:
        fitted.append(arguments)
        if len(fitted) == 6:
            raise KeyboardInterrupt
        return fit(*arguments)

    monkeypatch.setattr(module, "fit_candidate", break_down)
    with pytest.raises(KeyboardInterrupt):
        tune(rows, dataset.load())
    before = len(fitted)
    _, trials = tune(rows, dataset.load())
    finished = [trial for trial in trials if trial["state"] in ("complete", "pruned")]
    assert len(finished) == 4
    assert len(fitted) - before <= 3 * 3  # the first trial, finished before the break, is not repeated
    _, again = tune(rows, dataset.load())
    assert again == trials


def test_other_rows_or_costs_start_another_study(rows: pd.DataFrame) -> None:
    storage = optuna.storages.InMemoryStorage()
    tune(rows, storage, n_trials=1)
    tune(rows.assign(TARGET=rows["TARGET"].to_numpy()[::-1]), storage, n_trials=1)
    tune(rows, storage, n_trials=2)
    assert len(optuna.get_all_study_names(storage)) == 2


def test_a_grid_is_tried_in_full(rows: pd.DataFrame) -> None:
    _, (by_hand, *trials) = tune(rows, optuna.storages.InMemoryStorage(), method="grid", n_trials=100)
    assert by_hand["hand_set"]
    assert not any(trial["hand_set"] for trial in trials)
    grid = tuning.family_class("logistic_regression").grid()
    combinations = {tuple(sorted(trial["params"].items())) for trial in trials}
    assert len(combinations) == len(trials) == np.prod([len(values) for values in grid.values()])


def test_a_grid_without_anything_better_leaves_what_was_set_by_hand(
    rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand = {"lr": {"family": "logistic_regression", "params": {"C": 0.03}, "tuned": True}}
    monkeypatch.setattr(tuning.family_class("logistic_regression"), "grid", lambda: {"C": [1e-6, 1e-5, 1e-4]})
    options, storage = TuningOptions(method="grid"), optuna.storages.InMemoryStorage()
    found, trials = tune_candidates(rows, by_hand, SELECTION, options, COSTS, storage)
    assert found == by_hand
    assert [trial["number"] for trial in trials if trial["chosen"]] == [0]
    assert trials[0]["value"] < min(trial["value"] for trial in trials[1:] if trial["state"] == "complete")


def test_the_first_trial_is_the_candidate_as_it_was_set_even_where_its_space_holds_constants(
    rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = {"n_estimators": 5, "kind": "extra_trees", "min_samples_leaf": 10, "max_features": 0.5, "n_jobs": 1}
    candidates = {"forest": {"family": "random_forest", "params": params, "tuned": True}}
    fit, fitted = module.fit_candidate, []

    def note(candidate: CandidateOptions, *arguments: Any) -> Any:
        fitted.append(dict(candidate.params))
        return fit(candidate.model_copy(update={"params": {**candidate.params, "n_estimators": 5}}), *arguments)

    monkeypatch.setattr(module, "fit_candidate", note)
    options = TuningOptions(n_trials=2, n_folds=2)
    _, trials = tune_candidates(rows, candidates, SELECTION, options, COSTS, optuna.storages.InMemoryStorage())
    assert fitted[:2] == [params, params]
    assert fitted[2]["n_estimators"] == trials[1]["params"]["n_estimators"] == 300


@pytest.mark.parametrize("method", ["optuna", "grid"])
def test_a_search_interrupted_in_its_first_trial_begins_anew_with_what_was_set_by_hand(
    rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    storage, fit = optuna.storages.InMemoryStorage(), module.fit_candidate

    def break_down(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "fit_candidate", break_down)
    with pytest.raises(KeyboardInterrupt):
        tune(rows, storage, method=method)
    monkeypatch.setattr(module, "fit_candidate", fit)
    found, trials = tune(rows, storage, method=method)
    assert [(trial["state"], trial["hand_set"]) for trial in trials[:2]] == [("fail", True), ("complete", True)]
    assert not any(trial["hand_set"] for trial in trials[2:])
    results = [result(name, {"C": 1e-4}, [0.25, 0.26]) for name in found]
    assert measure_tuning(trials, results, CrossValidationOptions())["lr"]["trials"] == len(trials) - 1 == 4
    figure = plot_tuning(trials, FigureOptions(language="en", source="synthetic"))
    assert [line.get_ydata()[0] for line in figure.axes[0].lines] == [trials[1]["value"]]


def test_without_a_candidate_marked_nothing_is_searched(rows: pd.DataFrame) -> None:
    candidates = {"dummy": {"family": "dummy"}}
    storage = optuna.storages.InMemoryStorage()
    assert tune_candidates(rows, candidates, SELECTION, TuningOptions(), COSTS, storage) == (candidates, [])


@pytest.mark.parametrize("metric", ["log_loss", "business_cost"])
def test_searches_side_by_side_find_what_they_find_one_after_the_other(
    rows: pd.DataFrame, tmp_path: Path, metric: str
) -> None:
    candidates = CANDIDATES | {"other": {**CANDIDATES["lr"], "params": {"C": 0.03}}}
    options = TuningOptions(n_trials=6, metric=metric)
    made = []
    for n_jobs in (1, 2):
        storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/{n_jobs}.db")
        found, trials = tune_candidates(rows, candidates, SELECTION, options, COSTS, storage, n_jobs)
        made.append((found, [{**trial, "seconds": None} for trial in trials]))
    assert made[0] == made[1]
    # The number of processes is no part of a study: one is resumed by any
    _, resumed = tune_candidates(rows, candidates, SELECTION, options, COSTS, storage)
    assert [{**trial, "seconds": None} for trial in resumed] == made[0][1]
    assert len(storage.get_all_studies()) == 2
