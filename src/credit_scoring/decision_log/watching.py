"""What decisions look like from week to week: scores, reviews, overrides, reasons."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import select

from credit_scoring.decision_log.chain import DECIDED, read_content, read_time
from credit_scoring.decision_log.log import GRANTED, REVIEW, DecisionLog
from credit_scoring.decision_log.outcomes import compare_challengers, read_decisions
from credit_scoring.decision_log.tables import personal, records
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.metrics.stability import count_bins, expected_stability_index, homogeneity_p_value, stability_index

_LEAST = 100
_READ_A_WEEK = 500
_NUMBER = re.compile(r"\d[\d\s.,\u00a0\u202f]*")
_AGAINST = "against"


def watch(log: DecisionLog, weeks: int, costs: MisclassificationCosts) -> dict[str, list[dict[str, Any]]]:
    """Return what the last weeks of a log show, as JSON.

    Args:
        log: The decision log.
        weeks: How many, this one included; each begins on a Monday (UTC).
        costs: Of the two wrong decisions.

    Returns:
        `weeks`: rows of `measure_weeks`; `reasons`: of `count_reasons`; `challengers`: of `compare_challengers`; null
        for what does not apply.
    """
    today = datetime.now(UTC).date()
    since = (today - timedelta(days=today.weekday(), weeks=weeks - 1)).isoformat()
    decisions = read_decisions(log, since)
    tables = {
        "weeks": measure_weeks(decisions),
        "reasons": count_reasons(log, since),
        "challengers": compare_challengers(log, decisions, costs),
    }
    return {name: json.loads(table.to_json(orient="records", double_precision=15)) for name, table in tables.items()}


def measure_weeks(decisions: pd.DataFrame) -> pd.DataFrame:
    """Measure decisions by week and model.

    Args:
        decisions: What `outcomes.read_decisions` returns.

    Returns:
        A row per week (its Monday) and model: `n`; `approval_rate` and `review_rate`, the model's; `override_rate`,
        among what officers agreed with or overrode; `waiting`, reviews without a decision; `mean_probability`; `psi` of
        the probability against the model's first week with at least 100 decisions, less what samples of this size have
        by chance, and `psi_p`, the probability of as much by chance; both null before and in that week.
    """
    monday = decisions["time"].dt.tz_localize(None).dt.to_period("W-SUN").dt.start_time
    rows = []
    reference: dict[str, pd.Series] = {}
    for (week, model), group in decisions.groupby([monday, "model"]):
        looked_at = group["agreed"] | group["overridden"]
        row: dict[str, Any] = {
            "week": f"{week:%Y-%m-%d}",
            "model": str(model)[:12],
            "n": len(group),
            "approval_rate": (group["decision"] == GRANTED).mean(),
            "review_rate": (group["decision"] == REVIEW).mean(),
            "override_rate": group.loc[looked_at, "overridden"].mean() if looked_at.any() else np.nan,
            "waiting": int((group["final"] == REVIEW).sum()),
            "mean_probability": group["probability"].mean(),
            "psi": np.nan,
            "psi_p": np.nan,
        }
        if model in reference:
            counts = count_bins(reference[model], group["probability"])
            row["psi"] = stability_index(counts) - expected_stability_index(counts)
            row["psi_p"] = homogeneity_p_value(counts)
        elif len(group) >= _LEAST:
            reference[model] = group["probability"]
        rows.append(row)
    return pd.DataFrame(rows)


def count_reasons(log: DecisionLog, since: str | None = None, most: int = 5) -> pd.DataFrame:
    """Count what was told first against applicants, by week: of at most 500 decisions of a week, the last ones.

    Args:
        log: The decision log.
        since: Only decisions from this time on, as `chain.read_time` takes it.
        most: Reasons of a week.

    Returns:
        A row per week (its Monday) and reason, the most frequent first: `week`, `told` (decisions with reasons),
        `reason` (numbers replaced by …), `share` of these.
    """
    days = select(records.c.id, records.c.time).where(records.c.kind == DECIDED).order_by(records.c.sequence)
    if since is not None:
        days = days.where(records.c.time >= read_time(since))
    with log.engine.connect() as connection:
        table = pd.DataFrame(connection.execute(days).all(), columns=["id", "time"])
        times = pd.to_datetime(table["time"], format="ISO8601", utc=True).dt.tz_localize(None)
        rows = []
        for week, group in table.groupby(times.dt.to_period("W-SUN").dt.start_time):
            asked = select(personal.c.content).where(personal.c.record_id.in_(list(group["id"].tail(_READ_A_WEEK))))
            answers = [read_content(content)["answer"] for content in connection.execute(asked).scalars()]
            told = [reasons for answer in answers if (reasons := answer.get("reasons"))]
            first = Counter(
                next((_NUMBER.sub("… ", one["text"]) for one in reasons if one["effect"] == _AGAINST), "")
                for reasons in told
            )
            del first[""]
            rows += [
                {"week": f"{week:%Y-%m-%d}", "told": len(told), "reason": reason, "share": count / len(told)}
                for reason, count in first.most_common(most)
            ]
    return pd.DataFrame(rows, columns=["week", "told", "reason", "share"])
