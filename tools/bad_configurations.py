"""Write what the tests say of bad configurations and killed runs into docs/bad_configurations.md."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.damaged.configurations import BAD_CONFIGURATIONS, BadConfiguration
from tests.damaged.killed_runs import KILLED_RUNS

TARGET = Path(__file__).parents[1] / "docs" / "bad_configurations.md"

_INTRODUCTION = """# Bad configurations and killed runs

What users get wrong in files and behind commands, and what they are told before anything is computed; what a killed
run leaves, and what the next one makes of it. Every row is a test, `tests/damaged`. Whoever meets another case adds a
row to the tables there and runs `python -m tools.bad_configurations`, which writes this page.

## Bad configurations

| mistake | for example | what is said |
|---|---|---|
"""

_KILLED = """
## Killed runs

The run is `KILLED` in MLflow as well, its typed copies of raw files are removed. What another run is busy with stays.

| killed | left | after the next start |
|---|---|---|
"""


def write_page() -> str:
    """Return the page, as Markdown."""
    return _INTRODUCTION + "".join(_rows()) + _KILLED + "".join(_killed_rows())


def _killed_rows() -> Iterator[str]:
    for case in KILLED_RUNS:
        left, then = (", ".join(f"`{name}`" for name in files) or "nothing" for files in (case.left, case.then))
        yield f"| {case.what} | {left} | {then} |\n"


def _rows() -> Iterator[str]:
    for case in BAD_CONFIGURATIONS:
        yield f"| {case.what} | {_example(case)} | {' … '.join(case.stops).replace('|', chr(92) + '|')} |\n"


def _example(case: BadConfiguration) -> str:
    shown = [f"`{name}`: `{' '.join(text.split())}`" for name, text in case.files.items()]
    if case.env not in (None, "test"):
        shown.append(f"`--env {case.env}`")
    if case.params:
        shown.append(f"`--params {','.join(_flatten(case.params))}`")
    shown += [f"`--{name.replace('_', '-')} {','.join(named)}`" for name, named in case.run.items()]
    return ", ".join(shown)


def _flatten(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}={value if isinstance(value, str) else json.dumps(value)}"


if __name__ == "__main__":
    TARGET.write_text(write_page(), encoding="utf-8")
