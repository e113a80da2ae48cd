"""Credits of the clients at other lenders and their monthly status.

Grain: one credit (`bureau`) and one month of one credit (`bureau_balance`). Whether the monthly status is reported is a
property of the client, not of the credit; AMT_ANNUITY is filled for those clients only.
"""

import numpy as np
import pandas as pd

from credit_scoring.pipelines.synthetic_data.calibration import calibration
from credit_scoring.pipelines.synthetic_data.keys import KeyMaker
from credit_scoring.pipelines.synthetic_data.population import Scores
from credit_scoring.pipelines.synthetic_data.sampling import (
    BoolArray,
    FloatArray,
    IntArray,
    amount_quantile,
    cut_values,
    draw,
    draw_from_table,
    make_frame,
    months_before,
    quantile,
    ragged,
    score_of,
    text,
    uniform_of,
)

TYPES = [
    "Consumer credit",
    "Credit card",
    "Car loan",
    "Mortgage",
    "Microloan",
    "Loan for business development",
    "Another type of loan",
    "Unknown type of loan",
    "Loan for working capital replenishment",
    "Cash loan (non-earmarked)",
    "Real estate loan",
    "Loan for the purchase of equipment",
    "Loan for purchase of shares (margin lending)",
    "Mobile operator loan",
    "Interbank credit",
]
CONSUMER, CARD, CAR, MORTGAGE, MICRO = range(5)
ACTIVE, CLOSED, SOLD, BAD_DEBT = range(4)
BALANCE_COVERAGE, BALANCE_COVERAGE_TEST = 0.350, 1.0
_ORPHAN_HISTORIES = 0.1208
"""Credits per client whose monthly status is in the official file although the credit itself is not."""
_MICRO_CLIENT = 1.90
"""Score above which a client takes microloans."""
_TOGETHER = [0.06, 0.45, 0.07, 0.07, 0.14]
"""Share of the credits of a client with many of them that are granted with another one, by type: consumer, card, car,
mortgage, micro."""
_NEXT_DAY = 0.46
"""Share of those that are dated a day before or after the other one."""
_FAR_DATE_SHARE = 1.3e-4
_FARTHEST_END = 31_198
"""Days to the last planned end of the official file; the first percentile below it ends 136 days earlier."""
_RARE_TYPES = [0.0011, 0.0006, 0.0003, 0.0003, 3e-5, 1.6e-5, 1.1e-5, 3e-6, 1e-6, 1e-6]


def draw_bureau(
    rng: np.random.Generator,
    scores: Scores,
    no_bureau: BoolArray,
    reported: BoolArray,
    full_history: BoolArray,
    sk_id_curr: IntArray,
    new_keys: KeyMaker,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the credits of all clients of a chunk and their monthly status.

    Args:
        rng: Random generator of the chunk.
        scores: Normal scores and traits of the clients.
        no_bureau: Clients unknown to the credit bureau.
        reported: Clients whose credits have a monthly status.
        full_history: Clients whose monthly status always runs to the month of the application.
        sk_id_curr: Keys of the clients.
        new_keys: Makes that many unused SK_ID_BUREAU.

    Returns:
        The tables bureau and bureau_balance.
    """
    data = calibration()["bureau"]
    counts = cut_values(uniform_of(scores["DEPTH"]), data["count"])
    client, _ = ragged(np.where(no_bureau, 0, counts))
    n = len(client)
    leverage, newness = scores["LEVERAGE"][client], scores["NEWNESS"][client]
    laziness = -scores["DISCIPLINE"][client]
    row_score = 0.09 + 0.43 * newness + np.sqrt(1 - 0.43**2) * rng.standard_normal(n)
    days = np.round(quantile(uniform_of(row_score), calibration()["levels"], data["days"]))
    band = np.searchsorted(data["band_edges"], days)
    # Few clients borrow from microlenders, these few again and again: rather those whom this lender refuses.
    micro = 0.65 * scores["REFUSAL"] + 0.76 * rng.standard_normal(len(counts)) > _MICRO_CLIENT
    kind = _types(rng, data, band, leverage, micro[client])
    shape = np.minimum(kind, MICRO)
    shape = np.where(kind > MICRO, CONSUMER, shape)
    days = _granted_together(rng, client, days, shape)
    band = np.searchsorted(data["band_edges"], days)
    status = _statuses(rng, data, client, days, band, shape, leverage)
    active = status == ACTIVE
    duration, end, fact = _dates(rng, data, days, shape, status)
    amounts = _amounts(rng, data, scores, client, shape, active, days, duration, leverage, laziness)
    updated_active = [max(value, -2500) for value in data["update_active"]]
    update = np.where(
        active,
        np.maximum(np.round(quantile(rng.random(n), data["levels"], updated_active)), days),
        fact + np.round(np.maximum(quantile(rng.random(n), data["levels"], data["update_after_fact"]), 0)),
    )
    update = np.where(update >= 0, np.round(np.where(active, days, fact) * rng.random(n)), update)
    far = rng.random(n) < _FAR_DATE_SHARE
    covered = reported[client]
    # An annuity of zero is one that the other lenders of a client do not give, rather where there is little debt.
    silence = 0.90 * rng.standard_normal(len(counts))[client] - 0.25 * leverage
    unknown = rng.random(n) < uniform_of(np.where(active, -0.52, 0.30) + silence)
    annuity = np.where(unknown, 0.0, amounts.pop("annuity"))
    annuity = np.where(covered & (rng.random(n) < 0.643), annuity, np.nan)
    keys = new_keys(n)
    ended = np.where(active, rng.random(n) < 0.003, (status != SOLD) | (rng.random(n) < 0.28))
    frame = make_frame(
        "bureau",
        amounts
        | {
            "SK_ID_CURR": sk_id_curr[client],
            "SK_ID_BUREAU": keys,
            "CREDIT_ACTIVE": text(status, ["Active", "Closed", "Sold", "Bad debt"]),
            "CREDIT_CURRENCY": text(
                draw(rng, n, [0.9992, 0.00072, 0.0001, 1e-5]), [f"currency {i}" for i in (1, 2, 3, 4)]
            ),
            "DAYS_CREDIT": days,
            "DAYS_CREDIT_ENDDATE": np.where(far, -41_875.0, end),
            "DAYS_ENDDATE_FACT": np.where(ended, fact, np.nan),
            "CREDIT_TYPE": text(kind, TYPES),
            "DAYS_CREDIT_UPDATE": np.where(rng.random(n) < 6e-5, -41_900.0, update),
            "AMT_ANNUITY": annuity,
        },
    )
    orphans = np.flatnonzero(rng.random(len(sk_id_curr)) < _ORPHAN_HISTORIES)
    m = len(orphans)
    opened = np.round(rng.uniform(-2922, -1450, m))
    balance = _unfold_balance(
        rng,
        np.r_[keys[covered], new_keys(m)],
        np.r_[days[covered], opened],
        np.r_[np.where(active, np.nan, fact)[covered], np.round(opened * rng.beta(1.6, 1.2, m))],
        np.r_[full_history[client][covered], np.ones(m, dtype=bool)],
        np.r_[laziness[covered], rng.standard_normal(m)],
        np.r_[client[covered], orphans],
    )
    return frame, balance


def _types(rng: np.random.Generator, data: dict, band: IntArray, leverage: FloatArray, micro: BoolArray) -> IntArray:
    """Type of every credit: the five common ones change with time, the others are rare at any time."""
    common = np.array(data["type_by_band"])
    kind = draw_from_table(rng, band, np.hstack([common, np.tile(_RARE_TYPES, (len(common), 1))]))
    # Indebted clients hold more cards.
    to_card = (kind == CONSUMER) & (rng.random(len(kind)) < 0.075 * uniform_of(leverage - 0.4) * 2)
    kind = np.where(to_card, CARD, kind)
    back = (kind == CARD) & (rng.random(len(kind)) < 0.38 * uniform_of(-leverage - 0.3))
    kind = np.where(back, CONSUMER, kind)
    kind = np.where((kind == MICRO) & ~micro & (rng.random(len(kind)) < 0.96), CONSUMER, kind)
    to_micro = (kind == CONSUMER) & micro & (rng.random(len(kind)) < np.where(band >= 5, 0.85, 0.22))
    return np.where(to_micro, MICRO, kind)


def _granted_together(rng: np.random.Generator, client: IntArray, days: FloatArray, shape: IntArray) -> FloatArray:
    """Days of the credits, some of which are moved to the day of another credit of the client, or to a day beside it.

    Cards above all, which come with a purchase or with another card, and the more credits a client has.
    """
    sizes = np.bincount(client)
    first = np.cumsum(sizes) - sizes
    size, position = sizes[client], np.arange(len(client)) - first[client]
    together = rng.random(len(days)) * (size + 2) < np.array(_TOGETHER)[shape] * (size - 1)
    other = first[client] + (position + rng.integers(1, np.maximum(size, 2))) % size
    beside = rng.choice([-1, 0, 1], len(days), p=[_NEXT_DAY / 2, 1 - _NEXT_DAY, _NEXT_DAY / 2])
    return np.where(together, np.clip(days[other] + beside, -2922, -1), days)


def _statuses(
    rng: np.random.Generator,
    data: dict,
    client: IntArray,
    days: FloatArray,
    band: IntArray,
    shape: IntArray,
    leverage: FloatArray,
) -> IntArray:
    """Status of every credit: old ones are closed, those of indebted clients rather run."""
    shift = np.array([-0.42, 0.98, 0.10, 1.05, -1.6])[shape]
    active = rng.random(len(band)) < uniform_of(
        1.06 * (score_of(np.array(data["active_by_band"]))[band] + shift) + 0.27 * leverage
    )
    # Few indebted clients are without any running credit: their newest one runs on.
    without = np.bincount(client, weights=active)[client] == 0
    newest = np.lexsort((-days, client))[np.flatnonzero(np.diff(client, prepend=-1) != 0)]
    revived = np.zeros(len(band), dtype=bool)
    revived[newest] = True
    active |= revived & without & (rng.random(len(band)) < uniform_of(-0.85 + 0.7 * leverage))
    status = np.where(active, ACTIVE, CLOSED)
    status[rng.random(len(band)) < np.where(shape == MORTGAGE, 0.03, 0.0038)] = SOLD
    status[rng.random(len(band)) < 1.2e-5] = BAD_DEBT
    return status


def _dates(
    rng: np.random.Generator, data: dict, days: FloatArray, shape: IntArray, status: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Planned duration, planned end and actual end in days relative to the application."""
    n = len(days)
    duration = np.zeros(n)
    u = rng.random(n)
    for code in range(5):
        chosen = shape == code
        values = [max(value, 1) for value in data["duration"][TYPES[code]]]
        duration[chosen] = quantile(u[chosen], data["levels"], values)
    common = np.array([183, 365, 731, 1096, 1826])
    nearest = common[np.abs(duration[:, None] - common).argmin(1)]
    duration = np.where(
        (shape == CONSUMER) & (rng.random(n) < 0.4) & (np.abs(duration - nearest) < 90), nearest, np.round(duration)
    )
    # Credits without an end are given one and the same far date, which the applications see from different days.
    end = np.minimum(days + duration, _FARTHEST_END - np.abs(days) % 137)
    active = status == ACTIVE
    # A running credit has mostly not reached its planned end; a closed one ended on or before it.
    stretched = active & (end < 0) & (rng.random(n) < 0.58)
    end = np.where(stretched, np.round(-days * rng.beta(1.3, 1.6, n)) + 5, end)
    ended = ~active & (end > 0) & (rng.random(n) < 0.60)
    end = np.where(ended, np.round(days * rng.beta(1.0, 1.4, n)), end)
    duration = np.where(stretched | ended, end - days, duration)
    drift = quantile(
        rng.random(n),
        [0, 0.05, 0.1, 0.25, 0.47, 0.77, 0.9, 0.95, 0.99, 1],
        [-2500, -1342, -724, -121, 0, 0, 26, 143, 789, 2500],
    )
    fact = np.clip(np.round(end + drift), days + 1, None)
    fact = np.where(fact >= 0, np.round(days * rng.beta(1.1, 1.6, n)), fact)
    fact = np.clip(fact, days, -1)
    missing = rng.random(n) < np.array([0.010, 0.20, 0.006, 0.05, 0.52])[shape]
    return duration, np.where(missing, np.nan, end), fact


def _amounts(
    rng: np.random.Generator,
    data: dict,
    scores: Scores,
    client: IntArray,
    shape: IntArray,
    active: BoolArray,
    days: FloatArray,
    duration: FloatArray,
    leverage: FloatArray,
    laziness: FloatArray,
) -> dict[str, FloatArray]:
    """Amounts of every credit in the currency of the file; debt and limit are null where a lender does not tell."""
    n = len(client)
    levels = data["levels"]
    means = (
        -0.085
        + 0.42 * scores["AMT_INCOME_TOTAL"][client]
        + 0.30 * rng.standard_normal(len(scores["AMT_INCOME_TOTAL"]))[client]
    )
    u = uniform_of(means + np.sqrt(1 - 0.42**2 - 0.30**2) * rng.standard_normal(n))
    total, ratio = np.zeros(n), np.zeros(n)
    debt_u = uniform_of(0.50 * leverage + np.sqrt(1 - 0.50**2) * rng.standard_normal(n))
    for code in range(5):
        chosen = shape == code
        finished, running = data["amount_closed"][TYPES[code]], data["amount_active"][TYPES[code]]
        total[chosen] = np.where(
            active[chosen], amount_quantile(u[chosen], levels, running), amount_quantile(u[chosen], levels, finished)
        )
        ratios = [min(max(value, -0.05), 2.0) for value in data["debt_ratio"][TYPES[code]]]
        ratio[chosen] = quantile(debt_u[chosen], levels, ratios)
    # A sixth of the cards is reported without a limit.
    card_u = np.clip((u - 0.164) / 0.836, 0, 1)
    card_amount = quantile(
        card_u, [0, 0.09, 0.4, 0.7, 0.88, 0.94, 0.988, 1], [4500, 45e3, 112.5e3, 225e3, 405e3, 522e3, 846e3, 4.3e6]
    )
    total = np.where(shape == CARD, np.where(u < 0.164, 0, card_amount), total)
    grid = np.where(rng.random(n) < 0.5, 4500.0, np.where(rng.random(n) < 0.85, 4.5, 0.045))
    total = np.round(np.round(total / grid) * grid, 3)
    burden = 0.20 * scores["AMT_INCOME_TOTAL"] + 0.50 * rng.standard_normal(len(scores["AMT_INCOME_TOTAL"]))
    annuity_u = uniform_of(0.25 * score_of(u) + 0.10 * leverage + burden[client] + 0.75 * rng.standard_normal(n))
    # Instalment credits are paid down: the rest follows the elapsed share of the term.
    elapsed = np.clip(-days / np.maximum(duration, 1), 0, 1)
    paid_down = np.clip(1 - elapsed * np.exp(0.22 * rng.standard_normal(n) - 0.20 * leverage), 0, 1.05)
    instalment = (shape == CONSUMER) | (shape == CAR) | (shape == MORTGAGE)
    ratio = np.where(instalment, np.where(rng.random(n) < 0.06, 0, paid_down), ratio)
    debt = np.where(
        active, np.round(total * ratio / 0.045) * 0.045, np.where(rng.random(n) < 0.011, total * rng.random(n) * 0.5, 0)
    )
    card = shape == CARD
    late = rng.random(n) < np.where(active, 0.0062, 0.0002) * np.exp(1.0 * laziness - 0.22)
    has_limit = card & active & (rng.random(n) < 0.72 * uniform_of(0.6 * leverage)) & (total > 0)
    limit = np.where(
        has_limit,
        np.where(
            rng.random(n) < 0.67, np.maximum(total - debt, 0), amount_quantile(rng.random(n), levels, data["limit"])
        ),
        0,
    )
    limit = np.where(rng.random(n) < 2e-4, -limit - 500, limit)
    no_limit_info = rng.random(n) < np.where(active, 0.265, 0.355)
    no_debt_info = rng.random(n) < np.where(no_limit_info, 0.385, 0.03)
    max_overdue = np.where(
        rng.random(n) < uniform_of(-0.86 + 0.33 * laziness),
        amount_quantile(rng.random(n), levels, data["max_overdue"]),
        0,
    )
    max_overdue = np.where(rng.random(n) < np.where(no_limit_info, 0.83, 0.555), np.nan, np.round(max_overdue, 3))
    return {
        "CREDIT_DAY_OVERDUE": np.where(late, np.round(quantile(rng.random(n), levels, data["overdue_days"])), 0),
        "AMT_CREDIT_MAX_OVERDUE": max_overdue,
        "CNT_CREDIT_PROLONG": np.where(
            rng.random(n) < 0.006 * np.exp(0.8 * laziness - 0.32), rng.geometric(0.82, n), 0
        ),
        "AMT_CREDIT_SUM": np.where(rng.random(n) < 8e-6, np.nan, total),
        "AMT_CREDIT_SUM_DEBT": np.where(no_debt_info, np.nan, np.round(debt, 3)),
        "AMT_CREDIT_SUM_LIMIT": np.where(no_limit_info, np.nan, np.round(limit, 3)),
        "AMT_CREDIT_SUM_OVERDUE": np.where(
            late, np.round(amount_quantile(rng.random(n), levels, data["overdue_amount"]), 3), 0
        ),
        "annuity": np.round(amount_quantile(annuity_u, levels, data["annuity"]) / 4.5) * 4.5,
    }


_STATUS = ["0", "1", "2", "3", "4", "5", "C", "X"]
_CLOSED_CODE, _UNKNOWN_CODE = 6, 7
_NEXT = np.array(
    [
        [0.9771, 0.0223, 0.0004, 0.0001, 0.0000, 0.0001],
        [0.5200, 0.4130, 0.0620, 0.0010, 0.0000, 0.0040],
        [0.2450, 0.2050, 0.2200, 0.3300, 0.0000, 0.0000],
        [0.1750, 0.0420, 0.0280, 0.1650, 0.5700, 0.0200],
        [0.0400, 0.0000, 0.0000, 0.0100, 0.0500, 0.9000],
        [0.0300, 0.0090, 0.0040, 0.0000, 0.0030, 0.9540],
    ]
)
"""Monthly transitions between delay classes of a credit that is neither closed (C) nor unreported (X)."""


def _unfold_balance(
    rng: np.random.Generator,
    keys: IntArray,
    days: FloatArray,
    fact: FloatArray,
    full_history: BoolArray,
    laziness: FloatArray,
    client: IntArray,
) -> pd.DataFrame:
    """Monthly status from the month of the credit on; `C` is absorbing and months have no gaps."""
    n = len(keys)
    start = months_before(days)
    stops = rng.random(n) < np.where(np.isnan(fact), 0.19, 0.41) * np.clip(-start / 34, 0.1, 1.4)
    last = np.where(stops & ~full_history, np.minimum(np.round(start * rng.beta(1.6, 1.0, n)), -1), 0).astype(int)
    last = np.maximum(last, start)
    length = last - start + 1
    order = np.argsort(-length, kind="stable")
    keys, start, fact, length = keys[order], start[order], fact[order], length[order]
    laziness, client = laziness[order], client[order]

    # How a lender reports is a habit of the client's lenders: never unknown, now and then, or nearly always.
    reporting = uniform_of(
        0.5 * rng.standard_normal(client.max() + 1 if n else 0)[client]
        + 0.12 * laziness
        + 0.858 * rng.standard_normal(n)
    )
    habit = np.searchsorted([0.455, 0.83], reporting)
    to_unknown = np.array([0.0, 0.16, 0.50])[habit]
    stay_unknown = np.array([0.0, 0.62, 0.985])[habit]
    starts_unknown = rng.random(n) < np.array([0.05, 0.62, 0.97])[habit]
    worse = np.exp(0.85 * laziness + 0.8 * rng.standard_normal(n) - 0.72)

    # The closing is reported around the day of the actual end, but hardly ever by a lender who reports nothing else.
    running = np.isnan(fact)
    lag_u = uniform_of(0.35 * laziness - 0.25 + np.sqrt(1 - 0.35**2) * rng.standard_normal(n))
    lag = np.round(quantile(lag_u, calibration()["bureau"]["levels"], calibration()["bureau"]["closing_lag"]))
    closing = np.where(
        running, np.ceil(length * rng.beta(1.0, 1.6, n)), months_before(np.nan_to_num(fact)) + lag - start
    )
    says_closed = rng.random(n) < np.where(running, 0.36, 0.97)
    closing = np.where(says_closed, np.maximum(closing, rng.random(n) >= 0.016), 10_000)

    cumulated = np.cumsum(_NEXT, axis=1)
    longest = int(length[0]) if n else 0
    history = np.zeros((n, longest), dtype=np.int8)
    delay = np.zeros(n, dtype=np.int64)
    unknown = starts_unknown
    closed = np.zeros(n, dtype=bool)
    for month in range(longest):
        alive = int(np.searchsorted(-length, -month, side="left"))
        u = rng.random((3, alive))
        closed[:alive] |= (month >= closing[:alive]) & (~unknown[:alive] | (u[2] < 0.015))
        if month:
            stays = unknown[:alive]
            unknown[:alive] = u[0] < np.where(stays, stay_unknown[:alive], to_unknown[:alive])
            now = delay[:alive]
            point = np.where(now == 0, 1 - (1 - u[1]) / worse[:alive], u[1])
            delay[:alive] = (point[:, None] >= cumulated[now, :5]).sum(1)
        code = np.where(unknown[:alive], _UNKNOWN_CODE, delay[:alive])
        history[:alive, month] = np.where(closed[:alive], _CLOSED_CODE, code)
    credit, position = ragged(length)
    return make_frame(
        "bureau_balance",
        {
            "SK_ID_BUREAU": keys[credit],
            "MONTHS_BALANCE": start[credit] + position,
            "STATUS": text(history[credit, position], _STATUS),
        },
    )
