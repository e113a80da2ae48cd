"""Gaps: what must be known of an applicant, and what can be true, for a decision to be made automatically.

The rules are learnt from training rows and stored with the scorer as plain data: looking for gaps takes NumPy alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from credit_scoring.feature_plan import Implausible
from credit_scoring.texts import texts_in

UNKNOWN_NAME, TOO_LITTLE_KNOWN, OUT_OF_RANGE, MISSING = "unknown_name", "too_little_known", "out_of_range", "missing"
UNKNOWN_CATEGORY = "unknown_category"
GAPS = (UNKNOWN_NAME, TOO_LITTLE_KNOWN, OUT_OF_RANGE, MISSING, UNKNOWN_CATEGORY)

Gap = dict[str, Any]
"""`column` (null if it is of no single column), `gap` (one of `GAPS`), `text` (a sentence); of a raw table also `table`
and `row`, from 0, null of the form."""


@dataclass(frozen=True)
class GapRules:
    """What the columns of a model may hold.

    A source is the application form, or a history. That a history is null as a whole says that there is none, which
    is no gap; one of which only some is null is judged by how much.

    Attributes:
        names: The columns, in the order of the model.
        is_text: Whether each holds categories, shape (p,).
        low: Least plausible value of each number, -inf if any is, shape (p,).
        high: Greatest plausible value, likewise.
        never_null: Whether each must be known, shape (p,).
        sources: Number of the source of each column, shape (p,); 0 is the form.
        most_missing: By source, the most of its columns that may be null.
        implausible: Language -> for each column the sentence that says what is plausible.
        not_given: Language -> for each column the sentence that says it is missing.
        too_little: Language -> for each source the sentence that says too much of it is missing.
        n_told: Gaps told of an applicant, at most.
    """

    names: tuple[str, ...]
    is_text: npt.NDArray[np.bool_]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    never_null: npt.NDArray[np.bool_]
    sources: npt.NDArray[np.int_]
    most_missing: npt.NDArray[np.float64]
    implausible: Mapping[str, tuple[str, ...]]
    not_given: Mapping[str, tuple[str, ...]]
    too_little: Mapping[str, tuple[str, ...]]
    n_told: int

    def find(self, values: npt.NDArray[np.float64], null: npt.NDArray[np.bool_], language: str) -> list[list[Gap]]:
        """Look for the gaps of some applicants.

        Args:
            values: One row per applicant, one column per column of the model; NaN for null, anything for texts.
            null: Whether each value is null, same shape.
            language: Of the sentences, `fr` or `en`.

        Returns:
            For each applicant the first `n_told` gaps: sources of which too much is missing, then values that are not
            plausible, then columns that must be known.
        """
        outside = (values < self.low) | (values > self.high)
        n_null = null.astype(np.float64) @ self._groups
        many = (n_null > self._most) & (n_null < self._all)
        found: list[list[Gap]] = [[] for _ in values]
        # Nearly nobody has a gap, and counting takes less time than `any`
        if not (np.count_nonzero(outside) or np.count_nonzero(many)):
            return found
        for row in np.flatnonzero(outside.any(axis=1) | many.any(axis=1)):
            told: list[tuple[str, str | None, str]] = [
                (TOO_LITTLE_KNOWN, None, self.too_little[language][at]) for at in np.flatnonzero(many[row, :-1])
            ]
            for gap, there, texts in (
                (OUT_OF_RANGE, outside[row], self.implausible[language]),
                (MISSING, null[row] & self.never_null, self.not_given[language]),
            ):
                told += [(gap, self.names[at], texts[at]) for at in np.flatnonzero(there)]
            found[row] = [{"column": name, "gap": gap, "text": text} for gap, name, text in told[: self.n_told]]
        return found

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Column of numbers -> least and greatest plausible value, infinite on a side where any is."""
        return {
            name: (float(low), float(high))
            for name, low, high, is_text in zip(self.names, self.low, self.high, self.is_text, strict=True)
            if not is_text
        }

    @cached_property
    def texts(self) -> list[tuple[int, str]]:
        """Place and name of the columns of categories."""
        return [(int(place), self.names[place]) for place in np.flatnonzero(self.is_text)]

    @cached_property
    def _groups(self) -> npt.NDArray[np.float64]:
        """Return which columns nulls are counted over: those of each source, and last those that must be known."""
        return np.column_stack([np.eye(len(self.most_missing))[self.sources], self.never_null])

    @cached_property
    def _most(self) -> npt.NDArray[np.float64]:
        return np.array([*self.most_missing, 0])

    @cached_property
    def _all(self) -> npt.NDArray[np.float64]:
        """Return by group the nulls that say that there is no such history, which there are none of for the form."""
        return np.array([np.inf, *self._groups.sum(axis=0)[1:-1], np.inf])


def name_unknown(meant: Iterable[str | None], language: str) -> list[Gap]:
    """Return the gaps of names that a request holds and nobody knows.

    Args:
        meant: For each of them the column that it may stand for, if any does.
        language: Of the sentences, `fr` or `en`.
    """
    texts = texts_in(language)
    return [
        {
            "column": name,
            "gap": UNKNOWN_NAME,
            "text": texts.say("gaps.unknown_name_near", column=name) if name else texts.say("gaps.unknown_name"),
        }
        for name in meant
    ]


def find_in_tables(
    implausible: Iterable[Implausible], tables: Mapping[str, Mapping[str, Any]], language: str
) -> dict[int, list[Gap]]:
    """Return the gaps of raw tables: values that their contracts do not call plausible.

    Args:
        implausible: These values, of columns that features are computed from.
        tables: Raw table -> its contract, as a feature plan has it.
        language: Of the sentences, `fr` or `en`.

    Returns:
        Place of the applicant -> their gaps; whoever has none is left out.
    """
    texts = texts_in(language)
    found: dict[int, list[Gap]] = {}
    for applicant, table, row, column in implausible:
        told = tables[table]["columns"][column]
        label = column if row is None else texts.say("gaps.place", table=table, row=row, column=column)
        if "low" in told:
            gap, text = OUT_OF_RANGE, texts.say("gaps.out_of_bounds", label=label, low=told["low"], high=told["high"])
        elif told["type"] == "string":
            gap, text = UNKNOWN_CATEGORY, texts.say("gaps.unknown_category", label=label)
        else:
            gap, text = OUT_OF_RANGE, texts.say("gaps.no_yes_no", label=label)
        found.setdefault(applicant, []).append({"table": table, "row": row, "column": column, "gap": gap, "text": text})
    return found
