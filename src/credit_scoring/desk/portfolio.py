"""The risk manager's page: what is proposed and decided, and what another cut-off would do on the hold-out."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from starlette.responses import Response

from credit_scoring.decision_log.chain import SHADOWED
from credit_scoring.decision_log.log import Record
from credit_scoring.desk.applicants import PROPOSALS, Wanted
from credit_scoring.desk.gate import Visit
from credit_scoring.desk.journal import CLOSING, JournalDownError

_DAYS = 90
_POINTS = 121
_GREATEST = 0.4
WIDTH, HEIGHT = 720, 220


class Outcome(NamedTuple):
    """What a cut-off does on the hold-out.

    Attributes:
        approval_rate: Share of the applications that are approved.
        bad_rate: Share of defaults among these; NaN without any.
        bad_approved: Bad loans approved.
        good_declined: Good customers declined.
        cost: Average cost of a decision, 1 = one good customer declined.
    """

    approval_rate: float
    bad_rate: float
    bad_approved: int
    good_declined: int
    cost: float


class Rulings(NamedTuple):
    """How people have decided, in the decision log.

    Attributes:
        decided: Applications that a person has decided on.
        overridden: Of these, otherwise than the model.
        reviewed: Of these, where the model left it to a person.
        reasons: Reason and how often it was given, most often first.
        officers: Name, decisions, overrides; the most decisions first.
        shadowed: Decisions that a challenger has scored as well.
        agreeing: Of these, where it decides alike.
    """

    decided: int
    overridden: int
    reviewed: int
    reasons: Sequence[tuple[str, int]]
    officers: Sequence[tuple[str, int, int]]
    shadowed: int
    agreeing: int


class HoldOut:
    """The hold-out: calibrated probabilities of the run's champion, and outcomes.

    Args:
        rows: `PROBABILITY` and `TARGET`, one row per applicant.
        costs: Of a bad loan approved and a good customer declined.
    """

    def __init__(self, rows: pd.DataFrame, costs: Mapping[str, float]) -> None:
        self._probability = rows["PROBABILITY"].to_numpy()
        self._is_bad = rows["TARGET"].to_numpy() == 1
        self._costs = costs
        self.n = len(rows)
        self.n_bad = int(self._is_bad.sum())

    def judge(self, cut_off: float) -> Outcome:
        """Say what a cut-off would do."""
        approved = self._probability < cut_off
        bad, good = int((approved & self._is_bad).sum()), int((~approved & ~self._is_bad).sum())
        cost = (bad * self._costs["false_negative"] + good * self._costs["false_positive"]) / self.n
        n_approved = int(approved.sum())
        return Outcome(n_approved / self.n, bad / n_approved if n_approved else float("nan"), bad, good, cost)

    def curve(self, cut_offs: npt.NDArray[np.float64]) -> list[Outcome]:
        """Say it of some."""
        return [self.judge(float(cut_off)) for cut_off in cut_offs]


def show(visit: Visit) -> Response:
    """Show the portfolio, and a cut-off beside the one in force."""
    desk = visit.desk
    policy = desk.proposer.policy
    in_force = float(policy["threshold"])
    holdout = _read_holdout(desk.settings.layer("07_model_output"), policy["costs"])
    tried = _read_cut_off(visit.request.query_params.get("cut_off"), in_force)
    try:
        rulings, is_down = count_rulings(desk.journal.decisions(_since())), False
    except JournalDownError:
        rulings, is_down = count_rulings([]), True
    counts = {kind: desk.applicants.count(Wanted(proposal=kind, is_new=True)) for kind in PROPOSALS}
    return visit.render(
        "portfolio",
        in_force=in_force,
        tried=tried,
        greatest=_GREATEST,
        holdout=holdout,
        now=holdout.judge(in_force) if holdout else None,
        then=holdout.judge(tried) if holdout else None,
        curve=_draw(holdout, in_force, tried) if holdout else None,
        counts=counts,
        total=max(1, sum(counts.values())),
        expected=desk.applicants.expected(in_force, policy["costs"]),
        rulings=rulings,
        days=_DAYS,
        is_down=is_down,
        drift=_read_json(desk.settings.layer("08_reporting") / "drift_verdict.json"),
        identity=desk.proposer.identity,
    )


def count_rulings(records: Iterable[Record]) -> Rulings:
    """Count what people have decided."""
    closed = [(one, event) for one in records for event in one.events if event.kind in CLOSING]
    shadows = [(one, event) for one in records for event in one.events if event.kind == SHADOWED]
    otherwise = [event for one, event in closed if one.decision not in ("review", _decision(one, event))]
    by, over = Counter(event.actor for _, event in closed), Counter(event.actor for event in otherwise)
    reasons = Counter(event.facts["reason_code"] for _, event in closed if "reason_code" in event.facts)
    return Rulings(
        len(closed),
        len(otherwise),
        sum(one.decision == "review" for one, _ in closed),
        reasons.most_common(),
        [(name, n, over[name]) for name, n in by.most_common()],
        len(shadows),
        sum(event.decision == one.decision for one, event in shadows),
    )


def _decision(record: Record, event: Record) -> str:
    """Return what an event decides; who agrees decides as the model."""
    return event.decision or record.decision


def _since() -> str:
    return (datetime.now(UTC) - timedelta(days=_DAYS)).isoformat()


def _read_cut_off(given: str | None, in_force: float) -> float:
    """Return a cut-off in percent as a share; that in force if there is none, or none that can be."""
    try:
        share = float((given or "").replace(",", ".")) / 100
    except ValueError:
        return in_force
    return share if 0 <= share <= 1 else in_force


def _read_holdout(folder: Path, costs: Mapping[str, float]) -> HoldOut | None:
    path = folder / "holdout_predictions.parquet"
    return HoldOut(pd.read_parquet(path, columns=["TARGET", "PROBABILITY"]), costs) if path.exists() else None


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _draw(holdout: HoldOut, in_force: float, tried: float) -> dict[str, Any]:
    """Lay out the cost and the approval rate over the cut-off."""
    cut_offs = np.linspace(0, _GREATEST, _POINTS)
    judged = holdout.curve(cut_offs)
    highest = max(one.cost for one in judged)
    place = [(round(float(one) / _GREATEST * WIDTH, 1)) for one in cut_offs]

    def line(values: Iterable[float]) -> str:
        return " ".join(f"{x},{round((1 - value) * HEIGHT, 1)}" for x, value in zip(place, values, strict=True))

    return {
        "cost": line(one.cost / highest for one in judged),
        "approved": line(one.approval_rate for one in judged),
        "in_force": round(in_force / _GREATEST * WIDTH, 1),
        "tried": round(min(tried, _GREATEST) / _GREATEST * WIDTH, 1),
        "width": WIDTH,
        "height": HEIGHT,
        "ticks": [(round(share / _GREATEST * WIDTH, 1), share) for share in (0.1, 0.2, 0.3)],
    }
