"""Reading raw files: what is wrong with a file is found and named, what is merely unusual is survived."""

import gzip
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DatasetError

from credit_scoring.datasets.raw_csv import RawCsvDataset, RawFile
from credit_scoring.schemas.raw import RAW_TABLES, TEXT

CONNECTION = {"backend": "duckdb", "database": ":memory:"}
BUREAU_BALANCE = "SK_ID_BUREAU,MONTHS_BALANCE,STATUS\n"


def read(path: Path, table: str = "bureau_balance") -> RawFile:
    return RawCsvDataset(table=table, filepath=path.as_posix(), connection=CONNECTION).load()


def rows(file: RawFile) -> list[tuple]:
    frame = file.table.order_by("SK_ID_BUREAU", "MONTHS_BALANCE").execute()
    return [tuple(None if pd.isna(value) else value for value in row) for row in frame.itertuples(index=False)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bureau_balance.csv"


def test_declared_types_whatever_the_first_rows_look_like(path: Path) -> None:
    path.write_text(BUREAU_BALANCE + "5000001,-1,0\n5000001,-2,1\n5000001,-3,C\n")
    file = read(path)
    assert file.problems == ()
    assert file.n_rows == 3
    assert {name: str(type_) for name, type_ in file.table.schema().items()} == {
        "SK_ID_BUREAU": "int32",
        "MONTHS_BALANCE": "int32",
        "STATUS": "string",
    }
    assert rows(file) == [(5000001, -3, "C"), (5000001, -2, "1"), (5000001, -1, "0")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SK_ID_BUREAU,MONTHS_BALANCE,STATUS\n5000001,-1.0,0\n", [(5000001, -1, "0")]),
        ("\ufeffSK_ID_BUREAU,MONTHS_BALANCE,STATUS\n5000001,-1,0\n", [(5000001, -1, "0")]),
        ("STATUS,EXTRA,SK_ID_BUREAU,MONTHS_BALANCE\nC,9,5000001,-1\n", [(5000001, -1, "C")]),
        ('SK_ID_BUREAU,MONTHS_BALANCE,STATUS\r\n5000001,-1,"a, ""b"""\r\n', [(5000001, -1, 'a, "b"')]),
        ("SK_ID_BUREAU,MONTHS_BALANCE,STATUS\n5000001,-1,\n", [(5000001, -1, None)]),
        ("SK_ID_BUREAU,MONTHS_BALANCE,STATUS\n", []),
    ],
    ids=[
        "1.0 for an integer",
        "byte order mark",
        "other columns, other order",
        "quotes",
        "empty is null",
        "header only",
    ],
)
def test_unusual_but_valid(path: Path, text: str, expected: list[tuple]) -> None:
    path.write_text(text, encoding="utf-8", newline="")
    file = read(path)
    assert file.problems == ()
    assert rows(file) == expected


def test_a_compressed_file_is_read_where_the_plain_one_is_missing(path: Path) -> None:
    with gzip.open(path.with_name("bureau_balance.csv.gz"), "wt") as file:
        file.write(BUREAU_BALANCE + "5000001,-1,X\n")
    assert rows(read(path)) == [(5000001, -1, "X")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BUREAU_BALANCE + "5000001,-1,0\n5000001,-2\n", "1 line not in the declared layout (line 3"),
        (BUREAU_BALANCE + "5000001,abc,0\n", "1 line not in the declared layout (line 2"),
        (BUREAU_BALANCE + "5000001,-1.5,0\n", "column MONTHS_BALANCE holds whole numbers, 1 with a fraction found."),
        (BUREAU_BALANCE + ",-1,0\n", "column SK_ID_BUREAU may not be empty, 1 empty value found."),
        (
            BUREAU_BALANCE + "5000001,-1,0\n5000001,-1,C\n5000002,-1,C\n",
            "SK_ID_BUREAU and MONTHS_BALANCE must be unique, 1 repeated found (e.g. 5000001/-1).",
        ),
        ("SK_ID_BUREAU,STATUS\n5000001,0\n", "missing column MONTHS_BALANCE."),
        ("SK_ID_BUREAU,STATUS,MONTHS_BALANCE,STATUS\n1,0,1,0\n", "column STATUS named twice."),
        ("SK_ID_BUREAU;MONTHS_BALANCE;STATUS\n1;2;3\n", "not a CSV file of table bureau_balance"),
        ("<html><body>404</body></html>\n", "not a CSV file of table bureau_balance"),
        ("", "not a CSV file of table bureau_balance"),
    ],
)
def test_a_breach_of_contract_is_named(path: Path, text: str, problem: str) -> None:
    path.write_text(text)
    file = read(path)
    assert len(file.problems) == 1, file.problems
    assert file.problems[0].startswith(str(path))
    assert problem in file.problems[0]


def test_a_missing_file_is_a_problem_not_an_exception(path: Path) -> None:
    file = read(path)
    assert file.problems == (f"{path}: the file is missing.",)
    assert rows(file) == []


def test_a_binary_file_is_a_problem_not_an_exception(path: Path) -> None:
    path.write_bytes(b"\x80\x95\x00\xff" * 100)
    assert "not a CSV file in UTF-8" in read(path).problems[0]


def test_all_problems_of_a_file_are_named(path: Path) -> None:
    path.write_text(BUREAU_BALANCE + "5000001,-1,0\n5000001,-1,0\n5000001,x,0\n,-4.5,0\n")
    assert len(read(path).problems) == 4


def test_a_second_reading_sees_the_file_as_it_is_now(path: Path) -> None:
    path.write_text(BUREAU_BALANCE + "5000001,x,0\n")
    dataset = RawCsvDataset(table="bureau_balance", filepath=path.as_posix(), connection=CONNECTION)
    assert dataset.load().problems
    path.write_text(BUREAU_BALANCE + "5000001,-1,0\n")
    assert dataset.load().problems == ()


def test_target_holds_0_and_1_only(tmp_path: Path) -> None:
    columns = RAW_TABLES["application_train"].columns
    cells = {name: "x" if type_ == TEXT else "1" for name, type_ in columns.items()}
    lines = [",".join((cells | {"SK_ID_CURR": str(i), "TARGET": target}).values()) for i, target in enumerate("012")]
    path = tmp_path / "application_train.csv"
    path.write_text("\n".join([",".join(columns), *lines]) + "\n")
    assert [problem.split(": ", 1)[1] for problem in read(path, "application_train").problems] == [
        "column TARGET holds only 0 or 1, 1 other found."
    ]
    path.write_text(",".join(columns) + "\n")
    assert "the table has no rows." in read(path, "application_train").problems[0]


def test_chunks_appear_only_when_confirmed(path: Path) -> None:
    path.write_text("what was there before")
    dataset = RawCsvDataset(table="bureau_balance", filepath=path.as_posix(), connection=CONNECTION, read_only=False)
    chunk = pd.DataFrame({"SK_ID_BUREAU": [1, 2], "MONTHS_BALANCE": [-1, -1], "STATUS": ["0", None]})
    dataset.save(chunk)
    dataset.save(chunk.assign(SK_ID_BUREAU=[3, 4]))
    assert path.read_text() == "what was there before"
    dataset.confirm()
    assert rows(read(path)) == [(1, -1, "0"), (2, -1, None), (3, -1, "0"), (4, -1, None)]


def test_files_of_others_are_never_written(path: Path) -> None:
    dataset = RawCsvDataset(table="bureau_balance", filepath=path.as_posix(), connection=CONNECTION)
    with pytest.raises(DatasetError, match="read-only"):
        dataset.save(pd.DataFrame({"SK_ID_BUREAU": [1], "MONTHS_BALANCE": [-1], "STATUS": ["0"]}))
    assert not path.exists()


def test_a_table_without_contract_is_refused() -> None:
    with pytest.raises(DatasetError, match="has no contract"):
        RawCsvDataset(table="HomeCredit_columns", filepath="x.csv", connection=CONNECTION)
