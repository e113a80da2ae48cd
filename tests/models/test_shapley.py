"""Fast contributions against Shapley values by definition, on models small enough to enumerate."""

from collections.abc import Callable
from functools import partial
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from credit_scoring.models import build_model
from credit_scoring.models.base import TrainingRows
from credit_scoring.models.permutation import PermutationContributions


def expectation(node: dict[str, Any], row: np.ndarray, known: set[int]) -> float:
    """Return the tree's value if only some features are known, the others averaged over the training rows."""
    if "leaf_value" in node:
        return node["leaf_value"]
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return expectation(left if row[node["split_feature"]] <= node["threshold"] else right, row, known)
    counts = [child.get("internal_count", child.get("leaf_count")) for child in (left, right)]
    return float(np.average([expectation(child, row, known) for child in (left, right)], weights=counts))


def shapley(value: Callable[[set[int]], float], n: int) -> list[float]:
    """Weigh every coalition of the other features."""
    return [
        sum(
            factorial(size) * factorial(n - size - 1) / factorial(n) * (value({*others, i}) - value(set(others)))
            for size in range(n)
            for others in combinations([j for j in range(n) if j != i], size)
        )
        for i in range(n)
    ]


def test_contributions_are_shapley_values_by_definition() -> None:
    generator = np.random.default_rng(8)
    X = pd.DataFrame(generator.random((400, 4)), columns=["A", "B", "C", "D"])
    risk = 3 * X["A"] * X["B"] - 2 * X["C"] + generator.normal(0, 0.4, 400)
    model = build_model("lightgbm", {"n_estimators": 8, "num_leaves": 6, "min_child_samples": 10, "n_jobs": 1})
    model = model.fit(X, (risk > 0).astype(int))
    contributions, base = model.contributions(X)
    trees = model.booster_.dump_model()["tree_info"]

    def value(row: np.ndarray, known: set[int]) -> float:
        return sum(expectation(tree["tree_structure"], row, known) for tree in trees)

    for i in range(25):
        expected = shapley(partial(value, X.iloc[i].to_numpy()), 4)
        assert contributions.iloc[i].tolist() == pytest.approx(expected, abs=1e-9)
    probability = model.predict_proba(X)[:, 1]
    assert (base + contributions.sum(axis=1)).to_numpy() == pytest.approx(np.log(probability / (1 - probability)))


class Known(PermutationContributions):
    """Log-odds of a known form, in which a category and a null interact with numbers."""

    def _fit(self, rows: TrainingRows, validation: TrainingRows | None) -> None: ...

    def _predict_default(self, X: pd.DataFrame) -> np.ndarray:
        late = np.where(X["KIND"] == "late", 1.5, -0.5)
        log_odds = X["A"] * late - 2 * X["A"] * X["B"] + np.where(X["C"].isna(), X["B"], 0.3)
        return expit(log_odds.to_numpy())


def test_permutations_are_exact_where_features_interact_in_pairs() -> None:
    generator = np.random.default_rng(2)
    X = pd.DataFrame(generator.normal(size=(40, 3)), columns=["A", "B", "C"])
    X.loc[generator.random(40) < 0.4, "C"] = np.nan
    X["KIND"] = generator.choice(["late", "early", None], 40)
    model = Known().fit(X, [0, 1] * 20)
    contributions, base = model.contributions(X)
    assert base == pytest.approx(model._log_odds(model.background_).mean())

    def value(row: pd.Series, known: set[int]) -> float:
        return float(model._log_odds(model.background_.assign(**row.iloc[list(known)])).mean())

    for i in range(40):
        assert contributions.iloc[i].tolist() == pytest.approx(shapley(partial(value, X.iloc[i]), 4), abs=1e-9)
