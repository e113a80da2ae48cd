"""Models of default that learn from single rows of histories, and the features of an applicant made of what they say.

A history is reduced to features by hand: means, extremes, windows. A row model looks at one row at a time (an earlier
application, a credit elsewhere, an instalment), with the outcome of its applicant, and so finds by itself which rows
are those of defaulters. Its probabilities, aggregated per applicant, are the features.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.models.base import ScoringModel

HistoryName = Literal["previous", "bureau", "installments"]
HISTORY_NAMES: tuple[HistoryName, ...] = get_args(HistoryName)
AGGREGATES = ("MEAN", "MAX", "MIN", "LAST")
"""Of the probabilities of an applicant's rows; `LAST` is that of the latest row."""

_CLIENT_KEY, _RANK = "SK_ID_CURR", "RANK"
_MARK = "_ROW_RISK_"
_ROWS_AT_ONCE = 500_000


class HistoryRows(Protocol):
    """Where the single rows of histories are read."""

    def read(self, history: str, first: int | None = None, last: int | None = None) -> pd.DataFrame:
        """Return the rows of the applicants with ids from `first` to `last`, those of one applicant latest first."""
        ...


class RowModels:
    """The row models that are served, one per history; none makes no features.

    Args:
        models: History -> model, fitted on rows of training applicants.
    """

    def __init__(self, models: Mapping[str, ScoringModel] | None = None) -> None:
        self.models = dict(models or {})

    @property
    def libraries(self) -> tuple[str, ...]:
        """What has to be installed to use the models."""
        return tuple(dict.fromkeys(library for model in self.models.values() for library in model.libraries))

    @property
    def feature_names(self) -> list[str]:
        """Names of the features, in order."""
        return [name for history in self.models for name in row_feature_names(history)]

    def features(self, rows: Mapping[str, pd.DataFrame], applicants: npt.ArrayLike) -> pd.DataFrame:
        """Make the features of some applicants: of thousands, or of one.

        Args:
            rows: History -> its single rows as `credit_scoring.features.history_rows` measures them, those of one
                applicant latest first. Rows of others are left out, a history that is not there counts as empty.
            applicants: SK_ID_CURR of the applicants.

        Returns:
            One row per applicant, in their order: `feature_names`, null for an applicant without such a history.
        """
        ids = np.asarray(applicants)
        made = [
            summarise_risks(history, known, score_rows(model, known), ids)
            for history, model in self.models.items()
            for known in [_rows_of(rows.get(history), ids)]
        ]
        return pd.concat(made, axis=1) if made else pd.DataFrame(index=pd.RangeIndex(len(ids)))

    def complete(self, applicants: pd.DataFrame, histories: HistoryRows) -> pd.DataFrame:
        """Add the features to a table of applicants, read from the rows that belong to them.

        Args:
            applicants: One row per applicant, with SK_ID_CURR. Nearby ids make it fast: the rows between are read.
            histories: Where the rows are.

        Returns:
            The same rows with the features as further columns, which replace columns of these names.
        """
        if not self.models or applicants.empty:
            return applicants
        ids = applicants[_CLIENT_KEY]
        rows = {history: histories.read(history, int(ids.min()), int(ids.max())) for history in self.models}
        return applicants.assign(**self.features(rows, ids).set_axis(applicants.index))


NO_ROW_MODELS = RowModels()
"""What a model without features from row models is served with."""


def row_feature_names(history: str) -> list[str]:
    """Return the names of the features of a history's row model."""
    return [f"{history.upper()}{_MARK}{aggregate}" for aggregate in AGGREGATES]


def row_features_among(names: Iterable[str]) -> list[str]:
    """Return those of the names that are features of row models."""
    return [name for name in names if _MARK in name]


def score_rows(model: ScoringModel, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return the probability of default that each row suggests, shape (n,), some rows at a time to bound memory."""
    parts = [rows.iloc[start : start + _ROWS_AT_ONCE] for start in range(0, len(rows), _ROWS_AT_ONCE)]
    return np.concatenate([np.empty(0), *(model.predict_proba(row_columns(part))[:, 1] for part in parts)])


def row_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what a row model is given of the rows: all but whose they are."""
    return rows.drop(columns=_CLIENT_KEY)


def summarise_risks(
    history: str, rows: pd.DataFrame, risk: npt.NDArray[np.float64], applicants: npt.NDArray[np.int_]
) -> pd.DataFrame:
    """Aggregate the probabilities of single rows per applicant.

    Args:
        history: Names the features.
        rows: SK_ID_CURR and RANK of each row, 1 being the applicant's latest.
        risk: Probability that each row suggests.
        applicants: SK_ID_CURR of the applicants wanted.

    Returns:
        One row per applicant, in their order: the features, null for an applicant without a row.
    """
    known = pd.DataFrame({"risk": risk, "last": np.where(rows[_RANK] == 1, risk, np.nan)})
    by_applicant = known.groupby(rows[_CLIENT_KEY].to_numpy())
    aggregated = by_applicant["risk"].agg(["mean", "max", "min"]).assign(last=by_applicant["last"].max())
    return aggregated.reindex(applicants).set_axis(row_feature_names(history), axis=1).reset_index(drop=True)


def _rows_of(rows: pd.DataFrame | None, applicants: npt.NDArray[np.int_]) -> pd.DataFrame:
    if rows is None:
        return pd.DataFrame({_CLIENT_KEY: [], _RANK: []})
    return rows[rows[_CLIENT_KEY].isin(applicants)]
