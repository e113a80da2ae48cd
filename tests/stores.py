"""Empty stores of MLflow, whose migrations run once."""

import tempfile
from functools import cache
from pathlib import Path

import mlflow


def make_store(folder: Path) -> str:
    """Point MLflow at a new store in a folder, with its artefacts beside it; return its experiment, `test`."""
    (folder / "mlflow.db").write_bytes(_migrate())
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    return mlflow.create_experiment("test", artifact_location=(folder / "mlruns").as_uri())


@cache
def _migrate() -> bytes:
    """Return the database of an empty store; to make one takes half a second, to copy it nothing."""
    with tempfile.TemporaryDirectory() as folder:
        mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db").search_experiments()
        return Path(folder, "mlflow.db").read_bytes()
