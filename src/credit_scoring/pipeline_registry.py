"""The project's pipelines.

Each is imported by name: with `--pipeline X` Kedro's auto-discovery imports folder X only, and sums over the others
fail.
"""

from kedro.pipeline import Pipeline

from credit_scoring.pipelines import (
    data_processing,
    documentation,
    explainability,
    modelling,
    monitoring,
    reporting,
    scoring,
    synthetic_data,
    threshold_tuning,
)


def register_pipelines() -> dict[str, Pipeline]:
    """Return the pipelines by name.

    `__default__` runs on the raw files that are there; `demo` makes synthetic ones first; `batch_scoring` goes from raw
    files of new applicants to their scores; `spark_scoring` scores on a cluster; `documentation` needs none.
    """
    pipelines = {
        "synthetic_data": synthetic_data.create_pipeline(),
        "data_processing": data_processing.create_pipeline(),
        "modelling": modelling.create_pipeline(),
        "threshold_tuning": threshold_tuning.create_pipeline(),
        "explainability": explainability.create_pipeline(),
        "reporting": reporting.create_pipeline(),
        "scoring": scoring.create_pipeline(),
        "spark_scoring": scoring.create_spark_pipeline(),
        "monitoring": monitoring.create_pipeline(),
        "explain_client": explainability.create_client_pipeline(),
        "documentation": documentation.create_pipeline(),
    }
    default = (
        pipelines["data_processing"]
        + pipelines["modelling"]
        + pipelines["threshold_tuning"]
        + pipelines["explainability"]
        + pipelines["reporting"]
    )
    features = pipelines["data_processing"].to_nodes("join_features", "measure_history_rows")
    return pipelines | {
        "batch_scoring": features + pipelines["scoring"],
        "__default__": default,
        "demo": pipelines["synthetic_data"] + default,
    }
