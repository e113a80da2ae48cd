"""Documents made from the code."""

import re
from pathlib import Path

import ibis
import pytest

from credit_scoring.features import SOURCES, join_features
from credit_scoring.pipelines.documentation.nodes import write_feature_dictionary
from credit_scoring.schemas.raw import RAW_TABLES

ROOT = Path(__file__).parents[3]
REMEDY = "is not what the code says; make it anew: kedro run --pipelines documentation"


@pytest.fixture(scope="module")
def dictionary() -> str:
    return write_feature_dictionary()


def test_every_column_is_documented_once_and_nothing_else(dictionary: str) -> None:
    def raw(name: str) -> ibis.Table:
        return ibis.table(dict(RAW_TABLES[{"application": "application_train"}.get(name, name)].columns), name=name)

    columns = join_features(
        *(source.compute(*(clean(raw(name)) for name, clean in source.clean.items())) for source in SOURCES)
    ).columns
    assert sorted(re.findall(r"^\| `([A-Z0-9_]+)`<br>", dictionary, re.MULTILINE)) == sorted(columns)


def test_the_committed_dictionary_is_what_the_code_says(dictionary: str) -> None:
    assert (ROOT / "docs/feature_dictionary.md").read_text() == dictionary, f"docs/feature_dictionary.md {REMEDY}"


def test_every_table_row_has_all_its_cells(dictionary: str) -> None:
    heads = {
        "| column and meaning | null when |": 3,
        "| column and meaning | formula | window | reads | null when |": 6,
    }
    expected = 0
    for line in dictionary.splitlines():
        expected = heads.get(line, expected) if line.startswith("|") else 0
        if expected:
            assert line.count("|") == expected, line
