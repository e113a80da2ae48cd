"""The served object: decisions follow from probability and threshold, and from nothing else."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.models import build_model
from credit_scoring.scorer import CreditScorer


@pytest.fixture
def X() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    return pd.DataFrame({"EXT_SOURCE_2": generator.random(100), "AMT_CREDIT": generator.random(100)})


@pytest.fixture
def scorer(X: pd.DataFrame) -> CreditScorer:
    model = build_model("logistic_regression", {"C": 1.0}).fit(X, (X["EXT_SOURCE_2"] < 0.3).astype(int))
    return CreditScorer(model, {"threshold": 0.25})


def test_refused_exactly_when_the_probability_reaches_the_threshold(scorer: CreditScorer, X: pd.DataFrame) -> None:
    scored = scorer.predict(X)
    assert list(scored.columns) == ["probability_default", "decision", "threshold"]
    assert scored["threshold"].unique().tolist() == [0.25]
    assert set(scored["decision"]) == {"granted", "refused"}
    assert ((scored["probability_default"] >= 0.25) == (scored["decision"] == "refused")).all()
    assert np.array_equal(scored["probability_default"], scorer.model.predict_proba(X)[:, 1])


def test_a_probability_equal_to_the_threshold_is_refused(scorer: CreditScorer, X: pd.DataFrame) -> None:
    exactly = float(scorer.predict(X.iloc[[0]])["probability_default"].iloc[0])
    assert CreditScorer(scorer.model, {"threshold": exactly}).predict(X.iloc[[0]])["decision"].item() == "refused"
    above = float(np.nextafter(exactly, 1))
    assert CreditScorer(scorer.model, {"threshold": above}).predict(X.iloc[[0]])["decision"].item() == "granted"


def test_rows_keep_their_index(scorer: CreditScorer, X: pd.DataFrame) -> None:
    shuffled = X.sample(frac=1, random_state=0)
    assert scorer.predict(shuffled).loc[X.index].equals(scorer.predict(X))
