"""What each applicant adds to a measure: the mean is the measure, the spread of differences tells their error."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.harness import candidates_of, parameters_of
from benchmarks.learning_curve import auc_terms
from benchmarks.levers import BUDGETS, KEPT, LEVERS, LGB, LR, REFERENCE, XGB, Lever, cost_parts, pick


def test_the_mean_of_what_applicants_add_is_the_auc_and_its_spread_the_error_of_a_difference() -> None:
    generator = np.random.default_rng(0)
    y = (generator.random(2_000) < 0.1).astype(int)
    score = (generator.random(2_000) + 0.2 * y).round(2)  # with ties
    other = score + generator.normal(0, 0.1, 2_000)
    assert auc_terms(y, score).mean() == pytest.approx(roc_auc_score(y, score))
    drawn = []
    for _ in range(400):
        rows = np.concatenate([generator.choice(group, len(group)) for group in map(np.flatnonzero, (y == 0, y == 1))])
        drawn.append(roc_auc_score(y[rows], other[rows]) - roc_auc_score(y[rows], score[rows]))
    told = (auc_terms(y, other) - auc_terms(y, score)).std() / np.sqrt(2_000)
    assert told == pytest.approx(np.std(drawn), rel=0.15)


def test_costs_are_those_of_the_wrong_decisions() -> None:
    y = np.tile([0] * 5 + [1] * 5, 10)
    certain = np.where(y == 1, 0.9, 0.01)
    assert cost_parts(y, certain).sum() == 0
    assert set(cost_parts(y, 1 - certain)) <= {0.0, 1.0, 10.0}
    assert cost_parts(y, 1 - certain).sum() > 0


def test_every_lever_has_a_name_of_its_own_and_means_are_of_levers() -> None:
    keys = [lever.key for lever in LEVERS]
    assert len(keys) == len(set(keys))
    assert {lever.family for lever in LEVERS} == {"", *REFERENCE}
    assert {key for lever in LEVERS for key in lever.members} <= set(keys)


def test_what_is_told_as_kept_is_what_a_run_fits() -> None:
    budget, n_seeds = KEPT
    found = candidates_of("base")
    regression = next(lever.params for lever in LEVERS if lever.family == LR and lever.kept == "yes")
    for family, params in {**BUDGETS[budget], LR: regression}.items():
        assert found[family]["params"] == {**REFERENCE[family], **params}
    members = parameters_of("base")["candidates"]["blend"]["params"]["members"]
    assert {name: member.get("n_seeds", 1) for name, member in members.items()} == {XGB: n_seeds, LGB: n_seeds, LR: 1}


def test_forests_vote_on_the_columns() -> None:
    generator = np.random.default_rng(1)
    X = pd.DataFrame(generator.normal(size=(600, 8)), columns=list("ABCDEFGH"))
    y = pd.Series((X["C"] - X["F"] + generator.normal(size=600) > 1).astype(int))
    voted = Lever("vote", "xgboost", selection={"max_features": 2}, forests=3)
    assert pick(voted, X, y) == ["C", "F"]
