"""The Ibis features against an independent pandas implementation, value by value."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.pandas_features import COLUMNS, compute_features
from tests.features.conftest import Raw, Tables, make_twin_tables, read, typed


@pytest.fixture(scope="module")
def twin_tables() -> Mapping[str, pa.Table]:
    """Return the raw tables of a small twin, its applicants of both kinds in one table."""
    frames = make_twin_tables(n_train=1_500, n_test=300, seed=7)
    frames["application"] = pd.concat([frames.pop("application_train"), frames.pop("application_test")])
    return {name: typed(name, frame) for name, frame in frames.items()}


def pandas_features(tables: Tables) -> pd.DataFrame:
    return compute_features(lambda name: tables[name].to_pandas()[list(COLUMNS[name])].astype(COLUMNS[name]))


@pytest.mark.parametrize("tables", ["twin_tables", "random_tables"])
def test_every_value_agrees(tables: str, raw: Raw, request: pytest.FixtureRequest) -> None:
    data = request.getfixturevalue(tables)
    expected = pandas_features(data)
    found = read(raw.compute_all(data))
    assert found.index.tolist() == expected.index.tolist()
    different = {}
    for name, column in expected.items():
        same = _same(found[name], column)
        if not same.all():
            different[name] = pd.DataFrame({"ibis": found[name], "pandas": column})[~same].head(3)
    assert not different, "\n".join(f"{name}\n{rows}" for name, rows in different.items())


def test_the_subset_has_values_from_all_seven_tables(twin_tables: Tables) -> None:
    features = pandas_features(twin_tables)
    prefixes = ("APPLICATION", "BUREAU", "BUREAU_BALANCE", "PREVIOUS", "POS_CASH", "INSTALLMENTS", "CREDIT_CARD")
    for prefix in prefixes:
        of_source = features.filter(regex=f"^{prefix}_")
        assert of_source.shape[1] >= 10
        assert of_source.nunique().min() > 1, of_source.nunique().idxmin()


def _same(found: pd.Series, expected: pd.Series) -> pd.Series:
    if expected.dtype == "str":
        return (found == expected) | (found.isna() & expected.isna())
    expected = expected.astype("float64")
    # Where terms cancel, the rounding of a sum is relative to its terms, not to what is left of them.
    rounding = 1e-12 * expected.abs().max()
    return pd.Series(np.isclose(found, expected, rtol=1e-9, atol=rounding, equal_nan=True), found.index)
