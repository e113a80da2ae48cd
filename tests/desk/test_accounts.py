"""Accounts, sessions and lockout, without a server."""

import sqlite3
import time
from pathlib import Path

import pytest

from credit_scoring.desk.accounts import AccountError, Accounts

PASSWORD = "a long enough one"


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    made = Accounts(tmp_path / "accounts.db", attempts=3, lock_seconds=60, idle_seconds=60)
    made.add("olga", "officer", PASSWORD)
    return made


def everything(path: Path) -> str:
    database = sqlite3.connect(path)
    return "\n".join(database.iterdump())


def test_who_knows_the_password_gets_a_session_and_nobody_else(accounts: Accounts) -> None:
    token = accounts.sign_in("olga", PASSWORD, "here")
    session = accounts.session(token)
    assert session
    assert (session.name, session.role) == ("olga", "officer")
    assert accounts.sign_in("olga", PASSWORD + "x", "here") is None
    assert accounts.sign_in("nobody", PASSWORD, "here") is None
    assert accounts.session("guessed") is None
    assert accounts.session(None) is None


def test_the_file_holds_neither_passwords_nor_tokens(accounts: Accounts, tmp_path: Path) -> None:
    token = accounts.sign_in("olga", PASSWORD, "here")
    kept = everything(tmp_path / "accounts.db")
    assert "$argon2id$" in kept
    assert PASSWORD not in kept
    assert token
    assert token not in kept
    assert (tmp_path / "accounts.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["olga", "nobody"])
def test_a_name_is_locked_after_wrong_passwords_be_there_an_account_or_not(accounts: Accounts, name: str) -> None:
    for _ in range(3):
        assert not accounts.is_locked(name)
        accounts.sign_in(name, "wrong", "here")
    assert accounts.is_locked(name)
    assert accounts.sign_in("olga", PASSWORD, "here") is None if name == "olga" else True
    assert [one.what for one in accounts.sign_ins(4)][-3:] == ["wrong"] * 3


def test_a_lock_ends_in_time(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "accounts.db", attempts=1, lock_seconds=0.3)
    accounts.add("olga", "officer", PASSWORD)
    accounts.sign_in("olga", "wrong", "here")
    assert accounts.sign_in("olga", PASSWORD, "here") is None
    time.sleep(0.35)
    assert accounts.sign_in("olga", PASSWORD, "here")


def test_a_right_password_forgives_the_wrong_ones_before(accounts: Accounts) -> None:
    for _ in range(2):
        accounts.sign_in("olga", "wrong", "here")
        accounts.sign_in("olga", "wrong", "here")
        assert accounts.sign_in("olga", PASSWORD, "here")


def test_a_new_session_has_a_new_token_and_ends_the_one_before(accounts: Accounts) -> None:
    first = accounts.sign_in("olga", PASSWORD, "here")
    second = accounts.sign_in("olga", PASSWORD, "here", former=first)
    assert first != second
    assert accounts.session(first) is None
    assert accounts.session(second)


def test_a_session_ends_when_it_is_idle_signed_out_or_its_account_changes(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "accounts.db", idle_seconds=0.3)
    accounts.add("olga", "officer", PASSWORD)
    token = accounts.begin("olga", "here")
    time.sleep(0.35)
    assert accounts.session(token) is None
    token = accounts.begin("olga", "here")
    accounts.sign_out(token, "olga", "here")
    assert accounts.session(token) is None
    token = accounts.begin("olga", "here")
    accounts.add("olga", "auditor", PASSWORD)
    assert accounts.session(token) is None


def test_a_one_time_password_is_good_once(accounts: Accounts) -> None:
    accounts.add("sam", "supervisor", PASSWORD, once=True)
    assert accounts.sign_in("sam", PASSWORD, "here")
    assert accounts.sign_in("sam", PASSWORD, "here") is None


@pytest.mark.parametrize(
    ("name", "role", "password", "told"),
    [
        ("", "officer", PASSWORD, "Expected a name"),
        ("x" * 65, "officer", PASSWORD, "Expected a name"),
        ("a\nb", "officer", PASSWORD, "Expected a name"),
        (" olga", "officer", PASSWORD, "Expected a name"),
        ("olga", "boss", PASSWORD, "one of officer, supervisor, auditor"),
        ("olga", "officer", "short", "12 to 256 characters, got 5"),
        ("olga", "officer", "x" * 257, "got 257"),
    ],
)
def test_what_makes_no_account_is_told(accounts: Accounts, name: str, role: str, password: str, told: str) -> None:
    with pytest.raises(AccountError, match=told):
        accounts.add(name, role, password)
