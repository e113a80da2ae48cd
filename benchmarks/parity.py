"""Compare tables that two engines made of the same data, value by value."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

RELATIVE_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Difference:
    """How one column differs between two tables.

    Attributes:
        column: Its name.
        nulls: Rows where it is null in one table only.
        values: Rows where its values differ, numbers by more than the tolerance.
        largest: Largest relative difference of numbers.
        note: What else differs, such as the type.
    """

    column: str
    nulls: int = 0
    values: int = 0
    largest: float = 0.0
    note: str = ""

    def __str__(self) -> str:
        counted = f"{self.nulls} nulls and {self.values} values differ, by {self.largest:.1e} at most"
        return f"{self.column}: {self.note or counted}"


def measure_columns(ours: pd.DataFrame, theirs: pd.DataFrame, key: str) -> Iterator[Difference]:
    """Compare two tables column by column, their rows brought together by a key.

    Null policy: null equals null only. Integers and texts have to be equal, real numbers within the tolerance of the
    larger of the two.

    Raises:
        ValueError: If the keys or the names of the columns differ.
    """
    ours, theirs = (table.set_index(key).sort_index() for table in (ours, theirs))
    if not (ours.index.is_unique and ours.index.equals(theirs.index)):
        raise ValueError(f"The values of {key} differ.")
    if set(ours.columns) != set(theirs.columns):
        raise ValueError(f"Columns in one table only: {sorted(set(ours.columns) ^ set(theirs.columns))}")
    for name, mine in ours.items():
        other = theirs[name]
        if mine.dtype != other.dtype:
            yield Difference(name, note=f"{mine.dtype} on one side, {other.dtype} on the other")
            continue
        if mine.equals(other):  # most are, and all that follows takes ten times as long
            yield Difference(name)
            continue
        nulls = int((mine.isna() != other.isna()).sum())
        both = mine.notna() & other.notna()
        mine, other = mine[both].to_numpy(), other[both].to_numpy()  # noqa: PLW2901
        if mine.dtype.kind != "f":
            yield Difference(name, nulls, int((mine != other).sum()))
            continue
        distance, size = np.abs(mine - other), np.maximum(np.abs(mine), np.abs(other))
        relative = distance / np.where(size > 0, size, 1.0)
        yield Difference(
            name, nulls, int((relative > RELATIVE_TOLERANCE).sum()), float(relative.max()) if relative.size else 0.0
        )


def compare_tables(ours: pd.DataFrame, theirs: pd.DataFrame, key: str) -> list[Difference]:
    """Return the columns that do not hold the same; see `measure_columns`."""
    return [column for column in measure_columns(ours, theirs, key) if column.nulls or column.values or column.note]
