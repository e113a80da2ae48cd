"""Wiring of the threshold tuning pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.threshold_tuning.nodes import (
    build_scorer,
    choose_policy,
    compute_threshold_curve,
    decide_promotion,
    evaluate_policy,
    plot_cost_curve,
    release_scorer,
)


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
                func=choose_policy,
                inputs=["oof_predictions", "champion", "params:costs"],
                outputs="decision_policy",
                name="choose_policy",
            ),
            Node(
                func=evaluate_policy,
                inputs=["holdout_predictions", "decision_policy", "params:costs"],
                outputs="policy_evaluation",
                name="evaluate_policy",
            ),
            Node(
                func=plot_cost_curve,
                inputs=["threshold_curve", "holdout_predictions", "decision_policy", "params:costs", "params:figures"],
                outputs="cost_curve_figure",
                name="plot_cost_curve",
            ),
            Node(
                func=build_scorer,
                inputs=["champion_model", "calibration", "decision_policy"],
                outputs="scorer",
                name="build_scorer",
            ),
            Node(
                func=decide_promotion,
                inputs=[
                    "scorer",
                    "incumbent",
                    "training_rows",
                    "holdout_rows",
                    "params:costs",
                    "params:promotion",
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
                    "training_rows",
                    "holdout_rows",
                    "params:source",
                ],
                outputs="credit_scorer",
                name="release_scorer",
            ),
        ]
    )
