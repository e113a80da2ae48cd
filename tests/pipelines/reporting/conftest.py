"""What every document of the reporting pipeline is tested with."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from credit_scoring.pipelines.reporting import create_pipeline


@pytest.fixture
def write() -> Callable[[str, Mapping[str, Any]], Any]:
    """Return a function that makes a document of the pipeline from datasets by name, sections and all."""

    def make(document: str, datasets: Mapping[str, Any]) -> Any:
        catalog = DataCatalog({name: MemoryDataset(data, copy_mode="assign") for name, data in datasets.items()})
        return SequentialRunner().run(create_pipeline().to_outputs(document), catalog)[document].load()

    return make
