"""Templates of documents write numbers in one way, and want all their values."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from jinja2 import UndefinedError

from credit_scoring.markdown import markdown_templates
from credit_scoring.texts import texts_in


def write(folder: Path, text: str, **values: Any) -> str:
    (folder / "page.md.jinja").write_text(text)
    return markdown_templates(str(folder / "module.py")).get_template("page.md.jinja").render(**values)


@pytest.mark.parametrize(
    ("value", "filters", "written"),
    [
        (-0.12345, "number", "−0.1234"),
        (0.5, "number('+.2f')", "+0.50"),
        (1234567, "number(',')", "1,234,567"),
        (0.1234, "percent", "12.3%"),
        (0.1234, "percent(0)", "12%"),
        (-0.0001, "percent", "0.0%"),
        (-0.0123, "points", "−1.2"),
        (-0.00004, "number", "0.0000"),
        (None, "number", "–"),
        (None, "points", "–"),
        (float("nan"), "percent", "–"),
    ],
)
def test_numbers_have_one_form_and_null_is_a_dash(
    value: float | None, filters: str, written: str, tmp_path: Path
) -> None:
    assert write(tmp_path, f"{{{{ value | {filters} }}}}", value=value) == written


def test_a_table_is_written_row_by_row_and_nothing_is_escaped(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["a < b", "c"], "share": [0.5, None]})
    page = """
{% for row in table | rows %}
| {{ row.name }} |{{ row.share if row.share is not missing }}|
{% endfor %}
"""
    assert write(tmp_path, page, table=table) == "\n| a < b |0.5|\n| c ||\n"


def test_names_are_code_and_texts_are_english_unless_another_language_is_given(tmp_path: Path) -> None:
    page = '{{ names | code }}: {{ say("report.policy_name.approve_all") }}'
    assert write(tmp_path, page, names=["a", "b"]) == "`a`, `b`: approve all"
    assert write(tmp_path, page, names=[], say=texts_in("fr").say) == ": tout accorder"


def test_a_value_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError, match="'dict object' has no attribute 'cost'"):
        write(tmp_path, "{{ policy.cost | number }}", policy={})
