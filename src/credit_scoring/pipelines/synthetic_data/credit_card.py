"""Monthly balances of the earlier credit cards.

Grain: one month of one card. The balance carries interest, grows with drawings and falls with payments; how much of the
limit is used and how much more than the minimum is paid follow the client's use of cards and punctuality.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from credit_scoring.pipelines.synthetic_data.calibration import calibration
from credit_scoring.pipelines.synthetic_data.population import Scores
from credit_scoring.pipelines.synthetic_data.previous_application import Loans
from credit_scoring.pipelines.synthetic_data.sampling import (
    BoolArray,
    FloatArray,
    IntArray,
    make_frame,
    months_before,
    on_grid,
    quantile,
    score_of,
    text,
    uniform_of,
)

STATUSES = ["Active", "Completed", "Signed", "Sent proposal", "Demand", "Refused", "Approved"]
CARD_SHARE, CARD_SHARE_REVOLVING = 0.351, 0.055
"""Share of clients with an earlier card, by type of the current application (a revolving loan is a card itself)."""
ACTIVE, COMPLETED, SIGNED, SENT, DEMAND, REFUSED, APPROVED = range(7)
_MONTHS = 96
_MONTHLY_INTEREST = 0.036


@dataclass(frozen=True)
class CardPayments:
    """Monthly payments made with cards, in order of card and month.

    Attributes:
        card: Index of the card.
        sk_id_prev: Key of the card.
        sk_id_curr: Key of the client.
        month: MONTHS_BALANCE of the payment.
        payment: Amount paid in the month.
    """

    card: IntArray
    sk_id_prev: IntArray
    sk_id_curr: IntArray
    month: IntArray
    payment: FloatArray


def draw_card_holders(rng: np.random.Generator, scores: Scores, revolving: BoolArray) -> BoolArray:
    """Draw the clients who were granted a card: rather the indebted ones, hardly ever those who apply for one now."""
    share = np.where(revolving, CARD_SHARE_REVOLVING, CARD_SHARE)
    inclination = 0.12 * scores["LEVERAGE"] + 0.06 * scores["CARD_USE"] + 0.06 * scores["REFUSAL"]
    return inclination + 0.985 * rng.standard_normal(len(revolving)) > score_of(1 - share)


def unfold_credit_cards(rng: np.random.Generator, loans: Loans, scores: Scores) -> tuple[pd.DataFrame, CardPayments]:
    """Unfold the monthly history of every card."""
    cards = loans.select(loans.is_card)
    n = len(cards.client)
    use = scores["CARD_USE"][cards.client]
    start = np.maximum(months_before(cards.decision), -_MONTHS)
    end = -1 - np.array([0, 1, 2, 3])[np.searchsorted([0.604, 0.922, 0.98], rng.random(n))]
    start = np.minimum(start, end)
    first_draw = np.maximum(months_before(cards.first_drawing) - start, 0)
    state = _simulate(rng, cards.credit, start, end, first_draw, use)

    alive = state.pop("alive")
    card, column = np.nonzero(alive)
    month = column - _MONTHS
    rows = {name: values[card, column] for name, values in state.items()}
    balance, limit, drawn_before = rows["balance"], rows["limit"], rows["drawn_before"]
    m = len(card)
    quiet = ~drawn_before
    draws = np.where(quiet, 0.0, rows["drawing"])
    cash_part, shop_part, other_part = _drawing_parts(rng, draws)
    counts = _drawing_counts(rng, draws, cash_part, shop_part, other_part)
    minimum = rows["minimum"]
    principal = np.where(balance > 0, np.round(balance * rng.uniform(0.93, 0.99, m), 3), 0)
    small_credit = (rng.random(m) < 0.029) & (balance <= 0)
    receivable = np.where(
        small_credit,
        -np.round(rng.exponential(900, m), 3),
        np.where(rng.random(m) < 0.35, np.round(balance * 0.9995, 3), balance),
    )
    fee = (balance <= 0) & (rng.random(m) < 0.80)
    payment_total = rows["payment"]
    payment = payment_total + np.where(fee, np.round(rng.exponential(500, m), 3), 0)
    early_null = (month <= -21) & (rows["age"] < rows["null_months"])
    mature = np.cumsum(np.where(alive, state["minimum"] > 0, 0), axis=1)[card, column]
    status = np.where(rows["completed"], COMPLETED, ACTIVE)
    opening = (rows["age"] < 3) & (rng.random(m) < 0.035)
    status[opening & ~drawn_before] = SIGNED
    oddity = rng.random(m)
    status[opening & (oddity < 0.05)] = SENT
    status[(status == ACTIVE) & (oddity > 1 - 3.6e-4)] = DEMAND
    status[(status == ACTIVE) & (oddity < 5e-6)] = REFUSED
    status[(status == ACTIVE) & (oddity > 0.5) & (oddity < 0.5 + 2e-6)] = APPROVED
    dpd = rows["dpd"]
    frame = make_frame(
        "credit_card_balance",
        {
            "SK_ID_PREV": cards.sk_id_prev[card],
            "SK_ID_CURR": cards.sk_id_curr[card],
            "MONTHS_BALANCE": month,
            "AMT_BALANCE": balance,
            "AMT_CREDIT_LIMIT_ACTUAL": limit,
            "AMT_DRAWINGS_ATM_CURRENT": np.where(quiet, np.nan, cash_part),
            "AMT_DRAWINGS_CURRENT": draws,
            "AMT_DRAWINGS_OTHER_CURRENT": np.where(quiet, np.nan, other_part),
            "AMT_DRAWINGS_POS_CURRENT": np.where(quiet, np.nan, shop_part),
            "AMT_INST_MIN_REGULARITY": np.where(early_null, np.nan, minimum),
            "AMT_PAYMENT_CURRENT": np.where(quiet & (rng.random(m) < 0.96), np.nan, payment),
            "AMT_PAYMENT_TOTAL_CURRENT": payment_total,
            "AMT_RECEIVABLE_PRINCIPAL": principal,
            "AMT_RECIVABLE": receivable,
            "AMT_TOTAL_RECEIVABLE": receivable,
            "CNT_DRAWINGS_ATM_CURRENT": np.where(quiet, np.nan, counts[0]),
            "CNT_DRAWINGS_CURRENT": counts.sum(0),
            "CNT_DRAWINGS_OTHER_CURRENT": np.where(quiet, np.nan, counts[2]),
            "CNT_DRAWINGS_POS_CURRENT": np.where(quiet, np.nan, counts[1]),
            "CNT_INSTALMENT_MATURE_CUM": np.where(early_null, np.nan, mature),
            "NAME_CONTRACT_STATUS": text(status, STATUSES),
            "SK_DPD": dpd,
            "SK_DPD_DEF": np.where((dpd < 30) & (rng.random(m) < 0.85), dpd, 0),
        },
    )
    paid = (payment_total > 0) | ((payment > 0) & ~quiet)
    return frame, CardPayments(
        card=card[paid],
        sk_id_prev=cards.sk_id_prev[card[paid]],
        sk_id_curr=cards.sk_id_curr[card[paid]],
        month=month[paid],
        payment=np.maximum(payment, payment_total)[paid],
    )


def _simulate(
    rng: np.random.Generator,
    limit: FloatArray,
    start: IntArray,
    end: IntArray,
    first_draw: IntArray,
    use: FloatArray,
) -> dict[str, FloatArray]:
    """Run all cards through the 96 months before the application; arrays of shape (cards, months)."""
    n = len(limit)
    levels = calibration()["previous"]["levels"]
    draw_share = calibration()["credit_card"]["draw_share"]
    appetite = uniform_of(1.4 * use + 0.3 * rng.standard_normal(n))
    payer = np.exp(-0.75 * use - 0.55 + 0.3 * rng.standard_normal(n))
    # Whether no more or even less than the minimum is paid is a habit of the holder.
    steadiness = 0.5 * rng.standard_normal(n)
    forgetful = np.exp(1.3 * rng.standard_normal(n) - 0.65)
    smaller = np.maximum(on_grid(limit * rng.choice([0.25, 0.5, 0.75], n), 22_500), 22_500)
    current = np.where(rng.random(n) < 0.55, smaller, limit)
    raise_at = rng.integers(2, 16, n)
    null_months = np.where(rng.random(n) < 0.385, rng.integers(2, 26, n), 0)
    balance, days_late, was_drawing = np.zeros(n), np.zeros(n), np.zeros(n, dtype=bool)
    closed = np.zeros(n, dtype=bool)
    state: dict[str, FloatArray] = {
        name: np.zeros((n, _MONTHS), dtype=kind)
        for name, kind in {
            "alive": bool,
            "drawn_before": bool,
            "completed": bool,
            "age": int,
            "null_months": int,
            "balance": float,
            "limit": float,
            "drawing": float,
            "minimum": float,
            "payment": float,
            "dpd": int,
        }.items()
    }
    for step in range(_MONTHS):
        month = step - _MONTHS
        alive = (month >= start) & (month <= end)
        if not alive.any():
            continue
        age = month - start
        u = rng.random((5, n))
        current = np.where(alive & (age == raise_at), limit, current)
        closed |= alive & (balance <= 0) & (age > 6) & (u[0] < np.where(age >= first_draw, 0.036, 0.014))
        current = np.where(closed, 0.0, current)
        base = 0.50 * np.exp(-age / 26) + 0.04
        chance = np.clip(base * (0.35 + 1.3 * appetite), 0, 0.9)
        chance = np.where(was_drawing, 0.38 + 0.50 * chance, 0.60 * chance)
        draws = alive & ~closed & (age >= first_draw) & ((u[1] < chance) | ((age == first_draw) & (u[1] < 0.75)))
        wanted = quantile(u[2], levels, draw_share) * current * (0.7 + 1.8 * appetite)
        available = np.maximum(1.03 * current - balance, 0)
        drawing = np.where(draws, on_grid(np.minimum(np.minimum(wanted, 1.5 * current), available), 4.5), 0)
        due = np.round(np.minimum(np.where(balance > 0.05 * current, 0.05 * current, balance), balance), 3)
        generosity = quantile(
            uniform_of(steadiness + np.sqrt(1 - 0.5**2) * score_of(u[3])),
            [0, 0.026, 0.071, 0.335, 0.5, 0.75, 0.9, 0.97, 1],
            [0, 0.3, 1, 1, 1.06, 1.9, 4.4, 14, 40],
        )
        extra = on_grid(due * (generosity - 1) * np.where(generosity > 1, payer, 1))
        payment = np.where(alive, np.clip(due + extra, 0, balance), 0)
        next_balance = balance * (1 + _MONTHLY_INTEREST) + drawing - payment
        next_balance = np.where(
            next_balance < 20,
            0,
            np.minimum(on_grid(next_balance, 0.045), 1.09 * np.maximum(current, balance)),
        )
        stuck = days_late >= 30
        trouble = u[4] < np.where(stuck, 0.975, np.where(days_late > 0, 0.60, 0.022 * forgetful))
        days_late = np.where(
            alive & trouble & (next_balance > 0),
            np.where(stuck | ((days_late > 0) & (u[0] < 0.08)), days_late + 31, np.where(u[0] < 0.25, 7, 1)),
            0,
        )
        keep = {
            "alive": alive,
            "drawn_before": age >= first_draw,
            "completed": closed & (current == 0) & (month > -12) & (u[0] > 0.5),
            "age": age,
            "null_months": null_months,
            "balance": next_balance,
            "limit": current,
            "drawing": drawing,
            # What fell due in the month, on the balance at its beginning: it is what the payment is measured against.
            "minimum": np.where(alive, due, 0),
            "payment": payment,
            "dpd": days_late,
        }
        for name, values in keep.items():
            state[name][:, step] = values
        balance, was_drawing = np.where(alive, next_balance, balance), draws
    return state


def _drawing_parts(rng: np.random.Generator, draws: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Split drawings into cash machine, shops and other."""
    kind = np.searchsorted([0.548, 0.821, 0.98], rng.random(len(draws)))
    share = rng.random(len(draws))
    cash = np.select([kind == 0, kind == 1, kind == 2], [draws, 0.0, on_grid(draws * share)], 0.0)
    other = np.where(kind == 3, draws, 0.0)
    return cash, np.round(draws - cash - other, 3), other


def _drawing_counts(
    rng: np.random.Generator, draws: FloatArray, cash: FloatArray, shop: FloatArray, other: FloatArray
) -> IntArray:
    """Number of drawings by kind: at least one where the amount is positive."""
    extra = [rng.geometric(0.5, len(draws)), rng.geometric(0.22, len(draws)), np.ones(len(draws), dtype=int)]
    return np.stack([np.where(amount > 0, count, 0) for amount, count in zip((cash, shop, other), extra, strict=True)])
