"""A challenger replaces the champion only for a reason."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.pipelines.threshold_tuning.nodes import decide_promotion
from credit_scoring.pipelines.threshold_tuning.options import PromotionOptions
from credit_scoring.protected import ProtectedOptions
from credit_scoring.scorer import Incumbent

COSTS = MisclassificationCosts()
TRAIN = pd.DataFrame({"SK_ID_CURR": [1, 2, 3], "TARGET": [0, 1, 0]})
N = 400
HOLDOUT = pd.DataFrame({"SK_ID_CURR": range(N), "TARGET": np.arange(N) % 10 == 0, "CLUE": np.arange(N)}).astype(int)


class Judge:
    """Refuses the applicants whose clue is in a list."""

    def __init__(self, refused: set[int], *features: str) -> None:
        self.refused = refused
        self.feature_names_in_ = ("CLUE", *features)

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"decision": np.where(rows["CLUE"].isin(self.refused), "refused", "granted")})


DEFAULTERS = set(range(0, N, 10))
GOOD, POOR = Judge(DEFAULTERS), Judge(set(range(N // 2)))


def decide(mine: Judge, its: Incumbent | None, **options: bool) -> dict:
    return decide_promotion(mine, its, TRAIN, HOLDOUT, COSTS, PromotionOptions(**options), ProtectedOptions())


def incumbent(judge: Judge | None, training_data: str | None = None, problem: str = "") -> Incumbent:
    data = training_data or decide(GOOD, None)["training_data"]
    return Incumbent("7", judge, {"training_data": data}, problem)


def test_the_first_one_is_promoted() -> None:
    decision = decide(POOR, None)
    assert decision["promoted"]
    assert decision["reason"] == "there is no champion yet"


def test_a_better_one_is_promoted_with_the_difference_per_applicant() -> None:
    decision = decide(GOOD, incumbent(POOR))
    # The poor one refuses 180 good clients and grants 20 defaulters: (180 + 200) / 400.
    assert decision["cost_difference"]["estimate"] == pytest.approx(-0.95)
    assert decision["cost_difference"]["high"] < 0
    assert decision["promoted"]
    assert "against version 7 on 400 hold-out applicants: better by more than chance" in decision["reason"]


@pytest.mark.parametrize("mine", [GOOD, POOR, Judge(DEFAULTERS - {0}), Judge(DEFAULTERS | {1, 2})])
def test_an_equal_or_worse_one_stays_challenger_unless_forced(mine: Judge) -> None:
    decision = decide(mine, incumbent(GOOD))
    assert not decision["promoted"]
    assert "no better than chance allows" in decision["reason"]
    forced = decide(mine, incumbent(GOOD), force=True)
    assert forced["promoted"]
    assert forced["reason"].endswith("promoted because promotion.force is set")


def test_a_difference_within_chance_is_no_reason() -> None:
    decision = decide(GOOD, incumbent(Judge(DEFAULTERS | {1, 3})))
    assert decision["cost_difference"]["estimate"] == pytest.approx(-2 / N)
    assert not decision["promoted"]


def test_a_champion_of_other_rows_cannot_be_compared_with() -> None:
    decision = decide(POOR, incumbent(GOOD, training_data="of other rows"))
    assert decision["promoted"]
    assert decision["cost_difference"] is None
    assert "may have seen this hold-out" in decision["reason"]


def test_a_champion_that_cannot_be_loaded_is_replaced_and_the_reason_told() -> None:
    decision = decide(POOR, incumbent(None, problem="its files are gone"))
    assert decision["promoted"]
    assert "its files are gone" in decision["reason"]


def test_the_digest_names_a_set_of_rows_whatever_their_order() -> None:
    def digest(rows: pd.DataFrame) -> str:
        return decide_promotion(GOOD, None, rows, HOLDOUT, COSTS, PromotionOptions(), ProtectedOptions())[
            "training_data"
        ]

    assert digest(TRAIN.iloc[::-1]) == digest(TRAIN)
    assert digest(TRAIN.assign(TARGET=[1, 0, 0])) != digest(TRAIN)
    assert digest(TRAIN.head(2)) != digest(TRAIN)


def test_a_champion_that_learnt_from_a_protected_attribute_is_replaced_though_it_is_cheaper() -> None:
    its = incumbent(Judge(DEFAULTERS, "CODE_GENDER", "APPLICATION_FIELDS_NULL_COUNT"))
    decision = decide(POOR, its)
    assert decision["promoted"]
    assert "learnt from protected attributes: CODE_GENDER, APPLICATION_FIELDS_NULL_COUNT" in decision["reason"]
    assert not decide(POOR, incumbent(Judge(DEFAULTERS, "EXT_SOURCE_2")))["promoted"]
