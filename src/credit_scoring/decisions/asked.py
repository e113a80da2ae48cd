"""What is asked about applicants, beside their raw tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from credit_scoring.counterfactual import LEVERS
from credit_scoring.feature_plan import Problem
from credit_scoring.texts import DEFAULT_LANGUAGE, LANGUAGES

PARAMS, SIMULATE, COUNTERFACTUAL = "params", "simulate", "counterfactual"
OPTIONS = (PARAMS, SIMULATE, COUNTERFACTUAL)
_FORM, _LANGUAGE = "application", "language"
_FLAGS = ("explain", "features")
# Each takes up to `Levers.milliseconds`
MOST_SEARCHES = 20


@dataclass(frozen=True)
class Asked:
    """What is asked about one applicant.

    Attributes:
        tables: Raw tables.
        explain: Whether reasons are.
        features: Whether features are.
        language: Of sentences.
        simulated: Raw tables after the changes that are to be simulated; null without any.
        levers: What a counterfactual may move; null if none is asked for.
    """

    tables: Mapping[str, Any]
    explain: bool = False
    features: bool = False
    language: str = DEFAULT_LANGUAGE
    simulated: Mapping[str, Any] | None = None
    levers: Sequence[str] | None = None


def read_asked(applicants: Sequence[Any]) -> tuple[list[Asked], list[Problem]]:
    """Tell raw tables and options apart, and return what is wrong with options."""
    problems: list[Problem] = []
    asked = [_read(i, given, problems) for i, given in enumerate(applicants)]
    searches = [i for i, one in enumerate(asked) if one.levers is not None]
    if len(searches) > MOST_SEARCHES:
        place = searches[MOST_SEARCHES]
        problems.append(Problem(place, COUNTERFACTUAL, None, "", "fewer_searches", str(MOST_SEARCHES)))
    return asked, problems


def language_of(applicants: Any) -> str:
    """Return the language that the first applicant asks for, if it can be had, to tell what is wrong."""
    first = applicants[0] if isinstance(applicants, list) and applicants else applicants
    params = first.get(PARAMS) if isinstance(first, Mapping) else None
    language = params.get(_LANGUAGE) if isinstance(params, Mapping) else None
    return next((one for one in LANGUAGES if one == language), DEFAULT_LANGUAGE)


def _read(number: int, given: Any, problems: list[Problem]) -> Asked:
    if not isinstance(given, Mapping):
        return Asked({})  # it has no application, which is said

    def expect(holds: bool, option: str, name: str, expected: str, detail: str = "") -> bool:
        if not holds:
            problems.append(Problem(number, option, None, name, expected, detail))
        return holds

    tables = {name: rows for name, rows in given.items() if name not in OPTIONS}
    params, changes, search = (given.get(option) for option in OPTIONS)
    if params is None or not expect(isinstance(params, Mapping), PARAMS, "", "object"):
        params = {}
    expect(params.keys() <= {*_FLAGS, _LANGUAGE}, PARAMS, "", "known_option", ", ".join((*_FLAGS, _LANGUAGE)))
    for flag in _FLAGS:
        expect(isinstance(params.get(flag, False), bool), PARAMS, flag, "truth_value")
    language = params.get(_LANGUAGE, DEFAULT_LANGUAGE)
    expect(language in LANGUAGES, PARAMS, _LANGUAGE, "language")
    simulated = None
    if changes is not None and expect(isinstance(changes, Mapping), SIMULATE, "", "object"):
        form, changed = tables.get(_FORM), changes.get(_FORM, {})
        if expect(isinstance(changed, Mapping), f"{SIMULATE}.{_FORM}", "", "object") and isinstance(form, Mapping):
            simulated = {**tables, **changes, _FORM: {**form, **changed}}
    levers: Any = search.get("levers", LEVERS) if isinstance(search, Mapping) else LEVERS
    known = isinstance(levers, list | tuple) and bool(levers) and all(lever in LEVERS for lever in levers)
    is_choice = isinstance(search, Mapping) and search.keys() <= {"levers"} and known
    is_search = search is None or isinstance(search, bool) or is_choice
    expect(is_search, COUNTERFACTUAL, "", "levers", ", ".join(LEVERS))
    return Asked(
        tables,
        explain=params.get("explain") is True,
        features=params.get("features") is True,
        language=language if language in LANGUAGES else DEFAULT_LANGUAGE,
        simulated=simulated,
        levers=list(dict.fromkeys(levers)) if is_search and search not in (None, False) else None,
    )
