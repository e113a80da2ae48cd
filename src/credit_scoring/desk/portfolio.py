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

from credit_scoring.decision_log.chain import read_time
from credit_scoring.desk.applicants import PROPOSALS, Wanted
from credit_scoring.desk.gate import Visit
from credit_scoring.desk.journal import JournalDownError, Ruled

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
    """

    decided: int
    overridden: int
    reviewed: int
    reasons: Sequence[tuple[str, int]]
    officers: Sequence[tuple[str, int, int]]


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
        rulings, shadowed, is_down = desk.journal.rulings(_since()), desk.journal.shadowed(_since()), False
    except JournalDownError:
        rulings, shadowed, is_down = [], (0, 0), True
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
        rulings=count_rulings(rulings),
        shadowed=shadowed,
        days=_DAYS,
        is_down=is_down,
        drift=_read_json(desk.settings.layer("08_reporting") / "drift_verdict.json"),
        identity=desk.proposer.identity,
    )


def count_rulings(rulings: Iterable[Ruled]) -> Rulings:
    """Count what people have decided, oldest first; of what was decided again, the last time counts."""
    last: dict[str, Ruled] = {}
    for one in rulings:
        before = last.get(one.decision_id)
        # Who agrees says what holds already: what was decided before, else what the model proposed
        holds = before.decision if before else one.proposed
        last[one.decision_id] = one._replace(decision=one.decision or holds)
    otherwise = [one for one in last.values() if one.proposed not in ("review", one.decision)]
    by, over = Counter(one.actor for one in last.values()), Counter(one.actor for one in otherwise)
    reasons = Counter(one.facts["reason_code"] for one in last.values() if "reason_code" in one.facts)
    return Rulings(
        len(last),
        len(otherwise),
        sum(one.proposed == "review" for one in last.values()),
        reasons.most_common(),
        [(name, n, over[name]) for name, n in by.most_common()],
    )


def _since() -> str:
    return read_time((datetime.now(UTC) - timedelta(days=_DAYS)).isoformat())


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
