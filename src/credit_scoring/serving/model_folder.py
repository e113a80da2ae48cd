"""Reading an exported model: what it wants to be sent, where it comes from, what it was made with, and the scorer."""

import json
import pickle
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

import credit_scoring
from credit_scoring.serving.manifest import ModelFolderError, check_manifest

# A pickle, and the last bit of a score, are only sure to be the same within one minor version of these.
_MINOR_MATTERS = frozenset({"lightgbm", "numpy", "pandas", "scikit-learn", "scipy", "xgboost", "xgboost-cpu"})
_TRACE = ("source", "training_data", "git_commit", "model", "model_family", "threshold")


@dataclass(frozen=True)
class Column:
    """One column of a request.

    Attributes:
        name: Its name.
        is_text: Whether it holds categories as text; otherwise it holds numbers.
        required: Whether it must be there. Any column may hold null.
        facts: What `input_columns.json` says of it.
    """

    name: str
    is_text: bool
    required: bool
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Contract:
    """What a model may be sent.

    Attributes:
        columns: Columns of the signature, in its order, which is that of the scorer's features.
        parameters: Default value of each parameter; its type is that of the value.
    """

    columns: tuple[Column, ...]
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class ModelFolder:
    """An exported model, checked but not loaded.

    Attributes:
        path: The folder.
        contract: What the model may be sent.
        identity: Where it comes from: `model_id`, `run_id`, and the tags of its version.
    """

    path: Path
    contract: Contract
    identity: Mapping[str, str]


def open_model_folder(path: Path) -> ModelFolder:
    """Check the files of an exported model and read its description.

    Raises:
        ModelFolderError: If files are missing, altered or unlisted, or the description is none of a scorer.
    """
    manifest = check_manifest(path)
    try:
        description = yaml.safe_load((path / "MLmodel").read_text(encoding="utf-8"))
        signature = description["signature"]
        inputs, parameters = json.loads(signature["inputs"]), json.loads(signature["params"])
        described = json.loads((path / "input_columns.json").read_text(encoding="utf-8"))
        facts = {column["name"]: column for column in described}
        columns = tuple(
            Column(item["name"], item["type"] == "string", item["required"], facts.get(item["name"], {}))
            for item in inputs
        )
        contract = Contract(columns, {item["name"]: item["default"] for item in parameters})
        metadata = description["metadata"]
        identity = {key: str(metadata[key]) for key in _TRACE if key in metadata}
        identity |= {"model_id": str(description["model_id"]), "run_id": str(description.get("run_id", "unknown"))}
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise ModelFolderError(
            f"The description of the model in {path} cannot be read: {type(error).__name__}: {error}.\n"
            "Hint: export the model again with this version of the project."
        ) from error
    return ModelFolder(path, contract, {**identity, "manifest_sha256": manifest})


def differing_versions(path: Path) -> tuple[list[str], list[str]]:
    """Compare what is installed with what the model was made with.

    Returns:
        Differences that may change a score or break the model (a package that is missing, or another minor version of
        one that the pickle holds objects of), and those that should not matter.
    """
    grave: list[str] = []
    slight: list[str] = []
    for line in (path / "requirements.txt").read_text(encoding="utf-8").split():
        name, _, made_with = line.partition("==")
        try:
            installed = version(name)
        except PackageNotFoundError:
            grave.append(f"{name} {made_with} is not installed")
            continue
        if installed == made_with:
            continue
        matters = name in _MINOR_MATTERS and installed.split(".")[:2] != made_with.split(".")[:2]
        (grave if matters else slight).append(f"{name} is {installed}, the model was made with {made_with}")
    description = yaml.safe_load((path / "python_env.yaml").read_text(encoding="utf-8"))
    here, there = platform.python_version(), str(description["python"])
    if here.split(".")[:2] != there.split(".")[:2]:
        slight.append(f"Python is {here}, the model was made with {there}")
    return grave, slight


def use_code_of(path: Path) -> None:
    """Let the modules that the scorer consists of come from the model's own copy of the code."""
    code = str(path.resolve() / "code" / "credit_scoring")
    if code not in credit_scoring.__path__:
        credit_scoring.__path__.insert(0, code)


def load_scorer(path: Path) -> Any:
    """Return the scorer. The file is executable content: check the folder first, and where it comes from."""
    use_code_of(path)
    with (path / "model.pkl").open("rb") as file:
        return pickle.load(file)
