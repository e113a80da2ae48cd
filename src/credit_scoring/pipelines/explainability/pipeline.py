"""Wiring of the explainability pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.explainability.nodes import (
    explain_examples,
    explain_holdout,
    plot_global_importance,
    plot_local_explanations,
    rank_features,
)


def create_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """Champion and hold-out -> SHAP values -> global ranking, and three clients explained."""
    return Pipeline(
        [
            Node(
                func=explain_holdout,
                inputs=["scorer", "holdout_rows", "params:explanation"],
                outputs=["shap_values", "explained_rows"],
                name="explain_holdout",
            ),
            Node(func=rank_features, inputs="shap_values", outputs="global_importance", name="rank_features"),
            Node(
                func=plot_global_importance,
                inputs=["shap_values", "explained_rows", "params:explanation", "params:figures"],
                outputs="shap_global_figure",
                name="plot_global_importance",
            ),
            Node(
                func=explain_examples,
                inputs=["scorer", "holdout_rows"],
                outputs="local_explanations",
                name="explain_examples",
            ),
            Node(
                func=plot_local_explanations,
                inputs=["local_explanations", "params:explanation", "params:figures"],
                outputs="shap_local_figure",
                name="plot_local_explanations",
            ),
        ]
    )
