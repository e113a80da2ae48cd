"""An applicant among approved applicants alike: small distributions with the applicant marked."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from credit_scoring.desk.applicants import summarise
from credit_scoring.texts import Texts

_FEWEST = 100
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
    form: Mapping[str, Any], approved: Mapping[str, npt.NDArray[Any]], texts: Texts
) -> Comparison | None:
    """Compare an application form with those of approved applicants; nothing if there are too few of them.

    Alike are those who asked for the same product, for up to half as much again or a third less, and are at most ten
    years older or younger; if these are fewer than 100, those of the product and amount, or else all of the product.
    """
    product, amount, annuity, income, age, employed, score = summarise(form)
    own = {
        "score": score,
        "burden": annuity / income if annuity and income else None,
        "amount": amount,
        "income": income,
        "employed": employed,
    }
    chosen = approved["product"] == product
    how = "product"
    if amount is not None:
        near = chosen & (approved["amount"] <= amount * _ALIKE_AMOUNT) & (approved["amount"] >= amount / _ALIKE_AMOUNT)
        if near.sum() >= _FEWEST:
            chosen, how = near, "amount"
            if age is not None and (alike := near & (np.abs(approved["age"] - age) <= _ALIKE_AGE)).sum() >= _FEWEST:
                chosen, how = alike, "age"
    n = int(chosen.sum())
    if n < _FEWEST:
        return None
    told = []
    for name in _MEASURES:
        value = own[name]
        others = approved["annuity"] / approved["income"] if name == "burden" else approved[name]
        others = others[chosen]
        others = others[~np.isnan(others)]
        if value is not None and len(others) >= _FEWEST:
            told.append(_distribute(name, float(value), others, texts))
    return Comparison(texts.say(f"desk.peers.alike.{how}", n=n), told)


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
