"""Whether a customer would be given the same reasons, had the model learnt from other applicants."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.explanations import compare_reasons, weigh
from credit_scoring.models import ScoringModel, refit_model
from credit_scoring.parallel import Workers
from credit_scoring.pipelines.explainability.nodes import spread_rows
from credit_scoring.pipelines.explainability.options import ReliabilityOptions
from credit_scoring.reasons import ReasonBook
from credit_scoring.run_log import tell_progress
from credit_scoring.scorer import REFUSED, CreditScorer


def measure_reason_reliability(
    scorer: CreditScorer,
    champion: dict[str, Any],
    training_rows: pd.DataFrame,
    oof_predictions: pd.DataFrame,
    holdout_rows: pd.DataFrame,
    reliability: ReliabilityOptions,
    n_jobs: int = 1,
) -> dict[str, Any]:
    """Fit the champion to bootstrap samples of its training rows, and compare the reasons of declined applicants.

    Champion and refits weigh the same causes, against the mean contributions of the same sample of approved training
    applicants: a refit that gave the same model would give the same reasons. `n_jobs` refits are made at once, see
    `Workers`.

    Returns:
        `models` that were refitted; declined hold-out `applicants` compared; `top`, the number of heaviest causes
        against them; `same_first`, how often the heaviest is the same; `overlap`, the mean share of the heaviest that
        stay. Without refits or declined applicants, the last two are null.

    Raises:
        ValueError: If the scorer was made without a reason book.
    """
    declined = holdout_rows[scorer.decide(scorer.predict_proba(holdout_rows)[:, 1]) == REFUSED]
    rows = spread_rows(declined, reliability.n_applicants)
    measured = {"models": reliability.n_refits if len(rows) else 0, "applicants": len(rows), "top": reliability.top}
    probability = oof_predictions.set_index("SK_ID_CURR")["PROBABILITY"].loc[training_rows["SK_ID_CURR"]]
    approved = training_rows[scorer.decide(probability.to_numpy()) != REFUSED]
    approved = approved.sample(min(len(approved), reliability.n_reference), random_state=reliability.seed)
    book = scorer.reasons()
    if not measured["models"]:
        return {**measured, "same_first": None, "overlap": None}
    own = weigh(scorer.model, rows, approved, book)
    same, overlaps = [], []
    with Workers((scorer.model, training_rows, rows, approved, book), n_jobs) as workers:
        seeds = range(reliability.seed, reliability.seed + reliability.n_refits)
        refits = [workers.start(_weigh_refit, champion["imbalance"], seed) for seed in seeds]
        for refit in tell_progress(refits, "refitted models"):
            first, overlap = compare_reasons(own, refit(), reliability.top)
            same.append(first.mean())
            overlaps.append(overlap.mean())
    return {**measured, "same_first": float(np.mean(same)), "overlap": float(np.mean(overlaps))}


def _weigh_refit(
    shared: tuple[ScoringModel, pd.DataFrame, pd.DataFrame, pd.DataFrame, ReasonBook], imbalance: str, seed: int
) -> npt.NDArray[np.float64]:
    """Return what the causes weigh in a model that is fitted to a bootstrap sample of the training rows."""
    champion, training_rows, rows, approved, book = shared
    drawn = training_rows.sample(len(training_rows), replace=True, random_state=seed, ignore_index=True)
    return weigh(refit_model(champion, drawn, imbalance=imbalance, seed=seed), rows, approved, book)
