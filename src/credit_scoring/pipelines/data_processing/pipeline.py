"""Wiring of the data processing pipeline."""

from kedro.pipeline import Node, Pipeline

from credit_scoring.features.history_rows import HISTORIES
from credit_scoring.features.join import join_features
from credit_scoring.features.sources import SOURCES
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
    measure_history_rows,
    split_applicants,
    stack_applications,
)
from credit_scoring.schemas.raw import RAW_TABLES


def create_pipeline(**kwargs: object) -> Pipeline:  # noqa: ARG001
    """Raw files -> typed and clean tables -> features per source -> one row per applicant, split -> figures."""
    tables = [name.lower() for name in RAW_TABLES]
    cleaning = {cleaning.table.lower(): cleaning for source in SOURCES for cleaning in source.cleaning}
    return Pipeline(
        [
            Node(
                func=inspect_raw_tables,
                inputs={"damage": "params:damage", **{table: f"raw_{table}" for table in tables}},
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
                outputs={f"typed_{table}": f"typed_{table}" for table in tables},
                name="check_raw_tables",
            ),
            Node(
                func=stack_applications,
                inputs=["typed_application_train", "typed_application_test"],
                outputs="typed_application",
                name="stack_applications",
            ),
            *(
                Node(func=cleaned.apply, inputs=f"typed_{table}", outputs=f"clean_{table}", name=f"clean_{table}")
                for table, cleaned in cleaning.items()
            ),
            *(
                Node(
                    func=source.compute,
                    inputs=[f"clean_{cleaned.table.lower()}" for cleaned in source.cleaning],
                    outputs=f"{source.name}_features",
                    name=f"compute_{source.name}_features",
                )
                for source in SOURCES
            ),
            Node(
                func=measure_history_rows,
                inputs={
                    "row_models": "params:row_models",
                    **{history.table: f"clean_{history.table}" for history in HISTORIES},
                },
                outputs="history_rows",
                name="measure_history_rows",
            ),
            Node(
                func=split_applicants,
                inputs=["application_features", "params:split"],
                outputs="split_applications",
                name="split_applicants",
            ),
            Node(
                func=join_features,
                inputs=["split_applications", *(f"{source.name}_features" for source in SOURCES[1:])],
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
