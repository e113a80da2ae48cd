"""Figures that are read again."""

from typing import Any

from kedro_datasets.matplotlib import MatplotlibDataset
from PIL import Image


class FigureDataset(MatplotlibDataset):
    """A Matplotlib figure that is saved as a picture and loaded as that picture."""

    def load(self) -> Any:
        """Return the picture as it was drawn."""
        with self._fs.open(str(self._get_load_path()), mode="rb") as file, Image.open(file) as picture:
            return picture.copy()
