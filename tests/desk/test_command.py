"""The desk as a user starts it, and its accounts on the command line."""

import io
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from credit_scoring.desk.__main__ import main as serve
from credit_scoring.desk.application import Desk, open_accounts
from credit_scoring.desk.command import main
from credit_scoring.desk.settings import DeskSettingError, DeskSettings, read_desk_settings
from tests.desk.conftest import PASSWORD, Officer


def test_it_starts_with_a_password_that_is_good_once_and_stops_when_told(
    desk: Desk, settings: DeskSettings, tmp_path: Path
) -> None:
    shutil.copytree(settings.folder / settings.source, tmp_path / "desk" / settings.source)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "DESK_PORT": str(port),
        "DESK_WORKERS": "1",
        "DESK_MODEL": str(settings.model),
        "DESK_DATA": str(settings.data),
        "DESK_RAW_FOLDER": str(settings.raw),
        "DESK_FOLDER": str(tmp_path / "desk"),
        "DECISION_LOG_URL": f"sqlite:///{tmp_path}/decisions.db",
    }
    command = [sys.executable, "-m", "credit_scoring.desk"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            password = re.search(r"as supervisor with the password (\S+)", process.stdout.readline())
            assert password
            assert "credit-scoring desk add-user" in process.stdout.readline()
            assert process.stdout.readline() == f"The desk opens at http://127.0.0.1:{port}\n"
            officer = Officer(f"http://127.0.0.1:{port}")
            while True:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert process.poll() is None
            assert officer.sign_in("supervisor", password[1]).url == f"{officer.url}/"
            assert Officer(officer.url).sign_in("supervisor", password[1]).status_code == 403
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)


def test_without_source_tables_it_does_not_start_and_says_why(
    settings: DeskSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "credit_scoring")  # what starting sets is put back
    for name, value in {"MODEL": settings.model, "RAW_FOLDER": tmp_path, "FOLDER": tmp_path / "desk"}.items():
        monkeypatch.setenv(f"DESK_{name}", str(value))
    assert serve() == 1
    assert "application_train.csv cannot be used: a file was expected, none found" in caplog.text


def test_accounts_are_made_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("DESK_FOLDER", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\nshort\n"))
    assert main(["add-user", "jane", "--role", "auditor"]) == 0
    assert main(["add-user", "joe"]) == 1
    assert main(["add-user", "jim", "--proxy"]) == 0
    told = capsys.readouterr()
    assert told.out == "jane may sign in as auditor.\njim may sign in as officer.\n"
    assert "12 to 256 characters, got 5" in told.err
    accounts = open_accounts(read_desk_settings())
    assert accounts.sign_in("jane", PASSWORD, "here")
    assert accounts.has("jim")
    assert accounts.sign_in("jim", "", "here") is None


def test_why_an_account_cannot_be_made_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/accounts.db").write_text("no database " * 100)
    for folder, cause in (("file", "File exists"), ("file/in", "Not a directory"), ("other", "not a database")):
        monkeypatch.setenv("DESK_FOLDER", str(tmp_path / folder))
        assert main(["add-user", "jim", "--proxy"]) == 1
        assert re.fullmatch(rf"[^\n]+{cause}[^\n]*\nHint: DESK_FOLDER[^\n]+\n", capsys.readouterr().err)
    start = "from credit_scoring.desk.command import main; main(['add-user', 'j'])"
    code = f"import sys; sys.modules['argon2'] = None; {start}"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr
    assert told == "Not installed: argon2.\nHint: pip install 'credit-scoring[desk]'.\n"


def test_settings_that_are_not_in_order_are_all_told(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("DESK_PROT", "1235")
    monkeypatch.setenv("DESK_PORT", "many")
    monkeypatch.setenv("DESK_SOURCE", "../etc")
    with pytest.raises(DeskSettingError, match="DESK_PROT is not a setting") as error:
        read_desk_settings()
    assert "DESK_PORT is 'many'" in str(error.value)
    assert "DESK_SOURCE is '../etc'" in str(error.value)
    assert main(["add-user", "jane"]) == 2
    assert "Hint: known are DESK_HOST" in capsys.readouterr().err
