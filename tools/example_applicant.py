"""Make `examples/applicant.json`: a synthetic applicant with a history of the usual length.

python -m tools.example_applicant
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.feature_plan import make_requests

EXAMPLE = Path(__file__).parents[1] / "examples" / "applicant.json"
_APPLICANTS = 300
# No request has to name them
_PROTECTED = ("CODE_GENDER", "NAME_FAMILY_STATUS")


def make_example() -> str:
    """Return the raw tables of the median applicant, by rows, of a small twin: a row per line, without null."""
    requests = make_requests(_APPLICANTS)
    tables = requests[len(requests) // 2]
    lines = [f"{json.dumps(name)}: {_write(table)}" for name, table in tables.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _write(table: Any) -> str:
    if isinstance(table, Mapping):
        known = {name: value for name, value in table.items() if value is not None and name not in _PROTECTED}
        return json.dumps(known)
    return "[\n" + ",\n".join(f"  {_write(row)}" for row in table) + "\n]"


def main() -> None:
    """Write the file."""
    EXAMPLE.parent.mkdir(exist_ok=True)
    EXAMPLE.write_text(make_example(), encoding="utf-8")


if __name__ == "__main__":
    main()
