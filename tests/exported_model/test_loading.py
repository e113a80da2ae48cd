"""Whether a model can score here as it did where it was made."""

import pickle
from pathlib import Path

import pytest

from credit_scoring.exported_model.loading import differing_versions, load_scorer
from credit_scoring.exported_model.manifest import ModelFolderError
from credit_scoring.reasons import ReasonBook


def test_versions_that_matter_are_told_from_those_that_do_not(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy==1.0.0\nuvicorn==0.1.0\nno-such-package==1.0\n")
    (tmp_path / "python_env.yaml").write_text("python: 3.8.1\n")
    grave, slight = differing_versions(tmp_path)
    assert [line.split()[0] for line in grave] == ["numpy", "no-such-package"]
    assert [line.split()[0] for line in slight] == ["uvicorn", "Python"]


class AskedInAnotherWay:
    """A scorer of a version that explained rows under another name."""

    decision_policy = feature_names_in_ = category_codes = None

    def predict(self) -> None: ...

    decide = score_coded = tell_coded = predict


def test_a_scorer_that_cannot_be_asked_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(AskedInAnotherWay()))
    with pytest.raises(ModelFolderError, match=r"was made by another version of the project\.\nHint: serve it with"):
        load_scorer(tmp_path)


def test_a_scorer_of_modules_that_are_gone_is_refused_with_their_names(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"ccredit_scoring.models.gone\nGone\n.")
    with pytest.raises(ModelFolderError, match=r"No module named 'credit_scoring\.models\.gone'\.\nHint: serve it"):
        load_scorer(tmp_path)


def test_a_scorer_whose_reasons_are_of_an_older_version_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    older = ReasonBook.__new__(ReasonBook)
    older.__dict__.update(columns=(), granted=None, refused=None, n_against=3, n_for=2, least_weight=0.02)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(older))
    with pytest.raises(ModelFolderError, match=r"its reasons are stored as columns, .*reference.*\.\nHint: serve it"):
        load_scorer(tmp_path)
