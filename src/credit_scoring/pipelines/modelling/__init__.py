"""The modelling pipeline."""

from credit_scoring.pipelines.modelling.pipeline import create_pipeline

__all__ = ["create_pipeline"]
