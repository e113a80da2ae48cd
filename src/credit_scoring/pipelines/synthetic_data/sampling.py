"""Vectorised random primitives: normal scores, quantile tables, categories, ragged rows, typed frames."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from credit_scoring.schemas.raw import INTEGER, RAW_TABLES, TEXT

FloatArray = np.ndarray
IntArray = np.ndarray
BoolArray = np.ndarray

DAYS_PER_MONTH = 30.4375
MISSING = -1
"""Code of a missing category."""

_SCORES = np.linspace(-6.0, 6.0, 2401)
_PROBABILITIES = np.array([0.5 * (1 + math.erf(score / math.sqrt(2))) for score in _SCORES])


def uniform_of(scores: FloatArray) -> FloatArray:
    """Standard normal scores -> their probabilities in (0, 1)."""
    return np.interp(scores, _SCORES, _PROBABILITIES)


def score_of(probability: FloatArray | float) -> FloatArray:
    """Probabilities -> standard normal scores (inverse of `uniform_of`, clipped at six standard deviations)."""
    return np.interp(np.asarray(probability), _PROBABILITIES, _SCORES)


def quantile(u: FloatArray, levels: Sequence[float], values: Sequence[float]) -> FloatArray:
    """Inverse distribution function, linear between the tabulated quantiles."""
    return np.interp(u, levels, values)


def amount_quantile(u: FloatArray, levels: Sequence[float], values: Sequence[float]) -> FloatArray:
    """Like `quantile`, but linear in the logarithm between the quantiles, for the long tails of amounts (>= 0)."""
    return np.expm1(np.interp(u, levels, np.log1p(values)))


def cut(u: FloatArray, shares: Sequence[float]) -> IntArray:
    """Codes 0, 1, … with the given shares, increasing in `u`."""
    cumulated = np.cumsum(shares, dtype=float)
    return np.searchsorted(cumulated[:-1] / cumulated[-1], u, side="right")


def cut_values(u: FloatArray, shares: Mapping[str, float]) -> IntArray:
    """Whole numbers with the given shares (number as text -> share, increasing), increasing in `u`."""
    return np.array([int(value) for value in shares])[cut(u, list(shares.values()))]


def draw(rng: np.random.Generator, n: int, shares: Sequence[float]) -> IntArray:
    """`n` independent codes with the given shares."""
    return cut(rng.random(n), shares)


def draw_rows(rng: np.random.Generator, weights: FloatArray) -> IntArray:
    """One code per row of a matrix of non-negative weights."""
    cumulated = np.cumsum(weights, axis=1)
    point = rng.random(len(weights)) * cumulated[:, -1]
    return np.minimum((cumulated <= point[:, None]).sum(axis=1), weights.shape[1] - 1)


def draw_from_table(rng: np.random.Generator, row: IntArray, table: FloatArray) -> IntArray:
    """One code per element of `row`, with the shares of that row of `table`."""
    cumulated = np.cumsum(table, axis=1)
    cumulated /= cumulated[:, -1:]
    point = rng.random(len(row))
    code = np.zeros(len(row), dtype=np.int64)
    for column in range(table.shape[1] - 1):
        code += point >= cumulated[row, column]
    return code


def ragged(counts: IntArray) -> tuple[IntArray, IntArray]:
    """Rows of a child table: index of the parent and position 0, 1, … within the parent."""
    owner = np.repeat(np.arange(len(counts)), counts)
    position = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return owner, position


def on_grid(amounts: FloatArray, step: float = 4.5) -> FloatArray:
    """Round to whole multiples of a currency step; three decimals remove the binary noise of the product."""
    return np.round(np.round(amounts / step) * step, 3)


def months_before(days: FloatArray) -> IntArray:
    """Day relative to the application (negative) -> MONTHS_BALANCE of the month it falls into (0 = current)."""
    return -np.floor(-np.asarray(days, dtype=float) / DAYS_PER_MONTH).astype(np.int64)


def text(codes: IntArray, levels: Sequence[str]) -> pd.arrays.ArrowStringArray:
    """Category codes -> text column; `MISSING` becomes null."""
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    values = pa.DictionaryArray.from_arrays(indices, pa.array(list(levels), pa.large_string()))
    return pd.array(values.cast(pa.large_string()), dtype="str")


def _as_number(values: object, kind: str) -> FloatArray:
    """Cast to the declared type; adding zero turns -0.0, which would be written as `-0`, into 0.0."""
    return np.asarray(values).astype(np.int32) if kind == INTEGER else np.asarray(values, dtype=np.float64) + 0.0


def make_frame(table: str, columns: Mapping[str, object]) -> pd.DataFrame:
    """Columns of one official table -> frame with exactly its columns, order and types.

    Integer columns become `int32` (null is an error), real ones `float64`, text ones `str`.
    """
    arrays = {}
    for name, kind in RAW_TABLES[table].columns.items():
        values = columns[name]
        arrays[name] = values if kind == TEXT else _as_number(values, kind)
    return pd.DataFrame(arrays, copy=False)
