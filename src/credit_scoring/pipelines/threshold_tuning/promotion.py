"""Whether this run's scorer replaces the champion, decided on out-of-fold costs alone, and its release."""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.metrics.cost import MisclassificationCosts, decision_costs, refuse
from credit_scoring.metrics.uncertainty import mean_interval
from credit_scoring.models.complexity import Complexity, within
from credit_scoring.pipelines.threshold_tuning.options import PromotionOptions
from credit_scoring.protected import ProtectedOptions
from credit_scoring.scorer import CreditScorer, Incumbent, ScorerRelease

_OBSTACLES = {
    "other_rows": "was trained on other rows",
    "other_folds": "was cross-validated on other folds",
    "no_decisions": "was registered without its out-of-fold decisions",
}
"""Why the costs of a champion and of a challenger may not be paired applicant by applicant."""


def record_decisions(oof_predictions: pd.DataFrame, decision_policy: dict[str, Any]) -> pd.DataFrame:
    """Decide on every training applicant as the version would, by a model that never saw the applicant.

    The cut-off is the policy's, chosen on all of these applicants: each version's is as well fitted to them. One of the
    other folds for each fold would add a noise that all applicants of a fold share, and that no test over applicants
    sees (see docs/promotion_and_tuning.md).

    Returns:
        One row per applicant: `SK_ID_CURR`, `TARGET`, `FOLD`, `PROBABILITY` (calibrated), `REFUSED`.
    """
    decisions = oof_predictions[["SK_ID_CURR", "TARGET", "FOLD", "PROBABILITY"]].reset_index(drop=True)
    return decisions.assign(REFUSED=refuse(decisions["PROBABILITY"], decision_policy["threshold"]))


def decide_promotion(
    out_of_fold_decisions: pd.DataFrame,
    decision_policy: dict[str, Any],
    incumbent: Incumbent | None,
    costs: MisclassificationCosts,
    promotion: PromotionOptions,
    protected: ProtectedOptions,
    max_complexity: Complexity,
) -> dict[str, Any]:
    """Decide whether this run's scorer replaces the champion of the registry; the hold-out takes no part.

    It does if its out-of-fold decisions cost less than the champion's, on the same applicants in the same folds, by
    more than chance allows; if there is nobody to replace, or nobody who can or may be served; or if
    `promotion.force` is set.

    Every challenger is another chance for chance. So the k-th model that is compared with one champion is tested
    one-sidedly at the level alpha / (k (k + 1)), with alpha = 1 - `confidence`: these levels add up to alpha, however
    many come (Bonferroni's inequality with unequal shares). A model that comes again is not counted again.

    Args:
        out_of_fold_decisions: See `record_decisions`.
        decision_policy: Of this run; names its model.
        incumbent: The champion, or null.
        costs: Prices of the wrong decisions, of both models.
        promotion: Level, and whether to promote in any case.
        protected: What no model may learn from. A champion that did is replaced even if its decisions cost less: it may
            not go on being served.
        max_complexity: The most complex model that the lender serves; this run's is within it. A champion above it, or
            one that was registered without its complexity, is replaced even if its decisions cost less, likewise. A
            preference for simple models is none for this decision: it only chooses among the candidates of a run.

    Returns:
        `promoted`, `forced` (although it was not found better), `reason`, `incumbent` (its version, or null),
        `obstacle` (why there is no difference of costs: `unloadable`, `protected`, `too_complex`, `other_rows`,
        `other_folds`, `no_decisions`, `equal`; or null), `comparison` (which one with this champion, or null),
        `cost_difference` per applicant with its interval and its `confidence`, which is that of the test (null where
        there was nothing to compare), `training_data` and `training_folds` (digests of the training rows and of their
        folds).
    """
    rows, folds = _digest(out_of_fold_decisions, "TARGET"), _digest(out_of_fold_decisions, "TARGET", "FOLD")
    decision: dict[str, Any] = {
        "promoted": True,
        "forced": False,
        "reason": "",
        "incumbent": incumbent.version if incumbent else None,
        "obstacle": None,
        "comparison": None,
        "cost_difference": None,
        "training_data": rows,
        "training_folds": folds,
    }
    if incumbent is None:
        return decision | {"reason": "there is no champion yet"}
    if vacancy := _find_vacancy(incumbent, protected, max_complexity):
        obstacle, reason = vacancy
        return decision | {"reason": f"version {incumbent.version} {reason}", "obstacle": obstacle}

    def unless_forced(reason: str, **found: Any) -> dict[str, Any]:
        told = f"{reason}; promoted because promotion.force is set" if promotion.force else reason
        return decision | found | {"promoted": promotion.force, "forced": promotion.force, "reason": told}

    if hindrance := _find_obstacle(incumbent, rows, folds):
        reason = f"version {incumbent.version} {_OBSTACLES[hindrance]}: costs cannot be compared applicant by applicant"
        advice = "" if promotion.force else ". To replace it all the same: kedro run --params promotion.force=true"
        return unless_forced(reason + advice, obstacle=hindrance)
    difference = _compare_costs(out_of_fold_decisions, incumbent.out_of_fold, costs)
    if not difference.any():
        reason = f"all {len(difference)} out-of-fold decisions cost the same as those of version {incumbent.version}"
        return unless_forced(reason, obstacle="equal")
    number = _count_comparisons(incumbent, decision_policy["model_digest"])
    confidence = 1 - 2 * (1 - promotion.confidence) / (number * (number + 1))
    interval = mean_interval(difference, confidence=confidence)
    reason = (
        f"out-of-fold cost per applicant {interval.estimate:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}] against "
        f"version {incumbent.version} on the same {len(difference)} applicants and folds, comparison {number} with it, "
        f"confidence {confidence:.2%}: "
    )
    found = {"comparison": number, "cost_difference": {**interval.model_dump(), "confidence": confidence}}
    if interval.high < 0:
        return decision | found | {"reason": f"{reason}better by more than chance"}
    return unless_forced(f"{reason}no better than chance allows", **found)


def release_scorer(
    scorer: CreditScorer,
    policy_evaluation: dict[str, Any],
    promotion_decision: dict[str, Any],
    out_of_fold_decisions: pd.DataFrame,
    training_rows: pd.DataFrame,
    holdout_rows: pd.DataFrame,
    incumbent: Incumbent | None,
    source: str,
) -> ScorerRelease:
    """Describe the scorer for registry and server, with the first five hold-out applicants as an example.

    The version notes which hold-out it was measured on, and how many versions have been: it only reports, but whoever
    chooses among versions by it should know.
    """
    features = list(scorer.feature_names_in_)
    policy, tuned, score = scorer.decision_policy, policy_evaluation["policies"]["tuned"], policy_evaluation["score"]
    interval = tuned["business_cost_interval"]
    holdout = _digest(holdout_rows, "TARGET")
    history = incumbent.history if incumbent else ()
    opening = 1 + sum(tags.get("holdout_data") == holdout for tags in history)
    description = (
        f"Probability of default and decision of the `{policy['model']}` champion on **{source}** data. Refuses at "
        f"{tuned['threshold']:.4f}: business cost {tuned['business_cost']:.4f} per applicant "
        f"[{interval['low']:.4f}, {interval['high']:.4f}] on the hold-out "
        f"({policy_evaluation['applicants']} applicants; versions measured on it so far: {opening}), ROC AUC "
        f"{score['roc_auc']:.4f}.\n\n"
        f"{'Promoted' if promotion_decision['promoted'] else 'Not promoted'}: {promotion_decision['reason']}."
    )
    tags = {
        "source": source,
        "model": policy["model"],
        "model_family": policy["model_family"],
        "complexity": policy["model_complexity"],
        "model_digest": policy["model_digest"],
        "cost_ratio": f"{policy['costs']['false_negative'] / policy['costs']['false_positive']:g}",
        "threshold": f"{tuned['threshold']:.6f}",
        "holdout_business_cost": f"{tuned['business_cost']:.6f}",
        "holdout_roc_auc": f"{score['roc_auc']:.6f}",
        "holdout_data": holdout,
        "holdout_applicants": str(policy_evaluation["applicants"]),
        "holdout_opening": str(opening),
        "training_data": promotion_decision["training_data"],
        "training_folds": promotion_decision["training_folds"],
        "promotion": promotion_decision["reason"],
    }
    if promotion_decision["comparison"] is not None:
        tags["compared_with"] = promotion_decision["incumbent"]
    return ScorerRelease(
        scorer=scorer,
        example_rows=training_rows[features],
        input_example=holdout_rows[features].head(5),
        description=description,
        promoted=promotion_decision["promoted"],
        tags=tags,
        out_of_fold=out_of_fold_decisions,
    )


def _find_vacancy(
    incumbent: Incumbent, protected: ProtectedOptions, max_complexity: Complexity
) -> tuple[str, str] | None:
    """Say why the champion cannot go on being served, if so."""
    if incumbent.problem:
        return "unloadable", f"cannot be loaded any more: {incumbent.problem}"
    if used := protected.found_in(incumbent.features):
        return "protected", f"was trained on protected attributes: {', '.join(used)}"
    complexity = incumbent.tags.get("complexity")
    if not within(complexity, max_complexity):
        found = f"is `{complexity}`" if complexity else "was registered without its complexity"
        return "too_complex", f"{found}, and champion.max_complexity allows at most `{max_complexity}`"
    return None


def _find_obstacle(incumbent: Incumbent, rows: str, folds: str) -> str | None:
    if incumbent.tags.get("training_data") != rows:
        return "other_rows"
    if incumbent.out_of_fold.empty:
        return "no_decisions"
    return None if incumbent.tags.get("training_folds") == folds else "other_folds"


def _compare_costs(mine: pd.DataFrame, its: pd.DataFrame, costs: MisclassificationCosts) -> npt.NDArray[np.float64]:
    """Return what each applicant's decision costs more, or less, than the other model's, at the same prices."""
    its_refusals = its.set_index("SK_ID_CURR")["REFUSED"].loc[mine["SK_ID_CURR"]].to_numpy()
    return decision_costs(mine["TARGET"], mine["REFUSED"], costs) - decision_costs(mine["TARGET"], its_refusals, costs)


def _count_comparisons(incumbent: Incumbent, model_digest: str) -> int:
    """Return which comparison with this champion one with the named model is, counting from 1."""
    compared = {tags["model_digest"] for tags in incumbent.history if tags.get("compared_with") == incumbent.version}
    return len(compared - {model_digest}) + 1


def _digest(rows: pd.DataFrame, *columns: str) -> str:
    """Name a set of applicants, in any order, by what some columns hold of each."""
    hashed = pd.util.hash_pandas_object(rows[["SK_ID_CURR", *columns]].astype("int64"), index=False)
    return hashlib.sha256(np.sort(hashed.to_numpy()).tobytes()).hexdigest()[:16]
