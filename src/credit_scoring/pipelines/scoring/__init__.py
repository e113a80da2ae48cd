"""The scoring pipeline."""

from credit_scoring.pipelines.scoring.pipeline import create_pipeline

__all__ = ["create_pipeline"]
