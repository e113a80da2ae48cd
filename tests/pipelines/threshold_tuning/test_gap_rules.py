"""What the columns of a model may hold: the contract of the raw tables, units, and what training saw."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.gaps import GapRules
from credit_scoring.models import build_model
from credit_scoring.pipelines.threshold_tuning.gap_rules import learn_gap_rules
from credit_scoring.pipelines.threshold_tuning.options import GapOptions
from credit_scoring.schemas.raw import contract_of

OPTIONS = GapOptions(widen=2, missing_quantile=0.9, missing_margin=0.25)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    none = [None] * 10
    return pd.DataFrame(
        {
            "AMT_CREDIT": [100_000.0] * 20,
            "DAYS_BIRTH": [-10_000] * 20,
            "OWN_CAR_AGE": [*none, *range(10)],
            "APPLICATION_CREDIT_TO_INCOME_RATIO": [1.0, 3.0] * 10,
            "BUREAU_DEBT_SUM": [0.0, *none[1:], *[7.0] * 10],
            "BUREAU_CREDIT_SLOPE": [-4.0, *none[1:], *[2.0] * 10],
            "BUREAU_ACTIVE_RATE": [None, *none[1:], *[0.5] * 9, None],
            "BUREAU_CLOSED_COUNT": [None, *none[1:], *[1.0] * 10],
            "OCCUPATION_TYPE": ["Drivers", None] * 10,
            "NAME_EDUCATION_TYPE": ["Higher education"] * 20,
        }
    )


@pytest.fixture(scope="module")
def rules(rows: pd.DataFrame) -> GapRules:
    return learn_gap_rules(build_model("dummy", {}).fit(rows, [0, 1] * 10), rows, OPTIONS)


def test_numbers_have_the_bounds_of_contract_unit_or_training(rules: GapRules) -> None:
    assert rules.ranges == {
        "AMT_CREDIT": (40_000, 5_000_000),
        "DAYS_BIRTH": (-26_000, -7_300),
        "OWN_CAR_AGE": (0, 63),
        # Never negative in training, and up to 3 + 2 x 3
        "APPLICATION_CREDIT_TO_INCOME_RATIO": (0, 9),
        "BUREAU_DEBT_SUM": (0, 21),
        # From -4 - 2 x 6 to 2 + 2 x 6
        "BUREAU_CREDIT_SLOPE": (-16, 14),
        # Constant in training: of the unit alone
        "BUREAU_ACTIVE_RATE": (0, 1 + 1e-9),
        "BUREAU_CLOSED_COUNT": (0, np.inf),
    }


def test_what_is_never_null_in_training_must_be_known(rules: GapRules) -> None:
    must = [name for name, never in zip(rules.names, rules.never_null, strict=True) if never]
    assert must == ["AMT_CREDIT", "DAYS_BIRTH", "APPLICATION_CREDIT_TO_INCOME_RATIO", "NAME_EDUCATION_TYPE"]


def test_of_a_source_as_much_may_be_missing_as_training_saw_and_a_margin_more(rules: GapRules) -> None:
    """Of the form 2 of 6 columns, of credits elsewhere, among those who have some, 2 of 4 at the 90 % quantile."""
    assert rules.sources.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0]
    assert rules.most_missing.tolist() == [2 + 0.25 * 6, 1 + 0.25 * 4]


def test_bounds_are_told_in_the_words_and_units_of_reasons(rules: GapRules) -> None:
    told = {language: dict(zip(rules.names, texts, strict=True)) for language, texts in rules.implausible.items()}
    assert told["en"]["DAYS_BIRTH"] == "Age: implausible, expected between 19 years 11 months and 71 years 2 months"
    assert told["fr"]["OWN_CAR_AGE"].endswith("valeur invraisemblable, attendue entre 0\xa0an et 63\xa0ans")
    assert told["en"]["BUREAU_CLOSED_COUNT"].endswith("implausible, expected at least 0")
    assert rules.not_given["fr"][0].endswith(" : information absente, toujours connue pour les autres demandeurs")
    assert rules.too_little["en"] == (
        "Application: too much information is missing for an automatic decision",
        "Credits at other lenders: too much information is missing for an automatic decision",
    )


def test_no_training_applicant_of_a_plausible_range_has_a_gap_in_it(rows: pd.DataFrame, rules: GapRules) -> None:
    values = rows.mask(rows.map(lambda value: isinstance(value, str)), np.nan).to_numpy(dtype=float)
    kinds = {gap["gap"] for found in rules.find(values, rows.isna().to_numpy(), "fr") for gap in found}
    assert kinds <= {"too_little_known"}


def test_every_number_of_the_form_has_a_range() -> None:
    form = contract_of("application").definition
    bounded = [name for name, column in form.items() if column.checks and column.metadata["type"] != "string"]
    assert len(bounded) > 90
