"""A worker: it answers requests until it is told to stop, or the server that it belongs to is gone."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import uvicorn

from credit_scoring.serving.application import SCORING_THREADS, Application
from credit_scoring.serving.http import Connection, ConnectionState
from credit_scoring.serving.processes import HAND_OVER, STOP
from credit_scoring.serving.settings import Settings

logger = logging.getLogger("credit_scoring.serving")


def work(
    settings: Settings,
    application: Application,
    listener: socket.socket,
    lifeline: socket.socket,
    beat: Callable[[], None],
) -> None:
    """Answer requests; called in a process just forked, with the signals `STOP` and `HAND_OVER` blocked.

    Args:
        settings: How the server runs.
        application: What answers.
        listener: Socket to take connections from.
        lifeline: Ends when the server has died; nothing is read from it.
        beat: Gives a sign of life.
    """
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        timeout_keep_alive=settings.idle,
        timeout_graceful_shutdown=max(0, settings.grace - settings.drain),
        log_config=None,
    )
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    _Server(config, settings, application, lifeline, beat).run([listener])


class _Server(uvicorn.Server):
    server_state: ConnectionState

    def __init__(
        self,
        config: uvicorn.Config,
        settings: Settings,
        application: Application,
        lifeline: socket.socket,
        beat: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._settings = settings
        self._application = application
        self._lifeline = lifeline
        self._beat = beat

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve, and end without waiting for a thread that may never end."""
        self.server_state = ConnectionState(self._settings, self._application)
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(SCORING_THREADS))
        try:
            await super().serve(sockets)
        finally:
            self._application.finish()
            logging.shutdown()
            os._exit(0)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listen to what the parent says, and to its death."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(STOP, self._stop, min(self._settings.drain, self._settings.grace))
        loop.add_signal_handler(HAND_OVER, self._stop, 0)
        loop.add_signal_handler(signal.SIGINT, lambda: None)
        loop.add_reader(self._lifeline, self._lose_parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (STOP, HAND_OVER))
        yield

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop; now and then a sign of life and a look at the connections."""
        if counter % 5 == 0 and not self._application.is_stuck:
            self._beat()
        if counter % 10 == 0:
            self.server_state.expire(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    def _stop(self, seconds_to_drain: float) -> None:
        self._application.draining = self.server_state.draining = True
        asyncio.get_running_loop().call_later(seconds_to_drain, setattr, self, "should_exit", True)

    def _lose_parent(self) -> None:
        asyncio.get_running_loop().remove_reader(self._lifeline)
        logger.error("The server's main process is gone: worker %d ends.", os.getpid())
        self._stop(0)
