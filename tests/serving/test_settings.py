"""Settings come from the environment, and are refused all at once if they make no sense."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from credit_scoring.serving.settings import SettingError, Settings, read_settings
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SERVING_")]:
        monkeypatch.delenv(name)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVING_FRONT_END", "lean")
    monkeypatch.setenv("SERVING_WORKERS", "3")
    settings = read_settings()
    assert (settings.front_end, settings.workers, settings.port) == ("lean", 3, 1234)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SERVING_FRONT_END", "fast", "SERVING_FRONT_END is 'fast', expected one of mlflow, lean, mlflow-cli."),
        ("SERVING_WORKERS", "0", "SERVING_WORKERS is '0', expected a whole number from 1 to 256."),
        ("SERVING_PORT", "http", "SERVING_PORT is 'http', expected a whole number from 1 to 65535."),
        ("SERVING_DESK", "open", "SERVING_DESK is 'open', expected on or off."),
        ("SERVING_THREADS", "1", "SERVING_THREADS is not a setting."),
        ("serving_port", "80", "serving_port is not a setting."),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_what_is_expected(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=re.escape(f"  - {said}\nHint: known are SERVING_FRONT_END, SERVING_MODEL")):
        read_settings()


def test_all_problems_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SERVING_THREADS", "SERVING_GRACE", "SERVING_OTHER_VERSIONS"):
        monkeypatch.setenv(name, "never")
    with pytest.raises(SettingError) as raised:
        read_settings()
    problems = [line for line in str(raised.value).splitlines() if line.startswith("  - ")]
    assert problems == [
        "  - SERVING_THREADS is not a setting.",
        "  - SERVING_GRACE is 'never', expected a whole number from 0 to 3600.",
        "  - SERVING_OTHER_VERSIONS is 'never', expected one of refuse, warn.",
    ]


def test_what_mlflow_alone_would_not_heed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "FRONT_END": "mlflow-cli",
        "PORT": "80",
        "LOG": "json",
        "SHADOW": "",
        "API_KEY": "s3cret",
        "GAPS": "review",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"SERVING_{name}", value)
    with pytest.raises(SettingError) as raised:
        read_settings()
    problems = [line for line in str(raised.value).splitlines() if line.startswith("  - ")]
    assert problems == [f"  - SERVING_{name} is not for `mlflow models serve`." for name in ("API_KEY", "GAPS")]
    for name in ("API_KEY", "GAPS"):
        monkeypatch.delenv(f"SERVING_{name}")
    assert read_settings().front_end == "mlflow-cli"
    monkeypatch.setenv("serving_gaps", "refuse")
    with pytest.raises(SettingError, match=r"  - serving_gaps is not a setting\.\n"):
        read_settings()


@pytest.mark.parametrize(("name", "value"), [("DECISION_LOG", "required"), ("DECISION_LOG_URL", "sqlite:///log.db")])
def test_mlflow_alone_is_not_started_where_records_are_asked_for(tmp_path: Path, name: str, value: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "credit_scoring.serving"],
        cwd=tmp_path,
        env=os.environ | {"SERVING_FRONT_END": "mlflow-cli", name: value},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "`mlflow models serve` records no decision" in done.stdout + done.stderr


def test_a_key_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVING_API_KEY", "s3cret")
    settings = read_settings()
    assert settings.api_key.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)


def test_every_setting_is_in_the_documentation() -> None:
    section = (ROOT / "docs" / "serving.md").read_text().partition("## Settings")[2].partition("## ")[0]
    documented = set(re.findall(r"`SERVING_([A-Z_]+)`", section))
    assert documented == {name.upper() for name in Settings.model_fields}
