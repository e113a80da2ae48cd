"""The model card: what the model is for, how it was measured, and where it must not be relied on.

What it says is written in `model_card*.md.jinja`.
"""

import platform
from importlib.metadata import version
from typing import Any

import pandas as pd

from credit_scoring.exported_model.writing.requirements import package_of
from credit_scoring.features.catalogue import FEATURES, find_feature
from credit_scoring.features.records import theme_title
from credit_scoring.markdown import markdown_templates
from credit_scoring.models import ScoringModel, family_class
from credit_scoring.models.labels import list_params
from credit_scoring.pipelines.reporting.interpretability import tabulate_interpretability, tell_interpretability
from credit_scoring.pipelines.reporting.options import ResponsibilityOptions
from credit_scoring.pipelines.reporting.sentences import (
    compare_samples,
    describe_limits,
    describe_steadiness,
    explain_threshold,
)
from credit_scoring.texts import texts_in

_TEMPLATES = markdown_templates(__file__)
_ENGLISH = texts_in("en")
_PACKAGES = ("kedro", "mlflow", "numpy", "pandas", "scikit-learn", "shap")
_N_FEATURES = 10


def describe_training(
    data_quality: dict[str, Any],
    champion: dict[str, Any],
    calibration_evaluation: dict[str, Any],
    decision_policy: dict[str, Any],
    policy_evaluation: dict[str, Any],
    promotion_decision: dict[str, Any],
    tuning_gain: dict[str, Any],
    price_of_interpretability: pd.DataFrame,
    source: str,
    places: dict[str, str],
) -> str:
    """Write the sections on the data and the model as Markdown."""
    return _TEMPLATES.get_template("model_card_training.md.jinja").render(
        quality=data_quality,
        n_features=len(FEATURES),
        champion=champion,
        params=list(list_params(champion["params"])),
        family=family_class(champion["family"]).labels["en"],
        calibration=calibration_evaluation,
        policy=decision_policy,
        evaluation=policy_evaluation,
        promotion=promotion_decision,
        tuning=tuning_gain,
        complexity=_ENGLISH.say(f"complexity.{champion['complexity']}"),
        told_of_price=tell_interpretability(price_of_interpretability, champion, _ENGLISH),
        price=tabulate_interpretability(price_of_interpretability, _ENGLISH, timed=False),
        source=source,
        places=places,
    )


def describe_performance(
    champion_diagnosis: dict[str, Any],
    champion_stability: dict[str, Any],
    policy_evaluation: dict[str, Any],
    decision_policy: dict[str, Any],
) -> str:
    """Write the sections on the results and the decision as Markdown."""
    return _TEMPLATES.get_template("model_card_performance.md.jinja").render(
        diagnosis=champion_diagnosis,
        stability=champion_stability,
        evaluation=policy_evaluation,
        policy=decision_policy,
        samples=compare_samples(champion_diagnosis, _ENGLISH),
        threshold=explain_threshold(decision_policy, policy_evaluation, _ENGLISH),
    )


def describe_conduct(
    global_importance: pd.DataFrame,
    family_importance: pd.DataFrame,
    importance_stability: dict[str, Any],
    reason_reliability: dict[str, Any],
) -> str:
    """Write the section on explanations as Markdown."""
    return _TEMPLATES.get_template("model_card_conduct.md.jinja").render(
        themes=family_importance[family_importance["kind"] == "theme"],
        theme_title=theme_title,
        variables=global_importance.head(_N_FEATURES),
        find_feature=find_feature,
        steadiness=describe_steadiness(importance_stability, reason_reliability, _ENGLISH),
    )


def write_model_card(
    training: str,
    performance: str,
    protection: str,
    conduct: str,
    champion_model: ScoringModel,
    champion_diagnosis: dict[str, Any],
    policy_evaluation: dict[str, Any],
    decision_policy: dict[str, Any],
    responsibility: ResponsibilityOptions,
    source: str,
) -> str:
    """Write the card of the run's model as Markdown. It names no time and no run, so that equal runs write one text."""
    return _TEMPLATES.get_template("model_card.md.jinja").render(
        training=training,
        performance=performance,
        protection=protection,
        conduct=conduct,
        flags=champion_diagnosis["flags"],
        left_out=champion_model.left_out_,
        responsibility=responsibility,
        limits=describe_limits(policy_evaluation, champion_diagnosis, decision_policy, source, _ENGLISH),
        source=source,
        software=list_software(champion_model),
    )


def list_software(champion_model: ScoringModel) -> list[str]:
    """Return the versions of Python and of the packages that a model was made with."""
    packages = sorted({*_PACKAGES, *map(package_of, champion_model.libraries)})
    return [f"Python {platform.python_version()}", *(f"{package} {version(package)}" for package in packages)]
