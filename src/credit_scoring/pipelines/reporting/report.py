"""The report of a run as a PDF: what it says is gathered here, how it looks is in `report.typ`."""

import io
import json
import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from babel.dates import format_date
from PIL import Image

from credit_scoring.explanations import heaviest_causes, usual_direction
from credit_scoring.features.catalogue import FEATURES, find_feature
from credit_scoring.features.categories import category_label
from credit_scoring.features.records import Theme, Unit, theme_title
from credit_scoring.figures import PALETTE, FigureOptions
from credit_scoring.models import family_class
from credit_scoring.models.labels import name_treatment
from credit_scoring.pipelines.reporting.imbalance import judge_treatments
from credit_scoring.pipelines.reporting.interpretability import tabulate_interpretability, tell_interpretability
from credit_scoring.pipelines.reporting.options import ReportOptions
from credit_scoring.pipelines.reporting.sentences import (
    compare_samples,
    count_level,
    describe_limits,
    describe_money,
    describe_review,
    describe_steadiness,
    explain_threshold,
)
from credit_scoring.pipelines.reporting.tuning import tabulate_tuning, tabulate_values, tell_tuning

_TEMPLATE = Path(__file__).with_name("report.typ")
_POLICIES = ("tuned", "theoretical", "half", "approve_all", "decline_all")
_CANDIDATE_COLUMNS = ("candidate", "auc", "average_precision", "recall", "precision", "cost", "difference")
_DECISION_COLUMNS = ("policy", "threshold", "cost", "interval", "approval_rate", "bad_approved", "good_declined")
_PAGES = ("runs", "model")
_N_FEATURES, _N_THEMES, _N_CAUSES = 7, 5, 4
_FEWEST = 20
"""Applications of a category from which on its mean contribution is told."""
_EFFECTS: Mapping[Unit, str] = {
    "date_days": "later_",
    "date_months": "later_",
    "date_planned_days": "planned_",
    "yes_no": "yes_",
}
"""Unit -> how a direction is told, where it is no matter of high and low."""
_WIDEST = 1400
"""Pixels of a picture's width: 200 to the inch across the page."""


def report_headline(
    diagnosis: Mapping[str, Any], evaluation: Mapping[str, Any], policy: Mapping[str, Any], figures: FigureOptions
) -> dict[str, Any]:
    """Gather what stands first: suspicions, the four figures that a reader looks for, what the decisions are for."""
    costs = policy["costs"]
    return {
        "purpose": figures.say("report.purpose", ratio=costs["false_negative"] / costs["false_positive"]),
        "flags": diagnosis["flags"],
        "tiles": _tiles(diagnosis, evaluation, policy, figures),
    }


def report_conclusion(
    leaderboard: pd.DataFrame,
    champion: Mapping[str, Any],
    diagnosis: Mapping[str, Any],
    evaluation: Mapping[str, Any],
    policy: Mapping[str, Any],
    figures: FigureOptions,
) -> dict[str, Any]:
    """Gather what stands last: what is chosen and what it achieves, what comes next, the limits."""
    name = leaderboard.set_index("candidate").loc[champion["name"], f"label_{figures.language}"]
    policies, auc = evaluation["policies"], diagnosis["holdout_interval"]
    tuned, cost = policies["tuned"], policies["tuned"]["business_cost_interval"]
    approved = tuned["approval_rate"] * evaluation["applicants"]
    concluded = figures.say(
        "report.concluded",
        name=name,
        n=evaluation["applicants"],
        auc=diagnosis["holdout"],
        auc_low=auc["low"],
        auc_high=auc["high"],
        cost=tuned["business_cost"],
        cost_low=cost["low"],
        cost_high=cost["high"],
        saving=1 - tuned["business_cost"] / policies["approve_all"]["business_cost"],
        approved=tuned["approval_rate"],
        bad_rate=tuned["false_negatives"] / approved if approved else math.nan,
        rate=evaluation["default_rate"],
    )
    following = figures.say("report.next_synthetic" if figures.source == "synthetic" else "report.next")
    return {
        "told": f"{concluded} {following}",
        "limits": describe_limits(evaluation, diagnosis, policy, figures.source, figures.texts),
    }


def report_comparison(
    leaderboard: pd.DataFrame,
    imbalance_comparison: pd.DataFrame,
    champion: Mapping[str, Any],
    calibration: Mapping[str, Any],
    diagnosis: Mapping[str, Any],
    policy: Mapping[str, Any],
    tuning_gain: Mapping[str, Any],
    n_folds: int,
    max_features: int,
    figures: FigureOptions,
) -> dict[str, Any]:
    """Say how the candidates were tuned and compared, and which became champion."""
    return {
        "told": [
            _describe_modelling(leaderboard, policy, n_folds, max_features, figures),
            *filter(None, [" ".join(tell_tuning(tuning_gain, figures.texts))]),
            *_describe_imbalance(imbalance_comparison, figures),
            " ".join(
                [
                    count_level(leaderboard, champion, policy["chosen_on"]["applicants"], figures.texts),
                    _describe_champion(champion, leaderboard, calibration, figures),
                ]
            ),
            compare_samples(diagnosis, figures.texts),
        ],
        "leaderboard": _tabulate_candidates(leaderboard, champion, n_folds, figures),
        "tuning": tabulate_tuning(tuning_gain, figures.texts),
        "tuned_values": tabulate_values(tuning_gain, figures.texts),
    }


def report_interpretability(price: pd.DataFrame, champion: Mapping[str, Any], figures: FigureOptions) -> dict[str, Any]:
    """Say what a model that a person can check costs."""
    return {
        "told": " ".join(tell_interpretability(price, champion, figures.texts)),
        "levels": tabulate_interpretability(price, figures.texts),
    }


def report_decision(
    policy: Mapping[str, Any], evaluation: Mapping[str, Any], amounts: Mapping[str, Any], figures: FigureOptions
) -> dict[str, Any]:
    """Say at which threshold an application is refused, what that costs, and what other policies would cost."""
    return {
        "told": _describe_decision(policy, evaluation, amounts, figures),
        "policies": _tabulate_policies(evaluation, figures),
    }


def report_variables(
    importance: pd.DataFrame,
    family_importance: pd.DataFrame,
    shap_values: pd.DataFrame,
    rows: pd.DataFrame,
    figures: FigureOptions,
) -> dict[str, Any]:
    """Say what weighs in the model, and in which direction."""
    return {
        "themes": _describe_themes(family_importance, figures),
        "top": figures.say("report.top", n=len(shap_values)),
        "heaviest": _describe_variables(importance, shap_values, rows, figures),
    }


def report_clients(
    clients: Sequence[Mapping[str, Any]],
    stability: Mapping[str, Any],
    reliability: Mapping[str, Any],
    figures: FigureOptions,
) -> dict[str, Any]:
    """Explain the scores of a few clients, and say how far explanations go."""
    return {
        "explained": _describe_clients(clients, figures),
        "conduct": [figures.say("report.causality"), *describe_steadiness(stability, reliability, figures.texts)],
    }


def write_report(
    cost_curve: Image.Image,
    shap_global: Image.Image,
    mlflow_pages: Mapping[str, Image.Image],
    figures: FigureOptions,
    signature: ReportOptions,
    **sections: Any,
) -> bytes:
    """Set the report of the run: context, modelling, decision, variables, tracking, conclusion, limits.

    Every number and name in it is read from an artefact or a parameter. The same inputs, of which the day is one, give
    the same bytes.

    Args:
        cost_curve: The cost over the threshold.
        shap_global: What weighs overall.
        mlflow_pages: Pictures of MLflow's pages, `runs` and `model`; one is shown only if it says in `info` which
            `run` it was taken of, which may be an earlier one.
        figures: Language, and source of the data: synthetic data are marked on every page.
        signature: Who signs it, and of which day it is.
        **sections: What each of the `report_…` functions returns, by the second word of its name.

    Returns:
        A PDF of two or three pages.
    """
    import typst  # noqa: PLC0415 - 40 MB of compiler that no other node needs

    synthetic = figures.source == "synthetic"
    pages = {name: page for name in _PAGES if (page := mlflow_pages.get(name)) is not None and "run" in page.info}
    pictures = {"cost_curve": cost_curve, "shap_global": shap_global, **pages}
    content = {
        "language": figures.language,
        "texts": figures.texts.page("report"),
        "subtitle": figures.say(
            "report.subtitle",
            source=figures.say("report.synthetic_twin") if synthetic else figures.source.replace("_", " ").title(),
        ),
        "signed": figures.say(
            "report.signed",
            author=signature.author[figures.language],
            date=format_date(signature.date, "long", locale=figures.language),
        ),
        "synthetic": synthetic,
        "palette": PALETTE,
        "screenshots": [
            {
                "name": name,
                "caption": f"{figures.say(f'report.screenshot.{name}').rstrip('.')} ({page.info['run']}).",
            }
            for name, page in pages.items()
        ],
        **sections,
    }
    # The compiler takes pictures from files alone
    with tempfile.TemporaryDirectory() as folder:
        for name, picture in pictures.items():
            Path(folder, f"{name}.png").write_bytes(_shrink(picture))
        Path(folder, "content.json").write_text(json.dumps(content), encoding="utf-8")
        main = Path(shutil.copy(_TEMPLATE, folder))
        return typst.compile(main, root=Path(folder), format="pdf", ignore_system_fonts=True, timestamp=0)


def _tiles(
    diagnosis: Mapping[str, Any], evaluation: Mapping[str, Any], policy: Mapping[str, Any], figures: FigureOptions
) -> list[dict[str, str]]:
    """Gather the four figures that a reader looks for first."""
    tuned = evaluation["policies"]["tuned"]
    return [
        {
            "label": figures.say("report.tile_auc"),
            "value": _decimal(evaluation["score"]["roc_auc"], figures, 4),
            "note": figures.say("report.interval", **_ends(diagnosis["holdout_interval"])),
        },
        {
            "label": figures.say("report.tile_threshold"),
            "value": _decimal(tuned["threshold"], figures, 4),
            "note": figures.say("report.interval", **_ends(policy["threshold_interval"])),
        },
        {
            "label": figures.say("report.tile_cost"),
            "value": _decimal(tuned["business_cost"], figures, 4),
            "note": figures.say(
                "report.tile_cost_note",
                **_ends(tuned["business_cost_interval"]),
                approve_all=evaluation["policies"]["approve_all"]["business_cost"],
            ),
        },
        {
            "label": figures.say("report.tile_granted"),
            "value": figures.percent(tuned["approval_rate"]),
            "note": figures.say(
                "report.tile_granted_note", bad=tuned["false_negatives"], good=tuned["false_positives"]
            ),
        },
    ]


def report_preparation(
    quality: Mapping[str, Any], policy: Mapping[str, Any], evaluation: Mapping[str, Any], figures: FigureOptions
) -> str:
    """Say what the data are and how they were split."""
    rows = quality["rows"]
    findings = len(quality["findings"])
    training, holdout = policy["chosen_on"]["applicants"], evaluation["applicants"]
    return figures.say(
        "report.preparation",
        tables=len({name.removesuffix("_train").removesuffix("_test") for name in rows}),
        files=len(rows),
        rows=sum(rows.values()),
        findings=figures.say("report.findings", n=findings) if findings else figures.say("report.no_findings"),
        features=len(FEATURES),
        training=training,
        holdout=holdout,
        share=holdout / (training + holdout),
    )


def _describe_modelling(
    leaderboard: pd.DataFrame, policy: Mapping[str, Any], n_folds: int, max_features: int, figures: FigureOptions
) -> str:
    families = [family_class(family).labels[figures.language] for family in leaderboard["family"].unique()]
    return figures.say(
        "report.modelling",
        n=len(families),
        families=figures.texts.join(families),
        folds=n_folds,
        features=max_features,
        fn=policy["costs"]["false_negative"],
        fp=policy["costs"]["false_positive"],
    )


def _describe_imbalance(comparison: pd.DataFrame, figures: FigureOptions) -> list[str]:
    """Say which treatments of class imbalance were tried and whether they paid; nothing if nothing was tried."""
    tried = dict.fromkeys(comparison.loc[comparison["imbalance"] != "none", "imbalance"])
    if not tried:
        return []
    return [
        figures.say(
            "report.imbalance",
            rate=comparison["default_rate"].iloc[0],
            strategies=figures.texts.join([name_treatment(name, figures.texts) for name in tried]),
            verdicts=" ".join(judge_treatments(comparison, figures.texts)),
        )
    ]


def _describe_champion(
    champion: Mapping[str, Any],
    leaderboard: pd.DataFrame,
    calibration: Mapping[str, Any],
    figures: FigureOptions,
) -> str:
    labels = dict(zip(leaderboard["candidate"], leaderboard[f"label_{figures.language}"], strict=True))
    chosen = calibration["chosen"]
    after = calibration["methods"][chosen]
    choice = figures.say(f"report.chosen.{champion['prefer']}", name=labels[champion["name"]])
    if champion["left_out"]:
        level = figures.say(f"complexity.{champion['max_complexity']}")
        bounded = figures.say(
            "report.bounded", level=level, names=figures.texts.join([labels[name] for name in champion["left_out"]])
        )
        choice = f"{bounded} {choice}"
    errors = {
        "after": 100 * after["ece"],
        "chance": 100 * after["ece_by_chance"],
        "chance_high": 100 * after["ece_by_chance_high"],
    }
    if chosen == "none":
        return figures.say("report.champion_as_it_is", choice=choice, **errors)
    method = figures.say(f"common.calibration.{chosen}")
    before = 100 * calibration["methods"]["none"]["ece"]
    return figures.say("report.champion", choice=choice, calibration=method, before=before, **errors)


def _tabulate_candidates(
    leaderboard: pd.DataFrame, champion: Mapping[str, Any], n_folds: int, figures: FigureOptions
) -> dict[str, Any]:
    rows = [
        [
            row[f"label_{figures.language}"],
            f"{_decimal(row['roc_auc'], figures)} ± {_decimal(row['roc_auc_std'], figures)}",
            _decimal(row["average_precision"], figures),
            _share(row["recall"], figures),
            _share(row["precision"], figures),
            f"{_decimal(row['business_cost'], figures)} ± {_decimal(row['business_cost_std'], figures)}",
            _difference(row["cost_to_best"], row["cost_to_best_low"], row["cost_to_best_high"], figures)
            if row["cost_to_best"]
            else "",
        ]
        for row in leaderboard.to_dict("records")
    ]
    return {
        "caption": figures.say("report.leaderboard", folds=n_folds),
        "header": [figures.say(f"report.candidates.{name}") for name in _CANDIDATE_COLUMNS],
        "rows": rows,
        "strong": leaderboard["candidate"].tolist().index(champion["name"]),
    }


def _tabulate_policies(evaluation: Mapping[str, Any], figures: FigureOptions) -> dict[str, Any]:
    rows = []
    for name in _POLICIES:
        policy = evaluation["policies"][name]
        rows.append(
            [
                figures.say(f"report.policy_name.{name}"),
                "" if name in ("approve_all", "decline_all") else _decimal(policy["threshold"], figures, 4),
                _decimal(policy["business_cost"], figures, 4),
                figures.say("report.interval", **_ends(policy["business_cost_interval"])),
                figures.percent(policy["approval_rate"]),
                _count(policy["false_negatives"], figures),
                _count(policy["false_positives"], figures),
            ]
        )
    return {
        "caption": figures.say("report.policies", n=evaluation["applicants"], rate=evaluation["default_rate"]),
        "header": [figures.say(f"report.decisions.{name}") for name in _DECISION_COLUMNS],
        "rows": rows,
        "strong": 0,
    }


def _describe_decision(
    policy: Mapping[str, Any], evaluation: Mapping[str, Any], amounts: Mapping[str, Any], figures: FigureOptions
) -> list[str]:
    policies = evaluation["policies"]
    decided, *why, on_holdout = explain_threshold(policy, evaluation, figures.texts)
    saving = 1 - policies["tuned"]["business_cost"] / policies["approve_all"]["business_cost"]
    money = describe_money(amounts, figures.texts)
    cost = [figures.say("report.saving", saving=saving), *describe_review(evaluation, figures.texts), money]
    return [decided, " ".join(why), on_holdout, " ".join(cost)]


def _describe_themes(family_importance: pd.DataFrame, figures: FigureOptions) -> str:
    themes = family_importance[family_importance["kind"] == "theme"].nlargest(_N_THEMES, "share")
    told = [
        figures.say("report.theme_is", theme=_theme(row["family"], figures), share=row["share"])
        for row in themes.to_dict("records")
    ]
    return figures.say("report.themes", themes=figures.texts.join(told))


def _theme(name: Theme, figures: FigureOptions) -> str:
    title = theme_title(name, figures.language)
    return title[0].lower() + title[1:]


def _describe_variables(
    importance: pd.DataFrame, shap_values: pd.DataFrame, rows: pd.DataFrame, figures: FigureOptions
) -> list[dict[str, str]]:
    """Say of each of the heaviest variables what it is, what it weighs and in which direction it works."""
    told = []
    for name, share in importance.head(_N_FEATURES)[["feature", "share"]].itertuples(index=False):
        told.append(
            {
                "column": name,
                "name": find_feature(name).client_label(figures.language),
                "share": figures.say("report.of_weight", share=share),
                "effect": describe_effect(name, rows[name], shap_values[name], figures),
            }
        )
    return told


def describe_effect(name: str, values: pd.Series, contributions: pd.Series, figures: FigureOptions) -> str:
    """Say in which direction a variable works: by rank correlation of value and contribution, or by category.

    Nulls are left out of the correlation; of a text they are a category of their own. An effect without a clear
    direction is said to depend on the rest.
    """
    if not pd.api.types.is_numeric_dtype(values):
        missing = figures.say("common.missing")
        categories = (
            values.astype("object")
            .where(values.notna(), None)
            .map(lambda value: missing if value is None else category_label(value, figures.language))
        )
        by_category = contributions.groupby(categories).agg(["mean", "size"])
        known = by_category.loc[by_category["size"] >= _FEWEST, "mean"]
        if len(known) < 2:
            return figures.say("report.mixed")
        return figures.say("report.by_category", worst=known.idxmax(), best=known.idxmin())
    direction = usual_direction(values, contributions)
    if direction == 0:
        return figures.say("report.mixed")
    unit = find_feature(name).unit
    if unit == "elapsed_days":  # stored as days before the application, told as the time since
        direction = -direction
    kind = _EFFECTS.get(unit, "")
    return figures.say(f"report.effect.{kind}{'up' if direction > 0 else 'down'}")


def _describe_clients(clients: Sequence[Mapping[str, Any]], figures: FigureOptions) -> list[dict[str, Any]]:
    """Say what made each score, as bars to one scale."""
    bars = [_weigh_causes(client, figures) for client in clients]
    longest = max((abs(weight) for one in bars for _, weight in one), default=0.0)
    told = []
    for client, one in zip(clients, bars, strict=True):
        decision = figures.say(f"report.decided.{client['decision']}")
        title = (
            figures.say("report.borderline", decision=decision.lower(), id=client["client_id"])
            if client["kind"] == "borderline"
            else figures.say("report.client", decision=decision, id=client["client_id"])
        )
        told.append(
            {
                "title": title,
                "score": figures.say(
                    "report.probability", probability=client["probability_default"], threshold=client["threshold"]
                ),
                "bars": [
                    {
                        "label": label,
                        "value": figures.number(weight, "+.2f"),
                        "length": round(abs(weight) / longest, 4) if longest else 0.0,
                        "against": weight > 0,
                    }
                    for label, weight in one
                ],
            }
        )
    return told


def _weigh_causes(client: Mapping[str, Any], figures: FigureOptions) -> list[tuple[str, float]]:
    """Return the heaviest causes of a score in words, and the sum of the others."""
    top, n_others, rest = heaviest_causes(client["contributions"], _N_CAUSES)
    bars = [
        (
            figures.say(
                "reasons.sentence", label=entry[f"label_{figures.language}"], value=entry[f"shown_{figures.language}"]
            ),
            weight,
        )
        for entry, weight in top
    ]
    if n_others:
        bars.append((figures.say("report.others", n=n_others), rest))
    return bars


def report_tracking(
    promotion: Mapping[str, Any], policy: Mapping[str, Any], places: Mapping[str, str], figures: FigureOptions
) -> str:
    """Say where the run and its model are kept, and whether the model replaced the champion."""
    incumbent = promotion["incumbent"]
    if incumbent is None:
        outcome = figures.say("report.promoted_first")
    elif promotion["promoted"]:
        outcome = figures.say("report.forced" if promotion["forced"] else "report.promoted", version=incumbent)
    else:
        outcome = figures.say("report.kept", version=incumbent)
    difference = promotion["cost_difference"]
    if difference:
        written = _difference(difference["estimate"], difference["low"], difference["high"], figures)
        outcome += figures.say(
            "report.promoted_difference",
            difference=written,
            n=promotion["comparison"],
            confidence=difference["confidence"],
        )
    if promotion["obstacle"]:
        outcome += figures.say(f"report.obstacle.{promotion['obstacle']}")
    return figures.say(
        "report.tracked", model=places["registered_model"], promotion=outcome, digest=policy["model_digest"]
    )


def _decimal(value: float, figures: FigureOptions, digits: int = 3) -> str:
    return figures.number(value, f".{digits}f")


def _count(value: float, figures: FigureOptions) -> str:
    return figures.number(value, ",")


def _share(value: float | None, figures: FigureOptions) -> str:
    return "–" if value is None else figures.percent(value)


def _ends(interval: Mapping[str, Any]) -> dict[str, float]:
    return {end: interval[end] for end in ("low", "high")}


def _difference(estimate: float, low: float, high: float, figures: FigureOptions) -> str:
    return figures.say("report.difference_is", estimate=estimate, low=low, high=high)


def _shrink(picture: Image.Image) -> bytes:
    """Return the picture as a PNG on white, no larger than it can be seen in print, with 256 colours."""
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A") if "A" in picture.getbands() else None)
    if flat.width > _WIDEST:
        flat = flat.resize((_WIDEST, round(flat.height * _WIDEST / flat.width)), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    flat.quantize(256).save(written, format="PNG", optimize=True)
    return written.getvalue()
