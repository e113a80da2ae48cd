"""The served object: decisions follow from probability and threshold, and from nothing else."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.models import build_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.scorer import CreditScorer


@pytest.fixture
def X() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    return pd.DataFrame({"EXT_SOURCE_2": generator.random(100), "AMT_CREDIT": generator.random(100)})


@pytest.fixture
def scorer(X: pd.DataFrame) -> CreditScorer:
    model = build_model("logistic_regression", {"C": 1.0}).fit(X, (X["EXT_SOURCE_2"] < 0.3).astype(int))
    return CreditScorer(model, Calibration("none"), {"threshold": 0.25})


def test_refused_exactly_when_the_probability_reaches_the_threshold(scorer: CreditScorer, X: pd.DataFrame) -> None:
    scored = scorer.predict(X)
    assert list(scored.columns) == ["probability_default", "decision", "threshold"]
    assert scored["threshold"].unique().tolist() == [0.25]
    assert set(scored["decision"]) == {"granted", "refused"}
    assert ((scored["probability_default"] >= 0.25) == (scored["decision"] == "refused")).all()
    assert np.array_equal(scored["probability_default"], scorer.model.predict_proba(X)[:, 1])


def test_a_probability_equal_to_the_threshold_is_refused(scorer: CreditScorer, X: pd.DataFrame) -> None:
    exactly = float(scorer.predict(X.iloc[[0]])["probability_default"].iloc[0])
    assert (
        CreditScorer(scorer.model, scorer.calibration, {"threshold": exactly}).predict(X.iloc[[0]])["decision"].item()
        == "refused"
    )
    above = float(np.nextafter(exactly, 1))
    assert (
        CreditScorer(scorer.model, scorer.calibration, {"threshold": above}).predict(X.iloc[[0]])["decision"].item()
        == "granted"
    )


def test_rows_keep_their_index(scorer: CreditScorer, X: pd.DataFrame) -> None:
    shuffled = X.sample(frac=1, random_state=0)
    assert scorer.predict(shuffled).loc[X.index].equals(scorer.predict(X))


@pytest.mark.parametrize("method", ["none", "sigmoid", "isotonic"])
def test_the_probability_is_the_calibrated_one_and_contributions_say_how_far_they_reach(
    scorer: CreditScorer, X: pd.DataFrame, method: str
) -> None:
    raw = scorer.model.predict_proba(X)[:, 1]
    outcome = np.random.default_rng(1).random(100) < raw**2
    calibrated = CreditScorer(scorer.model, Calibration.fit(method, raw, outcome.astype(int)), {"threshold": 0.25})
    probability = calibrated.predict(X)["probability_default"].to_numpy()
    assert np.array_equal(probability, calibrated.calibration.apply(raw))
    values, base = calibrated.contributions(X)
    explained = raw if method == "isotonic" else probability
    assert base + values.sum(axis=1).to_numpy() == pytest.approx(np.log(explained / (1 - explained)))
