"""What is said of a feature, against the feature."""

from collections.abc import Mapping

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from credit_scoring.features import SOURCES, join_features
from credit_scoring.features.documentation import FeatureEntry, document_features


@pytest.fixture(scope="module")
def entries() -> dict[str, FeatureEntry]:
    return {feature.name: feature for source in document_features() for feature in source.features}


def test_a_feature_that_is_said_to_be_never_null_is_never_null(
    entries: Mapping[str, FeatureEntry], random_tables: Mapping[str, pa.Table]
) -> None:
    tables = {name: ibis.memtable(table) for name, table in random_tables.items()}
    joined = join_features(
        *(source.compute(*(clean(tables[name]) for name, clean in source.clean.items())) for source in SOURCES)
    )
    features: pd.DataFrame = joined.to_pandas()
    wrong = {
        name
        for name, entry in entries.items()
        if not entry.null_when and features.loc[features[list(entry.histories)].all(axis=1), name].isna().any()
    }
    assert wrong == set()
    absent = [
        name
        for name, entry in entries.items()
        for flag in entry.histories
        if features.loc[features[flag] == 0, name].notna().any()
    ]
    assert absent == []
