"""What an applicant can change, and the smallest change that turns a decision.

A change is made in the raw tables, as if the applicant had asked for it: whoever scores them sees all that follows.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, NamedTuple

AMOUNT, ANNUITY, DOWN_PAYMENT, SETTLEMENT = "amount", "annuity", "down_payment", "settlement"
LEVERS = (AMOUNT, ANNUITY, DOWN_PAYMENT, SETTLEMENT)
# How far a lever is moved, as a share of the most: from coarse to fine
_COARSE, _FINE = (1.0, 0.5, 0.25, 0.75), tuple(odd / parts for parts in (8, 16) for odd in range(1, parts, 2))
# Changes that are scored at once
_CHUNK = 16

Tables = Mapping[str, Any]


@dataclass(frozen=True)
class Levers:
    """How far the levers can be moved, and for how long is looked.

    Attributes:
        least_amount: Smallest loan, as a share of that asked for; price and annuity go down with it. 1: no such lever.
        least_annuity: Smallest annuity, as a share of that asked for: a longer term. 1: none.
        greatest_annuity: Greatest annuity, likewise: a shorter term. 1: none.
        most_down_payment: Most that is paid at once, as a share of the price; the loan is less by as much, the annuity
            in proportion. 0: none.
        settle_overdue: Whether what is overdue at other lenders may be paid.
        round_to: Amounts are multiples of this.
        milliseconds: Time to look for a change and to score it once more.
    """

    least_amount: float = 0.5
    least_annuity: float = 0.6
    greatest_annuity: float = 1.5
    most_down_payment: float = 0.3
    settle_overdue: bool = True
    round_to: float = 100.0
    milliseconds: float = 50.0

    def span(self, lever: str) -> dict[str, float]:
        """Return the bounds of a lever."""
        return {
            AMOUNT: {"low": self.least_amount},
            ANNUITY: {"low": self.least_annuity, "high": self.greatest_annuity},
            DOWN_PAYMENT: {"high": self.most_down_payment},
            SETTLEMENT: {},
        }[lever]


USUAL_LEVERS = Levers()


class Move(NamedTuple):
    """One lever, moved.

    Attributes:
        lever: The lever.
        old: What it was: the loan, the annuity, what is overdue; for a down payment the loan.
        new: What it becomes; of a down payment what is paid.
        effort: How large the move is: what the loan or the annuity changes by, or what is paid, as a share of the loan
            or the annuity asked for.
    """

    lever: str
    old: float
    new: float
    effort: float


class Search(NamedTuple):
    """What was found.

    Attributes:
        moves: The smallest change that turns the decision, of one lever or two; empty if there is none.
        tables: The raw tables after it, those of the applicant if there is none.
        n_tried: How many changes were tried.
        tried: The levers that they moved, in the order of `LEVERS`.
        complete: Whether there was time for all.
        milliseconds: How long the search took.
    """

    moves: tuple[Move, ...]
    tables: Tables
    n_tried: int
    tried: tuple[str, ...]
    complete: bool
    milliseconds: float


_Changed = tuple[Tables, tuple[Move, ...]]
_Way = Callable[[Tables, float], tuple[Tables, Move] | None]


def search(
    tables: Tables, levers: Levers, names: Sequence[str], are_granted: Callable[[Sequence[Tables]], Sequence[bool]]
) -> Search:
    """Look for the smallest change that leads to approval: one lever, in finer steps once one helps, or else two.

    What is scored at once is as much as there is time for, by the rate of the last scores, less the time of one score:
    who asks has what was found scored once more. So time is overrun by what one call of `are_granted` is slower.

    Args:
        tables: Raw tables of an applicant, which are in order.
        levers: How far each can be moved.
        names: Those that may be.
        are_granted: Scores changed tables and says which would be approved.
    """
    started = time.perf_counter()
    best: _Changed = (tables, ())
    n_tried, each, alone = 0, 0.0, 0.0
    moved: set[str] = set()

    def end(complete: bool) -> Search:
        tried = tuple(lever for lever in LEVERS if lever in moved)
        return Search(best[1], best[0], n_tried, tried, complete, 1000 * (time.perf_counter() - started))

    ways = [way for name in names for way in _ways(levers, name, tables)]
    one = [((way, share),) for share in _COARSE for way in ways]
    finer = [((way, share),) for share in _FINE for way in ways]
    two = [
        ((way, share), (other, other_share))
        for share, other_share in product(_COARSE, _COARSE)
        for way, other in combinations(ways, 2)
    ]
    for changes in (one, finer, two):
        if bool(best[1]) != (changes is finer):
            continue
        left = [changed for change in changes if (changed := _move(tables, change))]
        while left := [changed for changed in left if not best[1] or _effort(changed) < _effort(best)]:
            spent = time.perf_counter() - started
            room = min(_CHUNK, int((levers.milliseconds / 1000 - spent - alone) / each)) if n_tried else 1
            if room < 1:
                return end(complete=False)
            part, left = left[:room], left[room:]
            granted = are_granted([changed for changed, _ in part])
            n_tried += len(part)
            moved |= {move.lever for _, moves in part for move in moves}
            each = (time.perf_counter() - started - spent) / len(part)
            alone = alone or each
            best = min((changed for changed, yes in zip(part, granted, strict=True) if yes), key=_effort, default=best)
    return end(complete=True)


def _effort(changed: _Changed) -> float:
    return sum(move.effort for move in changed[1])


def _move(tables: Tables, ways: Sequence[tuple[_Way, float]]) -> _Changed | None:
    """Move levers one after the other; nothing if one of them cannot be moved, or two are the same."""
    moves: list[Move] = []
    for way, share in ways:
        changed = way(tables, share)
        if changed is None or changed[1].lever in [move.lever for move in moves]:
            return None
        tables, moves = changed[0], [*moves, changed[1]]
    return tables, tuple(moves)


def _ways(levers: Levers, name: str, tables: Tables) -> list[_Way]:
    """Return what moves a lever by a share of the most that it can be moved, in each direction that it has.

    Args:
        levers: How far levers can be moved.
        name: Which one.
        tables: Raw tables of the applicant.
    """
    if name == AMOUNT:
        return [lambda tables, share: _ask_for_less(tables, 1 - share * (1 - levers.least_amount), levers.round_to)]
    if name == ANNUITY:
        ends = [levers.least_annuity, levers.greatest_annuity]
        return [
            lambda tables, share, end=end: _pay_in_other_parts(tables, 1 + share * (end - 1), levers.round_to)  # type: ignore[misc]
            for end in ends
        ]
    if name == DOWN_PAYMENT:
        return [lambda tables, share: _pay_at_once(tables, share * levers.most_down_payment, levers.round_to)]
    return [_settle(tables)] if levers.settle_overdue else []


def _ask_for_less(tables: Tables, factor: float, round_to: float) -> tuple[Tables, Move] | None:
    form = tables["application"]
    credit = form.get("AMT_CREDIT") or 0.0
    new = _round(credit * factor, round_to)
    if not 0 < new < credit:
        return None
    changed = _scale(form, new / credit, ("AMT_ANNUITY", "AMT_GOODS_PRICE")) | {"AMT_CREDIT": new}
    return {**tables, "application": changed}, Move(AMOUNT, credit, new, 1 - new / credit)


def _pay_in_other_parts(tables: Tables, factor: float, round_to: float) -> tuple[Tables, Move] | None:
    form = tables["application"]
    annuity = form.get("AMT_ANNUITY") or 0.0
    new = _round(annuity * factor, round_to)
    if new <= 0 or new == annuity:
        return None
    return {**tables, "application": {**form, "AMT_ANNUITY": new}}, Move(ANNUITY, annuity, new, abs(new / annuity - 1))


def _pay_at_once(tables: Tables, share: float, round_to: float) -> tuple[Tables, Move] | None:
    form = tables["application"]
    credit = form.get("AMT_CREDIT") or 0.0
    paid = _round((form.get("AMT_GOODS_PRICE") or 0.0) * share, round_to)
    if not 0 < paid < credit:
        return None
    changed = _scale(form, 1 - paid / credit, ("AMT_ANNUITY",)) | {"AMT_CREDIT": credit - paid}
    return {**tables, "application": changed}, Move(DOWN_PAYMENT, credit, paid, paid / credit)


def _settle(tables: Tables) -> _Way:
    """Return what pays all that is overdue, as it is all or nothing: the credits after it are worked out once.

    A copy of a credit is the same credit. What is overdue is part of the debt, which no payment of it makes negative.
    """
    owed, settled = 0.0, dict[int, dict[str, Any]]()
    for row in tables.get("bureau", ()):
        overdue, debt = row.get("AMT_CREDIT_SUM_OVERDUE") or 0.0, row.get("AMT_CREDIT_SUM_DEBT")
        if row["SK_ID_BUREAU"] in settled:
            continue
        paid: dict[str, float] = {}
        if overdue > 0:
            owed += overdue
            paid = {"AMT_CREDIT_SUM_OVERDUE": 0.0, "CREDIT_DAY_OVERDUE": 0}
            paid |= {} if debt is None else {"AMT_CREDIT_SUM_DEBT": max(debt - overdue, min(debt, 0.0))}
        settled[row["SK_ID_BUREAU"]] = {**row, **paid}

    def settle(tables: Tables, share: float) -> tuple[Tables, Move] | None:
        if owed <= 0 or share < 1:
            return None
        effort = owed / (tables["application"].get("AMT_CREDIT") or owed)
        return {**tables, "bureau": [*settled.values()]}, Move(SETTLEMENT, owed, 0.0, effort)

    return settle


def _scale(form: Mapping[str, Any], factor: float, columns: Sequence[str]) -> dict[str, Any]:
    """Return the form with columns in proportion, to cents; null stays null."""
    known = [column for column in columns if form.get(column) is not None]
    return {**form} | {column: round(form[column] * factor, 2) for column in known}


def _round(amount: float, to: float) -> float:
    return round(amount / to) * to
