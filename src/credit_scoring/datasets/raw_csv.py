"""A raw CSV file in the official Home Credit layout, as a catalog dataset."""

import csv
import functools
import gzip
import io
import os
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
from kedro.io import DatasetError
from kedro_datasets.ibis import FileDataset

from credit_scoring.schemas.raw import INTEGER, RAW_TABLES, RawTable

_MAX_EXAMPLES = 3
_ENGINE_TYPES = {"int32": "DOUBLE", "float64": "DOUBLE", "string": "VARCHAR"}


@dataclass(frozen=True)
class RawFile:
    """What reading one raw file gave: its rows, and everything that is wrong with the file as a file.

    Attributes:
        contract: The contract that the file was read against.
        path: The file, as configured.
        table: The contract's columns with the contract's types; without rows if the file could not be read.
        n_rows: Number of rows of `table`.
        problems: One sentence per breach of the contract. Lines that could not be parsed are not in `table`.
    """

    contract: RawTable
    path: str
    table: ir.Table
    n_rows: int = 0
    problems: tuple[str, ...] = ()


class RawCsvDataset(FileDataset):
    """Read a raw CSV file once, with declared types; written only by a generator, chunk by chunk.

    Loading never raises for bad content and never guesses a type. Problems come back beside the rows, so that one run
    can report all problems of all files. A column may stand anywhere in the file, unknown columns are ignored, a
    gzip-compressed file (`<name>.csv.gz`) is read where the plain one is missing.

    Saving appends a chunk to a hidden file beside the target; `confirm`, which Kedro calls when the generator is done,
    moves it into place. A generator that dies leaves the previous file as it was.
    """

    def __init__(
        self,
        *,
        table: str,
        filepath: str,
        connection: dict[str, Any],
        read_only: bool = True,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if table not in RAW_TABLES:
            known = ", ".join(RAW_TABLES)
            raise DatasetError(f"Table {table!r} has no contract.\nHint: use one of {known}, or extend schemas/raw.py.")
        super().__init__(filepath=filepath, file_format="csv", connection=connection, metadata=metadata)
        self._contract = RAW_TABLES[table]
        self._read_only = read_only
        self._open_part: io.BufferedWriter | None = None

    # -- reading ------------------------------------------------------------------------------------------------------

    def load(self) -> RawFile:
        """Parse the file into a temporary Parquet file and return it with the problems found on the way."""
        path = self._existing_path()
        if path is None:
            return self._unreadable(f"{self._target}: the file is missing.")
        try:
            header = _read_header(path)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            return self._unreadable(f"{path}: not a CSV file in UTF-8 ({error}).")
        problems = self._header_problems(path, header)
        if problems:
            return self._unreadable(*problems)
        return self._parse(path, header)

    def _parse(self, path: Path, header: list[str]) -> RawFile:
        backend = self.connection
        columns = {name: _ENGINE_TYPES.get(self._contract.columns.get(name, "string"), "VARCHAR") for name in header}
        rejects = f"rejected_{uuid.uuid4().hex}"  # the engine appends to a table it finds
        lines = backend.read_csv(
            str(path),
            columns=columns,
            header=True,
            delim=",",
            quote='"',
            escape='"',
            nullstr="",
            store_rejects=True,
            rejects_table=rejects,
            rejects_scan=f"{rejects}_scan",
        )
        # A whole number may be written 12 or 12.0; a fraction in its place is a problem, never rounded away.
        integers = [name for name, type_ in self._contract.columns.items() if type_ == INTEGER]
        typed = lines.select(**{name: lines[name] for name in self._contract.columns})
        scratch = _scratch_folder() / f"{uuid.uuid5(uuid.NAMESPACE_URL, str(path))}.parquet"
        try:
            backend.to_parquet(typed, scratch)
        except Exception as error:  # the engine's own type; whatever it is, the file could not be read
            return self._unreadable(f"{path}: could not be read as CSV ({str(error).splitlines()[0]}).")
        rows = backend.read_parquet(str(scratch))
        n_rows, problems = self._inspect(rows, integers)
        problems = [f"{path}: {problem}" for problem in [*self._rejected_lines(rejects), *problems]]
        table = rows.mutate(**{name: rows[name].try_cast(INTEGER) for name in integers})
        return RawFile(self._contract, str(path), table, n_rows, tuple(problems))

    def _inspect(self, rows: ir.Table, integers: list[str]) -> tuple[int, list[str]]:
        """Count the rows, and name the breaches of the contract that parsing does not see."""
        key, allowed = list(self._contract.key), self._contract.allowed_values
        checks = {f"fraction:{name}": rows[name] != rows[name].round() for name in integers}
        checks |= {f"null:{name}": rows[name].isnull() for name in {*integers, *key}}
        checks |= {f"allowed:{name}": ~rows[name].isin(values) for name, values in allowed.items()}
        counts = {name: check.cast("int64").sum() for name, check in checks.items()}
        found = rows.agg(n_rows=rows.count(), **counts).execute().iloc[0].fillna(0).astype(int).to_dict()
        n_rows = found["n_rows"]
        problems = []
        if n_rows == 0 and not self._contract.may_be_empty:
            problems.append("the table has no rows.")
        for name in integers:
            if n := found[f"fraction:{name}"]:
                problems.append(f"column {name} holds whole numbers, {n} with a fraction found.")
        for name in dict.fromkeys([*key, *integers]):
            if n := found[f"null:{name}"]:
                problems.append(f"column {name} may not be empty, {n} empty value{'s' * (n > 1)} found.")
        for name, values in allowed.items():
            if n := found[f"allowed:{name}"]:
                problems.append(f"column {name} holds only {' or '.join(map(str, values))}, {n} other found.")
        if key:
            repeated = rows.group_by(key).agg(n=rows.count()).filter(lambda t: t.n > 1)
            examples = repeated.order_by(key).limit(_MAX_EXAMPLES).execute()
            if len(examples):
                n = int(repeated.count().execute())
                shown = ", ".join("/".join(str(int(value)) for value in row[:-1]) for row in examples.to_numpy())
                problems.append(f"{' and '.join(key)} must be unique, {n} repeated found (e.g. {shown}).")
        return n_rows, problems

    def _rejected_lines(self, rejects: str) -> list[str]:
        cells = self.connection.table(rejects)
        bad = cells.group_by("line").agg(error=cells.error_message.min())
        count = bad.count().execute()
        if not count:
            return []
        examples = "; ".join(
            f"line {row.line}: {str(row.error).splitlines()[0]}"
            for row in bad.order_by("line").limit(_MAX_EXAMPLES).execute().itertuples()
        )
        return [f"{count} line{'s' * (count > 1)} not in the declared layout ({examples})."]

    def _header_problems(self, path: Path, header: list[str]) -> list[str]:
        missing = [name for name in self._contract.columns if name not in header]
        duplicated = sorted({name for name in header if header.count(name) > 1})
        if len(missing) == len(self._contract.columns):
            start = ",".join(header)[:60]
            return [f"{path}: not a CSV file of table {self._contract.name}; its first line starts with {start!r}."]
        problems = []
        if missing:
            problems.append(f"{path}: missing column{'s' * (len(missing) > 1)} {', '.join(missing)}.")
        if duplicated:
            problems.append(f"{path}: column{'s' * (len(duplicated) > 1)} {', '.join(duplicated)} named twice.")
        return problems

    def _unreadable(self, *problems: str) -> RawFile:
        empty = ibis.memtable([], schema=ibis.schema(dict(self._contract.columns)))
        return RawFile(self._contract, str(self._target), empty, problems=problems)

    @property
    def _target(self) -> Path:
        return Path(str(self._filepath))

    def _existing_path(self) -> Path | None:
        compressed = self._target.with_name(self._target.name + ".gz")
        return next((path for path in (self._target, compressed) if path.is_file()), None)

    # -- writing ------------------------------------------------------------------------------------------------------

    def save(self, data: pd.DataFrame) -> None:
        """Append one chunk of rows in official column order; nothing is visible under the final name yet."""
        if self._read_only:
            raise DatasetError(
                f"{self._target} was not made by this project and is read-only.\n"
                "Hint: synthetic data are written in the base environment only; run without `--env`."
            )
        first = self._open_part is None
        if self._open_part is None:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            self._open_part = self._part.open("wb")
        chunk = pa.Table.from_pandas(data[list(self._contract.columns)], preserve_index=False)
        options = pa_csv.WriteOptions(include_header=first, quoting_style="needed", quoting_header="none")
        pa_csv.write_csv(chunk, self._open_part, options)

    def confirm(self) -> None:
        """Move the finished file into place."""
        if self._open_part is None:
            raise DatasetError(f"{self._target}: nothing was written that could be confirmed.")
        self._open_part.flush()
        os.fsync(self._open_part.fileno())
        self._open_part.close()
        self._open_part = None
        self._part.replace(self._target)

    @property
    def _part(self) -> Path:
        return self._target.with_name(f".{self._target.name}.part")

    def _exists(self) -> bool:
        return self._existing_path() is not None

    def _describe(self) -> dict[str, Any]:
        return {"table": self._contract.name, "filepath": str(self._target), "read_only": self._read_only}


@functools.cache
def _scratch() -> tempfile.TemporaryDirectory:
    """Create the folder of typed copies, which lives as long as the process: lazy tables read it until the end."""
    return tempfile.TemporaryDirectory(prefix="credit_scoring_")


def _scratch_folder() -> Path:
    return Path(_scratch().name)


def _read_header(path: Path) -> list[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as lines:
        return next(csv.reader(lines), [])
