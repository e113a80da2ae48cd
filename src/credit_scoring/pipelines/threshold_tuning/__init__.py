"""The threshold_tuning pipeline."""

from credit_scoring.pipelines.threshold_tuning.pipeline import create_pipeline

__all__ = ["create_pipeline"]
