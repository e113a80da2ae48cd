"""What one score is made of, for whoever draws or tells it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.models import ScoringModel
from credit_scoring.reasons import ExplainedColumn, ReasonBook, choose_speaker, show_values
from credit_scoring.scorer import CreditScorer
from credit_scoring.texts import LANGUAGES

_CLEAR = 0.3
"""Rank correlation of a value with its contribution from which on the effect has a direction."""


def explain_clients(scorer: CreditScorer, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Say for each row what was decided and what each feature contributed.

    Returns:
        For each client `client_id`, `probability_default`, `decision`, `threshold`, `gaps`, `base_value`, and
        `contributions`, heaviest first: `feature`, `value`, `contribution` (log-odds), and in both languages the
        `label` a person reads and the value `shown` to them; its `cause`, how clearly it speaks for it, and whether its
        value `contradicts` its effect (see `ReasonBook.explain`). Contributions are those of reasons, less the approved
        customers' mean ones, whose sum is the `base_value`. Of a scorecard also its `points`, else null, which sum to
        the client's `score`, and `points_per_log_odds`.

    Raises:
        ValueError: If the scorer was made without a reason book.
    """
    contributions, base = scorer.related_contributions(rows)
    points = scorer.attribute_points(rows)
    values, book = scorer.model.explained_features(rows), scorer.reasons()
    described = {column.name: (number, column) for number, column in enumerate(book.columns)}
    clients = []
    for index, decided in scorer.predict(rows).iterrows():
        ordered = contributions.loc[index].sort_values(key=np.abs, ascending=False, kind="stable")
        entries = []
        for name, contribution in ordered.items():
            value = _plain(values.loc[index, name])
            number, column = described[str(name)]
            entry = {
                "feature": name,
                "value": value,
                "contribution": float(contribution),
                "cause": column.cause,
                "clarity": column.clarity,
                "points": None if points is None else int(points.loc[index, name]),
                "contradicts": book.contradicts(number, value, 1 if contribution > 0 else -1),
            }
            for language in LANGUAGES:
                shown = show_values(column, [value], language)[0]
                entry |= {f"label_{language}": column.labels[language], f"shown_{language}": shown}
            entries.append(entry)
        clients.append(
            {
                "client_id": int(rows.loc[index, "SK_ID_CURR"]),
                **decided.to_dict(),
                "base_value": base,
                "score": None if points is None else int(points.loc[index].sum()),
                "points_per_log_odds": scorer.points_per_log_odds,
                "contributions": entries,
            }
        )
    return clients


def sum_by_cause(entries: list[dict[str, Any]]) -> list[tuple[dict[str, Any], float]]:
    """Return the causes of one score, heaviest first: the contribution that speaks for each, and their sum."""
    of_cause: dict[int, list[dict[str, Any]]] = {}
    for entry in entries:
        of_cause.setdefault(entry["cause"], []).append(entry)
    summed = []
    for together in of_cause.values():
        values, clarity = ([entry[key] for entry in together] for key in ("contribution", "clarity"))
        weight, contradicts = sum(values), [entry["contradicts"] for entry in together]
        summed.append((together[choose_speaker(values, weight, clarity, contradicts.__getitem__)], weight))
    return sorted(summed, key=lambda cause: -abs(cause[1]))


def heaviest_causes(entries: list[dict[str, Any]], n: int) -> tuple[list[tuple[dict[str, Any], float]], int, float]:
    """Return what is shown of one score: the heaviest causes, at most `n`, heaviest first.

    Returns:
        Those causes as `sum_by_cause` gives them, how many others there are, and their sum.
    """
    causes = sum_by_cause(entries)
    return causes[:n], len(causes[n:]), sum(weight for _, weight in causes[n:])


def rank_correlation(one: pd.Series, other: pd.Series) -> float:
    """Return Spearman's coefficient of two numbers, matched by index; nulls are left out.

    NaN with fewer than three pairs, or where one of the two does not vary.
    """
    pairs = pd.DataFrame({"one": one, "other": other}).astype(float)
    return float(pairs.corr("spearman", min_periods=3).loc["one", "other"])


def usual_direction(values: pd.Series, contributions: pd.Series) -> int:
    """Say what a higher number usually does to the risk: 1 raises, -1 lowers it, 0 depends on the rest.

    It has a direction if the rank correlation of value and contribution is at least 0.3 in size.
    """
    correlation = rank_correlation(values, contributions)
    return int(np.sign(correlation)) if abs(correlation) >= _CLEAR else 0


def weigh(model: ScoringModel, rows: pd.DataFrame, approved: pd.DataFrame, book: ReasonBook) -> npt.NDArray[np.float64]:
    """Weigh the causes of a reason book by any model: what each adds beyond its mean among the approved.

    Two models are compared against the same approved applicants: weights against others differ by that alone.

    Args:
        model: Model that splits the scores, before calibration. What it does not read of the book's columns adds
            nothing; others that it reads belong to the cause that their record names, or to one after those of it.
        rows: Clients whose causes are weighed, at least one.
        approved: Approved applicants, at least one. Their mean contributions stand for the reference of the book.
        book: Says which columns make up a cause.

    Returns:
        Log-odds, one row per client, one column per cause, those of the book first; positive is against the client.
    """
    of_approved, of_rows = (model.contributions(some)[0] for some in (approved, rows))
    return weigh_causes(of_rows - of_approved.mean(), book)


def weigh_causes(related: pd.DataFrame, book: ReasonBook) -> npt.NDArray[np.float64]:
    """Sum contributions beyond the approved customers' mean by cause, as `weigh` does: one column per cause."""
    names = [column.name for column in book.columns]
    others = [name for name in related.columns if name not in names]
    columns = (*book.columns, *_find_causes(others, book))
    every_cause = replace(book, columns=columns, reference=np.zeros(len(columns)))
    return every_cause.weigh_causes(related.reindex(columns=[*names, *others], fill_value=0.0))


def _find_causes(names: Iterable[str], book: ReasonBook) -> Iterator[ExplainedColumn]:
    """Yield columns that a book does not have, with their causes."""
    from credit_scoring.features.catalogue import find_feature  # noqa: PLC0415 - Ibis, half a second

    of_record: dict[str, dict[str, int]] = defaultdict(dict)
    for column in book.columns:
        record = find_feature(column.name)
        of_record[record.cause][record.window] = column.cause
    n_causes = book.n_causes
    for name in names:
        record = find_feature(name)
        of_window = of_record[record.cause]
        causes = set(of_window.values())
        # The window decides only where the book tells a cause of many columns apart by it
        cause = causes.pop() if len(causes) == 1 else of_window.get(record.window)
        if cause is None:
            cause, n_causes = n_causes, n_causes + 1
        of_window[record.window] = cause
        yield ExplainedColumn(name, labels={}, unit=record.unit, cause=cause)


def compare_reasons(
    weights: npt.NDArray[np.float64], others: npt.NDArray[np.float64], top: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Compare what weighs most against each client by two measures of the same causes.

    Args:
        weights: Weight of each cause, one row per client, one column per cause; positive is against.
        others: The same by another model or method.
        top: How many of the heaviest are compared.

    Returns:
        For each client whether the heaviest cause is the same, and the share of the `top` heaviest that are among the
        `top` heaviest of the other.
    """
    n = min(top, weights.shape[1])
    one, other = (np.argsort(-matrix, axis=1, kind="stable")[:, :n] for matrix in (weights, others))
    return one[:, 0] == other[:, 0], (one[:, :, None] == other[:, None, :]).any(axis=2).mean(axis=1)


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value if isinstance(value, str) else float(value)
