"""Stratified folds, and the columns picked inside each: the same for everything that is compared on them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from credit_scoring.features.catalogue import FEATURES
from credit_scoring.features.records import Direction
from credit_scoring.models import ScoringModel, fit_model
from credit_scoring.models.base import text_columns
from credit_scoring.models.selection import SelectionOptions, select_features
from credit_scoring.models.target_features import TARGET_FEATURE_SOURCES
from credit_scoring.pipelines.modelling.options import CandidateOptions

NOT_FEATURES = ["SK_ID_CURR", "TARGET", "SPLIT"]


@dataclass(frozen=True)
class Folds:
    """Training rows dealt into folds, with the columns that a model of each fold is given.

    Attributes:
        features: One row per applicant.
        target: Their outcomes.
        fold_of_row: Fold in which each row is validated.
        columns: Names of the columns picked on the training rows of each fold.
    """

    features: pd.DataFrame
    target: pd.Series
    fold_of_row: npt.NDArray[np.int_]
    columns: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.columns)

    def __iter__(self) -> Iterator[tuple[npt.NDArray[np.int_], npt.NDArray[np.int_], list[str]]]:
        """Give training rows, validation rows and columns, fold by fold."""
        for fold, columns in enumerate(self.columns):
            inside = self.fold_of_row == fold
            yield np.flatnonzero(~inside), np.flatnonzero(inside), list(columns)


def split_columns(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Separate features from outcome."""
    return rows.drop(columns=NOT_FEATURES, errors="ignore"), rows["TARGET"]


def make_folds(rows: pd.DataFrame, n_folds: int, seed: int, selection: SelectionOptions) -> Folds:
    """Deal rows into stratified folds and pick the columns of each on its training rows alone.

    Raises:
        ValueError: If an outcome is missing, or one class has fewer rows than there are folds.
    """
    features, target = split_columns(rows)
    if unknown := int(target.isna().sum()):
        raise ValueError(f"TARGET: {unknown} training rows have none. Hint: rows without an outcome are for scoring.")
    rarest = int(target.value_counts().reindex([0, 1], fill_value=0).min())
    if rarest < n_folds:
        raise ValueError(
            f"TARGET: {n_folds} stratified folds need as many rows of each outcome, the rarer one has {rarest} in the "
            "training rows.\nHint: use more applicants or a smaller cross_validation.n_folds."
        )
    fold_of_row = np.empty(len(target), dtype=int)
    columns = []
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    for fold, (training, validation) in enumerate(splitter.split(features, target)):
        fold_of_row[validation] = fold
        columns.append(tuple(select_features(features.iloc[training], target.iloc[training], selection)))
    return Folds(features, target, fold_of_row, tuple(columns))


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


def directions_of(candidate: CandidateOptions, names: Sequence[str]) -> dict[str, Direction]:
    """Return the directions of those columns that have one: as the candidate says, else as declared in the records."""
    declared = {name: FEATURES[name].direction for name in names if name in FEATURES}
    own = {name: direction for name, direction in candidate.constraints.items() if name in names}
    return {name: direction for name, direction in (declared | own).items() if direction}


def check_constraints(candidates: Mapping[str, CandidateOptions], features: pd.DataFrame) -> None:
    """Look at the constraints of all candidates before anything is fitted.

    Raises:
        ValueError: If one is on a column that the models are not given, or on one of text; names every problem.
    """
    texts, problems = text_columns(features), []
    for name, candidate in candidates.items():
        for column in candidate.constraints:
            if column in features and column not in texts:
                continue
            meant = "".join(f", did you mean {match}?" for match in get_close_matches(column, features.columns, n=1))
            found = "holds text" if column in texts else f"is not among the columns that models learn from{meant}"
            problems.append(f"  - candidates.{name}.constraints: {column} {found}")
    if problems:
        raise ValueError(
            "Constraints that no model can keep:\n" + "\n".join(problems) + "\nHint: docs/feature_dictionary.md lists "
            "the columns with their directions; protected ones and what derives from them are left out."
        )
