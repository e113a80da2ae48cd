"""Comparison of candidates: same folds for all, honest thresholds, nobody favoured, failures reported."""

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.cost import MisclassificationCosts, business_cost_loss, refuse
from credit_scoring.metrics.threshold import break_even_threshold
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.models.target_features import TargetFeatureModel
from credit_scoring.parallel import WorkerKilledError
from credit_scoring.pipelines.modelling import comparison
from credit_scoring.pipelines.modelling.comparison import (
    build_leaderboard,
    compare_imbalance_strategies,
    cross_validate_candidates,
    plot_leaderboard,
    select_champion,
)
from credit_scoring.pipelines.modelling.folds import directions_of, fit_candidate
from credit_scoring.pipelines.modelling.nodes import (
    calibrate_champion,
    fit_champion,
    plot_calibration,
    predict_holdout,
    select_holdout_rows,
    select_training_rows,
)
from credit_scoring.pipelines.modelling.options import (
    CandidateOptions,
    ChampionOptions,
    CrossValidationOptions,
    check_candidates,
    read_candidates,
)
from credit_scoring.protected import ProtectedOptions

COSTS = MisclassificationCosts()
FOLDS = CrossValidationOptions(n_folds=4, seed=0)
SELECTION = SelectionOptions()
CANDIDATES = {
    "dummy": {"family": "dummy"},
    "logistic_regression": {"family": "logistic_regression", "params": {"C": 1.0}},
}


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
    result = next(r for r in results if r["name"] == "logistic_regression")
    for fold, measured in enumerate(result["folds"]):
        inside = out_of_fold["FOLD"] == fold
        others, these = out_of_fold[~inside], out_of_fold[inside]
        threshold = break_even_threshold(others["TARGET"], others["logistic_regression"], COSTS)
        assert measured["threshold"] == threshold
        refused = refuse(these["logistic_regression"], threshold)
        assert measured["business_cost"] == business_cost_loss(these["TARGET"], refused, COSTS)
    assert result["mean"]["roc_auc"] == pytest.approx(np.mean([fold["roc_auc"] for fold in result["folds"]]))


def test_results_come_cheapest_first_with_paired_differences(compared: tuple[pd.DataFrame, list[dict]]) -> None:
    _, results = compared
    assert [result["name"] for result in results] == ["logistic_regression", "dummy"]
    best, other = results
    assert best["to_best"]["business_cost"] == {"estimate": 0.0, "low": 0.0, "high": 0.0}
    difference = other["to_best"]["business_cost"]
    assert difference["estimate"] == pytest.approx(other["mean"]["business_cost"] - best["mean"]["business_cost"])
    assert difference["low"] < difference["estimate"] < difference["high"]
    table = build_leaderboard(results)
    assert table["complexity"].tolist() == ["equation", "constant"]
    assert table["by_hand"].tolist() == ["spreadsheet", "yes"]
    assert table["columns_needed"].tolist() == [1, 0]  # SCORE alone, which the baseline does not read
    assert (table["ms_per_row"] > 0).all()
    assert table["candidate"].tolist() == ["logistic_regression", "dummy"]
    assert table["training_rows"].tolist() == [360, 360]


def test_strategies_against_imbalance_compete_under_names_of_their_own() -> None:
    read = read_candidates({"a": {"family": "dummy", "imbalance": ["none", "smote"]}, "b": {"family": "dummy"}})
    assert {name: candidate.imbalance for name, candidate in read.items()} == {
        "a": "none",
        "a_smote": "smote",
        "b": "none",
    }


def entry(name: str, family: str, imbalance: str, costs: list[float], row_models: bool = False) -> dict[str, Any]:
    """Return what the comparison notes of a candidate with these costs."""
    described = {"name": name, "family": family, "imbalance": imbalance, "row_models": row_models, "error": None}
    mean = {"roc_auc": 0.7, "business_cost": float(np.mean(costs)), "log_loss": 0.3}
    return described | {"mean": mean, "folds": [{"business_cost": cost} for cost in costs]}


def test_strategies_are_held_against_doing_nothing_with_calibration_in_view() -> None:
    results = [
        entry("a_smote", "a", "smote", [0.4, 0.6]),
        entry("a", "a", "none", [0.5, 0.6]),
        entry("b", "b", "none", [0.9, 0.9]),
        entry("a_row_models", "a", "none", [0.1, 0.1], row_models=True),
        {"name": "a_broken", "family": "a", "imbalance": "random_over", "row_models": False, "error": "no"},
    ]
    predictions = pd.DataFrame(
        {"TARGET": [0, 0, 0, 1], "a": [0.1, 0.1, 0.1, 0.7], "a_smote": [0.5, 0.5, 0.5, 0.5], "b": [0.25] * 4}
    )
    table = compare_imbalance_strategies(predictions, results, FOLDS).set_index("imbalance")
    assert table.index.tolist() == ["none", "smote"]
    assert table["family"].tolist() == ["a", "a"]
    assert table["mean_probability"].tolist() == pytest.approx([0.25, 0.5])
    assert table["default_rate"].tolist() == [0.25, 0.25]
    assert table.loc["smote", "ece"] == pytest.approx(0.25)
    # All or none of four with a probability of one half default one time in eight: |4 - 2| / 4.
    assert table.loc["smote", "ece_by_chance_high"] == pytest.approx(0.5)
    assert table["cost_to_none"].tolist() == pytest.approx([0.0, -0.05])
    assert table.loc["smote", "cost_to_none_low"] < -0.05 < table.loc["smote", "cost_to_none_high"]
    assert compare_imbalance_strategies(predictions, results[2:3], FOLDS).empty


def test_a_variant_of_a_family_of_another_name_is_no_treatment_of_imbalance() -> None:
    variants = {"a_monotone": "none", "a_hand_set": "none", "a_smote": "smote", "a": "none"}
    results = [entry(name, "a", imbalance, [0.5, 0.6]) for name, imbalance in variants.items()]
    predictions = pd.DataFrame({"TARGET": [0, 1], **{result["name"]: [0.1, 0.2] for result in results}})
    table = compare_imbalance_strategies(predictions, results, FOLDS)
    assert table[["family", "imbalance"]].to_numpy().tolist() == [["a", "none"], ["a", "smote"]]


def test_all_that_is_wrong_with_the_candidates_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="cannot be read") as caught:
        read_candidates({"a": {"params": {}}, "b": {"family": "dummy", "imbalance": "magic"}, "c": {"familly": "x"}})
    assert all(
        place in str(caught.value) for place in ("candidates.a.family", "candidates.b.imbalance", "candidates.c")
    )


def test_a_family_that_cannot_be_monotone_and_constraints_of_no_use_are_told_at_once() -> None:
    with pytest.raises(ValueError, match="cannot be read") as caught:
        read_candidates(
            {
                "a": {"family": "random_forest", "monotone": True},
                "b": {"family": "lightgbm", "constraints": {"SCORE": 1}},
                "c": {"family": "xgboost", "monotone": True, "constraints": {"SCORE": 2}},
            }
        )
    told = str(caught.value)
    assert "candidates.a.monotone: Value error, family random_forest cannot be made monotone, expected one of " in told
    assert "lightgbm, xgboost" in told
    assert "candidates.b.constraints: Value error, without `monotone: true` they are of no use" in told
    assert "candidates.c.constraints.SCORE" in told


def test_constraints_that_no_model_can_keep_are_named_at_once_before_anything_is_computed() -> None:
    monotone = {"family": "xgboost", "monotone": True}
    candidates = {
        "a": {**monotone, "constraints": {"AMT_CREDITS": 1, "SHOE_SIZE": -1, "AMT_CREDIT": 1}},
        "b": {**monotone, "monotone": [False, True], "constraints": {"OCCUPATION_TYPE": 1, "CODE_GENDER": 1}},
    }
    with pytest.raises(ValueError, match="Constraints that no model can keep") as caught:
        check_candidates(candidates, ChampionOptions(), ProtectedOptions())
    assert str(caught.value).splitlines()[1:5] == [
        "  - candidates.a.constraints: AMT_CREDITS is not a feature, did you mean AMT_CREDIT?",
        "  - candidates.a.constraints: SHOE_SIZE is not a feature",
        "  - candidates.b_monotone.constraints: OCCUPATION_TYPE holds text",
        "  - candidates.b_monotone.constraints: CODE_GENDER is protected or derives from what is",
    ]


def test_free_and_monotone_compete_under_names_of_their_own() -> None:
    described = {
        "family": "lightgbm",
        "params": {"num_leaves": 4},
        "imbalance": ["none", "smote"],
        "monotone": [False, True],
        "constraints": {"AMT_CREDIT": 1},
    }
    read = read_candidates({"a": described})
    assert {name: (one.imbalance, one.monotone, one.constraints) for name, one in read.items()} == {
        "a": ("none", False, {}),
        "a_smote": ("smote", False, {}),
        "a_monotone": ("none", True, {"AMT_CREDIT": 1}),
    }
    assert {one.params["num_leaves"] for one in read.values()} == {4}
    assert list(read_candidates({"a": {**described, "monotone": [True]}})) == ["a_monotone"]
    with pytest.raises(ValueError, match=r"candidates\.a_monotone: another candidate is called a_monotone as well"):
        read_candidates({"a": described, "a_monotone": {"family": "dummy"}})


def test_a_monotone_candidate_keeps_the_declared_directions_and_its_own() -> None:
    names = ["EXT_SOURCE_2", "INSTALLMENTS_DPD_MAX", "AMT_CREDIT", "OCCUPATION_TYPE", "SHOE_SIZE"]
    candidate = CandidateOptions(
        family="lightgbm", monotone=True, constraints={"AMT_CREDIT": 1, "EXT_SOURCE_2": 0, "DAYS_BIRTH": 1}
    )
    assert directions_of(candidate, names) == {"INSTALLMENTS_DPD_MAX": 1, "AMT_CREDIT": 1}


@pytest.mark.parametrize("target_features", [False, True])
def test_only_picked_columns_are_constrained_and_no_target_feature(target_features: bool) -> None:
    generator = np.random.default_rng(0)
    columns = ["EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3", "AMT_CREDIT", "APPLICATION_CREDIT_TO_ANNUITY_RATIO"]
    X = pd.DataFrame(generator.random((400, 5)), columns=columns)
    X = X.assign(OCCUPATION_TYPE="Drivers", ORGANIZATION_TYPE="Bank", INSTALLMENTS_DPD_MAX=generator.random(400))
    y = pd.Series((X["EXT_SOURCE_2"] + generator.random(400) > 1.2).astype(int))  # against the declared direction
    candidate = CandidateOptions(
        family="xgboost", params={"n_estimators": 20, "n_jobs": 1}, monotone=True, target_features=target_features
    )
    model = fit_candidate(candidate, X, y, ["AMT_CREDIT", "EXT_SOURCE_2"], seed=0)
    constrained = {"EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3"} if target_features else {"EXT_SOURCE_2"}
    inner = model.inner_ if isinstance(model, TargetFeatureModel) else model
    assert inner.get_params()["monotone_constraints"] == dict.fromkeys(sorted(constrained), -1)
    raised = X.head(50).assign(EXT_SOURCE_2=X["EXT_SOURCE_2"].head(50) + 0.5)
    risen = inner.predict_proba(raised)[:, 1] - inner.predict_proba(X.head(50))[:, 1]
    assert (risen <= 0).all()


def test_a_candidate_that_fails_is_reported_and_the_others_go_on(model_input: pd.DataFrame) -> None:
    broken = {"broken": {"family": "logistic_regression", "params": {"C": -1.0}}}
    train = select_training_rows(model_input)
    out_of_fold, results = cross_validate_candidates(train, broken | CANDIDATES, SELECTION, FOLDS, COSTS)
    assert "broken" not in out_of_fold
    assert [result["name"] for result in results] == ["logistic_regression", "dummy", "broken"]
    assert "C" in results[-1]["error"]
    assert build_leaderboard(results)["candidate"].tolist() == ["logistic_regression", "dummy"]
    with pytest.raises(ValueError, match="No candidate could be fitted"):
        cross_validate_candidates(train, broken, SELECTION, FOLDS, COSTS)


def test_a_blend_says_which_members_it_went_without(model_input: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    members = {
        "lr": {"family": "logistic_regression"},
        "lgb": {"family": "lightgbm", "params": {"n_estimators": 5, "n_jobs": 1}},
        "xgb": {"family": "xgboost"},
    }
    candidates = {"blend": {"family": "blend", "params": {"members": members}}} | CANDIDATES
    _, results = cross_validate_candidates(select_training_rows(model_input), candidates, SELECTION, FOLDS, COSTS)
    left_out = {result["name"]: result["left_out"] for result in results}
    assert left_out.pop("blend").keys() == {"xgb"}
    assert set(map(len, left_out.values())) == {0}
    table = build_leaderboard(results).set_index("candidate")
    assert table.loc["blend", "left_out"] == "xgb"
    assert table["left_out"].drop("blend").isna().all()


def test_a_part_of_the_rows_is_stratified_and_the_validation_rows_stay(model_input: pd.DataFrame) -> None:
    train = select_training_rows(model_input)
    part = {"dummy": {"family": "dummy", "max_rows": 100}}
    out_of_fold, results = cross_validate_candidates(train, part, SELECTION, FOLDS, COSTS)
    assert results[0]["training_rows"] == 100
    assert out_of_fold["dummy"].notna().all()
    # In a stratified hundred there are as many defaults in proportion as in all.
    assert out_of_fold["dummy"].to_numpy() == pytest.approx(train["TARGET"].mean(), abs=0.01)


@pytest.mark.parametrize("strategy", ["class_weight", "smote", "random_over", "random_under"])
def test_validation_rows_are_never_resampled(model_input: pd.DataFrame, strategy: str) -> None:
    """Were a validation row duplicated into training, a model that overfits would know its outcome."""
    noise = select_training_rows(model_input).assign(
        SCORE=np.random.default_rng(1).normal(size=480), TARGET=np.random.default_rng(2).integers(0, 2, 480)
    )
    by_heart = {
        "forest": {
            "family": "random_forest",
            "params": {"n_estimators": 30, "min_samples_leaf": 1, "max_depth": None},
            "imbalance": strategy,
        }
    }
    out_of_fold, _ = cross_validate_candidates(noise, by_heart, SELECTION, FOLDS, COSTS)
    assert len(out_of_fold) == 480
    assert abs(roc_auc_score(out_of_fold["TARGET"], out_of_fold["forest"]) - 0.5) < 4 * 0.5 / np.sqrt(3 * 240)


def test_row_order_of_the_model_input_changes_nothing(
    compared: tuple[pd.DataFrame, list[dict]], model_input: pd.DataFrame
) -> None:
    shuffled = model_input.sample(frac=1, random_state=1)
    out_of_fold, _ = cross_validate_candidates(select_training_rows(shuffled), CANDIDATES, SELECTION, FOLDS, COSTS)
    pd.testing.assert_frame_equal(out_of_fold, compared[0])


def test_holdout_is_scored_with_a_calibrated_model_of_the_training_rows(
    model_input: pd.DataFrame, compared: tuple[pd.DataFrame, list[dict]]
) -> None:
    train, holdout = select_training_rows(model_input), select_holdout_rows(model_input)
    champion = select_champion(compared[1], ChampionOptions(), FOLDS)
    calibration, evaluation, out_of_fold = calibrate_champion(compared[0], champion)
    assert out_of_fold["UNCALIBRATED"].tolist() == compared[0][champion["name"]].tolist()
    chosen = evaluation["methods"][evaluation["chosen"]]["log_loss"]
    assert chosen == min(method["log_loss"] for method in evaluation["methods"].values())
    model, _ = fit_champion(train, champion, [], SELECTION, FOLDS)
    predicted = predict_holdout(model, calibration, holdout)
    assert predicted["SK_ID_CURR"].tolist() == holdout["SK_ID_CURR"].tolist()
    assert predicted["UNCALIBRATED"].tolist() == model.predict_proba(holdout)[:, 1].tolist()
    order = np.argsort(predicted["UNCALIBRATED"].to_numpy(), kind="stable")
    assert (np.diff(predicted["PROBABILITY"].to_numpy()[order]) >= 0).all()


@pytest.mark.parametrize(("share", "points"), [(0.005, "0,50 point "), (0.03, "3,00 points ")])
def test_the_error_of_calibration_is_singular_below_two_in_french(share: float, points: str) -> None:
    """Probabilities of 0.25 and 0.75 whose applicants default more often by a share."""
    probability = np.repeat([0.25, 0.75], 1000)
    target = np.concatenate([np.arange(1000) < 1000 * (p + share) for p in (0.25, 0.75)]).astype(int)
    predictions = pd.DataFrame({"TARGET": target, "UNCALIBRATED": probability, "PROBABILITY": probability})
    figure = plot_calibration(
        predictions, predictions, {"method": "sigmoid"}, FigureOptions(source="synthetic", language="fr")
    )
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert sum(f"\n(erreur moyenne {points}; due au hasard" in label for label in labels) == 2, labels


@pytest.mark.parametrize(
    ("language", "word", "names"),
    [
        ("fr", "Coût", ["modèle de référence", "★ régression logistique"]),
        ("en", "cost", ["baseline model", "★ logistic regression"]),
    ],
)
def test_leaderboard_figure_names_every_candidate(
    compared: tuple[pd.DataFrame, list[dict]], language: str, word: str, names: list[str]
) -> None:
    champion = select_champion(compared[1], ChampionOptions(), FOLDS)
    figure = plot_leaderboard(compared[1], champion, FigureOptions(language=language, source="synthetic"))
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == names
    assert word in figure.axes[0].get_xlabel()


def test_too_few_defaults_for_the_folds_is_a_clear_error(model_input: pd.DataFrame) -> None:
    few = select_training_rows(model_input).assign(TARGET=lambda rows: (rows.index < 2).astype(int))
    with pytest.raises(ValueError, match="the rarer one has 2"):
        cross_validate_candidates(few, CANDIDATES, SELECTION, FOLDS, COSTS)


def test_no_candidate_is_a_clear_error(model_input: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="No model to compare"):
        cross_validate_candidates(select_training_rows(model_input), {}, SELECTION, FOLDS, COSTS)


def test_the_scorecard_of_a_run_is_the_champion_or_the_best_challenger_or_none(model_input: pd.DataFrame) -> None:
    rows = select_training_rows(model_input)
    candidates = CANDIDATES | {
        "scorecard": {"family": "scorecard", "params": {"C": 1.0}},
        "crude": {"family": "scorecard", "params": {"max_bins": 2, "C": 0.01}},
    }
    _, results = cross_validate_candidates(rows, candidates, SELECTION, FOLDS, COSTS)
    described = {result["name"]: result for result in results}
    assert described["scorecard"]["mean"]["log_loss"] < described["crude"]["mean"]["log_loss"]
    dummy, challenger = fit_champion(rows, described["dummy"], results, SELECTION, FOLDS, n_jobs=2)
    again, itself = fit_champion(rows, described["scorecard"], results, SELECTION, FOLDS)
    assert dummy.fingerprint_ == fit_champion(rows, described["dummy"], [], SELECTION, FOLDS)[0].fingerprint_
    assert challenger["name"] == itself["name"] == "scorecard"
    assert challenger["model"].fingerprint_ == again.fingerprint_
    assert itself["model"] is again
    crude, card = fit_champion(rows, described["crude"], results, SELECTION, FOLDS)
    assert card == {"name": "crude", "model": crude}
    others = [described["dummy"], described["logistic_regression"], described["scorecard"] | {"error": "broken"}]
    others.append(described["crude"] | {"row_models": True, "complexity": "unconstrained"})  # no card for paper
    assert fit_champion(rows, described["dummy"], others, SELECTION, FOLDS)[1] == {}


def test_a_killed_process_ends_the_comparison_and_is_no_fault_of_a_candidate(
    model_input: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def be_killed() -> None:
        raise WorkerKilledError

    monkeypatch.setattr(comparison, "start_fits", lambda *_: [be_killed])
    with pytest.raises(WorkerKilledError, match="`n_jobs`"):
        cross_validate_candidates(select_training_rows(model_input), CANDIDATES, SELECTION, FOLDS, COSTS)


def test_two_processes_compare_as_one_does(model_input: pd.DataFrame) -> None:
    candidates = CANDIDATES | {
        "broken": {"family": "logistic_regression", "params": {"C": -1.0}},
        "lightgbm_smote": {"family": "lightgbm", "params": {"n_estimators": 20, "n_jobs": 1}, "imbalance": "smote"},
        "mlp": {"family": "mlp"},
    }
    train = select_training_rows(model_input)
    one, two = (
        cross_validate_candidates(train, candidates, SELECTION, FOLDS, COSTS, n_jobs=n_jobs) for n_jobs in (1, 2)
    )
    pd.testing.assert_frame_equal(one[0], two[0], check_exact=True)
    taken = ("fit_seconds", "predict_seconds", "fit_megabytes", "ms_per_row")
    for alone, beside in zip(one[1], two[1], strict=True):
        assert alone.keys() == beside.keys()
        for key in alone.keys() - {"mean", "std", "folds"}:
            assert alone[key] == beside[key]
        for one_fold, other_fold in zip(alone["folds"], beside["folds"], strict=True):
            assert {**one_fold, **dict.fromkeys(taken)} == {**other_fold, **dict.fromkeys(taken)}
