"""What MLflow loads to serve an exported scorer; `MLmodel` names this module as the model's loader.

The scikit-learn flavour beside it hands no parameters to `predict`, and reasons are asked for by parameter.
"""

import pickle
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from credit_scoring.scorer import CreditScorer


def _load_pyfunc(path: str) -> "CreditScorer":
    """Return the scorer: its `predict(X, params)` is what MLflow calls."""
    with Path(path).open("rb") as file:
        return pickle.load(file)
