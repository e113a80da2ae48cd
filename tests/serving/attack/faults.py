"""Load while workers are killed: what is lost has to be what a killed worker had in hand, and nothing else."""

import os
import signal
import threading
import time
from collections import Counter

from tests.serving.attack.registry import Outcome
from tests.serving.attack.target import Target
from tests.serving.attack.wire import Broken, Connection

CLIENTS = 4


class Client(threading.Thread):
    """Asks one request after another on one connection, and makes another when that breaks.

    Args:
        target: The server.
        enough: Set when there were enough.
    """

    def __init__(self, target: Target, enough: threading.Event) -> None:
        super().__init__()
        self._target, self._enough = target, enough
        self.outcomes: Counter[str] = Counter()
        self.lost: list[int] = []
        """Ports of the connections whose request got no answer."""
        self.waits_on: int | None = None
        """Port of the connection on which an answer is due."""

    def run(self) -> None:
        """Ask until told to stop."""
        while not self._enough.is_set():
            try:
                with Connection(self._target.port, 30) as connection:
                    self._ask_on(connection)
            except OSError:
                self.outcomes["refused connection"] += 1
                time.sleep(0.01)

    def _ask_on(self, connection: Connection) -> None:
        while not self._enough.is_set():
            self.outcomes["sent"] += 1
            self.waits_on = connection.own_port
            try:
                reply = connection.ask(self._target.good)
            except (Broken, OSError):
                self.lost.append(connection.own_port)
                return
            finally:
                self.waits_on = None
            self.outcomes["answered" if self._target.is_right(reply) else f"answered {reply.status}"] += 1


def load_with_faults(target: Target, seconds: float, every: float) -> Outcome:
    """Keep a server under load for so long, and kill one of its workers every so many seconds.

    A worker is stopped for a moment before it is killed, so that what it has in hand can be looked up: the connections
    that it holds and on which an answer is due.
    """
    enough = threading.Event()
    clients = [Client(target, enough) for _ in range(CLIENTS)]
    before, begun = target.megabytes(), time.perf_counter()
    for client in clients:
        client.start()
    in_hand: list[int] = []  # a port may come twice
    kills = 0
    while (left := begun + seconds - time.perf_counter()) > 0:
        time.sleep(min(every, left))
        asking = [client.waits_on for client in clients if client.waits_on]
        owners = target.owners(asking)
        if left < every or not owners:
            continue
        victim = list(owners.values())[kills % len(owners)]
        os.kill(victim, signal.SIGSTOP)
        time.sleep(0.05)
        due = [client.waits_on for client in clients if client.waits_on]
        in_hand += [port for port, owner in target.owners(due).items() if owner == victim]
        os.kill(victim, signal.SIGKILL)
        kills += 1
    enough.set()
    for client in clients:
        client.join()
    total = sum((client.outcomes for client in clients), Counter())
    lost = [port for client in clients for port in client.lost]
    others = [port for port in lost if port not in in_hand]
    wrong = [f"{len(others)} lost requests were not in hand of a killed worker"] if others else []
    wrong += [f"{name}: {times}" for name, times in total.items() if name not in {"sent", "answered"}]
    if not kills:
        wrong.append("no worker was killed")
    what = (
        f"{seconds / 60:.3g} minutes of {CLIENTS} clients, a worker killed every {every:g} s: {kills} killed, "
        f"{total['sent']:,} sent, {total['answered']:,} answered, {len(lost)} lost, {len(in_hand)} in hand when killed"
    )
    memory = (before, target.megabytes())
    return Outcome("load", what, target.place.front_end, wrong, time.perf_counter() - begun, None, memory)
