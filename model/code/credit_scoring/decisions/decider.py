"""Decisions on applicants from their raw tables: features by the plan, and the scorer's answer."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import pandas as pd

from credit_scoring.counterfactual import search
from credit_scoring.decisions.asked import SIMULATE, Asked, language_of, read_asked
from credit_scoring.decisions.words import describe_problems, describe_search, describe_simulation
from credit_scoring.feature_plan import FeaturePlan, Features, InputError
from credit_scoring.gaps import Gap, find_in_tables
from credit_scoring.scorer import GRANTED, REFUSED, CreditScorer
from credit_scoring.texts import texts_in

_MOST_GAPS = 10


class _Score(NamedTuple):
    """What the scorer says of one applicant; reasons if they were asked for."""

    probability: float
    decision: str
    gaps: list[Gap]
    reasons: list[dict[str, str]]


class Decider:
    """Decides on applicants from their raw tables.

    Args:
        scorer: The scorer.
        plan: The features that it reads, in its order.

    Attributes:
        input_error: What `decide` raises if a request is not in order.
    """

    input_error = InputError

    def __init__(self, scorer: CreditScorer, plan: FeaturePlan) -> None:
        self._scorer = scorer
        self._plan = plan
        self._levers = scorer.levers
        self._codes = scorer.category_codes
        self._most_gaps = scorer.gap_rules.n_told if scorer.gap_rules else _MOST_GAPS
        review = scorer.decision_policy.get("review")
        self._policy = {
            "threshold": float(scorer.decision_policy["threshold"]),
            "review_band": {"low": float(review["low"]), "high": float(review["high"])} if review else None,
        }

    @property
    def tables(self) -> Mapping[str, Mapping[str, Any]]:
        """Raw table -> its contract as data; see `feature_plan.Plan`."""
        return self._plan.plan.tables

    def decide(self, applicants: Sequence[Any], most_rows: int | None = None) -> list[dict[str, Any]]:
        """Decide on applicants.

        Args:
            applicants: Of each the raw tables, as `FeaturePlan.evaluate` takes them, and what is asked beside:
                `params` (`explain`, `features`: truth values; `language`: `fr` or `en`); `simulate`: columns of
                `application` and whole histories that are put in the place of those sent; `counterfactual`: true, or
                an object with the `levers` that may be moved.
            most_rows: Most rows of a table that an applicant may have; any number without.

        Returns:
            Of each applicant `SK_ID_CURR`, `probability_default`, `decision`, `threshold`, `review_band` (null without
            one), `gaps`, `rows_dropped` (by table, those that cleaning leaves out or that are copies); if asked for
            `reasons`, `features`, `simulation`, `counterfactual`.

        Raises:
            InputError: If a request is not in order; tells all that is wrong.
        """
        asked, problems = read_asked(applicants)
        try:
            features = self._plan.evaluate([one.tables for one in asked], most_rows)
        except InputError as error:
            untold = error.n_problems - len(error.problems)
            raise InputError(chain(problems, error.problems), untold) from None
        if problems:
            raise InputError(problems)
        simulated = [i for i, one in enumerate(asked) if one.simulated is not None]
        changed = self._evaluate_simulated(asked, simulated, most_rows) if simulated else None
        scores = self._score(features, asked)
        answers = [self._answer(features, i, score) for i, score in enumerate(scores)]
        if changed:
            scores_after = self._score(changed, [asked[i] for i in simulated])
            for at, (i, after) in enumerate(zip(simulated, scores_after, strict=True)):
                answers[i]["simulation"] = _compare(scores[i], self._answer(changed, at, after), after, asked[i])
        for i, (one, answer) in enumerate(zip(asked, answers, strict=True)):
            if one.explain:
                answer["reasons"] = scores[i].reasons
            if one.features:
                answer["features"] = self._name_features(features, i)
            if one.levers is not None:
                answer["counterfactual"] = self._look_for_change(one, answer["decision"])
        return answers

    def tabulate(self, applicants: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        """Return the features of applicants as the scorer's tables have them: a row for each, after `SK_ID_CURR`.

        Args:
            applicants: Of each the raw tables, without anything beside.

        Raises:
            InputError: If tables are not in order.
        """
        features = self._plan.evaluate(applicants)
        table = _tabulate(features)
        table.insert(0, "SK_ID_CURR", features.applicants)
        return table

    def describe_problems(self, error: Exception, applicants: Any) -> tuple[str, list[dict[str, Any]]]:
        """Say what is wrong with a request, in the language that it asks for; see `words.describe_problems`."""
        assert isinstance(error, InputError)
        n_applicants = len(applicants) if isinstance(applicants, list) else 1
        return describe_problems(error, n_applicants, language_of(applicants))

    def _evaluate_simulated(self, asked: Sequence[Asked], places: Sequence[int], most_rows: int | None) -> Features:
        try:
            return self._plan.evaluate([asked[i].simulated or {} for i in places], most_rows)
        except InputError as error:
            told = [
                one._replace(applicant=places[one.applicant], table=f"{SIMULATE}.{one.table}".rstrip("."))
                for one in error.problems
            ]
            raise InputError(told, error.n_problems - len(told)) from None

    def _score(self, features: Features, asked: Sequence[Asked]) -> list[_Score]:
        """Score applicants as the scorer does, those who ask in one language at a time."""
        scores: dict[int, _Score] = {}
        has_book = self._scorer.reason_book is not None
        for language in dict.fromkeys(one.language for one in asked):
            rows = [i for i, one in enumerate(asked) if one.language == language]
            reasons = any(asked[i].explain or (has_book and asked[i].simulated is not None) for i in rows)
            part = features if len(rows) == len(asked) else features.take(rows)
            probability, gaps, told = self._ask_scorer(part, language, reasons)
            of_tables = find_in_tables(features.implausible, self.tables, language) if features.implausible else {}
            if of_tables:
                gaps = [self._join_gaps(found, of_tables.get(i, ())) for i, found in zip(rows, gaps, strict=True)]
            decisions = self._scorer.decide(probability, gaps).tolist()
            scores |= dict(zip(rows, map(_Score, probability.tolist(), decisions, gaps, told), strict=True))
        return [scores[i] for i in range(len(asked))]

    def _ask_scorer(self, features: Features, language: str, reasons: bool) -> tuple[Any, list[list[Gap]], list[Any]]:
        """Return probabilities, gaps of features, and reasons, as `predict` gives them."""
        scorer = self._scorer
        if self._codes is not None:
            encoded = features.encode(self._codes)
            probability, gaps = scorer.score_coded(encoded), scorer.find_gaps_coded(encoded, features.texts, language)
            if not reasons:
                return probability, gaps, [[]] * len(encoded)
            return probability, gaps, scorer.explain_coded(encoded, features.texts, language, probability)
        scored = scorer.predict(_tabulate(features), {"explain": reasons, "language": language})
        told = scored["reasons"].tolist() if reasons else [[]] * len(scored)
        return scored["probability_default"].to_numpy(), scored["gaps"].tolist(), told

    def _join_gaps(self, of_features: Sequence[Gap], of_tables: Iterable[Gap]) -> list[Gap]:
        """Join gaps: of a field of the form that is a feature as well, what was sent is told of, and once."""
        told = {(gap["column"], gap["gap"]) for gap in of_features}
        others = [gap for gap in of_tables if (gap["column"], gap["gap"]) not in told or gap["table"] != "application"]
        sent = {gap["column"] for gap in others if gap["table"] == "application"}
        return [*others, *(gap for gap in of_features if gap["column"] not in sent)][: self._most_gaps]

    def _answer(self, features: Features, place: int, score: _Score) -> dict[str, Any]:
        dropped = {table: int(numbers[place]) for table, numbers in features.dropped.items() if numbers[place]}
        return {
            "SK_ID_CURR": int(features.applicants[place]),
            "probability_default": score.probability,
            "decision": score.decision,
            **self._policy,
            "gaps": score.gaps,
            "rows_dropped": dropped,
        }

    def _name_features(self, features: Features, place: int) -> dict[str, Any]:
        numbers = [None if math.isnan(number) else number for number in features.numbers[place].tolist()]
        texts = {name: told[place] for name, told in features.texts.items()}
        return dict(zip(features.names, numbers, strict=True)) | texts

    def _look_for_change(self, asked: Asked, decision: str) -> dict[str, Any]:
        """Look for a change that leads to approval, if the decision is a refusal, and score what was found anew."""
        if decision != REFUSED:
            return {"found": False, "text": texts_in(asked.language).say(f"decisions.no_search.{decision}")}

        def are_granted(changed: Sequence[Mapping[str, Any]]) -> list[bool]:
            asking = [Asked(tables, language=asked.language) for tables in changed]
            return [one.decision == GRANTED for one in self._score(self._plan.evaluate(changed), asking)]

        names = asked.levers or ()
        searched = search(asked.tables, self._levers, names, are_granted)
        told: dict[str, Any] = {"found": bool(searched.moves)}
        after: dict[str, Any] = {}
        if searched.moves:
            (after,) = self.decide([searched.tables])
            told |= {
                "changes": [{"lever": move.lever, "old": move.old, "new": move.new} for move in searched.moves],
                "probability_default": after["probability_default"],
                "decision": after["decision"],
            }
        return told | {
            "searched": {
                "levers": {name: self._levers.span(name) for name in names},
                "changes": searched.n_tried,
                "complete": searched.complete,
                "milliseconds": round(searched.milliseconds, 1),
            },
            "text": describe_search(searched, self._levers, after, asked.language),
        }


def _tabulate(features: Features) -> pd.DataFrame:
    table = pd.DataFrame(features.numbers, columns=list(features.names))
    for name, texts in features.texts.items():
        table[name] = pd.Series(texts, dtype=object)
    return table


def _compare(before: _Score, answer: dict[str, Any], after: _Score, asked: Asked) -> dict[str, Any]:
    """Return what a simulated change does."""
    return answer | {
        "difference": after.probability - before.probability,
        "reasons": {
            "new": [reason for reason in after.reasons if reason not in before.reasons],
            "gone": [reason for reason in before.reasons if reason not in after.reasons],
        },
        "text": describe_simulation(before.probability, after.probability, after.decision, asked.language),
    }
