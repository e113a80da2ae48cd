"""What holds for the features of every source, on random tables full of quirks."""

import ast
from pathlib import Path

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import credit_scoring.features as package
from credit_scoring.features import SOURCES, FeatureSource, join_features
from credit_scoring.features.dictionary import describe_feature
from credit_scoring.features.naming import parse_feature_name
from tests.features.conftest import Raw, Tables, arrow, read

MODULES = sorted(Path(package.__file__).parent.glob("*.py"))
SOURCE_IDS = [source.name for source in SOURCES]
RAW_COLUMNS_KEPT = set(arrow("application", []).column_names)

each_source = pytest.mark.parametrize("source", SOURCES, ids=SOURCE_IDS)


def expression(source: FeatureSource, tables: Tables) -> ir.Table:
    return source.compute(*(clean(ibis.memtable(tables[name])) for name, clean in source.clean.items()))


@pytest.fixture(scope="module")
def computed(raw: Raw, random_tables: Tables) -> dict[str, pd.DataFrame]:
    return {source.name: read(raw.compute(source.name, random_tables)) for source in SOURCES}


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found, expected, rtol=1e-9, atol=1e-9, check_index_type=False)


@each_source
def test_the_random_tables_exercise_the_source(source: FeatureSource, computed: dict[str, pd.DataFrame]) -> None:
    assert len(computed[source.name]) >= 10
    assert computed[source.name].notna().any().mean() > 0.95


@each_source
def test_one_row_per_client(source: FeatureSource, computed: dict[str, pd.DataFrame]) -> None:
    assert computed[source.name].index.is_unique


@each_source
def test_the_order_of_rows_does_not_matter(
    source: FeatureSource, computed: dict[str, pd.DataFrame], raw: Raw, random_tables: Tables
) -> None:
    rng = np.random.default_rng(1)
    shuffled = {name: random_tables[name].take(rng.permutation(len(random_tables[name]))) for name in source.clean}
    assert_same(read(raw.compute(source.name, shuffled)), computed[source.name])


@each_source
def test_other_clients_do_not_matter(
    source: FeatureSource, computed: dict[str, pd.DataFrame], raw: Raw, random_tables: Tables
) -> None:
    client = int(computed[source.name].index[0])
    alone = {
        name: table.filter(pc.equal(table["SK_ID_CURR"], client)) if "SK_ID_CURR" in table.column_names else table
        for name, table in random_tables.items()
    }
    assert_same(read(raw.compute(source.name, alone)), computed[source.name].loc[[client]])


@each_source
def test_nothing_is_infinite_nor_nan_inside_the_engine(source: FeatureSource, raw: Raw, random_tables: Tables) -> None:
    table = raw.compute(source.name, random_tables)
    numbers = [field.name for field in table.schema if pa.types.is_floating(field.type)]
    assert numbers
    assert [name for name in numbers if pc.all(pc.is_finite(table[name])).as_py() not in (True, None)] == []


@each_source
def test_an_empty_table_gives_the_same_columns_and_no_row(
    source: FeatureSource, raw: Raw, random_tables: Tables
) -> None:
    empty, full = raw.compute(source.name, {}), raw.compute(source.name, random_tables)
    assert empty.schema == full.schema
    assert len(empty) == 0


@each_source
def test_features_are_real_numbers_or_text(source: FeatureSource, random_tables: Tables) -> None:
    schema = expression(source, random_tables).schema()
    features = {name: str(kind) for name, kind in schema.items() if name not in ("SK_ID_CURR", "TARGET")}
    assert set(features.values()) <= {"float64", "string"}


@pytest.mark.parametrize(
    ("source", "counted", "rows"),
    [
        ("bureau", "BUREAU_CREDITS_COUNT", "dropped"),
        ("previous_application", "PREVIOUS_APPLICATIONS_COUNT", "dropped"),
        ("installments", "INSTALLMENTS_PAYMENT_SUM", "kept"),
    ],
)
def test_repeated_rows_are_dropped_where_a_row_has_a_key_and_kept_where_it_may_be_a_second_payment(
    source: str, counted: str, rows: str, computed: dict[str, pd.DataFrame], raw: Raw, random_tables: Tables
) -> None:
    main = {"bureau": "bureau", "previous_application": "previous_application"}.get(source, "installments_payments")
    twice = {**random_tables, main: pa.concat_tables([random_tables[main]] * 2)}
    ratio = read(raw.compute(source, twice))[counted] / computed[source][counted]
    assert ratio.dropna().tolist() == pytest.approx([1 if rows == "dropped" else 2] * ratio.count())


@pytest.fixture(scope="module")
def joined_columns(random_tables: Tables) -> list[str]:
    return list(join_features(*(expression(source, random_tables) for source in SOURCES)).columns)


def test_there_are_at_least_300_features(joined_columns: list[str]) -> None:
    assert len(set(joined_columns) - {"SK_ID_CURR", "TARGET"}) >= 300


def test_names_follow_the_grammar_under_the_prefix_of_their_source(random_tables: Tables) -> None:
    for source in SOURCES:
        for column in expression(source, random_tables).columns:
            if column not in RAW_COLUMNS_KEPT:
                assert parse_feature_name(column).source in source.prefixes


def test_every_feature_is_explained_in_both_languages(joined_columns: list[str]) -> None:
    engineered = [column for column in joined_columns if column not in RAW_COLUMNS_KEPT]
    for language in ("en", "fr"):
        meanings = {column: describe_feature(column, language) for column in engineered}
        assert len(set(meanings.values())) == len(engineered), pd.Series(meanings)[
            pd.Series(meanings).duplicated(keep=False)
        ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_features_are_pure_expressions(path: Path) -> None:
    """No engine, no SQL, no data frame, no outcome: checked on the syntax tree, so that docstrings may name them."""
    tree = ast.parse(path.read_text())
    imported = {
        alias.name.split(".")[0] if isinstance(node, ast.Import) else (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= {"ibis", "credit_scoring", "collections", "dataclasses", "functools", "re", "typing"}
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not attributes & {"execute", "to_pandas", "to_pyarrow", "sql", "raw_sql", "connect", "TARGET"}
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert ("TARGET" in texts) == (path.name == "expressions.py")  # where the one constant is kept
