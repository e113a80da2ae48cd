"""Training rows and hold-out, the champion's final fit, its calibration, the one scoring of the hold-out."""

from typing import Any

import pandas as pd

from credit_scoring.figures import PALETTE, Figure, FigureOptions, new_figure
from credit_scoring.metrics.calibration import (
    calibration_error_by_chance,
    expected_calibration_error,
    reliability_curve,
)
from credit_scoring.models import ScoringModel
from credit_scoring.models.calibration import Calibration, choose_calibration
from credit_scoring.models.selection import SelectionOptions
from credit_scoring.parallel import Workers
from credit_scoring.pipelines.modelling.folds import (
    ALL_FOLDS,
    fit_candidate,
    join_row_features,
    select_plain_features,
    split_columns,
)
from credit_scoring.pipelines.modelling.options import CandidateOptions, CrossValidationOptions


def select_training_rows(model_input: pd.DataFrame, row_features: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the rows that fitting may see, in the order of `SK_ID_CURR`, without `SPLIT`.

    Features from row models, if there are any, are cross-fitted, as the final model learns from them.
    """
    return join_row_features(_rows_of(model_input, "train"), row_features, ALL_FOLDS)


def select_holdout_rows(model_input: pd.DataFrame, row_features: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the rows that no fitting step may see, in the order of `SK_ID_CURR`, without `SPLIT`.

    Features from row models, if there are any, are those that any later applicant gets.
    """
    return join_row_features(_rows_of(model_input, "holdout"), row_features, ALL_FOLDS)


def calibrate_champion(
    candidate_predictions: pd.DataFrame, champion: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], pd.DataFrame]:
    """Choose how the champion's probabilities are calibrated, on its out-of-fold predictions.

    Returns:
        The calibration, fitted on all out-of-fold predictions; its evaluation, in which each fold is calibrated by a
        curve fitted on the other folds (`chosen`, and under `methods` the `log_loss`, `brier` and `ece` of each); and
        the champion's out-of-fold predictions: `SK_ID_CURR`, `TARGET`, `FOLD`, `UNCALIBRATED`, `PROBABILITY`.
    """
    predictions = candidate_predictions[["SK_ID_CURR", "TARGET", "FOLD"]].assign(
        UNCALIBRATED=candidate_predictions[champion["name"]]
    )
    raw = predictions["UNCALIBRATED"].to_numpy()
    calibration, evaluation = choose_calibration(raw, predictions["TARGET"].to_numpy(), predictions["FOLD"].to_numpy())
    return calibration.to_dict(), evaluation, predictions.assign(PROBABILITY=calibration.apply(raw))


def fit_champion(
    training_rows: pd.DataFrame,
    champion: dict[str, Any],
    candidate_results: list[dict[str, Any]],
    selection: SelectionOptions,
    cross_validation: CrossValidationOptions,
    n_jobs: int = 1,
) -> tuple[ScoringModel, dict[str, Any]]:
    """Select columns and fit the champion on all training rows, and beside it the scorecard of the run.

    The scorecard is for a lender to read even where another family is champion.

    Args:
        training_rows: One row per applicant: `SK_ID_CURR`, `TARGET`, features.
        champion: Description of the champion.
        candidate_results: Results of the comparison, among which the scorecard is looked for.
        selection: Columns that the models are given.
        cross_validation: Its seed is that of the fits.
        n_jobs: Fits at once, see `Workers`.

    Returns:
        The champion. And `name` and `model` of the scorecard: the champion if it is one, or else the scorecard
        candidate of best log loss; nothing if no scorecard competed.
    """
    features, target = split_columns(training_rows)
    names = select_plain_features(features, target, selection)
    card = _best_scorecard(champion, candidate_results)
    with Workers((features, target), n_jobs) as workers:
        fits = {
            described["name"]: workers.start(
                _fit_on_all, CandidateOptions.of_result(described), names, cross_validation.seed
            )
            for described in (champion, card)
            if described
        }
        fitted = {name: fit() for name, fit in fits.items()}
    return fitted[champion["name"]], {"name": card["name"], "model": fitted[card["name"]]} if card else {}


def _best_scorecard(champion: dict[str, Any], candidate_results: list[dict[str, Any]]) -> dict[str, Any]:
    # With features learnt from TARGET it would be no card that a person adds up by hand
    cards = [result for result in candidate_results if result["family"] == "scorecard" and not result["error"]]
    cards = [result for result in cards if result["complexity"] == "points"]
    if any(card["name"] == champion["name"] for card in cards):
        return champion
    return min(cards, key=lambda result: result["mean"]["log_loss"], default={})


def _fit_on_all(
    rows: tuple[pd.DataFrame, pd.Series], candidate: CandidateOptions, names: list[str], seed: int
) -> ScoringModel:
    return fit_candidate(candidate, *rows, names, seed)


def predict_holdout(
    champion_model: ScoringModel, calibration: dict[str, Any], holdout_rows: pd.DataFrame
) -> pd.DataFrame:
    """Score the hold-out, once: `SK_ID_CURR`, `TARGET`, `UNCALIBRATED`, `PROBABILITY`."""
    features, _ = split_columns(holdout_rows)
    raw = champion_model.predict_proba(features)[:, 1]
    calibrated = Calibration.from_dict(calibration).apply(raw)
    return holdout_rows[["SK_ID_CURR", "TARGET"]].assign(UNCALIBRATED=raw, PROBABILITY=calibrated)


def plot_calibration(
    oof_predictions: pd.DataFrame,
    holdout_predictions: pd.DataFrame,
    calibration: dict[str, Any],
    figures: FigureOptions,
) -> Figure:
    """Draw observed default rates against predicted ones, in ten groups of equal size with their 95 % intervals."""
    figure = new_figure(figsize=(7.2, 5.6))
    axes = figure.add_subplot()
    highest = 0.0
    method = calibration["method"]
    for predictions, column, color in (
        (oof_predictions, "UNCALIBRATED", PALETTE["main"]),
        (holdout_predictions, "PROBABILITY", PALETTE["second"]),
    ):
        target, probability = predictions["TARGET"].to_numpy(), predictions[column].to_numpy()
        curve = reliability_curve(target, probability, n_bins=10)
        points = 100 * expected_calibration_error(target, probability, n_bins=10)
        chance = 100 * calibration_error_by_chance(probability, n_bins=10).mean
        error = figures.say("calibration.error", n=round(points, 2), error=points, chance=chance)
        label = (
            figures.say("calibration.raw", error=error)
            if column == "UNCALIBRATED"
            else figures.say(f"calibration.final.{method}", error=error)
        )
        errors = [curve["default_rate"] - curve["rate_low"], curve["rate_high"] - curve["default_rate"]]
        axes.errorbar(
            curve["mean_probability"],
            curve["default_rate"],
            yerr=errors,
            fmt="o-",
            ms=4,
            lw=1.3,
            capsize=2,
            color=color,
            label=label,
        )
        highest = max(highest, curve["rate_high"].max(), curve["mean_probability"].max())
    axes.plot([0, highest], [0, highest], ls="--", lw=1, color="0.4", label=figures.say("calibration.perfect"))
    axes.set(xlim=(0, highest * 1.03), ylim=(0, highest * 1.03))
    axes.set(xlabel=figures.say("calibration.x"), ylabel=figures.say("calibration.y"))
    axes.xaxis.set_major_formatter(figures.percent_axis())
    axes.yaxis.set_major_formatter(figures.percent_axis())
    axes.legend(loc="upper left")
    return figures.finish(figure, figures.say("calibration.title"))


def _rows_of(model_input: pd.DataFrame, side: str) -> pd.DataFrame:
    rows = model_input.loc[model_input["SPLIT"] == side].drop(columns="SPLIT")
    return rows.sort_values("SK_ID_CURR", ignore_index=True)
