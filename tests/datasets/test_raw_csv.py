"""Reading raw files: what is wrong with a file is found and named, what is merely unusual is survived."""

import gzip
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DatasetError

from credit_scoring.datasets.raw_csv import RawCsvDataset, RawFile
from credit_scoring.schemas.quality import FINITE
from credit_scoring.schemas.raw import RAW_TABLES, TEXT
from tests.conftest import CONNECTION

BUREAU_BALANCE = "SK_ID_BUREAU,MONTHS_BALANCE,STATUS\n"


def read(path: Path, table: str = "bureau_balance") -> RawFile:
    return RawCsvDataset(table=table, filepath=path.as_posix(), connection=CONNECTION).load()


def rows(file: RawFile) -> list[tuple]:
    frame = file.table.order_by("SK_ID_BUREAU", "MONTHS_BALANCE").execute()
    return [tuple(None if pd.isna(value) else value for value in row) for row in frame.itertuples(index=False)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bureau_balance.csv"


def test_declared_types_for_any_first_rows(path: Path) -> None:
    path.write_text(BUREAU_BALANCE + "5000001,-1,0\n5000001,-2,1\n5000001,-3,C\n")
    file = read(path)
    assert file.findings == ()
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
    assert {finding.severity for finding in file.findings} <= {"warning"}
    assert rows(file) == expected


def test_a_compressed_file_is_read_where_the_plain_one_is_missing(path: Path) -> None:
    with gzip.open(path.with_name("bureau_balance.csv.gz"), "wt") as file:
        file.write(BUREAU_BALANCE + "5000001,-1,X\n")
    assert rows(read(path)) == [(5000001, -1, "X")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            BUREAU_BALANCE + "5000001,-1,0\n5000001,-2\n",
            "expected lines in the declared layout; found 1 line of another one (line 3",
        ),
        (
            BUREAU_BALANCE + "5000001,abc,0\n",
            "expected lines in the declared layout; found 1 line of another one (line 2",
        ),
        (
            BUREAU_BALANCE + "5000001,-1.5,0\n",
            "column MONTHS_BALANCE: expected whole numbers; found 1 of 1 rows (100.0%), e.g. -1.5.",
        ),
        (BUREAU_BALANCE + "5000001,inf,0\n", "column MONTHS_BALANCE: expected whole numbers; found 1 of 1 rows"),
        (
            BUREAU_BALANCE + "9999999999,-1,0\n",
            "column SK_ID_BUREAU: expected whole numbers from -2,147,483,648 to 2,147,483,647; found 1 of 1 rows",
        ),
        (BUREAU_BALANCE + ",-1,0\n", "column SK_ID_BUREAU: expected no empty value; found 1 of 1 rows (100.0%)."),
        (
            BUREAU_BALANCE + "5000001,-1,0\n5000001,-1,C\n5000002,-1,C\n",
            "SK_ID_BUREAU and MONTHS_BALANCE: expected unique values; found 1 that stands for different rows "
            "(e.g. 5000001/-1).",
        ),
        ("SK_ID_BUREAU,STATUS\n5000001,0\n", "expected column MONTHS_BALANCE; found none of that name."),
        (
            "SK_ID_BUREAU,STATUS,MONTHS_BALANCE,STATUS\n1,0,1,0\n",
            "expected each column once; found column STATUS twice.",
        ),
        ("SK_ID_BUREAU;MONTHS_BALANCE;STATUS\n1;2;3\n", "found a first line 'SK_ID_BUREAU;MONTHS_BALANCE;STATUS'."),
        ("<html><body>404</body></html>\n", "expected the columns of table bureau_balance; found a first line '<html>"),
        ("", "expected the columns of table bureau_balance; found a first line ''."),
    ],
)
def test_a_breach_of_contract_is_named(path: Path, text: str, problem: str) -> None:
    path.write_text(text)
    file = read(path)
    errors = [str(finding) for finding in file.findings if finding.severity == "error"]
    assert len(errors) == 1, errors
    assert problem in errors[0]


def test_a_missing_file_is_a_problem_not_an_exception(path: Path) -> None:
    file = read(path)
    assert [str(finding) for finding in file.findings] == ["expected a file; found none."]
    assert rows(file) == []


def test_a_binary_file_is_a_problem_not_an_exception(path: Path) -> None:
    path.write_bytes(b"\x80\x95\x00\xff" * 100)
    assert "expected a CSV file in UTF-8; found another one" in str(read(path).findings[0])


def test_all_problems_of_a_file_are_named(path: Path) -> None:
    path.write_text(BUREAU_BALANCE + "5000001,-1,0\n5000001,-1,C\n5000001,x,0\n,-4.5,0\n")
    errors = [finding.column for finding in read(path).findings if finding.severity == "error"]
    assert errors == ["", "SK_ID_BUREAU", "MONTHS_BALANCE", "SK_ID_BUREAU and MONTHS_BALANCE"]


def test_exact_copies_under_a_key_are_left_out_and_counted(path: Path) -> None:
    path.write_text(BUREAU_BALANCE + "5000001,-1,0\n5000001,-1,0\n5000001,-1,0\n5000001,-2,C\n")
    file = read(path)
    assert [(finding.severity, finding.rows) for finding in file.findings] == [("warning", 2)]
    assert rows(file) == [(5000001, -2, "C"), (5000001, -1, "0")]


def test_equal_rows_without_a_key_stay(tmp_path: Path) -> None:
    path = tmp_path / "installments_payments.csv"
    payment = "1000001,100001,1.0,3,-40.0,-41.0,500.0,250.0\n"
    path.write_text(",".join(RAW_TABLES["installments_payments"].columns) + "\n" + 2 * payment)
    file = read(path, "installments_payments")
    assert file.findings == ()
    assert file.table.AMT_PAYMENT.sum().execute() == 500


def test_infinite_and_undefined_amounts_are_read_as_null_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "installments_payments.csv"
    amounts = ("inf", "-inf", "nan", "1e999", "10.5", "-0.0")
    lines = [f"1000001,100001,1,{number},-40,-41,500.0,{amount}" for number, amount in enumerate(amounts, 1)]
    path.write_text("\n".join([",".join(RAW_TABLES["installments_payments"].columns), *lines]) + "\n")
    file = read(path, "installments_payments")
    assert (FINITE, 4) in [(finding.expected, finding.rows) for finding in file.findings]
    assert {finding.severity for finding in file.findings} == {"warning"}
    amounts = file.table.order_by("NUM_INSTALMENT_NUMBER").AMT_PAYMENT.execute().tolist()
    assert [None if pd.isna(amount) else amount for amount in amounts] == [None, None, None, None, 10.5, 0.0]


def test_a_second_reading_sees_the_file_as_it_is_now(path: Path) -> None:
    path.write_text(BUREAU_BALANCE + "5000001,x,0\n")
    dataset = RawCsvDataset(table="bureau_balance", filepath=path.as_posix(), connection=CONNECTION)
    assert dataset.load().findings
    path.write_text(BUREAU_BALANCE + "5000001,-1,0\n")
    assert dataset.load().findings == ()


def test_target_holds_0_and_1_only(tmp_path: Path) -> None:
    columns = RAW_TABLES["application_train"].columns
    cells = {name: "x" if type_ == TEXT else "1" for name, type_ in columns.items()}
    lines = [",".join((cells | {"SK_ID_CURR": str(i), "TARGET": target}).values()) for i, target in enumerate("012")]
    path = tmp_path / "application_train.csv"
    path.write_text("\n".join([",".join(columns), *lines]) + "\n")
    errors = [str(finding) for finding in read(path, "application_train").findings if finding.severity == "error"]
    assert errors == ["column TARGET: expected one of 0, 1; found 1 of 3 rows (33.3%), e.g. 2."]
    path.write_text(",".join(columns) + "\n")
    assert [str(finding) for finding in read(path, "application_train").findings] == [
        "expected at least one row; found none."
    ]


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


def test_nobody_to_score_is_no_problem(tmp_path: Path) -> None:
    file = read(tmp_path / "application_test.csv", "application_test")
    assert [(finding.severity, str(finding)) for finding in file.findings] == [
        ("warning", "expected a file; found none.")
    ]
    assert file.table.count().execute() == 0


def test_a_batch_of_new_applicants_brings_no_outcomes(tmp_path: Path) -> None:
    """The name of a batch says that the file of applications with outcomes may be missing, or have no rows."""
    path = tmp_path / "application_train.csv"
    dataset = RawCsvDataset(
        table="application_train", filepath=path.as_posix(), connection=CONNECTION, may_be_missing="november"
    )
    assert [finding.severity for finding in dataset.load().findings] == ["warning"]
    path.write_text(",".join(RAW_TABLES["application_train"].columns) + "\n")
    assert dataset.load().findings == ()
    assert dataset.load().table.count().execute() == 0
