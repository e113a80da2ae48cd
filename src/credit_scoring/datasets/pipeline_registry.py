"""The project's pipelines as data."""

from typing import Any

from kedro.framework.project import pipelines
from kedro.io import AbstractDataset, DatasetError


class PipelineRegistryDataset(AbstractDataset[None, dict[str, dict[str, list[str]]]]):
    """What each registered pipeline reads and makes, without parameters; sums of others (`__default__`) left out.

    Args:
        combined: Names of the pipelines that are made of others.
    """

    def __init__(self, *, combined: list[str], metadata: dict[str, Any] | None = None) -> None:
        self._combined = combined
        self.metadata = metadata

    def load(self) -> dict[str, dict[str, list[str]]]:
        """Return `inputs` (from outside the pipeline) and `outputs` (all that it makes) by pipeline, in order."""
        return {
            name: {
                "inputs": sorted({_stored(name) for name in pipeline.inputs() if not name.startswith("param")}),
                "outputs": sorted({_stored(name) for name in pipeline.all_outputs()}),
            }
            for name, pipeline in pipelines.items()
            if name not in self._combined
        }

    def save(self, data: None) -> None:  # noqa: ARG002
        """Refuse: pipelines are written in code."""
        raise DatasetError("Pipelines are registered in pipeline_registry.py, not saved.")

    def _describe(self) -> dict[str, Any]:
        return {"combined": self._combined}


def _stored(name: str) -> str:
    """Return the name without the way it is read."""
    return name.partition("@")[0]
