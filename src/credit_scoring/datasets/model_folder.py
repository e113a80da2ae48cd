"""What is known of an exported model without loading it, as a catalog dataset."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset, DatasetError

from credit_scoring.serving.manifest import ModelFolderError
from credit_scoring.serving.model_folder import ModelFolder, open_model_folder


class ModelFolderDataset(AbstractDataset[None, ModelFolder]):
    """The contract and the identity of an exported model, its files compared with their digests.

    Args:
        filepath: Folder of the exported model.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> ModelFolder:
        """Check the files and read the description."""
        try:
            return open_model_folder(self._folder)
        except ModelFolderError as error:
            raise DatasetError(str(error)) from error

    def save(self, data: None) -> None:
        """Refuse: the scorer's dataset writes the folder."""
        raise NotImplementedError

    def _exists(self) -> bool:
        return (self._folder / "MLmodel").is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._folder.as_posix()}
