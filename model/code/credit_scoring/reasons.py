"""Reasons of a decision: the few causes that weighed most, as sentences that a client understands.

All that the sentences need is plain data, gathered when the scorer is made: telling a reason takes NumPy and pandas.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.texts import Texts, texts_in

AGAINST, FOR = "against", "for"

Pick = Callable[[int, int], Any]
"""Number of a column and position of a client -> the plain value, None or NaN for null."""

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

    def shares_around(self, name: str, values: Any) -> tuple[Any, Any, Any]:
        """Return the shares of these clients, among those with a value, that have less, the same and more.

        Args:
            name: A column of numbers.
            values: One value, or an array of them; the shares are in the same form.
        """
        reference = self.numbers[name]
        below = reference.searchsorted(values, side="left") / len(reference)
        above = 1 - reference.searchsorted(values, side="right") / len(reference)
        return below, 1 - below - above, above


class Placed(NamedTuple):
    """Where a value of a column stands among the approved customers.

    Attributes:
        place: `below`, `above` or `like` so many of them, `typical`, or empty if nobody can be compared with.
        share: How many of them, from 0 to 1.
        effect: What such a value usually does to the risk, see `ExplainedColumn`.
        depends: Whether what the value does is known to depend on the rest of the application.
    """

    place: str
    share: float
    effect: int
    depends: bool

    def fit(self, sign: int) -> int:
        """Judge the comparison as a reason against (1) or for (-1) a customer.

        Returns:
            -1 if it would be read as the opposite of what it is: the value is on the side of the approved customers'
            usual one that usually does the contrary, or what the value does depends on the rest of the application. 0
            if it shows nothing: what most approved customers have speaks against nobody, and what few of them have for
            nobody. 1 if it goes with the effect.
        """
        if self.place == "typical":
            return _UNHELPFUL if sign > 0 else _FITS
        if self.effect * sign < 0 or self.depends:
            return _CONTRADICTS
        if self.place == "like":
            return _UNHELPFUL if (self.share >= 0.5) == (sign > 0) else _FITS
        return _FITS if self.place else _UNHELPFUL


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

        @cache
        def plain(column: int) -> list[Any]:
            given = values[self.columns[column].name]
            return given.astype(object).where(given.notna(), None).tolist()

        def pick(column: int, at: int) -> Any:
            return plain(column)[at]

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
        first = declined[rows] == (weights > 0)
        order = np.lexsort((causes, -np.abs(weights), ~first, rows))
        of_row = related.tolist()
        reasons: list[list[dict[str, str]]] = [[] for _ in of_row]
        n_for = [0] * len(of_row)
        # One by one: most often there is one client, for whom calls of NumPy take far longer than what they work out.
        for row, cause, weight in zip(*(each[order].tolist() for each in (rows, causes, weights)), strict=True):
            sign = 1 if weight > 0 else -1
            if sign < 0 and n_for[row] == self.n_for:
                continue
            column = self._choose_speaker(cause, weight, of_row[row], row, pick)
            value = pick(column, row)
            placed = self.place(column, value)
            if sign < 0:
                if placed.fit(sign) == _CONTRADICTS:
                    continue
                n_for[row] += 1
            text = self._write(self.columns[column], value, placed, sign, language)
            if points_per_log_odds is not None:
                text = add_points(text, -weight * points_per_log_odds, language)
            reasons[row].append({"effect": AGAINST if sign > 0 else FOR, "text": text})
        return reasons

    def describe(self, column: int, value: Any, sign: int, language: str) -> str:
        """Write the sentence of a plain value of a column: what it is, the value, where approved customers stand.

        Args:
            column: Its number.
            value: The value, None or NaN for null.
            sign: Whether it is told as a reason against (1) or for (-1) a client: a comparison that would contradict
                it is left out, and the combination with the rest of the application named.
            language: One of `credit_scoring.texts.LANGUAGES`.
        """
        return self._write(self.columns[column], value, self.place(column, value), sign, language)

    def contradicts(self, column: int, value: Any, sign: int) -> bool:
        """Return whether a value of a column cannot be told against (1) or for (-1) a client as it stands."""
        return self.place(column, value).fit(sign) == _CONTRADICTS

    def place(self, column: int, value: Any) -> Placed:
        """Say where a plain value of a column stands among the approved customers."""
        described, name = self.columns[column], self.columns[column].name
        null = bool(pd.isna(value))
        if name not in self.granted.numbers:
            shares, key = self.granted.shares.get(name), None if null else str(value)
            share = self.granted.missing[name] if key is None else (shares or {}).get(key, 0.0)
            place = "" if shares is None and key is not None else "like"
            return Placed(place, share, described.effects.get(key, 0), False)
        if null:
            return Placed("like", self.granted.missing[name], described.effects.get(None, 0), False)
        below, equal, above = map(float, self.granted.shares_around(name, float(value)))
        effect, depends = described.direction * ((below > above) - (below < above)), described.direction == 0
        if described.unit == "yes_no" or equal >= max(below, above):
            return Placed("like", equal, effect, depends)
        place = "typical" if max(below, above) < 0.6 else "above" if below > above else "below"
        return Placed(place, max(below, above), effect, depends)

    def _write(self, column: ExplainedColumn, value: Any, placed: Placed, sign: int, language: str) -> str:
        """Write the sentence of a value, see `describe`."""
        told = {"label": column.labels[language], "value": show_values(column, [value], language)[0]}
        fit, texts = placed.fit(sign), texts_in(language)
        if fit == _FITS:
            place = _PLACES.get(column.unit, {}).get(placed.place, placed.place)
            return texts.say("reasons.compared", **told, comparison=_compare(place, placed.share, language))
        return texts.say("reasons.combined" if fit == _CONTRADICTS else "reasons.sentence", **told)

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
    def _members(self) -> list[list[int]]:
        """Return by cause the numbers of its columns."""
        members: list[list[int]] = [[] for _ in range(self.n_causes)]
        for number, column in enumerate(self.columns):
            members[column.cause].append(number)
        return members

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

    def _choose_speaker(self, cause: int, weight: float, related: Sequence[float], row: int, pick: Pick) -> int:
        """Return the column that speaks for a cause of one client."""
        members, sign = self._members[cause], 1 if weight > 0 else -1

        def contradicts(at: int) -> bool:
            return self.place(members[at], pick(members[at], row)).fit(sign) == _CONTRADICTS

        contributions, clarity = [related[at] for at in members], [self.columns[at].clarity for at in members]
        return members[choose_speaker(contributions, weight, clarity, contradicts)]


def choose_speaker(
    contributions: Sequence[float], weight: float, clarity: Sequence[float], contradicts: Callable[[int], bool]
) -> int:
    """Return the position of the column that speaks for a cause of one client.

    Args:
        contributions: Of the columns of the cause.
        weight: Of the cause.
        clarity: Of the columns.
        contradicts: Tells of the column at a position whether its comparison would contradict its effect.

    Returns:
        Of the columns with at least half of the greatest contribution in the direction of the cause x clarity, the
        weightiest that does not contradict, or else the weightiest.
    """
    sign = 1 if weight > 0 else -1
    speech = [contribution * sign * clear for contribution, clear in zip(contributions, clarity, strict=True)]
    least = _SPEAKS * max(speech)
    able = sorted((at for at, of_it in enumerate(speech) if of_it >= least and of_it > 0), key=lambda at: -speech[at])
    if len(able) < 2:
        return able[0] if able else 0
    return next((at for at in able if not contradicts(at)), able[0])


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
    texts, least = texts_in(language), round_down(share)
    if place == "typical":
        return texts.say("reasons.typical")
    if share > 0.995:
        peers = texts.say("reasons.nearly_all")
    else:
        peers = texts.say("reasons.peers", share=least) if least else texts.say("reasons.few")
    return texts.say(f"reasons.place.{place}", peers=peers)


def round_down(share: float) -> float:
    """Return a share in whole per cent, never larger than it is."""
    return int(100 * share + 1e-9) / 100


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
