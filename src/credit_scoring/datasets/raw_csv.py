"""A raw CSV file in the official Home Credit layout, as a catalog dataset."""

import csv
import gzip
import io
import os
import textwrap
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
from kedro.io import DatasetError
from kedro_datasets.ibis import FileDataset

from credit_scoring.datasets.csv_engines import ParsedLines, parse_lines, scratch_folder
from credit_scoring.datasets.raw_bytes import find_damage, find_other_format, write_with_unix_line_ends
from credit_scoring.errors import find_fault
from credit_scoring.schemas.numbers import is_not_finite
from credit_scoring.schemas.quality import FINITE, UNIQUE, Finding, Problem, Severity, find_breaches
from credit_scoring.schemas.raw import INTEGER, RAW_TABLES, TEXT, RawTable


@dataclass(frozen=True)
class RawFile:
    """What reading one raw file gave: its rows, and what its contract says of them.

    Attributes:
        contract: The contract that the file was read against.
        path: The file, as configured.
        table: The contract's columns with the contract's types; without rows if the file could not be read. Lines that
            could not be parsed and exact copies of rows under a key are left out, infinite amounts are null.
        n_rows: Number of rows that could be parsed.
        findings: Every breach of the contract, structural ones and others.
    """

    contract: RawTable
    path: str
    table: ir.Table
    n_rows: int = 0
    findings: tuple[Finding, ...] = ()


class RawCsvDataset(FileDataset):
    """Read a raw CSV file once, with declared types; written only by a generator, chunk by chunk.

    Loading never raises for bad content and never guesses a type. What breaks the contract comes back beside the rows,
    so that one run can report all of it for all files. A column may stand anywhere in the file, unknown columns are
    ignored, a gzip-compressed file (`<name>.csv.gz`) is read where the plain one is missing.

    Saving appends a chunk to a hidden file beside the target; `confirm`, which Kedro calls when the generator is done,
    moves it into place. A generator that dies leaves the previous file as it was.

    Args:
        table: Name of the table, one that has a contract.
        filepath: The file.
        connection: Of the engine that reads it.
        read_only: Whether saving is refused.
        may_be_missing: Whether the run can do without rows of this table; anything but false (the name of a batch)
            says that it can, even if the contract says that it cannot.
    """

    def __init__(
        self,
        *,
        table: str,
        filepath: str,
        connection: dict[str, Any],
        read_only: bool = True,
        may_be_missing: bool | str = False,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if table not in RAW_TABLES:
            known = ", ".join(RAW_TABLES)
            hint = f"use one of {known}, or list it in RAW_TABLES of schemas/raw/__init__.py."
            raise DatasetError(f"Table {table!r} has no contract.\nHint: {hint}")
        super().__init__(filepath=filepath, file_format="csv", connection=connection, metadata=metadata)
        self._contract = RAW_TABLES[table]
        if may_be_missing:
            self._contract = replace(self._contract, may_be_missing=True, may_be_empty=True)
        self._read_only = read_only
        self._open_part: io.BufferedWriter | None = None

    # -- reading ------------------------------------------------------------------------------------------------------

    def load(self) -> RawFile:
        """Parse the file once and return its rows with the problems found on the way.

        A full disk, a missing right and their like are no faults of the file: they are raised.
        """
        path = self._existing_path()
        return self._unreadable(self._missing()) if path is None else self._read(path)

    def _read(self, path: Path) -> RawFile:
        if other := find_other_format(path):
            return self._unreadable(other)
        try:
            header = _read_header(path)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return self._unreadable(*find_damage(path))
        except (UnicodeDecodeError, csv.Error) as error:
            return self._unreadable(
                Problem("a CSV file in UTF-8", f"another one ({error})", "save it as CSV in UTF-8.")
            )
        problems = self._header_problems(header)
        if problems:
            return self._unreadable(*problems)
        with ThreadPoolExecutor(1) as thread:
            damage = thread.submit(find_damage, path)
            read = self._parse(path, header)
        # What else is wrong with a damaged file follows from that
        return self._unreadable(*damage.result()) if damage.result() else read

    def _parse(self, path: Path, header: list[str]) -> RawFile:
        # A column that is not read may have any name or none, or one that differs from a declared one by its case only
        declared = self._contract.columns
        kinds = {
            name if name in declared else f"_unread_{position}": declared.get(name, TEXT)
            for position, name in enumerate(header)
        }
        scratch = scratch_folder(self._connection_config.get("temp_directory"))
        try:
            parsed = self._parse_lines(path, kinds, scratch)
        except DatasetError:
            raise
        except Exception as error:  # of the engine's own type: in any case the file could not be read
            if find_fault(error):
                raise
            return self._unreadable(Problem("a CSV file", f"an unreadable one ({str(error).splitlines()[0]})"))
        # A whole number may be written 12 or 12.0; a fraction in its place is a problem, never rounded away.
        rows = parsed.rows.select(*declared)
        n_rows, findings = find_breaches(rows, self._contract)
        return RawFile(
            self._contract,
            str(path),
            self._typed(rows, findings),
            n_rows,
            (*self._rejected_lines(parsed), *findings),
        )

    def _parse_lines(self, path: Path, kinds: dict[str, str], scratch: Path) -> ParsedLines:
        """Parse the file; if the engine refuses it as a whole, once more with lines that all end alike."""
        try:
            return parse_lines(self.connection, path, kinds, scratch)
        except Exception as error:
            if isinstance(error, DatasetError) or find_fault(error):
                raise
            copy = scratch / f"{uuid.uuid4()}.csv"
            try:
                write_with_unix_line_ends(path, copy)
                return parse_lines(self.connection, copy, kinds, scratch)
            finally:
                copy.unlink(missing_ok=True)

    def _typed(self, rows: ir.Table, findings: list[Finding]) -> ir.Table:
        """Give the rows their declared types, and undo what was found and can be undone without loss."""
        kinds = self._contract.columns
        infinite = {finding.column for finding in findings if finding.expected == FINITE}
        table = rows.mutate(
            **{
                name: rows[name].try_cast(INTEGER)
                for name, kind in kinds.items()
                if kind == INTEGER and not rows[name].type().is_integer()
            },
            **{name: is_not_finite(rows[name]).ifelse(None, rows[name]) for name in infinite},
        )
        return table.distinct() if any(finding.expected == UNIQUE for finding in findings) else table

    def _rejected_lines(self, parsed: ParsedLines) -> list[Finding]:
        count = parsed.n_rejected
        if not count:
            return []
        examples = "; ".join(_printable(example) for example in parsed.examples)
        found = f"{count:,} line{'s' * (count > 1)} of another one ({examples})"
        return [Finding("error", self._contract.name, "", "lines in the declared layout", found, count)]

    def _header_problems(self, header: list[str]) -> list[Problem]:
        """Compare the header with the contract: what was expected and what was found instead."""
        declared = self._contract.columns
        missing = [name for name in declared if name not in header]
        duplicated = [name for name in declared if header.count(name) > 1]
        if len(missing) == len(declared):
            return [Problem(f"the columns of table {self._contract.name}", f"a first line {','.join(header)[:60]!r}")]
        problems = []
        if missing:
            alike = [name for name in header if name.upper() in {other.upper() for other in missing}]
            found = f"none of that name{', only ' * bool(alike)}{', '.join(alike)}"
            problems.append(Problem(f"column{'s' * (len(missing) > 1)} {', '.join(missing)}", found))
        if duplicated:
            found = f"column{'s' * (len(duplicated) > 1)} {', '.join(duplicated)} twice"
            problems.append(Problem("each column once", found))
        return problems

    def _unreadable(self, *problems: Problem) -> RawFile:
        empty = ibis.memtable([], schema=ibis.schema(dict(self._contract.columns)))
        return RawFile(
            self._contract, str(self._target), empty, findings=tuple(self._finding(problem) for problem in problems)
        )

    def _missing(self) -> Problem:
        """Say that there is no file, and which of a similar name there are: archives, other spellings."""
        folder, name = self._target.parent, self._target.name.lower()
        files = [path.name for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
        alike = sorted(file for file in files if file.lower().startswith(name))
        if not alike:
            return Problem("a file", "none")
        hint = f"unpack or rename it: only {self._target.name} and {self._target.name}.gz are read."
        return Problem("a file", f"none, but {', '.join(alike)}", hint)

    def _finding(self, problem: Problem) -> Finding:
        optional = self._contract.may_be_missing and self._existing_path() is None
        severity: Severity = "warning" if optional else "error"
        return Finding(severity, self._contract.name, "", problem.expected, problem.found, hint=problem.hint)

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
        return {
            "table": self._contract.name,
            "filepath": str(self._existing_path() or self._target),
            "read_only": self._read_only,
        }


def _read_header(path: Path) -> list[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as lines:
        return [name.strip() for name in next(csv.reader(lines), [])]


def _printable(text: str) -> str:
    """Return a text on one line, as short as a person reads it."""
    return textwrap.shorten("".join(one if one.isprintable() else "�" for one in text), 150, placeholder="…")
