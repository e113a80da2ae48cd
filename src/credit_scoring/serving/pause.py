"""How long to wait before what has failed is tried again."""

_MOST_DOUBLINGS = 10  # far beyond any longest pause, and far below what a float can hold


def pause_after(failures: int, longest: float) -> float:
    """Return the pause in seconds after so many failures in a row: one second, twice as long each time.

    Args:
        failures: How many, however many.
        longest: Pause that is not exceeded.
    """
    return min(longest, 2.0 ** min(failures - 1, _MOST_DOUBLINGS)) if failures > 0 else 0.0
