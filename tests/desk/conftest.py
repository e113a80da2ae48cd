"""A desk under test: its application in a thread of this process, real HTTP, a real browser where there is one."""

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
import uvicorn
from argon2 import PasswordHasher

from credit_scoring.desk.accounts import Accounts
from credit_scoring.desk.applicants import Wanted
from credit_scoring.desk.application import Desk, make_application, open_desk
from credit_scoring.desk.journal import Journal
from credit_scoring.desk.settings import DeskSettings
from tests.conftest import Project

PASSWORD = "correct horse battery"
PEOPLE = {"olga": "officer", "otto": "officer", "sam": "supervisor", "ada": "auditor"}
# Of the applications that wait: the first has an income that nobody has, the second two applications under one key
IMPLAUSIBLE, BROKEN = 0, 1


@dataclass
class Officer:
    """Somebody at the desk, without a browser."""

    url: str
    web: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.web.get(self.url + path, timeout=30, **options)

    def post(self, path: str, fields: dict[str, str] | None = None, **options: Any) -> requests.Response:
        """Post a form with the tokens of the page that it is on."""
        page = self.get(re.sub(r"/(decision|examination|first-view|what-if)$", "", path)).text
        tokens = {name: found for name in ("form_token", "version") if (found := token_of(page, name))}
        return self.web.post(self.url + path, data=tokens | (fields or {}), timeout=30, **options)

    def sign_in(self, name: str, password: str = PASSWORD) -> requests.Response:
        token = token_of(self.get("/sign-in").text, "form_token")
        form = {"form_token": token, "name": name, "password": password}
        return self.web.post(f"{self.url}/sign-in", data=form, timeout=30)


def token_of(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return found[1] if found else ""


@dataclass
class Running:
    """A running desk."""

    url: str
    desk: Desk

    def officer(self, name: str | None = None) -> Officer:
        """Return somebody who speaks English, signed in if they have a name."""
        officer = Officer(self.url)
        officer.web.cookies.set("desk_language", "en")
        if name:
            assert officer.sign_in(name).ok
        return officer

    def waiting(self, proposal: str, number: int = 0) -> int:
        """Return an application for which this is proposed."""
        return self.desk.applicants.find(Wanted(is_new=True, proposal=proposal))[number].client


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """Let hashes of passwords cost little: many people sign in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("credit_scoring.desk.accounts.PasswordHasher", partial(PasswordHasher, 1, 8, 1))
        yield


@pytest.fixture(scope="session")
def settings(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> DeskSettings:
    """Return the settings of a desk on the demo's data, in which two applicants have rows that are not in order."""
    raw = tmp_path_factory.mktemp("raw")
    shutil.copytree(demo.path / "data/01_raw/synthetic", raw, dirs_exist_ok=True)
    forms = pd.read_csv(raw / "application_test.csv")
    earlier = pd.read_csv(raw / "previous_application.csv")
    forms = forms.sort_values("SK_ID_CURR")
    forms.loc[forms.index[IMPLAUSIBLE], "AMT_INCOME_TOTAL"] = 5.0
    copy = earlier.iloc[[0]].assign(SK_ID_CURR=forms["SK_ID_CURR"].iloc[BROKEN], SK_ID_PREV=2_999_999)
    doubled = pd.concat([earlier, copy, copy.assign(AMT_APPLICATION=1.0)])
    forms.to_csv(raw / "application_test.csv", index=False)
    doubled.to_csv(raw / "previous_application.csv", index=False)
    return DeskSettings(
        model=demo.path / "model",
        data=demo.path / "data",
        raw_folder=raw,
        folder=tmp_path_factory.mktemp("desk"),
        two_person_amount=0,
    )


@pytest.fixture(scope="session")
def desk(settings: DeskSettings, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Return a desk with accounts for everybody, whose log the environment names while it opens and no longer."""
    log = f"sqlite:///{tmp_path_factory.mktemp('log')}/decisions.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DECISION_LOG_URL", log)
        opened = open_desk(settings)
    for name, role in PEOPLE.items():
        opened.accounts.add(name, role, PASSWORD)
    return replace(opened, journal=Journal(opened.proposer, settings.two_person_amount, log))


@pytest.fixture(scope="session")
def run() -> Iterator[Callable[[Desk], Running]]:
    """Return what runs a desk on a free port until the end of the session."""
    servers = []

    def start(desk: Desk) -> Running:
        config = uvicorn.Config(make_application(desk), port=0, log_level="warning", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        servers.append((server, thread))
        until = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < until
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        return Running(f"http://127.0.0.1:{port}", desk)

    yield start
    for server, _ in servers:
        server.should_exit = True
    for _, thread in servers:
        thread.join(5)


@pytest.fixture(scope="session")
def office(desk: Desk, run: Callable[[Desk], Running]) -> Running:
    """Return the desk, running."""
    return run(desk)


@pytest.fixture
def variant(desk: Desk, run: Callable[[Desk], Running], tmp_path: Path) -> Callable[..., Running]:
    """Return what runs a desk with other settings, an empty log and accounts of its own, on the same model and data."""

    def start(**changes: Any) -> Running:
        settings = desk.settings.model_copy(update=changes)
        accounts = Accounts(tmp_path / "accounts.db", settings.attempts, 60, 60)
        for name, role in PEOPLE.items():
            accounts.add(name, role, PASSWORD)
        journal = Journal(desk.proposer, settings.two_person_amount, f"sqlite:///{tmp_path}/log.db")
        return run(replace(desk, settings=settings, accounts=accounts, journal=journal))

    return start


@pytest.fixture(scope="module")  # its event loop is in the way of other tests with a browser
def browser() -> Iterator[Any]:
    """Return the machine's Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    from tools.screenshots import find_browser  # noqa: PLC0415 - it needs playwright

    try:
        path = find_browser()
    except RuntimeError as error:
        pytest.skip(str(error))
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        with suppress(Exception):
            chromium.close()
