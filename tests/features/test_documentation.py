"""What is said of a feature, against the feature."""

from collections.abc import Mapping

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from credit_scoring.features import SOURCES, FeatureSource, join_features
from credit_scoring.features.documentation import FeatureEntry, _read_source, document_features
from credit_scoring.features.formulas import write_formula
from tests.features.formula_interpreter import Interpreter


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


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_every_formula_computes_its_feature(source: FeatureSource, random_tables: Mapping[str, pa.Table]) -> None:
    read = _read_source(source)
    clean = {name: clean(ibis.memtable(random_tables[name])) for name, clean in source.clean.items()}
    features = source.compute(*clean.values()).to_pandas().set_index("SK_ID_CURR").sort_index()
    interpreter = Interpreter({name: table.to_pandas() for name, table in clean.items()}, features)
    wrong = {}
    for name in features.columns:
        computed = interpreter.of_clients(read.terms[name]).reindex(features.index)
        if features[name].dtype.kind == "f":
            agrees = np.isclose(computed.astype(float), features[name], rtol=1e-6, atol=1e-6, equal_nan=True)
        else:
            agrees = (computed == features[name]) | (computed.isna() & features[name].isna())
        if not np.all(agrees):
            wrong[name] = write_formula(read.terms[name])
    assert wrong == {}
