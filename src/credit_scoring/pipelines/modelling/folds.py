"""Stratified folds, and the columns picked inside each: the same for everything that is compared on them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from credit_scoring.features.catalogue import FEATURES
from credit_scoring.features.records import Direction
from credit_scoring.models import ScoringModel, fit_model
from credit_scoring.models.row_models import row_features_among
from credit_scoring.models.selection import SelectionOptions, select_features
from credit_scoring.models.target_features import TARGET_FEATURE_SOURCES
from credit_scoring.parallel import Workers
from credit_scoring.pipelines.modelling.options import CandidateOptions

NOT_FEATURES = ["SK_ID_CURR", "TARGET", "SPLIT"]
ALL_FOLDS = -1
"""Stands for the fold left out where none is: of the features from row models that the final model learns from."""


@dataclass(frozen=True)
class Folds:
    """Training rows dealt into folds, with the columns that a model of each fold is given.

    Attributes:
        features: One row per applicant.
        target: Their outcomes.
        fold_of_row: Fold in which each row is validated.
        columns: Names of the columns picked on the training rows of each fold.
        row_features: Features from row models that each fold learns from and is scored by; none without row models.
    """

    features: pd.DataFrame
    target: pd.Series
    fold_of_row: npt.NDArray[np.int_]
    columns: tuple[tuple[str, ...], ...]
    row_features: tuple[pd.DataFrame, ...] = ()

    def __len__(self) -> int:
        return len(self.columns)

    def __iter__(self) -> Iterator[tuple[pd.DataFrame, npt.NDArray[np.int_], npt.NDArray[np.int_], list[str]]]:
        """Give what `of` returns, fold by fold."""
        return map(self.of, range(len(self)))

    def of(self, fold: int) -> tuple[pd.DataFrame, npt.NDArray[np.int_], npt.NDArray[np.int_], list[str]]:
        """Return features, positions of training and of validation rows, and columns of a fold.

        The features are those of all rows as the models of the fold see them, with those from row models: none knows an
        outcome of the fold's validation rows.
        """
        inside = self.fold_of_row == fold
        seen = _replace_columns(self.features, self.row_features[fold]) if self.row_features else self.features
        return seen, np.flatnonzero(~inside), np.flatnonzero(inside), list(self.columns[fold])


def split_columns(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Separate features from outcome."""
    return rows.drop(columns=NOT_FEATURES, errors="ignore"), rows["TARGET"]


def join_row_features(rows: pd.DataFrame, row_features: pd.DataFrame | None, left_out: int) -> pd.DataFrame:
    """Add to applicants their features from row models, as they are for the models that one fold is left out of."""
    if row_features is None or row_features.empty:
        return rows
    made = row_features[row_features["LEFT_OUT"] == left_out].set_index("SK_ID_CURR")
    made = made[row_features_among(made.columns)].loc[rows["SK_ID_CURR"]]
    return _replace_columns(rows, made.set_axis(rows.index))


def _replace_columns(rows: pd.DataFrame, columns: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([rows.drop(columns=columns.columns, errors="ignore"), columns], axis=1)


def select_plain_features(X: pd.DataFrame, y: pd.Series, selection: SelectionOptions) -> list[str]:
    """Pick the columns that all candidates are given: features from row models are not among them."""
    return select_features(X.drop(columns=row_features_among(X.columns)), y, selection)


def make_folds(
    rows: pd.DataFrame,
    n_folds: int,
    seed: int,
    selection: SelectionOptions,
    row_features: pd.DataFrame | None = None,
    n_jobs: int = 1,
) -> Folds:
    """Deal rows into stratified folds and pick the columns of each on its training rows alone.

    Args:
        rows: One row per applicant: `SK_ID_CURR`, `TARGET`, features.
        n_folds: Number of folds.
        seed: Seed of the deal.
        selection: Columns that models are given.
        row_features: Features from row models by fold left out, see `row_features.cross_fit_row_features`.
        n_jobs: Folds whose columns are picked at once, see `Workers`.

    Raises:
        ValueError: If an outcome is missing, one class has fewer rows than there are folds, or `row_features` were made
            on other folds.
    """
    features, target = split_columns(rows)
    fold_of_row = deal_rows(target, n_folds, seed)
    with Workers((features, target, fold_of_row), n_jobs) as workers:
        picked = [workers.start(_pick_columns, fold, selection) for fold in range(n_folds)]
        columns = tuple(tuple(of_fold()) for of_fold in picked)
    made = _row_features_by_fold(rows[["SK_ID_CURR"]], fold_of_row, row_features) if row_features is not None else ()
    return Folds(features, target, fold_of_row, columns, made)


def _pick_columns(
    rows: tuple[pd.DataFrame, pd.Series, npt.NDArray[np.int_]], fold: int, selection: SelectionOptions
) -> list[str]:
    features, target, fold_of_row = rows
    training = np.flatnonzero(fold_of_row != fold)
    return select_plain_features(features.iloc[training], target.iloc[training], selection)


def _row_features_by_fold(
    ids: pd.DataFrame, fold_of_row: npt.NDArray[np.int_], row_features: pd.DataFrame
) -> tuple[pd.DataFrame, ...]:
    if row_features.empty:
        return ()
    dealt = row_features[row_features["LEFT_OUT"] == ALL_FOLDS].set_index("SK_ID_CURR")["FOLD"]
    if not np.array_equal(dealt.reindex(ids["SK_ID_CURR"]), fold_of_row):
        raise ValueError(
            "Features from row models were made on other folds than those that models are compared on.\n"
            "Hint: `kedro run --pipelines modelling` makes both with the same parameters."
        )
    folds = range(int(fold_of_row.max()) + 1)
    return tuple(join_row_features(ids, row_features, fold).drop(columns="SK_ID_CURR") for fold in folds)


def deal_rows(target: pd.Series, n_folds: int, seed: int) -> npt.NDArray[np.int_]:
    """Return the fold in which each row is validated: stratified, and of each outcome as many in every fold.

    Raises:
        ValueError: If an outcome is missing, or one class has fewer rows than there are folds.
    """
    if unknown := int(target.isna().sum()):
        raise ValueError(f"TARGET: {unknown} training rows have none. Hint: rows without an outcome are for scoring.")
    rarest = int(target.value_counts().reindex([0, 1], fill_value=0).min())
    if rarest < n_folds:
        raise ValueError(
            f"TARGET: {n_folds} stratified folds need as many rows of each outcome, the rarer one has {rarest} in the "
            "training rows.\nHint: use more applicants or a smaller cross_validation.n_folds."
        )
    fold_of_row = np.empty(len(target), dtype=int)
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    for fold, (_, validation) in enumerate(splitter.split(target, target)):
        fold_of_row[validation] = fold
    return fold_of_row


def stratified_part(target: pd.Series, max_rows: int | None, seed: int) -> npt.NDArray[np.int_]:
    """Return positions of at most `max_rows` rows, with both outcomes in proportion; all of them in order without."""
    rows = np.arange(len(target))
    if max_rows is None or len(rows) <= max_rows:
        return rows
    part, _ = train_test_split(rows, train_size=max_rows, stratify=target, random_state=seed)
    return np.sort(part)


def fit_candidate(
    candidate: CandidateOptions, X: pd.DataFrame, y: pd.Series, columns: Sequence[str], seed: int
) -> ScoringModel:
    """Fit a candidate on training rows and the columns picked for it; what it does to them, it does to no others."""
    part = stratified_part(y, candidate.max_rows, seed)
    names = list(columns)
    if candidate.target_features:
        names += [name for name in TARGET_FEATURE_SOURCES if name in X.columns and name not in names]
    if candidate.row_models:
        names += row_features_among(X.columns)
    directions = {"monotone_constraints": directions_of(candidate, names)} if candidate.monotone else {}
    return fit_model(
        candidate.family,
        candidate.params | directions,
        X.iloc[part][names],
        y.iloc[part],
        imbalance=candidate.imbalance,
        target_features=candidate.target_features,
        seed=seed,
    )


def fit_fold(folds: Folds, fold: int, candidate: CandidateOptions, seed: int) -> tuple[ScoringModel, pd.DataFrame]:
    """Return a candidate fitted on the training rows of a fold, and the features of its validation rows."""
    features, training, validation, columns = folds.of(fold)
    model = fit_candidate(candidate, features.iloc[training], folds.target.iloc[training], columns, seed)
    return model, features.iloc[validation]


def directions_of(candidate: CandidateOptions, names: Sequence[str]) -> dict[str, Direction]:
    """Return the directions of those columns that have one: as the candidate says, else as declared in the records."""
    declared = {name: FEATURES[name].direction for name in names if name in FEATURES}
    own = {name: direction for name, direction in candidate.constraints.items() if name in names}
    return {name: direction for name, direction in (declared | own).items() if direction}
