"""Every damaged file of the table is one clear error or read with the right values."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest

from credit_scoring.datasets.raw_bytes import find_damage
from credit_scoring.datasets.raw_csv import RawCsvDataset, RawFile
from credit_scoring.errors import DataContractError
from credit_scoring.pipelines.data_processing.nodes import check_raw_tables, inspect_raw_tables
from credit_scoring.pipelines.data_processing.options import DamageOptions
from credit_scoring.pipelines.synthetic_data.nodes import generate_twin
from credit_scoring.pipelines.synthetic_data.options import SyntheticDataOptions
from credit_scoring.schemas.raw import OFFICIAL_TABLES
from tests.conftest import CONNECTION
from tests.damaged.cases import DamagedFile
from tests.damaged.files import DAMAGED_FILES

COMPARED = ("application_train", "application_test", "bureau", "previous_application")
"""Tables that others are compared with."""


def read(folder: Path, table: str) -> RawFile:
    path = (folder / f"{table}.csv").as_posix()
    return RawCsvDataset(table=table, filepath=path, connection=CONNECTION).load()


def as_frame(file: RawFile) -> pd.DataFrame:
    rows = file.table.execute()
    return rows.sort_values(list(rows.columns), ignore_index=True)


@dataclass(frozen=True)
class Sound:
    """Sound files of 140 applicants, read once."""

    folder: Path
    files: dict[str, RawFile]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    folder = tmp_path_factory.mktemp("sound")
    (tables,) = generate_twin(SyntheticDataOptions(n_train=110, n_test=30, seed=3))
    for name, rows in zip(OFFICIAL_TABLES, tables, strict=True):
        rows.to_csv(folder / f"{name}.csv", index=False)
    read_once = {name: read(folder, name) for name in OFFICIAL_TABLES}
    # Else a question about the widest of them takes Ibis a fiftieth of a second to translate, in each of the tests
    return Sound(folder, {name: replace(file, table=file.table.cache()) for name, file in read_once.items()})


def check(files: dict[str, RawFile]) -> tuple[list[str], list[str]]:
    """Return the problems that stop a run on these files, and the warnings of one that goes on."""
    inspected = inspect_raw_tables(DamageOptions(), **{name.lower(): file for name, file in files.items()})
    findings = inspected["data_quality"]["findings"]
    warnings = [finding["sentence"] for finding in findings if finding["severity"] == "warning"]
    try:
        check_raw_tables(inspected["inspected_tables"], inspected["data_quality"])
    except DataContractError as error:
        return list(error.problems), warnings
    return [], warnings


def test_the_sound_files_have_nothing_to_tell(sound: Sound) -> None:
    assert check(sound.files) == ([], [])


@pytest.mark.parametrize("case", DAMAGED_FILES, ids=lambda case: f"{case.table}: {case.what}"[:70])
def test_a_damaged_file_is_one_clear_error_or_read_right(case: DamagedFile, sound: Sound, tmp_path: Path) -> None:
    folder = tmp_path / case.folder if case.folder else tmp_path
    folder.mkdir(exist_ok=True)
    for name in {case.table, "application_train"}:
        shutil.copy(sound.folder / f"{name}.csv", folder)
    case.damage(folder / f"{case.table}.csv")
    damaged = read(folder, case.table)
    # Other histories are the same beside a history that nothing is compared with
    beside = OFFICIAL_TABLES if case.table in COMPARED else COMPARED
    problems, warnings = check({name: sound.files[name] for name in beside} | {case.table: damaged})
    if case.stops:
        assert len(problems) == case.problems, problems
        assert case.stops in problems[0]
        assert problems[0].startswith(f"{case.table}.csv")
        assert problems[0].isprintable()
        assert len(problems[0]) < 600
        return
    assert problems == []
    assert len(warnings) == bool(case.warns), warnings
    assert case.warns in "".join(warnings)
    right = case.rows(pd.read_csv(sound.folder / f"{case.table}.csv", dtype={"STATUS": str}))
    right = right.sort_values(list(right.columns), ignore_index=True)
    pd.testing.assert_frame_equal(as_frame(damaged)[right.columns], right, check_dtype=False)


def test_a_file_cut_anywhere_but_after_a_row_is_told(sound: Sound, tmp_path: Path) -> None:
    path, whole = tmp_path / "cut.csv", (sound.folder / "installments_payments.csv").read_bytes()
    for length in range(1000, 1200):
        path.write_bytes(whole[:length])
        assert bool(find_damage(path)) == (whole[length - 1 : length] != b"\n")


def test_the_list_holds_a_hundred_damaged_files_and_none_twice() -> None:
    named = [(case.table, case.what) for case in DAMAGED_FILES]
    assert len(set(named)) == len(named) >= 100
