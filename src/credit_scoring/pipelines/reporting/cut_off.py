"""Why the threshold is where it is, in words."""

from collections.abc import Mapping
from typing import Any

from credit_scoring.texts import Texts


def explain_threshold(policy: Mapping[str, Any], evaluation: Mapping[str, Any], texts: Texts) -> list[str]:
    """Say which threshold decides, why it is beside the theoretical one, and why the hold-out may prefer another."""
    interval, flat, costs = policy["threshold_interval"], policy["plateau"], policy["costs"]
    cost = policy["cost"]
    rate, theoretical = policy["default_rate_at_theoretical"], policy["theoretical_threshold"]
    difference = evaluation["tuned_less_theoretical"]
    return [
        texts.say(
            "report.decision",
            threshold=policy["threshold"],
            low=interval["low"],
            high=interval["high"],
            flat_low=flat["low"],
            flat_high=flat["high"],
            tolerance=flat["tolerance"],
            cost=cost["estimate"],
            cost_low=cost["low"],
            cost_high=cost["high"],
        ),
        texts.say("report.decision_least_cost", theoretical=theoretical)
        if rate is None
        else texts.say(
            "report.decision_break_even",
            declined=costs["false_positive"],
            approved=costs["false_negative"],
            theoretical=theoretical,
            rate=rate,
        ),
        texts.say(
            "report.decision_holdout",
            n=evaluation["applicants"],
            theoretical=theoretical,
            difference=difference["estimate"],
            low=difference["low"],
            high=difference["high"],
        ),
    ]
