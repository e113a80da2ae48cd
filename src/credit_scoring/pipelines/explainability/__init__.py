"""The explainability pipeline, and the one that explains a single client."""

from credit_scoring.pipelines.explainability.pipeline import create_pipeline

__all__ = ["create_pipeline"]
