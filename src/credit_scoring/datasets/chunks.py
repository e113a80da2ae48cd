"""Tables that are read, worked on and written a chunk at a time, however long they are."""

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import AbstractDataset

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ParquetChunks:
    """A Parquet file whose row groups are read one at a time, each when it is asked for.

    Attributes:
        path: The file.
        digest: SHA-256 of its bytes: the same digest, the same rows.
        n_chunks: Number of row groups.
    """

    path: Path
    digest: str
    n_chunks: int

    def read(self, number: int) -> pd.DataFrame:
        """Return one chunk; its index counts from 0 in every chunk."""
        with pq.ParquetFile(self.path) as file:
            return file.read_row_group(number).to_pandas()


class ParquetChunksDataset(AbstractDataset[None, ParquetChunks]):
    """Read a Parquet file lazily, by row group; whoever writes the file decides how many rows one has."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(filepath)
        self.metadata = metadata

    def load(self) -> ParquetChunks:
        """Open the file without reading its rows."""
        with self._path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return ParquetChunks(self._path, digest, pq.read_metadata(self._path).num_row_groups)

    def save(self, data: None) -> None:
        """Refuse: this is a view of a file that another dataset writes."""
        raise NotImplementedError

    def _exists(self) -> bool:
        return self._path.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._path.as_posix()}


class ResumableParquetDataset(AbstractDataset[Mapping[str, Callable[[], pa.Table]], pa.Table]):
    """Write a Parquet file from parts that are computed one at a time, and go on where a killed run stopped.

    What is saved is a mapping of keys to functions that compute the parts, all with the same columns, in the order of
    the file. A key has to name everything that its part follows from. Each finished part is kept beside the file,
    written aside and then renamed; a later run computes only the parts whose keys are not there, and drops those that
    it was not asked for. When all are there, they become one file, again aside and then renamed: under the final name
    is a complete file or the previous one.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(filepath)
        self.metadata = metadata

    def load(self) -> pa.Table:
        """Read the complete file."""
        return pq.read_table(self._path)

    def save(self, data: Mapping[str, Callable[[], pa.Table]]) -> None:
        """Compute the parts that are missing, then put all of them together."""
        self._parts.mkdir(parents=True, exist_ok=True)
        files = {key: self._parts / f"{key}.parquet" for key in data}
        self._keep_only(set(files.values()))
        for number, (key, compute) in enumerate(data.items(), 1):
            if not files[key].exists():
                aside = files[key].with_suffix(".unfinished")
                pq.write_table(compute(), aside)
                _move_into_place(aside, files[key])
                logger.info("%s: part %d of %d is done.", self._path.name, number, len(files))
        aside = self._parts / "complete.unfinished"
        with pq.ParquetWriter(aside, pq.read_schema(next(iter(files.values())))) as writer:
            for file in files.values():
                writer.write_table(pq.read_table(file))
        _move_into_place(aside, self._path)
        shutil.rmtree(self._parts)

    def _keep_only(self, wanted: set[Path]) -> None:
        """Drop parts of other inputs, and those that were being written when a run was killed."""
        found = set(self._parts.iterdir())
        for stale in found - wanted:
            stale.unlink()
        if found:
            logger.info(
                "%s: an interrupted run left %d finished parts. %d of %d are kept: same model, same input, same "
                "options. The others are computed.",
                self._path.name,
                sum(part.suffix == ".parquet" for part in found),
                len(found & wanted),
                len(wanted),
            )

    @property
    def _parts(self) -> Path:
        return self._path.with_name(f".{self._path.name}.parts")

    def _exists(self) -> bool:
        return self._path.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._path.as_posix()}


def _move_into_place(aside: Path, target: Path) -> None:
    with aside.open("rb") as file:
        os.fsync(file.fileno())
    aside.replace(target)
