"""The dossier says what the decider says, and what each feature added to it."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from credit_scoring.decisions import Decider
from credit_scoring.desk.dossier import compile_dossier, draw_dossier, write_dossier
from credit_scoring.explanations import heaviest_causes
from credit_scoring.feature_plan import FeaturePlan
from credit_scoring.features.plan import compile_plan
from credit_scoring.models import build_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.threshold_tuning.gap_rules import learn_gap_rules
from credit_scoring.pipelines.threshold_tuning.options import GapOptions, ReasonOptions
from credit_scoring.pipelines.threshold_tuning.reason_book import write_reason_book
from credit_scoring.reasons import ExplainedColumn, Peers, ReasonBook
from credit_scoring.scorer import CreditScorer, digest_model
from credit_scoring.texts import LANGUAGES, texts_in

COLUMNS = ("EXT_SOURCE_2", "DAYS_BIRTH", "CODE_GENDER")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "SK_ID_CURR": np.arange(300) + 1000,
            "EXT_SOURCE_2": generator.random(300),
            "DAYS_BIRTH": -365 * generator.integers(21, 69, 300),
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


def dossier_of(rows: pd.DataFrame, scorer: CreditScorer, position: int, **options: object) -> dict:
    plan = FeaturePlan(compile_plan(list(scorer.feature_names_in_)))
    # Whole numbers of the form may not be null
    columns = plan.plan.tables["application"]["columns"]
    whole = {name: 0 for name, told in columns.items() if told["type"] == "int32"}
    form = rows[["SK_ID_CURR", *COLUMNS]].iloc[position].to_dict()
    return compile_dossier({"application": whole | form}, scorer, Decider(scorer, plan), **options)


def text_of(dossier: dict, language: str = "en") -> str:
    return write_dossier(dossier, texts_in(language), "client.svg", is_synthetic=False)


def words_of(dossier: dict, language: str = "en") -> list[str]:
    """Return the texts of the figure."""
    figure = ET.fromstring(draw_dossier(dossier, texts_in(language), is_synthetic=True))
    return [text.text or "" for text in figure.iter("{http://www.w3.org/2000/svg}text")]


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
    told = [gap["text"] for gap in dossier["gaps"]["en"]]
    assert told[0] == "DAYS_BIRTH: implausible, expected between −26,000 and −7,300"  # of the table that was sent
    written = text_of(dossier)
    assert "Application **for manual review**" in written
    bullets = "".join(f"- {text}\n" for text in told)
    assert f"## What keeps it from an automatic decision\n\n{bullets}" in written
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
    text = text_of(dossier)
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
    assert any(words.endswith(f"(−{-round(heaviest[1])} points)") for words in words_of(dossier))


def test_other_models_have_no_points(rows: pd.DataFrame, scorer: CreditScorer) -> None:
    dossier = dossier_of(rows, scorer, 0)
    assert (dossier["score"], dossier["points_per_log_odds"]) == (None, None)
    assert "point" not in text_of(dossier)
    assert scorer.attribute_points(rows) is None


def test_older_is_more_though_its_days_are_more_negative(rows: pd.DataFrame, scorer: CreditScorer) -> None:
    dossier = dossier_of(rows, scorer, int(rows["DAYS_BIRTH"].to_numpy().argmin()))
    age = next(peer for peer in dossier["peers"] if peer["feature"] == "DAYS_BIRTH")
    assert age["below_granted"] > 0.9


def test_a_date_stands_in_the_table_where_its_reason_says(rows: pd.DataFrame, scorer: CreditScorer) -> None:
    """And with the same share: never a larger one than there is."""
    book = scorer.reason_book
    assert book
    columns = [replace(one, unit="date_days") if one.name == "DAYS_BIRTH" else one for one in book.columns]
    ranks = {**book.granted.numbers, "DAYS_BIRTH": np.array([-20000.0] * 31 + [-8000.0] * 9)}  # 77.5% are earlier
    dated = replace(book, columns=tuple(columns), granted=replace(book.granted, numbers=ranks))
    told = CreditScorer(scorer.model, scorer.calibration, scorer.decision_policy, dated)
    late = rows.assign(DAYS_BIRTH=-10000)
    written = [text_of(dossier_of(late, told, position)) for position in range(100)]
    reasons = [text for text in written if "later than for 77% of approved customers" in text]
    assert reasons
    head = "| feature | this customer | lower or earlier among the approved | lower or earlier among the declined |"
    assert all(head in text and re.search(r"\| Age \| 27 years[^|]* ago \| 77% \|", text) for text in reasons)


def test_a_borderline_client_is_for_a_person_to_look_at(rows: pd.DataFrame, scorer: CreditScorer) -> None:
    position = int((scorer.predict(rows)["probability_default"] - 0.3).abs().to_numpy().argmin())
    dossier = dossier_of(rows, scorer, position)
    assert dossier["in_review"]
    report = text_of(dossier, "fr")
    assert "dans la zone grise (20,0\xa0% à 40,0\xa0%)" in report
    assert "synthétiques" not in report


@pytest.mark.parametrize(
    ("learnt", "said"),
    [
        (True, "This customer is among the training rows of the model"),
        (False, "The model did not learn from this customer."),
        (None, "Whether the model learnt from this customer is not known"),
    ],
)
def test_the_dossier_says_whether_the_model_learnt_from_the_client(
    rows: pd.DataFrame, scorer: CreditScorer, learnt: bool | None, said: str
) -> None:
    dossier = dossier_of(rows, scorer, 0, learnt_from=learnt)
    assert dossier["learnt_from"] is learnt
    assert said in text_of(dossier)


def test_the_figure_names_the_heaviest_causes_and_the_columns_compared(
    rows: pd.DataFrame, scorer: CreditScorer
) -> None:
    dossier = dossier_of(rows, scorer, int(scorer.predict(rows)["probability_default"].to_numpy().argmax()))
    top, n_others, _ = heaviest_causes(dossier["contributions"], 10)
    assert (len(top), n_others) == (3, 0)
    for language in LANGUAGES:
        words, colon = words_of(dossier, language), "\u00a0: " if language == "fr" else ": "
        for entry, weight in top:
            name = f"{entry[f'label_{language}']}{colon}{entry[f'shown_{language}']}"
            is_compared = entry["feature"] in [peer["feature"] for peer in dossier["peers"]]
            assert words.count(name) == 1 + is_compared
            assert texts_in(language).number(weight, "+.2f") in words
        assert texts_in(language).say("figure.synthetic") in words


def test_a_change_that_leads_to_approval_is_told_if_it_is_asked_for(rows: pd.DataFrame, scorer: CreditScorer) -> None:
    position = int(scorer.predict(rows)["probability_default"].to_numpy().argmax())
    assert "counterfactual" not in dossier_of(rows, scorer, position)
    dossier = dossier_of(rows, scorer, position, counterfactual="en")
    assert dossier["counterfactual"]["found"] is False  # nothing that the model reads can be changed
    assert dossier["counterfactual"]["text"] in text_of(dossier)
