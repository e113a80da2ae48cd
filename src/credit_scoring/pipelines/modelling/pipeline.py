"""Wiring of the modelling pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.modelling.nodes import (
    cross_validate_candidates,
    fit_champion,
    predict_holdout,
    select_champion,
    select_champion_predictions,
    select_holdout_rows,
    select_training_rows,
)


def create_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """Model input -> candidates compared by cross-validation -> champion fitted and scored on the hold-out."""
    return Pipeline(
        [
            Node(
                func=select_training_rows,
                inputs="model_input@pandas",
                outputs="training_rows",
                name="select_training_rows",
            ),
            Node(
                func=select_holdout_rows,
                inputs="model_input@pandas",
                outputs="holdout_rows",
                name="select_holdout_rows",
            ),
            Node(
                func=cross_validate_candidates,
                inputs=[
                    "training_rows",
                    "params:candidates",
                    "params:selection",
                    "params:cross_validation",
                    "params:costs",
                ],
                outputs=["candidate_predictions", "candidate_results"],
                name="cross_validate_candidates",
            ),
            Node(func=select_champion, inputs="candidate_results", outputs="champion", name="select_champion"),
            Node(
                func=select_champion_predictions,
                inputs=["candidate_predictions", "champion"],
                outputs="oof_predictions",
                name="select_champion_predictions",
            ),
            Node(
                func=fit_champion,
                inputs=["training_rows", "champion", "params:selection"],
                outputs="champion_model",
                name="fit_champion",
            ),
            Node(
                func=predict_holdout,
                inputs=["champion_model", "holdout_rows"],
                outputs="holdout_predictions",
                name="predict_holdout",
            ),
        ]
    )
