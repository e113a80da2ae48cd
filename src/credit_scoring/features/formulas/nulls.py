"""When a value is null, read off its formula."""

from collections.abc import Iterator

from credit_scoring.features.formulas.terms import Aggregate, Call, Column, Constant, Defined, Term, last_rows
from credit_scoring.features.formulas.writing import family, refer, write_term

_NEVER_NULL = ("known", "unknown", "else", "sum of known", "count of known", "count of unknown")


def null_reasons(term: Term) -> list[str]:
    """Say when a value is null, for a client who has rows at all.

    Returns:
        One phrase per reason, formulas between backquotes; none for a value that is never null.
    """
    return list(dict.fromkeys(_reasons(term)))


def _reasons(term: Term) -> Iterator[str]:
    match term:
        case Column(name, nullable=True) | Defined(name):
            yield f"`{name}` is null"
        case Aggregate():
            yield from _aggregate_reasons(term)
        case Call():
            yield from _call_reasons(term)


def _call_reasons(term: Call) -> Iterator[str]:
    function, arguments = term.function, term.arguments
    match function:
        case _ if function in _NEVER_NULL:
            return
        case "mean of known" | "weighted mean":
            yield "all of them are null"
        case "std of known":
            yield "fewer than two of them are known"
        case "min" | "max" | "first known" if not any(isinstance(part, Constant) for part in arguments):
            yield "all of them are null" if family(arguments) is None else "no `n` gives a value"
        case "null if":
            yield from _reasons(arguments[0])
            yield f"`{refer(write_term(arguments[1]), write_term(arguments[0]))}`"
        case "only if":
            yield from _reasons(arguments[0])
            yield f"not `{write_term(arguments[1])}`"
        case "before":
            yield from _reasons(arguments[0])
            yield f"there is no {_text(arguments[1])} before"
        case "/":
            yield from _reasons(arguments[0])
            yield from _divisor_reasons(arguments[1])
        case _:
            for part in arguments[1:] if function == "if" else arguments:
                yield from _reasons(part)


def _divisor_reasons(divisor: Term) -> Iterator[str]:
    match divisor:
        case Constant():
            return
        case Aggregate("count", _, where) if not where:
            return
        case Call("negative" | "else", (inner, *_)) | Call("/", (inner, Constant())):
            yield from _divisor_reasons(inner)
            return
    written = f"`{write_term(divisor)}`"
    reasons = list(_reasons(divisor))
    is_null = f"{written} is null"
    yield from (f"{is_null} or 0" if reason == is_null else reason for reason in reasons)
    if is_null not in reasons:
        yield f"{written} is 0"


def _aggregate_reasons(term: Aggregate) -> Iterator[str]:
    such = f"such {term.rows.noun}" if term.where else term.rows.noun
    inner = list(_reasons(term.arguments[0])) if term.arguments else []
    match term.function:
        case "count" | "count known" | "count distinct":
            return
        case "value" | "at the largest" | "at the smallest":
            yield from inner
        case "std":
            yield f"fewer than two {term.rows.plural} have a known value"
        case "slope":
            yield f"fewer than two different `{write_term(term.arguments[1])}` have a known value"
        case "sum":
            if inner:
                yield f"no {such} has a known value" + (", though there are some" if term.where else "")
        case _ if inner:
            yield f"no {such} has a known value"
        case _ if any(last_rows(part, term.rows) is None for part in term.where):
            yield f"there is no {such}"


def _text(term: Term) -> str:
    return str(term.value) if isinstance(term, Constant) else write_term(term)
