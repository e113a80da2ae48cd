"""What became of the loans, joined with the decisions; and, before that is known, what is to be expected."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
from sqlalchemy import select

from credit_scoring.decision_log import chain
from credit_scoring.decision_log.chain import DECIDED, SHADOWED, Draft, read_content
from credit_scoring.decision_log.log import (
    DEFAULTED,
    EVENTS,
    EXAMINATION_CLOSED,
    GRANTED,
    OUTCOME,
    OVERRIDDEN,
    REPAID,
    REVIEW,
    REVIEWED,
    SYSTEM,
    DecisionLog,
)
from credit_scoring.decision_log.settings import LogError
from credit_scoring.decision_log.tables import personal, records, writing
from credit_scoring.metrics.cost import MisclassificationCosts, decision_costs
from credit_scoring.metrics.discrimination import score_metrics
from credit_scoring.metrics.uncertainty import Interval, bootstrap_auc, bootstrap_mean, rate_interval

_COLUMNS = ("id", "outcome", "date")
_SHOWN, _CHUNK, _CONFIDENT = 10, 1_000, 1.959963984540054
_RESAMPLES = 200
# Channels whose input is the raw tables of an applicant
_ON_RAW_TABLES = ("decisions", "desk")


def record_outcomes(log: DecisionLog, file: Path, actor: str) -> int:
    """Record what became of loans; what is recorded already in the same words is passed over.

    Args:
        log: The decision log.
        file: CSV with the columns `id` (of the decision), `outcome` (`repaid` or `defaulted`), `date` (ISO 8601).
        actor: Who says so.

    Returns:
        How many were recorded.

    Raises:
        LogError: If a line is not in order, or contradicts another, in which case none is recorded; lists the first
            problems.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            lines = list(csv.DictReader(opened))
    except (UnicodeDecodeError, csv.Error) as error:
        raise LogError(f"{file} is no CSV file in UTF-8: {error}.\nHint: save it as CSV UTF-8.") from None
    table = read_decisions(log)
    known = dict(zip(table["id"], zip(table["outcome_word"], table["outcome_date"], strict=True), strict=True))
    problems = [] if lines and lines[0].keys() >= set(_COLUMNS) else [f"expected the columns {', '.join(_COLUMNS)}"]
    first: dict[str, tuple[int, tuple[str, str]]] = {}
    for number, line in enumerate(lines if not problems else (), 2):
        told = line["outcome"], line["date"]
        where, before = first.setdefault(line["id"], (number, told))
        if told != before:
            problems.append(f"lines {where} and {number}: decision {line['id']!r} has two outcomes or dates")
        if line["id"] not in known:
            problems.append(f"line {number}: no decision has the id {line['id']!r}")
        if line["outcome"] not in (REPAID, DEFAULTED):
            problems.append(f"line {number}: expected {REPAID} or {DEFAULTED}, found {line['outcome']!r}")
        if pd.isna(pd.to_datetime(line["date"], errors="coerce", format="ISO8601")):
            problems.append(f"line {number}: expected a date such as 2026-11-30, found {line['date']!r}")
    if problems:
        more = f"  - and {len(problems) - _SHOWN:,} more.\n" if len(problems) > _SHOWN else ""
        bullets = "".join(f"  - {problem}.\n" for problem in problems[:_SHOWN])
        raise LogError(
            f"{file}: nothing was recorded.\n{bullets}{more}Hint: `credit-scoring decisions find` lists ids."
        )
    new = [(one, *told) for one, (_, told) in first.items() if known[one] != told]
    for start in range(0, len(new), _CHUNK):
        drafts = [
            Draft(
                {
                    "kind": OUTCOME,
                    "decision_id": one,
                    "actor": actor,
                    "role": SYSTEM,
                    "facts": orjson.dumps({"date": date, "outcome": outcome}).decode(),
                }
            )
            for one, outcome, date in new[start : start + _CHUNK]
        ]
        with writing(log.engine, log.timeout) as connection:
            chain.append(connection, drafts, [draft.seal() for draft in drafts])
    return len(new)


def read_decisions(log: DecisionLog, since: str | None = None) -> pd.DataFrame:
    """Return a row per decision, in the order of the chain.

    Args:
        log: The decision log.
        since: Only decisions from this time on, as `chain.read_time` takes it.

    Returns:
        `id`, `time` (UTC), `model` (digest of its manifest), `channel`, `probability`, `cut_off`, `decision` (the
        model's), `final` (what holds), `gaps` (codes); `overridden`, `reviewed`, `examined`, `agreed`: whether a person
        did that; `outcome`: 1 defaulted, 0 repaid, null if not known, `outcome_word` and `outcome_date` as recorded.
    """
    names = ("id", "time", "model_digest", "channel", "probability", "cut_off", "decision", "gaps")
    decided = select(*(records.c[name] for name in names)).where(records.c.kind == DECIDED).order_by(records.c.sequence)
    if since is not None:
        decided = decided.where(records.c.time >= chain.read_time(since))
    added = select(records.c.decision_id, records.c.kind, records.c.decision, records.c.facts)
    added = added.where(records.c.kind.in_(list(EVENTS))).order_by(records.c.sequence)
    with log.engine.connect() as connection:
        table = pd.DataFrame(connection.execute(decided).all(), columns=list(names))
        events = pd.DataFrame(connection.execute(added).all(), columns=["id", "kind", "decided", "facts"])
    table = table.rename(columns={"model_digest": "model"})
    table["time"] = pd.to_datetime(table["time"], format="ISO8601", utc=True)
    last = events.dropna(subset="decided").drop_duplicates("id", keep="last").set_index("id")["decided"]
    table["final"] = table["id"].map(last).astype(object).fillna(table["decision"])
    for kind, name in (
        (OVERRIDDEN, "overridden"),
        (REVIEWED, "reviewed"),
        (EXAMINATION_CLOSED, "examined"),
        ("agreed", "agreed"),
    ):
        table[name] = table["id"].isin(events.loc[events["kind"] == kind, "id"])
    outcomes = events[events["kind"] == OUTCOME].drop_duplicates("id", keep="last").set_index("id")["facts"]
    facts = outcomes.map(orjson.loads)
    table["outcome_word"] = table["id"].map(facts.map(lambda told: told["outcome"]))
    table["outcome_date"] = table["id"].map(facts.map(lambda told: told["date"]))
    table["outcome"] = table["outcome_word"].map({REPAID: 0.0, DEFAULTED: 1.0}).astype(float)
    return table


def measure_outcomes(decisions: pd.DataFrame, costs: MisclassificationCosts) -> pd.DataFrame:
    """Measure decisions whose outcome is known, by month of the decision and model.

    Outcomes of declined applicants are unknown as a rule: AUC and calibration are then those among the approved, and
    the cost lacks what good customers declined would have brought. Applications that could not be scored have no
    probability, and count for neither AUC nor calibration.

    Args:
        decisions: What `read_decisions` returns.
        costs: Of the two wrong decisions.

    Returns:
        A row per month and model, `all` months and models last: `n` (outcomes), `approved` of these, `bad_rate` of the
        approved (Wilson), `cost` per decision (bootstrap), `auc` (bootstrap; null with one outcome only),
        `observed_to_expected` defaults (Wilson's bounds over the mean probability); each with `_low` and `_high`, 95 %.
    """
    known = decisions[decisions["outcome"].notna() & (decisions["final"] != REVIEW)]
    return pd.DataFrame([_measure(month, model, group, costs) for month, model, group in _groups(known)])


def expect_outcomes(decisions: pd.DataFrame, costs: MisclassificationCosts) -> pd.DataFrame:
    """Return what calibrated probabilities lead to expect of decisions, whether or not outcomes are known.

    Confidence-based estimation: of n applicants with probabilities p, sum(p) are expected to default, with variance
    sum(p (1 - p)) (Poisson's binomial). It assumes that a stated probability is still the rate of default among
    applicants like these, and that they default independently. It holds when other applicants come (their
    probabilities move with them), and fails when the same applicants default more often than they did. Applications
    that could not be scored have no probability and are left out.

    Args:
        decisions: What `read_decisions` returns.
        costs: Of the two wrong decisions.

    Returns:
        A row per month and model, `all` last: `n`, `approved`, `bad_rate` expected among the approved and `cost`
        expected per decision; each with `_low` and `_high`, 95 % by the normal approximation, chance alone.
    """
    decided = decisions[(decisions["final"] != REVIEW) & decisions["probability"].notna()]
    return pd.DataFrame([_expect(month, model, group, costs) for month, model, group in _groups(decided)])


def compare_challengers(log: DecisionLog, decisions: pd.DataFrame, costs: MisclassificationCosts) -> pd.DataFrame:
    """Compare the champion with challengers that scored the same applicants in its shadow.

    Returns:
        A row per pair of models: `n` applicants, `agreement` of decisions, `gap` (mean of the challenger's probability
        less the champion's); of those with outcomes `n_known`, `auc` and `cost` of either.
    """
    columns = ("decision_id", "model_digest", "probability", "decision")
    asked = select(*(records.c[name] for name in columns)).where(records.c.kind == SHADOWED)
    with log.engine.connect() as connection:
        shadowed = pd.DataFrame(
            connection.execute(asked).all(), columns=["id", "challenger", "its_probability", "its_decision"]
        )
    both = decisions.merge(shadowed, on="id")
    rows = []
    for (champion, challenger), group in both.groupby(["model", "challenger"]):
        known = group[group["outcome"].notna()]
        row: dict[str, Any] = {
            "champion": champion,
            "challenger": challenger,
            "n": len(group),
            "agreement": (group["decision"] == group["its_decision"]).mean(),
            "gap": (group["its_probability"] - group["probability"]).mean(),
            "n_known": len(known),
        }
        for name, prefix in (("champion", ""), ("challenger", "its_")):
            outcome, refused = known["outcome"], known[f"{prefix}decision"] != GRANTED
            measured = len(known) > 0
            row[f"auc_{name}"] = (
                score_metrics(outcome, known[f"{prefix}probability"])["roc_auc"] if measured else np.nan
            )
            row[f"cost_{name}"] = decision_costs(outcome, refused, costs).mean() if measured else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def export_training(log: DecisionLog, folder: Path) -> int:
    """Write decisions with known outcomes as raw files to train on, and which of them a person has decided.

    A champion that is trained on its own approvals never sees whom it declines: cases that a person decided otherwise
    are the few that it can learn better from, and are flagged.

    Args:
        log: The decision log.
        folder: Gets a CSV file per raw table that was decided on, by `/decisions` or at the desk, `application_train`
            with `TARGET`; and `decisions.csv`: `SK_ID_CURR`, `id`, `model`, `probability`, `decision`, `final`,
            `overridden`, `reviewed`, `examined`. Of an applicant with several decisions the last counts; those erased
            are left out.

    Returns:
        How many applicants were written.

    Raises:
        LogError: If there is none.
    """
    from credit_scoring.schemas.raw import RAW_TABLES  # noqa: PLC0415 - Pandera takes seconds

    decisions = read_decisions(log)
    known = decisions[decisions["outcome"].notna() & decisions["channel"].isin(_ON_RAW_TABLES)].set_index("id")
    applicants: dict[int, tuple[str, Mapping[str, Any]]] = {}
    for decision_id, given in _inputs(log, known.index):
        applicants[given["application"]["SK_ID_CURR"]] = (decision_id, given)
    if not applicants:
        raise LogError("No decision on raw tables has an outcome yet.\nHint: `credit-scoring decisions outcomes FILE`.")
    outcomes = known["outcome"].to_dict()
    folder.mkdir(parents=True, exist_ok=True)
    for name, contract in RAW_TABLES.items():
        if name == "application_test":
            continue
        if name == "application_train":
            rows = [given["application"] | {"TARGET": int(outcomes[i])} for i, given in applicants.values()]
        else:
            rows = [row for _, given in applicants.values() for row in given.get(name.lower()) or ()]
        columns = [column for column in contract.columns if column != "SAMPLE"]
        pd.DataFrame(rows).reindex(columns=columns).to_csv(folder / f"{name}.csv", index=False)
    flags = known.loc[[decision_id for decision_id, _ in applicants.values()]].reset_index()
    flags.insert(0, "SK_ID_CURR", list(applicants))
    told = ["SK_ID_CURR", "id", "model", "probability", "decision", "final", "overridden", "reviewed", "examined"]
    flags[told].to_csv(folder / "decisions.csv", index=False)
    return len(applicants)


def _inputs(log: DecisionLog, ids: pd.Index) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with log.engine.connect() as connection:
        for first in range(0, len(ids), _CHUNK):
            chosen = list(ids[first : first + _CHUNK])
            asked = select(personal.c.record_id, personal.c.content).where(personal.c.record_id.in_(chosen))
            found = {row.record_id: row.content for row in connection.execute(asked)}
            yield from ((one, read_content(found[one])["input"]) for one in chosen if one in found)


def _groups(decisions: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    month = decisions["time"].dt.strftime("%Y-%m")
    for (name, model), group in decisions.groupby([month, "model"]):
        yield str(name), str(model)[:12], group
    if len(decisions):
        yield "all", "all", decisions


def _measure(month: str, model: str, group: pd.DataFrame, costs: MisclassificationCosts) -> dict[str, Any]:
    outcome, approved = group["outcome"].astype(int), group["final"] == GRANTED
    p = group["probability"].dropna()
    bad, auc, ratio = int(outcome[p.index].sum()), None, None
    if 0 < bad < len(p):
        auc = bootstrap_auc(outcome[p.index], p, n_resamples=_RESAMPLES)
    if len(p):
        rate = rate_interval(bad, len(p))
        low, estimate, high = (share / float(p.mean()) for share in (rate.low, rate.estimate, rate.high))
        ratio = Interval(estimate=estimate, low=low, high=high)
    of_approved = rate_interval(int(outcome[approved].sum()), int(approved.sum())) if approved.any() else None
    return {
        "month": month,
        "model": model,
        "n": len(group),
        "approved": int(approved.sum()),
        **_spread("bad_rate", of_approved),
        **_spread("cost", bootstrap_mean(decision_costs(outcome, ~approved, costs))),
        **_spread("auc", auc),
        **_spread("observed_to_expected", ratio),
    }


def _expect(month: str, model: str, group: pd.DataFrame, costs: MisclassificationCosts) -> dict[str, Any]:
    p, approved = group["probability"].to_numpy(), (group["final"] == GRANTED).to_numpy()
    variance = p * (1 - p)
    # An approval costs `false_negative` if it defaults, a refusal `false_positive` if it would not have
    price = np.where(approved, costs.false_negative, costs.false_positive)
    expected = np.where(approved, p, 1 - p) * price
    bad = _normal(p[approved].mean(), variance[approved].sum() / approved.sum() ** 2) if approved.any() else None
    cost = _normal(expected.mean(), (variance * price**2).sum() / len(p) ** 2)
    told = {"month": month, "model": model, "n": len(group), "approved": int(approved.sum())}
    return {**told, **_spread("bad_rate", bad), **_spread("cost", cost)}


def _normal(mean: float, variance: float) -> Interval:
    half = _CONFIDENT * float(np.sqrt(variance))
    return Interval(estimate=float(mean), low=max(0.0, float(mean) - half), high=float(mean) + half)


def _spread(name: str, interval: Interval | None) -> dict[str, float]:
    values = (interval.estimate, interval.low, interval.high) if interval else (np.nan,) * 3
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))
