"""The learning curve: who is drawn, what the intervals hold, and how far the advice goes."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from benchmarks import harness, learning_curve
from benchmarks.learning_curve import Measured, advise, auc_terms, draw_rows, interval_of
from credit_scoring.metrics.cost import MisclassificationCosts, business_cost_loss, refuse

LABELS = {"simple": "the simple one", "middle": "the middle one", "elaborate": "the elaborate one"}


def test_draws_have_no_row_in_common_and_the_default_rate_of_all() -> None:
    target = pd.Series(np.random.default_rng(0).random(1000) < 0.1).astype(int)
    draws = draw_rows(target, 120, 8, seed=1)
    assert [len(draw) for draw in draws] == [120] * 8
    assert len(np.unique(np.concatenate(draws))) == 960
    for draw in draws:
        assert target.iloc[draw].mean() == pytest.approx(target.mean(), abs=0.015)
        assert (np.diff(draw) > 0).all()
    assert len(draw_rows(target, 400, 8, seed=1)) == 2  # no more are to be had
    assert len(draw_rows(target, 120, 3, seed=1)) == 3
    (everyone,) = draw_rows(target, 1000, 8, seed=1)
    np.testing.assert_array_equal(everyone, np.arange(1000))
    (as_many_as_there_are,) = draw_rows(target, 5000, 8, seed=1)
    np.testing.assert_array_equal(as_many_as_there_are, np.arange(1000))


def test_of_sizes_beyond_the_rows_the_first_takes_them_all() -> None:
    assert list(learning_curve.reachable([500, 100, 2000, 3000], 1200)) == [100, 500, 2000]
    assert list(learning_curve.reachable([100, 1200, 2000], 1200)) == [100, 1200]


def test_the_terms_of_the_auc_average_to_it_and_scatter_as_it_does() -> None:
    target = np.array([0, 0, 1, 1, 0])
    probability = np.array([0.1, 0.4, 0.4, 0.8, 0.2])
    # Of the six pairs five are ranked right and one is tied: (5 + 1/2) / 6.
    assert auc_terms(target, probability).mean() == pytest.approx(5.5 / 6)
    generator = np.random.default_rng(5)
    aucs, errors = [], []
    for _ in range(400):
        y = (generator.random(300) < 0.3).astype(int)
        scores = generator.normal(size=300) + y
        terms = auc_terms(y, scores)
        aucs.append(roc_auc_score(y, scores))
        assert terms.mean() == pytest.approx(aucs[-1])
        errors.append(terms.std(ddof=1) / np.sqrt(300))
    assert np.mean(errors) == pytest.approx(np.std(aucs), rel=0.1)


def test_an_interval_holds_the_noise_of_the_draws_and_of_the_test_set() -> None:
    terms = np.array([[0.0, 2.0, 1.0, 1.0], [2.0, 4.0, 3.0, 3.0]])  # means 1 and 3; of the applicants 1, 3, 2, 2
    of_applicants, of_draws = (2 / 3) / 4, 2 / 2
    freedom = (of_applicants + of_draws) ** 2 / (of_applicants**2 / 3 + of_draws**2 / 1)
    half = student.ppf(0.975, freedom) * np.sqrt(of_applicants + of_draws)
    interval = interval_of(terms)
    assert (interval.low, interval.estimate, interval.high) == pytest.approx((2 - half, 2, 2 + half))
    alone = interval_of(terms[:1])  # nothing is known of other draws
    assert alone.high - alone.estimate == pytest.approx(student.ppf(0.975, 3) * np.sqrt(of_applicants))
    same = interval_of(np.ones((2, 4)))
    assert (same.low, same.high) == (1, 1)


def curve_of(**costs: float) -> dict[str, Measured]:
    """Make candidates of the given mean costs, whose paired differences have a standard error of .01."""
    n, found = 400, {}
    for number, (name, cost) in enumerate(costs.items()):
        noise = np.tile([0.2, -0.2], n // 2) * np.sqrt((n - 1) / n) / np.sqrt(2)
        shifted = noise if number % 2 == 0 else -noise
        found[name] = Measured({"cost": (cost + shifted)[None], "auc": np.full((1, n), 0.7)}, 150)
    return found


def test_the_simplest_that_is_level_with_the_cheapest_is_advised_with_what_remains_open() -> None:
    told = advise(curve_of(simple=0.525, elaborate=0.52), 10_000, LABELS)
    assert told.startswith("A lender with 10,000 loans may serve the simple one")
    bounds = re.search(r"\+0\.0050 \[(-[\d.]+), \+([\d.]+)\]", told)
    assert bounds
    assert f"up to {bounds[2]}" in told
    assert "should" not in told


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (0.005, "while their AUCs do not differ significantly (+0.0050 [-0.0"),
        (0.05, "while the AUC of the elaborate one is higher by +0.0500 [+0.0"),
        (-0.05, "while the AUC of the elaborate one is lower by -0.0500 [-0.0"),
    ],
)
def test_aucs_are_ranked_only_where_they_differ_by_more_than_chance(gain: float, said: str) -> None:
    found = curve_of(simple=0.525, elaborate=0.52)
    terms = found["elaborate"].terms
    terms["auc"] = 0.7 + gain + terms["cost"] - terms["cost"].mean()
    assert said in advise(found, 10_000, LABELS)


def test_one_that_is_dearer_by_more_than_chance_is_not_advised_but_named() -> None:
    told = advise(curve_of(simple=0.60, middle=0.521, elaborate=0.52), 10_000, LABELS)
    assert told.startswith("A lender with 10,000 loans may serve the middle one")
    assert "The simple one costs +0.0800 [" in told
    alone = advise(curve_of(simple=0.60, elaborate=0.52), 10_000, LABELS)
    assert alone.startswith(
        "A lender with 10,000 loans should serve the elaborate one: of those measured it costs least."
    )


def test_the_simplest_is_advised_firmly_if_it_costs_least() -> None:
    told = advise(curve_of(simple=0.50, elaborate=0.60), 10_000, LABELS)
    assert told.startswith("A lender with 10,000 loans should serve the simple one: of those measured it costs least.")
    assert "The elaborate one costs +0.1000 [" in told
    near = advise(curve_of(simple=0.50, elaborate=0.505), 10_000, LABELS)
    assert "is simpler than what may be level with it: the elaborate one (+0.0050 [" in near


@pytest.fixture
def rows() -> tuple[pd.DataFrame, pd.DataFrame]:
    generator = np.random.default_rng(2)
    X = pd.DataFrame(generator.normal(size=(1200, 6))).add_prefix("COLUMN_")
    risk = 1 / (1 + np.exp(1.5 - 1.5 * X["COLUMN_0"]))
    table = X.assign(SK_ID_CURR=range(1200), TARGET=(generator.random(1200) < risk).astype(int))
    return table.iloc[:800].reset_index(drop=True), table.iloc[800:].reset_index(drop=True)


def test_a_size_is_measured_as_the_project_would_and_kept(
    rows: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, test = rows

    def measure(*, resume: bool, n_draws: int = 2) -> dict[str, Measured]:
        names = ["dummy", "logistic_regression"]
        size, found = learning_curve.measure_size(300, names, n_draws, training, test, tmp_path, resume=resume)
        assert size == 300
        return found

    found = measure(resume=False)
    kept = np.load(tmp_path / "logistic_regression_300_0.npz")
    measured = found["logistic_regression"]
    target = test["TARGET"].to_numpy()
    refused = refuse(kept["probability"], float(kept["cut_off"]))
    assert measured.terms["cost"].shape == (2, 400)
    expected = business_cost_loss(target, refused, MisclassificationCosts())
    assert measured.terms["cost"][0].mean() == pytest.approx(expected)
    assert measured.terms["auc"][0].mean() == pytest.approx(roc_auc_score(target, kept["probability"]))
    assert found["dummy"].terms["auc"].mean() == pytest.approx(0.5)
    assert measured.terms["auc"].mean() > 0.7
    assert measured.n_columns == 6

    def refuse_to(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(learning_curve, "measure_draw", refuse_to)
    again = measure(resume=True)
    np.testing.assert_array_equal(again["logistic_regression"].terms["auc"], measured.terms["auc"])
    training.loc[0, "TARGET"] = 1 - training.loc[0, "TARGET"]
    with pytest.raises(AssertionError, match="measured again"):
        measure(resume=True)


def test_the_section_has_a_row_per_candidate_and_size_the_figure_a_curve() -> None:
    curve = {size: curve_of(simple=0.525, elaborate=0.52) for size in (5000, 10_000)}
    text = learning_curve.describe(curve, LABELS, 400, "the synthetic twin", 10_000)
    table = [line for line in text.splitlines() if re.match(r"\| [\d,]+ \|", line)]
    assert len(table) == 4
    assert table[0].startswith("| 5,000 | 1 | the simple one | 150 | 0.7000 [0.7000, 0.7000] |  | 0.5250 [")
    assert "images/learning_curve.png" in text
    assert text.count("A lender with 10,000 loans") == 1
    figures = learning_curve.FigureOptions(language="en", source="synthetic")
    panels = learning_curve.plot(curve, LABELS, figures).axes
    assert [axes.get_title(loc="left") for axes in panels] == ["AUC", "cost per applicant"]
    assert [text.get_text() for text in panels[0].get_legend().get_texts()] == ["the simple one", "the elaborate one"]


def test_candidates_are_those_of_the_parameters() -> None:
    words = ["--candidates", "logistic_regression", "lightgbm"]
    assert learning_curve.read_arguments(words).candidates == words[1:]
    with pytest.raises(SystemExit):
        learning_curve.read_arguments(["--candidates", "no_such_candidate"])
    assert harness.parameters_of("kaggle")["candidates"]["lightgbm"]["params"]["early_stopping_rounds"] == 150
    assert "early_stopping_rounds" not in harness.candidates_of("base")["lightgbm"]["params"]
    assert all(one["imbalance"] == "none" and not one["tuned"] for one in harness.candidates_of("base").values())
