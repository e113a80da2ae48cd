"""The raw tables of one applicant, from the source files as they are, without reading those of others.

Rows that hold the number of the applicant are found by its bytes, and only these are parsed: all else of a file is
passed over at the speed of memory, while an engine that parses CSV cuts and converts every cell of every row.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

HISTORIES = (
    "bureau",
    "bureau_balance",
    "previous_application",
    "POS_CASH_balance",
    "installments_payments",
    "credit_card_balance",
)
FORMS = ("application_train", "application_test")
"""Of those whose outcome is known, and of those who wait for a decision."""
_CLIENT, _CREDIT = "SK_ID_CURR", "SK_ID_BUREAU"
_BLOCK = 1 << 24

Contract = Mapping[str, Mapping[str, Any]]
"""Column -> its `type`, as a feature plan has it."""


class SourceFileError(ValueError):
    """A source file cannot be read as its contract says.

    Args:
        problem: Which file, and what is wrong with it; the hint is added.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"{problem}.\n"
            "Hint: `kedro run --pipelines data_processing` names every problem; DESK_RAW_FOLDER is another folder."
        )


def read_applicant(folder: Path, client: int, contracts: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read the raw tables of an applicant, as `/decisions` takes them; null if there is none of this number.

    Args:
        folder: Where the source files are, each `<table>.csv` or `<table>.csv.gz`.
        client: SK_ID_CURR.
        contracts: Raw table -> its contract as data, see `Decider.tables`.

    Raises:
        SourceFileError: If a file is missing or damaged, or a row of the applicant is not as its contract says.
        OSError: If a file cannot be read.
    """
    columns: dict[str, Contract] = {name: contract["columns"] for name, contract in contracts.items()}
    form = next(
        (row for name in FORMS for row in _find_rows(folder, name, columns["application"], _CLIENT, [client])), None
    )
    if form is None:
        return None
    tables: dict[str, Any] = {"application": form}
    for name in HISTORIES:
        key, wanted = _CLIENT, [client]
        if name == "bureau_balance":
            key, wanted = _CREDIT, _credits(folder, tables["bureau"])
        tables[name.lower()] = list(_find_rows(folder, name, columns[name.lower()], key, wanted))
    return tables


def first_client(folder: Path) -> str:
    """Return the number of an applicant that there is, as the first form has it.

    Raises:
        SourceFileError: If the file is missing or damaged.
    """
    with _opened(folder, FORMS[0]) as file:
        header, row = (_split(file.readline()) for _ in range(2))
    return dict(zip(header, row, strict=False)).get(_CLIENT, "")


def _credits(folder: Path, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the numbers of credits, by which their months are found."""
    try:
        return [int(row[_CREDIT]) for row in rows]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        path = _find_file(folder, "bureau")
        raise SourceFileError(f"{path} has a row that cannot be read: no whole number in {_CREDIT}") from error


def _find_rows(folder: Path, name: str, columns: Contract, key: str, wanted: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield the rows with one of some numbers in a column."""
    with _opened(folder, name) as file:
        header = _split(file.readline())
        if key not in header:
            raise SourceFileError(f"{file.name} cannot be used: it has no column {key}")
        at = header.index(key)
        for line in _lines_with(file, [str(number).encode() for number in wanted]):
            try:
                cells = _split(line)
                if float(cells[at] or "nan") in wanted:
                    yield {
                        column: _read_cell(cell, columns[column]["type"])
                        for column, cell in zip(header, cells, strict=True)
                        if column in columns
                    }
            except (ValueError, IndexError, csv.Error) as error:
                raise SourceFileError(f"{file.name} has a row that cannot be read: {error}") from error


def _lines_with(file: BinaryIO, needles: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the lines that hold one of some texts anywhere, in their order."""
    while block := file.read(_BLOCK):
        block += file.readline()
        starts = set()
        for needle in needles:
            place = block.find(needle)
            while place >= 0:
                starts.add(block.rfind(b"\n", 0, place) + 1)
                end = block.find(b"\n", place)
                place = -1 if end < 0 else block.find(needle, end)
        for start in sorted(starts):
            end = block.find(b"\n", start)
            yield block[start:] if end < 0 else block[start:end]


def _read_cell(cell: str, kind: str) -> Any:
    if not cell:
        return None
    return cell if kind == "string" else float(cell)


def _split(line: bytes) -> list[str]:
    return next(csv.reader([line.decode("utf-8-sig").rstrip("\r\n")]), [])


def _find_file(folder: Path, name: str) -> Path:
    plain, compressed = (folder / f"{name}.{ending}" for ending in ("csv", "csv.gz"))
    for path in (plain, compressed):
        if path.is_file():
            return path
    raise SourceFileError(f"{plain} cannot be used: a file was expected, none found")


@contextmanager
def _opened(folder: Path, name: str) -> Iterator[BinaryIO]:
    """Open a source file; one that turns out to be damaged as it is read is named."""
    path = _find_file(folder, name)
    try:
        with cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb") as file:
            yield file
    except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError, csv.Error) as error:
        raise SourceFileError(f"{path} cannot be used: {error}") from error
