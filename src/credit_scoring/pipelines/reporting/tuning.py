"""What the search for hyper-parameters changed and gained, in sentences and a table."""

from collections.abc import Mapping
from typing import Any

from credit_scoring.pipelines.reporting.sentences import side_of_zero
from credit_scoring.texts import Texts

_COLUMNS = ("candidate", "trials", "before", "after", "log_loss", "cost")


def tell_tuning(gain: Mapping[str, Any], texts: Texts) -> list[str]:
    """Say how hyper-parameters were searched for, and what the search chose.

    Args:
        gain: What `measure_tuning` returns.
        texts: Catalogue of the language.

    Returns:
        Sentences; none if nothing was searched for.
    """
    if not gain:
        return []
    searched = [*gain.values()]
    told = [
        texts.say(
            "report.tuning",
            families=texts.join([found["labels"][texts.language] for found in searched]),
            trials=sum(found["trials"] for found in searched),
            pruned=sum(found["pruned"] for found in searched),
            metric=texts.say(f"report.searched_by.{searched[0]['metric']}"),
        )
    ]
    for found in searched:
        label = found["labels"][texts.language]
        label = label[0].upper() + label[1:]
        verdict = side_of_zero(found["log_loss"]["difference"])
        told.append(texts.say(f"report.tuned_is.{verdict}" if found["params"] else "report.tuning_kept", family=label))
    return [*told, texts.say("report.tuning_nested")]


def tabulate_tuning(gain: Mapping[str, Any], texts: Texts) -> dict[str, Any]:
    """Set tuned candidates beside their hand-set selves, on the folds of the comparison, one row per candidate."""
    rows = [
        [
            found["labels"][texts.language],
            texts.say("report.tuning_trials", trials=found["trials"], pruned=found["pruned"]),
            texts.number(found["log_loss"]["before"], ".4f"),
            texts.number(found["log_loss"]["after"], ".4f"),
            _difference(found["log_loss"]["difference"], texts) if found["params"] else "",
            _difference(found["business_cost"]["difference"], texts) if found["params"] else "",
        ]
        for found in gain.values()
    ]
    return {
        "caption": texts.say("report.tuning_table"),
        "header": [texts.say(f"report.tuned.{name}") for name in _COLUMNS],
        "rows": rows,
        "strong": -1,
    }


def tabulate_values(gain: Mapping[str, Any], texts: Texts) -> dict[str, Any]:
    """Set the hyper-parameters that the search found beside those set by hand, one row per value that changed."""
    rows = [
        [
            found["labels"][texts.language],
            f"{texts.say(f'report.hyperparameter.{name}')} ({name})",
            _value(change["before"], texts),
            _value(change["after"], texts),
        ]
        for found in gain.values()
        for name, change in found["params"].items()
    ]
    return {
        "caption": texts.say("report.tuning_values"),
        "header": [texts.say(f"report.tuning_value.{name}") for name in ("family", "name", "before", "after")],
        "rows": rows,
        "strong": -1,
    }


def _difference(interval: Mapping[str, float], texts: Texts) -> str:
    return texts.say("report.signed_interval", **{end: interval[end] for end in ("estimate", "low", "high")})


def _value(value: Any, texts: Texts) -> str:
    """Write a hyper-parameter to three significant digits, which is more than a search can tell apart."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–" if value is None else str(value)
    return texts.number(value if isinstance(value, int) else float(f"{value:.3g}"), "g")
