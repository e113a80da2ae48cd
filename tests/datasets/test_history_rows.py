"""Single rows of histories: what a save leaves in the folder."""

from pathlib import Path

import ibis
import pandas as pd
import pytest

from credit_scoring.datasets.history_rows import HistoryRowsDataset
from tests.conftest import CONNECTION


def test_a_save_leaves_what_was_saved_and_a_failed_one_what_was_there(tmp_path: Path) -> None:
    dataset = HistoryRowsDataset(filepath=tmp_path.as_posix(), connection=CONNECTION)
    rows = ibis.memtable(pd.DataFrame({"SK_ID_CURR": [1, 1, 2], "x": [0.5, 1.5, 2.5]}))
    dataset.save({"bureau": rows, "previous": rows})
    broken = rows.mutate(x=rows.x.cast("string").re_extract("(", 0))
    with pytest.raises(Exception, match="missing \\)"):
        dataset.save({"bureau": broken})
    assert dataset.load().holds("previous")
    assert dataset.load().read("bureau", first=1, last=1)["x"].tolist() == [0.5, 1.5]
    dataset.save({"bureau": rows.filter(rows.SK_ID_CURR == 2)})
    assert dataset.load().read("bureau")["x"].tolist() == [2.5]
    assert not dataset.load().holds("previous")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bureau.parquet"]
