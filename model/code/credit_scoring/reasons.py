"""Reasons of a decision: the few causes that weighed most, as sentences that a client understands.

All that the sentences need is plain data, gathered when the scorer is made: telling a reason takes NumPy and pandas.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.texts import Texts, texts_in

AGAINST, FOR = "against", "for"

Pick = Callable[[str, npt.NDArray[np.int_]], Sequence[Any]]
"""Name of a column and positions of clients -> their plain values, None or NaN for null."""

_DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class ExplainedColumn:
    """What is said of one column of the model.

    Attributes:
        name: Its name.
        labels: Language -> what a client reads.
        unit: How its values are told, one of `credit_scoring.features.records.Unit`.
        cause: Number of the cause that it belongs to: columns of one cause are told once.
        forbidden: Whether no reason may name it.
        clarity: How well it speaks for its cause, from 0 to 1: a field of the application form better than a product
            of two of them.
        categories: Language -> category -> words, for a column of categories.
    """

    name: str
    labels: Mapping[str, str]
    unit: str
    cause: int
    forbidden: bool = False
    clarity: float = 1.0
    categories: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Peers:
    """How a group of clients is distributed, column by column.

    Attributes:
        count: Number of clients.
        numbers: Column -> values at evenly spaced ranks, ascending; missing ones left out.
        shares: Column -> category -> its share among them all.
        missing: Column -> share of the clients in whom it is missing.
    """

    count: int
    numbers: Mapping[str, npt.NDArray[np.float64]]
    shares: Mapping[str, Mapping[str, float]]
    missing: Mapping[str, float]

    @classmethod
    def describe(cls, values: pd.DataFrame, n_ranks: int = 201) -> "Peers":
        """Describe the clients of a table."""
        numbers, shares = {}, {}
        for name in values.columns:
            known = values[name].dropna()
            if not pd.api.types.is_numeric_dtype(values[name]):
                shares[str(name)] = {str(key): float(n) for key, n in (known.value_counts() / len(values)).items()}
            elif len(known):
                ordered = np.sort(known.to_numpy(dtype=np.float64))
                at = np.linspace(0, len(ordered) - 1, min(n_ranks, len(ordered))).round().astype(int)
                numbers[str(name)] = ordered[at]
        missing = {str(name): float(share) for name, share in values.isna().mean().items()}
        return cls(len(values), numbers, shares, missing)

    def shares_around(
        self, name: str, values: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the shares of these clients, among those with a value, that have less, the same and more."""
        reference = self.numbers[name]
        below = np.searchsorted(reference, values, side="left") / len(reference)
        above = 1 - np.searchsorted(reference, values, side="right") / len(reference)
        return below, 1 - below - above, above


@dataclass(frozen=True)
class ReasonBook:
    """Everything that reasons are told with.

    Attributes:
        columns: The columns of the model, in its order.
        granted: Clients who are granted, as decided out of fold on training rows; values are compared with theirs.
        refused: Clients who are refused, likewise.
        n_against: Causes told against a client, at most.
        n_for: Causes told for a client, at most.
        least_weight: Contribution in log-odds below which a cause is not worth telling.
    """

    columns: tuple[ExplainedColumn, ...]
    granted: Peers
    refused: Peers
    n_against: int = 3
    n_for: int = 2
    least_weight: float = 0.02

    def weigh_causes(self, contributions: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Sum the contributions of the columns of each cause: one row per client, one column per cause."""
        return self._weigh(self._ordered(contributions))

    def explain(self, contributions: pd.DataFrame, values: pd.DataFrame, language: str) -> list[list[dict[str, str]]]:
        """Tell the reasons of each client.

        Args:
            contributions: In log-odds of default, one row per client, one column per column of the model.
            values: What the contributions speak of, same rows and columns.
            language: One of `credit_scoring.texts.LANGUAGES`.

        Returns:
            For each client, the causes that weighed most, heaviest first: `effect` (`against` or `for`) and `text`. A
            cause is told by one of its columns that weighed in its direction: the one of most weight times clarity.
            Forbidden ones are left out.
        """

        def pick(name: str, at: npt.NDArray[np.int_]) -> list[Any]:
            column = values[name].iloc[at]
            return column.astype(object).where(column.notna(), None).tolist()

        return self.explain_values(self._ordered(contributions), pick, language)

    def explain_values(self, matrix: npt.NDArray[np.float64], pick: Pick, language: str) -> list[list[dict[str, str]]]:
        """Do as `explain` does, without tables.

        Args:
            matrix: Contributions, one row per client, one column per column of the model, in its order.
            pick: Looks up the few values that are told.
            language: One of `credit_scoring.texts.LANGUAGES`.
        """
        rows, causes, weights = self._heaviest(self._weigh(matrix), with_forbidden=False)
        leads = self._leading_columns(matrix, rows, causes, weights)
        texts = np.empty(len(rows), dtype=object)
        for lead in np.unique(leads):
            told = np.flatnonzero(leads == lead)
            texts[told] = self.describe(int(lead), pick(self.columns[lead].name, rows[told]), language)
        reasons: list[list[dict[str, str]]] = [[] for _ in range(len(matrix))]
        for i in np.lexsort((causes, -np.abs(weights), rows)):
            reasons[rows[i]].append({"effect": AGAINST if weights[i] > 0 else FOR, "text": texts[i]})
        return reasons

    def withheld(self, contributions: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Return for each client whether a forbidden cause weighed so much that it would have been told."""
        rows, causes, _ = self._heaviest(self.weigh_causes(contributions), with_forbidden=True)
        forbidden = np.zeros(len(contributions), dtype=bool)
        forbidden[rows[self._forbidden_causes()[causes]]] = True
        return forbidden

    def describe(self, column: int, values: Sequence[Any], language: str) -> list[str]:
        """Write one sentence per plain value of a column: what it is, the value, where approved customers stand."""
        described, texts = self.columns[column], texts_in(language)
        shown = show_values(described, values, language)
        label = described.labels[language]
        compared = self._compare(described, values, language)
        return [
            texts.say("reasons.compared", label=label, value=value, comparison=comparison)
            if comparison
            else texts.say("reasons.sentence", label=label, value=value)
            for value, comparison in zip(shown, compared, strict=True)
        ]

    def _compare(self, column: ExplainedColumn, values: Sequence[Any], language: str) -> list[str]:
        missing = _place("like", self.granted.missing[column.name], language)
        if column.name not in self.granted.numbers:
            shares = self.granted.shares.get(column.name)
            if shares is None:
                return [missing if pd.isna(value) else "" for value in values]
            return [
                missing if pd.isna(value) else _place("like", shares.get(str(value), 0.0), language) for value in values
            ]
        numbers = np.array(values, dtype=np.float64)
        below, equal, above = self.granted.shares_around(column.name, numbers)
        less, more = ("earlier", "later") if column.unit.startswith("date_") else ("below", "above")
        if column.unit == "elapsed_days":  # the longer ago, the more negative the days
            below, above = above, below
        told = []
        for value, b, e, a in zip(numbers, below, equal, above, strict=True):
            if np.isnan(value):
                told.append(missing)
            elif e >= max(a, b):
                told.append(_place("like", e, language))
            elif max(a, b) < 0.6:
                told.append(texts_in(language).say("reasons.typical"))
            else:
                told.append(_place(less if a > b else more, max(a, b), language))
        return told

    def _ordered(self, contributions: pd.DataFrame) -> npt.NDArray[np.float64]:
        names = [column.name for column in self.columns]
        if not np.array_equal(contributions.columns, names):
            raise ValueError(
                f"Reasons are written for {len(names)} columns, got contributions of {contributions.shape[1]} that are "
                "not the same.\nHint: the reason book belongs to another model."
            )
        return contributions.to_numpy()

    def _weigh(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        causes = self._causes()
        together = np.zeros((len(causes), max(causes) + 1))
        together[np.arange(len(causes)), causes] = 1.0
        return matrix @ together

    def _causes(self) -> list[int]:
        return [column.cause for column in self.columns]

    def _forbidden_causes(self) -> npt.NDArray[np.bool_]:
        forbidden = np.zeros(max(self._causes()) + 1, dtype=bool)
        forbidden[[column.cause for column in self.columns if column.forbidden]] = True
        return forbidden

    def _heaviest(
        self, weights: npt.NDArray[np.float64], with_forbidden: bool
    ) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_], npt.NDArray[np.float64]]:
        """Return client, cause and weight of what is told, those against first."""
        told = []
        for sign, most in ((1, self.n_against), (-1, self.n_for)):
            pull = sign * weights
            if not with_forbidden:
                pull = np.where(self._forbidden_causes(), -np.inf, pull)
            n = min(most, pull.shape[1])
            # Stable: among equals the earlier cause, whatever the batch.
            top = np.argsort(-pull, axis=1, kind="stable")[:, :n]
            rows, causes = np.repeat(np.arange(len(weights)), n), top.ravel()
            enough = pull[rows, causes] >= self.least_weight
            told.append((rows[enough], causes[enough], weights[rows[enough], causes[enough]]))
        rows, causes, heavy = (np.concatenate(parts) for parts in zip(*told, strict=True))
        return rows, causes, heavy

    def _leading_columns(
        self,
        matrix: npt.NDArray[np.float64],
        rows: npt.NDArray[np.int_],
        causes: npt.NDArray[np.int_],
        weights: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.int_]:
        of_cause, clarity = np.asarray(self._causes()), np.array([column.clarity for column in self.columns])
        leads = np.empty(len(rows), dtype=int)
        for cause in np.unique(causes):
            members = np.flatnonzero(of_cause == cause)
            told = np.flatnonzero(causes == cause)
            of_members = matrix[np.ix_(rows[told], members)]
            leads[told] = members[leading_columns(of_members, weights[told], clarity[members])]
        return leads


def leading_columns(
    contributions: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], clarity: npt.NDArray[np.float64]
) -> npt.NDArray[np.int_]:
    """Return for each client the column that speaks for a cause: of most contribution in its direction x clarity."""
    return np.argmax(contributions * np.where(weights > 0, 1, -1)[:, None] * clarity, axis=1)


def show_values(column: ExplainedColumn, values: Sequence[Any], language: str) -> list[str]:
    """Write plain values of a column, None or NaN for null, in natural units, the way the language does."""
    texts = texts_in(language)
    missing = texts.say("common.missing")
    if column.unit == "category":
        words = column.categories.get(language, {})
        return [missing if pd.isna(value) else words.get(str(value), str(value)) for value in values]
    if column.unit == "yes_no":
        yes, no = texts.say("reasons.yes"), texts.say("reasons.no")
        return [missing if pd.isna(value) else yes if value in _TRUE else no for value in values]
    write = _WRITERS[column.unit]
    numbers = np.array(values, dtype=np.float64)
    return [missing if np.isnan(value) else write(value, texts) for value in numbers]


_TRUE = ("Y", "Yes", 1, True)


@lru_cache(10_000)
def _place(place: str, share: float, language: str) -> str:
    """Say where a share of the approved customers stands, and never a larger share than there is."""
    texts, percent = texts_in(language), int(100 * share + 1e-9)
    if share > 0.995:
        peers = texts.say("reasons.nearly_all")
    else:
        peers = texts.say("reasons.peers", share=percent / 100) if percent else texts.say("reasons.few")
    return texts.say(f"reasons.place.{place}", peers=peers)


def _write_number(value: float, texts: Texts) -> str:
    size = abs(value)
    if size >= 1000 or value == round(value):
        return texts.number(value, ",")
    digits = ".1f" if size >= 10 else ".2f" if size >= 0.1 else ".2g" if size >= 1e-4 else ".1f"
    return texts.number(value, digits)


def _write_score(value: float, texts: Texts) -> str:
    return texts.number(value, ".2f" if abs(value) >= 0.01 or value == 0 else ".4f")


def _write_share(value: float, texts: Texts) -> str:
    percent = 100 * value
    return texts.percent(value, 0 if abs(percent) >= 10 or percent == round(percent) else 1)


def _write_days(value: float, texts: Texts) -> str:
    return texts.span(value, "day")


def _write_days_as_years(value: float, texts: Texts) -> str:
    years = value / _DAYS_PER_YEAR
    return texts.span(years, "year") if abs(years) >= 1 else _write_days(value, texts)


def _write_date(value: float, span: str, texts: Texts) -> str:
    return texts.say("reasons.past" if value <= 0 else "reasons.future", span=span)


def _write_date_of_day(value: float, texts: Texts) -> str:
    return _write_date(value, _write_days_as_years(abs(value), texts), texts)


_WRITERS: Mapping[str, Callable[[float, Texts], str]] = {
    "amount": lambda value, texts: texts.number(value, ","),
    "score": _write_score,
    "count": _write_number,
    "number": _write_number,
    "share": _write_share,
    "ratio": _write_share,
    "years": lambda value, texts: texts.span(value, "year"),
    "days": _write_days,
    "day_gap": _write_days,
    "months": lambda value, texts: texts.span(value, "month"),
    "days_as_years": _write_days_as_years,
    "elapsed_days": lambda value, texts: _write_days_as_years(-value, texts),
    "date_days": _write_date_of_day,
    "date_planned_days": _write_date_of_day,
    "date_months": lambda value, texts: _write_date(value, texts.span(abs(value), "month"), texts),
    "hour": lambda value, texts: texts.say("reasons.hour", hour=value),
}


def join_reasons(reasons: Sequence[Mapping[str, str]], effect: str) -> list[str]:
    """Return the texts of the reasons that point one way, heaviest first."""
    return [reason["text"] for reason in reasons if reason["effect"] == effect]
