"""The list of an exported model's files with their SHA-256 digests: written at export, checked before they are read."""

import hashlib
import os
import re
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from credit_scoring.exported_model import DESCRIPTION, MANIFEST, SCORER

_LINE = re.compile(r"([0-9a-f]{64})  (.+)", re.DOTALL)
_BYTECODE = "__pycache__"
_EXPORT_AGAIN = "Hint: export the model again (make export), or copy the whole folder again."


class ModelFolderError(Exception):
    """A folder does not hold the model that was exported to it, or none that can be served here."""


@dataclass(frozen=True)
class Manifest:
    """The files of a folder, as they were listed at export and found.

    Attributes:
        folder: The folder.
        digests: SHA-256 of each file, by its name from the folder on.
        sha256: Digest of the list itself: it stands for the whole content of the folder.
    """

    folder: Path
    digests: Mapping[str, str]
    sha256: str

    def read(self, name: str) -> bytes:
        """Return a listed file: the very bytes whose digest is listed, even if the file was altered after the check.

        Raises:
            ModelFolderError: If it is another file by now, or gone.
        """
        try:
            content = (self.folder / name).read_bytes()
        except OSError as error:
            raise _differs(self.folder, [f"{name}: cannot be read ({error.strerror})"]) from error
        if hashlib.sha256(content).hexdigest() != self.digests[name]:
            raise _differs(self.folder, [f"{name}: altered"])
        return content


def write_manifest(folder: Path) -> None:
    """List the files of a folder; `sha256sum -c MANIFEST.sha256` reads the list as well.

    Raises:
        ModelFolderError: If the folder holds what no model may hold: links, say, or names of two lines.
    """
    files = sorted(name for name, mode in _entries(folder).items() if stat.S_ISREG(mode) and name != MANIFEST)
    lines = [f"{_digest(folder / name)}  {name}\n" for name in files]
    (folder / MANIFEST).write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
    check_manifest(folder)


def check_manifest(folder: Path) -> Manifest:
    """Compare all that a folder holds with its list.

    Raises:
        ModelFolderError: If there is no list; if a line of it is none; if a file is missing or altered; or if anything
            else is there, such as an unlisted file, a link or an empty folder. Names each of these.
    """
    if not folder.is_dir():
        raise ModelFolderError(f"{folder} is not a folder.\nHint: name the folder of an exported model.")
    entries = _entries(folder)
    if not stat.S_ISREG(entries.pop(MANIFEST, 0)):
        raise ModelFolderError(
            f"{folder} has no {MANIFEST}: it is no exported model, or an incomplete one.\n{_EXPORT_AGAIN}"
        )
    content = (folder / MANIFEST).read_bytes()
    digests, problems = _parse(content)
    folders = {parent.as_posix() for name in digests for parent in PurePosixPath(name).parents}
    problems += [f"{name}: missing" for name in sorted(digests.keys() - entries.keys())]
    for name, mode in sorted(entries.items()):
        if stat.S_ISDIR(mode) and name in folders:
            continue
        if name not in digests:
            problems.append(f"{_printable(name)}{'/' if stat.S_ISDIR(mode) else ''}: not listed")
        elif not stat.S_ISREG(mode):
            problems.append(f"{name}: no regular file")
        elif problem := _compare(folder / name, digests[name]):
            problems.append(f"{name}: {problem}")
    problems += [f"{name}: not listed" for name in (DESCRIPTION, SCORER) if name not in digests | entries]
    if problems:
        raise _differs(folder, problems)
    return Manifest(folder, digests, hashlib.sha256(content).hexdigest())


def _parse(content: bytes) -> tuple[dict[str, str], list[str]]:
    """Return the digests by name, and what is wrong with other lines."""
    digests: dict[str, str] = {}
    problems = []
    lines = content.decode(errors="surrogateescape").removesuffix("\n").split("\n")
    for number, line in enumerate(lines if content else [], start=1):
        match = _LINE.fullmatch(line)
        if match is None or not _is_plain(match[2]):
            problems.append(f"{MANIFEST}, line {number}: expected a digest and the name of a file in this folder")
        elif match[2] in digests:
            problems.append(f"{MANIFEST}, line {number}: {match[2]} is listed twice")
        else:
            digests[match[2]] = match[1]
    return digests, problems


def _is_plain(name: str) -> bool:
    """Whether a name leads to one place below a folder, on every system, and is one line that can be shown."""
    path = PurePosixPath(name)
    inside = not path.is_absolute() and ".." not in path.parts and path.as_posix() == name
    return inside and name.isprintable() and "\\" not in name and name != MANIFEST


def _entries(folder: Path) -> dict[str, int]:
    """Return the mode of all that is below a folder, links not followed, by name from the folder on."""
    return {
        path.relative_to(folder).as_posix(): path.lstat().st_mode
        for place, folders, files in os.walk(folder)
        for path in (Path(place, name) for name in (*folders, *files))
    }


def _compare(file: Path, digest: str) -> str:
    try:
        return "" if _digest(file) == digest else "altered"
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _differs(folder: Path, problems: list[str]) -> ModelFolderError:
    bullets = "\n".join(f"  - {problem}" for problem in problems)
    hint = _EXPORT_AGAIN
    if all(f"{_BYTECODE}/" in problem for problem in problems):
        hint = (
            "Hint: Python leaves bytecode beside code that it has run, and would run it instead of the code.\n"
            f"      find {shlex.quote(str(folder))} -name {_BYTECODE} -prune -exec rm -r {{}} +"
        )
    return ModelFolderError(f"{folder} does not hold the model that was exported:\n{bullets}\n{hint}")


def _printable(name: str) -> str:
    return name if name.isprintable() else ascii(name)
