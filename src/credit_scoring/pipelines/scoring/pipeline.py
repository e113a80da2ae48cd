"""Wiring of the scoring pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.scoring.nodes import format_kaggle_submission, score_applicants


def create_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """Features of applicants to score -> probability, decision, threshold -> submission file."""
    return Pipeline(
        [
            Node(
                func=score_applicants,
                inputs=["applicant_features@pandas", "credit_scorer"],
                outputs="scores",
                name="score_applicants",
            ),
            Node(
                func=format_kaggle_submission,
                inputs="scores",
                outputs="kaggle_submission",
                name="format_kaggle_submission",
            ),
        ]
    )
