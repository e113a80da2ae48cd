"""SQLite that does not wait for the disk: tests kill processes, but no machine.

What a log of decisions asks of its own connections comes later, and stands.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.engine import Engine


def _do_not_wait(connection: object, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


@contextmanager
def waiting() -> Iterator[None]:
    """Let it wait after all, where what lies on the disk between two operations matters."""
    event.remove(Engine, "connect", _do_not_wait)
    try:
        yield
    finally:
        event.listen(Engine, "connect", _do_not_wait)


event.listen(Engine, "connect", _do_not_wait)
