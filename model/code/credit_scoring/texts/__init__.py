"""What figures, reports and reasons say: one catalogue per language, and numbers the way the language writes them.

The catalogues, `en.yaml` and `fr.yaml`, have equal rank: neither stands in for the other.
"""

import difflib
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from functools import cache, lru_cache
from math import isinf, isnan
from pkgutil import get_data
from string import Formatter
from typing import Any, Literal, NamedTuple, get_args

import yaml
from babel import Locale
from babel.lists import format_list
from babel.numbers import NumberPattern, parse_pattern
from babel.units import format_unit

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT_LANGUAGE: Language = "fr"

_PLURAL_FORMS = frozenset({"zero", "one", "two", "few", "many", "other"})
_SPECIFICATION = re.compile(r"(?P<sign>\+?),?(?:\.(?P<digits>\d+))?(?P<kind>[dfg%]?)")
_TIED = re.compile(r" (?=[:;%!?»])|(?<=«) ")
"""Spaces of French at which no line may end."""
_NUMBERS_KEPT = 20_000
# More than any double has when it is written out; beyond what is usual, writing one would be an error
_MOST_DIGITS = 400
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, seven times faster, where YAML was built with it


def fold(text: str, width: int) -> str:
    """Break a text into lines of so many characters at most, none of which begins with a colon or a percent sign."""
    return textwrap.fill(_TIED.sub("\N{NO-BREAK SPACE}", text), width)


class TextError(LookupError):
    """A text that the catalogue does not have, or that was given other values than it has places for."""


class _Entry(NamedTuple):
    """A text: by plural form its parts (words, name and number format of the value behind them), and all its values."""

    text: str
    forms: Mapping[str, Sequence[tuple[str, str | None, str | None]]]
    places: frozenset[str]

    @classmethod
    def read(cls, forms: Mapping[str, str]) -> "_Entry":
        parts = {form: [part[:3] for part in Formatter().parse(text)] for form, text in forms.items()}
        places = {name for form in parts.values() for _, name, _ in form if name is not None}
        return cls(forms["other"], parts, frozenset(places | {"n"} if len(forms) > 1 else places))

    @property
    def is_plural(self) -> bool:
        return len(self.forms) > 1


class Texts:
    """The catalogue of one language.

    Attributes:
        language: Its language.
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self._locale = Locale(language)
        content = yaml.load(get_data(__name__, f"{language}.yaml"), _LOADER)
        self._entries = {key: _Entry.read(forms) for key, forms in _flatten(content, language)}

    def say(self, key: str, /, **values: Any) -> str:
        """Return a text with its values filled in.

        Args:
            key: Page, group where there is one, and name, joined by dots.
            **values: Exactly those that the text has places for, and `n` where the text depends on a number.

        Raises:
            TextError: If there is no such text, or a value is missing or has no place.
        """
        entry = self._entries.get(key)
        if entry is None:
            raise self._unknown(key)
        if values.keys() != entry.places:
            raise TextError(
                f"Text {key!r} in texts/{self.language}.yaml has places for {sorted(entry.places)}, got "
                f"{sorted(values)}.\nHint: a text takes the values that it names, no more and no less."
            )
        form = self._locale.plural_form(values["n"]) if entry.is_plural else "other"
        return "".join(
            words if name is None else words + (self.number(values[name], spec) if spec else str(values[name]))
            for words, name, spec in entry.forms.get(form, entry.forms["other"])
        )

    def page(self, name: str) -> dict[str, str]:
        """Return all texts of a page that depend on no number, as they stand in the catalogue, for a template."""
        prefix = f"{name}."
        texts = {
            key.removeprefix(prefix): entry.text
            for key, entry in self._entries.items()
            if key.startswith(prefix) and not entry.is_plural
        }
        if not texts:
            raise self._unknown(name)
        return texts

    def number(self, value: float, spec: str) -> str:
        """Write a number, with a true minus sign; a dash for NaN.

        Args:
            value: The number.
            spec: What Python would be told: `,` or `d`, `.2f`, `+.2f`, `.1%`, `g`. Thousands are always grouped, but
                for `d`.

        Examples:
            >>> texts_in("fr").number(1234.5, ".2f") == "1\u202f234,50"
            True
            >>> texts_in("en").number(0.125, "+.1%")
            '+12.5%'
        """
        return "–" if isnan(value) else _write(value, spec, self.language)

    def percent(self, share: float, digits: int = 1) -> str:
        """Write a share as a percentage."""
        return self.number(share, f".{digits}%")

    def span(self, value: float, unit: Literal["year", "month", "day"]) -> str:
        """Write a stretch of time: years to one digit, the others whole."""
        return _write_span(round(value, 1 if unit == "year" else 0), unit, self.language)

    def join(self, items: Sequence[str]) -> str:
        """Enumerate, with an "and" before the last."""
        return format_list(items, locale=self._locale)

    def _unknown(self, key: str) -> TextError:
        near = difflib.get_close_matches(key, self._entries, n=3)
        hint = f"the nearest are {', '.join(near)}." if near else "add it to the catalogues of all languages."
        return TextError(f"No text {key!r} in texts/{self.language}.yaml.\nHint: {hint}")


def texts_in(language: object) -> Texts:
    """Return the catalogue of a language.

    Raises:
        ValueError: If there is none; names the languages there are.
    """
    if language not in LANGUAGES:
        raise ValueError(f"Unknown language {language!r}.\nHint: reasons are told in {' or '.join(LANGUAGES)}.")
    return _CATALOGUES[language]


def _flatten(content: Mapping[Any, Any], language: str, prefix: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the full key of each text with its plural forms; a text that depends on no number has only `other`."""
    for key, value in content.items():
        name = f"{prefix}{key}"
        if isinstance(key, str) and isinstance(value, str):
            yield name, {"other": value}
        elif isinstance(key, str) and isinstance(value, dict) and "other" in value and value.keys() <= _PLURAL_FORMS:
            yield name, value
        elif isinstance(key, str) and isinstance(value, dict):
            yield from _flatten(value, language, f"{name}.")
        else:
            raise TextError(
                f"{name} in texts/{language}.yaml: expected a text under a word, got {value!r} under {key!r}.\n"
                "Hint: put quotes around words such as yes and no, which are truth values to YAML."
            )


@lru_cache(_NUMBERS_KEPT)
def _write(value: float, spec: str, language: str) -> str:
    if isinf(value):
        return "∞" if value > 0 else "−∞"
    exact = f"{value:{spec.lstrip('+')}}" if spec.endswith("g") else str(value)
    with localcontext(prec=_MOST_DIGITS):
        written = _pattern(spec, language).apply(Decimal(exact), language).replace("-", "−")
    if written.startswith("−") and not any(digit in "123456789" for digit in written):
        return written.replace("−", "+" if spec.startswith("+") else "")  # what rounds to zero is not below it
    return written


@cache
def _pattern(spec: str, language: str) -> NumberPattern:
    """Translate a specification of Python's into a pattern of the Unicode CLDR."""
    asked = _SPECIFICATION.fullmatch(spec)
    if asked is None:
        raise TextError(f"No number is written as {spec!r}.\nHint: `,`, `d`, `.2f`, `+.2f`, `.1%` and `g` are known.")
    digits, kind = int(asked["digits"] or 0), asked["kind"]
    pattern = Locale(language).percent_formats[None].pattern if kind == "%" else "0" if kind == "d" else "#,##0"
    places = "#" * 15 if kind == "g" else "0" * digits
    pattern = pattern.replace("0", f"0.{places}") if places else pattern
    return parse_pattern(f"+{pattern};-{pattern}" if asked["sign"] else pattern)


@lru_cache(_NUMBERS_KEPT)
def _write_span(value: float, unit: str, language: str) -> str:
    with localcontext(prec=_MOST_DIGITS):
        written = format_unit(value, f"duration-{unit}", format="#,##0.#", locale=language).replace("-", "−")
    # CLDR is not of one mind: 2 ans with a plain space, 2 jours with one that does not break
    return written.replace(" ", "\xa0") if language == "fr" else written


# Read at import, a few milliseconds each: a server has them before its first request
_CATALOGUES: Mapping[str, Texts] = {language: Texts(language) for language in LANGUAGES}
