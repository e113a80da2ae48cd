"""A table of the relational side on disk: one file by DuckDB, a folder of part files by Spark."""

import glob
import shutil
from contextlib import suppress
from pathlib import Path

import ibis.expr.types as ir
from kedro_datasets.ibis import FileDataset

from credit_scoring.datasets.whole_files import aside_of


class TableFileDataset(FileDataset):
    """Write a lazy table aside and move it into place when it is complete.

    A run that dies leaves the previous table as it was, and an engine may take over from another, whose file stands
    where its own folder has to go. A table at a remote address (`s3://…`) is written in place by the engine.

    Args: As of `kedro_datasets.ibis.FileDataset`.
    """

    def load(self) -> ir.Table:
        """Return the table; the path is taken as it stands, neither as a pattern nor for columns named in it."""
        if self._fs_prefix or self.connection.name != "duckdb":
            return super().load()
        reader = getattr(self.connection, f"read_{self._file_format}")
        path = glob.escape(str(self._get_load_path()))
        return reader(path, **{"hive_partitioning": False, **self._load_args})

    def save(self, data: ir.Table) -> None:
        """Compute the table and write it."""
        if self._fs_prefix:
            super().save(data)
            return
        target = Path(str(self._get_save_path()))
        target.parent.mkdir(parents=True, exist_ok=True)
        part, old = aside_of(target), target.with_name(f".{target.name}.old")
        for leftover in (part, old):
            remove_path(leftover)
        getattr(self.connection, f"to_{self._file_format}")(data, part.as_posix(), **self._save_args)
        if part.is_dir() or target.is_dir():  # a folder cannot be replaced in one step
            with suppress(FileNotFoundError):
                target.rename(old)
        part.replace(target)
        remove_path(old)


def remove_path(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, if there is one."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
