"""Wiring of the synthetic data pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.pipelines.synthetic_data.nodes import generate_twin

RAW_DATASETS = [
    "raw_application_train",
    "raw_application_test",
    "raw_bureau",
    "raw_bureau_balance",
    "raw_previous_application",
    "raw_pos_cash_balance",
    "raw_installments_payments",
    "raw_credit_card_balance",
]


def create_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """Options -> the eight raw files of a synthetic twin, written chunk by chunk and confirmed at the end."""
    return Pipeline(
        [
            Node(
                func=generate_twin,
                inputs="params:synthetic_data",
                outputs=RAW_DATASETS,
                name="generate_twin",
                confirms=RAW_DATASETS,
            ),
        ]
    )
