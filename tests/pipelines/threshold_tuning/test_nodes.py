"""The threshold is chosen out of fold and judged on the hold-out."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.figures import FigureOptions
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.models import build_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.threshold_tuning.figures import (
    plot_confusion_matrices,
    plot_cost_curve,
    plot_gains,
    plot_sensitivity,
)
from credit_scoring.pipelines.threshold_tuning.nodes import (
    build_scorer,
    compute_threshold_curve,
    evaluate_amounts,
    measure_sensitivity,
    view_threshold_grid,
)
from credit_scoring.pipelines.threshold_tuning.nodes import choose_policy as choose_policy_node
from credit_scoring.pipelines.threshold_tuning.nodes import evaluate_policy as evaluate_policy_node
from credit_scoring.pipelines.threshold_tuning.options import AmountOptions, GridOptions, PolicyOptions, ReviewOptions
from credit_scoring.protected import ProtectedOptions
from credit_scoring.scorer import digest_model

COSTS = MisclassificationCosts(false_negative=10, false_positive=1)
RATES = np.array([0.02, 0.05, 0.1, 0.2, 0.5])
ODDS_TOO_HIGH = (0.15 / 0.85) / (1 / 10)
"""By this factor: the score of 0.15 stands for a default rate of 1/11."""
OOF = pd.DataFrame(
    {
        "SK_ID_CURR": range(1000),
        "TARGET": np.concatenate([np.repeat([1, 0], [round(200 * rate), 200 - round(200 * rate)]) for rate in RATES]),
        "PROBABILITY": np.repeat(1 / (1 + (1 - RATES) / RATES / ODDS_TOO_HIGH), 200),
    }
)
HOLDOUT = pd.DataFrame({"SK_ID_CURR": range(4), "TARGET": [0, 1, 0, 1], "PROBABILITY": [0.05, 0.12, 0.4, 0.7]})
CHAMPION = {"name": "trees", "family": "lightgbm", "complexity": "unconstrained", "params": {}}
PROTECTED = ProtectedOptions()
POLICY = PolicyOptions(n_resamples=100, ratios=(1, 10))
NOBODY, REVIEWER = ReviewOptions(budget=0), ReviewOptions(budget=0.5, cost=0.1, error_rate=0)
MODEL = build_model("dummy", {}).fit(pd.DataFrame({"EXT_SOURCE_2": [0.1, 0.9]}), [1, 0])


def choose_policy(oof: pd.DataFrame, review: ReviewOptions = NOBODY) -> dict:
    return choose_policy_node(oof, CHAMPION, MODEL, {"method": "none"}, COSTS, POLICY, review)


def evaluate_policy(holdout: pd.DataFrame, policy: dict, review: ReviewOptions = NOBODY) -> dict:
    return evaluate_policy_node(holdout, policy, COSTS, POLICY, review)


def test_policy_is_the_break_even_threshold_out_of_fold() -> None:
    policy = choose_policy(OOF)
    assert policy["threshold"] == pytest.approx(0.15)
    assert policy["default_rate_at_theoretical"] == pytest.approx(0.1 / ODDS_TOO_HIGH / (1 + 0.1 / ODDS_TOO_HIGH))
    assert policy["theoretical_threshold"] == pytest.approx(1 / 11)
    assert policy["costs"] == {"false_negative": 10.0, "false_positive": 1.0}
    # Granting the two lowest groups misses 4 and 10 defaults, refusing the others declines 180, 160 and 100.
    apparent = (140 + 440) / 1000
    assert policy["cost"]["low"] < apparent < policy["cost"]["estimate"] < policy["cost"]["high"]


def test_evaluation_by_hand() -> None:
    evaluation = evaluate_policy(HOLDOUT, choose_policy(OOF))
    policies = evaluation["policies"]
    tuned = policies["tuned"]  # at .15: refuses .4 (good) and .7 (bad), grants .05 (good) and .12 (bad)
    assert [tuned[k] for k in ("true_positives", "false_positives", "false_negatives", "true_negatives")] == [
        1,
        1,
        1,
        1,
    ]
    assert tuned["business_cost"] == pytest.approx(11 / 4)
    assert tuned["total_cost"] == pytest.approx(11)
    assert policies["theoretical"]["business_cost"] == pytest.approx(1 / 4)
    assert evaluation["tuned_less_theoretical"]["estimate"] == pytest.approx(10 / 4)
    assert policies["half"]["business_cost"] == pytest.approx(10 / 4)
    assert policies["approve_all"]["business_cost"] == pytest.approx(20 / 4)
    assert policies["approve_all"]["approval_rate"] == 1
    assert policies["decline_all"]["business_cost"] == pytest.approx(2 / 4)
    assert policies["decline_all"]["approval_rate"] == 0
    assert evaluation["score"]["roc_auc"] == 0.75
    assert evaluation["default_rate"] == 0.5


def test_the_holdout_does_not_move_the_threshold() -> None:
    flipped = HOLDOUT.assign(TARGET=1 - HOLDOUT["TARGET"])
    policy = choose_policy(OOF)
    assert evaluate_policy(flipped, policy)["policies"]["tuned"]["threshold"] == policy["threshold"]


@pytest.mark.parametrize(("language", "half"), [("fr", "0,5"), ("en", "0.5")])
def test_figure_speaks_its_language_and_marks_synthetic_data(language: str, half: str) -> None:
    policy, curve = choose_policy(OOF), compute_threshold_curve(OOF, COSTS)
    figure = plot_cost_curve(curve, HOLDOUT, policy, COSTS, FigureOptions(language=language, source="synthetic"))
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert any(half in text for text in legend)
    assert any("ynth" in text.get_text() for text in figure.texts)
    drawn = figure.axes[0].get_lines()[0]
    assert np.array_equal(drawn.get_xdata()[:-1], curve["threshold"])
    real = plot_cost_curve(curve, HOLDOUT, policy, COSTS, FigureOptions(language=language, source="home_credit"))
    assert not any("ynth" in text.get_text() for text in real.texts)


def test_the_policy_says_how_sure_its_threshold_is_and_whose_it_is() -> None:
    policy = choose_policy(OOF)
    interval = policy["threshold_interval"]
    assert interval["low"] <= policy["threshold"] <= interval["high"]
    # All thresholds between the second and the third score decide alike.
    between = OOF["PROBABILITY"].iloc[[200, 400]].mean()
    assert policy["plateau"] == pytest.approx({"low": between, "high": between, "tolerance": 0.01})
    assert policy["review"] is None
    assert policy["model_digest"] == digest_model(MODEL, Calibration("none"))


def test_a_policy_of_another_model_is_refused() -> None:
    other = build_model("dummy", {}).fit(pd.DataFrame({"EXT_SOURCE_2": [0.1, 0.9]}), [0, 1])
    with pytest.raises(ValueError, match=r"belongs to model .*not to model"):
        build_scorer(other, {"method": "none"}, choose_policy(OOF), None, None, PROTECTED)
    with pytest.raises(ValueError, match=r"belongs to model .*not to model"):
        build_scorer(
            MODEL, {"method": "sigmoid", "slope": 2.0, "intercept": 0.0}, choose_policy(OOF), None, None, PROTECTED
        )
    scorer = build_scorer(MODEL, {"method": "none"}, choose_policy(OOF), None, None, PROTECTED)
    assert scorer.decision_policy["model"] == "trees"


def test_a_model_that_learnt_from_a_protected_attribute_is_not_served() -> None:
    model = build_model("dummy", {}).fit(pd.DataFrame({"CODE_GENDER": ["F", "M"]}), [1, 0])
    policy = choose_policy(OOF) | {"model_digest": digest_model(model, Calibration("none"))}
    with pytest.raises(ValueError, match=r"(?s)learnt from CODE_GENDER.*Hint: `kedro run --pipelines modelling`"):
        build_scorer(model, {"method": "none"}, policy, None, None, PROTECTED)
    unprotected = ProtectedOptions(columns=())
    assert build_scorer(model, {"method": "none"}, policy, None, None, unprotected).feature_names_in_ == ["CODE_GENDER"]


def test_one_outcome_is_no_sample_to_choose_on() -> None:
    with pytest.raises(ValueError, match="all 1000 out-of-fold applicants had the outcome 0"):
        choose_policy(OOF.assign(TARGET=0))


def test_a_constant_score_grants_all_or_refuses_all() -> None:
    policy = choose_policy(OOF.assign(PROBABILITY=0.3))
    assert policy["threshold"] == 0  # 174 of 1,000 default: refusing all costs 0.826, granting all 1.74
    assert policy["cost"]["estimate"] == pytest.approx(0.826)


def test_the_reviewer_looks_at_those_between_the_thresholds() -> None:
    policy = choose_policy(OOF, REVIEWER)
    # A perfect reviewer saves 0.1, 0.4, 0.8, 0.7 and 0.4 per client of the groups, and has time for two of the five.
    scores = OOF["PROBABILITY"].unique()
    assert [policy["review"]["low"], policy["review"]["high"]] == pytest.approx(
        [scores[1:3].mean(), scores[3:5].mean()]
    )
    three_way = evaluate_policy(HOLDOUT, policy, REVIEWER)["three_way"]
    # Of the hold-out, 0.05 (good) and 0.12 (bad) are granted, 0.4 reviewed, 0.7 refused.
    assert three_way["business_cost"] == pytest.approx((10 + 0.1) / 4)
    assert [three_way[name] for name in ("approval_rate", "review_rate", "refusal_rate")] == [0.5, 0.25, 0.25]


def test_sensitivity_by_hand() -> None:
    table = measure_sensitivity(OOF, HOLDOUT, choose_policy(OOF), POLICY).set_index("ratio")
    assert table.loc[10, "threshold"] == pytest.approx(0.15)
    assert table.loc[1, "theoretical_threshold"] == 0.5
    # At 1 : 1 only the highest group reaches the break-even rate of a half; on the hold-out 0.7 is refused.
    assert table.loc[1, "threshold"] == pytest.approx(OOF["PROBABILITY"].max())
    assert table.loc[1, "cost"] == pytest.approx(1 / 4)
    assert table.loc[10, ["policy_cost", "approve_all_cost", "decline_all_cost"]].tolist() == [11 / 4, 5.0, 0.5]


def test_amounts_price_each_applicant_by_what_was_asked_for() -> None:
    rows = [frame[["SK_ID_CURR"]].assign(AMT_CREDIT=1000.0 * (frame.index + 1)) for frame in (OOF, HOLDOUT)]
    options = AmountOptions(loss_given_default=0.5, margin=0.1)
    policies = evaluate_amounts(OOF, rows[0], HOLDOUT, rows[1], choose_policy(OOF), options, POLICY)["policies"]
    # At 0.15: 0.12 (2,000) defaults though granted, 0.4 (3,000) is refused though good.
    assert policies["tuned"]["total_cost"] == pytest.approx(0.5 * 2000 + 0.1 * 3000)
    assert policies["approve_all"]["total_cost"] == pytest.approx(0.5 * (2000 + 4000))
    bad = rows[0].assign(AMT_CREDIT=[0.0] + [1.0] * 999)
    with pytest.raises(ValueError, match=r"finite number per applicant: 1 of 1000 are not \(first: 0.0\)"):
        evaluate_amounts(OOF, bad, HOLDOUT, rows[1], choose_policy(OOF), options, POLICY)


def test_the_grid_is_a_view_of_the_exact_curve() -> None:
    six = pd.DataFrame({"TARGET": [0, 0, 0, 1, 0, 1], "PROBABILITY": [0.01, 0.02, 0.1, 0.2, 0.3, 0.6]})
    grid = view_threshold_grid(compute_threshold_curve(six, COSTS), PolicyOptions(grid=GridOptions(step=0.1)))
    assert grid["threshold"].tolist() == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert grid["cost"].tolist() == pytest.approx(
        [2 / 6, 1 / 6, 11 / 6, 10 / 6, 10 / 6, 10 / 6, 20 / 6, 20 / 6, 20 / 6]
    )


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_figure_is_drawn_in_both_languages(language: str) -> None:
    figures = FigureOptions(language=language, source="synthetic")
    policy = choose_policy(OOF)
    drawn = [
        plot_confusion_matrices(evaluate_policy(HOLDOUT, policy), figures),
        plot_gains(HOLDOUT, policy, figures),
        plot_sensitivity(measure_sensitivity(OOF, HOLDOUT, policy, POLICY), policy, COSTS, figures),
    ]
    assert all(any("ynth" in text.get_text() for text in figure.texts) for figure in drawn)
    cells = [text.get_text() for text in drawn[0].axes[0].texts]
    assert [cell.split("\n")[0] for cell in cells] == ["1", "1", "1", "1"]
