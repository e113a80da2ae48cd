"""What a model that a person can check costs: the best candidate of each level of complexity, side by side."""

from typing import Any

import pandas as pd

from credit_scoring.figures import PALETTE, Figure, FigureOptions, new_figure
from credit_scoring.models.complexity import COMPLEXITIES, Complexity, by_hand
from credit_scoring.pipelines.modelling.comparison import compare_folds
from credit_scoring.pipelines.modelling.options import CrossValidationOptions

_PRICED = {"business_cost": "cost", "roc_auc": "auc", "log_loss": "log_loss"}


def price_interpretability(
    candidate_results: list[dict[str, Any]], champion: dict[str, Any], cross_validation: CrossValidationOptions
) -> pd.DataFrame:
    """Set the best candidate of each level of complexity beside the best of all, on the folds of the comparison.

    The best is the one of least log loss, as in the choice of the champion: of its level, and of all for the
    differences. Candidates with a treatment of class imbalance are left out, since their log loss before calibration is
    not comparable; a level of nothing else is shown with them. A level with more candidates had more chances, which
    favours it a little.

    Args:
        candidate_results: See `cross_validate_candidates`.
        champion: The candidate chosen.
        cross_validation: Folds and confidence of the intervals.

    Returns:
        One row per level with a fitted candidate, from simple to complex: `complexity`, `candidate`, what it is called
        (`label_en`, `label_fr`), `candidates` (how many of the level it is the best of), `champion` (whether it is it),
        `by_hand` (see `models.complexity`), `columns_needed` and `ms_per_row` (means over the folds), `roc_auc`,
        `business_cost` per applicant at its own cut-off, chosen on the other folds, `log_loss` before calibration; and
        `cost_to_best`, `auc_to_best`, `log_loss_to_best`, the differences to the row of least log loss, paired by fold,
        with their intervals (`_low`, `_high`; see `corrected_fold_interval`). They are 0 for that row.
    """
    fitted = [result for result in candidate_results if not result["error"]]
    rivals: dict[Complexity, list[dict[str, Any]]] = {}
    for level in COMPLEXITIES:
        of_level = [result for result in fitted if result["complexity"] == level]
        untreated = [result for result in of_level if result["imbalance"] == "none"]
        if of_level:
            rivals[level] = untreated or of_level
    best_of = {level: min(found, key=_log_loss) for level, found in rivals.items()}
    best = min(best_of.values(), key=_log_loss)
    rows = []
    for level, result in best_of.items():
        row = {
            "complexity": level,
            "candidate": result["name"],
            **{f"label_{language}": label for language, label in result["labels"].items()},
            "candidates": len(rivals[level]),
            "champion": result["name"] == champion["name"],
            "by_hand": by_hand(level),
            **{name: result["mean"][name] for name in ("columns_needed", "ms_per_row", *_PRICED)},
        }
        for metric, short in _PRICED.items():
            difference = compare_folds(result, best, metric, cross_validation)
            row |= {
                f"{short}_to_best": difference["estimate"],
                f"{short}_to_best_low": difference["low"],
                f"{short}_to_best_high": difference["high"],
            }
        rows.append(row)
    return pd.DataFrame(rows)


def plot_interpretability(price_of_interpretability: pd.DataFrame, figures: FigureOptions) -> Figure:
    """Draw what each level of complexity costs, and loses in AUC, against the best candidate."""
    rows = price_of_interpretability.to_dict("records")
    figure = new_figure(figsize=(10, 0.62 * len(rows) + 2.1))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, short, metric in zip(panels, ("cost", "auc"), ("business_cost", "roc_auc"), strict=True):
        # The baseline is so far off that the others would be one dot: it is told at the edge
        near = [row for row in rows if row["complexity"] != "constant"] or rows
        ends = [row[f"{short}_to_best{end}"] for row in near for end in ("_low", "_high")]
        margin = 0.15 * (max(ends) - min(ends)) or 0.01
        left, right = min(ends) - margin, max(ends) + margin
        for place, row in enumerate(rows):
            low, middle, high = (row[f"{short}_to_best{end}"] for end in ("_low", "", "_high"))
            worse = low > 0 if short == "cost" else high < 0
            color = PALETTE["chosen" if row["champion"] else "second" if worse else "neutral"]
            axes.plot([low, high], [place, place], color=color, lw=1.6, solid_capstyle="butt")
            axes.plot(middle, place, "o", ms=6, color=color)
            value = figures.number(row[metric], ".4f")
            at, align = middle, "center"
            if middle > right:
                value, at, align = f"{value} →", right, "right"
            elif middle < left:
                value, at, align = f"← {value}", left, "left"
            axes.annotate(
                value,
                (at, place),
                (0, 6),
                textcoords="offset points",
                ha=align,
                fontsize=8,
                color=color,
                bbox={"fc": "white", "ec": "none", "pad": 0.8},  # so that it stands on no line
                annotation_clip=False,
            )
        axes.set_xlim(left, right)
        axes.axvline(0, color="0.4", lw=1, ls="--", zorder=0)
        axes.xaxis.set_major_formatter(figures.axis("+g"))
        axes.grid(axis="x", color="0.92")
        axes.set_axisbelow(True)
        axes.set_xlabel(figures.say("interpretability.cost" if short == "cost" else "interpretability.auc"), fontsize=9)
    panels[0].set_ylim(-0.5, len(rows) - 0.3)
    panels[0].set_yticks(range(len(rows)), [_describe(row, figures) for row in rows], fontsize=8.5)
    return figures.finish(figure, figures.say("interpretability.title"), figures.say("interpretability.note"))


def _describe(row: dict[str, Any], figures: FigureOptions) -> str:
    facts = figures.say(
        "interpretability.facts",
        level=figures.say(f"complexity.{row['complexity']}"),
        columns=row["columns_needed"],
        ms=row["ms_per_row"],
        by_hand=figures.say(f"common.by_hand.{row['by_hand']}"),
    )
    return f"{'★ ' if row['champion'] else ''}{row[f'label_{figures.language}']}\n{facts}"


def _log_loss(result: dict[str, Any]) -> float:
    return result["mean"]["log_loss"]
