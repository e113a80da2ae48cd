"""A constrained score never moves the wrong way, as it is served; without the constraint, on these rows, it does."""

import cloudpickle
import numpy as np
import pandas as pd
import pytest

from credit_scoring.models import FAMILIES, build_model, family_class, fit_model, refit_model
from credit_scoring.models.base import CodedModel
from credit_scoring.models.calibration import Calibration
from credit_scoring.scorer import CreditScorer, digest_model

CONSTRAINTS = {"DAYS_LATE": 1, "SCORE": -1}
ABLE = [family for family in FAMILIES if family_class(family).can_be_monotone]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Return 800 applicants of whom the most late default least, and those of a middling score most."""
    generator = np.random.default_rng(4)
    n = 800
    frame = pd.DataFrame({"DAYS_LATE": generator.integers(0, 60, n).astype(float), "SCORE": generator.random(n)})
    frame["AMT_CREDIT"] = generator.lognormal(12, 1, n)
    frame["OCCUPATION_TYPE"] = generator.choice(["Drivers", "Managers", None], n)
    risk = np.where(frame["DAYS_LATE"] > 45, -2, frame["DAYS_LATE"] / 30) + 2 * (abs(frame["SCORE"] - 0.5) < 0.2)
    frame["TARGET"] = (risk + generator.normal(size=n) > 1.5).astype(int)
    for name in CONSTRAINTS:
        frame[name] = frame[name].mask(generator.random(n) < 0.1)
    return frame


def raise_column(X: pd.DataFrame, name: str) -> list[pd.DataFrame]:
    """Return the same applicants with ever higher values of a column."""
    return [X.assign(**{name: value}) for value in np.unique(np.append(X[name].dropna().to_numpy(), [-1e9, 1e9]))]


def largest_fall(scores: list[np.ndarray], direction: int) -> float:
    """Return by how much scores move against a direction, at most, from one value to the next."""
    return float((-direction * np.diff(np.stack(scores), axis=0)).max())


@pytest.mark.parametrize("family", ABLE)
@pytest.mark.parametrize("stopping", [None, 5])
def test_a_served_score_keeps_to_the_constraints(family: str, stopping: int | None, rows: pd.DataFrame) -> None:
    X, y = rows.drop(columns="TARGET"), rows["TARGET"]
    params = {**family_class(family).test_params, "n_estimators": 60, "early_stopping_rounds": stopping}
    free = build_model(family, params).fit(X, y)
    model = build_model(family, {**params, "monotone_constraints": CONSTRAINTS}).fit(X, y)
    assert model.fingerprint_ != free.fingerprint_
    calibration = Calibration.fit("sigmoid", model.predict_proba(X)[:, 1], y)
    policy = {"threshold": 0.2, "model_digest": digest_model(model, calibration)}
    served = cloudpickle.loads(cloudpickle.dumps(CreditScorer(model, calibration, policy)))
    assert isinstance(served.model, CodedModel)
    few = X.head(25)
    for name, direction in CONSTRAINTS.items():
        raised = raise_column(few, name)
        assert largest_fall([free.predict_proba(each)[:, 1] for each in raised], direction) > 0.01
        assert largest_fall([served.predict_proba(each)[:, 1] for each in raised], direction) <= 0
        coded = [served.model.codes_.transform(each) for each in raised]
        assert largest_fall([served.score_coded(each) for each in coded], direction) <= 0
        assert largest_fall([served.score_coded(each[:1]) for each in coded], direction) <= 0
        assert largest_fall([served.score_coded(each) for each in coded], -direction) > 0.01  # it learns all the same


@pytest.mark.parametrize("family", ABLE)
def test_a_constraint_that_cannot_be_kept_is_an_error(family: str, rows: pd.DataFrame) -> None:
    wrong = {"SHOE_SIZE": 1, "OCCUPATION_TYPE": -1, "SCORE": 2, "DAYS_LATE": 1}
    model = build_model(family, {**family_class(family).test_params, "monotone_constraints": wrong})
    with pytest.raises(ValueError, match=r"found SHOE_SIZE: 1, OCCUPATION_TYPE: -1, SCORE: 2\.\nHint: a candidate"):
        model.fit(rows.drop(columns="TARGET"), rows["TARGET"])


def test_who_cannot_be_monotone_says_so() -> None:
    assert {"lightgbm", "xgboost"} <= set(ABLE)
    for family in set(FAMILIES) - set(ABLE):
        assert "monotone_constraints" not in build_model(family, family_class(family).test_params).get_params()


@pytest.mark.parametrize("target_features", [False, True])
def test_a_refit_keeps_to_the_constraints_and_features_of_its_model(target_features: bool, rows: pd.DataFrame) -> None:
    axes = dict.fromkeys(("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3", "APPLICATION_CREDIT_TO_ANNUITY_RATIO"), 0.5)
    X, y = rows.drop(columns="TARGET").assign(**axes, ORGANIZATION_TYPE="Bank"), rows["TARGET"]
    params = {"n_estimators": 60, "n_jobs": 1, "monotone_constraints": CONSTRAINTS}
    model = fit_model("xgboost", params, X, y, target_features=target_features)
    part = X.assign(TARGET=y, SK_ID_CURR=1).iloc[::2]
    again = refit_model(model, part, imbalance="none")
    assert type(again) is type(model)
    assert again.fingerprint_ != model.fingerprint_
    if not target_features:
        for name, direction in CONSTRAINTS.items():
            raised = raise_column(X.head(25), name)
            assert largest_fall([again.predict_proba(each)[:, 1] for each in raised], direction) <= 0
    same = refit_model(model, X.assign(TARGET=y), imbalance="none")
    assert np.array_equal(same.predict_proba(X), model.predict_proba(X))
