"""A long table is read and written a chunk at a time, and a killed run goes on where it stopped."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from credit_scoring.datasets.chunks import ParquetChunksDataset, ResumableParquetDataset


class Part:
    """A part that counts how often it is computed, and can fail."""

    def __init__(self, *values: int, fails: bool = False) -> None:
        self.values, self.fails, self.computed = values, fails, 0

    def __call__(self) -> pa.Table:
        self.computed += 1
        if self.fails:
            raise RuntimeError("killed")
        return pa.table({"x": list(self.values)})


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_row_groups_are_the_chunks_and_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": range(5), "name": [*list("abcd"), None]})
    for name in ("one", "same"):
        table.to_parquet(tmp_path / f"{name}.parquet", row_group_size=2)
    table.assign(x=0).to_parquet(tmp_path / "other.parquet", row_group_size=2)
    one, same, other = (
        ParquetChunksDataset(filepath=f"{tmp_path}/{name}.parquet").load() for name in ("one", "same", "other")
    )
    assert [one.read(i)["x"].tolist() for i in range(one.n_chunks)] == [[0, 1], [2, 3], [4]]
    assert one.digest == same.digest != other.digest


def test_parts_become_one_file_in_their_order_and_nothing_else_stays(tmp_path: Path) -> None:
    dataset = ResumableParquetDataset(filepath=f"{tmp_path}/out.parquet")
    dataset.save({"b": Part(1, 2), "a": Part(3)})
    assert dataset.load().to_pydict() == {"x": [1, 2, 3]}
    assert files(tmp_path) == {"out.parquet"}


def test_after_a_failure_the_old_file_stands_and_only_missing_parts_are_computed(tmp_path: Path) -> None:
    dataset = ResumableParquetDataset(filepath=f"{tmp_path}/out.parquet")
    dataset.save({"old": Part(0)})
    first, second = Part(1), Part(2)
    with pytest.raises(Exception, match="killed"):
        dataset.save({"1": first, "2": Part(fails=True)})
    assert dataset.load().to_pydict() == {"x": [0]}
    dataset.save({"1": first, "2": second})
    assert (first.computed, second.computed) == (1, 1)
    assert dataset.load().to_pydict() == {"x": [1, 2]}


def test_parts_under_other_keys_are_never_taken(tmp_path: Path) -> None:
    dataset = ResumableParquetDataset(filepath=f"{tmp_path}/out.parquet")
    with pytest.raises(Exception, match="killed"):
        dataset.save({"1_model_a": Part(1), "2_model_a": Part(fails=True)})
    anew = Part(10)
    dataset.save({"1_model_b": anew, "2_model_b": Part(20)})
    assert anew.computed == 1
    assert dataset.load().to_pydict() == {"x": [10, 20]}
    assert files(tmp_path) == {"out.parquet"}


@pytest.mark.parametrize("moment", ["computing", "writing", "joining"])
def test_a_killed_process_leaves_nothing_that_a_later_one_could_take_for_finished(tmp_path: Path, moment: str) -> None:
    """SIGKILL while a part is computed, while it is written, and while the parts are put together."""
    script = f"""
        import os, signal, pyarrow as pa, pyarrow.parquet as pq
        from credit_scoring.datasets import chunks
        def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
        def write_half(table, path):
            if "2" in path.name:
                path.write_bytes(b"PAR1 half of a file"); die()
            return write(table, path)
        def join_half(path, schema):
            path.write_bytes(b"PAR1 half of a file"); die()
        write = pq.write_table
        if {moment!r} == "writing": chunks.pq.write_table = write_half
        if {moment!r} == "joining": chunks.pq.ParquetWriter = join_half
        second = die if {moment!r} == "computing" else lambda: pa.table({{"x": [2]}})
        chunks.ResumableParquetDataset(filepath={str(tmp_path / "out.parquet")!r}).save(
            {{"1": lambda: pa.table({{"x": [1]}}), "2": second}}
        )
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (tmp_path / "out.parquet").exists()
    first, second = Part(-1), Part(-2)
    dataset = ResumableParquetDataset(filepath=f"{tmp_path}/out.parquet")
    dataset.save({"1": first, "2": second})
    assert (first.computed, second.computed) == (0, 0 if moment == "joining" else 1)
    assert dataset.load().to_pydict() == {"x": [1, 2 if moment == "joining" else -2]}
    assert files(tmp_path) == {"out.parquet"}


def test_what_was_kept_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dataset = ResumableParquetDataset(filepath=f"{tmp_path}/out.parquet")
    with pytest.raises(Exception, match="killed"):
        dataset.save({"1": Part(1), "2": Part(fails=True)})
    caplog.clear()
    with caplog.at_level("INFO"):
        dataset.save({"1": Part(1), "2": Part(2), "3": Part(3)})
    said = " ".join(caplog.messages)
    assert "an interrupted run left 1 finished parts. 1 of 3 are kept" in said
    assert "part 2 of 3 is done" in said
    assert "part 1 of 3" not in said


def test_the_file_is_an_ordinary_one(tmp_path: Path) -> None:
    ResumableParquetDataset(filepath=f"{tmp_path}/out.parquet").save({"1": Part(1), "2": Part(2)})
    assert pq.read_metadata(tmp_path / "out.parquet").num_row_groups == 2
