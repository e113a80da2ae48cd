"""The risk model: its weights reproduce its targets, and the module that fits them does what it says."""

import numpy as np
import pytest

from credit_scoring.pipelines.synthetic_data.application import draw_applications
from credit_scoring.pipelines.synthetic_data.calibrate import fit_risk
from credit_scoring.pipelines.synthetic_data.credit_card import draw_card_holders
from credit_scoring.pipelines.synthetic_data.population import draw_scores
from credit_scoring.pipelines.synthetic_data.risk import (
    default_probability,
    draw_target,
    risk_bands,
    risk_model,
    risk_scores,
)

N = 40_000


@pytest.fixture(scope="module")
def population():
    rng = np.random.default_rng(99)
    scores = draw_scores(rng, N)
    _, facts = draw_applications(rng, scores, np.zeros(N, dtype=bool), drift=False)
    facts["has_card"] = draw_card_holders(rng, scores, facts["revolving"])
    return scores, facts


def correlation(values, p) -> float:
    """Correlation of a score with a TARGET that is drawn with probability p."""
    return float(np.cov(values, p)[0, 1] / values.std() / np.sqrt(p.mean() * (1 - p.mean())))


def test_weights_reproduce_the_target_correlations(population):
    p, values = default_probability(*population), risk_scores(*population)
    for name, expected in risk_model()["targets"]["correlations"].items():
        assert correlation(values[name], p) == pytest.approx(expected, abs=4 * p.std() / np.sqrt(N) / 0.27)


def test_weights_reproduce_the_target_rates(population):
    """Where the rate was measured on a thousand applicants or more; on fewer, the prior pulls it to the mean."""
    p, bands = default_probability(*population), risk_bands(population[1])
    targets = risk_model()["targets"]
    assert p.mean() == pytest.approx(targets["default_rate"], abs=4 * p.std() / np.sqrt(N))
    compared = 0
    for name, pairs in targets["rates"].items():
        codes = bands[name] % len(pairs)
        for code, (rate, applicants) in enumerate(pairs):
            members = p[codes == code]
            if applicants >= 1_000 and len(members) >= 100:
                compared += 1
                tolerance = 4 * members.std() / np.sqrt(len(members)) + 0.003 + 0.06 * rate
                assert members.mean() == pytest.approx(rate, abs=tolerance), (name, code)
    assert compared > 80


def test_every_effect_has_a_weight_per_target():
    model = risk_model()
    assert list(model["weights"]["slopes"]) == list(model["targets"]["correlations"])
    for name, pairs in model["targets"]["rates"].items():
        assert len(model["weights"]["effects"][name]) == len(pairs)


def test_fit_reproduces_targets_of_its_own(population):
    targets = {
        "default_rate": 0.12,
        "correlations": {"EXT_SOURCE_2": -0.2},
        "rates": {"gender": [[0.08, 100_000], [0.16, 100_000]]},
    }
    weights = fit_risk(targets, n=20_000, seed=3)
    scores, facts = population
    male = facts["male"]
    log_odds = weights["intercept"] + weights["slopes"]["EXT_SOURCE_2"] * scores["EXT_SOURCE_2"]
    p = 1 / (1 + np.exp(-(log_odds + np.array(weights["effects"]["gender"])[male.astype(int)])))
    assert p.mean() == pytest.approx(0.12, abs=0.003)
    assert correlation(scores["EXT_SOURCE_2"], p) == pytest.approx(-0.2, abs=0.01)
    assert p[male].mean() / p[~male].mean() == pytest.approx(2.0, abs=0.08)


def test_rates_that_were_measured_on_few_are_pulled_to_the_mean():
    def spread(applicants: int) -> float:
        married, civil, single, separated, widow = (0.08, 0.08, 0.20, 0.02, 0.08)
        sizes = (200_000, 200_000, applicants, applicants, 200_000)
        pairs = [[rate, size] for rate, size in zip((married, civil, single, separated, widow), sizes, strict=True)]
        targets = {"default_rate": 0.0807, "correlations": {}, "rates": {"family": pairs}}
        effects = fit_risk(targets, n=10_000)["effects"]["family"]
        return effects[2] - effects[3]

    few, some, many = spread(5), spread(100), spread(100_000)
    assert 0 < few < some < many
    assert few < 0.5 * many
    assert many == pytest.approx(np.log(0.2 / 0.8) - np.log(0.02 / 0.98), abs=0.1)


def test_as_many_default_as_expected_each_with_its_own_probability(population):
    scores, facts = ({name: values[:500] for name, values in part.items()} for part in population)
    p = default_probability(scores, facts)
    rng = np.random.default_rng(5)
    draws = np.stack([draw_target(rng, scores, facts) for _ in range(4_000)])
    assert set(np.unique(draws)) == {0, 1}
    assert set(draws.sum(axis=1)) <= {int(np.floor(p.sum())), int(np.ceil(p.sum()))}
    assert np.abs(draws.mean(axis=0) - p).max() < 4.5 * np.sqrt(0.25 / 4_000)
    assert np.corrcoef(draws.mean(axis=0), p)[0, 1] > 0.99
    # Neighbours, of keys or of risk, tell nothing of one another beyond what the fixed number says: -1 / 500.
    for order in (np.arange(500), np.argsort(p)):
        residual = (draws - p)[:, order] / np.sqrt(p * (1 - p))[order]
        assert (residual[:, 1:] * residual[:, :-1]).mean() == pytest.approx(-1 / 500, abs=0.005)
