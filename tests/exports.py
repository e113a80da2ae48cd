"""Small models, exported as a run exports its champion."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from credit_scoring.datasets.mlflow_registry import MlflowScorerDataset
from credit_scoring.models import FAMILIES, family_class, fit_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.models.target_features import TARGET_FEATURE_SOURCES
from credit_scoring.pipelines.threshold_tuning.options import ReasonOptions
from credit_scoring.pipelines.threshold_tuning.reason_book import write_reason_book
from credit_scoring.scorer import CreditScorer, ScorerRelease, digest_model


@dataclass(frozen=True)
class Export:
    """An exported model.

    Attributes:
        folder: The folder, named `model`.
        scorer: What was exported.
        example: Features of three applicants.
    """

    folder: Path
    scorer: CreditScorer
    example: pd.DataFrame


def export_family(family: str, place: Path, *, target_features: bool = False, every_library: bool = False) -> Export:
    """Fit a family to a few applicants and export it.

    Args:
        family: One of `FAMILIES`.
        place: Folder to put `model` into.
        target_features: Whether it has features learnt from outcomes.
        every_library: Of a blend: whether its members are all families that need a library to be served.
    """
    rows = _draw_applicants()
    features = rows.drop(columns=["SK_ID_CURR", "TARGET"])
    params = family_class(family).test_params
    if every_library:
        needing = [name for name in FAMILIES if name != family and family_class(name).libraries]
        params = {"members": {name: {"family": name, "params": family_class(name).test_params} for name in needing}}
    model = fit_model(family, params, features, rows["TARGET"], target_features=target_features)
    calibration = Calibration("none")
    policy = {"threshold": 0.4, "model_digest": digest_model(model, calibration)}
    predictions = rows[["SK_ID_CURR"]].assign(PROBABILITY=model.predict_proba(features)[:, 1])
    book = write_reason_book(model, calibration.to_dict(), rows, predictions, policy, ReasonOptions())
    scorer, example = CreditScorer(model, calibration, policy, book), features.head(3)
    untracked = MlflowScorerDataset(filepath=(place / "model").as_posix(), registered_model_name="unused")
    untracked._logging_activated = False
    untracked.save(ScorerRelease(scorer, features, example, ""))
    return Export(place / "model", scorer, example)


def _draw_applicants() -> pd.DataFrame:
    generator = np.random.default_rng(4)
    n = 300
    frame = pd.DataFrame(generator.random((n, 4)), columns=list(TARGET_FEATURE_SOURCES[:4]))
    frame["OCCUPATION_TYPE"] = generator.choice(["Drivers", "Managers", "Laborers"], n)
    frame["ORGANIZATION_TYPE"] = generator.choice(["School", "Bank"], n)
    risk = -4 * frame["EXT_SOURCE_3"] + (frame["OCCUPATION_TYPE"] == "Drivers")
    return frame.assign(SK_ID_CURR=np.arange(n), TARGET=(risk + generator.logistic(size=n) > -1).astype(int))
