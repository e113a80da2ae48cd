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
from credit_scoring.features.join import join_features
from credit_scoring.features.records import Source
from credit_scoring.features.sources import SOURCES
from credit_scoring.schemas.raw import OFFICIAL_TABLES, RAW_TABLES
from tests.features.conftest import Raw, Tables, arrow, read

MODULES = sorted(Path(package.__file__).parent.glob("*.py"))
SOURCE_IDS = [source.name for source in SOURCES]
RAW_COLUMNS_KEPT = set(arrow("application", []).column_names)

each_source = pytest.mark.parametrize("source", SOURCES, ids=SOURCE_IDS)


def expression(source: Source, tables: Tables) -> ir.Table:
    return source.compute(*(clean(ibis.memtable(tables[name])) for name, clean in source.clean.items()))


@pytest.fixture(scope="module")
def computed(raw: Raw, random_tables: Tables) -> dict[str, pd.DataFrame]:
    return {source.name: read(raw.compute(source.name, random_tables)) for source in SOURCES}


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found, expected, rtol=1e-9, atol=1e-9, check_index_type=False)


@each_source
def test_the_random_tables_exercise_the_source(source: Source, computed: dict[str, pd.DataFrame]) -> None:
    assert len(computed[source.name]) >= 10
    assert computed[source.name].notna().any().mean() > 0.95


@each_source
def test_one_row_per_client(source: Source, computed: dict[str, pd.DataFrame]) -> None:
    assert computed[source.name].index.is_unique


@each_source
def test_the_order_of_rows_does_not_matter(
    source: Source, computed: dict[str, pd.DataFrame], raw: Raw, random_tables: Tables
) -> None:
    rng = np.random.default_rng(1)
    shuffled = {name: random_tables[name].take(rng.permutation(len(random_tables[name]))) for name in source.clean}
    assert_same(read(raw.compute(source.name, shuffled)), computed[source.name])


@each_source
def test_other_clients_do_not_matter(
    source: Source, computed: dict[str, pd.DataFrame], raw: Raw, random_tables: Tables
) -> None:
    client = int(computed[source.name].index[0])
    alone = {
        name: table.filter(pc.equal(table["SK_ID_CURR"], client)) if "SK_ID_CURR" in table.column_names else table
        for name, table in random_tables.items()
    }
    assert_same(read(raw.compute(source.name, alone)), computed[source.name].loc[[client]])


@each_source
def test_nothing_is_infinite_nor_nan_inside_the_engine(source: Source, raw: Raw, random_tables: Tables) -> None:
    table = raw.compute(source.name, random_tables)
    numbers = [field.name for field in table.schema if pa.types.is_floating(field.type)]
    assert numbers
    assert [name for name in numbers if pc.all(pc.is_finite(table[name])).as_py() not in (True, None)] == []


@each_source
def test_an_empty_table_gives_the_same_columns_and_no_row(source: Source, raw: Raw, random_tables: Tables) -> None:
    empty, full = raw.compute(source.name, {}), raw.compute(source.name, random_tables)
    assert empty.schema == full.schema
    assert len(empty) == 0


@each_source
def test_features_are_real_numbers_or_text(source: Source, random_tables: Tables) -> None:
    schema = expression(source, random_tables).schema()
    features = {name: str(kind) for name, kind in schema.items() if name not in ("SK_ID_CURR", "TARGET")}
    assert set(features.values()) <= {"float64", "string"}


def test_a_repeated_payment_is_a_second_payment(
    computed: dict[str, pd.DataFrame], raw: Raw, random_tables: Tables
) -> None:
    """The one table without a key; a repeated key in another one is refused when the file is read."""
    payments = random_tables["installments_payments"]
    doubled = read(
        raw.compute("installments", {**random_tables, "installments_payments": pa.concat_tables([payments] * 2)})
    )
    once = computed["installments"]
    for name, factor in {"PAYMENT_SUM": 2, "INSTALMENTS_COUNT": 1, "LATE_RATE": 1, "LOANS_COUNT": 1}.items():
        expected = (factor * once[f"INSTALLMENTS_{name}"]).tolist()
        assert doubled[f"INSTALLMENTS_{name}"].tolist() == pytest.approx(expected, nan_ok=True)


def _with_column(table: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    field = table.schema.field(name)
    return table.set_column(table.schema.get_field_index(name), field, values.cast(field.type))


def _reals(table: pa.Table, prefix: str = "") -> list[str]:
    return [f.name for f in table.schema if pa.types.is_floating(f.type) and f.name.startswith(prefix)]


@each_source
def test_a_negative_zero_is_a_zero(
    source: Source, computed: dict[str, pd.DataFrame], raw: Raw, random_tables: Tables
) -> None:
    signed = dict(random_tables)
    for table_name in source.clean:
        table = signed[table_name]
        every_other_row = pa.array(np.arange(len(table)) % 2 == 0)
        for name in _reals(table):
            is_zero = pc.and_(pc.equal(table[name], 0.0), every_other_row)
            table = _with_column(table, name, pc.if_else(is_zero, -0.0, table[name]))
        signed[table_name] = table
    assert_same(read(raw.compute(source.name, signed)), computed[source.name])


@each_source
@pytest.mark.parametrize("infinity", [np.inf, -np.inf])
def test_an_infinite_number_is_an_unknown_one(source: Source, infinity: float, raw: Raw, random_tables: Tables) -> None:
    infinite, unknown = dict(random_tables), dict(random_tables)
    for table_name in source.clean:
        every_third_row = pa.array(np.arange(len(random_tables[table_name])) % 3 == 0)
        for name in _reals(random_tables[table_name]):
            column = random_tables[table_name][name]
            for tables, value in ((infinite, infinity), (unknown, None)):
                replaced = pc.if_else(every_third_row, pa.scalar(value, pa.float64()), column)
                tables[table_name] = _with_column(tables[table_name], name, replaced)
    assert_same(read(raw.compute(source.name, infinite)), read(raw.compute(source.name, unknown)))


def date_of(table_name: str) -> str | None:
    """Name what places a row of a history in time: the first column of the contract that counts days or months."""
    return next((name for name in RAW_TABLES[table_name].columns if name.startswith(("DAYS_", "MONTHS_"))), None)


def test_the_date_of_a_history_is_found_in_its_contract() -> None:
    assert {name: date_of(name) for name in OFFICIAL_TABLES if not name.startswith("application")} == {
        "bureau": "DAYS_CREDIT",
        "bureau_balance": "MONTHS_BALANCE",
        "previous_application": "DAYS_DECISION",
        "POS_CASH_balance": "MONTHS_BALANCE",
        "installments_payments": "DAYS_INSTALMENT",
        "credit_card_balance": "MONTHS_BALANCE",
    }


each_history = pytest.mark.parametrize("source", SOURCES[1:], ids=SOURCE_IDS[1:])


@each_history
def test_what_lies_after_the_application_changes_nothing(
    source: Source, computed: dict[str, pd.DataFrame], raw: Raw, random_tables: Tables
) -> None:
    later = dict(random_tables)
    for table_name in source.clean:
        if (date := date_of(table_name)) is None:
            continue
        table = random_tables[table_name]
        future = table.slice(0, len(table) // 2)
        future = _with_column(future, date, pc.add(pc.abs(future[date]), 1))
        if len(key := RAW_TABLES[table_name].key) == 1:
            future = _with_column(future, *key, pc.add(future[key[0]], 10_000))
        later[table_name] = pa.concat_tables([table, future])
    assert_same(read(raw.compute(source.name, later)), computed[source.name])


@each_history
def test_a_history_of_a_hundred_years_stays_finite_and_its_clients_own(
    source: Source, computed: dict[str, pd.DataFrame], raw: Raw, random_tables: Tables
) -> None:
    client = int(computed[source.name].index[0])
    old = dict(random_tables)
    for table_name in source.clean:
        table = random_tables[table_name]
        if "SK_ID_CURR" not in table.column_names:
            continue
        for name in [name for name in table.column_names if name.startswith("DAYS") or name == "MONTHS_BALANCE"]:
            century = 1_200 if name == "MONTHS_BALANCE" else 36_525
            is_client = pc.equal(table["SK_ID_CURR"], client)
            table = _with_column(table, name, pc.if_else(is_client, pc.subtract(table[name], century), table[name]))
        old[table_name] = table
    found = read(raw.compute(source.name, old))
    numbers = found.loc[client].drop(found.columns[found.dtypes == "str"]).astype(float)
    assert numbers.notna().any()
    assert not np.isinf(numbers).any()
    assert_same(found.drop(index=client), computed[source.name].drop(index=client))


def test_histories_of_strangers_change_no_applicant(raw: Raw, random_tables: Tables) -> None:
    """Rows of clients, loans and credits that no other table knows."""
    strangers = dict(random_tables)
    for table_name in random_tables.keys() - {"application"}:
        table = random_tables[table_name]
        unknown = table.slice(0, 20)
        for key in [name for name in table.column_names if name.startswith("SK_ID")]:
            unknown = _with_column(unknown, key, pc.add(unknown[key], 1_000_000))
        strangers[table_name] = pa.concat_tables([table, unknown])
    joined = [
        read(join_features(*(ibis.memtable(raw.compute(source.name, tables)) for source in SOURCES)))
        for tables in (random_tables, strangers)
    ]
    assert_same(joined[1], joined[0])


@pytest.fixture(scope="module")
def joined_columns(random_tables: Tables) -> list[str]:
    return list(join_features(*(expression(source, random_tables) for source in SOURCES)).columns)


def test_there_are_at_least_300_features(joined_columns: list[str]) -> None:
    assert len(set(joined_columns) - {"SK_ID_CURR", "TARGET"}) >= 300


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
    assert imported <= {"ibis", "credit_scoring", "collections", "dataclasses", "functools", "re", "types", "typing"}
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not attributes & {"execute", "to_pandas", "to_pyarrow", "sql", "raw_sql", "connect", "TARGET"}
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert ("TARGET" in texts) == (path.name == "expressions.py")  # where the one constant is kept
