"""Reasons of a decision: the few causes that weighed most, as sentences that a client understands.

All that the sentences need is plain data, gathered when the scorer is made: telling a reason takes NumPy and pandas.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.texts import Texts, texts_in

AGAINST, FOR = "against", "for"

Pick = Callable[[str, npt.NDArray[np.int_]], Sequence[Any]]
"""Name of a column and positions of clients -> their plain values, None or NaN for null."""

_DAYS_PER_YEAR = 365.25
_SPEAKS = 0.5
"""Share of the best column's contribution times clarity from which on another column may speak for a cause."""
_FITS, _UNHELPFUL, _CONTRADICTS = 1, 0, -1


@dataclass(frozen=True)
class _Stored:
    """What is stored with a scorer, to give its reasons."""

    def __getstate__(self) -> Mapping[str, Any]:
        """Give what is stored, without what was worked out of it."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Restore it, if it is of this version: without its reference, say, a book could not give a reason."""
        names = {item.name for item in fields(self)}
        if names != set(state):
            raise AttributeError(
                f"its reasons are stored as {', '.join(sorted(state))}, this version stores {', '.join(sorted(names))}"
            )
        self.__dict__.update(state)


@dataclass(frozen=True)
class ExplainedColumn(_Stored):
    """What is said of one column of the model.

    Attributes:
        name: Its name.
        labels: Language -> what a client reads.
        unit: How its values are told, one of `credit_scoring.features.records.Unit`.
        cause: Number of the cause that it belongs to: columns of one cause are told once.
        clarity: How well it speaks for its cause, from 0 to 1: a field of the application form better than a product
            of two of them.
        categories: Language -> category -> words, for a column of categories.
        absent: Language -> what it means that the value is missing.
        direction: What a higher number usually does to the risk: 1 raises, -1 lowers, 0 depends on the rest.
        effects: Category, or None for a missing value -> what it usually does to the risk, likewise; 0 if not there.
    """

    name: str
    labels: Mapping[str, str]
    unit: str
    cause: int
    clarity: float = 1.0
    categories: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    direction: int = 0
    effects: Mapping[str | None, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Peers(_Stored):
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
class Placed:
    """Where values of a column stand among the approved customers, one entry per value.

    Attributes:
        place: `below`, `above` or `like` so many of them, `typical`, or empty if nobody can be compared with.
        share: How many of them, from 0 to 1.
        effect: What such a value usually does to the risk, see `ExplainedColumn`.
        depends: Whether what the value does is known to depend on the rest of the application.
    """

    place: npt.NDArray[np.str_]
    share: npt.NDArray[np.float64]
    effect: npt.NDArray[np.int_]
    depends: npt.NDArray[np.bool_]

    def fit(self, sign: npt.NDArray[np.int_]) -> npt.NDArray[np.int_]:
        """Judge comparisons as reasons against (1) or for (-1) a customer.

        Returns:
            -1 where it would be read as the opposite of what it is: the value is on the side of the approved customers'
            usual one that usually does the contrary, or what the value does depends on the rest of the application. 0
            where it shows nothing: what most approved customers have speaks against nobody, and what few of them have
            for nobody. 1 where it goes with the effect.
        """
        typical, like = self.place == "typical", self.place == "like"
        contradicts = (self.effect * sign < 0) | self.depends
        unhelpful = (self.place == "") | np.where(
            like, np.where(sign > 0, self.share >= 0.5, self.share < 0.5), typical & (sign > 0)
        )
        return np.where(contradicts & ~typical, _CONTRADICTS, np.where(unhelpful, _UNHELPFUL, _FITS))


@dataclass(frozen=True)
class ReasonBook(_Stored):
    """Everything that reasons are told with.

    Attributes:
        columns: The columns of the model, in its order.
        reference: Mean contributions of the approved customers, in log-odds, one per column: what weighs is how far a
            customer's are from these.
        granted: Clients who are granted, as decided out of fold on training rows; values are compared with theirs.
        refused: Clients who are refused, likewise.
        n_against: Causes told against a client, at most.
        n_for: Causes told for a client, at most.
        least_weight: Contribution in log-odds below which a cause is not worth telling.
    """

    columns: tuple[ExplainedColumn, ...]
    reference: npt.NDArray[np.float64]
    granted: Peers
    refused: Peers
    n_against: int = 3
    n_for: int = 2
    least_weight: float = 0.02

    def relate(self, contributions: pd.DataFrame) -> pd.DataFrame:
        """Return how far contributions are from the approved customers' mean ones: same rows and columns."""
        related = self._ordered(contributions) - self.reference
        return pd.DataFrame(related, contributions.index, contributions.columns)

    def weigh_causes(self, contributions: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Sum the related contributions of the columns of each cause: one row per client, one column per cause."""
        return self._weigh(self._ordered(contributions) - self.reference)

    def explain(
        self,
        contributions: pd.DataFrame,
        values: pd.DataFrame,
        declined: npt.NDArray[np.bool_],
        language: str,
        points_per_log_odds: float | None = None,
    ) -> list[list[dict[str, str]]]:
        """Tell the reasons of each client.

        Args:
            contributions: In log-odds of default, one row per client, one column per column of the model.
            values: What the contributions speak of, same rows and columns.
            declined: Whether each client is declined.
            language: One of `credit_scoring.texts.LANGUAGES`.
            points_per_log_odds: Of a scorecard: each reason then also says how many points more or fewer it is than
                with the approved customers on average.

        Returns:
            For each client, the causes that weighed most: `effect` (`against` or `for`) and `text`. Those that speak
            for the decision stand first, the heaviest first among either. A cause is told by one of its columns that
            weighed in its direction: of those with at least half of the greatest weight times clarity the first whose
            comparison with approved customers does not contradict the effect. If all contradict, what is against is
            told without a comparison, as an effect of the combination with the rest of the application, and what would
            be for is left out.

        Raises:
            ValueError: If the contributions are not of these columns in this order.
        """

        def pick(name: str, at: npt.NDArray[np.int_]) -> list[Any]:
            column = values[name].iloc[at]
            return column.astype(object).where(column.notna(), None).tolist()

        return self.explain_values(self._ordered(contributions), pick, declined, language, points_per_log_odds)

    def explain_values(
        self,
        matrix: npt.NDArray[np.float64],
        pick: Pick,
        declined: npt.NDArray[np.bool_],
        language: str,
        points_per_log_odds: float | None = None,
    ) -> list[list[dict[str, str]]]:
        """Do as `explain` does, without tables.

        Args:
            matrix: Contributions, one row per client, one column per column of the model, in its order.
            pick: Looks up the few values that are told.
            declined: Whether each client is declined.
            language: One of `credit_scoring.texts.LANGUAGES`.
            points_per_log_odds: As there.
        """
        related = matrix - self.reference
        # Of what is for some is left out: twice as many are looked at.
        rows, causes, weights = self._heaviest(self._weigh(related), self.n_against, 2 * self.n_for)
        leads, fits = self._leading_columns(related, pick, rows, causes, weights)
        sign = np.where(weights > 0, 1, -1)
        texts = np.empty(len(rows), dtype=object)
        for lead in np.unique(leads):
            told = np.flatnonzero(leads == lead)
            values = pick(self.columns[lead].name, rows[told])
            texts[told] = self.describe(int(lead), values, sign[told], language)
        if points_per_log_odds is not None:
            texts[:] = [
                add_points(text, -weight * points_per_log_odds, language)
                for text, weight in zip(texts, weights.tolist(), strict=True)
            ]
        first = np.where(declined[rows], 1, -1) == sign
        reasons: list[list[dict[str, str]]] = [[] for _ in range(len(matrix))]
        n_for = np.zeros(len(matrix), dtype=int)
        for i in np.lexsort((causes, -np.abs(weights), ~first, rows)):
            row = rows[i]
            if sign[i] < 0:
                if fits[i] == _CONTRADICTS or n_for[row] == self.n_for:
                    continue
                n_for[row] += 1
            reasons[row].append({"effect": AGAINST if sign[i] > 0 else FOR, "text": texts[i]})
        return reasons

    def describe(self, column: int, values: Sequence[Any], sign: npt.NDArray[np.int_], language: str) -> list[str]:
        """Write one sentence per plain value of a column: what it is, the value, where approved customers stand.

        Args:
            column: Its number.
            values: The values, None or NaN for null.
            sign: Whether each is told as a reason against (1) or for (-1) a client: a comparison that would contradict
                it is left out, and the combination with the rest of the application named.
            language: One of `credit_scoring.texts.LANGUAGES`.
        """
        described, texts = self.columns[column], texts_in(language)
        shown = show_values(described, values, language)
        label, placed = described.labels[language], self.place(column, values)
        sentences = []
        for value, place, share, fit in zip(shown, placed.place, placed.share, placed.fit(sign), strict=True):
            if fit == _FITS:
                comparison = _compare(_PLACES.get(described.unit, {}).get(place, place), float(share), language)
                sentences.append(texts.say("reasons.compared", label=label, value=value, comparison=comparison))
            elif fit == _CONTRADICTS:
                sentences.append(texts.say("reasons.combined", label=label, value=value))
            else:
                sentences.append(texts.say("reasons.sentence", label=label, value=value))
        return sentences

    def contradicts(self, column: int, values: Sequence[Any], sign: npt.NDArray[np.int_]) -> npt.NDArray[np.bool_]:
        """Return whether values of a column cannot be told against (1) or for (-1) a client as they stand."""
        return self.place(column, values).fit(sign) == _CONTRADICTS

    def place(self, column: int, values: Sequence[Any]) -> Placed:
        """Say where plain values of a column stand among the approved customers."""
        described, name = self.columns[column], self.columns[column].name
        numbers = self.granted.numbers.get(name)
        if numbers is None:
            shares = self.granted.shares.get(name)
            keys = [None if pd.isna(value) else str(value) for value in values]
            missing, known = self.granted.missing[name], shares or {}
            return Placed(
                np.array(["" if shares is None and key is not None else "like" for key in keys], dtype=np.str_),
                np.array([missing if key is None else known.get(key, 0.0) for key in keys]),
                np.array([described.effects.get(key, 0) for key in keys], dtype=int),
                np.zeros(len(keys), dtype=bool),
            )
        given = np.array(values, dtype=np.float64)
        null = np.isnan(given)
        below, equal, above = self.granted.shares_around(name, given)
        like = (equal >= np.maximum(below, above)) | (described.unit == "yes_no")
        typical = ~like & (np.maximum(below, above) < 0.6)
        side = np.where(below > above, "above", "below")
        share = np.where(like, equal, np.maximum(below, above))
        return Placed(
            np.where(null | like, "like", np.where(typical, "typical", side)),
            np.where(null, self.granted.missing[name], share),
            np.where(null, described.effects.get(None, 0), described.direction * np.sign(below - above).astype(int)),
            ~null & (described.direction == 0),
        )

    def _ordered(self, contributions: pd.DataFrame) -> npt.NDArray[np.float64]:
        names = [column.name for column in self.columns]
        if not np.array_equal(contributions.columns, names):
            raise ValueError(
                f"Reasons are written for {len(names)} columns, got contributions of {contributions.shape[1]} that are "
                "not the same.\nHint: the reason book belongs to another model."
            )
        return contributions.to_numpy()

    def _weigh(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return matrix @ self._membership

    @property
    def n_causes(self) -> int:
        """Number of causes."""
        return int(self._causes.max()) + 1

    @cached_property
    def _causes(self) -> npt.NDArray[np.int_]:
        return np.array([column.cause for column in self.columns])

    @cached_property
    def _membership(self) -> npt.NDArray[np.float64]:
        """Return 1 where a column belongs to a cause: one row per column, one column per cause."""
        return np.eye(self.n_causes)[self._causes]

    @cached_property
    def _clarity(self) -> npt.NDArray[np.float64]:
        return np.array([column.clarity for column in self.columns])

    def _heaviest(
        self, weights: npt.NDArray[np.float64], n_against: int, n_for: int
    ) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_], npt.NDArray[np.float64]]:
        """Return client, cause and weight of the heaviest causes, those against first."""
        told = []
        for sign, most in ((1, n_against), (-1, n_for)):
            pull = sign * weights
            n = min(most, pull.shape[1])
            # Stable: among equals the earlier cause, in any batch.
            top = np.argsort(-pull, axis=1, kind="stable")[:, :n]
            rows, causes = np.repeat(np.arange(len(weights)), n), top.ravel()
            enough = pull[rows, causes] >= self.least_weight
            told.append((rows[enough], causes[enough], weights[rows[enough], causes[enough]]))
        rows, causes, heavy = (np.concatenate(parts) for parts in zip(*told, strict=True))
        return rows, causes, heavy

    def _leading_columns(
        self,
        related: npt.NDArray[np.float64],
        pick: Pick,
        rows: npt.NDArray[np.int_],
        causes: npt.NDArray[np.int_],
        weights: npt.NDArray[np.float64],
    ) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]:
        """Return the column that speaks for each cause, and how its comparison fits."""
        leads, fits = np.empty(len(rows), dtype=int), np.empty(len(rows), dtype=int)
        for cause in np.unique(causes):
            members = np.flatnonzero(self._causes == cause)
            told = np.flatnonzero(causes == cause)
            speech = speaking_weights(related[np.ix_(rows[told], members)], weights[told], self._clarity[members])
            sign = np.where(weights[told] > 0, 1, -1)
            fit = np.full(speech.shape, _CONTRADICTS)
            for member, column in enumerate(members):
                able = np.flatnonzero(speech[:, member] > 0)
                if len(able):
                    values = pick(self.columns[column].name, rows[told[able]])
                    fit[able, member] = self.place(int(column), values).fit(sign[able])
            lead = choose_speaker(speech, fit == _CONTRADICTS)
            leads[told], fits[told] = members[lead], fit[np.arange(len(told)), lead]
        return leads, fits


def speaking_weights(
    contributions: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], clarity: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Weigh the columns that may speak for a cause: contribution in its direction x clarity, 0 for those that may not.

    Args:
        contributions: Of the columns of one cause, one row per client.
        weights: Of the cause, one per client.
        clarity: Of the columns.
    """
    speech = contributions * np.where(weights > 0, 1, -1)[:, None] * clarity
    return np.where(speech >= _SPEAKS * np.max(speech, axis=1, keepdims=True), speech, 0.0)


def choose_speaker(speech: npt.NDArray[np.float64], contradicts: npt.NDArray[np.bool_]) -> npt.NDArray[np.int_]:
    """Return for each client the column that speaks for a cause: the weightiest that does not contradict, if any.

    Args:
        speech: See `speaking_weights`; one that may not speak does not, even if all that may contradict.
        contradicts: Whether each column's comparison would contradict its effect.
    """
    silent = speech <= 0
    below = speech - speech.max(axis=1, keepdims=True) - silent
    return np.argmax(np.where(contradicts | silent, below, speech), axis=1)


def show_values(column: ExplainedColumn, values: Sequence[Any], language: str) -> list[str]:
    """Write plain values of a column, None or NaN for null, in natural units, the way the language does."""
    texts = texts_in(language)
    missing = column.absent.get(language) or texts.say("common.missing")
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
def _compare(place: str, share: float, language: str) -> str:
    """Say where a share of the approved customers stands, and never a larger share than there is."""
    texts, percent = texts_in(language), int(100 * share + 1e-9)
    if place == "typical":
        return texts.say("reasons.typical")
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


def _write_months(months: int, texts: Texts) -> str:
    """Write whole months: those beyond full years, and no years of none."""
    years, rest = divmod(months, 12)
    if not years:
        return texts.span(rest, "month")
    if not rest:
        return texts.span(years, "year")
    return texts.say("reasons.duration", years=texts.span(years, "year"), months=texts.span(rest, "month"))


def _write_days_as_years(value: float, texts: Texts) -> str:
    # Years of 365.25 days are no whole days: without the day added, a birthday would come a day late.
    months = int((abs(value) + 1) / _DAYS_PER_YEAR * 12 + 1e-6)
    return _write_months(months, texts) if months >= 12 else _write_days(abs(value), texts)


def _write_date(value: float, span: str, texts: Texts) -> str:
    return texts.say("reasons.past" if value <= 0 else "reasons.future", span=span)


def _write_date_of_day(value: float, texts: Texts) -> str:
    if round(value) == 0:
        return texts.say("reasons.today")
    return _write_date(value, _write_days_as_years(value, texts), texts)


def _write_date_of_month(value: float, texts: Texts) -> str:
    if round(value) == 0:
        return texts.say("reasons.this_month")
    return _write_date(value, _write_months(abs(round(value)), texts), texts)


def _write_gap(value: float, texts: Texts) -> str:
    if round(value) == 0:
        return texts.say("reasons.same_day")
    return texts.say("reasons.after" if value > 0 else "reasons.before", span=_write_days_as_years(value, texts))


_WRITERS: Mapping[str, Callable[[float, Texts], str]] = {
    "amount": lambda value, texts: texts.say("reasons.amount", amount=value),
    "score": _write_score,
    "count": _write_number,
    "number": _write_number,
    "share": _write_share,
    "ratio": _write_share,
    "years": lambda value, texts: texts.span(value, "year"),
    "days": _write_days,
    "day_gap": _write_gap,
    "months": lambda value, texts: texts.span(value, "month"),
    "days_as_years": _write_days_as_years,
    "elapsed_days": _write_days_as_years,
    "date_days": _write_date_of_day,
    "date_planned_days": _write_date_of_day,
    "date_months": _write_date_of_month,
    "hour": lambda value, texts: texts.say("reasons.hour", hour=value),
}


# The longer ago, the more negative the days; of dates one is not below another, but earlier.
_OF_DATES = {"below": "earlier", "above": "later"}
_PLACES: Mapping[str, Mapping[str, str]] = {
    "elapsed_days": {"below": "above", "above": "below"},
    "date_days": _OF_DATES,
    "date_planned_days": _OF_DATES,
    "date_months": _OF_DATES,
    "day_gap": _OF_DATES,
}
"""Unit -> where a value stands -> how that is told, where not by the same word."""


def add_points(text: str, points: float, language: str) -> str:
    """Say behind a text how many points more or fewer that is than with the approved customers on average."""
    return texts_in(language).say("reasons.points", n=abs(round(points)), text=text, points=round(points))


def join_reasons(reasons: Sequence[Mapping[str, str]], effect: str) -> list[str]:
    """Return the texts of the reasons that point one way, heaviest first."""
    return [reason["text"] for reason in reasons if reason["effect"] == effect]
