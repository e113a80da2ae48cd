"""Whether a model can score here as it did where it was made."""

import pickle
from pathlib import Path

import pytest

from credit_scoring.exported_model.loading import differing_versions, load_scorer, unpickle_scorer
from credit_scoring.exported_model.manifest import ModelFolderError, check_manifest, write_manifest
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
        unpickle_scorer((tmp_path / "model.pkl").read_bytes(), tmp_path)


def test_a_scorer_of_modules_that_are_gone_is_refused_with_their_names(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"ccredit_scoring.models.gone\nGone\n.")
    with pytest.raises(ModelFolderError, match=r"No module named 'credit_scoring\.models\.gone'\.\nHint: serve it"):
        unpickle_scorer((tmp_path / "model.pkl").read_bytes(), tmp_path)


def test_a_scorer_whose_reasons_are_of_an_older_version_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    older = ReasonBook.__new__(ReasonBook)
    older.__dict__.update(columns=(), granted=None, refused=None, n_against=3, n_for=2, least_weight=0.02)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(older))
    with pytest.raises(ModelFolderError, match=r"its reasons are stored as columns, .*reference.*\.\nHint: serve it"):
        unpickle_scorer((tmp_path / "model.pkl").read_bytes(), tmp_path)


class Trace:
    """What leaves a file where it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.file,)


def test_a_scorer_that_is_not_the_listed_one_is_not_unpickled(tmp_path: Path) -> None:
    folder, trace = tmp_path / "model", tmp_path / "trace"
    folder.mkdir()
    for name in ("MLmodel", "model.pkl"):
        (folder / name).write_bytes(b"")
    write_manifest(folder)
    checked = check_manifest(folder)
    (folder / "model.pkl").write_bytes(pickle.dumps(Trace(trace)))
    with pytest.raises(ModelFolderError, match=r"model\.pkl: altered"):
        load_scorer(checked)
    assert not trace.exists()
    with pytest.raises(ModelFolderError, match="was made by another version"):
        unpickle_scorer((folder / "model.pkl").read_bytes(), folder)
    assert trace.exists()


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps(list(range(1000)))[:-500], b"\x8e" + b"\x7f" * 8])
def test_a_scorer_that_is_damaged_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelFolderError, match=r"The scorer in .* cannot be read: \w+: .*\.\nHint: "):
        unpickle_scorer(content, tmp_path)
