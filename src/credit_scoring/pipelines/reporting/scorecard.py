"""The scorecard of a run on paper: the card in Markdown with all its figures, and a page to print and add up by."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

from credit_scoring.features.catalogue import find_feature
from credit_scoring.features.categories import category_label
from credit_scoring.features.records import Unit
from credit_scoring.figures import FigureOptions
from credit_scoring.markdown import markdown_templates
from credit_scoring.metrics.cost import MisclassificationCosts
from credit_scoring.metrics.threshold import break_even_threshold
from credit_scoring.metrics.uncertainty import corrected_fold_interval
from credit_scoring.models.calibration import Calibration, choose_calibration
from credit_scoring.texts import Texts, texts_in

_TEMPLATES = markdown_templates(__file__)
_TEMPLATE = Path(__file__).with_name("scorecard.typ")
_METRICS = ("roc_auc", "business_cost", "log_loss")
_MOST_NAMED = 4
"""Categories of an attribute that the page names at most; those of the attribute that has most are then the others."""
_SCALES: Mapping[Unit, tuple[str, float]] = {
    "share": ("percent", 100),
    "ratio": ("percent", 100),
    "years": ("years", 1),
    "months": ("months", 1),
    "days": ("days", 1),
    "day_gap": ("days", 1),
    "days_as_years": ("years", 1 / 365.25),
    "elapsed_days": ("years", -1 / 365.25),
    "date_days": ("years_ago", -1 / 365.25),
    "date_planned_days": ("years_ago", -1 / 365.25),
    "date_months": ("months_ago", -1),
    "hour": ("hours", 1),
    "amount": ("amount", 1),
}
"""Unit -> the unit that the card tells its bounds in, and what they are multiplied by; others are told as they are."""


def describe_scorecard(
    scorecard: dict[str, Any],
    candidate_predictions: pd.DataFrame,
    candidate_results: list[dict[str, Any]],
    champion: dict[str, Any],
    calibration: dict[str, Any],
    decision_policy: dict[str, Any],
    costs: MisclassificationCosts,
    confidence: float,
) -> dict[str, Any]:
    """Gather what there is to say of the scorecard of the run, in no language.

    A scorecard that is champion has the champion's calibration and cut-off. Any other is calibrated, and its cut-off
    found, on its own out-of-fold probabilities as the champion's are.

    Args:
        scorecard: `name` and `model`, or nothing if none competed.
        candidate_predictions: Out-of-fold probabilities of each candidate.
        candidate_results: How well they did, fold by fold.
        champion: The candidate chosen.
        calibration: Of the champion.
        decision_policy: Of the champion.
        costs: Prices of the wrong decisions.
        confidence: Of the intervals of paired differences to the champion.

    Returns:
        Nothing if no scorecard competed, or `name`, `champion` (what it is called, by language), `is_champion`,
        `applicants` (training rows), `scale` (`pdo`, `base_points`, `base_odds`, `factor`, `offset`), `line`
        (`intercept` and `slope`: calibrated log-odds of default = intercept - slope x score; null where the calibration
        is no line), `variables` (of each its `information_value`, `coefficient` and `attributes` as
        `ScorecardModel.card` gives them, with null for NaN, and whether each is `typical`, the commonest), `cut_off`
        (`threshold`, and `points`: the least score that is approved), `scores` (`points`, `probability`, `share` of
        applicants with at least so many out of fold), `example` (`points` and `probability` of an applicant with the
        commonest attribute of each variable, whether `approved`), `metrics` (mean over the folds, and for a challenger
        the champion's, under `champion`, and the `difference` with its interval).
    """
    if not scorecard:
        return {}
    name, model = scorecard["name"], scorecard["model"]
    is_champion, target = name == champion["name"], candidate_predictions["TARGET"].to_numpy()
    raw = candidate_predictions[name].to_numpy()
    if is_champion:
        curve, threshold = Calibration.from_dict(calibration), float(decision_policy["threshold"])
    else:
        curve, _ = choose_calibration(raw, target, candidate_predictions["FOLD"].to_numpy())
        threshold = break_even_threshold(target, curve.apply(raw), costs)
    card = model.card()
    variables = [_describe_variable(rows) for _, rows in card.groupby("variable", sort=False)]
    total = sum(next(one["points"] for one in of["attributes"] if one["typical"]) for of in variables)
    by_variable = card.groupby("variable")["points"]
    possible = np.arange(by_variable.min().sum(), by_variable.max().sum() + 2)
    approved = curve.apply(model.default_probability(possible)) < threshold
    out_of_fold = model.offset - model.factor * logit(raw)
    step = model.pdo / 2
    low, high = (float(step * np.rint(end / step)) for end in np.percentile(out_of_fold, [1, 99]))
    told = np.arange(low, high + step / 2, step)
    return {
        "name": name,
        "champion": next(one["labels"] for one in candidate_results if one["name"] == champion["name"]),
        "is_champion": is_champion,
        "applicants": int(card["applicants"].sum() / len(variables)),
        "scale": {
            **{key: getattr(model, key) for key in ("pdo", "base_points", "base_odds")},
            "factor": float(model.factor),
            "offset": float(model.offset),
        },
        "line": None
        if curve.method == "isotonic"
        else {
            "intercept": float(curve.slope * model.offset / model.factor + curve.intercept),
            "slope": float(curve.slope / model.factor),
        },
        "variables": variables,
        "cut_off": {"threshold": threshold, "points": int(possible[approved][0]) if approved.any() else None},
        "scores": [
            {"points": float(points), "probability": float(probability), "share": float((out_of_fold >= points).mean())}
            for points, probability in zip(told, curve.apply(model.default_probability(told)), strict=True)
        ],
        "example": {
            "points": total,
            "probability": float(curve.apply(model.default_probability([total]))[0]),
            "approved": bool(curve.apply(model.default_probability([total]))[0] < threshold),
        },
        "metrics": _compare(name, champion["name"], candidate_results, confidence),
    }


def write_scorecard(scorecard_description: dict[str, Any], figures: FigureOptions) -> str:
    """Write the card with all its figures as Markdown; like all documents it speaks English."""
    english = texts_in("en")
    return _TEMPLATES.get_template("scorecard.md.jinja").render(
        card=scorecard_description,
        name_variable=lambda name: _name_variable(name, english),
        name_attribute=lambda name, attribute: _name_attribute(name, attribute, english),
        exactly=_write_exactly,
        source=figures.source,
    )


def set_scorecard(scorecard_description: dict[str, Any], figures: FigureOptions) -> bytes:
    """Set the card as a PDF of one page to add up by, in the language of the figures."""
    import typst  # noqa: PLC0415 - 40 MB of compiler that no other node needs

    content = {
        "language": figures.language,
        "texts": figures.texts.page("scorecard"),
        "synthetic": figures.source == "synthetic",
        **_lay_out(scorecard_description, figures),
    }
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "content.json").write_text(json.dumps(content), encoding="utf-8")
        main = Path(shutil.copy(_TEMPLATE, folder))
        return typst.compile(main, root=Path(folder), format="pdf", ignore_system_fonts=True, timestamp=0)


def _describe_variable(rows: pd.DataFrame) -> dict[str, Any]:
    first, typical = rows.iloc[0], rows["applicants"].idxmax()
    attributes = [
        {
            **{key: None if pd.isna(row[key]) else float(row[key]) for key in ("low", "high", "default_rate", "woe")},
            "categories": row["categories"],
            "missing": bool(row["missing"]),
            "applicants": int(row["applicants"]),
            "points": int(row["points"]),
            "typical": index == typical,
        }
        for index, row in zip(rows.index, rows.to_dict("records"), strict=True)
    ]
    return {
        "variable": first["variable"],
        "information_value": float(first["information_value"]),
        "coefficient": float(first["coefficient"]),
        "attributes": attributes,
    }


def _compare(
    name: str, champion: str, candidate_results: Sequence[Mapping[str, Any]], confidence: float
) -> dict[str, dict[str, Any]]:
    results = {result["name"]: result for result in candidate_results}
    compared = {}
    for metric in _METRICS:
        compared[metric] = {"mean": results[name]["mean"][metric]}
        if name != champion:
            pairs = zip(results[name]["folds"], results[champion]["folds"], strict=True)
            difference = corrected_fold_interval(
                [mine[metric] - its[metric] for mine, its in pairs], confidence=confidence
            )
            compared[metric] |= {"champion": results[champion]["mean"][metric], "difference": difference.model_dump()}
    return compared


def _name_variable(name: str, texts: Texts) -> str:
    """Name a variable, with the unit of the bounds of its attributes."""
    feature = find_feature(name)
    label, (unit, _) = feature.client_label(texts.language), _SCALES.get(feature.unit, ("", 1))
    return texts.say("scorecard.variable", label=label, unit=texts.say(f"scorecard.unit.{unit}")) if unit else label


def _name_attribute(name: str, attribute: Mapping[str, Any], texts: Texts, most_named: int | None = None) -> str:
    feature, language = find_feature(name), texts.language
    if attribute["missing"]:
        return feature.client_absent(language) or texts.say("scorecard.missing")
    if feature.unit == "yes_no":
        yes = "Y" in attribute["categories"] if attribute["categories"] is not None else attribute["low"] is not None
        return texts.say("reasons.yes" if yes else "reasons.no")
    if attribute["categories"] is not None:
        if most_named is not None and len(attribute["categories"]) > most_named:
            return texts.say("common.others")
        labels = (category_label(category, language) for category in attribute["categories"])  # they may have commas
        return reduce(lambda first, other: texts.say("scorecard.categories", first=first, other=other), labels)
    return _name_range(attribute, _SCALES.get(feature.unit, ("", 1))[1], texts)


def _name_range(attribute: Mapping[str, Any], scale: float, texts: Texts) -> str:
    bounds = [_write_bound(bound, scale, texts) for bound in (attribute["low"], attribute["high"])]
    low, high = bounds if scale > 0 else reversed(bounds)
    order = "forward" if scale > 0 else "backward"  # from the application: there an attribute ends with its bound
    if low is None:
        return texts.say("scorecard.known") if high is None else texts.say(f"scorecard.{order}.below", high=high)
    if high is None:
        return texts.say(f"scorecard.{order}.from", low=low)
    return texts.say(f"scorecard.{order}.between", low=low, high=high)


def _write_bound(bound: float | None, scale: float, texts: Texts) -> str | None:
    """Write a bound with all its digits, or to the hundredth of a year."""
    if bound is None:
        return None
    value = round(scale * bound, 6 if abs(scale) >= 1 else 2)
    digits = next(n for n in range(7) if round(value, n) == value)
    return texts.number(value, f",.{digits}f" if digits else ",")


def _write_exactly(attribute: Mapping[str, Any]) -> str:
    """Write the bounds of an attribute as the data have them."""
    if attribute["missing"] or attribute["categories"] is not None:
        return ""
    bounds = ((">=", attribute["low"]), ("<", attribute["high"]))
    return " and ".join(f"{sign} {bound:.10g}" for sign, bound in bounds if bound is not None)


def _lay_out(card: Mapping[str, Any], figures: FigureOptions) -> dict[str, Any]:
    """Write every word and number of the page."""
    if not card:
        return {"told": [figures.say("scorecard.none")], "header": [], "rows": [], "scores": []}
    texts, cut_off, scale, line = figures.texts, card["cut_off"], card["scale"], card["line"]
    most = max(len(variable["attributes"]) for variable in card["variables"]) - 1
    rows = []
    for variable in card["variables"]:
        name = variable["variable"]
        *cells, missing = [
            {
                "words": _name_attribute(name, attribute, texts, _MOST_NAMED),
                "points": str(attribute["points"]),
                "typical": attribute["typical"],
            }
            for attribute in variable["attributes"]
        ]
        if find_feature(name).unit in _SCALES and _SCALES[find_feature(name).unit][1] < 0:
            cells.reverse()
        rows.append(
            {
                "name": _name_variable(name, texts),
                "cells": cells + [None] * (most - len(cells)),
                "missing": missing,
            }
        )
    return {
        "subtitle": figures.say("scorecard.subtitle", n=card["applicants"], variables=len(rows)),
        "told": [
            figures.say("scorecard.add_up", **{key: scale[key] for key in ("pdo", "base_points", "base_odds")}),
            figures.say("scorecard.cut_off", points=cut_off["points"], threshold=cut_off["threshold"])
            if cut_off["points"] is not None
            else figures.say("scorecard.nobody"),
            *([figures.say("scorecard.line", **line)] if line else []),
            figures.say("scorecard.exact"),
            _tell_example(card["example"], figures),
            *_tell_comparison(card, figures),
        ],
        "columns": most,
        "rows": rows,
        "scores": [
            {
                "points": figures.number(score["points"], ","),
                "probability": figures.percent(score["probability"]),
                "share": figures.percent(score["share"], 0),
                "approved": cut_off["points"] is not None and score["points"] >= cut_off["points"],
            }
            for score in card["scores"]
        ],
    }


def _tell_example(example: Mapping[str, Any], figures: FigureOptions) -> str:
    decision = figures.say(f"common.decided.{'granted' if example['approved'] else 'refused'}")
    return figures.say(
        "scorecard.example", points=example["points"], probability=example["probability"], decision=decision
    )


def _tell_comparison(card: Mapping[str, Any], figures: FigureOptions) -> list[str]:
    auc, cost = card["metrics"]["roc_auc"], card["metrics"]["business_cost"]
    if card["is_champion"]:
        return [figures.say("scorecard.is_champion", auc=auc["mean"], cost=cost["mean"])]
    return [
        figures.say(
            "scorecard.is_challenger",
            champion=card["champion"][figures.language],
            auc=auc["mean"],
            cost=cost["mean"],
            auc_difference=auc["difference"]["estimate"],
            auc_low=auc["difference"]["low"],
            auc_high=auc["difference"]["high"],
            cost_difference=cost["difference"]["estimate"],
            cost_low=cost["difference"]["low"],
            cost_high=cost["difference"]["high"],
        )
    ]
