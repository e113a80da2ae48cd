"""Wiring of the explainability pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.explainability.fairness import (
    compare_mitigations,
    measure_fairness,
    measure_protection_effect,
    plot_fairness,
)
from credit_scoring.pipelines.explainability.importance import (
    measure_ranking_stability,
    plot_dependence,
    plot_importance,
)
from credit_scoring.pipelines.explainability.nodes import (
    explain_examples,
    explain_holdout,
    plot_family_importance,
    plot_global_importance,
    plot_local_explanations,
    rank_families,
    rank_features,
)
from credit_scoring.pipelines.explainability.reliability import measure_reason_reliability


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
            Node(func=rank_features, inputs="shap_values", outputs="global_importance_table", name="rank_features"),
            Node(
                func=measure_ranking_stability,
                inputs=["global_importance_table", "importance_by_fold", "params:explanation"],
                outputs="importance_stability",
                name="measure_ranking_stability",
            ),
            Node(
                func=plot_importance,
                inputs=[
                    "global_importance_table",
                    "importance_by_fold",
                    "params:explanation",
                    "params:figures",
                ],
                outputs="importance_variables_figure",
                name="plot_importance",
            ),
            Node(
                func=plot_dependence,
                inputs=["shap_values", "explained_rows", "global_importance_table", "params:figures"],
                outputs="dependance_variables_figure",
                name="plot_dependence",
            ),
            Node(func=rank_families, inputs="shap_values", outputs="family_importance_table", name="rank_families"),
            Node(
                func=measure_reason_reliability,
                inputs=[
                    "scorer",
                    "champion",
                    "permitted_training_rows",
                    "oof_predictions",
                    "holdout_rows",
                    "params:reliability",
                    "params:n_jobs",
                ],
                outputs="reason_reliability",
                name="measure_reason_reliability",
            ),
            Node(
                func=plot_family_importance,
                inputs=["family_importance_table", "params:figures"],
                outputs="importance_par_famille_figure",
                name="plot_family_importance",
            ),
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
            Node(
                func=measure_fairness,
                inputs=[
                    "training_rows",
                    "holdout_rows",
                    "holdout_predictions",
                    "decision_policy",
                    "params:costs",
                    "params:fairness",
                    "params:protected",
                ],
                outputs=["fairness_by_group_table", "fairness_gaps_table"],
                name="measure_fairness",
            ),
            Node(
                func=compare_mitigations,
                inputs=[
                    "training_rows",
                    "oof_predictions",
                    "holdout_rows",
                    "holdout_predictions",
                    "decision_policy",
                    "params:costs",
                    "params:fairness",
                    "params:protected",
                ],
                outputs="fairness_mitigations_table",
                name="compare_mitigations",
            ),
            Node(
                func=measure_protection_effect,
                inputs=["training_rows", "protection_predictions", "params:fairness", "params:protected"],
                outputs="protection_effect_table",
                name="measure_protection_effect",
            ),
            Node(
                func=plot_fairness,
                inputs=["fairness_by_group_table", "params:figures"],
                outputs="equite_par_groupe_figure",
                name="plot_fairness",
            ),
        ]
    )
