"""Wiring of the scoring pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.scoring.nodes import (
    count_applicants,
    format_kaggle_submission,
    score_applicants,
    select_applicants,
)


def create_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """Features of applicants to score -> probability, decision, threshold -> submission file."""
    return Pipeline(
        [
            Node(
                func=count_applicants,
                inputs=["applicant_features@unchecked", "params:scoring"],
                outputs="applicant_counts@ibis",
                name="count_applicants",
            ),
            Node(
                func=select_applicants,
                inputs=[
                    "applicant_features@unchecked",
                    "applicant_counts@pandas",
                    "served_model",
                    "credit_scorer",
                    "params:scoring",
                ],
                outputs="applicants_to_score@ibis",
                name="select_applicants",
            ),
            Node(
                func=score_applicants,
                inputs=["applicants_to_score@chunks", "credit_scorer", "served_model", "params:scoring"],
                outputs="scores@parts",
                name="score_applicants",
            ),
            Node(
                func=format_kaggle_submission,
                inputs="scores@ibis",
                outputs="kaggle_submission",
                name="format_kaggle_submission",
            ),
        ]
    )
