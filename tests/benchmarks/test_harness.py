"""What the benchmarks share, and the parts of the raw files that they measure."""

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from benchmarks import harness
from benchmarks.features import (
    compare_values,
    count_rows,
    identify_run,
    take_part,
)
from credit_scoring.models import build_model
from credit_scoring.pipelines.synthetic_data.nodes import generate_twin
from credit_scoring.pipelines.synthetic_data.options import SyntheticDataOptions
from credit_scoring.schemas.raw import OFFICIAL_TABLES


@pytest.fixture(scope="module")
def twin() -> dict[str, pd.DataFrame]:
    (chunk,) = generate_twin(SyntheticDataOptions(n_train=400, n_test=100, seed=3))
    return dict(zip(OFFICIAL_TABLES, chunk, strict=True))


@pytest.fixture(scope="module")
def raw(twin: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    for name, table in twin.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder


def test_a_part_has_some_applicants_and_their_whole_histories(
    raw: Path, twin: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    part = take_part(raw, tmp_path / "part", 0.3)
    tables = {name: pd.read_csv(part / f"{name}.csv", low_memory=False) for name in OFFICIAL_TABLES}
    chosen = set(tables["application_train"]["SK_ID_CURR"]) | set(tables["application_test"]["SK_ID_CURR"])
    assert 0.2 < len(chosen) / 500 < 0.4
    for name, whole in twin.items():
        assert list(tables[name].columns) == list(OFFICIAL_TABLES[name].columns)
        if "SK_ID_CURR" in whole:
            assert len(tables[name]) == whole["SK_ID_CURR"].isin(chosen).sum()
    credits = tables["bureau"]["SK_ID_BUREAU"]
    months = twin["bureau_balance"]["SK_ID_BUREAU"]
    owned = months[months.isin(twin["bureau"]["SK_ID_BUREAU"])]
    assert tables["bureau_balance"]["SK_ID_BUREAU"].isin(credits).sum() == owned.isin(credits).sum() > 0
    assert count_rows(part) == (len(chosen), sum(map(len, tables.values())))


def test_the_whole_is_not_copied(raw: Path, tmp_path: Path) -> None:
    assert take_part(raw, tmp_path / "part", 1) == raw
    assert not (tmp_path / "part").exists()


def test_a_part_of_files_that_have_changed_is_made_anew(raw: Path, tmp_path: Path) -> None:
    files = tmp_path / "raw"
    shutil.copytree(raw, files)
    part = take_part(files, tmp_path / "part", 0.3)
    credits = (part / "bureau.csv").read_text()
    (part / "bureau.csv").write_text("of this part")
    assert (take_part(files, tmp_path / "part", 0.3) / "bureau.csv").read_text() == "of this part"
    (files / "bureau.csv").touch()
    assert (take_part(files, tmp_path / "part", 0.3) / "bureau.csv").read_text() == credits


def test_a_measurement_stands_for_another_of_the_same_files_share_repeats_and_code_alone(
    raw: Path, tmp_path: Path
) -> None:
    of = identify_run(raw, 0.3, 2)
    assert json.loads(json.dumps(of)) == identify_run(raw, 0.3, 2)
    assert identify_run(raw, 0.1, 2) != of
    assert identify_run(raw, 0.3, 1) != of
    files = tmp_path / "raw"
    shutil.copytree(raw, files)
    elsewhere = identify_run(files, 0.3, 2)
    assert elsewhere != of
    assert elsewhere["code"] == of["code"]
    (files / "bureau.csv").write_text("other rows")
    assert identify_run(files, 0.3, 2) != elsewhere


def test_differences_between_project_and_peer_are_counted(tmp_path: Path) -> None:
    project = pd.DataFrame({"SK_ID_CURR": [2, 1], "X": [2.0, None], "NAME": ["b", None], "OTHER": [0, 0]})
    peer = pd.DataFrame({"X": [None, 2.0], "NAME": ["a", "b"]}, index=pd.Index([1, 2], name="SK_ID_CURR"))
    project.to_parquet(tmp_path / "project.parquet")
    peer.to_parquet(tmp_path / "peer.parquet")
    found = compare_values(tmp_path / "project.parquet", tmp_path / "peer.parquet")
    assert found == {"features": 2, "values": 4, "different": 1}


def test_a_command_is_measured_with_its_memory_and_processor(tmp_path: Path) -> None:
    busy = "import time; block = b'1' * 300_000_000\nwhile time.process_time() < 0.6: pass"
    cost = harness.measure([sys.executable, "-c", busy], tmp_path)
    assert cost.peak > 0.3
    assert cost.cpu > 0.5
    assert cost.wall >= 0.5


def test_a_command_that_fails_is_an_error_that_shows_what_it_wrote(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no such table"):
        harness.measure([sys.executable, "-c", "raise SystemExit('no such table')"], tmp_path)


def test_a_section_takes_the_place_of_its_last_result_and_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = tmp_path / "benchmarks.md"
    monkeypatch.setattr(harness, "REPORT", report)
    monkeypatch.setattr("sys.argv", ["x.py", "--size", "0.1"])
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", SimpleNamespace(name="benchmarks.x"))
    harness.write_section("one", "First", "old result")
    harness.write_section("two", "Second", "other result")
    harness.write_section("one", "First", "new result")
    text = report.read_text()
    assert text.startswith("# Benchmarks")
    assert "old result" not in text
    assert text.index("new result") < text.index("`python -m benchmarks.x --size 0.1`") < text.index("other result")
    assert text.count("## ") == 2


def test_the_command_is_shown_without_the_places_of_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["x.py", "--data", "/home/me/data", "--repeats", "2", "--resume", "--title", "A sample"]
    monkeypatch.setattr("sys.argv", given)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", SimpleNamespace(name="benchmarks.x"))
    assert harness.shown_command() == "python -m benchmarks.x --data … --repeats 2 --title 'A sample'"


@pytest.mark.parametrize("environment", ["base", "kaggle"])
def test_each_candidate_can_be_fitted_without_the_others(environment: str) -> None:
    for described in harness.candidates_of(environment).values():
        build_model(described["family"], described["params"])
