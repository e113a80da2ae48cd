"""A points scorecard: what is added up by hand is the score that is served."""

import logging

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from credit_scoring.models import build_model, fit_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.models.families.scorecard import ScorecardModel
from credit_scoring.scorer import CreditScorer, digest_model


def make_applicants(n: int = 3000, seed: int = 0) -> pd.DataFrame:
    """Return applicants with a useful number, a copy of it with noise, a useful category and a number without use."""
    generator = np.random.default_rng(seed)
    score = generator.random(n)
    frame = pd.DataFrame(
        {
            "COPY": score + generator.normal(0, 0.1, n),
            "SCORE": score,
            "LATE": generator.poisson(2, n).astype(float),
            "JOB": generator.choice(["Drivers", "Managers", "Laborers", None], n, p=[0.4, 0.3, 0.2, 0.1]),
            "CONSTANT": np.full(n, 3.0),
        }
    )
    risk = -3 * frame["SCORE"] + 0.4 * frame["LATE"] + (frame["JOB"] == "Drivers") - 1
    return frame.assign(TARGET=(generator.random(n) < expit(risk)).astype(int))


@pytest.fixture(scope="module")
def applicants() -> pd.DataFrame:
    return make_applicants()


@pytest.fixture(scope="module")
def card(applicants: pd.DataFrame) -> ScorecardModel:
    model = build_model("scorecard", {}).fit(applicants.drop(columns="TARGET"), applicants["TARGET"])
    assert isinstance(model, ScorecardModel)
    return model


def test_points_of_one_variable_are_what_siddiqis_formula_gives() -> None:
    """Two categories, one variable, no penalty: the regression finds the log-odds of each, points are a line on them.

    750 of 800 and 100 of 200 repay: odds of 15 and 1 to 1. 600 points are odds of 50 to 1, 20 more double them.
    """
    rows = pd.DataFrame({"JOB": ["A"] * 800 + ["B"] * 200})
    y = np.concatenate([np.repeat([0, 1], [750, 50]), np.repeat([0, 1], [100, 100])])
    model = build_model("scorecard", {"C": 1e9}).fit(rows, y)
    assert isinstance(model, ScorecardModel)
    woe = [np.log((750 / 850) / (50 / 150)), np.log((100 / 850) / (100 / 150))]
    assert model.bins_[0].woe[:2] == pytest.approx(woe)
    assert model.coefficients_ == pytest.approx([-1.0], abs=1e-3)
    exact = [600 + 20 * np.log2(odds / 50) for odds in (15, 1)]
    points = model.attribute_points(pd.DataFrame({"JOB": ["A", "B"]}))["JOB"].tolist()
    assert points == [round(value) for value in exact] == [565, 487]
    assert model.predict_proba(pd.DataFrame({"JOB": ["A"]}))[0, 1] == pytest.approx(
        1 / (1 + 50 * 2 ** ((565 - 600) / 20))
    )


def test_points_added_up_by_hand_give_the_probability_that_is_served(
    card: ScorecardModel, applicants: pd.DataFrame
) -> None:
    X = applicants.drop(columns="TARGET").tail(50)
    by_hand = []
    for _, applicant in X.iterrows():
        total = 0
        for name, bins, points in zip(card.feature_names_in_, card.bins_, card.points_, strict=True):
            value = applicant[name]
            if pd.isna(value):
                total += points[-1]
            elif isinstance(value, str):
                total += points[bins.bin_of_cell[int(card.category_codes[name][value])]]
            else:
                total += points[sum(edge <= value for edge in bins.edges)]
        by_hand.append(total)
    expected = 1 / (1 + 50 * 2 ** ((np.array(by_hand) - 600) / 20))
    calibration = Calibration("sigmoid", slope=0.9, intercept=-0.1)
    policy = {"threshold": 0.3, "model_digest": digest_model(card, calibration)}
    scorer = CreditScorer(card, calibration, policy)
    served = calibration.apply(expected)
    assert card.attribute_points(X).sum(axis=1).tolist() == by_hand
    assert scorer.predict(X)["probability_default"].to_numpy() == pytest.approx(served)
    encoded = card.codes_.transform(X[card.feature_names_in_])
    assert np.array_equal(scorer.score_coded(encoded), scorer.predict(X)["probability_default"].to_numpy())


def test_the_card_reads_no_more_than_its_variables(card: ScorecardModel, applicants: pd.DataFrame) -> None:
    assert sorted(card.feature_names_in_) == ["JOB", "LATE", "SCORE"]
    X = applicants.drop(columns="TARGET")
    assert list(card.contributions(X)[0].columns) == list(card.feature_names_in_)
    assert np.array_equal(card.predict_proba(X[["JOB", "LATE", "SCORE"]]), card.predict_proba(X))


def test_contributions_are_points_short_of_the_mean(card: ScorecardModel, applicants: pd.DataFrame) -> None:
    X = applicants.drop(columns="TARGET")
    values, base = card.contributions(X)
    points = card.attribute_points(X)
    np.testing.assert_allclose(values, (points.mean() - points) * np.log(2) / 20, atol=1e-12)
    assert values.mean().to_numpy() == pytest.approx(0, abs=1e-12)
    assert base == pytest.approx((600 - 20 * np.log2(50) - points.sum(axis=1).mean()) * np.log(2) / 20)


@pytest.mark.parametrize("max_variables", [0, 26])
def test_a_card_that_is_no_page_is_refused(max_variables: int) -> None:
    with pytest.raises(ValueError, match="scorecard.*max_variables must be 1 to 25.*not " + str(max_variables)):
        build_model("scorecard", {"max_variables": max_variables})


def test_at_most_so_many_variables_of_most_information(applicants: pd.DataFrame, card: ScorecardModel) -> None:
    X, y = applicants.drop(columns="TARGET"), applicants["TARGET"]
    small = build_model("scorecard", {"max_variables": 2}).fit(X, y)
    assert list(small.feature_names_in_) == list(card.feature_names_in_[:2])
    information = [bins.information_value for bins in card.bins_]
    assert information == sorted(information, reverse=True)
    both = build_model("scorecard", {"max_correlation": 1.0}).fit(X, y)
    assert {"COPY", "SCORE"} & set(both.feature_names_in_)
    assert len({"COPY", "SCORE"} & set(card.feature_names_in_)) == 1


def test_variables_with_one_bin_are_named(applicants: pd.DataFrame, caplog: pytest.LogCaptureFixture) -> None:
    X = applicants.drop(columns="TARGET").assign(EMPTY=np.nan)
    with caplog.at_level(logging.INFO, logger="credit_scoring.models.families.scorecard"):
        model = build_model("scorecard", {}).fit(X, applicants["TARGET"])
    assert "Left out of the scorecard, having one bin only: CONSTANT, EMPTY" in caplog.messages
    assert not {"CONSTANT", "EMPTY"} & set(model.feature_names_in_)


def test_a_variable_whose_safer_bins_would_lose_points_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """ECHO says what SCORE says and more crudely; beside it its coefficient is positive, as a suppressor's is."""
    generator = np.random.default_rng(3)
    n = 6000
    signal, disturbance = generator.normal(size=n), generator.normal(size=n)
    X = pd.DataFrame({"SCORE": signal + disturbance, "ECHO": disturbance - 0.15 * signal})
    X["ECHO"] += 0.3 * X["SCORE"]
    y = (generator.random(n) < expit(-1.5 - signal)).astype(int)
    alone = build_model("scorecard", {"max_correlation": 1.0}).fit(X[["ECHO"]], y)
    assert (alone.coefficients_ < 0).all()
    with caplog.at_level(logging.INFO, logger="credit_scoring.models.families.scorecard"):
        model = build_model("scorecard", {"max_correlation": 1.0}).fit(X, y)
    assert "Left out of the scorecard, as its safer bins would not gain points: ECHO" in caplog.messages
    assert list(model.feature_names_in_) == ["SCORE"]


def test_every_safer_bin_has_more_points(card: ScorecardModel) -> None:
    for bins, points in zip(card.bins_, card.points_, strict=True):
        order = np.argsort(bins.woe)
        assert (np.diff(points[order]) >= 0).all()
        assert points.max() > points.min()


def test_a_category_never_seen_is_in_the_bin_of_the_missing(card: ScorecardModel, applicants: pd.DataFrame) -> None:
    X = applicants.drop(columns="TARGET").head(20)
    unseen, missing = (card.attribute_points(X.assign(JOB=job)) for job in ("Astronauts", None))
    assert unseen.equals(missing)
    place = list(card.feature_names_in_).index("JOB")
    assert set(unseen["JOB"]) == {card.points_[place][-1]}


def test_a_null_where_training_had_none_weighs_as_the_average(card: ScorecardModel, applicants: pd.DataFrame) -> None:
    place = list(card.feature_names_in_).index("SCORE")
    assert card.bins_[place].neutral[-1]
    share = (card.offset - card.factor * card.intercept_) / len(card.feature_names_in_)
    assert card.attribute_points(pd.DataFrame({"SCORE": [np.nan]}))["SCORE"].item() == round(share)


def test_no_variable_left_is_said(applicants: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"No variable is left for a scorecard: of 1 columns of 3000 rows(.|\n)*Hint:"):
        build_model("scorecard", {}).fit(applicants[["CONSTANT"]], applicants["TARGET"])


def test_weights_by_outcome_change_the_line_and_not_the_bins(applicants: pd.DataFrame, card: ScorecardModel) -> None:
    X, y = applicants.drop(columns="TARGET"), applicants["TARGET"]
    weighted = fit_model("scorecard", {}, X, y, imbalance="class_weight")
    assert isinstance(weighted, ScorecardModel)
    assert [bins.woe.tolist() for bins in weighted.bins_] == [bins.woe.tolist() for bins in card.bins_]
    assert weighted.predict_proba(X)[:, 1].mean() > card.predict_proba(X)[:, 1].mean() + 0.1


def test_other_points_are_the_same_probabilities_but_for_rounding(
    applicants: pd.DataFrame, card: ScorecardModel
) -> None:
    X, y = applicants.drop(columns="TARGET"), applicants["TARGET"]
    fine = build_model("scorecard", {"pdo": 2000, "base_points": 0, "base_odds": 10}).fit(X, y)
    difference = np.log(fine.predict_proba(X)[:, 1] / fine.predict_proba(X)[:, 0]) - np.log(
        card.predict_proba(X)[:, 1] / card.predict_proba(X)[:, 0]
    )
    assert np.abs(difference).max() <= (0.5 * 3 + 0.05) * np.log(2) / 20
    assert np.abs(difference).max() > 0
