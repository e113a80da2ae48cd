"""What a reader calls a candidate, and its hyper-parameters."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from credit_scoring.models import family_class
from credit_scoring.texts import LANGUAGES, Texts, texts_in

HAND_SET = "_hand_set"
"""Ends the name of a tuned candidate's other self: the one with the hyper-parameters that were set by hand."""

MONOTONE = "_monotone"
"""Ends the name of a candidate that is its family under the declared directions and nothing else."""

ROW_MODELS = "_row_models"
"""Ends the name of a candidate's other self: the one with features from row models."""


def label_candidates(candidates: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return what a reader calls candidates: by name, language -> label.

    A label says the family and what is done to it: constraints, a treatment of class imbalance, row models, hand-set
    values in place of those found. Candidates that would be called the same have their names beside it.

    Args:
        candidates: Name -> description of a candidate, with `family`, `monotone`, `imbalance` and `row_models`.
    """
    labels: dict[str, dict[str, str]] = {name: {} for name in candidates}
    for language in LANGUAGES:
        texts = texts_in(language)
        described = {name: _describe(name, candidate, texts) for name, candidate in candidates.items()}
        times = Counter(described.values())
        for name, label in described.items():
            labels[name][language] = label if times[label] == 1 else f"{label} ({name})"
    return labels


def _describe(name: str, candidate: Mapping[str, Any], texts: Texts) -> str:
    notes = (
        family_class(candidate["family"]).labels[texts.language],
        texts.say("common.monotone") if candidate["monotone"] else "",
        name_treatment(candidate["imbalance"], texts) if candidate["imbalance"] != "none" else "",
        texts.say("common.hand_set") if name.endswith(HAND_SET) else "",
        texts.say("common.row_models") if candidate["row_models"] else "",
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
