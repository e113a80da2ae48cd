"""What is said of a feature, against the feature."""

from collections.abc import Mapping
from typing import NamedTuple

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from credit_scoring.features import SOURCES, FeatureSource, join_features
from credit_scoring.features.documentation import FeatureEntry, _read_source, document_features
from credit_scoring.features.formulas import write_formula
from tests.features.formula_interpreter import Interpreter


class Computed(NamedTuple):
    clean: Mapping[str, pd.DataFrame]
    features: pd.DataFrame


@pytest.fixture(scope="module")
def computed(random_tables: Mapping[str, pa.Table]) -> Mapping[str, Computed]:
    """Return clean tables and features of every source, by source."""

    def compute(source: FeatureSource) -> Computed:
        clean = {name: clean(ibis.memtable(random_tables[name])) for name, clean in source.clean.items()}
        features = source.compute(*clean.values()).to_pandas()
        return Computed({name: table.to_pandas() for name, table in clean.items()}, features)

    return {source.name: compute(source) for source in SOURCES}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_every_formula_computes_its_feature(source: FeatureSource, computed: Mapping[str, Computed]) -> None:
    terms = _read_source(source).terms
    features = computed[source.name].features.set_index("SK_ID_CURR")
    interpreter = Interpreter(computed[source.name].clean, features)
    wrong = {}
    for name in features.columns:
        values = interpreter.of_clients(terms[name]).reindex(features.index)
        if features[name].dtype.kind == "f":
            agrees = np.isclose(values.astype(float), features[name], rtol=1e-6, atol=1e-6, equal_nan=True)
        else:
            agrees = (values == features[name]) | (values.isna() & features[name].isna())
        if not np.all(agrees):
            wrong[name] = write_formula(terms[name])
    assert wrong == {}


def test_a_feature_is_null_without_its_history_and_never_where_it_is_said_never_to_be(
    computed: Mapping[str, Computed],
) -> None:
    features = join_features(*(ibis.memtable(item.features) for item in computed.values())).to_pandas()
    entries: dict[str, FeatureEntry] = {item.name: item for source in document_features() for item in source.features}
    assert sorted(entries) == sorted(features.columns)
    null_despite = {
        name
        for name, entry in entries.items()
        if not entry.null_when and features.loc[features[list(entry.histories)].all(axis=1), name].isna().any()
    }
    known_without = {
        name
        for name, entry in entries.items()
        for flag in entry.histories
        if features.loc[features[flag] == 0, name].notna().any()
    }
    assert (null_despite, known_without) == (set(), set())
