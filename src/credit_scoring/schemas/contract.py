"""How a raw table is described: its columns as Pandera columns, its key, its parents, its severities.

Severity is Pandera's own: a check with `raise_warning` is statistical, its breaches are counted and reported; any other
check, the type of a column, a null where none may stand and the key are structural and stop the run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandera.ibis as pa

INTEGER, REAL, TEXT = "int32", "float64", "string"

_TYPES = {INTEGER: dt.Int32, REAL: dt.Float64, TEXT: dt.String}
DATE_CODE = 365243
"""What the files write for a date that does not exist: a thousand years after the application."""


def _is_allowed(value: ir.Column, *, values: Sequence[Any]) -> ir.BooleanColumn:
    return value.isin(values)


def _is_plausible(value: ir.Column, *, low: float, high: float, codes: Sequence[float]) -> ir.BooleanColumn:
    return value.between(low, high) | value.isin(codes) if codes else value.between(low, high)


_HOLDS: Mapping[str, Callable[..., ir.BooleanColumn]] = {"allowed": _is_allowed, "plausible": _is_plausible}


def holds(check: pa.Check, value: ir.Column) -> ir.BooleanColumn:
    """Tell of every value whether it passes a check of a contract; null of null."""
    return _HOLDS[str(check.name)](value, **_statistics(check))


def holds_between(check: pa.Check, least: float, greatest: float) -> bool:
    """Tell whether every value between two passes a check; for listed values, every whole number between them.

    False does not mean that a value fails: it may be a code outside the bounds, or a gap that no value falls into.
    """
    statistics = _statistics(check)
    if check.name == "plausible":
        return bool(statistics["low"] <= least and greatest <= statistics["high"])
    return all(number in statistics["values"] for number in range(int(least), int(greatest) + 1))


def plausible_range(check: pa.Check) -> tuple[float, float]:
    """Return the least and the greatest number that passes a check, codes that stand for something else left out."""
    statistics = _statistics(check)
    if check.name == "plausible":
        return float(statistics["low"]), float(statistics["high"])
    return float(min(statistics["values"])), float(max(statistics["values"]))


def _statistics(check: pa.Check) -> Mapping[str, Any]:
    return check.statistics or {}


def _check(name: str, error: str, *, warn: bool, **statistics: Any) -> pa.Check:
    def passes(data: Any) -> ir.BooleanColumn:
        return _HOLDS[name](data.table[data.key], **statistics)

    return pa.Check(passes, name=name, error=error, statistics=statistics, raise_warning=warn)


def allowed(values: Sequence[Any], *, structural: bool = False) -> pa.Check:
    """Check that a column holds nothing but the listed values (or null)."""
    return _check("allowed", "one of " + ", ".join(map(str, values)), warn=not structural, values=tuple(values))


def plausible(low: float, high: float, codes: Sequence[float] = ()) -> pa.Check:
    """Check that a number lies within bounds, both included, or is a code that stands for something else."""
    also = "".join(f" or {code:g}" for code in codes)
    return _check(
        "plausible", f"from {low:,.10g} to {high:,.10g}{also}", warn=True, low=low, high=high, codes=tuple(codes)
    )


def _column(kind: str, description: str, *, missing: float, nullable: bool, checks: Sequence[pa.Check]) -> pa.Column:
    return pa.Column(
        _TYPES[kind],
        checks=list(checks),
        nullable=nullable,
        description=description,
        metadata={"type": kind, "missing": missing},
    )


def key(description: str) -> pa.Column:
    """Describe a column that identifies a row or a client: a whole number, never null."""
    return _column(INTEGER, description, missing=0.0, nullable=False, checks=())


def outcome(description: str) -> pa.Column:
    """Describe the column to be predicted: 0 or 1 and nothing else."""
    return _column(INTEGER, description, missing=0.0, nullable=False, checks=[allowed((0, 1), structural=True)])


def whole(description: str, low: float, high: float, codes: Sequence[float] = ()) -> pa.Column:
    """Describe a whole number that is never null in the official files.

    A column that may be null is a real number, even if it counts things: the files then write `12.0`.
    """
    return _column(INTEGER, description, missing=0.0, nullable=False, checks=[plausible(low, high, codes)])


def flag(description: str) -> pa.Column:
    """Describe a yes or no written 1 or 0."""
    return _column(INTEGER, description, missing=0.0, nullable=False, checks=[allowed((0, 1))])


def real(description: str, low: float, high: float, *, missing: float = 0.0, codes: Sequence[float] = ()) -> pa.Column:
    """Describe a real number.

    Args:
        description: Meaning and unit.
        low: Least plausible value.
        high: Greatest plausible value.
        missing: Share of nulls in the official file; 0 where there is none.
        codes: Values outside the bounds that stand for something else.
    """
    return _column(REAL, description, missing=missing, nullable=True, checks=[plausible(low, high, codes)])


def date(description: str, low: float, high: float = 0, *, missing: float = 0.0) -> pa.Column:
    """Describe a date that is written 365243 where it does not exist, in days before the application."""
    return real(description, low, high, missing=missing, codes=(DATE_CODE,))


def text(description: str, values: Sequence[str], *, missing: float = 0.0) -> pa.Column:
    """Describe a category and its official spellings."""
    return _column(TEXT, description, missing=missing, nullable=True, checks=[allowed(values)])


@dataclass(frozen=True)
class RawTable:
    """Contract of one raw file.

    Attributes:
        name: Table name, equal to the name of the file without `.csv`.
        grain: What one row stands for.
        definition: Column name -> Pandera column, in the order of the file. All are required.
        official_rows: Rows of the file published on Kaggle; 0 for a table that is not of the competition.
        official_bytes: Its size, as the published archive lists it.
        key: Columns that identify a row and may not be null; empty where the file has no unique key.
        parents: Column -> (table whose key it points to, share of rows that point to nothing in the official files).
        apart_from: Table in which no value of the key may stand, if there is one.
        may_be_empty: Whether a file with a header only is valid.
        may_be_missing: Whether the project can do its work without the file.
    """

    name: str
    grain: str
    definition: Mapping[str, pa.Column]
    official_rows: int = 0
    official_bytes: int = 0
    key: tuple[str, ...] = ()
    parents: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    apart_from: str = ""
    may_be_empty: bool = True
    may_be_missing: bool = False

    @cached_property
    def columns(self) -> dict[str, str]:
        """Column name -> Ibis type name, in the order of the file."""
        return {name: column.metadata["type"] for name, column in self.definition.items()}

    @cached_property
    def schema(self) -> pa.DataFrameSchema:
        """The Pandera schema: what `schema.validate` raises is structural, what it warns of is statistical."""
        return pa.DataFrameSchema(dict(self.definition), name=self.name, description=self.grain, unique=list(self.key))
