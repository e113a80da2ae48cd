"""How long a fitted model takes for one applicant."""

import time
from functools import partial

import numpy as np
import pandas as pd

from credit_scoring.models import ScoringModel
from credit_scoring.models.base import CodedModel

_ROWS = 5


def milliseconds_per_row(model: ScoringModel, X: pd.DataFrame) -> float:
    """Measure how long the model takes to score one applicant, in this process, by the path that the server takes.

    That path is rows of codes, where the family has them, else a table of one row. Reading the request, calibration and
    reasons come on top, and are the same for all families but for the reasons.

    Args:
        model: The fitted model.
        X: At least one row of features, of which the first five are scored, one by one.

    Returns:
        The median, in milliseconds.
    """
    rows = X.head(_ROWS)
    if isinstance(model, CodedModel) and model.category_codes is not None:
        encoded = model.codes_.transform(model.explained_features(rows))
        calls = [partial(model.predict_coded, encoded[[i]]) for i in range(len(rows))]
    else:
        calls = [partial(model.predict_proba, rows.iloc[[i]]) for i in range(len(rows))]
    calls[0]()  # a first call makes what the others find made
    taken = []
    for score in calls:
        started = time.perf_counter()
        score()
        taken.append(time.perf_counter() - started)
    return 1000 * float(np.median(taken))
