"""A figure is loaded as the picture that was saved, also where it is tracked; pictures in a folder are, if any."""

from pathlib import Path

import mlflow
import numpy as np
import pytest
from kedro_mlflow.io.artifacts import MlflowArtifactDataset
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from credit_scoring.datasets.figure import FigureDataset, PicturesDataset


@pytest.mark.parametrize("tracked", [False, True])
def test_a_figure_comes_back_as_its_picture(tmp_path: Path, tracked: bool) -> None:
    path = (tmp_path / "figure.png").as_posix()
    arguments = {"filepath": path, "save_args": {"dpi": 50}}
    if tracked:
        dataset = MlflowArtifactDataset(dataset={"type": FigureDataset, **arguments})
        dataset._logging_activated = False
        assert mlflow.active_run() is None
    else:
        dataset = FigureDataset(**arguments)
    dataset.save(Figure(figsize=(4, 3), facecolor="red"))
    picture = dataset.load()
    assert isinstance(picture, Image.Image)
    assert picture.size == (200, 150)
    assert (np.asarray(picture)[0, 0, :3] == [255, 0, 0]).all()


def test_pictures_come_by_name_with_what_they_say_of_themselves(tmp_path: Path) -> None:
    said = PngInfo()
    said.add_itxt("run", "demo · synthetic")
    Image.new("RGB", (30, 20), "blue").save(tmp_path / "runs.png", pnginfo=said)
    (tmp_path / "notes.txt").touch()
    pictures = PicturesDataset(path=tmp_path.as_posix()).load()
    assert {name: (picture.size, picture.info["run"]) for name, picture in pictures.items()} == {
        "runs": ((30, 20), "demo · synthetic")
    }


def test_a_folder_that_is_not_there_has_no_pictures(tmp_path: Path) -> None:
    assert PicturesDataset(path=(tmp_path / "nowhere").as_posix()).load() == {}
