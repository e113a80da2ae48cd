"""Ibis expressions to the steps of a feature plan.

The operations behind a column are walked from its rows back to the raw tables, so that no other column is computed, and
equal ones once. What a plan has no word for is refused, with its name and place.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

from credit_scoring.feature_plan.description import FILTER, GROUP, TABLE, Frame, Operand, PlanError, Step, Text
from credit_scoring.features.catalogue import FEATURES

KnownTexts: TypeAlias = Mapping[tuple[str, str], Sequence[str]]
"""Raw table and column -> texts."""


@dataclass(frozen=True)
class _Value:
    """A value of a frame."""

    frame: str
    name: str


_Operand = _Value | float | str | None
"""What an expression is compiled to: a value, a number, a text or null."""

_BINARY: Mapping[type[ops.Value], str] = {
    ops.Add: "add", ops.Subtract: "subtract", ops.Multiply: "multiply", ops.Divide: "divide",
    ops.Less: "less", ops.LessEqual: "less_equal", ops.Greater: "greater", ops.GreaterEqual: "greater_equal",
    ops.Equals: "equal", ops.NotEquals: "not_equal", ops.And: "and", ops.Or: "or", ops.NullIf: "null_if",
}  # fmt: skip
_UNARY: Mapping[type[ops.Value], str] = {
    ops.Negate: "negate", ops.Abs: "absolute", ops.Ceil: "ceil", ops.Ln: "logarithm", ops.Sqrt: "root",
    ops.Not: "not", ops.IsNull: "is_null", ops.NotNull: "not_null",
}  # fmt: skip
_FOLDED: Mapping[type[ops.Value], str] = {ops.Least: "least", ops.Greatest: "greatest", ops.Coalesce: "coalesce"}
_REDUCTIONS: Mapping[type[ops.Value], str] = {
    ops.CountStar: "count_rows", ops.Count: "count", ops.Sum: "sum", ops.Mean: "mean", ops.Min: "min", ops.Max: "max",
    ops.StandardDev: "std", ops.CountDistinct: "count_distinct", ops.ArgMax: "arg_max", ops.ArgMin: "arg_min",
}  # fmt: skip


@dataclass
class Compiler:
    """Compiles values and rows, each once, in the order in which they are needed.

    Attributes:
        known_texts: The texts that a column of a raw table usually has.
        frames: Name -> frame.
        steps: What is computed -> step.
        texts: Those that a plan needs to know.
    """

    known_texts: KnownTexts
    frames: dict[str, Frame] = field(default_factory=dict)
    steps: dict[tuple[Any, ...], Step] = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)
    _known: dict[tuple[ops.Node, str], _Operand] = field(default_factory=dict)
    _joins: dict[ops.JoinChain, "_Join"] = field(default_factory=dict)
    _path: list[str] = field(default_factory=list)
    _names: dict[tuple[str, str], int] = field(default_factory=dict)

    # -- rows ---------------------------------------------------------------------------------------------------------

    def frame(self, relation: ops.Relation) -> Frame:
        """Return the frame whose rows a relation has."""
        match relation:
            case ops.UnboundTable():
                return self._new_frame(TABLE, relation.name, ())
            case ops.Project() | ops.DropColumns() | ops.JoinReference():
                return self.frame(relation.parent)
            case ops.Filter():
                of = self.frame(relation.parent)
                condition = functools.reduce(
                    lambda one, other: self._emit(of, "and", (one, other)),
                    [self._condition(predicate, of) for predicate in relation.predicates],
                )
                return self._new_frame(FILTER, of.name, (self._as_value(condition, of).name,))
            case ops.Aggregate():
                of = self.frame(relation.parent)
                keys = [self._as_value(self.value(key, of), of).name for key in relation.groups.values()]
                return self._new_frame(GROUP, of.name, tuple(keys))
            case ops.JoinChain():
                return self._join(relation).frame
        return self._refuse(relation)

    def _new_frame(self, kind: str, of: str, by: tuple[str, ...]) -> Frame:
        known = (one for one in self.frames.values() if (one.kind, one.of, one.by) == (kind, of, by))
        if (frame := next(known, None)) is None:
            table = _base(of, "/")
            count = sum(_base(name, "/") == table for name in self.frames)
            frame = Frame(f"{table}/{count}" if count else table, kind, of, by)
            self.frames[frame.name] = frame
        return frame

    def _join(self, chain: ops.JoinChain) -> "_Join":
        if chain not in self._joins:
            join = _Join(self.frame(chain.first), {chain.first: lambda name: self._column(chain.first, name)})
            for link in chain.rest:
                join = self._link(join, link)
            self._joins[chain] = join
        return self._joins[chain]

    def _link(self, join: "_Join", link: ops.JoinLink) -> "_Join":
        """Find the one row of another table that belongs to each row so far."""
        other, here = self.frame(link.table), join.frame
        pairs = {}
        for predicate in link.predicates:
            if not isinstance(predicate, ops.Equals) or link.how not in ("left", "inner"):
                self._refuse(predicate)
            mine, its = predicate.left, predicate.right
            if mine.rel == link.table:
                mine, its = its, mine
            pairs[self._column(link.table, its.name)] = join.places[mine.rel](mine.name)
        keys = [self._emit(other, "key", (_Value(other.of, name),)) for name in other.by if other.kind == GROUP]
        if not keys or set(keys) != set(pairs):
            self._refuse(link, "joins a table that may have several rows of one key")
        if other == here and all(mine == its for its, mine in pairs.items()):
            return join.with_place(link.table, lambda name: self._column(link.table, name))
        by = tuple(self._as_value(pairs[key], here).name for key in keys)

        def look_up(name: str) -> _Operand:
            value = self._as_value(self._column(link.table, name), other)
            return self._emit(here, "look_up", (value,), source=other.name, by=by, name=_base(value.name))

        if link.how == "left":
            return join.with_place(link.table, look_up)
        found = self._emit(here, "is_found", (), source=other.name, by=by)
        rows = self._new_frame(FILTER, here.name, (found.name,))
        places = {**join.places, link.table: look_up}
        return _Join(rows, {table: self._taker(rows, place) for table, place in places.items()})

    def _taker(self, rows: Frame, place: Callable[[str], _Operand]) -> Callable[[str], _Operand]:
        return lambda name: self._take(rows, place(name))

    def _take(self, rows: Frame, value: _Operand) -> _Operand:
        return self._emit(rows, "take", (value,), name=_base(value.name)) if isinstance(value, _Value) else value

    # -- values -------------------------------------------------------------------------------------------------------

    def name_column(self, relation: ops.Relation, name: str) -> str:
        """Compile a column and return the name of its value in the frame of the relation."""
        self._path = []
        return self._as_value(self._column(relation, name), self.frame(relation)).name

    def _column(self, relation: ops.Relation, name: str) -> _Operand:
        key = (relation, name)
        if key not in self._known:
            self._path.append(name)
            self._known[key] = self._find_column(relation, name)
            self._path.pop()
        return self._known[key]

    def _find_column(self, relation: ops.Relation, name: str) -> _Operand:  # noqa: PLR0911 - one case each
        match relation:
            case ops.UnboundTable():
                return self._raw(relation, name)
            case ops.DropColumns() | ops.JoinReference():
                return self._column(relation.parent, name)
            case ops.Project():
                return self.value(relation.values[name], self.frame(relation), name)
            case ops.Filter():
                return self._take(self.frame(relation), self._column(relation.parent, name))
            case ops.Aggregate():
                frame = self.frame(relation)
                if name in relation.groups:
                    key = self.value(relation.groups[name], self.frame(relation.parent))
                    return self._emit(frame, "key", (key,), name=name)
                return self.value(relation.values[name], frame, name)
            case ops.JoinChain():
                column = relation.values[name]
                if isinstance(column, ops.Field):
                    return self._join(relation).places[column.rel](column.name)
        return self._refuse(relation)

    def _raw(self, table: ops.UnboundTable, name: str) -> _Value:
        self.texts.update(self.known_texts.get((table.name, name), ()))
        return self._emit(self.frame(table), "raw", (name,), name=name)

    def value(self, node: ops.Value, frame: Frame, name: str = "") -> _Operand:
        """Compile an expression on the columns of a frame, or an aggregate to a frame of groups."""
        key = (node, frame.name)
        if key not in self._known:
            self._known[key] = self._find_value(node, frame, name)
        return self._known[key]

    def _find_value(self, node: ops.Value, frame: Frame, name: str) -> _Operand:  # noqa: PLR0911, PLR0912 - one case each
        def operand(one: ops.Value) -> _Operand:
            return self.value(one, frame)

        def emit(operation: str, *operands: _Operand) -> _Operand:
            return self._emit(frame, operation, operands, name=name)

        match node:
            case ops.Field():
                column = self._column(node.rel, node.name)
                is_here = not isinstance(column, _Value) or column.frame == frame.name
                return column if is_here else self._refuse(node, "is of other rows")
            case ops.Literal():
                return self._constant(node)
            case ops.IsNan():
                # Raw numbers are finite or null when they come in
                return 0.0 if self._is_raw(operand(node.arg)) else self._refuse(node)
            case ops.Equals(left=ops.Abs(arg=arg), right=ops.Literal(value=value)) if value == float("inf"):
                return 0.0 if self._is_raw(operand(arg)) else self._refuse(node)
            case ops.Cast():
                return self._cast(node, frame)
            case ops.IfElse():
                condition = self._condition(node.bool_expr, frame)
                if isinstance(condition, float):
                    return operand(node.true_expr if condition else node.false_null_expr)
                return emit("if_else", condition, operand(node.true_expr), operand(node.false_null_expr))
            case ops.SearchedCase():
                chosen = operand(node.default)
                for case, result in reversed(list(zip(node.cases, node.results, strict=True))):
                    chosen = emit("if_else", operand(case), operand(result), chosen)
                return chosen
            case ops.InValues():
                equals = [emit("equal", operand(node.value), operand(option)) for option in node.options]
                return functools.reduce(lambda one, other: emit("or", one, other), equals)
            case ops.Clip():
                clipped = operand(node.arg)
                for operation, bound in (("at_least", node.lower), ("at_most", node.upper)):
                    clipped = clipped if bound is None else emit(operation, clipped, operand(bound))
                return clipped
            case ops.Round(digits=ops.Literal()):
                return emit("round", operand(node.arg), operand(node.digits))
            case ops.WindowFunction():
                return self._window(node, frame, name)
            case ops.Reduction():
                return self._reduction(node, frame, name)
        if type(node) in _BINARY:
            one, other = operand(node.args[0]), operand(node.args[1])
            return 0.0 if isinstance(node, ops.Or) and one == other == 0.0 else emit(_BINARY[type(node)], one, other)
        if type(node) in _UNARY:
            return emit(_UNARY[type(node)], operand(node.args[0]))
        if type(node) in _FOLDED:
            first, *others = (operand(one) for one in node.arg)
            if isinstance(node, ops.Coalesce) and isinstance(first, float):
                return first
            return functools.reduce(lambda one, other: emit(_FOLDED[type(node)], one, other), others, first)
        return self._refuse(node)

    def _condition(self, node: ops.Value, frame: Frame) -> _Operand:
        """Compile what is asked only whether it is true: there is no need to say that null is not."""
        while isinstance(node, ops.Coalesce) and node.arg[1:] == (ops.Literal(False, dt.boolean),):
            node = node.arg[0]
        return self.value(node, frame)

    def _constant(self, node: ops.Literal) -> _Operand:
        if node.value is None or isinstance(node.value, str):
            if node.value is not None:
                self.texts.add(node.value)
            return node.value
        return float(node.value)

    def _is_raw(self, value: _Operand) -> bool:
        return isinstance(value, _Value) and (value.frame, "raw", (value.name,)) in self.steps

    def _cast(self, node: ops.Cast, frame: Frame) -> _Operand:
        """Compile a cast that changes no number, or of texts that the contract lists."""
        to, of = node.to, node.arg.dtype
        value = self.value(node.arg, frame)
        if of.is_boolean() or of.is_integer() or (of.is_floating() and to.is_floating()) or of.is_null():
            return value if to.is_numeric() else self._refuse(node)
        if not (of.is_string() and to.is_floating()):
            return self._refuse(node)
        numbers: _Operand = None
        for text in sorted(text for text in self.texts if _is_number(text)):
            numbers = self._emit(frame, "if_else", (self._emit(frame, "equal", (value, text)), float(text), numbers))
        return numbers

    def _window(self, node: ops.WindowFunction, frame: Frame, name: str) -> _Operand:
        operation, arg = {ops.RowNumber: ("row_number", ()), ops.Lead: ("lead", node.func.args[:1])}.get(
            type(node.func), ("", ())
        )
        descending = all(not one.ascending and not one.nulls_first for one in node.order_by)
        if not operation or not descending or any(one is not None for one in node.func.args[1:]):
            self._refuse(node.func)
        by, order = (
            tuple(self._as_value(self.value(one, frame), frame).name for one in values)
            for values in (node.group_by, [one.arg for one in node.order_by])
        )
        return self._emit(frame, operation, [self.value(one, frame) for one in arg], by=by, order=order, name=name)

    def _reduction(self, node: ops.Reduction, groups: Frame, name: str) -> _Operand:
        operation, of = _REDUCTIONS.get(type(node)), self.frames[groups.of]
        if operation is None or getattr(node, "how", "sample") != "sample":
            return self._refuse(node)
        values = [one for one in (getattr(node, "arg", None), getattr(node, "key", None)) if isinstance(one, ops.Value)]
        operands = [self._as_value(self.value(one, of), of) for one in values]
        condition = None if node.where is None else self._condition(node.where, of)
        where = "" if condition in (None, 1.0) else self._as_value(condition, of).name
        return self._emit(groups, operation, operands, where=where, name=name)

    # -- steps --------------------------------------------------------------------------------------------------------

    def _as_value(self, operand: _Operand, frame: Frame) -> _Value:
        return operand if isinstance(operand, _Value) else self._emit(frame, "constant", (operand,))

    def _emit(
        self, frame: Frame, operation: str, operands: Sequence[_Operand], *, name: str = "", **more: Any
    ) -> _Value:
        key = (frame.name, operation, tuple(operands), *more.items())
        if key not in self.steps:
            shown = name or operation
            count = self._names[frame.name, shown] = self._names.get((frame.name, shown), 0) + 1
            unique = f"{shown}.{count}" if count > 1 or not name else shown
            self.steps[key] = Step(
                frame.name, unique, operation, tuple(self._written(operation, one) for one in operands), **more
            )
        return _Value(frame.name, self.steps[key].name)

    def _written(self, operation: str, operand: _Operand) -> Operand:
        if isinstance(operand, _Value):
            return operand.name
        return Text(operand) if isinstance(operand, str) and operation != "raw" else operand

    def _refuse(self, node: ops.Node, what: str = "has no operation in a feature plan") -> NoReturn:
        formulas = [f", `{FEATURES[name].formula}`" for name in self._path[:1] if name in FEATURES]
        place = " of ".join(dict.fromkeys(reversed(self._path))) or "the rows"
        tables = sorted({one.name for one in node.find(ops.UnboundTable)} if isinstance(node, ops.Node) else ())
        raise PlanError(
            f"{type(node).__name__} {what}: in {place}{''.join(formulas)}, on {', '.join(tables) or 'no table'}.\n"
            "Hint: say it with the operations of `feature_plan.operations`, or add one there and in `plan_compiler`."
        )


@dataclass(frozen=True)
class _Join:
    """Rows of a join, and where the columns of each joined table are found."""

    frame: Frame
    places: Mapping[ops.Relation, Callable[[str], _Operand]]

    def with_place(self, table: ops.Relation, place: Callable[[str], _Operand]) -> "_Join":
        return _Join(self.frame, {**self.places, table: place})


def _base(name: str, mark: str = ".") -> str:
    """Return a name without the number that makes it unique."""
    return name.split(mark, maxsplit=1)[0]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
