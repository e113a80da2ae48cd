"""Wiring of the documentation pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.documentation.data_flow import write_data_flow
from credit_scoring.pipelines.documentation.nodes import write_data_dictionary, write_feature_dictionary


def create_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """The code itself -> the documents in docs/ that describe it."""
    return Pipeline(
        [
            Node(
                func=write_feature_dictionary,
                inputs=None,
                outputs="feature_dictionary",
                name="write_feature_dictionary",
            ),
            Node(
                func=write_data_dictionary,
                inputs=None,
                outputs="data_dictionary",
                name="write_data_dictionary",
            ),
            Node(
                func=write_data_flow,
                inputs="registered_pipelines",
                outputs="data_flow",
                name="write_data_flow",
            ),
        ]
    )
