"""What a server is told about the columns it is sent."""

import pandas as pd
import pytest

from credit_scoring.exported_model.writing.columns import describe_columns


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("AMT_CREDIT", "currency of the data"),
        ("DAYS_BIRTH", "days, negative before the application"),
        ("HAS_BUREAU", "1 for yes, 0 for no"),
        ("INSTALLMENTS_PAYMENT_SUM_90D", "currency of the data"),
        ("INSTALLMENTS_LATE_RATE_365D", "share, 0 to 1"),
        ("BUREAU_CLOSED_COUNT", "count"),
        ("APPLICATION_CREDIT_TO_ANNUITY_RATIO", "number, see its formula"),
        ("INSTALLMENTS_DELAY_MEAN_LAST_3", "days, may be negative"),
        ("BUREAU_DEBT_TO_INCOME_RATIO_ACTIVE", "ratio, 1 = 100 %"),
        ("PREVIOUS_ROW_RISK_LAST", "share, 0 to 1"),
    ],
)
def test_the_unit_of_a_column_is_that_of_its_record(name: str, unit: str) -> None:
    (column,) = describe_columns(pd.DataFrame({name: [1.0]}))
    assert column["unit"] == unit
