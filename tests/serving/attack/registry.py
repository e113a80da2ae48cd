"""What an attack is, and how it is run and judged."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.serving.attack.target import Place, Target, answers, started, wait_until, watched
from tests.serving.attack.wire import Broken

MOST_SECONDS = 1.0
"""Slowest answer that other clients may get while a server is attacked."""
MOST_MEGABYTES = 250.0
"""Most that an attack may leave a server larger by: workers share less and less of what they were forked with, and the
first large request loads what it needs."""


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        item: Group that it belongs to.
        what: What is done, and what is right.
        run: Attacks, and yields a sentence for each thing that is wrong.
        settings: Variables of the server that is attacked.
        needs: `server`: a running one; `own`: a running one that nobody needs afterwards; `place`: only the folder.
        patience: Seconds within which everyone else has to be answered all the while; nothing if they need not be.
    """

    item: str
    what: str
    run: Callable[[Any], Iterable[str]]
    settings: Mapping[str, str]
    needs: str
    patience: float | None


@dataclass(frozen=True)
class Outcome:
    """What came of an attack.

    Attributes:
        attack: The attack, or what else was done.
        front_end: The front end of the server.
        wrong: What was wrong.
        seconds: How long it took.
        slowest: Seconds of the slowest answer that somebody else got meanwhile; nothing if nobody asked.
        memory: Megabytes of the server before and after; nothing if it was not looked at.
    """

    item: str
    what: str
    front_end: str
    wrong: list[str]
    seconds: float
    slowest: float | None = None
    memory: tuple[float, float] | None = None


ATTACKS: list[Attack] = []


def attack(
    item: str, what: str, *, needs: str = "server", patience: float | None = MOST_SECONDS, **settings: str
) -> Callable[[Callable[[Any], Iterable[str]]], Callable[[Any], Iterable[str]]]:
    """Register a function as an attack."""

    def register(run: Callable[[Any], Iterable[str]]) -> Callable[[Any], Iterable[str]]:
        ATTACKS.append(Attack(item, what, run, settings, needs, patience))
        return run

    return register


def run_attacks(place: Place, chosen: Iterable[Attack]) -> Iterator[Outcome]:
    """Run attacks against one front end; those that leave a server as it was share one."""
    attacks = list(chosen)
    for settings in {tuple(each.settings.items()) for each in attacks if each.needs == "server"}:
        together = [each for each in attacks if each.needs == "server" and tuple(each.settings.items()) == settings]
        yield from _on_server(place, together, dict(settings))
    for each in attacks:
        if each.needs == "own":
            yield from _on_server(place, [each], each.settings)
        elif each.needs == "place":
            yield _judge(each, place, place)


def _on_server(place: Place, attacks: list[Attack], settings: Mapping[str, str]) -> Iterator[Outcome]:
    waiting = list(attacks)
    try:
        while waiting:
            with started(place, **settings) as target:
                while waiting:
                    yield run_on(target, waiting.pop(0))
                    if not answers(target):  # what is left needs a server that works
                        break
    except (AssertionError, OSError, Broken) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        for each in waiting:
            yield Outcome(each.item, each.what, place.front_end, [f"the server did not run: {why[:200]}"], 0)


def run_on(target: Target, each: Attack) -> Outcome:
    """Run an attack against a server while others ask it."""
    seen: dict[str, Any] = {}
    before = target.megabytes()
    with watched(target, seen):
        outcome = _judge(each, target, target.place)
    wait_until(lambda: target.megabytes() - before <= MOST_MEGABYTES, 5)  # the memory of what still ends, too
    after = target.megabytes()
    wrong = outcome.wrong
    if each.patience is not None:
        wrong += [f"meanwhile {what}, {times} of {seen['asked']} times" for what, times in seen["wrong"].items()]
        if seen["slowest"] > each.patience:
            wrong.append(f"meanwhile an answer took {seen['slowest']:.1f} s")
        if after - before > MOST_MEGABYTES:
            wrong.append(f"it keeps {after - before:.0f} MB more")
    return Outcome(each.item, each.what, outcome.front_end, wrong, outcome.seconds, seen["slowest"], (before, after))


def _judge(each: Attack, subject: Target | Place, place: Place) -> Outcome:
    begun = time.perf_counter()
    wrong = []
    try:
        wrong += each.run(subject)
    except (Broken, OSError) as error:
        wrong.append(f"{type(error).__name__}: {error}")
    return Outcome(each.item, each.what, place.front_end, list(dict.fromkeys(wrong)), time.perf_counter() - begun)


def as_table(outcomes: Iterable[Outcome]) -> str:
    """Write outcomes as a table."""
    lines = [
        "| item | attack | front end | s | slowest other answer, ms | MB before, after | wrong |",
        "|---|---|---|---:|---:|---:|---|",
    ]
    for each in outcomes:
        slowest = "" if each.slowest is None else f"{each.slowest * 1000:.0f}"
        memory = "" if each.memory is None else "{:.0f}, {:.0f}".format(*each.memory)
        wrong = "; ".join(each.wrong).replace("|", "\\|").replace("\n", " ") or "nothing"
        lines.append(
            f"| {each.item} | {each.what} | {each.front_end} | {each.seconds:.1f} | {slowest} | {memory} | {wrong} |"
        )
    return "\n".join(lines)
