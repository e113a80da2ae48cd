"""The list of an exported model's files with their SHA-256 digests: written at export, checked before they are read."""

import hashlib
from pathlib import Path

from credit_scoring.exported_model import DESCRIPTION, MANIFEST, SCORER


class ModelFolderError(Exception):
    """A folder does not hold the model that was exported to it, or none that can be served here."""


def write_manifest(folder: Path) -> None:
    """List the files of a folder; `sha256sum -c MANIFEST.sha256` reads the list as well."""
    lines = [f"{digest}  {name}" for name, digest in _digests(folder).items()]
    (folder / MANIFEST).write_text("\n".join(lines) + "\n", encoding="utf-8")


def check_manifest(folder: Path) -> str:
    """Compare the files of a folder with its list.

    Returns:
        The digest of the list itself: it stands for the whole content of the folder.

    Raises:
        ModelFolderError: If there is no list, or a file is missing, altered or not listed; with every such file.
    """
    manifest = folder / MANIFEST
    hint = "Hint: export the model again (make export), or copy the whole folder again."
    if not folder.is_dir():
        raise ModelFolderError(f"{folder} is not a folder.\nHint: name the folder of an exported model.")
    if not manifest.is_file():
        raise ModelFolderError(f"{folder} has no {MANIFEST}: it is no exported model, or an incomplete one.\n{hint}")
    listed = {}
    for line in manifest.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    found = _digests(folder)
    problems = [f"{name}: missing" for name in sorted(listed.keys() - found.keys())]
    problems += [f"{name}: not listed" for name in sorted(found.keys() - listed.keys())]
    problems += [f"{name}: altered" for name in sorted(listed.keys() & found.keys()) if listed[name] != found[name]]
    problems += [f"{name}: not listed" for name in (DESCRIPTION, SCORER) if name not in listed and name not in found]
    if problems:
        bullets = "\n".join(f"  - {problem}" for problem in problems)
        raise ModelFolderError(f"{folder} does not hold the model that was exported:\n{bullets}\n{hint}")
    return hashlib.sha256(manifest.read_bytes()).hexdigest()


def _digests(folder: Path) -> dict[str, str]:
    """Return the digest of every file but the list, and but the bytecode that Python leaves beside code it has run."""
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(files)
        if path != folder / MANIFEST
    }
