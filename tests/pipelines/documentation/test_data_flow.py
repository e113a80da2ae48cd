"""The picture of the data flow shows what crosses between pipelines, and nothing that flows back."""

import re
from pathlib import Path

import pytest
from kedro.framework.project import configure_project
from kedro.io import DatasetError

from credit_scoring.datasets.registry import PipelineRegistryDataset
from credit_scoring.pipelines.documentation.data_flow import draw_data_flow

ROOT = Path(__file__).parents[3]

PIPELINES = {
    "late": {"inputs": ["model", "table"], "outputs": ["report"]},
    "early": {"inputs": ["file"], "outputs": ["inner", "table", "raw_a", "raw_b", "raw_c", "raw_d"]},
    "middle": {"inputs": ["raw_a", "raw_b", "raw_c", "raw_d", "table"], "outputs": ["model"]},
    "alone": {"inputs": [], "outputs": ["document"]},
}


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def arrows(svg: str) -> list[tuple[float, float]]:
    return [(float(x1), float(x2)) for x1, x2 in re.findall(r'x1="([\d.]+)" y1="[\d.]+" x2="([\d.]+)"[^>]*2471a3', svg)]


def test_pipelines_stand_after_those_that_they_read_from() -> None:
    assert [text for text in texts(draw_data_flow(PIPELINES)) if text in PIPELINES] == ["early", "middle", "late"]


def test_only_what_crosses_is_written_and_many_of_one_kind_are_counted() -> None:
    told = [text for text in texts(draw_data_flow(PIPELINES)) if text not in PIPELINES]
    assert told == ["raw_… (4)", "table", "model"]


def test_an_arrow_ends_at_its_last_reader_with_a_dot_at_the_others() -> None:
    svg = draw_data_flow(PIPELINES)
    early, middle, late = 89, 235, 381
    assert arrows(svg) == [(early, middle - 7), (early, late - 7), (middle, late - 7)]
    assert re.findall(r'<circle cx="([\d.]+)"', svg) == [str(middle)]


def test_the_picture_in_the_documentation_is_that_of_the_code() -> None:
    configure_project("credit_scoring")
    registered = PipelineRegistryDataset(combined=["__default__", "demo", "batch_scoring"]).load()
    assert registered["modelling"]["inputs"] == ["applicant_features", "tuning_storage"]
    assert "training_rows" in registered["modelling"]["outputs"]
    assert (ROOT / "docs/images/data_flow.svg").read_text() == draw_data_flow(registered), (
        "Hint: kedro run --pipelines documentation"
    )


def test_pipelines_cannot_be_saved() -> None:
    with pytest.raises(DatasetError, match="not saved"):
        PipelineRegistryDataset(combined=[]).save({})  # type: ignore[arg-type]
