"""The model card says what the artefacts hold, and the same of equal runs."""

from collections.abc import Callable
from copy import deepcopy
from importlib.metadata import version
from typing import Any

import pandas as pd
import pytest

from credit_scoring.models import build_model
from tests.pipelines.reporting.conftest import found


def test_the_card_holds_the_numbers_of_the_artefacts(artefacts: dict[str, Any], write: Callable[..., str]) -> None:
    card = write("model_card", artefacts)
    for said in (
        "Candidate `mlp` (neural network, complexity: unconstrained): least cost.",
        "| Level: candidate | By hand | Features | AUC | Difference | Cost | Difference |",
        "| constant: baseline model | yes | 0 |",
        "| equation: logistic regression | spreadsheet | 150 | 0.7654 | −0.0123 [−0.0290, +0.0044] | 0.5123 "
        "| +0.0123 [−0.0044, +0.0290] |",
        "| **unconstrained: LightGBM** | **no** | **150** | **0.7654** |  | **0.5000** |  |",
        "that of LightGBM, the best by log loss, is logistic regression: cost +0.0123 [−0.0044, +0.0290]",
        "| AUC | 0.7543 [0.7321, 0.7789] |",
        "| KS | 0.4012 |",
        "| chosen threshold | 0.0987 | 0.5321 | 0.4809 – 0.5955 | 75.6% | 12 | 1,234 |",
        "| approve all |  | 0.8134 |",
        "probability of default reaches 0.0987",
        "runs from 0.0765 to 0.1234; between 0.0876 and 0.1111 the expected cost is the same within 1%",
        "Out of fold a decision costs 0.5432 on average (95% interval 0.5123 to 0.5777)",
        "1/(1 + 10) = 0.0909? At this default rate approving costs as much as declining",
        "the default rate of applicants scored 0.0909 is only 0.0812 (fitted out of fold)",
        "the chosen threshold instead of 0.0909 changes the average cost by −0.0111 (95% interval −0.0333 to +0.0055)",
        "| CODE_GENDER | F | 1,300 | 80.0% [77.0%, 83.0%] |",
        "Between groups of gender, the approval rate varies by 7.9 points [5.1, 10.7]",
        "external scores 60%.",
        "| `DAYS_EMPLOYED` | Time in the present job | 40.0% |",
        "Refitted on 5 other samples, the model keeps 62% of its 20 heaviest features",
        "calibration error 0.0123 before, 0.0045 after",
        "Digest of model and calibration: `0123456789abcdef`",
        "wide (0.115), as the hold-out sample has only 43 defaults",
        "falls by 0.111 from training rows",
        "gives 91% of 187 declined applicants the same principal reason and keeps 74% of the first 4 reasons",
        f"scikit-learn {version('scikit-learn')}",
    ):
        assert said in card, said


def test_synthetic_data_and_suspicions_are_marked(artefacts: dict[str, Any], write: Callable[..., str]) -> None:
    artefacts["champion_diagnosis"]["flags"] = ["AUC is 0.9"]
    card = write("model_card", artefacts)
    assert "**Synthetic data: these results say nothing about real customers.**" in card
    assert "**SUSPICIOUS: AUC is 0.9**" in card
    real = write("model_card", artefacts | {"params:source": "home_credit"})
    assert "Synthetic data" not in real
    assert "The data are synthetic" not in real


def test_the_figures_of_other_seeds_are_listed_if_there_were_several(
    artefacts: dict[str, Any], write: Callable[..., str]
) -> None:
    """Two values have no standard deviation worth the name."""
    card = write("model_card", artefacts)
    assert "other seeds each time: AUC 0.7654, 0.7611; business cost 0.5432, 0.5511." in card
    assert "standard deviation" not in card
    one_seed = {"roc_auc": [0.7654], "business_cost": [0.5432]}
    assert "other seeds" not in write("model_card", artefacts | {"champion_stability": one_seed})


@pytest.mark.parametrize(("out_of_fold", "said"), [(0.7654, "lies within"), (0.7301, "lies outside")])
def test_two_aucs_are_explained_where_they_stand(
    out_of_fold: float, said: str, artefacts: dict[str, Any], write: Callable[..., str]
) -> None:
    diagnosis = artefacts["champion_diagnosis"] | {"out_of_fold": out_of_fold}
    card = write("model_card", artefacts | {"champion_diagnosis": diagnosis})
    assert f"{out_of_fold:.3f} {said} the 95% interval of the hold-out, 0.732 to 0.779" in card
    assert "trained on 80% of the training rows" in card


def test_a_calibration_error_stands_beside_what_chance_alone_would_show(
    artefacts: dict[str, Any], write: Callable[..., str]
) -> None:
    card = write("model_card", artefacts)
    assert "calibration error 0.0123 before, 0.0045 after; a perfectly calibrated score would show 0.0061" in card
    assert "at most 0.0098 in 95% of samples" in card


def test_equal_artefacts_give_one_text_and_stay_as_they_are(
    artefacts: dict[str, Any], write: Callable[..., str]
) -> None:
    before = deepcopy(artefacts)
    assert write("model_card", artefacts) == write("model_card", before)
    pd.testing.assert_frame_equal(artefacts["fairness_by_group_table"], before["fairness_by_group_table"])


def test_whether_hyper_parameters_were_found_or_set_by_hand_is_told(
    artefacts: dict[str, Any], write: Callable[..., str]
) -> None:
    assert "- Hyper-parameters: `alpha=1.0`." in write("model_card", artefacts)
    artefacts["tuning_gain"] = {"mlp": found("mlp", 12, 4, (-0.0008, -0.0035, 0.0019))}
    card = write("model_card", artefacts)
    assert "- Hyper-parameters (found with Optuna): `alpha=1.0`." in card
    assert "set by hand: 0.2425, with what was found: 0.2417, difference −0.0008 [−0.0035, +0.0019]; the search" in card
    artefacts["tuning_gain"] = {"mlp": found("mlp", 12, 4, (0.0, 0.0, 0.0))}
    kept = write("model_card", artefacts)
    assert "- Hyper-parameters (set by hand; no trial of the search with Optuna did better): `alpha=1.0`." in kept
    assert "Log loss out of fold with" not in kept


def test_a_blend_is_described_member_by_member_with_what_it_needs(
    artefacts: dict[str, Any], write: Callable[..., str]
) -> None:
    members = {
        "lgb": {"family": "lightgbm", "params": {"num_leaves": 7}, "n_seeds": 3},
        "lr": {"family": "logistic_regression", "params": {}},
    }
    model = build_model("blend", {"members": members})
    model.left_out_ = {"xgb": "FamilyUnavailableError: no such library"}
    described = {"name": "blend", "family": "blend", "params": {"members": members}}
    card = write("model_card", artefacts | {"champion": artefacts["champion"] | described, "champion_model": model})
    assert "Candidate `blend` (blend, complexity: " in card
    assert (
        "`members.lgb.family=lightgbm`, `members.lgb.params.num_leaves=7`, `members.lgb.n_seeds=3`, "
        "`members.lr.family=logistic_regression`, `members.lr.params={}`."
    ) in card
    assert f"lightgbm {version('lightgbm')}" in card
    assert "xgboost" not in card.split("## Versions")[1]
    assert "**Without member `xgb`, which could not be fitted: FamilyUnavailableError: no such library**" in card


def test_what_a_monotone_model_promises_is_told(artefacts: dict[str, Any], write: Callable[..., str]) -> None:
    assert "Monotone" not in write("model_card", artefacts)
    artefacts["champion"] |= {"monotone": True, "constraints": {"AMT_CREDIT": 1, "EXT_SOURCE_1": 0}}
    card = write("model_card", artefacts)
    assert "- Monotone: where a feature with a declared direction (PD in the feature dictionary) is higher" in card
    assert "directions of its own: `AMT_CREDIT` ↑, `EXT_SOURCE_1` none." in card


def test_features_from_row_models_are_told(artefacts: dict[str, Any], write: Callable[..., str]) -> None:
    told = "what models of single rows of the histories say"
    assert told not in write("model_card", artefacts)
    artefacts["champion"] |= {"row_models": True}
    assert told in write("model_card", artefacts)
