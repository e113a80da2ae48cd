"""The exported model as it lies in its folder: what it says of itself, and a function on tables of Spark."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
from kedro.io import AbstractDataset, DatasetError

from credit_scoring.exported_model import DESCRIPTION
from credit_scoring.exported_model.folder import ModelFolder, open_model_folder

_GAPS = "gaps array<struct<column string, gap string, text string>>"
_SCORES = f"probability_default double, decision string, threshold double, {_GAPS}"
_REASONS = "reasons array<struct<effect string, text string>>"
_VIEW = "scores_of_applicants"


class ModelFolderDataset(AbstractDataset[None, ModelFolder]):
    """The contract and the identity of an exported model, its files compared with their digests.

    Args:
        filepath: Folder of the exported model.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> ModelFolder:
        """Check the files and read the description."""
        return open_model_folder(self._folder)

    def save(self, data: None) -> None:
        """Refuse: the scorer's dataset writes the folder."""
        raise NotImplementedError

    def _exists(self) -> bool:
        return (self._folder / DESCRIPTION).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._folder.as_posix()}


@dataclass(frozen=True)
class SparkScorer:
    """Scores a table where it lies: MLflow hands the model to the executors, each of which scores its own rows.

    Attributes:
        folder: The exported model.
    """

    folder: Path

    def score(self, applicants: ir.Table, key: str, *, explain: bool, language: str) -> ir.Table:
        """Score and decide, and say why if asked to, to the last bit as the scorer does.

        Args:
            applicants: Table of Spark: one row per applicant, the key and columns of the model, numbers as float64.
            key: Column that names the applicant.
            explain: Whether to add `reasons`.
            language: Of the reasons.

        Returns:
            The key and what the model predicts, one row per applicant; nothing is computed yet.

        Raises:
            DatasetError: If the table is of another engine.
        """
        import mlflow.pyfunc  # noqa: PLC0415 - takes seconds, and other pipelines do without

        engine = applicants.get_backend()
        if engine.name != "pyspark":
            raise DatasetError(f"A table of {engine.name} cannot be scored by Spark.\nHint: run with --env spark.")
        session = engine._session
        # Executors import the model's code from its folder, which must hold nothing but what is listed
        session.sparkContext.environment["PYTHONDONTWRITEBYTECODE"] = "1"
        udf = mlflow.pyfunc.spark_udf(
            session,
            self.folder.absolute().as_posix(),
            env_manager="local",  # what the executors have: see docs/spark.md
            result_type=f"{_SCORES}, {_REASONS}" if explain else _SCORES,
            params={"explain": explain, "language": language},
        )
        session.udf.register("score_applicant", udf)
        columns = ", ".join(f"`{name}`" for name in applicants.columns if name != key)
        rows = session.sql(engine.compile(applicants))
        scored = rows.selectExpr(key, f"score_applicant(struct({columns})) AS score").selectExpr(key, "score.*")
        scored.createOrReplaceTempView(_VIEW)
        return engine.table(_VIEW)


class SparkScorerDataset(ModelFolderDataset):
    """The exported model for Spark, its files compared with their digests; executors see it under the same path."""

    def load(self) -> SparkScorer:  # type: ignore[override]
        """Return the scorer; the model is loaded where it scores."""
        return SparkScorer(super().load().path)
