"""Wiring of the monitoring pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.monitoring.nodes import (
    judge_drift,
    judge_variables,
    measure_drift,
    read_recorded_decisions,
    score_monitored,
    select_monitored,
)
from credit_scoring.pipelines.monitoring.report import write_drift_report


def create_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """Training rows and new applicants, exported scorer, decision log -> measures of drift -> verdict and report."""
    return Pipeline(
        [
            Node(
                func=select_monitored,
                inputs=["reference_rows", "applicant_features@ibis", "served_model"],
                outputs="monitored_applicants@ibis",
                name="select_monitored",
            ),
            Node(
                func=score_monitored,
                inputs=["monitored_applicants@pandas", "credit_scorer", "reference_history_rows", "history_rows"],
                outputs="monitored_scores",
                name="score_monitored",
            ),
            Node(
                func=measure_drift,
                inputs=["monitored_applicants@pandas", "monitored_scores", "served_model", "params:monitoring"],
                outputs="drift_measures",
                name="measure_drift",
            ),
            Node(
                func=judge_variables,
                inputs=["drift_measures", "params:monitoring"],
                outputs="variable_drift",
                name="judge_variables",
            ),
            Node(
                func=judge_drift,
                inputs=[
                    "variable_drift",
                    "monitored_scores",
                    "monitored_applicants@pandas",
                    "served_model",
                    "params:monitoring",
                    "params:source",
                    "params:batch",
                ],
                outputs="drift_verdict",
                name="judge_drift",
            ),
            Node(
                func=read_recorded_decisions,
                inputs=["params:monitoring", "params:costs"],
                outputs="recorded_decisions",
                name="read_recorded_decisions",
            ),
            Node(
                func=write_drift_report,
                inputs=[
                    "drift_verdict",
                    "variable_drift",
                    "monitored_applicants@pandas",
                    "monitored_scores",
                    "params:monitoring",
                    "params:figures",
                    "recorded_decisions",
                ],
                outputs="drift_report",
                name="write_drift_report",
            ),
        ]
    )
