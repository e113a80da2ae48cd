"""A file of the catalog is the one of before or the new one, whole: on a full disk, with a bad value, after a kill."""

import os
import random
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis
import matplotlib.pyplot as plt
import pyarrow as pa
import pytest
from kedro.framework.context import KedroContext
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import AbstractDataset, MemoryDataset
from kedro_datasets.json import JSONDataset
from kedro_datasets.text import TextDataset

from credit_scoring.datasets.chunks import ResumableParquetDataset
from credit_scoring.datasets.history_rows import HistoryRowsDataset
from credit_scoring.datasets.mlflow_registry import MlflowScorerDataset
from credit_scoring.datasets.mlflow_tracking import MlflowChildFiguresDataset
from credit_scoring.datasets.raw_csv import RawCsvDataset
from credit_scoring.datasets.table_file import TableFileDataset
from credit_scoring.datasets.whole_files import WholeFileSystem, write_files_whole
from credit_scoring.pipeline_registry import register_pipelines
from tests.commands import start_command
from tests.conftest import ROOT, make_project
from tests.datasets import writers
from tests.datasets.writers import N_BYTES, numbers, open_datasets, text


def table(seed: int) -> ibis.Table:
    return ibis.memtable(numbers(seed))


# The most special kind that a dataset is decides what is written to it
CONTENTS: dict[type, Callable[[int], Any]] = {
    ResumableParquetDataset: lambda seed: {f"part{seed}": lambda: pa.Table.from_pandas(numbers(seed))},
    TableFileDataset: table,
    **writers.CONTENTS,
}
TESTED_ELSEWHERE = {
    MlflowScorerDataset: "test_killed_exports.py: a folder, swapped in",
    RawCsvDataset: "test_raw_csv.py: in its own parts",
    MlflowChildFiguresDataset: "no file of the project: pictures of MLflow's runs",
    HistoryRowsDataset: "a folder of tables, each written by TableFileDataset",
}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KedroContext]:
    bootstrap_project(ROOT)
    project = make_project(tmp_path_factory.mktemp("written")).path
    with KedroSession.create(project, env="test") as session:
        yield session.load_context()


def written_files(context: KedroContext) -> Iterator[tuple[str, AbstractDataset, Callable[[int], Any]]]:
    """Yield every dataset that a pipeline writes to a file, and what may be written to it."""
    catalog = context.catalog
    for name in sorted(set().union(*(pipeline.all_outputs() for pipeline in register_pipelines().values()))):
        dataset = catalog.get(name)
        if isinstance(dataset, (MemoryDataset, *TESTED_ELSEWHERE)):
            continue
        kinds = [kind for kind in CONTENTS if isinstance(dataset, kind)]
        assert kinds, f"{name}: nobody has shown that a {type(dataset).__name__} is written whole"
        dataset._logging_activated = False
        is_pdf = kinds[0] is TextDataset and dataset._fs_open_args_save["mode"] == "wb"
        yield name, dataset, (lambda seed: text(seed).encode()) if is_pdf else CONTENTS[kinds[0]]


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow longer; the operating system says so as it says that a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (N_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_every_file_of_the_catalog_as_it_was(context: KedroContext) -> None:
    done = []
    for name, dataset, make in written_files(context):
        path = Path(str(getattr(dataset, "_filepath", None) or dataset._path))
        dataset.save(make(1))
        before = path.read_bytes()
        assert len(before) > N_BYTES, name
        with full_disk(), pytest.raises(Exception):  # noqa: B017, PT011 - each library has its own
            dataset.save(make(2))
        assert path.read_bytes() == before, name
        dataset.save(make(2))
        assert path.read_bytes() != before, name
        left = [other.name for other in path.parent.iterdir() if other.name.startswith(f".{path.name}")]
        assert left == [], name
        done.append(name)
    assert len(done) > 60, done


def test_a_value_that_cannot_be_written_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """JSON is written as it is made, and text mode knows nothing of an error but that the file is closed."""
    write_files_whole()
    dataset = JSONDataset(filepath=(tmp_path / "kept.json").as_posix())
    dataset.save({"kept": 1})
    with pytest.raises(Exception, match="set is not JSON serializable"):
        dataset.save({"rows": list(range(100_000)), "bad": {1}})
    assert dataset.load() == {"kept": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]


def test_a_link_and_permissions_outlive_what_is_written(tmp_path: Path) -> None:
    kept, link = tmp_path / "disk" / "kept.txt", tmp_path / "link.txt"
    files = WholeFileSystem(auto_mkdir=True)
    with files.open(kept.as_posix(), "w", encoding="utf-8") as file:
        file.write("é")
    kept.chmod(0o640)
    link.symlink_to(kept)
    with files.open(link.as_posix(), "wb") as file:
        file.write(b"2")
    assert (link.is_symlink(), kept.read_bytes(), kept.stat().st_mode & 0o777) == (True, b"2", 0o640)
    with files.open(link.as_posix(), "ab") as file:
        file.write(b"3")
    assert kept.read_bytes() == b"23"


def test_twenty_killed_writers_leave_only_whole_files(tmp_path: Path) -> None:
    plt.rcdefaults()  # as in the processes that write: the style of a test before would make other pictures
    datasets = open_datasets(tmp_path)
    whole: dict[str, list[bytes]] = {suffix: [] for suffix in datasets}
    for seed in (1, 2):
        for suffix, dataset in datasets.items():
            dataset.save(CONTENTS[type(dataset)](seed))
            whole[suffix].append((tmp_path / f"file.{suffix}").read_bytes())
    moments = random.Random(7)
    for _ in range(20):
        started = (tmp_path / "file.json").stat().st_mtime_ns
        writer = start_command(tmp_path, writers.__name__)
        while (tmp_path / "file.json").stat().st_mtime_ns == started:  # it is at work
            time.sleep(0.005)
            assert not writer.has_ended
        time.sleep(moments.random() / 10)  # within two rounds of its writing
        os.kill(writer.pid, signal.SIGKILL)
        assert writer.wait() == -signal.SIGKILL
        for suffix, contents in whole.items():
            assert (tmp_path / f"file.{suffix}").read_bytes() in contents, suffix
