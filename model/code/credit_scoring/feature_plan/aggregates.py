"""What becomes of the rows of groups: all aggregates of the same groups in a few calls.

Each pair of a value and a condition is one row of a matrix, in which sums, extremes and counts of every group are taken
at once. Nulls are left out; an aggregate of nothing is null, a count of nothing 0.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from credit_scoring.feature_plan.description import Step
from credit_scoring.feature_plan.operations import Numbers
from credit_scoring.feature_plan.rows import Groups, Indices

_Mask: TypeAlias = npt.NDArray[np.bool_]
_ALL = -1


class Aggregates:
    """Aggregates of the same groups.

    Args:
        steps: The aggregates.
        places: Value of the frame behind -> its place in the matrix of that frame.
    """

    def __init__(self, steps: Sequence[Step], places: Mapping[str, int]) -> None:
        pairs: dict[tuple[int, int], int] = {}
        wanted: dict[str, list[tuple[int, int]]] = {}
        self._sizes: list[int] = []
        self._others: list[tuple[int, Callable[..., Numbers], Indices, int]] = []
        for i, step in enumerate(steps):
            where = places[step.where] if step.where else _ALL
            operands = [places[str(one)] for one in step.operands]
            if step.operation in _OTHERS:
                self._others.append((i, _OTHERS[step.operation], np.array(operands, dtype=np.intp), where))
            elif not operands and where == _ALL:
                self._sizes.append(i)
            else:  # rows are counted where their condition is true, which it is only if known
                pair = (operands[0] if operands else where, where)
                kind = "count" if step.operation == "count_rows" else step.operation
                wanted.setdefault(kind, []).append((i, pairs.setdefault(pair, len(pairs))))
        self._values = np.array([value for value, _ in pairs], dtype=np.intp)
        self._where = np.array([where for _, where in pairs if where != _ALL], dtype=np.intp)
        self._restricted = np.array([at for (_, where), at in pairs.items() if where != _ALL], dtype=np.intp)
        self._wanted = {kind: np.array(found, dtype=np.intp).T for kind, found in wanted.items()}
        added = {at for kind in ("sum", "mean") for _, at in wanted.get(kind, ())}
        self._added = np.array(sorted(added), dtype=np.intp)

    def compute(self, values: Numbers, groups: Groups, out: Numbers) -> None:
        """Aggregate.

        Args:
            values: Matrix of the frame behind.
            groups: Its groups.
            out: One row per step and one column per group, written to.
        """
        for i in self._sizes:
            out[i] = groups.sizes
        if len(self._values):
            self._compute_pairs(values, groups, out)
        for i, compute, at, where in self._others:
            chosen = values.take(at, 0)
            known = np.ones(groups.n_rows, dtype=bool) if where == _ALL else values[where] == 1
            if groups.order is not None:
                chosen, known = chosen.take(groups.order, 1), known.take(groups.order)
            out[i] = compute(chosen, known, groups)

    def _compute_pairs(self, values: Numbers, groups: Groups, out: Numbers) -> None:
        starts = groups.starts
        chosen = values.take(self._values, 0)
        known = ~np.isnan(chosen)
        if len(self._where):
            known[self._restricted] &= values.take(self._where, 0) == 1
        if groups.order is not None:
            chosen, known = chosen.take(groups.order, 1), known.take(groups.order, 1)
        count = np.add.reduceat(known, starts, axis=1, dtype=np.float64)
        if len(self._added):
            sums = np.empty_like(count)
            terms = np.where(known.take(self._added, 0), chosen.take(self._added, 0), 0.0)
            sums[self._added] = np.add.reduceat(terms, starts, axis=1)
        for kind, (to, at) in self._wanted.items():
            n = count.take(at, 0)
            if kind == "count":
                out[to] = n
            elif kind == "sum":
                out[to] = np.where(n > 0, sums.take(at, 0), np.nan)
            elif kind == "mean":
                out[to] = sums.take(at, 0) / n
            else:
                extreme, neutral = (np.minimum, np.inf) if kind == "min" else (np.maximum, -np.inf)
                found = extreme.reduceat(np.where(known.take(at, 0), chosen.take(at, 0), neutral), starts, axis=1)
                out[to] = np.where(n > 0, found, np.nan)


def _std(values: Numbers, known: _Mask, groups: Groups) -> Numbers:
    """Sample standard deviation, null of fewer than two values.

    Taken from the least value, equal ones differ by exactly 0 from it and from their mean.
    """
    (value,) = values
    known = known & ~np.isnan(value)
    starts, of_rows = groups.starts, groups.of_rows
    count = np.add.reduceat(known, starts, dtype=np.float64)
    least = np.minimum.reduceat(np.where(known, value, np.inf), starts)
    above = np.where(known, value - least[of_rows], 0.0)
    mean = np.add.reduceat(above, starts) / count
    squares = np.add.reduceat(np.where(known, np.square(above - mean[of_rows]), 0.0), starts)
    return np.where(count > 1, np.sqrt(squares / (count - 1)), np.nan)


def _count_distinct(values: Numbers, known: _Mask, groups: Groups) -> Numbers:
    (value,) = values
    at = np.flatnonzero(known & ~np.isnan(value))
    of_rows, value = groups.of_rows[at], value[at]
    order = np.lexsort((value, of_rows))
    of_rows, value = of_rows[order], value[order]
    is_new = np.ones(len(at), dtype=bool)
    is_new[1:] = (value[1:] != value[:-1]) | (of_rows[1:] != of_rows[:-1])
    return np.bincount(of_rows[is_new], minlength=len(groups)).astype(np.float64)


def _arg_max(values: Numbers, known: _Mask, groups: Groups, sign: float = 1.0) -> Numbers:
    """Return the value, null or not, in the row whose key is largest; a null key is the least."""
    value, key = values
    key = np.where(np.isnan(key), -np.finfo(float).max, sign * key)
    largest = np.maximum.reduceat(np.where(known, key, -np.inf), groups.starts)
    chosen = known & (key == largest[groups.of_rows])
    row = np.minimum.reduceat(np.where(chosen, np.arange(groups.n_rows), groups.n_rows), groups.starts)
    found = row < groups.n_rows
    return np.where(found, value.take(np.where(found, row, 0)), np.nan) if len(groups) else np.empty(0)


def _arg_min(values: Numbers, known: _Mask, groups: Groups) -> Numbers:
    return _arg_max(values, known, groups, -1.0)


_OTHERS: Mapping[str, Callable[..., Numbers]] = {
    "std": _std,
    "count_distinct": _count_distinct,
    "arg_max": _arg_max,
    "arg_min": _arg_min,
}
