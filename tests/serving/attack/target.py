"""A server under attack: started on a copy of a model, and watched while it is attacked."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.serving.attack.wire import Broken, Connection, Reply, ask, get, request
from tests.serving.conftest import Server, code_of_image, free_port, running

FRONT_ENDS = ("lean", "mlflow")
TIMEOUT, IDLE, GRACE = 5, 2, 3
"""Seconds of the server's settings of these names, short so that what expires does so soon."""
KEY = "the-key-of-those-who-may-ask"
HELD_KEY = f"X-API-Key: {KEY}"
DEFAULTS = {
    "SERVING_TIMEOUT": str(TIMEOUT),
    "SERVING_GRACE": str(GRACE),
    "SERVING_IDLE": str(IDLE),
    "SERVING_DRAIN": "1",
    "SERVING_WORKERS": "2",
    "SERVING_API_KEY": KEY,
}


@dataclass(frozen=True)
class Place:
    """A folder with a copy of a model in `model/`, to start servers in.

    Attributes:
        folder: The folder.
        front_end: What scores.
    """

    folder: Path
    front_end: str

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @cached_property
    def example(self) -> dict[str, Any]:
        """The stored example, `columns` and `data`."""
        return json.loads((self.model / "serving_input_example.json").read_text())["dataframe_split"]

    @cached_property
    def columns(self) -> list[dict[str, Any]]:
        """Name, type and whether it must be there, of each column of the contract."""
        import yaml  # noqa: PLC0415

        signature = yaml.safe_load((self.model / "MLmodel").read_text())["signature"]
        return json.loads(signature["inputs"])

    def row(self, **changed: object) -> dict[str, Any]:
        """Return the first applicant of the example by column, with some values changed."""
        return dict(zip(self.example["columns"], self.example["data"][0], strict=True)) | changed

    def start(self, within: float) -> subprocess.CompletedProcess[str] | None:
        """Start a server that should end by itself; return nothing if it did not within so many seconds."""
        return self.start_by([sys.executable, "-m", "credit_scoring.serving"], within)

    def start_by(self, command: list[str], within: float) -> subprocess.CompletedProcess[str] | None:
        """Start a server by a command that should end by itself."""
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=os.environ
            | DEFAULTS
            | {"PYTHONPATH": str(code_of_image(self.folder)), "SERVING_FRONT_END": self.front_end}
            | {"SERVING_PORT": str(free_port())},
        )
        try:
            said, _ = process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return subprocess.CompletedProcess(process.args, process.returncode, said)


@dataclass(frozen=True)
class Target:
    """A running server.

    Attributes:
        place: Where it was started.
        server: The server.
        loading: Seconds that it took to start.
    """

    place: Place
    server: Server
    loading: float
    expected: list[bytes] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.server.url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        return self.server.process.pid

    def post(
        self, body: bytes | str | Mapping[str, Any], *headers: str, kind: str | None = "application/json"
    ) -> bytes:
        """Write a request to score, with the key."""
        data = json.dumps(body) if isinstance(body, Mapping) else body
        return request(data, kind=kind, headers=[HELD_KEY, *headers])

    def get(self, target: str, *headers: str) -> bytes:
        """Write a request for a page, with the key."""
        return get(target, HELD_KEY, *headers)

    def ask(self, data: bytes, patience: float = 5) -> Reply:
        return ask(self.port, data, patience)

    @cached_property
    def good(self) -> bytes:
        """A request that has to be answered."""
        example = self.place.example
        return self.post({"dataframe_split": {"columns": example["columns"], "data": example["data"][:1]}})

    def is_right(self, reply: Reply) -> bool:
        """Whether an answer to the good request is the one that was given before, to the last bit."""
        return reply.status == 200 and reply.body == self.expected[0]

    def counted(self, start: str) -> float:
        """Return the sum of the counts whose series begins so."""
        lines = self.ask(self.get("/metrics")).body.decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(start))

    def processes(self) -> list[int]:
        """Return the processes of the server, orphans included."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(FileNotFoundError, ProcessLookupError):  # it has ended by now
                state, _, _, session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
                if int(session) == self.pid and state != "Z":
                    found.append(int(process.name))
        return found

    def megabytes(self) -> float:
        """Return the memory of all its processes; a page that several share counts once."""
        total = 0
        for pid in self.processes():
            with suppress(OSError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total / 1024

    def owners(self, ports: list[int]) -> dict[int, int]:
        """Find which process has the other end of connections, by the ports of this end; one in no hand is left out."""
        inodes = {}
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            own, other = (int(address.rpartition(":")[2], 16) for address in fields[1:3])
            if own == self.port and other in ports:
                inodes[f"socket:[{fields[9]}]"] = other
        found = {}
        for pid in self.processes():
            with suppress(OSError):
                for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                    with suppress(OSError):
                        if (port := inodes.get(str(descriptor.readlink()))) is not None:
                            found[port] = pid
        return found

    def workers(self, tries: int = 24) -> set[int]:
        """Return the processes that answer, found by asking on many connections at once."""
        connections = []
        try:
            for _ in range(tries):
                connection = Connection(self.port)
                connections.append(connection)
                with suppress(Broken):
                    connection.ask(get("/ping"))
            return set(self.owners([connection.own_port for connection in connections]).values())
        except OSError:
            return set()
        finally:
            for connection in connections:
                connection.socket.close()


def wait_until(true: Callable[[], bool], seconds: float) -> float | None:
    """Wait until something is true; return how long that took, or nothing if it took longer."""
    started = time.perf_counter()
    while (waited := time.perf_counter() - started) < seconds:
        if true():
            return waited
        time.sleep(0.05)
    return None


def answers(target: Target) -> bool:
    """Whether the good request gets its answer."""
    try:
        return target.is_right(target.ask(target.good))
    except (Broken, OSError):
        return False


@contextmanager
def make_place(model: Path, folder: Path, front_end: str) -> Iterator[Place]:
    """Copy a model to a new folder, which is removed at the end."""
    shutil.copytree(model, folder / "model", symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    try:
        yield Place(folder, front_end)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def started(place: Place, before: str = "true", **settings: str) -> Iterator[Target]:
    """Run a server, after a command of the shell, and ask it the good request.

    One that does not end when it is told to is killed.
    """
    settings = DEFAULTS | settings
    port = free_port()
    command = ["sh", "-c", f"{before} && exec {sys.executable} -m credit_scoring.serving"]
    own = {"PYTHONPATH": str(code_of_image(place.folder)), "SERVING_FRONT_END": place.front_end}
    begun = time.perf_counter()
    with (
        suppress(subprocess.TimeoutExpired),
        running(command, place.folder, port, SERVING_PORT=str(port), **own, **settings) as server,
    ):
        target = Target(place, server, time.perf_counter() - begun)
        reply = target.ask(target.good, 20)
        assert reply.status == 200, reply.body[:300]
        target.expected.append(reply.body)
        wait_until(lambda: len(target.workers()) == int(settings["SERVING_WORKERS"]), 20)
        yield target


@contextmanager
def watched(target: Target, seen: dict[str, Any]) -> Iterator[None]:
    """Ask what other clients would ask, all the while, and put into `seen` what came of it."""
    good, expected = target.place.folder / "good", target.place.folder / "expected"
    good.write_bytes(target.good)
    expected.write_bytes(target.expected[0])
    probe = subprocess.Popen(
        [sys.executable, "-m", "tests.serving.attack.probe", str(target.port), str(good), str(expected)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield
    finally:
        seen.update(json.loads(probe.communicate()[0]))
