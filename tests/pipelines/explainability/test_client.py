"""One client's dossier says what the scorer says, and an unknown id is told what ids there are."""

import re
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest

from credit_scoring.datasets.history_rows import HistoryFiles
from credit_scoring.errors import UnknownClientError
from credit_scoring.explanations import sum_by_cause
from credit_scoring.figures import FigureOptions
from credit_scoring.models import build_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.explainability.client import (
    compile_dossier,
    plot_dossier,
    select_client,
    write_dossier,
)
from credit_scoring.pipelines.explainability.nodes import rank_families
from credit_scoring.pipelines.explainability.options import DossierOptions
from credit_scoring.pipelines.threshold_tuning.gap_rules import learn_gap_rules
from credit_scoring.pipelines.threshold_tuning.options import GapOptions, ReasonOptions
from credit_scoring.pipelines.threshold_tuning.reason_book import write_reason_book
from credit_scoring.reasons import ExplainedColumn, Peers, ReasonBook
from credit_scoring.scorer import CreditScorer, digest_model
from credit_scoring.texts import LANGUAGES, texts_in

OPTIONS = DossierOptions(file="features.parquet", dossier="reports/client_7", n_bars=2, n_peers=2)
NO_ROWS = HistoryFiles(Path("there/are/none"))
KNOWN = pd.DataFrame({"clients": [300], "first": [1000], "last": [1299]})


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "SK_ID_CURR": np.arange(300) + 1000,
            "EXT_SOURCE_2": generator.random(300),
            "DAYS_BIRTH": -365.25 * generator.integers(21, 69, 300),
            "CODE_GENDER": generator.choice(["F", "M"], 300),
        }
    )
    risk = -5 * frame["EXT_SOURCE_2"] + 2.0 * (frame["CODE_GENDER"] == "M")
    return frame.assign(TARGET=(generator.logistic(size=300) + risk > 0).astype(int))


@pytest.fixture(scope="module")
def scorer(rows: pd.DataFrame) -> CreditScorer:
    features = rows.drop(columns=["SK_ID_CURR", "TARGET"])
    model = build_model("lightgbm", {"n_estimators": 40, "min_child_samples": 5, "n_jobs": 1}).fit(
        features, rows["TARGET"]
    )
    calibration = Calibration("none")
    policy = {"threshold": 0.3, "model_digest": digest_model(model, calibration), "review": {"low": 0.2, "high": 0.4}}
    refused = model.predict_proba(rows)[:, 1] >= 0.3
    columns = (
        ExplainedColumn("EXT_SOURCE_2", {"fr": "Score externe 2", "en": "External score 2"}, "score", 0, direction=-1),
        ExplainedColumn("DAYS_BIRTH", {"fr": "Âge", "en": "Age"}, "elapsed_days", 1, direction=1),
        ExplainedColumn("CODE_GENDER", {"fr": "Sexe", "en": "Gender"}, "category", 2),
    )
    reference = model.contributions(features[~refused])[0].mean().to_numpy()
    book = ReasonBook(columns, reference, Peers.describe(features[~refused]), Peers.describe(features[refused]))
    return CreditScorer(model, calibration, policy, book)


def dossier_of(rows: pd.DataFrame, scorer: CreditScorer, position: int) -> dict:
    client = rows.iloc[[position]].reset_index(drop=True)
    return compile_dossier(client, KNOWN, int(client["SK_ID_CURR"].item()), scorer, OPTIONS, NO_ROWS)


def test_a_client_is_picked_and_the_others_are_counted(rows: pd.DataFrame) -> None:
    picked, known = select_client(ibis.memtable(rows), 1007)
    assert picked.execute()["SK_ID_CURR"].tolist() == [1007]
    assert known.execute().to_dict("records") == KNOWN.to_dict("records")


@pytest.mark.parametrize("wrong", [None, "12a", 3.5, True])
def test_without_an_id_the_way_to_give_one_is_told(rows: pd.DataFrame, wrong: object) -> None:
    with pytest.raises(ValueError, match="Which client"):
        select_client(ibis.memtable(rows), wrong)


@pytest.mark.parametrize(("split", "learnt"), [("train", True), ("holdout", False), (None, False)])
def test_the_dossier_knows_whether_the_model_learnt_from_the_client(
    rows: pd.DataFrame, scorer: CreditScorer, split: str | None, learnt: bool
) -> None:
    dossier = dossier_of(rows.assign(SPLIT=split), scorer, 0)
    assert dossier["learnt_from"] is learnt
    written = write_dossier(dossier, FigureOptions(language="en", source="home_credit"), "home_credit")
    assert ("This customer is among the training rows" in written) == learnt
    assert "may be among the training rows" not in written
    assert dossier_of(rows, scorer, 0)["learnt_from"] is None


def test_an_unknown_id_is_told_which_there_are(rows: pd.DataFrame, scorer: CreditScorer) -> None:
    with pytest.raises(
        UnknownClientError, match=r"No client 7: features\.parquet holds 300 clients with ids from 1000 to 1299"
    ):
        compile_dossier(rows.head(0), KNOWN, 7, scorer, OPTIONS, NO_ROWS)


def test_a_scorer_without_reasons_says_so_itself(rows: pd.DataFrame, scorer: CreditScorer) -> None:
    silent = CreditScorer(scorer.model, scorer.calibration, scorer.decision_policy)
    with pytest.raises(ValueError, match=r"This scorer was made without reasons\.\nHint: "):
        dossier_of(rows, silent, 0)


def test_the_dossier_says_what_the_scorer_says(rows: pd.DataFrame, scorer: CreditScorer) -> None:
    position = int(scorer.predict(rows)["probability_default"].to_numpy().argmax())
    dossier = dossier_of(rows, scorer, position)
    scored = scorer.predict(rows.iloc[[position]], {"explain": True, "language": "fr"}).iloc[0]
    assert dossier["probability_default"] == scored["probability_default"]
    assert dossier["decision"] == "refused"
    assert dossier["reasons"]["fr"] == scored["reasons"]
    margin = dossier["base_value"] + sum(entry["contribution"] for entry in dossier["contributions"])
    assert 1 / (1 + np.exp(-margin)) == pytest.approx(dossier["probability_default"])
    score = next(peer for peer in dossier["peers"] if peer["feature"] == "EXT_SOURCE_2")
    granted = rows[scorer.predict(rows)["decision"] == "granted"]
    assert score["below_granted"] == pytest.approx((granted["EXT_SOURCE_2"] < score["value"]).mean(), abs=0.01)


def test_the_dossier_of_a_client_for_manual_review_says_why(rows: pd.DataFrame, scorer: CreditScorer) -> None:
    rules = learn_gap_rules(scorer.model, rows, GapOptions())
    careful = CreditScorer(
        scorer.model, scorer.calibration, scorer.decision_policy, scorer.reason_book, gap_rules=rules
    )
    dossier = dossier_of(rows.assign(DAYS_BIRTH=5000), careful, 0)
    assert dossier["decision"] == "review"
    text = "Age: implausible, expected between 19 years 11 months and 71 years 2 months"
    assert [gap["text"] for gap in dossier["gaps"]["en"]] == [text]
    written = write_dossier(dossier, FigureOptions(language="en", source="home_credit"), "home_credit")
    assert "Application **for manual review**" in written
    assert f"## What keeps it from an automatic decision\n\n- {text}\n" in written
    assert dossier["reasons"]["en"]


def test_the_dossier_of_a_scorecard_shows_the_points_of_each_attribute(rows: pd.DataFrame) -> None:
    model = build_model("scorecard", {"min_bin_size": 0.1}).fit(
        rows.drop(columns=["SK_ID_CURR", "TARGET"]), rows["TARGET"]
    )
    calibration = Calibration("sigmoid", slope=1.25, intercept=0.1)
    policy = {"threshold": 0.3, "model_digest": digest_model(model, calibration)}
    probability = calibration.apply(model.predict_proba(rows)[:, 1])
    predictions = rows[["SK_ID_CURR"]].assign(PROBABILITY=probability)
    book = write_reason_book(model, calibration.to_dict(), rows, predictions, policy, ReasonOptions())
    scorer = CreditScorer(model, calibration, policy, book)
    position = int(probability.argmax())
    dossier = dossier_of(rows, scorer, position)
    points = scorer.attribute_points(rows)
    assert points is not None
    assert dossier["score"] == points.iloc[position].sum()
    text = write_dossier(dossier, FigureOptions(language="en", source="synthetic"), "synthetic")
    assert f"## The scorecard: {dossier['score']} points" in text
    approved = points[probability < 0.3].mean()
    for name, own in points.iloc[position].items():
        label = next(entry["label_en"] for entry in dossier["contributions"] if entry["feature"] == name)
        difference = texts_in("en").number(own - approved[name], "+.1f")
        assert re.search(rf"\| {re.escape(label)} \| [^|]+ \| {own} \| {re.escape(difference)} \|", text)
    # A reason tells the points of its cause, in a table as in coded rows.
    heaviest = min((points - approved).iloc[position].items(), key=lambda one: one[1])
    reasons = [reason["text"] for reason in dossier["reasons"]["en"] if reason["effect"] == "against"]
    assert reasons[0].endswith(f"(−{-round(heaviest[1])} points)")
    names = list(model.feature_names_in_)
    encoded = model.codes_.transform(rows[names].iloc[[position]])
    texts = {name: [rows[name].iloc[position]] for name in model.category_codes}
    assert scorer.explain_coded(encoded, texts, "en") == [dossier["reasons"]["en"]]
    bars = plot_dossier(dossier, OPTIONS, FigureOptions(language="en", source="synthetic")).axes[0].texts
    assert any(bar.get_text().endswith(f"(−{-round(heaviest[1])} points)") for bar in bars)


def test_other_models_have_no_points(rows: pd.DataFrame, scorer: CreditScorer) -> None:
    dossier = dossier_of(rows, scorer, 0)
    assert (dossier["score"], dossier["points_per_log_odds"]) == (None, None)
    assert "point" not in write_dossier(dossier, FigureOptions(language="en", source="synthetic"), "synthetic")
    assert scorer.attribute_points(rows) is None


def test_older_is_more_though_its_days_are_more_negative(rows: pd.DataFrame, scorer: CreditScorer) -> None:
    dossier = dossier_of(rows, scorer, int(rows["DAYS_BIRTH"].to_numpy().argmin()))
    age = next(peer for peer in dossier["peers"] if peer["feature"] == "DAYS_BIRTH")
    assert age["below_granted"] > 0.9


def test_the_picture_names_the_heaviest_causes_and_the_columns_compared(
    rows: pd.DataFrame, scorer: CreditScorer
) -> None:
    dossier = dossier_of(rows, scorer, int(scorer.predict(rows)["probability_default"].to_numpy().argmax()))
    for language in LANGUAGES:
        figure = plot_dossier(dossier, OPTIONS, FigureOptions(language=language, source="synthetic"))
        bars, places = ([label.get_text() for label in axes.get_yticklabels()] for axes in figure.axes)
        colon = " : " if language == "fr" else ": "
        told = [
            f"{entry[f'label_{language}']}{colon}{entry[f'shown_{language}']}" for entry in dossier["contributions"]
        ]
        assert bars[:2] == told[:2]
        assert len(bars) == 3  # the third stands for the others
        assert places == [f"{peer[f'label_{language}']}{colon}{peer[f'shown_{language}']}" for peer in dossier["peers"]]


def test_a_borderline_client_is_for_a_person_to_look_at(rows: pd.DataFrame, scorer: CreditScorer) -> None:
    position = int((scorer.predict(rows)["probability_default"] - 0.3).abs().to_numpy().argmin())
    dossier = dossier_of(rows, scorer, position)
    assert dossier["in_review"]
    report = write_dossier(dossier, FigureOptions(language="fr", source="home_credit"), "home_credit")
    assert "dans la zone grise (20,0\xa0% à 40,0\xa0%)" in report
    assert "synthétiques" not in report


def test_causes_sum_to_the_score_and_the_clearest_column_speaks() -> None:
    entries = [
        {"cause": 0, "contribution": 0.5, "clarity": 0.1, "feature": "PRODUCT", "contradicts": False},
        {"cause": 1, "contribution": -0.3, "clarity": 1.0, "feature": "AGE", "contradicts": False},
        {"cause": 0, "contribution": 0.2, "clarity": 1.0, "feature": "SCORE", "contradicts": False},
        {"cause": 0, "contribution": -0.1, "clarity": 1.0, "feature": "OTHER", "contradicts": False},
    ]
    causes = [(entry["feature"], weight) for entry, weight in sum_by_cause(entries)]
    assert causes == [("SCORE", pytest.approx(0.6)), ("AGE", pytest.approx(-0.3))]


def test_families_share_out_the_whole_weight() -> None:
    values = pd.DataFrame(
        {
            "SK_ID_CURR": [1, 2],
            "BASE_VALUE": [-2.0, -2.0],
            "EXT_SOURCE_2": [0.3, -0.3],
            "APPLICATION_EXT_SOURCE_MEAN": [0.2, 0.2],
            "BUREAU_DEBT_SUM": [0.1, -0.1],
            "HAS_CREDIT_CARD": [0.4, 0.4],
        }
    )
    families = rank_families(values).set_index(["kind", "family"])
    assert families.loc[("theme", "external_scores")].tolist() == [pytest.approx(0.5), 2]
    assert families.loc[("theme", "card"), "share"] == pytest.approx(0.4)
    assert families.loc[("source", "bureau"), "share"] == pytest.approx(0.1)
    assert families.loc[("source", "application_train"), "features"] == 2
    assert families["share"].groupby("kind").sum().tolist() == pytest.approx([1, 1])
