"""Risk of default of an application.

The log odds of default are additive: a slope per normal score and hidden trait, and an effect per category or band.
The weights are the maximum-entropy solution that reproduces, on the simulated population, the published default rates
by category and the published correlations of the scores with TARGET.
"""

import numpy as np

from credit_scoring.pipelines.synthetic_data.calibration import calibration
from credit_scoring.pipelines.synthetic_data.population import Scores
from credit_scoring.pipelines.synthetic_data.sampling import FloatArray, IntArray

Facts = dict[str, FloatArray]

_AGE = [25, 30, 35, 40, 45, 50, 55, 60, 65]
_YEARS_EMPLOYED = [0.5, 1, 2, 3, 5, 10, 20]
_CREDIT = [200e3, 300e3, 400e3, 600e3, 800e3, 1e6, 1.5e6]
_CREDIT_TO_GOODS = [1.0001, 1.08, 1.13, 1.18, 1.25, 1.35]
_ANNUITY_TO_INCOME = [0.1, 0.15, 0.2, 0.25, 0.3, 0.4]
_CREDIT_TO_ANNUITY = [10, 12, 14, 16, 18, 20, 23, 27, 32]


def draw_target(rng: np.random.Generator, scores: Scores, facts: Facts) -> IntArray:
    """Draw TARGET (1 = payment difficulties) for every applicant."""
    return (rng.random(len(facts["age"])) < default_probability(scores, facts)).astype(int)


def default_probability(scores: Scores, facts: Facts) -> FloatArray:
    """Probability of default given everything that is known about the client, hidden traits included."""
    model = calibration()["risk"]
    log_odds = np.full(len(facts["age"]), model["intercept"], dtype=float)
    for name, slope in model["slopes"].items():
        log_odds += slope * scores[name]
    for name, codes in risk_bands(facts).items():
        log_odds += np.array(model["effects"][name])[codes]
    return 1 / (1 + np.exp(-log_odds))


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
    }
