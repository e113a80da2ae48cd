"""Wiring of the scoring pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.scoring.nodes import (
    count_applicants,
    count_decisions,
    format_kaggle_submission,
    score_applicants,
    score_applicants_on_spark,
    select_applicants,
)

_COUNT = Node(func=count_decisions, inputs="scores@ibis", outputs="decision_counts", name="count_decisions")


def create_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """Features of applicants to score -> probability, decision, threshold -> submission file."""
    return _create_selection() + Pipeline(
        [
            _COUNT,
            Node(
                func=score_applicants,
                inputs=[
                    "applicants_to_score@chunks",
                    "credit_scorer",
                    "served_model",
                    "params:scoring",
                    "history_rows",
                ],
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


def create_spark_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """Features of applicants to score -> probability, decision, threshold, by the executors of Spark."""
    return _create_selection() + Pipeline(
        [
            _COUNT,
            Node(
                func=score_applicants_on_spark,
                inputs=["applicants_to_score@ibis", "spark_scorer", "credit_scorer", "served_model", "params:scoring"],
                outputs="scores@ibis",
                name="score_applicants_on_spark",
                tags="spark",
            ),
        ]
    )


def _create_selection() -> Pipeline:
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
                    "history_rows",
                ],
                outputs="applicants_to_score@ibis",
                name="select_applicants",
            ),
        ]
    )
