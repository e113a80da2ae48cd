"""Load the officer's desk: eight officers who click, and the weight of a page.

Serves `model/` and `data/` of the demo on loopback, as `make desk` does, with a decision log and accounts of its own.
Run by `make bench`.
"""

import argparse
import http.client
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from benchmarks.harness import ROOT, command_environment, write_section
from credit_scoring.desk.accounts import Accounts
from credit_scoring.desk.applicants import PAGE, Applicants, Wanted

PASSWORD = "eight officers at eight desks"
OFFICERS, SECONDS = 8, 20


@contextmanager
def served_desk(project: Path) -> Iterator[tuple[str, Applicants, int]]:
    """Serve a desk on a project's model and data, as `make desk` does; yield its address, the applicants, its process.

    It has a decision log of its own, and one account, `supervisor`.
    """
    folder = project / "data" / "desk_benchmark"
    Accounts(folder / "accounts.db").add("supervisor", "supervisor", PASSWORD)
    with socket.socket() as probe, tempfile.TemporaryDirectory() as log:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        environment = command_environment() | {
            "DESK_PORT": str(port),
            "DESK_MODEL": str(project / "model"),
            "DESK_DATA": str(project / "data"),
            "DESK_FOLDER": str(folder),
            "DECISION_LOG_URL": f"sqlite:///{log}/decisions.db",
            "OMP_NUM_THREADS": "1",
        }
        process = subprocess.Popen([sys.executable, "-m", "credit_scoring.desk"], env=environment)
        try:
            url = f"http://127.0.0.1:{port}"
            while not _answers(port):
                if process.poll() is not None:
                    sys.exit("The desk does not start. Hint: run `make demo` first.")
                time.sleep(0.2)
            yield url, Applicants(folder / "synthetic" / "applicants.db"), process.pid
        finally:
            process.terminate()
            process.wait(20)


def processor_seconds(process: int) -> float:
    """Return what a process and those that it has started have used of the processors so far."""
    told = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,cputimes="], capture_output=True, text=True, check=True)
    rows = [tuple(map(int, line.split())) for line in told.stdout.splitlines()]
    return float(sum(seconds for own, parent, seconds in rows if process in (own, parent)))


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


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


def click(url: str, clients: list[int], pause: float, seconds: dict[str, list[float]], until: float) -> None:
    """Go through applications that nobody else looks at: the list, the application, a what-if, the smallest change.

    Before each click the officer thinks for half to one and a half times the pause, so that no two stay in step.
    """
    officer, thinks = Officer(url), np.random.default_rng(clients[0])
    for client in clients:
        page = ""
        for name, path, form in (
            ("list", "/?of=all", None),
            ("application", f"/applications/{client}", None),
            ("what-if", f"/applications/{client}/what-if", {"amount": "150000"}),
            ("smallest change", f"/applications/{client}/change", None),
        ):
            time.sleep(pause * thinks.uniform(0.5, 1.5))
            if time.perf_counter() > until:
                return
            tokens = re.search(r'name="form_token" value="([^"]*)"', page)
            asked = {**form, "form_token": tokens[1]} if form and tokens else form
            started = time.perf_counter()
            page = officer.ask(path, asked).decode()
            seconds[name].append(time.perf_counter() - started)


def measure(url: str, clients: list[int], n: int, pause: float, lasting: float) -> dict[str, list[float]]:
    """Let so many officers click for so many seconds; return the seconds of each answer by kind of page."""
    seconds: dict[str, list[float]] = {name: [] for name in ("list", "application", "what-if", "smallest change")}
    until = time.perf_counter() + lasting
    threads = [
        threading.Thread(target=click, args=(url, clients[number::n], pause, seconds, until)) for number in range(n)
    ]
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
    with served_desk(given.project) as (url, applicants, process):
        n_applicants = applicants.count(Wanted())
        clients = [row.client for page in range(n_applicants // PAGE) for row in applicants.find(Wanted(), PAGE * page)]
        rows, loads, each = [], ((1, 0.0), (OFFICERS, 1.0), (OFFICERS, 0.0)), 0.0
        for part, (n, pause) in enumerate(loads):
            before = processor_seconds(process)  # what counts in the end is the last load
            measured = measure(url, clients[part :: len(loads)], n, pause, given.seconds)
            each = (processor_seconds(process) - before) / sum(map(len, measured.values()))
            for name, told in measured.items():
                p50, p95 = (1000 * float(np.quantile(told, share)) for share in (0.5, 0.95))
                rows.append(f"| {n} | {pause:g} | {name} | {len(told):,} | {p50:.0f} | {p95:.0f} |")
        officer = Officer(url)
        page = officer.ask(f"/applications/{clients[0]}")
        weight = len(page) + sum(len(officer.ask(file.decode())) for file in {*re.findall(rb'"(/assets/[^"]+)"', page)})
    head = ["| officers | think time, s | page | clicks | p50, ms | p95, ms |", "|---:|---:|---|---:|---:|---:|"]
    table = "\n".join([*head, *rows])
    body = (
        f"Pages of {n_applicants:,} synthetic applicants, two workers, each application opened for the first time; the "
        "officers are threads of the same machine. Before each click an officer thinks, for half to one and a half "
        "times the think time; with 0 never, which measures how many clicks a second there can be, not what an officer "
        f"waits for.\n\n{table}\n\n"
        f"A click takes {1000 * each:.0f} ms of processor time. The page of one "
        f"application weighs {weight / 1000:.0f} kB with everything that it loads, uncompressed."
    )
    write_section("desk", "The officer's desk", body)


if __name__ == "__main__":
    main()
