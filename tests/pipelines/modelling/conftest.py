"""Applicants whose outcome hangs on a score and on gender, and how a small comparison is made of them."""

import numpy as np
import pandas as pd

from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.pipelines.modelling.options import CrossValidationOptions

FOLDS, SELECTION, COSTS = CrossValidationOptions(n_folds=3, seed=0), SelectionOptions(), MisclassificationCosts()
CANDIDATES = {"logistic_regression": {"family": "logistic_regression", "params": {"C": 1.0}}}


def draw_applicants(generator: np.random.Generator, n: int = 1500) -> pd.DataFrame:
    """Return applicants with SK_ID_CURR, TARGET, EXT_SOURCE_2 (the score) and CODE_GENDER."""
    score, woman = generator.normal(size=n), generator.random(n) < 0.5
    return pd.DataFrame(
        {
            "SK_ID_CURR": np.arange(n) + 100_000,
            "TARGET": (score + 1.0 * ~woman + generator.normal(size=n) > 1.8).astype(int),
            "EXT_SOURCE_2": score,
            "CODE_GENDER": np.where(woman, "F", "M"),
        }
    )
