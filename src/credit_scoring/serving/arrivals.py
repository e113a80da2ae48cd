"""Bodies on their way: bounded in size, time and number, so that slow ones do not take the places of good ones."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import Receive

from credit_scoring.serving.requests import RequestError
from credit_scoring.serving.settings import Settings

# What a body is granted before its rate counts: it may not have had the time to arrive
_GRANTED_BYTES, _GRANTED_SECONDS = 1000, 0.1


@dataclass(eq=False)
class _Arrival:
    alarm: asyncio.Timeout
    begun: float
    size: int = 0
    is_given_up: bool = False

    def rate(self, now: float) -> float:
        return (self.size + _GRANTED_BYTES) / (now - self.begun + _GRANTED_SECONDS)


class Arrivals:
    """The bodies that a worker is waiting for. If there are too many, it gives up the slowest.

    Args:
        settings: How the server runs.
    """

    def __init__(self, settings: Settings) -> None:
        self._max_body = settings.max_body_mb * 1_000_000
        self._most = settings.max_arriving
        self._idle = settings.idle
        self._timeout = settings.timeout
        self._open: set[_Arrival] = set()

    async def read(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Read the body of a request.

        Raises:
            RequestError: If it is too large, too slow, or broken off.
        """
        announced = headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced) > self._max_body:
            raise self._too_large()
        parts: list[bytes] = []
        now = asyncio.get_running_loop().time
        alarm = asyncio.timeout(min(self._idle, self._timeout))
        arrival = _Arrival(alarm, now())
        self._open.add(arrival)
        try:
            if len(self._open) > self._most:
                self._give_up_the_slowest(arrival)
            async with alarm:
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RequestError(400, "The request was broken off.")
                    parts.append(message.get("body", b""))
                    arrival.size += len(parts[-1])
                    if arrival.size > self._max_body:
                        raise self._too_large()
                    if not message.get("more_body"):
                        return b"".join(parts)
                    if not arrival.is_given_up:
                        alarm.reschedule(min(now() + self._idle, arrival.begun + self._timeout))
        except TimeoutError:
            if arrival.is_given_up:
                raise RequestError(
                    503, "Too many requests are on their way, and this one was the slowest. Try again in a second."
                ) from None
            limits = f"{self._timeout} seconds, with no more than {self._idle} between two parts"
            raise RequestError(408, f"The request did not arrive within {limits}.") from None
        finally:
            self._open.discard(arrival)

    def _give_up_the_slowest(self, newest: _Arrival) -> None:
        now = asyncio.get_running_loop().time()
        slowest = min(self._open - {newest}, key=lambda arrival: arrival.rate(now))
        self._open.discard(slowest)
        if not slowest.alarm.expired():
            slowest.is_given_up = True
            slowest.alarm.reschedule(now)

    def _too_large(self) -> RequestError:
        limit = f"{self._max_body // 1_000_000} MB"
        return RequestError(413, f"The body is larger than {limit}. Send fewer rows at a time.")
