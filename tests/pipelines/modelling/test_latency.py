"""One applicant is timed by the path that a server takes."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from credit_scoring.models import FAMILIES, ScoringModel, build_model, family_class
from credit_scoring.models.base import CodedModel
from credit_scoring.pipelines.modelling.latency import milliseconds_per_row


def fitted(family: str) -> tuple[ScoringModel, pd.DataFrame]:
    generator = np.random.default_rng(0)
    X = pd.DataFrame({"A": generator.normal(size=200), "KIND": generator.choice(["x", "y", None], 200)})
    y = (X["A"] + generator.normal(size=200) > 1).astype(int)
    return build_model(family, family_class(family).test_params).fit(X, y), X


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_timed(family: str) -> None:
    model, X = fitted(family)
    assert 0 < milliseconds_per_row(model, X.head(1)) < 10_000


@pytest.mark.parametrize("family", ["lightgbm", "dummy"])
def test_rows_of_codes_where_the_family_has_them_one_at_a_time(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, X = fitted(family)
    expected = model.predict_proba(X.head(5))[:, 1]
    coded = isinstance(model, CodedModel)
    seen = []
    name = "predict_coded" if coded else "predict_proba"
    original = getattr(model, name)

    def watch(rows: Any) -> Any:
        seen.append(rows)
        return original(rows)

    monkeypatch.setattr(model, name, watch)
    milliseconds_per_row(model, X)
    assert len(seen) == 6  # the first twice
    assert all(len(rows) == 1 for rows in seen)
    answers = [float(np.ravel(original(rows))[-1]) for rows in seen[1:]]
    assert answers == pytest.approx(expected.tolist(), rel=1e-12)
    assert coded == (family == "lightgbm")
