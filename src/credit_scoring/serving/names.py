"""Names in a request that nobody knows, and the columns of the contract that may be meant by them."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

# Looked for in one request, so that the work is bounded for any request; and the longest name that is looked for
_LOOKED_FOR, _LONGEST = 5, 100


class KnownNames:
    """The names that a request may hold.

    Args:
        columns: Columns of the contract.
        known: All names that are no mistake, the columns included.
    """

    def __init__(self, columns: Iterable[str], known: Collection[str]) -> None:
        self._known = known
        self._spelt = {_squeezed(name): name for name in columns}

    def look(self, names: Iterable[str], found: dict[str, str | None]) -> tuple[str | None, ...]:
        """Return the columns that the first names that nobody knows may stand for, null where none is near.

        Args:
            names: Those that were sent.
            found: What was found for names of the same request, which is added to.
        """
        unknown = [name for name in names if name not in self._known][:_LOOKED_FOR]
        for name in unknown:
            if name not in found:
                found[name] = self._nearest(name) if len(found) < _LOOKED_FOR else None
        return tuple(dict.fromkeys(found[name] for name in unknown))

    def _nearest(self, name: str) -> str | None:
        if len(name) > _LONGEST:
            return None
        spelt = _squeezed(name)
        near = [spelt] if spelt in self._spelt else get_close_matches(spelt, self._spelt, n=1, cutoff=0.85)
        return self._spelt[near[0]] if near else None


def _squeezed(name: str) -> str:
    """Return a name without what clients spell differently: case, and anything but letters and digits."""
    return "".join(filter(str.isalnum, name.upper()))
