"""Choice of the threshold on out-of-fold probabilities, its evaluation on the hold-out, the scorer made of it."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.counterfactual import Levers
from credit_scoring.gaps import GapRules
from credit_scoring.metrics.cost import (
    ApplicantCosts,
    MisclassificationCosts,
    business_cost_loss,
    cost_curve,
    curve_at,
    decision_costs,
    refuse,
)
from credit_scoring.metrics.discrimination import decision_metrics, score_metrics
from credit_scoring.metrics.threshold import (
    ReviewBand,
    bootstrap_threshold,
    break_even_threshold,
    expected_losses,
    fitted_default_rate,
    optimal_review_band,
    plateau,
    review_costs,
)
from credit_scoring.metrics.uncertainty import bootstrap_mean
from credit_scoring.models import ScoringModel
from credit_scoring.models.calibration import Calibration
from credit_scoring.models.row_models import NO_ROW_MODELS, RowModels, row_features_among
from credit_scoring.pipelines.threshold_tuning.options import (
    AmountOptions,
    CounterfactualOptions,
    PolicyOptions,
    ReviewOptions,
)
from credit_scoring.protected import ProtectedOptions
from credit_scoring.reasons import ReasonBook
from credit_scoring.scorer import CreditScorer, digest_model

_BASELINES = {"approve_all": float(np.nextafter(1.0, 2.0)), "decline_all": 0.0}
"""Thresholds of what any policy must beat."""


def compute_threshold_curve(oof_predictions: pd.DataFrame, costs: MisclassificationCosts) -> pd.DataFrame:
    """Return the exact cost curve of the champion's out-of-fold probabilities (see `metrics.cost.cost_curve`)."""
    return cost_curve(oof_predictions["TARGET"], oof_predictions["PROBABILITY"], costs)


def view_threshold_grid(threshold_curve: pd.DataFrame, policy: PolicyOptions) -> pd.DataFrame:
    """Read the exact cost curve at the usual grid of thresholds."""
    return curve_at(threshold_curve, policy.grid.thresholds).drop(columns="up_to")


def choose_policy(
    oof_predictions: pd.DataFrame,
    champion: dict[str, Any],
    champion_model: ScoringModel,
    calibration: dict[str, Any],
    costs: MisclassificationCosts,
    policy: PolicyOptions,
    review: ReviewOptions,
) -> dict[str, Any]:
    """Choose the break-even threshold of the out-of-fold probabilities; the hold-out takes no part.

    Returns:
        `threshold` with its bootstrap interval and its plateau (thresholds of about the same expected cost), `cost` out
        of fold, corrected for having been chosen there, with its interval, `theoretical_threshold` and
        `default_rate_at_theoretical`, fitted at that score (null where none is), `review` (band of the three-way
        policy, or null), `costs`, `model`, `model_family`, `model_complexity`, `model_digest` (the one model and
        calibration it is for), and what it was chosen on.

    Raises:
        ValueError: If a probability is missing, outcomes are neither 0 nor 1, or all applicants had the same outcome:
            any threshold that grants, or refuses, all of them would then look perfect.
    """
    target, probability = oof_predictions["TARGET"], oof_predictions["PROBABILITY"]
    if target.nunique() < 2:
        raise ValueError(
            f"A threshold cannot be chosen: all {len(target)} out-of-fold applicants had the outcome "
            f"{target.iloc[0] if len(target) else '(none)'}.\nHint: use training rows of both outcomes."
        )
    chosen = bootstrap_threshold(
        target,
        probability,
        costs,
        n_resamples=policy.n_resamples,
        confidence=policy.confidence,
        seed=policy.seed,
    )
    expected = expected_losses(target, probability, costs)
    low, high = plateau(expected, policy.plateau_tolerance)
    band = optimal_review_band(expected, budget=review.budget, review_cost=review.cost, error_rate=review.error_rate)
    rate = fitted_default_rate(target, probability, costs, costs.theoretical_threshold)
    return {
        "threshold": chosen.threshold.estimate,
        "threshold_interval": {"low": chosen.threshold.low, "high": chosen.threshold.high},
        "plateau": {"low": low, "high": high, "tolerance": policy.plateau_tolerance},
        "theoretical_threshold": costs.theoretical_threshold,
        "default_rate_at_theoretical": None if rate is None else float(rate),
        "cost": chosen.cost.model_dump(),
        "review": band._asdict() if review.budget else None,
        "costs": costs.model_dump(),
        "model": champion["name"],
        "model_family": champion["family"],
        "model_complexity": champion["complexity"],
        "model_digest": digest_model(champion_model, Calibration.from_dict(calibration)),
        "chosen_on": {"predictions": "out-of-fold", "applicants": len(oof_predictions)},
    }


def evaluate_policy(
    holdout_predictions: pd.DataFrame,
    decision_policy: dict[str, Any],
    costs: MisclassificationCosts,
    policy: PolicyOptions,
    review: ReviewOptions,
) -> dict[str, Any]:
    """Measure score and decisions on the hold-out, at the tuned threshold and beside the alternatives.

    Returns:
        `score` (threshold-free metrics), and under `policies` for `tuned`, `theoretical`, `half`, `approve_all`,
        `decline_all`: `threshold`, `business_cost` per applicant with its bootstrap interval, `total_cost`, the
        confusion matrix, decision metrics. `tuned_less_theoretical` is the paired difference of their costs per
        applicant with its interval. Under `three_way` the cost with a reviewer between two thresholds, and the
        shares granted, reviewed and refused.
    """
    target = holdout_predictions["TARGET"].to_numpy()
    probability = holdout_predictions["PROBABILITY"].to_numpy()
    thresholds = {
        "tuned": decision_policy["threshold"],
        "theoretical": costs.theoretical_threshold,
        "half": 0.5,
        **_BASELINES,
    }
    policies = {}
    for name, threshold in thresholds.items():
        refused = refuse(probability, threshold)
        policies[name] = {
            "threshold": threshold,
            **_price(decision_costs(target, refused, costs), policy),
            "true_positives": int(np.sum(refused & (target == 1))),
            "false_positives": int(np.sum(refused & (target == 0))),
            "false_negatives": int(np.sum(~refused & (target == 1))),
            "true_negatives": int(np.sum(~refused & (target == 0))),
            **decision_metrics(target, refused),
        }
    tuned, theoretical = (
        decision_costs(target, refuse(probability, thresholds[name]), costs) for name in ("tuned", "theoretical")
    )
    evaluation = {
        "applicants": len(target),
        "default_rate": float(target.mean()),
        "score": score_metrics(target, probability),
        "policies": policies,
        "tuned_less_theoretical": bootstrap_mean(tuned - theoretical, confidence=policy.confidence).model_dump(),
    }
    if decision_policy["review"] is None:
        return evaluation
    band = ReviewBand(**decision_policy["review"])
    cost = review_costs(target, probability, band, costs, review_cost=review.cost, error_rate=review.error_rate)
    shares = np.bincount(band.decide(probability), minlength=3) / len(target)
    three_way = {
        **band._asdict(),
        **_price(cost, policy),
        **dict(zip(("approval_rate", "review_rate", "refusal_rate"), map(float, shares), strict=True)),
        "reviewer": review.model_dump(),
    }
    return evaluation | {"three_way": three_way}


def measure_sensitivity(
    oof_predictions: pd.DataFrame,
    holdout_predictions: pd.DataFrame,
    decision_policy: dict[str, Any],
    policy: PolicyOptions,
) -> pd.DataFrame:
    """Find the break-even threshold for other ratios of the costs, out of fold, and price it on the hold-out.

    Returns:
        One row per ratio: `ratio` (cost of a bad loan approved in units of a good customer declined), `threshold`
        chosen out of fold, `theoretical_threshold`, and on the hold-out `approval_rate` and the cost per applicant of
        that threshold (`cost`), of the policy's (`policy_cost`), of approving all and of declining all.
    """
    target, probability = (holdout_predictions[name].to_numpy() for name in ("TARGET", "PROBABILITY"))
    kept = refuse(probability, decision_policy["threshold"])
    rows = []
    for ratio in policy.ratios:
        costs = MisclassificationCosts(false_negative=ratio, false_positive=1)
        threshold = break_even_threshold(oof_predictions["TARGET"], oof_predictions["PROBABILITY"], costs)
        refused = refuse(probability, threshold)
        rows.append(
            {
                "ratio": ratio,
                "threshold": threshold,
                "theoretical_threshold": costs.theoretical_threshold,
                "approval_rate": float(1 - refused.mean()),
                "cost": business_cost_loss(target, refused, costs),
                "policy_cost": business_cost_loss(target, kept, costs),
                "approve_all_cost": business_cost_loss(target, np.zeros_like(refused), costs),
                "decline_all_cost": business_cost_loss(target, np.ones_like(refused), costs),
            }
        )
    return pd.DataFrame(rows)


def evaluate_amounts(
    oof_predictions: pd.DataFrame,
    training_rows: pd.DataFrame,
    holdout_predictions: pd.DataFrame,
    holdout_rows: pd.DataFrame,
    decision_policy: dict[str, Any],
    amounts: AmountOptions,
    policy: PolicyOptions,
) -> dict[str, Any]:
    """Price decisions by what each applicant asked for: a default loses a share of it, a refusal forgoes the margin.

    Returns:
        Under `policies`, on the hold-out, for the policy's threshold (`tuned`), the one that breaks even in
        amounts out of fold (`by_amount`), `approve_all` and `decline_all`: `threshold`, `business_cost` (mean amount
        per applicant) with its bootstrap interval, `total_cost`, `approval_rate`. And `rates`, the shares behind the
        costs.

    Raises:
        ValueError: If an amount is missing, zero or negative.
    """
    threshold = break_even_threshold(
        oof_predictions["TARGET"], oof_predictions["PROBABILITY"], _costs_of(oof_predictions, training_rows, amounts)
    )
    target, probability = (holdout_predictions[name].to_numpy() for name in ("TARGET", "PROBABILITY"))
    costs = _costs_of(holdout_predictions, holdout_rows, amounts)
    policies = {}
    for name, at in {"tuned": decision_policy["threshold"], "by_amount": threshold, **_BASELINES}.items():
        refused = refuse(probability, at)
        price = _price(decision_costs(target, refused, costs), policy)
        policies[name] = {"threshold": at, **price, "approval_rate": float(1 - refused.mean())}
    return {"policies": policies, "rates": amounts.model_dump()}


def build_scorer(
    champion_model: ScoringModel,
    calibration: dict[str, Any],
    decision_policy: dict[str, Any],
    reason_book: ReasonBook,
    gap_rules: GapRules,
    protected: ProtectedOptions,
    row_models: RowModels = NO_ROW_MODELS,
    counterfactual: CounterfactualOptions = CounterfactualOptions(),  # noqa: B008 - nobody can change it
) -> CreditScorer:
    """Put model, calibration, policy, the words of reasons, rules of gaps and levers together into what is served.

    The row models go with it if the champion has features from them.

    Raises:
        ValueError: If the model learnt from a protected attribute, as one fitted before it was protected did.
    """
    if used := protected.found_in(champion_model.feature_names_in_):
        raise ValueError(
            f"The champion cannot be served: it learnt from {', '.join(used)}, which derive from the protected "
            f"{', '.join(protected.columns)}.\nHint: `kedro run --pipelines modelling` fits one without them."
        )
    kept = row_models if row_features_among(champion_model.feature_names_in_) else NO_ROW_MODELS
    return CreditScorer(
        champion_model,
        Calibration.from_dict(calibration),
        decision_policy,
        reason_book,
        kept,
        gap_rules,
        Levers(**counterfactual.model_dump()),
    )


def _price(cost: npt.NDArray[np.float64], policy: PolicyOptions) -> dict[str, Any]:
    interval = bootstrap_mean(cost, confidence=policy.confidence)
    return {
        "business_cost": interval.estimate,
        "business_cost_interval": {"low": interval.low, "high": interval.high},
        "total_cost": interval.estimate * len(cost),
    }


def _costs_of(predictions: pd.DataFrame, rows: pd.DataFrame, amounts: AmountOptions) -> ApplicantCosts:
    credit = rows.set_index("SK_ID_CURR")["AMT_CREDIT"].loc[predictions["SK_ID_CURR"]].to_numpy(dtype=float)
    return ApplicantCosts(amounts.loss_given_default * credit, amounts.margin * credit)
