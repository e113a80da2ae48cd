"""What an applicant could ask for instead, as a form says it, and the changed raw tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from credit_scoring.texts import Texts

_LARGEST = 1e9


class WhatIfError(ValueError):
    """A form holds what cannot be simulated; the message is for the person who filled it in."""


@dataclass(frozen=True)
class WhatIf:
    """A change to simulate.

    Attributes:
        amount: The loan; null: as asked for.
        annuity: Its regular payment; null: in proportion to the loan.
        down_payment: What is paid at once: the loan is less by as much.
        settle: Whether what is overdue at other lenders is paid.
    """

    amount: float | None = None
    annuity: float | None = None
    down_payment: float = 0.0
    settle: bool = False

    @classmethod
    def read(cls, form: Mapping[str, str], texts: Texts) -> Self:
        """Read a form.

        Raises:
            WhatIfError: If a field holds no amount.
        """
        amounts = {
            name: _read_amount(form.get(name, ""), name, texts) for name in ("amount", "annuity", "down_payment")
        }
        return cls(amounts["amount"], amounts["annuity"], amounts["down_payment"] or 0.0, form.get("settle") == "yes")

    def changes(self, tables: Mapping[str, Any], texts: Texts) -> dict[str, Any]:
        """Return what `simulate` of `/decisions` takes.

        A smaller loan leaves the term as it is: price and payment go with it, unless the payment is given.

        Raises:
            WhatIfError: If nothing of the loan is left.
        """
        form = tables["application"]
        asked = form.get("AMT_CREDIT") or 0.0
        wanted = self.amount if self.amount is not None else asked
        credit = wanted - self.down_payment
        if credit <= 0 or not asked:
            raise WhatIfError(texts.say("desk.what_if.nothing_left"))
        changed: dict[str, Any] = {"AMT_CREDIT": credit}
        if form.get("AMT_GOODS_PRICE") is not None:
            changed["AMT_GOODS_PRICE"] = round(form["AMT_GOODS_PRICE"] * wanted / asked, 2)
        if self.annuity is not None:
            changed["AMT_ANNUITY"] = self.annuity
        elif form.get("AMT_ANNUITY") is not None:
            changed["AMT_ANNUITY"] = round(form["AMT_ANNUITY"] * credit / asked, 2)
        changes: dict[str, Any] = {"application": changed}
        if self.settle:
            changes["bureau"] = [_settle(row) for row in tables.get("bureau") or ()]
        return changes


def overdue_elsewhere(tables: Mapping[str, Any]) -> float:
    """Return what is overdue at other lenders."""
    return float(sum(row.get("AMT_CREDIT_SUM_OVERDUE") or 0.0 for row in tables.get("bureau") or ()))


def _settle(row: Mapping[str, Any]) -> dict[str, Any]:
    overdue, debt = row.get("AMT_CREDIT_SUM_OVERDUE") or 0.0, row.get("AMT_CREDIT_SUM_DEBT")
    if overdue <= 0:
        return dict(row)
    paid = {"AMT_CREDIT_SUM_OVERDUE": 0.0, "CREDIT_DAY_OVERDUE": 0}
    return {**row, **paid} if debt is None else {**row, **paid, "AMT_CREDIT_SUM_DEBT": debt - overdue}


def _read_amount(text: str, name: str, texts: Texts) -> float | None:
    plain = "".join(text.split()).replace("\u202f", "").replace("\xa0", "")
    if not plain:
        return None
    plain = plain.replace(",", "." if texts.language == "fr" else "")
    try:
        amount = float(plain)
    except ValueError:
        amount = -1.0
    if not 0 <= amount <= _LARGEST or not plain.isascii() or "_" in plain:
        raise WhatIfError(texts.say("desk.what_if.no_amount", field=texts.say(f"desk.what_if.field.{name}")))
    return amount
