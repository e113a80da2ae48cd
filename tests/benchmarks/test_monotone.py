"""Steps the wrong way are counted where a model makes them, and a contrary column is named."""

import numpy as np
import pandas as pd

from benchmarks.monotone import check_directions, wrong_steps
from credit_scoring.models import build_model


def make_rows(sign: int) -> pd.DataFrame:
    generator = np.random.default_rng(3)
    rows = pd.DataFrame({"EXT_SOURCE_2": generator.random(1_000), "INSTALLMENTS_LATE_RATE": generator.random(1_000)})
    risk = sign * (rows["INSTALLMENTS_LATE_RATE"] - rows["EXT_SOURCE_2"])
    return rows.assign(TARGET=(risk + generator.normal(0, 0.5, 1_000) > 0.6).astype(int))


def test_only_a_free_model_steps_the_wrong_way() -> None:
    rows, directions = make_rows(1), {"EXT_SOURCE_2": -1, "INSTALLMENTS_LATE_RATE": 1}
    X, params = rows.drop(columns="TARGET"), {"n_estimators": 50, "n_jobs": 1}
    free = build_model("xgboost", params).fit(X, rows["TARGET"])
    monotone = build_model("xgboost", {**params, "monotone_constraints": directions}).fit(X, rows["TARGET"])
    assert (wrong_steps(free, directions, X).max(axis=0) > 0.01).all()
    assert wrong_steps(monotone, directions, X).max() == 0
    assert wrong_steps(monotone, directions, X).shape == (300, 2)


def test_outcomes_that_contradict_a_direction_are_told() -> None:
    assert "for 0 of the 2." in check_directions(make_rows(1))
    contrary = check_directions(make_rows(-1))
    assert "for 2 of the 2." in contrary
    assert "e-" in contrary.split("p = ")[1].split()[0]  # by far more than chance
