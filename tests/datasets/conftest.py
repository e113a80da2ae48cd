"""A run in a store of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pytest

from tests.stores import make_store


@contextmanager
def run_in(place: Path) -> Iterator[mlflow.ActiveRun]:
    """Start a run in a store of its own."""
    before = mlflow.get_tracking_uri()
    with mlflow.start_run(experiment_id=make_store(place), tags={"source": "synthetic", "git_commit": "abc"}) as active:
        yield active
    mlflow.set_tracking_uri(before)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[mlflow.ActiveRun]:
    """Return an active run in a store of its own."""
    with run_in(tmp_path) as active:
        yield active
