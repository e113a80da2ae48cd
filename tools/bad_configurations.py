"""Write the table of bad configurations that the tests hold the project to into docs/bad_configurations.md."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.damaged.configurations import BAD_CONFIGURATIONS, BadConfiguration

TARGET = Path(__file__).parents[1] / "docs" / "bad_configurations.md"

_INTRODUCTION = """# Bad configurations

What users get wrong in files and behind commands, and what they are told before anything is computed. Every row is a
test, `tests/damaged`. Whoever meets another mistake adds a row to the table there and runs
`python -m tools.bad_configurations`, which writes this page.

| mistake | for example | what is said |
|---|---|---|
"""


def write_page() -> str:
    """Return the page, as Markdown."""
    return _INTRODUCTION + "".join(_rows())


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
