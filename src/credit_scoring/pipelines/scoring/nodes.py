"""Scores for any number of applicants, a chunk at a time; by default for those whose outcome is not known yet."""

import hashlib
import logging
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import Any, Protocol

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis import _

from credit_scoring.datasets.chunks import ParquetChunks
from credit_scoring.datasets.history_rows import HistoryFiles
from credit_scoring.errors import DataContractError
from credit_scoring.exported_model.contract import Column
from credit_scoring.exported_model.folder import ModelFolder
from credit_scoring.pipelines.scoring.options import ScoringOptions
from credit_scoring.schemas.raw import RAW_TABLES
from credit_scoring.schemas.scores import Scores, as_arrow
from credit_scoring.scorer import CreditScorer

logger = logging.getLogger(__name__)

_ID, _OUTCOME = "SK_ID_CURR", "TARGET"
_WHO = {"to_score": "without an outcome", "known_outcome": "with a known outcome", "all": "of any kind"}
_OFFICIAL_ROWS = RAW_TABLES["application_test"].official_rows


class TableScorer(Protocol):
    """A scorer that the engine of a table applies to it."""

    def score(self, applicants: ir.Table, key: str, *, explain: bool, language: str) -> ir.Table:
        """Return the key and what the model predicts for each row."""
        ...


def count_applicants(applicant_features: ir.Table, scoring: ScoringOptions) -> ir.Table:
    """Count what has to be right before anybody is scored.

    Returns:
        One row: `rows` of the whole table; of the applicants asked for `applicants`, `repeated` (ids that stand in more
        than one row), `example` (one of them) and `without_id`. Without a column of ids only the rows are counted.
    """
    chosen = _choose(applicant_features, scoring)
    ids = chosen[_ID] if _ID in chosen.columns else ibis.row_number()
    groups = chosen.select(id=ids).group_by("id").agg(n=lambda table: table.count())
    repetitions = groups.aggregate(
        repeated=groups.count(where=(groups.n > 1) & ~groups.id.isnull()),
        example=groups.id.min(where=groups.n > 1),
        without_id=groups.n.max(where=groups.id.isnull()).fill_null(0),  # null is one group
    )
    sizes = [
        applicant_features.aggregate(rows=applicant_features.count()),
        chosen.aggregate(applicants=chosen.count()),
    ]
    return repetitions.cross_join(*sizes)


def select_applicants(
    applicant_features: ir.Table,
    applicant_counts: pd.DataFrame,
    served_model: ModelFolder,
    credit_scorer: CreditScorer,
    scoring: ScoringOptions,
    history_rows: HistoryFiles,
) -> ir.Table:
    """Let the applicants pass only if all of them can be scored by this model; columns it does not know are left out.

    Returns:
        One row per applicant, in the order of SK_ID_CURR: the id and the model's columns. A column that the model does
        not require may be missing, and then counts as null, as it does for the server. Features that the scorer's row
        models make are not among them.

    Raises:
        DataContractError: If columns are missing or of a wrong type, ids are repeated or null, there is nobody to
            score, the model's signature does not name the columns that its scorer was fitted on, or the single rows
            that its row models read are missing; with every problem.
    """
    (counts,) = applicant_counts.to_dict("records")
    made = credit_scorer.row_models.feature_names
    columns = tuple(column for column in served_model.contract.columns if column.name not in made)
    problems = [
        *_problems_of_columns(applicant_features, columns),
        *_problems_of_rows(counts, scoring),
        *_problems_of_model(served_model, credit_scorer),
        *(
            f"single rows of the history `{history}`: expected, as the model's row models read them; found none."
            for history in credit_scorer.row_models.models
            if not history_rows.holds(history)
        ),
    ]
    if problems:
        raise DataContractError(
            f"Scoring with the model in {served_model.path}",
            problems,
            "make the features with this version of the project (`kedro run --pipelines data_processing`, for a model "
            "with row models with the row_models.candidates that it was trained with), choose who "
            "is scored (`--params scoring.applicants=to_score`, `known_outcome` or `all`), and export the model again "
            "(`make export`) if it is older than the features. Nothing was written.",
        )
    known = [column.name for column in columns if column.name in applicant_features.columns]
    absent = [column.name for column in columns if column.name not in applicant_features.columns]
    if absent:
        logger.warning("Columns that the features do not have count as null: %s.", ", ".join(absent))
    if counts["applicants"] != _OFFICIAL_ROWS:
        logger.info(
            "%d applicants to score; the competition wants a row for each of its %d.",
            counts["applicants"],
            _OFFICIAL_ROWS,
        )
    return _choose(applicant_features, scoring).select(_ID, *known).order_by(_ID)


def score_applicants(
    applicants_to_score: ParquetChunks,
    credit_scorer: CreditScorer,
    served_model: ModelFolder,
    scoring: ScoringOptions,
    history_rows: HistoryFiles,
) -> dict[str, Callable[[], pa.Table]]:
    """Score and decide every applicant with the exported scorer.

    Returns:
        Key -> function that scores one chunk, in the order of the applicants; the key names the chunk and everything
        that its scores follow from: applicants, model, options, single rows of histories. One row per applicant:
        `SK_ID_CURR`, `probability_default`, `decision`, `threshold`, `model_id` (of MLflow), `model_digest` (of model
        and calibration), `gaps`, and `reasons` if they are asked for.
    """
    model = served_model.identity
    follows_from = f"{applicants_to_score.digest} {model['manifest_sha256']} {scoring.model_dump_json()}"
    if credit_scorer.row_models.models:
        follows_from += f" {history_rows.digest}"
    key = hashlib.sha256(follows_from.encode()).hexdigest()[:16]
    score = partial(_score_chunk, applicants_to_score, history_rows, credit_scorer, served_model, scoring)
    parts = {f"{number:06d}_{key}": number for number in range(applicants_to_score.n_chunks)}
    return {part: partial(score, part, number) for part, number in parts.items()}


def score_applicants_on_spark(
    applicants_to_score: ir.Table,
    spark_scorer: TableScorer,
    credit_scorer: CreditScorer,
    served_model: ModelFolder,
    scoring: ScoringOptions,
) -> ir.Table:
    """Score and decide every applicant where the rows lie.

    Returns:
        The columns of `score_applicants`.

    Raises:
        DataContractError: If the model has row models: the executors would have to be sent the histories as well; or
            if decisions are to be recorded, which only one process does.
    """
    if scoring.decision_log == "required":
        raise DataContractError(
            f"Scoring with the model in {served_model.path}",
            ["expected scoring.decision_log: off on Spark, found required."],
            "`kedro run --pipelines scoring` records what it decides, a part at a time.",
        )
    if credit_scorer.row_models.models:
        raise DataContractError(
            f"Scoring with the model in {served_model.path}",
            ["expected a model without row models, which the executors of Spark cannot apply; found some."],
            "`kedro run --pipelines scoring` scores with it, a part at a time.",
        )
    numbers = {column.name for column in served_model.contract.columns if not column.is_text}
    table = applicants_to_score.mutate(
        **{name: _[name].cast("float64") for name in applicants_to_score.columns if name in numbers}
    )
    scores = spark_scorer.score(table, _ID, explain=scoring.reasons, language=scoring.language)
    return scores.mutate(
        model_id=ibis.literal(served_model.identity["model_id"]),
        model_digest=ibis.literal(str(credit_scorer.decision_policy["model_digest"])),
    ).relocate("model_id", "model_digest", after="threshold")


def count_decisions(scores: ir.Table) -> ir.Table:
    """Count who is granted, refused and reviewed, and why they are reviewed.

    Returns:
        By `decision` the number of `applicants`; and for those reviewed also by `gap` and `column` of their gaps, which
        are null in the other rows. An applicant with several gaps counts for each of them.
    """
    decisions = scores.group_by("decision").agg(applicants=_.count())
    gaps = scores.select("decision", gap=scores.gaps.unnest())
    gaps = gaps.select("decision", gap=gaps.gap["gap"], column=gaps.gap["column"])
    by_gap = gaps.group_by("decision", "gap", "column").agg(applicants=_.count())
    null = ibis.null("string")
    united = decisions.select("decision", "applicants", gap=null, column=null).union(
        by_gap.select("decision", "applicants", "gap", "column")
    )
    return united.select("decision", "gap", "column", "applicants").order_by("decision", "gap", "column")


def format_kaggle_submission(scores: ir.Table) -> ir.Table:
    """Return the scores as the competition wants them: `SK_ID_CURR`, `TARGET` (probability of default)."""
    return scores.select(_ID, TARGET=scores.probability_default).order_by(_ID)


def _choose(applicant_features: ir.Table, scoring: ScoringOptions) -> ir.Table:
    if scoring.applicants == "all":
        return applicant_features
    # Applicants in a table without outcomes all wait for theirs.
    known = ~applicant_features[_OUTCOME].isnull() if _OUTCOME in applicant_features.columns else ibis.literal(False)
    return applicant_features.filter(known if scoring.applicants == "known_outcome" else ~known)


def _problems_of_columns(features: ir.Table, columns: tuple[Column, ...]) -> list[str]:
    types = dict(features.schema().items())
    problems = [f"column {_ID}: expected the id of each applicant; found none of that name."] * (_ID not in types)
    missing = [column.name for column in columns if column.required and column.name not in types]
    problems += [f"column {name}: expected, as it was never null in training; found none." for name in missing]
    if _ID in types and not types[_ID].is_integer():
        problems.append(f"column {_ID}: expected whole numbers; found {types[_ID]}.")
    for column in columns:
        kind = types.get(column.name, dt.null)
        fits = kind.is_string() if column.is_text else kind.is_numeric() or kind.is_boolean()
        if not (fits or kind.is_null()):
            problems.append(f"column {column.name}: expected {'text' if column.is_text else 'numbers'}; found {kind}.")
    return problems


def _problems_of_rows(counts: Mapping[Hashable, Any], scoring: ScoringOptions) -> list[str]:
    problems = []
    if counts["applicants"] == 0:
        problems.append(
            f"expected applicants {_WHO[scoring.applicants]}; found none among {counts['rows']:,} rows of the features."
        )
    if counts["repeated"]:
        problems.append(
            f"column {_ID}: expected each applicant once; found {counts['repeated']:,} ids in several rows "
            f"(e.g. {counts['example']})."
        )
    if counts["without_id"]:
        problems.append(f"column {_ID}: expected an id in every row; found {counts['without_id']:,} nulls.")
    return problems


def _problems_of_model(served_model: ModelFolder, credit_scorer: CreditScorer) -> list[str]:
    signed = {column.name for column in served_model.contract.columns}
    fitted = set(credit_scorer.feature_names_in_)
    return [
        f"the model's signature: expected the {len(fitted)} columns its scorer was fitted on; found {what} {names}."
        for what, names in (
            ("none of the name", ", ".join(sorted(fitted - signed)[:5])),
            ("also", ", ".join(sorted(signed - fitted)[:5])),
        )
        if names
    ]


def _score_chunk(
    applicants: ParquetChunks,
    history_rows: HistoryFiles,
    scorer: CreditScorer,
    served_model: ModelFolder,
    scoring: ScoringOptions,
    part: str,
    number: int,
) -> pa.Table:
    rows = scorer.row_models.complete(applicants.read(number), history_rows)
    asked = {"explain": scoring.reasons, "language": scoring.language}
    scores = scorer.predict(rows, asked)
    if scoring.decision_log == "required":
        from credit_scoring.decision_log.batch import record_batch  # noqa: PLC0415 - its packages are an extra

        columns = [column.name for column in served_model.contract.columns if column.name in rows]
        record_batch(part, rows, scores, columns, served_model.identity, **asked)
    scores.insert(0, _ID, rows[_ID])
    scores.insert(4, "model_id", served_model.identity["model_id"])
    scores.insert(5, "model_digest", str(scorer.decision_policy["model_digest"]))
    return as_arrow(Scores.validate(scores))
