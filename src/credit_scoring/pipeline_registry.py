"""The project's pipelines.

Each is imported by name: with `--pipeline X` Kedro's auto-discovery imports folder X only, and sums over the others
fail.
"""

import sys
from collections.abc import Mapping

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
    registered = pipelines | {
        "batch_scoring": features + pipelines["scoring"],
        "__default__": default,
        "demo": pipelines["synthetic_data"] + default,
    }
    if "kedro_viz.server" in sys.modules:
        return {name: _in_boxes(pipeline, pipelines) for name, pipeline in registered.items()}
    return registered


def _in_boxes(registered: Pipeline, pipelines: Mapping[str, Pipeline]) -> Pipeline:
    """Give the nodes the name of their pipeline as namespace: Kedro-Viz, and it alone, draws a box for each."""
    boxes = Pipeline([])
    for name, pipeline in pipelines.items():
        part = registered & pipeline
        registered -= pipeline
        boxes += Pipeline(part, namespace=name, prefix_datasets_with_namespace=False)
    return boxes
