"""Building blocks shared by every feature module: safe arithmetic, conditional aggregates, client joins.

All of them work on deferred Ibis expressions (`_.AMT_CREDIT`), so that a feature is a record of one expression and a
table of features one `group_by`. Functions marked `deferrable` stay calls until a table is there: a formula names them.
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import ibis
import ibis.expr.types as ir
import ibis.selectors as s
from ibis import _
from ibis.common.deferred import Deferred, deferrable

from credit_scoring.schemas.numbers import is_not_finite

CLIENT_KEY = "SK_ID_CURR"
OUTCOME = "TARGET"
DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = 30.4375

NOT_AVAILABLE = ("XNA", "XAP")
"""Text codes of the lender: `XNA` is "not available", `XAP` is "not applicable"."""

Expression: TypeAlias = Deferred
"""An expression on columns of a table still to come: `_.AMT_CREDIT / _.AMT_ANNUITY`."""


def written(value: Expression | bool) -> str:
    """Write an expression as a formula: as the code has it, without what only the engine needs.

    `_.AMT_CREDIT.cast("float64")` is `AMT_CREDIT`, `|` is `or`; the functions of this module keep their names.
    """
    text = repr(value)
    for pattern, replacement in _ONLY_FOR_THE_ENGINE:
        text = re.sub(pattern, replacement, text)
    inner = text[1:-1]
    return inner if text.startswith("(") and text.endswith(")") and _is_balanced(inner) else text


_ONLY_FOR_THE_ENGINE = (
    (r"\b_\['(\w+)'\]", r"\1"),
    (r"\b_\.", ""),
    (r"\.cast\('(?:float64|int\d+)'\)", ""),
    (r"<scalar\[[^<>]*>", "null"),
    (r"<function (\w+) at 0x\w+>", r"\1"),
    (r" \| ", " or "),
    (r" & ", " and "),
    (r"~", "not "),
    (r"(, |\(|=)\(((?:[^()]|\([^()]*\))+)\)(?=[,)])", r"\1\2"),
)


def _is_balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


@deferrable
def safe_ratio(numerator: Expression, denominator: Expression) -> Expression:
    """Divide as real numbers; a zero or null denominator gives null, never an infinity."""
    return numerator.cast("float64") / denominator.cast("float64").nullif(0.0)


@deferrable
def null_if(value: Expression, condition: Expression) -> Expression:
    """Replace a value by null where the condition holds; an unknown condition leaves it as it is."""
    return condition.fill_null(False).ifelse(ibis.null(), value)


@deferrable
def round_amount(amount: Expression) -> Expression:
    """Round a sum or difference of amounts to the whole thousandths of the currency that amounts are given in.

    Where amounts cancel out, floating point leaves a rest, another one for every order of adding up: a debt that is
    paid off has to be zero, on any engine.
    """
    return amount.round(3)


@deferrable
def net_mean(amount: Expression, *, where: Expression | None = None) -> Expression:
    """Mean of amounts of either sign, which may cancel out; null values are left out, null over none."""
    return safe_ratio(round_amount(amount.sum(where=where)), amount.count(where=where))


@deferrable
def yearly_interest_rate(credit: Expression, annuity: Expression, term: Expression | int) -> Expression:
    """Yearly rate of a credit repaid in `term` equal monthly payments, to the first order.

    The total interest is spread over the average outstanding amount, (term + 1) / 2 months of the whole credit.
    """
    return safe_ratio(24 * (term * annuity - credit), credit * (term + 1))


def as_written(value: Expression, formula: str) -> Expression:
    """Give an expression the formula that a reader understands."""
    return Deferred(value._resolver, repr=formula)


def rank(*latest_first: str) -> Expression:
    """Number the rows of a client from the latest one, which is 1, by the largest of these columns."""
    number = ibis.row_number().over(_by_client(latest_first)) + 1
    return as_written(number, f"rank by the largest {', '.join(latest_first)}")


def change_since_previous(column: str, *latest_first: str) -> Expression:
    """Take off a column what it is in the client's row that comes just before; null for the oldest row."""
    change = _[column] - _[column].lead().over(_by_client(latest_first))
    return as_written(change, f"{column} less {column} of the row before by {', '.join(latest_first)}")


def _by_client(latest_first: tuple[str, ...]) -> object:
    return ibis.window(group_by=CLIENT_KEY, order_by=[_[column].desc() for column in latest_first])


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


@deferrable
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


@deferrable
def total(value: Expression, where: Expression | None = None) -> Expression:
    """Add up what is counted per row; 0 over no rows."""
    return value.cast("float64").sum(where=where).fill_null(0.0)


AGGREGATES: dict[str, Callable[[Expression, Expression | None], Expression]] = {
    "COUNT": lambda flag, where: count_where(flag if where is None else flag & where),
    "SUM": _sum,
    "MEAN": lambda value, where: value.cast("float64").mean(where=where),
    "MIN": lambda value, where: value.min(where=where),
    "MAX": lambda value, where: value.max(where=where),
    "STD": lambda value, where: value.cast("float64").std(where=where),
    "RATE": lambda flag, where: flag.cast("float64").mean(where=where),
}
"""Aggregate -> its expression, of a measure and of a condition on the rows or none.

Null values are left out. Over no rows a count and a sum are 0, anything else is null; a sum of values that are all
unknown is null.
"""


NET_AGGREGATES = AGGREGATES | {
    "SUM": lambda value, where: round_amount(_sum(value, where)),
    "MEAN": lambda value, where: net_mean(value, where=where),
}
"""The same of amounts of either sign, whose sums may cancel out."""


_N: Mapping[str, Callable[[Expression], Expression]] = {"N": lambda value: value.count()}
_TOTAL: Mapping[str, Callable[[Expression], Expression]] = {"SUM": lambda value: value.cast("float64").sum()}

PARTIALS: Mapping[str, Mapping[str, Callable[[Expression], Expression]]] = {
    "COUNT": _TOTAL,
    "SUM": _TOTAL,
    "MEAN": {**_N, **_TOTAL},
    "RATE": {**_N, **_TOTAL},
    "STD": {**_N, **_TOTAL, "SQUARES": lambda value: (value.cast("float64") * value.cast("float64")).sum()},
    "MIN": {"MIN": lambda value: value.min()},
    "MAX": {"MAX": lambda value: value.max()},
}
"""Aggregate -> the additive columns `<MEASURE>_<PART>` from which `combine_partials` makes it.

A large table is first reduced to a few rows per client (one per age, say), then to one: hundreds of conditional
aggregates then read a tenth of the rows.
"""


def combine_partials(measure: str, aggregate: str, where: Expression | None, *, net: bool = False) -> Expression:
    """Build an aggregate from the columns that `PARTIALS` names; null policy of `AGGREGATES`."""
    if aggregate in ("MIN", "MAX"):
        return AGGREGATES[aggregate](_[f"{measure}_{aggregate}"], where)
    if aggregate == "SUM":
        added = _sum(_[f"{measure}_SUM"], where)
        return round_amount(added) if net else added
    summed = _[f"{measure}_SUM"].sum(where=where)
    if aggregate == "COUNT":
        return summed.fill_null(0.0)
    if net:
        summed = round_amount(summed)
    n = _[f"{measure}_N"].cast("float64").sum(where=where)
    if aggregate in ("MEAN", "RATE"):
        return safe_ratio(summed, n)
    # Rounding can leave the sum of squared deviations a hair below zero, of which no root exists.
    deviations = (_[f"{measure}_SQUARES"].sum(where=where) - safe_ratio(summed * summed, n)).clip(lower=0.0)
    return safe_ratio(deviations, n - 1).sqrt()


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
    return as_features(join_on_client(*passes))


def as_features(table: ir.Table) -> ir.Table:
    """Give every numeric feature one type, float64, so that it does not depend on whether nulls happen to occur.

    It also keeps DuckDB's 128-bit integer sums from leaving this layer.
    """
    kept = [column for column in (CLIENT_KEY, OUTCOME) if column in table.columns]
    return table.mutate(s.across((s.numeric() | s.of_type("boolean")) & ~s.cols(*kept), _.cast("float64")))


def join_on_client(first: ir.Table, *others: ir.Table) -> ir.Table:
    """Left-join tables of one row per client onto the first one, keeping a single key column.

    One chain of joins, whose keys are left out at its end: Ibis goes through all columns for each table made between.
    """
    joined = first
    for number, other in enumerate(others):
        joined = joined.left_join(other, CLIENT_KEY, rname=f"{{name}}_of_{number}")
    return joined.drop(*(f"{CLIENT_KEY}_of_{number}" for number in range(len(others))))
