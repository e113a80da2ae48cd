"""The summary of a run says what its artefacts hold."""

import re
from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import pytest
import yaml

from tests.conftest import ROOT
from tests.pipelines.reporting.artefacts import FREELY, GIVEN_UP, PRICE_OF_INTERPRETABILITY, PROTECTION
from tests.pipelines.reporting.conftest import found

INTERVAL = {"low": 0.4, "high": 0.6}
POLICY = {
    "threshold": 0.0912,
    "business_cost": 0.5,
    "business_cost_interval": INTERVAL,
    "approval_rate": 0.75,
    "false_negatives": 12,
    "false_positives": 1234,
}


def strategies(*rows: tuple[str, str, float, float, float]) -> pd.DataFrame:
    columns = ["family", "imbalance", "cost_to_none", "cost_to_none_low", "cost_to_none_high"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(
        roc_auc=0.75,
        business_cost=0.5,
        log_loss=0.25,
        mean_probability=0.4,
        default_rate=0.081,
        ece=0.3,
        ece_by_chance_high=0.01,
    )


@pytest.fixture
def summarise(write: Callable[..., str]) -> Callable[..., str]:
    candidate = {
        "candidate": "lightgbm",
        "label_en": "LightGBM",
        "roc_auc": 0.7654,
        "log_loss": 0.25,
        "roc_auc_std": 0.01,
        "average_precision": 0.2,
        "recall": 0.6,
        "precision": None,
        "business_cost": 0.51,
        "business_cost_std": 0.02,
        "cost_to_best": 0.0,
        "cost_to_best_low": 0.0,
        "cost_to_best_high": 0.0,
    }
    method = {"log_loss": 0.25, "ece": 0.01, "ece_by_chance": 0.012, "ece_by_chance_high": 0.021}
    places = {"model_folder": "model", "report_folder": "reports", "registered_model": "credit_scoring_model"}

    def make(
        imbalance: pd.DataFrame,
        source: str = "synthetic",
        flags: Sequence[str] = (),
        gain: Mapping[str, object] = {},
        champion: Mapping[str, object] = {},
        left_out: str | None = None,
    ) -> str:
        datasets = {
            "leaderboard_table": pd.DataFrame([candidate | {"left_out": left_out}]),
            "imbalance_comparison_table": imbalance,
            "champion": {"name": "lightgbm", "reason": "least cost", **FREELY, **champion},
            "price_of_interpretability_table": PRICE_OF_INTERPRETABILITY,
            "calibration_evaluation": {"chosen": "sigmoid", "methods": {"none": method, "sigmoid": method}},
            "champion_diagnosis": {
                "training": 0.75,
                "out_of_fold": 0.55,
                "holdout": 0.56,
                "holdout_interval": INTERVAL,
                "out_of_fold_share": 0.8,
                "flags": flags,
            },
            "policy_evaluation": {
                "applicants": 2000,
                "default_rate": 0.081,
                "score": {"roc_auc": 0.7543, "average_precision": 0.2, "ks": 0.4},
                "policies": dict.fromkeys(["tuned", "theoretical", "half", "approve_all", "decline_all"], POLICY),
                "tuned_less_theoretical": {"estimate": 0.002, "low": -0.01, "high": 0.014},
            },
            "promotion_decision": {"promoted": True, "reason": "there is no champion yet"},
            "tuning_gain": gain,
            "decision_policy": {
                "chosen_on": {"applicants": 8000},
                "threshold": 0.0912,
                "threshold_interval": {"low": 0.08, "high": 0.11},
                "plateau": {"low": 0.085, "high": 0.1, "tolerance": 0.01},
                "theoretical_threshold": 1 / 11,
                "default_rate_at_theoretical": None,
                "cost": {"estimate": 0.5432, "low": 0.5123, "high": 0.5777},
                "costs": {"false_negative": 10.0, "false_positive": 1.0},
            },
            "amount_evaluation": {
                "rates": {"loss_given_default": 0.45, "margin": 0.045},
                "policies": {
                    name: POLICY | {"business_cost": 12_345.6} for name in ("tuned", "by_amount", "approve_all")
                },
            },
            "global_importance_table": pd.DataFrame({"feature": ["EXT_SOURCE_2", "EXT_SOURCE_3"]}),
            "importance_stability": {"models": 5, "top": 20, "overlap": 0.62},
            "reason_reliability": {"models": 2, "applicants": 187, "top": 4, "same_first": 0.913, "overlap": 0.741},
            **PROTECTION,
            "data_quality": {"rows": {"application_train": 10_000, "application_test": 2_000}, "findings": []},
            "params:source": source,
            "params:places": places,
        }
        return write("run_summary", datasets)

    return make


def test_the_summary_tells_source_comparison_decision_and_next_steps(summarise: Callable[..., str]) -> None:
    text = summarise(strategies())
    assert "**Synthetic data: these results say nothing about real customers.**" in text
    assert "| LightGBM | 0.7654 | 0.0100 | 0.2000 | 60.0% | – | 0.5100 | 0.0200 |  |" in text
    assert "| chosen threshold | 0.0912 | 0.5000 | 0.4000 – 0.6000 | 75.0% | 12 | 1,234 |" in text
    assert "The 95% interval of the best threshold runs from 0.0800 to 0.1100; between 0.0850 and 0.1000" in text
    assert "No rising default rate could be fitted to the scores, so this is the threshold of least cost" in text
    assert "instead of 0.0909 changes the average cost by +0.0020 (95% interval −0.0100 to +0.0140)" in text
    assert (
        "if a default loses 45.0% of the credit and a wrong decline a margin of 4.5%, the average cost per application "
        "is 12,346 monetary units" in text
    )
    assert "| 0.5050 | 75.0% | 12.3 [10.0, 15.0] | 5.0 [−1.0, 11.0] | too few to tell |" in text
    assert "weigh most: EXT_SOURCE_2, EXT_SOURCE_3. Refitted on 5 other samples, the model keeps 62% of its 20" in text
    assert "Class imbalance" not in text
    assert "SUSPICIOUS" not in text
    places = yaml.safe_load((ROOT / "conf/base/globals.yml").read_text())
    pages = [places[name] for name in ("model_card", "scorecard", "technical_documentation")]
    (brought_back,) = re.findall(r"`git checkout (\S+) (\S+) (.*)`", text)
    assert brought_back[2].split() == pages  # and no other page, which may have been edited
    real = summarise(strategies(), "home_credit", ["AUC is 0.9"])
    assert "Real data." in real
    assert "**SUSPICIOUS: AUC is 0.9**" in real
    assert "kedro run --pipelines scoring --env kaggle" in real


def test_the_summary_tells_what_the_search_gained(summarise: Callable[..., str]) -> None:
    gain = {"lightgbm": found("lightgbm", 12, 7, (-0.0008, -0.0035, 0.0019))}
    text = summarise(strategies(), gain=gain)
    assert "Optuna searched the hyper-parameters of LightGBM: 12 trials" in text
    assert "| LightGBM | 12 (7) | 0.2425 | 0.2417 | −0.0008 [−0.0035, +0.0019] | −0.0016 [−0.0070, +0.0038] |" in text
    assert (
        "On 8,000 applications, the cost of 1 of the 1 candidates is not significantly different from the least."
        in text
    )
    assert "Optuna" not in summarise(strategies())


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.02, 0.03, "no treatment lowers the cost significantly. With or without"),
        (-0.04, -0.01, "the cost is significantly lower with SMOTE. With or without"),
        (
            *(0.01, 0.04),
            "no treatment lowers the cost significantly. LightGBM: the cost is significantly higher with SMOTE. With",
        ),
    ],
)
def test_the_summary_judges_the_strategies_against_imbalance(
    low: float, high: float, verdict: str, summarise: Callable[..., str]
) -> None:
    text = summarise(strategies(("lightgbm", "none", 0.0, 0.0, 0.0), ("lightgbm", "smote", 0.005, low, high)))
    difference = f"+0.0050 [{low:+.4f}, {high:+.4f}]".replace("-", "−")
    assert f"| LightGBM | smote | 0.7500 | 0.5000 | {difference} | 0.2500 | 40.0% | 0.3000 |" in text
    assert "| LightGBM | none | 0.7500 | 0.5000 |  |" in text
    assert "8.1% of the applicants defaulted. LightGBM: " in text
    assert verdict in text


def test_the_summary_judges_nothing_that_was_not_compared_with_doing_nothing(summarise: Callable[..., str]) -> None:
    nan = float("nan")
    text = summarise(strategies(("lightgbm", "class_weight", nan, nan, nan), ("lightgbm", "smote", nan, nan, nan)))
    assert "| LightGBM | smote | 0.7500 | 0.5000 |  |" in text
    assert "8.1% of the applicants defaulted. With or without" in text


def test_what_interpretability_costs_is_told_with_what_the_lender_gave_up(summarise: Callable[..., str]) -> None:
    plain = summarise(strategies())
    assert "| equation: logistic regression | spreadsheet | 150 | 0.26 | 0.7654 | −0.0123 [−0.0290, +0.0044] |" in plain
    assert "Without the lender's bound or preference" not in plain
    bounded = summarise(strategies(), champion={"given_up": GIVEN_UP})
    assert (
        "the champion would be XGBoost: compared with it, cost per application +0.0123 [−0.0044, +0.0290], AUC −0.0037 "
        "[−0.0081, +0.0007], log loss +0.0011 [+0.0002, +0.0020]. The costs do not differ significantly." in bounded
    )


def test_a_blend_stands_in_the_summary_with_the_members_that_it_went_without(summarise: Callable[..., str]) -> None:
    assert "| LightGBM | 0.7654" in summarise(strategies())
    assert "| LightGBM (without xgb) | 0.7654" in summarise(strategies(), left_out="xgb")
