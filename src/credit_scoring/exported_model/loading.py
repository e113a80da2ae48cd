"""From an exported model to a scorer: whether it can score here as it did, its own code, what it then offers."""

import pickle
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import yaml

import credit_scoring
from credit_scoring.exported_model import PYTHON, REQUIREMENTS, SCORER
from credit_scoring.exported_model.manifest import ModelFolderError

if TYPE_CHECKING:
    import pandas as pd

# A pickle, and the last bit of a score, are only sure to be the same within one minor version of what computes them,
# the library of the model's family included. These packages carry requests and words.
_ANY_MINOR_DOES = frozenset(
    {
        "babel", "cloudpickle", "fastapi", "httptools", "mlflow-skinny", "orjson", "prometheus-client",
        "pydantic-settings", "pyyaml", "uvicorn", "uvloop",
    }
)  # fmt: skip


@runtime_checkable
class ServedScorer(Protocol):
    """What a server asks of a scorer, which may come from another version of the project; see `CreditScorer`.

    Attributes:
        decision_policy: Its `threshold` is what decides.
    """

    decision_policy: Mapping[str, Any]

    @property
    def feature_names_in_(self) -> npt.NDArray[np.str_]:
        """Columns of a row, in order."""

    @property
    def category_codes(self) -> Mapping[str, Mapping[str | None, float]] | None:
        """By text column, the number of each category in a coded row; null if the model takes tables only."""

    def predict(self, X: "pd.DataFrame", params: Mapping[str, Any] | None = None) -> "pd.DataFrame":
        """Score, decide and give reasons, from a table."""

    def score_coded(self, encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probability of default of coded rows."""

    def explain_coded(
        self, encoded: npt.NDArray[np.float64], texts: Mapping[str, Sequence[str | None]], language: str
    ) -> list[list[dict[str, str]]]:
        """Return the reasons of coded rows."""

    def find_gaps_coded(
        self, encoded: npt.NDArray[np.float64], texts: Mapping[str, Sequence[str | None]], language: str
    ) -> list[list[dict[str, str | None]]]:
        """Return the gaps of coded rows."""

    def name_unknown(self, meant: Sequence[str | None], language: str) -> list[dict[str, str | None]]:
        """Return the gaps of names that nobody knows, from the columns that may be meant."""

    def decide(
        self, probability: npt.NDArray[np.float64], gaps: Sequence[Sequence[Any]] | None = None
    ) -> npt.NDArray[np.str_]:
        """Return the decision for each probability, given each applicant's gaps."""


def differing_versions(folder: Path) -> tuple[list[str], list[str]]:
    """Compare what is installed with what the model was made with.

    Returns:
        Differences that may change a score or break the model (a package that is missing, or another minor version of
        one that the pickle holds objects of), and those that should not matter.
    """
    grave: list[str] = []
    slight: list[str] = []
    for line in (folder / REQUIREMENTS).read_text(encoding="utf-8").split():
        name, _, made_with = line.partition("==")
        try:
            installed = version(name)
        except PackageNotFoundError:
            grave.append(f"{name} {made_with} is not installed")
            continue
        if installed == made_with:
            continue
        matters = name not in _ANY_MINOR_DOES and installed.split(".")[:2] != made_with.split(".")[:2]
        (grave if matters else slight).append(f"{name} is {installed}, the model was made with {made_with}")
    description = yaml.safe_load((folder / PYTHON).read_text(encoding="utf-8"))
    here, there = platform.python_version(), str(description["python"])
    if here.split(".")[:2] != there.split(".")[:2]:
        slight.append(f"Python is {here}, the model was made with {there}")
    return grave, slight


def use_code_of(folder: Path) -> None:
    """Let the modules that the scorer consists of come from the model's own copy of the code."""
    code = str(folder.resolve() / "code" / "credit_scoring")
    if code not in credit_scoring.__path__:
        credit_scoring.__path__.insert(0, code)


def load_scorer(folder: Path) -> ServedScorer:
    """Return the scorer, made of the code that is imported, or else importable.

    The file is executable content: check the folder first, and where it comes from.

    Raises:
        ModelFolderError: If it was made by a version of the project whose scorers are asked in another way.
    """
    hint = "Hint: serve it with the version of the project that made it, or make one with this version (kedro run)."
    try:
        with (folder / SCORER).open("rb") as file:
            scorer = pickle.load(file)
    except (ImportError, AttributeError) as error:
        raise ModelFolderError(
            f"The scorer in {folder} does not fit the code that is here: {type(error).__name__}: {error}.\n{hint}"
        ) from error
    if not isinstance(scorer, ServedScorer):
        raise ModelFolderError(f"The scorer in {folder} was made by another version of the project.\n{hint}")
    return scorer
