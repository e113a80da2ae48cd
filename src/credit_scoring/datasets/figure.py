"""Figures that are read again, and pictures that others took."""

import io
from typing import TYPE_CHECKING, Any

from kedro_datasets.partitions import PartitionedDataset
from kedro_datasets.pillow import ImageDataset
from PIL import Image

if TYPE_CHECKING:  # Kedro's own dataset of figures imports Matplotlib with the catalog, half a second of every start
    from matplotlib.figure import Figure


class FigureDataset(ImageDataset):
    """A Matplotlib figure that is saved as a picture and loaded as that picture, with what its file says of it."""

    def save(self, data: "Figure") -> None:
        """Draw the figure, with `save_args` as of its method `savefig`."""
        drawn = io.BytesIO()
        data.savefig(drawn, **self._save_args)
        with self._fs.open(str(self._get_save_path()), **self._fs_open_args_save) as file:
            file.write(drawn.getvalue())
        self._invalidate_cache()


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
