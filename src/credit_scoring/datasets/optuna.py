"""Where the studies of a search for hyper-parameters are kept."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset, DatasetError
from optuna.storages import RDBStorage


class OptunaStorageDataset(AbstractDataset[None, RDBStorage]):
    """Studies in one SQLite file: each finished trial is kept at once, so that an interrupted search goes on.

    Args:
        filepath: The SQLite file; made where it does not exist.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._file = Path(filepath)
        self.metadata = metadata

    def load(self) -> RDBStorage:
        """Open the storage."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        return RDBStorage(f"sqlite:///{self._file.as_posix()}")

    def save(self, data: None) -> None:  # noqa: ARG002
        """Refuse: a search writes its trials itself, one by one."""
        raise DatasetError(f"{self._file} is written by the search itself.")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._file.as_posix()}
