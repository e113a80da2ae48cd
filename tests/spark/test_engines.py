"""What is easily different between the engines: raw files of bad lines, quirks of every column, tables taken over."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.parity import compare_tables
from credit_scoring.datasets.history_rows import HistoryRowsDataset
from credit_scoring.datasets.raw_csv import RawCsvDataset, RawFile
from credit_scoring.datasets.table_file import TableFileDataset
from credit_scoring.features.history_rows import HISTORIES, History
from credit_scoring.features.records import Source
from credit_scoring.features.sources import SOURCES
from credit_scoring.schemas.raw import RAW_TABLES
from tests.conftest import CONNECTION
from tests.features.conftest import Raw, random_table, raw_names

pytestmark = pytest.mark.spark

SPARK, DUCKDB = {"backend": "pyspark"}, CONNECTION
BUREAU_BALANCE = "SK_ID_BUREAU,MONTHS_BALANCE,STATUS\n"


def read(path: Path, connection: dict[str, Any], table: str = "bureau_balance") -> RawFile:
    return RawCsvDataset(table=table, filepath=path.as_posix(), connection=connection).load()


def rows(file: RawFile) -> list[tuple]:
    frame = file.table.order_by("SK_ID_BUREAU", "MONTHS_BALANCE").execute()
    return [tuple(None if pd.isna(value) else value for value in row) for row in frame.itertuples(index=False)]


@pytest.mark.parametrize(
    "text",
    [
        "SK_ID_BUREAU,MONTHS_BALANCE,STATUS\n5000001,-1.0,0\n",
        "\ufeffSK_ID_BUREAU,MONTHS_BALANCE,STATUS\n5000001,-1,\n",
        'STATUS,EXTRA,SK_ID_BUREAU,MONTHS_BALANCE\r\n"a, ""b""",9,5000001,-1\r\n',
        BUREAU_BALANCE,
        BUREAU_BALANCE + "5000001,-1.5,0\n",
        BUREAU_BALANCE + "5000001,inf,0\n9999999999,-1,0\n,-1,0\n",
        BUREAU_BALANCE + "5000001,-1,0\n5000001,-1,0\n5000001,-2,C\n",
        BUREAU_BALANCE + "5000001,-1,0\n5000001,-1,C\n5000002,-1,C\n",
    ],
    ids=[
        "1.0 for an integer",
        "byte order mark, empty is null",
        "quotes, other columns",
        "header only",
        "fraction",
        "infinite, out of range, no key",
        "exact copies",
        "repeated key",
    ],
)
def test_a_file_is_read_and_judged_alike(spark: Any, tmp_path: Path, text: str) -> None:
    path = tmp_path / "bureau_balance.csv"
    path.write_text(text, encoding="utf-8", newline="")
    ours, theirs = read(path, DUCKDB), read(path, SPARK)
    assert theirs.findings == ours.findings
    assert theirs.n_rows == ours.n_rows
    assert theirs.table.schema() == ours.table.schema()
    if not any(finding.severity == "error" for finding in ours.findings):  # its rows are not used
        assert rows(theirs) == rows(ours)


def test_nan_for_a_whole_number_is_an_error(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "bureau_balance.csv"
    path.write_text(BUREAU_BALANCE + "5000001,nan,X\n")
    errors = [
        {finding.column for finding in read(path, engine).findings if finding.severity == "error"}
        for engine in (DUCKDB, SPARK)
    ]
    assert errors == [{"MONTHS_BALANCE"}, {"MONTHS_BALANCE"}]


@pytest.mark.parametrize("amount", ["nan", "inf", "-inf", "1e999", "-7", ""])
def test_an_amount_that_is_none_is_found_beside_usual_ones(spark: Any, tmp_path: Path, amount: str) -> None:
    """Least and greatest values pass most checks unseen: what is no amount must not hide behind them."""
    path = tmp_path / "installments_payments.csv"
    lines = [f"1000001,100001,1,{number},-40,-41,500.0,{amount}" for number, amount in enumerate(("5", amount, "6"), 1)]
    path.write_text("\n".join([",".join(RAW_TABLES["installments_payments"].columns), *lines]) + "\n")
    ours, theirs = (read(path, engine, "installments_payments").findings for engine in (DUCKDB, SPARK))
    found = [{finding.column for finding in findings if finding.rows == 1} for findings in (ours, theirs)]
    assert found == 2 * [{"AMT_PAYMENT"} if amount else set()]
    if amount != "nan":  # beyond every bound to DuckDB, within none to Spark
        assert theirs == ours


def test_lines_of_another_layout_are_counted_and_shown(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "bureau_balance.csv"
    path.write_text(BUREAU_BALANCE + "5000001,-1,0\n5000001,-2\n5000001,x,0\n1,2,3,4\n")
    file = read(path, SPARK)
    assert file.findings[0].rows == read(path, DUCKDB).findings[0].rows == 3
    assert str(file.findings[0]) == (
        "expected lines in the declared layout; found 3 lines of another one "
        "(`1,2,3,4`; `5000001,-2`; `column MONTHS_BALANCE: x`)."
    )
    assert rows(file) == [(5000001, -1, "0")]


@pytest.fixture(scope="module")
def quirks() -> Mapping[str, pa.Table]:
    """Return random raw tables with every quirk that cleaning is there for, a number that is none among them."""
    tables = {raw: random_table(raw, clients=40, seed=seed) for seed, raw in enumerate(raw_names(), 100)}
    for name, table in tables.items():
        for position, column in enumerate(table.column_names):
            if pa.types.is_float64(table.schema.field(column).type):
                values = table[column].to_pylist()
                values[position % len(values)] = float("nan")
                values[(position + 7) % len(values)] = float("-inf")
                table = table.set_column(position, column, pa.array(values, pa.float64()))  # noqa: PLW2901
        tables[name] = table
    return tables


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_features_of_every_quirk_are_the_same(
    spark: Any, quirks: Mapping[str, pa.Table], tmp_path: Path, source: Source
) -> None:
    cleaned = []
    for name, clean in source.clean.items():
        pq.write_table(quirks[name], tmp_path / f"{name}.parquet")
        cleaned.append(clean(spark.read_parquet(tmp_path / f"{name}.parquet")))
    ours = Raw().compute(source.name, quirks).to_pandas()
    theirs = source.compute(*cleaned).execute()
    assert [str(difference) for difference in compare_tables(ours, theirs, key="SK_ID_CURR")] == []


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.name)
def test_single_rows_of_histories_are_the_same_and_in_one_order(
    spark: Any, quirks: Mapping[str, pa.Table], tmp_path: Path, history: History
) -> None:
    pq.write_table(quirks[history.table], tmp_path / "raw.parquet")
    cleaning = next(item for source in SOURCES for item in source.cleaning if item.table == history.table)
    read = []
    for connection in (DUCKDB, SPARK):
        raw = TableFileDataset(filepath=f"{tmp_path}/raw.parquet", connection=connection).load()
        rows = history.measure(cleaning.apply(raw))
        dataset = HistoryRowsDataset(filepath=f"{tmp_path}/{connection['backend']}", connection=connection)
        dataset.save({history.name: rows})
        read.append(dataset.load().read(history.name))
    ours, theirs = read
    assert len(ours) > 100
    pd.testing.assert_frame_equal(theirs, ours)


def test_an_engine_takes_over_the_table_of_another(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    for value, connection in ((1, DUCKDB), (2, SPARK), (3, SPARK), (4, DUCKDB)):
        dataset = TableFileDataset(filepath=path.as_posix(), connection=connection)
        dataset.save(ibis.memtable({"value": [value]}))
        assert dataset.load().execute().value.tolist() == pd.read_parquet(path).value.tolist() == [value]
    assert [file.name for file in tmp_path.iterdir()] == ["table.parquet"]
