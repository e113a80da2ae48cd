"""An applicant among approved applicants alike: small distributions with the applicant marked."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from credit_scoring.desk.applicants import COLUMNS, summarise
from credit_scoring.texts import Texts

_FEWEST, _MOST = 100, 4_000
_BINS = 18
_NEARLY_ALL = 0.99
_MEASURES = ("score", "burden", "amount", "income", "employed")
_ALIKE_AMOUNT, _ALIKE_AGE = 1.5, 10.0


class Distribution(NamedTuple):
    """What approved applicants alike have, and this one.

    Attributes:
        title: Of the measure.
        bars: Heights from 0 to 1, by bin.
        place: Of the applicant, from 0 to 1.
        low: What the first bin begins with, written.
        high: What the last one ends with, written.
        told: A sentence.
    """

    title: str
    bars: Sequence[float]
    place: float
    low: str
    high: str
    told: str


class Comparison(NamedTuple):
    """Who is compared with, in a sentence, and the distributions."""

    told: str
    distributions: Sequence[Distribution]


def compare_with_approved(
    form: Mapping[str, Any], approved: Mapping[str, npt.NDArray[np.float64]], texts: Texts
) -> Comparison | None:
    """Compare an application form with those of approved applicants; nothing if there are too few of them.

    Alike are those who asked for the same product, for up to half as much again or a third less, and are at most ten
    years older or younger; if these are fewer than 100, those of the product and amount, or else all of the product.
    Of more than 4,000, one in two, in three and so on by amount is looked at.

    Args:
        form: The application form.
        approved: As `Applicants.approved`.
        texts: Catalogue of the language.
    """
    product, *values = summarise(form)
    own = dict(zip(COLUMNS, values, strict=True))
    rows, how = approved.get(product, np.empty((0, len(COLUMNS)))), "product"
    if own["amount"] is not None:
        ends = own["amount"] / _ALIKE_AMOUNT, own["amount"] * _ALIKE_AMOUNT
        low, high = np.searchsorted(rows[:, 0], ends[0], "left"), np.searchsorted(rows[:, 0], ends[1], "right")
        if high - low >= _FEWEST:
            rows, how = rows[low:high], "amount"
            if own["age"] is not None:
                alike = np.abs(rows[:, COLUMNS.index("age")] - own["age"]) <= _ALIKE_AGE
                rows, how = (rows[alike], "age") if alike.sum() >= _FEWEST else (rows, how)
    if len(rows) < _FEWEST:
        return None
    others = dict(zip(COLUMNS, rows[:: -(-len(rows) // _MOST)].T, strict=True))
    others["burden"] = others["annuity"] / others["income"]
    own["burden"] = own["annuity"] / own["income"] if own["annuity"] and own["income"] else None
    told = []
    for name in _MEASURES:
        known = others[name][~np.isnan(others[name])]
        if own[name] is not None and len(known) >= _FEWEST:
            told.append(_distribute(name, float(own[name]), known, texts))
    return Comparison(texts.say(f"desk.peers.alike.{how}", n=len(rows)), told)


def _distribute(name: str, value: float, others: npt.NDArray[Any], texts: Texts) -> Distribution:
    low, high = (float(end) for end in np.quantile(others, [0.01, 0.99]))
    high = high if high > low else low + 1
    counts, _ = np.histogram(others.clip(low, high), bins=_BINS, range=(low, high))
    below, above = (min(_NEARLY_ALL, float(side.mean())) for side in (others < value, others > value))
    label = texts.say(f"desk.measure.{name}")
    shown = _write(name, value, texts)
    if below >= 0.5:
        sentence = texts.say("desk.peers.above", value=shown, share=below)
    else:
        sentence = texts.say("desk.peers.below", value=shown, share=above)
    return Distribution(
        label,
        [round(float(count), 3) for count in counts / counts.max()],
        round(float(np.clip((value - low) / (high - low), 0, 1)), 3),
        _write(name, low, texts),
        _write(name, high, texts),
        sentence,
    )


def _write(name: str, value: float, texts: Texts) -> str:
    if name == "score":
        return texts.number(value, ".2f")
    if name == "burden":
        return texts.percent(value, 0)
    return texts.span(value, "year") if name == "employed" else texts.number(value, ",.0f")
