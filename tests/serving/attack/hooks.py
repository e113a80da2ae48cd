"""Hooks of Schemathesis: which cases are sent, and which refusals of well-formed ones are right."""

import os
import zlib

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

BEYOND_SCHEMAS = (
    *("The columns of inputs must all have as many values", "values, as many as columns"),
    *("expected the key of a row of", "la clé d'une ligne de"),
    *("another row with the same key", "une autre ligne a la même clé"),
    *("a change is looked for of no more than", "un contrefactuel est cherché pour"),
)
"""Refusals of what a JSON Schema cannot forbid: lists of unequal lengths; of raw tables a row without its parent, a key
of two different rows, more applicants with a search than may have one. A table whose values are of the column that they
stand under, in CSV or `dataframe_split`, is beyond all of them."""


@schemathesis.hook
def filter_case(_: schemathesis.HookContext, case: schemathesis.Case) -> bool:
    """Return whether a case is sent: of those that the coverage phase makes of a body, one in `ATTACK_ONE_IN`.

    The phase goes through every column in every place that a body may have it in, which are thousands of cases however
    few examples are asked for. Which ones are sent follows from their content: the same ones each time, of every table.
    """
    if case.meta is None or case.meta.phase.name.value != "coverage" or not isinstance(case.body, dict | list):
        return True
    return zlib.crc32(repr(case.body).encode(errors="backslashreplace")) % int(os.environ["ATTACK_ONE_IN"]) == 0


@schemathesis.check
def well_formed_data_acceptance(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> bool | None:
    """Fail if what the schema allows is refused, and the schema could have forbidden it.

    A check, as Schemathesis tells one failure per operation and kind: a refusal that is right would hide others.
    """
    by_place = case.media_type == "text/csv" or (isinstance(case.body, dict) and "dataframe_split" in case.body)
    if by_place or any(words in response.text for words in BEYOND_SCHEMAS):
        return None
    return positive_data_acceptance(ctx, response, case)
