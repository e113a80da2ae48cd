"""What every document of the reporting pipeline is tested with."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from credit_scoring.models import family_class
from credit_scoring.pipelines.reporting import create_pipeline


def found(family: str, trials: int, pruned: int, difference: tuple[float, float, float]) -> dict[str, Any]:
    """What a search found; without a difference, that nothing beats the values set by hand."""
    estimate, low, high = difference
    params = {
        "num_leaves": {"before": 8, "after": 5},
        "colsample_bytree": {"before": None, "after": 0.0547480222},
    }
    return {
        "labels": dict(family_class(family).labels),
        "metric": "log_loss",
        "trials": trials,
        "pruned": pruned,
        "params": params if estimate else {},
        "log_loss": {
            "before": 0.2425,
            "after": 0.2425 + estimate,
            "difference": {"estimate": estimate, "low": low, "high": high},
        },
        "business_cost": {"difference": {"estimate": 2 * estimate, "low": 2 * low, "high": 2 * high}},
    }


@pytest.fixture
def write() -> Callable[[str, Mapping[str, Any]], Any]:
    """Return a function that makes a document of the pipeline from datasets by name, sections and all."""

    def make(document: str, datasets: Mapping[str, Any]) -> Any:
        catalog = DataCatalog({name: MemoryDataset(data, copy_mode="assign") for name, data in datasets.items()})
        return SequentialRunner().run(create_pipeline().to_outputs(document), catalog)[document].load()

    return make
