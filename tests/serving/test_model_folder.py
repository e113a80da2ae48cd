"""A folder is served only if it holds what was exported to it, and settings only if they make sense."""

from pathlib import Path

import pytest

from credit_scoring.serving.manifest import MANIFEST, ModelFolderError, check_manifest, write_manifest
from credit_scoring.serving.model_folder import differing_versions, open_model_folder
from credit_scoring.serving.settings import SettingError, Settings


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


def test_versions_that_matter_are_told_from_those_that_do_not(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy==1.0.0\nuvicorn==0.1.0\nno-such-package==1.0\n")
    (tmp_path / "python_env.yaml").write_text("python: 3.8.1\n")
    grave, slight = differing_versions(tmp_path)
    assert [line.split()[0] for line in grave] == ["numpy", "no-such-package"]
    assert [line.split()[0] for line in slight] == ["uvicorn", "Python"]


def test_settings_come_from_the_environment() -> None:
    settings = Settings.from_environment({"SERVING_FRONT_END": "lean", "SERVING_WORKERS": "3", "PATH": "/bin"})
    assert (settings.front_end, settings.workers, settings.port) == ("lean", 3, 1234)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SERVING_FRONT_END", "fast", "one of mlflow, lean"),
        ("SERVING_WORKERS", "0", "a whole number from 1 to 256"),
        ("SERVING_PORT", "http", "a whole number from 1 to 65535"),
        ("SERVING_THREADS", "1", "known are SERVING_FRONT_END, SERVING_MODEL"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_what_is_expected(name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingError, match=expected):
        Settings.from_environment({name: value})
