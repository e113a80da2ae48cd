"""Who answers for a model is told on its card."""

from datetime import date

import pytest
from pydantic import ValidationError

from credit_scoring.pipelines.reporting.model_card import _TEMPLATES
from credit_scoring.pipelines.reporting.options import ResponsibilityOptions


def card(**named: object) -> str:
    """Return the head of a card."""
    text = _TEMPLATES.get_template("model_card.md.jinja").render(
        **dict.fromkeys(("training", "performance", "protection", "conduct"), ""),
        flags=[],
        left_out={},
        limits=[],
        responsibility=ResponsibilityOptions.model_validate(named),
        source="real",
        software=[],
    )
    return text.partition("## Intended use")[0]


def test_a_card_names_owner_approver_and_validity() -> None:
    named = {"owner": "Risk", "approver": "A. Martin", "approved_on": "2026-11-30", "valid_until": "2027-11-30"}
    text = card(**named)
    for row in ("| Owner | Risk |", "| Approved by | A. Martin, 2026-11-30 |", "| Valid until | 2027-11-30 |"):
        assert row in text


def test_a_card_says_that_nobody_answers_for_the_model_yet() -> None:
    text = card()
    assert "| Owner | not named yet |" in text
    assert "| Approved by | nobody yet: not for use on customers |" in text


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"approved_on": date(2026, 11, 30)}, "approver is not set"),
        (
            {"approver": "A", "approved_on": date(2026, 11, 30), "valid_until": date(2026, 11, 30)},
            "expected a day after approved_on",
        ),
        ({"approvers": "A"}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_is_refused(named: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ResponsibilityOptions.model_validate(named)
