"""Groups are measured on the clients that a measure concerns, and mitigations do what they are named after."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.pipelines.explainability.fairness import compare_mitigations, measure_fairness, plot_fairness
from credit_scoring.pipelines.explainability.options import FairnessOptions

COSTS = MisclassificationCosts()
POLICY = {"threshold": 0.5}
OPTIONS = FairnessOptions(min_clients=1, n_resamples=100, age_bands=(40,))
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


def test_measures_of_a_group_by_hand() -> None:
    table = measure_fairness(ROWS, PREDICTIONS, POLICY, COSTS, OPTIONS)
    table = table.set_index(["attribute", "group", "measure"]).sort_index()
    women = table.loc[("CODE_GENDER", "F")]["value"]
    # Of three women, one good is granted, one good refused, one default granted.
    assert women["approval_rate"] == pytest.approx(2 / 3)
    assert women["false_decline_rate"] == 0.5
    assert women["false_negative_rate"] == 1
    assert women["cost"] == pytest.approx(11 / 3)
    assert women["calibration_gap"] == pytest.approx(0.3 - 1 / 3)
    assert table.loc[("CODE_GENDER", "M", "approval_rate"), "value"] == 0
    assert table.loc[("CODE_GENDER", "M", "approval_rate"), "gap"] == 1
    assert np.isnan(table.loc[("CODE_GENDER", "?", "false_negative_rate"), "value"])
    assert table.loc[("AGE_BAND", "< 40", "approval_rate"), "clients"] == 3
    assert table.loc[("AGE_BAND", "≥ 40", "approval_rate"), "clients"] == 3


def test_a_handful_is_left_out() -> None:
    options = OPTIONS.model_copy(update={"min_clients": 2})
    table = measure_fairness(ROWS, PREDICTIONS, POLICY, COSTS, options)
    assert set(table.loc[table["attribute"] == "CODE_GENDER", "group"]) == {"F", "M"}


def test_the_interval_of_a_rate_has_a_width_where_all_had_the_same_outcome() -> None:
    table = measure_fairness(ROWS, PREDICTIONS, POLICY, COSTS, OPTIONS).set_index(["attribute", "group", "measure"])
    refused = table.loc[("CODE_GENDER", "M", "approval_rate")]  # both of two
    assert refused["value"] == refused["low"] == 0
    assert refused["high"] == pytest.approx(1.959964**2 / (2 + 1.959964**2))  # Wilson's upper bound at 0 of n


@pytest.mark.parametrize(("language", "woman"), [("fr", "Sexe : femme (3)"), ("en", "Gender: female (3)")])
def test_the_figure_names_the_groups(language: str, woman: str) -> None:
    table = measure_fairness(ROWS, PREDICTIONS, POLICY, COSTS, OPTIONS)
    figure = plot_fairness(table, FigureOptions(language=language, source="synthetic"))
    assert woman in [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ticks = {axes.get_title(loc="left"): axes.xaxis.get_major_formatter()(0.05) for axes in figure.axes}
    (of_gap,) = [tick for title, tick in ticks.items() if "points" in title]  # a difference of two rates
    assert of_gap == "5"
    assert ticks[figure.axes[0].get_title(loc="left")].startswith("5")
    assert "%" in ticks[figure.axes[0].get_title(loc="left")]


def test_mitigations_close_the_gap_that_they_are_for() -> None:
    generator = np.random.default_rng(1)
    n = 4000
    gender = generator.choice(["F", "M"], n)
    fair = generator.beta(1.5, 12, n)
    probability = np.clip(fair + 0.08 * (gender == "M"), 0, 1)
    frame = pd.DataFrame({"SK_ID_CURR": np.arange(n), "TARGET": (generator.random(n) < probability).astype(int)})
    scored, rows = frame.assign(PROBABILITY=probability), frame.assign(CODE_GENDER=gender)
    table = compare_mitigations(
        rows,
        scored,
        rows,
        scored,
        frame.assign(PROBABILITY=fair),
        {"threshold": 0.12},
        COSTS,
        OPTIONS,
    ).set_index("policy")
    assert table.loc["as_is", "approval_gap"] > 0.2
    assert table.loc["without_attribute", "approval_gap"] < 0.05
    assert table.loc["without_attribute", "roc_auc"] < table.loc["as_is", "roc_auc"]
    assert table.loc["equal_approval_rate", "approval_gap"] < 0.01
    assert table.loc["equal_approval_rate", "approval_rate"] == pytest.approx(
        table.loc["as_is", "approval_rate"], abs=0.01
    )
    # Here the sample is the one that thresholds were chosen on: a threshold per group cannot cost more than one.
    assert table.loc["own_threshold", "cost"] <= table.loc["as_is", "cost"]


def test_gaps_of_a_mitigation_leave_out_a_handful() -> None:
    generator = np.random.default_rng(2)
    gender = np.array(["F"] * 300 + ["M"] * 300 + ["XNA"])
    probability = np.append(generator.uniform(0, 0.2, 600), 0.9)  # the one of the third group is refused
    scored = pd.DataFrame({"SK_ID_CURR": np.arange(601), "TARGET": np.arange(601) % 2, "PROBABILITY": probability})
    rows = scored.assign(CODE_GENDER=gender)
    gaps = {
        least: compare_mitigations(
            *(rows, scored, rows, scored, scored),
            {"threshold": 0.1},
            COSTS,
            OPTIONS.model_copy(update={"min_clients": least}),
        ).set_index("policy")["approval_gap"]
        for least in (1, 2)
    }
    assert gaps[1]["as_is"] > 0.4
    granted = [np.mean(probability[gender == group] < 0.1) for group in ("F", "M")]
    assert gaps[2]["as_is"] == pytest.approx(abs(granted[0] - granted[1]))
