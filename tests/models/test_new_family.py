"""A new family is one module and the names of what is searched.

Put into a copy of the project, HistGradientBoosting passes all that families pass.
"""

import shutil
from pathlib import Path

import credit_scoring
from credit_scoring.models import FAMILIES
from credit_scoring.texts import LANGUAGES
from tests.commands import run_command

TESTS = Path(__file__).parents[1]
FAMILY = "family_of_this_test"  # which nobody else chooses
MODULE = '''
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from credit_scoring.models.base import LibraryModel
from credit_scoring.models.encoding import CategoryCodes
from credit_scoring.models.permutation import PermutationContributions


class HistGradientBoostingModel(LibraryModel, PermutationContributions):
    labels = {"fr": "famille de ce test", "en": "family of this test"}
    test_params = {"max_iter": 20, "min_samples_leaf": 5}

    def __init__(self, **params):
        HistGradientBoostingClassifier(**params)
        self.params = params

    @classmethod
    def search_space(cls, trial, params):
        return {
            "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 4, 32, log=True),
            "l2_regularization": trial.suggest_float("l2_regularization", 1.0, 200.0, log=True),
        }

    @classmethod
    def grid(cls):
        return {"max_leaf_nodes": [8, 32], "l2_regularization": [1, 100]}

    def _fit(self, rows, validation):
        self.codes_ = CategoryCodes("name").fit(rows.X)
        is_text = [name in self.codes_.categories_ for name in rows.X]
        fixed = {"categorical_features": is_text, "early_stopping": False, "random_state": 0}
        self.estimator_ = HistGradientBoostingClassifier(**{**fixed, **self.params})
        self.empty_ = rows.X.isna().all(axis=0).to_numpy()
        self.estimator_.fit(self._encode(rows.X), rows.y, rows.sample_weight)

    def _predict_default(self, X):
        return self.estimator_.predict_proba(self._encode(X))[:, 1]

    def _encode(self, X):
        """Columns without a value cannot be binned."""
        return np.where(self.empty_, 0.0, self.codes_.transform(X))
'''
NAMES = "".join(f"    {name}: {name}\n" for name in ("max_leaf_nodes", "l2_regularization"))


def test_a_new_family_is_one_module(tmp_path: Path) -> None:
    """Model, search, comparison, imbalance strategies, labels, saving and serving, as the tests of all families do."""
    assert FAMILY not in FAMILIES
    source = Path(credit_scoring.__file__).parent
    copy = tmp_path / "src" / "credit_scoring"
    shutil.copytree(source, copy)
    (copy / "models" / "families" / f"{FAMILY}.py").write_text(MODULE)
    for language in LANGUAGES:
        texts = copy / "texts" / f"{language}.yaml"
        texts.write_text(texts.read_text().replace("  hyperparameter:\n", f"  hyperparameter:\n{NAMES}"))
    files = [
        "models/test_models.py",
        "models/test_imbalance.py",
        "pipelines/modelling/test_families.py",
        "pipelines/reporting/test_report.py",
        "datasets/test_served_families.py",
    ]
    options = ["-v", "-n", "0", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'temp'}", "-k", FAMILY]
    paths = [(TESTS / file).as_posix() for file in files]
    done = run_command(TESTS.parent, "pytest", *options, *paths, code=tmp_path / "src")
    assert done.returncode == 0, done.stdout[-5000:]
    passed = [line for line in done.stdout.splitlines() if FAMILY in line and "PASSED" in line]
    assert all(any(file in line for line in passed) for file in files)  # each of them took the family up by itself
