"""The explainability pipeline, and the one that explains a single client."""

from credit_scoring.pipelines.explainability.pipeline import create_client_pipeline, create_pipeline

__all__ = ["create_client_pipeline", "create_pipeline"]
