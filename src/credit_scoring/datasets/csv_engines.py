"""How each engine parses a raw CSV file: the one place where the project asks which engine it runs on.

Ibis leaves the reading of CSV files to the engine, whose options and reports of bad lines have nothing in common.
What comes back is the same: lines in the declared layout, and those that are not, counted.
"""

import functools
import glob
import os
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
from kedro.io import DatasetError

from credit_scoring.schemas.contract import INTEGER, TEXT

_MAX_EXAMPLES = 3


@dataclass(frozen=True)
class ParsedLines:
    """What an engine made of a CSV file.

    Attributes:
        rows: One row per line in the declared layout, read once and kept: text as text, any number as float64, or a
            whole number as such where all of its column are.
        n_rejected: Number of other lines: too many or too few cells, or a text where a number should be.
        examples: What is wrong with a few of them.
    """

    rows: ir.Table
    n_rejected: int = 0
    examples: tuple[str, ...] = ()


def parse_lines(engine: Any, path: Path, kinds: Mapping[str, str], scratch: Path) -> ParsedLines:
    """Parse a CSV file in the official layout; empty cells are null.

    Args:
        engine: Ibis connection.
        path: File, plain or gzip-compressed.
        kinds: Every column of the file in its order -> the type that its contract declares. Names that differ in
            nothing but the case of letters are one name to an engine.
        scratch: Folder for a typed copy of the file, of which the rows are read until the process ends.

    Raises:
        DatasetError: If there is no way of reading for this engine.
        Exception: The engine's own, if it cannot read the file at all.
    """
    if engine.name not in _PARSERS:
        raise DatasetError(f"Raw files cannot be read by {engine.name}.\nHint: use one of {', '.join(_PARSERS)}.")
    return _PARSERS[engine.name](engine, path, kinds, scratch)


def _parse_with_duckdb(engine: Any, path: Path, kinds: Mapping[str, str], scratch: Path) -> ParsedLines:
    rejects = f"rejected_{uuid.uuid4().hex}"  # the engine appends to a table it finds
    lines = engine.read_csv(
        glob.escape(str(path)),
        columns={name: "VARCHAR" if kind == TEXT else "DOUBLE" for name, kind in kinds.items()},
        header=True,
        delim=",",
        quote='"',
        escape='"',
        nullstr="",
        hive_partitioning=False,  # a folder named `STATUS=1` would be a column
        store_rejects=True,
        rejects_table=rejects,
        rejects_scan=f"{rejects}_scan",
    )
    typed = scratch / f"{uuid.uuid5(uuid.NAMESPACE_URL, str(path))}.parquet"
    rows = _keep_typed(engine, lines, [name for name, kind in kinds.items() if kind == INTEGER], typed)
    cells = engine.table(rejects)
    bad = cells.group_by("line").agg(error=cells.error_message.min())
    n_rejected = bad.count().to_pyarrow().as_py()
    shown = bad.order_by("line").limit(_MAX_EXAMPLES).execute().itertuples() if n_rejected else ()
    return ParsedLines(
        rows,
        n_rejected,
        tuple(f"line {row.line}: {str(row.error).splitlines()[0]}" for row in shown),
    )


def _keep_typed(engine: Any, lines: ir.Table, whole: Sequence[str], target: Path) -> ir.Table:
    """Write the lines as they are parsed, their whole numbers typed as such, and return what was written.

    DuckDB's own parser of whole numbers rounds 3.5 to 4, and a table cannot be counted while it is written: a column
    says for every line whether a number was not whole, and the file's statistics whether any was. Then the lines are
    parsed once more and kept as they are, for the contract to tell which.
    """
    odd = "_not_whole"
    typed = {name: lines[name].try_cast(INTEGER) for name in whole}
    flags = [~lines[name].identical_to(number) for name, number in typed.items()]
    engine.to_parquet(lines.mutate(**typed, **{odd: ibis.or_(*flags).cast("int8")}), target)
    written = engine.read_parquet(glob.escape(str(target)), hive_partitioning=False)
    if written[odd].max().to_pyarrow().as_py() != 1:
        return written.drop(odd)
    engine.to_parquet(lines, target)
    return engine.read_parquet(glob.escape(str(target)), hive_partitioning=False)


def _parse_with_spark(engine: Any, path: Path, kinds: Mapping[str, str], scratch: Path) -> ParsedLines:  # noqa: ARG001
    """Read every cell as text and cast it after that: only then does Spark tell a bad number from an empty cell."""
    rejected = "_rejected_line"
    lines = engine.read_csv(
        str(path.absolute()),
        schema=", ".join(f"`{name}` STRING" for name in (*kinds, rejected)),
        inferSchema=False,
        header=True,
        quote='"',
        escape='"',
        nullValue="",
        mode="PERMISSIVE",
        columnNameOfCorruptRecord=rejected,
    )
    numbers = [name for name, kind in kinds.items() if kind != TEXT]
    misread = [
        (
            lines[name].notnull() & lines[name].try_cast("float64").isnull() & (lines[name].strip().lower() != "nan")
        ).ifelse("column " + ibis.literal(name) + ": " + lines[name], ibis.null("string"))
        for name in numbers
    ]
    # Kept by the executors, who share no folder: each line is parsed once for all that is asked of it.
    parsed = lines.mutate(
        **{name: lines[name].try_cast("float64") for name in numbers},
        **{rejected: ibis.coalesce(lines[rejected], *misread)},
    ).cache()
    bad = parsed.filter(parsed[rejected].notnull())
    n_rejected = bad.count().to_pyarrow().as_py()
    shown = bad.order_by(rejected).limit(_MAX_EXAMPLES)[rejected].execute() if n_rejected else ()
    return ParsedLines(
        parsed.filter(parsed[rejected].isnull()).drop(rejected), n_rejected, tuple(f"`{line}`" for line in shown)
    )


_PARSERS: Mapping[str, Callable[[Any, Path, Mapping[str, str], Path], ParsedLines]] = {
    "duckdb": _parse_with_duckdb,
    "pyspark": _parse_with_spark,
}


def scratch_folder(spill: str | None) -> Path:
    """Return the folder of typed copies, which lives as long as the process: lazy tables read it until the end.

    Args:
        spill: Where the engine puts what does not fit into memory, if it was told; else the system's own folder.
    """
    return Path(_make_scratch(spill).name)


@functools.cache
def _make_scratch(spill: str | None) -> tempfile.TemporaryDirectory:
    if spill:
        Path(spill).mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=f"credit_scoring_{os.getpid()}_", dir=spill)
