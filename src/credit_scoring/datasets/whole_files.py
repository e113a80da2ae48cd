"""Local files that are whole or not there: each is written aside and renamed when it is complete."""

import io
import os
import shutil
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem


def write_files_whole() -> None:
    """Let every dataset that opens its file through fsspec, as all of `kedro_datasets` do, write it aside.

    A full disk, a value that cannot be written or a kill then leaves the file of before as it was.
    """
    for protocol in ("file", "local"):
        fsspec.register_implementation(protocol, WholeFileSystem, clobber=True)


class WholeFileSystem(LocalFileSystem):
    """The local file system, except that what is opened to be written gets its name when it is closed without fault."""

    def open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        """Open a file; one of text is told of an error inside its `with` block, where fsspec's would only be closed."""
        if "w" not in mode or "b" in mode:
            return super().open(path, mode, **options)
        text = {name: options.pop(name) for name in ("encoding", "errors", "newline") if name in options}
        return _WholeText(self.open(path, "wb", **options), **text)

    def _open(self, path: str, mode: str = "rb", block_size: int | None = None, **options: Any) -> Any:
        if "w" not in mode:
            return super()._open(path, mode, block_size, **options)
        if self.auto_mkdir:
            self.makedirs(self._parent(path), exist_ok=True)
        return _WholeFile(Path(path))


class _WholeFile(io.BufferedWriter):
    """A file beside the one that it becomes, on the same disk; a link stays a link."""

    def __init__(self, path: Path) -> None:
        self._target = path.resolve()
        self._aside = aside_of(self._target)
        super().__init__(io.FileIO(self._aside, "w"))

    def __exit__(self, failed: Any, *_: Any) -> None:
        if failed:
            self.discard()
        self.close()

    def discard(self) -> None:
        """Leave the file of before."""
        self.raw.close()
        self._aside.unlink(missing_ok=True)

    def close(self) -> None:
        """Write what is left, to the disk, and give the file its name."""
        if self.closed:
            return
        try:
            self.flush()
            os.fsync(self.fileno())
            super().close()
            if self._target.exists():
                shutil.copymode(self._target, self._aside)
            self._aside.replace(self._target)
        except BaseException:
            self.discard()
            raise


class _WholeText(io.TextIOWrapper):
    def __exit__(self, failed: Any, *_: Any) -> None:
        if failed:
            self.buffer.discard()  # type: ignore[attr-defined]
        else:
            self.close()


def aside_of(path: Path) -> Path:
    """Return where a file is written before it gets its name."""
    return path.with_name(f".{path.name}.part")
