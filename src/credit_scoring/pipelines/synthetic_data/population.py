"""Latent description of the clients.

A client is one point of a multivariate normal distribution. Some coordinates are the normal scores of application
columns (age, income, external scores, …), the others are traits that no application column shows but that the credit
histories follow. Both kinds are correlated with one another and both enter the risk of default, so that a history table
carries signal of its own. The correlations are Spearman coefficients of public samples, corrected for the coarseness
of discrete columns.
"""

import functools

import numpy as np

from credit_scoring.pipelines.synthetic_data.calibration import calibration
from credit_scoring.pipelines.synthetic_data.sampling import FloatArray

Scores = dict[str, FloatArray]


def draw_scores(rng: np.random.Generator, n: int) -> Scores:
    """Draw the normal scores of `n` clients, one standard normal array per coordinate."""
    names, root = _mixing()
    draws = rng.standard_normal((n, len(names))) @ root.T
    return {name: np.ascontiguousarray(draws[:, index]) for index, name in enumerate(names)}


def residual(scores: Scores, name: str, given: str) -> FloatArray:
    """Part of a score that another one does not explain, back on unit variance."""
    names, root = _mixing()
    correlation = float(root[names.index(name)] @ root[names.index(given)])
    return (scores[name] - correlation * scores[given]) / np.sqrt(1 - correlation**2)


@functools.cache
def _mixing() -> tuple[tuple[str, ...], FloatArray]:
    """Names of the coordinates and the Cholesky root of their correlation matrix."""
    table = calibration()["scores"]
    names = tuple(table["names"])
    correlation = np.eye(len(names))
    for row, values in enumerate(table["lower"]):
        correlation[row, :row] = values
        correlation[:row, row] = values
    return names, np.linalg.cholesky(correlation)
