"""`credit-scoring desk`: open the desk, or look after its accounts."""

import argparse
import getpass
import sqlite3
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from credit_scoring.desk.settings import DeskSettingError, read_desk_settings

# Of the extra; what else the desk imports comes with the project
_PACKAGES = ("argon2", "sqlalchemy", "alembic")


def main(arguments: Sequence[str]) -> int:
    """Run the command.

    Returns:
        0, or 1 if an account cannot be made, 2 if settings are not in order or packages are missing.
    """
    if missing := [name for name in _PACKAGES if find_spec(name) is None]:
        sys.stderr.write(f"Not installed: {', '.join(missing)}.\nHint: pip install 'credit-scoring[desk]'.\n")
        return 2
    from credit_scoring.desk.accounts import ROLES, AccountError  # noqa: PLC0415 - packages of the extra
    from credit_scoring.desk.application import open_accounts  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="credit-scoring desk", description="Open the loan officer's desk.")
    commands = parser.add_subparsers(dest="command")
    adding = commands.add_parser("add-user", help="make an account, or give one another role and password")
    adding.add_argument("name")
    adding.add_argument("--role", choices=ROLES, default="officer")
    adding.add_argument("--proxy", action="store_true", help="without a password: a proxy signs them in")
    given = parser.parse_args(arguments)
    if given.command is None:
        from credit_scoring.desk.__main__ import main as serve  # noqa: PLC0415 - loads a model

        return serve()
    try:
        settings = read_desk_settings()
    except DeskSettingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        open_accounts(settings).add(given.name, given.role, None if given.proxy else _ask_password())
    except AccountError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"The accounts in {settings.folder} cannot be used: {error}.\n")
        sys.stderr.write("Hint: DESK_FOLDER names a folder that is yours to write to.\n")
        return 1
    sys.stdout.write(f"{given.name} may sign in as {given.role}.\n")
    return 0


def _ask_password() -> str:
    """Read a password: twice from a terminal, or a line of what is piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    from credit_scoring.desk.accounts import AccountError  # noqa: PLC0415

    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Once more: "):
        raise AccountError("The passwords differ.\nHint: type the same one twice.")
    return first
