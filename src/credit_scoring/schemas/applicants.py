"""Data contracts of the per-applicant tables."""

import ibis.expr.datatypes as dt
import numpy as np
import pandas as pd
import pandera.ibis as pa_ibis
import pandera.pandas as pa
from pandera.typing.pandas import Series


class ApplicantFeatures(pa_ibis.DataFrameModel):
    """One row per applicant, regardless of what the histories held: the guard of the joins.

    Every join is a left join onto the applications, so a row cannot be lost; a repeated `SK_ID_CURR` means that a
    history was not aggregated to one row per applicant before it was joined.
    """

    SK_ID_CURR: dt.Int32

    class Config:
        """Each applicant once: Pandera's Ibis back end checks that here, and ignores it on a field."""

        unique = ["SK_ID_CURR"]  # noqa: RUF012 - read, not changed


class ModelInput(pa.DataFrameModel):
    """One row per applicant whose outcome is known, with all features and the side of the split it belongs to."""

    SK_ID_CURR: Series[int] = pa.Field(unique=True, coerce=True)
    TARGET: Series[int] = pa.Field(isin=[0, 1], coerce=True)
    SPLIT: Series[str] = pa.Field(isin=["train", "holdout"])

    @pa.dataframe_check(error="No number is infinite.")
    def has_finite_numbers(cls, frame: pd.DataFrame) -> bool:
        """Tell whether every number is finite or null: one infinity would spoil means and scalings of its column."""
        return not any(np.isinf(frame[column].to_numpy()).any() for column in frame.select_dtypes("float"))
