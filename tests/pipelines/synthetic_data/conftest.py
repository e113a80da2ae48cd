"""One small twin, shared by all tests of the generator."""

from collections.abc import Callable

import pandas as pd
import pytest

from credit_scoring.pipelines.synthetic_data.nodes import generate_twin
from credit_scoring.pipelines.synthetic_data.options import SyntheticDataOptions
from credit_scoring.schemas.raw import OFFICIAL_TABLES

Twin = dict[str, pd.DataFrame]


def _make_twin(**options: object) -> Twin:
    """All chunks of a twin, joined, by table name."""
    chunks = list(generate_twin(SyntheticDataOptions(**options)))
    return {
        name: pd.concat([chunk[index] for chunk in chunks], ignore_index=True)
        for index, name in enumerate(OFFICIAL_TABLES)
    }


@pytest.fixture(scope="session")
def make_twin() -> Callable[..., Twin]:
    return _make_twin


@pytest.fixture(scope="session")
def twin() -> Twin:
    """Three chunks, the last one incomplete."""
    return _make_twin(n_train=22_000, n_test=3_500, seed=42)


@pytest.fixture(scope="session")
def train(twin: Twin) -> pd.DataFrame:
    return twin["application_train"]
