"""Gaps: what is told of an applicant of whom too little is known, or of whom impossible things are said."""

import numpy as np
import pytest

from credit_scoring.gaps import GapRules, name_unknown

NAMES = ("AGE", "NOTE", "JOB", "H1", "H2", "H3", "H4")
NONE = float("nan")


@pytest.fixture
def rules() -> GapRules:
    """A form of a number that must be known, one that need not, and a text, and a history of four columns."""
    return GapRules(
        names=NAMES,
        is_text=np.array([False, False, True, False, False, False, False]),
        low=np.array([18, -np.inf, -np.inf, 0, 0, 0, 0], dtype=float),
        high=np.array([99, 5, np.inf, np.inf, 1, 1, 1], dtype=float),
        never_null=np.array([True, False, True, False, False, False, False]),
        sources=np.array([0, 0, 0, 1, 1, 1, 1]),
        most_missing=np.array([1.05, 2.2]),
        implausible={"en": tuple(f"{name} wrong" for name in NAMES), "fr": tuple(f"{name} faux" for name in NAMES)},
        not_given={"en": tuple(f"{name} absent" for name in NAMES), "fr": tuple(f"{name} absent" for name in NAMES)},
        too_little={"en": ("form", "history"), "fr": ("demande", "historique")},
        n_told=3,
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([18, 5, 0, 0, 0, 1, 1], []),
        ([99, NONE, 0, 1e9, 1, 0, 0], []),
        ([17.9, 5, 0, 0, 0, 1, 1], [("AGE", "out_of_range", "AGE wrong")]),
        ([99.1, 5.1, 0, 0, 0, 1, 1], [("AGE", "out_of_range", "AGE wrong"), ("NOTE", "out_of_range", "NOTE wrong")]),
        ([NONE, 0, 0, 0, 0, 1, 1], [("AGE", "missing", "AGE absent")]),
        ([18, 0, NONE, 0, 0, 1, 1], [("JOB", "missing", "JOB absent")]),
        # No history at all says that there is none; of one that there is, two nulls are usual and three are not
        ([18, 5, 0, NONE, NONE, NONE, NONE], []),
        ([18, 5, 0, NONE, NONE, 1, 1], []),
        ([18, 5, 0, NONE, NONE, NONE, 1], [(None, "too_little_known", "history")]),
        # The form is always there
        ([18, NONE, NONE, 0, 0, 1, 1], [(None, "too_little_known", "form"), ("JOB", "missing", "JOB absent")]),
        (
            [NONE] * 7,
            [(None, "too_little_known", "form"), ("AGE", "missing", "AGE absent"), ("JOB", "missing", "JOB absent")],
        ),
        # No more than three are told
        (
            [-5000, 7, NONE, NONE, NONE, NONE, 2],
            [
                (None, "too_little_known", "history"),
                ("AGE", "out_of_range", "AGE wrong"),
                ("NOTE", "out_of_range", "NOTE wrong"),
            ],
        ),
    ],
)
def test_gaps_of_an_applicant(rules: GapRules, row: list[float], expected: list[tuple[str | None, str, str]]) -> None:
    values = np.array([row, [50, 0, 0, 0, 0, 0, 0]])
    found, none = rules.find(values, np.isnan(values), "en")
    assert [(gap["column"], gap["gap"], gap["text"]) for gap in found] == expected
    assert none == []


def test_gaps_are_told_in_the_language_asked_for(rules: GapRules) -> None:
    values = np.array([[5, 0, 0, NONE, NONE, NONE, 0.5]])
    (found,) = rules.find(values, np.isnan(values), "fr")
    assert [gap["text"] for gap in found] == ["historique", "AGE faux"]


def test_nobody_has_no_gaps(rules: GapRules) -> None:
    assert rules.find(np.empty((0, 7)), np.empty((0, 7), dtype=bool), "fr") == []


def test_a_name_that_nobody_knows_is_told_with_the_column_that_may_be_meant() -> None:
    near, far = name_unknown(["AMT_CREDIT", None], "en")
    assert near == {
        "column": "AMT_CREDIT",
        "gap": "unknown_name",
        "text": "The request holds a name that the model does not know; AMT_CREDIT may be meant.",
    }
    assert far == {
        "column": None,
        "gap": "unknown_name",
        "text": "The request holds a name that the model does not know.",
    }
