"""The algebra that formulas are read into."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Nouns: TypeAlias = Mapping[tuple[str, ...], str]
"""What a row is called: (table,) for a table's own, (table, key, ...) for one of its rows aggregated by keys."""


@dataclass(frozen=True)
class Rows:
    """The rows that an aggregate runs over: those of `table`, or one per `keys`; `implied` if that need not be said."""

    noun: str
    table: str
    keys: tuple[str, ...] = ()
    implied: bool = False

    @property
    def plural(self) -> str:
        """Return the noun for several rows; what is said after "with" stays as it is."""
        first, space, rest = self.noun.partition(" with ")
        return f"{first}s{space}{rest}"


@dataclass(frozen=True)
class Column:
    """A column by name: of a table, or an engineered feature that another one uses."""

    name: str
    boolean: bool = False
    nullable: bool = True


@dataclass(frozen=True)
class Constant:
    """A number, a text, true, false or null."""

    value: Any


@dataclass(frozen=True)
class Call:
    """A function or operator on values of one row."""

    function: str
    arguments: tuple["Term", ...]


@dataclass(frozen=True)
class Rank:
    """The position of a row among its client's, 1 for the one with the largest value of `order`."""

    order: "Term"
    rows: Rows


@dataclass(frozen=True)
class Aggregate:
    """One value for many rows: those of `rows` that meet all conditions of `where`."""

    function: str
    arguments: tuple["Term", ...]
    where: frozenset["Term"]
    rows: Rows


@dataclass(frozen=True)
class Defined:
    """A named column of an intermediate table with one row per `rows`, and the term that defines it."""

    name: str
    rows: Rows
    term: "Term"


Term: TypeAlias = Column | Constant | Call | Rank | Aggregate | Defined

NULL = Constant(None)
TRUE = Constant(True)
ZERO = Constant(0.0)
ONE = Constant(1)

COMPARISONS = ("<", ">", "<=", ">=", "=", "!=")
_STRICT = (*COMPARISONS, "in", "not", "+", "-", "*", "/", "negative", "abs", "ceil", "sqrt", "ln")


def parts(term: Term) -> Iterator[Term]:
    """Yield the terms that a term is made of, in a fixed order."""
    match term:
        case Call(_, arguments):
            yield from arguments
        case Rank(order, _):
            yield order
        case Aggregate(_, arguments, where, _):
            yield from arguments
            yield from sorted(where, key=repr)
        case Defined(_, _, inner):
            yield inner


def definitions(terms: Collection[Term]) -> list[Defined]:
    """Return the intermediate columns that some formulas name, each after those that it names itself."""
    found: dict[Defined, None] = {}

    def visit(term: Term) -> None:
        for part in parts(term):
            visit(part)
        if isinstance(term, Defined):
            found[term] = None

    for term in terms:
        visit(term)
    return list(found)


def conjuncts(term: Term) -> Iterator[Term]:
    """Yield the conditions that a condition joins by "and", where an unknown one counts as not met."""
    match term:
        case Call("and", joined):
            for part in joined:
                yield from conjuncts(part)
        case Call("else", (condition, Constant(False))):
            yield from conjuncts(condition)
        case _:
            yield term


def number_of(term: Term) -> float | None:
    """Return the value of a number, None for anything else."""
    value = term.value if isinstance(term, Constant) else None
    return None if isinstance(value, bool) or not isinstance(value, int | float) else value


def last_rows(condition: Term, rows: Rows) -> tuple[Rank, int] | None:
    """Return rank and number of rows if a condition keeps the latest of just these rows."""
    match condition:
        case Call("<=" | "=", (Rank() as rank, Constant(last))) if rank.rows == rows:
            return rank, int(last)
    return None


def is_condition(term: Term) -> bool:
    """Tell whether a term is true or false."""
    match term:
        case Defined():
            return is_condition(term.term)
        case Call("null if" | "only if" | "else", (value, _)):
            return is_condition(value)
        case Call(function, _):
            return function in {*COMPARISONS, "and", "or", "not", "in", "known", "unknown", "is NaN"}
        case Aggregate(function):
            return function == "any"
        case Column():
            return term.boolean
    return isinstance(term, Constant) and isinstance(term.value, bool)


def nulls_of(term: Term) -> frozenset[Term]:
    """Return the columns of which any null makes a value or a condition null, as far as they are sure to."""
    match term:
        case Column(nullable=True) | Defined():
            return frozenset({term})
        case Call(function, arguments) if function in _STRICT:
            return frozenset().union(*map(nulls_of, arguments))
    return frozenset()


def may_be_unknown_through(condition: Term) -> frozenset[Term]:
    """Return the columns of which a null may make a condition unknown."""
    match condition:
        case Call("and" | "or" | "not", parts_of_it):
            return frozenset().union(*map(may_be_unknown_through, parts_of_it))
        case Call("known" | "unknown", _) | Call("else", (_, Constant())):
            return frozenset()
        case Call(_, arguments):
            return frozenset().union(*map(may_be_unknown_through, arguments))
        case Column(nullable=True) | Defined():
            return frozenset({condition})
    return frozenset()


def is_never_null(term: Term) -> bool:
    """Tell whether a value of one row is known in every row."""
    match term:
        case Column():
            return not term.nullable
        case Constant(value):
            return value is not None
        case Call("known" | "unknown"):
            return True
        case Call("else", (_, default)):
            return is_never_null(default)
        case Call(function, arguments):
            return function in {*COMPARISONS, "and", "or", "not", "in"} and all(map(is_never_null, arguments))
    return False
