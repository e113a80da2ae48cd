"""The search for hyper-parameters: never worse than its start, repeatable, resumable."""

from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest

from credit_scoring.datasets.optuna import OptunaStorageDataset
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.pipelines.modelling import tuning as module
from credit_scoring.pipelines.modelling.options import TuningOptions
from credit_scoring.pipelines.modelling.tuning import tune_candidates

COSTS, SELECTION = MisclassificationCosts(), SelectionOptions(threads=1)
CANDIDATES = {
    "dummy": {"family": "dummy"},
    "lr": {
        "family": "logistic_regression",
        "params": {"C": 1e-6},
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
    assert trials[0]["params"] == {}
    done = [trial for trial in trials if trial["state"] == "complete"]
    pick = max if metric == "roc_auc" else min
    best = pick(done, key=lambda trial: trial["value"])
    assert found["lr"]["params"] == {"C": 1e-6, **best["params"]}
    assert found["lr"]["imbalance"] == ["none", "class_weight"]
    assert found["dummy"] == CANDIDATES["dummy"]


def make_trial(value: float, costs: list[float], log_loss: float) -> optuna.trial.FrozenTrial:
    folds = [{"business_cost": cost, "log_loss": log_loss} for cost in costs]
    return optuna.trial.create_trial(value=value, user_attrs={"folds": folds})


def test_by_cost_the_best_log_loss_among_those_level_with_the_cheapest_wins() -> None:
    study = optuna.create_study()
    study.add_trial(make_trial(0.50, [0.49, 0.50, 0.51], 0.26))
    study.add_trial(make_trial(0.51, [0.52, 0.49, 0.52], 0.25))  # dearer by no more than noise
    study.add_trial(make_trial(0.60, [0.59, 0.60, 0.61], 0.24))  # dearer in every fold
    assert module._choose_trial(study, TuningOptions()).number == 1
    assert module._choose_trial(study, TuningOptions(metric="log_loss")).number == 0


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
    _, trials = tune(rows, optuna.storages.InMemoryStorage(), method="grid", n_trials=100)
    grid = module.family_class("logistic_regression").grid()
    combinations = {tuple(sorted(trial["params"].items())) for trial in trials}
    assert len(combinations) == len(trials) == np.prod([len(values) for values in grid.values()])


def test_without_a_budget_nothing_is_searched(rows: pd.DataFrame) -> None:
    assert tune(rows, optuna.storages.InMemoryStorage(), n_trials=0) == (CANDIDATES, [])
