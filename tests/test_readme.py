"""What the README says is so, in both languages: commands exist, links lead somewhere, figures are the model's."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from benchmarks.harness import parameters_of
from credit_scoring.exported_model.loading import load_scorer
from credit_scoring.exported_model.manifest import check_manifest
from credit_scoring.pipeline_registry import register_pipelines
from credit_scoring.pipelines.synthetic_data.keys import draw_applicant_keys
from tests.conftest import ROOT, Project
from tools import readme

TEXTS = {language: path.read_text() for language, path in readme.PAGES.items()}
README = TEXTS["en"]
PIPELINES_PAGE = (ROOT / "docs" / "pipelines.md").read_text()
PAGES = [
    *readme.PAGES.values(),
    *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "notebooks").glob("*.md")),
]
TOOLS = {"make", "kedro", "mlflow", "docker", "curl", "source", "git", "cd", "credit-scoring"}
OF_THE_DATA = {"0.5", "1", "58", "8"}
"""Figures of the opening that no run changes: the usual threshold, the unit of cost, rows and defaults on Kaggle."""


def list_commands(text: str) -> list[str]:
    blocks = re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL)
    return [re.sub(r"\s+#.*", "", line).strip() for block in blocks for line in block.splitlines() if line.strip()]


COMMANDS = list_commands(README)


@pytest.mark.parametrize("language", TEXTS)
def test_it_is_short_enough_to_be_read(language: str) -> None:
    assert len(TEXTS[language].splitlines()) < 180


def test_it_begins_with_what_the_project_does() -> None:
    first = re.search(r"^(?![#!\[])(.+)$", README, flags=re.MULTILINE)
    assert first is not None
    assert first.group().startswith("credit-scoring predicts the **probability of default**")


def test_both_languages_have_the_same_structure_commands_links_and_figures() -> None:
    english, french = TEXTS.values()
    assert list_commands(english) == list_commands(french)
    for pattern in (
        r"^#+ (?=.)",  # headings, by level
        r"^[-|](?= ?.)|^```.*$",  # items of lists, rows of tables, blocks
        r"\]\((?!#)([^)]+)\)(?<!README\.fr\.md\))(?<!README\.md\))",
        r"<!-- (\w+) -->",
    ):
        found = [re.findall(pattern, text, flags=re.MULTILINE) for text in (english, french)]
        assert found[0] == found[1], pattern
    prose = [re.sub(r"```.*?```", "", text, flags=re.DOTALL) for text in (english, french.replace('"fr"', '"en"'))]
    in_code = [set(re.findall(r"`([^`\n]+)`", text)) for text in prose]
    assert in_code[0] == in_code[1]


@pytest.mark.parametrize("language", TEXTS)
def test_the_contents_name_every_section_and_lead_there(language: str) -> None:
    titles = re.findall(r"^## (.+)$", TEXTS[language], flags=re.MULTILINE)
    anchors = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
    assert re.findall(r"\]\(#([^)]+)\)", TEXTS[language]) == anchors


def test_badges_are_true() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    least, above = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"]).groups()  # type: ignore[union-attr]
    versions = dict(re.findall(r"^(kedro|mlflow)==(\d+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    license_name = (ROOT / "LICENSE").read_text().split()[0]
    expected = [f"Python 3.{least} to 3.{int(above) - 1}", *(f"{n.title()} {versions[n]}" for n in ("kedro",))]
    expected += [f"MLflow {versions['mlflow']}", f"License {project['license']}"]
    assert license_name == project["license"]
    for text in TEXTS.values():
        badges = re.findall(r"!\[([^\]]+)\]\(https://img\.shields\.io/badge/([^)]+)-\w+\)", text)
        assert [name for name, _ in badges] == expected
        assert [f"{n.split()[0].lower()}-{n.split(' ', 1)[1].replace(' ', '%20')}" for n, _ in badges] == [
            b for _, b in badges
        ]


def test_every_command_is_one_of_a_tool_that_the_project_has() -> None:
    assert {command.split()[0] for command in COMMANDS} <= TOOLS


def test_two_commands_set_all_up() -> None:
    """From a clone: one runs the main job, one passes the tests; both make the environment first."""
    assert COMMANDS[:4] == ["git clone URL credit-scoring", "cd credit-scoring", "make demo", "make test"]
    rules = dict(re.findall(r"^(demo|test): (\w+)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert rules == {"demo": "install", "test": "install"}


def test_every_make_target_exists_and_explains_itself() -> None:
    described = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = re.findall(r"`make ([a-z]+)|^make ([a-z]+)|make: ([a-z]+)", README, flags=re.MULTILINE)
    targets = {name for names in named for name in names if name}
    assert {"demo", "test"} <= targets <= described


def test_every_pipeline_exists_and_is_in_the_table() -> None:
    pipelines = set(register_pipelines())
    named = re.findall(r"--pipelines? ([a-z_,]+)", README + PIPELINES_PAGE)
    assert {name for names in named for name in names.split(",")} <= pipelines
    table = set(re.findall(r"^\| `([a-z_]+)` \|", PIPELINES_PAGE, flags=re.MULTILINE))
    assert table == pipelines - {"__default__", "demo"}


def test_every_environment_exists() -> None:
    environments = {path.name for path in (ROOT / "conf").iterdir()}
    assert set(re.findall(r"--env ([a-z]+)", README + PIPELINES_PAGE)) <= environments


def anchors_of(page: Path) -> set[str]:
    """Return what links may name of a page: its headings, as GitHub spells them, and the ids that it sets."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    titles = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in titles]
    spelt = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    return spelt | set(re.findall(r'\bid="([^"]+)"', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_place_in_it(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text())
    inside = [link for link in links if not link[0].startswith(("http://", "https://", "mailto:"))]
    targets = [(page.parent / file if file else page, anchor) for file, anchor in inside]
    assert [target.as_posix() for target, _ in targets if not target.exists()] == []
    named = [(target, anchor) for target, anchor in targets if anchor and target.suffix == ".md"]
    assert [f"{target}#{anchor}" for target, anchor in named if anchor not in anchors_of(target)] == []


@pytest.mark.parametrize("language", TEXTS)
def test_figures_are_those_of_the_exported_model(language: str) -> None:
    assert readme.write_page(language) == TEXTS[language], "Hint: make readme"


@pytest.mark.parametrize("language", TEXTS)
def test_no_figure_of_the_opening_is_written_by_hand(language: str) -> None:
    opening, decides = re.split(r"\*\*(?:Contents|Sommaire)\*\*.*?\n(?=## )", TEXTS[language], flags=re.DOTALL)
    text = opening + decides.partition("\n## ")[0]
    text = re.sub(r"!?\[.*?\]\(.*?\)|```.*?```", "", text, flags=re.DOTALL)
    by_hand = re.sub(r"[\S\u202f]+<!-- \w+ -->", "", text)
    assert {number.replace(",", ".") for number in re.findall(r"\d+(?:[.,]\d+)?", by_hand)} <= OF_THE_DATA


def test_another_cost_ratio_changes_all_that_follows_from_it() -> None:
    recorded = yaml.safe_load((ROOT / "model" / "MLmodel").read_text())["metadata"]
    changed = {**recorded, "cost_ratio": "8", "threshold": "0.111000", "holdout_business_cost": "0.433333"}
    changed |= {"holdout_applicants": "12345"}
    answer = {"probability_default": 0.25, "decision": "refused", "threshold": 0.111, "gaps": []}
    for language, text in TEXTS.items():
        filled = readme.fill(text, readme.read_figures(changed, language), answer)
        point = {"en": ".", "fr": ","}[language]
        assert re.findall(r"(\S+?)<!-- cost_ratio -->", filled) == ["8", "8"]
        assert re.findall(r"(\S+?)<!-- one_in -->", filled) == ["9"]
        assert re.findall(r"(\S+?)<!-- break_even -->", filled) == [f"0{point}1111"]
        assert re.findall(r"(\S+?)<!-- threshold -->", filled) == [f"**0{point}1110**"]
        assert re.findall(r"(\S+?)<!-- holdout_business_cost -->", filled) == [f"**0{point}4333**"]
        assert "12{}345<!-- holdout_applicants -->".format({"en": ",", "fr": "\u202f"}[language]) in filled
        assert '"decision": "refused", "threshold": 0.111' in filled


def test_a_model_that_does_not_record_a_figure_is_one_sentence_with_a_hint(tmp_path: Path) -> None:
    for name in ("MLmodel", "serving_output_example.json"):
        (tmp_path / name).write_text((ROOT / "model" / name).read_text().replace("cost_ratio", "ratio_of_costs"))
    with pytest.raises(SystemExit, match=r"MLmodel does not record 'cost_ratio': .*\nHint: kedro run"):
        readme.write_page("en", tmp_path)


def test_the_model_records_the_ratio_of_the_costs() -> None:
    costs = yaml.safe_load((ROOT / "conf/base/parameters/costs.yml").read_text())["costs"]
    recorded = yaml.safe_load((ROOT / "model" / "MLmodel").read_text())["metadata"]
    assert float(recorded["cost_ratio"]) == costs["false_negative"] / costs["false_positive"]


def test_the_answer_shown_is_the_answer_given() -> None:
    shown = re.search(r"```json\n(.*?)```", README, flags=re.DOTALL)
    assert shown is not None
    example = json.loads((ROOT / "model" / "serving_input_example.json").read_text())["dataframe_split"]
    rows = pd.DataFrame(example["data"], columns=example["columns"])
    first = load_scorer(check_manifest(ROOT / "model")).predict(rows).to_dict(orient="records")[0]
    assert json.loads(shown.group(1).replace("…", "")) == {"predictions": [first]}


EXPLAINED = [command for command in COMMANDS if " explain " in command]


@pytest.mark.parametrize("command", EXPLAINED)
def test_the_client_of_the_command_shown_is_one_of_the_demo(command: str) -> None:
    size = parameters_of("base")["synthetic_data"]
    keys, _ = draw_applicant_keys(np.random.default_rng([size["seed"], 0]), size["n_train"], size["n_test"])
    assert int(command.rsplit(maxsplit=1)[-1]) in keys


@pytest.mark.e2e
@pytest.mark.parametrize("command", EXPLAINED)
def test_a_client_is_explained_by_the_command_shown(demo: Project, command: str) -> None:
    """By another number, as the demo of the tests is smaller and has other clients."""
    client = str(pd.read_parquet(demo.path / "data/05_model_input/synthetic/holdout_rows.parquet")["SK_ID_CURR"].min())
    arguments = command.replace(command.rsplit(maxsplit=1)[-1], client).removeprefix("credit-scoring ").split()
    subprocess.run([sys.executable, "-m", "credit_scoring", *arguments], cwd=demo.path, check=True)
    for kind in ("md", "json", "svg"):
        assert (demo.path / "reports" / "clients" / f"client_{client}.{kind}").stat().st_size > 200
