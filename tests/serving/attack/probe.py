"""What other clients see while a server is attacked: its sign of life and a good request, every 50 ms.

A process of its own, so that what attacks does not slow it. It asks until its standard input is closed, then writes
what it saw as JSON: requests, seconds of the slowest, and each kind of wrong answer with how often it came.
"""

import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from tests.serving.attack.wire import Broken, ask, get

EVERY = 0.05


def watch(port: int, good: bytes, expected: bytes) -> None:
    """Ask until told to stop."""
    enough = threading.Event()
    seconds: list[float] = []
    wrong: Counter[str] = Counter()

    def one(name: str, data: bytes, body: bytes) -> None:
        started = time.perf_counter()
        try:
            reply = ask(port, data, patience=20)
            if reply.status != 200:
                wrong[f"{name}: {reply.status}"] += 1
            elif reply.body != body:
                wrong[f"{name}: another answer"] += 1
        except (Broken, OSError) as error:
            wrong[f"{name}: {error or type(error).__name__}"] += 1
        seconds.append(time.perf_counter() - started)

    def often(name: str, data: bytes, body: bytes) -> None:
        while not enough.is_set():
            one(name, data, body)
            enough.wait(EVERY)

    threads = [
        threading.Thread(target=often, args=arguments)
        for arguments in [("/ping", get("/ping"), b"{}"), ("a good request", good, expected)]
    ]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    enough.set()
    for thread in threads:
        thread.join()
    sys.stdout.write(json.dumps({"asked": len(seconds), "slowest": max(seconds), "wrong": wrong}))


if __name__ == "__main__":
    watch(int(sys.argv[1]), Path(sys.argv[2]).read_bytes(), Path(sys.argv[3]).read_bytes())
