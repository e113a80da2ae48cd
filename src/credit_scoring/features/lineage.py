"""Which raw columns a feature is computed from, read off the Ibis expression itself."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.expr.operations.core import Node

Lineage: TypeAlias = Mapping[str, frozenset[str]]
"""Table -> those of its columns that are read; no column where only its rows are counted."""

_IDENTIFIER = "SK_ID_"


def column_lineage(table: ir.Table) -> dict[str, Lineage]:
    """Trace every column of a table back to the tables it is computed from.

    What is traced is the value: its operands, its conditions, what its rows are ranked by, and the filters under an
    aggregate. Identifiers only say which rows belong together and are left out; so are filters that no aggregate
    follows, such as those of the cleaning, which drop a row for all its columns alike.

    Args:
        table: An expression on unbound or stored tables.

    Returns:
        Column -> tables and columns that its value depends on.
    """
    tracer = _Tracer()
    return {column: tracer.read(ops.Field(table.op(), column)) for column in table.columns}


def compose_lineages(outer: Mapping[str, Lineage], inner: Mapping[str, Mapping[str, Lineage]]) -> dict[str, Lineage]:
    """Trace columns further back, through the tables that they were computed from.

    Args:
        outer: Column -> lineage, as made by `column_lineage`.
        inner: Table named in `outer` -> lineage of its columns. A table that is not there stays.

    Returns:
        Column -> lineage in terms of the tables behind. A table of which only the rows count stands for the tables
        that its own columns come from.
    """
    return {column: merge_lineages(*_steps_back(lineage, inner)) for column, lineage in outer.items()}


def _steps_back(lineage: Lineage, inner: Mapping[str, Mapping[str, Lineage]]) -> Iterator[Lineage]:
    for table, columns in lineage.items():
        if table not in inner:
            yield {table: columns}
            continue
        yield from (inner[table][column] for column in columns)
        if not columns:
            yield {name: frozenset() for behind in inner[table].values() for name in behind}


def merge_lineages(*lineages: Lineage) -> Lineage:
    """Return the union of some lineages."""
    merged: dict[str, frozenset[str]] = {}
    for lineage in lineages:
        for name, columns in lineage.items():
            merged[name] = merged.get(name, frozenset()) | columns
    return merged


class _Tracer:
    def __init__(self) -> None:
        self._known: dict[Node, Lineage] = {}

    def read(self, node: Node) -> Lineage:
        if node not in self._known:
            self._known[node] = self._trace(node)
        return self._known[node]

    def _trace(self, node: Node) -> Lineage:
        if isinstance(node, ops.Field):
            return self._trace_column(node.rel, node.name)
        if isinstance(node, ops.CountStar):
            counted: Lineage = {name: frozenset() for name in _base_tables(node.arg)}
            return merge_lineages(counted, *self._operands(node))
        return merge_lineages(*self._operands(node))

    def _operands(self, node: Node) -> list[Lineage]:
        return [self.read(operand) for operand in node.__children__ if not isinstance(operand, ops.Relation)]

    def _trace_column(self, relation: ops.Relation, name: str) -> Lineage:
        if isinstance(relation, ops.PhysicalTable):
            return {relation.name: frozenset() if name.startswith(_IDENTIFIER) else frozenset({name})}
        # A relation's columns are given by `values` where it computes or renames them, else its parent has them.
        if isinstance(relation, ops.Aggregate):
            conditions = [self.read(condition) for condition in _filters(relation.parent)]
            return merge_lineages(self.read(relation.values[name]), *(conditions if name in relation.metrics else ()))
        value = getattr(relation, "values", {}).get(name)
        if value is None or (isinstance(value, ops.Field) and value.rel is relation):
            return self._trace_column(relation.parent, name)
        return self.read(value)


def _filters(relation: ops.Relation) -> Iterator[Node]:
    """Yield the conditions that a row met between the last table or aggregate and this relation."""
    if isinstance(relation, ops.Filter):
        yield from relation.predicates
    if not isinstance(relation, ops.Aggregate):
        for parent in _row_parents(relation):
            yield from _filters(parent)


def _base_tables(relation: ops.Relation) -> Iterator[str]:
    if isinstance(relation, ops.PhysicalTable):
        yield relation.name
    for parent in _row_parents(relation):
        yield from _base_tables(parent)


def _row_parents(relation: ops.Relation) -> Iterator[ops.Relation]:
    """Yield the relations that decide which rows there are; a left join leaves the rows of its left side."""
    if isinstance(relation, ops.JoinChain):
        yield relation.first
        yield from (link.table for link in relation.rest if link.how != "left")
    elif not isinstance(relation, ops.PhysicalTable):
        yield from (child for child in relation.__children__ if isinstance(child, ops.Relation))
