"""Damaged raw files: one row each."""

import gzip
import io
import zipfile

import pandas as pd

from credit_scoring.schemas.raw import OFFICIAL_TABLES
from tests.damaged.cases import DamagedFile, cell, cells, column, compressed, data, line, lines, renamed

BALANCE, PAYMENTS, TRAIN, TEST = "bureau_balance", "installments_payments", "application_train", "application_test"
HISTORIES = [name for name, table in OFFICIAL_TABLES.items() if table.parents]
ALL = slice(None)


def zipped(whole: bytes) -> bytes:
    """Return a zip archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("bureau_balance.csv", whole)
    return archive.getvalue()


def parquet(whole: bytes) -> bytes:
    """Return the table as Parquet."""
    return pd.read_csv(io.BytesIO(whole)).to_parquet()


def flipped(whole: bytes) -> bytes:
    """Return the bytes, one of them in the middle inverted."""
    middle = len(whole) // 2
    return whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :]


def swapped(one: str, other: str) -> DamagedFile:
    """Return the case of two columns under one another's name."""
    return DamagedFile(
        f"{one} and {other} under one another's name",
        PAYMENTS,
        lines(lambda all_: [all_[0].replace(one, "?").replace(other, one).replace("?", other), *all_[1:]]),
        f"column {other}: expected from",
        problems=2,
    )


CUT = [
    *(
        DamagedFile(
            "cut within its last line", name, data(lambda whole: whole[:-3]), "expected an end of line after the last row"
        )
        for name in OFFICIAL_TABLES
    ),
    DamagedFile("cut within a number, half-way", PAYMENTS, data(lambda whole: whole[: whole.index(b".", 9999)]), "expected an end of line"),
    DamagedFile("without an end of line after the last row", BALANCE, data(lambda whole: whole[:-1]), "expected an end of line"),
    DamagedFile("its header only, without an end of line", BALANCE, data(lambda whole: whole.split(b"\n")[0]), "expected an end of line"),
    DamagedFile("of no bytes", BALANCE, data(lambda whole: b""), "expected the columns of table bureau_balance"),
    DamagedFile("of no bytes, by name a gzip file", BALANCE, compressed(lambda whole: b""), "expected the columns of table"),
    *(
        DamagedFile("a gzip file, cut half-way", name, compressed(lambda whole: whole[: len(whole) // 2]), "expected a whole gzip file; found one that was cut")
        for name in (BALANCE, PAYMENTS, TRAIN)
    ),
    DamagedFile("a gzip file, cut within its first bytes", BALANCE, compressed(lambda whole: whole[:7]), "expected a whole gzip file"),
    DamagedFile("a gzip file without checksum and length", BALANCE, compressed(lambda whole: whole[:-8]), "expected a whole gzip file"),
    DamagedFile("a gzip file with a wrong checksum", BALANCE, compressed(lambda whole: whole[:-8] + b"abcd" + whole[-4:]), "expected a sound gzip file; found a damaged one (CRC"),
    DamagedFile("a gzip file with a wrong length", BALANCE, compressed(lambda whole: whole[:-4] + b"abcd"), "expected a sound gzip file"),
    DamagedFile("a gzip file, one byte of which changed", PAYMENTS, compressed(flipped), "expected a sound gzip file"),
    DamagedFile("a gzip file with other bytes after its end", BALANCE, compressed(lambda whole: whole + b"other"), "expected a sound gzip file"),
    DamagedFile("a gzip file of a file that was cut", BALANCE, compressed(lambda whole: gzip.compress(gzip.decompress(whole)[:-2])), "expected an end of line"),
    DamagedFile("a gzip file", PAYMENTS, compressed()),
    DamagedFile("a gzip file in two members", BALANCE, compressed(lambda whole: gzip.compress(gzip.decompress(whole)[:1000]) + gzip.compress(gzip.decompress(whole)[1000:]))),
    DamagedFile("a gzip file, padded with zeros", BALANCE, compressed(lambda whole: whole + bytes(512))),
    DamagedFile("a block of zeros at its end, as after a crash", BALANCE, data(lambda whole: whole + bytes(4096)), "expected text; found a byte 0"),
    DamagedFile("a block of zeros in its middle", PAYMENTS, data(lambda whole: whole[:5000] + bytes(512) + whole[5512:]), "expected text; found a byte 0"),
    DamagedFile("a zero byte in a text", BALANCE, line(1, lambda text: text + "\0"), "expected text; found a byte 0"),
]  # fmt: skip

FORMAT = [
    DamagedFile("missing", BALANCE, lambda path: path.unlink(), "expected a file; found none."),
    DamagedFile("missing, its zip archive beside it", BALANCE, renamed("bureau_balance.csv.zip"), "found none, but bureau_balance.csv.zip"),
    DamagedFile("a name in capitals", BALANCE, renamed("BUREAU_BALANCE.CSV"), "found none, but BUREAU_BALANCE.CSV"),
    DamagedFile("a folder in its place", BALANCE, lambda path: (path.unlink(), path.mkdir()), "expected a file; found none."),
    DamagedFile("a link to a file that is gone", BALANCE, lambda path: (path.unlink(), path.symlink_to("gone")), "expected a file; found none."),
    DamagedFile("a zip archive", BALANCE, data(zipped), "found a zip archive or a spreadsheet"),
    DamagedFile("a gzip file without .gz in its name", BALANCE, data(gzip.compress), "found a gzip file"),
    DamagedFile("by name a gzip file, but plain", BALANCE, renamed("bureau_balance.csv.gz"), "expected a gzip file; found another one"),
    DamagedFile("a Parquet file", BALANCE, data(parquet), "found a Parquet file"),
    DamagedFile("in UTF-16", BALANCE, data(lambda whole: whole.decode().encode("utf-16")), "found text in UTF-16"),
    DamagedFile("with Latin-1 in its first lines", BALANCE, data(lambda whole: whole + b"1,-1,\xe9\n"), "expected lines in the declared layout; found 1 line of another one"),
    DamagedFile("random bytes", BALANCE, data(lambda whole: b"\x80\x95\x02\xff" * 100), "expected a CSV file in UTF-8"),
    DamagedFile("the page of a website", BALANCE, data(lambda whole: b"<html>Sign in</html>\n"), "found a first line '<html>Sign in</html>'"),
    DamagedFile("separated by semicolons", BALANCE, data(lambda whole: whole.replace(b",", b";")), "found a first line 'SK_ID_BUREAU;"),
    DamagedFile("separated by tabs", BALANCE, data(lambda whole: whole.replace(b",", b"\t")), "found a first line 'SK_ID_BUREAU\\tMONTHS"),
    DamagedFile("a line `sep=,` before the header", BALANCE, data(lambda whole: b"sep=,\n" + whole), "found a first line 'sep=,'"),
    DamagedFile("an empty line before the header", BALANCE, data(lambda whole: b"\n" + whole), "found a first line ''"),
    DamagedFile("no header", BALANCE, lines(lambda all_: all_[1:]), "expected the columns of table bureau_balance"),
    DamagedFile("a byte order mark", BALANCE, data(lambda whole: b"\xef\xbb\xbf" + whole)),
    DamagedFile("line ends of Windows", BALANCE, data(lambda whole: whole.replace(b"\n", b"\r\n"))),
    DamagedFile("line ends of an old Mac", BALANCE, data(lambda whole: whole.replace(b"\n", b"\r"))),
    DamagedFile("line ends of Windows after the header only", BALANCE, data(lambda whole: whole.replace(b"\n", b"\r\n", 1))),
    DamagedFile("line ends of Windows in its second half", PAYMENTS, data(lambda whole: whole[:9000] + whole[9000:].replace(b"\n", b"\r\n"))),
    DamagedFile("line ends of Windows, then of an old Mac", BALANCE, data(lambda whole: whole[:9000].replace(b"\n", b"\r\n") + whole[9000:].replace(b"\n", b"\r"))),
    DamagedFile("empty lines between and after the rows", BALANCE, lines(lambda all_: [*all_[:5], "", *all_[5:], "", ""])),
    DamagedFile("all cells in quotes", BALANCE, lines(lambda all_: [",".join(f'"{one}"' for one in text.split(",")) for text in all_])),
]  # fmt: skip

LAYOUT = [
    *(
        DamagedFile(f"without the column {name}", table, cells(lambda rows, name=name: rows.drop(columns=name)), f"expected column {name}; found none of that name")
        for table, name in ((TRAIN, "EXT_SOURCE_2"), (TRAIN, "TARGET"), (BALANCE, "STATUS"), (PAYMENTS, "AMT_PAYMENT"))
    ),
    DamagedFile("a column twice", BALANCE, lines(lambda all_: [f"{text},{text.split(',')[2]}" for text in all_]), "expected each column once; found column STATUS twice"),
    DamagedFile("a header in small letters", BALANCE, line(0, str.lower), "found a first line 'sk_id_bureau,"),
    DamagedFile("one name in small letters", BALANCE, line(0, lambda text: text.replace("STATUS", "status")), "found none of that name, only status"),
    DamagedFile("spaces in the header", BALANCE, line(0, lambda text: text.replace(",", ", "))),
    DamagedFile("the index of a data frame as first column", BALANCE, lambda path: pd.read_csv(path).to_csv(path)),
    DamagedFile("a column status beside STATUS", BALANCE, lines(lambda all_: [f"{all_[0]},status", *(f"{text},x" for text in all_[1:])])),
    DamagedFile("unknown columns, two of one name", BALANCE, lines(lambda all_: [f"{all_[0]},NOTE,NOTE", *(f"{text},a,b" for text in all_[1:])])),
    DamagedFile("columns in another order", PAYMENTS, cells(lambda rows: rows[rows.columns[::-1]])),
    DamagedFile("a comma at the end of every line", BALANCE, lines(lambda all_: [f"{text}," for text in all_])),
    DamagedFile("three commas at the end of every line", BALANCE, lines(lambda all_: [f"{text},,," for text in all_])),
    DamagedFile("a comma at the end of every row, none after the header", BALANCE, lines(lambda all_: [all_[0], *(f"{text}," for text in all_[1:])])),
    DamagedFile("a comma after the header only", BALANCE, line(0, lambda text: f"{text},"), "lines of another one (line 2: Expected Number of Columns: 4 Found: 3"),
    DamagedFile("the header in its middle, as two files in one have it", BALANCE, lines(lambda all_: [*all_[:9], all_[0], *all_[9:]]), "found 1 line of another one (line 10"),
    DamagedFile("a row of totals at its end", BALANCE, lines(lambda all_: [*all_, "Total,,99"]), "found 1 line of another one"),
    DamagedFile("a comment between rows", BALANCE, lines(lambda all_: [*all_[:3], "# checked", *all_[3:]]), "found 1 line of another one (line 4"),
    DamagedFile("a cell too few", BALANCE, line(2, lambda text: text.rsplit(",", 1)[0]), "found 1 line of another one (line 3: Expected Number of Columns: 3 Found: 2"),
    DamagedFile("a cell too many", BALANCE, line(2, lambda text: f"{text},0"), "found 1 line of another one (line 3: Expected Number of Columns: 3 Found: 4"),
    DamagedFile("a quote that is never closed", BALANCE, line(2, lambda text: text.replace(",", ',"', 1)), "found 1 line of another one"),
    DamagedFile("a line of three million letters", BALANCE, line(2, lambda text: text + "x" * 3_000_000), "found 1 line of another one (line 3: Maximum line size"),
]  # fmt: skip

VALUES = [
    *(
        DamagedFile(f"{value!r} for a number", PAYMENTS, cell("AMT_PAYMENT", value), "expected lines in the declared layout; found 1 line of another one (line 2")
        for value in ("NA", "NULL", "?", "12,5", "1.234,56", "1 234", "12 €", "0x1F", "2024-01-01", "true", "abc", "#REF!")
    ),
    *(
        DamagedFile(f"{value!r} for an amount", PAYMENTS, cell("AMT_PAYMENT", value), warns="column AMT_PAYMENT: expected finite numbers; found 1 of", rows=lambda rows: rows.assign(AMT_PAYMENT=rows["AMT_PAYMENT"].where(rows.index > 0)))
        for value in ("inf", "-inf", "nan", "1e999")
    ),
    DamagedFile("whole numbers written 12.0", BALANCE, lines(lambda all_: [all_[0], *(text.replace(",", ".0,", 1) for text in all_[1:])])),
    DamagedFile("an id in the notation of a spreadsheet, 5.1E+06", BALANCE, cell("SK_ID_BUREAU", "5.1E+06"), rows=lambda rows: rows.assign(SK_ID_BUREAU=rows["SK_ID_BUREAU"].where(rows.index > 0, 5_100_000))),
    DamagedFile("spaces around numbers", BALANCE, column("MONTHS_BALANCE", lambda months: months.map(lambda month: f" {month} "))),
    DamagedFile("a fraction for an id", BALANCE, cell("SK_ID_BUREAU", "5000001.5"), "column SK_ID_BUREAU: expected whole numbers; found 1 of"),
    DamagedFile("no id", BALANCE, cell("SK_ID_BUREAU", ""), "column SK_ID_BUREAU: expected no empty value; found 1 of"),
    DamagedFile("an id NaN", BALANCE, cell("SK_ID_BUREAU", "nan"), "column SK_ID_BUREAU: expected whole numbers; found 1 of"),
    DamagedFile("two ids NaN of one month", BALANCE, cells(lambda rows: rows.assign(**{"SK_ID_BUREAU": ["nan", "nan", *rows["SK_ID_BUREAU"][2:]], "MONTHS_BALANCE": ["-1", "-1", *rows["MONTHS_BALANCE"][2:]]})), "column SK_ID_BUREAU: expected whole numbers; found 2 of"),
    DamagedFile("an id of 3,000,000,000", BALANCE, cell("SK_ID_BUREAU", "3000000000"), "expected whole numbers from -2,147,483,648 to 2,147,483,647; found 1 of"),
    DamagedFile("an id of twenty digits", BALANCE, cell("SK_ID_BUREAU", "1" * 20), "expected whole numbers from -2,147,483,648 to 2,147,483,647; found 1 of"),
    DamagedFile("an outcome 2", TRAIN, cell("TARGET", "2"), "column TARGET: expected one of 0, 1; found 1 of"),
    DamagedFile("no outcome", TRAIN, cell("TARGET", ""), "column TARGET: expected no empty value; found 1 of"),
    DamagedFile("an outcome `default`", TRAIN, cell("TARGET", "default"), "found 1 line of another one"),
    DamagedFile("an unknown category", BALANCE, cell("STATUS", "Q"), warns="column STATUS: expected one of C, X, 0, 1, 2, 3, 4, 5; found 1 of", rows=lambda rows: rows.assign(STATUS=rows["STATUS"].where(rows.index > 0, "Q"))),
    DamagedFile("a month in the future", BALANCE, cell("MONTHS_BALANCE", "7"), warns="column MONTHS_BALANCE: expected from -96 to 0; found 1 of", rows=lambda rows: rows.assign(MONTHS_BALANCE=rows["MONTHS_BALANCE"].where(rows.index > 0, 7))),
    DamagedFile("rows twice", BALANCE, lines(lambda all_: [*all_, *all_[1:6]]), warns="5 exact copies of other rows, left out"),
    DamagedFile("a client twice, with two incomes", TRAIN, cells(lambda rows: pd.concat([rows, rows.head(1).assign(AMT_INCOME_TOTAL="99000.0")])), "column SK_ID_CURR: expected unique values; found 1 that stands for different rows"),
    DamagedFile("a month of a credit twice, in two states", BALANCE, cells(lambda rows: pd.concat([rows, rows.head(1).assign(STATUS="5" if rows["STATUS"][0] != "5" else "4")])), "expected unique values; found 1 that stands for different rows"),
]  # fmt: skip


def train_rows(path):
    """Append applicants of the training file to the file of those to score."""
    train = pd.read_csv(path.with_name("application_train.csv"), dtype=str, keep_default_na=False)
    test = pd.read_csv(path, dtype=str, keep_default_na=False)
    pd.concat([test, train.head(29).drop(columns="TARGET")]).to_csv(path, index=False)


WHOLESALE = [
    DamagedFile("29 clients of training appended to those to score", TEST, train_rows, "column SK_ID_CURR: expected no row that is in application_train as well; found 29 of"),
    *(
        DamagedFile("its header only", name, lines(lambda all_: all_[:1]), "expected rows of the applicants; found none")
        for name in HISTORIES
    ),
    DamagedFile("its header only", TRAIN, lines(lambda all_: all_[:1]), "expected at least one row; found none"),
    *(
        DamagedFile("appended to itself", name, lines(lambda all_: [*all_, *all_[1:]]), "exact copies of other rows")
        for name in OFFICIAL_TABLES
    ),
    DamagedFile("appended to itself twice", PAYMENTS, lines(lambda all_: [*all_, *all_[1:], *all_[1:]]), "exact copies of other rows"),
    *(
        DamagedFile("months with the wrong sign", name, column("MONTHS_BALANCE", lambda months: -months + 1), "column MONTHS_BALANCE: expected from -96 to")
        for name in (BALANCE, "POS_CASH_balance", "credit_card_balance")
    ),
    DamagedFile("ages in years", TRAIN, column("DAYS_BIRTH", lambda days: -days // 365), "column DAYS_BIRTH: expected from"),
    DamagedFile("a score in percent", TRAIN, column("EXT_SOURCE_2", lambda score: 100 * score), "column EXT_SOURCE_2: expected from"),
    DamagedFile("a flag written 1 and 2", TRAIN, column("FLAG_EMAIL", lambda flag: flag + 2), "column FLAG_EMAIL: expected one of 0, 1; found"),
    DamagedFile("categories in capitals", TRAIN, cells(lambda rows: rows.assign(NAME_CONTRACT_TYPE=rows["NAME_CONTRACT_TYPE"].str.upper())), "column NAME_CONTRACT_TYPE: expected one of Cash loans"),
    DamagedFile("spaces before categories", BALANCE, cells(lambda rows: rows.assign(STATUS=" " + rows["STATUS"])), "column STATUS: expected one of"),
    DamagedFile("an emptied column of texts", TRAIN, cell("NAME_INCOME_TYPE", "", ALL), "column NAME_INCOME_TYPE: expected no empty value; found 110 of 110"),
    DamagedFile("an emptied column of numbers", TRAIN, cell("AMT_CREDIT", "", ALL), "column AMT_CREDIT: expected no empty value; found 110 of 110"),
    DamagedFile("an emptied column that a third do not fill in", TRAIN, cell("OCCUPATION_TYPE", "", ALL), "column OCCUPATION_TYPE: expected about 31"),
    DamagedFile("ids of other clients", "bureau", column("SK_ID_CURR", lambda ids: ids + 9_000_000), "expected rows of the applicants; found none among"),
    DamagedFile("ids of other loans", PAYMENTS, column("SK_ID_PREV", lambda ids: ids + 90_000_000), "expected rows of the applicants; found none among"),
    swapped("DAYS_INSTALMENT", "NUM_INSTALMENT_NUMBER"),
]  # fmt: skip

FOLDERS = [
    DamagedFile(f"in a folder `{name}`".replace("\n", "⏎").replace("\t", "⇥"), BALANCE, lambda path: None, folder=name)
    for name in (
        "with spaces ", "it's", 'say "so"', "100%", "%20", "été ☀", "two\nlines", "tab\tbed", "star*", "**", "what?", "[a-z]",
        "a[1", "back\\slash", "STATUS=1", "#1", "a;b&c", "$HOME", "~", "-rf",
    )
]  # fmt: skip

DAMAGED_FILES = [*CUT, *FORMAT, *LAYOUT, *VALUES, *WHOLESALE, *FOLDERS]
