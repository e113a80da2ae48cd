"""Earlier applications of the clients to this lender, and the loans that came out of them.

Grain: one application. Dates are days relative to the current application; `365243` marks a date that does not exist
(never drawn, still running). The approved applications with dates become `Loans`, whose monthly histories the other
modules unfold, so that a history always agrees with its application.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from credit_scoring.pipelines.synthetic_data.calibration import calibration
from credit_scoring.pipelines.synthetic_data.keys import KeyMaker
from credit_scoring.pipelines.synthetic_data.population import Scores
from credit_scoring.pipelines.synthetic_data.sampling import (
    DAYS_PER_MONTH,
    MISSING,
    BoolArray,
    FloatArray,
    IntArray,
    amount_quantile,
    cut,
    cut_values,
    draw,
    draw_from_table,
    draw_rows,
    make_frame,
    on_grid,
    quantile,
    ragged,
    text,
    uniform_of,
)

NO_DATE = 365_243.0
CASH, CONSUMER, REVOLVING = 0, 1, 2
APPROVED, CANCELED, REFUSED, UNUSED = 0, 1, 2, 3
TYPES = ["Cash loans", "Consumer loans", "Revolving loans", "XNA"]
STATUSES = ["Approved", "Canceled", "Refused", "Unused offer"]
YIELDS = ["high", "middle", "low_normal", "low_action", "XNA"]
NO_YIELD = 4
WITHOUT_PREVIOUS_SHARE = 0.0475
_MAX_APPLICATIONS = 60
_ORPHAN_SHARE = {CASH: 0.040, CONSUMER: 0.040, REVOLVING: 0.109}
"""Approved loans whose application row is absent from the official file although their monthly rows are there."""


@dataclass(frozen=True)
class Loans:
    """Approved earlier loans with a schedule, one element per loan.

    Attributes:
        client: Index of the client within the chunk.
        sk_id_curr: Key of the client.
        sk_id_prev: Key of the loan.
        decision: Day of the decision (negative).
        is_card: Whether the loan is a credit card (no term, no instalment schedule).
        term: Number of monthly instalments; 0 for a card.
        annuity: Instalment due every 30 days.
        credit: Amount lent, or limit of the card.
        first_due: Day of the first instalment (may lie after the application).
        first_drawing: Day of the first drawing on a card; `NO_DATE` if there was none yet.
        repaid_at: Number of the instalment with which the loan is (or would be) repaid; below `term` = early.
    """

    client: IntArray
    sk_id_curr: IntArray
    sk_id_prev: IntArray
    decision: FloatArray
    is_card: BoolArray
    term: IntArray
    annuity: FloatArray
    credit: FloatArray
    first_due: FloatArray
    first_drawing: FloatArray
    repaid_at: IntArray

    def select(self, mask: BoolArray) -> "Loans":
        """Return the loans under the mask."""
        return Loans(**{name: values[mask] for name, values in vars(self).items()})


def draw_previous_applications(
    rng: np.random.Generator, scores: Scores, has_card: BoolArray, sk_id_curr: IntArray, new_keys: KeyMaker
) -> tuple[pd.DataFrame, Loans]:
    """Draw the earlier applications of all clients of a chunk.

    Args:
        rng: Random generator of the chunk.
        scores: Normal scores and traits of the clients.
        has_card: Clients who were granted a credit card, one each.
        sk_id_curr: Keys of the clients.
        new_keys: Makes that many unused SK_ID_PREV.

    Returns:
        The table without its orphans, and the loans with a history, orphans included.
    """
    data = calibration()["previous"]
    client, days, is_first, is_card = _occasions(rng, scores, has_card)
    n = len(client)
    trait = {name: scores[name][client] for name in ("REFUSAL", "LOAN_SIZE")}
    kind, status = _types_and_statuses(rng, data, days, is_first, trait, client)
    kind, status = np.where(is_card, REVOLVING, kind), np.where(is_card, APPROVED, status)
    # Cancelled before any offer was made: no amounts and no product. Rows: type, columns: status.
    blank = rng.random(n) < np.array([[0, 0.97, 0.13, 0], [0, 1, 0, 0], [0, 0.97, 0.02, 0]])[kind, status]
    empty_terms = blank | (status == UNUSED) | ((status == REFUSED) & (kind == CONSUMER) & (rng.random(n) < 0.21))

    size = 0.42 * scores["AMT_INCOME_TOTAL"][client] + 0.50 * scores["LOAN_SIZE"][client]
    amount_u = uniform_of(size + np.sqrt(1 - 0.42**2 - 0.50**2) * rng.standard_normal(n))
    offer = _offer(rng, data, kind, amount_u, trait, empty_terms)
    # Cards of long ago came with smaller limits.
    limit_score = np.where(days < -1800, -0.80, 0.27) + 0.20 * scores["AMT_INCOME_TOTAL"][client]
    limit_u = uniform_of(limit_score + np.sqrt(1 - 0.46**2 - 0.20**2) * rng.standard_normal(n))
    card_limit = cut_values(limit_u[is_card], calibration()["credit_card"]["limit"])
    for name, part in (("application", 1), ("credit", 1), ("annuity", 20)):
        offer[name][is_card] = card_limit / part
    schedule = _schedule(rng, kind, status, days, is_first, offer["term"], scores["CARD_USE"][client])
    keys = new_keys(n)
    columns = _table_columns(rng, data, kind, status, blank, empty_terms, offer, schedule)
    columns |= {"SK_ID_PREV": keys, "SK_ID_CURR": sk_id_curr[client], "DAYS_DECISION": days}
    first_of_client = np.where(is_first & (rng.random(n) < 0.98), 1, np.where(rng.random(n) < 0.10, 2, 0))
    first_of_client[rng.random(n) < 0.0012] = 3
    columns["NAME_CLIENT_TYPE"] = text(first_of_client, ["Repeater", "New", "Refreshed", "XNA"])

    orphan = schedule["dated"] & (
        rng.random(n) < np.array([_ORPHAN_SHARE[k] for k in (CASH, CONSUMER, REVOLVING)])[kind]
    )
    frame = make_frame("previous_application", columns)[~orphan].reset_index(drop=True)
    dated = schedule["dated"]
    loans = Loans(
        client=client[dated],
        sk_id_curr=sk_id_curr[client][dated],
        sk_id_prev=keys[dated],
        decision=days[dated].astype(float),
        is_card=kind[dated] == REVOLVING,
        term=np.where(kind == REVOLVING, 0, offer["term"])[dated].astype(int),
        annuity=offer["annuity"][dated],
        credit=offer["credit"][dated],
        first_due=schedule["first_due"][dated],
        first_drawing=schedule["first_drawing"][dated],
        repaid_at=schedule["repaid_at"][dated],
    )
    return frame, loans


def _occasions(
    rng: np.random.Generator, scores: Scores, has_card: BoolArray
) -> tuple[IntArray, IntArray, BoolArray, BoolArray]:
    """Who applied when, oldest first: client, decision day, whether for the first time, whether for the card."""
    data = calibration()["previous"]
    # Shifted negative binomial: mean and variance of the applications per client that has any, the card apart.
    dispersion, mean = 1.35, 3.85
    k = np.arange(1, _MAX_APPLICATIONS)
    ratios = (k - 1 + dispersion) / k * mean / (mean + dispersion)
    shares = np.concatenate([[1.0], np.cumprod(ratios)])
    shares *= (1 - WITHOUT_PREVIOUS_SHARE) / shares.sum()
    counts = cut(uniform_of(scores["ACTIVITY"]), [WITHOUT_PREVIOUS_SHARE, *shares])
    has_card = has_card & (counts > 0)
    client, _ = ragged(counts)
    age_of_file = 0.35 * scores["DAYS_LAST_PHONE_CHANGE"] + 0.94 * rng.standard_normal(len(counts))
    mixed = 0.40 * age_of_file[client] + np.sqrt(1 - 0.40**2) * rng.standard_normal(len(client))
    days = quantile(uniform_of(mixed), calibration()["levels"], data["days"])
    holders = np.flatnonzero(has_card)
    # Cards are older than other loans: many were sent out years ago. New clients have new cards.
    age_of_card = -0.30 * scores["NEWNESS"] - 0.30 * scores["DAYS_LAST_PHONE_CHANGE"]
    age_of_card = age_of_card[holders] + 0.88 * rng.standard_normal(len(holders))
    months = quantile(uniform_of(age_of_card), calibration()["levels"], calibration()["credit_card"]["months"])
    card_days = -DAYS_PER_MONTH * (np.round(months) + rng.random(len(holders)))
    client = np.concatenate([client, holders])
    days = np.clip(np.round(np.concatenate([days, card_days])), -2922, -2).astype(int)
    is_card = np.arange(len(client)) >= len(client) - len(holders)
    order = np.lexsort((days, client))
    client, days, is_card = client[order], days[order], is_card[order]
    others = np.flatnonzero(~is_card)
    is_first = np.zeros(len(client), dtype=bool)
    is_first[others[np.diff(client[others], prepend=-1) != 0]] = True
    # The loan that made a client of the applicant is old enough to have a history.
    days = np.where(is_first & (days > -62), days - 62, days)
    return client, days, is_first, is_card


def _types_and_statuses(
    rng: np.random.Generator,
    data: dict,
    days: IntArray,
    is_first: BoolArray,
    trait: Scores,
    client: IntArray,
) -> tuple[IntArray, IntArray]:
    """Contract type and status of every application, which depend on its day, the client's refusals and each other."""
    band = np.searchsorted(data["band_edges"], days)
    joint = np.array(data["type_status_weights"])
    by_type = np.array(data["type_by_band"]) / np.array(data["type_status"]).sum(1)
    by_status = np.array(data["status_by_band"]) / np.array(data["type_status"]).sum(0)
    weights = (joint[None] * by_type[:, :, None] * by_status[:, None, :])[band]
    weights /= weights.sum((1, 2), keepdims=True)
    # A first contact is a consumer loan in a shop; cash loans and cards are offered to known clients.
    weights *= np.where(is_first[:, None], [0.16, 4.0, 0.2], [1.0, 0.66, 1.0])[:, :, None]
    weights *= np.where(is_first[:, None], [1.0, 0.3, 0.5, 1.0], [1.0, 1.02, 1.0, 1.0])[:, None, :]
    refusal = np.exp(1.05 * trait["REFUSAL"] - 0.50)
    weights[:, :, REFUSED] *= refusal[:, None]
    code = draw_rows(rng, weights.reshape(len(days), -1))
    kind, status = code // 4, code % 4
    # Nearly every client with an application has had a loan: the first application becomes one where none was granted.
    granted = np.bincount(client, weights=(status == APPROVED) & (kind != REVOLVING))
    convert = is_first & (granted[client] == 0) & (rng.random(len(days)) < 0.99)
    return np.where(convert, np.where(kind == REVOLVING, CONSUMER, kind), kind), np.where(convert, APPROVED, status)


def _offer(
    rng: np.random.Generator, data: dict, kind: IntArray, amount_u: FloatArray, trait: Scores, empty_terms: BoolArray
) -> dict[str, FloatArray]:
    """Amounts, product, price and term of every application, as if it were approved."""
    n = len(kind)
    levels = data["levels"]
    # Riskier clients are offered dearer products.
    price = 0.45 * trait["REFUSAL"]
    walk_in = rng.random(n) < uniform_of(np.where(kind == REVOLVING, -0.30, -1.05) + 0.80 * trait["REFUSAL"])
    street = np.exp(np.stack([price, 0 * price, -price, -price], 1))
    cash_yield = draw_rows(
        rng, np.where(walk_in[:, None], [0.485, 0.258, 0.207, 0.050], [0.193, 0.406, 0.370, 0.031]) * street
    )
    combination = draw_rows(
        rng,
        np.array(list(data["pos"]["combination"].values()))
        * np.exp(np.where([name.split()[1] == "mobile" for name in data["pos"]["combination"]], price[:, None], 0)),
    )
    pos_yield = draw_rows(
        rng, np.array(list(data["pos"]["yield"].values()))[_yield_rows(data)][combination] * street + 1e-9
    )
    group = np.where(kind == CASH, cash_yield, np.where(kind == CONSUMER, pos_yield, NO_YIELD))
    group = np.where(empty_terms, NO_YIELD, group)

    cash_credit = amount_quantile(amount_u, levels, data["amount"]["Cash loans"])
    cash_factor = quantile(rng.random(n), levels, data["cash_factor"])
    cash_application = np.where(
        rng.random(n) < 0.8, on_grid(cash_credit / cash_factor, 22_500), on_grid(cash_credit / cash_factor, 4500)
    )
    cash_application = np.maximum(cash_application, 22_500)
    consumer_application = on_grid(amount_quantile(amount_u, levels, data["amount"]["Consumer loans"]) * 1.03, 4.5)
    rounded = on_grid(consumer_application, 4500)
    consumer_application = np.where((rng.random(n) < 0.35) & (rounded > 0), rounded, consumer_application)
    down_share = np.where(
        rng.random(n) < 0.46,
        0,
        quantile(rng.random(n), [0, 0.08, 0.5, 0.75, 0.9, 0.97, 1], [0.001, 0.09, 0.1, 0.12, 0.25, 0.4, 0.73]),
    )
    down_payment = on_grid(consumer_application * down_share)
    insured = rng.random(n) < np.where(kind == CASH, 0.62, 0.30)
    consumer_factor = np.where(insured, rng.uniform(1.05, 1.17, n), 1.0)
    limit = on_grid(amount_quantile(amount_u, levels, data["amount"]["Revolving loans"]), 22_500)
    limit = np.where(rng.random(n) < 0.006, 0, np.maximum(limit, 45_000))

    is_cash, is_consumer = kind == CASH, kind == CONSUMER
    application = np.where(is_cash, cash_application, np.where(is_consumer, consumer_application, limit))
    credit = np.where(
        is_cash,
        on_grid(cash_application * cash_factor),
        np.where(is_consumer, on_grid((consumer_application - down_payment) * consumer_factor), limit),
    )
    # Larger amounts run longer; for the same amount, riskier clients take smaller instalments over longer terms.
    patience = 0.40 * trait["REFUSAL"] - 0.30 * trait["LOAN_SIZE"]
    patience_u = uniform_of(patience + np.sqrt(1 - 0.40**2 - 0.30**2) * rng.standard_normal(n))
    term = _term(data, kind, amount_u, patience_u)
    # Flat monthly cost by type and yield group: what is paid back is the credit x (1 + cost x term).
    rate = np.full(n, 0.02)
    dearness = uniform_of(0.5 * trait["REFUSAL"] + np.sqrt(1 - 0.5**2) * rng.standard_normal(n))
    for code in (CASH, CONSUMER):
        for band, name in enumerate(YIELDS[:NO_YIELD]):
            chosen = (kind == code) & (group == band)
            rate[chosen] = quantile(dearness[chosen], levels, data["monthly_cost"][TYPES[code]][name])
    priced = kind != REVOLVING
    cost = np.where(priced, np.minimum(1 + rate * term, 3.0), 1.0)
    annuity = np.where(priced, np.round(credit * cost / np.maximum(term, 1) / 0.045) * 0.045, limit / 20)
    return {
        "walk_in": walk_in,
        "combination": combination,
        "yield": group,
        "application": application,
        "credit": credit,
        "down_payment": down_payment,
        "term": term,
        "annuity": np.round(annuity, 3),
        "insured": np.where(is_cash, rng.random(n) < 0.81, np.where(is_consumer, rng.random(n) < 0.14, False)),
    }


def _yield_rows(data: dict) -> IntArray:
    names = list(data["pos"]["yield"])
    return np.array([names.index(name) for name in data["pos"]["combination"]])


def _term(data: dict, kind: IntArray, amount_u: FloatArray, patience_u: FloatArray) -> IntArray:
    """Number of instalments, which grows with the rank of the amount and with that of the wish for small ones."""
    score_u = np.clip(0.55 * amount_u + 0.45 * patience_u, 0, 1)
    # The sum of two uniforms is not uniform; its own ranks are.
    ranks = np.interp(score_u, np.linspace(0, 1, 201), _mixture_cdf(0.55, 0.45))
    term = np.zeros(len(kind), dtype=int)
    for code, name in ((CASH, TYPES[CASH]), (CONSUMER, TYPES[CONSUMER])):
        shares = dict(sorted(((int(months), share) for months, share in data["term"][name].items())))
        chosen = kind == code
        term[chosen] = np.array(list(shares))[cut(ranks[chosen], list(shares.values()))]
    return term


def _mixture_cdf(a: float, b: float) -> FloatArray:
    """Distribution function of a U + b V with independent uniforms and a + b = 1, on 201 points of [0, 1]."""
    x = np.linspace(0, 1, 201)
    return (np.maximum(x, 0) ** 2 - np.maximum(x - a, 0) ** 2 - np.maximum(x - b, 0) ** 2) / (2 * a * b)


def _schedule(
    rng: np.random.Generator,
    kind: IntArray,
    status: IntArray,
    days: IntArray,
    is_first: BoolArray,
    term: IntArray,
    card_use: FloatArray,
) -> dict[str, FloatArray]:
    """Dates of the approved loans; `dated` marks the ones that were really paid out."""
    n = len(kind)
    never_paid_out = np.where(is_first, 0.008, np.array([0.075, 0.052, 0.050])[kind])
    dated = (status == APPROVED) & (rng.random(n) >= never_paid_out)
    first_due = days + np.round(
        quantile(rng.random(n), [0, 0.2, 0.5, 0.75, 0.9, 0.95, 0.99, 1], [30, 30, 31, 33, 43, 57, 110, 200])
    )
    last_planned = first_due + 30 * (term - 1)
    # Long cash loans hardly ever run to their end.
    early = (rng.random(n) < np.where(kind == CASH, np.where(term > 24, 0.92, 0.78), 0.40)) & (term > 2)
    tempo = np.where(kind == CASH, np.where(term > 24, 1.05, 1.25), 1.6)
    repaid_at = np.where(early, np.ceil(term * rng.beta(tempo, np.where(term > 24, 2.7, 1.7), n)), term).astype(int)
    repaid_at = np.clip(repaid_at, 1, np.maximum(term, 1))
    last_due = first_due + 30 * (repaid_at - 1)
    termination = last_due + np.where(rng.random(n) < 0.97, rng.integers(2, 14, n), rng.integers(14, 320, n))
    # Half of the cards are drawn on at once, the others wait; a young card may never have been drawn on.
    at_once = rng.random(n) < uniform_of(-0.08 + 0.75 * card_use)
    months_waited = np.where(at_once, 0, 1 + rng.geometric(np.clip(0.052 * np.exp(0.45 * card_use), 0.005, 0.5)))
    first_drawing = days + 1 + np.round(DAYS_PER_MONTH * months_waited + np.where(at_once, 0, rng.integers(0, 20, n)))
    first_drawing = np.where((kind == REVOLVING) & (first_drawing < 0), first_drawing, NO_DATE)
    return {
        "dated": dated,
        "first_drawing": first_drawing,
        "first_due": first_due,
        "last_planned": last_planned,
        "repaid_at": repaid_at,
        "last_due": np.where(last_due < 0, last_due, NO_DATE),
        "termination": np.where((last_due < 0) & (termination < 0), termination, NO_DATE),
    }


def _table_columns(
    rng: np.random.Generator,
    data: dict,
    kind: IntArray,
    status: IntArray,
    blank: BoolArray,
    empty_terms: BoolArray,
    offer: dict[str, FloatArray],
    schedule: dict[str, FloatArray],
) -> dict[str, object]:
    """Columns of the official table but the keys, the day and the client type."""
    n = len(kind)
    cash, consumer, revolving = kind == CASH, kind == CONSUMER, kind == REVOLVING
    approved = status == APPROVED
    # Cards issued without a request have no amount applied for.
    unasked = revolving & ~blank & (rng.random(n) < np.where(approved, 0.39, 0.29))
    application = np.where(blank | unasked, 0, offer["application"])
    credit = np.where(blank, 0, offer["credit"])
    annuity = np.where(empty_terms, np.nan, offer["annuity"])
    goods = np.where(blank | unasked, np.nan, offer["application"])
    down = np.where(
        consumer & ~(blank | ((status != APPROVED) & (rng.random(n) < 0.08))),
        offer["down_payment"],
        np.where(cash & approved & (rng.random(n) < 0.148), 0.0, np.nan),
    )
    # 1.0891 is the constant ratio found between the published rate and down / (credit + down).
    rate = 1.0891 * down / np.maximum(credit + down, 1)
    priced = rng.random(n) < np.where(consumer & approved, 0.0085, 0.0)
    interest = np.where(priced, rng.choice([0.142440, 0.189122, 0.189136, 0.196914, 0.160716], n), np.nan)
    portfolio = np.where(empty_terms, 4, np.where(cash, 0, np.where(consumer, 1, 2)))
    portfolio = np.where((portfolio == 1) & (rng.random(n) < 0.001), 3, portfolio)
    product = np.where(consumer | blank, 2, offer["walk_in"].astype(int))
    dated = schedule["dated"]
    drawn_card = revolving & (schedule["first_drawing"] < 0) & (rng.random(n) < 0.85)
    card_due = schedule["first_drawing"] + 30
    first_due = np.where(revolving, np.where(drawn_card, card_due, NO_DATE), schedule["first_due"])

    def when(values: FloatArray) -> FloatArray:
        return np.where(dated, values, np.nan)

    names, combination = _combinations(data, kind, blank, offer)
    suite = draw(rng, n, list(data["suite"].values()))
    suite[rng.random(n) < np.where(blank, 0.967, np.where(consumer, 0.345, np.where(cash, 0.315, 0.52)))] = MISSING
    weekdays, hours = data["weekday"], data["hour"]
    seller = _sellers(rng, data, kind, combination, names)
    purpose_names = list(data["purpose"])
    purpose = np.where(cash, draw(rng, n, list(data["purpose"].values())), len(purpose_names))
    purpose = np.where(cash & blank, purpose_names.index("XNA"), purpose)
    payment = np.where(
        blank | revolving,
        0,
        draw_from_table(rng, np.minimum(kind, 1), np.array([[0.11, 0.889, 0.001, 0.0], [0.125, 0.865, 0.001, 0.009]])),
    )
    unknown_type = blank & (rng.random(n) < 0.0011)
    return {
        "NAME_CONTRACT_TYPE": text(np.where(unknown_type, 3, kind), TYPES),
        "AMT_ANNUITY": annuity,
        "AMT_APPLICATION": application,
        "AMT_CREDIT": credit,
        "AMT_DOWN_PAYMENT": down,
        "AMT_GOODS_PRICE": goods,
        "WEEKDAY_APPR_PROCESS_START": text(draw(rng, n, list(weekdays.values())), list(weekdays)),
        "HOUR_APPR_PROCESS_START": cut_values(rng.random(n), hours),
        "FLAG_LAST_APPL_PER_CONTRACT": text((rng.random(n) < 0.005).astype(int), ["Y", "N"]),
        "NFLAG_LAST_APPL_IN_DAY": (rng.random(n) >= 0.0035).astype(int),
        "RATE_DOWN_PAYMENT": rate,
        "RATE_INTEREST_PRIMARY": interest,
        "RATE_INTEREST_PRIVILEGED": np.where(priced, rng.choice([0.637949, 0.835095, 0.852537, 0.867336], n), np.nan),
        "NAME_CASH_LOAN_PURPOSE": text(purpose, [*purpose_names, "XAP"]),
        "NAME_CONTRACT_STATUS": text(status, STATUSES),
        "NAME_PAYMENT_TYPE": text(
            payment,
            ["XNA", "Cash through the bank", "Cashless from the account of the employer", "Non-cash from your account"],
        ),
        "CODE_REJECT_REASON": _reject_reasons(rng, data, kind, status),
        "NAME_TYPE_SUITE": text(suite, list(data["suite"])),
        "NAME_PORTFOLIO": text(portfolio, ["Cash", "POS", "Cards", "Cars", "XNA"]),
        "NAME_PRODUCT_TYPE": text(product, ["x-sell", "walk-in", "XNA"]),
        "CNT_PAYMENT": np.where(empty_terms, np.nan, offer["term"]),
        "NAME_YIELD_GROUP": text(offer["yield"], YIELDS),
        "PRODUCT_COMBINATION": text(combination, names),
        "DAYS_FIRST_DRAWING": when(np.where(drawn_card, schedule["first_drawing"], NO_DATE)),
        "DAYS_FIRST_DUE": when(np.where(first_due < 0, first_due, NO_DATE)),
        "DAYS_LAST_DUE_1ST_VERSION": when(np.where(revolving, NO_DATE, schedule["last_planned"])),
        "DAYS_LAST_DUE": when(np.where(revolving & (rng.random(n) < 0.82), NO_DATE, schedule["last_due"])),
        "DAYS_TERMINATION": when(np.where(revolving & (rng.random(n) < 0.9), NO_DATE, schedule["termination"])),
        "NFLAG_INSURED_ON_APPROVAL": when(offer["insured"].astype(float)),
    } | seller


def _combinations(
    data: dict, kind: IntArray, blank: BoolArray, offer: dict[str, FloatArray]
) -> tuple[list[str], IntArray]:
    """Level names and codes of PRODUCT_COMBINATION."""
    pos = list(data["pos"]["combination"])
    bands = ["high", "middle", "low", "low", "middle"]
    names = [*pos, "Cash", "Card Street", "Card X-Sell"]
    names += [f"Cash {place}: {band}" for place in ("X-Sell", "Street") for band in ("high", "middle", "low")]
    first_cash = len(pos) + 3
    band = np.array([("high", "middle", "low").index(name) for name in bands])[offer["yield"]]
    cash = np.where(blank, len(pos), first_cash + 3 * offer["walk_in"] + band)
    card = len(pos) + 1 + (~offer["walk_in"]).astype(int)
    return names, np.where(kind == CASH, cash, np.where(kind == CONSUMER, offer["combination"], card))


def _reject_reasons(
    rng: np.random.Generator, data: dict, kind: IntArray, status: IntArray
) -> pd.arrays.ArrowStringArray:
    names = ["XAP", "CLIENT", "HC", "LIMIT", "SCO", "SCOFR", "VERIF", "SYSTEM", "XNA"]
    shares = np.array([[data["reject"][name].get(reason, 0) for reason in names] for name in TYPES[:3]])
    reason = np.where(status == REFUSED, draw_from_table(rng, kind, shares), np.where(status == UNUSED, 1, 0))
    return text(reason, names)


_SELLERS = {
    "household": {
        "Consumer electronics": 0.90,
        "Furniture": 0.03,
        "Construction": 0.04,
        "Clothing": 0.01,
        "Connectivity": 0.02,
    },
    "mobile": {"Connectivity": 0.95, "Consumer electronics": 0.05},
    "industry": {
        "Furniture": 0.38,
        "Construction": 0.17,
        "Clothing": 0.20,
        "Industry": 0.15,
        "Auto technology": 0.05,
        "Jewelry": 0.05,
    },
    "other": {"Industry": 0.45, "Connectivity": 0.25, "Consumer electronics": 0.2, "Tourism": 0.05, "XNA": 0.05},
}
"""Industry of the seller by product family of a consumer loan."""


def _sellers(
    rng: np.random.Generator, data: dict, kind: IntArray, combination: IntArray, names: list[str]
) -> dict[str, object]:
    """Channel, seller and goods."""
    n = len(kind)
    industries = [*data["goods_by_seller"], "XNA"]
    families = list(_SELLERS)
    family_of = np.array([next((i for i, family in enumerate(families) if family in name), 0) for name in names])
    shares = np.array([[_SELLERS[family].get(industry, 0) for industry in industries] for family in families])
    consumer = kind == CONSUMER
    seller = np.where(consumer, draw_from_table(rng, family_of[combination], shares), len(industries) - 1)
    elsewhere = ~consumer & (rng.random(n) < np.where(kind == CASH, 0.055, 0.188))
    shops = [industries.index(name) for name in ("Connectivity", "Consumer electronics", "MLM partners")]
    seller[elsewhere] = np.array(shops)[draw(rng, int(elsewhere.sum()), [0.32, 0.65, 0.03])]
    goods_names = sorted({goods for row in data["goods_by_seller"].values() for goods in row})
    goods_shares = np.array([[row.get(goods, 0) for goods in goods_names] for row in data["goods_by_seller"].values()])
    known = consumer & (seller < len(data["goods_by_seller"]))
    goods = np.where(known, draw_from_table(rng, np.where(known, seller, 0), goods_shares), goods_names.index("XNA"))
    channels = sorted({channel for row in data["channel"].values() for channel in row})
    channel_shares = np.array([[data["channel"][name].get(channel, 0) for channel in channels] for name in TYPES[:3]])
    channel = draw_from_table(rng, kind, channel_shares)
    u = rng.random(n)
    place = np.full(n, -1.0)
    for code, name in enumerate(channels):
        if name in data["seller_place"]:
            chosen = channel == code
            place[chosen] = quantile(u[chosen], data["levels"], data["seller_place"][name])
    return {
        "CHANNEL_TYPE": text(channel, channels),
        "NAME_SELLER_INDUSTRY": text(seller, industries),
        "NAME_GOODS_CATEGORY": text(goods, goods_names),
        "SELLERPLACE_AREA": np.round(place).astype(int),
    }
