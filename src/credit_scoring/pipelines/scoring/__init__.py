"""The scoring pipeline, and the one that scores on Spark."""

from credit_scoring.pipelines.scoring.pipeline import create_pipeline, create_spark_pipeline

__all__ = ["create_pipeline", "create_spark_pipeline"]
