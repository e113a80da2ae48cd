"""What one score is made of, for whoever draws or tells it."""

from typing import Any

import numpy as np


def sum_by_cause(entries: list[dict[str, Any]]) -> list[tuple[dict[str, Any], float]]:
    """Return the causes of one score, heaviest first: the contribution that speaks for each, and their sum."""
    of_cause: dict[int, list[dict[str, Any]]] = {}
    for entry in entries:
        of_cause.setdefault(entry["cause"], []).append(entry)
    summed = []
    for together in of_cause.values():
        weight = sum(entry["contribution"] for entry in together)
        sign = 1 if weight > 0 else -1
        speaking = [sign * entry["contribution"] * entry["clarity"] for entry in together]
        summed.append((together[int(np.argmax(speaking))], weight))
    return sorted(summed, key=lambda cause: -abs(cause[1]))
