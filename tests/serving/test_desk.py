"""The officer's desk beside the server: opened with it, started again if it dies, ended with it; never in its way."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from credit_scoring.serving.desk import DeskProcess, find_desk
from credit_scoring.serving.pause import pause_after
from credit_scoring.serving.settings import SettingError
from tests.conftest import Project
from tests.serving.conftest import Server, can_listen, children, free_port, is_gone, running, wait_until

GRACE = 3
SECONDS_TO_OPEN = 120  # however busy the machine is


@pytest.fixture(scope="module")
def folder(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as the container sees it: the model, and the mounted data, where the applicants are kept."""
    folder = tmp_path_factory.mktemp("desk")
    for part in ("model", "data/01_raw/synthetic"):
        shutil.copytree(demo.path / part, folder / part)
    return folder


@contextmanager
def with_desk(folder: Path, **environment: str) -> Iterator[tuple[Server, str]]:
    """Run a server with its desk; yield it and the address of the desk."""
    port, desk = free_port(), free_port()
    usual = {"SERVING_FRONT_END": "lean", "SERVING_WORKERS": "1", "SERVING_DRAIN": "0", "SERVING_DESK": "on"}
    usual |= {"SERVING_PORT": str(port), "SERVING_GRACE": str(GRACE), "DESK_PORT": str(desk), "DESK_WORKERS": "1"}
    with running([sys.executable, "-m", "credit_scoring.serving"], folder, port, **usual | environment) as server:
        yield server, f"http://127.0.0.1:{desk}"


def is_open(desk: str) -> bool:
    try:
        return "form_token" in requests.get(f"{desk}/sign-in", timeout=5).text
    except requests.ConnectionError:
        return False


def process_of_desk(server: Server) -> int | None:
    for pid in children(server.process.pid):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended by now
            if Path(f"/proc/{pid}/cmdline").read_bytes().endswith(b"credit-scoring\0desk\0"):
                return pid
    return None


def opened(server: Server, desk: str, but: int | None = None) -> list[int]:
    """Wait for a desk, another one than `but`; return its processes, the first one first."""
    wait_until(lambda: process_of_desk(server) not in (None, but) and is_open(desk), SECONDS_TO_OPEN)
    first = process_of_desk(server)
    assert first is not None
    return [first, *children(first)]


@pytest.mark.e2e
def test_the_desk_opens_beside_the_server_comes_back_and_ends_with_it(folder: Path) -> None:
    with with_desk(folder) as (server, desk):
        first = opened(server, desk)
        assert "Sign in once as supervisor with the password" in server.log.read_text()
        os.kill(first[0], signal.SIGKILL)
        wait_until(lambda: all(map(is_gone, first)))
        assert server.is_up()
        second = opened(server, desk, but=first[0])
        assert "The desk has ended (status -9); it is started again in " in server.log.read_text()
        server.process.send_signal(signal.SIGHUP)
        third = opened(server, desk, but=second[0])
        assert all(map(is_gone, second))
        assert server.get("/version").json()["reloads"] == {"switched": 1, "kept": 0}
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(GRACE + 2) == 0
        assert all(map(is_gone, third))
        wait_until(lambda: can_listen(desk), 2)


@pytest.mark.e2e
def test_the_desk_ends_when_the_main_process_is_killed(folder: Path) -> None:
    with with_desk(folder) as (server, desk):
        processes = opened(server, desk)
        server.process.kill()
        wait_until(lambda: all(map(is_gone, processes)), GRACE + 2)
        wait_until(lambda: can_listen(desk), 2)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"DESK_WORKERS": "many"}, "The desk stays closed: its settings are not in order. The server goes on."),
        ({"DESK_MODEL": "nowhere"}, "The desk has ended (status 1); it is started again in 2 s."),
    ],
)
def test_a_desk_that_cannot_open_leaves_the_server_alone(folder: Path, wrong: dict[str, str], said: str) -> None:
    with with_desk(folder, **wrong) as (server, _):
        wait_until(lambda: said in server.log.read_text(), 30)
        assert server.is_up()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(GRACE + 2) == 0


def test_an_installation_without_the_desk_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "argon2", None)  # the command is there, the packages of the extra are not
        with pytest.raises(SettingError, match=r"no desk here: the package argon2 is missing\.\nHint: .*\[desk\]"):
            find_desk()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(SettingError, match=r"no desk here: .*\nHint: docker build --build-arg DESK=1"):
        find_desk()


def test_a_desk_that_has_never_opened_is_tried_again_however_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty seconds apart, for weeks."""
    assert [pause_after(failures, 30) for failures in (-1, 0, 1, 2, 5, 6, 2_000)] == [0, 0, 1, 2, 16, 30, 30]
    now, tries = 1000.0, []

    def no_memory(command: list[Path | str], **_: object) -> None:
        tries.append(command)
        raise OSError

    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(subprocess, "Popen", no_memory)
    desk = DeskProcess(Path("credit-scoring"))
    for _ in range(2_000):
        desk.keep()
        now += 30
    assert (len(tries), desk.lives) == (2_000, False)
