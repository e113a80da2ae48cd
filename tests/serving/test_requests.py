"""What a request may say: names, numbers, types of media; and what a reader keeps of it, which is nothing invented."""

import json
from typing import Any

import numpy as np
import pytest

from credit_scoring.exported_model.contract import Column, Contract
from credit_scoring.serving.requests import RequestError, RequestReader, Rows

CONTRACT = Contract(
    (
        Column("AMT_CREDIT", False, True, {"plausible": [40_000, 5_000_000]}),
        Column("EXT_SOURCE_3", False, False, {"plausible": [0, None]}),
        Column("OCCUPATION_TYPE", True, False),
    ),
    {"explain": False, "language": "fr"},
    frozenset({"SK_ID_CURR", "CODE_GENDER"}),
)
JSON, CSV = "application/json", "text/csv"


@pytest.fixture
def reader() -> RequestReader:
    return RequestReader(CONTRACT, max_rows=10)


def read(reader: RequestReader, content: Any, kind: str = JSON, encoding: str = "") -> Rows:
    body = content if isinstance(content, str) else json.dumps(content)
    return reader.read(body.encode(), kind, encoding)


def refusal(reader: RequestReader, content: Any, kind: str = JSON, encoding: str = "") -> tuple[int, str]:
    with pytest.raises(RequestError) as refused:
        read(reader, content, kind, encoding)
    return refused.value.status, refused.value.message


def split(columns: list[str], *data: list[Any]) -> dict[str, Any]:
    return {"dataframe_split": {"columns": columns, "data": list(data)}}


def test_names_that_are_known_and_not_used_are_nothing_to_talk_about(reader: RequestReader) -> None:
    names = ["SK_ID_CURR", "AMT_CREDIT", "CODE_GENDER"]
    assert read(reader, split(names, [1, 5.0, "F"])).unknown == {}
    assert read(reader, {"dataframe_records": [dict(zip(names, [1, 5.0, "F"], strict=True))]}).unknown == {}
    assert read(reader, {"inputs": {"SK_ID_CURR": [1], "AMT_CREDIT": [5.0], "CODE_GENDER": ["F"]}}).unknown == {}
    assert read(reader, "AMT_CREDIT,SK_ID_CURR\n5,1", CSV).unknown == {}


@pytest.mark.parametrize("sent", [100_001, 100_001.0, "100001"])
def test_the_applicants_id_is_kept_for_the_record_if_it_was_sent(reader: RequestReader, sent: Any) -> None:
    names, values = ["AMT_CREDIT", "SK_ID_CURR"], [5.0, sent]
    for rows in (
        read(reader, split(names, values, [6.0, None])),
        read(reader, {"dataframe_records": [dict(zip(names, values, strict=True)), {"AMT_CREDIT": 6.0}]}),
        read(reader, {"inputs": {"AMT_CREDIT": [5.0, 6.0], "SK_ID_CURR": [sent, None]}}),
        read(reader, f"AMT_CREDIT,SK_ID_CURR\n5,{int(sent)}\n6,", CSV),
    ):
        first, second = reader.describe(rows)
        assert first == {
            "row": {"AMT_CREDIT": 5.0, "OCCUPATION_TYPE": None},
            "params": CONTRACT.parameters,
            "SK_ID_CURR": "100001",
        }
        assert "SK_ID_CURR" not in second
        assert reader.describe(reader.restore([first])) == [{name: first[name] for name in ("row", "params")}]


@pytest.mark.parametrize("sent", [None, True, 0.5, "", " ", "NaN", "a\0b", "9" * 65, [[1]], {"a": 1}])
def test_what_is_no_id_is_no_applicant_and_no_error(reader: RequestReader, sent: Any) -> None:
    names, values = ["AMT_CREDIT", "SK_ID_CURR"], [5.0, sent]
    for content in (
        split(names, values),
        {"dataframe_records": [dict(zip(names, values, strict=True))]},
        {"inputs": {"AMT_CREDIT": [5.0], "SK_ID_CURR": [sent]}},
        {"inputs": {"AMT_CREDIT": [5.0], "SK_ID_CURR": sent}},
    ):
        assert reader.describe(read(reader, content)) == [
            {"row": {"AMT_CREDIT": 5.0, "OCCUPATION_TYPE": None}, "params": CONTRACT.parameters}
        ]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ext_source_3", "EXT_SOURCE_3"),
        ("ExtSource3", "EXT_SOURCE_3"),
        (" EXT_SOURCE_3", "EXT_SOURCE_3"),
        ("EXT_SUORCE_3", "EXT_SOURCE_3"),
        ("OCUPATION_TYPE", "OCCUPATION_TYPE"),
        ("SURPRISE", None),
        ("", None),
        ("EXT_SOURCE_3" * 100, None),
    ],
)
def test_a_name_that_nobody_knows_is_told_in_every_form_with_what_may_be_meant(
    reader: RequestReader, name: str, meant: str | None
) -> None:
    both = {0: (meant,), 1: (meant,)}
    assert read(reader, split(["AMT_CREDIT", name], [1.0, 1], [2.0, 1])).unknown == both
    assert read(reader, {"inputs": {"AMT_CREDIT": [1.0, 2.0], name: [1, 1]}}).unknown == both
    assert read(reader, f"AMT_CREDIT,{name}\n1,1\n2,1", CSV).unknown == both
    # Of records only those that hold it
    assert read(reader, {"dataframe_records": [{"AMT_CREDIT": 1.0}, {"AMT_CREDIT": 2.0, name: 1}]}).unknown == {
        1: (meant,)
    }


def test_columns_are_looked_for_behind_a_few_names_of_a_request_only(
    reader: RequestReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_for: list[str] = []

    def count(name: str, *_: object, **__: object) -> list[str]:
        looked_for.append(name)
        return []

    monkeypatch.setattr("credit_scoring.serving.names.get_close_matches", count)
    records = [{"AMT_CREDIT": 1.0, **{f"x{row}_{number}": 1 for number in range(20)}} for row in range(10)]
    assert read(reader, {"dataframe_records": records}).unknown == dict.fromkeys(range(10), (None,))
    assert len(looked_for) == 5


def test_a_known_layout_does_not_hide_names_that_come_with_it(reader: RequestReader) -> None:
    good = {"AMT_CREDIT": [1.0], "EXT_SOURCE_3": [0.5]}
    assert read(reader, {"inputs": good}).unknown == {}
    assert read(reader, {"inputs": good | {"OCUPATION_TYPE": ["x"]}}).unknown == {0: ("OCCUPATION_TYPE",)}


def test_nothing_that_a_client_invents_is_kept(reader: RequestReader) -> None:
    known, invented = ["AMT_CREDIT", "SK_ID_CURR"], ["AMT_CREDIT", *(f"x{number}" for number in range(1000))]
    refusal(reader, split(known))  # accepted in no request yet
    refusal(reader, split(known, ["x", 1]))
    refusal(reader, split(invented))
    read(reader, split(invented, [1.0] * 1001))
    read(reader, ",".join(invented) + "\n" + ",".join("1" * 1001), CSV)
    assert not reader._layouts
    read(reader, split(known, [1.0, 1]))
    assert list(reader._layouts) == [tuple(known)]


def test_a_client_that_changes_its_order_all_the_time_is_forgotten(reader: RequestReader) -> None:
    many = RequestReader(
        Contract(CONTRACT.columns, CONTRACT.parameters, frozenset(f"F{number}" for number in range(100))), max_rows=10
    )
    for number in range(100):
        read(many, split(["AMT_CREDIT", f"F{number}"], [1.0, 1]))
    assert len(many._layouts) <= 64


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("," * 9_999, "A column that is not in the contract is there more than once."),
        ("," * 249_999, "There are 250000 columns; at most 10000 are looked at."),
        ("AMT_CREDIT,AMT_CREDIT,x,x", "Column AMT_CREDIT is there more than once."),
    ],
)
def test_a_header_of_repeated_names_is_refused(reader: RequestReader, header: str, says: str) -> None:
    assert refusal(reader, header + "\n1", CSV) == (400, says)


@pytest.mark.parametrize("number", ["3.5e38", "-1e308", "1e39"])
def test_a_number_beyond_single_precision_is_refused_with_row_and_column(reader: RequestReader, number: str) -> None:
    says = "Row 1, column AMT_CREDIT: expected a number between -3.4e+38 and 3.4e+38, got one beyond."
    for body, kind in (
        (f'{{"dataframe_split": {{"columns": ["AMT_CREDIT"], "data": [[1], [{number}]]}}}}', JSON),
        (f'{{"dataframe_records": [{{"AMT_CREDIT": 1}}, {{"AMT_CREDIT": {number}}}]}}', JSON),
        (f'{{"inputs": {{"AMT_CREDIT": [1, {number}]}}}}', JSON),
        (f"AMT_CREDIT\n1\n{number}", CSV),
    ):
        assert refusal(reader, body, kind) == (400, says)


@pytest.mark.parametrize("number", ["3.4028234663852886e38", "-3.4e38", "1e-320", "5e-324", "1e-50", "0.1"])
def test_numbers_that_single_precision_rounds_are_taken_as_they_are(reader: RequestReader, number: str) -> None:
    for body, kind in ((f'{{"inputs": {{"AMT_CREDIT": [{number}]}}}}', JSON), (f"AMT_CREDIT\n{number}", CSV)):
        assert read(reader, body, kind).numbers[0, 0] == float(number)


@pytest.mark.parametrize(
    ("text", "number"), [("500", 500), ("-5.", -5), (".5", 0.5), ("+1.5E-3", 0.0015), ("1e2", 100)]
)
def test_numbers_of_csv(reader: RequestReader, text: str, number: float) -> None:
    assert read(reader, f"AMT_CREDIT\n{text}", CSV).numbers[0, 0] == number


@pytest.mark.parametrize("text", ["", "NA", "NaN", "null", "None"])
def test_nulls_of_csv(reader: RequestReader, text: str) -> None:
    assert np.isnan(read(reader, f'AMT_CREDIT,SK_ID_CURR\n"{text}",1', CSV).numbers[0, 0])


@pytest.mark.parametrize(
    "text",
    [
        "５００",
        "٣",
        "1_000",
        " 5",
        "5 ",
        "0x1p3",
        "infinity",
        "-inf",
        "NAN",
        "+nan",
        "1e",
        "1e400",
        "1,5",
        "--1",
        "1.2.3",
        "-",
    ],
)
def test_what_is_no_number_of_csv(reader: RequestReader, text: str) -> None:
    says = "Row 0, column AMT_CREDIT: expected a finite number or null, got text."
    assert refusal(reader, f'AMT_CREDIT,SK_ID_CURR\n"{text}",1', CSV) == (400, says)


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=UTF-8; x=y",
        'application/json;x="a;charset=latin-1";charset="utf-8"',
        "APPLICATION/JSON ; charset=utf8",
    ],
)
def test_types_of_media_that_are_json_in_utf_8(reader: RequestReader, kind: str) -> None:
    assert len(read(reader, {"inputs": {"AMT_CREDIT": [1]}}, kind)) == 1


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("", "The Content-Type must be application/json or text/csv."),
        ("text/plain", "The Content-Type must be application/json or text/csv."),
        ("application/json;" * 1000, "The Content-Type must be application/json or text/csv."),
        ("application/json; x=y; charset=latin-1", "The only encoding is UTF-8."),
        ("text/csv; charset=utf-16", "The only encoding is UTF-8."),
        ("text/csv; charset=é", "The only encoding is UTF-8."),
    ],
)
def test_other_types_of_media(reader: RequestReader, kind: str, says: str) -> None:
    assert refusal(reader, {"inputs": {"AMT_CREDIT": [1]}}, kind) == (415, says)


def test_a_compressed_body_is_refused_and_what_is_read_is_said(reader: RequestReader) -> None:
    with pytest.raises(RequestError, match="must not be compressed") as refused:
        reader.read(b"\x1f\x8b", JSON, "gzip")
    assert refused.value.status == 415
    assert refused.value.headers == {"Accept-Encoding": "identity"}
    assert len(read(reader, {"inputs": {"AMT_CREDIT": [1]}}, JSON, "identity")) == 1


def test_where_gaps_are_refused_the_first_one_is_told_by_what_was_expected() -> None:
    strict = RequestReader(CONTRACT, max_rows=10, refuse_gaps=True)
    assert refusal(strict, split(["AMT_CREDIT", "ext_source_3", "x"], [1.0, 2.0, 3.0])) == (
        400,
        "Row 0: expected names of the contract, got another one: EXT_SOURCE_3 may be meant.",
    )
    assert refusal(strict, split(["AMT_CREDIT", "x"], [1.0, 2.0])) == (
        400,
        "Row 0: expected names of the contract, got another one.",
    )
    for gap, column, says in (
        ("out_of_range", "AMT_CREDIT", "Row 1, column AMT_CREDIT: expected at least 40000 and at most 5000000."),
        ("out_of_range", "EXT_SOURCE_3", "Row 1, column EXT_SOURCE_3: expected at least 0."),
        ("missing", "AMT_CREDIT", "Row 1, column AMT_CREDIT: expected a value, as every training applicant has one."),
        ("too_little_known", None, "Row 1: expected fewer nulls, as no training applicant has so many."),
    ):
        error = strict.gap_error([[], [{"gap": gap, "column": column, "text": "…"}]])
        assert error is not None
        assert (error.status, error.message) == (400, says)
    assert strict.gap_error([[], []]) is None
    lenient = RequestReader(CONTRACT, max_rows=10)
    assert lenient.gap_error([[{"gap": "missing", "column": "AMT_CREDIT", "text": "…"}]]) is None
