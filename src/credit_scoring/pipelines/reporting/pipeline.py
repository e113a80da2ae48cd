"""Wiring of the reporting pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.reporting.model_card import write_model_card
from credit_scoring.pipelines.reporting.nodes import summarise_run
from credit_scoring.pipelines.reporting.report import write_report


def create_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """Artefacts of the other pipelines -> what people read."""
    return Pipeline(
        [
            Node(
                func=summarise_run,
                inputs=[
                    "leaderboard",
                    "imbalance_comparison",
                    "champion",
                    "calibration_evaluation",
                    "champion_diagnosis",
                    "policy_evaluation",
                    "promotion_decision",
                    "decision_policy",
                    "amount_evaluation",
                    "global_importance",
                    "importance_stability",
                    "reason_audit",
                    "fairness_mitigations",
                    "data_quality",
                    "params:source",
                    "params:places",
                ],
                outputs="run_summary",
                name="summarise_run",
            ),
            Node(
                func=write_report,
                inputs=[
                    "leaderboard",
                    "imbalance_comparison",
                    "champion",
                    "calibration_evaluation",
                    "champion_diagnosis",
                    "policy_evaluation",
                    "promotion_decision",
                    "decision_policy",
                    "amount_evaluation",
                    "global_importance",
                    "family_importance",
                    "importance_stability",
                    "shap_values",
                    "explained_rows",
                    "local_explanations",
                    "reason_audit",
                    "fairness_mitigations",
                    "data_quality",
                    "cost_curve_figure",
                    "shap_global_figure",
                    "mlflow_screenshots",
                    "params:cross_validation.n_folds",
                    "params:selection.max_features",
                    "params:places",
                    "params:figures",
                ],
                outputs="report",
                name="write_report",
            ),
            Node(
                func=write_model_card,
                inputs=[
                    "champion",
                    "champion_diagnosis",
                    "champion_stability",
                    "calibration_evaluation",
                    "policy_evaluation",
                    "decision_policy",
                    "promotion_decision",
                    "global_importance",
                    "family_importance",
                    "importance_stability",
                    "reason_audit",
                    "fairness_by_group",
                    "fairness_mitigations",
                    "data_quality",
                    "params:source",
                    "params:places",
                ],
                outputs="model_card",
                name="write_model_card",
            ),
        ]
    )
