"""Rows of histories are read by applicant, and nothing stale stays behind."""

from pathlib import Path

import ibis
import pandas as pd
import pytest

from credit_scoring.datasets.history_rows import HistoryFiles, HistoryRowsDataset
from credit_scoring.errors import DataContractError

ROWS = pd.DataFrame({"SK_ID_CURR": [1, 1, 2, 4], "RANK": [1.0, 2.0, 1.0, 1.0], "DELAY": [0.5, 0.1, 0.2, 0.3]})


@pytest.fixture
def dataset(tmp_path: Path) -> HistoryRowsDataset:
    return HistoryRowsDataset(filepath=f"{tmp_path}/rows", connection={"backend": "duckdb", "database": ":memory:"})


def test_rows_of_some_applicants_are_read(dataset: HistoryRowsDataset) -> None:
    dataset.save({"bureau": ibis.memtable(ROWS)})
    files = dataset.load()
    assert files.holds("bureau")
    pd.testing.assert_frame_equal(files.read("bureau"), ROWS)
    pd.testing.assert_frame_equal(files.read("bureau", 2, 3), ROWS.iloc[[2]].reset_index(drop=True))
    assert files.read("bureau", 5, 9).empty


def test_the_digest_names_the_rows(dataset: HistoryRowsDataset) -> None:
    dataset.save({"bureau": ibis.memtable(ROWS)})
    first = dataset.load().digest
    dataset.save({"bureau": ibis.memtable(ROWS)})
    assert dataset.load().digest == first
    dataset.save({"bureau": ibis.memtable(ROWS.assign(DELAY=0.0))})
    assert dataset.load().digest != first


def test_a_history_that_is_not_wanted_any_more_is_gone(dataset: HistoryRowsDataset) -> None:
    dataset.save({"bureau": ibis.memtable(ROWS), "previous": ibis.memtable(ROWS)})
    dataset.save({"previous": ibis.memtable(ROWS)})
    assert [name for name in ("bureau", "previous") if dataset.load().holds(name)] == ["previous"]
    dataset.save({})
    assert not dataset.load().holds("previous")


def test_rows_that_were_not_written_are_asked_for_in_vain(tmp_path: Path) -> None:
    with pytest.raises(DataContractError, match=r"(?s)history `bureau`; found no file.*Hint: data_processing writes"):
        HistoryFiles(tmp_path / "none").read("bureau")
