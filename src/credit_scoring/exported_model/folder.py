"""An exported model as it lies in its folder: checked and described, not loaded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from credit_scoring.exported_model import DESCRIPTION, INPUT_COLUMNS, KNOWN_NAMES
from credit_scoring.exported_model.contract import Contract
from credit_scoring.exported_model.manifest import Manifest, ModelFolderError, check_manifest

_TRACE = ("source", "training_data", "git_commit", "model", "model_family", "threshold")


@dataclass(frozen=True)
class ModelFolder:
    """An exported model, checked but not loaded.

    Attributes:
        path: The folder.
        contract: What the model may be sent.
        identity: Where it comes from: `model_id`, `run_id`, the tags of its version, `manifest_sha256`.
        manifest: Its files, which are read through it.
    """

    path: Path
    contract: Contract
    identity: Mapping[str, str]
    manifest: Manifest


def open_model_folder(path: Path) -> ModelFolder:
    """Check the files of an exported model and read its description.

    Raises:
        ModelFolderError: If the folder is not as it was exported, or the description is none of a scorer.
    """
    manifest = check_manifest(path)
    try:
        description = yaml.safe_load(manifest.read(DESCRIPTION))
        described = json.loads(manifest.read(INPUT_COLUMNS))
        contract = Contract.read(description["signature"], described, json.loads(manifest.read(KNOWN_NAMES)))
        metadata = description["metadata"]
        identity = {key: str(metadata[key]) for key in _TRACE if key in metadata}
        identity |= {"model_id": str(description["model_id"]), "run_id": str(description.get("run_id", "unknown"))}
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise ModelFolderError(
            f"The description of the model in {path} cannot be read: {type(error).__name__}: {error}.\n"
            "Hint: export the model again with this version of the project."
        ) from error
    return ModelFolder(path, contract, {**identity, "manifest_sha256": manifest.sha256}, manifest)
