"""The documentation builds as a site without a warning, and shows what lies beside it in the project."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from credit_scoring.features.catalogue import FEATURES

pytest.importorskip("mkdocs")
pytest.importorskip("material")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the site, built from a copy: a build writes beside its sources."""
    project = tmp_path_factory.mktemp("site")
    for name in ("docs", "reports"):
        shutil.copytree(ROOT / name, project / name)
    for name in ("mkdocs.yml", "mkdocs_hooks.py"):
        shutil.copy(ROOT / name, project)
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr, built.stderr
    return project / "site"


def test_every_document_of_the_navigation_is_a_page(site: Path) -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]

    def pages(entry: object) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        values = entry.values() if isinstance(entry, dict) else entry
        return [page for value in values for page in pages(value)]  # type: ignore[attr-defined]

    documents = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert set(pages(nav)) == documents, "Hint: list it under nav in mkdocs.yml"
    for page in documents:
        assert (site / page).with_suffix(".html").is_file(), page


def test_figures_and_report_of_the_run_are_in_the_site(site: Path) -> None:
    assert 'href="reports/figures/valeurs_manquantes.png"' in (site / "data_preparation.html").read_text()
    for path in (*(ROOT / "reports/figures").glob("*.png"), *(ROOT / "reports").glob("*.pdf")):
        assert (site / path.relative_to(ROOT)).read_bytes() == path.read_bytes()


def test_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        for attribute in ('<script src="http', 'rel="stylesheet" href="http', "fonts.googleapis", 'class="mermaid"'):
            assert attribute not in path.read_text(), path


def test_the_search_works_from_the_disk_and_finds_every_feature_in_both_languages(site: Path) -> None:
    written = (site / "search" / "search_index.js").read_text().removeprefix("var __index = ")
    index = json.loads(written)
    assert index["config"]["lang"] == ["en", "fr"]
    found = {entry["location"]: entry for entry in index["docs"]}
    page = (site / "feature_dictionary.html").read_text()
    for name in FEATURES:
        assert f'id="{name}"' in page, name
        assert found[f"feature_dictionary.html#{name}"]["title"] == name
    indebted = [entry["title"] for entry in index["docs"] if "endettement" in entry["text"]]
    assert {"BUREAU_DEBT_SUM", "APPLICATION_ANNUITY_TO_INCOME_RATIO"} <= set(indebted)
    assert "Annuity relative to income" in found["feature_dictionary.html#APPLICATION_ANNUITY_TO_INCOME_RATIO"]["text"]


def test_the_data_flow_is_a_table_where_no_script_draws_it(site: Path) -> None:
    page = (site / "data_flow.html").read_text()
    assert "flowchart" not in page
    assert "<td><code>applicant_features</code>, <code>history_rows</code></td>" in page
