"""The model card says what the artefacts hold, and the same of equal runs."""

from collections.abc import Callable
from copy import deepcopy
from importlib.metadata import version
from typing import Any

import pandas as pd
import pytest


def policy(threshold: float, cost: float) -> dict[str, Any]:
    return {
        "threshold": threshold,
        "business_cost": cost,
        "business_cost_interval": {"low": cost - 0.05, "high": cost + 0.06},
        "approval_rate": 0.756,
        "false_negatives": 12,
        "true_positives": 31,
        "false_positives": 1234,
    }


@pytest.fixture
def artefacts() -> dict[str, Any]:
    return {
        "champion": {
            "name": "mlp",
            "family": "mlp",
            "reason": "least cost",
            "params": {"alpha": 1.0},
            "tuned": True,
            "imbalance": "none",
        },
        "champion_diagnosis": {
            "training": 0.8765,
            "out_of_fold": 0.7654,
            "holdout_interval": {"low": 0.7321, "high": 0.7789},
            "flags": [],
        },
        "champion_stability": {"roc_auc": {"std": 0.0017}, "business_cost": {"std": 0.0093}},
        "calibration_evaluation": {
            "chosen": "sigmoid",
            "methods": {"none": {"ece": 0.0123}, "sigmoid": {"ece": 0.0045}},
        },
        "policy_evaluation": {
            "applicants": 2000,
            "default_rate": 0.0813,
            "score": {"roc_auc": 0.7543, "ks": 0.4012},
            "policies": {
                "tuned": policy(0.0987, 0.5321),
                "theoretical": policy(0.0909, 0.5432),
                "half": policy(0.5, 0.7891),
                "approve_all": policy(1.0, 0.8134),
                "decline_all": policy(0.0, 0.9187),
            },
            "tuned_less_theoretical": {"estimate": -0.0111, "low": -0.0333, "high": 0.0055},
        },
        "decision_policy": {
            "threshold": 0.0987,
            "threshold_interval": {"low": 0.0765, "high": 0.1234},
            "plateau": {"low": 0.0876, "high": 0.1111, "tolerance": 0.01},
            "default_rate_at_theoretical": 0.0812,
            "cost": {"estimate": 0.5432, "low": 0.5123, "high": 0.5777},
            "theoretical_threshold": 1 / 11,
            "costs": {"false_negative": 10.0, "false_positive": 1.0},
            "model_digest": "0123456789abcdef",
            "chosen_on": {"applicants": 8000},
        },
        "promotion_decision": {"training_data": "fedcba9876543210"},
        "global_importance_table": pd.DataFrame({"feature": ["EXT_SOURCE_2", "DAYS_EMPLOYED"], "share": [0.6, 0.4]}),
        "family_importance_table": pd.DataFrame(
            {"kind": ["theme", "source"], "family": ["external_scores", "bureau"], "share": [0.6, 1.0]}
        ),
        "importance_stability": {"models": 5, "top": 20, "overlap": 0.62},
        "reason_audit": {
            "withheld_attributes": ["CODE_GENDER"],
            "forbidden_share": 0.012,
            "withheld_share": 0.034,
            "applicants": 1000,
        },
        "fairness_by_group_table": pd.DataFrame(
            [
                ("CODE_GENDER", "F", 1300, "approval_rate", 0.8, 0.77, 0.83),
                ("CODE_GENDER", "F", 1300, "calibration_gap", -0.0001, -0.02, 0.01),
                ("CODE_GENDER", "F", 1300, "false_negative_rate", None, None, None),
                ("CODE_GENDER", "F", 1300, "cost", 0.5, 0.45, 0.55),
            ],
            columns=["attribute", "group", "clients", "measure", "value", "low", "high"],
        ),
        "fairness_mitigations_table": pd.DataFrame(
            {
                "attribute": "CODE_GENDER",
                "policy": ["as_is", "without_attribute"],
                "approval_gap": [0.0789, 0.0123],
                "cost": [0.5321, 0.5398],
            }
        ),
        "data_quality": {"rows": {"application_train": 10_000, "bureau": 1_234}, "findings": []},
        "params:source": "synthetic",
        "params:places": {"model_folder": "model", "registered_model": "credit_scoring_model"},
    }


def test_the_card_holds_the_numbers_of_the_artefacts(artefacts: dict[str, Any], write: Callable[..., str]) -> None:
    card = write("model_card", artefacts)
    for said in (
        "Candidate `mlp` (neural network): least cost.",
        "| AUC | 0.7543 [0.7321, 0.7789] |",
        "| KS | 0.4012 |",
        "| tuned threshold | 0.0987 | 0.5321 | 0.4821 – 0.5921 | 75.6% | 12 | 1,234 |",
        "| approve all |  | 0.8134 |",
        "probability of default reaches 0.0987",
        "between 0.0765 and 0.1234 (95% interval); from 0.0876 to 0.1111 the expected cost is the same within 1%",
        "Out of fold a decision costs 0.5432 there",
        "(true cost: 95% interval 0.5123 to 0.5777)",
        "reaches 1/(1 + 10) = 0.0909, where approving costs as much as declining",
        "applicants scored 0.0909 default at a rate of 0.0812.",
        "changes the cost per application by −0.0111 compared with 0.0909 (95% interval −0.0333 to +0.0055)",
        "| CODE_GENDER | F | 1,300 | 80.0% [77.0%, 83.0%] | – | – | 0.0 [−2.0, 1.0] | 0.500 [0.450, 0.550] |",
        "7.9 percentage points; without this protected attribute, by 1.2, at a cost of 0.5398 instead of 0.5321",
        "external scores 60%.",
        "| `DAYS_EMPLOYED` | Time in the present job | 40.0% |",
        "Fitted to 5 other samples, the model keeps 62% of its 20 heaviest features",
        "attribute CODE_GENDER (1.2% of the model's weight; withheld from the reasons of 3.4% of",
        "calibration error 0.0123 before, 0.0045 after",
        "Digest of model and calibration: `0123456789abcdef`",
        "0.110 wide, rests on 43 defaults",
        "falls by 0.111 from training rows",
        f"scikit-learn {version('scikit-learn')}",
    ):
        assert said in card, said


def test_synthetic_data_and_suspicions_are_marked(artefacts: dict[str, Any], write: Callable[..., str]) -> None:
    artefacts["champion_diagnosis"]["flags"] = ["AUC is 0.9"]
    card = write("model_card", artefacts)
    assert "**Synthetic data: these results say nothing about real customers.**" in card
    assert "**SUSPICIOUS: AUC is 0.9**" in card
    real = write(
        "model_card", artefacts | {"params:source": "home_credit", "reason_audit": {"withheld_attributes": []}}
    )
    assert "Synthetic data" not in real
    assert "The data are synthetic" not in real
    assert "The model uses no attribute that a reason may not name." in real


def test_the_spread_over_seeds_is_told_if_there_were_several(
    artefacts: dict[str, Any], write: Callable[..., str]
) -> None:
    assert "varies by 0.0017 (standard deviation), the business cost by 0.0093." in write("model_card", artefacts)
    one_seed = {"roc_auc": {"std": None}, "business_cost": {"std": None}}
    assert "varies by" not in write("model_card", artefacts | {"champion_stability": one_seed})


def test_equal_artefacts_give_one_text_and_stay_as_they_are(
    artefacts: dict[str, Any], write: Callable[..., str]
) -> None:
    before = deepcopy(artefacts)
    assert write("model_card", artefacts) == write("model_card", before)
    pd.testing.assert_frame_equal(artefacts["fairness_by_group_table"], before["fairness_by_group_table"])
