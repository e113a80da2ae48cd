"""The report of a run as a PDF: what it says is gathered here, how it looks is in `report.typ`."""

import io
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from credit_scoring.explanations import sum_by_cause
from credit_scoring.features.catalogue import FEATURES, find_feature
from credit_scoring.features.categories import category_label
from credit_scoring.features.records import THEMES, Theme
from credit_scoring.figures import FigureOptions
from credit_scoring.models import family_class
from credit_scoring.pipelines.reporting.report_words import STRATEGIES, TEXTS

_TEMPLATE = Path(__file__).with_name("report.typ")
_POLICIES = ("tuned", "theoretical", "half", "grant_all", "refuse_all")
_PAGES = ("runs", "model")
_N_FEATURES, _N_THEMES, _N_CAUSES = 7, 5, 4
_CLEAR = 0.3
"""Rank correlation of a value with its contribution from which on the effect has a direction."""
_FEWEST = 20
"""Applications of a category from which on its mean contribution is told."""
_WIDEST = 1400
"""Pixels of a picture's width: 200 to the inch across the page."""


def report_headline(
    diagnosis: Mapping[str, Any], evaluation: Mapping[str, Any], policy: Mapping[str, Any], figures: FigureOptions
) -> dict[str, Any]:
    """Gather what stands first and last: suspicions, the four figures that a reader looks for, the limits."""
    return {
        "flags": diagnosis["flags"],
        "tiles": _tiles(diagnosis, evaluation, policy, figures),
        "limits": _tell_limits(evaluation, diagnosis, policy, figures),
    }


def report_comparison(
    leaderboard: pd.DataFrame,
    imbalance_comparison: pd.DataFrame,
    champion: Mapping[str, Any],
    calibration: Mapping[str, Any],
    diagnosis: Mapping[str, Any],
    policy: Mapping[str, Any],
    n_folds: int,
    max_features: int,
    figures: FigureOptions,
) -> dict[str, Any]:
    """Say how the candidates were compared, and which became champion."""
    return {
        "told": [
            _tell_modelling(leaderboard, policy, n_folds, max_features, figures),
            *_tell_imbalance(imbalance_comparison, figures),
            _tell_champion(champion, calibration, diagnosis, figures),
        ],
        "leaderboard": _tabulate_candidates(leaderboard, champion, n_folds, figures),
    }


def report_decision(
    policy: Mapping[str, Any], evaluation: Mapping[str, Any], amounts: Mapping[str, Any], figures: FigureOptions
) -> dict[str, Any]:
    """Say at which threshold an application is refused, what that costs, and what other policies would cost."""
    return {
        "told": _tell_decision(policy, evaluation, amounts, figures),
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
        "themes": _tell_themes(family_importance, figures),
        "top": TEXTS[figures.language]["top"].format(n=figures.number(f"{len(shap_values):,}")),
        "heaviest": _tell_variables(importance, shap_values, rows, figures),
    }


def report_clients(
    clients: Sequence[Mapping[str, Any]],
    stability: Mapping[str, Any],
    audit: Mapping[str, Any],
    mitigations: pd.DataFrame,
    figures: FigureOptions,
) -> dict[str, Any]:
    """Explain the scores of a few clients, and say how far explanations go and how groups of clients fare."""
    return {
        "explained": _tell_clients(clients, figures),
        "conduct": _tell_conduct(stability, audit, mitigations, figures),
    }


def write_report(
    cost_curve: Image.Image,
    shap_global: Image.Image,
    mlflow_pages: Mapping[str, Image.Image],
    figures: FigureOptions,
    **sections: Any,
) -> bytes:
    """Set the report of the run: approach, results, decision, variables, tracking, limits.

    Every number and name in it is read from an artefact or a parameter. The same inputs give the same bytes: the
    document has no date.

    Args:
        cost_curve: The cost over the threshold.
        shap_global: What weighs overall.
        mlflow_pages: Pictures of MLflow's pages, `runs` and `model`; one is shown only if it says in `info` which
            `run` it was taken of, which may be an earlier one.
        figures: Language, and source of the data: synthetic data are marked on every page.
        **sections: What each of the `report_…` functions returns, by the second word of its name.

    Returns:
        A PDF of two or three pages.
    """
    import typst  # noqa: PLC0415 - 40 MB of compiler that no other node needs

    texts = TEXTS[figures.language]
    pages = {name: page for name in _PAGES if (page := mlflow_pages.get(name)) is not None and "run" in page.info}
    pictures = {"cost_curve": cost_curve, "shap_global": shap_global, **pages}
    content = {
        "language": figures.language,
        "texts": texts,
        "subtitle": texts["subtitle"].format(source=texts.get(f"source_{figures.source}", figures.source)),
        "synthetic": figures.source == "synthetic",
        "screenshots": [
            {"name": name, "caption": f"{texts[f'{name}_page'].rstrip('.')} ({page.info['run']})."}
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
    texts, tuned = TEXTS[figures.language], evaluation["policies"]["tuned"]
    return [
        {
            "label": texts["tile_auc"],
            "value": _decimal(evaluation["score"]["roc_auc"], figures, 4),
            "note": texts["interval"].format(**_ends(diagnosis["holdout_interval"], figures)),
        },
        {
            "label": texts["tile_threshold"],
            "value": _decimal(tuned["threshold"], figures, 4),
            "note": texts["interval"].format(**_ends(policy["threshold_interval"], figures)),
        },
        {
            "label": texts["tile_cost"],
            "value": _decimal(tuned["business_cost"], figures, 4),
            "note": texts["tile_cost_note"].format(
                **_ends(tuned["business_cost_interval"], figures),
                grant_all=_decimal(evaluation["policies"]["grant_all"]["business_cost"], figures, 4),
            ),
        },
        {
            "label": texts["tile_granted"],
            "value": figures.percent(tuned["grant_rate"]),
            "note": texts["tile_granted_note"].format(
                missed=_count(tuned["false_negatives"], figures), refused=_count(tuned["false_positives"], figures)
            ),
        },
    ]


def report_preparation(
    quality: Mapping[str, Any], policy: Mapping[str, Any], evaluation: Mapping[str, Any], figures: FigureOptions
) -> str:
    """Say what the data are and how they were split."""
    texts, rows = TEXTS[figures.language], quality["rows"]
    findings = len(quality["findings"])
    told = ("no_findings", "one_finding")[findings] if findings <= 1 else "findings"
    features = set(FEATURES)
    training, holdout = policy["chosen_on"]["applicants"], evaluation["applicants"]
    return texts["preparation"].format(
        tables=len({name.removesuffix("_train").removesuffix("_test") for name in rows}),
        files=len(rows),
        rows=_count(sum(rows.values()), figures),
        findings=texts[told].format(n=_count(findings, figures)),
        features=_count(len(features), figures),
        training=_count(training, figures),
        holdout=_count(holdout, figures),
        share=figures.percent(holdout / (training + holdout), 0),
    )


def _tell_modelling(
    leaderboard: pd.DataFrame, policy: Mapping[str, Any], n_folds: int, max_features: int, figures: FigureOptions
) -> str:
    families = [family_class(family).labels[figures.language] for family in leaderboard["family"].unique()]
    text = TEXTS[figures.language]["modelling"].format(
        n=len(families),
        families=_enumerate(families, figures),
        folds=n_folds,
        features=max_features,
        fn=figures.number(f"{policy['costs']['false_negative']:g}"),
        fp=figures.number(f"{policy['costs']['false_positive']:g}"),
    )
    return text[0].upper() + text[1:]


def _tell_imbalance(comparison: pd.DataFrame, figures: FigureOptions) -> list[str]:
    """Say what was tried against the few defaults and whether it paid; nothing if nothing was tried."""
    treated = comparison[comparison["imbalance"] != "none"]
    if treated.empty:
        return []
    texts, words = TEXTS[figures.language], STRATEGIES[figures.language]
    verdicts = []
    for family, rivals in treated.groupby("family", sort=False):
        better = [words[name] for name in rivals.loc[rivals["cost_to_none_high"] < 0, "imbalance"]]
        verdict = texts["imbalance_better" if better else "imbalance_same"]
        label = family_class(str(family)).labels[figures.language]
        told = verdict.format(family=label, strategies=_enumerate(better, figures))
        verdicts.append(told[0].upper() + told[1:])
    tried = [words[name] for name in dict.fromkeys(treated["imbalance"])]
    return [
        texts["imbalance"].format(
            rate=figures.percent(comparison["default_rate"].iloc[0]),
            strategies=_enumerate(tried, figures),
            verdicts=" ".join(verdicts),
        )
    ]


def _tell_champion(
    champion: Mapping[str, Any], calibration: Mapping[str, Any], diagnosis: Mapping[str, Any], figures: FigureOptions
) -> str:
    texts, chosen = TEXTS[figures.language], calibration["chosen"]
    return texts["champion"].format(
        name=_candidate(champion["family"], champion["imbalance"], champion["name"], figures),
        calibration=texts[chosen],
        before=_decimal(calibration["methods"]["none"]["ece"], figures, 4),
        after=_decimal(calibration["methods"][chosen]["ece"], figures, 4),
        train=_decimal(diagnosis["training"], figures),
        oof=_decimal(diagnosis["out_of_fold"], figures),
        holdout=_decimal(diagnosis["holdout"], figures),
    )


def _tabulate_candidates(
    leaderboard: pd.DataFrame, champion: Mapping[str, Any], n_folds: int, figures: FigureOptions
) -> dict[str, Any]:
    texts = TEXTS[figures.language]
    rows = [
        [
            _candidate(row["family"], row["imbalance"], row["candidate"], figures),
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
        "caption": texts["leaderboard"].format(folds=n_folds),
        "header": [texts[name] for name in ("candidate", "auc", "ap", "recall", "precision", "cost", "difference")],
        "rows": rows,
        "strong": leaderboard["candidate"].tolist().index(champion["name"]),
    }


def _tabulate_policies(evaluation: Mapping[str, Any], figures: FigureOptions) -> dict[str, Any]:
    texts, rows = TEXTS[figures.language], []
    for name in _POLICIES:
        policy = evaluation["policies"][name]
        ends = _ends(policy["business_cost_interval"], figures)
        rows.append(
            [
                texts[name],
                "" if name in ("grant_all", "refuse_all") else _decimal(policy["threshold"], figures, 4),
                _decimal(policy["business_cost"], figures, 4),
                texts["interval"].format(**ends),
                figures.percent(policy["grant_rate"]),
                _count(policy["false_negatives"], figures),
                _count(policy["false_positives"], figures),
            ]
        )
    return {
        "caption": texts["policies"].format(
            n=_count(evaluation["applicants"], figures), rate=figures.percent(evaluation["default_rate"])
        ),
        "header": [
            texts[name] for name in ("policy", "threshold", "cost", "cost_interval", "granted", "missed", "refused")
        ],
        "rows": rows,
        "strong": 0,
    }


def _tell_decision(
    policy: Mapping[str, Any], evaluation: Mapping[str, Any], amounts: Mapping[str, Any], figures: FigureOptions
) -> list[str]:
    texts, policies = TEXTS[figures.language], evaluation["policies"]
    plateau, interval = policy["plateau"], _ends(policy["threshold_interval"], figures)
    told = [
        texts["decision"].format(
            threshold=_decimal(policy["threshold"], figures, 4),
            **interval,
            flat_low=_decimal(plateau["low"], figures, 4),
            flat_high=_decimal(plateau["high"], figures, 4),
            tolerance=figures.percent(plateau["tolerance"], 0),
            theoretical=_decimal(policy["theoretical_threshold"], figures, 4),
        )
    ]
    saving = 1 - policies["tuned"]["business_cost"] / policies["grant_all"]["business_cost"]
    told.append(texts["saving"].format(saving=figures.percent(saving)))
    three_way = evaluation.get("three_way")
    if three_way:
        told.append(
            texts["review"].format(
                **_ends(three_way, figures),
                rate=figures.percent(three_way["review_rate"]),
                cost=_decimal(three_way["business_cost"], figures, 4),
                price=figures.number(f"{three_way['reviewer']['cost']:g}"),
                error=figures.percent(three_way["reviewer"]["error_rate"], 0),
            )
        )
    told.append(
        texts["money"].format(
            loss=figures.percent(amounts["rates"]["loss_given_default"]),
            margin=figures.percent(amounts["rates"]["margin"]),
            tuned=_count(amounts["policies"]["tuned"]["business_cost"], figures),
            grant_all=_count(amounts["policies"]["grant_all"]["business_cost"], figures),
        )
    )
    return told


def _tell_themes(family_importance: pd.DataFrame, figures: FigureOptions) -> str:
    themes = family_importance[family_importance["kind"] == "theme"].nlargest(_N_THEMES, "share")
    told = [f"{_theme(row['family'], figures)} {figures.percent(row['share'], 0)}" for _, row in themes.iterrows()]
    separator = " ; " if figures.language == "fr" else "; "
    return TEXTS[figures.language]["themes"].format(themes=separator.join(told))


def _theme(name: Theme, figures: FigureOptions) -> str:
    words = THEMES[name][("en", "fr").index(figures.language)]
    return words[0].lower() + words[1:]


def _tell_variables(
    importance: pd.DataFrame, shap_values: pd.DataFrame, rows: pd.DataFrame, figures: FigureOptions
) -> list[dict[str, str]]:
    """Say of each of the heaviest variables what it is, what it weighs and in which direction it works."""
    told = []
    for name, share in importance.head(_N_FEATURES)[["feature", "share"]].itertuples(index=False):
        told.append(
            {
                "column": name,
                "name": find_feature(name).client_label(figures.language),
                "theme": _theme(find_feature(name).theme, figures),
                "share": figures.percent(share),
                "weight": round(share / importance["share"].iloc[0], 4),
                "effect": tell_effect(name, rows[name], shap_values[name], figures),
            }
        )
    return told


def tell_effect(name: str, values: pd.Series, contributions: pd.Series, figures: FigureOptions) -> str:
    """Say in which direction a variable works: by rank correlation of value and contribution, or by category.

    Nulls are left out of the correlation; of a text they are a category of their own. An effect without a clear
    direction is said to depend on the rest.
    """
    texts = TEXTS[figures.language]
    is_text = not pd.api.types.is_numeric_dtype(values)
    unit = find_feature(name).unit
    if is_text:
        categories = (
            values.astype("object")
            .where(values.notna(), None)
            .map(lambda value: texts["missing"] if value is None else category_label(value, figures.language))
        )
        by_category = contributions.groupby(categories).agg(["mean", "size"])
        known = by_category.loc[by_category["size"] >= _FEWEST, "mean"]
        if len(known) < 2:
            return texts["mixed"]
        return texts["by_category"].format(worst=known.idxmax(), best=known.idxmin())
    correlation = values.corr(contributions, method="spearman")
    if np.isnan(correlation) or abs(correlation) < _CLEAR:
        return texts["mixed"]
    if unit == "elapsed_days":  # stored as days before the application, told as the time since
        correlation = -correlation
    kind = {"date_days": "later_", "date_months": "later_", "yes_no": "yes_"}.get(unit, "")
    return texts[f"{kind}{'up' if correlation > 0 else 'down'}"]


def _tell_conduct(
    stability: Mapping[str, Any], audit: Mapping[str, Any], mitigations: pd.DataFrame, figures: FigureOptions
) -> list[str]:
    """Say how steady the weights are, what reasons withhold, and how groups fare without the attribute of theirs."""
    texts, told = TEXTS[figures.language], [TEXTS[figures.language]["causality"]]
    if stability["models"]:
        told.append(
            texts["stability"].format(
                models=stability["models"],
                top=stability["top"],
                overlap=figures.percent(stability["overlap"], 0),
            )
        )
    if audit["withheld_attributes"]:
        told.append(
            texts["forbidden"].format(
                attributes=_enumerate(
                    [
                        find_feature(name).client_label(figures.language).lower()
                        for name in audit["withheld_attributes"]
                    ],
                    figures,
                ),
                share=figures.percent(audit["forbidden_share"]),
                withheld=figures.percent(audit["withheld_share"]),
            )
        )
    by_policy = mitigations.set_index("policy")
    if {"as_is", "without_attribute"} <= set(by_policy.index):
        as_is, blind = by_policy.loc["as_is"], by_policy.loc["without_attribute"]
        told.append(
            texts["fairness"].format(
                attribute=find_feature(as_is["attribute"]).client_label(figures.language).lower(),
                gap=figures.percent(as_is["grant_gap"]),
                blind_gap=figures.percent(blind["grant_gap"]),
                blind_cost=_decimal(blind["cost"], figures, 4),
                cost=_decimal(as_is["cost"], figures, 4),
            )
        )
    return told


def _tell_clients(clients: Sequence[Mapping[str, Any]], figures: FigureOptions) -> list[dict[str, Any]]:
    """Say what made each score, as bars to one scale; what no reason may name goes with the other causes."""
    texts = TEXTS[figures.language]
    bars = [_weigh_causes(client, figures) for client in clients]
    longest = max((abs(weight) for one in bars for _, weight in one), default=0.0)
    told = []
    for client, one in zip(clients, bars, strict=True):
        decision = texts[f"{client['decision']}_client"]
        borderline = client["kind"] == "borderline"
        title = texts["borderline" if borderline else "client"]
        score = texts["probability"]
        told.append(
            {
                "title": title.format(decision=decision.lower() if borderline else decision, id=client["client_id"]),
                "score": score.format(
                    p=figures.percent(client["probability_default"]), t=figures.percent(client["threshold"])
                ),
                "bars": [
                    {
                        "label": label,
                        "value": figures.number(f"{weight:+.2f}"),
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
    texts = TEXTS[figures.language]
    causes = sum_by_cause(client["contributions"])
    top = [(entry, weight) for entry, weight in causes if not entry["forbidden"]][:_N_CAUSES]
    bars = [
        (f"{entry[f'label_{figures.language}']}{texts['colon']}{entry[f'shown_{figures.language}']}", weight)
        for entry, weight in top
    ]
    if len(causes) > len(top):
        rest = sum(weight for _, weight in causes) - sum(weight for _, weight in top)
        bars.append((texts["others"].format(n=len(causes) - len(top)), rest))
    return bars


def report_tracking(
    promotion: Mapping[str, Any], policy: Mapping[str, Any], places: Mapping[str, str], figures: FigureOptions
) -> str:
    """Say where the run and its model are kept, and whether the model replaced the champion."""
    texts, incumbent = TEXTS[figures.language], promotion["incumbent"]
    told = "promoted_first" if incumbent is None else "promoted" if promotion["promoted"] else "kept"
    outcome = texts[told].format(version=incumbent)
    difference = promotion["cost_difference"]
    if difference:
        written = _difference(difference["estimate"], difference["low"], difference["high"], figures)
        outcome += texts["promoted_difference"].format(difference=written)
    return texts["tracked"].format(model=places["registered_model"], promotion=outcome, digest=policy["model_digest"])


def _tell_limits(
    evaluation: Mapping[str, Any], diagnosis: Mapping[str, Any], policy: Mapping[str, Any], figures: FigureOptions
) -> list[str]:
    texts, tuned = TEXTS[figures.language], evaluation["policies"]["tuned"]
    interval, costs = tuned["business_cost_interval"], policy["costs"]
    return [
        *([texts["limit_synthetic"]] if figures.source == "synthetic" else []),
        texts["limit_interval"].format(
            width=_decimal(interval["high"] - interval["low"], figures),
            defaults=_count(tuned["false_negatives"] + tuned["true_positives"], figures),
        ),
        texts["limit_overfit"].format(gap=_decimal(diagnosis["training"] - diagnosis["out_of_fold"], figures)),
        texts["limit_costs"].format(ratio=figures.number(f"{costs['false_negative'] / costs['false_positive']:g}")),
        texts["limit_time"],
        texts["limit_granted"],
        texts["limit_law"],
    ]


def _candidate(family: str, imbalance: str, name: str, figures: FigureOptions) -> str:
    """Write a candidate in words; one that is more than its family and a strategy keeps its own name."""
    strategy = STRATEGIES[figures.language].get(imbalance, imbalance)
    plain = family if imbalance == "none" else f"{family}_{imbalance}"
    if name != plain:
        return name
    return f"{family_class(family).labels[figures.language]}{', ' + strategy if strategy else ''}"


def _enumerate(words: Sequence[str], figures: FigureOptions) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])}{TEXTS[figures.language]['and']}{words[-1]}"


def _decimal(value: float, figures: FigureOptions, digits: int = 3) -> str:
    return figures.number(f"{value:.{digits}f}")


def _count(value: float, figures: FigureOptions) -> str:
    return figures.number(f"{value:,.0f}")


def _share(value: float | None, figures: FigureOptions) -> str:
    return "–" if value is None or pd.isna(value) else figures.percent(value)


def _ends(interval: Mapping[str, Any], figures: FigureOptions) -> dict[str, str]:
    return {end: _decimal(interval[end], figures, 4) for end in ("low", "high")}


def _difference(estimate: float, low: float, high: float, figures: FigureOptions) -> str:
    separator = " ; " if figures.language == "fr" else ", "
    ends = separator.join(figures.number(f"{end:+.3f}") for end in (low, high))
    return f"{figures.number(f'{estimate:+.3f}')} [{ends}]"


def _shrink(picture: Image.Image) -> bytes:
    """Return the picture as a PNG on white, no larger than it can be seen in print, with 256 colours."""
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A") if "A" in picture.getbands() else None)
    if flat.width > _WIDEST:
        flat = flat.resize((_WIDEST, round(flat.height * _WIDEST / flat.width)), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    flat.quantize(256).save(written, format="PNG", optimize=True)
    return written.getvalue()
