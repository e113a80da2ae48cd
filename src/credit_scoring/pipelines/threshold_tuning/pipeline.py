"""Wiring of the threshold tuning pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.threshold_tuning.nodes import (
    choose_policy,
    compute_threshold_curve,
    evaluate_policy,
    plot_cost_curve,
    release_scorer,
)


def create_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """Out-of-fold probabilities -> decision policy -> its cost on the hold-out -> scorer exported and registered."""
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
                func=release_scorer,
                inputs=[
                    "champion_model",
                    "decision_policy",
                    "policy_evaluation",
                    "training_rows",
                    "holdout_rows",
                    "params:source",
                ],
                outputs="credit_scorer",
                name="release_scorer",
            ),
        ]
    )
