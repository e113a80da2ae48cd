"""What every document of the reporting pipeline is tested with."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from credit_scoring.models import build_model, family_class
from credit_scoring.pipelines.reporting import create_pipeline
from credit_scoring.pipelines.reporting.options import ResponsibilityOptions
from tests.pipelines.reporting.artefacts import FREELY, PRICE_OF_INTERPRETABILITY, PROTECTION


def found(family: str, trials: int, pruned: int, difference: tuple[float, float, float]) -> dict[str, Any]:
    """What a search found; without a difference, that nothing beats the values set by hand."""
    estimate, low, high = difference
    params = {
        "num_leaves": {"before": 8, "after": 5},
        "colsample_bytree": {"before": None, "after": 0.0547480222},
    }
    return {
        "labels": dict(family_class(family).labels),
        "metric": "log_loss",
        "trials": trials,
        "pruned": pruned,
        "params": params if estimate else {},
        "log_loss": {
            "before": 0.2425,
            "after": 0.2425 + estimate,
            "difference": {"estimate": estimate, "low": low, "high": high},
        },
        "business_cost": {"difference": {"estimate": 2 * estimate, "low": 2 * low, "high": 2 * high}},
    }


@pytest.fixture
def write() -> Callable[[str, Mapping[str, Any]], Any]:
    """Return a function that makes a document of the pipeline from datasets by name, sections and all."""

    def make(document: str, datasets: Mapping[str, Any]) -> Any:
        catalog = DataCatalog({name: MemoryDataset(data, copy_mode="assign") for name, data in datasets.items()})
        return SequentialRunner().run(create_pipeline().to_outputs(document), catalog)[document].load()

    return make


def policy(threshold: float, cost: float) -> dict[str, Any]:
    return {
        "threshold": threshold,
        "business_cost": cost,
        "business_cost_interval": {"low": cost - 0.0512, "high": cost + 0.0634},
        "approval_rate": 0.756,
        "false_negatives": 12,
        "true_positives": 31,
        "false_positives": 1234,
    }


@pytest.fixture
def artefacts() -> dict[str, Any]:
    """Return what the model card is made of."""
    return {
        "champion": {
            "name": "mlp",
            "family": "mlp",
            "complexity": "unconstrained",
            "reason": "least cost",
            "params": {"alpha": 1.0},
            "tuned": True,
            "imbalance": "none",
            **FREELY,
            "monotone": False,
            "row_models": False,
            "constraints": {},
        },
        "champion_model": build_model("mlp", {}),
        "price_of_interpretability_table": PRICE_OF_INTERPRETABILITY,
        "champion_diagnosis": {
            "training": 0.8765,
            "out_of_fold": 0.7654,
            "holdout": 0.7543,
            "holdout_interval": {"low": 0.7321, "high": 0.7789},
            "out_of_fold_share": 0.8,
            "flags": [],
        },
        "champion_stability": {"roc_auc": [0.7654, 0.7611], "business_cost": [0.5432, 0.5511]},
        "calibration_evaluation": {
            "chosen": "sigmoid",
            "methods": {
                "none": {"ece": 0.0123},
                "sigmoid": {"ece": 0.0045, "ece_by_chance": 0.0061, "ece_by_chance_high": 0.0098},
            },
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
        "tuning_gain": {},
        "global_importance_table": pd.DataFrame({"feature": ["EXT_SOURCE_2", "DAYS_EMPLOYED"], "share": [0.6, 0.4]}),
        "family_importance_table": pd.DataFrame(
            {"kind": ["theme", "source"], "family": ["external_scores", "bureau"], "share": [0.6, 1.0]}
        ),
        "importance_stability": {"models": 5, "top": 20, "overlap": 0.62},
        "reason_reliability": {"models": 2, "applicants": 187, "top": 4, "same_first": 0.913, "overlap": 0.741},
        **PROTECTION,
        "data_quality": {"rows": {"application_train": 10_000, "bureau": 1_234}, "findings": []},
        "params:responsibility": ResponsibilityOptions(owner="Risk"),
        "params:source": "synthetic",
        "params:places": {"model_folder": "model", "registered_model": "credit_scoring_model"},
    }
