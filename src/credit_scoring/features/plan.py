"""The feature plan of the project: its expressions of features, to be evaluated without an engine."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import ibis
import ibis.expr.types as ir

from credit_scoring.feature_plan.description import TABLE, Plan, PlanError
from credit_scoring.feature_plan.schedule import Task, dependencies
from credit_scoring.features.expressions import CLIENT_KEY, OUTCOME
from credit_scoring.features.join import join_features
from credit_scoring.features.plan_compiler import Compiler
from credit_scoring.features.sources import SOURCES
from credit_scoring.schemas.contract import TEXT, RawTable
from credit_scoring.schemas.raw import contract_of

_CONTRACTS = {one.table.lower(): contract_of(one.table) for source in SOURCES for one in source.cleaning}
"""Name of a raw table, in small letters -> its contract."""


def compile_plan(columns: Sequence[str] | None = None) -> Plan:
    """Compile the features of the project to a plan.

    Args:
        columns: Columns of `join_features` that are wanted, such as those that a model reads; all features if not
            given. TARGET and SPLIT are no features.

    Raises:
        PlanError: If a column is no feature computed by expressions, or a plan has no word for one of its operations.
    """
    joined, clean = join_sources()
    features = [name for name in joined.columns if name not in (CLIENT_KEY, OUTCOME)]
    if unknown := sorted(set(columns or ()) - set(features)):
        raise PlanError(
            f"No expression gives {', '.join(unknown)}: a plan holds the features that `join_features` computes.\n"
            "Hint: features that a model learns from single rows of histories need that model; leave out `row_models`."
        )
    return compile_table(joined, clean, features if columns is None else columns)


@cache
def join_sources() -> tuple[ir.Table, Mapping[str, ir.Table]]:
    """Return the expression of all features, and that of the clean rows of each raw table."""
    clean = {
        one.table: one.apply(ibis.table(contract_of(one.table).columns, name=one.table.lower()))
        for source in SOURCES
        for one in source.cleaning
    }
    return join_features(*(source.compute(*(clean[one.table] for one in source.cleaning)) for source in SOURCES)), clean


def compile_table(table: ir.Table, clean: Mapping[str, ir.Table], columns: Sequence[str]) -> Plan:
    """Compile some columns of an expression on unbound raw tables.

    Args:
        table: One row per row of the raw table `application`, on which all others are left-joined.
        clean: Raw table -> its clean rows, of which the plan tells how many were kept.
        columns: Columns of `table`.

    Raises:
        PlanError: If a plan has no word for an operation, or rows of `application` are left out.
    """
    compiler = Compiler(
        {
            (name, column): [
                text for check in contract.definition[column].checks for text in check.statistics["values"]
            ]
            for name, contract in _CONTRACTS.items()
            for column, kind in contract.columns.items()
            if kind == TEXT
        }
    )
    spine = compiler.frame(table.op())
    if spine.kind != TABLE:
        raise PlanError("Applicants are left out: every row of `application` has to be one of the plan's.")
    compiler.name_column(table.op(), CLIENT_KEY)
    outputs = {name: compiler.name_column(table.op(), name) for name in columns}
    kept = {name.lower(): compiler.frame(rows.op()).name for name, rows in clean.items()}
    kinds = table.schema()
    plan = Plan(
        tables={name: describe_table(contract) for name, contract in _CONTRACTS.items()},
        frames=list(compiler.frames.values()),
        steps=list(compiler.steps.values()),
        outputs=outputs,
        texts=[name for name in columns if kinds[name].is_string()],
        kept=kept,
        vocabulary=sorted(compiler.texts, key=str.encode),
        spine=spine.name,
    )
    return _prune(plan)


def _prune(plan: Plan) -> Plan:
    """Leave out the rows that were joined to and the keys they were found by, if no wanted column reads them."""
    needs = dependencies(plan)
    ends = {*plan.outputs.values(), CLIENT_KEY}
    wanted: set[Task] = set()
    found: list[Task] = [step for step in plan.steps if step.frame == plan.spine and step.name in ends]
    found += [frame for frame in plan.frames if frame.name in plan.kept.values()]
    while found:
        task = found.pop()
        found += needs[task] - wanted
        wanted.add(task)
    return replace(
        plan,
        frames=[frame for frame in plan.frames if frame in wanted],
        steps=[step for step in plan.steps if step in wanted],
    )


def describe_table(contract: RawTable) -> dict[str, Any]:
    """Write the contract of a raw table as data, without the outcome."""

    def describe(name: str) -> dict[str, Any]:
        column = contract.definition[name]
        told: dict[str, Any] = {"type": contract.columns[name], "nullable": column.nullable}
        for check in column.checks:
            told |= {key: list(value) if isinstance(value, tuple) else value for key, value in check.statistics.items()}
        return told | {"description": column.description}

    return {
        "grain": contract.grain,
        "key": list(contract.key),
        "parents": {column: parent.lower() for column, (parent, _) in contract.parents.items()},
        "columns": {name: describe(name) for name in contract.columns if name != OUTCOME},
    }
