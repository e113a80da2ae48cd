"""What one score is made of, for whoever draws or tells it."""

from typing import Any

import numpy as np

from credit_scoring.reasons import leading_columns


def sum_by_cause(entries: list[dict[str, Any]]) -> list[tuple[dict[str, Any], float]]:
    """Return the causes of one score, heaviest first: the contribution that speaks for each, and their sum."""
    of_cause: dict[int, list[dict[str, Any]]] = {}
    for entry in entries:
        of_cause.setdefault(entry["cause"], []).append(entry)
    summed = []
    for together in of_cause.values():
        values, clarity = (np.array([entry[key] for entry in together]) for key in ("contribution", "clarity"))
        weight = sum(values.tolist())
        lead = leading_columns(values[None, :], np.array([weight]), clarity)[0]
        summed.append((together[lead], weight))
    return sorted(summed, key=lambda cause: -abs(cause[1]))


def heaviest_causes(entries: list[dict[str, Any]], n: int) -> tuple[list[tuple[dict[str, Any], float]], int, float]:
    """Return what is shown of one score: the heaviest causes that may be named, at most `n`, heaviest first.

    Returns:
        Those causes as `sum_by_cause` gives them, how many others there are, and their sum.
    """
    causes = sum_by_cause(entries)
    shown = [(entry, weight) for entry, weight in causes if not entry["forbidden"]][:n]
    rest = sum(weight for _, weight in causes) - sum(weight for _, weight in shown)
    return shown, len(causes) - len(shown), rest
