"""The served object: decisions follow from probability and threshold, and from nothing else."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.models import build_model
from credit_scoring.models.base import ScoringModel
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.threshold_tuning.gap_rules import learn_gap_rules
from credit_scoring.pipelines.threshold_tuning.options import GapOptions
from credit_scoring.scorer import CreditScorer, digest_model


def decide_at(model: ScoringModel, calibration: Calibration, threshold: float) -> CreditScorer:
    return CreditScorer(model, calibration, {"threshold": threshold, "model_digest": digest_model(model, calibration)})


@pytest.fixture
def X() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    return pd.DataFrame({"EXT_SOURCE_2": generator.random(100), "AMT_CREDIT": generator.random(100)})


@pytest.fixture
def scorer(X: pd.DataFrame) -> CreditScorer:
    model = build_model("logistic_regression", {"C": 1.0}).fit(X, (X["EXT_SOURCE_2"] < 0.3).astype(int))
    return decide_at(model, Calibration("none"), 0.25)


def test_refused_exactly_when_the_probability_reaches_the_threshold(scorer: CreditScorer, X: pd.DataFrame) -> None:
    scored = scorer.predict(X)
    assert list(scored.columns) == ["probability_default", "decision", "threshold", "gaps"]
    assert scored["threshold"].unique().tolist() == [0.25]
    assert set(scored["decision"]) == {"granted", "refused"}
    assert ((scored["probability_default"] >= 0.25) == (scored["decision"] == "refused")).all()
    assert np.array_equal(scored["probability_default"], scorer.model.predict_proba(X)[:, 1])


def test_a_probability_equal_to_the_threshold_is_refused(scorer: CreditScorer, X: pd.DataFrame) -> None:
    exactly = float(scorer.predict(X.iloc[[0]])["probability_default"].iloc[0])
    assert decide_at(scorer.model, scorer.calibration, exactly).predict(X.iloc[[0]])["decision"].item() == "refused"
    above = float(np.nextafter(exactly, 1))
    assert decide_at(scorer.model, scorer.calibration, above).predict(X.iloc[[0]])["decision"].item() == "granted"


def test_rows_keep_their_index(scorer: CreditScorer, X: pd.DataFrame) -> None:
    shuffled = X.sample(frac=1, random_state=0)
    assert scorer.predict(shuffled).loc[X.index].equals(scorer.predict(X))


@pytest.mark.parametrize("method", ["none", "sigmoid", "isotonic"])
def test_the_probability_is_the_calibrated_one_and_contributions_say_how_far_they_reach(
    scorer: CreditScorer, X: pd.DataFrame, method: str
) -> None:
    raw = scorer.model.predict_proba(X)[:, 1]
    outcome = np.random.default_rng(1).random(100) < raw**2
    calibrated = decide_at(scorer.model, Calibration.fit(method, raw, outcome.astype(int)), 0.25)
    probability = calibrated.predict(X)["probability_default"].to_numpy()
    assert np.array_equal(probability, calibrated.calibration.apply(raw))
    values, base = calibrated.contributions(X)
    explained = raw if method == "isotonic" else probability
    assert base + values.sum(axis=1).to_numpy() == pytest.approx(np.log(explained / (1 - explained)))


def test_without_reasons_the_columns_are_as_ever_and_asking_for_them_is_an_error(
    scorer: CreditScorer, X: pd.DataFrame
) -> None:
    assert scorer.predict(X, {"explain": False, "language": "en"}).equals(scorer.predict(X))
    with pytest.raises(ValueError, match="made without reasons"):
        scorer.predict(X, {"explain": True})
    with pytest.raises(ValueError, match=r"Unknown language 'de'\.\nHint: reasons are told in fr or en"):
        scorer.predict(X, {"language": "de"})


def test_an_applicant_with_gaps_is_reviewed_at_any_probability_and_is_still_scored(
    scorer: CreditScorer, X: pd.DataFrame
) -> None:
    rules = learn_gap_rules(scorer.model, X.assign(AMT_CREDIT=5e5), GapOptions())
    careful = CreditScorer(scorer.model, scorer.calibration, scorer.decision_policy, gap_rules=rules)
    rows = X.assign(AMT_CREDIT=[5e5] * 97 + [-1e30, 5e9, None])
    scored, without = careful.predict(rows, {"language": "en"}), scorer.predict(rows)
    assert scored["decision"].tolist() == [*without["decision"][:97], "review", "review", "review"]
    assert scored["probability_default"].equals(without["probability_default"])
    assert [len(found) for found in scored["gaps"]] == [0] * 97 + [1, 1, 2]
    assert scored["gaps"].iloc[97] == [
        {
            "column": "AMT_CREDIT",
            "gap": "out_of_range",
            "text": "Amount of the credit applied for: implausible, expected between 40,000 currency units and "
            "5,000,000 currency units",
        }
    ]
    assert [gap["gap"] for gap in scored["gaps"].iloc[99]] == ["too_little_known", "missing"]
    absent = careful.predict(rows[["EXT_SOURCE_2"]].head(1))
    assert absent["gaps"].item() == careful.predict(rows.tail(1))["gaps"].item()


def test_a_policy_that_names_no_model_is_refused(scorer: CreditScorer) -> None:
    with pytest.raises(ValueError, match="belongs to no model that it names"):
        CreditScorer(scorer.model, scorer.calibration, {"threshold": 0.25})


def test_the_digest_names_what_was_learnt(scorer: CreditScorer, X: pd.DataFrame) -> None:
    def digest(C: float, rows: pd.DataFrame) -> str:
        model = build_model("logistic_regression", {"C": C}).fit(rows, (rows["EXT_SOURCE_2"] < 0.3).astype(int))
        return digest_model(model, Calibration("none"))

    assert digest(1.0, X) == scorer.decision_policy["model_digest"]
    assert digest(2.0, X) != digest(1.0, X)
    assert digest(1.0, X.iloc[1:]) != digest(1.0, X)
