"""From an exported model to a scorer: whether it can score here as it did, its own code, what it then offers."""

import pickle
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import ExecutionLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, version
from importlib.util import decode_source, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import numpy as np
import numpy.typing as npt
import yaml
from packaging.requirements import Requirement

from credit_scoring.exported_model import CODE, FEATURE_PLAN, PYTHON, REQUIREMENTS, SCORER
from credit_scoring.exported_model.manifest import Manifest, ModelFolderError

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
        self,
        encoded: npt.NDArray[np.float64],
        texts: Mapping[str, Sequence[str | None]],
        language: str,
        probability: npt.NDArray[np.float64] | None = None,
    ) -> list[list[dict[str, str]]]:
        """Return the reasons of coded rows, of which the probability of default may be known."""

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


class ServedDecider(Protocol):
    """What a server asks of what decides from raw tables; see `decisions.Decider`.

    Attributes:
        input_error: What `decide` raises if a request is not in order.
    """

    input_error: type[Exception]

    @property
    def tables(self) -> Mapping[str, Mapping[str, Any]]:
        """Raw table -> its contract as data."""

    def decide(self, applicants: Sequence[Any], most_rows: int | None = None) -> list[dict[str, Any]]:
        """Decide on applicants."""

    def describe_problems(self, error: Exception, applicants: Any) -> tuple[str, list[dict[str, Any]]]:
        """Say what is wrong with a request."""


def differing_versions(folder: Path) -> tuple[list[str], list[str]]:
    """Compare what is installed with what the model was made with.

    Returns:
        Differences that may change a score or break the model (a package that is missing, or another minor version of
        one that the pickle holds objects of), and those that should not matter.
    """
    grave: list[str] = []
    slight: list[str] = []
    for line in (folder / REQUIREMENTS).read_text(encoding="utf-8").splitlines():
        pin = Requirement(line)
        if pin.marker is not None and not pin.marker.evaluate():
            continue  # of other systems
        name, made_with = pin.name, str(pin.specifier).removeprefix("==")
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


@dataclass(frozen=True)
class _CheckedCode(MetaPathFinder, ExecutionLoader):
    """Imports the model's own copy of the code, from listed sources alone: bytecode is neither read nor written."""

    manifest: Manifest

    def find_spec(self, name: str, path: Sequence[str] | None, _: ModuleType | None = None) -> ModuleSpec | None:
        """Find a module of the model; of its packages, no other finder may add any."""
        if self._file(name):
            return spec_from_loader(name, self)
        code = str(self.manifest.folder / CODE)
        if any(Path(place).is_relative_to(code) for place in path or ()):
            raise ModuleNotFoundError(f"No module named {name!r} is listed in {self.manifest.folder}", name=name)
        return None

    def is_package(self, name: str) -> bool:
        return self.get_filename(name).endswith("/__init__.py")

    def get_filename(self, name: str) -> str:
        return str(self.manifest.folder / self._file(name))

    def get_source(self, name: str) -> str:
        return decode_source(self.manifest.read(self._file(name)))

    def get_data(self, path: str) -> bytes:
        """Return a file that lies beside a module."""
        return self.manifest.read(Path(path).relative_to(self.manifest.folder).as_posix())

    def _file(self, name: str) -> str:
        """Return the listed file of a module; empty if there is none."""
        place = f"{CODE}/{name.replace('.', '/')}"
        return next((file for file in (f"{place}/__init__.py", f"{place}.py") if file in self.manifest.digests), "")


def use_code_of(manifest: Manifest) -> None:
    """Let the modules that the scorer consists of come from the model's own copy of the code."""
    finder = _CheckedCode(manifest)
    if finder not in sys.meta_path:
        sys.meta_path.insert(0, finder)


def load_scorer(manifest: Manifest) -> ServedScorer:
    """Return the scorer of a folder that was checked, made of the code that is imported, or else importable.

    Raises:
        ModelFolderError: If its file was altered since, cannot be read, or was made by a version of the project whose
            scorers are asked in another way.
    """
    return unpickle_scorer(manifest.read(SCORER), manifest.folder)


def unpickle_scorer(pickled: bytes, folder: Path) -> ServedScorer:
    """Return the scorer that a file of a folder holds. It is executable content: be sure where it comes from.

    Raises:
        ModelFolderError: If it cannot be read, or is none that can be asked here.
    """
    hint = "Hint: serve it with the version of the project that made it, or make one with this version (kedro run)."
    try:
        scorer = pickle.loads(pickled)
    except (ImportError, AttributeError) as error:
        raise ModelFolderError(
            f"The scorer in {folder} does not fit the code that is here: {type(error).__name__}: {error}.\n{hint}"
        ) from error
    except Exception as error:  # of a damaged file, anything
        raise ModelFolderError(
            f"The scorer in {folder} cannot be read: {type(error).__name__}: {str(error).rstrip('.')}.\n{hint}"
        ) from error
    if not isinstance(scorer, ServedScorer):
        raise ModelFolderError(f"The scorer in {folder} was made by another version of the project.\n{hint}")
    return scorer


def load_decider(manifest: Manifest, scorer: ServedScorer) -> ServedDecider | None:
    """Return what decides from raw tables by a loaded scorer and its feature plan; null if the model has none.

    Raises:
        ModelFolderError: If the plan was altered since the check, or does not fit the code that is imported.
    """
    if FEATURE_PLAN not in manifest.digests:
        return None
    plan = manifest.read(FEATURE_PLAN)
    try:
        # By name: what a server imports of it is the model's own
        return cast(ServedDecider, import_module("credit_scoring.decisions").make_decider(plan, scorer))
    except Exception as error:
        raise ModelFolderError(
            f"The {FEATURE_PLAN} in {manifest.folder} does not fit the code that is here: {type(error).__name__}: "
            f"{error}.\nHint: export the model again with this version of the project."
        ) from error
