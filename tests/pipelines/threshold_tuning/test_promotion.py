"""A new scorer replaces the champion only for a stated reason, which is never its result on the hold-out."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.pipeline import Pipeline
from pydantic import ValidationError
from scipy import stats

from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.models.complexity import Complexity
from credit_scoring.pipelines import modelling, threshold_tuning
from credit_scoring.pipelines.threshold_tuning.options import PromotionOptions
from credit_scoring.pipelines.threshold_tuning.promotion import decide_promotion, record_decisions, release_scorer
from credit_scoring.protected import ProtectedOptions
from credit_scoring.scorer import Incumbent

COSTS = MisclassificationCosts()
N = 400
TARGET = (np.arange(N) % 10 == 0).astype(int)
DEFAULTERS = set(range(0, N, 10))
POOR = set(range(N // 2))
"""Refuses 180 good customers, approves 20 bad loans."""


def decisions(refused: set[int], n: int = N, n_folds: int = 5) -> pd.DataFrame:
    ids = np.arange(n)
    return pd.DataFrame(
        {
            "SK_ID_CURR": ids,
            "TARGET": TARGET[:n],
            "FOLD": ids % n_folds,
            "PROBABILITY": 0.5,
            "REFUSED": np.isin(ids, list(refused)),
        }
    )


def decide(
    mine: pd.DataFrame,
    incumbent: Incumbent | None,
    model: str = "mine",
    max_complexity: Complexity = "blend",
    **options: Any,
) -> dict[str, Any]:
    return decide_promotion(
        mine,
        {"model_digest": model},
        incumbent,
        COSTS,
        PromotionOptions(**options),
        ProtectedOptions(),
        max_complexity,
    )


def champion(recorded: pd.DataFrame, compared: Sequence[str] = (), **changes: Any) -> Incumbent:
    known = decide(recorded, None)
    tags = {name: known[name] for name in ("training_data", "training_folds")} | {"model_digest": "its"}
    history = [tags, *({"compared_with": "7", "model_digest": digest} for digest in compared)]
    return Incumbent(**{"version": "7", "tags": tags, "out_of_fold": recorded, "history": history} | changes)


def test_each_applicant_is_decided_on_at_the_cut_off_of_the_policy() -> None:
    predictions = pd.DataFrame(
        {
            "SK_ID_CURR": [3, 1, 2],
            "TARGET": [0, 0, 1],
            "FOLD": [0, 1, 0],
            "PROBABILITY": [0.10, 0.20, 0.30],
            "UNCALIBRATED": 0.9,
        }
    )
    recorded = record_decisions(predictions, {"threshold": 0.20})
    assert recorded.columns.tolist() == ["SK_ID_CURR", "TARGET", "FOLD", "PROBABILITY", "REFUSED"]
    assert recorded["REFUSED"].tolist() == [False, True, True]


def test_the_first_one_is_promoted() -> None:
    decision = decide(decisions(POOR), None)
    assert decision["promoted"]
    assert decision["reason"] == "there is no champion yet"


def test_a_better_one_is_promoted_with_the_difference_per_applicant() -> None:
    decision = decide(decisions(DEFAULTERS), champion(decisions(POOR)))
    # (180 + 20 x 10) / 400 less; a test of the first comparison at 2.5 % on one side is an interval of 95 %.
    costs = np.where(TARGET == 1, -10.0, -1.0) * ((TARGET == 1) != np.isin(np.arange(N), list(POOR)))
    expected = stats.ttest_1samp(costs, 0).confidence_interval(0.95)
    difference = decision["cost_difference"]
    assert difference["estimate"] == pytest.approx(-0.95)
    assert (difference["low"], difference["high"]) == pytest.approx((expected.low, expected.high))
    assert difference["confidence"] == pytest.approx(0.95)
    assert decision["promoted"]
    assert decision["comparison"] == 1
    assert "against version 7 on the same 400 applicants and folds, comparison 1 with it" in decision["reason"]
    assert decision["reason"].endswith("better by more than chance")


@pytest.mark.parametrize("mine", [POOR, DEFAULTERS - {0}, DEFAULTERS | {1, 2}])
def test_one_that_is_not_better_stays_challenger_unless_forced(mine: set[int]) -> None:
    decision = decide(decisions(mine), champion(decisions(DEFAULTERS)))
    assert not decision["promoted"]
    assert "no better than chance allows" in decision["reason"]
    forced = decide(decisions(mine), champion(decisions(DEFAULTERS)), force=True)
    assert (forced["promoted"], forced["forced"], decision["forced"]) == (True, True, False)
    assert forced["reason"].endswith("promoted because promotion.force is set")


def test_a_difference_within_chance_is_no_reason() -> None:
    decision = decide(decisions(DEFAULTERS), champion(decisions(DEFAULTERS | {1, 3})))
    assert decision["cost_difference"]["estimate"] == pytest.approx(-2 / N)
    assert not decision["promoted"]


def test_equal_decisions_are_no_comparison() -> None:
    decision = decide(decisions(POOR), champion(decisions(POOR)))
    assert (decision["promoted"], decision["comparison"], decision["cost_difference"]) == (False, None, None)
    assert decision["reason"] == "all 400 out-of-fold decisions cost the same as those of version 7"
    assert decision["obstacle"] == "equal"


@pytest.mark.parametrize(("compared", "number"), [([], 1), (["a"], 2), (["a", "b", "a"], 3), (["a", "mine", "b"], 3)])
def test_every_other_model_compared_with_the_champion_makes_the_test_stricter(compared: list[str], number: int) -> None:
    decision = decide(decisions(DEFAULTERS), champion(decisions(POOR), compared))
    assert decision["comparison"] == number
    assert decision["cost_difference"]["confidence"] == pytest.approx(1 - 2 * 0.05 / (number * (number + 1)))


def test_what_would_do_as_the_first_comparison_does_not_as_the_twentieth() -> None:
    better, its = decisions(DEFAULTERS), decisions(DEFAULTERS | set(range(1, 12, 2)))
    first, late = (decide(better, champion(its, list(map(str, range(made))))) for made in (0, 19))
    assert first["cost_difference"]["estimate"] == late["cost_difference"]["estimate"] == pytest.approx(-6 / N)
    assert (first["promoted"], late["promoted"]) == (True, False)


def test_comparisons_with_earlier_champions_do_not_count() -> None:
    history = [{"compared_with": "6", "model_digest": "a"}, {"model_digest": "b"}]
    decision = decide(decisions(DEFAULTERS), champion(decisions(POOR), history=history))
    assert decision["comparison"] == 1


def test_all_levels_together_are_what_the_parameter_allows() -> None:
    made = [
        decide(decisions(POOR), champion(decisions(DEFAULTERS), list(map(str, range(k)))), confidence=0.9)
        for k in range(50)
    ]
    levels = [(1 - decision["cost_difference"]["confidence"]) / 2 for decision in made]
    assert sum(levels) == pytest.approx(0.1 * (1 - 1 / 51))


@pytest.mark.parametrize(
    ("incumbent", "obstacle", "told"),
    [
        (champion(decisions(POOR, n=399)), "other_rows", "was trained on other rows"),
        (champion(decisions(POOR, n_folds=4)), "other_folds", "was cross-validated on other folds"),
        (
            champion(decisions(POOR), out_of_fold=pd.DataFrame()),
            "no_decisions",
            "was registered without its out-of-fold decisions",
        ),
        (champion(decisions(POOR), tags={}, out_of_fold=pd.DataFrame()), "other_rows", "was trained on other rows"),
    ],
)
def test_one_that_cannot_be_compared_with_is_not_replaced_unseen(
    incumbent: Incumbent, obstacle: str, told: str
) -> None:
    decision = decide(decisions(DEFAULTERS), incumbent)
    assert (decision["promoted"], decision["obstacle"], decision["comparison"]) == (False, obstacle, None)
    assert f"version 7 {told}" in decision["reason"]
    assert "kedro run --params promotion.force=true" in decision["reason"]
    forced = decide(decisions(DEFAULTERS), incumbent, force=True)
    assert forced["promoted"]
    assert told in forced["reason"]
    assert "--params" not in forced["reason"]


def test_the_order_of_the_rows_does_not_matter() -> None:
    shuffled = decisions(POOR).sample(frac=1, random_state=0)
    decision = decide(decisions(DEFAULTERS), champion(shuffled))
    assert decision["cost_difference"]["estimate"] == pytest.approx(-0.95)


def test_a_champion_that_cannot_be_loaded_is_replaced_and_the_reason_told() -> None:
    decision = decide(decisions(POOR), champion(decisions(DEFAULTERS), problem="its files are gone"))
    assert decision["promoted"]
    assert "its files are gone" in decision["reason"]
    assert (decision["obstacle"], decision["forced"]) == ("unloadable", False)


def test_a_confidence_is_a_probability() -> None:
    with pytest.raises(ValidationError, match="confidence"):
        PromotionOptions(confidence=1.0)


def test_nothing_that_the_hold_out_can_change_reaches_the_decision() -> None:
    pipelines: Pipeline = modelling.create_pipeline() + threshold_tuning.create_pipeline()
    leading_to = pipelines.to_outputs("promotion_decision")
    assert "training_rows" in leading_to.datasets()
    assert not [name for name in leading_to.datasets() if "holdout" in name]


def release(outcomes: list[int], history: list[dict[str, str]], cost: float, **decided: Any) -> Any:
    evaluation = {
        "applicants": 4,
        "score": {"roc_auc": 0.7},
        "policies": {
            "tuned": {
                "threshold": 0.1,
                "business_cost": cost,
                "business_cost_interval": {"low": cost, "high": cost},
            }
        },
    }
    policy = {"model": "lr", "model_family": "logistic_regression", "model_digest": "mine"}
    policy |= {"model_complexity": "equation", "costs": {"false_negative": 25, "false_positive": 2}}
    scorer = SimpleNamespace(feature_names_in_=["A"], decision_policy=policy)
    rows = pd.DataFrame({"SK_ID_CURR": range(4), "TARGET": outcomes, "A": 1.0})
    decision = {"promoted": False, "reason": "no", "incumbent": "7", "comparison": 3} | decided
    decision |= {"training_data": "rows", "training_folds": "folds"}
    incumbent = Incumbent("7", {}, history=history)
    return release_scorer(scorer, evaluation, decision, decisions(POOR), rows, rows, incumbent, "synthetic")


def test_the_hold_out_is_noted_on_the_version_and_changes_nothing_else() -> None:
    one, other = release([0, 1, 0, 0], [], 0.2), release([1, 0, 1, 0], [], 0.9)
    assert one.promoted is other.promoted is False
    assert one.tags["holdout_data"] != other.tags["holdout_data"]
    assert one.tags["holdout_opening"] == "1"
    again = release([0, 1, 0, 0], [one.tags, other.tags, {}], 0.2)
    assert again.tags["holdout_opening"] == "2"
    assert "versions measured on it so far: 2" in again.description


def test_a_version_carries_what_the_next_one_is_compared_with() -> None:
    compared = release([0, 1, 0, 0], [], 0.2)
    assert (compared.tags["compared_with"], compared.tags["model_digest"]) == ("7", "mine")
    assert compared.tags["complexity"] == "equation"
    assert (compared.tags["training_data"], compared.tags["training_folds"]) == ("rows", "folds")
    pd.testing.assert_frame_equal(compared.out_of_fold, decisions(POOR))
    assert "compared_with" not in release([0, 1, 0, 0], [], 0.2, comparison=None).tags


def test_the_digest_names_a_set_of_rows_in_any_order() -> None:
    def digest(rows: pd.DataFrame) -> str:
        return decide(rows, None)["training_data"]

    rows = decisions(POOR)
    assert digest(rows.iloc[::-1]) == digest(rows)
    assert digest(rows.assign(TARGET=1 - rows["TARGET"])) != digest(rows)
    assert digest(rows.head(2)) != digest(rows)
    assert digest(rows.assign(FOLD=0)) == digest(rows)


def test_a_champion_that_learnt_from_a_protected_attribute_is_replaced_though_it_is_cheaper() -> None:
    def its(*features: str) -> Incumbent:
        return champion(decisions(DEFAULTERS), features=features)

    decision = decide(decisions(POOR), its("CODE_GENDER", "APPLICATION_FIELDS_NULL_COUNT"))
    assert decision["promoted"]
    assert decision["obstacle"] == "protected"
    assert "was trained on protected attributes: CODE_GENDER, APPLICATION_FIELDS_NULL_COUNT" in decision["reason"]
    assert not decide(decisions(POOR), its("EXT_SOURCE_2"))["promoted"]


def of_complexity(complexity: str | None, **changes: Any) -> Incumbent:
    """A champion whose decisions cost less than those of `POOR`, and what its version says of its complexity."""
    recorded = champion(decisions(DEFAULTERS), **changes)
    return replace(recorded, tags=recorded.tags | ({"complexity": complexity} if complexity else {}))


@pytest.mark.parametrize(
    ("complexity", "told"),
    [
        ("blend", "version 7 is `blend`, and champion.max_complexity allows at most `equation`"),
        ("monotone", "version 7 is `monotone`"),
        (None, "version 7 was registered without its complexity"),
    ],
)
def test_a_champion_more_complex_than_the_lender_allows_is_replaced_though_it_is_cheaper(
    complexity: str | None, told: str
) -> None:
    decision = decide(decisions(POOR), of_complexity(complexity), max_complexity="equation")
    assert (decision["promoted"], decision["forced"], decision["obstacle"]) == (True, False, "too_complex")
    assert (decision["comparison"], decision["cost_difference"]) == (None, None)
    assert told in decision["reason"]


def test_other_rows_do_not_keep_a_champion_that_is_too_complex() -> None:
    other = champion(decisions(DEFAULTERS, n=399))
    other = replace(other, tags=other.tags | {"complexity": "blend"})
    assert decide(decisions(POOR), other)["obstacle"] == "other_rows"
    assert decide(decisions(POOR), other, max_complexity="points")["promoted"]


@pytest.mark.parametrize("complexity", ["points", "equation"])
def test_a_bound_that_the_champion_meets_changes_nothing(complexity: str) -> None:
    its = of_complexity(complexity)
    bounded, free = (decide(decisions(POOR), its, max_complexity=bound) for bound in ("equation", "blend"))
    assert bounded == free
    assert (free["promoted"], free["obstacle"], free["comparison"]) == (False, None, 1)


@pytest.mark.parametrize("complexity", ["blend", None])
def test_without_a_bound_no_champion_is_too_complex(complexity: str | None) -> None:
    decision = decide(decisions(POOR), of_complexity(complexity))
    assert (decision["promoted"], decision["obstacle"]) == (False, None)
