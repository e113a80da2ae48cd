"""Sentences that report, summary of the run and model card share, each gathered with its values once."""

from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd

from credit_scoring.texts import Texts


def explain_threshold(policy: Mapping[str, Any], evaluation: Mapping[str, Any], texts: Texts) -> list[str]:
    """Say which threshold decides, why it is beside the theoretical one, and why the hold-out may prefer another."""
    interval, flat, costs = policy["threshold_interval"], policy["plateau"], policy["costs"]
    cost = policy["cost"]
    rate, theoretical = policy["default_rate_at_theoretical"], policy["theoretical_threshold"]
    difference = evaluation["tuned_less_theoretical"]
    apart = round(policy["threshold"] - theoretical, 4)
    side = "less" if apart < 0 else "more" if apart > 0 else "same"
    within = "within" if interval["low"] <= theoretical <= interval["high"] else "outside"
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
            f"report.decision_break_even.{side}",
            declined=costs["false_positive"],
            approved=costs["false_negative"],
            theoretical=theoretical,
            threshold=policy["threshold"],
            rate=rate,
        ),
        *([texts.say(f"report.decision_apart.{within}", theoretical=theoretical)] if side != "same" else []),
        texts.say(
            "report.decision_holdout",
            n=evaluation["applicants"],
            theoretical=theoretical,
            difference=difference["estimate"],
            low=difference["low"],
            high=difference["high"],
        ),
    ]


def side_of_zero(interval: Mapping[str, float]) -> Literal["less", "same", "more"]:
    """Say whether a difference is significant: `same` where its interval holds zero."""
    return "more" if interval["low"] > 0 else "less" if interval["high"] < 0 else "same"


def count_level(leaderboard: pd.DataFrame, champion: Mapping[str, Any], n_rows: int, texts: Texts) -> str:
    """Say how many candidates cost hardly separates, and whether the choice among them is in effect by log loss."""
    level = int((leaderboard["cost_to_best_low"] <= 0).sum())
    counted = texts.say("report.level", level=level, n=len(leaderboard), rows=n_rows)
    by_log_loss = leaderboard.loc[leaderboard["log_loss"].idxmin(), "candidate"] == champion["name"]
    return f"{counted} {texts.say('report.level_by_log_loss')}" if level > 1 and by_log_loss else counted


def compare_samples(diagnosis: Mapping[str, Any], texts: Texts) -> str:
    """Say what the AUC is on each sample, why out of fold and hold-out differ, and whether chance explains it."""
    oof, ends = diagnosis["out_of_fold"], diagnosis["holdout_interval"]
    within = ends["low"] <= oof <= ends["high"]
    return texts.say(
        "report.holdout_within" if within else "report.holdout_outside",
        train=diagnosis["training"],
        oof=oof,
        holdout=diagnosis["holdout"],
        share=diagnosis["out_of_fold_share"],
        low=ends["low"],
        high=ends["high"],
    )


def describe_review(evaluation: Mapping[str, Any], texts: Texts) -> list[str]:
    """Say what decisions would cost with a reviewer; nothing if there is none."""
    review = evaluation.get("three_way")
    if review is None:
        return []
    return [
        texts.say(
            "report.review",
            low=review["low"],
            high=review["high"],
            rate=review["review_rate"],
            cost=review["business_cost"],
            price=review["reviewer"]["cost"],
            error=review["reviewer"]["error_rate"],
        )
    ]


def describe_money(amounts: Mapping[str, Any], texts: Texts) -> str:
    """Say what decisions cost in monetary terms."""
    return texts.say(
        "report.money",
        loss=amounts["rates"]["loss_given_default"],
        margin=amounts["rates"]["margin"],
        tuned=amounts["policies"]["tuned"]["business_cost"],
        approve_all=amounts["policies"]["approve_all"]["business_cost"],
    )


def describe_steadiness(stability: Mapping[str, Any], reliability: Mapping[str, Any], texts: Texts) -> list[str]:
    """Say how steady the weights of the features and the reasons of declines are; nothing of what was not measured."""
    sentences = []
    if stability["models"]:
        sentences.append(
            texts.say("report.stability", n=stability["models"], top=stability["top"], overlap=stability["overlap"])
        )
    if reliability["models"]:
        sentences.append(
            texts.say(
                "report.reason_reliability",
                n=reliability["models"],
                first=reliability["same_first"],
                applicants=reliability["applicants"],
                overlap=reliability["overlap"],
                top=reliability["top"],
            )
        )
    return sentences


def describe_limits(
    evaluation: Mapping[str, Any], diagnosis: Mapping[str, Any], policy: Mapping[str, Any], source: str, texts: Texts
) -> list[str]:
    """Say what the results do not say."""
    tuned, costs = evaluation["policies"]["tuned"], policy["costs"]
    interval = tuned["business_cost_interval"]
    return [
        *([texts.say("report.limit_synthetic")] if source == "synthetic" else []),
        texts.say(
            "report.limit_interval",
            width=interval["high"] - interval["low"],
            n=tuned["false_negatives"] + tuned["true_positives"],
        ),
        texts.say("report.limit_overfit", gap=diagnosis["training"] - diagnosis["out_of_fold"]),
        texts.say("report.limit_costs", ratio=costs["false_negative"] / costs["false_positive"]),
        texts.say("report.limit_time"),
        texts.say("report.limit_granted"),
        texts.say("report.limit_law"),
    ]
