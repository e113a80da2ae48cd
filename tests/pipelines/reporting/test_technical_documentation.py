"""The technical file: nine parts, every sentence made of the sources that it names, a gap where one is missing."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from jinja2 import UndefinedError
from pydantic import ValidationError

from credit_scoring.models.base import ScoringModel
from credit_scoring.pipelines.monitoring.options import MonitoringOptions
from credit_scoring.pipelines.reporting import technical_documentation
from credit_scoring.pipelines.reporting.options import ResponsibilityOptions, TechnicalFileOptions
from credit_scoring.pipelines.reporting.technical_documentation import ARTEFACTS, PARTS, Statement
from credit_scoring.pipelines.threshold_tuning.options import GapOptions
from credit_scoring.texts import texts_in
from tests.pdf import read_pages
from tests.pipelines.reporting.artefacts import UNPROTECTED

ROOT = Path(__file__).parents[3]
FILLED = TechnicalFileOptions(
    provider="Bank X, 1 rue Y, Paris",
    distribution="an HTTP service of the bank",
    surroundings="the bank's loan system",
    data_origin="loan records of 2024",
    test_reports="archive T",
    oversight="the credit committee",
    risk_management="archive R",
    standards=("ISO/IEC 42001:2023", "ISO/IEC 23894:2023"),
    declaration_of_conformity="archive D",
    post_market_plan="archive P",
)
NAMED = ResponsibilityOptions(owner="Risk", approver="A. Martin", approved_on="2026-11-30", valid_until="2027-11-30")


@pytest.fixture
def artefacts(artefacts: dict[str, Any]) -> dict[str, Any]:
    """Return what the model card is made of, and what the file is told beyond it."""
    approve_all = artefacts["policy_evaluation"]["policies"]["approve_all"]
    amounts = {
        name: approve_all | {"business_cost": cost} for name, cost in (("tuned", 14_471.0), ("approve_all", 19_978.0))
    }
    artefacts["policy_evaluation"]["score"] |= {"brier": 0.0641, "log_loss": 0.2343}
    artefacts["policy_evaluation"]["three_way"] = {
        "low": 0.08,
        "high": 0.11,
        "review_rate": 0.0959,
        "business_cost": 0.4586,
        "reviewer": {"cost": 0.1, "error_rate": 0.2},
    }
    artefacts["promotion_decision"] |= {
        "promoted": True,
        "reason": "there is no champion yet",
        "incumbent": None,
        "cost_difference": None,
    }
    return artefacts | {
        "model_card": "# Model card",
        "leaderboard_table": pd.DataFrame(
            {"family": ["mlp", "mlp", "dummy"], "fit_seconds": [1.0, 2.0, 0.1], "fit_megabytes": [3.0, 4.0, 0.1]}
        ),
        "amount_evaluation": {"policies": amounts, "rates": {"loss_given_default": 0.45, "margin": 0.045}},
        "params:technical_file": TechnicalFileOptions(),
        "params:cross_validation": {"n_folds": 5},
        "params:monitoring": MonitoringOptions(least_applicants=123),
        "params:gaps": GapOptions(widen=37),
    }


def statements(content: dict[str, Any], part: int) -> list[dict[str, Any]]:
    return content["parts"][part - 1]["statements"]


def gaps(content: dict[str, Any]) -> list[str]:
    return [one["gap"] for part in content["parts"] for one in part["statements"] if one["gap"]]


def test_the_nine_parts_hold_the_values_of_the_artefacts(artefacts: dict[str, Any], write: Callable[..., Any]) -> None:
    content = write("technical_documentation_content", artefacts)
    assert [part["number"] for part in content["parts"]] == list(range(1, 10))
    for part, said in (
        (1, "a bad loan approved costs 10, a good customer declined 1."),
        (1, "the candidate `mlp` (neural network); the digest of model and calibration is `0123456789abcdef`."),
        (2, "3 candidates of 2 model families were compared by cross-validation on the same 5 folds"),
        (1, "it must not be used for decisions on real customers."),
        (2, "`mlp` was chosen: "),
        (2, "11,234 rows in 2 tables."),
        (
            2,
            "8,000 applicants are training rows, 2,000 a hold-out sample drawn before any training, of whom 8.1%",
        ),
        (2, "The digest of the training rows is `fedcba9876543210`."),
        (3, "the AUC is 0.7543 (95% interval 0.7321 to 0.7789)."),
        (3, "75.6% are approved; a decision costs 0.5321 on average (95% interval 0.4809 to 0.5955)."),
        (3, "by group, with its 95% interval: Gender: female 0.500 [0.450, 0.550], XNA too few to tell (1)."),
        (3, "may lie 37 times the range of training beyond it."),
        (3, "(9.6% of applications), the average cost would be 0.4586"),
        (4, "to approve everybody is 91.9% accurate, and costs 0.8134 per application instead of 0.5321."),
        (4, "2 of 9 differences are more than chance."),
        (5, "the AUC is 0.876 on training rows, 0.765 out of fold and 0.754 on the hold-out"),
        (6, "This version was promoted: there is no champion yet."),
        (9, "drift of the probability, the principal reason against applicants,"),
        (9, "With fewer than 123 applicants nothing is called stable; on average at most 1 % of the alarms are false."),
    ):
        assert any(said in (one["said"] or "") for one in statements(content, part)), said


def test_every_statement_has_sources_that_are_there(artefacts: dict[str, Any], write: Callable[..., Any]) -> None:
    content = write("technical_documentation_content", artefacts)
    for part in content["parts"]:
        for one in part["statements"]:
            assert (one["said"] is None) != (one["gap"] is None)
            assert one["sources"], one
            for source in one["sources"]:
                found = (
                    (ROOT / source).is_file() if source.endswith(".md") else source.split(".")[0] in ARTEFACTS.values()
                )
                assert found, source


def test_a_statement_can_read_nothing_that_it_does_not_name(
    artefacts: dict[str, Any], write: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that no number can come from elsewhere than what is cited."""
    hidden = Statement.model_validate({"from": ["champion.name"], "say": "{{ policy_evaluation.applicants }}"})
    monkeypatch.setattr(technical_documentation, "PARTS", (PARTS[0].model_copy(update={"statements": (hidden,)}),))
    with pytest.raises(UndefinedError, match="policy_evaluation"):
        write("technical_documentation_content", artefacts)
    with pytest.raises(ValidationError, match="from"):
        Statement.model_validate({"from": [], "say": "The model is good."})


def test_what_only_the_provider_knows_is_a_gap_until_it_is_told(
    artefacts: dict[str, Any], write: Callable[..., Any]
) -> None:
    untold = write("technical_documentation_content", artefacts)
    assert len(gaps(untold)) == 10 + 2  # of `technical_file`, and who approved it and when, until when
    assert [one["gap"] for one in statements(untold, 8)] == [
        "The EU declaration of conformity (article 47), to be drawn up and signed by the provider."
    ]
    filled = artefacts | {"params:technical_file": FILLED, "params:responsibility": NAMED}
    told = write("technical_documentation_content", filled)
    assert gaps(told) == []
    said = [one["said"] for part in told["parts"] for one in part["statements"]]
    assert "Its use was approved by A. Martin on 2026-11-30." in said
    assert "Applied: ISO/IEC 42001:2023; ISO/IEC 23894:2023." in said
    for value in FILLED.model_dump(exclude={"standards"}).values():
        assert any(value in one for one in said), value


@pytest.mark.parametrize(
    ("name", "broken", "part", "source"),
    [
        ("champion_diagnosis", {"holdout_interval": None}, 3, "champion_diagnosis.holdout_interval"),
        ("promotion_decision", {"training_data": ""}, 2, "promotion_decision.training_data"),
        ("decision_policy", {"model_digest": float("nan")}, 1, "decision_policy.model_digest"),
        ("fairness_by_group_table", pd.DataFrame(), 3, "fairness_by_group_table"),
    ],
)
def test_a_missing_artefact_is_a_gap_that_names_it(
    artefacts: dict[str, Any], name: str, broken: Any, part: int, source: str
) -> None:
    """By the function, as others that read the whole artefact would not do without."""
    known = artefacts | {name: broken if isinstance(broken, pd.DataFrame) else artefacts[name] | broken}
    cited = next(one for one in PARTS[part - 1].statements if source in one.sources)
    reads = {name.removeprefix("params:"): value for name, value in known.items()}
    [made] = technical_documentation._state(cited, reads)
    assert (made["said"], made["sources"]) == (None, [source])
    assert made["gap"]


def test_what_was_not_measured_is_a_gap(artefacts: dict[str, Any], write: Callable[..., Any]) -> None:
    artefacts["importance_stability"] = {"models": 0}
    artefacts["reason_reliability"] = {"models": 0}
    content = write("technical_documentation_content", artefacts)
    assert "How far reasons and weights can be relied on." in gaps(content)


def test_a_version_is_compared_with_the_one_before(artefacts: dict[str, Any], write: Callable[..., Any]) -> None:
    artefacts["promotion_decision"] |= {
        "incumbent": "7",
        "reason": "its decisions cost less",
        "cost_difference": {"estimate": -0.0211, "low": -0.0333, "high": -0.0101},
    }
    content = write("technical_documentation_content", artefacts)
    said = "Out of fold, its decisions cost −0.0211 [−0.0333, −0.0101] compared with those of version 7."
    assert said in [one["said"] for one in statements(content, 6)]


def test_markdown_and_pdf_list_the_gaps_first_and_say_the_same(
    artefacts: dict[str, Any], write: Callable[..., Any]
) -> None:
    page = write("technical_documentation", artefacts)
    head, *parts = page.split("\n## ")[1:]
    assert head.startswith("Gaps: 12\n")
    assert head.count("](#") == 12
    slugs = {f"#{re.sub(r'[^a-z0-9-]', '', part.splitlines()[0].lower().replace(' ', '-'))}" for part in parts}
    assert set(re.findall(r"\((#.+?)\)", head)) <= slugs
    assert page.count("- **Gap:** ") == 12
    assert "- **Gap:** Name and address of the provider. [`params:technical_file.provider`]" in page
    assert "**Synthetic data: these results say nothing about real customers.**" in page
    assert "Synthetic data" not in write("technical_documentation", artefacts | {"params:source": "home_credit"})

    written = write("technical_documentation_page", artefacts)
    pdf = " ".join(" ".join(read_pages(written)).split())
    assert "Gaps: 12" in pdf
    assert "The sources of each sentence stand in brackets: " in page
    assert "stand in brackets." in pdf
    for text in (page, pdf):
        assert "It supports a conformity assessment but does not replace one." in text
    for part in PARTS:
        assert part.title in pdf
    assert "the AUC is 0.7543 (95% interval 0.7321 to 0.7789)" in pdf
    assert "Synthetic data: these results say nothing about real customers." in pdf
    assert written == write("technical_documentation_page", artefacts)


def test_the_software_is_that_of_the_model_card(artefacts: dict[str, Any], write: Callable[..., Any]) -> None:
    assert isinstance(artefacts["champion_model"], ScoringModel)
    listed = write("model_card", artefacts).split("## Versions\n\n")[1].strip()
    assert f"It was made with {listed}" in write("technical_documentation", artefacts)


def test_that_nothing_is_protected_is_said_and_no_gap(artefacts: dict[str, Any], write: Callable[..., Any]) -> None:
    none = artefacts["protection_proxies_table"].head(0)
    known = artefacts | {"protection_price": UNPROTECTED, "protection_proxies_table": none}
    said = [one["said"] for one in statements(write("technical_documentation_content", known), 2)]
    assert texts_in("en").say("report.nothing_protected") in said
