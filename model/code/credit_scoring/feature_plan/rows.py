"""How rows of a frame belong together: groups, matches of keys, order within a group."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from credit_scoring.feature_plan.operations import Numbers

Indices: TypeAlias = npt.NDArray[np.intp]


class Groups:
    """The rows of a frame by some of their values; null is a value of its own.

    Args:
        keys: The values, one row of the matrix each.

    Attributes:
        order: Rows in the order of their groups; None if they are so.
        starts: Where each group begins in that order.
        n_rows: Number of rows.
    """

    def __init__(self, keys: Numbers) -> None:
        self.n_rows = keys.shape[1]
        self.order: Indices | None = None
        keys = np.where(np.isnan(keys), np.inf, keys)
        if len(keys) == 1:
            (key,) = keys
            steps = key[1:] != key[:-1]
            if not (key[1:] >= key[:-1]).all():
                self.order = np.argsort(key, kind="stable")
        else:
            self.order = np.lexsort(keys[::-1])
        if self.order is not None:
            keys = keys.take(self.order, 1)
            steps = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
        starts = np.flatnonzero(steps) + 1 if self.n_rows else np.empty(0, dtype=np.intp)
        self.starts: Indices = np.concatenate(([0], starts)) if self.n_rows else starts
        self.keys: Numbers = keys.take(self.starts, 1)

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def first_rows(self) -> Indices:
        """A row of each group."""
        return self.starts if self.order is None else self.order[self.starts]

    @cached_property
    def sizes(self) -> Indices:
        """Number of rows of each group."""
        return np.diff(self.starts, append=self.n_rows)

    @cached_property
    def of_rows(self) -> Indices:
        """The group of each row, in the order of groups."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def match(self, keys: Numbers) -> "Matches":
        """Find the group with the same keys as each column of a matrix; a null matches nothing."""
        if len(keys) > 1:
            return self._match_several(keys)
        if not len(self):
            return Matches(np.zeros(keys.shape[1], dtype=np.intp), np.zeros(keys.shape[1], dtype=bool))
        at = np.minimum(np.searchsorted(self.keys[0], keys[0]), len(self) - 1)
        return Matches(at, self.keys[0].take(at) == keys[0])

    def _match_several(self, keys: Numbers) -> "Matches":
        """Number the distinct keys of both sides together."""
        n_groups, both = len(self), np.concatenate((self.keys, keys), axis=1)
        distinct = Groups(both)
        assert distinct.order is not None
        numbers = np.empty(both.shape[1], dtype=np.intp)
        numbers[distinct.order] = distinct.of_rows
        group_of = np.full(len(distinct), -1)
        group_of[numbers[:n_groups]] = np.arange(n_groups)
        at = group_of[numbers[n_groups:]]
        return Matches(np.maximum(at, 0), (at >= 0) & ~np.isnan(keys).any(axis=0))


@dataclass(frozen=True)
class Matches:
    """For each row, the row of another frame that belongs to it.

    Attributes:
        at: Where it lies; anywhere if there is none.
        found: Whether there is one.
    """

    at: Indices
    found: npt.NDArray[np.bool_]

    def take(self, values: Numbers) -> Numbers:
        """Return the values of the other frame for each row, null where there is none."""
        if not values.shape[1]:
            return np.full((len(values), len(self.at)), np.nan)
        taken = values.take(self.at, 1)
        if not self.found.all():
            taken[:, ~self.found] = np.nan
        return taken


def _ranked(by: Numbers, order: Numbers) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """Return the rows by group and the largest first, nulls last, and whether each is the first of its group."""
    ranked = np.lexsort((*-order[::-1], *by[::-1]))
    ordered = by.take(ranked, 1)
    is_first = np.ones(len(ranked), dtype=bool)
    is_first[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
    return ranked, is_first


def number_rows(by: Numbers, order: Numbers, values: Numbers) -> Numbers:  # noqa: ARG001 - as `lead`
    """Number the rows of each group from 0, the largest first."""
    ranked, is_first = _ranked(by, order)
    place = np.arange(len(ranked))
    numbers = np.empty(len(ranked))
    numbers[ranked] = place - np.maximum.accumulate(np.where(is_first, place, 0))
    return numbers


def lead(by: Numbers, order: Numbers, values: Numbers) -> Numbers:
    """Return the values of the row that follows in the group, the largest first; null for the last one."""
    ranked, is_first = _ranked(by, order)
    following = np.full_like(values, np.nan)
    goes_on = np.flatnonzero(~is_first[1:])
    following[:, ranked[goes_on]] = values[:, ranked[goes_on + 1]]
    return following
