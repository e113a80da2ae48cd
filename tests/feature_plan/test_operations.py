"""Every operation of a plan means what DuckDB means by it, of nulls, zeros and halves, too."""

from collections.abc import Callable
from itertools import product

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pytest
from ibis import _

from credit_scoring.feature_plan import FeaturePlan, PlanError
from credit_scoring.feature_plan.operations import AGGREGATES, BETWEEN_ROWS, ELEMENTWISE
from credit_scoring.features.plan import compile_table
from credit_scoring.schemas.raw import contract_of
from tests.feature_plan.conftest import as_columns
from tests.features.conftest import ARROW_TYPES

NUMBERS = (None, 0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 0.0005, -0.0015, 1234.5675, 1e15, 3.0)
TEXTS = (None, "", "F", "M", "Zzz", "XNA")

# Two numbers, a condition that may be null, a text: columns of `application` that hold anything
A, B, TEXT = _.AMT_CREDIT, _.AMT_ANNUITY, _.CODE_GENDER
P, Q = A > 0.5, B > 0.5


def table_of(rows: list[tuple[object, ...]]) -> pa.Table:
    contract = contract_of("application").columns
    names = ("AMT_CREDIT", "AMT_ANNUITY", "CODE_GENDER")
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    columns["SK_ID_CURR"] = list(range(len(rows)))
    return pa.table(
        {name: pa.array(columns.get(name, [None] * len(rows)), ARROW_TYPES[kind]) for name, kind in contract.items()}
    )


GRID = table_of([*((a, b, "F") for a, b in product(NUMBERS, NUMBERS)), *((1.0, 1.0, text) for text in TEXTS)])


def both(build: Callable[[ir.Table], ir.Table], table: pa.Table) -> tuple[list[object], list[object]]:
    """Return the column `VALUE` of an expression as DuckDB and as the plan compute it."""
    application = ibis.table(contract_of("application").columns, name="application")
    built = build(application)
    engine = ibis.duckdb.connect(threads=1)
    engine.create_table("application", table)
    theirs = engine.to_pyarrow(built).to_pandas().set_index("SK_ID_CURR")["VALUE"].sort_index()
    plan = FeaturePlan(compile_table(built, {}, ["VALUE"]))
    features = plan.evaluate_typed(as_columns({"application": table}))
    ours = features.texts.get("VALUE", features.numbers[:, 0].tolist())
    return [None if value is None or value != value else value for value in theirs], [
        None if value is None or value != value else value for value in ours
    ]


CASES = {
    "add": A + B,
    "subtract": A - B,
    "multiply": A * B,
    "divide": A / B.nullif(0.0),
    "negate": -A,
    "absolute": (A - B).abs(),
    "ceil": A.ceil(),
    "logarithm": (A.abs() + 1).ln(),
    "root": A.abs().sqrt(),
    "round": (A * B).round(3),
    "less": A < B,
    "less_equal": A <= B,
    "greater": A > B,
    "greater_equal": A >= B,
    "equal": A == B,
    "not_equal": A != B,
    "and": P & Q,
    "or": P | Q,
    "not": ~P,
    "is_null": A.isnull(),
    "not_null": P.notnull(),
    "if_else": P.ifelse(A, B),
    "coalesce": ibis.coalesce(A, B),
    "null_if": A.nullif(B),
    "least": ibis.least(A, B),
    "greatest": ibis.greatest(A, B),
    "at_most": A.clip(upper=1),
    "at_least": A.clip(lower=0.5),
    "constant": A.isnull().ifelse(ibis.literal(2.5), 2.5),
}


def test_every_operation_has_a_case() -> None:
    assert CASES.keys() == ELEMENTWISE.keys()


@pytest.mark.parametrize("operation", CASES)
def test_an_operation_on_numbers_is_that_of_the_engine(operation: str) -> None:
    theirs, ours = both(lambda table: table.mutate(VALUE=CASES[operation]), GRID)
    assert None in theirs or operation in ("is_null", "not_null", "constant")
    assert ours == theirs


@pytest.mark.parametrize(
    "value",
    [
        TEXT == "F",
        TEXT != "F",
        TEXT.isin(["F", "M"]),
        TEXT.nullif("XNA"),
        TEXT.isnull(),
        TEXT.nullif("XNA").nullif("").fill_null("none"),
        ibis.cases((TEXT == "F", 1), (A > 1, 2), else_=ibis.null("int32")),
        ((TEXT == "F") & P).fill_null(False).ifelse(ibis.null(), A),
        P.cast("float64") + Q.cast("int8"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_an_operation_on_texts_and_conditions_is_that_of_the_engine(value: ir.Value) -> None:
    theirs, ours = both(lambda table: table.mutate(VALUE=value), GRID)
    assert ours == theirs


GROUPED = table_of(
    [
        (a, b, text)
        for text in ("F", "M", "X", None, "")
        for a, b in [(None, 1.0), (2.5, 2.0), (2.5, None), (-1.0, 7.0), (4.0, 6.5), (None, None)][: 6 if text else 1]
    ]
)

AGGREGATE_CASES = {
    "count_rows": [_.count(), _.count(where=P)],
    "count": [A.count(), A.count(where=Q)],
    "sum": [A.sum(), A.sum(where=Q)],
    "mean": [A.mean(), P.cast("float64").mean(where=Q)],
    "min": [A.min(), A.min(where=Q), TEXT.min()],
    "max": [A.max(), A.max(where=B > 100)],
    "std": [A.std(), A.std(where=Q), A.std(where=B > 6.9)],
    "count_distinct": [A.nunique(), TEXT.nunique(), A.nunique(where=Q)],
    "arg_max": [A.argmax(B), A.argmax(B, where=A.notnull())],
    "arg_min": [A.argmin(B, where=Q)],
}


def test_every_aggregate_has_a_case() -> None:
    assert AGGREGATE_CASES.keys() == AGGREGATES
    assert BETWEEN_ROWS.isdisjoint(AGGREGATES)


@pytest.mark.parametrize("operation", AGGREGATE_CASES)
def test_an_aggregate_is_that_of_the_engine_in_groups_and_where_there_is_none(operation: str) -> None:
    """Groups of a text, null being one, looked up by each row; and by a condition that leaves some groups out."""
    for value in AGGREGATE_CASES[operation]:

        def build(table: ir.Table, value: ir.Value = value) -> ir.Table:
            groups = table.filter(_.CODE_GENDER != "X").group_by("CODE_GENDER").agg(VALUE=value)
            return table.left_join(groups, "CODE_GENDER")

        theirs, ours = both(build, GROUPED)
        if operation == "std":
            np.testing.assert_allclose(np.array(ours, float), np.array(theirs, float), rtol=1e-15)
        else:
            assert ours == theirs


def test_groups_hold_a_null_key_apart() -> None:
    def build(table: ir.Table) -> ir.Table:
        pairs = table.group_by("CODE_GENDER", "AMT_CREDIT").agg(N=_.count())
        return table.left_join(pairs.group_by("CODE_GENDER").agg(VALUE=_.count()), "CODE_GENDER")

    theirs, ours = both(build, GROUPED)
    assert ours == theirs
    assert 4.0 in ours  # null, 2.5, -1 and 4


def test_rows_are_ranked_from_the_largest_nulls_last() -> None:
    by_text = ibis.window(group_by=_.CODE_GENDER, order_by=[_.AMT_ANNUITY.desc(), _.SK_ID_CURR.desc()])
    for value in (ibis.row_number().over(by_text), A.lead().over(by_text)):
        theirs, ours = both(lambda table, value=value: table.mutate(VALUE=value), GROUPED)
        assert ours == theirs


def test_what_has_no_operation_is_refused_with_its_name_and_place() -> None:
    for value, name in ((A.sin(), "Sin"), (TEXT.upper(), "Uppercase"), (A.cast("int64"), "Cast"), (A % 2, "Modulus")):
        with pytest.raises(PlanError, match=rf"^{name} has no operation in a feature plan: in VALUE, on application"):
            both(lambda table, value=value: table.mutate(VALUE=value), GRID)


def test_a_join_that_may_repeat_rows_is_refused() -> None:
    with pytest.raises(PlanError, match="joins a table that may have several rows of one key"):
        both(lambda table: table.left_join(table.select("CODE_GENDER", VALUE=A), "CODE_GENDER"), GRID)


def test_numbers_are_not_a_number_only_where_they_are_null() -> None:
    """A raw NaN is null when it is read; that of a computed number would be another one for DuckDB."""
    with pytest.raises(PlanError, match="IsNan has no operation"):
        both(lambda table: table.mutate(VALUE=(A / B).isnan()), GRID)
    theirs, ours = both(lambda table: table.mutate(VALUE=A.isnan().fill_null(False).ifelse(ibis.null(), A)), GRID)
    assert ours == theirs
    assert np.isfinite([value for value in ours if value is not None]).all()
