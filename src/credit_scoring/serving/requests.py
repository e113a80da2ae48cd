"""From the body of a request to rows of numbers and texts, or to a short answer that says what is wrong with it.

Messages name columns and rows, and never repeat a value that was sent: it may be personal, and answers end up in logs.
"""

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from credit_scoring.exported_model.contract import Contract
from credit_scoring.serving.names import KnownNames

JSON, CSV = "application/json", "text/csv"
_ID, _LONGEST_ID = "SK_ID_CURR", 64
FORMATS = ("dataframe_split", "dataframe_records", "inputs")
# What a field of a CSV file may hold for null; the list of pandas, which MLflow reads such files with.
_CSV_NULLS = frozenset(
    {
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
        *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    }
)
# Of ASCII: `float` also takes digits of other scripts, underscores, spaces around, and words for what is not finite
_CSV_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# Beyond it a number is infinite to models that compare in single precision
LARGEST = float(np.finfo(np.float32).max)
_NUMBER_TYPES, _TEXT_TYPES = frozenset({float, int, type(None)}), frozenset({str, type(None)})
_WORDS: Mapping[type, str] = {
    str: "text",
    bool: "a truth value",
    list: "a list",
    dict: "an object",
    int: "a number",
    float: "a number",
    type(None): "null",
}
CHOICES: Mapping[str, Sequence[str]] = {"language": ("fr", "en")}
_SHOWN = 5
_MOST_NAMES = 10_000
_LONGEST_TYPE = 200  # of a header: parsing it takes longer than it is long


class RequestError(Exception):
    """A request that is refused.

    Attributes:
        status: Status of the answer.
        message: What is wrong, for the client.
        headers: What the answer says of it to programs.
        told: What the answer's body says of it to programs.
    """

    def __init__(
        self,
        status: int,
        message: str,
        headers: Mapping[str, str] | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}
        self.told = told or {}


@dataclass(frozen=True)
class Rows:
    """Applicants to score.

    Attributes:
        numbers: One column per column of the contract, in its order; NaN for null, and all over columns of text.
        texts: For each column of text its values; null is `None`.
        params: Options of the request, defaults included.
        unknown: Row -> for the first names sent with it that nobody knows the column that may be meant, or null. Rows
            without such names are left out.
        applicants: Whom the rows are about, as far as `SK_ID_CURR` was sent; the model does not see it.
    """

    numbers: npt.NDArray[np.float64]
    texts: Mapping[str, list[str | None]]
    params: Mapping[str, Any]
    unknown: Mapping[int, tuple[str | None, ...]] = field(default_factory=dict)
    applicants: Sequence[Any] = ()

    def __len__(self) -> int:
        return len(self.numbers)


_Values = Sequence[Any]
_Pick = Callable[[_Values], _Values]


@dataclass(frozen=True)
class _Layout:
    """Where the columns of the contract stand in a row that was sent.

    Attributes:
        columns: What was sent.
        unknown: For the first names that nobody knows the column that may be meant, null where none is near.
        pick_numbers: Takes the numbers out of a row.
        number_names: Their columns.
        number_places: Where these are in the contract.
        texts: Column of text -> its place in a row.
        applicant: Where the applicant's id is; null if it was not sent.
    """

    columns: tuple[str, ...]
    unknown: tuple[str | None, ...]
    pick_numbers: _Pick
    number_names: tuple[str, ...]
    number_places: npt.NDArray[np.intp]
    texts: Mapping[str, int]
    applicant: int | None


class RequestReader:
    """Reads and checks requests to one model.

    Args:
        contract: What the model may be sent.
        max_rows: Most applicants in a request.
        refuse_unknown_categories: Whether to refuse a category that training did not hold.
        refuse_gaps: Whether to refuse names that nobody knows, and what `gap_error` is asked about.
    """

    _KEPT_LAYOUTS = 64

    def __init__(
        self,
        contract: Contract,
        *,
        max_rows: int,
        refuse_unknown_categories: bool = False,
        refuse_gaps: bool = False,
    ) -> None:
        self._columns = {column.name: column for column in contract.columns}
        self._names = tuple(column.name for column in contract.columns)
        self._is_text = {column.name: column.is_text for column in contract.columns}
        self._required = frozenset(column.name for column in contract.columns if column.required)
        self._categories = {
            column.name: frozenset(column.facts.get("categories", ())) for column in contract.columns if column.is_text
        }
        self._parameters = contract.parameters
        self._max_rows = max_rows
        self._refuse_unknown_categories = refuse_unknown_categories
        self._refuse_gaps = refuse_gaps
        self._known = contract.known_names
        self._known_names = KnownNames(self._names, self._known)
        # Clients send their columns in one order, time and again. Only known names are kept, each at most once.
        self._layouts: dict[tuple[str, ...], _Layout] = {}
        self._whole = self._layout(self._names)

    def read(self, body: bytes, content_type: str, content_encoding: str = "") -> Rows:
        """Read the body of a request, in a time that grows with its length.

        Args:
            body: Its bytes.
            content_type: What the header of that name says.
            content_encoding: What the header of that name says.

        Raises:
            RequestError: If it is not what the contract asks for.
        """
        kind = check_body(body, content_type, content_encoding)
        rows = self._read_json(body) if kind == JSON else self._read_csv(body)
        if self._refuse_unknown_categories:
            unknown = self.unknown_categories(rows)
            if unknown:
                raise RequestError(400, f"Unknown category in column {_list(unknown)}.")
        if self._refuse_gaps and rows.unknown:
            row, meant = next(iter(rows.unknown.items()))
            hint = f": {_list(names)} may be meant" if (names := [name for name in meant if name]) else ""
            raise RequestError(400, f"Row {row}: expected names of the contract, got another one{hint}.")
        return rows

    def describe(self, rows: Rows) -> list[dict[str, Any]]:
        """Return of each row what `restore` makes the same row of: `row` without nulls, `params`, `unknown`.

        Beside these, `SK_ID_CURR` as text, if it was sent and is one.
        """
        described = []
        for number, values in enumerate(rows.numbers.tolist()):
            row = {name: value for name, value in zip(self._names, values, strict=True) if value == value}  # noqa: PLR0124
            row |= {name: texts[number] for name, texts in rows.texts.items()}
            one: dict[str, Any] = {"row": row, "params": rows.params}
            if number in rows.unknown:
                one["unknown"] = rows.unknown[number]
            if rows.applicants and (applicant := _applicant(rows.applicants[number])):
                one[_ID] = applicant
            described.append(one)
        return described

    def restore(self, described: Sequence[Mapping[str, Any]]) -> Rows:
        """Return the rows of one request that `describe` has described, or some of them."""
        unknown = {i: tuple(one["unknown"]) for i, one in enumerate(described) if "unknown" in one}
        data = [tuple(map(one["row"].get, self._names)) for one in described]
        return self._fill(self._whole, data, dict(described[0]["params"]), unknown)

    def gap_error(self, gaps: Sequence[Sequence[Mapping[str, Any]]]) -> RequestError | None:
        """Return what is told of the first gap of some applicants where gaps are refused; nothing if there is none."""
        row, gap = next(((row, found[0]) for row, found in enumerate(gaps) if found), (0, None))
        if gap is None or not self._refuse_gaps:
            return None
        if gap["column"] is None:
            return RequestError(400, f"Row {row}: expected fewer nulls, as no training applicant has so many.")
        plausible = self._columns[gap["column"]].plausible
        expected = "a value, as every training applicant has one" if gap["gap"] == "missing" else plausible
        return RequestError(400, f"Row {row}, column {gap['column']}: expected {expected}.")

    def unknown_categories(self, rows: Rows) -> dict[str, int]:
        """Count by column the categories that training did not hold; columns without one are left out."""
        found = {}
        for name, values in rows.texts.items():
            known = self._categories[name]
            count = sum(value is not None and value not in known for value in values)
            if count:
                found[name] = count
        return found

    def _read_json(self, body: bytes) -> Rows:
        payload = parse_json(body)
        if not isinstance(payload, dict):
            raise RequestError(
                400, f"The body must be an object with one of {', '.join(FORMATS)}, got {_word(payload)}."
            )
        given = [name for name in FORMATS if name in payload]
        if len(given) != 1 or payload.keys() - {*given, "params"}:
            raise RequestError(400, f"The body must have one of {', '.join(FORMATS)}, and may have params.")
        params = self._read_params(payload.get("params"))
        table = payload[given[0]]
        if given[0] == "dataframe_split":
            return self._read_split(table, params)
        if isinstance(table, dict) and given[0] == "inputs":
            return self._read_columns(table, params)
        return self._read_records(table, given[0], params)

    def _read_params(self, given: Any) -> dict[str, Any]:
        if given is None:
            return dict(self._parameters)
        if not isinstance(given, dict):
            raise RequestError(400, f"params must be an object, got {_word(given)}.")
        for name, value in given.items():
            if name not in self._parameters:
                raise RequestError(400, f"Unknown parameter. Known are {', '.join(self._parameters)}.")
            expected = type(self._parameters[name])
            if type(value) is not expected:
                raise RequestError(400, f"Parameter {name} must be {_WORDS[expected]}, got {_word(value)}.")
            if name in CHOICES and value not in CHOICES[name]:
                raise RequestError(400, f"Parameter {name} must be one of {', '.join(CHOICES[name])}.")
        return {**self._parameters, **given}

    def _read_split(self, table: Any, params: dict[str, Any]) -> Rows:
        if not isinstance(table, dict) or not {"columns", "data"} <= table.keys() <= {"columns", "data", "index"}:
            raise RequestError(400, "dataframe_split must have columns and data, and may have index.")
        columns, data = table["columns"], table["data"]
        if not isinstance(columns, list) or not isinstance(data, list):
            raise RequestError(400, "columns and data of dataframe_split must be lists.")
        if not all(isinstance(name, str) for name in columns):
            raise RequestError(400, "columns of dataframe_split must be names.")
        layout = self._layout(tuple(columns))
        width = len(columns)
        for number, row in enumerate(data):
            if not isinstance(row, list):
                raise RequestError(400, f"Row {number}: expected a list, got {_word(row)}.")
            if len(row) != width:
                raise RequestError(400, f"Row {number}: expected {width} values, as many as columns, got {len(row)}.")
        return self._fill(layout, data, params)

    def _read_records(self, table: Any, name: str, params: dict[str, Any]) -> Rows:
        if not isinstance(table, list):
            raise RequestError(400, f"{name} must be a list of objects, got {_word(table)}.")
        self._check_size(len(table))
        for number, row in enumerate(table):
            if not isinstance(row, dict):
                raise RequestError(400, f"Row {number}: expected an object, got {_word(row)}.")
            if not row.keys() >= self._required:
                missing = [column for column in self._names if column in self._required and column not in row]
                raise RequestError(400, f"Row {number}: missing required column {_list(missing)}.")
        found: dict[str, str | None] = {}
        unknown = {
            number: self._known_names.look(row, found)
            for number, row in enumerate(table)
            if not row.keys() <= self._known
        }
        applicants = [row.get(_ID) for row in table]
        return self._fill(self._whole, [tuple(map(row.get, self._names)) for row in table], params, unknown, applicants)

    def _read_columns(self, table: dict[str, Any], params: dict[str, Any]) -> Rows:
        self._check_required(table)
        given = {name: table[name] for name in self._names if name in table}
        for name, values in given.items():
            if not isinstance(values, list):
                raise RequestError(400, f"Column {name}: expected a list, got {_word(values)}.")
        lengths = set(map(len, given.values()))
        if len(lengths) > 1:
            raise RequestError(400, "The columns of inputs must all have as many values.")
        size = max(lengths, default=0)
        data = list(zip(*(given.get(name) or [None] * size for name in self._names), strict=True))
        unknown = self._known_names.look(table, {})
        applicants = table.get(_ID)
        if not isinstance(applicants, list) or len(applicants) != size:
            applicants = ()
        return self._fill(self._whole, data, params, dict.fromkeys(range(size), unknown) if unknown else {}, applicants)

    def _read_csv(self, body: bytes) -> Rows:
        try:
            lines = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
            header = next(lines, [])
            layout = self._layout(tuple(header))
            numbers = [place for place, name in enumerate(header) if self._is_text.get(name) is False]
            texts = list(layout.texts.values())
            data: list[list[Any]] = []
            for line in lines:
                if not line and len(header) != 1:
                    continue
                fields = line or [""]
                if len(fields) != len(header):
                    raise RequestError(400, f"Row {len(data)}: expected {len(header)} fields, got {len(fields)}.")
                row: list[Any] = fields.copy()
                for place in numbers:
                    row[place] = _csv_number(fields[place])
                for place in texts:
                    row[place] = None if fields[place] in _CSV_NULLS else fields[place]
                data.append(row)
        except UnicodeDecodeError:
            raise RequestError(400, "The body is not UTF-8.") from None
        except csv.Error as error:
            raise RequestError(400, f"The body is not valid CSV: {error}.") from None
        return self._fill(layout, data, dict(self._parameters))

    def _layout(self, columns: tuple[str, ...]) -> _Layout:
        """Find the columns of the contract among those sent."""
        known = self._layouts.get(columns)
        if known is not None:
            return known
        if len(columns) > _MOST_NAMES:
            raise RequestError(400, f"There are {len(columns)} columns; at most {_MOST_NAMES} are looked at.")
        place = {name: i for i, name in enumerate(columns)}
        if len(place) != len(columns):
            repeated = [name for name, times in Counter(columns).items() if times > 1 and name in self._is_text]
            what = f"Column {_list(repeated)}" if repeated else "A column that is not in the contract"
            raise RequestError(400, f"{what} is there more than once.")
        self._check_required(place)
        numbers = tuple(name for name in self._names if name in place and not self._is_text[name])
        return _Layout(
            columns=columns,
            unknown=self._known_names.look(columns, {}),
            pick_numbers=_picker([place[name] for name in numbers]),
            number_names=numbers,
            number_places=np.array([self._names.index(name) for name in numbers], dtype=np.intp),
            texts={name: place[name] for name in self._names if name in place and self._is_text[name]},
            applicant=place.get(_ID),
        )

    def _check_size(self, rows: int) -> None:
        if not rows:
            raise RequestError(400, "There are no rows.")
        if rows > self._max_rows:
            raise RequestError(413, f"There are {rows} rows; at most {self._max_rows} are scored at a time.")

    def _check_required(self, given: Container[str]) -> None:
        missing = [name for name in self._names if name in self._required and name not in given]
        if missing:
            raise RequestError(400, f"Missing required column {_list(missing)}.")

    def _fill(
        self,
        layout: _Layout,
        data: Sequence[_Values],
        params: dict[str, Any],
        unknown: Mapping[int, tuple[str | None, ...]] | None = None,
        applicants: Sequence[Any] = (),
    ) -> Rows:
        self._check_size(len(data))
        picked = [layout.pick_numbers(row) for row in data]
        if not _types(picked) <= _NUMBER_TYPES:
            raise _wrong_number(picked, layout.number_names)
        # Whole numbers are turned into doubles one by one: beyond 2**63, NumPy would make objects of them
        given = np.array(picked, dtype=np.float64).reshape(len(data), -1)
        large = np.abs(given) > LARGEST
        if np.count_nonzero(large):
            row, place = np.argwhere(large)[0]
            expected = f"a number between -{LARGEST:.2g} and {LARGEST:.2g}, got one beyond"
            raise RequestError(400, f"Row {row}, column {layout.number_names[place]}: expected {expected}.")
        numbers = np.full((len(data), len(self._names)), np.nan)
        numbers[:, layout.number_places] = given
        texts: dict[str, list[str | None]] = {}
        for name, is_text in self._is_text.items():
            if not is_text:
                continue
            place = layout.texts.get(name)
            texts[name] = [None] * len(data) if place is None else [row[place] for row in data]
            if not set(map(type, texts[name])) <= _TEXT_TYPES:
                row, value = next((i, x) for i, x in enumerate(texts[name]) if type(x) not in _TEXT_TYPES)
                raise RequestError(400, f"Row {row}, column {name}: expected text or null, got {_word(value)}.")
        if layout.unknown:
            unknown = dict.fromkeys(range(len(data)), layout.unknown)
        elif layout.columns not in self._layouts:
            if len(self._layouts) >= self._KEPT_LAYOUTS:
                self._layouts.clear()
            self._layouts[layout.columns] = layout
        if layout.applicant is not None:
            applicants = [row[layout.applicant] for row in data]
        return Rows(numbers, texts, params, unknown or {}, applicants)


def _applicant(sent: Any) -> str | None:
    """Return an applicant's id as text; null for what is none."""
    if isinstance(sent, float) and sent.is_integer():
        sent = int(sent)
    text = str(sent).strip() if type(sent) in (int, str) else ""
    return text if text.isprintable() and len(text) <= _LONGEST_ID and text not in _CSV_NULLS else None


def check_body(body: bytes, content_type: str, content_encoding: str) -> str:
    """Return the media type of a body, JSON or CSV.

    Raises:
        RequestError: If it is neither, not in UTF-8, compressed, or empty.
    """
    kind = _media_type(content_type)
    if content_encoding.strip().lower() not in ("", "identity"):
        message = "The body must not be compressed: send it without a Content-Encoding."
        raise RequestError(415, message, {"Accept-Encoding": "identity"})
    if not body:
        raise RequestError(400, "The body is empty.")
    return kind


def parse_json(body: bytes) -> Any:
    """Return what a body of JSON holds.

    Raises:
        RequestError: If it is none.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        constants = b"NaN" in body or b"Infinity" in body
        hint = " NaN and Infinity are not JSON: null stands for what is unknown." if constants else ""
        raise RequestError(400, f"The body is not valid JSON: {error}.{hint}") from None


def _media_type(content_type: str) -> str:
    if content_type == JSON:
        return JSON
    header = Message()
    header["Content-Type"] = content_type if len(content_type) <= _LONGEST_TYPE else ""
    kind = header.get_content_type()
    if kind not in (JSON, CSV):
        raise RequestError(415, f"The Content-Type must be {JSON} or {CSV}.")
    if str(header.get_param("charset", "utf-8")).lower() not in ("utf-8", "utf8"):
        raise RequestError(415, "The only encoding is UTF-8.")
    return kind


def _picker(places: list[int]) -> _Pick:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple(row[place] for place in places)


def _types(rows: Iterable[_Values]) -> set[type]:
    found: set[type] = set()
    for row in rows:
        found.update(map(type, row))
    return found


def _csv_number(text: str) -> Any:
    """Return the number a field holds, nothing if it holds none, or the text itself if it is no finite number."""
    if text in _CSV_NULLS:
        return None
    number = float(text) if _CSV_NUMBER.fullmatch(text) else math.inf
    return text if math.isinf(number) else number


def _wrong_number(rows: Sequence[_Values], names: Sequence[str]) -> RequestError:
    for number, row in enumerate(rows):
        for name, value in zip(names, row, strict=True):
            if type(value) not in _NUMBER_TYPES:
                what = f"Row {number}, column {name}: expected a finite number or null, got {_word(value)}."
                return RequestError(400, what)
    raise AssertionError("called for rows that hold numbers only")


def _word(value: Any) -> str:
    return _WORDS[type(value)]


def _list(names: Iterable[str]) -> str:
    shown = list(names)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more
