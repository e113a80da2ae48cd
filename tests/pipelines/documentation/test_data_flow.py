"""The page of the data flow shows what crosses between pipelines, and nothing that stays inside one."""

import re
from pathlib import Path

import pytest
from kedro.framework.project import configure_project
from kedro.io import DatasetError

from credit_scoring.datasets.pipeline_registry import PipelineRegistryDataset
from credit_scoring.pipelines.documentation.data_flow import write_data_flow

ROOT = Path(__file__).parents[3]

PIPELINES = {
    "late": {"inputs": ["model", "table"], "outputs": ["report"]},
    "early": {"inputs": ["file"], "outputs": ["inner", "table", "raw_a", "raw_b", "raw_c", "raw_d"]},
    "middle": {"inputs": ["raw_a", "raw_b", "raw_c", "raw_d", "table"], "outputs": ["model"]},
    "alone": {"inputs": [], "outputs": ["document"]},
}


def test_an_arrow_leads_to_each_reader_once() -> None:
    (picture,) = re.findall(r"```mermaid\nflowchart LR\n(.*?)```", write_data_flow(PIPELINES), flags=re.DOTALL)
    assert picture == "  early --> middle\n  early --> late\n  middle --> late\n"


def test_the_table_names_what_crosses_makers_first_and_counts_many_of_one_kind() -> None:
    rows = [line for line in write_data_flow(PIPELINES).splitlines() if line.startswith("| ")]
    assert rows == [
        "| made by | datasets | read by |",
        "| early | `raw_…` (4) | middle |",
        "| early | `table` | middle, late |",
        "| middle | `model` | late |",
    ]


def test_the_page_in_the_documentation_is_that_of_the_code() -> None:
    configure_project("credit_scoring")
    registered = PipelineRegistryDataset(combined=["__default__", "demo", "batch_scoring"]).load()
    assert registered["modelling"]["inputs"] == ["applicant_features", "history_rows", "tuning_storage"]
    assert "training_rows" in registered["modelling"]["outputs"]
    assert (ROOT / "docs/data_flow.md").read_text() == write_data_flow(registered), (
        "Hint: kedro run --pipelines documentation"
    )


def test_pipelines_cannot_be_saved() -> None:
    with pytest.raises(DatasetError, match="not saved"):
        PipelineRegistryDataset(combined=[]).save({})  # type: ignore[arg-type]
