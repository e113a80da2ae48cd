"""Data contract of the scores: what the scoring pipeline hands over."""

import ibis.expr.datatypes as dt
import pandas as pd
import pandera.ibis as pa_ibis
import pyarrow as pa
from pandera.pandas import DataFrameModel, Field, dataframe_check
from pandera.typing.pandas import Series

_REASON = pa.struct([("effect", pa.string()), ("text", pa.string())])


class Scores(DataFrameModel):
    """One row per scored applicant: the probability of default, what the policy makes of it, whose they are.

    `reasons` is there if it was asked for: a list per applicant, which may be empty. Nothing is null.
    """

    SK_ID_CURR: Series[int] = Field(unique=True, coerce=True)
    probability_default: Series[float] = Field(in_range={"min_value": 0, "max_value": 1})
    decision: Series[str] = Field(isin=["granted", "refused"])
    threshold: Series[float] = Field(in_range={"min_value": 0, "max_value": 1})
    model_id: Series[str]
    model_digest: Series[str]
    reasons: Series[object] | None

    class Config:
        """No other column."""

        strict = True

    @dataframe_check(error="An applicant is refused exactly where the probability reaches the threshold.")
    def decides_by_threshold(cls, frame: pd.DataFrame) -> pd.Series:
        """Tell for every row whether the decision follows from the probability."""
        return (frame["probability_default"] >= frame["threshold"]) == (frame["decision"] == "refused")


class ScoredApplicants(pa_ibis.DataFrameModel):
    """The whole table of scores, however long: no applicant twice."""

    SK_ID_CURR: dt.Int64

    class Config:
        """Each applicant once: Pandera's Ibis back end checks that here, and ignores it on a field."""

        unique = ["SK_ID_CURR"]  # noqa: RUF012 - read, not changed


def as_arrow(scores: pd.DataFrame) -> pa.Table:
    """Return scores as an Arrow table whose types do not depend on the values, `reasons` as lists of structures."""
    types = {
        "SK_ID_CURR": pa.int64(),
        "probability_default": pa.float64(),
        "decision": pa.string(),
        "threshold": pa.float64(),
        "model_id": pa.string(),
        "model_digest": pa.string(),
        "reasons": pa.list_(_REASON),
    }
    fields = [pa.field(name, types[name], nullable=False) for name in scores.columns]
    return pa.Table.from_pandas(scores, schema=pa.schema(fields), preserve_index=False)
