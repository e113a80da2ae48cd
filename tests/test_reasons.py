"""Reasons say what weighed, in natural units."""

import pickle
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.explanations import sum_by_cause
from credit_scoring.features.application import MEASURE_OF
from credit_scoring.features.catalogue import FEATURES, find_feature
from credit_scoring.features.learnt import LEARNT_FEATURES
from credit_scoring.features.records import UNITS
from credit_scoring.models import build_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.threshold_tuning.options import ReasonOptions
from credit_scoring.pipelines.threshold_tuning.reason_book import name_causes, write_reason_book
from credit_scoring.reasons import ExplainedColumn, Peers, ReasonBook, show_values
from credit_scoring.scorer import CreditScorer, digest_model
from credit_scoring.texts import LANGUAGES

N = 600
AGAINST_THEM, FOR_THEM = 1, -1


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
    book = write_reason_book(model, {"method": "none"}, rows, predictions, policy, ReasonOptions())
    return CreditScorer(model, calibration, policy, book)


def test_columns_that_measure_one_thing_are_one_cause(scorer: CreditScorer) -> None:
    columns = {column.name: column for column in scorer.reason_book.columns}
    assert columns["EXT_SOURCE_3"].cause == columns["APPLICATION_EXT_SOURCE_MEAN"].cause
    assert len({column.cause for column in columns.values()}) == len(columns) - 1


@pytest.mark.parametrize("language", ["fr", "en"])
def test_reasons_are_those_that_weighed_most_and_point_the_right_way(
    scorer: CreditScorer, rows: pd.DataFrame, language: str
) -> None:
    scored = scorer.predict(rows, {"explain": True, "language": language})
    contributions, _ = scorer.contributions(rows)
    weights, related = scorer.reason_book.weigh_causes(contributions), scorer.related_contributions(rows)[0]
    assert weights.sum(axis=1) == pytest.approx(related.sum(axis=1).to_numpy())
    labels = {column.labels[language]: column for column in scorer.reason_book.columns}
    colon = " : " if language == "fr" else ": "
    for i, reasons in enumerate(scored["reasons"]):
        told = [labels[reason["text"].split(colon)[0]] for reason in reasons]
        pull = [weights[i, column.cause] for column in told]
        for column, reason, weight in zip(told, reasons, pull, strict=True):
            assert reason["effect"] == ("against" if weight > 0 else "for")
            assert np.sign(related.iloc[i][column.name]) == np.sign(weight)
        against, for_ = [weight for weight in pull if weight > 0], [weight for weight in pull if weight < 0]
        assert pull == (against + for_ if scored["decision"].iloc[i] == "refused" else for_ + against)
        assert for_ == sorted(for_)
        heaviest = np.sort(weights[i][weights[i] >= 0.02])[::-1][:3]
        assert against == pytest.approx(heaviest.tolist())


def test_a_sentence_gives_value_and_place_among_granted_clients(scorer: CreditScorer, rows: pd.DataFrame) -> None:
    usual = {
        "EXT_SOURCE_3": {"direction": -1},
        "DAYS_BIRTH": {"direction": 1},
        "AMT_CREDIT": {"direction": 1, "effects": {None: 1}},
        "NAME_INCOME_TYPE": {"effects": {"Pensioner": 1}},
    }
    columns = tuple(replace(column, **usual.get(column.name, {})) for column in scorer.reason_book.columns)
    book = replace(scorer.reason_book, columns=columns)
    names = [column.name for column in book.columns]
    granted = rows[scorer.predict(rows)["decision"] == "granted"]
    value = float(granted["EXT_SOURCE_3"].quantile(0.25))
    text = book.describe(names.index("EXT_SOURCE_3"), value, AGAINST_THEM, "fr")
    share = int(100 * (granted["EXT_SOURCE_3"] > value).mean())
    assert text.startswith(f"Score externe 3 : {value:.2f}, en dessous de ".replace(".", ","))
    assert abs(int(text.split("en dessous de ")[1].split("\xa0%")[0]) - share) <= 1
    # The older, the more negative: sixty is above, not below.
    text = book.describe(names.index("DAYS_BIRTH"), -60 * 365.25, FOR_THEM, "en")
    share = int(100 * (granted["DAYS_BIRTH"] > -60 * 365.25).mean())
    assert text.startswith("Age: 60 years, higher than ")
    assert abs(int(text.split("higher than ")[1].split("%")[0]) - share) <= 1
    text = book.describe(names.index("AMT_CREDIT"), np.nan, AGAINST_THEM, "fr")
    missing = int(100 * granted["AMT_CREDIT"].isna().mean())
    assert text == f"Montant du crédit demandé : montant inconnu, comme {missing}\xa0% des clients acceptés"
    text = book.describe(names.index("NAME_INCOME_TYPE"), "Pensioner", AGAINST_THEM, "fr")
    share = int(100 * (granted["NAME_INCOME_TYPE"] == "Pensioner").mean())
    assert text == f"Type de revenu : retraité, comme {share}\xa0% des clients acceptés"


def test_a_model_that_knows_gender_names_it_as_it_weighed(scorer: CreditScorer, rows: pd.DataFrame) -> None:
    """Where nothing is protected, what a person is told is what weighed."""
    weighs_against = scorer.related_contributions(rows)[0]["CODE_GENDER"] > 0
    for language, words in (("fr", "Sexe : "), ("en", "Gender: ")):
        told = scorer.predict(rows, {"explain": True, "language": language})["reasons"].explode()
        told = told[told.str["text"].str.startswith(words, na=False)].str["effect"]
        assert told.index.is_unique
        assert len(told) > 0.8 * N  # of five causes, gender is the second heaviest
        assert (told.eq("against") == weighs_against[told.index]).all()


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
        ("amount", 1_350_000.0, "1\u202f350\u202f000 unités monétaires", "1,350,000 currency units"),
        ("share", 0.125, "12\xa0%", "12%"),
        ("share", 0.0281, "2,8\xa0%", "2.8%"),
        ("ratio", 2.5, "250\xa0%", "250%"),
        ("ratio", 0.0281, "2,8\xa0%", "2.8%"),
        ("elapsed_days", -3.5 * 365.25, "3\xa0ans et 6\xa0mois", "3 years 6 months"),
        ("elapsed_days", -364.0, "364\xa0jours", "364 days"),
        ("elapsed_days", -365.0, "1\xa0an", "1 year"),
        ("date_days", -730.0, "il y a 2\xa0ans", "2 years ago"),
        ("days_as_years", 10_957.0, "30\xa0ans", "30 years"),
        ("elapsed_days", -10_956.0, "29\xa0ans et 11\xa0mois", "29 years 11 months"),
        ("date_days", -1153.0, "il y a 3\xa0ans et 1\xa0mois", "3 years 1 month ago"),
        ("date_days", 0.0, "le jour de la demande", "on the day of the application"),
        ("date_months", -38.0, "il y a 3\xa0ans et 2\xa0mois", "3 years 2 months ago"),
        ("elapsed_days", -127.0, "127\xa0jours", "127 days"),
        ("date_days", -2 * 365.25, "il y a 2\xa0ans", "2 years ago"),
        ("date_days", 30.0, "dans 30\xa0jours", "in 30 days"),
        ("date_planned_days", -30.0, "il y a 30\xa0jours", "30 days ago"),
        ("date_planned_days", 2 * 365.25, "dans 2\xa0ans", "in 2 years"),
        ("date_months", -1.0, "il y a 1\xa0mois", "1 month ago"),
        ("days", 1.0, "1\xa0jour", "1 day"),
        ("days", 0.0, "0\xa0jour", "0 days"),
        ("day_gap", -12.0, "12\xa0jours avant", "12 days before"),
        ("day_gap", 400.0, "1\xa0an et 1\xa0mois après", "1 year 1 month after"),
        ("day_gap", 0.2, "le même jour", "the same day"),
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


@pytest.mark.parametrize("unit", ["date_days", "date_planned_days", "date_months", "day_gap"])
def test_dates_are_compared_as_earlier_and_later(unit: str) -> None:
    peers = Peers.describe(pd.DataFrame({"X": np.arange(100.0)}))
    column = ExplainedColumn("X", {"fr": "X", "en": "X"}, unit, 0, direction=1)
    book = ReasonBook((column,), np.zeros(1), peers, peers)
    before, after = book.describe(0, -1.0, FOR_THEM, "en"), book.describe(0, 200.0, AGAINST_THEM, "en")
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
    nobody = Peers(0, {}, {}, {"A": 0.0, "B": 0.0})
    book = ReasonBook((named("A", 0), named("B", 1)), np.zeros(2), nobody, nobody)
    turned = pd.DataFrame({"B": [0.5], "A": [-0.1]})  # B's contribution must not stand under A's name
    with pytest.raises(ValueError, match="belongs to another model"):
        book.explain(turned, turned, np.array([True]), "en")


def test_the_book_needs_no_more_than_plain_data() -> None:
    column = ExplainedColumn("X", {"fr": "X", "en": "X"}, "number", 0)
    nobody = Peers(0, {}, {}, {"X": 0.0})
    book = ReasonBook((column,), np.zeros(1), nobody, nobody)
    contributions, values = pd.DataFrame({"X": [0.5, -0.5, 0.0]}), pd.DataFrame({"X": [3.0, 4.0, 5.0]})
    told = book.explain(contributions, values, np.array([True, False, False]), "en")
    assert told == [[{"effect": "against", "text": "X: 3"}], [{"effect": "for", "text": "X: 4"}], []]


def named(name: str, cause: int, **told: Any) -> ExplainedColumn:
    return ExplainedColumn(name, {"fr": name, "en": name}, told.pop("unit", "number"), cause, **told)


def test_what_weighs_is_the_distance_from_the_mean_of_the_approved() -> None:
    """Given an approved mean of 0.3 and -0.1, 0.4 and -0.5 are 0.1 against and 0.4 for, against their own signs."""
    nobody = Peers(0, {}, {}, {"A": 0.0, "B": 0.0})
    book = ReasonBook((named("A", 0), named("B", 1)), np.array([0.3, -0.1]), nobody, nobody)
    contributions = pd.DataFrame({"A": [0.4, 0.2], "B": [-0.5, -0.05]})
    assert book.weigh_causes(contributions) == pytest.approx(np.array([[0.1, -0.4], [-0.1, 0.05]]))
    assert book.relate(contributions).to_numpy() == pytest.approx(np.array([[0.1, -0.4], [-0.1, 0.05]]))
    told = book.explain(contributions, pd.DataFrame({"A": [1, 2], "B": [3, 4]}), np.array([True, True]), "en")
    assert told == [
        [{"effect": "against", "text": "A: 1"}, {"effect": "for", "text": "B: 3"}],
        [{"effect": "against", "text": "B: 4"}, {"effect": "for", "text": "A: 2"}],
    ]


def test_the_reference_is_the_mean_contribution_of_the_approved_among_the_rows_measured(rows: pd.DataFrame) -> None:
    features = rows.drop(columns=["SK_ID_CURR", "TARGET"])
    model = build_model("lightgbm", {"n_estimators": 10, "n_jobs": 1}).fit(features, rows["TARGET"])
    approved = np.arange(N) % 3 > 0
    predictions = rows[["SK_ID_CURR"]].assign(PROBABILITY=np.where(approved, 0.1, 0.9))
    calibration = Calibration("sigmoid", slope=2.0, intercept=-1.0)
    book = write_reason_book(model, calibration.to_dict(), rows, predictions, {"threshold": 0.5}, ReasonOptions())
    assert book.reference == pytest.approx(2 * model.contributions(features[approved])[0].mean().to_numpy())
    policy = {"threshold": 0.5, "model_digest": digest_model(model, calibration)}
    related, base = CreditScorer(model, calibration, policy, book).related_contributions(rows)
    assert related[approved].mean().to_numpy() == pytest.approx(np.zeros(related.shape[1]), abs=1e-12)
    probability = calibration.apply(model.predict_proba(features)[:, 1])
    assert (base + related.sum(axis=1)).to_numpy() == pytest.approx(np.log(probability / (1 - probability)))


def test_a_decline_lists_what_is_against_first_and_an_approval_what_is_for() -> None:
    names = ["A", "B", "C", "D"]
    nobody = Peers(0, {}, {}, dict.fromkeys(names, 0.0))
    book = ReasonBook(tuple(named(name, i) for i, name in enumerate(names)), np.zeros(4), nobody, nobody)
    contributions = pd.DataFrame([[0.1, -0.9, 0.3, -0.2]] * 2, columns=names)
    values = pd.DataFrame([[1, 2, 3, 4]] * 2, columns=names)
    declined, approved = book.explain(contributions, values, np.array([True, False]), "en")
    assert [reason["text"] for reason in declined] == ["C: 3", "A: 1", "B: 2", "D: 4"]
    assert [reason["text"] for reason in approved] == ["B: 2", "D: 4", "C: 3", "A: 1"]


def of_hundred(direction: int, **told: Any) -> ReasonBook:
    """Return a book of one number, whose approved customers have the values 0 to 99."""
    peers = Peers.describe(pd.DataFrame({"INCOME": np.arange(100.0)}))
    return ReasonBook((named("INCOME", 0, direction=direction, **told),), np.zeros(1), peers, peers)


@pytest.mark.parametrize(
    ("direction", "value", "sign", "text"),
    [
        (-1, 20.0, 1, "INCOME: 20, lower than 79% of approved customers"),
        (-1, 80.0, -1, "INCOME: 80, higher than 80% of approved customers"),
        (1, 80.0, 1, "INCOME: 80, higher than 80% of approved customers"),
        # A high income against a customer would be read as its opposite.
        (-1, 80.0, 1, "INCOME: 80, in combination with the rest of the application"),
        (1, 20.0, 1, "INCOME: 20, in combination with the rest of the application"),
        (-1, 20.0, -1, "INCOME: 20, in combination with the rest of the application"),
        (0, 80.0, 1, "INCOME: 80, in combination with the rest of the application"),
        # Close to the typical one speaks for a customer and not against.
        (-1, 52.0, -1, "INCOME: 52, close to the typical approved customer"),
        (-1, 48.0, 1, "INCOME: 48"),
    ],
)
def test_a_comparison_that_contradicts_its_effect_is_not_made(
    direction: int, value: float, sign: int, text: str
) -> None:
    assert of_hundred(direction).describe(0, value, sign, "en") == text


@pytest.mark.parametrize(
    ("effect", "value", "sign", "text"),
    [
        (1, "few", 1, "X: few, like 20% of approved customers"),
        (1, "many", 1, "X: many"),  # what most approved customers have speaks against nobody
        (-1, "many", -1, "X: many, like 80% of approved customers"),
        (-1, "few", -1, "X: few"),
        (-1, "few", 1, "X: few, in combination with the rest of the application"),
        (0, "few", 1, "X: few, like 20% of approved customers"),
    ],
)
def test_a_category_that_usually_does_the_contrary_is_told_as_a_combination(
    effect: int, value: str, sign: int, text: str
) -> None:
    peers = Peers.describe(pd.DataFrame({"X": ["few"] * 20 + ["many"] * 80}))
    column = named("X", 0, unit="category", effects={value: effect})
    assert ReasonBook((column,), np.zeros(1), peers, peers).describe(0, value, sign, "en") == text


def test_a_column_that_does_not_contradict_speaks_for_its_cause_and_a_for_that_contradicts_is_left_out() -> None:
    approved = pd.DataFrame({"INCOME": np.arange(100.0), "PER_HEAD": np.arange(100.0), "AGE": np.arange(100.0)})
    peers = Peers.describe(approved)
    columns = (named("INCOME", 0, direction=-1), named("PER_HEAD", 0, direction=-1), named("AGE", 1, direction=-1))
    book = ReasonBook(columns, np.zeros(3), peers, peers)
    values = pd.DataFrame({"INCOME": [80.0], "PER_HEAD": [10.0], "AGE": [20.0]})
    contributions = pd.DataFrame({"INCOME": [0.5], "PER_HEAD": [0.4], "AGE": [-0.3]})
    assert book.explain(contributions, values, np.array([True]), "en") == [
        [{"effect": "against", "text": "PER_HEAD: 10, lower than 89% of approved customers"}]
    ]
    # With less than half of the weight it does not speak for the cause.
    (told,) = book.explain(contributions.assign(PER_HEAD=0.2), values, np.array([True]), "en")
    assert told[0]["text"] == "INCOME: 80, in combination with the rest of the application"


@pytest.mark.parametrize(
    ("contributions", "clarity", "contradicts", "speaker"),
    [
        # What weighed the other way does not speak, though all that may contradict
        ([-0.5, 0.4, 0.3], [0.5, 0.5, 0.5], [False, True, True], 1),
        # Nor does what has less than half of the greatest weight times clarity
        ([0.5, 0.4], [0.1, 0.5], [False, True], 1),
        ([0.5, 0.4], [0.5, 0.5], [True, False], 1),
        ([0.5, 0.4], [0.5, 0.5], [False, False], 0),
        ([0.3, 0.4, -0.1], [1.0, 1.0, 1.0], [True, True, True], 1),
    ],
)
def test_the_column_that_speaks_for_a_cause_is_one_that_may(
    contributions: list[float], clarity: list[float], contradicts: list[bool], speaker: int
) -> None:
    entries = [
        {"feature": number, "cause": 0, "contribution": contribution, "clarity": clear, "contradicts": against}
        for number, (contribution, clear, against) in enumerate(zip(contributions, clarity, contradicts, strict=True))
    ]
    ((told, weight),) = sum_by_cause(entries)
    assert (told["feature"], weight) == (speaker, pytest.approx(sum(contributions)))


def test_directions_are_measured_and_the_effect_of_categories_and_missing_values_too(rows: pd.DataFrame) -> None:
    features = rows[["EXT_SOURCE_3", "NAME_INCOME_TYPE", "AMT_CREDIT"]]
    model = build_model("lightgbm", {"n_estimators": 60, "min_child_samples": 5, "n_jobs": 1})
    noise = np.random.default_rng(0).logistic(size=N)
    risk = -5 * rows["EXT_SOURCE_3"] + 2 * (rows["NAME_INCOME_TYPE"] == "Working") + 2 * rows["AMT_CREDIT"].isna() + 1
    model = model.fit(features, (noise + risk > 0).astype(int))
    predictions = rows[["SK_ID_CURR"]].assign(PROBABILITY=model.predict_proba(features)[:, 1])
    book = write_reason_book(model, {"method": "none"}, rows, predictions, {"threshold": 0.5}, ReasonOptions())
    score, kind, amount = book.columns
    assert score.direction == -1
    assert (kind.effects["Working"], kind.effects["Pensioner"]) == (1, -1)
    assert amount.effects == {None: 1}


def test_a_declared_direction_stands_before_the_measured_one(rows: pd.DataFrame) -> None:
    """On these rows late payments lower the risk: nobody is told so for all that."""
    generator = np.random.default_rng(0)
    features = pd.DataFrame({"INSTALLMENTS_LATE_RATE": generator.random(N), "AMT_CREDIT": generator.random(N)})
    risk = -6 * (features["INSTALLMENTS_LATE_RATE"] - 0.5) - 6 * (features["AMT_CREDIT"] - 0.5)
    target = (generator.logistic(size=N) + risk > 0).astype(int)
    model = build_model("lightgbm", {"n_estimators": 60, "min_child_samples": 5, "n_jobs": 1}).fit(features, target)
    rows = features.assign(SK_ID_CURR=range(N))
    predictions = rows[["SK_ID_CURR"]].assign(PROBABILITY=model.predict_proba(features)[:, 1])
    book = write_reason_book(model, {"method": "none"}, rows, predictions, {"threshold": 0.5}, ReasonOptions())
    assert [column.direction for column in book.columns] == [1, -1]
    late, punctual = book.granted.numbers["INSTALLMENTS_LATE_RATE"][[-1, 0]].tolist()
    for value, sign in ((late, FOR_THEM), (punctual, AGAINST_THEM)):
        assert book.contradicts(0, value, sign)
        assert "approved customer" not in book.describe(0, value, sign, "en")


def test_causes_are_what_is_measured_few_columns_each_and_the_external_scores_are_one() -> None:
    """No chain of similar columns grows into one cause, whichever columns a model has."""
    names = [*FEATURES, *LEARNT_FEATURES]
    causes = dict(zip(names, name_causes(names, 6), strict=True))
    sizes = Counter(causes.values())
    assert sizes.pop("external_scores") == sum(find_feature(name).theme == "external_scores" for name in names) >= 24
    assert max(sizes.values()) <= 6
    few = ["BUREAU_DEBT_SUM", "BUREAU_DEBT_MEAN", "BUREAU_DEBT_SUM_365D", "BUREAU_DEBT_SUM_ACTIVE", "DAYS_BIRTH"]
    assert name_causes([*few, "APPLICATION_AGE_YEARS", "EXT_SOURCE_1"], 6) == [
        "BUREAU_DEBT", "BUREAU_DEBT", "BUREAU_DEBT", "BUREAU_DEBT ACTIVE", "AGE", "AGE", "external_scores",
    ]  # fmt: skip
    assert name_causes(few[:3], 2) == ["BUREAU_DEBT", "BUREAU_DEBT", "BUREAU_DEBT 365D"]
    # A name that is misspelt, or has nobody to share a measure with
    assert [name for name in MEASURE_OF if name not in FEATURES or sizes[causes[name]] < 2] == []


def test_a_book_of_an_older_version_is_refused_when_it_is_loaded(scorer: CreditScorer) -> None:
    older = {name: value for name, value in vars(scorer.reason_book).items() if name != "reference"}
    with pytest.raises(AttributeError, match=r"its reasons are stored as .*, this version stores .*reference"):
        ReasonBook.__new__(ReasonBook).__setstate__(older)
    column = replace(scorer.reason_book.columns[0])
    column.__dict__["forbidden"] = False  # as columns were stored when reasons could withhold one
    with pytest.raises(AttributeError, match=r"its reasons are stored as .*forbidden.*, this version stores absent"):
        pickle.loads(pickle.dumps(replace(scorer.reason_book, columns=(column,))))
    assert pickle.loads(pickle.dumps(scorer.reason_book)).columns == scorer.reason_book.columns
