"""The smallest change that leads to approval: how levers move raw tables, and how they are looked through."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from credit_scoring.counterfactual import AMOUNT, ANNUITY, DOWN_PAYMENT, LEVERS, SETTLEMENT, Levers, Search, search

FORM = {"SK_ID_CURR": 7, "AMT_CREDIT": 100_000.0, "AMT_ANNUITY": 10_000.0, "AMT_GOODS_PRICE": 80_000.0}
TABLES: Mapping[str, Any] = {
    "application": FORM,
    "bureau": [
        {"SK_ID_BUREAU": 1, "AMT_CREDIT_SUM_OVERDUE": 3_000.0, "CREDIT_DAY_OVERDUE": 9, "AMT_CREDIT_SUM_DEBT": 5_000.0},
        {"SK_ID_BUREAU": 2, "AMT_CREDIT_SUM_OVERDUE": 0.0, "CREDIT_DAY_OVERDUE": 0, "AMT_CREDIT_SUM_DEBT": None},
    ],
}
PATIENT = Levers(milliseconds=60_000)


def look(grants: Any, *names: str, levers: Levers = PATIENT, tables: Mapping[str, Any] = TABLES) -> Search:
    return search(tables, levers, names or LEVERS, lambda changed: [grants(one) for one in changed])


def test_the_smallest_loan_that_is_granted_is_found_to_a_sixteenth_of_the_way() -> None:
    found = look(lambda tables: tables["application"]["AMT_CREDIT"] <= 83_000, AMOUNT)
    (move,) = found.moves
    # 16 steps down to 50,000: 81,250 is granted, 84,375 is not; amounts are hundreds
    assert (move.lever, move.old, move.new) == (AMOUNT, 100_000, 81_200)
    assert found.tables["application"] == FORM | {
        "AMT_CREDIT": 81_200.0, "AMT_ANNUITY": 8_120.0, "AMT_GOODS_PRICE": 64_960.0
    }  # fmt: skip
    assert move.effort == pytest.approx(0.188)
    assert found.complete
    assert TABLES["application"] is FORM


def test_an_annuity_goes_either_way_and_the_loan_stays() -> None:
    less = look(lambda tables: tables["application"]["AMT_ANNUITY"] < 8_000, ANNUITY)
    more = look(lambda tables: tables["application"]["AMT_ANNUITY"] > 12_000, ANNUITY)
    assert [(move.old, move.new) for move in (*less.moves, *more.moves)] == [(10_000, 7_800), (10_000, 12_200)]
    assert less.tables["application"]["AMT_CREDIT"] == 100_000


def test_a_down_payment_lessens_the_loan_and_the_annuity_and_not_the_price() -> None:
    found = look(lambda tables: tables["application"]["AMT_CREDIT"] <= 90_000, DOWN_PAYMENT)
    (move,) = found.moves
    assert (move.lever, move.old, move.new, move.effort) == (DOWN_PAYMENT, 100_000, 10_500, 0.105)
    assert found.tables["application"] == FORM | {"AMT_CREDIT": 89_500.0, "AMT_ANNUITY": 8_950.0}


def test_what_is_overdue_is_paid_and_leaves_the_debt() -> None:
    found = look(lambda tables: all(row["CREDIT_DAY_OVERDUE"] == 0 for row in tables["bureau"]))
    (move,) = found.moves
    assert (move.lever, move.old, move.new, move.effort) == (SETTLEMENT, 3_000, 0, 0.03)
    assert found.tables["bureau"] == [
        {"SK_ID_BUREAU": 1, "AMT_CREDIT_SUM_OVERDUE": 0.0, "CREDIT_DAY_OVERDUE": 0, "AMT_CREDIT_SUM_DEBT": 2_000.0},
        TABLES["bureau"][1],
    ]


def test_a_copy_of_a_credit_is_paid_once_and_no_debt_becomes_negative() -> None:
    credit, _ = TABLES["bureau"]
    debts = [
        {**credit, "SK_ID_BUREAU": number, "AMT_CREDIT_SUM_DEBT": debt} for number, debt in enumerate((1_000.0, -5.0))
    ]
    tables = {**TABLES, "bureau": [*debts, dict(debts[0])]}
    found = look(lambda tables: tables["bureau"][0]["CREDIT_DAY_OVERDUE"] == 0, SETTLEMENT, tables=tables)
    assert [(move.old, move.new) for move in found.moves] == [(6_000, 0)]
    assert [(row["SK_ID_BUREAU"], row["AMT_CREDIT_SUM_DEBT"]) for row in found.tables["bureau"]] == [
        (0, 0.0),
        (1, -5.0),
    ]


def test_the_levers_that_were_moved_are_those_that_were_tried() -> None:
    nothing_overdue = {**TABLES, "bureau": TABLES["bureau"][1:]}
    found = look(lambda _: False, tables=nothing_overdue, levers=Levers(least_amount=1, milliseconds=60_000))
    assert found.tried == (ANNUITY, DOWN_PAYMENT)
    assert look(lambda _: False).tried == LEVERS


def test_two_levers_are_moved_where_one_is_not_enough() -> None:
    def grants(tables: Mapping[str, Any]) -> bool:
        form = tables["application"]
        return form["AMT_CREDIT"] <= 90_000 and form["AMT_ANNUITY"] / form["AMT_CREDIT"] < 0.08

    found = look(grants)
    assert {move.lever for move in found.moves} in ({AMOUNT, ANNUITY}, {ANNUITY, DOWN_PAYMENT})
    assert grants(found.tables)
    assert look(grants, AMOUNT).moves == ()


def test_the_least_effort_of_all_levers_is_told() -> None:
    found = look(lambda tables: tables["application"]["AMT_CREDIT"] < 100_000)
    assert [(move.lever, move.new) for move in found.moves] == [(DOWN_PAYMENT, 1_500)]


@pytest.mark.parametrize(
    "tables",
    [
        {"application": {"SK_ID_CURR": 7}},
        {"application": {"SK_ID_CURR": 7, "AMT_CREDIT": None, "AMT_ANNUITY": 0, "AMT_GOODS_PRICE": None}, "bureau": []},
    ],
)
def test_what_is_not_known_cannot_be_moved(tables: Mapping[str, Any]) -> None:
    assert look(lambda _: True, tables=tables) == Search((), tables, 0, (), True, pytest.approx(0, abs=1000))


def test_levers_that_the_lender_does_not_offer_are_left_alone() -> None:
    none = Levers(1, 1, 1, 0, settle_overdue=False, milliseconds=60_000)
    found = look(lambda _: True, levers=none)
    assert (found.moves, found.n_tried, found.tried, found.complete) == ((), 0, (), True)


@pytest.mark.parametrize(("hiccup", "n_tried", "took"), [(0.0, 5, 25.0), (0.07, 5, 95.0)])
def test_the_search_ends_in_time_for_one_more_score_or_late_by_one_call(
    monkeypatch: pytest.MonkeyPatch, hiccup: float, n_tried: int, took: float
) -> None:
    """A score takes 5 ms, by a clock that nothing else moves on; the second call may take longer."""
    now, calls = [0.0], []

    def slow(changed: Sequence[Any]) -> list[bool]:
        calls.append(len(changed))
        now[0] += 0.005 * len(changed) + hiccup * (len(calls) == 2)
        return [False] * len(changed)

    monkeypatch.setattr("credit_scoring.counterfactual.time.perf_counter", lambda: now[0])
    found = search(TABLES, Levers(milliseconds=31), LEVERS, slow)
    assert (found.n_tried, found.complete, found.moves) == (n_tried, False, ())
    assert found.milliseconds == pytest.approx(took)
