"""Formulas computed in pandas as the reading guide explains them, not as the expressions they were read from."""

import operator
from collections.abc import Callable, Mapping
from functools import reduce

import numpy as np
import pandas as pd

from credit_scoring.features.formulas.terms import Aggregate, Call, Column, Constant, Defined, Rank, Rows, Term

CLIENT = "SK_ID_CURR"
TIES = ("SK_ID_PREV", "SK_ID_BUREAU", "NUM_INSTALMENT_NUMBER", "NUM_INSTALMENT_VERSION")
# Rows "before" another one are those of an earlier date.
DATES = ("DAYS_CREDIT", "MONTHS_BALANCE")
PARENTS = {"bureau_balance": ("bureau", "SK_ID_BUREAU")}

COMPARISONS: Mapping[str, Callable[[object, object], pd.Series]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul}


class Interpreter:
    """Computes terms on clean tables; `features` are those that a formula may name."""

    def __init__(self, tables: Mapping[str, pd.DataFrame], features: pd.DataFrame) -> None:
        self._tables = tables
        self._features = features
        self._frames: dict[tuple[str, tuple[str, ...]], pd.DataFrame] = {}

    def of_clients(self, term: Term) -> pd.Series:
        """Compute a feature for every client of its history."""
        if not any(isinstance(part, Aggregate) for part in _walk(term)) and "application" in self._tables:
            rows = Rows("application", "application")
            return self._of_rows(term, rows).set_axis(self._frame(rows)[CLIENT])
        return self._of_groups(term, (CLIENT,))

    def _frame(self, rows: Rows) -> pd.DataFrame:
        key = (rows.table, rows.keys)
        if key not in self._frames:
            frame = self._tables[rows.table]
            if rows.table in PARENTS:
                parent, pointer = PARENTS[rows.table]
                frame = frame.merge(self._tables[parent], on=pointer)
            if rows.keys:
                frame = frame.drop_duplicates(list(rows.keys))
            self._frames[key] = frame.reset_index(drop=True)
        return self._frames[key]

    def _of_rows(self, term: Term, rows: Rows) -> pd.Series:
        frame = self._frame(rows)
        match term:
            case Constant(value):
                return pd.Series([value] * len(frame), dtype=object if value is None else None)
            case Column(name):
                return frame[name] if name in frame else frame[CLIENT].map(self._features[name])
            case Defined(_, own, inner):
                values = self._of_groups(inner, own.keys).rename("value").reset_index()
                return frame[list(own.keys)].merge(values, how="left", on=list(own.keys))["value"]
            case Rank(order, own):
                values = self._ranks(order, own)
                if own == rows:
                    return values
                named = self._frame(own)[list(own.keys)].assign(value=values)
                return frame[list(own.keys)].merge(named, how="left", on=list(own.keys))["value"]
            case Call("before", (value, _)):
                date = next(name for name in DATES if name in (rows.keys or frame.columns))
                ties = [name for name in TIES if name in (rows.keys or frame.columns)]
                ordered = frame.sort_values([date, *ties]).index
                return (
                    self._of_rows(value, rows)
                    .loc[ordered]
                    .groupby(frame[CLIENT].loc[ordered])
                    .shift()
                    .reindex(frame.index)
                )
            case Call(function, arguments):
                return _apply(function, [self._of_rows(part, rows) for part in arguments], arguments)
        raise NotImplementedError(term)

    def _ranks(self, order: Term, rows: Rows) -> pd.Series:
        frame = self._frame(rows)
        sorting = frame.assign(_order=self._of_rows(order, rows))
        ties = [name for name in TIES if name in (rows.keys or frame.columns)]
        ordered = sorting.sort_values(["_order", *ties], ascending=False)
        return (ordered.groupby(CLIENT).cumcount() + 1).reindex(frame.index)

    def _of_groups(self, term: Term, keys: tuple[str, ...]) -> pd.Series:
        match term:
            case Aggregate():
                return self._aggregate(term, keys)
            case Column(name):
                return self._features[name]
            case Call(function, arguments):
                parts = [self._of_groups(part, keys) for part in arguments if not isinstance(part, Constant)]
                index = parts[0].index
                values = iter(parts)
                filled = [
                    pd.Series([part.value] * len(index), index=index) if isinstance(part, Constant) else next(values)
                    for part in arguments
                ]
                return _apply(function, [value.reindex(index) for value in filled], arguments)
        raise NotImplementedError(term)

    def _aggregate(self, term: Aggregate, keys: tuple[str, ...]) -> pd.Series:
        frame = self._frame(term.rows)
        met = reduce(
            operator.and_,
            (_truth(self._of_rows(condition, term.rows)).fillna(False) for condition in term.where),
            pd.Series(True, index=frame.index, dtype="boolean"),
        ).astype(bool)
        groups = frame[list(keys)].drop_duplicates()
        every = pd.MultiIndex.from_frame(groups) if len(keys) > 1 else pd.Index(groups[keys[0]], name=keys[0])
        by = [frame.loc[met, key] for key in keys] if len(keys) > 1 else frame.loc[met, keys[0]]
        values = [self._of_rows(part, term.rows)[met] for part in term.arguments]

        def per_group(series: pd.Series, name: str) -> pd.Series:
            return series.groupby(by, dropna=False).agg(name).reindex(every)

        match term.function:
            case "count":
                return per_group(pd.Series(1, index=frame.index)[met], "sum").fillna(0)
            case "count known":
                return per_group(values[0], "count").fillna(0)
            case "count distinct":
                return per_group(values[0], "nunique").fillna(0)
            case "sum":
                rows = per_group(pd.Series(1, index=frame.index)[met], "sum").fillna(0)
                known = per_group(_number(values[0]), "count").fillna(0)
                return per_group(_number(values[0]), "sum").where(known > 0).where(rows > 0, 0.0)
            case "mean" | "std" | "min" | "max":
                return per_group(_number(values[0]), term.function)
            case "share":
                return per_group(_truth(values[0]).astype("Float64"), "mean").astype(float)
            case "any":
                return per_group(_truth(values[0]).astype("Float64"), "max") > 0
            case "value":
                numeric = pd.api.types.is_bool_dtype(values[0]) or values[0].dtype == "boolean"
                return per_group(values[0].astype("Float64").astype(float) if numeric else values[0], "first")
            case "at the largest" | "at the smallest":
                value, order = values
                latest = order.sort_values(kind="stable", ascending=term.function == "at the largest").index
                keyed = [key.loc[latest] for key in by] if isinstance(by, list) else by.loc[latest]
                return (
                    value.loc[latest]
                    .groupby(keyed, dropna=False)
                    .tail(1)
                    .pipe(
                        lambda last: last.set_axis(
                            pd.MultiIndex.from_arrays([key.loc[last.index] for key in by], names=keys)
                            if isinstance(by, list)
                            else by.loc[last.index]
                        )
                    )
                    .reindex(every)
                )
            case "slope":
                y, x = (_number(value) for value in values)
                both = y.notna() & x.notna()
                pairs = pd.DataFrame({"y": y[both], "x": x[both].astype(float)})
                pairs_by = [key[both] for key in by] if isinstance(by, list) else by[both]
                return pairs.groupby(pairs_by, dropna=False).apply(_slope).reindex(every)
        raise NotImplementedError(term.function)


def _slope(pairs: pd.DataFrame) -> float:
    return np.polyfit(pairs["x"], pairs["y"], 1)[0] if pairs["x"].nunique() > 1 else np.nan


def _walk(term: Term) -> list[Term]:
    inner = term.arguments if isinstance(term, Call) else ()
    return [term, *(part for argument in inner for part in _walk(argument))]


def _number(values: pd.Series) -> pd.Series:
    if values.dtype == "boolean":
        return values.astype("Float64").astype(float)
    return pd.to_numeric(values, errors="coerce").astype(float)


def _truth(values: pd.Series) -> pd.Series:
    return values.astype("boolean")


def _columns(values: list[pd.Series]) -> pd.DataFrame:
    return pd.concat([_number(value) for value in values], axis=1)


def _apply(function: str, values: list[pd.Series], arguments: tuple[Term, ...]) -> pd.Series:
    if function in COMPARISONS:
        left, right = values
        if not isinstance(arguments[1], Constant) or not isinstance(arguments[1].value, str):
            left, right = _number(left), _number(right)
        compared = COMPARISONS[function](left, right).astype("boolean")
        return compared.mask(left.isna() | right.isna())
    if function in ARITHMETIC:
        return reduce(ARITHMETIC[function], (_number(value) for value in values))
    first = values[0]
    match function:
        case "/":
            divisor = _number(values[1])
            return _number(first) / divisor.where(divisor != 0)
        case "negative":
            return -_number(first)
        case "abs":
            return _number(first).abs()
        case "ceil":
            return np.ceil(_number(first))
        case "ln":
            return np.log(_number(first))
        case "and":
            return reduce(operator.and_, (_truth(value) for value in values))
        case "or":
            return reduce(operator.or_, (_truth(value) for value in values))
        case "not":
            return ~_truth(first)
        case "in":
            options = [part.value for part in arguments[1:] if isinstance(part, Constant)]
            return first.isin(options).astype("boolean").mask(first.isna())
        case "known":
            return first.notna().astype("boolean")
        case "unknown":
            return first.isna().astype("boolean")
        case "else":
            return _truth(first).fillna(False) if first.dtype == "boolean" else _number(first).fillna(values[1])
        case "null if":
            return first.mask(_truth(values[1]).fillna(False).astype(bool))
        case "only if":
            return first.where(_truth(values[1]).fillna(False).astype(bool))
        case "if":
            return values[1].where(_truth(first).fillna(False).astype(bool), values[2])
        case "min" | "max" if any(isinstance(part, Constant) for part in arguments):
            bound = values[1].iloc[0] if len(first) else 0
            return _number(first).clip(upper=bound) if function == "min" else _number(first).clip(lower=bound)
        case "min" | "max":
            return _columns(values).agg(function, axis=1)
        case "first known":
            return _columns(values).bfill(axis=1).iloc[:, 0]
        case "sum of known":
            return _columns(values).sum(axis=1)
        case "mean of known":
            return _columns(values).mean(axis=1)
        case "std of known":
            return _columns(values).std(axis=1)
        case "count of known":
            return pd.concat(values, axis=1).notna().sum(axis=1)
        case "count of unknown":
            return pd.concat(values, axis=1).isna().sum(axis=1)
        case "weighted mean":
            weights = [part.arguments[0].value for part in arguments if isinstance(part, Call)]  # type: ignore[union-attr]
            known = _columns(values).notna() * weights
            return _columns(values).sum(axis=1) / known.sum(axis=1).replace(0, np.nan)
    raise NotImplementedError(function)
