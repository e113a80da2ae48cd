"""Wiring of the reporting pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.reporting.model_card import (
    describe_conduct,
    describe_performance,
    describe_training,
    write_model_card,
)
from credit_scoring.pipelines.reporting.nodes import (
    summarise_comparison,
    summarise_decision,
    summarise_explanations,
    summarise_run,
)
from credit_scoring.pipelines.reporting.protection import (
    describe_protection,
    report_protection,
    summarise_protection,
)
from credit_scoring.pipelines.reporting.report import (
    report_clients,
    report_comparison,
    report_decision,
    report_headline,
    report_interpretability,
    report_preparation,
    report_tracking,
    report_variables,
    write_report,
)
from credit_scoring.pipelines.reporting.scorecard import describe_scorecard, set_scorecard, write_scorecard


def create_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """Artefacts of the other pipelines -> what people read: the sections of each document, then the document."""
    return Pipeline(
        [
            Node(
                func=summarise_comparison,
                inputs=[
                    "leaderboard_table",
                    "imbalance_comparison_table",
                    "champion",
                    "calibration_evaluation",
                    "champion_diagnosis",
                    "tuning_gain",
                    "decision_policy",
                    "price_of_interpretability_table",
                ],
                outputs="run_summary_section_comparison",
                name="summarise_comparison",
            ),
            Node(
                func=summarise_decision,
                inputs=["policy_evaluation", "champion_diagnosis", "decision_policy", "amount_evaluation"],
                outputs="run_summary_section_decision",
                name="summarise_decision",
            ),
            Node(
                func=summarise_explanations,
                inputs=[
                    "global_importance_table",
                    "importance_stability",
                    "reason_reliability",
                ],
                outputs="run_summary_section_explanations",
                name="summarise_explanations",
            ),
            Node(
                func=summarise_protection,
                inputs=[
                    "protection_price",
                    "protection_proxies_table",
                    "fairness_gaps_table",
                    "fairness_mitigations_table",
                ],
                outputs="run_summary_section_protection",
                name="summarise_protection",
            ),
            Node(
                func=summarise_run,
                inputs=[
                    "run_summary_section_comparison",
                    "run_summary_section_decision",
                    "run_summary_section_explanations",
                    "run_summary_section_protection",
                    "data_quality",
                    "promotion_decision",
                    "params:source",
                    "params:places",
                ],
                outputs="run_summary",
                name="summarise_run",
            ),
            Node(
                func=report_headline,
                inputs=["champion_diagnosis", "policy_evaluation", "decision_policy", "params:figures"],
                outputs="report_headline",
                name="report_headline",
            ),
            Node(
                func=report_preparation,
                inputs=["data_quality", "decision_policy", "policy_evaluation", "params:figures"],
                outputs="report_preparation",
                name="report_preparation",
            ),
            Node(
                func=report_comparison,
                inputs=[
                    "leaderboard_table",
                    "imbalance_comparison_table",
                    "champion",
                    "calibration_evaluation",
                    "champion_diagnosis",
                    "decision_policy",
                    "tuning_gain",
                    "params:cross_validation.n_folds",
                    "params:selection.max_features",
                    "params:figures",
                ],
                outputs="report_comparison",
                name="report_comparison",
            ),
            Node(
                func=report_interpretability,
                inputs=["price_of_interpretability_table", "champion", "params:figures"],
                outputs="report_interpretability",
                name="report_interpretability",
            ),
            Node(
                func=report_decision,
                inputs=["decision_policy", "policy_evaluation", "amount_evaluation", "params:figures"],
                outputs="report_decision",
                name="report_decision",
            ),
            Node(
                func=report_variables,
                inputs=[
                    "global_importance_table",
                    "family_importance_table",
                    "shap_values",
                    "explained_rows",
                    "params:figures",
                ],
                outputs="report_variables",
                name="report_variables",
            ),
            Node(
                func=report_clients,
                inputs=[
                    "local_explanations",
                    "importance_stability",
                    "reason_reliability",
                    "params:figures",
                ],
                outputs="report_clients",
                name="report_clients",
            ),
            Node(
                func=report_protection,
                inputs=[
                    "protection_price",
                    "protection_proxies_table",
                    "fairness_gaps_table",
                    "params:figures",
                ],
                outputs="report_protection",
                name="report_protection",
            ),
            Node(
                func=report_tracking,
                inputs=["promotion_decision", "decision_policy", "params:places", "params:figures"],
                outputs="report_tracking",
                name="report_tracking",
            ),
            Node(
                func=write_report,
                inputs={
                    "cost_curve": "courbe_cout_vs_seuil_figure",
                    "shap_global": "shap_global_figure",
                    "mlflow_pages": "mlflow_pages",
                    "figures": "params:figures",
                    "headline": "report_headline",
                    "preparation": "report_preparation",
                    "comparison": "report_comparison",
                    "interpretability": "report_interpretability",
                    "decision": "report_decision",
                    "variables": "report_variables",
                    "clients": "report_clients",
                    "protection": "report_protection",
                    "tracking": "report_tracking",
                },
                outputs="report",
                name="write_report",
            ),
            Node(
                func=describe_scorecard,
                inputs=[
                    "scorecard",
                    "candidate_predictions",
                    "candidate_results",
                    "champion",
                    "calibration",
                    "decision_policy",
                    "params:costs",
                    "params:cross_validation.confidence",
                ],
                outputs="scorecard_description",
                name="describe_scorecard",
            ),
            Node(
                func=write_scorecard,
                inputs=["scorecard_description", "params:figures"],
                outputs="scorecard_document",
                name="write_scorecard",
            ),
            Node(
                func=set_scorecard,
                inputs=["scorecard_description", "params:figures"],
                outputs="scorecard_page",
                name="set_scorecard",
            ),
            Node(
                func=describe_training,
                inputs=[
                    "data_quality",
                    "champion",
                    "calibration_evaluation",
                    "decision_policy",
                    "policy_evaluation",
                    "promotion_decision",
                    "tuning_gain",
                    "price_of_interpretability_table",
                    "params:source",
                    "params:places",
                ],
                outputs="model_card_section_training",
                name="describe_training",
            ),
            Node(
                func=describe_performance,
                inputs=["champion_diagnosis", "champion_stability", "policy_evaluation", "decision_policy"],
                outputs="model_card_section_performance",
                name="describe_performance",
            ),
            Node(
                func=describe_protection,
                inputs=[
                    "protection_price",
                    "protection_proxies_table",
                    "protection_effect_table",
                    "fairness_by_group_table",
                    "fairness_gaps_table",
                    "fairness_mitigations_table",
                ],
                outputs="model_card_section_protection",
                name="describe_protection",
            ),
            Node(
                func=describe_conduct,
                inputs=[
                    "global_importance_table",
                    "family_importance_table",
                    "importance_stability",
                    "reason_reliability",
                ],
                outputs="model_card_section_conduct",
                name="describe_conduct",
            ),
            Node(
                func=write_model_card,
                inputs=[
                    "model_card_section_training",
                    "model_card_section_performance",
                    "model_card_section_protection",
                    "model_card_section_conduct",
                    "champion_model",
                    "champion_diagnosis",
                    "policy_evaluation",
                    "decision_policy",
                    "params:responsibility",
                    "params:source",
                ],
                outputs="model_card",
                name="write_model_card",
            ),
        ]
    )
