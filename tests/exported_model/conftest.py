"""A small scorer, and the folder that it is exported to."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.models import Model

from credit_scoring.exported_model.writing.mlflow_model import save_model
from credit_scoring.exported_model.writing.replacement import replace_model, workspace_beside
from credit_scoring.models import build_model
from credit_scoring.models.base import ScoringModel
from credit_scoring.models.calibration import Calibration
from credit_scoring.scorer import CreditScorer, ScorerRelease, digest_model


def decide_at(model: ScoringModel, threshold: float) -> CreditScorer:
    calibration = Calibration("none")
    return CreditScorer(model, calibration, {"threshold": threshold, "model_digest": digest_model(model, calibration)})


def make_release() -> ScorerRelease:
    X = pd.DataFrame(
        {
            "EXT_SOURCE_2": [0.1, 0.9, 0.2, 0.8, np.nan] * 8,
            "CNT_CHILDREN": pd.array([0, 1, 2, 0, 0] * 8, dtype="int32"),
            "OCCUPATION_TYPE": ["Drivers", None, "Managers", "Managers", "Drivers"] * 8,
        }
    )
    model = build_model("lightgbm", {"n_estimators": 5, "min_child_samples": 2}).fit(X, [1, 0, 1, 0, 1] * 8)
    return ScorerRelease(
        scorer=decide_at(model, 0.4),
        example_rows=X,
        input_example=X.head(3),
        description="A scorer.",
        tags={"source": "synthetic", "threshold": "0.4"},
    )


def export(release: ScorerRelease, folder: Path) -> None:
    """Export a scorer as it is done without tracking."""
    with workspace_beside(folder) as workspace:
        fresh = workspace / "model"
        save_model(path=fresh.as_posix(), release=release, mlflow_model=Model(metadata=release.tags))
        replace_model(folder, fresh)


@pytest.fixture(scope="module")
def release() -> ScorerRelease:
    return make_release()
