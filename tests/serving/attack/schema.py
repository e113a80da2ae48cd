"""Schemathesis against the server's own description of itself."""

import os
import re
import subprocess
import sys
import time

from tests.conftest import ROOT
from tests.serving.attack.registry import MOST_MEGABYTES, Outcome
from tests.serving.attack.target import HELD_KEY, Target

PHASES = "examples,coverage,fuzzing,stateful"
BEYOND_SCHEMAS = (
    *("The columns of inputs must all have as many values", "values, as many as columns"),
    *("expected the key of a row of", "la clé d'une ligne de"),
    *("another row with the same key", "une autre ligne a la même clé"),
    *("a change is looked for of no more than", "un contrefactuel est cherché pour"),
)
"""Refusals of what a JSON Schema cannot forbid: lists of unequal lengths; of raw tables a row without its parent, a key
of two different rows, more applicants with a search than may have one."""
FEW = {"SERVING_MAX_ROWS": "100", "SERVING_MAX_HISTORY": "100"}
"""Settings of a server that is checked: one item too many in a list is soon made, and of the thousands of cases of two
forms and fourteen tables none is megabytes long."""


def check_against_schema(target: Target, examples: int, one_in: int = 1) -> Outcome:
    """Run all checks in all phases with so many examples per operation, and one in so many cases of coverage."""
    begun, before = time.perf_counter(), target.megabytes()
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{target.server.url}/openapi.json", "--checks", "all"]
    options = [
        "--phases",
        PHASES,
        "--max-examples",
        str(examples),
        "--seed",
        "0",
        "--continue-on-failure",
        "--no-color",
    ]
    options += ["--header", HELD_KEY, "--suppress-health-check", "all", "--request-timeout", "5"]
    thinned = {"SCHEMATHESIS_HOOKS": "tests.serving.attack.thinning", "ATTACK_ONE_IN": str(one_in)}
    done = subprocess.run(
        [*command, *options],
        cwd=target.place.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | thinned,
    )
    wrong = []
    if done.returncode:
        # Each failure: what it is of, its kinds, what was received and how to do it again
        failures = re.split(r"^\d+\. Test Case ID: ", done.stdout, flags=re.MULTILINE)[1:]
        failures = [" ".join(failure.partition("st replay")[0].split()) for failure in failures]
        wrong = [failure[:600] for failure in failures if not _is_beyond_schemas(failure)]
        wrong = wrong or ([] if failures else [done.stdout[-500:] + done.stderr[-500:]])
    after = target.megabytes()
    if after - before > MOST_MEGABYTES:
        wrong.append(f"it keeps {after - before:.0f} MB more")
    counted = re.search(r"(\d+) generated", done.stdout)
    what = f"Schemathesis, all checks, {counted[1] if counted else 'no'} cases"
    return Outcome("schema", what, target.place.front_end, wrong, time.perf_counter() - begun, None, (before, after))


def _is_beyond_schemas(failure: str) -> bool:
    kinds = set(re.findall(r"\bST\d+", failure))
    if kinds == {"ST201"}:  # it counts 413 not among the refusals, though it is the right one of too many rows
        return "[413]" in failure
    return kinds == {"ST202"} and any(words in failure for words in BEYOND_SCHEMAS)
