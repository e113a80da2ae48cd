"""Thousands of requests from a grammar to both front ends at once, held against what must hold of any answer."""

import socket
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisWarning

from tests.serving.attack.grammar import MARK, MARKED_NUMBER, Case, make_requests
from tests.serving.attack.registry import MOST_MEGABYTES, Outcome
from tests.serving.attack.target import Target
from tests.serving.attack.wire import Broken, Connection, Reply

REFUSALS = {400, 401, 404, 405, 408, 413, 414, 415, 429, 431, 503, 504}
OF_HTTP = REFUSALS | {411, 417, 426, 501, 505}
"""What a server may say to what is hardly HTTP."""


class Wrong(Exception):
    """Something that must hold of any answer does not.

    Attributes:
        kind: What, in the words that are the same each time.
    """

    def __init__(self, kind: str, details: str) -> None:
        super().__init__(f"{kind}{details}")
        self.kind = kind


class Judge:
    """Holds answers against what must hold of any.

    Args:
        expected: The stored answer to each row of the example.
    """

    def __init__(self, expected: Sequence[object]) -> None:
        self._expected = expected
        self.found: dict[str, str] = {}
        """What is known to be wrong, with the smallest case; it is not looked for again."""

    def hold(self, true: object, kind: str, case: Case, details: object = "") -> bool:
        """Return whether something is true.

        Raises:
            Wrong: If it is not, and was before.
        """
        if not true and kind not in self.found:
            raise Wrong(kind, f" {details}\n    send({case.data!r})")
        return bool(true)

    def exchange(self, target: Target, case: Case) -> list[Reply]:
        """Send a case on a connection of its own and return the answers."""
        replies: list[Reply] = []
        with Connection(target.port) as connection:
            connection.send(case.data)
            if not case.framed:  # it may want more, and is told that there is none
                with suppress(OSError):
                    connection.socket.shutdown(socket.SHUT_WR)
            try:
                while len(replies) < case.times + (not case.framed):
                    replies.append(connection.receive(head=case.data.startswith(b"HEAD ")))
            except Broken as broken:
                self.hold("hangs" not in str(broken), "no answer and no end within 5 s", case)
                self.hold(not case.framed, "no answer", case, broken)
        self.hold(len(replies) <= case.times, "more answers than requests", case, [reply.status for reply in replies])
        for reply in replies:
            self.judge(case, reply)
        return replies

    def judge(self, case: Case, reply: Reply) -> None:
        """Hold one answer against what must hold of any."""
        allowed = {200} | (REFUSALS if case.framed else OF_HTTP)
        self.hold(reply.status in allowed, f"status {reply.status}", case, reply.message)
        if case.rows is not None and self.hold(reply.status == 200, "what is in order is refused", case, reply.message):
            answer = [self._expected[row] for row in case.rows]
            self.hold(reply.json()["predictions"] == answer, "another answer than stored", case)
        if not case.framed:
            return
        self.hold(reply.headers.get("x-request-id") == "of-the-fuzz", "the request's id is not echoed", case)
        if reply.status != 200:
            is_json = reply.headers.get("content-type", "").startswith("application/json")
            if self.hold(is_json, "a refusal that is no JSON", case):
                error = reply.json()
                self.hold(error.get("error_code") and error.get("message"), "an error without code or message", case)
            told = reply.body.decode() + str(reply.headers)
            self.hold(MARK not in told, "a refusal repeats text that was sent", case, reply.message)
            self.hold(MARKED_NUMBER not in told, "a refusal repeats a number that was sent", case, reply.message)


def fuzz(targets: Sequence[Target], number: int, start: int = 0) -> Outcome:
    """Send so many cases to each of the targets; what goes wrong comes back as small as it could be made."""
    example = targets[0].place.example
    required = [column["name"] for column in targets[0].place.columns if column["required"]]
    whole = {"dataframe_split": {"columns": example["columns"], "data": example["data"]}}
    answers = [target.ask(target.post(whole), 20).json()["predictions"] for target in targets]
    judge = Judge(answers[0])
    wrong = [] if all(answer == answers[0] for answer in answers) else ["the example is answered differently"]
    statuses: Counter[str] = Counter()
    before = [target.megabytes() for target in targets]
    slowest, sent = 0.0, 0

    def all_hold(case: Case) -> None:
        nonlocal slowest, sent
        sent += 1
        told = []
        for target in targets:
            begun = time.perf_counter()
            replies = judge.exchange(target, case)
            slowest = max(slowest, time.perf_counter() - begun)
            statuses.update([str(reply.status) for reply in replies] or ["closed"])
            if case.framed:  # what is broken off may be broken off before or after an answer
                told.append([(reply.status, words(reply)) for reply in replies])
        if told:
            judge.hold(all(each == told[0] for each in told), "the front ends differ", case, told)

    begun = time.perf_counter()
    while sent < number:
        asked = settings(
            max_examples=number - sent,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )
        try:
            with warnings.catch_warnings(action="ignore", category=HypothesisWarning):
                seed(start)(asked(given(case=make_requests(example, required))(all_hold)))()
        except Wrong as found:
            judge.found[found.kind] = str(found)
        except BaseExceptionGroup as group:
            judge.found |= {found.kind: str(found) for found in group.exceptions if isinstance(found, Wrong)}
        start += 1  # on, with what else there may be
    wrong += judge.found.values()
    for target, memory in zip(targets, before, strict=True):
        if target.megabytes() - memory > MOST_MEGABYTES:
            wrong.append(f"{target.place.front_end} keeps {target.megabytes() - memory:.0f} MB more")
    shown = ", ".join(f"{status} x {count:,}" for status, count in sorted(statuses.items()))
    names = ", ".join(target.place.front_end for target in targets)
    memory = (sum(before), sum(target.megabytes() for target in targets))
    what = f"{sent:,} cases of a grammar ({shown})"
    return Outcome("fuzz", what, names, wrong, time.perf_counter() - begun, slowest, memory)


def words(reply: Reply) -> object:
    """Return what an answer says, if it is JSON and not about the front end itself."""
    if not reply.headers.get("content-type", "").startswith("application/json") or b'"front_end"' in reply.body:
        return ""
    return reply.json()
