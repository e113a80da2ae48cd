"""Counting breaches of contract: hand-computed cases, and agreement with Pandera's own validation."""

import warnings
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest
from pandera.errors import SchemaErrors, SchemaWarning

from credit_scoring.schemas.contract import allowed, holds_between, plausible
from credit_scoring.schemas.quality import Finding, _find_extremes, _rules, find_breaches
from credit_scoring.schemas.raw import RAW_TABLES, TEXT
from tests.schemas.conftest import RULES_OF_THEIR_OWN


def table(name: str, rows: list[dict[str, Any]]) -> ir.Table:
    """Return rows of a raw table as a file is parsed: whole numbers are still real ones."""
    kinds = {column: TEXT if kind == TEXT else "float64" for column, kind in RAW_TABLES[name].columns.items()}
    return ibis.memtable([{column: row.get(column) for column in kinds} for row in rows], schema=kinds).cache()


def months(*rows: tuple[float | None, float | None, str | None]) -> ir.Table:
    return table(
        "bureau_balance",
        [dict(zip(("SK_ID_BUREAU", "MONTHS_BALANCE", "STATUS"), row, strict=True)) for row in rows],
    )


def breaches(*rows: tuple[float | None, float | None, str | None]) -> list[tuple[str, str, str, int]]:
    _, findings = find_breaches(months(*rows), RAW_TABLES["bureau_balance"])
    return [(finding.severity, finding.column, finding.found, finding.rows) for finding in findings]


def test_a_sound_table_has_no_findings() -> None:
    assert find_breaches(months((1, -1, "0"), (1, -2, "C"), (2, -1, "X")), RAW_TABLES["bureau_balance"]) == (3, [])


def test_values_are_counted_with_the_most_frequent_as_examples() -> None:
    rows = [(1.0, -float(month), "0") for month in range(1, 91)]
    rows += [(2.0, -1.0, "Q"), (2.0, -2.0, "Q"), (2.0, -3.0, "P"), (2.0, -97.0, "C"), (2.0, 1.0, "C")]
    assert breaches(*rows) == [
        ("warning", "MONTHS_BALANCE", "2 of 95 rows (2.1%), e.g. -97, 1", 2),
        ("warning", "STATUS", "3 of 95 rows (3.2%), e.g. 'Q', 'P'", 3),
    ]


def test_a_small_share_is_not_rounded_to_nothing() -> None:
    rows = [(float(credit), -1.0, "0") for credit in range(20_000)]
    assert breaches(*rows, (1.0, -2.0, "?")) == [("warning", "STATUS", "1 of 20,001 rows (0.005%), e.g. '?'", 1)]


def test_types_keys_and_nulls_are_structural() -> None:
    assert breaches((1, -1.5, "0"), (None, -1, "0"), (2, None, "0"), (3e9, -1, "0"), (4, -1, None)) == [
        ("error", "SK_ID_BUREAU", "1 of 5 rows (20.0%)", 1),
        ("error", "SK_ID_BUREAU", "1 of 5 rows (20.0%), e.g. 3000000000", 1),
        ("error", "MONTHS_BALANCE", "1 of 5 rows (20.0%)", 1),
        ("error", "MONTHS_BALANCE", "1 of 5 rows (20.0%), e.g. -1.5", 1),
        ("warning", "STATUS", "1 of 5 rows (20.0%)", 1),
    ]


@pytest.mark.parametrize("month", [0, -1, -59, -60, -61, -119, -120, -500, 3])
def test_a_repeated_key_is_found_wherever_its_month_lies(month: int) -> None:
    rows = [(credit, -float(age), "0") for credit in (1.0, 2.0) for age in range(90) if -age != month]
    key = "SK_ID_BUREAU and MONTHS_BALANCE"
    found = {
        severity: text
        for severity, column, text, _ in breaches(*rows, (1, month, "0"), (1, month, "C"))
        if column == key
    }
    assert found == {"error": f"1 that stands for different rows (e.g. 1/{month})"}
    found = {severity: text for severity, column, text, _ in breaches(*rows, *3 * [(2, month, "0")]) if column == key}
    assert found == {"warning": "2 exact copies of other rows, left out"}
    assert not [column for _, column, *_ in breaches(*rows, (2, month, "0")) if column == key]


def test_a_column_that_was_filled_in_or_lost_is_noticed() -> None:
    def found(empty: int) -> list[str]:
        rows = [{"SK_ID_PREV": n, "AMT_DOWN_PAYMENT": None if n < empty else 1.0} for n in range(1000)]
        _, findings = find_breaches(table("previous_application", rows), RAW_TABLES["previous_application"])
        return [finding.found for finding in findings if finding.column == "AMT_DOWN_PAYMENT"]

    assert found(536) == []
    assert found(400) == []
    assert found(0) == ["0.0%"]
    assert found(1000) == ["100.0%"]


def test_a_code_outside_the_bounds_is_not_a_breach() -> None:
    rows = [{"SK_ID_CURR": n, "DAYS_EMPLOYED": days} for n, days in enumerate((-100, 0, 365243, 5, 365242))]
    _, findings = find_breaches(table("application_test", rows), RAW_TABLES["application_test"])
    assert [(finding.expected, finding.rows) for finding in findings if finding.column == "DAYS_EMPLOYED"] == [
        ("from -20,000 to 0 or 365243", 2)
    ]


@pytest.mark.parametrize("name", RULES_OF_THEIR_OWN)
def test_pandera_finds_the_same_columns_broken(name: str) -> None:
    """The one query and the library's own validation agree on every check of every column."""
    contract = RAW_TABLES[name]
    sound = {
        column: check.statistics["values"][0] if check.name == "allowed" else check.statistics["low"]
        for column, definition in contract.definition.items()
        for check in definition.checks
    }
    rows = [sound | {column: -float(n) for column in contract.key} for n in range(1, 4)]
    spoilt = [column for index, column in enumerate(sound) if index % 2]
    rows[1] |= {column: "?" if isinstance(sound[column], str) else sound[column] - 1 for column in spoilt}
    frame = pd.DataFrame(rows).reindex(columns=list(contract.columns))
    typed = ibis.memtable(frame.to_dict("list"), schema=dict(contract.columns)).cache()

    _, findings = find_breaches(typed, contract)
    broken = {
        severity: {f.column for f in findings if f.severity == severity and f.expected != "no empty value"}
        for severity in ("error", "warning")
    }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SchemaWarning)
        try:
            contract.schema.validate(typed, lazy=True)
            errors = set()
        except SchemaErrors as raised:
            errors = {
                error.schema.name for error in raised.schema_errors if error.reason_code.name == "DATAFRAME_CHECK"
            }
    warned = {column for column in spoilt if any(f"'{column}'" in str(item.message) for item in caught)}
    assert warned == broken["warning"] == set(spoilt) - broken["error"]
    assert errors == broken["error"]


# Three draws of the few columns of a history; an application has a hundred, of the same rules
DRAWS = [(name, seed) for name in RULES_OF_THEIR_OWN for seed in range(1 + 2 * (len(RAW_TABLES[name].columns) < 50))]


@pytest.mark.parametrize(("name", "seed"), DRAWS)
def test_what_extremes_decide_is_what_every_row_says(name: str, seed: int) -> None:
    """Whole numbers stored as real ones have no extremes taken: each of their rules is counted on the rows."""
    contract, random = RAW_TABLES[name], np.random.default_rng(seed)
    rows = []
    for n in range(40):
        row = dict.fromkeys(contract.key, -float(n + 1))
        for column, definition in contract.definition.items():
            for check in definition.checks:
                values = check.statistics.get("values") or [*check.statistics["codes"], *bounds(check.statistics)]
                spoilt = "?" if isinstance(values[0], str) else max(values) + 1.0
                odd = random.random() < 0.02
                row[column] = spoilt if odd else values[random.integers(len(values))]
        rows.append(row)
    parsed = table(name, rows)
    typed = parsed.cast(dict(contract.columns)).cache()
    assert find_breaches(typed, contract) == find_breaches(parsed, contract)


def test_extremes_are_taken_of_every_typed_column_of_finite_numbers(tmp_path: Path) -> None:
    """From the file's own statistics, so that most rules need no look at the rows."""
    path = tmp_path / "bureau.parquet"
    row = {
        "SK_ID_BUREAU": 1,
        "DAYS_CREDIT": -7,
        "AMT_CREDIT_SUM": 5.0,
        "AMT_ANNUITY": np.inf,
        "CREDIT_TYPE": "Mortgage",
    }
    contract = RAW_TABLES["bureau"]
    table("bureau", [row, row | {"DAYS_CREDIT": -900}]).cast(dict(contract.columns)).to_parquet(path)
    written = ibis.read_parquet(path)
    extremes = _find_extremes(written, contract)
    assert (extremes["DAYS_CREDIT"], extremes["AMT_CREDIT_SUM"]) == ((-900, -7), (5.0, 5.0))
    assert not {"AMT_ANNUITY", "AMT_CREDIT_SUM_DEBT"} & set(extremes)  # infinite, null
    decided = {rule.column for rule in _rules(written, contract, extremes)}
    assert not {"DAYS_CREDIT", "AMT_CREDIT_SUM"} & decided


def bounds(statistics: dict[str, Any]) -> list[float]:
    return [float(statistics[end]) for end in ("low", "high")]


@pytest.mark.parametrize(
    ("check", "least", "greatest", "decided"),
    [
        (plausible(-5, 10), -5, 10, True),
        (plausible(-5, 10), -5.5, 10, False),
        (plausible(-5, 10), 0, 11, False),
        (plausible(-5, 0, codes=[365243]), -5, 365243, False),  # a code, or anything below it
        (allowed((0, 1)), 0, 1, True),
        (allowed((0, 1)), 1, 1, True),
        (allowed((0, 1)), 0, 2_000_000_000, False),
        (allowed((0, 2)), 0, 2, False),  # 1 may be among them
    ],
)
def test_a_check_is_decided_by_extremes_only_if_all_between_pass(
    check: Any, least: float, greatest: float, decided: bool
) -> None:
    assert holds_between(check, least, greatest) is decided


def test_a_finding_reads_as_a_sentence() -> None:
    finding = Finding("warning", "bureau", "AMT_ANNUITY", "from 0 to 5", "3 of 9 rows (33.3%), e.g. 6", 3)
    assert str(finding) == "column AMT_ANNUITY: expected from 0 to 5; found 3 of 9 rows (33.3%), e.g. 6."
