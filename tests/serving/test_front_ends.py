"""What the lean front end does without tables gives, to the last bit, what the scorer gives with them."""

import dataclasses
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import numpy as np
import orjson
import pandas as pd
import pytest

from credit_scoring.exported_model.contract import Column, Contract
from credit_scoring.models import build_model, family_class
from credit_scoring.models.base import ScoringModel
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.threshold_tuning.gap_rules import learn_gap_rules
from credit_scoring.pipelines.threshold_tuning.options import GapOptions, ReasonOptions
from credit_scoring.pipelines.threshold_tuning.reason_book import write_reason_book
from credit_scoring.scorer import CreditScorer, digest_model
from credit_scoring.serving.front_ends import Lean
from credit_scoring.serving.requests import RequestError, RequestReader
from tests.serving.conftest import as_split

NUMBERS = ("EXT_SOURCE_1", "EXT_SOURCE_2", "AMT_CREDIT")
TEXTS = ("OCCUPATION_TYPE", "CODE_GENDER")
CONTRACT = Contract(
    tuple(
        [Column(name, False, False) for name in NUMBERS]
        + [Column(name, True, False, {"categories": ["Drivers", "F", "M", "Managers"]}) for name in TEXTS]
    ),
    {"explain": False, "language": "fr"},
)

CODED = ["lightgbm", "xgboost", "logistic_regression", "scorecard", "blend"]


@pytest.fixture(scope="module")
def X() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(3000, 3)) * [1, 1, 1e6]
    numbers[generator.random(numbers.shape) < 0.2] = np.nan
    rows = pd.DataFrame(numbers, columns=NUMBERS)
    rows["OCCUPATION_TYPE"] = generator.choice(["Drivers", "Managers", None], 3000)
    rows["CODE_GENDER"] = generator.choice(["F", "M"], 3000)
    return rows


def outcome(X: pd.DataFrame) -> np.ndarray:
    risk = np.where(X["EXT_SOURCE_1"] > 0, 0.1, 0.4) + np.where(X["OCCUPATION_TYPE"] == "Drivers", 0.1, 0)
    return (np.random.default_rng(1).random(len(X)) < risk).astype(int)


def fit(family: str, X: pd.DataFrame) -> ScoringModel:
    boosted = {"n_estimators": 30, "random_state": 0}
    params = {"lightgbm": boosted, "xgboost": boosted, "blend": family_class("blend").test_params}
    return build_model(family, params.get(family, {})).fit(X, outcome(X))


def ask(scorer: Any, body: str) -> list[Mapping[str, Any]]:
    described = {column.name: column for column in CONTRACT.columns}
    contract = Contract(tuple(described[name] for name in scorer.feature_names_in_), CONTRACT.parameters)
    rows = RequestReader(contract, max_rows=10_000).read(body.encode(), "application/json")
    return orjson.loads(Lean(scorer, contract).answer(rows).body)["predictions"]


@pytest.mark.parametrize("family", CODED)
@pytest.mark.parametrize("method", ["none", "sigmoid"])
def test_answers_are_those_of_the_scorer_to_the_last_bit(X: pd.DataFrame, family: str, method: str) -> None:
    y, model = outcome(X), fit(family, X)
    X = X[list(model.feature_names_in_)]  # a scorecard asks for some of them, in an order of its own
    calibration = Calibration.fit(method, model.predict_proba(X)[:, 1], y)
    policy = {"threshold": 0.2, "model_digest": digest_model(model, calibration)}
    scorer = CreditScorer(model, calibration, policy)
    assert scorer.category_codes is not None
    expected = scorer.predict(X)
    assert ask(scorer, as_split(X)) == expected.to_dict(orient="records")
    for number in range(30):
        assert ask(scorer, as_split(X.iloc[[number]])) == expected.iloc[[number]].to_dict(orient="records")
    strange = X.head(3).assign(OCCUPATION_TYPE=["Wizards", None, "Drivers"])
    assert ask(scorer, as_split(strange)) == scorer.predict(strange).to_dict(orient="records")


def test_an_unknown_category_is_refused_if_asked_to_and_named_by_its_column_only(X: pd.DataFrame) -> None:
    strict = RequestReader(CONTRACT, max_rows=10, refuse_unknown_categories=True)
    known = as_split(X.head(2).assign(OCCUPATION_TYPE=["Drivers", None])).encode()
    assert len(strict.read(known, "application/json")) == 2
    strange = as_split(X.head(2).assign(OCCUPATION_TYPE=["Drivers", "Wizards"])).encode()
    with pytest.raises(RequestError, match=r"^Unknown category in column OCCUPATION_TYPE\.$") as refused:
        strict.read(strange, "application/json")
    assert refused.value.status == 400
    assert len(RequestReader(CONTRACT, max_rows=10).read(strange, "application/json")) == 2


@pytest.mark.parametrize("family", CODED)
def test_reasons_are_those_of_the_scorer(X: pd.DataFrame, family: str) -> None:
    y, model = outcome(X), fit(family, X)
    X = X[list(model.feature_names_in_)]  # a scorecard asks for some of them, in an order of its own
    calibration = Calibration.fit("sigmoid", model.predict_proba(X)[:, 1], y)
    policy = {"threshold": 0.2, "model_digest": digest_model(model, calibration)}
    predictions = pd.DataFrame({"SK_ID_CURR": X.index, "PROBABILITY": model.predict_proba(X)[:, 1]})
    book = write_reason_book(
        model, calibration.to_dict(), X.assign(SK_ID_CURR=X.index), predictions, policy, ReasonOptions()
    )
    rules = dataclasses.replace(learn_gap_rules(model, X, GapOptions()), low=np.full(X.shape[1], -2.5))
    scorer = CreditScorer(model, calibration, policy, book, gap_rules=rules)
    X = X.head(1000)
    strange = X.head(3).assign(**dict.fromkeys(X.columns[:2])).assign(OCCUPATION_TYPE=["Wizards", None, "Drivers"])
    for language in ("fr", "en"):
        asked = {"explain": True, "language": language}
        expected = scorer.predict(X, asked)
        assert len({reason["text"] for reasons in expected["reasons"] for reason in reasons}) > 100
        with patch.object(scorer, "score_coded", wraps=scorer.score_coded) as scoring:
            assert ask(scorer, as_split(X, params=asked)) == expected.to_dict(orient="records")
        scoring.assert_called_once()
        assert set(expected["decision"]) == {"granted", "refused", "review"}
        assert ask(scorer, as_split(strange, params=asked)) == scorer.predict(strange, asked).to_dict(orient="records")


def test_a_model_that_takes_tables_only_is_given_tables_and_says_so(X: pd.DataFrame) -> None:
    members = family_class("blend").test_params["members"] | {"forest": {"family": "random_forest"}}
    model = build_model("blend", {"members": members}).fit(X.head(400), outcome(X.head(400)))
    calibration = Calibration("none")
    scorer = CreditScorer(model, calibration, {"threshold": 0.2, "model_digest": digest_model(model, calibration)})
    assert scorer.category_codes is None
    with pytest.raises(TypeError, match=r"BlendModel has no codes\. Hint: call predict with a table"):
        scorer.score_coded(np.zeros((1, 5)))
    assert ask(scorer, as_split(X.head(9))) == scorer.predict(X.head(9)).to_dict(orient="records")
