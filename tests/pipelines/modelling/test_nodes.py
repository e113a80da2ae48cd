"""Comparison of candidates: same folds for all, honest thresholds, the cheapest wins."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.metrics.cost import MisclassificationCosts, business_cost_loss, optimal_threshold, refuse
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.pipelines.modelling.nodes import (
    cross_validate_candidates,
    fit_champion,
    predict_holdout,
    select_champion,
    select_champion_predictions,
    select_holdout_rows,
    select_training_rows,
)
from credit_scoring.pipelines.modelling.options import CrossValidationOptions

COSTS = MisclassificationCosts()
FOLDS = CrossValidationOptions(n_folds=4, seed=0)
SELECTION = SelectionOptions()
CANDIDATES = {"dummy": {}, "logistic_regression": {"C": 1.0}}


@pytest.fixture(scope="module")
def model_input() -> pd.DataFrame:
    generator = np.random.default_rng(5)
    n = 600
    score = generator.normal(size=n)
    return pd.DataFrame(
        {
            "SK_ID_CURR": generator.permutation(n) + 100_000,
            "TARGET": (score + generator.normal(size=n) > 1.8).astype(int),
            "SCORE": score,
            "SPLIT": np.where(np.arange(n) % 5 == 0, "holdout", "train"),
        }
    )


@pytest.fixture(scope="module")
def compared(model_input: pd.DataFrame) -> tuple[pd.DataFrame, list[dict]]:
    return cross_validate_candidates(select_training_rows(model_input), CANDIDATES, SELECTION, FOLDS, COSTS)


def test_the_two_sides_of_the_split_share_no_applicant_and_lose_none(model_input: pd.DataFrame) -> None:
    train, holdout = select_training_rows(model_input), select_holdout_rows(model_input)
    assert len(train) == 480
    assert len(holdout) == 120
    assert set(train["SK_ID_CURR"]) | set(holdout["SK_ID_CURR"]) == set(model_input["SK_ID_CURR"])
    assert "SPLIT" not in train


def test_every_applicant_is_predicted_once_by_a_model_that_did_not_see_it(
    compared: tuple[pd.DataFrame, list[dict]], model_input: pd.DataFrame
) -> None:
    out_of_fold, _ = compared
    train = select_training_rows(model_input)
    assert out_of_fold["SK_ID_CURR"].tolist() == train["SK_ID_CURR"].tolist()
    for fold in range(4):
        inside = out_of_fold["FOLD"] == fold
        rate = train.loc[~inside, "TARGET"].mean()
        assert out_of_fold.loc[inside, "dummy"].to_numpy() == pytest.approx(rate)


def test_cost_of_a_fold_is_measured_at_the_threshold_of_the_other_folds(
    compared: tuple[pd.DataFrame, list[dict]],
) -> None:
    out_of_fold, results = compared
    result = next(r for r in results if r["family"] == "logistic_regression")
    for fold, measured in enumerate(result["folds"]):
        inside = out_of_fold["FOLD"] == fold
        others, these = out_of_fold[~inside], out_of_fold[inside]
        threshold = optimal_threshold(others["TARGET"], others["logistic_regression"], COSTS)
        assert measured["threshold"] == threshold
        refused = refuse(these["logistic_regression"], threshold)
        assert measured["business_cost"] == business_cost_loss(these["TARGET"], refused, COSTS)
    assert result["mean"]["roc_auc"] == pytest.approx(np.mean([fold["roc_auc"] for fold in result["folds"]]))


def test_results_come_cheapest_first_and_the_cheapest_is_champion(compared: tuple[pd.DataFrame, list[dict]]) -> None:
    out_of_fold, results = compared
    assert [result["family"] for result in results] == ["logistic_regression", "dummy"]
    champion = select_champion(results[::-1])
    assert champion == {"family": "logistic_regression", "params": {"C": 1.0}}
    chosen = select_champion_predictions(out_of_fold, champion)
    assert chosen["PROBABILITY"].equals(out_of_fold["logistic_regression"].rename("PROBABILITY"))


def test_row_order_of_the_model_input_changes_nothing(
    compared: tuple[pd.DataFrame, list[dict]], model_input: pd.DataFrame
) -> None:
    shuffled = model_input.sample(frac=1, random_state=1)
    out_of_fold, _ = cross_validate_candidates(select_training_rows(shuffled), CANDIDATES, SELECTION, FOLDS, COSTS)
    pd.testing.assert_frame_equal(out_of_fold, compared[0])


def test_holdout_is_scored_with_a_model_of_the_training_rows(model_input: pd.DataFrame) -> None:
    train, holdout = select_training_rows(model_input), select_holdout_rows(model_input)
    model = fit_champion(train, {"family": "dummy", "params": {}}, SELECTION)
    predicted = predict_holdout(model, holdout)
    assert predicted["PROBABILITY"].to_numpy() == pytest.approx(train["TARGET"].mean())
    assert predicted["SK_ID_CURR"].tolist() == holdout["SK_ID_CURR"].tolist()


def test_too_few_defaults_for_the_folds_is_a_clear_error(model_input: pd.DataFrame) -> None:
    few = select_training_rows(model_input).assign(TARGET=lambda rows: (rows.index < 2).astype(int))
    with pytest.raises(ValueError, match="the rarer one has 2"):
        cross_validate_candidates(few, CANDIDATES, SELECTION, FOLDS, COSTS)


def test_no_candidate_is_a_clear_error(model_input: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="No model family"):
        cross_validate_candidates(select_training_rows(model_input), {}, SELECTION, FOLDS, COSTS)
