"""The server of commands that the tests share."""

import os
from multiprocessing.connection import Client
from pathlib import Path

from tests.commands import run_command


def test_the_server_outlives_whoever_asks_and_ends(tmp_path: Path) -> None:
    address = os.environ["COMMANDS_ADDRESS"]
    Client(address).close()
    with Client(address) as gone:
        gone.send((tmp_path, "json.tool", ["--help"], dict(os.environ), (tmp_path / "output",), None))
    done = run_command(tmp_path, "json.tool", "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage:")
