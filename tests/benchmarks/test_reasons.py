"""Exact values that reasons are measured against, and the seeds that are changed."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from benchmarks.reasons import exact_contributions, seeded
from credit_scoring.models import FAMILIES, family_class, fit_model

EXACT = ("blend", "dummy", "lightgbm", "logistic_regression", "scorecard", "xgboost")
MEMBERS = {
    "lgb": {"family": "lightgbm", "params": {"subsample": 0.5}, "n_seeds": 2},
    "lr": {"family": "logistic_regression"},
}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(5)
    frame = pd.DataFrame(generator.random((400, 4)), columns=["A", "B", "C", "D"])
    risk = 4 * frame["A"] * frame["B"] - 3 * frame["C"] + generator.logistic(size=400)
    return frame.mask(generator.random((400, 4)) < 0.1).assign(TARGET=(risk > 0).astype(int))


@pytest.mark.parametrize("family", FAMILIES)
def test_exact_values_sum_to_how_far_the_log_odds_are_from_the_mean_of_the_background(
    family: str, rows: pd.DataFrame
) -> None:
    X, y = rows.drop(columns="TARGET"), rows["TARGET"]
    model = fit_model(family, family_class(family).test_params, X, y)
    values = exact_contributions(model, X.head(30), X.tail(50))
    assert (values is not None) == (family in EXACT)
    if values is not None:
        log_odds = logit(model.predict_proba(X)[:, 1])
        expected = log_odds[:30] - log_odds[-50:].mean()
        np.testing.assert_allclose(values.sum(axis=1), expected, atol=1e-4)  # the leaves of XGBoost are single numbers


def test_a_blend_with_a_member_without_exact_values_has_none(rows: pd.DataFrame) -> None:
    X, y = rows.drop(columns="TARGET"), rows["TARGET"]
    forest = {"family": "random_forest", "params": {"n_estimators": 5}}
    model = fit_model("blend", {"members": {"lr": {"family": "logistic_regression"}, "forest": forest}}, X, y)
    assert exact_contributions(model, X.head(5), X.tail(5)) is None


def test_another_seed_goes_to_whoever_draws(rows: pd.DataFrame) -> None:
    X, y = rows.drop(columns="TARGET"), rows["TARGET"]
    for family in ("dummy", "logistic_regression", "scorecard"):
        assert seeded(fit_model(family, family_class(family).test_params, X, y), 1) == {}
    forest = fit_model("random_forest", {"n_estimators": 5}, X, y)
    assert seeded(forest, 2) == {"random_state": 2000}
    members = seeded(fit_model("blend", {"members": MEMBERS}, X, y), 1)["members"]
    assert members == {
        "lgb": {**MEMBERS["lgb"], "params": {"subsample": 0.5, "random_state": 1000}},
        "lr": {"family": "logistic_regression", "params": {}},
    }
