"""Every bad configuration of the table is one clear error, and what a user may configure is read."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from credit_scoring.mistakes import is_mistake
from credit_scoring.runs import ProjectSession
from tests.conftest import Project
from tests.damaged.configurations import BAD_CONFIGURATIONS, BadConfiguration
from tools.bad_configurations import TARGET, write_page


@pytest.fixture(scope="module")
def project(new_project: Callable[[str], Project]) -> Project:
    """Return an empty project, which Kedro knows."""
    project = new_project("configured")
    bootstrap_project(project.path)
    return project


@pytest.fixture
def folder(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(project.path)
    before = set(project.path.joinpath("conf").rglob("*"))
    (project.path / "conf" / "local" / "parameters").mkdir(parents=True, exist_ok=True)
    yield project.path
    for made in set(project.path.joinpath("conf").rglob("*.yml")) - before:
        made.unlink()


@pytest.mark.parametrize("case", BAD_CONFIGURATIONS, ids=lambda case: case.what)
def test_a_bad_configuration_is_one_clear_error(case: BadConfiguration, folder: Path) -> None:
    for name, text in case.files.items():
        (folder / name).write_text(text)
    with (
        pytest.raises(Exception, match=r"[\s\S]*".join(map(re.escape, case.stops))) as caught,
        ProjectSession.create(folder, env=case.env, runtime_params=case.params) as session,
    ):
        session.run(runner=case.runner(), **case.run)
    assert is_mistake(caught.value), repr(caught.value)
    assert not (folder / "data" / "04_feature").exists(), "something was computed"


def configured(folder: Path, env: str | None) -> dict:
    with KedroSession.create(folder, env=env) as session:
        return session.load_context().params


@pytest.mark.parametrize("env", [None, "base", "test", "kaggle"])
@pytest.mark.parametrize("name", ["parameters.yml", "parameters/mine.yml"])
def test_what_the_user_sets_is_on_top_of_every_environment(env: str | None, name: str, folder: Path) -> None:
    (folder / "conf" / "local" / name).write_text("tuning: {n_trials: 7}\nreview: {budget: 0.3}\n")
    parameters = configured(folder, env)
    assert (parameters["tuning"].n_trials, parameters["review"].budget) == (7, 0.3)
    assert parameters["tuning"].n_folds == (2 if env == "test" else 3)


def test_globals_and_datasets_of_the_user_are_read(folder: Path) -> None:
    (folder / "conf" / "local" / "globals.yml").write_text("language: en\n")
    entry = "champion:\n  type: json.JSONDataset\n  filepath: data/mine/champion.json\n"
    (folder / "conf" / "local" / "catalog.yml").write_text(entry)
    for env in (None, "test"):
        with KedroSession.create(folder, env=env) as session:
            context = session.load_context()
        assert context.params["figures"].language == "en"
        assert context.catalog.get("report")._describe()["filepath"].name == "credit_scoring_report.pdf"
        assert context.catalog.get("champion")._describe()["filepath"].as_posix().endswith("data/mine/champion.json")


def test_the_list_holds_thirty_bad_configurations_and_none_twice() -> None:
    assert len({case.what for case in BAD_CONFIGURATIONS}) == len(BAD_CONFIGURATIONS) >= 30


def test_the_page_is_what_the_table_says() -> None:
    assert TARGET.read_text(encoding="utf-8") == write_page()
