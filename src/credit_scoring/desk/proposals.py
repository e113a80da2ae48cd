"""What the model proposes for an application, by the code that decides on the server, the command line and here."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from credit_scoring.exported_model import DESCRIPTION
from credit_scoring.exported_model.folder import ModelFolder, open_model_folder
from credit_scoring.exported_model.loading import load_decider, load_scorer
from credit_scoring.exported_model.manifest import ModelFolderError
from credit_scoring.texts import Language

MOST_REASONS = 4
REVIEW = "review"


@dataclass(frozen=True)
class Proposal:
    """What is proposed for an application.

    Attributes:
        kind: `granted`, `refused`, or `review`: gaps, a probability in the review band, tables that break a contract.
        answer: The decision as `/decisions` gives it, reasons included; empty if the tables break a contract.
        problems: Sentences that say where the tables break a contract.
        milliseconds: What it took to decide.
    """

    kind: str
    answer: Mapping[str, Any]
    problems: Sequence[str] = ()
    milliseconds: float = 0.0

    @property
    def reasons(self) -> list[Mapping[str, str]]:
        """The principal reasons, those against first, four at most."""
        told = self.answer.get("reasons", [])
        return [reason for side in ("against", "for") for reason in told if reason["effect"] == side][:MOST_REASONS]

    @property
    def in_band(self) -> bool:
        """Whether the probability lies in the review band."""
        return bool(self.answer) and is_in_band(self.answer)


class Proposer:
    """Decides, simulates and looks for changes by an exported model.

    Args:
        model: Folder of the exported model.

    Attributes:
        scorer: The scorer of the model.
        decider: What decides by it from raw tables.

    Raises:
        ModelFolderError: If the folder does not hold the model that was exported, or it came without a feature plan.
    """

    def __init__(self, model: Path) -> None:
        folder: ModelFolder = open_model_folder(model)
        self.scorer = load_scorer(folder.manifest)
        decider = load_decider(folder.manifest, self.scorer)
        if decider is None:
            raise ModelFolderError(
                f"The model in {model} has features that do not follow from raw tables alone.\n"
                "Hint: the desk needs a model without row models (docs/row_models.md)."
            )
        self.decider = decider
        self.manifest = folder.manifest.sha256
        self.identity = folder.identity
        self.made = str(yaml.safe_load(folder.manifest.read(DESCRIPTION))["utc_time_created"])[:10]

    @property
    def policy(self) -> Mapping[str, Any]:
        """The decision policy: `threshold`, perhaps `review`."""
        return self.scorer.decision_policy

    def propose(self, tables: Mapping[str, Any], language: Language) -> Proposal:
        """Decide on the raw tables of an applicant, with reasons."""
        started = time.perf_counter()
        asked = ask(tables, language)
        try:
            (answer,) = self.decider.decide([asked])
        except self.decider.input_error as error:
            _, problems = self.decider.describe_problems(error, asked)
            return Proposal(REVIEW, {}, [problem["text"] for problem in problems])
        return Proposal(_kind(answer), answer, (), round(1000 * (time.perf_counter() - started), 1))

    def propose_many(self, applicants: Sequence[Mapping[str, Any]]) -> list[tuple[str, float | None]]:
        """Return what is proposed for each applicant and the probability of default, null if it cannot be computed."""
        try:
            return [(_kind(one), one["probability_default"]) for one in self.decider.decide(applicants)]
        except self.decider.input_error:
            if len(applicants) == 1:
                return [(REVIEW, None)]
        half = len(applicants) // 2
        return [*self.propose_many(applicants[:half]), *self.propose_many(applicants[half:])]

    def simulate(self, tables: Mapping[str, Any], changes: Mapping[str, Any], language: Language) -> Mapping[str, Any]:
        """Return what `simulation` of `/decisions` says of changed tables.

        Raises:
            ValueError: If the changed tables break a contract; says where.
        """
        asked = {**tables, "simulate": changes, "params": {"language": language}}
        try:
            (answer,) = self.decider.decide([asked])
        except self.decider.input_error as error:
            raise ValueError(self.decider.describe_problems(error, asked)[0]) from None
        simulation: Mapping[str, Any] = answer["simulation"]
        return simulation

    def find_change(self, tables: Mapping[str, Any], language: Language) -> Mapping[str, Any]:
        """Return what `counterfactual` of `/decisions` says."""
        (answer,) = self.decider.decide([{**tables, "counterfactual": True, "params": {"language": language}}])
        found: Mapping[str, Any] = answer["counterfactual"]
        return found


def ask(tables: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """Return the request of `/decisions` for a decision with its reasons."""
    return {**tables, "params": {"explain": True, "language": language}}


def is_in_band(answer: Mapping[str, Any]) -> bool:
    """Whether the probability of an answer of `/decisions` lies in the review band."""
    band = answer["review_band"]
    return bool(band) and bool(band["low"] <= answer["probability_default"] < band["high"])


def _kind(answer: Mapping[str, Any]) -> str:
    return REVIEW if is_in_band(answer) else str(answer["decision"])
