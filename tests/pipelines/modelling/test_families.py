"""Every family that `candidates` names can be searched, compared under every strategy, and told by its label."""

import numpy as np
import optuna
import pandas as pd
import pytest

from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.models import FAMILIES, family_class
from credit_scoring.models.imbalance import STRATEGIES
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.pipelines.modelling.comparison import (
    build_leaderboard,
    compare_imbalance_strategies,
    cross_validate_candidates,
    select_champion,
)
from credit_scoring.pipelines.modelling.options import ChampionOptions, CrossValidationOptions, TuningOptions
from credit_scoring.pipelines.modelling.tuning import tune_candidates

COSTS, SELECTION = MisclassificationCosts(), SelectionOptions(threads=1)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(3)
    n = 300
    frame = pd.DataFrame(generator.normal(size=(n, 3)), columns=["A", "B", "C"])
    frame["KIND"] = generator.choice(["x", "y", None], n)
    target = (frame["A"] + (frame["KIND"] == "x") + generator.normal(size=n) > 1.5).astype(int)
    return frame.assign(SK_ID_CURR=range(n), TARGET=target)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_block_under_candidates_is_all_that_a_family_needs(family: str, rows: pd.DataFrame) -> None:
    params = dict(family_class(family).test_params)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    start = family_class(family).search_space(study.ask(), params)
    params |= start
    candidates = {family: {"family": family, "params": params, "imbalance": list(STRATEGIES), "tuned": True}}
    tuning = TuningOptions(n_trials=2, n_folds=2)
    if start:
        found, trials = tune_candidates(rows, candidates, SELECTION, tuning, COSTS, optuna.storages.InMemoryStorage())
        assert [trial["state"] for trial in trials] == ["complete", "complete"]
        assert [trial["hand_set"] for trial in trials] == [True, False]
        assert trials[0]["params"] == {}
        assert trials[1]["params"].keys() == start.keys()
        assert found[family]["params"] == params | next(trial["params"] for trial in trials if trial["chosen"])
    else:
        with pytest.raises(ValueError, match=f"family {family} has nothing to search for"):
            tune_candidates(rows, candidates, SELECTION, tuning, COSTS, optuna.storages.InMemoryStorage())

    folds = CrossValidationOptions(n_folds=2)
    candidates[family]["params"] = params | family_class(family).test_params  # a search may take hundreds of trees
    out_of_fold, results = cross_validate_candidates(rows, candidates, SELECTION, folds, COSTS)
    assert [result["error"] for result in results] == [None] * len(STRATEGIES)
    assert out_of_fold.drop(columns=["SK_ID_CURR", "TARGET", "FOLD"]).notna().all(axis=None)
    assert set(build_leaderboard(results)["imbalance"]) == set(STRATEGIES)
    strategies = compare_imbalance_strategies(out_of_fold, results, folds)
    assert strategies["family"].tolist() == [family] * len(STRATEGIES)
    assert select_champion(results, ChampionOptions(), folds)["family"] == family
