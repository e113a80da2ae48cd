"""What a feature is: one record, in which its value, unit, words, formula and nulls stand, or from which they follow.

A feature of a history is measure x aggregate x subset x window, each told once: the measure knows its expression, unit
and words, the aggregate its function and words, the subset and the window their condition and words. Everything
else that the project says of a feature (dictionaries, units of the API, reasons, themes, figures) is read off it.

A direction is declared only where no lender would argue: payments late, missed or in part, days past due, amounts
overdue, credits written off, applications refused (a lender's own verdict) raise the PD; the external scores, made to
rank by risk, lower it. It says what more of it does while all else stays. It is declared once per measure, and every
aggregate that cannot fall when the value of a row rises has it, whichever rows it is taken over: all but the standard
deviation. No direction have trends, differences and ratios (the other side moves them, too), how long ago something
happened (it also tells for how long the customer has been paying), counts of rows, debts that are not overdue (whoever
owes was granted credit), what is paid beyond what is due, income, age, and what acquaintances did.
"""

# ruff: noqa: SIM300 - a column such as _.RANK is not the constant that Ruff takes it for

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import ibis.expr.types as ir
from ibis import _

from credit_scoring.features.expressions import (
    AGGREGATES,
    CLIENT_KEY,
    NET_AGGREGATES,
    PARTIALS,
    Expression,
    clean_missing_markers,
    combine_partials,
    written,
)
from credit_scoring.texts import Language

Words = tuple[str, str]
"""English, French."""

Direction = Literal[-1, 0, 1]
"""What more of a number does to the probability of default, all else equal: 1 never lowers it, -1 never raises it, 0 is
open."""

Unit = Literal[
    "amount", "share", "ratio", "score", "count", "number", "yes_no", "category", "hour", "years", "months", "days",
    "day_gap", "days_as_years", "elapsed_days", "date_days", "date_planned_days", "date_months",
]  # fmt: skip

UNITS: Mapping[Unit, str] = {
    "amount": "currency of the data",
    "share": "share, 0 to 1",
    "ratio": "ratio, 1 = 100 %",
    "score": "score",
    "count": "count",
    "number": "number, see its formula",
    "yes_no": "1 for yes, 0 for no",
    "category": "text",
    "hour": "hour of the day, 0 to 23",
    "years": "years",
    "months": "months",
    "days": "days",
    "day_gap": "days, may be negative",
    "days_as_years": "days between two dates",
    "elapsed_days": "days, negative before the application",
    "date_days": "days, negative before the application",
    "date_planned_days": "days, negative before the application, positive after it",
    "date_months": "months, negative before the application",
}
"""Unit -> what whoever sends or reads a value is told."""

Theme = Literal[
    "external_scores", "loan", "income", "person", "home", "contact", "enquiries", "bureau", "previous", "repayment",
    "card",
]  # fmt: skip

THEMES: Mapping[Theme, Words] = {
    "external_scores": ("External scores", "Scores externes"),
    "loan": ("The loan applied for", "Le prêt demandé"),
    "income": ("Income and job", "Revenus et emploi"),
    "person": ("Age, education, family", "Âge, études, famille"),
    "home": ("Home, region, car", "Logement, région, voiture"),
    "contact": ("Contact, documents, moment", "Contact, documents, moment"),
    "enquiries": ("Enquiries and acquaintances", "Consultations et entourage"),
    "bureau": ("Credits at other lenders", "Crédits chez d'autres prêteurs"),
    "previous": ("Earlier applications", "Demandes antérieures"),
    "repayment": ("Repayment of earlier loans", "Remboursement des prêts passés"),
    "card": ("Credit card", "Carte de crédit"),
}

_OF_PAST_DATES: Mapping[str, Words] = {
    "MIN": ("oldest", "le plus ancien"),
    "MAX": ("most recent", "le plus récent"),
    "MEAN": ("on average", "en moyenne"),
}
_OF_PLANNED_DATES: Mapping[str, Words] = {
    "MIN": ("earliest", "le plus proche"),
    "MAX": ("latest", "le plus tardif"),
    "MEAN": ("on average", "en moyenne"),
}
_OF_DATES: Mapping[str, Mapping[str, Words]] = {
    "date_days": _OF_PAST_DATES,
    "date_months": _OF_PAST_DATES,
    "date_planned_days": _OF_PLANNED_DATES,
}
_AGGREGATE_WORDS: Mapping[str, Words] = {
    "COUNT": ("number", "nombre"),
    "SUM": ("total", "total"),
    "MEAN": ("mean", "moyenne"),
    "MIN": ("minimum", "minimum"),
    "MAX": ("maximum", "maximum"),
    "STD": ("standard deviation", "écart-type"),
    "RATE": ("share", "part"),
}
_WRITTEN_AGGREGATES = {"RATE": "share"}


UNKNOWN: Words = ("unknown", "inconnu")
"""What a client reads where a value is missing and nothing more can be said."""

_SPOKEN: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "number": "number of {}", "share": "share of {}", "product": "product of the {}", "total": "{}, in total",
        "mean": "{}, on average", "minimum": "{}, at the lowest", "maximum": "{}, at the highest",
        "standard deviation": "{}, spread", **{en: f"{{}}, {en}" for en in ("most recent", "oldest", "on average",
        "earliest", "latest", "trend per year")},
    },
    "fr": {
        "nombre": "nombre de {}", "part": "part des {}", "produit": "produit des {}", "total": "{}, au total",
        "moyenne": "{}, en moyenne", "minimum": "{}, au plus bas", "maximum": "{}, au plus haut",
        "écart-type": "{}, dispersion", **{fr: f"{{}}, {fr}" for fr in ("le plus récent", "le plus ancien",
        "en moyenne", "le plus proche", "le plus tardif", "tendance par an")},
    },
}  # fmt: skip
_SPOKEN_WINDOWS: Mapping[Language, tuple[tuple[str, str], ...]] = {
    "en": ((r"last ([\d,]+) (days|months)", r"over the last \1 \2"), (r"last (\d+)", r"over the \1 most recent")),
    "fr": (
        (r"([\d\u202f]+) derniers (jours|mois)", r"sur les \1 derniers \2"),
        (r"les (\d+) derniers", r"sur les \1 plus récents"),
        (r"les (\d+) dernières (\w+)", r"sur les \1 \2 les plus récentes"),
    ),
}
_LATEST_ROW: Mapping[Language, tuple[str, str]] = {
    "en": ("last one", "most recently"),
    "fr": ("le dernier|la dernière", "en dernier lieu"),
}
_COUNTED = re.compile("credits|instalments|crédits|échéances")
"""Rows that a subset names again: credit cards are credits."""


def speak(words: str, language: Language) -> str:
    """Say a measure, its aggregate, its rows and its window, joined by commas, the way people do.

    Examples:
        >>> speak("instalments paid late, share, last 365 days", "en")
        'share of instalments paid late over the last 365 days'
        >>> speak("montant du crédit, moyenne, des crédits actifs", "fr")
        'montant des crédits actifs, en moyenne'
        >>> speak("credits, number, of credit cards", "en")
        'number of credit cards'
        >>> speak("months planned, estimated, total, of loans still running", "en")
        'months planned of loans still running, estimated, in total'
    """
    said, parts = _SPOKEN[language], words.split(", ")
    at = next((place for place, part in enumerate(parts) if place and part in said), None)
    if at is None:
        return words
    what, how, rest = ", ".join(parts[:at]), said[parts[at]], parts[at + 1 :]
    of, among = ("of ", "among ") if language == "en" else ("des ", "parmi les ")
    for part in rest:
        if part.startswith(of):
            rows, (head, comma, more) = part.removeprefix(of), what.partition(", ")
            if re.search("credits|loans|mortgages|crédits|prêts", part):  # not the amount of the credit of the credits
                head = re.sub(" (of (the )?credit|du crédit)$", "", head)
            if _COUNTED.fullmatch(head):
                head = rows
            elif head in ("applications", "demandes"):
                head += f" for {rows}" if language == "en" else f" de {rows}"
            else:
                head += f" {part}" if how.startswith("{}") else f" {among}{rows}"
            what = f"{head}{comma}{more}"
    if language == "fr" and what[0] in "aeéèêiouy":
        how = how.replace("nombre de ", "nombre d'")
    latest, recently = _LATEST_ROW[language]
    if any(re.fullmatch(latest, part) for part in rest):
        return f"{what}, {recently}"
    text = how.format(what)
    for part in rest:
        if not part.startswith(of):
            window = part
            for pattern, spoken in _SPOKEN_WINDOWS[language]:
                window = re.sub(f"^{pattern}$", spoken, window)
            text += f" {window}" if window != part else f", {part}"
    return text


@dataclass(frozen=True)
class Origin:
    """Where features come from: the application form, or one kind of history.

    Attributes:
        prefix: First word of their names.
        table: Raw table whose rows they summarise.
        title: What a reader calls it.
        noun: What the title calls its rows, where words of a feature may name them, too; none elsewhere.
        which: What the title tells of those rows beside the noun.
        theme: Theme of its features; those of the form tell their own.
        presence: Feature that is never null for a client who has such a history; none for the form.
        absent: What a client reads where there is no such history.
        absent_part: What a client reads where there is none, or no such row in it.
    """

    prefix: str
    table: str
    title: Words
    theme: Theme | None = None
    presence: str = ""
    absent: Words = UNKNOWN
    absent_part: Words = UNKNOWN
    noun: Words = ("", "")
    which: Words = ("", "")

    @property
    def flag(self) -> str:
        """Name of the feature that tells whether a client has such a history; none for the form."""
        return f"HAS_{self.prefix}" if self.presence else ""


@dataclass(frozen=True, eq=False)
class Feature:
    """One column of `applicant_features`.

    Attributes:
        name: Name of the column.
        origin: Where it comes from.
        theme: What it is about, for a reader.
        value: Its expression, on one row per applicant or as an aggregate; None for a field of the form kept as it is.
        unit: What its values are.
        words: What it holds, without its origin.
        null_when: Why it may be null, for a client who has the history.
        formula: `value` for a reader; empty for a field of the form.
        measure: What is measured: features of one measure say the same thing, of different rows or in different ways.
        subset: Which kind of rows it is measured on (`ACTIVE`); empty for all of them.
        window: Which of those rows, by time (`365D`, `LAST_3`); empty for all of them.
        absent: What a client reads where the value is missing.
        direction: What more of it does to the probability of default beyond argument.
        label: What a client reads, where `words` say how a field is stored.
        clarity: How well it can be told to a client, from 0 to 1: a field of the form better than an aggregate, and
            either better than a product or a spread, of which nobody knows the usual value.
    """

    name: str
    origin: Origin
    theme: Theme
    value: Expression | None
    unit: Unit
    words: Words
    null_when: tuple[str, ...]
    formula: str
    measure: str
    label: Words | None = None
    clarity: float = 0.5
    subset: str = ""
    window: str = ""
    absent: Words = UNKNOWN
    direction: Direction = 0

    @property
    def cause(self) -> str:
        """Name the cause that it belongs to, as a reason of a decision: a measure of a kind of rows, whenever.

        The external scores and all that is computed with them are one.
        """
        return self.theme if self.theme == "external_scores" else f"{self.measure} {self.subset}".rstrip()

    def describe(self, language: Language = "en") -> str:
        """Say where the feature comes from and what it holds: "Repayments: instalments paid late, share"."""
        colon = " : " if language == "fr" else ": "
        return f"{in_language(self.origin.title, language)}{colon}{in_language(self.words, language)}"

    def title(self, language: Language = "en") -> str:
        """Say what the feature holds, without its origin: "Instalments paid late, share"."""
        return _capitalised(in_language(self.words, language))

    def client_absent(self, language: Language = "en") -> str:
        """Say what it means that the value is missing."""
        return in_language(self.absent, language)

    def client_label(self, language: Language = "en") -> str:
        """Say it the way a client understands: in words of every day, and which history it comes from."""
        if self.label is not None:
            return in_language(self.label, language)
        title = _capitalised(speak(in_language(self.words, language), language))
        if not self.origin.presence:
            return title
        origin = in_language(self.origin.title, language)
        origin = f"{origin[0].lower()}{origin[1:]}"
        noun = in_language(self.origin.noun, language)
        if noun and title.endswith(f" {noun}"):
            return f"{title.removesuffix(noun)}{origin}"
        named = noun and re.search(rf"\b{noun}\b", title, re.IGNORECASE)
        return f"{title} ({in_language(self.origin.which, language) if named else origin})"

    @property
    def history(self) -> str:
        """Presence flag that must be 1 for the feature to be known; none for the form and for the flags themselves."""
        return self.origin.flag if self.name != self.origin.flag else ""


def make_feature(
    origin: Origin,
    name: str,
    value: Expression,
    unit: Unit,
    words: Words,
    *,
    null: str | tuple[str, ...] = (),
    theme: Theme | None = None,
    measure: str = "",
    label: Words | None = None,
    abstract: bool = False,
    formula: str = "",
    subset: str = "",
    window: str = "",
    absent: Words | None = None,
    direction: Direction = 0,
) -> Feature:
    """Record a feature that is computed in its own way.

    Args:
        origin: Where it comes from; the name begins with its prefix.
        name: Name of the column.
        value: Its expression; the formula is what it says.
        unit: What its values are.
        words: What it holds.
        null: Why it may be null, one reason or several; none where it never is.
        theme: Its theme, if not that of its origin.
        measure: What is measured, if other features measure the same.
        label: What a client reads, if not `words`.
        abstract: Whether nobody has an idea of its usual value.
        formula: What `value` says, if it reads columns that mean nothing to a reader.
        subset: Which kind of rows it is measured on, if other features of the measure are on others.
        window: Which of those rows by time, likewise.
        absent: What a client reads where it is missing, if not that there is no such row.
        direction: What more of it does to the probability of default beyond argument.

    Raises:
        ValueError: If it has no theme, or its name another prefix.
    """
    known = theme or origin.theme
    if known is None or not name.startswith(f"{origin.prefix}_"):
        raise ValueError(
            f"Feature '{name}' needs the prefix {origin.prefix}_ and a theme.\nHint: themes are {', '.join(THEMES)}."
        )
    reasons = (null,) if isinstance(null, str) else null
    clarity = 0.1 if abstract else 0.5
    return Feature(
        name, origin, known, value, unit, words, reasons, formula or written(value), measure or name, label, clarity,
        subset, window, absent or (origin.absent_part if reasons else origin.absent), direction,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Measure:
    """What is known of one row of a history, to be aggregated per client.

    Attributes:
        name: Column of the measured rows, and part of the names of its features.
        value: Its expression on the columns of the rows; a literal True counts all of them.
        unit: What its values are; `yes_no` for a condition.
        en: What it holds, in English.
        fr: The same in French.
        known: Whether it is never null.
        derived: Whether `value` reads other measures, and is computed after them.
        net: Whether it is an amount of either sign, so that sums may cancel out and are rounded, see `round_amount`.
        says: Name of the measure that says the same, on any kind of rows; none if only itself does.
        direction: What more of it in any row does to the probability of default beyond argument.
        labels: Aggregate and subset (`RATE_LAST_1`) -> what a client reads, where it does not follow from the words.
    """

    name: str
    value: Expression | bool
    unit: Unit
    en: str
    fr: str
    known: bool = False
    derived: bool = False
    net: bool = False
    says: str = ""
    direction: Direction = 0
    labels: Mapping[str, Words] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Subset:
    """Some rows of a client: of a kind (`ACTIVE`), of a time (`365D`) or the latest (`LAST_3`).

    Attributes:
        name: Last part of the names of its features.
        where: Condition on the measured rows; None where they were chosen before.
        words: Which rows they are.
        is_window: Whether it is of a time or the latest, not of a kind.
    """

    name: str
    where: Expression | None
    words: Words
    is_window: bool = False


def last_days(days: int, where: Expression | None) -> Subset:
    """Name the window of the last days before the application: what happened at most so many days before it."""
    words = (f"last {days:,} days", f"{days:,} derniers jours".replace(",", "\u202f"))
    return Subset(f"{days}D", where, words, is_window=True)


def last_months(months: int, *, latest: int) -> Subset:
    """Name the window of the last months before the application, on rows that each stand for a whole month.

    A month is a period, not a date: from `latest` on, so many months are counted, that one included.

    Args:
        months: How many months it holds.
        latest: MONTHS_BALANCE of the latest month that the table can have: 0 or -1, see its contract.
    """
    window = _.MONTHS_BALANCE >= latest + 1 - months
    return Subset(f"{months}M", window, (f"last {months} months", f"{months} derniers mois"), is_window=True)


def last_rows(last: int, feminine: str = "") -> Subset:
    """Name the window of the latest rows of a client, which are ranked in `RANK`.

    Args:
        last: How many rows it holds.
        feminine: What French calls the rows, if it is a feminine noun.
    """
    one, several = ("la dernière", f"dernières {feminine}") if feminine else ("le dernier", "derniers")
    words = ("last one", one) if last == 1 else (f"last {last}", f"les {last} {several}")
    return Subset(f"LAST_{last}", _.RANK <= last, words, is_window=True)


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a history that features are aggregated from.

    Attributes:
        origin: The history.
        noun: What one row is, in English: formulas and nulls speak of it.
        measures: What is known of each row.
        helpers: Further columns that features read: ranks, amounts to be compared.
        keys: Columns that identify such a row, where it is itself an aggregate of raw rows.
        parts: Columns that those raw rows are aggregated to, before anything is measured.
        from_partials: Whether the rows were reduced by `partials` before features are made of them.
    """

    origin: Origin
    noun: str
    measures: tuple[Measure, ...] = ()
    helpers: Mapping[str, Expression] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    parts: Mapping[str, Expression] = field(default_factory=dict)
    from_partials: bool = False

    def merge(self, table: ir.Table) -> ir.Table:
        """Aggregate raw rows to one per `keys`: the columns `parts`."""
        return table.group_by(*self.keys).agg(**self.parts)

    def measure(self, table: ir.Table) -> ir.Table:
        """Add the helpers and the measures to the rows."""
        first = {item.name: item.value for item in self.measures if not item.derived}
        later = {item.name: item.value for item in self.measures if item.derived}
        measured = table.mutate(**self.helpers, **first)
        return measured.mutate(**later) if later else measured

    def select(self, table: ir.Table, *names: str, **columns: Expression) -> ir.Table:
        """Return the client and some measures only, and other columns under these names."""
        return table.select(CLIENT_KEY, **{name: self[name].value for name in names}, **columns)

    def __getitem__(self, name: str) -> Measure:
        return next(item for item in self.measures if item.name == name)

    def partials(self, wanted: Mapping[str, tuple[str, ...]]) -> dict[str, Expression]:
        """Build the additive columns from which the wanted aggregates are made, see `expressions.PARTIALS`."""
        return {
            f"{measure}_{part}": build(_[measure])
            for measure, aggregates in wanted.items()
            for aggregate in aggregates
            for part, build in PARTIALS[aggregate].items()
        }

    def features(self, wanted: Mapping[str, tuple[str, ...]], of: Subset | None = None) -> tuple[Feature, ...]:
        """Record the aggregates of some measures over all rows of a client, or over a subset of them.

        Null policy: null values are left out. Over an empty subset a count and a sum are 0, anything else is null; a
        sum of values that are all unknown is null.

        Args:
            wanted: Measure -> aggregates among COUNT (true rows of a condition), RATE (share of true rows among the
                known ones), SUM, MEAN, MIN, MAX, STD.
            of: Rows to keep.
        """
        pairs = [(self[name], aggregate) for name, aggregates in wanted.items() for aggregate in aggregates]
        return tuple(self._aggregate(measure, aggregate, of) for measure, aggregate in pairs)

    def feature(self, name: str, value: Expression, unit: Unit, words: Words, **told: Any) -> Feature:
        """Record a feature of these rows that is computed in its own way, see `make_feature`."""
        return make_feature(self.origin, f"{self.origin.prefix}_{name}", value, unit, words, **told)

    def _aggregate(self, measure: Measure, aggregate: str, of: Subset | None) -> Feature:
        where = None if of is None else of.where
        if self.from_partials:
            value = combine_partials(measure.name, aggregate, where, net=measure.net)
        else:
            value = (NET_AGGREGATES if measure.net else AGGREGATES)[aggregate](_[measure.name], where)
        said = _OF_DATES.get(measure.unit, {}).get(aggregate, _AGGREGATE_WORDS[aggregate])
        parts = [(measure.en, measure.fr), said, *([of.words] if of else [])]
        en, fr = (", ".join(side) for side in zip(*parts, strict=True))
        prefix = self.origin.prefix
        assert self.origin.theme is not None
        nulls = self._nulls(measure, aggregate, of is not None)
        how = f"{aggregate}_{of.name}" if of and of.name else aggregate
        return Feature(
            name=f"{prefix}_{measure.name}_{how}",
            origin=self.origin,
            theme=self.origin.theme,
            value=value,
            unit=_unit_of(measure.unit, aggregate),
            words=(en, fr),
            null_when=nulls,
            formula=self._formula(measure, aggregate, where),
            measure=f"{prefix}_{measure.says or measure.name}",
            label=measure.labels.get(how),
            # Of a spread, or of dates added up, nobody knows the usual value
            clarity=0.1 if aggregate == "STD" or (aggregate == "SUM" and measure.unit in _OF_DATES) else 0.5,
            subset=of.name if of and not of.is_window and not measure.says else "",
            window=of.name if of and of.is_window else "",
            absent=self.origin.absent_part if nulls else self.origin.absent,
            direction=0 if aggregate == "STD" else measure.direction,
        )

    def _formula(self, measure: Measure, aggregate: str, where: Expression | None) -> str:
        counted = "" if measure.value is True else measure.name
        call = f"{_WRITTEN_AGGREGATES.get(aggregate, aggregate.lower())}({counted}) over {self.noun}s"
        return call if where is None else f"{call} where {written(where)}"

    def _nulls(self, measure: Measure, aggregate: str, restricted: bool) -> tuple[str, ...]:
        such = f"such {self.noun}" if restricted else self.noun
        if aggregate == "COUNT" or (measure.known and aggregate != "STD" and not (restricted and aggregate != "SUM")):
            return ()
        if aggregate == "SUM":
            return (f"no {such} has a known value, though there are some",)
        if aggregate == "STD":
            return (f"fewer than two {such}s have a known value",)
        return (f"there is no {such}",) if measure.known else (f"no {such} has a known value",)


def _unit_of(unit: Unit, aggregate: str) -> Unit:
    if aggregate in ("COUNT", "RATE"):
        return "count" if aggregate == "COUNT" else "share"
    if unit in _OF_DATES and aggregate in ("STD", "SUM"):
        return "day_gap" if aggregate == "SUM" else "days"
    return "number" if unit == "count" and aggregate in ("MEAN", "STD") else unit


@dataclass(frozen=True, eq=False)
class Cleaning:
    """What cleaning does to one raw table.

    Attributes:
        table: Name of the raw table.
        keep: Condition that a row must meet to be kept; all are without one.
        columns: Column -> what it becomes, for those in which more changes than missing markers; a new name adds one.
    """

    table: str
    keep: Expression | None = None
    columns: Mapping[str, Expression] = field(default_factory=dict)

    def apply(self, table: ir.Table) -> ir.Table:
        """Write every kind of missing value as null, keep the rows that count, change the columns."""
        cleaned = clean_missing_markers(table)
        kept = cleaned if self.keep is None else cleaned.filter(self.keep)
        return kept.mutate(**self.columns) if self.columns else kept


@dataclass(frozen=True, eq=False)
class Source:
    """One source of features: a module of this package.

    Attributes:
        name: Name of the module and of the dataset `<name>_features`.
        title: Heading of its section in the dictionary.
        cleaning: What is done to its raw tables, in the order in which `compute` takes the clean ones.
        compute: Clean tables -> one row per SK_ID_CURR.
        features: Every column that `compute` makes beside SK_ID_CURR and TARGET.
        rows: The rows in between, in the order in which they are made.
    """

    name: str
    title: str
    cleaning: tuple[Cleaning, ...]
    compute: Callable[..., ir.Table]
    features: tuple[Feature, ...]
    rows: tuple[Rows, ...] = ()

    @property
    def clean(self) -> dict[str, Callable[[ir.Table], ir.Table]]:
        """Raw table -> what makes it clean, in the order in which `compute` takes the clean tables."""
        return {cleaning.table: cleaning.apply for cleaning in self.cleaning}

    @property
    def origins(self) -> tuple[Origin, ...]:
        """The histories that its features come from, in the order of their features."""
        return tuple(dict.fromkeys(feature.origin for feature in self.features))


def unite(*wanted: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Unite tables of wanted aggregates: measure -> aggregates, in the order in which they come first, none twice."""
    measures = dict.fromkeys(name for table in wanted for name in table)
    return {name: tuple(dict.fromkeys(one for table in wanted for one in table.get(name, ()))) for name in measures}


def values_of(features: tuple[Feature, ...]) -> dict[str, Expression]:
    """Return the expressions of computed features by name."""
    return {feature.name: feature.value for feature in features if feature.value is not None}


def theme_title(theme: Theme, language: Language) -> str:
    """Say a theme in words."""
    return in_language(THEMES[theme], language)


def in_language(words: Words, language: Language) -> str:
    """Return the words of a language."""
    return words[("en", "fr").index(language)]


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]
