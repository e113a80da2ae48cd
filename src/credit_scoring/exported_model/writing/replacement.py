"""Replacing an exported model so that its folder holds the old one or the new one, whole, even after a kill."""

import ctypes
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from credit_scoring.exported_model.manifest import write_manifest

_PREFIX, _REPLACED = ".export_", "replaced"
_HERE, _EXCHANGE = -100, 2
"""AT_FDCWD and RENAME_EXCHANGE of Linux."""


@contextmanager
def workspace_beside(folder: Path) -> Iterator[Path]:
    """Lend a place on the same disk as a folder, and remove it with its content.

    A process that is killed leaves its place behind. It is removed here, once nobody holds its lock any more; and if
    the folder was just being replaced where two names cannot be exchanged at once, its old content is put back.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f"{_PREFIX}*"):
        with _locked(left) as is_ours:
            if is_ours and (left / _REPLACED).exists() and not folder.exists():
                (left / _REPLACED).rename(folder)
            if is_ours:
                shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=folder.parent) as workspace, _locked(Path(workspace)):
        yield Path(workspace)


def replace_model(folder: Path, fresh: Path) -> None:
    """List the files of a model that was written aside, and swap it in.

    Args:
        folder: Where the model belongs; another one that is there goes into the workspace.
        fresh: The model, in a workspace beside the folder.
    """
    write_manifest(fresh)
    if not folder.exists():
        fresh.rename(folder)
    elif not _exchange(folder, fresh):
        folder.rename(fresh.with_name(_REPLACED))
        try:
            fresh.rename(folder)
        except OSError:
            fresh.with_name(_REPLACED).rename(folder)
            raise


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change names at once; false where the system or the disk cannot."""
    try:
        rename = ctypes.CDLL(None).renameat2
    except AttributeError:
        return False
    return rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0


@contextmanager
def _locked(place: Path) -> Iterator[bool]:
    """Hold the lock of a folder as long as this process lives, and say whether it was to be had."""
    try:
        opened = os.open(place, os.O_RDONLY)
    except FileNotFoundError:  # its owner has just removed it
        yield False
        return
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(opened)
