"""Wiring of the modelling pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.modelling.candidate_figures import plot_candidates
from credit_scoring.pipelines.modelling.comparison import (
    build_leaderboard,
    compare_imbalance_strategies,
    cross_validate_candidates,
    plot_leaderboard,
    select_champion,
)
from credit_scoring.pipelines.modelling.diagnostics import diagnose_champion, measure_stability
from credit_scoring.pipelines.modelling.interpretability import plot_interpretability, price_interpretability
from credit_scoring.pipelines.modelling.nodes import (
    calibrate_champion,
    fit_champion,
    plot_calibration,
    predict_holdout,
    select_holdout_rows,
    select_training_rows,
)
from credit_scoring.pipelines.modelling.options import check_candidates
from credit_scoring.pipelines.modelling.protection import leave_out_protected, measure_proxies, price_protection
from credit_scoring.pipelines.modelling.row_features import learn_row_features
from credit_scoring.pipelines.modelling.tuning import measure_tuning, plot_tuning, tune_candidates


def create_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """Model input -> tuned candidates compared by cross-validation -> calibrated champion, scored on the hold-out."""
    return Pipeline(
        [
            Node(
                func=check_candidates,
                inputs=["params:candidates", "params:champion", "params:protected"],
                outputs=None,
                name="check_candidates",
            ),
            Node(
                func=learn_row_features,
                inputs=[
                    "applicant_features@outcomes",
                    "history_rows",
                    "params:row_models",
                    "params:candidates",
                    "params:cross_validation",
                ],
                outputs=["row_models", "row_features"],
                name="learn_row_features",
            ),
            Node(
                func=select_training_rows,
                inputs=["applicant_features@model_input", "row_features"],
                outputs="training_rows",
                name="select_training_rows",
            ),
            Node(
                func=select_holdout_rows,
                inputs=["applicant_features@model_input", "row_features"],
                outputs="holdout_rows",
                name="select_holdout_rows",
            ),
            Node(
                func=leave_out_protected,
                inputs=["training_rows", "params:protected"],
                outputs="permitted_training_rows",
                name="leave_out_protected",
            ),
            Node(
                func=tune_candidates,
                inputs=[
                    "permitted_training_rows",
                    "params:candidates",
                    "params:selection",
                    "params:tuning",
                    "params:costs",
                    "tuning_storage",
                    "params:n_jobs",
                ],
                outputs=["tuned_candidates", "tuning_trials"],
                name="tune_candidates",
            ),
            Node(
                func=cross_validate_candidates,
                inputs=[
                    "permitted_training_rows",
                    "tuned_candidates",
                    "params:selection",
                    "params:cross_validation",
                    "params:costs",
                    "row_features",
                    "params:row_models",
                    "params:n_jobs",
                ],
                outputs=["candidate_predictions", "candidate_results"],
                name="cross_validate_candidates",
            ),
            Node(
                func=measure_tuning,
                inputs=["tuning_trials", "candidate_results", "params:cross_validation"],
                outputs="tuning_gain",
                name="measure_tuning",
            ),
            Node(
                func=plot_tuning,
                inputs=["tuning_trials", "params:figures"],
                outputs="recherche_hyperparametres_figure",
                name="plot_tuning",
            ),
            Node(
                func=build_leaderboard,
                inputs="candidate_results",
                outputs="leaderboard_table",
                name="build_leaderboard",
            ),
            Node(
                func=compare_imbalance_strategies,
                inputs=["candidate_predictions", "candidate_results", "params:cross_validation"],
                outputs="imbalance_comparison_table",
                name="compare_imbalance_strategies",
            ),
            Node(
                func=select_champion,
                inputs=["candidate_results", "params:champion", "params:cross_validation"],
                outputs="champion",
                name="select_champion",
            ),
            Node(
                func=price_interpretability,
                inputs=["candidate_results", "champion", "params:cross_validation"],
                outputs="price_of_interpretability_table",
                name="price_interpretability",
            ),
            Node(
                func=plot_interpretability,
                inputs=["price_of_interpretability_table", "params:figures"],
                outputs="prix_interpretabilite_figure",
                name="plot_interpretability",
            ),
            Node(
                func=plot_leaderboard,
                inputs=["candidate_results", "champion", "params:figures"],
                outputs="comparaison_modeles_figure",
                name="plot_leaderboard",
            ),
            Node(
                func=plot_candidates,
                inputs=["candidate_predictions", "candidate_results", "params:costs", "params:figures"],
                outputs="candidate_figures",
                name="plot_candidates",
            ),
            Node(
                func=calibrate_champion,
                inputs=["candidate_predictions", "champion"],
                outputs=["calibration", "calibration_evaluation", "oof_predictions"],
                name="calibrate_champion",
            ),
            Node(
                func=fit_champion,
                inputs=[
                    "permitted_training_rows",
                    "champion",
                    "candidate_results",
                    "params:selection",
                    "params:cross_validation",
                    "params:n_jobs",
                ],
                outputs=["champion_model", "scorecard"],
                name="fit_champion",
            ),
            Node(
                func=predict_holdout,
                inputs=["champion_model", "calibration", "holdout_rows"],
                outputs="holdout_predictions",
                name="predict_holdout",
            ),
            Node(
                func=price_protection,
                inputs=[
                    "training_rows",
                    "candidate_predictions",
                    "champion",
                    "params:protected",
                    "params:selection",
                    "params:cross_validation",
                    "params:costs",
                    "row_features",
                    "params:n_jobs",
                ],
                outputs=["protection_price", "protection_predictions"],
                name="price_protection",
            ),
            Node(
                func=measure_proxies,
                inputs=[
                    "training_rows",
                    "champion_model",
                    "params:protected",
                    "params:cross_validation",
                    "params:n_jobs",
                ],
                outputs="protection_proxies_table",
                name="measure_proxies",
            ),
            Node(
                func=plot_calibration,
                inputs=["oof_predictions", "holdout_predictions", "calibration", "params:figures"],
                outputs="calibration_figure",
                name="plot_calibration",
            ),
            Node(
                func=diagnose_champion,
                inputs=[
                    "champion_model",
                    "permitted_training_rows",
                    "oof_predictions",
                    "holdout_predictions",
                    "params:diagnosis",
                ],
                outputs="champion_diagnosis",
                name="diagnose_champion",
            ),
            Node(
                func=measure_stability,
                inputs=[
                    "permitted_training_rows",
                    "champion",
                    "candidate_results",
                    "params:selection",
                    "params:cross_validation",
                    "params:diagnosis",
                    "params:costs",
                    "history_rows",
                    "params:row_models",
                    "params:n_jobs",
                ],
                outputs=["champion_stability", "importance_by_fold"],
                name="measure_stability",
            ),
        ]
    )
