"""Documents made from the code."""

import re
from pathlib import Path

import pytest

from credit_scoring.features.catalogue import FEATURES, FEATURES_BY_MODULE
from credit_scoring.pipelines.documentation.nodes import write_data_dictionary, write_feature_dictionary
from credit_scoring.schemas.raw import RAW_TABLES

ROOT = Path(__file__).parents[3]
REMEDY = "is not what the code says; make it anew: kedro run --pipelines documentation"


@pytest.fixture(scope="module")
def dictionary() -> str:
    return write_feature_dictionary()


@pytest.fixture(scope="module")
def contracts() -> str:
    return write_data_dictionary()


def test_every_feature_is_documented_once_beside_the_module_that_makes_it(dictionary: str) -> None:
    rows = re.findall(r"^\| `([A-Z0-9_]+)`<br>.*\| `(\w+)` \|$", dictionary, re.MULTILINE)
    assert sorted(name for name, _ in rows) == sorted(FEATURES)
    for name, module in rows:
        assert name in {feature.name for feature in FEATURES_BY_MODULE[module]}
        assert (ROOT / f"src/credit_scoring/features/{module}.py").exists()


def test_the_committed_dictionary_is_what_the_code_says(dictionary: str) -> None:
    assert (ROOT / "docs/feature_dictionary.md").read_text() == dictionary, f"docs/feature_dictionary.md {REMEDY}"


def test_every_table_row_has_all_its_cells(dictionary: str) -> None:
    heads = {
        "| column and meaning | unit | null when | module |": 5,
        "| column and meaning | unit | formula | reads | null when | module |": 7,
    }
    expected = 0
    for line in dictionary.splitlines():
        expected = heads.get(line, expected) if line.startswith("|") else 0
        if expected:
            assert line.count("|") == expected, line


def test_the_committed_data_dictionary_is_what_the_contracts_say(contracts: str) -> None:
    assert (ROOT / "docs/data_dictionary.md").read_text() == contracts, f"docs/data_dictionary.md {REMEDY}"


def test_every_raw_column_is_described(contracts: str) -> None:
    sections = {section.split("\n", 1)[0]: section for section in contracts.split("\n## ")}
    for name, table in RAW_TABLES.items():
        described = re.findall(r"^\| `(\w+)` \|", sections[name], re.MULTILINE)
        assert described == ([] if name == "application_test" else list(table.columns))


def test_a_raw_column_is_told_with_values_missing_rate_cleaning_and_use(contracts: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)\|$", contracts.split("\n## application_train")[1], re.MULTILINE))
    *_, values, missing, cleaning, used = (cell.strip() for cell in rows["OWN_CAR_AGE"].split("|"))
    assert (values, missing, cleaning) == ("0 to 63; code 64; code 65", "66.0%", "`null_if(it, (it > 63) or (it < 0))`")
    # The column itself, two ratios, and the number of empty fields.
    assert used == "4"
    assert rows["FLAG_MOBIL"].endswith("| none ")
