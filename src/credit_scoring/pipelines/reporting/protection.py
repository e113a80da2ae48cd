"""What is said of protected attributes and of groups of clients: no more than the intervals allow."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from credit_scoring.figures import FigureOptions
from credit_scoring.markdown import markdown_templates
from credit_scoring.pipelines.reporting.sentences import side_of_zero
from credit_scoring.protected import grouped_by, name_attribute, name_group
from credit_scoring.texts import Texts, texts_in

_TEMPLATES = markdown_templates(__file__)
_RATES = ("approval_rate", "false_decline_rate", "false_negative_rate")


def report_protection(
    protection_price: Mapping[str, Any],
    protection_proxies: pd.DataFrame,
    fairness_gaps: pd.DataFrame,
    figures: FigureOptions,
) -> dict[str, Any]:
    """Say what no model learns from, what that costs, what others know of it, and how far groups are apart."""
    texts = figures.texts
    by_attribute = fairness_gaps.set_index(["attribute", "measure"])
    rows = [
        [name_attribute(attribute, texts), *(_write_gap(by_attribute.loc[(attribute, rate)], texts) for rate in _RATES)]
        for attribute in fairness_gaps["attribute"].unique()
    ]
    return {
        "told": tell_protection(protection_price, protection_proxies, fairness_gaps, texts),
        "gaps": {
            "caption": texts.say("report.gaps"),
            "header": [texts.say(f"report.gap_columns.{name}") for name in ("attribute", *_RATES)],
            "rows": rows,
            "strong": None,
        },
    }


def describe_protection(
    protection_price: Mapping[str, Any],
    protection_proxies: pd.DataFrame,
    protection_effect: pd.DataFrame,
    fairness_by_group: pd.DataFrame,
    fairness_gaps: pd.DataFrame,
    fairness_mitigations: pd.DataFrame,
) -> str:
    """Write the sections of the model card on protected attributes and on groups of clients as Markdown."""
    return _TEMPLATES.get_template("model_card_protection.md.jinja").render(
        told=tell_protection(protection_price, protection_proxies, fairness_gaps, texts_in("en")),
        price=protection_price,
        proxies=protection_proxies,
        effect=protection_effect,
        groups=[
            {
                "attribute": attribute,
                "group": group,
                "clients": rows["clients"].iloc[0],
                "measures": rows.set_index("measure").to_dict("index"),
            }
            for (attribute, group), rows in fairness_by_group.groupby(["attribute", "group"], sort=False)
        ],
        gaps=fairness_gaps,
        mitigations=fairness_mitigations,
    )


def summarise_protection(
    protection_price: Mapping[str, Any],
    protection_proxies: pd.DataFrame,
    fairness_gaps: pd.DataFrame,
    fairness_mitigations: pd.DataFrame,
) -> str:
    """Write the section of the run's summary on protected attributes and on groups of clients as Markdown."""
    return _TEMPLATES.get_template("run_summary_protection.md.jinja").render(
        name_attribute=lambda attribute: name_attribute(attribute, texts_in("en")),
        told=tell_protection(protection_price, protection_proxies, fairness_gaps, texts_in("en")),
        mitigations=fairness_mitigations,
    )


def tell_protection(price: Mapping[str, Any], proxies: pd.DataFrame, gaps: pd.DataFrame, texts: Texts) -> list[str]:
    """Return the sentences that all documents share; gaps of other attributes than protected ones are in tables."""
    attributes = [name_attribute(name, texts).lower() for name in price["protected"]]
    if not attributes:
        told = [texts.say("report.nothing_protected")]
    else:
        told = [
            texts.say(
                "report.left_out",
                n=len(attributes),
                attributes=texts.join(attributes),
                columns=len(price["left_out"]),
            ),
            _tell_price(price, texts),
            _tell_proxies(proxies, texts),
        ]
    protected = [grouped_by(column) for column in price["protected"]]
    approval = gaps[(gaps["measure"] == "approval_rate") & gaps["attribute"].isin(protected)]
    return told + [_tell_gap(row, texts) for row in approval.to_dict("records")]


def _tell_price(price: Mapping[str, Any], texts: Texts) -> str:
    cost = price["difference"]["business_cost"]
    written = {
        metric: texts.say("report.signed_interval", **interval) for metric, interval in price["difference"].items()
    }
    return texts.say(
        "report.price",
        folds=price["folds"],
        cost=written["business_cost"],
        auc=written["roc_auc"],
        log_loss=written["log_loss"],
        verdict=texts.say(f"report.price_verdict.{side_of_zero(cost)}"),
    )


def _tell_proxies(proxies: pd.DataFrame, texts: Texts) -> str:
    if proxies.empty:
        return texts.say("report.proxies_unknown")
    known = proxies[proxies["low"] > 0.5]
    if known.empty:
        return texts.say("report.proxies_none")
    best = known.loc[known.groupby("attribute", sort=False)["roc_auc"].idxmax()]
    told = [
        texts.say(
            "report.proxy_is",
            attribute=name_attribute(row["attribute"], texts).lower(),
            group=name_group(row["group"], texts),
            auc=row["roc_auc"],
            low=row["low"],
            high=row["high"],
        )
        for row in best.to_dict("records")
    ]
    return texts.say("report.proxies", told=texts.join(told))


def _tell_gap(gap: Mapping[str, Any], texts: Texts) -> str:
    """Say how far the approval rates of the groups are apart; a gap is one only if chance does not explain it."""
    attribute = name_attribute(gap["attribute"], texts).lower()
    if gap["groups"] < 2:
        return texts.say("report.gap_few", attribute=attribute)
    measured = {name: 100 * gap[name] for name in ("gap", "low", "high")}
    if gap["low"] <= 0:
        return texts.say("report.gap_chance", attribute=attribute, **measured)
    ends = {name: name_group(gap[name], texts) for name in ("lowest", "highest")}
    return texts.say("report.gap", attribute=attribute, **measured, **ends)


def _write_gap(gap: Mapping[str, Any], texts: Texts) -> str:
    if gap["groups"] < 2:
        return "–"
    return texts.say("report.gap_is", **{name: 100 * gap[name] for name in ("gap", "low", "high")})
