"""Data contract of the scores: what the scoring pipeline hands over."""

import ibis.expr.datatypes as dt
import numpy as np
import pandas as pd
import pandera.ibis as pa_ibis
import pyarrow as pa
from pandera.pandas import DataFrameModel, Field, dataframe_check
from pandera.typing.pandas import Series

_GAP = pa.struct([("column", pa.string()), ("gap", pa.string()), ("text", pa.string())])
_REASON = pa.struct([("effect", pa.string()), ("text", pa.string())])


class Scores(DataFrameModel):
    """One row per scored applicant: the probability of default, what the policy makes of it, whose they are.

    `gaps` is a list per applicant, mostly empty; `reasons` likewise, if it was asked for. Nothing is null but the
    column of a gap that is of no single one.
    """

    SK_ID_CURR: Series[int] = Field(unique=True, coerce=True)
    probability_default: Series[float] = Field(in_range={"min_value": 0, "max_value": 1})
    decision: Series[str] = Field(isin=["granted", "refused", "review"])
    threshold: Series[float] = Field(in_range={"min_value": 0, "max_value": 1})
    model_id: Series[str]
    model_digest: Series[str]
    gaps: Series[object]
    reasons: Series[object] | None

    class Config:
        """No other column."""

        strict = True

    @dataframe_check(error="An applicant with gaps is reviewed, any other refused where the threshold is reached.")
    def decides_by_gaps_and_threshold(cls, frame: pd.DataFrame) -> pd.Series:
        """Tell for every row whether the decision follows from gaps and probability."""
        refused = np.where(frame["probability_default"] >= frame["threshold"], "refused", "granted")
        return frame["decision"] == np.where(frame["gaps"].map(len) > 0, "review", refused)


class ScoredApplicants(pa_ibis.DataFrameModel):
    """The whole table of scores, however long: no applicant twice."""

    SK_ID_CURR: dt.Int64

    class Config:
        """Each applicant once: Pandera's Ibis back end checks that here, and ignores it on a field."""

        unique = ["SK_ID_CURR"]  # noqa: RUF012 - read, not changed


def as_arrow(scores: pd.DataFrame) -> pa.Table:
    """Return scores as an Arrow table of types that do not depend on the values: gaps and reasons are structures."""
    types = {
        "SK_ID_CURR": pa.int64(),
        "probability_default": pa.float64(),
        "decision": pa.string(),
        "threshold": pa.float64(),
        "model_id": pa.string(),
        "model_digest": pa.string(),
        "gaps": pa.list_(_GAP),
        "reasons": pa.list_(_REASON),
    }
    fields = [pa.field(name, types[name], nullable=False) for name in scores.columns]
    return pa.Table.from_pandas(scores, schema=pa.schema(fields), preserve_index=False)
