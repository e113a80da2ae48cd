"""Fetching the official files, with a stand-in for the Kaggle client: nothing here talks to a network."""

import dataclasses
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from credit_scoring import download
from credit_scoring.errors import DataContractError, DownloadError
from credit_scoring.schemas.raw import OFFICIAL_TABLES

ROWS = 3
Client = Callable[..., list[str]]


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the published files have three rows and need no space."""
    tables = {
        name: dataclasses.replace(table, official_rows=ROWS, official_bytes=len(content(name)))
        for name, table in OFFICIAL_TABLES.items()
    }
    monkeypatch.setattr(download, "OFFICIAL_TABLES", tables)
    monkeypatch.setattr(download, "SPACE_NEEDED", 1000)


def content(name: str, rows: int = ROWS, newline_at_end: bool = True) -> str:
    table = OFFICIAL_TABLES[name]
    lines = [",".join(table.columns), *[",".join("1" for _ in table.columns)] * rows]
    return "\n".join(lines) + "\n" * newline_at_end


def archive_of(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """Return a maker of clients that hand over an archive, or say something and end with a code."""

    def make(archive: Path | None = None, says: str = "", code: int = 0) -> list[str]:
        script = tmp_path / "kaggle.py"
        script.write_text(
            textwrap.dedent(f"""
            import shutil, sys
            assert sys.argv[1:5] == ["competitions", "download", "-c", "home-credit-default-risk"], sys.argv
            print({says!r})
            if {str(archive or "")!r}:
                shutil.copy({str(archive or "")!r}, sys.argv[6] + "/home-credit-default-risk.zip")
            sys.exit({code})
            """)
        )
        return [sys.executable, str(script)]

    return make


@pytest.fixture
def official(tmp_path: Path) -> dict[str, str]:
    return {f"{name}.csv": content(name) for name in OFFICIAL_TABLES}


def test_the_files_are_put_into_place_and_nothing_else(tmp_path: Path, client: Client, official: dict) -> None:
    archive = archive_of(tmp_path / "a.zip", {**official, "sample_submission.csv": "SK_ID_CURR,TARGET\n"})
    folder = tmp_path / "raw"
    assert download.download_files(folder, client(archive)) == list(official)
    assert {path.name: path.read_text() for path in folder.iterdir()} == official


def test_files_that_are_there_are_never_replaced(tmp_path: Path, client: Client, official: dict) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "bureau.csv").write_text("mine")
    (folder / "application_test.csv.gz").write_text("mine too")
    made = download.download_files(folder, client(archive_of(tmp_path / "a.zip", official)))
    assert set(made) == set(official) - {"bureau.csv", "application_test.csv"}
    assert (folder / "bureau.csv").read_text() == "mine"
    assert not (folder / "application_test.csv").exists()


def test_a_complete_folder_asks_nobody(tmp_path: Path, client: Client, official: dict) -> None:
    for name, text in official.items():
        (tmp_path / name).write_text(text)
    assert download.download_files(tmp_path, client(says="I should not be asked", code=1)) == []


def test_a_last_line_without_a_line_break_counts(tmp_path: Path, client: Client, official: dict) -> None:
    spaced = content("bureau", newline_at_end=False).replace("1,", "1 ,", 1)  # as many bytes as published
    download.download_files(
        tmp_path / "raw", client(archive_of(tmp_path / "a.zip", {**official, "bureau.csv": spaced}))
    )


def test_as_many_rows_of_other_content_are_not_the_published_file(
    tmp_path: Path, client: Client, official: dict
) -> None:
    other = {"bureau.csv": content("bureau").replace("1,", "12,", 1)}
    with pytest.raises(DataContractError, match=r"bureau\.csv: expected (\d+) bytes, as published; found \d+\."):
        download.download_files(tmp_path / "raw", client(archive_of(tmp_path / "a.zip", official | other)))


def test_the_published_sizes_add_up_to_those_of_the_archive() -> None:
    """2,684,261,617 bytes in all, less the two files that are not data: 37,383 and 536,202."""
    assert sum(table.official_bytes for table in OFFICIAL_TABLES.values()) == 2_684_261_617 - 37_383 - 536_202


def test_every_difference_to_the_published_files_is_named_and_nothing_is_put_into_place(
    tmp_path: Path, client: Client, official: dict
) -> None:
    del official["bureau_balance.csv"]
    spoilt = {"bureau.csv": content("bureau", rows=2), "previous_application.csv": "<html>\n1\n2\n3\n"}
    folder = tmp_path / "raw"
    with pytest.raises(DataContractError, match="Hint: try again") as error:
        download.download_files(folder, client(archive_of(tmp_path / "a.zip", official | spoilt)))
    assert error.value.problems == (
        "bureau.csv: expected 3 rows, as published; found 2.",
        "bureau_balance.csv: expected a file in the archive; found none.",
        "previous_application.csv: expected its 37 columns; found '<html>'.",
    )
    assert [path.name for path in folder.iterdir()] == [".download"]
    assert not (folder / ".download" / "home-credit-default-risk.zip").exists()


def test_a_broken_archive_is_no_archive(tmp_path: Path, client: Client, official: dict) -> None:
    whole = archive_of(tmp_path / "a.zip", official)
    whole.write_bytes(whole.read_bytes()[:500])
    with pytest.raises(DataContractError, match="expected a complete zip archive; found File is not a zip file"):
        download.download_files(tmp_path / "raw", client(whole))


@pytest.mark.parametrize(
    ("says", "reason", "hint"),
    [
        ("Authentication required to call the Kaggle API.", "no token of yours", "~/.kaggle/access_token"),
        ("401 Client Error: Unauthorized for url", "no token of yours", "KAGGLE_API_TOKEN"),
        ("403 Client Error: Forbidden for url: https://api", "HTTP 403", "home-credit-default-risk/rules, accept"),
        ("Max retries exceeded: NameResolutionError", "cannot be reached", "check the network"),
        ("[Errno 28] No space left on device", "disk is full", "--folder"),
        ("something new", "ended with code 7 and said 'something new'", "in a browser"),
    ],
)
def test_failures_of_the_client_are_explained(
    tmp_path: Path, client: Client, says: str, reason: str, hint: str
) -> None:
    with pytest.raises(DownloadError) as error:
        download.download_files(tmp_path / "raw", client(says=f" 401k/721M\n{says}", code=7))
    assert reason in str(error.value)
    assert hint in str(error.value).split("Hint: ")[1]


def test_an_interrupted_download_keeps_what_the_client_goes_on_with(
    tmp_path: Path, client: Client, official: dict
) -> None:
    archive = archive_of(tmp_path / "a.zip", official)
    with pytest.raises(DownloadError, match="cannot be reached"):
        download.download_files(tmp_path / "raw", client(archive, says="Connection broken", code=1))
    assert (tmp_path / "raw/.download/home-credit-default-risk.zip").exists()


def test_too_little_space_is_said_before_anything_is_fetched(
    tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "SPACE_NEEDED", 10**18)
    with pytest.raises(DownloadError, match="GB of disk space are needed") as error:
        download.download_files(tmp_path / "raw", client(says="I should not be asked", code=1))
    assert "Hint: make room" in str(error.value)


def test_no_client_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="there is no command no_such_client"):
        download.download_files(tmp_path, ["no_such_client"])


def test_the_command_shows_the_sentence_and_no_traceback(tmp_path: Path, client: Client) -> None:
    command = client(says="403 Client Error: Forbidden", code=1)
    (tmp_path / "kaggle").write_text(f'#!/bin/sh\nexec {command[0]} {command[1]} "$@"\n')
    (tmp_path / "kaggle").chmod(0o755)
    script = (
        f"import os; os.environ['PATH'] = {str(tmp_path)!r}; "
        "from credit_scoring import download; download.SPACE_NEEDED = 0; download.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--folder", str(tmp_path / "raw")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Error: The files of the competition were not downloaded: Kaggle refuses access (HTTP 403)" in done.stderr
    assert "Traceback" not in done.stderr
