"""What must be known of an applicant, and what can be true: from the contract, the units, and the training rows."""

from collections.abc import Mapping
from math import inf, isinf

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.features.catalogue import find_feature
from credit_scoring.features.records import Feature, Unit, in_language
from credit_scoring.gaps import GapRules
from credit_scoring.models.base import ScoringModel, text_columns
from credit_scoring.pipelines.threshold_tuning.options import GapOptions
from credit_scoring.reasons import ExplainedColumn, show_values
from credit_scoring.schemas.contract import plausible_range
from credit_scoring.schemas.raw import contract_of
from credit_scoring.texts import LANGUAGES, Language, texts_in

_YEARS = 100
_OF_UNIT: Mapping[Unit, tuple[float, float]] = {
    "share": (0, 1 + 1e-9),  # a quotient of sums may be off in the last digits
    "score": (-1, 1),
    "yes_no": (0, 1),
    "count": (0, inf),
    "hour": (0, 24),
    "years": (0, _YEARS),
    "months": (0, 12 * _YEARS),
    "days": (0, 366 * _YEARS),
    "elapsed_days": (-366 * _YEARS, 0),
    "date_days": (-366 * _YEARS, 0),
    "date_months": (-12 * _YEARS, 0),
    "date_planned_days": (-366 * _YEARS, 366 * _YEARS),
    "days_as_years": (-366 * _YEARS, 366 * _YEARS),
}
"""Unit -> what no value of it can be outside of."""
_MAY_BE_NEGATIVE = ("amount", "ratio", "number", "score")


def learn_gap_rules(champion_model: ScoringModel, permitted_training_rows: pd.DataFrame, gaps: GapOptions) -> GapRules:
    """Learn from training rows what the columns of the champion may hold.

    A column of the application form may hold what the contract of the raw table calls plausible. Any other number may
    be beyond the range of training by `widen`, but never outside what its unit allows; an amount or a ratio that is
    never negative in training may not be. A number that is constant in training has the bounds of its unit only.

    A column that is never null in training must be known. Of a source (the form, or a history that the applicant has)
    as many columns may be null as in all but the last few of the training applicants, and a margin more.
    """
    rows = permitted_training_rows[list(champion_model.feature_names_in_)]
    names, texts = tuple(map(str, rows.columns)), set(text_columns(rows))
    records = [find_feature(name) for name in names]
    ranges = [(-inf, inf) if name in texts else _range(name, rows[name], gaps.widen) for name in names]
    origins = list(dict.fromkeys([find_feature("AMT_CREDIT").origin, *(record.origin for record in records)]))
    sources = np.array([origins.index(record.origin) for record in records])
    null = rows.isna().to_numpy()
    return GapRules(
        names=names,
        is_text=np.array([name in texts for name in names]),
        low=np.array([low for low, _ in ranges]),
        high=np.array([high for _, high in ranges]),
        never_null=~null.any(axis=0),
        sources=sources,
        most_missing=np.array(
            [_most_missing(null[:, sources == number], number, gaps) for number in range(len(origins))]
        ),
        implausible={
            language: tuple(
                _say_range(record, *between, language) for record, between in zip(records, ranges, strict=True)
            )
            for language in LANGUAGES
        },
        not_given={
            language: tuple(
                texts_in(language).say("gaps.missing", label=record.client_label(language)) for record in records
            )
            for language in LANGUAGES
        },
        too_little={
            language: tuple(
                texts_in(language).say("gaps.too_little_known", source=in_language(origin.title, language))
                for origin in origins
            )
            for language in LANGUAGES
        },
        n_told=gaps.n_told,
    )


def _range(name: str, values: pd.Series, widen: float) -> tuple[float, float]:
    of_contract = contract_of("application").definition.get(name)
    if of_contract is not None and of_contract.checks:
        return plausible_range(of_contract.checks[0])
    unit = find_feature(name).unit
    low, high = _OF_UNIT.get(unit, (-inf, inf))
    least, greatest = float(values.min()), float(values.max())
    if not least < greatest:
        return low, high
    if unit in _MAY_BE_NEGATIVE and least >= 0:
        low = 0
    reach = widen * max(greatest - least, abs(least), abs(greatest))
    return max(low, least - reach), min(high, greatest + reach)


def _most_missing(null: npt.NDArray[np.bool_], source: int, gaps: GapOptions) -> float:
    """Return how many columns of a source may be null; `null` has a row per applicant and a column per column of it."""
    n_null = null.sum(axis=1)
    if source > 0:
        n_null = n_null[n_null < null.shape[1]]  # the others have no such history
    if n_null.size == 0:
        return inf
    seen = float(np.quantile(n_null, gaps.missing_quantile, method="higher"))
    return seen + gaps.missing_margin * null.shape[1]


def _say_range(record: Feature, low: float, high: float, language: Language) -> str:
    texts, label = texts_in(language), record.client_label(language)
    column = ExplainedColumn(record.name, {language: label}, record.unit, cause=0)
    if isinf(low) and isinf(high):
        return ""
    if record.unit == "yes_no":
        return texts.say("gaps.no_yes_no", label=label)
    if record.unit == "elapsed_days":
        low, high = -high, -low  # told as how long ago
    shown = [show_values(column, [end], language)[0] if not isinf(end) else "" for end in (low, high)]
    if isinf(high):
        return texts.say("gaps.below", label=label, low=shown[0])
    if isinf(low):
        return texts.say("gaps.above", label=label, high=shown[1])
    return texts.say("gaps.out_of_range", label=label, low=shown[0], high=shown[1])
