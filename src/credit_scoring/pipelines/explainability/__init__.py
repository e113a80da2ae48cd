"""The explainability pipeline."""

from credit_scoring.pipelines.explainability.pipeline import create_pipeline

__all__ = ["create_pipeline"]
