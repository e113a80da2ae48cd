"""The synthetic_data pipeline."""

from credit_scoring.pipelines.synthetic_data.pipeline import create_pipeline

__all__ = ["create_pipeline"]
