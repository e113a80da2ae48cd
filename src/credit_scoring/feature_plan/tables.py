"""The raw tables of a request as numbers: what reading a raw file does to its rows, from the same contract."""

import sys
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from credit_scoring.feature_plan.description import Plan
from credit_scoring.feature_plan.operations import Numbers

_MAX_PROBLEMS = 20
_INTEGER, _TEXT = "int32", "string"
_NUMBERS, _TEXTS = {int, float, type(None)}, {str, type(None)}
_TOO_LARGE = 2.0**31
_SPINE, _APPLICANT = "application", "SK_ID_CURR"
_NONE: Mapping[str, Any] = {_SPINE: None}
# Keys are below 2**31 in size, and exact as float64 for two million applicants
_APART = 2.0**32


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


class RawTables:
    """Rows of raw tables as numbers, in one evaluation.

    Args:
        vocabulary: Texts by their code.
        others: The codes of other texts.

    Attributes:
        applicants: SK_ID_CURR of each row of `application`.
        n_given: Table -> number of rows that were given.
        n_rows: Table -> number of rows without exact copies.
    """

    def __init__(self, vocabulary: Sequence[str], others: Mapping[str, float]) -> None:
        self.applicants: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
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
        """Write columns of a table to the rows of a matrix; one that was not given is null."""
        for i, name in enumerate(names):
            out[i] = self._columns.get((table, name), np.nan)

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
        self._links = frozenset(column for contract in plan.tables.values() for column in contract["parents"])
        self._vocabulary = list(plan.vocabulary)
        self._order = [_utf8(text) for text in self._vocabulary]
        self._codes: dict[str | None, float] = {text: float(i) for i, text in enumerate(self._vocabulary)}
        self._codes[None] = np.nan

    def code(self, text: str) -> float:
        """Return the place of a text in the vocabulary."""
        return self._codes[text]

    def read(self, applicants: Sequence[Mapping[str, Any]]) -> RawTables:
        """Read and check the tables of each applicant; see `FeaturePlan.evaluate`.

        Keys of different applicants are set apart, so that no row of one can meet a row of another.

        Raises:
            InputError: With the problems of all applicants and tables.
        """
        if not applicants:
            raise InputError(["there is no applicant"])
        problems = [
            f"{_whose(i, len(applicants))}{name} is no raw table; they are {', '.join(self._contracts)}"
            for i, tables in enumerate(applicants)
            for name in sorted(tables.keys() - self._contracts.keys())
        ]
        texts = _Texts(self._codes, self._order)
        readers = {
            name: Records(name, contract, [tables.get(name, _NONE.get(name, ())) for tables in applicants], self._links)
            for name, contract in self._contracts.items()
        }
        for name, reader in readers.items():
            problems += reader.read(self._wanted[name], texts)
        if not problems:
            problems = [one for reader in readers.values() for one in reader.strangers(readers)]
        if problems:
            raise InputError(problems)
        read = RawTables(self._vocabulary, texts.code_others())
        read.applicants = np.array(readers[_SPINE].given[_APPLICANT], dtype=np.int64)
        for name, reader in readers.items():
            read.add(name, reader.columns, reader.n_given, reader.n_rows)
        return read

    def take(self, tables: Mapping[str, Mapping[str, Any]]) -> RawTables:
        """Take typed columns as they are; see `FeaturePlan.evaluate_typed`."""
        texts = _Texts(self._codes, self._order)
        codes = {
            (table, name): texts.encode([*values[1], None])
            for table, columns in tables.items()
            for name, values in columns.items()
            if isinstance(values, tuple)
        }
        taken = RawTables(self._vocabulary, texts.code_others())
        taken.applicants = tables[_SPINE][_APPLICANT].astype(np.int64)
        for table in self._contracts:
            columns = {
                name: codes[table, name][values[0]] if isinstance(values, tuple) else values
                for name, values in tables.get(table, {}).items()
            }
            n_rows = len(next(iter(columns.values()), ()))
            taken.add(table, columns, n_rows, n_rows)
        return taken


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
        for text in sorted(self._others, key=_utf8):
            by_place.setdefault(bisect_left(self._order, _utf8(text)), []).append(text)
        found = {}
        for place, texts in by_place.items():
            for i, text in enumerate(texts, start=1):
                found[text] = place - 1 + i / (len(texts) + 1)
                for codes, at in self._others[text]:
                    codes[at] = found[text]
        return found


class Records:
    """Records of one table, of all applicants of an evaluation.

    Args:
        name: Its name.
        contract: Its contract.
        tables: Of each applicant the rows; of the spine the one row.
        links: Columns by which rows of different tables belong together.

    Attributes:
        given: Column -> values as they were given, without exact copies of rows.
        columns: Column -> numbers, for those that are wanted or whole.
        n_given: Number of rows that were given.
        n_rows: Number of rows without exact copies.
    """

    def __init__(self, name: str, contract: Mapping[str, Any], tables: Sequence[Any], links: Set[str]) -> None:
        self._name = name
        self._contract = contract
        self._links = links
        self._n_applicants = len(tables)
        self._kinds = {column: told["type"] for column, told in contract["columns"].items()}
        tables = [[one] for one in tables] if name == _SPINE else tables
        expected = "an object" if name == _SPINE else "a list of rows, each an object"
        self._problems = [
            f"{_whose(i, len(tables))}{name}: expected {expected}"
            for i, rows in enumerate(tables)
            if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows)
        ]
        rows = [] if self._problems else [row for rows in tables for row in rows]
        unknown = sorted(set(chain.from_iterable(rows)) - self._kinds.keys())
        self._problems += [f"{name}: there is no column {column}" for column in unknown]
        self.given = {column: [row.get(column) for row in rows] for column in self._kinds}
        self.columns: dict[str, Numbers] = {}
        self.n_given = self.n_rows = len(rows)
        sizes = [0 if self._problems else len(rows) for rows in tables]
        self._applicant = np.repeat(np.arange(len(tables)), sizes)
        self._row = np.concatenate([np.arange(size) for size in sizes])

    def read(self, wanted: Set[str], texts: _Texts) -> list[str]:
        """Read the wanted columns and all whole numbers, and return what is wrong."""
        problems = self._problems or [*self._wrong_types()]
        if problems or not self.n_rows:
            return problems
        problems = self._leave_out_copies()
        numbers = [
            column for column, kind in self._kinds.items() if kind == _INTEGER or (column in wanted and kind != _TEXT)
        ]
        try:
            values = np.array([self.given[column] for column in numbers], dtype=np.float64)
        except OverflowError:  # JSON has whole numbers of any length
            return [*problems, *self._too_large(numbers)]
        values[~np.isfinite(values)] = np.nan
        problems += self._not_whole(numbers, values)
        for column, one in zip(numbers, values, strict=True):
            self.columns[column] = one + _APART * self._applicant if column in self._links else one
        self.columns |= {column: texts.encode(self.given[column]) for column in wanted if self._kinds[column] == _TEXT}
        return problems

    def strangers(self, others: Mapping[str, "Records"]) -> Iterator[str]:
        """Find rows that lead to another applicant or none: by their SK_ID_CURR, or else by the row they belong to."""
        parents = self._contract["parents"]
        for column in [_APPLICANT] if _APPLICANT in parents else parents:
            if self.n_rows:
                known = others[parents[column]].columns.get(column, ())
                for row in np.flatnonzero(~np.isin(self.columns[column], known)).tolist():
                    yield self._problem(row, column, f"that of a row of {parents[column]}")

    def _wrong_types(self) -> Iterator[str]:
        for column, values in self.given.items():
            is_text = self._kinds[column] == _TEXT
            allowed = _TEXTS if is_text else _NUMBERS
            if not set(map(type, values)) <= allowed:
                for row, value in enumerate(values):
                    if type(value) not in allowed:
                        yield self._problem(row, column, "a text or null" if is_text else "a number or null")

    def _too_large(self, numbers: Sequence[str]) -> Iterator[str]:
        for column in numbers:
            for row, value in enumerate(self.given[column]):
                if isinstance(value, int) and abs(value) > sys.float_info.max:
                    yield self._problem(row, column, "a number that is not so large")

    def _not_whole(self, numbers: Sequence[str], values: Numbers) -> Iterator[str]:
        at = [i for i, column in enumerate(numbers) if self._kinds[column] == _INTEGER]
        whole = values[at]
        bad = ~(whole == np.trunc(whole)) | (np.abs(whole) >= _TOO_LARGE)
        if bad.any():
            for row, i in np.argwhere(bad.T).tolist():
                yield self._problem(row, numbers[at[i]], "a whole number, not null")

    def _leave_out_copies(self) -> list[str]:
        """Drop exact copies of rows under a key; the same key of different rows is a problem."""
        key = self._contract["key"]
        keys = list(zip(self._applicant.tolist(), *(self.given[column] for column in key), strict=True))
        if not key or len(set(keys)) == self.n_rows:
            return []
        first: dict[tuple[Any, ...], int] = {}
        rows = list(zip(*self.given.values(), strict=True))
        same = [first.setdefault(one, row) for row, one in enumerate(keys)]
        problems = [
            self._problem(
                row, " and ".join(key), f"another one than in row {self._row[same[row]] + 1}, or an equal row"
            )
            for row in range(self.n_rows)
            if rows[same[row]] != rows[row]
        ]
        keep = [row for row in range(self.n_rows) if same[row] == row]
        self.given = {column: [values[row] for row in keep] for column, values in self.given.items()}
        self._applicant, self._row, self.n_rows = self._applicant[keep], self._row[keep], len(keep)
        return problems

    def _problem(self, row: int, column: str, expected: str) -> str:
        whose = _whose(self._applicant[row], self._n_applicants)
        place = f", row {self._row[row] + 1}" if self._name != _SPINE else ""
        return f"{whose}{self._name}{place}, column {column}: expected {expected}"


def _whose(applicant: int, of: int) -> str:
    return f"applicant {applicant + 1}, " if of > 1 else ""


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
