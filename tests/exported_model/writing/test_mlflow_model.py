"""The exported model is an MLflow model that needs nothing of the project."""

import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest

from credit_scoring.models import build_model
from credit_scoring.scorer import CreditScorer, ScorerRelease
from tests.exported_model.conftest import decide_at, export


def test_the_exported_model_needs_no_installed_project(tmp_path: Path, release: ScorerRelease) -> None:
    export(release, tmp_path / "model")
    code = (
        "import sys, mlflow\n"
        "sys.meta_path = [f for f in sys.meta_path if 'credit_scoring' not in getattr(f, '__module__', '')]\n"
        "sys.path = [p for p in sys.path if not p.rstrip('/').endswith('/src')]\n"
        "import pandas as pd\n"
        "model = mlflow.pyfunc.load_model('model')\n"
        "import credit_scoring\n"
        "print(credit_scoring.__file__)\n"
        "print(model.predict(pd.DataFrame({'EXT_SOURCE_2': [0.1], 'CNT_CHILDREN': [0.0], "
        "'OCCUPATION_TYPE': ['Drivers']})).to_json(orient='records', double_precision=15))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    place, answer = done.stdout.strip().splitlines()
    assert "model/code" in place
    expected = release.scorer.predict(release.example_rows.head(1))
    assert json.loads(answer)[0]["probability_default"] == pytest.approx(
        expected["probability_default"].item(), rel=1e-12
    )


def test_a_server_installs_the_library_of_the_served_family_alone(tmp_path: Path, release: ScorerRelease) -> None:
    rows, target = release.example_rows, [1, 0, 1, 0, 1] * 8
    installed = {}
    for family in ("lightgbm", "xgboost", "logistic_regression"):
        scorer = decide_at(build_model(family, {}).fit(rows, target), 0.4)
        export(dataclasses.replace(release, scorer=scorer), tmp_path / "model")
        installed[family] = {
            re.split("[-=]", line)[0]
            for line in (tmp_path / "model/requirements.txt").read_text().splitlines()
            if line.startswith(("lightgbm", "xgboost"))
        }
    assert installed == {"lightgbm": {"lightgbm"}, "xgboost": {"xgboost"}, "logistic_regression": set()}


def test_parameters_of_a_request_reach_the_scorer(
    tmp_path: Path, release: ScorerRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(release, tmp_path / "model")
    asked = []

    def predict(self: CreditScorer, X: pd.DataFrame, params: Mapping[str, Any]) -> pd.DataFrame:
        asked.append(params)
        return X

    served = mlflow.pyfunc.load_model((tmp_path / "model").as_posix())
    monkeypatch.setattr(type(served._model_impl), "predict", predict)
    rows = release.input_example.astype({"CNT_CHILDREN": float})
    mlflow.pyfunc.load_model((tmp_path / "model").as_posix()).predict(rows, params={"explain": True})
    assert asked == [{"explain": True, "language": "fr"}]
