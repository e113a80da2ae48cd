"""What the sections on protected attributes and groups are written from, as other pipelines leave it."""

from typing import Any

import pandas as pd

from credit_scoring.models import family_class
from credit_scoring.models.complexity import Complexity, by_hand

RATES = ("approval_rate", "false_decline_rate", "false_negative_rate")


def price(low: float = -0.0111, high: float = 0.0222) -> dict[str, Any]:
    """Return a price of protection whose cost has the interval given."""
    return {
        "protected": ["CODE_GENDER", "NAME_FAMILY_STATUS"],
        "left_out": ["CODE_GENDER", "NAME_FAMILY_STATUS", "APPLICATION_FIELDS_NULL_COUNT"],
        "picked": {"CODE_GENDER": 4},
        "folds": 5,
        "applicants": 8000,
        "with": {"business_cost": 0.5301, "roc_auc": 0.7612, "log_loss": 0.2412},
        "without": {"business_cost": 0.5356, "roc_auc": 0.7601, "log_loss": 0.2421},
        "difference": {
            "business_cost": {"estimate": (low + high) / 2, "low": low, "high": high},
            "roc_auc": {"estimate": -0.0011, "low": -0.0031, "high": 0.0009},
            "log_loss": {"estimate": 0.0009, "low": -0.0002, "high": 0.002},
        },
    }


UNPROTECTED = price() | {"protected": [], "left_out": [], "picked": {}, "with": {}, "without": {}, "difference": {}}


def gap(attribute: str, measure: str, *ends: Any, groups: int = 2) -> tuple[Any, ...]:
    return (attribute, measure, groups, *(ends or (None, None, None, None, None)))


def gaps(approval_low: float = 0.0512) -> pd.DataFrame:
    """Return gaps: by gender of the lower end given, by family status within chance, by age too few to tell."""
    rows = [
        gap("CODE_GENDER", "approval_rate", "M", "F", 0.0789, approval_low, 0.1066),
        gap("CODE_GENDER", "false_decline_rate", "F", "M", 0.0888, 0.0346, 0.1431),
        gap("CODE_GENDER", "false_negative_rate", groups=1),
        gap("NAME_FAMILY_STATUS", "approval_rate", "Single / not married", "Widow", 0.0432, -0.0123, 0.0987),
        gap("NAME_FAMILY_STATUS", "false_decline_rate", "Widow", "Married", 0.0111, -0.02, 0.04),
        gap("NAME_FAMILY_STATUS", "false_negative_rate", "Widow", "Married", 0.0222, -0.1, 0.14),
        *(gap("AGE_BAND", measure, groups=0) for measure in RATES),
    ]
    return pd.DataFrame(rows, columns=["attribute", "measure", "groups", "lowest", "highest", "gap", "low", "high"])


def mitigation(policy: str, **changed: Any) -> dict[str, Any]:
    row = {"attribute": "CODE_GENDER", "policy": policy, "approval_rate": 0.75, "cost": 0.505}
    row |= {
        "cost_low": 0.4,
        "cost_high": 0.6,
        "cost_change": 0.012,
        "cost_change_low": -0.003,
        "cost_change_high": 0.027,
    }
    row |= {"approval_gap": 0.1234, "approval_gap_low": 0.1, "approval_gap_high": 0.15}
    row |= {"false_decline_gap": 0.05, "false_decline_gap_low": -0.01, "false_decline_gap_high": 0.11}
    row |= dict.fromkeys(("false_negative_gap", "false_negative_gap_low", "false_negative_gap_high"))
    return row | changed


PROTECTION: dict[str, Any] = {
    "protection_price": price(),
    "protection_proxies_table": pd.DataFrame(
        [
            ("CODE_GENDER", "F", 5200, 0.8123, 0.8011, 0.8234),
            ("NAME_FAMILY_STATUS", "Married", 5000, 0.6123, 0.5987, 0.6234),
            ("NAME_FAMILY_STATUS", "Widow", 400, 0.9012, 0.8876, 0.9123),
        ],
        columns=["attribute", "group", "applicants", "roc_auc", "low", "high"],
    ),
    "protection_effect_table": pd.DataFrame(
        [("CODE_GENDER", "M", 2800, 0.7011, 0.7234, 0.0223, 0.0101, 0.0346)],
        columns=["attribute", "group", "clients", "approval_with", "approval_without", "change", "low", "high"],
    ),
    "fairness_by_group_table": pd.DataFrame(
        [
            ("CODE_GENDER", "F", 1300, "approval_rate", 1300, 0.8, 0.77, 0.83),
            ("CODE_GENDER", "F", 1300, "false_decline_rate", 1205, 0.15, 0.13, 0.17),
            ("CODE_GENDER", "F", 1300, "false_negative_rate", 9, None, None, None),
            ("CODE_GENDER", "F", 1300, "calibration_gap", 1300, -0.0001, -0.02, 0.01),
            ("CODE_GENDER", "F", 1300, "cost", 1300, 0.5, 0.45, 0.55),
            *(
                ("CODE_GENDER", "XNA", 1, measure, 1, None, None, None)
                for measure in (*RATES, "calibration_gap", "cost")
            ),
        ],
        columns=["attribute", "group", "clients", "measure", "concerned", "value", "low", "high"],
    ),
    "fairness_gaps_table": gaps(),
    "fairness_mitigations_table": pd.DataFrame([mitigation("as_is"), mitigation("own_threshold")]),
}


def level(
    complexity: Complexity, family: str, cost: tuple[float, float, float] = (0.0, 0.0, 0.0), **changed: Any
) -> dict[str, Any]:
    """Return the row of a level, whose best candidate costs more than the best of all by as much as is given."""
    row: dict[str, Any] = {"complexity": complexity, "candidate": family}
    row |= {f"label_{language}": label for language, label in family_class(family).labels.items()}
    row |= {"champion": False, "by_hand": by_hand(complexity), "columns_needed": 149.6, "ms_per_row": 0.256}
    row |= {"roc_auc": 0.7654, "business_cost": 0.5 + cost[1], "log_loss": 0.24 + cost[1] / 10}
    for name, sign in (("cost", 1), ("auc", -1)):
        ends = sorted(sign * end for end in cost)
        row |= {f"{name}_to_best{end}": value for end, value in zip(("_low", "", "_high"), ends, strict=True)}
    return row | changed


PRICE_OF_INTERPRETABILITY = pd.DataFrame(
    [
        level("constant", "dummy", (0.25, 0.31, 0.37), columns_needed=0.0),
        level("equation", "logistic_regression", (-0.0044, 0.0123, 0.029)),
        level("unconstrained", "lightgbm", champion=True),
    ]
)
GIVEN_UP: dict[str, Any] = {
    "name": "xgboost",
    "labels": {"fr": "XGBoost", "en": "XGBoost"},
    "complexity": "unconstrained",
    "difference": {
        "business_cost": {"estimate": 0.0123, "low": -0.0044, "high": 0.029},
        "roc_auc": {"estimate": -0.0037, "low": -0.0081, "high": 0.0007},
        "log_loss": {"estimate": 0.0011, "low": 0.0002, "high": 0.002},
    },
}
FREELY: dict[str, Any] = {"prefer": "best_log_loss", "max_complexity": "blend", "left_out": [], "given_up": None}
"""The champion of a lender without wishes."""
