"""What is said of requests that are not in order, and of changes."""

from collections.abc import Mapping
from typing import Any

from credit_scoring.counterfactual import Levers, Search
from credit_scoring.feature_plan import InputError, Problem
from credit_scoring.texts import Texts, texts_in


def describe_problems(error: InputError, n_applicants: int, language: str) -> tuple[str, list[dict[str, Any]]]:
    """Say what is wrong with a request.

    Args:
        error: What was found.
        n_applicants: How many applicants the request is about.
        language: Of the sentences.

    Returns:
        A sentence for all; and of each of the first problems `applicant`, `table`, `row` (from 0), `column`, null where
        it is of no single one, and `text`.
    """
    texts = texts_in(language)
    told = [
        {
            "applicant": problem.applicant,
            "table": problem.table or None,
            "row": problem.row,
            "column": problem.column or None,
            "text": _say(problem, n_applicants > 1, texts),
        }
        for problem in error.problems
    ]
    return " ".join([texts.say("decisions.problems", n=error.n_problems), *(f"{one['text']}." for one in told)]), told


def _say(problem: Problem, name_applicant: bool, texts: Texts) -> str:
    place = [texts.say("decisions.applicant", number=problem.applicant)] if name_applicant else []
    place += [problem.table] if problem.table else []
    place += [] if problem.row is None else [texts.say("decisions.row", row=problem.row)]
    place += [texts.say("decisions.column", name=problem.column)] if problem.column else []
    if problem.detail:
        expected = texts.say(f"decisions.expected_of.{problem.expected}", detail=problem.detail)
    else:
        expected = texts.say(f"decisions.expected.{problem.expected}")
    if not place:
        return expected[0].upper() + expected[1:]
    return texts.say("decisions.wrong", place=", ".join(place), expected=expected)


def describe_simulation(old: float, new: float, decision: str, language: str) -> str:
    """Say what a change would do to a probability and the decision."""
    texts = texts_in(language)
    return texts.say("decisions.simulation", old=old, new=new, decision=texts.say(f"decisions.decided.{decision}"))


def describe_search(searched: Search, levers: Levers, answer: Mapping[str, Any], language: str) -> str:
    """Say which change would lead to approval, or what was tried.

    Args:
        searched: What was found.
        levers: How far they could be moved.
        answer: The answer after the change that was found.
        language: Of the sentence.
    """
    texts = texts_in(language)
    if not searched.tried:
        return texts.say("decisions.counterfactual.nothing")
    if not searched.moves:
        told = [texts.say(f"decisions.counterfactual.tried.{name}", **levers.span(name)) for name in searched.tried]
        tried = texts.join(told)
        return texts.say(
            "decisions.counterfactual.none" if searched.complete else "decisions.counterfactual.stopped", tried=tried
        )
    changes = [
        texts.say(f"decisions.counterfactual.change.{move.lever}", old=move.old, new=move.new)
        for move in searched.moves
    ]
    return texts.say(
        "decisions.counterfactual.found",
        changes=texts.join(changes),
        probability=answer["probability_default"],
        threshold=answer["threshold"],
    )
