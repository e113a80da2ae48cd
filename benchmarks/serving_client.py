"""Clients that put a server under load, in a process that imports next to nothing. Started by `benchmarks.serving`.

It says `ready`, starts at the first line it is given, and writes what it measured as JSON.
"""

import http.client
import json
import socket
import sys
import threading
import time
from pathlib import Path


def call_for(port: int, path: str, body: bytes, seconds: float, clients: int) -> tuple[list[float], int]:
    """Call from so many threads, one call after another each, for so long; return seconds per call, and failures."""
    taken: list[float] = []
    failed = [0]

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        until = time.perf_counter() + seconds
        while (started := time.perf_counter()) < until:
            try:
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                response.read()
                failed[0] += response.status != 200
            except (OSError, http.client.HTTPException):
                failed[0] += 1
                connection.close()
            taken.append(time.perf_counter() - started)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken, failed[0]


if __name__ == "__main__":
    port, path, seconds, clients, file = sys.argv[1:]
    request = Path(file).read_bytes()
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(call_for(int(port), path, request, float(seconds), int(clients))))
