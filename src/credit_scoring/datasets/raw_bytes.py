"""Whether the bytes of a raw file arrived as they were sent: what no parser of CSV tells, or tells in a riddle."""

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from credit_scoring.schemas.quality import Problem

_CHUNK, _SHOWN = 1 << 20, 30
_COPY_AGAIN = "copy or download the file again, and compare its size with that of the original."
_OTHER_FORMATS = {
    b"PK\x03\x04": ("a zip archive or a spreadsheet", "unpack it, or save it as CSV in UTF-8."),
    b"\x1f\x8b": ("a gzip file", "let its name end in .csv.gz, or unpack it."),
    b"PAR1": ("a Parquet file", "save it as CSV in UTF-8."),
    b"\xff\xfe": ("text in UTF-16", "save it as CSV in UTF-8."),
    b"\xfe\xff": ("text in UTF-16", "save it as CSV in UTF-8."),
}


def find_other_format(path: Path) -> Problem | None:
    """Look at the first bytes of a file for another format than the one that its name says."""
    with path.open("rb") as file:
        start = file.read(4)
    if path.suffix == ".gz":
        if not start or start.startswith(b"\x1f\x8b"):
            return None
        return Problem("a gzip file", "another one", "let the name of a plain CSV file end in .csv.")
    for magic, (found, hint) in _OTHER_FORMATS.items():
        if start.startswith(magic):
            return Problem("a CSV file in UTF-8", found, hint)
    return None


def find_damage(path: Path) -> list[Problem]:
    """Read a file to its end, which a gzip file has to reach with the checksum and length that it says.

    A file that was cut can't be told from one whose last line was written without an end of line, so the latter is
    refused as well. What reads files in a thread of its own while an engine parses them costs next to nothing.

    Returns:
        What is wrong: an end that is missing, a checksum that does not fit, bytes that are no text.
    """
    last, position, nul = b"", 0, -1
    try:
        for chunk in _read(path):
            if nul < 0 and (found := chunk.find(b"\0")) >= 0:
                nul = position + found
            last, position = (last + chunk[-_SHOWN:])[-_SHOWN:], position + len(chunk)
    except EOFError:
        return [Problem("a whole gzip file", f"one that was cut after {path.stat().st_size:,} bytes", _COPY_AGAIN)]
    except (gzip.BadGzipFile, zlib.error) as error:
        return [Problem("a sound gzip file", f"a damaged one ({error})", _COPY_AGAIN)]
    if nul >= 0:
        return [Problem("text", f"a byte 0, the first after {nul:,} bytes", _COPY_AGAIN)]
    if last and not last.endswith((b"\n", b"\r")):
        line = re.split(rb"[\r\n]", last)[-1].decode(errors="replace")
        hint = "a file without it may have been cut: " + _COPY_AGAIN
        return [Problem("an end of line after the last row", f"the end of the file after {line!r}", hint)]
    return []


def write_with_unix_line_ends(path: Path, target: Path) -> None:
    """Copy a file so that all of its lines end alike, which no line of the official layout can mind."""
    after_return = False
    with target.open("wb") as copy:
        for chunk in _read(path):
            if after_return and chunk.startswith(b"\n"):
                chunk = chunk[1:]  # noqa: PLW2901 - the second half of an end of line
            after_return = chunk.endswith(b"\r") if chunk else after_return
            copy.write(chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))


def _read(path: Path) -> Iterator[bytes]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
