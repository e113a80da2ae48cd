"""Who may ask, and how much: API keys with names, and a limit for each.

`python -m credit_scoring.serving.keys NAME` makes a key and prints it with its line for the file of keys.
"""

import hashlib
import hmac
import logging
import re
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import credit_scoring.garbage  # noqa: F401 - this starts a process
from credit_scoring.serving.settings import SettingError, Settings

_LINE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]{0,63}):(?P<digest>[0-9a-f]{64})")
_SECONDS_BETWEEN_LOOKS = 1.0

logger = logging.getLogger("credit_scoring.serving")


def digest_key(key: bytes) -> str:
    """Return what the file holds of a key. Keys are random and long: there is nothing to be guessed from a hash."""
    return hashlib.sha256(key).hexdigest()


class Keys:
    """The keys that are accepted: `SERVING_API_KEY`, named `default`, and those of the file, which is watched.

    A file has a line `name:SHA-256 of the key in hexadecimal` for each; empty lines and those after `#` do not count. A
    name may have several keys, so that a client can change from one to the next.

    Args:
        settings: Where the keys are.
        count: Is told each time that the file has changed whether it could be read.

    Raises:
        SettingError: If there is to be a key and none can be read.
    """

    def __init__(self, settings: Settings, count: Callable[[bool], None] = lambda _: None) -> None:
        self._count = count
        self._own: dict[str, str] = {}
        if given := settings.api_key.get_secret_value():
            # Files and mounted secrets end in a line break
            if not given.strip():
                raise SettingError("SERVING_API_KEY is nothing but spaces. Hint: unset it to serve without a key.")
            self._own[digest_key(given.strip().encode())] = "default"
        self._file = settings.api_keys_file
        self._names: Mapping[str, str] = self._own
        self._looked = time.monotonic()
        self._seen: object = None
        if self._file:
            self._seen = _version(self._file)
            self._names = self._own | _read(self._file)

    def __bool__(self) -> bool:
        """Tell whether a key is asked for."""
        return bool(self._names)

    def name(self, given: bytes) -> str | None:
        """Return the name of a key, in a time that does not depend on it; nothing if it is none."""
        self._look_at_file()
        digest = digest_key(given.strip())
        found = None
        for known, name in self._names.items():
            if hmac.compare_digest(known, digest):
                found = name
        return found

    def _look_at_file(self) -> None:
        now = time.monotonic()
        if not self._file or now - self._looked < _SECONDS_BETWEEN_LOOKS:
            return
        self._looked = now
        version = _version(self._file)
        if version == self._seen:
            return
        self._seen = version
        try:
            self._names = self._own | _read(self._file)
        except SettingError as error:
            self._count(False)
            logger.error("The keys stay as they were. %s", error)
        else:
            self._count(True)
            logger.info("Keys read again: %s.", ", ".join(sorted(set(self._names.values()))))


def _version(file: Path) -> object:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(file: Path) -> dict[str, str]:
    hint = "Hint: python -m credit_scoring.serving.keys NAME makes a key and its line."
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"The keys in {file} cannot be read: {type(error).__name__}.\n{hint}") from error
    names: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        found = _LINE.fullmatch(text)
        # The line itself is not repeated: somebody may have put the key there
        if not found:
            raise SettingError(f"{file}, line {number}: expected name:SHA-256 of the key.\n{hint}")
        if names.setdefault(found["digest"], found["name"]) != found["name"]:
            raise SettingError(f"{file}, line {number}: the same key has two names.\n{hint}")
    if not names:
        raise SettingError(f"There is no key in {file}.\n{hint}")
    return names


class RateLimit:
    """What each key may still ask: a bucket of applicants that fills up by so many a second, one second's worth high.

    A request takes one applicant before its body is read and the others when they are known, into debt if need be: the
    next request waits until that is paid.

    Args:
        per_second: Applicants a second; 0 for no limit.
    """

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._most = max(1.0, per_second)
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, key: str) -> float:
        """Take one applicant; return 0, or take none and return the seconds until there is one."""
        if not self._per_second:
            return 0.0
        left, now = self._refilled(key)
        if left < 1:
            return (1 - left) / self._per_second
        self._left[key] = (left - 1, now)
        return 0.0

    def take(self, key: str, rows: int) -> None:
        """Take applicants."""
        if self._per_second:
            left, now = self._refilled(key)
            self._left[key] = (left - rows, now)

    def _refilled(self, key: str) -> tuple[float, float]:
        now = time.monotonic()
        left, then = self._left.get(key, (self._most, now))
        return min(self._most, left + (now - then) * self._per_second), now


def main() -> int:
    """Make a key; print it and its line, or how to ask for one."""
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    key = secrets.token_urlsafe(32)
    line = f"{name}:{digest_key(key.encode())}"
    if not _LINE.fullmatch(line):
        sys.stderr.write(
            "Usage: python -m credit_scoring.serving.keys NAME, a name of letters, digits, dots, dashes.\n"
        )
        return 2
    sys.stdout.write(f"Key, for the client (shown only now): {key}\nLine, for SERVING_API_KEYS_FILE:     {line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
