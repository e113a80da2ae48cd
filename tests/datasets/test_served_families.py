"""Any family is served by what its model says it needs, reasons included."""

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from credit_scoring.datasets.mlflow_registry import MlflowScorerDataset
from credit_scoring.models import FAMILIES, family_class, fit_model
from credit_scoring.models.calibration import Calibration
from credit_scoring.models.target_features import TARGET_FEATURE_SOURCES
from credit_scoring.pipelines.threshold_tuning.options import ReasonOptions
from credit_scoring.pipelines.threshold_tuning.reason_book import write_reason_book
from credit_scoring.scorer import CreditScorer, ScorerRelease, digest_model

# What training, figures and tracking need, and every family's library: none may be needed but those of the model.
TRAINING = (
    *("shap", "numba", "lightgbm", "xgboost", "imblearn", "optbinning", "ortools", "optuna", "matplotlib", "ibis"),
    *("kedro", "pydantic"),
)
ASK = """
import json, sys
sys.path = [place for place in sys.path if not place.rstrip("/").endswith("/src")]
sys.meta_path = [finder for finder in sys.meta_path if "credit_scoring" not in getattr(finder, "__module__", "")]
for name in sys.argv[2:]:
    sys.modules[name] = None
sys.path.insert(0, "model/code")
import pickle, pandas
scorer = pickle.load(open("model/model.pkl", "rb"))
told = scorer.predict(pandas.read_pickle(sys.argv[1]), {"explain": True, "language": "en"})
print(json.dumps([[row.probability_default, row.reasons] for row in told.itertuples()]))
"""


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(4)
    n = 300
    frame = pd.DataFrame(generator.random((n, 4)), columns=list(TARGET_FEATURE_SOURCES[:4]))
    frame["OCCUPATION_TYPE"] = generator.choice(["Drivers", "Managers", "Laborers"], n)
    frame["ORGANIZATION_TYPE"] = generator.choice(["School", "Bank"], n)
    risk = -4 * frame["EXT_SOURCE_3"] + (frame["OCCUPATION_TYPE"] == "Drivers")
    return frame.assign(SK_ID_CURR=np.arange(n), TARGET=(risk + generator.logistic(size=n) > -1).astype(int))


@pytest.mark.parametrize(("family", "target_features"), [*((family, False) for family in FAMILIES), ("lightgbm", True)])
def test_a_scorer_answers_with_reasons_where_only_what_it_is_served_with_is_installed(
    family: str, target_features: bool, rows: pd.DataFrame, tmp_path: Path
) -> None:
    features = rows.drop(columns=["SK_ID_CURR", "TARGET"])
    params = family_class(family).test_params
    model = fit_model(family, params, features, rows["TARGET"], target_features=target_features)
    calibration = Calibration("none")
    policy = {"threshold": 0.4, "model_digest": digest_model(model, calibration)}
    predictions = rows[["SK_ID_CURR"]].assign(PROBABILITY=model.predict_proba(features)[:, 1])
    book = write_reason_book(model, calibration.to_dict(), rows, predictions, policy, ReasonOptions())
    scorer = CreditScorer(model, calibration, policy, book)
    example = features.head(3)
    untracked = MlflowScorerDataset(filepath=(tmp_path / "model").as_posix(), registered_model_name="unused")
    untracked._logging_activated = False
    untracked.save(ScorerRelease(scorer, features, example, ""))

    pins = (tmp_path / "model/requirements.txt").read_text().splitlines()
    installed = {re.split("==", pin)[0] for pin in pins}
    builds = packages_distributions()
    served = {name for name in TRAINING if installed & set(builds[name])}
    assert served == set(model.libraries)
    example.to_pickle(tmp_path / "rows.pkl")
    missing = [name for name in TRAINING if name not in served]
    command = [sys.executable, "-c", ASK, "rows.pkl", *missing]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = scorer.predict(example, {"explain": True, "language": "en"})
    for answer, probability, reasons in zip(
        json.loads(done.stdout), expected["probability_default"], expected["reasons"], strict=True
    ):
        assert answer == [pytest.approx(probability, rel=1e-9), reasons]
    assert any(expected["reasons"]) == (family != "dummy")
