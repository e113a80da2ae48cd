"""The champion is no more complex than the lender allows, and what that costs is told."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.uncertainty import corrected_fold_interval
from credit_scoring.models.complexity import COMPLEXITIES, Complexity, by_hand, rank_of, within
from credit_scoring.pipelines.modelling.comparison import select_champion
from credit_scoring.pipelines.modelling.interpretability import plot_interpretability, price_interpretability
from credit_scoring.pipelines.modelling.options import (
    CandidateOptions,
    ChampionOptions,
    CrossValidationOptions,
    check_candidates,
)
from credit_scoring.protected import ProtectedOptions

FOLDS = CrossValidationOptions(n_folds=2)


def result(
    name: str, complexity: Complexity, costs: list[float], log_loss: float, imbalance: str = "none", auc: float = 0.7
) -> dict[str, Any]:
    """Return what the comparison notes of a candidate with these costs in two folds."""
    described = CandidateOptions(family="dummy").model_dump() | {"imbalance": imbalance}
    folds = [{"business_cost": cost, "roc_auc": auc, "log_loss": log_loss} for cost in costs]
    mean = {"business_cost": float(np.mean(costs)), "roc_auc": auc, "log_loss": log_loss}
    mean |= {"columns_needed": 3.0, "ms_per_row": 0.5}
    labels = {"en": f"the {name}", "fr": f"le {name}"}
    return {
        "name": name,
        **described,
        "labels": labels,
        "complexity": complexity,
        "mean": mean,
        "folds": folds,
        "error": None,
    }


def ranked(*results: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(results, key=lambda result: result["mean"]["business_cost"])


def choose(results: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    return select_champion(results, ChampionOptions(**options), FOLDS)


CHEAP = result("cheap", "unconstrained", [0.40, 0.60], 0.25)
NEAR = result("near", "blend", [0.43, 0.59], 0.24)
"""Costs .01 more on average, by .03 and -.01 in the folds."""
FAR = result("far", "equation", [0.46, 0.66], 0.23)
"""Costs .06 more in both folds."""
RESULTS = ranked(CHEAP, NEAR, FAR)


def test_champion_has_the_best_probabilities_among_those_no_costlier_than_the_cheapest() -> None:
    champion = choose(RESULTS)
    assert (champion["name"], champion["complexity"]) == ("near", "blend")
    assert champion["reason"] == "best log loss of the 2 whose cost is within the noise of the cheapest, cheap"
    assert (champion["left_out"], champion["given_up"]) == ([], None)
    assert choose([CHEAP, FAR])["name"] == "cheap"
    assert choose([CHEAP, FAR])["reason"] == "least cost and best log loss of those within its noise"
    assert choose([*RESULTS, {"name": "broken", "complexity": None, "error": "no such library"}])["name"] == "near"


def test_a_bound_leaves_out_what_is_above_it_and_says_what_that_costs() -> None:
    champion = choose(RESULTS, max_complexity="unconstrained")
    assert (champion["name"], champion["left_out"]) == ("cheap", ["near"])
    assert (champion["max_complexity"], champion["prefer"]) == ("unconstrained", "best_log_loss")
    given_up = champion["given_up"]
    assert (given_up["name"], given_up["complexity"]) == ("near", "blend")
    # Folds differ by -.03 and +.01: the mean is -.01, its corrected variance (1/2 + 1/1) x .0008, t(1) = 12.706.
    cost = given_up["difference"]["business_cost"]
    assert cost["estimate"] == pytest.approx(-0.01)
    assert cost["high"] - cost["estimate"] == pytest.approx(12.7062 * np.sqrt(1.5 * 0.0008), rel=1e-4)
    assert given_up["difference"]["log_loss"]["estimate"] == pytest.approx(0.01)
    assert "allows at most `unconstrained`, without near" in champion["reason"]
    assert "it would be near: against it, cost per applicant -0.0100" in champion["reason"]


def test_the_cheapest_allowed_sets_the_mark_even_if_it_is_costlier_than_one_above_the_bound() -> None:
    champion = choose(RESULTS, max_complexity="equation")
    assert champion["name"] == "far"
    assert champion["given_up"]["difference"]["business_cost"]["estimate"] == pytest.approx(0.05)
    assert champion["left_out"] == ["cheap", "near"]


def test_the_simplest_of_those_within_noise_may_be_preferred() -> None:
    points, other = result("card", "points", [0.44, 0.58], 0.26), result("card_2", "points", [0.45, 0.59], 0.255)
    results = ranked(*RESULTS, points, other)
    champion = choose(results, prefer="simplest")
    assert champion["name"] == "card_2"  # of two equally simple ones the better log loss
    assert champion["reason"].startswith("simplest of the 4 whose cost is within the noise of the cheapest, cheap")
    assert champion["left_out"] == []
    assert champion["given_up"]["name"] == "near"
    assert choose(results)["name"] == "near"


def test_the_baseline_is_no_simple_model_however_small_the_sample() -> None:
    baseline = result("dummy", "constant", [0.3, 0.9], 0.3)
    assert choose(ranked(*RESULTS, baseline), prefer="simplest")["name"] == "cheap"
    assert choose([baseline], prefer="simplest")["name"] == "dummy"


RIVALS = st.lists(
    st.tuples(
        st.sampled_from(COMPLEXITIES),
        st.lists(st.floats(0.3, 0.9), min_size=2, max_size=2),
        st.floats(0.1, 0.6),
    ),
    min_size=1,
    max_size=6,
)


@given(RIVALS, st.sampled_from(COMPLEXITIES), st.sampled_from(["best_log_loss", "simplest"]))
def test_a_bound_never_chooses_above_it(rivals: list[tuple[Any, ...]], bound: Complexity, prefer: str) -> None:
    results = ranked(*(result(f"c{place}", *rival) for place, rival in enumerate(rivals)))
    inside = [one for one in results if rank_of(one["complexity"]) <= rank_of(bound)]
    if len(inside) < len(results) and all(one["complexity"] == "constant" for one in inside):
        with pytest.raises(ValueError, match=r"champion\.max_complexity: at most"):
            choose(results, max_complexity=bound, prefer=prefer)
        return
    champion = choose(results, max_complexity=bound, prefer=prefer)
    assert champion["name"] in {one["name"] for one in inside}
    assert {champion["name"]} | set(champion["left_out"]) <= {one["name"] for one in results}
    assert len(champion["left_out"]) == len(results) - len(inside)
    assert choose(inside, prefer=prefer)["name"] == champion["name"]  # those left out had no say


CANDIDATES: dict[str, Any] = {
    "baseline": {"family": "dummy"},
    "regression": {"family": "logistic_regression", "imbalance": ["none", "smote"]},
    "trees": {"family": "xgboost"},
}


def test_a_bound_that_no_candidate_meets_stops_the_run_with_all_of_them_named() -> None:
    with pytest.raises(ValueError, match="at most `points` is allowed, and no candidate but a baseline is") as caught:
        check_candidates(CANDIDATES, ChampionOptions(max_complexity="points"), ProtectedOptions())
    said = str(caught.value)
    assert "baseline is `constant`, regression is `equation`, regression_smote is `equation`" in said
    assert "trees is `unconstrained`" in said
    assert "Hint: add a simpler one under `candidates`" in said
    check_candidates(CANDIDATES, ChampionOptions(max_complexity="equation"), ProtectedOptions())
    check_candidates({"baseline": {"family": "dummy"}}, ChampionOptions(), ProtectedOptions())
    with pytest.raises(ValueError, match="No model to compare"):
        check_candidates({}, ChampionOptions(), ProtectedOptions())


def test_an_unknown_level_is_an_error_that_names_the_levels() -> None:
    with pytest.raises(
        ValidationError, match="'constant', 'points', 'equation', 'monotone', 'unconstrained' or 'blend'"
    ):
        ChampionOptions(max_complexity="simple")
    with pytest.raises(ValidationError, match="prefer"):
        ChampionOptions(prefer="cheapest")


def test_the_scale_goes_from_what_a_person_computes_to_what_nobody_can() -> None:
    assert [by_hand(level) for level in COMPLEXITIES] == ["yes", "yes", "spreadsheet", "no", "no", "no"]
    assert [level for level in COMPLEXITIES if within(level, "monotone")] == [
        "constant",
        "points",
        "equation",
        "monotone",
    ]
    assert within(None, "blend")
    assert not within(None, "unconstrained")


def test_features_learnt_from_outcomes_are_checked_by_nobody() -> None:
    assert CandidateOptions(family="logistic_regression").complexity == "equation"
    assert CandidateOptions(family="logistic_regression", target_features=True).complexity == "unconstrained"
    assert CandidateOptions(family="xgboost").complexity == "unconstrained"
    assert CandidateOptions(family="dummy").complexity == "constant"


@pytest.fixture
def price() -> pd.DataFrame:
    results = ranked(
        result("dummy", "constant", [0.8, 0.8], 0.3, auc=0.5),
        result("regression", "equation", [0.50, 0.54], 0.25, auc=0.71),
        result("regression_smote", "equation", [0.40, 0.44], 0.24, "smote"),
        result("trees", "unconstrained", [0.48, 0.50], 0.235, auc=0.74),
        result("forest", "unconstrained", [0.45, 0.45], 0.26, auc=0.75),
        result("weighted", "monotone", [0.5, 0.5], 0.4, "class_weight"),
    )
    broken = {"name": "broken", "complexity": None, "error": "no such library"}
    return price_interpretability([*results, broken], {"name": "regression"}, FOLDS)


def test_one_row_per_level_holds_its_best_against_the_best_of_all(price: pd.DataFrame) -> None:
    assert price["complexity"].tolist() == ["constant", "equation", "monotone", "unconstrained"]
    # By log loss, though another costs less; a treated one only where there is no other
    assert price["candidate"].tolist() == ["dummy", "regression", "weighted", "trees"]
    assert price["candidates"].tolist() == [1, 1, 1, 2]
    assert price["champion"].tolist() == [False, True, False, False]
    assert price["by_hand"].tolist() == ["yes", "spreadsheet", "no", "no"]
    assert price["business_cost"].tolist() == pytest.approx([0.8, 0.52, 0.5, 0.49])
    row = price.set_index("candidate").loc["regression"]
    expected = corrected_fold_interval([0.02, 0.04])
    assert row[["cost_to_best", "cost_to_best_low", "cost_to_best_high"]].tolist() == pytest.approx(
        [expected.estimate, expected.low, expected.high]
    )
    assert row["auc_to_best"] == pytest.approx(-0.03)
    assert row["log_loss_to_best"] == pytest.approx(0.015)
    best = price.set_index("candidate").loc["trees"]
    assert not best[[name for name in price if "to_best" in name]].any()
    assert price[["columns_needed", "ms_per_row"]].drop_duplicates().to_numpy().tolist() == [[3.0, 0.5]]


@pytest.mark.parametrize(
    ("language", "label", "value"),
    [
        ("en", "★ the regression\nequation · 3 features · 0.50 ms · by hand: spreadsheet", "0.5200"),
        ("fr", "★ le regression\néquation · 3 variables · 0,50 ms · à la main : tableur", "0,5200"),
    ],
)
def test_the_figure_says_what_the_table_does(price: pd.DataFrame, language: Any, label: str, value: str) -> None:
    for short in ("cost", "auc"):
        price[f"{short}_to_best_low"] = price[f"{short}_to_best"] - 0.01
        price[f"{short}_to_best_high"] = price[f"{short}_to_best"] + 0.01
    figure = plot_interpretability(price, FigureOptions(language=language, source="synthetic"))
    cost, auc = figure.axes
    assert cost.get_yticklabels()[1].get_text() == label
    told = [text.get_text() for text in cost.texts]
    assert told[1] == value
    assert told[0].endswith("→")  # the baseline, too far off to be drawn
    assert auc.texts[0].get_text().startswith("←")
    assert cost.get_xlim()[1] < 0.3
    (low, high), (place, _) = cost.lines[2].get_data()
    assert (low, high, place) == (*price.loc[1, ["cost_to_best_low", "cost_to_best_high"]], 1)
