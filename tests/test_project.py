"""Conventions that hold across the whole project."""

import inspect
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from kedro.framework.context import KedroContext
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import MemoryDataset
from kedro.pipeline import Pipeline

from credit_scoring.features.records import Cleaning
from credit_scoring.pipeline_registry import register_pipelines
from credit_scoring.pipelines.modelling.options import read_candidates
from credit_scoring.schemas.raw import OFFICIAL_TABLES, RAW_TABLES
from tests.conftest import LONGEST

ROOT = Path(__file__).parents[1]
PIPELINES = register_pipelines()
DEFAULT = ("data_processing", "modelling", "threshold_tuning", "explainability", "reporting")
LAZY = re.compile("typed_|clean_|inspected_tables|application_features|split_applications")
LAYERS = ("raw", "intermediate", "feature", "model_input", "models", "model_output", "reporting")


@pytest.fixture(scope="module", params=["base", "kaggle", "test", "spark"])
def context(request: pytest.FixtureRequest) -> Iterator[KedroContext]:
    bootstrap_project(ROOT)
    with KedroSession.create(ROOT, env=request.param) as session:
        yield session.load_context()


def nodes(pipeline: Pipeline) -> set[str]:
    return {node.name for node in pipeline.nodes}


def test_default_is_everything_from_raw_files_to_report() -> None:
    assert nodes(PIPELINES["__default__"]) == set().union(*(nodes(PIPELINES[name]) for name in DEFAULT))


def test_demo_is_the_synthetic_twin_and_the_default() -> None:
    assert nodes(PIPELINES["demo"]) == nodes(PIPELINES["__default__"]) | nodes(PIPELINES["synthetic_data"])


def test_the_default_neither_makes_data_nor_scores_nor_watches_applicants() -> None:
    others = ("synthetic_data", "scoring", "monitoring")
    assert not nodes(PIPELINES["__default__"]) & set().union(*(nodes(PIPELINES[name]) for name in others))


def test_a_batch_goes_from_its_raw_files_to_scores_and_touches_nothing_that_was_learned() -> None:
    features = PIPELINES["data_processing"].to_nodes("join_features", "measure_history_rows")
    assert nodes(PIPELINES["batch_scoring"]) == nodes(features) | nodes(PIPELINES["scoring"])


def test_a_node_is_named_like_its_function() -> None:
    """One that cleans a table is `apply` of the record that says what cleaning does to it."""
    nodes = [node for pipeline in PIPELINES.values() for node in pipeline.nodes]
    cleaning = [node for node in nodes if isinstance(getattr(node.func, "__self__", None), Cleaning)]
    assert {node.name for node in cleaning} == {f"clean_{node.func.__self__.table.lower()}" for node in cleaning}
    others = [node for node in nodes if node not in cleaning]
    assert [node.func.__name__ for node in others] == [node.name for node in others]


def test_every_node_function_has_a_docstring_and_types() -> None:
    for node in PIPELINES["demo"].nodes:
        signature = inspect.signature(node.func)
        assert node.func.__doc__, node.name
        assert signature.return_annotation is not inspect.Signature.empty, node.name
        assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values()), node.name


def test_members_of_the_blend_are_the_candidates_of_the_environment(context: KedroContext) -> None:
    read = read_candidates(context.params["candidates"])
    members = read["blend"].params["members"]
    assert list(members) == ["xgboost", "lightgbm", "logistic_regression"]
    for name, member in members.items():
        assert (member["family"], member["params"]) == (read[name].family, read[name].params)


def test_members_of_the_blend_follow_what_a_run_changes() -> None:
    bootstrap_project(ROOT)
    changed = {"candidates": {"xgboost": {"params": {"max_depth": 2}}}}
    with KedroSession.create(ROOT, env="test", runtime_params=changed) as session:
        members = read_candidates(session.load_context().params["candidates"])["blend"].params["members"]
    assert (members["xgboost"]["params"]["max_depth"], members["xgboost"]["params"]["n_estimators"]) == (2, 100)
    assert (members["xgboost"]["n_seeds"], "n_seeds" in members["lightgbm"]) == (2, False)


def test_every_dataset_is_declared_and_in_memory_only_on_purpose(context: KedroContext) -> None:
    catalog = context.catalog  # made anew at every access
    for name in set().union(*(pipeline.datasets() for pipeline in PIPELINES.values())):
        if name.startswith("params:"):
            continue
        dataset = catalog.get(name)
        assert dataset is not None, f"{name} is not in the catalog"
        assert isinstance(dataset, MemoryDataset) == bool(LAZY.match(name)), name


def test_every_parameter_a_node_asks_for_exists_and_none_is_idle(context: KedroContext) -> None:
    asked = {
        name.removeprefix("params:").split(".")[0]
        for pipeline in PIPELINES.values()
        for name in pipeline.inputs()
        if name.startswith("params:")
    }
    assert asked == set(context.params)


def test_raw_datasets_are_the_files_of_the_contracts(context: KedroContext) -> None:
    catalog = context.catalog
    paths = {Path(catalog.get(f"raw_{name.lower()}")._describe()["filepath"]).stem for name in RAW_TABLES}
    assert paths == set(RAW_TABLES)


def test_no_layer_feeds_an_earlier_one(context: KedroContext) -> None:
    """Otherwise Kedro-Viz draws no layers at all."""
    catalog = context.catalog
    back = []
    for node in PIPELINES["demo"].nodes:
        read, made = (
            {name: LAYERS.index(catalog.get(name).metadata["kedro-viz"]["layer"]) for name in names if ":" not in name}
            for names in (node.inputs, node.outputs)
        )
        back += [(node.name, one, other) for one in read for other in made if read[one] > made[other]]
    assert back == []


def test_sources_never_share_a_place(context: KedroContext) -> None:
    """A run on synthetic data can neither overwrite nor be mistaken for a run on real data."""
    source, catalog = context.params["source"], context.catalog
    for name in PIPELINES["demo"].datasets():
        if name.startswith("params:") or LAZY.match(name):
            continue
        description = catalog.get(name)._describe()
        registered = description.get("registered_model_name", source if source != "synthetic" else "")
        assert registered.endswith(source) == (source != "synthetic"), name
        path = str(description.get("filepath", f"/{source}"))
        assert source in Path(path).parts or (
            source == "synthetic"
            and re.search(r"/(model|reports/.*|docs/(model_card|scorecard|technical_documentation)\.md)$", path)
        ), name


def test_only_files_of_our_own_can_be_written(context: KedroContext) -> None:
    read_only = context.catalog.get("raw_bureau")._describe()["read_only"]
    assert read_only == (context.params["source"] != "synthetic")


def test_official_tables_have_the_official_number_of_columns() -> None:
    assert {name: len(table.columns) for name, table in OFFICIAL_TABLES.items()} == {
        "application_train": 122,
        "application_test": 121,
        "bureau": 17,
        "bureau_balance": 3,
        "previous_application": 37,
        "POS_CASH_balance": 8,
        "installments_payments": 8,
        "credit_card_balance": 23,
    }


def test_every_direct_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["dev"], *extras["traces"]]
    locked = re.findall(r"^([a-z0-9._-]+)(?:\[.*\])?==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    names = {re.match(r"[A-Za-z0-9._-]+", requirement).group().lower() for requirement in wanted}  # type: ignore[union-attr]
    assert names - {project["name"]} <= set(locked)


def test_a_parameter_is_restated_in_the_file_that_base_has_it_in() -> None:
    """So that `conf/*/parameters/run.yml` in a message leads to it in every environment."""
    restated = [path for path in (ROOT / "conf").glob("*/parameters/*.yml") if path.parts[-3] not in ("base", "local")]
    assert restated
    for path in restated:
        base = yaml.safe_load((ROOT / "conf" / "base" / "parameters" / path.name).read_text())
        assert set(yaml.safe_load(path.read_text())) <= set(base), path


def test_configuration_files_are_not_empty() -> None:
    for path in (ROOT / "conf").rglob("*.yml"):
        assert yaml.safe_load(path.read_text().replace("${", "$ {")), path


def test_nothing_private_or_large_is_in_version_control() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    data = re.compile(r"^data/(?!README)|\.(csv|parquet|db|duckdb)$|(^|/)mlruns/")
    assert [path for path in tracked if data.search(path)] == []
    assert [path for path in tracked if (ROOT / path).is_file() and (ROOT / path).stat().st_size > 5_000_000] == []
    machine_path = re.compile(r"(file://|[\"' =:])/(home|root|work|Users|tmp)/")
    texts = [ROOT / path for path in tracked if path.startswith(("model/", "conf/", "docs/", "reports/"))]
    named = [
        str(path)
        for path in texts
        if path.suffix not in {".png", ".pdf", ".pkl"} and machine_path.search(path.read_text())
    ]
    assert named == []


def test_the_files_that_begin_first_are_there() -> None:
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []
