"""Building blocks shared by every feature module: safe arithmetic, named conditional aggregates, client joins.

All of them work on deferred Ibis expressions (`_.AMT_CREDIT`), so that a feature module is a list of named
expressions and one `group_by` per table.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import ibis
import ibis.expr.types as ir
import ibis.selectors as s
from ibis import _
from ibis.common.deferred import Deferred

from credit_scoring.schemas.numbers import is_not_finite

CLIENT_KEY = "SK_ID_CURR"
OUTCOME = "TARGET"
DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = 30.4375
DAYS_SENTINEL = 365243
"""How Home Credit writes "no such date": a thousand years after the application."""

NOT_AVAILABLE = ("XNA", "XAP")
"""Text codes of the lender: `XNA` is "not available", `XAP` is "not applicable"."""

Expression: TypeAlias = Deferred
"""An expression on columns of a table still to come: `_.AMT_CREDIT / _.AMT_ANNUITY`."""


def safe_ratio(numerator: Expression, denominator: Expression) -> Expression:
    """Divide as real numbers; a zero or null denominator gives null, never an infinity."""
    return numerator.cast("float64") / denominator.cast("float64").nullif(0.0)


def null_if(value: Expression, condition: Expression) -> Expression:
    """Replace a value by null where the condition holds; an unknown condition leaves it as it is."""
    return condition.fill_null(False).ifelse(ibis.null(), value)


def settle(amount: Expression) -> Expression:
    """Round a sum or difference of amounts to the whole thousandths of the currency that amounts are given in.

    Where amounts cancel out, floating point leaves a rest, another one for every order of adding up: a debt that is
    paid off has to be zero, on any engine.
    """
    return amount.round(3)


def net_mean(amount: Expression, *, where: Expression | None = None) -> Expression:
    """Mean of amounts of either sign, which may cancel out; null values are left out, null over none."""
    return safe_ratio(settle(amount.sum(where=where)), amount.count(where=where))


def yearly_interest_rate(credit: Expression, annuity: Expression, term: Expression | int) -> Expression:
    """Yearly rate of a credit repaid in `term` equal monthly payments, to the first order.

    The total interest is spread over the average outstanding amount, (term + 1) / 2 months of the whole credit.
    """
    return safe_ratio(24 * (term * annuity - credit), credit * (term + 1))


def clean_missing_markers(table: ir.Table) -> ir.Table:
    """Write every kind of missing value as null.

    Text codes `XNA` and `XAP` and empty text become null. So do a floating NaN, which DuckDB and Spark treat as a
    number greater than any other, and an infinity: either would spread through every sum.

    Args:
        table: Any raw table.

    Returns:
        The same rows and columns.
    """
    text = _.nullif("")
    for code in NOT_AVAILABLE:
        text = text.nullif(code)
    return table.mutate(
        s.across(s.of_type("string"), text),
        s.across(s.of_type("float64"), null_if(_, is_not_finite(_))),
    )


def _slope(n: Expression, x: Expression, y: Expression, xy: Expression, xx: Expression) -> Expression:
    return safe_ratio(n * xy - x * y, n * xx - x * x)


def ols_slope(y: Expression, x: Expression, *, where: Expression | None = None, per: float = 1.0) -> Expression:
    """Slope of the least-squares line of `y` on `x` within a group, in closed form from five sums.

    `x` must hold whole numbers (days, months): their sums are then exact, so that a group with a single distinct `x`
    has a denominator of exactly zero and its slope is null.

    Args:
        y: Explained value; its null rows are left out.
        x: Time axis, whole numbers.
        where: Rows to keep.
        per: Number of units of `x` over which the slope is expressed (365 turns "per day" into "per year").

    Returns:
        An aggregate expression.
    """
    rows = y.notnull() & x.notnull()
    if where is not None:
        rows = rows & where
    x, y = x.cast("float64"), y.cast("float64")
    n, sum_x, sum_y = rows.cast("float64").sum(), x.sum(where=rows), y.sum(where=rows)
    return per * _slope(n, sum_x, sum_y, (x * y).sum(where=rows), (x * x).sum(where=rows))


def count_where(condition: Expression | None) -> Expression:
    """Count the rows of a group where the condition holds; all of them without a condition.

    An unknown condition counts as false. Left to the engine, a group in which it is unknown throughout would count 0
    rows on DuckDB and null on Spark.
    """
    return _.count() if condition is None else _.count(where=condition.fill_null(False))


def _sum(value: Expression, where: Expression | None) -> Expression:
    return (count_where(where) == 0).ifelse(0.0, value.cast("float64").sum(where=where))


_AGGREGATES: Mapping[str, Callable[[Expression, Expression | None], Expression]] = {
    "COUNT": lambda flag, where: count_where(flag if where is None else flag & where),
    "SUM": _sum,
    "MEAN": lambda value, where: value.cast("float64").mean(where=where),
    "MIN": lambda value, where: value.min(where=where),
    "MAX": lambda value, where: value.max(where=where),
    "STD": lambda value, where: value.cast("float64").std(where=where),
    "RATE": lambda flag, where: flag.cast("float64").mean(where=where),
}


def feature_name(source: str, measure: str, aggregate: str, subset: str = "", window: str = "") -> str:
    """Spell a feature: `<SOURCE>_<MEASURE>_<AGGREGATE>[_<SUBSET>][_<WINDOW>]`."""
    return "_".join(part for part in (source, measure, aggregate, subset, window) if part)


def summarise(
    source: str,
    measures: Mapping[str, Sequence[str]],
    *,
    subset: str = "",
    window: str = "",
    where: Expression | None = None,
) -> dict[str, Expression]:
    """Name and build the aggregates of some columns over a subset of rows.

    Null policy: null values are left out. Over an empty subset a count and a sum are 0, anything else is null; a sum of
    values that are all unknown is null.

    Args:
        source: Prefix of the source, such as `BUREAU`.
        measures: Column name (which is also the measure's name) -> aggregates among COUNT (true rows of a boolean),
            RATE (share of true rows), SUM, MEAN, MIN, MAX, STD.
        subset: Name of the subset of rows, such as `ACTIVE`.
        window: Name of the window of time or of rank, such as `365D`, `12M` or `LAST_5`.
        where: Rows of that subset and window.

    Returns:
        Feature name -> aggregate expression.
    """
    return {
        feature_name(source, measure, aggregate, subset, window): _AGGREGATES[aggregate](_[measure], where)
        for measure, aggregates in measures.items()
        for aggregate in aggregates
    }


_PARTIALS: Mapping[str, Callable[[Expression], Expression]] = {
    "N": lambda value: value.count(),
    "SUM": lambda value: value.cast("float64").sum(),
    "SQUARES": lambda value: (value.cast("float64") * value.cast("float64")).sum(),
    "MIN": lambda value: value.min(),
    "MAX": lambda value: value.max(),
}

_PARTIALS_OF: Mapping[str, tuple[str, ...]] = {
    "COUNT": ("SUM",),
    "SUM": ("SUM",),
    "MEAN": ("N", "SUM"),
    "RATE": ("N", "SUM"),
    "STD": ("N", "SUM", "SQUARES"),
    "MIN": ("MIN",),
    "MAX": ("MAX",),
}


def partial_aggregates(measures: Mapping[str, Sequence[str]]) -> dict[str, Expression]:
    """Build the additive columns from which `summarise_partials` makes the listed aggregates.

    A large monthly table is first reduced to a few rows per client (one per loan and period, say), then to one:
    hundreds of conditional aggregates then read a tenth of the rows.

    Args:
        measures: Column name -> aggregates wanted in the end, as in `summarise`.

    Returns:
        Partial column name (`<MEASURE>_N`, `_SUM`, `_SQUARES`, `_MIN`, `_MAX`) -> aggregate expression.
    """
    return {
        f"{measure}_{part}": _PARTIALS[part](_[measure])
        for measure, aggregates in measures.items()
        for aggregate in aggregates
        for part in _PARTIALS_OF[aggregate]
    }


def _combine(measure: str, aggregate: str, where: Expression | None) -> Expression:
    if aggregate in ("MIN", "MAX"):
        return _AGGREGATES[aggregate](_[f"{measure}_{aggregate}"], where)
    total = _[f"{measure}_SUM"].sum(where=where)
    if aggregate == "COUNT":
        return total.fill_null(0.0)
    if aggregate == "SUM":
        return _sum(_[f"{measure}_SUM"], where)
    n = _[f"{measure}_N"].cast("float64").sum(where=where)
    if aggregate in ("MEAN", "RATE"):
        return safe_ratio(total, n)
    # Rounding can leave the sum of squared deviations a hair below zero, of which no root exists.
    deviations = (_[f"{measure}_SQUARES"].sum(where=where) - safe_ratio(total * total, n)).clip(lower=0.0)
    return safe_ratio(deviations, n - 1).sqrt()


def summarise_partials(
    source: str,
    measures: Mapping[str, Sequence[str]],
    *,
    subset: str = "",
    window: str = "",
    where: Expression | None = None,
) -> dict[str, Expression]:
    """Do as `summarise`, from the columns made by `partial_aggregates`; same arguments, names and null policy."""
    return {
        feature_name(source, measure, aggregate, subset, window): _combine(measure, aggregate, where)
        for measure, aggregates in measures.items()
        for aggregate in aggregates
    }


def partial_slope(y: str, x: str) -> dict[str, Expression]:
    """Build the five sums from which `slope_of_partials` makes the slope of column `y` on whole numbers `x`."""
    rows = _[y].notnull() & _[x].notnull()
    value, time = _[y].cast("float64"), _[x].cast("float64")
    sums = {"SLOPE_X": time, "SLOPE_Y": value, "SLOPE_XY": time * value, "SLOPE_XX": time * time}
    return {f"{y}_SLOPE_N": count_where(rows)} | {f"{y}_{part}": term.sum(where=rows) for part, term in sums.items()}


def slope_of_partials(y: str, *, where: Expression | None = None, per: float = 1.0) -> Expression:
    """Slope over a group of the sums made by `partial_slope`; same meaning as `ols_slope`."""
    parts = ("SLOPE_N", "SLOPE_X", "SLOPE_Y", "SLOPE_XY", "SLOPE_XX")
    return per * _slope(*(_[f"{y}_{part}"].cast("float64").sum(where=where) for part in parts))


_AGGREGATES_PER_PASS = 20


def aggregate_by_client(table: ir.Table, features: Mapping[str, Expression]) -> ir.Table:
    """Aggregate to one row per client, some twenty features at a time.

    In one pass over all of them, each row of a table that is not sorted by client drags several kilobytes of state
    through memory: passes of twenty take half the time.

    Args:
        table: Rows with a SK_ID_CURR.
        features: Feature name -> aggregate expression.

    Returns:
        One row per SK_ID_CURR: the key and the features, all numbers float64.
    """
    named = list(features.items())
    passes = [
        table.group_by(CLIENT_KEY).agg(**dict(named[start : start + _AGGREGATES_PER_PASS]))
        for start in range(0, len(named), _AGGREGATES_PER_PASS)
    ]
    return as_features(functools.reduce(join_on_client, passes))


def as_features(table: ir.Table) -> ir.Table:
    """Give every numeric feature one type, float64, so that it does not depend on whether nulls happen to occur.

    It also keeps DuckDB's 128-bit integer sums from leaving this layer.
    """
    kept = [column for column in (CLIENT_KEY, OUTCOME) if column in table.columns]
    return table.mutate(s.across((s.numeric() | s.of_type("boolean")) & ~s.cols(*kept), _.cast("float64")))


def join_on_client(left: ir.Table, right: ir.Table) -> ir.Table:
    """Left-join one row per client onto one row per client, keeping a single key column."""
    return left.left_join(right, CLIENT_KEY, rname="{name}_right").drop(f"{CLIENT_KEY}_right")
