"""Write the tables of damaged inputs that the tests hold the project to into docs/damaged_inputs.md."""

from collections.abc import Iterator
from pathlib import Path

from tests.damaged.files import DAMAGED_FILES

TARGET = Path(__file__).parents[1] / "docs" / "damaged_inputs.md"

_INTRODUCTION = """# Damaged inputs

What users do to files, and what comes of it: one clear error, or the right value. Every row is a test, `tests/damaged`,
on the files of 140 synthetic applicants of which one is damaged. Whoever meets another damage adds a row to the table
there and runs `python -m tools.damaged_inputs`, which writes this page.
"""


def write_page() -> str:
    """Return the page, as Markdown."""
    return "\n".join([_INTRODUCTION, *_file_rows(), ""])


def _file_rows() -> Iterator[str]:
    yield f"## Raw files ({len(DAMAGED_FILES)})\n"
    yield "| file | that is, or has | outcome |"
    yield "|---|---|---|"
    for case in DAMAGED_FILES:
        yield f"| `{case.table}` | {_cell(case.what)} | {_cell(case.outcome)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    TARGET.write_text(write_page(), encoding="utf-8")
