"""A user's mistake is one panel, a defect has its traceback; both are written down in full."""

import io
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kedro.io import DatasetError
from kedro.pipeline import Node, Pipeline
from rich.console import Console

from credit_scoring import mistakes
from credit_scoring.errors import RunRefusedError
from credit_scoring.mistakes import is_mistake
from tests.conftest import Project


def raised(call: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - of any kind
        call()
    return caught.value


def test_what_says_how_to_mend_it_or_comes_from_a_tool_that_was_asked_wrongly_is_a_mistake() -> None:
    def fail(error: Exception) -> Callable[[], object]:
        def call() -> object:
            raise error

        return call

    assert is_mistake(raised(fail(ValueError("No client 7.\nHint: choose another."))))
    assert is_mistake(raised(fail(DatasetError("no such file"))))
    assert is_mistake(raised(fail(RunRefusedError("Another run goes on.", "wait"))))
    assert is_mistake(raised(lambda: Pipeline([Node(len, "a", "b", name="n")]).filter(node_names=["m"])))
    assert not is_mistake(raised(lambda: 1 / 0))
    assert not is_mistake(raised(fail(KeyError("AMT_CREDIT"))))


def script(folder: Path, body: str) -> subprocess.CompletedProcess[str]:
    told = f"from credit_scoring.mistakes import show_errors\nshow_errors()\n{body}"
    return subprocess.run([sys.executable, "-c", told], cwd=folder, capture_output=True, text=True, check=False)


def written(stderr: str) -> str:
    named = re.search(r"^Details: (.+)$", stderr, re.MULTILINE)
    assert named, stderr
    return Path(named[1]).read_text()


def test_a_mistake_shows_no_traceback_and_names_the_file_that_has_it(new_project: Callable[[str], Project]) -> None:
    project = new_project("mistaken")
    failed = script(project.path, "raise ValueError('No client 7.\\nHint: choose another.')")
    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: No client 7.\nHint: choose another.\nDetails: ")
    assert "Traceback" not in failed.stderr
    assert "Traceback" in written(failed.stderr)
    assert f"Details: {project.path}/.runs/errors/" in failed.stderr


def test_a_defect_shows_its_traceback_and_says_that_it_is_one(new_project: Callable[[str], Project]) -> None:
    failed = script(new_project("defective").path, "1 / 0")
    assert failed.returncode == 1
    assert "ZeroDivisionError: division by zero\nThis is a defect of the program" in failed.stderr
    assert "ZeroDivisionError" in written(failed.stderr)


def test_on_a_terminal_a_mistake_is_a_panel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    shown = io.StringIO()
    terminal = Console(file=shown, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr("rich.console.Console", lambda **_: terminal)
    RunRefusedError("Another run goes on in this folder.", "wait until it has ended.").show()
    lines = shown.getvalue().splitlines()
    assert lines[0].startswith("╭─ Error ─")
    assert lines[1].startswith("│ Another run goes on in this folder.")
    assert lines[2].startswith("│ Hint: wait until it has ended.")
    assert lines[3].startswith("│ Details: ")


def test_where_nothing_can_be_written_the_message_comes_without_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mistakes.tempfile, "gettempdir", lambda: "/dev/null")
    RunRefusedError("Another run goes on.", "wait").show()
    assert capsys.readouterr().err == "Error: Another run goes on.\nHint: wait\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--pipelines", "modeling"], "did you mean modelling?"),
        (["--params", "raw_foldr=/data"], "did you mean raw_folder?"),
        (["--pipelines", "scoring"], "What this run needs is not there: "),
        (["--runner", "NoRunner"], "NoRunner"),
    ],
)
def test_a_mistake_behind_a_command_is_one_message(
    arguments: list[str], said: str, new_project: Callable[[str], Project]
) -> None:
    failed = new_project("commanded").kedro("run", "--env", "test", *arguments)
    assert failed.returncode == 1
    assert said in failed.stderr
    assert failed.stderr.count("Error: ") == 1
    assert "Traceback" not in failed.stderr + failed.stdout
    assert "Traceback" in written(failed.stderr)
