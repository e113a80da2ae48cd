"""The simulation of promotions: what it draws, and how its rules differ."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import promotion


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TRAINING": 1000, "HOLDOUT": 300, "POPULATION": 2000, "CHALLENGERS": 3}.items():
        monkeypatch.setattr(promotion, name, value)


def test_nine_in_a_hundred_applicants_default() -> None:
    X, y = promotion.draw_applicants(np.random.default_rng(0), 50_000)
    assert y.mean() == pytest.approx(0.09, abs=0.01)
    assert X.shape == (50_000, promotion.TERMS)


@pytest.mark.usefixtures("small")
def test_every_rule_is_applied_to_every_challenger_and_told() -> None:
    found = pd.DataFrame(promotion.replicate(0))
    found["value"] = found["value"].astype(float)
    assert set(found["rule"]) == {"", *promotion.RULES}
    of_rule = found.groupby("rule")["what"].apply(set)
    spent = {"first", "any"} | {f"power {known} {turn}" for known in promotion.BETTER for turn in promotion.TURNS}
    assert of_rule["**out of fold, levels spent (now)**"] == spent
    assert of_rule[""] == {f"gain {known}" for known in promotion.BETTER}
    told = promotion.describe(found)
    assert told.startswith("1 times: 1,000 training rows")
    assert sum(line.startswith("| ") for line in told.splitlines()) == 2 + 4 + 8


@pytest.mark.usefixtures("small")
def test_a_late_comparison_is_stricter_and_an_equal_model_is_not_promoted() -> None:
    generator = np.random.default_rng(1)
    X, y = promotion.draw_applicants(generator, 1300)
    folds = np.arange(1000) % 5
    poor, good = (promotion.Model(X, y, folds, np.arange(known)) for known in (2, promotion.TERMS))
    assert promotion.is_promoted(good, poor, 1, corrected=True)
    assert not promotion.is_promoted(good, poor, 10**6, corrected=True)
    assert promotion.is_promoted(good, poor, 10**6, corrected=False)
    assert not promotion.is_promoted(good, good, 1, corrected=False)
