"""Replacing an exported model so that its folder holds the old one or the new one, whole, even if a step fails."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from credit_scoring.exported_model.manifest import write_manifest


@contextmanager
def workspace_beside(folder: Path) -> Iterator[Path]:
    """Lend a place on the same disk as a folder, and remove it with its content."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export_", dir=folder.parent) as workspace:
        yield Path(workspace)


def replace_model(folder: Path, fresh: Path) -> None:
    """List the files of a model that was written aside, and swap it in.

    Args:
        folder: Where the model belongs; another one that is there goes into the workspace.
        fresh: The model, in a workspace beside the folder.
    """
    write_manifest(fresh)
    old = fresh.with_name("replaced")
    if folder.exists():
        folder.rename(old)
    try:
        fresh.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
