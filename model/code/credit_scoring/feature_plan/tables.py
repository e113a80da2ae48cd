"""The raw tables of a request as numbers: what reading a raw file does to its rows, from the same contract."""

import sys
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from difflib import get_close_matches
from itertools import chain
from typing import Any, NamedTuple

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


# Names that nobody knows are compared with known ones for so many of a table, up to so many characters
_LOOKED_FOR, _LONGEST = 5, 100


class Problem(NamedTuple):
    """What is wrong at one place of a request. Neither a value is told nor a name that nobody knows.

    Attributes:
        applicant: Place of the applicant, from 0.
        table: The raw table; empty for a name that is none.
        row: Place of the row in the applicant's table, from 0; null of no single row.
        column: The column; empty of no single one.
        expected: What was expected: `applicant` (one at least), `known_table`, `known_column`, `object`, `rows`,
            `fewer_rows`, `number`, `smaller_number`, `whole_number`, `text`, `own_key`, or `parent`.
        detail: The name that may be meant, the most rows, the table of the parent; empty without one.
    """

    applicant: int
    table: str
    row: int | None
    column: str
    expected: str
    detail: str = ""

    def __str__(self) -> str:
        """Say it in short."""
        row = "" if self.row is None else f"row {self.row}"
        place = ", ".join(filter(None, (f"applicant {self.applicant}", self.table, row, self.column)))
        return f"{place}: expected {self.expected}{f' ({self.detail})' if self.detail else ''}"


class InputError(Exception):
    """Raw tables are not what their contracts say.

    Args:
        problems: What is wrong.
        untold: How many more problems there are than these.

    Attributes:
        problems: The first twenty problems.
        n_problems: How many there are.
    """

    def __init__(self, problems: Iterable[Problem], untold: int = 0) -> None:
        told: list[Problem] = []
        self.n_problems = untold
        for problem in problems:
            self.n_problems += 1
            if len(told) < _MAX_PROBLEMS:
                told.append(problem)
        self.problems = tuple(told)
        bullets = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{self.n_problems} problem{'s' * (self.n_problems != 1)} in the raw tables:\n{bullets}")


class Implausible(NamedTuple):
    """A value that its contract does not call plausible: out of bounds, or none of those that are listed.

    Attributes:
        applicant: Place of the applicant, from 0.
        table: The raw table.
        row: Place of the row in the applicant's table, from 0; null of the form, which is one record.
        column: The column.
    """

    applicant: int
    table: str
    row: int | None
    column: str


class RawTables:
    """Rows of raw tables as numbers, in one evaluation.

    Args:
        vocabulary: Texts by their code.
        others: The codes of other texts.

    Attributes:
        applicants: SK_ID_CURR of each row of `application`.
        owners: Table -> place of the applicant of each row, without exact copies; of a request only.
        n_given: Table -> number of rows that were given, of each applicant; of a request only.
        n_rows: Table -> number of rows without exact copies.
        implausible: Values that their contracts do not call plausible; of a request only.
    """

    def __init__(self, vocabulary: Sequence[str], others: Mapping[str, float]) -> None:
        self.applicants: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.owners: dict[str, npt.NDArray[np.intp]] = {}
        self.n_given: dict[str, npt.NDArray[np.intp]] = {}
        self.implausible: list[Implausible] = []
        self.n_rows: dict[str, int] = {}
        self._columns: dict[tuple[str, str], Numbers] = {}
        self._vocabulary = vocabulary
        self._others = {code: text for text, code in others.items()}

    def add(self, table: str, columns: Mapping[str, Numbers], n_rows: int) -> None:
        """Add the columns of a table."""
        self.n_rows[table] = n_rows
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
        self._bounds = {name: _Bounds(one["columns"], self._wanted[name]) for name, one in plan.tables.items()}
        self._links = frozenset(column for contract in plan.tables.values() for column in contract["parents"])
        self._vocabulary = list(plan.vocabulary)
        self._order = [_utf8(text) for text in self._vocabulary]
        self._codes: dict[str | None, float] = {text: float(i) for i, text in enumerate(self._vocabulary)}
        self._codes[None] = np.nan

    def code(self, text: str) -> float:
        """Return the place of a text in the vocabulary."""
        return self._codes[text]

    def read(self, applicants: Sequence[Mapping[str, Any]], most_rows: int | None = None) -> RawTables:
        """Read and check the tables of each applicant; see `FeaturePlan.evaluate`.

        Keys of different applicants are set apart, so that no row of one can meet a row of another.

        Raises:
            InputError: With the problems of all applicants and tables.
        """
        if not applicants:
            raise InputError([Problem(0, "", None, "", "applicant")])
        problems: list[Problem] = []
        for i, tables in enumerate(applicants):
            unknown = tables.keys() - self._contracts.keys()
            # Names are compared no longer than they are told
            near = _nearest(unknown, self._contracts) if len(problems) < _MAX_PROBLEMS else [""] * len(unknown)
            problems += [Problem(i, "", None, "", "known_table", one) for one in near]
        texts = _Texts(self._codes, self._order)
        readers = {
            name: Records(name, contract, [tables.get(name, _NONE.get(name, ())) for tables in applicants], self._links)
            for name, contract in self._contracts.items()
        }
        for name, reader in readers.items():
            reader.read(texts, self._bounds[name], most_rows)
        found = [problem for reader in readers.values() for problem in (*reader.problems, *reader.strangers(readers))]
        if problems or found:
            raise InputError(chain(problems, found))
        read = RawTables(self._vocabulary, texts.code_others())
        read.applicants = np.array(readers[_SPINE].given[_APPLICANT], dtype=np.int64)
        for name, reader in readers.items():
            read.add(name, reader.columns, reader.n_rows)
            read.owners[name], read.n_given[name] = reader.owners, reader.n_given
            read.implausible += reader.implausible
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
            taken.add(table, columns, n_rows)
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


class _Bounds:
    """What the wanted columns of a table may plausibly hold.

    Args:
        columns: Column -> what the plan tells of it.
        wanted: Those that features are computed from.

    Attributes:
        numbers: Columns of numbers that are read: the wanted ones, and all whole numbers, which may not be null.
        low: Least plausible value of each, -inf if any is, shape (p, 1).
        high: Greatest plausible value, likewise.
        codes: Column of numbers -> what stands for something else.
        texts: Column of texts -> the texts that are listed, and null.
    """

    def __init__(self, columns: Mapping[str, Mapping[str, Any]], wanted: Set[str]) -> None:
        numbers = {
            name: told if name in wanted else {}
            for name, told in columns.items()
            if told["type"] == _INTEGER or (name in wanted and told["type"] != _TEXT)
        }
        self.numbers = list(numbers)
        ends = [
            (told.get("low", min(told.get("values", (-np.inf,)))), told.get("high", max(told.get("values", (np.inf,)))))
            for told in numbers.values()
        ]
        self.low, self.high = np.array(ends, dtype=np.float64).T[:, :, None]
        self.codes = {name: frozenset(told.get("codes", ())) for name, told in numbers.items()}
        self.texts = {
            name: frozenset([*columns[name]["values"], None]) for name in wanted if columns[name]["type"] == _TEXT
        }


class Records:
    """Records of one table, of all applicants of an evaluation.

    Args:
        name: Its name.
        contract: Its contract.
        tables: Of each applicant the rows; of the spine the one row.
        links: Columns by which rows of different tables belong together.

    Attributes:
        given: Column -> values as they were given, without exact copies of rows.
        columns: Column -> its numbers, or the codes of its texts if it is wanted.
        owners: Place of the applicant of each row, without exact copies.
        n_given: Number of rows that were given, of each applicant.
        n_rows: Number of rows without exact copies.
        problems: What is wrong with the table by itself.
        implausible: Values that the contract does not call plausible.
    """

    def __init__(self, name: str, contract: Mapping[str, Any], tables: Sequence[Any], links: Set[str]) -> None:
        self._name = name
        self._contract = contract
        self._links = links
        self._kinds = {column: told["type"] for column, told in contract["columns"].items()}
        tables = [[one] for one in tables] if name == _SPINE else tables
        tables = [
            rows if isinstance(rows, list | tuple) and all(isinstance(row, Mapping) for row in rows) else None
            for rows in tables
        ]
        expected = "object" if name == _SPINE else "rows"
        self.problems = [Problem(i, name, None, "", expected) for i, rows in enumerate(tables) if rows is None]
        self._rows = [row for rows in tables if rows is not None for row in rows]
        self.given = {column: [row.get(column) for row in self._rows] for column in self._kinds}
        self.columns: dict[str, Numbers] = {}
        self.implausible: list[Implausible] = []
        self.n_rows = len(self._rows)
        self.n_given = np.array([0 if rows is None else len(rows) for rows in tables], dtype=np.intp)
        self.owners = np.repeat(np.arange(len(tables)), self.n_given)
        self._row = np.concatenate([np.arange(size) for size in self.n_given])

    def read(self, texts: _Texts, bounds: _Bounds, most_rows: int | None) -> None:
        """Read the wanted columns and all whole numbers; look for problems and for implausible values."""
        if not self.n_rows:
            return
        self.problems += [*self._too_many(most_rows), *self._unknown_columns(), *self._wrong_types()]
        if not any(problem.column in self._contract["key"] for problem in self.problems):
            self.problems += self._leave_out_copies()
        try:
            values = np.array([self.given[column] for column in bounds.numbers], dtype=np.float64)
        except OverflowError:  # JSON has whole numbers of any length
            self.problems += self._too_large(bounds.numbers)
            return
        values[~np.isfinite(values)] = np.nan
        self.problems += self._not_whole(bounds.numbers, values)
        self.implausible = [*self._look_for_implausible(bounds, values)]
        for column, one in zip(bounds.numbers, values, strict=True):
            self.columns[column] = one + _APART * self.owners if column in self._links else one
        self.columns |= {column: texts.encode(self.given[column]) for column in bounds.texts}

    def strangers(self, others: Mapping[str, "Records"]) -> Iterator[Problem]:
        """Find rows that lead to another applicant or none: by their SK_ID_CURR, or else by the row they belong to.

        Nothing is said where either table is not in order by itself.
        """
        parents = self._contract["parents"]
        for column in [_APPLICANT] if _APPLICANT in parents else parents:
            parent = others[parents[column]]
            if self.n_rows and not self.problems and not parent.problems:
                known = parent.columns.get(column, ())
                for row in np.flatnonzero(~np.isin(self.columns[column], known)).tolist():
                    yield self._problem(row, column, "parent", parents[column])

    def _too_many(self, most_rows: int | None) -> Iterator[Problem]:
        if most_rows is not None:
            for i in np.flatnonzero(self.n_given > most_rows).tolist():
                yield Problem(i, self._name, None, "", "fewer_rows", str(most_rows))

    def _unknown_columns(self) -> Iterator[Problem]:
        """Find the first row with columns that nobody knows, and say which ones may be meant."""
        if unknown := set(chain.from_iterable(self._rows)) - self._kinds.keys():
            first = next(i for i, row in enumerate(self._rows) if not row.keys() <= self._kinds.keys())
            for near in _nearest(unknown, self._kinds):
                yield self._problem(first, "", "known_column", near)

    def _wrong_types(self) -> Iterator[Problem]:
        """Find values of another type; 0 or null stands in their place, so that more can be looked for."""
        for column, values in self.given.items():
            is_text = self._kinds[column] == _TEXT
            allowed, instead = (_TEXTS, None) if is_text else (_NUMBERS, 0)
            if not set(map(type, values)) <= allowed:
                for row, value in enumerate(values):
                    if type(value) not in allowed:
                        yield self._problem(row, column, "text" if is_text else "number")
                        values[row] = instead

    def _too_large(self, numbers: Sequence[str]) -> Iterator[Problem]:
        for column in numbers:
            for row, value in enumerate(self.given[column]):
                if isinstance(value, int) and abs(value) > sys.float_info.max:
                    yield self._problem(row, column, "smaller_number")

    def _not_whole(self, numbers: Sequence[str], values: Numbers) -> Iterator[Problem]:
        at = [i for i, column in enumerate(numbers) if self._kinds[column] == _INTEGER]
        whole = values[at]
        bad = ~(whole == np.trunc(whole)) | (np.abs(whole) >= _TOO_LARGE)
        if bad.any():
            for row, i in np.argwhere(bad.T).tolist():
                yield self._problem(row, numbers[at[i]], "whole_number")

    def _look_for_implausible(self, bounds: _Bounds, values: Numbers) -> Iterator[Implausible]:
        outside = (values < bounds.low) | (values > bounds.high)
        if np.count_nonzero(outside):
            for row, i in np.argwhere(outside.T).tolist():
                column = bounds.numbers[i]
                if values[i, row] not in bounds.codes[column]:
                    yield Implausible(int(self.owners[row]), self._name, self._place(row), column)
        for column, listed in bounds.texts.items():
            if not set(self.given[column]) <= listed:
                for row, text in enumerate(self.given[column]):
                    if text not in listed:
                        yield Implausible(int(self.owners[row]), self._name, self._place(row), column)

    def _leave_out_copies(self) -> list[Problem]:
        """Drop exact copies of rows under a key; the same key of different rows is a problem."""
        key = self._contract["key"]
        keys = list(zip(self.owners.tolist(), *(self.given[column] for column in key), strict=True))
        if not key or len(set(keys)) == self.n_rows:
            return []
        first: dict[tuple[Any, ...], int] = {}
        rows = list(zip(*self.given.values(), strict=True))
        same = [first.setdefault(one, row) for row, one in enumerate(keys)]
        problems = [
            self._problem(row, ", ".join(key), "own_key") for row in range(self.n_rows) if rows[same[row]] != rows[row]
        ]
        keep = [row for row in range(self.n_rows) if same[row] == row]
        self.given = {column: [values[row] for row in keep] for column, values in self.given.items()}
        self.owners, self._row, self.n_rows = self.owners[keep], self._row[keep], len(keep)
        return problems

    def _problem(self, row: int, column: str, expected: str, detail: str = "") -> Problem:
        return Problem(int(self.owners[row]), self._name, self._place(row), column, expected, detail)

    def _place(self, row: int) -> int | None:
        """Return the place of a row in the applicant's table; none of the form, which is one record."""
        return None if self._name == _SPINE else int(self._row[row])


def _nearest(unknown: Iterable[str], known: Collection[str]) -> Iterator[str]:
    """Yield for each name that nobody knows the known one that may be meant, empty where none is near."""
    names = {"".join(filter(str.isalnum, name.lower())): name for name in known}
    for number, name in enumerate(sorted(unknown)):
        spelt = "".join(filter(str.isalnum, name[:_LONGEST].lower()))
        near = get_close_matches(spelt, names, n=1, cutoff=0.8) if number < _LOOKED_FOR else []
        yield names[near[0]] if near else ""


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
