"""Every family keeps the promises of `ScoringModel`."""

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from credit_scoring.models import FAMILIES, ScoringModel, build_model

PARAMS = {
    "dummy": {},
    "logistic_regression": {"C": 0.1},
    "random_forest": {"n_estimators": 10, "min_samples_leaf": 3, "max_features": 0.5, "n_jobs": 2},
    "lightgbm": {"n_estimators": 30, "min_child_samples": 5, "random_state": 0},
    "xgboost": {"n_estimators": 30, "max_depth": 3, "n_jobs": 2},
    "mlp": {"hidden_units": 4, "max_iter": 30, "batch_size": 32, "learning_rate_init": 0.01},
}


@pytest.fixture(scope="module")
def applicants() -> pd.DataFrame:
    """300 applicants: a useful number, a useful category, a number that is null half of the time, an empty column."""
    generator = np.random.default_rng(1)
    n = 300
    frame = pd.DataFrame(
        {
            "EXT_SOURCE_2": generator.random(n),
            "AMT_CREDIT": generator.lognormal(12, 1, n),
            "HALF_NULL": np.where(generator.random(n) < 0.5, np.nan, generator.normal(size=n)),
            "ALL_NULL": np.full(n, np.nan),
            "OCCUPATION_TYPE": generator.choice(["Drivers", "Managers", None], n),
        }
    )
    risk = -2 * frame["EXT_SOURCE_2"] + (frame["OCCUPATION_TYPE"] == "Drivers")
    return frame.assign(TARGET=(risk + generator.normal(0, 0.7, n) > -0.3).astype(int))


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def fitted(request: pytest.FixtureRequest, applicants: pd.DataFrame) -> ScoringModel:
    """Return each family in turn, fitted."""
    return build_model(request.param, PARAMS[request.param]).fit(
        applicants.drop(columns="TARGET"), applicants["TARGET"]
    )


@pytest.fixture(scope="module")
def X(applicants: pd.DataFrame) -> pd.DataFrame:
    return applicants.drop(columns="TARGET")


def test_probabilities_sum_to_one_and_learn(fitted: ScoringModel, X: pd.DataFrame, applicants: pd.DataFrame) -> None:
    probability = fitted.predict_proba(X)
    assert probability.shape == (300, 2)
    assert probability.sum(axis=1) == pytest.approx(1)
    bad, good = (probability[applicants["TARGET"] == outcome, 1].mean() for outcome in (1, 0))
    assert bad >= good


def test_row_order_and_batch_do_not_change_a_score(fitted: ScoringModel, X: pd.DataFrame) -> None:
    together = fitted.predict_proba(X)[:, 1]
    shuffled = X.sample(frac=1, random_state=3)
    assert np.array_equal(fitted.predict_proba(shuffled)[:, 1], together[shuffled.index])
    alone = np.concatenate([fitted.predict_proba(X.iloc[[i]])[:, 1] for i in range(20)])
    assert np.array_equal(alone, together[:20])


def test_columns_in_any_order_unknown_ignored_missing_null(fitted: ScoringModel, X: pd.DataFrame) -> None:
    expected = fitted.predict_proba(X.assign(HALF_NULL=np.nan, OCCUPATION_TYPE=None))
    reordered = X[X.columns[::-1]].drop(columns=["HALF_NULL", "OCCUPATION_TYPE"]).assign(EXTRA="x")
    assert np.array_equal(fitted.predict_proba(reordered), expected)


def test_unseen_category_scores_like_some_category_and_never_fails(fitted: ScoringModel, X: pd.DataFrame) -> None:
    probability = fitted.predict_proba(X.assign(OCCUPATION_TYPE="Astronaut"))[:, 1]
    assert np.isfinite(probability).all()


def test_contributions_add_up_to_the_log_odds(fitted: ScoringModel, X: pd.DataFrame) -> None:
    contributions, base = fitted.contributions(X)
    probability = fitted.predict_proba(X)[:, 1]
    assert list(contributions.columns) == list(X.columns)
    assert base + contributions.sum(axis=1).to_numpy() == pytest.approx(np.log(probability / (1 - probability)))


def test_a_pickle_gives_the_same_scores(fitted: ScoringModel, X: pd.DataFrame) -> None:
    assert np.array_equal(cloudpickle.loads(cloudpickle.dumps(fitted)).predict_proba(X), fitted.predict_proba(X))


def test_a_clone_has_the_parameters_and_is_unfitted(fitted: ScoringModel) -> None:
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "feature_names_in_")


def test_same_rows_same_model(fitted: ScoringModel, X: pd.DataFrame, applicants: pd.DataFrame) -> None:
    again = clone(fitted).fit(X, applicants["TARGET"])
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("target", [[0] * 300, [1] * 300, [0, 1, 2] * 100, [np.nan, 1.0, 0.0] * 100])
def test_a_target_that_is_not_both_0_and_1_is_refused(family: str, target: list[float], X: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="TARGET must hold both 0 and 1"):
        build_model(family, PARAMS[family]).fit(X, target)


def test_an_unknown_family_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="expected one of dummy, logistic_regression, random_forest, lightgbm"):
        build_model("lightgmb", {})


def test_a_wrong_parameter_names_the_family() -> None:
    with pytest.raises(ValueError, match="'logistic_regression' does not take"):
        build_model("logistic_regression", {"depth": 3})
