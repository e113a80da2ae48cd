"""The summary of a run, made from its artefacts only; what it says is written in `run_summary*.md.jinja`."""

from typing import Any

import pandas as pd

from credit_scoring.markdown import markdown_templates
from credit_scoring.models import family_class
from credit_scoring.pipelines.reporting.imbalance import judge_treatments
from credit_scoring.pipelines.reporting.interpretability import tabulate_interpretability, tell_interpretability
from credit_scoring.pipelines.reporting.sentences import (
    compare_samples,
    count_level,
    describe_money,
    describe_review,
    describe_steadiness,
    explain_threshold,
)
from credit_scoring.pipelines.reporting.tuning import tabulate_tuning, tabulate_values, tell_tuning
from credit_scoring.texts import texts_in

_TEMPLATES = markdown_templates(__file__)
_ENGLISH = texts_in("en")


def summarise_comparison(
    leaderboard: pd.DataFrame,
    imbalance_comparison: pd.DataFrame,
    champion: dict[str, Any],
    calibration_evaluation: dict[str, Any],
    champion_diagnosis: dict[str, Any],
    tuning_gain: dict[str, Any],
    decision_policy: dict[str, Any],
    price_of_interpretability: pd.DataFrame,
) -> str:
    """Write the section on candidates, champion, price of interpretability, tuning and class imbalance as Markdown."""
    return _TEMPLATES.get_template("run_summary_comparison.md.jinja").render(
        leaderboard=leaderboard,
        imbalance=imbalance_comparison,
        verdicts=judge_treatments(imbalance_comparison, _ENGLISH),
        label=lambda family: family_class(family).labels["en"],
        champion=champion,
        calibration=calibration_evaluation,
        diagnosis=champion_diagnosis,
        level=count_level(leaderboard, champion, decision_policy["chosen_on"]["applicants"], _ENGLISH),
        told_of_tuning=tell_tuning(tuning_gain, _ENGLISH),
        tuning=tabulate_tuning(tuning_gain, _ENGLISH),
        tuned_values=tabulate_values(tuning_gain, _ENGLISH),
        told_of_price=tell_interpretability(price_of_interpretability, champion, _ENGLISH),
        price=tabulate_interpretability(price_of_interpretability, _ENGLISH),
    )


def summarise_decision(
    policy_evaluation: dict[str, Any],
    champion_diagnosis: dict[str, Any],
    decision_policy: dict[str, Any],
    amount_evaluation: dict[str, Any],
) -> str:
    """Write the section on the threshold and its cost as Markdown."""
    return _TEMPLATES.get_template("run_summary_decision.md.jinja").render(
        evaluation=policy_evaluation,
        diagnosis=champion_diagnosis,
        samples=compare_samples(champion_diagnosis, _ENGLISH),
        threshold=explain_threshold(decision_policy, policy_evaluation, _ENGLISH),
        review=describe_review(policy_evaluation, _ENGLISH),
        money=describe_money(amount_evaluation, _ENGLISH),
        by_amount=amount_evaluation["policies"]["by_amount"],
    )


def summarise_explanations(
    global_importance: pd.DataFrame,
    importance_stability: dict[str, Any],
    reason_reliability: dict[str, Any],
) -> str:
    """Write the section on what weighs, and how far reasons can be relied on, as Markdown."""
    return _TEMPLATES.get_template("run_summary_explanations.md.jinja").render(
        top=global_importance["feature"].head(5),
        steadiness=describe_steadiness(importance_stability, reason_reliability, _ENGLISH),
    )


def summarise_run(
    comparison: str,
    decision: str,
    explanations: str,
    protection: str,
    data_quality: dict[str, Any],
    promotion_decision: dict[str, Any],
    source: str,
    places: dict[str, str],
) -> str:
    """Write the run's summary as Markdown: data, its sections, what was made, what to do next."""
    return _TEMPLATES.get_template("run_summary.md.jinja").render(
        comparison=comparison,
        decision=decision,
        explanations=explanations,
        protection=protection,
        quality=data_quality,
        promotion=promotion_decision,
        source=source,
        places=places,
    )
