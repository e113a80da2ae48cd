"""A PostgreSQL server for tests, in a folder of its own."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.serving.conftest import free_port

# Where Debian puts what it does not link to
_PLACES = (None, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))


def why_not() -> str:
    """Say why there can be no server; empty if there can be one."""
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed"
    return "" if _program("initdb") and _program("pg_ctl") else "PostgreSQL is not installed"


class Postgres:
    """A server.

    Attributes:
        url: Of its database `postgres`.
    """

    def __init__(self, folder: Path) -> None:
        self._data, self._log, self._port = folder / "data", folder / "log", free_port()
        # It refuses to run as root
        self._user = {"user": pwd.getpwnam("nobody").pw_uid} if os.geteuid() == 0 else {}
        if self._user:
            shutil.chown(folder, "nobody")
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
        self._run("initdb", "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        self._run("pg_ctl", "-o", options, "-l", str(self._log), "-w", "start")

    def stop(self) -> None:
        """Stop it at once, as a crash would."""
        self._run("pg_ctl", "-m", "immediate", "-w", "stop")

    def make_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        import psycopg  # noqa: PLC0415

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"{self.url.removesuffix('/postgres')}/{name}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(_program(program)), "-D", str(self._data), *arguments]
        done = subprocess.run(
            command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, **self._user
        )
        assert done.returncode == 0, done.stderr


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a server."""
    with tempfile.TemporaryDirectory(prefix="postgres_") as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _program(name: str) -> str | None:
    return next((found for place in _PLACES if (found := shutil.which(name, path=place))), None)
