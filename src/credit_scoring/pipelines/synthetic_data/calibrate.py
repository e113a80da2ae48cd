"""Re-fit the weights of the risk model: `python -m credit_scoring.pipelines.synthetic_data.calibrate`.

The targets in `risk.json` are default rates by category or band and correlations of the normal scores with TARGET.
Among all distributions of TARGET on the simulated population that reproduce them, the one of largest entropy is a
logistic model, and its weights are those of a logistic regression whose sufficient statistics are the targets. They are
found by Newton's method. A normal prior on the weights, weighed against the number of real applicants behind a target,
keeps a rate that was measured on few applicants from giving an extreme weight.

To change what the twin says about risk, change a target and run this module; the weights are never edited by hand. Run
it too after a change of the population (columns, correlations, hidden traits). Where a default rate is published for
the full file, that is the target; other rates come from public samples. A size of 1 marks the applicants without
employment where another effect counts them already. The correlations of the hidden traits are not published: they are
chosen so that the histories rank applicants, alone and on top of the application, as published models say.
"""

import json
import logging
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

import credit_scoring.garbage  # noqa: F401 - this starts a process
from credit_scoring.pipelines.synthetic_data.application import draw_applications
from credit_scoring.pipelines.synthetic_data.credit_card import draw_card_holders
from credit_scoring.pipelines.synthetic_data.population import draw_scores
from credit_scoring.pipelines.synthetic_data.risk import RISK_FILE, risk_bands, risk_model, risk_scores
from credit_scoring.pipelines.synthetic_data.sampling import FloatArray

logger = logging.getLogger(__name__)

_PRIOR = 0.35
"""Standard deviation of the prior of a weight, in log odds."""
_PUBLISHED_APPLICANTS = 307_511
_CHUNK = 10_000
_STEPS = 12


def fit_risk(targets: dict[str, Any], n: int = 200_000, seed: int = 0) -> dict[str, Any]:
    """Fit the weights of the risk model to its targets.

    Args:
        targets: `default_rate`; `correlations` of a score with TARGET; `rates`: per effect one pair (default rate,
            number of real applicants it was measured on) per code. The rates of an effect are scaled to a mean of
            `default_rate`, since samples of another level may stand beside published rates.
        n: Size of the simulated population, in multiples of 10,000.
        seed: Seed of the simulated population.

    Returns:
        `intercept`, `slopes` and `effects`, as read by `risk.default_probability`.
    """
    design = np.vstack([_design(targets, seed, chunk) for chunk in range(n // _CHUNK)])
    shares = design.mean(axis=0, dtype=float)
    base = targets["default_rate"]
    spread = np.sqrt(base * (1 - base))
    wanted, ridge = [base], [0.0]
    for index, correlation in enumerate(targets["correlations"].values(), start=1):
        wanted.append(shares[index] * base + correlation * spread * float(design[:, index].std()))
        ridge.append(1 / (_PRIOR**2 * _PUBLISHED_APPLICANTS))
    start = len(wanted)
    for pairs in targets["rates"].values():
        share = shares[start : start + len(pairs)]
        rates, sizes = np.array(pairs, dtype=float).T
        wanted += list(share * rates * base * share.sum() / (share @ rates))
        ridge += list(share / (_PRIOR**2 * sizes) + 1e-12)
        start += len(pairs)
    weights = _newton(design, np.array(wanted), np.array(ridge))
    return _named(weights, targets)


def _design(targets: dict[str, Any], seed: int, chunk: int) -> FloatArray:
    """Regressors of one chunk of clients: one, the scores, an indicator per code of every effect."""
    rng = np.random.default_rng([seed, chunk])
    scores = draw_scores(rng, _CHUNK)
    _, facts = draw_applications(rng, scores, np.zeros(_CHUNK, dtype=bool), drift=False)
    facts["has_card"] = draw_card_holders(rng, scores, facts["revolving"])
    values, bands = risk_scores(scores, facts), risk_bands(facts)
    parts = [np.ones((_CHUNK, 1)), *(values[name][:, None] for name in targets["correlations"])]
    for name, pairs in targets["rates"].items():
        codes = bands[name] % len(pairs)  # the last code also goes by -1
        parts.append(codes[:, None] == np.arange(len(pairs)))
    return np.hstack(parts).astype(np.float32)


def _newton(design: FloatArray, wanted: FloatArray, ridge: FloatArray) -> FloatArray:
    """Weights at which the mean of p x equals `wanted`, but for the pull of the prior."""
    weights = np.zeros(design.shape[1])
    weights[0] = np.log(wanted[0] / (1 - wanted[0]))
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-(design @ weights.astype(np.float32)).astype(float)))
        gradient = wanted - (p @ design) / len(p) - ridge * weights
        weighted = design * np.sqrt(p * (1 - p))[:, None].astype(np.float32)
        hessian = (weighted.T @ weighted).astype(float) / len(p) + np.diag(ridge)
        hessian[np.diag_indices_from(hessian)] += 1e-9
        weights += np.linalg.solve(hessian, gradient)
        logger.info("Largest gap between a target and the model: %.5f.", np.abs(gradient).max())
    return weights


def _named(weights: FloatArray, targets: dict[str, Any]) -> dict[str, Any]:
    rounded = [round(float(weight), 3) for weight in weights]
    slopes = dict(zip(targets["correlations"], rounded[1:], strict=False))
    effects, start = {}, 1 + len(slopes)
    for name, pairs in targets["rates"].items():
        effects[name] = rounded[start : start + len(pairs)]
        start += len(pairs)
    return {"intercept": rounded[0], "slopes": slopes, "effects": effects}


def _as_text(model: dict[str, Any]) -> str:
    """JSON with one line per target and weight vector."""
    sections = []
    for section, content in model.items():
        lines = []
        for key, value in content.items():
            if isinstance(value, dict):
                inner = ",\n".join(f"   {json.dumps(name)}: {json.dumps(values)}" for name, values in value.items())
                lines.append(f"  {json.dumps(key)}: {{\n{inner}\n  }}")
            else:
                lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
        sections.append(f" {json.dumps(section)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(sections) + "\n}\n"


def main() -> None:
    """Re-fit the weights and write them beside the targets."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    targets = risk_model()["targets"]
    model = {"targets": targets, "weights": fit_risk(targets)}
    Path(str(resources.files(__package__).joinpath(RISK_FILE))).write_text(_as_text(model), encoding="utf-8")


if __name__ == "__main__":
    main()
