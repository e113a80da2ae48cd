"""Identities that bring a formula as computed into the form in which a reader would write it."""

import functools
import itertools
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from credit_scoring.features.formulas.terms import (
    COMPARISONS,
    NULL,
    ONE,
    TRUE,
    ZERO,
    Aggregate,
    Call,
    Constant,
    Defined,
    Rank,
    Rows,
    Term,
    conjuncts,
    is_condition,
    is_never_null,
    last_rows,
    may_be_unknown_through,
    nulls_of,
    number_of,
)

_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}
_NEGATED = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "=": "!=", "!=": "=", "known": "unknown", "unknown": "known"}
_MERGED = {"sum": ("sum", "count", "count known"), "min": ("min",), "max": ("max",)}
"""Aggregate -> aggregates of parts that it puts together into the aggregate of the whole."""
_OF_ONE_ROW = ("min", "max", "mean", "sum", "share")
"""Aggregates that are, of one row, its value."""


def call(function: str, *arguments: Term) -> Term:
    """Build a call, simplified."""
    simplify = _SIMPLIFIED.get(function)
    simpler = simplify(*arguments) if simplify else None
    return Call(function, arguments) if simpler is None else simpler


def aggregate(function: str, arguments: tuple[Term, ...], where: Collection[Term], rows: Rows) -> Term:
    """Build an aggregate, simplified."""
    conditions = set(where)
    if arguments:
        value, kept = _without_nulls(arguments[0])
        conditions |= kept
        arguments = (value, *arguments[1:])
        if is_condition(value):
            if function == "sum":
                function, arguments = "count", ()
                conditions |= set(conjuncts(value))
            function = {"mean": "share", "max": "any"}.get(function, function)
        merged = _merge(function, value, conditions, rows)
        if merged is not None:
            return merged
    conditions = _tighten(conditions - {TRUE})
    if function in _OF_ONE_ROW and any((last_rows(part, rows) or (None, 0))[1] == 1 for part in conditions):
        function = "value"
    return Aggregate(function, arguments, frozenset(conditions), rows)


def choose(condition: Term, value: Term, otherwise: Term) -> Term:
    """Build "value if condition, else otherwise", simplified."""
    condition = _met(condition)
    if value == NULL:
        return null_if(otherwise, condition)
    if otherwise == NULL:
        return Call("only if", (value, condition))
    match condition, value_or_zero(otherwise) or otherwise:
        case (
            Call("=", (Aggregate("count"), Constant(0))) | Call("unknown", (Aggregate("count"),)),
            Aggregate("sum" | "count" | "value"),
        ) if value == ZERO:
            return otherwise  # no rows at all: their sum is 0 by convention
    return Call("if", (condition, value, otherwise))


def null_if(value: Term, condition: Term) -> Term:
    """Build "value, but null where the condition holds", simplified."""
    match value, condition:
        case _, Call("or", (Call("is NaN"), Call("=", (Call("abs"), Constant(math.inf))))):
            return value  # not a number, and so not a value
        case Call("null if", (inner, earlier)), Call(function, arguments):
            later = Call(function, tuple(inner if part == value else part for part in arguments))
            return Call("null if", (inner, call("or", earlier, later)))
    return Call("null if", (value, condition))


def first_known(*values: Term) -> Term:
    """Build the first value that is not null, simplified."""
    match values:
        case (value, Constant()) if is_never_null(value) or _is_zero_without_rows(value):
            return value
        case (_, Constant()):
            return Call("else", values)
    return Call("first known", values)


def _met(condition: Term) -> Term:
    """Drop that an unknown condition counts as not met, where that goes without saying."""
    return functools.reduce(functools.partial(call, "and"), conjuncts(condition))


def _is_zero_without_rows(term: Term) -> bool:
    match term:
        case Aggregate("count" | "count known"):
            return True
        case Aggregate("sum", (value,)):
            return is_never_null(value)
    return False


def _without_nulls(value: Term) -> tuple[Term, set[Term]]:
    """Split a value that is null under a condition: aggregates skip nulls, so that they leave such rows out."""
    kept: set[Term] = set()
    while isinstance(value, Call) and value.function in ("null if", "only if"):
        inner, condition = value.arguments
        kept |= set(conjuncts(_kept(inner, condition) if value.function == "null if" else condition))
        value = inner
    return value, kept


def _kept(value: Term, condition: Term) -> Term:
    """Return when a value stays that is null under a condition: where the condition is not met, or unknown.

    Where the value is null whenever the condition is unknown, that it is not met says as much.
    """
    if may_be_unknown_through(condition) <= nulls_of(value):
        return call("not", condition)
    return Call("not", (Call("else", (condition, Constant(False))),))


def _merge(function: str, value: Term, conditions: set[Term], rows: Rows) -> Term | None:
    """Put the aggregates of parts together into the aggregate of the whole."""
    match value:
        case Defined(name, part_rows, Call("else", (inner, zero))) if function == "sum" and number_of(zero) == 0:
            return first_known(aggregate("sum", (Defined(name, part_rows, inner),), conditions, rows), ZERO)
        case Defined(_, _, Aggregate(part_function, arguments, where, part_rows)):
            if part_function in _MERGED.get(function, ()):
                return aggregate(part_function, arguments, where | conditions, part_rows)
    return None


def _tighten(conditions: set[Term]) -> set[Term]:
    """Drop conditions that another one implies: a wider bound on the same value, that a bounded value is known."""
    bounds: dict[tuple[str, Term], float] = {}
    others: set[Term] = set()
    for condition in conditions:
        match condition:
            case Call("<=" | ">=" as function, (value, limit)) if (bound := number_of(limit)) is not None:
                tightest = min if function == "<=" else max
                bounds[function, value] = tightest(bound, bounds.get((function, value), bound))
            case _:
                others.add(condition)
    implied = {Call("known", (value,)) for _, value in bounds}
    return (others - implied) | {Call(function, (value, Constant(b))) for (function, value), b in bounds.items()}


# -- arithmetic -------------------------------------------------------------------------------------------------------


def _add(left: Term, right: Term) -> Term | None:
    if ZERO in (left, right):
        return right if left == ZERO else left
    match left, right:
        case Call("-", (Rank() as rank, one)), _ if one == right:
            return rank  # ranks are counted from 0 by the engine, from 1 in formulas
        case _, Call("negative", (value,)):
            return call("-", left, value)
        case Call("negative", (value,)), Constant():
            return call("-", right, value)
    for row_function, summand in _ROW_SUMS.items():
        summands = [_summands(side, row_function, summand) for side in (left, right)]
        if all(summands):
            return Call(row_function, tuple(itertools.chain(*summands)))
    return None


def value_or_zero(term: Term) -> Term | None:
    """Return x of "x, or 0 where it is null", None for anything else."""
    match term:
        case Call("else", (value, zero)) if number_of(zero) == 0:
            return value
    return None


def _is_known(term: Term) -> Term | None:
    match term:
        case Call("known", (value,)):
            return value
    return None


def _weight_if_known(term: Term) -> Term | None:
    match term:
        case Call("*", (weight, Call("known", (value,)))):
            return Call("*", (weight, value))
    return None


_ROW_SUMS: Mapping[str, Callable[[Term], Term | None]] = {
    "sum of known": value_or_zero,
    "count of known": _is_known,
    "weight of known": _weight_if_known,
}
"""Function of several columns -> what one summand of it looks like."""


def _summands(term: Term, row_function: str, summand: Callable[[Term], Term | None]) -> tuple[Term, ...]:
    if isinstance(term, Call) and term.function == row_function:
        return term.arguments
    value = summand(term)
    return () if value is None else (value,)


def _subtract(left: Term, right: Term) -> Term | None:
    match right:
        case Call("count of known", columns) if left == Constant(len(columns)):
            return Call("count of unknown", columns)
    return None


def _multiply(left: Term, right: Term) -> Term | None:
    numbers = number_of(left), number_of(right)
    return Call("*", (right, left)) if numbers[0] is None and numbers[1] is not None else None


def _negative(value: Term) -> Term | None:
    if isinstance(value, Call) and value.function == "-":
        return call("-", *reversed(value.arguments))
    number = number_of(value)
    return None if number is None else Constant(0 - number)


def _divide(numerator: Term, denominator: Term) -> Term | None:
    match denominator:
        case Call("null if", (value, Call("=", (again, Constant(0))))) if value == again:
            return call("/", numerator, value)  # a division by zero is null by convention, told once
    rules = (_mean_of_columns, _mean_of_parts, _share_of_counts, _slope_of_sums)
    return next((found for rule in rules if (found := rule(numerator, denominator)) is not None), None)


def _mean_of_columns(numerator: Term, denominator: Term) -> Term | None:
    match numerator, denominator:
        case Call("sum of known", columns), Call("count of known", known) if columns == known:
            return Call("mean of known", columns)
        case Call("sum of known", columns), Call("weight of known", known) if columns == known:
            return Call("weighted mean", columns)
    return None


def _mean_of_parts(numerator: Term, denominator: Term) -> Term | None:
    """Recognise the sum of a value over the number of rows that have it."""
    match numerator, denominator:
        case _, Aggregate("count known", values, where, rows) if numerator == aggregate("sum", values, where, rows):
            return aggregate("mean", values, where, rows)
        case Aggregate("sum", (value,)), Aggregate("count") if is_never_null(value):
            if replace(numerator, function="count", arguments=()) == denominator:
                return replace(numerator, function="mean")
    return None


def _share_of_counts(numerator: Term, denominator: Term) -> Term | None:
    """Recognise the number of rows with a condition over the number of rows, where it is always known."""
    match numerator, denominator:
        case Aggregate("count", _, fewer, rows), Aggregate("count", _, more, same) if rows == same and more < fewer:
            further = sorted(fewer - more, key=repr)
            if all(map(is_never_null, further)):
                condition = functools.reduce(functools.partial(call, "and"), further)
                return Aggregate("share", (condition,), more, rows)
    return None


def _slope_of_sums(numerator: Term, denominator: Term) -> Term | None:
    """Recognise (n Sxy - Sx Sy) / (n Sxx - Sx Sx), the slope of the least-squares line."""
    match numerator, denominator:
        case (
            Call("-", (Call("*", (n, Aggregate("sum", (Call("*", factors),)))), Call("*", (sum_x, sum_y)))),
            Call("-", (Call("*", (same_n, Aggregate("sum", (square,)))), Call("*", (again, too)))),
        ) if n == same_n and sum_x == again == too and isinstance(sum_x, Aggregate):
            (x,) = sum_x.arguments
            y = factors[1] if factors[0] == x else factors[0]
            if square == Call("*", (x, x)) and sum_y == aggregate("sum", (y,), sum_x.where, sum_x.rows):
                return replace(
                    sum_x, function="slope", arguments=(y, x), where=sum_x.where - {call("known", x), call("known", y)}
                )
    return None


def _root(value: Term) -> Term | None:
    """Recognise sqrt((S2 - S1 S1 / n) / (n - 1)) and sqrt(D2 / (n - 1)), the standard deviation of a sample."""
    match value:
        case Call("null if", (inner, _)):
            return _root(inner)  # fewer than two values have none, by convention
        case Call(
            "/",
            (
                Call("max", (Call("-", (squares, Call("/", (Call("*", (total, again)), n)))), Constant(0))),
                Call("-", (same_n, one)),
            ),
        ) if total == again and n == same_n and one == ONE:
            return _std(total, squares)
        case Call("/", (Call("sum of known", squares), Call("-", (Call("count of known", columns), one)))) if (
            one == ONE
        ):
            mean = Call("mean of known", columns)
            deviations = [Call("-", (column, mean)) for column in columns]
            if squares == tuple(Call("*", (deviation, deviation)) for deviation in deviations):
                return Call("std of known", columns)
    return None


def _std(total: Term, squares: Term) -> Term | None:
    match total, squares:
        case Aggregate("sum", (value,)), Aggregate() if squares == replace(
            total, arguments=(Call("*", (value, value)),)
        ):
            return replace(total, function="std")
        case Call("sum of known", columns), Call("sum of known", squared):
            if squared == tuple(Call("*", (column, column)) for column in columns):
                return Call("std of known", columns)
    return None


# -- conditions -------------------------------------------------------------------------------------------------------


def _compare(function: str, left: Term, right: Term) -> Term | None:
    bound = number_of(right)
    match left:
        case Call("negative", (value,)) if bound is not None:
            return call(_FLIPPED[function], value, Constant(0 - bound))
        case Call("cases", arguments) if function == "<=" and bound is not None:
            # A row's narrowest window is at most w: the row is in window w.
            windows = _nested_windows(arguments)
            return windows.get(bound)
    return None


def _nested_windows(arguments: tuple[Term, ...]) -> dict[float, Term]:
    """Read cases that name a value by the narrowest of growing windows: bound -> condition; else nothing."""
    half = len(arguments) // 2
    cases, results, default = arguments[:half], arguments[half : 2 * half], arguments[-1]
    bounds = [number_of(result) for result in results]
    named: dict[float, Term] = {}
    for case, bound in zip(cases, bounds, strict=True):
        match case:
            case Call("<=", (_, limit)) if bound is not None and number_of(limit) == bound:
                named[bound] = case
            case Call(">=", (_, limit)) if bound is not None and number_of(limit) == -bound:
                named[bound] = case
    one_value = len({case.arguments[0] for case in cases if isinstance(case, Call)}) == 1
    return named if default == NULL and one_value and list(named) == sorted(named) and len(named) == half else {}


def _known(value: Term) -> Term | None:
    match value:
        case Call("cases", arguments):
            windows = _nested_windows(arguments)
            return windows[max(windows)] if windows else None
        case Call("null if", (inner, condition)):
            return call("and", call("known", inner), _kept(inner, condition))
    return None


def _not(condition: Term) -> Term | None:
    match condition:
        case Call("not", (inner,)):
            return inner
        case Call("else", (inner, Constant(False))) if is_never_null(inner):
            return call("not", inner)
        case Call("or", parts):
            return functools.reduce(functools.partial(call, "and"), (call("not", part) for part in parts))
        case Call(function, arguments) if function in _NEGATED:
            return Call(_NEGATED[function], arguments)
    return None


def _both(left: Term, right: Term) -> Term:
    joined = dict.fromkeys((*_operands("and", left), *_operands("and", right)))
    needed = _tighten(set(joined))
    kept = (*(part for part in joined if part in needed), *sorted(needed - set(joined), key=repr))
    return kept[0] if len(kept) == 1 else Call("and", kept)


def _either(left: Term, right: Term) -> Term:
    return Call("or", (*_operands("or", left), *_operands("or", right)))


def _operands(operator: str, condition: Term) -> tuple[Term, ...]:
    return condition.arguments if isinstance(condition, Call) and condition.function == operator else (condition,)


def _among(value: Term, *options: Term) -> Term | None:
    return Call("=", (value, options[0])) if len(options) == 1 else None


_SIMPLIFIED: Mapping[str, Callable[..., Term | None]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "negative": _negative,
    "not": _not,
    "and": _both,
    "or": _either,
    "in": _among,
    "known": _known,
    "sqrt": _root,
    **{comparison: functools.partial(_compare, comparison) for comparison in COMPARISONS},
}
