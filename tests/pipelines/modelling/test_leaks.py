"""Nothing that knows the outcome may help to predict it."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.pipelines.modelling.comparison import cross_validate_candidates
from credit_scoring.pipelines.modelling.diagnostics import diagnose_champion
from credit_scoring.pipelines.modelling.folds import fit_candidate
from credit_scoring.pipelines.modelling.options import CandidateOptions, CrossValidationOptions, DiagnosisOptions

N, WIDTH = 1000, 120


@pytest.fixture(scope="module")
def noise() -> pd.DataFrame:
    """Wide rows and an outcome that has nothing to do with them, as a permuted TARGET would."""
    generator = np.random.default_rng(7)
    columns = {f"EXT_{i}": generator.normal(size=N) for i in range(WIDTH)}
    columns |= {
        "EXT_SOURCE_1": generator.random(N),
        "EXT_SOURCE_2": generator.random(N),
        "EXT_SOURCE_3": np.where(generator.random(N) < 0.3, np.nan, generator.random(N)),
        "APPLICATION_CREDIT_TO_ANNUITY_RATIO": generator.gamma(9, 2, N),
        "OCCUPATION_TYPE": generator.choice([f"job {i}" for i in range(18)], N),
        "ORGANIZATION_TYPE": generator.choice([f"firm {i}" for i in range(58)], N),
    }
    return pd.DataFrame(
        {"SK_ID_CURR": np.arange(N), "TARGET": generator.permutation(np.arange(N) % 10 == 0) * 1, **columns}
    )


@pytest.mark.parametrize("target_features", [False, True])
@pytest.mark.parametrize("imbalance", ["none", "smote"])
def test_an_outcome_of_chance_cannot_be_predicted(noise: pd.DataFrame, target_features: bool, imbalance: str) -> None:
    """Selection of columns on all rows, resampling before the folds or self-including averages would all show here."""
    candidates = {
        "lightgbm": {
            "family": "lightgbm",
            "params": {"n_estimators": 60, "num_leaves": 8, "n_jobs": 1},
            "imbalance": imbalance,
            "target_features": target_features,
        }
    }
    out_of_fold, _ = cross_validate_candidates(
        noise,
        candidates,
        SelectionOptions(max_features=20, threads=1),
        CrossValidationOptions(n_folds=4),
        MisclassificationCosts(),
    )
    auc = roc_auc_score(out_of_fold["TARGET"], out_of_fold["lightgbm"])
    assert abs(auc - 0.5) < 3 * np.sqrt((N + 1) / (12 * 100 * 900))  # three standard deviations under chance


def predictions(auc_noise: float, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    target = generator.integers(0, 2, 3000)
    score = 1 / (1 + np.exp(-(target + generator.normal(0, auc_noise, 3000))))
    return pd.DataFrame({"TARGET": target, "UNCALIBRATED": score, "PROBABILITY": score, "FOLD": np.arange(3000) % 5})


@pytest.mark.parametrize(
    ("oof_noise", "holdout_noise", "flag"),
    [(1.2, 1.2, None), (0.4, 0.4, "AUC out of fold is 0.9"), (1.2, 2.5, "out of fold and 0.")],
)
def test_what_cannot_be_believed_is_flagged(
    noise: pd.DataFrame, oof_noise: float, holdout_noise: float, flag: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    rows = noise[["SK_ID_CURR", "TARGET", "EXT_0"]]
    model = fit_candidate(
        CandidateOptions(family="logistic_regression", params={"C": 1.0}), rows, rows["TARGET"], ["EXT_0"], 0
    )
    told = diagnose_champion(
        model, rows, predictions(oof_noise, 1), predictions(holdout_noise, 2), DiagnosisOptions(n_resamples=100)
    )
    assert told["holdout_interval"]["low"] < told["holdout"] < told["holdout_interval"]["high"]
    assert told["out_of_fold_share"] == pytest.approx(0.8)
    assert told["suspicious"] == (flag is not None)
    if flag:
        assert any(flag in sentence for sentence in told["flags"])
        assert "SUSPICIOUS" in caplog.text


def test_value_and_interval_are_of_the_calibrated_score(noise: pd.DataFrame) -> None:
    """An isotonic calibration ties scores; here it ties all of them, so that nothing is ranked any more."""
    rows = noise[["SK_ID_CURR", "TARGET", "EXT_0"]]
    model = fit_candidate(
        CandidateOptions(family="logistic_regression", params={"C": 1.0}), rows, rows["TARGET"], ["EXT_0"], 0
    )
    tied = predictions(1.2, 1).assign(PROBABILITY=0.3)
    told = diagnose_champion(model, rows, tied, tied, DiagnosisOptions(n_resamples=10))
    assert (told["out_of_fold"], told["holdout"], told["holdout_interval"]) == (0.5, 0.5, {"low": 0.5, "high": 0.5})
