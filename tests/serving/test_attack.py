"""What a stranger sends and an unlucky operator does to a running server of each front end has the right answer."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.serving.attack import content, overload, processes  # noqa: F401 - they register their attacks
from tests.serving.attack.faults import load_with_faults
from tests.serving.attack.fuzz import fuzz
from tests.serving.attack.registry import ATTACKS, Outcome, run_attacks
from tests.serving.attack.schema import FEW, check_against_schema
from tests.serving.attack.target import FRONT_ENDS, Place, make_place, started

pytestmark = pytest.mark.e2e

A_HANG = 15.0
"""Seconds after which it is no longer the machine that is slow."""
OF_CONNECTIONS = {"2", "4"}
"""Items that wait for time-outs of connections, before any front end is asked: one of them is enough."""


@pytest.fixture(scope="module", params=FRONT_ENDS)
def place(demo: Project, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with make_place(demo.path / "model", tmp_path_factory.mktemp(request.param), request.param) as made:
        yield made


def wrong(outcomes: list[Outcome]) -> dict[str, list[str]]:
    return {f"{outcome.front_end} {outcome.what}": outcome.wrong for outcome in outcomes if outcome.wrong}


def test_attacks_and_faults_have_the_right_answer(place: Place) -> None:
    # What needs servers of its own, and takes minutes, is left to `make attack`, as is how long others have to wait
    attacks = [replace(each, patience=each.patience and A_HANG) for each in ATTACKS if each.needs == "server"]
    chosen = [each for each in attacks if place.front_end == "lean" or each.item not in OF_CONNECTIONS]
    outcomes = list(run_attacks(place, chosen))
    assert len(outcomes) == len(chosen)
    assert wrong(outcomes) == {}


@pytest.mark.parametrize("place", ["lean"], indirect=True)
def test_the_description_of_the_server_is_true_and_a_killed_worker_loses_only_what_it_had_in_hand(place: Place) -> None:
    with started(place, **FEW) as target:
        assert wrong([check_against_schema(target, 5, one_in=8)]) == {}
        assert wrong([load_with_faults(target, 8, 2)]) == {}


def test_what_a_grammar_makes_is_answered_alike_by_both_front_ends(demo: Project, tmp_path: Path) -> None:
    with ExitStack() as stack:
        places = [stack.enter_context(make_place(demo.path / "model", tmp_path / name, name)) for name in FRONT_ENDS]
        targets = [stack.enter_context(started(each, SERVING_WORKERS="1")) for each in places]
        assert wrong([fuzz(targets, 1000)]) == {}
