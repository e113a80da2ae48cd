"""A table appears under its name when it is whole, and only then."""

from pathlib import Path

import ibis
import pandas as pd
import pytest

from credit_scoring.datasets.table_file import TableFileDataset
from tests.conftest import CONNECTION


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_file_of_the_engine_replaces_the_old_one_only_when_it_is_whole(tmp_path: Path, file_format: str) -> None:
    target = tmp_path / "folder" / f"out.{file_format}"
    dataset = TableFileDataset(filepath=target.as_posix(), file_format=file_format, connection=CONNECTION)
    values = [0.1 + 0.2, 1e-17, 5e-324]
    numbers = dataset.connection.create_table(f"numbers_{file_format}", pd.DataFrame({"x": values}))
    dataset.save(numbers)
    assert dataset.load().x.to_list() == values
    before = target.read_bytes()
    with pytest.raises(Exception, match="broken"):
        dataset.save(numbers.mutate(y=ibis.literal("broken").cast("int")))
    assert target.read_bytes() == before
    dataset.save(numbers.limit(1))
    assert dataset.load().x.to_list() == values[:1]
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_the_folder_of_another_engine_makes_way(tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    target.mkdir()
    (target / "part-0.parquet").write_bytes(b"of Spark")
    dataset = TableFileDataset(filepath=target.as_posix(), file_format="parquet", connection=CONNECTION)
    dataset.save(dataset.connection.create_table("one", pd.DataFrame({"x": [1]})))
    assert dataset.load().x.to_list() == [1]
