"""Wiring of the data processing pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.features.application import CLEAN_APPLICATION, compute_application_features
from credit_scoring.features.bureau import CLEAN_BUREAU, CLEAN_BUREAU_BALANCE, compute_bureau_features
from credit_scoring.features.credit_card import CLEAN_CREDIT_CARD_BALANCE, compute_credit_card_features
from credit_scoring.features.installments import CLEAN_INSTALLMENTS_PAYMENTS, compute_installments_features
from credit_scoring.features.join import join_features
from credit_scoring.features.pos_cash import CLEAN_POS_CASH_BALANCE, compute_pos_cash_features
from credit_scoring.features.previous_application import (
    CLEAN_PREVIOUS_APPLICATION,
    compute_previous_application_features,
)
from credit_scoring.pipelines.data_processing.figures import (
    plot_class_balance,
    plot_distributions_by_outcome,
    plot_missing_values,
    plot_population_shift,
    select_figure_columns,
)
from credit_scoring.pipelines.data_processing.nodes import (
    check_raw_tables,
    inspect_raw_tables,
    split_applicants,
    stack_applications,
)


def create_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """Raw files -> typed and clean tables -> features per source -> one row per applicant, split -> figures."""
    return Pipeline(
        [
            Node(
                func=inspect_raw_tables,
                inputs=[
                    "raw_application_train",
                    "raw_application_test",
                    "raw_bureau",
                    "raw_bureau_balance",
                    "raw_previous_application",
                    "raw_pos_cash_balance",
                    "raw_installments_payments",
                    "raw_credit_card_balance",
                ],
                outputs={
                    "inspected_tables": "inspected_tables",
                    "data_quality": "data_quality",
                    "data_quality_report": "data_quality_report",
                },
                name="inspect_raw_tables",
            ),
            Node(
                func=check_raw_tables,
                inputs=["inspected_tables", "data_quality"],
                outputs={
                    "typed_application_train": "typed_application_train",
                    "typed_application_test": "typed_application_test",
                    "typed_bureau": "typed_bureau",
                    "typed_bureau_balance": "typed_bureau_balance",
                    "typed_previous_application": "typed_previous_application",
                    "typed_pos_cash_balance": "typed_pos_cash_balance",
                    "typed_installments_payments": "typed_installments_payments",
                    "typed_credit_card_balance": "typed_credit_card_balance",
                },
                name="check_raw_tables",
            ),
            Node(
                func=stack_applications,
                inputs=["typed_application_train", "typed_application_test"],
                outputs="typed_application",
                name="stack_applications",
            ),
            Node(
                func=CLEAN_APPLICATION.apply,
                inputs="typed_application",
                outputs="clean_application",
                name="clean_application",
            ),
            Node(func=CLEAN_BUREAU.apply, inputs="typed_bureau", outputs="clean_bureau", name="clean_bureau"),
            Node(
                func=CLEAN_BUREAU_BALANCE.apply,
                inputs="typed_bureau_balance",
                outputs="clean_bureau_balance",
                name="clean_bureau_balance",
            ),
            Node(
                func=CLEAN_PREVIOUS_APPLICATION.apply,
                inputs="typed_previous_application",
                outputs="clean_previous_application",
                name="clean_previous_application",
            ),
            Node(
                func=CLEAN_POS_CASH_BALANCE.apply,
                inputs="typed_pos_cash_balance",
                outputs="clean_pos_cash_balance",
                name="clean_pos_cash_balance",
            ),
            Node(
                func=CLEAN_INSTALLMENTS_PAYMENTS.apply,
                inputs="typed_installments_payments",
                outputs="clean_installments_payments",
                name="clean_installments_payments",
            ),
            Node(
                func=CLEAN_CREDIT_CARD_BALANCE.apply,
                inputs="typed_credit_card_balance",
                outputs="clean_credit_card_balance",
                name="clean_credit_card_balance",
            ),
            Node(
                func=compute_application_features,
                inputs="clean_application",
                outputs="application_features",
                name="compute_application_features",
            ),
            Node(
                func=compute_bureau_features,
                inputs=["clean_bureau", "clean_bureau_balance"],
                outputs="bureau_features",
                name="compute_bureau_features",
            ),
            Node(
                func=compute_previous_application_features,
                inputs="clean_previous_application",
                outputs="previous_application_features",
                name="compute_previous_application_features",
            ),
            Node(
                func=compute_pos_cash_features,
                inputs="clean_pos_cash_balance",
                outputs="pos_cash_features",
                name="compute_pos_cash_features",
            ),
            Node(
                func=compute_installments_features,
                inputs=["clean_installments_payments", "clean_previous_application"],
                outputs="installments_features",
                name="compute_installments_features",
            ),
            Node(
                func=compute_credit_card_features,
                inputs="clean_credit_card_balance",
                outputs="credit_card_features",
                name="compute_credit_card_features",
            ),
            Node(
                func=split_applicants,
                inputs=["application_features", "params:split"],
                outputs="split_applications",
                name="split_applicants",
            ),
            Node(
                func=join_features,
                inputs=[
                    "split_applications",
                    "bureau_features",
                    "previous_application_features",
                    "pos_cash_features",
                    "installments_features",
                    "credit_card_features",
                ],
                outputs="applicant_features@ibis",
                name="join_features",
            ),
            Node(
                func=select_figure_columns,
                inputs="applicant_features@ibis",
                outputs="figure_columns@ibis",
                name="select_figure_columns",
            ),
            Node(
                func=plot_class_balance,
                inputs=["figure_columns@pandas", "params:figures"],
                outputs="desequilibre_classes_figure",
                name="plot_class_balance",
            ),
            Node(
                func=plot_missing_values,
                inputs=["figure_columns@pandas", "params:figures"],
                outputs="valeurs_manquantes_figure",
                name="plot_missing_values",
            ),
            Node(
                func=plot_distributions_by_outcome,
                inputs=["figure_columns@pandas", "params:figures"],
                outputs="distributions_par_cible_figure",
                name="plot_distributions_by_outcome",
            ),
            Node(
                func=plot_population_shift,
                inputs=["figure_columns@pandas", "params:figures"],
                outputs="comparaison_train_test_figure",
                name="plot_population_shift",
            ),
        ]
    )
