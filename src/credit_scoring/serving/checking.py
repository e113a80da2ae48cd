"""Whether a model may be served here: its files are whole, and what it was made with is installed."""

import logging
from pathlib import Path
from typing import Literal

from credit_scoring.exported_model.folder import ModelFolder, open_model_folder
from credit_scoring.exported_model.loading import differing_versions
from credit_scoring.exported_model.manifest import ModelFolderError

logger = logging.getLogger("credit_scoring.serving")


def check_model(path: Path, other_versions: Literal["refuse", "warn"]) -> ModelFolder:
    """Check the files and the requirements of an exported model; warn of packages that should not matter.

    Raises:
        ModelFolderError: If files are missing, altered or unlisted, or the model may score otherwise here.
    """
    folder = open_model_folder(path)
    grave, slight = differing_versions(path)
    if grave and other_versions == "refuse":
        raise ModelFolderError(
            "The model may not score here as it did where it was made:\n"
            + "".join(f"  - {difference}\n" for difference in grave)
            + f"Hint: pip install -r {path}/requirements.txt, or set SERVING_OTHER_VERSIONS=warn."
        )
    for difference in (*grave, *slight):
        logger.warning("%s", difference)
    return folder
