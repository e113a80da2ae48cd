"""What is protected is read off the expressions, and a name that is none is told before anything runs."""

import re

import pandas as pd
import pytest
from pydantic import ValidationError

from credit_scoring.features.catalogue import FEATURES
from credit_scoring.protected import ProtectedOptions, group_values, name_attribute, name_group
from credit_scoring.texts import texts_in
from tests.conftest import ROOT


def test_what_derives_from_a_protected_column_is_found_by_lineage() -> None:
    protected = ProtectedOptions()
    assert protected.columns == ("CODE_GENDER", "NAME_FAMILY_STATUS")
    # The count of missing fields reads all fields, these two among them.
    assert set(protected.found_in(FEATURES)) == {"CODE_GENDER", "NAME_FAMILY_STATUS", "APPLICATION_FIELDS_NULL_COUNT"}
    by_age = ProtectedOptions(columns=("DAYS_BIRTH",)).found_in(FEATURES)
    assert {"DAYS_BIRTH", "APPLICATION_AGE_YEARS", "BUREAU_DAYS_CREDIT_TO_AGE_RATIO"} <= set(by_age)
    assert "EXT_SOURCE_1" not in by_age


def test_nothing_may_be_protected() -> None:
    assert ProtectedOptions(columns=()).found_in(FEATURES) == []


def test_a_column_named_twice_counts_once() -> None:
    assert ProtectedOptions(columns=("CODE_GENDER", "CODE_GENDER")).columns == ("CODE_GENDER",)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("CODE_GENDRE", "Hint: did you mean CODE_GENDER?"),
        ("APPLICATION_AGE_YEARS", "Hint: .*docs/data_dictionary.md"),  # a feature, but no column of the form
        ("TARGET", "Hint: .*docs/data_dictionary.md"),
    ],
)
def test_an_unknown_column_is_an_error_that_helps(name: str, hint: str) -> None:
    with pytest.raises(ValidationError, match=f"(?s)columns of the application form.*found {name}.*{hint}"):
        ProtectedOptions(columns=("NAME_FAMILY_STATUS", name))


def grouped(values: pd.Series, reference: pd.Series | None = None) -> list[str]:
    return group_values(values, values if reference is None else reference).fillna("?").tolist()


def test_groups_of_texts_few_values_and_many() -> None:
    texts = pd.Series(["F", None, "M"], index=[5, 6, 7])
    assert group_values(texts, texts).fillna("?").to_dict() == {5: "F", 6: "?", 7: "M"}
    assert grouped(pd.Series([0.0, 1.0, None])) == ["0", "1", "?"]
    assert grouped(pd.Series([float(n) for n in range(1, 12)])) == ["≤ 6"] * 6 + ["> 6"] * 5


def test_groups_of_numbers_are_those_of_the_reference() -> None:
    many, few = pd.Series([float(n) for n in range(1, 12)]), pd.Series([0, 1, 2])
    assert grouped(pd.Series([2.0, 6.0, 7.0, 90.0, None]), many) == ["≤ 6", "≤ 6", "> 6", "> 6", "?"]
    assert grouped(many + 1, few) == [f"{n}" for n in range(2, 13)]  # an unseen number is a group of its own


def test_groups_are_named_in_words() -> None:
    assert name_attribute("CODE_GENDER", texts_in("fr")) == "Sexe"
    assert name_attribute("AGE_BAND", texts_in("en")) == "Age"
    assert name_group("F", texts_in("en")) == "female"
    assert name_group("?", texts_in("en")) == "no information"


def test_the_page_lists_what_derives_from_each_of_them() -> None:
    page = (ROOT / "docs/protected_attributes.md").read_text()
    listed = {
        name: set(re.findall(r"`(\w+)`", cell)) for name, cell in re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.M)
    }
    expected = {name: set(ProtectedOptions(columns=(name,)).found_in(FEATURES)) for name in ProtectedOptions().columns}
    assert listed == expected
    by_age = re.search(r"`DAYS_BIRTH` would take (\d+) features", page)
    assert by_age is not None
    assert int(by_age[1]) == len(ProtectedOptions(columns=("DAYS_BIRTH",)).found_in(FEATURES)) - 1
