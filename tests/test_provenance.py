"""Files of different runs are not combined, and a run whose inputs are not there says what to run."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.text import TextDataset

from credit_scoring import provenance
from credit_scoring.errors import RunRefusedError
from credit_scoring.pipeline_registry import register_pipelines
from credit_scoring.provenance import FREE, ProvenanceHooks

ROOT = Path(__file__).parents[1]
FILES = ("raw", "features", "champion", "model", "predictions", "policy", "released", "scores")
RUNGS = range(12)
LADDER = tuple(f"{side}_{i}" for i in range(len(RUNGS) + 1) for side in ("left", "right"))


def clean(raw: str) -> str:
    return raw.strip()


def join(*texts: str) -> str:
    return "+".join(texts)


def take_first(one: str, other: str) -> str:
    return one


PIPELINES = {
    "data_processing": Pipeline(
        [Node(clean, "raw", "cleaned", name="clean"), Node(clean, "cleaned", "features", name="join_features")]
    ),
    "modelling": Pipeline(
        [
            Node(join, ["features", "params:family"], "champion", name="select_champion"),
            Node(join, ["features", "champion"], "model", name="fit_champion"),
            Node(join, ["features", "champion"], "predictions", name="calibrate_champion"),
        ]
    ),
    "threshold_tuning": Pipeline(
        [
            Node(join, ["model", "predictions"], "policy", name="choose_policy"),
            Node(join, ["model", "policy"], "released", name="release"),
        ]
    ),
    "explainability": Pipeline(  # a ladder: two to the power of twelve ways lead from its end to its beginning
        [
            Node(take_first, [f"left_{i}", f"right_{i}"], f"{side}_{i + 1}", name=f"{side}_{i}")
            for i in RUNGS
            for side in ("left", "right")
        ]
    ),
    "reporting": Pipeline([]),
    "scoring": Pipeline([Node(join, ["features", "released"], "scores", name="score")]),
    "monitoring": Pipeline([]),
}


class Project:
    """A project of text files, with pipelines of the real ones' names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("raw", "raw")
        self.run("data_processing", "modelling", "threshold_tuning", "scoring")

    def write(self, name: str, text: str) -> None:
        (self.path / f"{name}.txt").write_text(text)

    def run(self, *names: str, family: str = "trees", nodes: tuple[str, ...] = (), **given: Any) -> None:
        catalog = DataCatalog(
            {name: TextDataset(filepath=f"{self.path}/{name}.txt") for name in (*FILES, *LADDER)}
            | {"params:family": MemoryDataset(family), "cleaned": MemoryDataset()}
        )
        catalog.get("released").metadata = {FREE: True}
        pipeline = sum((PIPELINES[name] for name in names), Pipeline([])).filter(node_names=nodes or None)
        hooks = _create_hook_manager()
        hooks.register(ProvenanceHooks())
        hooks.hook.before_pipeline_run(
            run_params={"project_path": self.path, "env": "test", "runtime_params": given},
            pipeline=pipeline,
            catalog=catalog,
        )
        SequentialRunner().run(pipeline, catalog, hooks)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.setattr(provenance, "pipelines", PIPELINES)
    return Project(tmp_path)


def test_what_belongs_together_is_combined_again_and_again(project: Project) -> None:
    for name in ("threshold_tuning", "scoring", "modelling", "threshold_tuning"):
        project.run(name)
    assert (project.path / "policy.txt").read_text() == "raw+raw+trees+raw+raw+trees"


def test_each_file_is_looked_at_once_however_many_were_made_of_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("left_0", "left")
    project.write("right_0", "right")
    project.run("explainability")
    compared = []
    as_noted = provenance._is_as_noted
    monkeypatch.setattr(provenance, "_is_as_noted", lambda *given: compared.append(given) or as_noted(*given))
    project.run("explainability", nodes=("left_11",))
    # The inputs of the run, then those of its node: each of the 22 notes holds against its file and two others
    assert len(compared) == 2 * 22 * 3
    project.write("right_0", "another")
    with pytest.raises(RunRefusedError, match=r"left_11.txt was made of another right_0.txt.*right_11.txt was made of"):
        project.run("explainability", nodes=("left_11",))


def test_a_model_is_not_combined_with_predictions_of_another_champion(project: Project) -> None:
    project.run("modelling", nodes=("select_champion", "calibrate_champion"), family="points")
    before = (project.path / "policy.txt").read_text()
    with pytest.raises(RunRefusedError, match=r"model.txt was made of another champion.txt than the one") as refused:
        project.run("threshold_tuning")
    assert "predictions" not in refused.value.message
    assert refused.value.message.endswith("Hint: make them anew: kedro run --pipelines modelling --env test.")
    assert (project.path / "policy.txt").read_text() == before
    project.run("modelling", family="points")
    project.run("threshold_tuning")


def test_a_node_does_not_combine_what_the_same_run_has_made_anew_with_what_is_older(project: Project) -> None:
    pieces = ("select_champion", "calibrate_champion", "choose_policy")
    with pytest.raises(RunRefusedError, match=r"model.txt was made of another champion.txt"):
        project.run("modelling", "threshold_tuning", nodes=pieces, family="points")


def test_the_same_champion_again_is_no_other_one(project: Project) -> None:
    project.run("modelling", nodes=("select_champion", "calibrate_champion"))
    project.run("threshold_tuning")


def test_features_are_out_of_date_after_new_raw_data_by_way_of_a_table_that_is_never_stored(project: Project) -> None:
    project.write("raw", "other")
    with pytest.raises(RunRefusedError, match=r"features.txt was made of another raw.txt") as refused:
        project.run("modelling")
    assert "kedro run --pipelines data_processing --env test." in refused.value.message
    with pytest.raises(RunRefusedError, match=r"raw\.txt") as refused:
        project.run("threshold_tuning")
    both = "kedro run --pipelines data_processing --env test && kedro run --pipelines modelling --env test."
    assert both in refused.value.message
    for name in ("data_processing", "modelling", "threshold_tuning"):
        project.run(name)
    assert (project.path / "champion.txt").read_text() == "other+trees"


def test_raw_data_that_are_only_written_again_or_gone_change_nothing(project: Project) -> None:
    project.write("raw", "raw")
    os.utime(project.path / "raw.txt", (1, 1))
    project.run("modelling")
    (project.path / "raw.txt").unlink()
    project.run("modelling")


def test_what_is_released_scores_later_applicants(project: Project) -> None:
    project.write("raw", "other")
    project.run("data_processing")
    project.run("scoring")
    assert (project.path / "scores.txt").read_text().startswith("other+raw+")


def test_a_file_that_was_changed_by_hand_is_taken_as_it_is(project: Project) -> None:
    project.run("modelling", nodes=("select_champion",), family="points")
    for name in ("model", "predictions"):
        project.write(name, "by hand")
    project.run("threshold_tuning")
    assert (project.path / "policy.txt").read_text() == "by hand+by hand"


def test_a_missing_file_is_told_with_what_makes_it(project: Project) -> None:
    (project.path / "model.txt").unlink()
    with pytest.raises(
        RunRefusedError, match=r"is not there: model.txt.\nHint: make it first: kedro run --pipelines m"
    ):
        project.run("threshold_tuning")
    (project.path / "features.txt").unlink()
    given = {"batch": "november", "scoring": {"reasons": True}}
    said = "kedro run --pipelines batch_scoring --env test --params batch=november,scoring.reasons=True"
    with pytest.raises(RunRefusedError, match=said):
        project.run("scoring", **given)


def test_a_raw_file_that_is_missing_is_left_to_its_own_check(project: Project) -> None:
    (project.path / "raw.txt").unlink()
    with pytest.raises(Exception, match="Failed while loading data from dataset"):
        project.run("data_processing")


def test_a_table_that_is_never_stored_is_told_with_where_to_begin(project: Project) -> None:
    with pytest.raises(
        RunRefusedError, match=r"cleaned \(never stored\).\nHint: begin where it is made: .*nodes clean "
    ):
        project.run("data_processing", nodes=("join_features",))


def test_from_every_node_a_run_may_begin_or_is_told_a_node_from_which_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    real = register_pipelines()
    monkeypatch.setattr(provenance, "pipelines", real)
    bootstrap_project(ROOT)
    with KedroSession.create(ROOT, env="test") as session:
        hooks = ProvenanceHooks()
        hooks._project, hooks._catalog = ROOT, session.load_context().catalog

    def never_stored(pipeline: Pipeline) -> set[str]:
        wanted = {name for name in pipeline.inputs() if not provenance._is_parameter(name)}
        return {name for name in wanted if hooks._path(name) is None and hooks._makers(name)}

    begun = 0
    for node in real["__default__"].nodes:
        lacking = never_stored(real["__default__"].from_nodes(node.name))
        entries = set().union(*map(hooks._entries, lacking))
        if lacking:
            assert entries == {"inspect_raw_tables"}
            assert never_stored(real["__default__"].from_nodes(*entries)) == set()
        begun += not lacking
    assert begun > 60
