"""A folder is an exported model only if it holds what was exported to it."""

from pathlib import Path

import pytest

from credit_scoring.exported_model import MANIFEST
from credit_scoring.exported_model.folder import open_model_folder
from credit_scoring.exported_model.manifest import ModelFolderError, check_manifest, write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    for name in ("MLmodel", "model.pkl", "code/scorer.py"):
        (tmp_path / name).write_text(name)
    write_manifest(tmp_path)
    return tmp_path


def test_a_manifest_is_what_sha256sum_writes(folder: Path) -> None:
    lines = (folder / MANIFEST).read_text().splitlines()
    assert [line.split("  ")[1] for line in lines] == ["MLmodel", "code/scorer.py", "model.pkl"]
    assert lines[2].startswith("65a8094a15ad")
    assert len(check_manifest(folder)) == 64


def test_bytecode_beside_code_that_has_run_is_no_change(folder: Path) -> None:
    (folder / "code" / "__pycache__").mkdir()
    (folder / "code" / "__pycache__" / "scorer.pyc").write_bytes(b"")
    check_manifest(folder)


def test_every_file_that_is_not_as_exported_is_named(folder: Path) -> None:
    (folder / "model.pkl").write_text("other")
    (folder / "MLmodel").unlink()
    (folder / "code" / "more.py").write_text("")
    with pytest.raises(ModelFolderError) as raised:
        check_manifest(folder)
    for said in ("MLmodel: missing", "model.pkl: altered", "code/more.py: not listed", "Hint: export the model again"):
        assert said in str(raised.value)
    assert "code/scorer.py" not in str(raised.value)


def test_a_folder_without_a_manifest_or_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"no MANIFEST\.sha256"):
        check_manifest(tmp_path)
    with pytest.raises(ModelFolderError, match="not a folder"):
        check_manifest(tmp_path / "nowhere")


def test_an_empty_list_does_not_make_an_empty_folder_a_model(tmp_path: Path) -> None:
    write_manifest(tmp_path)
    with pytest.raises(ModelFolderError, match="MLmodel: not listed"):
        check_manifest(tmp_path)


def test_a_description_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(ModelFolderError, match="cannot be read"):
        open_model_folder(folder)
