"""How often reasons would be the same is counted on causes, for declined applicants."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from credit_scoring.explanations import compare_reasons, weigh, weigh_causes
from credit_scoring.models import build_model, refit_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.explainability import reliability
from credit_scoring.pipelines.explainability.options import ReliabilityOptions
from credit_scoring.pipelines.explainability.reliability import measure_reason_reliability
from credit_scoring.pipelines.threshold_tuning.options import ReasonOptions
from credit_scoring.pipelines.threshold_tuning.reason_book import write_reason_book
from credit_scoring.reasons import ExplainedColumn
from credit_scoring.scorer import CreditScorer, digest_model

PARAMS = {"n_estimators": 40, "min_child_samples": 5, "n_jobs": 1}
CHAMPION = {"family": "lightgbm", "params": PARAMS, "imbalance": "none", "target_features": False}


def test_first_reasons_and_overlaps_are_counted_on_the_heaviest_against() -> None:
    weights = np.array([[0.5, 0.3, 0.1, -0.9], [0.1, 0.2, 0.3, 0.4]])
    others = np.array([[0.4, -0.2, 0.1, 0.2], [0.3, 0.9, 0.1, 0.2]])
    same, overlap = compare_reasons(weights, others, 2)
    assert same.tolist() == [True, False]  # causes 0 and 0; 3 and 1
    assert overlap.tolist() == [0.5, 0.0]  # {0, 1} and {0, 3}; {3, 2} and {1, 0}
    assert compare_reasons(weights, others, 9)[1].tolist() == [1.0, 1.0]
    assert compare_reasons(weights, weights * 3, 2)[1].tolist() == [1.0, 1.0]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(3)
    frame = pd.DataFrame(generator.random((500, 3)), columns=["EXT_SOURCE_2", "AMT_INCOME_TOTAL", "OWN_CAR_AGE"])
    risk = 6 * (frame["EXT_SOURCE_2"] < 0.3) + generator.logistic(size=500) - 3
    return frame.assign(SK_ID_CURR=np.arange(500), TARGET=(risk > 0).astype(int))


@pytest.fixture(scope="module")
def scorer(rows: pd.DataFrame) -> CreditScorer:
    model = build_model("lightgbm", PARAMS).fit(
        rows[["EXT_SOURCE_2", "AMT_INCOME_TOTAL", "OWN_CAR_AGE"]], rows["TARGET"]
    )
    policy = {"threshold": 0.5, "model_digest": digest_model(model, Calibration("none"))}
    book = write_reason_book(model, {"method": "none"}, rows, predictions(model, rows), policy, ReasonOptions())
    return CreditScorer(model, Calibration("none"), policy, book)


def predictions(model: object, rows: pd.DataFrame) -> pd.DataFrame:
    return rows[["SK_ID_CURR"]].assign(PROBABILITY=model.predict_proba(rows)[:, 1])  # type: ignore[attr-defined]


def test_a_strong_first_reason_stays_whoever_the_model_learnt_from(scorer: CreditScorer, rows: pd.DataFrame) -> None:
    oof = predictions(scorer.model, rows)
    options = ReliabilityOptions(n_refits=2, n_applicants=40, n_reference=100, top=2)
    measured = measure_reason_reliability(scorer, CHAMPION, rows, oof, rows, options)
    assert (measured["models"], measured["applicants"], measured["top"]) == (2, 40, 2)
    assert measured["same_first"] > 0.9  # the external score, which decides
    assert 0.5 <= measured["overlap"] < 1.0  # it stays, the second is noise
    for n_jobs in (1, 2):
        assert measure_reason_reliability(scorer, CHAMPION, rows, oof, rows, options, n_jobs) == measured


def test_a_refit_that_is_the_same_model_gives_the_same_reasons(
    scorer: CreditScorer, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For any approved applicants that both are weighed against, and any reference of the book."""
    monkeypatch.setattr(reliability, "refit_model", lambda *_, **__: scorer.model)
    oof, options = predictions(scorer.model, rows), ReliabilityOptions(n_refits=1, n_reference=20, top=2)
    measured = measure_reason_reliability(scorer, CHAMPION, rows, oof, rows, options)
    assert (measured["models"], measured["same_first"], measured["overlap"]) == (1, 1.0, 1.0)


def test_causes_weigh_what_is_beyond_the_mean_of_the_approved(scorer: CreditScorer, rows: pd.DataFrame) -> None:
    few, approved = rows.head(4), rows.tail(50)
    weights = weigh(scorer.model, few, approved, scorer.reasons())
    related = scorer.model.contributions(few)[0] - scorer.model.contributions(approved)[0].mean()
    causes = [column.cause for column in scorer.reasons().columns]
    assert sorted(causes) == [0, 1, 2]  # each column is a cause of its own
    np.testing.assert_allclose(weights[:, causes], related)
    assert weigh(scorer.model, approved, approved, scorer.reasons()).mean(axis=0) == pytest.approx(0, abs=1e-9)


def test_what_a_refit_does_not_read_adds_nothing(scorer: CreditScorer, rows: pd.DataFrame) -> None:
    """A scorecard chooses among the columns that it is given, and puts them in an order of its own."""
    names = [column.name for column in scorer.reasons().columns]
    card = build_model("scorecard", {"max_variables": 1, "C": 1.0}).fit(rows[names], rows["TARGET"])
    (read,) = card.feature_names_in_
    weights = weigh(card, rows, rows, scorer.reasons())
    place = scorer.reasons().columns[names.index(read)].cause
    assert np.ptp(weights[:, place]) > 0
    assert (np.delete(weights, place, axis=1) == 0).all()


def test_columns_beyond_the_book_have_the_causes_of_their_records(scorer: CreditScorer) -> None:
    """One that measures what the book tells is the book's cause; others that measure the same are one, after those."""
    book = scorer.reasons()
    names = ["EXT_SOURCE_3", "OWN_CAR_AGE", "BUREAU_DEBT_SUM", "BUREAU_DEBT_SUM_365D", "BUREAU_DEBT_SUM_ACTIVE"]
    weights = weigh_causes(pd.DataFrame([[1.0, 2.0, 3.0, 4.0, 5.0]], columns=names), book)
    cause = {column.name: column.cause for column in book.columns}
    expected = np.zeros(5)
    expected[[cause["EXT_SOURCE_2"], cause["OWN_CAR_AGE"], 3, 4]] = [1.0, 2.0, 7.0, 5.0]
    assert weights.tolist() == [expected.tolist()]


def test_beside_a_cause_told_apart_by_window_the_window_decides(scorer: CreditScorer) -> None:
    told = {"BUREAU_DEBT_SUM": 0, "BUREAU_DEBT_SUM_365D": 1}
    columns = tuple(ExplainedColumn(name, {}, "amount", cause) for name, cause in told.items())
    book = replace(scorer.reasons(), columns=columns)
    names = ["BUREAU_DEBT_MEAN", "BUREAU_DEBT_SUM_180D"]
    assert weigh_causes(pd.DataFrame([[1.0, 2.0]], columns=names), book).tolist() == [[1.0, 0.0, 2.0]]


def test_refits_of_a_scorecard_choose_their_variables_anew() -> None:
    """Of two columns that say the same, the card of other rows may take the other one; its reasons follow."""
    generator = np.random.default_rng(0)
    income, car = generator.random((2, 1000))
    frame = pd.DataFrame({"AMT_INCOME_TOTAL": income, "OWN_CAR_AGE": car, "SK_ID_CURR": np.arange(1000)})
    by_income = (generator.random(1000) < 0.2 + 0.6 * income).astype(int)
    by_car = (generator.random(1000) < 0.2 + 0.6 * car).astype(int)
    features = frame.drop(columns="SK_ID_CURR")
    card = build_model("scorecard", {"max_variables": 1, "C": 1.0}).fit(features, by_income)
    assert list(card.feature_names_in_) == ["AMT_INCOME_TOTAL"]
    again = refit_model(card, frame.assign(TARGET=by_car), imbalance="none")
    assert list(again.feature_names_in_) == ["OWN_CAR_AGE"]
    policy = {"threshold": 0.5, "model_digest": digest_model(card, Calibration("none"))}
    oof = predictions(card, frame)
    book = write_reason_book(card, {"method": "none"}, frame, oof, policy, ReasonOptions())
    scorer = CreditScorer(card, Calibration("none"), policy, book)
    options = ReliabilityOptions(n_refits=2, n_applicants=30, n_reference=100, top=1)
    steady = measure_reason_reliability(scorer, CHAMPION, frame.assign(TARGET=by_income), oof, frame, options)
    assert (steady["same_first"], steady["overlap"]) == (1.0, 1.0)
    moved = measure_reason_reliability(scorer, CHAMPION, frame.assign(TARGET=by_car), oof, frame, options)
    assert moved["same_first"] < 0.5


def test_without_refits_or_declined_applicants_nothing_is_claimed(scorer: CreditScorer, rows: pd.DataFrame) -> None:
    oof, options = predictions(scorer.model, rows), ReliabilityOptions(n_refits=0)
    none = measure_reason_reliability(scorer, CHAMPION, rows, oof, rows, options)
    assert (none["models"], none["same_first"], none["overlap"]) == (0, None, None)
    approved = rows[scorer.predict(rows)["decision"] == "granted"]
    nobody = measure_reason_reliability(scorer, CHAMPION, rows, oof, approved, ReliabilityOptions())
    assert nobody == {"models": 0, "applicants": 0, "top": 4, "same_first": None, "overlap": None}
