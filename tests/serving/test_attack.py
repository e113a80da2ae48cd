"""What a stranger sends and an unlucky operator does to a running server of each front end has the right answer."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace

import pytest

from tests.conftest import Project
from tests.serving.attack import content, overload, processes  # noqa: F401 - they register their attacks
from tests.serving.attack.faults import load_with_faults
from tests.serving.attack.fuzz import fuzz
from tests.serving.attack.registry import ATTACKS, Outcome, run_on
from tests.serving.attack.schema import FEW, check_against_schema
from tests.serving.attack.target import FRONT_ENDS, Place, Target, make_place, started

pytestmark = pytest.mark.e2e

A_HANG = 15.0
"""Seconds after which it is no longer the machine that is slow."""
OF_CONNECTIONS = {"2", "4"}
"""Items that wait for time-outs of connections, before any front end is asked: one of them is enough."""


@pytest.fixture(scope="module")
def targets(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Target]]:
    """Return a running server of each front end; what is done to them leaves them as they were."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(started(stack.enter_context(place_of(demo, tmp_path_factory, name))))
            for name in FRONT_ENDS
        }


def place_of(demo: Project, folders: pytest.TempPathFactory, front_end: str) -> AbstractContextManager[Place]:
    return make_place(demo.path / "model", folders.mktemp(front_end), front_end)


def wrong(outcomes: list[Outcome]) -> dict[str, list[str]]:
    return {f"{outcome.front_end} {outcome.what}": outcome.wrong for outcome in outcomes if outcome.wrong}


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_attacks_and_faults_have_the_right_answer(targets: dict[str, Target], front_end: str) -> None:
    # What needs servers of its own, and takes minutes, is left to `make attack`, as is how long others have to wait
    attacks = [replace(each, patience=each.patience and A_HANG) for each in ATTACKS if each.needs == "server"]
    assert not [each.what for each in attacks if each.settings]  # all of them share a server
    chosen = [each for each in attacks if front_end == "lean" or each.item not in OF_CONNECTIONS]
    assert wrong([run_on(targets[front_end], each) for each in chosen]) == {}


def test_what_a_grammar_makes_is_answered_alike_by_both_front_ends(targets: dict[str, Target]) -> None:
    assert wrong([fuzz(list(targets.values()), 500)]) == {}


def test_the_description_of_the_server_is_true_and_a_killed_worker_loses_only_what_it_had_in_hand(
    demo: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with place_of(demo, tmp_path_factory, "lean") as place, started(place, **FEW) as target:
        assert wrong([check_against_schema(target, 5, one_in=32)]) == {}
        assert wrong([load_with_faults(target, 2, 0.5)]) == {}
