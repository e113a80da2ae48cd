"""Who may sit at the desk: accounts with passwords, sessions, wrong attempts, and what became of each sign-in."""

import hashlib
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

Role = Literal["officer", "supervisor", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
LEAST_PASSWORD = 12
_MOST_NAME, _MOST_PASSWORD = 64, 256
_LAYOUT = """
CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT, once INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (
    token TEXT PRIMARY KEY, name TEXT NOT NULL, form_token TEXT NOT NULL, seen REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS attempts (name TEXT PRIMARY KEY, wrong INTEGER NOT NULL, latest REAL NOT NULL);
CREATE TABLE IF NOT EXISTS sign_ins (time REAL NOT NULL, name TEXT NOT NULL, what TEXT NOT NULL, address TEXT NOT NULL);
"""


class AccountError(ValueError):
    """An account cannot be made as asked; ends in a hint."""


@dataclass(frozen=True)
class Session:
    """Somebody who has signed in.

    Attributes:
        name: Their name.
        role: What they may do.
        form_token: What every form has to send along.
    """

    name: str
    role: Role
    form_token: str

    @property
    def may_write(self) -> bool:
        """Whether they may do more than read."""
        return self.role != "auditor"

    @property
    def may_see_policy(self) -> bool:
        """Whether the pages of the portfolio are theirs to see."""
        return self.role != "officer"


class SignIn(NamedTuple):
    """What became of an attempt to sign in.

    Attributes:
        time: Seconds since 1970.
        name: The name that was given.
        what: `signed_in`, `signed_out`, `wrong`, `locked`.
        address: Where it came from.
    """

    time: float
    name: str
    what: str
    address: str


class Accounts:
    """The accounts in a SQLite file, which only its owner can read.

    Args:
        path: The file; made if there is none.
        attempts: Wrong passwords after which a name is locked.
        lock_seconds: For how long.
        idle_seconds: Seconds without a click after which a session ends.
    """

    def __init__(self, path: Path, attempts: int = 5, lock_seconds: float = 900, idle_seconds: float = 1800) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._path = path
        self._attempts = attempts
        self._lock_seconds = lock_seconds
        self._idle_seconds = idle_seconds
        self._hasher = PasswordHasher()
        # Compared with where there is no such account, so that its absence takes as long to tell
        self._nobody = self._hasher.hash(secrets.token_hex())
        with self._open() as database:
            database.executescript(_LAYOUT)

    @property
    def is_empty(self) -> bool:
        """Whether there is no account."""
        with self._open() as database:
            return database.execute("SELECT 1 FROM accounts").fetchone() is None

    def add(self, name: str, role: str, password: str | None, *, once: bool = False) -> None:
        """Make an account, or give one another role or password; its sessions end.

        Args:
            name: Its name.
            role: One of `ROLES`.
            password: Its password; null for an account that a proxy signs in.
            once: Whether the password is good for one sign-in only.

        Raises:
            AccountError: If the name, the role or the password will not do.
        """
        if not name.isprintable() or not 0 < len(name.strip()) == len(name) <= _MOST_NAME:
            raise AccountError(
                f"Expected a name of at most {_MOST_NAME} characters, got {name!r}.\nHint: such as jane.doe."
            )
        if role not in ROLES:
            raise AccountError(f"Expected a role, got {role!r}.\nHint: one of {', '.join(ROLES)}.")
        if password is not None and not LEAST_PASSWORD <= len(password) <= _MOST_PASSWORD:
            raise AccountError(
                f"Expected a password of {LEAST_PASSWORD} to {_MOST_PASSWORD} characters, got {len(password)}.\n"
                "Hint: a few words that do not belong together do well."
            )
        hashed = self._hasher.hash(password) if password is not None else None
        with self._open() as database:
            database.execute("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)", (name, role, hashed, once))
            database.execute("DELETE FROM sessions WHERE name = ?", (name,))
            database.execute("DELETE FROM attempts WHERE name = ?", (name,))

    def sign_in(self, name: str, password: str, address: str, former: str | None = None) -> str | None:
        """Return the token of a new session, or nothing if name or password are wrong or the name is locked.

        Args:
            name: Who it is said to be.
            password: What was given.
            address: Where from.
            former: Token of the browser's session before, which ends.
        """
        name, password = name[:_MOST_NAME], password[:_MOST_PASSWORD]
        if self.is_locked(name):
            self._note(name, "locked", address)
            return None
        with self._open() as database:
            found = database.execute("SELECT password, once FROM accounts WHERE name = ?", (name,)).fetchone()
        hashed, once = found or (None, False)
        try:
            self._hasher.verify(hashed or self._nobody, password)
        except (VerificationError, InvalidHashError):
            hashed = None
        if hashed is None:
            self._count_wrong(name)
            self._note(name, "wrong", address)
            return None
        with self._open() as database:
            database.execute("DELETE FROM attempts WHERE name = ?", (name,))
            if once:
                database.execute("UPDATE accounts SET password = NULL WHERE name = ?", (name,))
        return self.begin(name, address, former)

    def begin(self, name: str, address: str, former: str | None = None) -> str:
        """Begin a session of somebody who is known, and return its token, which nobody had before."""
        token = secrets.token_urlsafe(32)
        with self._open() as database:
            if former:
                database.execute("DELETE FROM sessions WHERE token = ?", (_digest(former),))
            database.execute("DELETE FROM sessions WHERE seen < ?", (time.time() - self._idle_seconds,))
            values = (_digest(token), name, secrets.token_urlsafe(24), time.time())
            database.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", values)
        self._note(name, "signed_in", address)
        return token

    def has(self, name: str) -> bool:
        """Whether there is an account of this name."""
        with self._open() as database:
            return database.execute("SELECT 1 FROM accounts WHERE name = ?", (name,)).fetchone() is not None

    def session(self, token: str | None) -> Session | None:
        """Return the session of a token; null if there is none, or it has been idle for too long."""
        if not token:
            return None
        now = time.time()
        with self._open() as database:
            found = database.execute(
                "SELECT name, role, form_token, seen FROM sessions JOIN accounts USING (name) "
                "WHERE token = ? AND seen > ?",
                (_digest(token), now - self._idle_seconds),
            ).fetchone()
            if found and now - found[3] > 1:
                database.execute("UPDATE sessions SET seen = ? WHERE token = ?", (now, _digest(token)))
        return Session(*found[:3]) if found else None

    def sign_out(self, token: str, name: str, address: str) -> None:
        """End a session."""
        with self._open() as database:
            database.execute("DELETE FROM sessions WHERE token = ?", (_digest(token),))
        self._note(name, "signed_out", address)

    def is_locked(self, name: str) -> bool:
        """Whether a name has to wait after wrong passwords, be there such an account or not."""
        with self._open() as database:
            found = database.execute("SELECT wrong, latest FROM attempts WHERE name = ?", (name,)).fetchone()
        return bool(found) and found[0] >= self._attempts and time.time() - found[1] < self._lock_seconds

    def sign_ins(self, n: int = 50) -> list[SignIn]:
        """Return what became of the latest sign-ins, the latest first."""
        with self._open() as database:
            found = database.execute("SELECT * FROM sign_ins ORDER BY time DESC LIMIT ?", (n,)).fetchall()
        return [SignIn(*row) for row in found]

    def _count_wrong(self, name: str) -> None:
        now = time.time()
        with self._open() as database:
            database.execute("DELETE FROM attempts WHERE latest < ?", (now - self._lock_seconds,))
            database.execute(
                "INSERT INTO attempts VALUES (?, 1, ?) ON CONFLICT (name) DO UPDATE SET wrong = wrong + 1, latest = ?",
                (name, now, now),
            )

    def _note(self, name: str, what: str, address: str) -> None:
        with self._open() as database:
            database.execute("INSERT INTO sign_ins VALUES (?, ?, ?, ?)", (time.time(), name, what, address))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=5)
        try:
            with database:
                yield database
        finally:
            database.close()


def _digest(token: str) -> str:
    """Return what is kept of a token, so that who reads the file cannot take over a session."""
    return hashlib.sha256(token.encode()).hexdigest()
