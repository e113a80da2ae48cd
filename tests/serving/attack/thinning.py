"""A hook of Schemathesis: of the cases that its coverage phase makes of a body, one in `ATTACK_ONE_IN` is sent.

The phase goes through every column in every place that a body may have it in, which are thousands of cases however few
examples are asked for. Which ones are sent follows from their content: the same ones each time, of every table.
"""

import os
import zlib

import schemathesis


@schemathesis.hook
def filter_case(_: schemathesis.HookContext, case: schemathesis.Case) -> bool:
    """Return whether a case is sent."""
    if case.meta is None or case.meta.phase.name.value != "coverage" or not isinstance(case.body, dict | list):
        return True
    return zlib.crc32(repr(case.body).encode(errors="backslashreplace")) % int(os.environ["ATTACK_ONE_IN"]) == 0
