"""Features by DuckDB and by the plan, of the same raw tables."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from benchmarks import feature_plan
from benchmarks.parity import Difference, compare_tables
from credit_scoring.feature_plan import FeaturePlan, Features, Plan
from credit_scoring.features.plan import compile_plan
from tests.features.conftest import Raw, make_twin_tables, raw_names, typed

Tables = Mapping[str, pa.Table]
N_APPLICANTS = 1_000


class Batch:
    """The features as a run computes them."""

    def __init__(self) -> None:
        self._raw = Raw()

    def features(self, tables: Tables) -> pd.DataFrame:
        """Return a row per applicant."""
        return self._raw.compute_all(tables).to_pandas().drop(columns="TARGET")


def as_requests(tables: Tables) -> list[dict[str, Any]]:
    """Return tables as requests have them, without the outcome."""
    frames = {name: table.to_pandas() for name, table in tables.items()}
    return feature_plan.as_requests(frames | {"application": frames["application"].drop(columns="TARGET")})


def as_columns(tables: Tables) -> dict[str, dict[str, object]]:
    """Return tables as typed columns."""
    return {name.lower(): feature_plan.as_columns(table) for name, table in tables.items()}


def as_frame(features: Features, kinds: pd.Series) -> pd.DataFrame:
    """Return features as a table with these types."""
    frame = pd.DataFrame(features.numbers, columns=features.names).assign(SK_ID_CURR=features.applicants)
    return frame.assign(**features.texts).astype(kinds[frame.columns].to_dict())


def differences(found: Features, expected: pd.DataFrame) -> list[Difference]:
    """Compare what the plan and the batch give: keys, texts, whole numbers and nulls alike, real ones within 1e-9."""
    expected = expected[["SK_ID_CURR", *found.names]]
    return compare_tables(as_frame(found, expected.dtypes), expected, "SK_ID_CURR")


@pytest.fixture(scope="session")
def batch() -> Batch:
    return Batch()


@pytest.fixture(scope="session")
def full_plan() -> FeaturePlan:
    """The plan of all features, as it is read from its file."""
    return FeaturePlan(Plan.from_json(compile_plan().to_json()))


@pytest.fixture(scope="session")
def twin() -> Tables:
    tables = make_twin_tables(n_train=N_APPLICANTS * 4 // 5, n_test=N_APPLICANTS // 5)
    train, test = tables["application_train"], tables["application_test"]
    tables["application"] = pd.concat([train, test])
    return {name: typed(name, tables[name]) for name in dict.fromkeys(raw_names())}


@pytest.fixture(scope="session")
def expected(twin: Tables, batch: Batch) -> pd.DataFrame:
    return batch.features(twin)
