"""Keys have names, are never stored, and are changed while the server runs; each may ask for its share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from credit_scoring.serving import keys as module
from credit_scoring.serving.keys import Keys, RateLimit, digest_key
from credit_scoring.serving.settings import SettingError, Settings


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def line(name: str, key: str) -> str:
    return f"{name}:{digest_key(key.encode())}\n"


def test_a_key_of_the_environment_and_those_of_a_file_have_names(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# two clients, one changing its key\n\n{line('web', 'a')}{line('web', 'b')}{line('app', 'c')}")
    keys = Keys(Settings(api_key="own\n", api_keys_file=file))
    given = {b"own": "default", b"a": "web", b"b": "web", b"c": "app", b"d": None, b"": None, b"own\n": "default"}
    assert {key: keys.name(key) for key in given} == given
    assert keys
    assert not Keys(Settings())


def test_what_the_command_makes_is_a_key_and_its_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "credit_scoring.serving.keys"]
    made = subprocess.run([*command, "web"], capture_output=True, text=True, check=True).stdout
    key, made_line = (said.rpartition(" ")[2] for said in made.splitlines())
    assert len(key) >= 43
    (tmp_path / "keys").write_text(made_line)
    assert Keys(Settings(api_keys_file=tmp_path / "keys")).name(key.encode()) == "web"
    for arguments in ([], ["two words"], ["a:b"], ["a", "b"]):
        assert subprocess.run([*command, *arguments], capture_output=True, check=False).returncode == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "There is no key in"),
        ("web:secret-in-clear", r"line 1: expected name:SHA-256 of the key\."),
        (f"# one\n{line('web', 'a')}{line('app', 'a')}", "line 3: the same key has two names"),
        (line("a name", "a"), "line 1: expected name"),
        (None, "cannot be read: FileNotFoundError"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_without_repeating_it(
    tmp_path: Path, content: str | None, said: str
) -> None:
    file = tmp_path / "keys"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingError, match=said) as refused:
        Keys(Settings(api_keys_file=file))
    assert "secret-in-clear" not in str(refused.value)
    assert "Hint: python -m credit_scoring.serving.keys" in str(refused.value)


def test_a_key_of_nothing_but_spaces_is_no_open_door() -> None:
    with pytest.raises(SettingError, match="nothing but spaces"):
        Keys(Settings(api_key="\n"))


def test_a_changed_file_is_read_again_and_a_broken_one_changes_nothing(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    file, counted = tmp_path / "keys", []
    file.write_text(line("web", "old"))
    keys = Keys(Settings(api_keys_file=file), counted.append)

    def replace(content: str) -> None:
        other = tmp_path / "new"
        other.write_text(content)
        os.replace(other, file)  # noqa: PTH105

    replace(line("web", "new"))
    assert (keys.name(b"old"), keys.name(b"new")) == ("web", None)  # looked at once a second
    clock.now += 1
    assert (keys.name(b"old"), keys.name(b"new")) == (None, "web")
    for broken in ("web:", None):
        if broken is None:
            file.unlink()
        else:
            replace(broken)
        for _ in range(3):
            clock.now += 1
            assert keys.name(b"new") == "web"
    assert counted == [True, False, False]
    assert [record.levelname for record in caplog.records] == ["INFO", "ERROR", "ERROR"]
    replace(line("web", "newest"))
    clock.now += 1
    assert keys.name(b"newest") == "web"


def test_each_key_gets_its_share_and_pays_its_debt(clock: Clock) -> None:
    limit = RateLimit(8)
    assert [limit.wait("web") for _ in range(8)] == [0] * 8
    assert limit.wait("web") == 0.125
    assert limit.wait("app") == 0
    clock.now += 0.125
    assert limit.wait("web") == 0
    limit.take("web", 23)  # the request turns out to hold 24
    assert limit.wait("web") == 3
    clock.now += 2.75
    assert limit.wait("web") == 0.25
    clock.now += 1000
    assert [limit.wait("web") for _ in range(9)] == [0] * 8 + [0.125]


def test_less_than_one_a_second_lets_one_through_and_then_waits(clock: Clock) -> None:
    limit = RateLimit(0.5)
    assert (limit.wait(""), limit.wait("")) == (0, pytest.approx(2))
    assert [RateLimit(0).wait("") for _ in range(100)] == [0] * 100
