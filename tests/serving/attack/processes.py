"""What an unlucky operator meets: another or a damaged model in the folder, processes that die, hang or are stopped."""

import os
import py_compile
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from credit_scoring.exported_model.manifest import write_manifest
from tests.serving.attack.registry import attack
from tests.serving.attack.target import DEFAULTS, GRACE, TIMEOUT, Place, Target, answers, started, wait_until
from tests.serving.attack.wire import Broken, Connection

TO_REPLACE = 2.0
"""Seconds for a dead worker to be replaced, beside the loading of the model."""


def make_other_model(place: Place, name: str) -> Path:
    """Copy the model to another folder, under another id."""
    other = place.folder / name
    shutil.rmtree(other, ignore_errors=True)
    shutil.copytree(place.model, other, ignore=shutil.ignore_patterns("__pycache__"))
    description = other / "MLmodel"
    own = next(line for line in description.read_text().splitlines() if line.startswith("model_id:"))
    description.write_text(description.read_text().replace(own, f"model_id: m-{name}"))
    write_manifest(other)
    return other


def swap(place: Place, new: Path) -> None:
    """Put another folder in the place of the model, and keep the old one beside it."""
    place.model.rename(place.folder / f"before_{new.name}")
    new.rename(place.model)


def model_ids(target: Target, times: int = 20) -> set[str]:
    """Return the models that answer the good request on so many connections."""
    return {target.ask(target.good).headers.get("x-model-id", "none") for _ in range(times)}


def replaced(target: Target, dead: int) -> bool:
    now = target.workers()
    return dead not in now and len(now) == int(DEFAULTS["SERVING_WORKERS"])


def kill_a_worker(target: Target) -> int:
    worker = min(target.workers())
    os.kill(worker, signal.SIGKILL)
    return worker


def ends(target: Target, within: float = GRACE + 2.0) -> Iterator[str]:
    """Tell a server to stop and say if it does not in time."""
    target.server.process.send_signal(signal.SIGTERM)
    if wait_until(lambda: target.server.process.poll() is not None, within + 0.5) is None:
        yield f"SIGTERM does not end it within {within:g} s"
    elif wait_until(lambda: not target.processes(), 0.5) is None:
        yield "it leaves processes behind"


@attack(
    "5",
    "another model in the folder, and a killed worker: the old model alone goes on",
    needs="own",
    patience=None,
)
def swapped(target: Target) -> Iterator[str]:
    old = model_ids(target)
    swap(target.place, make_other_model(target.place, "swapped"))
    dead = kill_a_worker(target)
    wait_until(lambda: replaced(target, dead), TO_REPLACE + target.loading)
    if (now := model_ids(target)) != old:
        yield f"answers of {' and '.join(sorted(now))}"


@attack(
    "5",
    "SIGHUP tests the new model, then switches all workers; nobody notices but by its id",
    needs="own",
    patience=TIMEOUT,
)
def reloaded(target: Target) -> Iterator[str]:
    old = model_ids(target)
    swap(target.place, make_other_model(target.place, "reloaded"))
    target.server.process.send_signal(signal.SIGHUP)
    if wait_until(lambda: model_ids(target, 4) == {"m-reloaded"}, 10 + 2 * target.loading) is None:
        yield f"answers of {' and '.join(sorted(model_ids(target)))}"
    elif (now := model_ids(target)) & old:
        yield "the old model answers after the switch"
    elif (said := target.ask(target.get("/version")).json())["model_id"] not in now:
        yield f"/version says {said['model_id']}"


@attack("5", "SIGHUP on a folder that is not in order keeps the old model, and says so", needs="own")
def reloaded_in_vain(target: Target) -> Iterator[str]:
    old = model_ids(target)
    for what, spoil in SPOILT.items():
        new = make_other_model(target.place, "spoilt")
        spoil(new)
        swap(target.place, new)
        before = target.server.log.stat().st_size
        target.server.process.send_signal(signal.SIGHUP)
        time.sleep(2 + target.loading)
        if (now := model_ids(target)) != old:
            yield f"{what}: answers of {' and '.join(sorted(now))}"
        if not any("reload" in key for key in target.ask(target.get("/version")).json()):
            yield f"{what}: /version does not tell"
        if "reload" not in target.ask(target.get("/metrics")).body.decode():
            yield f"{what}: /metrics does not tell"
        if target.server.log.stat().st_size == before:
            yield f"{what}: the log does not tell"
        shutil.rmtree(target.place.model)
        (target.place.folder / "before_spoilt").rename(target.place.model)


def _truncate(model: Path) -> None:
    scorer = model / "model.pkl"
    scorer.write_bytes(scorer.read_bytes()[: scorer.stat().st_size // 2])


def _truncate_and_list(model: Path) -> None:
    _truncate(model)
    write_manifest(model)


SPOILT: dict[str, Callable[[Path], object]] = {
    "half a scorer": _truncate,
    "half a scorer, listed as such": _truncate_and_list,
    "a file too many": lambda model: (model / "unlisted").write_text("x"),
}


def _plant_bytecode(model: Path) -> None:
    module = model / "code" / "credit_scoring" / "scorer.py"
    source = model.parent / "planted.py"
    source.write_text(f"open({str(model.parent / 'EXECUTED')!r}, 'w').close()\n" + module.read_text())
    cache = module.parent / "__pycache__" / "scorer.cpython-311.pyc"
    cache.parent.mkdir(exist_ok=True)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), cfile=str(cache), dfile=str(module), invalidation_mode=mode, doraise=True)


def _link_directory(model: Path) -> None:
    outside = model.parent / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "module.py").write_text("")
    (model / "code" / "linked").symlink_to(outside)


def _link_file(model: Path) -> None:
    (model.parent / "elsewhere").write_bytes((model / "requirements.txt").read_bytes())
    (model / "requirements.txt").unlink()
    (model / "requirements.txt").symlink_to(model.parent / "elsewhere")


PLANTED: dict[str, tuple[Callable[[Path], object], str]] = {
    "bytecode": (_plant_bytecode, "__pycache__"),
    "a linked directory": (_link_directory, "linked"),
    "a linked file": (_link_file, "requirements.txt"),
    "a pipe": (lambda model: os.mkfifo(model / "code" / "pipe"), "pipe"),
    "an empty directory": (lambda model: (model / "code" / "empty").mkdir(), "empty"),
    "a module": (lambda model: (model / "code" / "sitecustomize.py").write_text(""), "sitecustomize.py"),
}


@attack("6", "anything that is not listed stops the start (status 2), is named and does not run", needs="place")
def planted(place: Place) -> Iterator[str]:
    for what, (plant, name) in PLANTED.items():
        yield from _stops(place, what, plant, 2, name)
        if (place.folder / "EXECUTED").exists():
            (place.folder / "EXECUTED").unlink()
            yield f"{what}: it was executed"


@attack(
    "6", "a scorer cut in half ends the start in seconds: status 2 if the list says otherwise, else 1", needs="place"
)
def truncated(place: Place) -> Iterator[str]:
    yield from _stops(place, "altered", _truncate, 2, "model.pkl")
    yield from _stops(place, "listed", _truncate_and_list, 1, "")


def _stops(place: Place, what: str, spoil: Callable[[Path], object], status: int, name: str) -> Iterator[str]:
    kept = place.folder / "kept"
    place.model.rename(kept)
    shutil.copytree(kept, place.model)
    try:
        spoil(place.model)
        done = place.start(within=15)
        if done is None:
            yield f"{what}: it starts, or hangs"
        elif done.returncode != status:
            yield f"{what}: status {done.returncode}, not {status}"
        elif name not in done.stdout:
            yield f"{what}: it is not named"
    finally:
        shutil.rmtree(place.model)
        kept.rename(place.model)


@attack(
    "9",
    "killed workers are replaced within 2 s and the loading, whenever it happens",
    needs="own",
    patience=None,
)
def killed_workers(target: Target) -> Iterator[str]:
    moment = random.Random(0)
    for _ in range(4):
        time.sleep(moment.random())
        dead = kill_a_worker(target)
        if wait_until(lambda: replaced(target, dead), TO_REPLACE + target.loading) is None:  # noqa: B023 - called here
            yield f"not replaced within {TO_REPLACE + target.loading:.1f} s"
            wait_until(lambda: replaced(target, dead), 20)  # noqa: B023


@attack("9", "a worker that hangs is found and replaced", needs="own", patience=None)
def hung_worker(target: Target) -> Iterator[str]:
    stopped = min(target.workers())
    os.kill(stopped, signal.SIGSTOP)
    if wait_until(lambda: stopped not in target.processes(), TIMEOUT + 10 + target.loading) is None:
        yield "it is still there"
        os.kill(stopped, signal.SIGKILL)


@attack("9", "without its folder and with a killed worker the others go on", needs="own", patience=None)
def no_folder(target: Target) -> Iterator[str]:
    target.place.model.rename(target.place.folder / "away")
    kill_a_worker(target)
    until = time.perf_counter() + 3 + target.loading
    good = wrong = 0
    while time.perf_counter() < until:
        good += 1
        wrong += not answers(target)
        time.sleep(0.02)
    if wrong > 1:  # one may have been in hand of the killed worker
        yield f"{wrong} of {good} good requests were not answered"
    (target.place.folder / "away").rename(target.place.model)
    yield from ends(target)


@attack("9", "with a damaged folder and a killed worker, SIGTERM ends it in time", needs="own", patience=None)
def damaged_folder(target: Target) -> Iterator[str]:
    whole = (target.place.model / "model.pkl").read_bytes()
    _truncate(target.place.model)
    kill_a_worker(target)
    time.sleep(1)
    yield from ends(target)
    (target.place.model / "model.pkl").write_bytes(whole)


@attack("9", "with a stopped worker, SIGTERM ends it in time", needs="own", patience=None)
def stopped_worker(target: Target) -> Iterator[str]:
    os.kill(min(target.workers()), signal.SIGSTOP)
    yield from ends(target)


@attack("9", "while it loads, SIGTERM ends it in time", needs="place")
def stopped_while_loading(place: Place) -> Iterator[str]:
    for pause in (0.3, 1.0, 2.0):
        begun = time.perf_counter()
        command = f"timeout --preserve-status -s TERM -k {GRACE + 4} {pause} python -m credit_scoring.serving"
        done = place.start_by(command.split(), within=pause + GRACE + 6)
        if done is None or time.perf_counter() - begun > pause + GRACE + 3:
            yield f"SIGTERM after {pause:g} s: it goes on"


@attack("9", "requests in hand are finished after SIGTERM, and /ready says no before", needs="own", patience=None)
def drained(target: Target) -> Iterator[str]:
    example = target.place.example
    body = target.post({"dataframe_split": {"columns": example["columns"], "data": example["data"] * 300}})
    head, _, rest = body.partition(b"\r\n\r\n")
    with Connection(target.port) as asking, Connection(target.port) as working:
        if asking.ask(target.get("/ready")).status != 200:
            yield "/ready is not 200 before"
        working.send(head + b"\r\n\r\n" + rest[:-1])
        time.sleep(0.2)
        target.server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        try:
            if (status := asking.ask(target.get("/ready")).status) != 503:
                yield f"/ready is {status} after"
        except Broken:
            pass  # the connection was idle, and may be closed; a new one says no as well
        reply = working.ask(rest[-1:])
        if reply.status != 200:
            yield f"what was in hand became {reply.status}"
    if wait_until(lambda: target.server.process.poll() is not None, GRACE + 2) is None:
        yield "it does not end"
    elif target.server.process.poll():
        yield f"status {target.server.process.poll()}, not 0"


@attack("9", "kill -9 of the first process: the others end, and the port is free", needs="own", patience=None)
def orphans(target: Target) -> Iterator[str]:
    os.kill(target.pid, signal.SIGKILL)
    target.server.process.wait()
    if wait_until(lambda: not target.processes(), 5) is None:
        yield f"{len(target.processes())} processes are left"
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            again.bind(("127.0.0.1", target.port))
        except OSError:
            yield "the port is held"


@attack("small", "SERVING_HOST= is not all interfaces", needs="place")
def empty_host(place: Place) -> Iterator[str]:
    try:
        with started(place, SERVING_HOST="", SERVING_WORKERS="1") as target:
            port = f":{target.port:04X}"
            lines = [line for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
            listening = {line.split()[1] for line in lines[1:] if line.split()[3] == "0A"}
            if any(address.endswith(port) and not address.strip("0").strip(port) for address in listening):
                yield "it listens on all interfaces"
    except AssertionError:
        pass  # it does not start: right as well


@attack("small", "a full /dev/shm is survived, or the reason given", needs="place")
def full_memory_disk(place: Place) -> Iterator[str]:
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        return  # only root may take the disk away
    fill = "mount -t tmpfs -o size=4k tmpfs /dev/shm; head -c 4096 /dev/zero > /dev/shm/full"
    command = ["unshare", "--mount", "sh", "-c", f"{fill}; exec timeout 8 python -m credit_scoring.serving"]
    done = place.start_by(command, within=15)
    if done is None:
        yield "it hangs"
    elif "Traceback" in done.stdout:
        yield "a traceback"
    elif done.returncode != 124 and "/dev/shm" not in done.stdout:
        yield f"it ends ({done.returncode}) without the reason"
