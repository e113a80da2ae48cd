"""What a reader calls a candidate."""

from credit_scoring.models import family_class
from credit_scoring.texts import Texts

HAND_SET = "_hand_set"
"""Ends the name of a tuned candidate's other self: the one with the hyper-parameters that were set by hand."""

ROW_MODELS = "_row_models"
"""Ends the name of a candidate's other self: the one with features from row models."""


def name_candidate(family: str, imbalance: str, name: str, texts: Texts) -> str:
    """Write a candidate in words; one that is more than its family and a treatment of imbalance keeps its own name."""
    if name.endswith(ROW_MODELS):
        plain = name_candidate(family, imbalance, name.removesuffix(ROW_MODELS), texts)
        return f"{plain}, {texts.say('common.row_models')}"
    if name == f"{family}{HAND_SET}":
        return f"{family_class(family).labels[texts.language]}, {texts.say('common.hand_set')}"
    treated = imbalance != "none"
    if name != (f"{family}_{imbalance}" if treated else family):
        return name
    label = family_class(family).labels[texts.language]
    return f"{label}, {name_treatment(imbalance, texts)}" if treated else label


def name_treatment(imbalance: str, texts: Texts) -> str:
    """Write a treatment of class imbalance in words."""
    return texts.say(f"common.treatment.{imbalance}")
