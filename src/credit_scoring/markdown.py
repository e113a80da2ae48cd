"""Documents in Markdown: templates that stand beside the modules that gather their values."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from credit_scoring.texts import texts_in

_ENGLISH = texts_in("en")


def markdown_templates(module: str) -> Environment:
    """Return the templates beside a module; a value that a template asks for and does not get is an error.

    They have the filters `number` (four decimals unless a format of `Texts.number` is given), `percent` (of a share, to
    one decimal), both with a dash for null, `code` (of names) and `rows` (of a table, as mappings), and the test
    `missing` (of a value).

    Args:
        module: File of the module, its `__file__`.
    """
    templates = Environment(
        loader=FileSystemLoader(Path(module).parent),
        autoescape=False,  # Markdown, not HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {"code": code, "number": _number, "percent": _percent, "rows": _rows}
    templates.tests["missing"] = pd.isna
    return templates


def code(names: Iterable[str], separator: str = ", ") -> str:
    """Write names as code."""
    return separator.join(f"`{name}`" for name in names)


def _number(value: float | None, spec: str = ".4f") -> str:
    return "–" if pd.isna(value) else _ENGLISH.number(value, spec)


def _percent(share: float | None, digits: int = 1) -> str:
    return _number(share, f".{digits}%").replace("−0.0%", "0.0%")


def _rows(table: pd.DataFrame) -> list[dict[str, object]]:
    return table.to_dict("records")
