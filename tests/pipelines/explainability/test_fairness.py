"""Groups are measured on the clients that a measure concerns; a handful is shown, and is in no gap."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.metrics.uncertainty import rate_difference_interval
from credit_scoring.pipelines.explainability.fairness import (
    compare_mitigations,
    measure_fairness,
    measure_protection_effect,
    plot_fairness,
)
from credit_scoring.pipelines.explainability.options import FairnessOptions
from credit_scoring.protected import ProtectedOptions

COSTS = MisclassificationCosts()
POLICY = {"threshold": 0.5}
GENDER, NOTHING = ProtectedOptions(columns=("CODE_GENDER",)), ProtectedOptions(columns=())
OPTIONS = FairnessOptions(min_clients=1, min_defaults=1, n_resamples=100, age_bands=(40,))
ROWS = pd.DataFrame(
    {
        "SK_ID_CURR": range(6),
        "CODE_GENDER": ["F", "F", "F", "M", "M", None],
        "DAYS_BIRTH": [-365.25 * age for age in (30, 50, 30, 50, 30, 40)],
        "NAME_FAMILY_STATUS": ["Married"] * 6,
        "NAME_EDUCATION_TYPE": ["Higher education"] * 6,
    }
)
PREDICTIONS = pd.DataFrame(
    {"SK_ID_CURR": range(6), "TARGET": [0, 0, 1, 0, 1, 0], "PROBABILITY": [0.1, 0.6, 0.2, 0.7, 0.9, 0.1]}
)


def measure(options: FairnessOptions, protected: ProtectedOptions = GENDER) -> tuple[pd.DataFrame, pd.DataFrame]:
    groups, gaps = measure_fairness(ROWS, ROWS, PREDICTIONS, POLICY, COSTS, options, protected)
    return groups.set_index(["attribute", "group", "measure"]).sort_index(), gaps.set_index(["attribute", "measure"])


def applicants(gender: list[str], target: list[int], probability: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows and predictions of applicants who are alike but for gender."""
    scored = pd.DataFrame({"SK_ID_CURR": np.arange(len(gender)), "TARGET": target, "PROBABILITY": probability})
    alike = {"DAYS_BIRTH": -15000.0, "NAME_FAMILY_STATUS": "Married", "NAME_EDUCATION_TYPE": "Higher education"}
    return scored[["SK_ID_CURR"]].assign(CODE_GENDER=gender, **alike), scored


def test_measures_of_a_group_by_hand() -> None:
    table, gaps = measure(OPTIONS)
    women = table.loc[("CODE_GENDER", "F")]
    # Of three women, one good is granted, one good refused, one default granted.
    assert women["value"]["approval_rate"] == pytest.approx(2 / 3)
    assert women["value"]["false_decline_rate"] == 0.5
    assert women["value"]["false_negative_rate"] == 1
    assert women["value"]["cost"] == pytest.approx(11 / 3)
    assert women["value"]["calibration_gap"] == pytest.approx(0.3 - 1 / 3)
    assert women["concerned"].to_dict() == {
        "approval_rate": 3,
        "calibration_gap": 3,
        "cost": 3,
        "false_decline_rate": 2,
        "false_negative_rate": 1,
    }
    assert table.loc[("CODE_GENDER", "M", "approval_rate"), "value"] == 0
    assert table.loc[("AGE_BAND", "< 40", "approval_rate"), "clients"] == 3
    assert table.loc[("AGE_BAND", "≥ 40", "approval_rate"), "clients"] == 3
    nobody = table.loc[("CODE_GENDER", "?", "false_negative_rate")]
    assert nobody["concerned"] == 0
    assert np.isnan(nobody["value"])
    # One pair of groups: Newcombe at 95 %. Whoever did not say is no group.
    gap = gaps.loc[("CODE_GENDER", "approval_rate")]
    assert (gap["groups"], gap["lowest"], gap["highest"]) == (2, "M", "F")
    by_hand = rate_difference_interval(2, 3, 0, 2)
    assert (gap["gap"], gap["low"], gap["high"]) == (by_hand.estimate, by_hand.low, by_hand.high)


def test_a_handful_is_shown_with_its_number_and_nothing_is_reported_of_it() -> None:
    table, gaps = measure(OPTIONS.model_copy(update={"min_clients": 3}))
    men = table.loc[("CODE_GENDER", "M")]
    assert (men["clients"] == 2).all()
    assert men[["value", "low", "high"]].isna().all(axis=None)
    assert table.loc[("CODE_GENDER", "F", "approval_rate"), "value"] == pytest.approx(2 / 3)
    # Of the three women two repaid: too few for a rate of good customers declined.
    assert np.isnan(table.loc[("CODE_GENDER", "F", "false_decline_rate"), "value"])
    assert gaps.loc[("CODE_GENDER", "approval_rate"), "groups"] == 1
    assert np.isnan(gaps.loc[("CODE_GENDER", "approval_rate"), "gap"])


def test_no_false_negative_rate_of_a_few_defaults() -> None:
    rows, scored = applicants(["F"] * 200 + ["M"] * 200, ([1] * 10 + [0] * 190) + ([1] * 9 + [0] * 191), 0.1)
    table, gaps = measure_fairness(rows, rows, scored, POLICY, COSTS, FairnessOptions(n_resamples=100), GENDER)
    rate = table[table["measure"] == "false_negative_rate"].set_index(["attribute", "group"])
    assert rate.loc[("CODE_GENDER", "F"), "value"] == 1
    assert rate.loc[("CODE_GENDER", "M"), "concerned"] == 9
    assert np.isnan(rate.loc[("CODE_GENDER", "M"), "value"])
    assert gaps.set_index(["attribute", "measure"]).loc[("CODE_GENDER", "false_negative_rate"), "groups"] == 1


def test_one_client_of_a_third_group_moves_no_gap() -> None:
    """Of the 51 women 10 are refused, of the 50 men 20; the one of the third group is refused."""
    probability = [0.9] * 10 + [0.1] * 41 + [0.9] * 20 + [0.1] * 30 + [0.9]
    rows, scored = applicants(["F"] * 51 + ["M"] * 50 + ["XNA"], [0, 1] * 51, probability)
    options = FairnessOptions(n_resamples=100)
    table, gaps = measure_fairness(rows, rows, scored, POLICY, COSTS, options, GENDER)
    approval = gaps.set_index(["attribute", "measure"]).loc[("CODE_GENDER", "approval_rate")]
    assert approval["gap"] == pytest.approx(41 / 51 - 30 / 50)
    assert approval["groups"] == 2
    shown = table[(table["attribute"] == "CODE_GENDER") & (table["measure"] == "approval_rate")].set_index("group")
    assert shown["clients"].to_dict() == {"F": 51, "M": 50, "XNA": 1}
    policies = compare_mitigations(rows, scored, rows, scored, POLICY, COSTS, options, GENDER).set_index("policy")
    assert policies.loc["as_is", "approval_gap"] == pytest.approx(41 / 51 - 30 / 50)
    with_everybody = options.model_copy(update={"min_clients": 1})
    _, gaps = measure_fairness(rows, rows, scored, POLICY, COSTS, with_everybody, GENDER)
    assert gaps.set_index(["attribute", "measure"]).loc[("CODE_GENDER", "approval_rate"), "gap"] > 0.8


def test_the_gap_of_several_groups_has_an_interval_for_all_their_pairs() -> None:
    """Three groups make three pairs: the interval of the largest difference is one of 1 - 0.05 / 3."""
    granted = {"F": 90, "M": 70, "X": 80}
    probability = [p for n in granted.values() for p in [0.1] * n + [0.9] * (100 - n)]
    rows, scored = applicants([group for group in granted for _ in range(100)], [0, 1] * 150, probability)
    _, gaps = measure_fairness(rows, rows, scored, POLICY, COSTS, OPTIONS, GENDER)
    gap = gaps.set_index(["attribute", "measure"]).loc[("CODE_GENDER", "approval_rate")]
    assert (gap["lowest"], gap["highest"], gap["groups"]) == ("M", "F", 3)
    alone, together = (rate_difference_interval(90, 100, 70, 100, confidence=c) for c in (0.95, 1 - 0.05 / 3))
    assert (gap["low"], gap["high"]) == (together.low, together.high)
    assert together.low < alone.low


def test_groups_alike_have_a_gap_beyond_chance_in_one_sample_of_twenty_at_most() -> None:
    generator = np.random.default_rng(5)
    found = []
    for _ in range(200):
        gender = generator.choice(["F", "M", "X", "Y"], 400).tolist()
        rows, scored = applicants(gender, [0, 1] * 200, generator.uniform(size=400))
        _, gaps = measure_fairness(rows, rows, scored, POLICY, COSTS, FairnessOptions(n_resamples=100), GENDER)
        gap = gaps.set_index(["attribute", "measure"]).loc[("CODE_GENDER", "approval_rate")]
        found.append(gap["low"] > 0)
    assert np.mean(found) <= 0.08  # 5 % and what 200 draws may add


def test_the_interval_of_a_rate_has_a_width_where_all_had_the_same_outcome() -> None:
    refused = measure(OPTIONS)[0].loc[("CODE_GENDER", "M", "approval_rate")]  # both of two
    assert refused["value"] == refused["low"] == 0
    assert refused["high"] == pytest.approx(1.959964**2 / (2 + 1.959964**2))  # Wilson's upper bound at 0 of n


def test_any_protected_attribute_is_measured_beside_the_usual_ones() -> None:
    rows = ROWS.assign(FLAG_OWN_CAR=[0, 0, 1, 1, 1, 0])
    protected = ProtectedOptions(columns=("DAYS_BIRTH", "FLAG_OWN_CAR"))
    table, _ = measure_fairness(rows, rows, PREDICTIONS, POLICY, COSTS, OPTIONS, protected)
    usual = ["CODE_GENDER", "AGE_BAND", "NAME_FAMILY_STATUS", "NAME_EDUCATION_TYPE"]
    assert table["attribute"].unique().tolist() == [*usual, "FLAG_OWN_CAR"]
    assert set(table.loc[table["attribute"] == "FLAG_OWN_CAR", "group"]) == {"0", "1"}
    table, _ = measure_fairness(rows, rows, PREDICTIONS, POLICY, COSTS, OPTIONS, NOTHING)
    assert table["attribute"].unique().tolist() == usual


def draw(language: str, **bounds: int) -> Figure:
    table, _ = measure_fairness(ROWS, ROWS, PREDICTIONS, POLICY, COSTS, OPTIONS.model_copy(update=bounds), GENDER)
    return plot_fairness(table, FigureOptions(language=language, source="synthetic"))


@pytest.mark.parametrize(("language", "woman"), [("fr", "Sexe : femme (3)"), ("en", "Gender: female (3)")])
def test_the_figure_names_the_groups(language: str, woman: str) -> None:
    figure = draw(language)
    assert woman in [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ticks = {axes.get_title(loc="left"): axes.xaxis.get_major_formatter()(0.05) for axes in figure.axes}
    (of_gap,) = [tick for title, tick in ticks.items() if "points" in title]  # a difference of two rates
    assert of_gap == "5"
    assert ticks[figure.axes[0].get_title(loc="left")].startswith("5")
    assert "%" in ticks[figure.axes[0].get_title(loc="left")]


def test_the_figure_shows_how_many_each_measure_is_of_and_says_where_they_are_too_few() -> None:
    approval, declined, *_ = draw("en", min_clients=3).axes
    written = [text.get_text() for text in declined.texts]
    assert written.count("too few to tell") == 4  # women, men, unknown, the younger: fewer than three repaid
    first = [text.get_text() for text in approval.texts if text.get_position()[1] == 6]
    assert first == ["3"]  # the women, on top of seven groups
    points = approval.lines[0].get_ydata()
    assert len(points) == 5


def test_mitigations_close_the_gap_that_they_are_for() -> None:
    generator = np.random.default_rng(1)
    n = 4000
    gender = generator.choice(["F", "M"], n)
    probability = np.clip(generator.beta(1.5, 12, n) + 0.08 * (gender == "M"), 0, 1)
    rows, scored = applicants(gender.tolist(), (generator.random(n) < probability).astype(int).tolist(), probability)
    table = compare_mitigations(rows, scored, rows, scored, {"threshold": 0.12}, COSTS, OPTIONS, GENDER)
    table = table.set_index("policy")
    assert (table["attribute"] == "CODE_GENDER").all()
    assert table.loc["as_is", "approval_gap_low"] > 0.2
    assert (table.loc["as_is", ["cost_change", "cost_change_low", "cost_change_high"]] == 0).all()
    assert table.loc["equal_approval_rate", "approval_gap"] < 0.01
    assert (
        table.loc["equal_approval_rate", "approval_gap_low"] < 0 < table.loc["equal_approval_rate", "approval_gap_high"]
    )
    assert table.loc["equal_approval_rate", "approval_rate"] == pytest.approx(
        table.loc["as_is", "approval_rate"], abs=0.01
    )
    change = table["cost"] - table.loc["as_is", "cost"]
    assert table["cost_change"].to_dict() == pytest.approx(change.to_dict())


def numbers(name: str, values: Any, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return applicants whose risk is twice as high where the number is above its usual median."""
    generator, n = np.random.default_rng(seed), len(values)
    usual = {"AMT_INCOME_TOTAL": 160_000, "CNT_CHILDREN": 0}[name]
    probability = generator.uniform(0.01, 0.2, n) * np.where(np.asarray(values) > usual, 2, 1)
    rows, scored = applicants(["F"] * n, (generator.random(n) < probability).astype(int).tolist(), probability)
    return rows.assign(**{name: values}), scored


def children(most: int, n: int) -> list[int]:
    """Return numbers of children of which two thirds are 0 and each up to `most` occurs."""
    return [0] * (2 * n // 3) + [1 + i % most for i in range(n - 2 * n // 3)]


@pytest.mark.parametrize(
    ("name", "learnt", "judged", "groups"),
    [
        # the medians of training and of the hold-out are not the same number
        (
            "AMT_INCOME_TOTAL",
            np.linspace(40_000, 280_000, 3000),
            np.linspace(45_000, 285_000, 1000),
            ["> 160000", "≤ 160000"],
        ),
        # eleven numbers in training, which are cut at the median, and four in the hold-out, which alone would not be
        ("CNT_CHILDREN", children(11, 3000), children(3, 1000), ["> 0", "≤ 0"]),
        # and the other way round: each number is a group, and those that training has not seen are too few to count
        ("CNT_CHILDREN", children(1, 3000), [*children(1, 989), *range(2, 13)], ["0", "1"]),
    ],
)
def test_thresholds_of_a_number_reach_the_groups_that_they_are_for(
    name: str, learnt: Any, judged: Any, groups: list[str]
) -> None:
    (training_rows, oof), (holdout_rows, scored) = numbers(name, learnt, 1), numbers(name, judged, 2)
    protected, policy = ProtectedOptions(columns=(name,)), {"threshold": 0.2}
    options = FairnessOptions(n_resamples=100)
    table = compare_mitigations(training_rows, oof, holdout_rows, scored, policy, COSTS, options, protected)
    table = table.set_index("policy")
    assert table.loc["as_is", "approval_gap"] > 0.3
    assert table.loc["equal_approval_rate", "approval_gap"] < 0.1
    assert table.loc["own_threshold", "cost_change"] != 0
    # All tables name the same groups.
    by_group, gaps = measure_fairness(training_rows, holdout_rows, scored, policy, COSTS, options, protected)
    shown = by_group[(by_group["attribute"] == name) & (by_group["measure"] == "approval_rate")].dropna(subset="value")
    assert shown["group"].tolist() == groups
    gap = gaps.set_index(["attribute", "measure"]).loc[(name, "approval_rate"), "gap"]
    assert gap == table.loc["as_is", "approval_gap"]
    both = oof[["SK_ID_CURR"]].assign(REFUSED_WITH=False, REFUSED_WITHOUT=oof["PROBABILITY"] >= 0.2)
    assert measure_protection_effect(training_rows, both, options, protected)["group"].tolist() == groups


def test_thresholds_of_groups_are_chosen_out_of_fold_and_judged_on_the_holdout() -> None:
    """The hold-out is the other way round: thresholds that had seen it would close its gap instead of widening it."""
    low, high = np.linspace(0.01, 0.2, 500), np.linspace(0.11, 0.3, 500)
    gender, target = ["F"] * 500 + ["M"] * 500, [0, 1] * 500
    rows, learnt = applicants(gender, target, np.append(low, high))
    _, judged = applicants(gender, target, np.append(high, low))
    policy = {"threshold": 0.15}
    table = compare_mitigations(rows, learnt, rows, judged, policy, COSTS, OPTIONS, GENDER).set_index("policy")
    assert table.loc["equal_approval_rate", "approval_gap"] > table.loc["as_is", "approval_gap"] + 0.2


def test_a_group_that_is_too_small_to_learn_from_keeps_the_threshold_of_all() -> None:
    rows, learnt = applicants(["F"] * 100 + ["M"] * 9, [0, 1] * 54 + [0], np.linspace(0, 0.4, 109))
    wide_rows, judged = applicants(["F"] * 100 + ["M"] * 100, [0, 1] * 100, [0.05] * 100 + [0.2] * 100)
    options = FairnessOptions(n_resamples=100)
    table = compare_mitigations(rows, learnt, wide_rows, judged, {"threshold": 0.3}, COSTS, options, GENDER)
    assert (table["approval_rate"] >= 0.5).all()  # no man is refused at 0.3


def test_nothing_protected_has_no_mitigation() -> None:
    assert compare_mitigations(ROWS, PREDICTIONS, ROWS, PREDICTIONS, POLICY, COSTS, OPTIONS, NOTHING).empty


def test_whose_decisions_change_without_the_attribute() -> None:
    """Of the three women two were refused with the attribute and none is without; of the two men one now is."""
    both = PREDICTIONS[["SK_ID_CURR"]].assign(
        REFUSED_WITH=[True, True, False, False, False, False], REFUSED_WITHOUT=[False, False, False, True, False, False]
    )
    table = measure_protection_effect(ROWS, both, OPTIONS, GENDER).set_index("group")
    assert table["clients"].to_dict() == {"F": 3, "M": 2, "?": 1}
    assert table.loc["F", "approval_with"] == pytest.approx(1 / 3)
    assert table.loc["F", "approval_without"] == 1
    assert table["change"].to_dict() == pytest.approx({"F": 2 / 3, "M": -0.5, "?": 0})
    assert table.loc["M", "low"] == -1
    assert list(
        measure_protection_effect(ROWS, both, OPTIONS.model_copy(update={"min_clients": 3}), GENDER)["group"]
    ) == ["F"]
    assert measure_protection_effect(ROWS, both.iloc[:0], OPTIONS, NOTHING).empty
