"""How errors are shown: what a user can mend as one panel, a defect with its traceback; both go to a file in full."""

import sys
import tempfile
import traceback
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from click import ClickException, echo
from kedro.utils import find_kedro_project

OWN_FOLDER = ".runs"
"""Folder of the project for what runs keep of themselves: locks, notes, errors in full."""
HINT = "\nHint: "
_ASKED = ("kedro", "omegaconf", "yaml")
"""Packages whose own errors are about what they were asked: an unknown pipeline, a file that is no YAML."""


class Mistake(ClickException):
    """What a user can mend; the message says what, where, and after `Hint:` how."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Show the panel in place of Click's one line."""
        show_mistake(self.message, self, file)


def show_errors() -> None:
    """Let everything that ends this process with an error be shown as one panel, or as a defect."""
    sys.excepthook = _show


def show_mistake(message: str, error: BaseException, file: IO[Any] | None = None) -> None:
    """Show a message on the terminal as a panel, elsewhere as plain lines, and name the file with the traceback."""
    from rich.console import Console  # noqa: PLC0415 - what starts well does without
    from rich.panel import Panel  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    told = message.strip() + _where(_write_down(error))
    console = Console(file=file, stderr=file is None)
    if console.is_terminal:
        text = Text(told)
        text.highlight_words(["Hint:"], style="bold")
        console.print(Panel(text, title="Error", title_align="left", border_style="red"))
    else:
        echo(f"Error: {told}", file=file, err=True)


def is_mistake(error: BaseException) -> bool:
    """Say whether a user can mend an error: it says how, or one of the tools says that it was asked wrongly."""
    from kedro.io import DatasetError  # noqa: PLC0415 - there where it was raised

    frames = traceback.extract_tb(error.__traceback__)
    raised_in = Path(frames[-1].filename).parts if frames else ()
    return HINT.strip() in str(error) or isinstance(error, DatasetError) or bool({*_ASKED} & {*raised_in})


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    from credit_scoring.errors import find_fault  # noqa: PLC0415 - its errors are shown as this module says

    if not isinstance(error, Exception):
        sys.__excepthook__(kind, error, trace)
    elif fault := find_fault(error):
        show_mistake(fault.message, error)
    elif is_mistake(error):
        show_mistake(str(error), error)
    else:
        sys.__excepthook__(kind, error, trace)
        echo(f"This is a defect of the program, not of what it was given.{_where(_write_down(error))}", err=True)


def _where(file: Path | None) -> str:
    return f"\nDetails: {file}" if file else ""


def _write_down(error: BaseException) -> Path | None:
    """Write the traceback to a file of its own in the project, and return it; nothing where none can be written."""
    project = find_kedro_project(Path.cwd())
    folder = Path(project, OWN_FOLDER, "errors") if project else Path(tempfile.gettempdir())
    file = folder / f"credit_scoring_{datetime.now():%Y-%m-%dT%H-%M-%S.%f}.txt"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError:
        return None
    return file
