"""Formulas in one line of text."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from credit_scoring.features.formulas.terms import (
    Aggregate,
    Call,
    Column,
    Constant,
    Defined,
    Rank,
    Rows,
    Term,
    last_rows,
    number_of,
)

_PRECEDENCE = {
    "null if": 0, "only if": 0, "if": 0, "or": 1, "and": 2, "not": 3,
    "=": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4, "known": 4, "unknown": 4,
    "else": 5, "+": 6, "-": 6, "*": 7, "/": 7, "negative": 8,
}  # fmt: skip
_TIGHTEST = 9
_CONDITION = 3
_NEGATED = 6
_ASSOCIATIVE = ("and", "or", "+", "*")
_PATTERNS = {
    "negative": "-{0}",
    "not": "not {0}",
    "known": "{0} is known",
    "unknown": "{0} is unknown",
    "else": "{0} else {1}",
    "if": "{1} if {0}, else {2}",
    "only if": "{0} if {1}",
}
_MAX_LISTED = 4
_GROUPED_FROM = 1_000_000


def write_term(term: Term) -> str:
    """Write a term in one line."""
    return _write(term, 0)


def write_formula(term: Term) -> str:
    """Write the formula of a feature: conditions that all its aggregates share stand once, at the end."""
    if isinstance(term, Call) and term.function == "else":
        return f"{write_formula(term.arguments[0])}, else {write_term(term.arguments[1])}"
    aggregates = list(_aggregates(term))
    if not aggregates or isinstance(term, Aggregate) or any(part.function == "value" for part in aggregates):
        return write_term(term)
    shared = frozenset.intersection(*(part.where for part in aggregates))
    if not shared or len({part.rows for part in aggregates}) > 1:
        return write_term(term)
    return f"{write_term(_without(term, shared))} where {_write_conditions(shared)}"


def write_cleaning(column: str, term: Term, markers: Collection[str]) -> str:
    """Write what cleaning does to a column, beyond turning the markers of a missing text into null.

    Args:
        column: Name of the column.
        term: Its formula in the cleaned table.
        markers: Texts that stand for a missing value.

    Returns:
        Such as "null if AMT_ANNUITY <= 0"; nothing where the column stays as it is.
    """
    match term:
        case Column(name) if name == column:
            return ""
        case Call("null if", (Column() as value, condition)):
            alternatives = (
                condition.arguments if isinstance(condition, Call) and condition.function == "or" else (condition,)
            )
            missing = {Call("=", (value, Constant(marker))) for marker in markers}
            told = [part for part in alternatives if part not in missing]
            return f"null if {' or '.join(_write(part, 2) for part in told)}" if told else ""
    return write_term(term)


def refer(text: str, value: str) -> str:
    """Say "it" for a long value that a text repeats."""
    return text.replace(value, "it") if " " in value else text


def family(terms: tuple[Term, ...]) -> tuple[Term, list[str]] | None:
    """Read terms that differ in one number only as a pattern in `n`, with the values of `n`; None if they do not."""
    if len(terms) <= _MAX_LISTED:
        return None
    values: list[tuple[float, ...]] = []
    pattern = _join(terms, values)
    return None if pattern is None or not values else (pattern, [_write_constant(value) for value in values[0]])


def _join(terms: tuple[Term, ...], values: list[tuple[float, ...]]) -> Term | None:
    """Return what the terms have in common, `n` for their numbers; the first numbers found are put into `values`."""
    first = terms[0]
    if all(term == first for term in terms):
        return first
    numbers = tuple(number for term in terms if (number := number_of(term)) is not None)
    if len(numbers) == len(terms):
        if not values:
            values.append(numbers)
        offset, *others = {number - n for number, n in zip(numbers, values[0], strict=True)}
        n = Column("n")
        return None if others else n if offset == 0 else Call("+", (n, Constant(offset)))
    calls = [term for term in terms if isinstance(term, Call)]
    if len(calls) < len(terms) or len({(part.function, len(part.arguments)) for part in calls}) > 1:
        return None
    joined = [_join(column, values) for column in zip(*(part.arguments for part in calls), strict=True)]
    return Call(calls[0].function, tuple(part for part in joined if part)) if all(joined) else None


def _aggregates(term: Term) -> Iterator[Aggregate]:
    if isinstance(term, Aggregate):
        yield term
    elif isinstance(term, Call):
        for part in term.arguments:
            yield from _aggregates(part)


def _without(term: Term, conditions: frozenset[Term]) -> Term:
    if isinstance(term, Aggregate):
        return replace(term, where=term.where - conditions)
    if isinstance(term, Call):
        return Call(term.function, tuple(_without(part, conditions) for part in term.arguments))
    return term


def _write(term: Term, outer: int) -> str:
    match term:
        case Constant():
            return _write_constant(term.value)
        case Column() | Defined():
            return term.name
        case Rank():
            return f"rank of the {term.rows.noun} by latest {write_term(term.order)}"
        case Aggregate():
            return _write_aggregate(term, outer)
    precedence = _PRECEDENCE.get(term.function, _TIGHTEST)
    text = _write_call(term, precedence)
    return f"({text})" if precedence < outer else text


def _write_constant(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    number = float(value)
    text = f"{number:.0f}" if number.is_integer() else f"{number}"
    return f"{number:,.0f}" if abs(number) >= _GROUPED_FROM else text


def _write_call(term: Call, precedence: int) -> str:
    function, arguments = term.function, term.arguments
    addends = tuple(_addends(term))
    if len(addends) > _MAX_LISTED:
        return _write_function("sum", addends)
    if function in _ASSOCIATIVE:
        return f" {function} ".join(_write(part, precedence) for part in arguments)
    if function in _PATTERNS:
        inner = _NEGATED if function == "not" else precedence
        return _PATTERNS[function].format(*(_write(part, inner) for part in arguments))
    phrase = _write_phrase(term)
    if phrase or function not in _PRECEDENCE:
        return phrase or _write_function(function, arguments)
    left, right = arguments
    return f"{_write(left, precedence)} {function} {_write(right, precedence + 1)}"


def _write_phrase(term: Call) -> str:
    """Write a call that is said in words of its own; nothing for any other."""
    match term.function, term.arguments:
        case "<=" | "=", (Rank() as rank, Constant(last)):
            which = "the last" if last == 1 else f"among the last {last}"
            return f"{rank.rows.noun} is {which} by {write_term(rank.order)}"
        case "before", (value, Constant(noun)):
            return f"{_write(value, _TIGHTEST)} of the {noun} before"
        case "null if", (value, condition):
            written = write_term(value)
            return f"{written} unless {refer(write_term(condition), written)}"
        case "in", (value, *options):
            return f"{_write(value, _PRECEDENCE['in'])} in ({', '.join(map(write_term, options))})"
    return ""


def _addends(term: Term) -> Iterator[Term]:
    if isinstance(term, Call) and term.function == "+":
        for part in term.arguments:
            yield from _addends(part)
    else:
        yield term


def _write_function(function: str, arguments: tuple[Term, ...]) -> str:
    found = family(arguments)
    if found is not None:
        pattern, values = found
        return f"{function}({write_term(pattern)}; n = {values[0]}, {values[1]}, ..., {values[-1]})"
    words = [write_term(part) for part in arguments]
    if len(words) > _MAX_LISTED:
        words = [words[0], words[1], "...", f"{words[-1]}; {len(words)} columns"]
    return f"{function}({', '.join(words)})"


def _write_aggregate(term: Aggregate, outer: int) -> str:
    over, where = _split_latest(term)
    condition = f" where {_write_conditions(where)}" if where else ""
    match term.function, term.arguments:
        case "value", (value,):
            return f"{_write(value, _TIGHTEST)} of {over}{condition}"
        case "at the largest" | "at the smallest" as place, (value, key):
            return f"{_write(value, _TIGHTEST)} {place} {_write(key, _TIGHTEST)}{condition}"
        case "count", _:
            head, inner, over = "count", over or term.rows.plural, ""
        case "count known" | "count distinct", (value,):
            head, _, adjective = term.function.partition(" ")
            inner = f"{adjective} {write_term(value)}"
        case "slope", (y, x):
            head, inner = "slope", f"{_write(y, 7)} on {_write(x, 7)}"
        case function, arguments:
            head, inner = function, ", ".join(write_term(part) for part in arguments)
    if not over and not term.rows.implied and head != "count":
        over = term.rows.plural
    over = f" over {over}" if over else ""
    # Inside a larger formula, what the aggregate runs over belongs between its brackets.
    return f"{head}({inner}{over}{condition})" if outer else f"{head}({inner}){over}{condition}"


def _split_latest(term: Aggregate) -> tuple[str, frozenset[Term]]:
    """Write which rows the aggregate runs over if they are the latest ones, and return the other conditions."""
    for condition in term.where:
        latest = last_rows(condition, term.rows)
        if latest is not None:
            return _write_latest(*latest, term.rows), term.where - {condition}
    return "", term.where


def _write_latest(rank: Rank, last: int, rows: Rows) -> str:
    which = f"last {rows.noun}" if last == 1 else f"last {last} {rows.plural}"
    return f"the {which} by {write_term(rank.order)}"


def _write_conditions(where: Collection[Term]) -> str:
    return " and ".join(
        _write(part, _CONDITION) for part in sorted(where, key=lambda part: (_kind(part), write_term(part)))
    )


def _kind(condition: Term) -> int:
    """Sort what rows are (0) before when they were (1) and their rank (2)."""
    value = condition.arguments[0] if isinstance(condition, Call) else condition
    if isinstance(value, Rank):
        return 2
    return int(isinstance(value, Column) and value.name.startswith(("DAYS_", "MONTHS_")))
