"""Features from row models, cross-fitted: no applicant's own outcome, nor that of a validation row, is in them."""

import logging
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.models import ScoringModel, fit_model
from credit_scoring.models.row_models import (
    NO_ROW_MODELS,
    HistoryRows,
    RowModels,
    row_columns,
    score_rows,
    summarise_risks,
)
from credit_scoring.models.row_options import RowModelOptions
from credit_scoring.pipelines.modelling.folds import ALL_FOLDS, deal_rows
from credit_scoring.pipelines.modelling.options import CrossValidationOptions, read_candidates

logger = logging.getLogger(__name__)

_ID, _OUTCOME = "SK_ID_CURR", "TARGET"
_OUTSIDE = -1
"""Fold of a row whose applicant is no training row."""


def learn_row_features(
    applicant_outcomes: pd.DataFrame,
    history_rows: HistoryRows,
    row_models: RowModelOptions,
    candidates: dict[str, Any],
    cross_validation: CrossValidationOptions,
) -> tuple[RowModels, pd.DataFrame]:
    """Fit the row models on training applicants, and make the features of all applicants whose outcome is known.

    Args:
        applicant_outcomes: One row per applicant: `SK_ID_CURR`, `TARGET`, `SPLIT`.
        history_rows: Single rows of the histories.
        row_models: Which histories, and how models are fitted to them.
        candidates: Among which those with row models have to be.
        cross_validation: Folds of the comparison, which are those of the cross-fitting, too.

    Returns:
        The models of all training applicants, which later applicants get. And the features: of training applicants as
        `cross_fit_row_features` makes them, and of the hold-out with `LEFT_OUT` = `ALL_FOLDS`. No model and no row
        where no candidate asks for row models.

    Raises:
        ValueError: If a candidate is not there, there are fewer than three folds, or the rows of a history are missing.
    """
    training = applicant_outcomes[applicant_outcomes["SPLIT"] == "train"].sort_values(_ID, ignore_index=True)
    if not row_models.candidates:
        return NO_ROW_MODELS, pd.DataFrame(columns=[_ID, "FOLD", "LEFT_OUT"])
    known = read_candidates(candidates)
    if unknown := [name for name in row_models.candidates if name not in known]:
        raise ValueError(
            f"row_models.candidates: expected names under `candidates` ({', '.join(known)}), found "
            f"{', '.join(unknown)}.\nHint: correct conf/*/parameters/modelling.yml."
        )
    fold_of_row = deal_rows(training[_OUTCOME], cross_validation.n_folds, cross_validation.seed)
    made = cross_fit_row_features(training, fold_of_row, history_rows, row_models)
    models = RowModels(
        {
            history: _fit(rows, _outcomes_of(rows, training), row_models, np.isin(rows[_ID], training[_ID]))
            for history in row_models.histories
            for rows in [history_rows.read(history)]
        }
    )
    holdout = applicant_outcomes.loc[applicant_outcomes["SPLIT"] != "train", [_ID]].reset_index(drop=True)
    later = models.complete(holdout, history_rows).assign(FOLD=_OUTSIDE, LEFT_OUT=ALL_FOLDS)
    return models, pd.concat([made, later], ignore_index=True)[made.columns]


def cross_fit_row_features(
    training: pd.DataFrame, fold_of_row: npt.NDArray[np.int_], history_rows: HistoryRows, row_models: RowModelOptions
) -> pd.DataFrame:
    """Make the features of training applicants, for the models of each fold and for the final one.

    A candidate of fold k learns from the applicants of the other folds. Those of fold j get their features from the
    model of all folds but j and k, those of fold k from the model of all but k: no row model of fold k has seen an
    outcome of fold k, and none an outcome of the applicant whom it scores. As leaving out j and k serves both folds,
    K folds take K (K + 1) / 2 models a history, not K². In the final model all folds are learnt from: those of fold k
    get theirs from the model of all but k. The folds are stratified: each leaves as many defaults to the others, so
    that none gives away its own by a lower level.

    Args:
        training: One row per training applicant: `SK_ID_CURR`, `TARGET`.
        fold_of_row: Fold of each.
        history_rows: Single rows of the histories; those of other applicants are left out.
        row_models: Which histories, and how models are fitted to them.

    Returns:
        One row per applicant and fold left out: `SK_ID_CURR`, `FOLD` of the applicant, `LEFT_OUT` (the fold that is
        validated; `ALL_FOLDS` where none is), and the features, null for an applicant without such a history.

    Raises:
        ValueError: If there are fewer than three folds, or the rows of a history are missing.
    """
    ids, n_folds = training[_ID].to_numpy(), int(fold_of_row.max()) + 1
    if n_folds < 3:
        raise ValueError(
            f"Row models need three folds or more to leave out two, found {n_folds}.\n"
            "Hint: raise cross_validation.n_folds, or take the names out of row_models.candidates."
        )
    for history in row_models.histories:
        history_rows.read(history, 0, 0)  # nobody's rows: one that was not written is found before anything is fitted
    left_out = [*range(n_folds), ALL_FOLDS]
    tables = [pd.DataFrame({_ID: ids, "FOLD": fold_of_row, "LEFT_OUT": fold}) for fold in left_out]
    for history in row_models.histories:
        rows = history_rows.read(history)
        place = pd.Index(ids).get_indexer(rows[_ID])
        rows, place = rows[place >= 0], place[place >= 0]
        if rows.empty:
            raise ValueError(
                f"Row models of `{history}`: expected single rows of the training applicants, found none.\n"
                "Hint: data_processing writes them if row_models.candidates names a candidate: run it again, "
                "`kedro run`, or take the history out of row_models.histories."
            )
        outcome, fold = training[_OUTCOME].to_numpy()[place], fold_of_row[place]
        risk = {number: np.empty(len(rows)) for number in left_out}
        for one, other in combinations_with_replacement(range(n_folds), 2):
            model = _fit(rows, outcome, row_models, (fold != one) & (fold != other))
            for scored, validated in {(one, other), (other, one)}:
                inside = fold == scored
                risk[validated][inside] = score_rows(model, rows[inside])
        for number in range(n_folds):
            risk[ALL_FOLDS][fold == number] = risk[number][fold == number]
        logger.info("Row models of %s: %d rows, %d fits", history, len(rows), n_folds * (n_folds + 1) // 2)
        tables = [
            pd.concat([table, summarise_risks(history, rows, risk[number], ids)], axis=1)
            for number, table in zip(left_out, tables, strict=True)
        ]
    return pd.concat(tables, ignore_index=True)


def _outcomes_of(rows: pd.DataFrame, training: pd.DataFrame) -> npt.NDArray[np.float64]:
    return training.set_index(_ID)[_OUTCOME].reindex(rows[_ID]).to_numpy(dtype=float)


def _fit(
    rows: pd.DataFrame, outcome: npt.NDArray[Any], row_models: RowModelOptions, learnt: npt.NDArray[np.bool_]
) -> ScoringModel:
    part = np.flatnonzero(learnt)
    if row_models.max_rows is not None and len(part) > row_models.max_rows:
        part = np.sort(np.random.default_rng(row_models.seed).choice(part, row_models.max_rows, replace=False))
    return fit_model(row_models.family, row_models.params, row_columns(rows.iloc[part]), outcome[part])
