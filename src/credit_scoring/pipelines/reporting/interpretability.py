"""What a model that a person can check costs, in sentences and a table."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from credit_scoring.pipelines.reporting.sentences import side_of_zero
from credit_scoring.texts import Texts

_COLUMNS = ("candidate", "by_hand", "features", "ms", "auc", "auc_difference", "cost", "cost_difference")
_DIFFERENCE = ("", "_low", "_high")


def tell_interpretability(price: pd.DataFrame, champion: Mapping[str, Any], texts: Texts) -> list[str]:
    """Say which is the simplest model as cheap as the best, and what the lender's bound or preference gives up.

    Args:
        price: What `price_interpretability` returns.
        champion: The candidate chosen, see `select_champion`.
        texts: Catalogue of the language.
    """
    best = price.loc[price["log_loss"].idxmin()]
    models = price[price["complexity"] != "constant"]
    level = models[models["cost_to_best_low"] <= 0]
    simplest = (level if len(level) else models if len(models) else price).iloc[0]
    if simplest["candidate"] == best["candidate"]:
        told = [texts.say("report.interpretability_best", name=_name(best, texts))]
    else:
        told = [
            texts.say(
                "report.interpretability_simplest",
                best=_name(best, texts),
                name=_name(simplest, texts),
                cost=_difference(simplest, "cost", texts),
                auc=_difference(simplest, "auc", texts),
            )
        ]
    if champion["given_up"]:
        told.append(_tell_choice(champion["given_up"], texts))
    return told


def tabulate_interpretability(price: pd.DataFrame, texts: Texts, *, timed: bool = True) -> dict[str, Any]:
    """Set the best candidate of each level of complexity beside the best of all, one row per level.

    Args:
        price: What `price_interpretability` returns.
        texts: Catalogue of the language.
        timed: Whether the milliseconds are told, which no two runs share.
    """
    columns = [name for name in _COLUMNS if timed or name != "ms"]
    rows = []
    for row in price.to_dict("records"):
        level, name = texts.say(f"complexity.{row['complexity']}"), _name(row, texts)
        cells = {
            # A monotone model and a blend are called so
            "candidate": name if level in name else texts.say("report.interpretability_level", level=level, name=name),
            "by_hand": texts.say(f"common.by_hand.{row['by_hand']}"),
            "features": texts.number(row["columns_needed"], ".0f"),
            "ms": texts.number(row["ms_per_row"], ".2f"),
            "auc": texts.number(row["roc_auc"], ".4f"),
            "auc_difference": _difference(row, "auc", texts),
            "cost": texts.number(row["business_cost"], ".4f"),
            "cost_difference": _difference(row, "cost", texts),
        }
        rows.append([cells[name] for name in columns])
    chosen = price["champion"].tolist()
    return {
        "caption": texts.say("report.interpretability"),
        "header": [texts.say(f"report.interpretability_columns.{name}") for name in columns],
        "rows": rows,
        "strong": chosen.index(True) if any(chosen) else -1,
    }


def _tell_choice(given_up: Mapping[str, Any], texts: Texts) -> str:
    """Say which candidate the lender's bound or preference kept from being champion, and what that costs."""
    difference = given_up["difference"]
    return " ".join(
        [
            texts.say(
                "report.given_up",
                name=given_up["labels"][texts.language],
                cost=_write(difference["business_cost"], texts),
                auc=_write(difference["roc_auc"], texts),
                log_loss=_write(difference["log_loss"], texts),
            ),
            texts.say(f"report.given_up_verdict.{side_of_zero(difference['business_cost'])}"),
        ]
    )


def _name(row: Mapping[Any, Any], texts: Texts) -> str:
    return str(row[f"label_{texts.language}"])


def _difference(row: Mapping[Any, Any], metric: str, texts: Texts) -> str:
    """Write a difference to the best; nothing for the best itself."""
    estimate, low, high = (row[f"{metric}_to_best{end}"] for end in _DIFFERENCE)
    if low == high == 0:
        return ""
    return _write({"estimate": estimate, "low": low, "high": high}, texts)


def _write(interval: Mapping[str, float], texts: Texts) -> str:
    return texts.say("report.signed_interval", **{end: interval[end] for end in ("estimate", "low", "high")})
