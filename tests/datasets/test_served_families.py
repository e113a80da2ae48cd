"""Any family is served by what its model says it needs, reasons included."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from credit_scoring.exported_model.writing.requirements import package_of
from credit_scoring.models import FAMILIES
from tests.exports import Export

# What training, figures and tracking need, and every family's library: none may be needed but those of the model.
TRAINING = (
    *("shap", "numba", "lightgbm", "xgboost", "imblearn", "optuna", "matplotlib", "ibis"),
    *("kedro", "pydantic", "pyarrow"),
)
ASK = """
import gc, json, sys
gc.disable()
sys.path = [place for place in sys.path if not place.rstrip("/").endswith("/src")]
sys.meta_path = [finder for finder in sys.meta_path if "credit_scoring" not in getattr(finder, "__module__", "")]
class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name in sys.argv[2:]:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, NotInstalled())
sys.path.insert(0, "model/code")
import pickle, pandas
scorer = pickle.load(open("model/model.pkl", "rb"))
told = scorer.predict(pandas.DataFrame(json.load(open(sys.argv[1]))), {"explain": True, "language": "en"})
print(json.dumps([[row.probability_default, row.reasons] for row in told.itertuples()]))
"""


@pytest.mark.parametrize(("family", "target_features"), [*((family, False) for family in FAMILIES), ("lightgbm", True)])
def test_a_scorer_answers_with_reasons_where_only_what_it_is_served_with_is_installed(
    family: str, target_features: bool, exported: Callable[..., Export], tmp_path: Path
) -> None:
    export = exported(family, target_features=target_features)
    scorer, example = export.scorer, export.example
    pins = (export.folder / "requirements.txt").read_text().splitlines()
    installed = {re.split("==", pin)[0] for pin in pins}
    served = {name for name in TRAINING if package_of(name) in installed}
    assert served == set(scorer.model.libraries)
    (tmp_path / "rows.json").write_text(json.dumps(example.to_dict("list")))
    missing = [name for name in TRAINING if name not in served]
    command = [sys.executable, "-c", ASK, str(tmp_path / "rows.json"), *missing]
    done = subprocess.run(command, cwd=export.folder.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = scorer.predict(example, {"explain": True, "language": "en"})
    for answer, probability, reasons in zip(
        json.loads(done.stdout), expected["probability_default"], expected["reasons"], strict=True
    ):
        assert answer == [pytest.approx(probability, rel=1e-9), reasons]
    assert any(expected["reasons"]) == (family != "dummy")
