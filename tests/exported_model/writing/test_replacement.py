"""A model's folder holds the old model or the new one, whole."""

from pathlib import Path

import pytest

from credit_scoring.exported_model.manifest import check_manifest
from credit_scoring.exported_model.writing import replacement
from credit_scoring.exported_model.writing.replacement import replace_model, workspace_beside


def write_model(folder: Path, scorer: str) -> None:
    folder.mkdir()
    for name in ("MLmodel", "model.pkl"):
        (folder / name).write_text(scorer)


def test_the_new_model_takes_the_place_with_the_list_of_its_files_and_nothing_else_stays(tmp_path: Path) -> None:
    folder = tmp_path / "below" / "model"
    for scorer in ("old", "new"):
        with workspace_beside(folder) as workspace:
            write_model(workspace / "model", scorer)
            replace_model(folder, workspace / "model")
        assert check_manifest(folder)
        assert (folder / "model.pkl").read_text() == scorer
    assert list(folder.parent.iterdir()) == [folder]


def test_a_swap_that_fails_puts_the_old_model_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "model"
    write_model(folder, "old")
    rename = Path.rename

    def refuse_the_new_one(self: Path, target: Path) -> Path:
        if self.name == "fresh":
            raise OSError("No space left on device")
        return rename(self, target)

    monkeypatch.setattr(replacement, "_exchange", lambda *_: False)  # as on a disk that cannot
    monkeypatch.setattr(Path, "rename", refuse_the_new_one)
    with workspace_beside(folder) as workspace:
        write_model(workspace / "fresh", "new")
        with pytest.raises(OSError, match="No space left"):
            replace_model(folder, workspace / "fresh")
    assert (folder / "model.pkl").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_what_killed_exports_left_is_removed_and_what_others_are_at_is_not(tmp_path: Path) -> None:
    folder, left = tmp_path / "model", tmp_path / ".export_killed"
    (left / "model").mkdir(parents=True)
    with workspace_beside(folder) as one, workspace_beside(folder) as other:
        assert {path.name for path in tmp_path.iterdir()} == {one.name, other.name}
    assert list(tmp_path.iterdir()) == []
