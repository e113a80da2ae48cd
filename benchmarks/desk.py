"""Load the officer's desk: eight officers who click without a pause, and the weight of its pages.

Serves `model/` and `data/` of the demo on loopback, as `make desk` does, with a decision log and accounts of its own.
Run by `make bench`.
"""

import argparse
import http.client
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import uvicorn

from benchmarks.harness import ROOT, write_section
from credit_scoring.desk.accounts import Accounts
from credit_scoring.desk.applicants import Wanted, open_applicants
from credit_scoring.desk.application import Desk, make_application
from credit_scoring.desk.journal import Journal
from credit_scoring.desk.pages import Pages
from credit_scoring.desk.proposals import Proposer
from credit_scoring.desk.settings import DeskSettings

PASSWORD = "eight officers at eight desks"
OFFICERS, SECONDS = 8, 20


@contextmanager
def served_desk(project: Path, folder: Path) -> Iterator[tuple[str, Desk]]:
    """Serve a desk on the model and data of a project; yield its address and what it is made of.

    Args:
        project: Folder with `model` and `data`.
        folder: For the decision log and the accounts, whose one is `supervisor`.
    """
    settings = DeskSettings(model=project / "model", data=project / "data", folder=project / "data" / "desk")
    proposer = Proposer(settings.model)
    accounts = Accounts(folder / "accounts.db")
    accounts.add("supervisor", "supervisor", PASSWORD)
    journal = Journal(proposer, settings.two_person_amount, f"sqlite:///{folder}/decisions.db")
    desk = Desk(
        settings, proposer, open_applicants(settings, proposer), accounts, journal, Pages(settings), time.time()
    )
    server = uvicorn.Server(uvicorn.Config(make_application(desk), port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}", desk
    server.should_exit = True
    thread.join(10)


class Officer:
    """Somebody with a connection and a session."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
        self._cookies: dict[str, str] = {"desk_language": "en"}
        token = re.search(r'name="form_token" value="([^"]*)"', self.ask("/sign-in").decode())
        form = {"form_token": token[1] if token else "", "name": "supervisor", "password": PASSWORD}
        self.ask("/sign-in", form)

    def ask(self, path: str, form: dict[str, str] | None = None) -> bytes:
        """Return a page.

        Raises:
            RuntimeError: If it is none.
        """
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded", "X-Fragment": "1"}
        self._connection.request("POST" if form else "GET", path, urlencode(form) if form else None, headers)
        answer = self._connection.getresponse()
        for line in answer.headers.get_all("set-cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name] = value
        body = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{path} is answered by {answer.status}")
        return body


def click(url: str, desk: Desk, number: int, seconds: dict[str, list[float]], until: float) -> None:
    """Go through applications that nobody else looks at: the list, the application, a what-if."""
    officer = Officer(url)
    clients = [row.client for page in range(20) for row in desk.applicants.find(Wanted(), 30 * page)][number::OFFICERS]
    for client in clients:
        if time.perf_counter() > until:
            return
        page = ""
        for name, path, form in (
            ("list", "/?of=all", None),
            ("application", f"/applications/{client}", None),
            ("what-if", f"/applications/{client}/what-if", {"amount": "150000"}),
        ):
            tokens = re.search(r'name="form_token" value="([^"]*)"', page)
            asked = {**form, "form_token": tokens[1]} if form and tokens else form
            started = time.perf_counter()
            page = officer.ask(path, asked).decode()
            seconds[name].append(time.perf_counter() - started)


def measure(url: str, desk: Desk, n: int, lasting: float) -> dict[str, list[float]]:
    """Let so many officers click for so many seconds; return the seconds of each answer by kind of page."""
    seconds: dict[str, list[float]] = {"list": [], "application": [], "what-if": []}
    until = time.perf_counter() + lasting
    threads = [threading.Thread(target=click, args=(url, desk, number, seconds, until)) for number in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seconds


def main() -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=ROOT, help="folder with model/ and data/ of a demo")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served_desk(given.project, Path(folder)) as (url, desk):
        n_applicants = desk.applicants.count(Wanted())
        rows = []
        for n in (1, OFFICERS):
            for name, told in measure(url, desk, n, given.seconds).items():
                p50, p95 = (1000 * float(np.quantile(told, share)) for share in (0.5, 0.95))
                rows.append(f"| {n} | {name} | {len(told):,} | {p50:.0f} | {p95:.0f} |")
        page = Officer(url).ask(f"/applications/{desk.applicants.find(Wanted())[0].client}")
        files = re.findall(rb'"(/assets/[^"]+)"', page)
        weight = len(page) + sum(len(Officer(url).ask(file.decode())) for file in set(files))
    body = (
        f"Pages of {n_applicants:,} synthetic applicants, one process, every application opened for the first time and "
        "each click right after the last answer; the officers are threads of the same machine.\n\n"
        "| officers | page | clicks | p50, ms | p95, ms |\n|---:|---|---:|---:|---:|\n"
        + "\n".join(rows)
        + f"\n\nThe page of one application weighs {weight / 1000:.0f} kB with everything that it loads, uncompressed."
    )
    write_section("desk", "The officer's desk", body)


if __name__ == "__main__":
    main()
