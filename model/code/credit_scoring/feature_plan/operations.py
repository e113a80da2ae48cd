"""What a plan can do to numbers, with SQL's meaning of null.

Every value is a float64, null a NaN: whole numbers below 2**53 are exact, true is 1 and false 0, a text is its place in
the vocabulary. Functions write to `out`, of shape (values, rows); operands have that shape or broadcast to it.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[np.float64]


# A step function of the difference compares in three-valued logic: it leaves NaN what is NaN.
def _less(out: Numbers, a: Numbers, b: Numbers) -> None:
    np.heaviside(np.subtract(b, a, out), 0.0, out)


def _less_equal(out: Numbers, a: Numbers, b: Numbers) -> None:
    np.heaviside(np.subtract(b, a, out), 1.0, out)


def _greater(out: Numbers, a: Numbers, b: Numbers) -> None:
    np.heaviside(np.subtract(a, b, out), 0.0, out)


def _greater_equal(out: Numbers, a: Numbers, b: Numbers) -> None:
    np.heaviside(np.subtract(a, b, out), 1.0, out)


def _not_equal(out: Numbers, a: Numbers, b: Numbers) -> None:
    np.heaviside(np.abs(np.subtract(a, b, out), out), 0.0, out)


def _equal(out: Numbers, a: Numbers, b: Numbers) -> None:
    _not_equal(out, a, b)
    np.subtract(1.0, out, out)


def _and(out: Numbers, a: Numbers, b: Numbers) -> None:
    np.minimum(a, b, out=out)
    np.copyto(out, 0.0, where=(a == 0) | (b == 0))


def _or(out: Numbers, a: Numbers, b: Numbers) -> None:
    np.maximum(a, b, out=out)
    np.copyto(out, 1.0, where=(a == 1) | (b == 1))


def _if_else(out: Numbers, condition: Numbers, a: Numbers, b: Numbers) -> None:
    np.copyto(out, b)
    np.copyto(out, a, where=condition == 1)


def _coalesce(out: Numbers, a: Numbers, b: Numbers) -> None:
    np.copyto(out, a)
    np.copyto(out, b, where=np.isnan(a))


def _null_if(out: Numbers, a: Numbers, b: Numbers) -> None:
    np.copyto(out, a)
    np.copyto(out, np.nan, where=a == b)


def _round(out: Numbers, a: Numbers, digits: Numbers) -> None:
    """Round a half away from zero; numpy's own `round` goes to the even neighbour."""
    scale = 10.0**digits
    scaled = a * scale
    np.trunc(scaled, out)
    rest = scaled - out
    out += rest >= 0.5
    out -= rest <= -0.5
    out /= scale


ELEMENTWISE: Mapping[str, Callable[..., Any]] = {
    "constant": np.copyto,
    "add": lambda out, a, b: np.add(a, b, out),
    "subtract": lambda out, a, b: np.subtract(a, b, out),
    "multiply": lambda out, a, b: np.multiply(a, b, out),
    "divide": lambda out, a, b: np.divide(a, b, out),
    "negate": lambda out, a: np.negative(a, out),
    "absolute": lambda out, a: np.abs(a, out),
    "ceil": lambda out, a: np.ceil(a, out),
    "logarithm": lambda out, a: np.log(a, out),
    "root": lambda out, a: np.sqrt(a, out),
    "round": _round,
    "less": _less,
    "less_equal": _less_equal,
    "greater": _greater,
    "greater_equal": _greater_equal,
    "equal": _equal,
    "not_equal": _not_equal,
    "and": _and,
    "or": _or,
    "not": lambda out, a: np.subtract(1.0, a, out),
    "is_null": lambda out, a: np.isnan(a, out),
    "not_null": lambda out, a: np.equal(a, a, out),
    "if_else": _if_else,
    "coalesce": _coalesce,
    "null_if": _null_if,
    "least": lambda out, a, b: np.fmin(a, b, out),  # of the known ones
    "greatest": lambda out, a, b: np.fmax(a, b, out),
    "at_most": lambda out, a, b: np.minimum(a, b, out=out),  # null of null
    "at_least": lambda out, a, b: np.maximum(a, b, out=out),
}
"""Name -> function of one row's values."""

AGGREGATES = frozenset(
    ("count_rows", "count", "sum", "mean", "min", "max", "std", "count_distinct", "arg_max", "arg_min")
)
"""What becomes of the rows of a group; nulls are left out. `arg_max` is the value where another one is largest."""

BETWEEN_ROWS = frozenset(("raw", "take", "key", "look_up", "is_found", "row_number", "lead"))
"""What brings values from other rows: columns of a raw table, rows of the frame behind, the values that make a group,
a row of another frame, whether there is one, the place of a row in an order (from 0), the row after it."""

OPERATIONS = ELEMENTWISE.keys() | AGGREGATES | BETWEEN_ROWS
