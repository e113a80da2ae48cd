"""What the README says is so: commands exist, links lead somewhere, figures are those of the exported model."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from credit_scoring.exported_model.loading import load_scorer
from credit_scoring.exported_model.manifest import check_manifest
from credit_scoring.pipeline_registry import register_pipelines
from tests.conftest import ROOT, Project

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [re.sub(r"\s+#.*", "", line).strip() for block in BLOCKS for line in block.splitlines() if line.strip()]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "notebooks").glob("*.md"))]
TOOLS = {"make", "kedro", "mlflow", "docker", "curl", "source"}


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    """Return what the exported model says of itself."""
    return yaml.safe_load((ROOT / "model" / "MLmodel").read_text())["metadata"]


def test_it_is_short_enough_to_be_read() -> None:
    assert len(README.splitlines()) < 200


def test_every_command_is_one_of_a_tool_that_the_project_has() -> None:
    assert {command.split()[0] for command in COMMANDS} <= TOOLS


def test_every_make_target_exists_and_explains_itself() -> None:
    described = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)|^make ([a-z]+)", README, flags=re.MULTILINE))
    targets = {one or other for one, other in named}
    assert {"demo", "test"} <= targets <= described


def test_every_pipeline_exists_and_is_in_the_table() -> None:
    pipelines = set(register_pipelines())
    named = {name for names in re.findall(r"--pipelines? ([a-z_,]+)", README) for name in names.split(",")}
    assert named <= pipelines
    table = set(re.findall(r"^\| `([a-z_]+)` \|", README, flags=re.MULTILINE))
    assert table == pipelines - {"__default__", "demo"}


def test_every_environment_and_extra_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.findall(r"--env ([a-z]+)", README)) <= {path.name for path in (ROOT / "conf").iterdir()}
    assert set(re.findall(r"\.\[([a-z]+)\]", README)) <= set(extras)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    inside = [link for link in links if not link.startswith(("http://", "https://", "mailto:"))]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_the_threshold_and_its_worth_are_those_of_the_exported_model(facts: dict[str, Any]) -> None:
    said = re.search(
        r"refuses from a probability of default of \*\*(\d\.\d+)\*\*.*?costs \*\*(\d\.\d+)\*\*.*?AUC \*\*(\d\.\d+)\*\*",
        README,
        flags=re.DOTALL,
    )
    assert said is not None
    expected = [facts[name] for name in ("threshold", "holdout_business_cost", "holdout_roc_auc")]
    assert list(said.groups()) == [f"{float(value):.4f}" for value in expected]
    assert f"`{facts['model']}`" in README


def test_the_answer_shown_is_the_answer_given() -> None:
    shown = re.search(r"```json\n(.*?)```", README, flags=re.DOTALL)
    assert shown is not None
    example = json.loads((ROOT / "model" / "serving_input_example.json").read_text())["dataframe_split"]
    rows = pd.DataFrame(example["data"], columns=example["columns"])
    first = load_scorer(check_manifest(ROOT / "model")).predict(rows).to_dict(orient="records")[0]
    assert json.loads(shown.group(1).replace("…", "")) == {"predictions": [first]}


@pytest.mark.e2e
@pytest.mark.parametrize("command", [command for command in COMMANDS if "explain_client" in command])
def test_a_client_is_explained_by_the_command_shown(demo: Project, command: str) -> None:
    client = str(pd.read_parquet(demo.path / "data/05_model_input/synthetic/holdout_rows.parquet")["SK_ID_CURR"].min())
    demo.run(*re.sub(r"client_id=\d+", f"client_id={client}", command).removeprefix("kedro run").split())
    for suffix in ("md", "json", "png"):
        assert (demo.path / "reports" / "clients" / f"client_{client}.{suffix}").stat().st_size > 200
