"""Wiring of the threshold tuning pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.threshold_tuning.figures import (
    plot_confusion_matrices,
    plot_cost_curve,
    plot_gains,
    plot_sensitivity,
)
from credit_scoring.pipelines.threshold_tuning.gap_rules import learn_gap_rules
from credit_scoring.pipelines.threshold_tuning.nodes import (
    build_scorer,
    choose_policy,
    compute_threshold_curve,
    evaluate_amounts,
    evaluate_policy,
    measure_sensitivity,
    view_threshold_grid,
)
from credit_scoring.pipelines.threshold_tuning.promotion import (
    decide_promotion,
    record_decisions,
    release_scorer,
)
from credit_scoring.pipelines.threshold_tuning.reason_book import write_reason_book


def create_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """Out-of-fold probabilities -> decision policy -> its cost on the hold-out -> scorer compared with the champion."""
    return Pipeline(
        [
            Node(
                func=compute_threshold_curve,
                inputs=["oof_predictions", "params:costs"],
                outputs="threshold_curve",
                name="compute_threshold_curve",
            ),
            Node(
                func=view_threshold_grid,
                inputs=["threshold_curve", "params:policy"],
                outputs="threshold_grid_table",
                name="view_threshold_grid",
            ),
            Node(
                func=choose_policy,
                inputs=[
                    "oof_predictions",
                    "champion",
                    "champion_model",
                    "calibration",
                    "params:costs",
                    "params:policy",
                    "params:review",
                ],
                outputs="decision_policy",
                name="choose_policy",
            ),
            Node(
                func=evaluate_policy,
                inputs=["holdout_predictions", "decision_policy", "params:costs", "params:policy", "params:review"],
                outputs="policy_evaluation",
                name="evaluate_policy",
            ),
            Node(
                func=evaluate_amounts,
                inputs=[
                    "oof_predictions",
                    "training_rows",
                    "holdout_predictions",
                    "holdout_rows",
                    "decision_policy",
                    "params:amounts",
                    "params:policy",
                ],
                outputs="amount_evaluation",
                name="evaluate_amounts",
            ),
            Node(
                func=measure_sensitivity,
                inputs=["oof_predictions", "holdout_predictions", "decision_policy", "params:policy"],
                outputs="threshold_sensitivity_table",
                name="measure_sensitivity",
            ),
            Node(
                func=plot_cost_curve,
                inputs=["threshold_curve", "holdout_predictions", "decision_policy", "params:costs", "params:figures"],
                outputs="courbe_cout_vs_seuil_figure",
                name="plot_cost_curve",
            ),
            Node(
                func=plot_confusion_matrices,
                inputs=["policy_evaluation", "params:figures"],
                outputs="matrices_confusion_figure",
                name="plot_confusion_matrices",
            ),
            Node(
                func=plot_gains,
                inputs=["holdout_predictions", "decision_policy", "params:figures"],
                outputs="gains_et_ks_figure",
                name="plot_gains",
            ),
            Node(
                func=plot_sensitivity,
                inputs=["threshold_sensitivity_table", "decision_policy", "params:costs", "params:figures"],
                outputs="cout_selon_ratio_figure",
                name="plot_sensitivity",
            ),
            Node(
                func=write_reason_book,
                inputs=[
                    "champion_model",
                    "calibration",
                    "training_rows",
                    "oof_predictions",
                    "decision_policy",
                    "params:reasons",
                ],
                outputs="reason_book",
                name="write_reason_book",
            ),
            Node(
                func=learn_gap_rules,
                inputs=["champion_model", "permitted_training_rows", "params:gaps"],
                outputs="gap_rules",
                name="learn_gap_rules",
            ),
            Node(
                func=build_scorer,
                inputs=[
                    "champion_model",
                    "calibration",
                    "decision_policy",
                    "reason_book",
                    "gap_rules",
                    "params:protected",
                    "row_models",
                    "params:counterfactual",
                ],
                outputs="scorer",
                name="build_scorer",
            ),
            Node(
                func=record_decisions,
                inputs=["oof_predictions", "decision_policy"],
                outputs="out_of_fold_decisions",
                name="record_decisions",
            ),
            Node(
                func=decide_promotion,
                inputs=[
                    "out_of_fold_decisions",
                    "decision_policy",
                    "incumbent",
                    "params:costs",
                    "params:promotion",
                    "params:protected",
                    "params:champion.max_complexity",
                ],
                outputs="promotion_decision",
                name="decide_promotion",
            ),
            Node(
                func=release_scorer,
                inputs=[
                    "scorer",
                    "policy_evaluation",
                    "promotion_decision",
                    "out_of_fold_decisions",
                    "training_rows",
                    "holdout_rows",
                    "incumbent",
                    "params:source",
                ],
                outputs="credit_scorer",
                name="release_scorer",
            ),
        ]
    )
