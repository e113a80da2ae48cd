"""From the operations of an Ibis expression to terms."""

import functools
import itertools
from collections.abc import Callable, Collection, Iterator, Mapping

import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.expr.operations.core import Node

from credit_scoring.features.formulas.simplification import aggregate, call, choose, first_known, null_if
from credit_scoring.features.formulas.terms import (
    ONE,
    Call,
    Column,
    Constant,
    Defined,
    Nouns,
    Rank,
    Rows,
    Term,
    conjuncts,
)


def column_formulas(
    table: ir.Table, features: Collection[str] = (), nouns: Nouns | None = None, main: str = ""
) -> dict[str, Term]:
    """Read the formula of every column of a table.

    Args:
        table: An expression on unbound tables, whose columns the formulas are written in.
        features: Columns that are named, rather than spelt out, where another column uses them.
        nouns: Names of the rows that aggregates run over; rows that are not in it are "rows".
        main: Table whose rows an aggregate is understood to run over where nothing else is said.

    Returns:
        Column -> simplified term.

    Raises:
        NotImplementedError: If the expression holds an operation that has no notation.
    """
    reader = _Reader(features, nouns or {}, main)
    return {column: reader.read_column(table.op(), column) for column in table.columns}


def row_conditions(table: ir.Table) -> list[Term]:
    """Read the conditions that the rows of a table had to meet."""
    reader = _Reader((), {}, "")
    return [reader.read(condition, relation) for relation, condition in _filters(table.op())]


def drops_repeats(table: ir.Table) -> bool:
    """Tell whether rows that are equal in every column are kept once only."""
    relation = table.op()
    while not isinstance(relation, ops.PhysicalTable | ops.Distinct):
        relation = relation.parent
    return isinstance(relation, ops.Distinct)


def _filters(relation: ops.Relation) -> Iterator[tuple[ops.Relation, Node]]:
    """Yield the conditions that rows met since the table or aggregate they come from, each with what it is read on."""
    while not isinstance(relation, ops.PhysicalTable | ops.Aggregate | ops.JoinChain):
        if isinstance(relation, ops.Filter):
            yield from ((relation.parent, predicate) for predicate in relation.predicates)
        relation = relation.parent
    if isinstance(relation, ops.JoinChain):
        for table in (relation.first, *(link.table for link in relation.rest if link.how == "inner")):
            yield from _filters(table)


class _Reader:
    def __init__(self, features: Collection[str], nouns: Nouns, main: str) -> None:
        self._features = frozenset(features)
        self._nouns = nouns
        self._main = main
        self._known: dict[tuple[Node, Node | None], Term] = {}

    def read_column(self, relation: ops.Relation, name: str) -> Term:
        """Read a column even if it is a feature that others would name."""
        while not isinstance(relation, ops.PhysicalTable | ops.Aggregate):
            value = _computed(relation, name)
            if value is None:
                relation = relation.parent
            elif isinstance(value, ops.Field) and value.name == name:
                relation = value.rel
            elif name in self._features:
                # A column that is computed from one of the same name is not explained by that name.
                return _Reader(self._features - {name}, self._nouns, self._main).read(value)
            else:
                return self.read(value)
        if isinstance(relation, ops.PhysicalTable):
            return _stored(relation, name)
        return self.read(relation.values[name], relation.parent)

    def read(self, node: Node, scope: ops.Relation | None = None) -> Term:
        """Read an operation; `scope` is the relation that it is computed on the rows of, None for the final one."""
        if (node, scope) not in self._known:
            self._known[node, scope] = self._read(node, scope)
        return self._known[node, scope]

    def _read(self, node: Node, scope: ops.Relation | None) -> Term:
        if isinstance(node, ops.Field):
            return self._read_field(node.rel, node.name, scope)
        if isinstance(node, ops.Reduction):
            return self._read_reduction(node, scope)
        if isinstance(node, ops.WindowFunction):
            return self._read_window(node)
        read = functools.partial(self.read, scope=scope)
        if type(node) in _SPECIAL:
            return _SPECIAL[type(node)](read, node)
        if type(node) not in _NOTATION:
            raise NotImplementedError(f"{type(node).__name__} has no notation in {__name__}.")
        return call(_NOTATION[type(node)], *map(read, node.__children__))

    def _read_field(self, relation: ops.Relation, name: str, scope: ops.Relation | None) -> Term:
        while name not in self._features and not isinstance(relation, ops.PhysicalTable | ops.Aggregate):
            value = _computed(relation, name)
            if value is not None:
                return self.read(value, scope)
            relation = relation.parent
        if name in self._features:
            return Column(name)
        if isinstance(relation, ops.PhysicalTable):
            return _stored(relation, name)
        if name in relation.groups:
            return self.read(relation.groups[name], relation.parent)
        aggregated = self.read(relation.metrics[name], relation.parent)
        return aggregated if scope is None else Defined(name, self._rows(relation), aggregated)

    def _read_reduction(self, node: ops.Reduction, scope: ops.Relation | None) -> Term:
        if scope is None:
            raise NotImplementedError("An aggregate outside of a group by has no notation.")
        conditions = (conjuncts(self.read(condition, relation)) for relation, condition in _filters(scope))
        where = set(itertools.chain.from_iterable(conditions))
        if node.where is not None:
            where |= set(conjuncts(self.read(node.where, scope)))
        rows = self._rows(scope)
        if isinstance(node, ops.CountStar):
            return aggregate("count", (), where, rows)
        operands = (node.arg, getattr(node, "key", None))
        arguments = tuple(self.read(operand, scope) for operand in operands if operand is not None)
        return aggregate(_AGGREGATES[type(node)], arguments, where, rows)

    def _read_window(self, node: ops.WindowFunction) -> Term:
        order = node.order_by[0]
        rows = self._rows(order.arg.rel)
        if order.descending and isinstance(node.func, ops.RowNumber):
            return Call("-", (Rank(self.read(order.arg, order.arg.rel), rows), ONE))
        if order.descending and isinstance(node.func, ops.Lead):
            return Call("before", (self.read(node.func.arg, order.arg.rel), Constant(rows.noun)))
        raise NotImplementedError("Of windows, only rank and lead from the latest row backwards have a notation.")

    def _rows(self, relation: ops.Relation) -> Rows:
        while not isinstance(relation, ops.PhysicalTable | ops.Aggregate):
            if isinstance(relation, ops.JoinChain):
                matched = [link.table for link in relation.rest if link.how == "inner"]
                relation = matched[-1] if matched else relation.first
            else:
                relation = relation.parent
        if isinstance(relation, ops.PhysicalTable):
            noun = self._nouns.get((relation.name,), "row")
            return Rows(noun, relation.name, implied=relation.name == self._main)
        table, keys = self._rows(relation.parent).table, tuple(relation.groups)
        return Rows(self._nouns.get((table, *keys), "row"), table, keys)


def _computed(relation: ops.Relation, name: str) -> Node | None:
    """Return what a relation computes under a name, None if the column is its parent's."""
    value = getattr(relation, "values", {}).get(name)
    while isinstance(value, ops.Cast | ops.Alias):
        value = value.arg
    return None if isinstance(value, ops.Field) and value.rel is relation else value


def _stored(table: ops.PhysicalTable, name: str) -> Column:
    return Column(name, table.schema[name].is_boolean(), table.schema[name].nullable)


def _read_clip(read: Callable[[Node], Term], node: ops.Clip) -> Term:
    value = read(node.arg)
    if node.lower is not None:
        value = call("max", value, read(node.lower))
    return value if node.upper is None else call("min", value, read(node.upper))


_SPECIAL: Mapping[type[Node], Callable[[Callable[[Node], Term], Node], Term]] = {
    ops.Literal: lambda read, node: Constant(node.value),  # noqa: ARG005
    ops.Alias: lambda read, node: read(node.arg),
    ops.Cast: lambda read, node: read(node.arg),
    ops.IfElse: lambda read, node: choose(read(node.bool_expr), read(node.true_expr), read(node.false_null_expr)),
    ops.Coalesce: lambda read, node: first_known(*map(read, node.arg)),
    ops.NullIf: lambda read, node: null_if(read(node.arg), Call("=", (read(node.arg), read(node.null_if_expr)))),
    ops.Clip: _read_clip,
    ops.Round: lambda read, node: read(node.arg),  # of what amounts leave when they cancel out: said once, in the guide
    ops.InValues: lambda read, node: call("in", read(node.value), *map(read, node.options)),
    ops.SearchedCase: lambda read, node: call("cases", *map(read, (*node.cases, *node.results, node.default))),
    ops.Least: lambda read, node: call("min", *map(read, node.arg)),
    ops.Greatest: lambda read, node: call("max", *map(read, node.arg)),
}

_NOTATION: Mapping[type[Node], str] = {
    ops.Add: "+",
    ops.Subtract: "-",
    ops.Multiply: "*",
    ops.Divide: "/",
    ops.Negate: "negative",
    ops.Equals: "=",
    ops.NotEquals: "!=",
    ops.Less: "<",
    ops.LessEqual: "<=",
    ops.Greater: ">",
    ops.GreaterEqual: ">=",
    ops.And: "and",
    ops.Or: "or",
    ops.Not: "not",
    ops.NotNull: "known",
    ops.IsNull: "unknown",
    ops.Abs: "abs",
    ops.Ceil: "ceil",
    ops.Sqrt: "sqrt",
    ops.Ln: "ln",
    ops.IsNan: "is NaN",
}

_AGGREGATES: Mapping[type[Node], str] = {
    ops.Sum: "sum",
    ops.Mean: "mean",
    ops.Min: "min",
    ops.Max: "max",
    ops.StandardDev: "std",
    ops.Count: "count known",
    ops.CountDistinct: "count distinct",
    ops.ArgMax: "at the largest",
    ops.ArgMin: "at the smallest",
}
