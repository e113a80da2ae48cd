"""How complex a model is: what a person can do to check a score of it."""

from typing import Literal, get_args

Complexity = Literal["constant", "points", "equation", "monotone", "unconstrained", "blend"]
"""From simple to complex.

- `constant`: the same score for everyone.
- `points`: a scorecard; a person adds up points on paper.
- `equation`: a regression; a person recomputes the score in a spreadsheet, from a table of coefficients.
- `monotone`: trees that no person recomputes, but that are guaranteed never to score a customer better for, say, paying
  late more often (monotonic constraints).
- `unconstrained`: trees, forests and networks that learn any effect and guarantee none, which regulators call complex
  algorithms or black boxes.
- `blend`: a mean of several models, each of which would have to be checked.
"""

COMPLEXITIES: tuple[Complexity, ...] = get_args(Complexity)

ByHand = Literal["yes", "spreadsheet", "no"]


def by_hand(complexity: Complexity) -> ByHand:
    """Say whether a person can compute a score of the model: with a pencil, in a spreadsheet, or not at all."""
    if complexity in ("constant", "points"):
        return "yes"
    return "spreadsheet" if complexity == "equation" else "no"


def rank_of(complexity: Complexity) -> int:
    """Return the place on the scale, from 0 for the simplest."""
    return COMPLEXITIES.index(complexity)


def within(complexity: str | None, bound: Complexity) -> bool:
    """Say whether a model is no more complex than a bound; an unknown one is, only if the bound excludes none."""
    if bound == COMPLEXITIES[-1]:
        return True
    return complexity in COMPLEXITIES[: rank_of(bound) + 1]
