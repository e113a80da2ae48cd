"""A raw CSV file in the official Home Credit layout, as a catalog dataset."""

import csv
import gzip
import io
import os
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

from credit_scoring.datasets.csv_engines import ParsedLines, parse_lines
from credit_scoring.schemas.numbers import is_not_finite
from credit_scoring.schemas.quality import FINITE, UNIQUE, Finding, Severity, find_breaches
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
        """Parse the file once and return its rows with the problems found on the way."""
        path = self._existing_path()
        if path is None:
            return self._unreadable(("a file", "none"))
        try:
            header = _read_header(path)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            return self._unreadable(("a CSV file in UTF-8", f"another one ({error})"))
        findings = self._header_findings(header)
        if findings:
            return self._unreadable(*findings)
        return self._parse(path, header)

    def _parse(self, path: Path, header: list[str]) -> RawFile:
        try:
            parsed = parse_lines(
                self.connection, path, {name: self._contract.columns.get(name, TEXT) for name in header}
            )
        except DatasetError:
            raise
        except Exception as error:  # of the engine's own type: in any case the file could not be read
            return self._unreadable(("a CSV file", f"an unreadable one ({str(error).splitlines()[0]})"))
        # A whole number may be written 12 or 12.0; a fraction in its place is a problem, never rounded away.
        rows = parsed.rows.select(*self._contract.columns)
        n_rows, findings = find_breaches(rows, self._contract)
        return RawFile(
            self._contract,
            str(path),
            self._typed(rows, findings),
            n_rows,
            (*self._rejected_lines(parsed), *findings),
        )

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
        found = f"{count:,} line{'s' * (count > 1)} of another one ({'; '.join(parsed.examples)})"
        return [Finding("error", self._contract.name, "", "lines in the declared layout", found, count)]

    def _header_findings(self, header: list[str]) -> list[tuple[str, str]]:
        """Compare the header with the contract: what was expected and what was found instead."""
        missing = [name for name in self._contract.columns if name not in header]
        duplicated = sorted({name for name in header if header.count(name) > 1})
        if len(missing) == len(self._contract.columns):
            return [(f"the columns of table {self._contract.name}", f"a first line {','.join(header)[:60]!r}")]
        findings = []
        if missing:
            findings.append((f"column{'s' * (len(missing) > 1)} {', '.join(missing)}", "none of that name"))
        if duplicated:
            findings.append(("each column once", f"column{'s' * (len(duplicated) > 1)} {', '.join(duplicated)} twice"))
        return findings

    def _unreadable(self, *findings: tuple[str, str]) -> RawFile:
        empty = ibis.memtable([], schema=ibis.schema(dict(self._contract.columns)))
        optional = self._contract.may_be_missing and self._existing_path() is None
        severity: Severity = "warning" if optional else "error"
        made = tuple(Finding(severity, self._contract.name, "", expected, found) for expected, found in findings)
        return RawFile(self._contract, str(self._target), empty, findings=made)

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
        return next(csv.reader(lines), [])
