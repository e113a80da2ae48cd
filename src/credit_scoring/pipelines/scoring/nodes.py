"""Scores for applicants whose outcome is not known yet."""

import pandas as pd

from credit_scoring.scorer import CreditScorer


def score_applicants(applicant_features: pd.DataFrame, credit_scorer: CreditScorer) -> pd.DataFrame:
    """Score and decide every applicant without an outcome, with the exported scorer.

    Returns:
        One row per applicant, in the order of `SK_ID_CURR`: the id, `probability_default`, `decision`, `threshold`.
    """
    to_score = applicant_features.loc[applicant_features["TARGET"].isna()].sort_values("SK_ID_CURR", ignore_index=True)
    scores = credit_scorer.predict(to_score)
    scores.insert(0, "SK_ID_CURR", to_score["SK_ID_CURR"])
    return scores


def format_kaggle_submission(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the scores as the competition wants them: `SK_ID_CURR`, `TARGET` (probability of default)."""
    return scores[["SK_ID_CURR", "probability_default"]].rename(columns={"probability_default": "TARGET"})
