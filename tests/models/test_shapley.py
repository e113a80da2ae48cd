"""The library's fast contributions against Shapley values by definition, on trees small enough to enumerate."""

from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.models import build_model


def expectation(node: dict[str, Any], row: np.ndarray, known: set[int]) -> float:
    """Return the tree's value if only some features are known, the others averaged over the training rows."""
    if "leaf_value" in node:
        return node["leaf_value"]
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        return expectation(left if row[node["split_feature"]] <= node["threshold"] else right, row, known)
    counts = [child.get("internal_count", child.get("leaf_count")) for child in (left, right)]
    return float(np.average([expectation(child, row, known) for child in (left, right)], weights=counts))


def shapley(trees: list[dict[str, Any]], row: np.ndarray) -> list[float]:
    """Weigh every coalition of the other features."""
    n = len(row)

    def value(known: set[int]) -> float:
        return sum(expectation(tree["tree_structure"], row, known) for tree in trees)

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
    for i in range(25):
        assert contributions.iloc[i].tolist() == pytest.approx(shapley(trees, X.iloc[i].to_numpy()), abs=1e-9)
    probability = model.predict_proba(X)[:, 1]
    assert (base + contributions.sum(axis=1)).to_numpy() == pytest.approx(np.log(probability / (1 - probability)))
