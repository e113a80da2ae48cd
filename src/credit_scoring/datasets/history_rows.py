"""Single rows of histories: one Parquet file per history, read some applicants at a time."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pandas as pd
import pyarrow.parquet as pq
from kedro.io import AbstractDataset

from credit_scoring.datasets.table_file import TableFileDataset, remove_path
from credit_scoring.errors import DataContractError


@dataclass(frozen=True)
class HistoryFiles:
    """The rows of histories as they lie in a folder: read when asked for.

    Attributes:
        folder: The folder; it need not be there.
    """

    folder: Path

    @property
    def digest(self) -> str:
        """SHA-256 of all files: the same digest, the same rows."""
        digest = hashlib.sha256()
        for path in sorted(path for path in self.folder.rglob("*.parquet") if path.is_file()):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    def holds(self, history: str) -> bool:
        """Say whether the rows of a history were written."""
        return self._path(history).exists()

    def read(self, history: str, first: int | None = None, last: int | None = None) -> pd.DataFrame:
        """Return the rows of the applicants with ids from `first` to `last`, in the order in which they were saved.

        Raises:
            DataContractError: If the rows of the history were not written.
        """
        if not self.holds(history):
            raise DataContractError(
                "Row models",
                [f"{self._path(history)}: expected the single rows of the history `{history}`; found no file."],
                "data_processing writes them if row_models.candidates (conf/*/parameters/modelling.yml) names a "
                "candidate: run it again, `kedro run`, with the parameters that the modelling has.",
            )
        bounds = [("SK_ID_CURR", ">=", first), ("SK_ID_CURR", "<=", last)]
        filters = [bound for bound in bounds if bound[2] is not None] or None
        # The rows would be in memory twice otherwise
        return pq.read_table(self._path(history), filters=filters).to_pandas(split_blocks=True, self_destruct=True)

    def _path(self, history: str) -> Path:
        return self.folder / f"{history}.parquet"


class HistoryRowsDataset(AbstractDataset[Mapping[str, ir.Table], HistoryFiles]):
    """A folder of single rows, one file per history; saving leaves in it the histories that were saved and no others.

    Args:
        filepath: The folder.
        connection: Of the engine, as of `TableFileDataset`.
    """

    def __init__(self, *, filepath: str, connection: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self._connection = connection
        self.metadata = metadata

    def load(self) -> HistoryFiles:
        """Return a reader of the folder; nothing is read, and it is none's fault if there is nothing."""
        return HistoryFiles(self._folder)

    def save(self, data: Mapping[str, ir.Table]) -> None:
        """Compute and write each history, aside and then in place; then remove those of an earlier run."""
        for history, table in data.items():
            path = (self._folder / f"{history}.parquet").as_posix()
            TableFileDataset(filepath=path, connection=self._connection).save(table)
        for earlier in self._folder.glob("*.parquet"):
            if earlier.stem not in data:
                remove_path(earlier)

    def _exists(self) -> bool:
        return True  # an empty folder is a valid state: no candidate asked for row models

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._folder.as_posix()}
