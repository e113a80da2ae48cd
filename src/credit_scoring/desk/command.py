"""`credit-scoring desk`: open the desk, or look after its accounts."""

import argparse
import getpass
import sys
from collections.abc import Sequence

from credit_scoring.desk.accounts import ROLES, AccountError
from credit_scoring.desk.application import open_accounts
from credit_scoring.desk.settings import DeskSettingError, read_desk_settings


def main(arguments: Sequence[str]) -> int:
    """Run the command.

    Returns:
        0, or 1 if an account cannot be made, 2 if settings are not in order.
    """
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
        accounts = open_accounts(read_desk_settings())
        accounts.add(given.name, given.role, None if given.proxy else _ask_password())
    except DeskSettingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except AccountError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{given.name} may sign in as {given.role}.\n")
    return 0


def _ask_password() -> str:
    """Read a password: twice from a terminal, or a line of what is piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Once more: "):
        raise AccountError("The passwords differ.\nHint: type the same one twice.")
    return first
