"""Faults of the environment are told as such: no error about data, each a sentence with a hint."""

import errno
import os
import random
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import ibis
import pytest
from kedro.io import DatasetError

from credit_scoring.datasets import raw_csv
from credit_scoring.datasets.raw_csv import RawCsvDataset
from credit_scoring.datasets.table_file import TableFileDataset
from credit_scoring.errors import FolderNameError, find_fault
from credit_scoring.hooks import EnvironmentFaultHooks, FolderNameHooks
from tests.conftest import CONNECTION


def oserror(code: int) -> OSError:
    return OSError(code, os.strerror(code), "data/x.csv")


def memory_error() -> Exception:
    """Return what DuckDB says when a table does not fit into its memory, and it has no disk to go to."""
    engine = ibis.duckdb.connect(memory_limit="20MB", threads=1)
    engine.raw_sql("SET temp_directory = ''")
    try:
        engine.raw_sql("CREATE TABLE t AS SELECT range AS i, repeat('x', 100) || range AS s FROM range(3000000)")
    except Exception as error:  # of DuckDB's own
        return error
    raise AssertionError("20 MB were enough")


def lock_error(path: Path) -> Exception:
    """Return what SQLite says of a database that another connection writes to."""
    one, other = sqlite3.connect(path), sqlite3.connect(path, timeout=0)
    one.execute("CREATE TABLE t (i)")
    one.execute("BEGIN EXCLUSIVE")
    try:
        other.execute("INSERT INTO t VALUES (1)")
    except sqlite3.OperationalError as error:
        return error
    finally:
        one.close()
        other.close()
    raise AssertionError("the database was not locked")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EFBIG, "the disk is full"),
        (errno.ENOMEM, "the memory is full"),
        (errno.EACCES, "a right is missing"),
        (errno.EPERM, "a right is missing"),
        (errno.EROFS, "a right is missing"),
        (errno.EMFILE, "too many files are open"),
        (errno.ENAMETOOLONG, "a path is too long"),
        (errno.EIO, "a disk does not answer"),
    ],
)
def test_errors_of_the_system_are_told_with_their_file_and_a_hint(code: int, said: str) -> None:
    wrapped = DatasetError("Failed while saving data to dataset x")
    wrapped.__cause__ = oserror(code)
    for error in (oserror(code), wrapped):
        fault = find_fault(error)
        assert fault is not None
        assert said in fault.message
        assert "data/x.csv" in fault.message
        assert "\nHint: " in fault.message


def test_memory_and_locks_are_told(tmp_path: Path) -> None:
    for error, said in (
        (MemoryError(), "the memory is full: MemoryError"),
        (memory_error(), "the memory is full: OutOfMemoryException"),
        (lock_error(tmp_path / "mlflow.db"), "a database is in use: OperationalError: database is locked"),
    ):
        with pytest.raises(Exception, match=said) as caught:
            EnvironmentFaultHooks().on_pipeline_error(error)
        assert caught.value.__cause__ is error


def test_other_errors_are_none_of_the_environment() -> None:
    for error in (ValueError("12 of 30 rows"), FileNotFoundError(2, "No such file or directory", "x"), KeyError("a")):
        assert find_fault(error) is None
        EnvironmentFaultHooks().on_pipeline_error(error)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of its own, of 64 KB."""
    path = tmp_path / "tiny"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", path], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a disk")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def many_rows(path: Path) -> Path:
    rng = random.Random(0)
    text = "".join(f"{credit},-1,{rng.random()}\n" for credit in range(10_000))
    path.write_text(f"SK_ID_BUREAU,MONTHS_BALANCE,STATUS\n{text}")
    return path


def test_a_full_disk_is_no_fault_of_the_file_and_the_copy_lies_where_the_engine_spills(
    tmp_path: Path, tiny_disk: Path
) -> None:
    path = many_rows(tmp_path / "bureau_balance.csv").as_posix()
    here = RawCsvDataset(table="bureau_balance", filepath=path, connection=CONNECTION)
    assert here.load().n_rows == 10_000
    there = RawCsvDataset(
        table="bureau_balance", filepath=path, connection=CONNECTION | {"temp_directory": tiny_disk.as_posix()}
    )
    with pytest.raises(DatasetError) as caught:
        there.load()
    fault = find_fault(caught.value)
    assert fault is not None
    assert "the disk is full" in fault.message
    assert tiny_disk.as_posix() in fault.message
    assert "relational.temp_directory" in fault.message


def test_a_full_disk_leaves_the_previous_table(tiny_disk: Path) -> None:
    dataset = TableFileDataset(filepath=(tiny_disk / "t.parquet").as_posix(), connection=CONNECTION)
    dataset.save(ibis.memtable({"i": [1, 2]}))
    with pytest.raises(DatasetError) as caught:
        dataset.save(ibis.range(200_000).unnest().name("i").as_table().mutate(s=lambda t: t.i.hash()))
    fault = find_fault(caught.value)
    assert fault is not None
    assert "the disk is full" in fault.message
    assert dataset.load().i.execute().tolist() == [1, 2]


def test_a_file_that_may_not_be_read_is_no_damaged_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bureau_balance.csv"
    path.write_text("SK_ID_BUREAU,MONTHS_BALANCE,STATUS\n1,-1,0\n")

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(raw_csv, "find_other_format", refuse)  # root, who may run this, may read everything
    with pytest.raises(DatasetError) as caught:
        RawCsvDataset(table="bureau_balance", filepath=path.as_posix(), connection=CONNECTION).load()
    fault = find_fault(caught.value)
    assert fault is not None
    assert f"a right is missing: [Errno 13] Permission denied: '{path}'" in fault.message


@pytest.mark.parametrize(
    "name", ["star*", "what?", "[a]", "{a}", "back\\slash", "two\nlines", "x%20y", """say "it's\"""", "tab\t"]
)
def test_a_project_in_a_folder_that_cannot_be_named_is_refused(name: str) -> None:
    context = SimpleNamespace(project_path=f"/home/{name}/p", config_loader=SimpleNamespace(runtime_params={}))
    with pytest.raises(FolderNameError, match="cannot be used: a name in its path has") as caught:
        FolderNameHooks().after_context_created(context)
    assert "\nHint: rename that folder" in caught.value.message
    assert caught.value.message.count("\n") == 1


def test_other_folders_are_taken_and_raw_files_may_lie_nearly_anywhere() -> None:
    for project in ("/home/it's é 100% STATUS=1 #x;&,y", "C:/Users/me/credit scoring"):
        raw = SimpleNamespace(runtime_params={"raw_folder": "/data/[1] * ? \\ \n"})
        FolderNameHooks().after_context_created(SimpleNamespace(project_path=project, config_loader=raw))
    context = SimpleNamespace(
        project_path="/p", config_loader=SimpleNamespace(runtime_params={"raw_folder": "/data/{batch}"})
    )
    with pytest.raises(FolderNameError, match=r"'/data/\{batch\}' cannot be used"):
        FolderNameHooks().after_context_created(context)
