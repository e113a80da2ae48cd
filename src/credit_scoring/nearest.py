"""The nearest right name, told where a wrong one is refused."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `, did you mean …?` with the known name that is nearest, or nothing if none is near."""
    return "".join(f", did you mean {match}?" for match in get_close_matches(name, list(known), n=1))
