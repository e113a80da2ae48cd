"""Schemathesis against the server's own description of itself."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import ROOT
from tests.serving.attack.registry import MOST_MEGABYTES, Outcome
from tests.serving.attack.target import HELD_KEY, Target

SETTINGS = Path(__file__).with_name("schemathesis.toml")
PHASES = "examples,coverage,fuzzing,stateful"
FEW = {"SERVING_MAX_ROWS": "100", "SERVING_MAX_HISTORY": "100"}
"""Settings of a server that is checked: one item too many in a list is soon made, and of the thousands of cases of two
forms and fourteen tables none is megabytes long."""


def check_against_schema(target: Target, examples: int, one_in: int = 1) -> Outcome:
    """Run all checks in all phases with so many examples per operation, and one in so many cases of coverage."""
    begun, before = time.perf_counter(), target.megabytes()
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(SETTINGS)]
    checks = ["--checks", "all", "--exclude-checks", "positive_data_acceptance"]  # which `hooks` has a check for
    options = ["--phases", PHASES, "--max-examples", str(examples), "--seed", "0"]
    options += ["--continue-on-failure", "--no-color", "--suppress-health-check", "all", "--request-timeout", "5"]
    options += ["--header", HELD_KEY]
    hooked = {"SCHEMATHESIS_HOOKS": "tests.serving.attack.hooks", "ATTACK_ONE_IN": str(one_in)}
    done = subprocess.run(
        [*command, "run", f"{target.server.url}/openapi.json", *checks, *options],
        cwd=target.place.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | hooked,
    )
    wrong = []
    if done.returncode:
        # Each failure: what it is of, its kinds, what was received and how to do it again
        failures = re.split(r"^\d+\. Test Case ID: ", done.stdout, flags=re.MULTILINE)[1:]
        wrong = [" ".join(failure.partition("st replay")[0].split())[:600] for failure in failures]
        wrong = wrong or [done.stdout[-500:] + done.stderr[-500:]]
    after = target.megabytes()
    if after - before > MOST_MEGABYTES:
        wrong.append(f"it keeps {after - before:.0f} MB more")
    counted = re.search(r"(\d+) generated", done.stdout)
    what = f"Schemathesis, all checks, {counted[1] if counted else 'no'} cases"
    return Outcome("schema", what, target.place.front_end, wrong, time.perf_counter() - begun, None, (before, after))
