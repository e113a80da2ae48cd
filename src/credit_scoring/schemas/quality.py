"""What a raw table holds against its contract: every breach counted, in as few passes over the table as it takes.

Pandera runs one query per check and column, some six hundred over 58 million rows. Here the least and the greatest
value of a column come first, which DuckDB reads off the statistics in a Parquet file: nine checks in ten need no more.
The others of a table become aggregates of one query; examples are looked up only for what was found.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import ibis
import ibis.expr.types as ir

from credit_scoring.schemas.contract import INTEGER, REAL, TEXT, RawTable, holds, holds_between
from credit_scoring.schemas.numbers import is_not_finite

_MAX_EXAMPLES = 3
# Other samples of the same clients differ by a point or two; a column that was filled in or lost differs by far more.
_MISSING_TOLERANCE = 0.15
_MIN_ROWS_FOR_SHARES = 100
_SUSPECT_COPIES = 0.15
_BITS, _MAX_MONTHS = 60, 120

FINITE = "finite numbers"
_IN_RANGE = "whole numbers from -2,147,483,648 to 2,147,483,647"
UNIQUE, DIFFERENT = "unique values", "rows that differ from one another"

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """What keeps a file from being read.

    Attributes:
        expected: What should be there.
        found: What is there instead.
        hint: What the user can do about it, where that is known.
    """

    expected: str
    found: str
    hint: str = ""


@dataclass(frozen=True)
class Finding:
    """One rule of a contract and how the data break it.

    Attributes:
        severity: `error` stops the run; a `warning` is counted, and the cleaning deals with it.
        table: Table name.
        column: Column names, or nothing where the file as a whole is concerned.
        expected: What the contract says.
        found: What stands there instead.
        rows: Number of rows concerned; 0 where they cannot be counted.
        share: Their share of the rows that the rule is about, from 0 to 1.
        hint: What the user can do about it, where that is known.
    """

    severity: Severity
    table: str
    column: str
    expected: str
    found: str
    rows: int = 0
    share: float = 0.0
    hint: str = ""

    def __str__(self) -> str:
        subject = f"column {self.column}: " if self.column else ""
        return f"{subject}expected {self.expected}; found {self.found}."

    def as_record(self) -> dict[str, Any]:
        """Return the finding as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class _Rule:
    column: str
    severity: Severity
    expected: str
    broken: ir.BooleanColumn


def find_breaches(rows: ir.Table, contract: RawTable) -> tuple[int, list[Finding]]:
    """Compare a table with its contract.

    Null policy: a null breaks no rule but those on nulls.

    Args:
        rows: Columns of the contract; a whole number may still be stored as a real one.
        contract: What the table should hold.

    Returns:
        The number of rows, and the findings in the order of the columns, those on the key last.
    """
    rules = list(_rules(rows, contract, _find_extremes(rows, contract)))
    # A sum of ones takes two thirds of the time of a count with a condition.
    counts = {f"rule_{index}": rule.broken.cast("int8").sum() for index, rule in enumerate(rules)}
    counts |= {f"known_{name}": rows[name].count() for name in contract.columns}
    counted = _values_of(rows.agg(n_rows=rows.count(), **counts))
    n_rows = counted["n_rows"]
    broken: dict[str, list[Finding]] = {name: [] for name in contract.columns}
    for index, rule in enumerate(rules):
        if n := counted[f"rule_{index}"]:
            found, share = f"{_rows(n, n_rows)}{_examples(rows, rule)}", n / counted[f"known_{rule.column}"]
            broken[rule.column].append(
                Finding(rule.severity, contract.name, rule.column, rule.expected, found, n, share)
            )
    findings = []
    for name in contract.columns:
        findings += [*_missing(contract, name, n_rows - counted[f"known_{name}"], n_rows), *broken[name]]
    if n_rows == 0 and not contract.may_be_empty:
        findings.append(Finding("error", contract.name, "", "at least one row", "none"))
    return n_rows, [*findings, *_repeated_keys(rows, contract)]


def find_orphans(table: ir.Table, column: str, parent: ir.Table, contract: RawTable) -> list[Finding]:
    """Count the rows of a history whose parent row does not exist, where they are more than in the official files.

    Args:
        table: The history.
        column: Its column that points to the parent, under the same name there.
        parent: Table in which each value of the column should stand.
        contract: Contract of the history.
    """
    name, usual = contract.parents[column]
    # Not `notin`: with nulls to mind, Spark would compare every row with every parent.
    orphaned = table.select(column).filter(ibis._[column].notnull()).anti_join(parent.select(column), column)
    if not (orphans := _value_of(orphaned.count())):
        return []
    n_rows = _value_of(table.count())
    if orphans / n_rows <= usual + (_MISSING_TOLERANCE if usual else 0):
        return []
    expected = f"a row in {name}" + (f" for all but about {usual:.0%} of the rows" if usual else "")
    found = f"none for {_rows(orphans, n_rows)}"
    return [Finding("warning", contract.name, column, expected, found, orphans, orphans / n_rows)]


def find_shared_keys(table: ir.Table, other: ir.Table, contract: RawTable) -> list[Finding]:
    """Count the rows whose key also stands in the table that they should have nothing in common with.

    Args:
        table: Rows of the contract.
        other: Rows of the table `contract.apart_from`.
        contract: Contract of the first table.
    """
    key = list(contract.key)
    shared = table.select(key).semi_join(other.select(key), key)
    count = _value_of(shared.count())
    if not count:
        return []
    n_rows = _value_of(table.count())
    shown = _spell_keys(shared, key)
    expected = f"no row that is in {contract.apart_from} as well"
    found = f"{_rows(count, n_rows)}, e.g. {shown}"
    return [Finding("error", contract.name, " and ".join(key), expected, found, count, count / n_rows)]


def _find_extremes(rows: ir.Table, contract: RawTable) -> dict[str, tuple[float, float]]:
    """Return the least and the greatest value of every column of numbers that has its declared type and such values.

    A column with a NaN or an infinity, which every engine takes for a number and puts at an end, is left out.
    """
    kinds = {name: ibis.dtype(kind) for name, kind in contract.columns.items() if kind != TEXT}
    typed = [name for name, kind in kinds.items() if rows[name].type().copy(nullable=True) == kind]
    if not typed:
        return {}
    ends = {f"{end}_{name}": getattr(rows[name], end)() for name in typed for end in ("min", "max")}
    found = _values_of(rows.agg(**ends))
    extremes = {name: (found[f"min_{name}"], found[f"max_{name}"]) for name in typed}
    return {
        name: (least, greatest)
        for name, (least, greatest) in extremes.items()
        # A NaN comes back as null from some engines
        if least is not None and greatest is not None and math.isfinite(least) and math.isfinite(greatest)
    }


def _rules(rows: ir.Table, contract: RawTable, extremes: Mapping[str, tuple[float, float]]) -> Iterator[_Rule]:
    """Give the rules that the extremes of the columns leave open."""
    for name, column in contract.definition.items():
        value, kind = rows[name], contract.columns[name]
        if kind == INTEGER and not value.type().is_integer():
            # NaN has no remainder that equals 0 either, but not on every engine
            fraction = is_not_finite(value) | (value % 1 != 0)
            yield _Rule(name, "error", "whole numbers", fraction)
            yield _Rule(name, "error", _IN_RANGE, ~fraction & value.try_cast(INTEGER).isnull())
        may_be_infinite = kind == REAL and name not in extremes
        if may_be_infinite:
            yield _Rule(name, "warning", FINITE, is_not_finite(value))
        for check in column.checks:
            if name in extremes and holds_between(check, *extremes[name]):
                continue
            severity: Severity = "warning" if check.raise_warning else "error"
            broken = ~holds(check, value)
            yield _Rule(name, severity, str(check.error), broken & ~is_not_finite(value) if may_be_infinite else broken)


def _missing(contract: RawTable, name: str, nulls: int, n_rows: int) -> Iterator[Finding]:
    column = contract.definition[name]
    usual = column.metadata["missing"]
    if usual == 0:
        if nulls:
            severity: Severity = "warning" if column.nullable else "error"
            yield Finding(severity, contract.name, name, "no empty value", _rows(nulls, n_rows), nulls, nulls / n_rows)
    elif n_rows >= _MIN_ROWS_FOR_SHARES and abs(nulls / n_rows - usual) > _MISSING_TOLERANCE:
        share = nulls / n_rows
        concerned = share if share > usual else usual - share  # those that are empty, or those that were filled in
        yield Finding(
            "warning", contract.name, name, f"about {usual:.1%} empty values", f"{share:.1%}", nulls, concerned
        )


def _repeated_keys(rows: ir.Table, contract: RawTable) -> Iterator[Finding]:
    key = list(contract.key)
    if not key:
        yield from _repeated_rows(rows, contract)
        return
    known = rows.filter([_is_known(rows[name]) for name in key])
    if not _may_repeat(known, key):
        return
    repeated = known.group_by(key).agg(n=known.count()).filter(lambda t: t.n > 1)
    copies = known.semi_join(repeated, key).select(*contract.columns)
    versions = copies.distinct()
    per_key = versions.group_by(key).agg(versions=versions.count())
    totals = per_key.agg(distinct=per_key.versions.sum().fill_null(0), contradicting=_count_where(per_key.versions > 1))
    counted = _values_of(totals)
    label = " and ".join(key)
    if contradicting := counted["contradicting"]:
        examples = _spell_keys(per_key.filter(per_key.versions > 1), key)
        found = f"{contradicting:,} that stand{'s' * (contradicting == 1)} for different rows (e.g. {examples})"
        yield Finding("error", contract.name, label, UNIQUE, found, contradicting)
    if surplus := _value_of(copies.count()) - counted["distinct"]:
        found = f"{surplus:,} exact cop{'y' if surplus == 1 else 'ies'} of other rows, left out"
        share = surplus / _value_of(known.count())
        yield Finding("warning", contract.name, label, UNIQUE, found, surplus, share)


def _repeated_rows(rows: ir.Table, contract: RawTable) -> Iterator[Finding]:
    """Look for copies where no key forbids them: a few payments are alike, but not a sixth of them.

    An estimate, right to a tenth, says whether it is worth the memory and the seconds to count them.
    """
    row = ibis.struct({name: rows[name] for name in contract.columns})
    estimated = _values_of(rows.agg(n=rows.count(), different=row.approx_nunique()))
    n_rows = estimated["n"]
    if n_rows < _MIN_ROWS_FOR_SHARES or estimated["different"] > (1 - _SUSPECT_COPIES) * n_rows:
        return
    if surplus := n_rows - _value_of(rows.distinct().count()):
        found = f"{surplus:,} exact copies of other rows"
        yield Finding("warning", contract.name, "", DIFFERENT, found, surplus, surplus / n_rows)


def _is_known(value: ir.Column) -> ir.BooleanColumn:
    """Tell whether a cell of a key holds a number; a key that is not whole is still stored as a real number."""
    return value.notnull() & ~is_not_finite(value) if value.type().is_floating() else value.notnull()


def _may_repeat(known: ir.Table, key: Sequence[str]) -> bool:
    """Tell cheaply whether a key may occur twice; true does not yet mean that it does.

    Months of one loan are distinct exactly if the sum of their powers of two equals their bitwise or. That needs one
    group per loan, ten times fewer than distinct pairs, and takes a tenth of the time.
    """
    if len(key) == 1:
        totals = _values_of(known.agg(n=known.count(), distinct=known[key[0]].nunique()))
        return bool(totals["n"] != totals["distinct"])
    parent, month = key
    months_ago = -known[month].try_cast("int32").cast("int64")
    one = ibis.literal(1, "int32").cast("int64")  # said with its type: a bare 1 would be shifted as 32 bits
    bit = one << (months_ago.abs() % _BITS).cast("int32")
    words = [
        months_ago.between(start, start + _BITS - 1).fill_null(False).ifelse(bit, 0)
        for start in range(0, _MAX_MONTHS, _BITS)
    ]
    seen = known.group_by(parent).agg(
        outside=_count_where(~months_ago.between(0, _MAX_MONTHS - 1).fill_null(False)),
        **{f"sum_{index}": word.sum() for index, word in enumerate(words)},
        **{f"or_{index}": _bit_or(word) for index, word in enumerate(words)},
    )
    suspect = seen.outside > 0
    for index in range(len(words)):
        suspect |= seen[f"sum_{index}"] != seen[f"or_{index}"]
    return bool(_value_of(_count_where(suspect)))


@ibis.udf.agg.builtin(name="bit_or")
def _bit_or(word: int) -> int:  # type: ignore[empty-body]
    """Bitwise or of a group: the engines have it under this name, Ibis knows it for some of them only."""


def _count_where(condition: ir.BooleanValue) -> ir.IntegerScalar:
    """Count the rows where a condition holds; 0 where there are none, which Spark would count as null."""
    return condition.cast("int8").sum().fill_null(0)


def _value_of(number: ir.IntegerScalar) -> int:
    """Compute a number, without the detour over pandas: of few values it takes as long as the query."""
    return int(number.to_pyarrow().as_py())


def _values_of(one_row: ir.Table) -> dict[str, Any]:
    """Compute a table of one row, in the same way."""
    (values,) = one_row.to_pyarrow().to_pylist()
    return dict(values)


def _rows(n: int, n_rows: int) -> str:
    share = n / n_rows
    digits = max(1, -2 - math.floor(math.log10(share)))  # at least one digit that is not zero
    return f"{n:,} of {n_rows:,} rows ({share:.{digits}%})"


def _examples(rows: ir.Table, rule: _Rule) -> str:
    # Ibis takes the longer the more columns a filter has to do with
    values = rows.select(rule.column, broken=rule.broken).filter("broken").group_by(rule.column).agg(n=ibis._.count())
    top = values.order_by([ibis.desc("n"), rule.column]).limit(_MAX_EXAMPLES).to_pyarrow()
    shown = ", ".join(_spell(value) for value in top[rule.column].to_pylist())
    return f", e.g. {shown}"


def _spell_keys(rows: ir.Table, key: Sequence[str]) -> str:
    shown = rows.select(key).distinct().order_by(key).limit(_MAX_EXAMPLES).to_pyarrow()
    return ", ".join("/".join(f"{int(value)}" for value in row.values()) for row in shown.to_pylist())


def _spell(value: Any) -> str:
    number = math.nan if value is None else value  # a NaN comes back as null from some engines
    return repr(value) if isinstance(value, str) else f"{number:.10g}"
