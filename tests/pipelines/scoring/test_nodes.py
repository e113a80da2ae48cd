"""Batch scoring: who is scored, in what order, with what, and what is refused before it starts."""

import logging
from collections.abc import Mapping
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandera.errors import SchemaError, SchemaErrors

from credit_scoring.datasets.chunks import ParquetChunksDataset
from credit_scoring.datasets.history_rows import HistoryFiles
from credit_scoring.errors import DataContractError
from credit_scoring.exported_model.contract import Column, Contract
from credit_scoring.exported_model.folder import ModelFolder
from credit_scoring.exported_model.manifest import Manifest
from credit_scoring.models import build_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.pipelines.scoring.nodes import (
    count_applicants,
    count_decisions,
    format_kaggle_submission,
    score_applicants,
    select_applicants,
)
from credit_scoring.pipelines.scoring.options import ScoringOptions
from credit_scoring.pipelines.threshold_tuning.gap_rules import learn_gap_rules
from credit_scoring.pipelines.threshold_tuning.options import GapOptions
from credit_scoring.schemas.raw import RAW_TABLES
from credit_scoring.schemas.scores import Scores, as_arrow
from credit_scoring.scorer import CreditScorer, digest_model

ALL = ScoringOptions(applicants="all")
NO_ROWS = HistoryFiles(Path("there/are/none"))
FOLDER = ModelFolder(
    Path("model"),
    Contract((Column("EXT_SOURCE_2", False, True), Column("CODE_GENDER", True, False)), {}),
    {"model_id": "m-1", "manifest_sha256": "abc"},
    Manifest(Path("model"), {}, "abc"),
)


@pytest.fixture(scope="module")
def scorer() -> CreditScorer:
    X = pd.DataFrame({"EXT_SOURCE_2": [0.1, 0.9, 0.2, 0.8] * 10, "CODE_GENDER": ["F", "M", "F", None] * 10})
    model = build_model("lightgbm", {"n_estimators": 5, "min_child_samples": 2}).fit(X, [1, 0, 1, 0] * 10)
    policy = {"threshold": 0.5, "model_digest": digest_model(model, Calibration("none"))}
    rules = learn_gap_rules(model, X, GapOptions())
    return CreditScorer(model, Calibration("none"), policy, gap_rules=rules)


@pytest.fixture
def features() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "SK_ID_CURR": pd.array([4, 1, 3, 2], dtype="int32"),
            "TARGET": pd.array([None, 0, None, 1], dtype="Int32"),
            "EXT_SOURCE_2": [0.9, 0.5, 0.1, 0.5],
            "CODE_GENDER": ["M", "F", None, "X"],
            "UNKNOWN": [1, 2, 3, 4],
        }
    )


def select(
    features: pd.DataFrame, scorer: CreditScorer, options: ScoringOptions, folder: ModelFolder = FOLDER
) -> pd.DataFrame:
    table = ibis.memtable(features)
    counts = count_applicants(table, options).execute()
    return select_applicants(table, counts, folder, scorer, options, NO_ROWS).execute()


def score(rows: pd.DataFrame, scorer: CreditScorer, path: Path, options: ScoringOptions = ALL) -> Mapping:
    rows.to_parquet(path / "rows.parquet", row_group_size=2)
    chunks = ParquetChunksDataset(filepath=f"{path}/rows.parquet").load()
    return score_applicants(chunks, scorer, FOLDER, options, NO_ROWS)


@pytest.mark.parametrize(("who", "ids"), [("to_score", [3, 4]), ("known_outcome", [1, 2]), ("all", [1, 2, 3, 4])])
def test_who_is_scored_and_in_what_order(
    features: pd.DataFrame, scorer: CreditScorer, who: str, ids: list[int]
) -> None:
    chosen = select(features, scorer, ScoringOptions(applicants=who))
    assert chosen["SK_ID_CURR"].tolist() == ids
    assert list(chosen.columns) == ["SK_ID_CURR", "EXT_SOURCE_2", "CODE_GENDER"]


def test_a_table_without_outcomes_is_scored_whole(features: pd.DataFrame, scorer: CreditScorer) -> None:
    chosen = select(features.drop(columns="TARGET"), scorer, ScoringOptions())
    assert chosen["SK_ID_CURR"].tolist() == [1, 2, 3, 4]


def test_what_the_model_does_not_require_may_be_missing(
    features: pd.DataFrame, scorer: CreditScorer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        chosen = select(features.drop(columns="CODE_GENDER"), scorer, ALL)
    assert list(chosen.columns) == ["SK_ID_CURR", "EXT_SOURCE_2"]
    assert "count as null: CODE_GENDER" in caplog.text


def test_every_problem_is_named_before_anything_is_scored(features: pd.DataFrame, scorer: CreditScorer) -> None:
    broken = pd.concat([features, features.head(1)]).assign(CODE_GENDER=1).drop(columns="EXT_SOURCE_2")
    folder = ModelFolder(
        Path("model"), Contract((*FOLDER.contract.columns, Column("X", False, False)), {}), {}, FOLDER.manifest
    )
    with pytest.raises(DataContractError) as error:
        select(broken, scorer, ALL, folder)
    assert error.value.problems == (
        "column EXT_SOURCE_2: expected, as it was never null in training; found none.",
        "column CODE_GENDER: expected text; found int64.",
        "column SK_ID_CURR: expected each applicant once; found 1 ids in several rows (e.g. 4).",
        "the model's signature: expected the 2 columns its scorer was fitted on; found also X.",
    )
    assert "Hint: make the features with this version" in str(error.value)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda f: f.drop(columns="SK_ID_CURR"), "column SK_ID_CURR: expected the id of each applicant; found none"),
        (lambda f: f.assign(SK_ID_CURR="a"), "column SK_ID_CURR: expected whole numbers; found string"),
        (lambda f: f.assign(SK_ID_CURR=pd.array([4, None, 3, 2], dtype="Int32")), "every row; found 1 nulls"),
        (lambda f: f.assign(EXT_SOURCE_2="high"), "column EXT_SOURCE_2: expected numbers; found string"),
        (lambda f: f.iloc[:0], "expected applicants of any kind; found none among 0 rows"),
    ],
)
def test_bad_tables_are_refused(features: pd.DataFrame, scorer: CreditScorer, spoil, problem: str) -> None:
    with pytest.raises(DataContractError, match="Hint") as error:
        select(spoil(features), scorer, ALL)
    assert problem in str(error.value)


def test_nobody_without_an_outcome_is_an_error_that_says_how_many_others_there_are(
    features: pd.DataFrame, scorer: CreditScorer
) -> None:
    with pytest.raises(DataContractError, match="applicants without an outcome; found none among 4 rows"):
        select(features.assign(TARGET=0), scorer, ScoringOptions())


def test_scores_are_those_of_the_scorer_for_any_chunk(
    features: pd.DataFrame, scorer: CreditScorer, tmp_path: Path
) -> None:
    rows = select(features.assign(EXT_SOURCE_2=[0.9, 0.5, 1.5, None]), scorer, ALL)
    scores = pa.concat_tables([part() for part in score(rows, scorer, tmp_path).values()])
    answers = scorer.predict(rows)
    assert scores["SK_ID_CURR"].to_pylist() == [1, 2, 3, 4]
    for column in answers:
        assert scores[column].to_pylist() == answers[column].tolist()
    assert scores["decision"].to_pylist()[1:3] == ["review", "review"]
    assert [[gap["gap"] for gap in found] for found in scores["gaps"].to_pylist()] == [
        [],
        ["missing"],
        ["out_of_range"],
        [],
    ]
    assert set(scores["model_id"].to_pylist()) == {"m-1"}
    assert set(scores["model_digest"].to_pylist()) == {scorer.decision_policy["model_digest"]}


def test_the_key_of_a_part_changes_with_applicants_model_and_options(
    features: pd.DataFrame, scorer: CreditScorer, tmp_path: Path
) -> None:
    rows = select(features, scorer, ALL)
    keys = list(score(rows, scorer, tmp_path))
    assert keys == list(score(rows, scorer, tmp_path))
    assert len(keys) == len(set(keys)) == 2
    assert not set(keys) & set(score(rows.assign(EXT_SOURCE_2=0.3), scorer, tmp_path))
    assert not set(keys) & set(score(rows, scorer, tmp_path, ScoringOptions(applicants="all", reasons=True)))
    chunks = ParquetChunksDataset(filepath=f"{tmp_path}/rows.parquet").load()
    other = ModelFolder(
        Path("model"), FOLDER.contract, {**FOLDER.identity, "manifest_sha256": "other"}, FOLDER.manifest
    )
    assert not set(keys) & set(score_applicants(chunks, scorer, other, ALL, NO_ROWS))


def test_decisions_and_gaps_are_counted() -> None:
    def gap(kind: str, column: str | None) -> dict[str, str | None]:
        return {"column": column, "gap": kind, "text": "…"}

    gaps = [[], [], [gap("missing", "A"), gap("too_little_known", None)], [gap("missing", "A")]]
    scores = pa.table(
        {
            "decision": ["granted", "refused", "review", "review"],
            "gaps": pa.array(gaps, as_arrow(pd.DataFrame({"gaps": gaps})).schema.field("gaps").type),
        }
    )
    counted = count_decisions(ibis.memtable(scores)).execute()
    found = counted.astype(object).where(counted.notna(), None).to_dict("split")["data"]
    assert sorted(found, key=str) == sorted(
        [
            ["granted", None, None, 1],
            ["refused", None, None, 1],
            ["review", None, None, 2],
            ["review", "missing", "A", 2],
            ["review", "too_little_known", None, 1],
        ],
        key=str,
    )


def test_the_submission_is_what_the_competition_wants() -> None:
    scores = ibis.memtable(pd.DataFrame({"SK_ID_CURR": [3, 1], "probability_default": [0.25, 0.5], "decision": "x"}))
    submission = format_kaggle_submission(scores).execute()
    assert submission.to_dict("list") == {"SK_ID_CURR": [1, 3], "TARGET": [0.5, 0.25]}
    assert RAW_TABLES["application_test"].official_rows == 48_744


@pytest.mark.parametrize(
    "wrong",
    [
        {"SK_ID_CURR": [1, 1]},
        {"probability_default": [0.2, 1.2]},
        {"probability_default": [0.2, np.nan]},
        {"decision": ["granted", "granted"]},
        {"decision": ["granted", "perhaps"]},
        {"decision": ["review", "refused"]},
        {"gaps": [[{"column": "X", "gap": "missing", "text": "X"}], []]},
        {"model_digest": ["d", None]},
        {"other": [1, 2]},
    ],
)
def test_scores_that_break_their_contract_are_not_handed_over(wrong: dict[str, list]) -> None:
    right = pd.DataFrame(
        {
            "SK_ID_CURR": [1, 2],
            "probability_default": [0.2, 0.7],
            "decision": ["granted", "refused"],
            "threshold": [0.5, 0.5],
            "model_id": "m",
            "model_digest": "d",
            "gaps": [[], []],
        }
    )
    Scores.validate(right)
    with pytest.raises((SchemaError, SchemaErrors)):
        Scores.validate(right.assign(**wrong))


def test_reasons_keep_their_type_where_there_are_none() -> None:
    reasons = [[{"effect": "for", "text": "Score"}], []]
    told, none = (as_arrow(pd.DataFrame({"SK_ID_CURR": [1] * len(r), "reasons": r})) for r in (reasons, [[]]))
    assert told.schema == none.schema
    assert told["reasons"].to_pylist() == reasons
