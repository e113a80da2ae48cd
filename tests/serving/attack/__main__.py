"""Attack the server of a model and say what went wrong: `python -m tests.serving.attack`."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.conftest import ROOT
from tests.serving.attack import content, overload, processes  # noqa: F401 - they register their attacks
from tests.serving.attack.faults import load_with_faults
from tests.serving.attack.fuzz import fuzz
from tests.serving.attack.registry import ATTACKS, Outcome, as_table, run_attacks
from tests.serving.attack.schema import FEW, check_against_schema
from tests.serving.attack.target import FRONT_ENDS, Place, make_place, started

ITEMS = (*dict.fromkeys(each.item for each in ATTACKS), "schema", "load", "fuzz")


def main() -> int:
    """Run what was asked for and write a table; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--front-end", nargs="+", choices=FRONT_ENDS, default=FRONT_ENDS)
    parser.add_argument("--items", nargs="+", choices=ITEMS, default=ITEMS)
    parser.add_argument("--model", type=Path, default=ROOT / "model", help="folder of the exported model")
    parser.add_argument("--requests", type=int, default=20_000, help="cases of the fuzz")
    parser.add_argument("--seed", type=int, default=0, help="of the fuzz")
    parser.add_argument("--examples", type=int, default=100, help="of Schemathesis, per operation")
    parser.add_argument("--minutes", type=float, default=10, help="of load")
    parser.add_argument("--every", type=float, default=20, help="seconds between workers killed under load")
    parser.add_argument("--write", action="store_true", help="write the table to docs/serving.md")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end, too
    outcomes = []
    with ExitStack() as stack:
        places = []
        for front_end in arguments.front_end:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            places.append(stack.enter_context(make_place(arguments.model, folder, front_end)))
        for outcome in _run(places, arguments):
            outcomes.append(outcome)
            sys.stderr.write(f"{outcome.front_end} {outcome.item}: {outcome.what}: {outcome.wrong or 'right'}\n")
    if arguments.write:
        from benchmarks.harness import shown_command, write_section  # noqa: PLC0415 - it needs Kedro

        report = ROOT / "docs" / "serving.md"
        write_section("attack", "Under attack", shown_command(), EXPLANATION + as_table(outcomes), report=report)
    else:
        sys.stdout.write(as_table(outcomes) + "\n")
    return int(any(outcome.wrong for outcome in outcomes))


def _run(places: Sequence[Place], arguments: argparse.Namespace) -> Iterator[Outcome]:
    for place in places:
        yield from run_attacks(place, [each for each in ATTACKS if each.item in arguments.items])
        if "schema" in arguments.items:
            with started(place, **FEW) as target:
                yield check_against_schema(target, arguments.examples)
        if "load" in arguments.items:
            with started(place) as target:
                yield load_with_faults(target, arguments.minutes * 60, arguments.every)
    if "fuzz" in arguments.items:
        with ExitStack() as stack:
            targets = [stack.enter_context(started(place, SERVING_WORKERS="1")) for place in places]
            yield fuzz(targets, arguments.requests, arguments.seed)


EXPLANATION = """\
`make attack` starts servers of both front ends on a copy of `model/` and does to them what a stranger or an unlucky
operator might, with the right answer to each; `make fuzz` sends 20,000 cases of a grammar. `--items` and `--front-end`
choose. The status is 1 if anything is wrong. While a server is attacked, somebody else asks for its sign of life and
for a score every 50 ms, and has to be answered within a second, to the last bit as before. What is lost under load has
to be what a killed worker had in hand: the connections that it held and on which an answer was due. A case that the
fuzz finds comes back as small as it can be made. The test suite (`tests/serving/test_attack.py`) does what needs no
server of its own, with 500 cases of the grammar, one in 32 of Schemathesis' coverage and 4 seconds of load;
time-outs of connections are waited for on one front end.

"""

if __name__ == "__main__":
    sys.exit(main())
