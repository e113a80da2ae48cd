"""A run in a store of its own."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest


@pytest.fixture
def run(tmp_path: Path) -> Iterator[mlflow.ActiveRun]:
    """Return an active run in a store of its own."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = mlflow.create_experiment("test", artifact_location=(tmp_path / "mlruns").as_uri())
    with mlflow.start_run(experiment_id=experiment, tags={"source": "synthetic", "git_commit": "abc"}) as active:
        yield active
    mlflow.set_tracking_uri(before)
