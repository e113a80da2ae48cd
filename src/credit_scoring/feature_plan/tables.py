"""The raw tables of a request as numbers: what reading a raw file does to its rows, from the same contract."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain
from typing import Any

import numpy as np

from credit_scoring.feature_plan.description import Plan
from credit_scoring.feature_plan.operations import Numbers

_MAX_PROBLEMS = 20
_INTEGER, _TEXT = "int32", "string"
_NUMBERS = {int, float, type(None)}
_TOO_LARGE = 2.0**31
_APPLICANT = "SK_ID_CURR"

Records = Sequence[Mapping[str, Any]]
"""Rows by column; a column that is not there is null."""


class InputError(Exception):
    """Raw tables are not what their contracts say.

    Attributes:
        problems: One sentence per problem, the first twenty: table, row, column, what was expected. No value is told.
        n_problems: How many there are.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems[:_MAX_PROBLEMS])
        self.n_problems = len(problems)
        bullets = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{self.n_problems} problem{'s' * (self.n_problems != 1)} in the raw tables:\n{bullets}")


def stack_applicants(applicants: Sequence[Mapping[str, Any]]) -> dict[str, Records]:
    """Put the tables of several applicants together.

    Args:
        applicants: Of each its `application`, one record, and its histories, lists of records.
    """
    names = dict.fromkeys(chain.from_iterable(applicants))
    return {
        name: [one[name] for one in applicants if name in one]
        if name == "application"
        else [row for one in applicants for row in one.get(name, ())]
        for name in names
    }


class RawTables:
    """Rows of raw tables as numbers, in one evaluation.

    Attributes:
        n_given: Table -> number of rows that were given.
        n_rows: Table -> number of rows without exact copies.
    """

    def __init__(self, vocabulary: Sequence[str], others: Mapping[str, float]) -> None:
        self.n_given: dict[str, int] = {}
        self.n_rows: dict[str, int] = {}
        self._columns: dict[tuple[str, str], Numbers] = {}
        self._vocabulary = vocabulary
        self._others = {code: text for text, code in others.items()}

    def add(self, table: str, columns: Mapping[str, Numbers], n_given: int, n_rows: int) -> None:
        """Add the columns of a table."""
        self.n_given[table], self.n_rows[table] = n_given, n_rows
        self._columns |= {(table, name): column for name, column in columns.items()}

    def fill(self, table: str, names: Sequence[str], out: Numbers) -> None:
        """Write columns of a table to the rows of a matrix."""
        for i, name in enumerate(names):
            column = self._columns.get((table, name))
            out[i] = np.nan if column is None else column

    def decode(self, codes: Numbers) -> list[str | None]:
        """Return the texts of codes."""
        texts = {
            code: self._others[code] if code in self._others else self._vocabulary[int(code)]
            for code in {*codes[~np.isnan(codes)].tolist()}
        }
        return [texts.get(code) for code in codes.tolist()]


class Tables:
    """Reads the raw tables that a plan needs.

    Args:
        plan: The plan.
    """

    def __init__(self, plan: Plan) -> None:
        self._contracts = plan.tables
        self._wanted: dict[str, set[str]] = {table: set() for table in plan.tables}
        tables = {frame.name: frame.of for frame in plan.frames}
        for step in plan.steps:
            if step.operation == "raw":
                self._wanted[tables[step.frame]].add(str(step.operands[0]))
        self._vocabulary = list(plan.vocabulary)
        self._order = [text.encode() for text in self._vocabulary]
        self._codes: dict[str | None, float] = {text: float(i) for i, text in enumerate(self._vocabulary)}
        self._codes[None] = np.nan

    def code(self, text: str) -> float:
        """Return the place of a text in the vocabulary."""
        return self._codes[text]

    def read(self, tables: Mapping[str, Any]) -> RawTables:
        """Read tables, each from records, which are checked, or from typed columns, which are taken as they are.

        Typed columns are arrays of float64 in which null is NaN, and texts as Arrow encodes them: a pair of places,
        -1 for null, and distinct texts. They are what reading a raw file gives: whole numbers whole, no copy of a key.

        Raises:
            InputError: If a table or a column is unknown, a value of the wrong type, a whole number null, or a key
                stands for different rows.
        """
        problems = [
            f"{name} is no raw table; they are {', '.join(self._contracts)}"
            for name in sorted(tables.keys() - self._contracts.keys())
        ]
        if not tables.get("application"):
            problems.append("application: at least one row has to be there")
        texts = _Texts(self._codes, self._order)
        readers = {
            name: _Columns(tables[name])
            if isinstance(tables.get(name), Mapping)
            else _Records(name, contract, tables.get(name, ()))
            for name, contract in self._contracts.items()
        }
        for name, reader in readers.items():
            problems += reader.encode(self._wanted[name], texts)
        if not problems:
            problems = [one for reader in readers.values() for one in reader.strangers(readers)]
        if problems:
            raise InputError(problems)
        read = RawTables(self._vocabulary, texts.code_others())
        for name, reader in readers.items():
            read.add(name, reader.columns(), reader.n_given, reader.n_rows)
        return read


class _Texts:
    """Codes of texts in one evaluation: those of the vocabulary, and of others such that the order is kept."""

    def __init__(self, codes: Mapping[str | None, float], order: Sequence[bytes]) -> None:
        self._codes = codes
        self._order = order
        self._others: dict[str, list[tuple[Numbers, int]]] = {}

    def encode(self, texts: Sequence[str | None]) -> Numbers:
        """Return the codes of texts; those of others are written by `code_others`."""
        try:
            return np.array([self._codes[text] for text in texts], dtype=np.float64)
        except KeyError:
            codes = np.array([self._codes.get(text, np.nan) for text in texts], dtype=np.float64)
            for i, text in enumerate(texts):
                if text is not None and text not in self._codes:
                    self._others.setdefault(text, []).append((codes, i))
            return codes

    def code_others(self) -> dict[str, float]:
        """Give each other text a code between those of its neighbours in the order of UTF-8, as engines sort."""
        by_place: dict[int, list[str]] = {}
        for text in sorted(self._others, key=str.encode):
            by_place.setdefault(bisect_left(self._order, text.encode()), []).append(text)
        found = {}
        for place, texts in by_place.items():
            for i, text in enumerate(texts, start=1):
                found[text] = place - 1 + i / (len(texts) + 1)
                for codes, at in self._others[text]:
                    codes[at] = found[text]
        return found


class _Columns:
    """Typed columns of a table, taken as they are."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self._codes: dict[str, Numbers] = {}
        self.n_given = self.n_rows = max(
            (len(one[0] if isinstance(one, tuple) else one) for one in given.values()), default=0
        )

    def encode(self, wanted: Set[str], texts: _Texts) -> list[str]:
        """Have the texts coded."""
        for column in wanted & self._given.keys():
            if isinstance(self._given[column], tuple):
                self._codes[column] = texts.encode([*self._given[column][1], None])
        return []

    def strangers(self, others: Mapping[str, Any]) -> Iterable[str]:  # noqa: ARG002 - as of records
        """Find no problem: rows of a raw file may belong to nobody."""
        return ()

    def columns(self) -> dict[str, Numbers]:
        """Return the columns as numbers."""
        numbers = {column: values for column, values in self._given.items() if not isinstance(values, tuple)}
        return numbers | {column: codes[self._given[column][0]] for column, codes in self._codes.items()}


class _Records:
    """Records of one table, checked."""

    def __init__(self, name: str, contract: Mapping[str, Any], rows: Any) -> None:
        self._name = name
        self._contract = contract
        self._kinds = {column: told["type"] for column, told in contract["columns"].items()}
        self._read: dict[str, Numbers] = {}
        self._is_list = isinstance(rows, Sequence) and all(isinstance(row, Mapping) for row in rows)
        records: Records = rows if self._is_list else ()
        self._unknown = sorted(set(chain.from_iterable(records)) - self._kinds.keys())
        self._given = {column: [row.get(column) for row in records] for column in self._kinds}
        self.n_given = self.n_rows = len(records)

    def encode(self, wanted: Set[str], texts: _Texts) -> list[str]:
        """Read the wanted columns and all whole numbers, and return what is wrong."""
        if not self._is_list:
            return [f"{self._name}: a list of rows was expected, each an object"]
        if not self.n_rows:
            return []
        problems = [f"{self._name}: there is no column {column}" for column in self._unknown] + [*self._wrong_types()]
        if problems:
            return problems
        problems = self._leave_out_copies()
        numbers = [
            column for column, kind in self._kinds.items() if kind == _INTEGER or (column in wanted and kind != _TEXT)
        ]
        values = np.array([self._given[column] for column in numbers], dtype=np.float64)
        values[~np.isfinite(values)] = np.nan
        self._read = dict(zip(numbers, values, strict=True))
        self._read |= {column: texts.encode(self._given[column]) for column in wanted if self._kinds[column] == _TEXT}
        return [*problems, *self._not_whole(numbers, values)]

    def columns(self) -> dict[str, Numbers]:
        """Return the columns as numbers."""
        return self._read

    def strangers(self, others: Mapping[str, Any]) -> Iterable[str]:
        """Find rows that lead to no applicant: by their SK_ID_CURR, or else by the row that they belong to."""
        parents = self._contract["parents"]
        for column in [_APPLICANT] if _APPLICANT in parents else parents:
            known = set(others[parents[column]].columns().get(column, ()))
            for row, value in enumerate(self._given[column]):
                if value not in known:
                    yield self._problem(row, column, f"that of a row of {parents[column]}")

    def _wrong_types(self) -> Iterator[str]:
        for column, values in self._given.items():
            is_text = self._kinds[column] == _TEXT
            allowed = {str, type(None)} if is_text else _NUMBERS
            if not set(map(type, values)) <= allowed:
                for row, value in enumerate(values):
                    if type(value) not in allowed:
                        yield self._problem(row, column, "a text or null" if is_text else "a number or null")

    def _not_whole(self, numbers: Sequence[str], values: Numbers) -> Iterator[str]:
        at = [i for i, column in enumerate(numbers) if self._kinds[column] == _INTEGER]
        whole = values[at]
        bad = ~(whole == np.trunc(whole)) | (np.abs(whole) >= _TOO_LARGE)
        if bad.any():
            for row, i in np.argwhere(bad.T):
                yield self._problem(row, numbers[at[i]], "a whole number, not null")

    def _leave_out_copies(self) -> list[str]:
        """Drop exact copies of rows under a key; the same key of different rows is a problem."""
        key = self._contract["key"]
        if not key or len(set(zip(*(self._given[column] for column in key), strict=True))) == self.n_rows:
            return []
        first: dict[tuple[Any, ...], int] = {}
        problems, at = [], [list(self._given).index(column) for column in key]
        rows = list(zip(*self._given.values(), strict=True))
        keep = []
        for i, row in enumerate(rows):
            same = first.setdefault(tuple(row[j] for j in at), i)
            if same == i:
                keep.append(i)
            elif rows[same] != row:
                problems.append(
                    f"{self._name}, rows {same + 1} and {i + 1}: the same {' and '.join(key)} stands for both"
                )
        self._given = {column: [values[i] for i in keep] for column, values in self._given.items()}
        self.n_rows = len(keep)
        return problems

    def _problem(self, row: int, column: str, expected: str) -> str:
        return f"{self._name}, row {row + 1}, column {column}: expected {expected}"
