"""Figures that are read again, and pictures that others took."""

from typing import Any

from kedro_datasets.matplotlib import MatplotlibDataset
from kedro_datasets.partitions import PartitionedDataset
from PIL import Image


class FigureDataset(MatplotlibDataset):
    """A Matplotlib figure that is saved as a picture and loaded as that picture."""

    def load(self) -> Any:
        """Return the picture as it was drawn, with what its file says of it (`info`)."""
        with self._fs.open(str(self._get_load_path()), mode="rb") as file, Image.open(file) as picture:
            return picture.copy()


class PicturesDataset(PartitionedDataset):
    """The PNG files of a folder by name, without their suffix; none where there is no folder or no file in it.

    Args:
        path: The folder.
        metadata: As of any dataset.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        super().__init__(path=path, dataset=FigureDataset, filename_suffix=".png", metadata=metadata)

    def load(self) -> dict[str, Image.Image]:
        """Return the pictures."""
        return {name: load() for name, load in super().load().items()} if self.exists() else {}
