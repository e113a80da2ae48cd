"""Payments of the earlier loans.

Grain: one payment of one instalment; an instalment paid in parts has several rows. Instalments fall due every 30 days
from the first due day on; how early or late they are paid follows the punctuality of the client and a habit of the
loan. Card payments (version 0) come from the monthly history of the card.
"""

import numpy as np
import pandas as pd

from credit_scoring.pipelines.synthetic_data.credit_card import CardPayments
from credit_scoring.pipelines.synthetic_data.population import Scores
from credit_scoring.pipelines.synthetic_data.previous_application import Loans
from credit_scoring.pipelines.synthetic_data.sampling import (
    DAYS_PER_MONTH,
    BoolArray,
    FloatArray,
    make_frame,
    quantile,
    ragged,
    uniform_of,
)

_DELAY_LEVELS = [0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.83, 0.899, 0.9, 0.95, 0.99, 0.999, 1]
_DELAY_DAYS = [-400, -157, -71, -37, -29, -21, -15, -11, -9, -6, -4, -1, 0, 0, 1, 3, 20, 51, 1177]
_ON_TIME = 0.899
"""Share of instalments that are paid on time."""
_CARD_DELAY_LEVELS = [0, 0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.345, 0.96, 0.982, 0.99, 0.999, 1]
_CARD_DELAY_DAYS = [-30, -29, -19, -14, -11, -8, -5, -3, 0, 0, 5, 11, 288, 1500]
_LARGEST_AMOUNT = 3_771_487.845
_HORIZON = -2922


def unfold_installments(rng: np.random.Generator, loans: Loans, scores: Scores, cards: CardPayments) -> pd.DataFrame:
    """Unfold the payments of loans and cards up to the day before the application."""
    parts = [_loan_payments(rng, loans.select(~loans.is_card), scores), _card_payments(rng, cards)]
    return make_frame(
        "installments_payments", {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    )


def _loan_payments(rng: np.random.Generator, loans: Loans, scores: Scores) -> dict[str, FloatArray]:
    n = len(loans.client)
    fallen_due = np.clip(np.floor((-1 - loans.first_due) / 30) + 1, 0, loans.repaid_at).astype(int)
    laziness = -scores["DISCIPLINE"][loans.client]
    habit = 0.62 * laziness + np.sqrt(1 - 0.62**2) * rng.standard_normal(n)
    splits_often = rng.random(n) < uniform_of(-0.95 + 0.55 * laziness)
    loan, position = ragged(fallen_due)
    number = position + 1
    last = number == loans.repaid_at[loan]
    early = last & (loans.repaid_at[loan] < loans.term[loan])
    due = loans.first_due[loan] + 30 * position
    # Early repayment: the rest of the principal in one payment, under a new version of the calendar.
    rest = np.where(early, 1 + 0.88 * (loans.term[loan] - number), np.where(last, rng.uniform(0.75, 1.0, len(loan)), 1))
    amount = np.round(loans.annuity[loan] * rest / 0.045) * 0.045
    version = 1 + early + np.where(rng.random(n) < 0.03, rng.geometric(0.35, n), 0)[loan] * (number > 2)

    n_parts = 1 + (rng.random(len(loan)) < np.where(splits_often, 0.30, 0.012)[loan])
    n_parts += (n_parts > 1) & (rng.random(len(loan)) < 0.12)
    row, part = ragged(n_parts)
    z = 0.70 * habit[loan] + np.sqrt(1 - 0.70**2) * rng.standard_normal(len(loan))
    level = uniform_of(z)
    # How early an instalment is paid is a habit that says little about whether one will be late.
    eager = 0.15 * laziness + np.sqrt(1 - 0.15**2) * rng.standard_normal(n)
    early_score = 0.70 * eager[loan] + np.sqrt(1 - 0.70**2) * rng.standard_normal(len(loan))
    level = np.where(level < _ON_TIME, _ON_TIME * uniform_of(early_score), level)
    delay = np.round(quantile(level, _DELAY_LEVELS, _DELAY_DAYS))[row]
    split = n_parts[row] > 1
    share = _part_shares(rng, n_parts)[row, part]
    delay = delay + np.where(split & (part > 0), rng.integers(1, 16, len(row)) * part, 0)
    paid_on = due[row] + delay
    unpaid = (paid_on >= 0) & (rng.random(len(row)) < 0.03)
    payment = amount[row] * share
    overpaid = ~split & (rng.random(len(row)) < 0.021)
    payment = np.where(overpaid, payment * (1 + rng.exponential(0.8, len(row))), payment)
    version = version[row] + (split & (part > 0) & (rng.random(len(row)) < 0.30))
    kept = due[row] >= _HORIZON
    return _columns(
        loans.sk_id_prev[loan][row],
        loans.sk_id_curr[loan][row],
        version,
        number[row],
        due[row],
        paid_on,
        amount[row],
        payment,
        unpaid,
        kept,
    )


def _part_shares(rng: np.random.Generator, n_parts: FloatArray) -> FloatArray:
    """Shares of an instalment that is paid in one to three parts; the first part is tiny or nearly everything."""
    n = len(n_parts)
    first = quantile(rng.random(n), [0, 0.05, 0.25, 0.5, 0.75, 1], [0.0002, 0.002, 0.05, 0.5, 0.95, 0.9995])
    second = np.where(n_parts == 3, 0.5, 1.0) * (1 - first)
    return np.stack([np.where(n_parts > 1, first, 1.0), second, 1 - first - second], axis=1)


def _card_payments(rng: np.random.Generator, cards: CardPayments) -> dict[str, FloatArray]:
    n_parts = 1 + rng.binomial(3, 0.27, len(cards.month))
    row, part = ragged(n_parts)
    share = rng.dirichlet(np.ones(4) * 0.7, len(cards.month))[row, part] * np.where(n_parts[row] == 1, 0, 1)
    total = np.bincount(row, weights=share, minlength=len(cards.month))[row]
    share = np.where(n_parts[row] == 1, 1.0, share / np.maximum(total, 1e-9))
    amount = np.maximum(np.round(cards.payment[row] * share / 0.045) * 0.045, 0.045)
    due = np.minimum(np.round(cards.month[row] * DAYS_PER_MONTH) + rng.integers(-14, 15, len(cards.month))[row], -1)
    delay = np.round(quantile(rng.random(len(row)), _CARD_DELAY_LEVELS, _CARD_DELAY_DAYS))
    under = rng.random(len(row)) < 0.033
    payment = np.where(under, amount * rng.random(len(row)), amount)
    number = _running_number(cards.card[row])
    kept = due >= _HORIZON
    return _columns(
        cards.sk_id_prev[row],
        cards.sk_id_curr[row],
        np.zeros(len(row)),
        number,
        due,
        due + delay,
        amount,
        payment,
        rng.random(len(row)) < 0.0005,
        kept,
    )


def _running_number(group: FloatArray) -> FloatArray:
    """1, 2, … within runs of equal group numbers."""
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(group) else np.zeros(0, dtype=int)
    lengths = np.diff(np.r_[starts, len(group)])
    return np.arange(len(group)) - np.repeat(starts, lengths) + 1


def _columns(
    sk_id_prev: FloatArray,
    sk_id_curr: FloatArray,
    version: FloatArray,
    number: FloatArray,
    due: FloatArray,
    paid_on: FloatArray,
    amount: FloatArray,
    payment: FloatArray,
    unpaid: BoolArray,
    kept: BoolArray,
) -> dict[str, FloatArray]:
    """Columns of the rows within the horizon; nothing is paid on or after the day of the application."""
    columns = {
        "SK_ID_PREV": sk_id_prev,
        "SK_ID_CURR": sk_id_curr,
        "NUM_INSTALMENT_VERSION": version,
        "NUM_INSTALMENT_NUMBER": number,
        "DAYS_INSTALMENT": due,
        "DAYS_ENTRY_PAYMENT": np.where(unpaid, np.nan, np.minimum(paid_on, -1)),
        "AMT_INSTALMENT": np.round(np.minimum(amount, _LARGEST_AMOUNT), 3),
        "AMT_PAYMENT": np.where(unpaid, np.nan, np.round(np.minimum(payment, _LARGEST_AMOUNT), 3)),
    }
    return {name: values[kept] for name, values in columns.items()}
