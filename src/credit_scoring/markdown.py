"""Documents in Markdown: templates that stand beside the modules that gather their values."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from credit_scoring.texts import texts_in

_ENGLISH = texts_in("en")


def markdown_templates(module: str) -> Environment:
    """Return the templates beside a module; a value that a template asks for and does not get is an error.

    They speak English, by `say` unless they are given that of another language, and have the filters `number` (four
    decimals unless a format of `Texts.number` is given), `percent` (of a share) and `points` (of a difference of
    shares; both to one decimal), all three with a dash for null, `code` (of names), `rows` (of a table, as mappings),
    and the test `missing` (of a value).

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
    templates.filters |= {"code": code, "number": _number, "percent": _percent, "points": _points, "rows": _rows}
    templates.globals["say"] = _ENGLISH.say
    templates.tests["missing"] = pd.isna
    return templates


def code(names: Iterable[str], separator: str = ", ") -> str:
    """Write names as code."""
    return separator.join(f"`{name}`" for name in names)


def _number(value: float | None, spec: str = ".4f") -> str:
    return "–" if value is None or pd.isna(value) else _ENGLISH.number(value, spec)


def _percent(share: float | None, digits: int = 1) -> str:
    return _number(share, f".{digits}%")


def _points(difference: float | None) -> str:
    return _number(None if difference is None else 100 * difference, ".1f")


def _rows(table: pd.DataFrame) -> list[dict[str, object]]:
    return table.to_dict("records")
