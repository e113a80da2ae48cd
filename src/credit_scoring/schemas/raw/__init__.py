"""Data contracts of the raw files: the eight official ones of Home Credit, and any that a user adds.

Types are declared, never guessed from a sample of rows: `bureau_balance.STATUS` looks numeric on a head of digits, and
a count column that has a null further down is written `12.0`. Sources: the column dictionary published with the Kaggle
competition *Home Credit Default Risk*, published counts of the official files, and, for bounds, what the columns mean.
"""

from collections.abc import Mapping
from types import MappingProxyType

from credit_scoring.schemas.contract import INTEGER, REAL, TEXT, RawTable
from credit_scoring.schemas.raw.application import APPLICATION_TEST, APPLICATION_TRAIN
from credit_scoring.schemas.raw.bureau import BUREAU, BUREAU_BALANCE
from credit_scoring.schemas.raw.monthly_balances import CREDIT_CARD_BALANCE, INSTALLMENTS_PAYMENTS, POS_CASH_BALANCE
from credit_scoring.schemas.raw.previous_application import PREVIOUS_APPLICATION

__all__ = ["INTEGER", "OFFICIAL_TABLES", "RAW_TABLES", "REAL", "TEXT", "RawTable", "contract_of"]

RAW_TABLES: Mapping[str, RawTable] = MappingProxyType(
    {
        table.name: table
        for table in (
            APPLICATION_TRAIN,
            APPLICATION_TEST,
            BUREAU,
            BUREAU_BALANCE,
            PREVIOUS_APPLICATION,
            POS_CASH_BALANCE,
            INSTALLMENTS_PAYMENTS,
            CREDIT_CARD_BALANCE,
        )
    }
)
"""Every raw file, by table name."""

OFFICIAL_TABLES: Mapping[str, RawTable] = MappingProxyType(
    {name: table for name, table in RAW_TABLES.items() if table.official_rows}
)
"""The eight official files, which the synthetic twin has, too."""


def contract_of(table: str) -> RawTable:
    """Return the contract of a raw table as features read it.

    The applications to learn from and those to score are stacked into `application` before they are cleaned: its
    columns are those of `application_train`, of which TARGET is null for an applicant to score.

    Args:
        table: Name of a raw file, or `application`.
    """
    return RAW_TABLES["application_train" if table == "application" else table]
