"""Writes records for a process that has no time to wait: one thread, which writes all that wait in one transaction.

So the price of a transaction is shared by whoever asks at the same time, and the more ask, the less each pays.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from credit_scoring.decision_log import chain
from credit_scoring.decision_log.chain import Draft
from credit_scoring.decision_log.settings import LogError
from credit_scoring.decision_log.tables import connect, prepare, writing

# Records that nobody waits for are written with the next ones that somebody does, or after so many seconds
_EASE = 0.25
# So many of them are kept while the database cannot be reached; a decision without its mark counts as unanswered
_MOST_KEPT = 50_000
_MOST_AT_ONCE = 2_000
_SECONDS_BETWEEN_COMPLAINTS = 10.0

logger = logging.getLogger("credit_scoring.decision_log")


class RecordWriter:
    """Appends records to the decision log; begins in the process that first asks it to.

    Args:
        url: Of the database.
        timeout: Seconds that a record may take to be written.
        count: Is told how many records were `written`, `failed` (somebody waited for them) or `lost` (nobody did).
    """

    def __init__(self, url: str, timeout: float, count: Callable[[str, int], None] = lambda *_: None) -> None:
        self._url = url
        self._timeout = timeout
        self._count = count
        self._engine: Engine | None = None
        self._change = threading.Condition()
        self._waiting: list[tuple[list[Draft], Future[None]]] = []
        self._easy: list[Draft] = []
        self._thread: threading.Thread | None = None
        self._is_closing = False
        self._silent_until = 0.0

    def write(self, drafts: Sequence[Draft]) -> "Future[None]":
        """Have records written; the future is done once they are, and has a `LogError` if they cannot be.

        A future that is cancelled before its turn takes its records back.
        """
        future: Future[None] = Future()
        with self._change:
            self._waiting.append((list(drafts), future))
            self._start()
            self._change.notify()
        return future

    def note(self, drafts: Sequence[Draft]) -> None:
        """Have records written that nobody waits for."""
        with self._change:
            free = max(0, _MOST_KEPT - len(self._easy))
            self._easy += drafts[:free]
            self._start()
        if lost := len(drafts[free:]):
            self._count("lost", lost)

    def close(self, seconds: float) -> None:
        """Write what waits, for so many seconds at most."""
        with self._change:
            self._is_closing = True
            self._change.notify()
        if self._thread:
            self._thread.join(seconds)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="decision-log", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._change:
                if not self._waiting and not self._is_closing:
                    self._change.wait(_EASE)
                if not self._waiting and not self._easy:
                    if self._is_closing:
                        return
                    continue
            group = _Group()
            self._fill(group)
            if group.drafts:
                self._write_group(group)

    def _fill(self, group: "_Group") -> None:
        """Have what waits written with a group: not too much at once, so that others get their turn."""
        taken, room = [], max(0, _MOST_AT_ONCE - len(group.drafts))
        with self._change:
            easy, self._easy = self._easy[:room], self._easy[room:]
            while self._waiting and room > 0:
                drafts, future = self._waiting.pop(0)
                if future.set_running_or_notify_cancel():
                    taken.append((drafts, future))
                    room -= len(drafts)
        for drafts, future in taken:
            try:
                people = [draft.seal() for draft in drafts]
            except Exception as error:  # such as an input nested too deeply; it concerns nobody else
                future.set_exception(error)
            else:
                group.drafts += drafts
                group.people += people
                group.futures.append(future)
        for draft in easy:
            if self._add_sealed(draft, group.people):
                group.drafts.append(draft)
                group.easy.append(draft)

    def _write_group(self, group: "_Group") -> None:
        try:
            self._append(group)
        except Exception as error:  # nothing was written, and whoever waits is told
            self._fail(error, group)
        else:
            self._count("written", len(group.drafts))
            for future in group.futures:
                future.set_result(None)

    def _add_sealed(self, draft: Draft, people: list[dict[str, object] | None]) -> bool:
        """Seal a record that nobody waits for; return whether it can be written down."""
        try:
            people.append(draft.seal())
        except Exception as error:
            self._count("lost", 1)
            self._complain(error)
            return False
        return True

    def _fail(self, error: Exception, group: "_Group") -> None:
        easy, futures = group.easy, group.futures
        if failed := len(group.drafts) - len(easy):
            self._count("failed", failed)
        may_pass = isinstance(error, OperationalError | OSError | LogError) and not self._is_closing
        with self._change:
            kept = easy[: max(0, _MOST_KEPT - len(self._easy))] if may_pass else []
            self._easy[:0] = kept
        if len(easy) > len(kept):
            self._count("lost", len(easy) - len(kept))
        for future in futures:
            future.set_exception(LogError("The record could not be written."))
        self._complain(error)
        if not futures and kept:
            time.sleep(_EASE)

    def _complain(self, error: Exception) -> None:
        if time.monotonic() > self._silent_until:
            self._silent_until = time.monotonic() + _SECONDS_BETWEEN_COMPLAINTS
            # What SQLAlchemy says repeats what was to be written, which is personal
            cause = error.orig if isinstance(error, DBAPIError) else error
            said = str(cause).strip().partition("\n")[0]
            logger.error("The decision log cannot be written to: %s: %s", type(cause).__name__, said)

    def _append(self, group: "_Group") -> None:
        for is_last in (False, True):
            try:
                if self._engine is None:
                    engine = connect(self._url, self._timeout)
                    prepare(engine, self._timeout)
                    self._engine = engine
                with writing(self._engine, self._timeout) as connection:
                    self._fill(group)  # records that came while another process wrote need not wait for the next turn
                    chain.append(connection, group.drafts, group.people)
                return
            except DBAPIError as error:
                # A connection from before the database was started anew; the transaction had not begun to be committed
                if is_last or not error.connection_invalidated:
                    raise


@dataclass
class _Group:
    """What is written in one transaction.

    Attributes:
        drafts: All of it, sealed.
        people: What `Draft.seal` returned for each.
        futures: Done once it is written.
        easy: Those of the drafts that nobody waits for.
    """

    drafts: list[Draft] = field(default_factory=list)
    people: list[dict[str, object] | None] = field(default_factory=list)
    futures: "list[Future[None]]" = field(default_factory=list)
    easy: list[Draft] = field(default_factory=list)
