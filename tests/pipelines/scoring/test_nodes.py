"""Batch scoring takes applicants without outcome, in the order of their ids."""

import pandas as pd

from credit_scoring.models import build_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.scoring.nodes import format_kaggle_submission, score_applicants
from credit_scoring.scorer import CreditScorer, digest_model


def test_only_applicants_without_outcome_are_scored_in_order() -> None:
    X = pd.DataFrame({"EXT_SOURCE_2": [0.1, 0.9, 0.2, 0.8]})
    model = build_model("logistic_regression", {}).fit(X, [1, 0, 1, 0])
    policy = {"threshold": 0.5, "model_digest": digest_model(model, Calibration("none"))}
    scorer = CreditScorer(model, Calibration("none"), policy)
    features = pd.DataFrame(
        {
            "SK_ID_CURR": [4, 1, 3, 2],
            "TARGET": pd.array([None, 0, None, 1], dtype="Int32"),
            "EXT_SOURCE_2": [0.9, 0.5, 0.1, 0.5],
        }
    )
    scores = score_applicants(features, scorer)
    assert scores["SK_ID_CURR"].tolist() == [3, 4]
    assert scores["decision"].tolist() == ["refused", "granted"]
    assert scores["probability_default"].tolist() == scorer.predict_proba(features.iloc[[2, 0]])[:, 1].tolist()
    submission = format_kaggle_submission(scores)
    assert list(submission.columns) == ["SK_ID_CURR", "TARGET"]
    assert submission["TARGET"].tolist() == scores["probability_default"].tolist()
