"""A folder is an exported model only if it holds what was exported to it."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from credit_scoring.exported_model import MANIFEST
from credit_scoring.exported_model.folder import open_model_folder
from credit_scoring.exported_model.manifest import ModelFolderError, check_manifest, write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "code").mkdir(parents=True)
    for name in ("MLmodel", "model.pkl", "code/scorer.py"):
        (folder / name).write_text(name)
    write_manifest(folder)
    return folder


def test_a_manifest_is_what_sha256sum_writes(folder: Path) -> None:
    lines = (folder / MANIFEST).read_text().splitlines()
    assert [line.split("  ")[1] for line in lines] == ["MLmodel", "code/scorer.py", "model.pkl"]
    assert lines[2].startswith("65a8094a15ad")
    assert len(check_manifest(folder).sha256) == 64


def test_bytecode_that_python_would_run_instead_of_the_code_is_refused_with_the_way_to_remove_it(folder: Path) -> None:
    (folder / "code" / "__pycache__").mkdir()
    (folder / "code" / "__pycache__" / "scorer.cpython-311.pyc").write_bytes(b"")
    with pytest.raises(ModelFolderError) as raised:
        check_manifest(folder)
    assert "code/__pycache__/scorer.cpython-311.pyc: not listed" in str(raised.value)
    subprocess.run(str(raised.value).splitlines()[-1], shell=True, check=True)
    check_manifest(folder)


def plant(folder: Path) -> dict[str, str]:
    """Put what does not belong there into a folder; return what is to be said of each."""
    outside = folder.with_name("outside")
    outside.mkdir()
    (outside / "evil.py").write_text("")
    (folder / "code" / "link.py").symlink_to("scorer.py")
    (folder / "code" / "package").symlink_to(outside)
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(folder / "socket"))  # longer paths than a hundred characters are none for it
    (folder / "empty").mkdir()
    (folder / "code" / "Scorer.py").write_text("code/scorer.py")
    (folder / "two\nlines").write_text("")
    (folder / os.fsdecode(b"\xff")).write_text("")
    names = ["code/link.py", "code/package", "dangling", "pipe", "socket", "empty/", "code/Scorer.py"]
    return {name: f"  - {name}: not listed" for name in [*names, "'two\\nlines'", "'\\udcff'"]}


def test_anything_else_in_the_folder_is_refused_and_named(folder: Path) -> None:
    expected = plant(folder)
    with pytest.raises(ModelFolderError) as raised:
        check_manifest(folder)
    assert sorted(str(raised.value).splitlines()[1:-1]) == sorted(expected.values())


@pytest.mark.parametrize("name", ["model.pkl", "MANIFEST.sha256"])
def test_what_is_listed_has_to_be_a_file_of_its_own(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    for make in (Path.mkdir, os.mkfifo, lambda path: path.symlink_to(folder.with_name("same"))):
        folder.with_name("same").write_bytes(content)
        (folder / name).unlink()
        make(folder / name)
        with pytest.raises(ModelFolderError, match=r"model\.pkl: no regular file|has no MANIFEST\.sha256"):
            check_manifest(folder)
        (folder / name).rmdir() if (folder / name).is_dir() else (folder / name).unlink()
        (folder / name).write_bytes(content)


DIGEST = "0" * 64


@pytest.mark.parametrize(
    "line",
    [
        f"{DIGEST}  ../model.pkl",
        f"{DIGEST}  /etc/passwd",
        f"{DIGEST}  code/../model.pkl",
        f"{DIGEST}  ./model.pkl",
        f"{DIGEST}  code//scorer.py",
        f"{DIGEST}  code\\scorer.py",
        f"\\{DIGEST}  two\\nlines",
        f"{DIGEST}  a\rb",
        f"{DIGEST}  a\x1bb",
        f"{DIGEST}  a\u2028b",
        f"{DIGEST}  MANIFEST.sha256",
        f"{DIGEST}  model.pkl",
        f"{DIGEST} *model.pkl",
        f"{DIGEST}  ",
        f"{DIGEST[1:]}  model.pkl",
        f"{DIGEST[1:]}A  other",
        "",
        "\x00\udcff",
    ],
)
def test_a_line_that_names_no_file_of_the_folder_or_one_twice_is_refused(folder: Path, line: str) -> None:
    with (folder / MANIFEST).open("ab") as file:
        file.write(os.fsencode(f"{line}\n"))
    with pytest.raises(ModelFolderError, match=r"- MANIFEST\.sha256, line 4: (expected a digest|model\.pkl is listed)"):
        check_manifest(folder)


def test_a_file_is_read_as_it_was_checked_or_not_at_all(folder: Path) -> None:
    checked = check_manifest(folder)
    assert checked.read("model.pkl") == b"model.pkl"
    (folder / "model.pkl").write_text("other")
    with pytest.raises(ModelFolderError, match=r"model\.pkl: altered"):
        checked.read("model.pkl")
    (folder / "model.pkl").unlink()
    with pytest.raises(ModelFolderError, match=r"model\.pkl: cannot be read"):
        checked.read("model.pkl")


def test_a_folder_that_could_not_be_checked_is_not_listed(folder: Path) -> None:
    (folder / "link").symlink_to("model.pkl")
    with pytest.raises(ModelFolderError, match="link: not listed"):
        write_manifest(folder)


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
    (tmp_path / MANIFEST).touch()
    with pytest.raises(ModelFolderError, match="MLmodel: not listed"):
        check_manifest(tmp_path)


def test_a_description_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(ModelFolderError, match="cannot be read"):
        open_model_folder(folder)
