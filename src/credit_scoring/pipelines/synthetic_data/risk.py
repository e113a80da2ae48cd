"""Risk of default of an application.

The log odds of default are additive: a slope per normal score and hidden trait, and an effect per category or band.
The weights are the maximum-entropy solution that reproduces, on the simulated population, the published default rates
by category and the published correlations of the scores with TARGET; `calibrate.py` fits them.
"""

import functools
import json
from importlib import resources
from typing import Any

import numpy as np

from credit_scoring.pipelines.synthetic_data.population import Scores
from credit_scoring.pipelines.synthetic_data.sampling import FloatArray, IntArray

Facts = dict[str, FloatArray]

RISK_FILE = "risk.json"
"""Targets and weights of the model: published default rates and correlations, and what was fitted to them."""

EXTERNAL_SCORES = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")
_AGE = [25, 30, 35, 40, 45, 50, 55, 60, 65]
_YEARS_EMPLOYED = [0.5, 1, 2, 3, 5, 10, 20]
_INCOME = [100e3, 150e3, 200e3, 300e3]
_CREDIT = [200e3, 300e3, 400e3, 600e3, 800e3, 1e6, 1.5e6]
_CREDIT_TO_GOODS = [1.0001, 1.08, 1.13, 1.18, 1.25, 1.35]
_ANNUITY_TO_INCOME = [0.1, 0.15, 0.2, 0.25, 0.3, 0.4]
_CREDIT_TO_ANNUITY = [10, 12, 14, 16, 18, 20, 23, 27, 32]


@functools.cache
def risk_model() -> dict[str, Any]:
    """Read targets and weights once per process."""
    return json.loads(resources.files(__package__).joinpath(RISK_FILE).read_text(encoding="utf-8"))


def draw_target(rng: np.random.Generator, scores: Scores, facts: Facts) -> IntArray:
    """Draw TARGET (1 = payment difficulties) for every applicant of a chunk.

    Each defaults with its own probability, and as many as are to be expected of the chunk: systematic sampling in
    random order. If the draws were independent, the chunks, which follow one another in order of SK_ID_CURR, would
    differ by chance, and in some twins the key would seem to tell who defaults.
    """
    order = rng.permutation(len(facts["age"]))
    start = rng.random()
    reached = np.floor(start + np.cumsum(default_probability(scores, facts)[order]))
    target = np.empty(len(order), dtype=int)
    target[order] = np.diff(reached, prepend=np.floor(start))
    return target


def default_probability(scores: Scores, facts: Facts) -> FloatArray:
    """Probability of default given everything that is known about the client, hidden traits included."""
    weights = risk_model()["weights"]
    values, bands = risk_scores(scores, facts), risk_bands(facts)
    log_odds = np.full(len(facts["age"]), weights["intercept"], dtype=float)
    for name, slope in weights["slopes"].items():
        log_odds += slope * values[name]
    for name, effects in weights["effects"].items():
        log_odds += np.array(effects)[bands[name]]
    return 1 / (1 + np.exp(-log_odds))


def risk_scores(scores: Scores, facts: Facts) -> Scores:
    """Scores that carry a slope: a trait counts where there is a history to show it, the building where it is known.

    The external scores carry a second one, on their standardised square: the risk rises steeply among the lowest of
    them and hardly falls among the highest.
    """
    in_bureau = ~facts["no_bureau"]
    shown = {name: scores[name] * in_bureau for name in ("NEWNESS", "LEVERAGE", "DEPTH")}
    shown |= {f"{name}_SQUARED": (scores[name] ** 2 - 1) / np.sqrt(2) for name in EXTERNAL_SCORES}
    return scores | shown | {"CARD_USE": scores["CARD_USE"] * facts["has_card"], "FLOORSMAX": facts["floors"]}


def risk_bands(facts: Facts) -> dict[str, IntArray]:
    """Category and band codes that carry an effect; a missing category has the last code of its effect, by index -1."""
    cash = ~facts["revolving"]
    return {
        "gender": facts["male"].astype(int),
        "education": facts["education"],
        "income_type": facts["income_type"],
        "family": facts["family"],
        "housing": facts["housing"],
        "occupation": facts["occupation"],
        "organization": np.where(facts["retired"], -1, facts["organization"]),
        "city_rating": facts["city_rating"] - 1,
        "children": np.minimum(facts["children"], 4),
        "car": facts["owns_car"].astype(int),
        "realty": facts["owns_realty"].astype(int),
        "contract": facts["revolving"].astype(int),
        "age": np.searchsorted(_AGE, facts["age"]),
        "years_employed": np.where(
            facts["retired"], -1, np.searchsorted(_YEARS_EMPLOYED, -facts["days_employed"] / 365.25)
        ),
        "income": np.searchsorted(_INCOME, facts["income"]),
        "credit": np.searchsorted(_CREDIT, facts["credit"]),
        "credit_to_goods": np.where(cash, np.searchsorted(_CREDIT_TO_GOODS, facts["factor"]), -1),
        "annuity_to_income": np.searchsorted(
            _ANNUITY_TO_INCOME, np.nan_to_num(facts["annuity"], nan=25_000) / facts["income"]
        ),
        "credit_to_annuity": np.where(cash, np.searchsorted(_CREDIT_TO_ANNUITY, facts["ratio"]), -1),
        "walls": facts["walls"],
        "house": facts["house"],
        "emergency": facts["emergency"],
        "document_3": facts["document_3"].astype(int),
        "live_city": facts["live_city"].astype(int),
        "work_city": facts["work_city"].astype(int),
        "circle_defaults": np.minimum(facts["circle_defaults"], 2),
        "phone": facts["phone"].astype(int),
        "work_phone": facts["work_phone"].astype(int),
        "no_bureau": facts["no_bureau"].astype(int),
        "has_card": facts["has_card"].astype(int),
    }
