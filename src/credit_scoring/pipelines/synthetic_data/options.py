"""Typed parameters of the synthetic data pipeline."""

from pydantic import BaseModel, ConfigDict, Field


class SyntheticDataOptions(BaseModel):
    """What to generate. Equal options give equal files.

    Attributes:
        n_train: Number of applicants whose outcome is known.
        n_test: Number of applicants to be scored.
        seed: Another seed gives other clients of the same population.
        test_drift: Whether test applicants differ from train applicants the way the official files do: hardly any
            revolving loans, smaller amounts over shorter terms with larger annuities, EXT_SOURCE_1 known more often,
            more e-mail addresses, hardly any inquiries of the last week and month but more of the last quarter,
            document 3 more and the rare documents not at all, an earlier change of phone, slightly more women, and a
            monthly status (bureau_balance) of all their credits up to the month of the application. Without drift,
            train and test applicants are drawn from one and the same population.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_train: int = Field(10_000, ge=1, le=1_000_000)
    n_test: int = Field(2_000, ge=0, le=200_000)
    seed: int = Field(42, ge=0, lt=2**31)
    test_drift: bool = True
