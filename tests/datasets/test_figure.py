"""A figure is loaded as the picture that was saved, also where it is tracked."""

from pathlib import Path

import mlflow
import numpy as np
import pytest
from kedro_mlflow.io.artifacts import MlflowArtifactDataset
from matplotlib.figure import Figure
from PIL import Image

from credit_scoring.datasets.figure import FigureDataset


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
