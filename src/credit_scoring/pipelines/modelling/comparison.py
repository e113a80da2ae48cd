"""Comparison of candidates on identical folds: honest thresholds, paired differences, one leaderboard."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from credit_scoring.figures import PALETTE, Figure, FigureOptions, new_figure
from credit_scoring.metrics.calibration import calibration_error_by_chance, expected_calibration_error
from credit_scoring.metrics.cost import MisclassificationCosts, business_cost_loss, refuse
from credit_scoring.metrics.discrimination import decision_metrics, score_metrics
from credit_scoring.metrics.threshold import break_even_threshold
from credit_scoring.metrics.uncertainty import corrected_fold_interval
from credit_scoring.models.complexity import by_hand, rank_of
from credit_scoring.models.labels import HAND_SET, ROW_MODELS, label_candidates
from credit_scoring.models.row_options import OFF, RowModelOptions
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.parallel import WorkerKilledError, Workers
from credit_scoring.pipelines.modelling.folds import Folds, fit_fold, make_folds
from credit_scoring.pipelines.modelling.latency import milliseconds_per_row
from credit_scoring.pipelines.modelling.memory import PeakMemory
from credit_scoring.pipelines.modelling.options import (
    CandidateOptions,
    ChampionOptions,
    CrossValidationOptions,
    read_candidates,
)
from credit_scoring.run_log import tell_progress

logger = logging.getLogger(__name__)

_SHORT = "%9d of %d %s: AUC %.3f, cost %.3f"
_COMPARED = ("business_cost", "roc_auc", "average_precision", "log_loss", "brier")

Fit = tuple[npt.NDArray[np.float64], dict[str, float], dict[str, str]]
"""Of a fold: probabilities of its rows, what was taken, which members a blend went without, and why."""


def cross_validate_candidates(
    training_rows: pd.DataFrame,
    candidates: dict[str, Any],
    selection: SelectionOptions,
    cross_validation: CrossValidationOptions,
    costs: MisclassificationCosts,
    row_features: pd.DataFrame | None = None,
    row_models: RowModelOptions = OFF,
    n_jobs: int = 1,
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Compare the candidates on identical stratified folds.

    Everything is fitted inside the fold: selection of columns, resampling, preprocessing. Decisions are measured at a
    cross-fitted threshold, the break-even one of the out-of-fold probabilities of the *other* folds. A candidate
    that cannot be fitted is reported and left out.

    Args:
        training_rows: One row per applicant: `SK_ID_CURR`, `TARGET`, features.
        candidates: Name -> description of a candidate (see `CandidateOptions`).
        selection: Columns that the models are given.
        cross_validation: Folds.
        costs: Prices of the wrong decisions.
        row_features: Features from row models by fold left out, see `learn_row_features`.
        row_models: Which candidates also compete with them, as `<name>_row_models`, all else being the same.
        n_jobs: Fits at once, see `Workers`.

    Returns:
        Out-of-fold probabilities of default, one row per applicant: `SK_ID_CURR`, `TARGET`, `FOLD`, one column per
        candidate. And the results, one entry per candidate, cheapest first and failed ones last: `name`, the
        candidate's description, `complexity` and `labels` (what it is called, by language; null both if it failed),
        `mean` and `std` of the fold metrics, `folds` (metrics of each, with `threshold` and what `predict_out_of_fold`
        notes), `left_out` (by name of a member that a blend went without in some fold, why), `to_best` (paired
        difference of each metric to the cheapest candidate with its interval), `error` (why it failed, or null).

    Raises:
        ValueError: If no candidate is given, a description or TARGET is wrong, or every candidate fails.
    """
    described = read_candidates(candidates)
    for name in row_models.candidates:
        described[f"{name}{ROW_MODELS}"] = described[name].model_copy(update={"row_models": True})
    folds = make_folds(training_rows, cross_validation.n_folds, cross_validation.seed, selection, row_features, n_jobs)
    kept = ", ".join(str(len(columns)) for columns in folds.columns)
    logger.info("%d columns, %s kept in the folds", folds.features.shape[1], kept)

    out_of_fold = training_rows[["SK_ID_CURR", "TARGET"]].assign(FOLD=folds.fold_of_row)
    results = []
    with Workers(folds, n_jobs) as workers:
        # What takes longest begins first, so that no process is idle at the end
        longest_first = sorted(described, key=lambda name: described[name].complexity != "blend")
        fits = {name: start_fits(described[name], workers, cross_validation.seed) for name in longest_first}
        for number, (name, candidate) in enumerate(described.items(), start=1):
            try:
                probability, resources, left_out = predict_out_of_fold(fits[name], folds)
            except WorkerKilledError:  # which no other candidate would survive
                raise
            except Exception as error:  # of a library's own type: in any case the other candidates go on
                logger.error("%s could not be fitted and is left out: %s", name, error)
                results.append(_result(name, candidate, f"{type(error).__name__}: {error}"))
                continue
            out_of_fold[name] = probability
            results.append(_summarise(name, candidate, folds, probability, resources, costs) | {"left_out": left_out})
            mean = results[-1]["mean"]
            logger.info(_SHORT, number, len(described), name, mean["roc_auc"], mean["business_cost"])
    if len(out_of_fold.columns) == 3:
        reasons = "\n".join(f"  - {result['name']}: {result['error']}" for result in results)
        raise ValueError(f"No candidate could be fitted.\n{reasons}\nHint: mend at least one under `candidates`.")
    ranked = _rank(results, cross_validation)
    labels = label_candidates({result["name"]: result for result in ranked if not result["error"]})
    return out_of_fold, [result | {"labels": labels.get(result["name"])} for result in ranked]


def build_leaderboard(candidate_results: list[dict[str, Any]]) -> pd.DataFrame:
    """Return one row per candidate that was fitted, cheapest first: what was done, means, spreads, differences.

    `left_out` names the members that a blend went without; null for none.
    """
    rows = []
    for result in candidate_results:
        if result["error"]:
            continue
        cost = result["to_best"]["business_cost"]
        rows.append(
            {
                "candidate": result["name"],
                **{f"label_{language}": label for language, label in result["labels"].items()},
                "family": result["family"],
                "imbalance": result["imbalance"],
                "complexity": result["complexity"],
                "by_hand": by_hand(result["complexity"]),
                "left_out": ", ".join(result["left_out"]) or None,
                "training_rows": result["training_rows"],
                **{metric: result["mean"][metric] for metric in ("business_cost", "roc_auc", "gini", "ks")},
                "business_cost_std": result["std"]["business_cost"],
                "roc_auc_std": result["std"]["roc_auc"],
                **{
                    metric: result["mean"][metric]
                    for metric in (
                        "average_precision",
                        "recall",
                        "precision",
                        "f1",
                        "accuracy",
                        "brier",
                        "log_loss",
                        "approval_rate",
                        "threshold",
                        "fit_seconds",
                        "predict_seconds",
                        "fit_megabytes",
                        "columns_needed",
                        "ms_per_row",
                    )
                },
                "cost_to_best": cost["estimate"],
                "cost_to_best_low": cost["low"],
                "cost_to_best_high": cost["high"],
            }
        )
    return pd.DataFrame(rows)


def compare_imbalance_strategies(
    candidate_predictions: pd.DataFrame,
    candidate_results: list[dict[str, Any]],
    cross_validation: CrossValidationOptions,
) -> pd.DataFrame:
    """Compare the treatments of class imbalance with none, candidate by candidate.

    Weights and resampling teach a model another share of defaults than the true one. So beside ranking and cost the
    table shows what becomes of the probabilities: their mean, to be held against the default rate, and their
    calibration error, both before any calibration.

    A tuned candidate is left out for its hand-set self, since the treatments have the hand-set hyper-parameters too.
    Candidates with row models are left out.

    Returns:
        One row per fitted variant of the candidates in which several strategies compete, those that do nothing first:
        `family`, `imbalance`, `roc_auc`, `business_cost`, `cost_to_none` with its interval (`_low`, `_high`), paired by
        fold (null where doing nothing is not a candidate), `log_loss`, `mean_probability`, `default_rate`, `ece`, and
        `ece_by_chance_high`, which an exactly calibrated score would stay below in 95 % of such samples.
    """
    names = {result["name"] for result in candidate_results if not (result["error"] or result["row_models"])}
    alike = names - {name.removesuffix(HAND_SET) for name in names if name.endswith(HAND_SET)}
    fitted = pd.DataFrame([result for result in candidate_results if result["name"] in alike])
    fitted = fitted.sort_values("imbalance", key=lambda strategy: strategy != "none", kind="stable")
    target = candidate_predictions["TARGET"].to_numpy()
    variant_of = [
        name.removesuffix(HAND_SET).removesuffix(f"_{imbalance}")
        for name, imbalance in fitted[["name", "imbalance"]].itertuples(index=False)
    ]
    rows = []
    for (family, _), rivals in fitted.groupby(["family", variant_of], sort=False):
        if rivals["imbalance"].nunique() < 2:
            continue
        nothing = rivals.iloc[0]
        for rival in rivals.to_dict("records"):
            probability = candidate_predictions[rival["name"]].to_numpy()
            row = {
                "family": family,
                "imbalance": rival["imbalance"],
                **{metric: rival["mean"][metric] for metric in ("roc_auc", "business_cost", "log_loss")},
                "mean_probability": float(probability.mean()),
                "default_rate": float(target.mean()),
                "ece": expected_calibration_error(target, probability),
                "ece_by_chance_high": calibration_error_by_chance(probability).high,
            }
            if nothing["imbalance"] == "none":
                to_none = compare_folds(rival, nothing, "business_cost", cross_validation)
                row |= {
                    "cost_to_none": to_none["estimate"],
                    "cost_to_none_low": to_none["low"],
                    "cost_to_none_high": to_none["high"],
                }
            rows.append(row)
    return pd.DataFrame(rows, columns=_IMBALANCE_COLUMNS)


_IMBALANCE_COLUMNS = [
    "family",
    "imbalance",
    "roc_auc",
    "business_cost",
    "cost_to_none",
    "cost_to_none_low",
    "cost_to_none_high",
    "log_loss",
    "mean_probability",
    "default_rate",
    "ece",
    "ece_by_chance_high",
]


def plot_leaderboard(
    candidate_results: list[dict[str, Any]], champion: dict[str, Any], figures: FigureOptions
) -> Figure:
    """Draw cost and AUC of every candidate, fold by fold."""
    shown = [result for result in candidate_results if not result["error"]][::-1]
    figure = new_figure(figsize=(9, 0.36 * len(shown) + 1.7))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, metric in zip(panels, ("business_cost", "roc_auc"), strict=True):
        for row, result in enumerate(shown):
            values = [fold[metric] for fold in result["folds"]]
            winner = result["name"] == champion["name"]
            within_noise = result["to_best"]["business_cost"]["low"] <= 0
            color = PALETTE["chosen" if winner else "neutral" if within_noise else "second"]
            axes.plot(values, np.full(len(values), row), "o", ms=4, alpha=0.5, color=color, mec="none")
            axes.plot([result["mean"][metric]] * 2, [row - 0.28, row + 0.28], color=color, lw=2.4)
        axes.xaxis.set_major_formatter(figures.axis())
        axes.grid(axis="x", color="0.92")
        axes.set_axisbelow(True)
    panels[0].set_ylim(-0.7, len(shown) - 0.3)
    panels[0].set_xlabel(figures.say("model_comparison.cost"))
    panels[1].set_xlabel(figures.say("model_comparison.auc"))
    names = [
        ("★ " if result["name"] == champion["name"] else "") + result["labels"][figures.language] for result in shown
    ]
    panels[0].set_yticks(range(len(shown)), names, fontsize=9)
    return figures.finish(figure, figures.say("model_comparison.title"), figures.say("model_comparison.note"))


def select_champion(
    candidate_results: list[dict[str, Any]], champion: ChampionOptions, cross_validation: CrossValidationOptions
) -> dict[str, Any]:
    """Choose the champion among the candidates that are no more complex than the lender allows.

    The cheapest of them sets the mark. The cost of a few hundred wrong decisions is a noisy measure, so among the
    candidates whose cost is not above the cheapest one's by more than the noise of the folds, the one with the best
    probabilities (log loss) wins: it uses every applicant, and policies are made of probabilities. A lender may prefer
    the simplest of them instead.

    Returns:
        The candidate's description, its `name` and `complexity`; the `reason` of the choice; the lender's wishes,
        `prefer` and `max_complexity`, and the names of the candidates above the bound, `left_out`. And what these
        wishes cost, `given_up`: the candidate that they kept from being chosen (`name`, `labels`, `complexity`)
        and under `difference` the champion's `business_cost`, `roc_auc` and `log_loss` less its, with
        their intervals; null if it is the champion.

    Raises:
        ValueError: If the bound excludes every candidate that could be fitted, but for the baseline.
    """
    fitted = [result for result in candidate_results if not result["error"]]
    names = champion.find_allowed({result["name"]: result["complexity"] for result in fitted})
    allowed = [result for result in fitted if result["name"] in names]
    best, reason = _choose(allowed, champion.prefer, cross_validation)
    freely, _ = _choose(fitted, "best_log_loss", cross_validation)
    left_out = [result["name"] for result in fitted if result["name"] not in names]
    if left_out:
        reason += f"; champion.max_complexity allows at most `{champion.max_complexity}`, without {', '.join(left_out)}"
    given_up = None
    if freely is not best:
        difference = {
            metric: compare_folds(best, freely, metric, cross_validation)
            for metric in ("business_cost", "roc_auc", "log_loss")
        }
        given_up = {name: freely[name] for name in ("name", "labels", "complexity")}
        given_up |= {"difference": difference}
        cost, auc = difference["business_cost"], difference["roc_auc"]
        reason += (
            f"; by best log loss without a bound it would be {freely['name']}: against it, cost per applicant "
            f"{cost['estimate']:+.4f} [{cost['low']:+.4f}, {cost['high']:+.4f}], AUC {auc['estimate']:+.4f} "
            f"[{auc['low']:+.4f}, {auc['high']:+.4f}]"
        )
    logger.info("Champion: %s (%s)", best["name"], reason)
    described = {field: best[field] for field in ("name", "complexity", *CandidateOptions.model_fields)}
    return described | champion.model_dump() | {"reason": reason, "left_out": left_out, "given_up": given_up}


def _choose(
    allowed: list[dict[str, Any]], prefer: str, cross_validation: CrossValidationOptions
) -> tuple[dict[str, Any], str]:
    """Return the one preferred among those level on cost, and why it is."""
    cheapest = allowed[0]
    level = [
        result for result in allowed if compare_folds(result, cheapest, "business_cost", cross_validation)["low"] <= 0
    ]

    def by_log_loss(result: dict[str, Any]) -> tuple[float, float]:
        return result["mean"]["log_loss"], _cost(result)

    if prefer == "simplest":
        # Where noise hides all differences, a constant is level too, and ranks nobody
        models = [result for result in level if result["complexity"] != "constant"] or level
        best = min(models, key=lambda result: (rank_of(result["complexity"]), *by_log_loss(result)))
        return best, f"simplest of the {len(level)} whose cost is within the noise of the cheapest, {cheapest['name']}"
    best = min(level, key=by_log_loss)
    if best is cheapest:
        return best, "least cost and best log loss of those within its noise"
    return best, f"best log loss of the {len(level)} whose cost is within the noise of the cheapest, {cheapest['name']}"


def fold_metrics(
    folds: Folds, probability: npt.NDArray[np.float64], costs: MisclassificationCosts
) -> list[dict[str, float]]:
    """Measure out-of-fold probabilities fold by fold, decisions at the break-even threshold of the other folds."""
    target = folds.target.to_numpy()
    measured = []
    for fold in range(len(folds)):
        inside = folds.fold_of_row == fold
        threshold = break_even_threshold(target[~inside], probability[~inside], costs)
        refused = refuse(probability[inside], threshold)
        measured.append(
            score_metrics(target[inside], probability[inside])
            | decision_metrics(target[inside], refused)
            | {"business_cost": business_cost_loss(target[inside], refused, costs), "threshold": threshold}
        )
    return measured


def start_fits(candidate: CandidateOptions, workers: Workers[Folds], seed: int) -> list[Callable[[], Fit]]:
    """Begin to fit a candidate on the folds, for `predict_out_of_fold`."""
    return [workers.start(_predict_fold, fold, candidate, seed) for fold in range(len(workers.shared))]


def predict_out_of_fold(
    fits: list[Callable[[], Fit]], folds: Folds
) -> tuple[npt.NDArray[np.float64], list[dict[str, float]], dict[str, str]]:
    """Score each row of the folds by a model fitted on the other folds, see `start_fits`.

    Returns:
        Probabilities of default before calibration, shape (n,), in the order of the rows. And what each fold took:
        `fit_seconds`, `predict_seconds`, `fit_megabytes` beyond what the process held; and what its model takes to be
        served: `columns_needed`, the features that it has to be given (none for a constant),
        and `ms_per_row` (see `milliseconds_per_row`). And, by name of a member that a blend went without in some fold,
        why.
    """
    probability = np.empty(len(folds.target))
    resources: list[dict[str, float]] = []
    left_out: dict[str, str] = {}
    for fold, fit in enumerate(tell_progress(fits, "folds")):
        probability[folds.fold_of_row == fold], taken, without = fit()
        resources.append(taken)
        left_out |= without
    return probability, resources, left_out


def _predict_fold(folds: Folds, fold: int, candidate: CandidateOptions, seed: int) -> Fit:
    with PeakMemory() as memory:
        started = time.perf_counter()
        model, rows = fit_fold(folds, fold, candidate, seed)
        fitted = time.perf_counter()
    predicting = time.perf_counter()
    probability = model.predict_proba(rows)[:, 1]
    predicted = time.perf_counter()
    taken = {
        "fit_seconds": fitted - started,
        "predict_seconds": predicted - predicting,
        "fit_megabytes": memory.megabytes,
        "columns_needed": len(model.feature_names_in_) if candidate.complexity != "constant" else 0,
        "ms_per_row": milliseconds_per_row(model, rows),
    }
    return probability, taken, dict(model.left_out_)


def _summarise(
    name: str,
    candidate: CandidateOptions,
    folds: Folds,
    probability: npt.NDArray[np.float64],
    resources: list[dict[str, float]],
    costs: MisclassificationCosts,
) -> dict[str, Any]:
    measured = [
        metrics | taken for metrics, taken in zip(fold_metrics(folds, probability, costs), resources, strict=True)
    ]
    table = pd.DataFrame(measured)
    available = len(folds.target) - len(folds.target) // len(folds)
    return _result(name, candidate) | {
        "complexity": candidate.complexity,
        "training_rows": min(available, candidate.max_rows or available),
        "mean": table.mean().to_dict(),
        "std": table.std(ddof=1).to_dict(),
        "folds": measured,
    }


def _result(name: str, candidate: CandidateOptions, error: str | None = None) -> dict[str, Any]:
    empty: dict[str, Any] = {"complexity": None, "training_rows": 0, "mean": {}, "std": {}, "folds": [], "to_best": {}}
    return {"name": name, **candidate.model_dump(), **empty, "left_out": {}, "error": error}


def _rank(results: list[dict[str, Any]], cross_validation: CrossValidationOptions) -> list[dict[str, Any]]:
    """Order by cost, failed ones last, and add the paired differences to the cheapest."""
    fitted = sorted((result for result in results if not result["error"]), key=_cost)
    best = fitted[0]
    for result in fitted:
        result["to_best"] = {metric: compare_folds(result, best, metric, cross_validation) for metric in _COMPARED}
    return [*fitted, *(result for result in results if result["error"])]


def _cost(result: Mapping[str, Any]) -> float:
    return result["mean"]["business_cost"]


def compare_folds(
    result: Mapping[Any, Any], best: Mapping[Any, Any], metric: str, cross_validation: CrossValidationOptions
) -> dict[str, float]:
    """Return the mean difference of a measure to another candidate, paired by fold, with its interval."""
    differences = [mine[metric] - its[metric] for mine, its in zip(result["folds"], best["folds"], strict=True)]
    return corrected_fold_interval(
        differences, confidence=cross_validation.confidence, n_folds=cross_validation.n_folds
    ).model_dump()
