"""What a reader calls a candidate, and its hyper-parameters."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from credit_scoring.models import family_class
from credit_scoring.texts import Texts

HAND_SET = "_hand_set"
"""Ends the name of a tuned candidate's other self: the one with the hyper-parameters that were set by hand."""

MONOTONE = "_monotone"
"""Ends the name of a candidate that is its family under the declared directions and nothing else."""

ROW_MODELS = "_row_models"
"""Ends the name of a candidate's other self: the one with features from row models."""


def name_candidate(family: str, imbalance: str, name: str, texts: Texts) -> str:
    """Write a candidate in words; one that is more than its family and a treatment of imbalance keeps its own name."""
    if name.endswith(ROW_MODELS):
        plain = name_candidate(family, imbalance, name.removesuffix(ROW_MODELS), texts)
        return f"{plain}, {texts.say('common.row_models')}"
    treatment = "" if imbalance == "none" else f"_{imbalance}"
    ending = re.fullmatch(f"{family}({MONOTONE})?{treatment}({HAND_SET})?", name)
    if ending is None:
        return name
    monotone, hand_set = ending.groups()
    notes = (
        family_class(family).labels[texts.language],
        texts.say("common.monotone") if monotone else "",
        name_treatment(imbalance, texts) if treatment else "",
        texts.say("common.hand_set") if hand_set else "",
    )
    return ", ".join(filter(None, notes))


def list_params(params: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield hyper-parameters one by one; those of a blend's members by the path to them, `members.lightgbm.n_seeds`."""
    for name, value in params.items():
        if isinstance(value, Mapping) and value:
            yield from ((f"{name}.{inner}", found) for inner, found in list_params(value))
        else:
            yield name, value


def name_treatment(imbalance: str, texts: Texts) -> str:
    """Write a treatment of class imbalance in words."""
    return texts.say(f"common.treatment.{imbalance}")
