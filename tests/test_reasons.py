"""Reasons say what weighed, in natural units, and never what is forbidden."""

import numpy as np
import pandas as pd
import pytest

from credit_scoring.features.records import UNITS
from credit_scoring.models import build_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.threshold_tuning.options import ReasonOptions
from credit_scoring.pipelines.threshold_tuning.reason_book import write_reason_book
from credit_scoring.reasons import ExplainedColumn, Peers, ReasonBook, show_values
from credit_scoring.scorer import CreditScorer, digest_model
from credit_scoring.texts import LANGUAGES

N = 600


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(4)
    score = generator.random(N)
    frame = pd.DataFrame(
        {
            "SK_ID_CURR": np.arange(N),
            "EXT_SOURCE_3": score,
            "APPLICATION_EXT_SOURCE_MEAN": score**2,
            "DAYS_BIRTH": -365.25 * generator.integers(21, 69, N),
            "CODE_GENDER": generator.choice(["F", "M"], N),
            "NAME_INCOME_TYPE": generator.choice(["Working", "Pensioner", None], N, p=[0.6, 0.3, 0.1]),
            "AMT_CREDIT": generator.choice([np.nan, 450_000.0, 1_350_000.0], N),
        }
    )
    risk = -4 * score + 1.5 * (frame["CODE_GENDER"] == "M") + 0.8 * (frame["NAME_INCOME_TYPE"] == "Working")
    return frame.assign(TARGET=(generator.logistic(size=N) + risk > 0).astype(int))


@pytest.fixture(scope="module")
def scorer(rows: pd.DataFrame) -> CreditScorer:
    model = build_model("lightgbm", {"n_estimators": 60, "min_child_samples": 5, "n_jobs": 1})
    model = model.fit(rows.drop(columns=["SK_ID_CURR", "TARGET"]), rows["TARGET"])
    calibration = Calibration("none")
    policy = {"threshold": 0.4, "model_digest": digest_model(model, calibration)}
    predictions = rows[["SK_ID_CURR"]].assign(PROBABILITY=model.predict_proba(rows)[:, 1])
    book = write_reason_book(model, rows, predictions, policy, ReasonOptions())
    return CreditScorer(model, calibration, policy, book)


def test_columns_that_move_together_are_one_cause_and_forbidden_ones_stand_alone(scorer: CreditScorer) -> None:
    columns = {column.name: column for column in scorer.reason_book.columns}
    assert columns["EXT_SOURCE_3"].cause == columns["APPLICATION_EXT_SOURCE_MEAN"].cause
    assert len({column.cause for column in columns.values()}) == len(columns) - 1
    assert [name for name, column in columns.items() if column.forbidden] == ["CODE_GENDER"]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_reasons_are_those_that_weighed_most_and_point_the_right_way(
    scorer: CreditScorer, rows: pd.DataFrame, language: str
) -> None:
    scored = scorer.predict(rows, {"explain": True, "language": language})
    contributions, _ = scorer.contributions(rows)
    weights = scorer.reason_book.weigh_causes(contributions)
    assert weights.sum(axis=1) == pytest.approx(contributions.sum(axis=1).to_numpy())
    labels = {column.labels[language]: column for column in scorer.reason_book.columns}
    colon = " : " if language == "fr" else ": "
    for i, reasons in enumerate(scored["reasons"]):
        told = [labels[reason["text"].split(colon)[0]] for reason in reasons]
        pull = [weights[i, column.cause] for column in told]
        assert np.abs(pull).tolist() == sorted(np.abs(pull), reverse=True)
        for column, reason, weight in zip(told, reasons, pull, strict=True):
            assert reason["effect"] == ("against" if weight > 0 else "for")
            assert np.sign(contributions.iloc[i][column.name]) == np.sign(weight)
        against = [weight for weight in pull if weight > 0]
        allowed = np.delete(weights[i], [c.cause for c in scorer.reason_book.columns if c.forbidden])
        heaviest = np.sort(allowed[allowed >= 0.02])[::-1][:3]
        assert against == pytest.approx(heaviest.tolist())


def test_a_sentence_gives_value_and_place_among_granted_clients(scorer: CreditScorer, rows: pd.DataFrame) -> None:
    book = scorer.reason_book
    names = [column.name for column in book.columns]
    granted = rows[scorer.predict(rows)["decision"] == "granted"]
    value = float(granted["EXT_SOURCE_3"].quantile(0.25))
    (text,) = book.describe(names.index("EXT_SOURCE_3"), pd.Series([value]), "fr")
    share = int(100 * (granted["EXT_SOURCE_3"] > value).mean())
    assert text.startswith(f"Score externe 3 : {value:.2f}, en dessous de ".replace(".", ","))
    assert abs(int(text.split("en dessous de ")[1].split("\xa0%")[0]) - share) <= 1
    # The older, the more negative: sixty is above, not below.
    (text,) = book.describe(names.index("DAYS_BIRTH"), pd.Series([-60 * 365.25]), "en")
    share = int(100 * (granted["DAYS_BIRTH"] > -60 * 365.25).mean())
    assert text.startswith("Age: 60 years, higher than ")
    assert abs(int(text.split("higher than ")[1].split("%")[0]) - share) <= 1
    (text,) = book.describe(names.index("AMT_CREDIT"), pd.Series([np.nan]), "fr")
    missing = int(100 * granted["AMT_CREDIT"].isna().mean())
    assert text == f"Montant du crédit demandé : aucune information, comme {missing}\xa0% des clients acceptés"
    (text,) = book.describe(names.index("NAME_INCOME_TYPE"), pd.Series(["Pensioner"]), "fr")
    share = int(100 * (granted["NAME_INCOME_TYPE"] == "Pensioner").mean())
    assert text == f"Type de revenu : retraité, comme {share}\xa0% des clients acceptés"


def test_gender_is_never_told_but_counted_where_it_would_have_been(scorer: CreditScorer, rows: pd.DataFrame) -> None:
    for language, word in (("fr", "Sexe"), ("en", "Gender")):
        reasons = scorer.predict(rows, {"explain": True, "language": language})["reasons"]
        assert not any(word in reason["text"] for told in reasons for reason in told)
    withheld = scorer.reason_book.withheld(scorer.contributions(rows)[0])
    assert withheld.mean() > 0.9  # of five columns, gender is the second heaviest


def test_reasons_depend_neither_on_the_batch_nor_on_its_order(scorer: CreditScorer, rows: pd.DataFrame) -> None:
    ask = {"explain": True}
    whole = scorer.predict(rows, ask)["reasons"]
    shuffled = scorer.predict(rows.sample(frac=1, random_state=0), ask)["reasons"]
    assert shuffled.loc[rows.index].tolist() == whole.tolist()
    alone = [scorer.predict(rows.iloc[[i]], ask)["reasons"].item() for i in range(20)]
    assert alone == whole.head(20).tolist()
    assert scorer.predict(rows.head(0), ask)["reasons"].tolist() == []


@pytest.mark.parametrize(
    ("unit", "value", "french", "english"),
    [
        ("amount", 1_350_000.0, "1\u202f350\u202f000", "1,350,000"),
        ("share", 0.125, "12\xa0%", "12%"),
        ("share", 0.0281, "2,8\xa0%", "2.8%"),
        ("ratio", 2.5, "250\xa0%", "250%"),
        ("ratio", 0.0281, "2,8\xa0%", "2.8%"),
        ("elapsed_days", -3.5 * 365.25, "3,5\xa0ans", "3.5 years"),
        ("elapsed_days", -127.0, "127\xa0jours", "127 days"),
        ("date_days", -2 * 365.25, "il y a 2\xa0ans", "2 years ago"),
        ("date_days", 30.0, "dans 30\xa0jours", "in 30 days"),
        ("date_planned_days", -30.0, "il y a 30\xa0jours", "30 days ago"),
        ("date_planned_days", 2 * 365.25, "dans 2\xa0ans", "in 2 years"),
        ("date_months", -1.0, "il y a 1\xa0mois", "1 month ago"),
        ("days", 1.0, "1\xa0jour", "1 day"),
        ("days", 0.0, "0\xa0jour", "0 days"),
        ("day_gap", -12.0, "−12\xa0jours", "−12 days"),
        ("years", 1.5, "1,5\xa0an", "1.5 years"),
        ("score", 0.1234, "0,12", "0.12"),
        ("count", 1200.0, "1\u202f200", "1,200"),
        ("number", -3.456, "−3,46", "−3.46"),
        ("hour", 9.0, "9\xa0h", "9:00"),
        ("yes_no", "Y", "oui", "yes"),
        ("yes_no", 0.0, "non", "no"),
        ("number", None, "aucune information", "no information"),
    ],
)
def test_values_are_told_in_natural_units(unit: str, value: object, french: str, english: str) -> None:
    column = ExplainedColumn("X", {"fr": "X", "en": "X"}, unit, 0)
    assert show_values(column, pd.Series([value]), "fr") == [french]
    assert show_values(column, pd.Series([value]), "en") == [english]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_unit_that_a_feature_may_have_can_be_told(unit: str, language: str) -> None:
    column = ExplainedColumn("X", {"fr": "X", "en": "X"}, unit, 0)
    one, none = show_values(column, ["X" if unit == "category" else 1.0, None], language)
    assert one not in ("", none)
    assert none == {"fr": "aucune information", "en": "no information"}[language]


@pytest.mark.parametrize("unit", ["date_days", "date_planned_days", "date_months"])
def test_dates_are_compared_as_earlier_and_later(unit: str) -> None:
    peers = Peers.describe(pd.DataFrame({"X": np.arange(100.0)}))
    book = ReasonBook((ExplainedColumn("X", {"fr": "X", "en": "X"}, unit, 0),), peers, peers)
    before, after = book.describe(0, [-1.0, 200.0], "en")
    assert before.endswith(", earlier than for nearly all approved customers")
    assert after.endswith(", later than for nearly all approved customers")


def test_shares_count_what_is_below_equal_and_above() -> None:
    peers = Peers.describe(pd.DataFrame({"X": [1.0, 2.0, 2.0, 3.0, None]}))
    below, equal, above = peers.shares_around("X", np.array([2.0, 0.0]))
    assert (below[0], equal[0], above[0]) == (0.25, 0.5, 0.25)
    assert (below[1], above[1]) == (0.0, 1.0)
    assert peers.missing["X"] == pytest.approx(0.2)


def test_a_book_of_another_model_is_refused(scorer: CreditScorer) -> None:
    with pytest.raises(ValueError, match="belongs to another model"):
        scorer.reason_book.weigh_causes(pd.DataFrame({"OTHER": [0.1]}))


def test_forbidden_attributes_are_columns_of_the_form(rows: pd.DataFrame, scorer: CreditScorer) -> None:
    predictions = rows[["SK_ID_CURR"]].assign(PROBABILITY=0.5)
    with pytest.raises(ValueError, match="No columns of the application form: GENDER"):
        write_reason_book(scorer.model, rows, predictions, {"threshold": 0.4}, ReasonOptions(forbidden=("GENDER",)))


def test_the_book_needs_no_more_than_plain_data() -> None:
    column = ExplainedColumn("X", {"fr": "X", "en": "X"}, "number", 0)
    nobody = Peers(0, {}, {}, {"X": 0.0})
    book = ReasonBook((column,), nobody, nobody)
    told = book.explain(pd.DataFrame({"X": [0.5, -0.5, 0.0]}), pd.DataFrame({"X": [3.0, 4.0, 5.0]}), "en")
    assert told == [[{"effect": "against", "text": "X: 3"}], [{"effect": "for", "text": "X: 4"}], []]
