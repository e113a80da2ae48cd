"""The documentation pipeline."""

from credit_scoring.pipelines.documentation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
